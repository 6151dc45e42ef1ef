//! `cargo xtask run`: builds the tracer and runs it, through sudo where we are not root. Without arguments it shows what the tracer
//! is for.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};

use crate::shell::{as_root, cargo, describe, find, is_root, root, run};

/// Options of `cargo xtask run`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to run the tracer with [default: demo]
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Runs the command: it becomes the tracer.
pub(crate) fn main(options: &Options) -> Result<()> {
    run(cargo().args(["build", "--quiet", "--release", "--package", "tracer"]))?;
    let program = root().join("target/release/tracer");
    // Where there is no sudo, the tracer itself says what it lacks.
    let mut tracer =
        if is_root() || find("sudo").is_none() { Command::new(program) } else { as_root(program) };
    if options.arguments.is_empty() {
        tracer.arg("demo");
    }
    tracer.args(&options.arguments);
    Err(tracer.exec()).with_context(|| format!("cannot run `{}`", describe(&tracer)))
}
