//! `cargo xtask`: everything that is done to this project, as commands. One file a command; they share `shell` (running other
//! programs) and `packages` (what has to be installed for them).

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod packages;
mod probes;
mod shell;

/// Builds, runs and tests the tracer.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Rebuild the checked-in probes object (sets up the eBPF toolchain where it is missing)
    Probes(probes::Options),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Probes(options) => probes::main(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
