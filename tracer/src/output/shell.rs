//! system(): a command of the program, run by the shell in its turn of the output.

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Stdio};

/// Where the command writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stdout {
    /// Where the tracer does.
    Inherited,
    /// To the standard error, as the standard output has a form that must not be broken.
    Error,
}

/// Runs a command to its end, whatever that is. What the program has printed must have been handed over before.
pub fn run(command: &[u8], stdout: Stdout) -> io::Result<()> {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(OsStr::from_bytes(command)).stdin(Stdio::null());
    if stdout == Stdout::Error {
        shell.stdout(io::stderr().as_fd().try_clone_to_owned()?);
    }
    shell.status().map(drop)
}
