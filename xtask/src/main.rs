//! `cargo xtask`: everything that is done to this project, as commands. One file a command; they share `shell` (running other
//! programs) and `packages` (what has to be installed for them).

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod dist;
mod initramfs;
mod packages;
mod picture;
mod probes;
mod run;
mod shell;
mod tally;
mod test;
mod vm;

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
    /// Build the tracer and run it, through sudo where needed; without arguments, as a demonstration
    Run(run::Options),
    /// Run all tests, on this kernel and on others in virtual machines; the last line is the counts
    Test(test::Options),
    /// Make what is given to others: one file that needs nothing else, and a Debian package
    Dist(dist::Options),
    /// Run the tracer and draw what it prints as a terminal shows it, into an SVG file
    Picture(picture::Options),
    /// Measure what tracing costs, beside bpftrace where that is installed
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Probes(options) => probes::main(&options),
        Command::Run(options) => run::main(&options),
        Command::Test(options) => test::main(&options),
        Command::Dist(options) => dist::main(&options),
        Command::Picture(options) => picture::main(&options),
        Command::Bench(options) => bench::main(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
