//! `cargo xtask picture FILE ARGUMENTS...`: the terminal pictures of the documentation, made from what the tracer really prints.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anstyle::RgbColor;
use anstyle_svg::{Palette, Term};
use anyhow::{Context, Result, ensure};

use crate::shell::{as_root, cargo, describe, is_root, root, run};

/// Options of `cargo xtask picture`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The SVG file to write
    file: PathBuf,
    /// What to run the tracer with; --color=always is added
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    arguments: Vec<String>,
}

/// Runs the command.
pub(crate) fn main(options: &Options) -> Result<()> {
    run(cargo().args(["build", "--quiet", "--package", "tracer"]))?;
    let program = root().join("target/debug/tracer");
    let mut tracer = if is_root() { Command::new(program) } else { as_root(program) };
    tracer.args(&options.arguments).arg("--color=always").stderr(Stdio::inherit());
    let output = tracer.output().with_context(|| format!("cannot run `{}`", describe(&tracer)))?;
    ensure!(output.status.success(), "`{}` failed: {}", describe(&tracer), output.status);
    let typed = options.arguments.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    let text = format!("\x1b[1m# tracer {typed}\x1b[0m\n{}", String::from_utf8(output.stdout)?);
    fs::write(&options.file, terminal().render_svg(&text))?;
    println!("{}: {} lines", options.file.display(), text.lines().count());
    Ok(())
}

/// A dark terminal whose colours can be told apart on it.
fn terminal() -> Term {
    const COLORS: [u32; 8] = [0x0d1117, 0xff7b72, 0x7ee787, 0xe3b341, 0x79c0ff, 0xd2a8ff, 0x56d4dd, 0xd6dde4];
    let rgb = |color: u32| RgbColor((color >> 16) as u8, (color >> 8) as u8, color as u8);
    let palette = std::array::from_fn(|index| rgb(COLORS[index % 8]));
    Term::new().palette(Palette(palette)).fg_color(rgb(COLORS[7]).into()).bg_color(rgb(COLORS[0]).into())
}

/// A word as one types it for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("\"{word}\"") }
}
