//! The commands, one file each, and how their failures are told.

pub mod args;
mod demo;
mod trace;

use std::ffi::OsString;
use std::process::ExitCode;

/// DTrace's exit statuses: 0 done, 1 failed, 2 used wrongly; a program's exit(n) gives n.
const FAILED: u8 = 1;
const USED_WRONGLY: u8 = 2;

/// Does what the command line says.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let (cli, texts) = match args::parse(arguments) {
        Ok(parsed) => parsed,
        Err(error) => error.exit(),
    };
    let done = match &cli.command {
        Some(args::Command::Demo(demo)) => demo::run(demo),
        None => trace::run(&cli.trace, &texts),
    };
    match done {
        Ok(status) => ExitCode::from(status as u8),
        Err(error) => {
            eprintln!("tracer: {error:#}");
            ExitCode::from(if error.is::<trace::Usage>() { USED_WRONGLY } else { FAILED })
        }
    }
}
