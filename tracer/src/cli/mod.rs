//! The commands, one file each, and how their failures are told.

pub mod args;
mod declare;
mod demo;
mod explain;
mod preprocess;
mod stdout;
mod trace;
mod usage;
mod watch;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::CommandFactory as _;
use usage::Usage;

use crate::called;

/// DTrace's exit statuses: 0 done, 1 failed, 2 used wrongly; a program's exit(n) gives n.
const FAILED: u8 = 1;
const USED_WRONGLY: u8 = 2;

/// Does what the command line says.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    called::learn(arguments.first());
    let args::Parsed { cli, texts, whom } = match args::parse(arguments) {
        Ok(parsed) => parsed,
        Err(error) => {
            return match usage::explain(&error) {
                Some(usage) => failed(&usage.into()),
                None => {
                    // Whoever asked may have stopped reading.
                    let _ = error.print();
                    ExitCode::SUCCESS
                }
            };
        }
    };
    if let Some(usage) = Usage::of_modes(&cli.trace) {
        return failed(&usage.into());
    }
    if cli.trace.version {
        // Whoever asked may have stopped reading.
        let _ = io::stdout().write_all(args::Cli::command().render_version().as_bytes());
        return ExitCode::SUCCESS;
    }
    let done = match &cli.command {
        Some(args::Command::Demo(demo)) => demo::run(demo),
        Some(args::Command::Explain(explain)) => explain::run(explain),
        Some(args::Command::Watch(watch)) => watch::run(watch),
        None if cli.trace.header || cli.trace.object => declare::run(&cli.trace, &texts),
        None => trace::run(&cli.trace, &texts, &whom),
    };
    match done {
        Ok(status) => ExitCode::from(status as u8),
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    say(&format!("{error:#}"));
    ExitCode::from(error.downcast_ref::<Usage>().map_or(FAILED, |usage| usage.status))
}

/// Writes to the standard output; a reader who has gone away has read enough.
fn show(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// A message on standard error, behind the name of who speaks.
fn say(message: &str) {
    complain(&format!("{}: {message}\n", called::name()));
}

/// Writes to the standard error, where that is possible.
fn complain(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
