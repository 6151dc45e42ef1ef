//! The standard output of a run.

use std::io::{self, IsTerminal as _, Write};
use std::os::fd::AsRawFd as _;

use crate::output::Sink;

/// The standard output; a terminal that has been closed is a reader who has gone away, as one of a pipe can be.
pub(super) struct Stdout {
    terminal: bool,
}

impl Stdout {
    /// Whatever the standard output is now.
    pub(super) fn new() -> Stdout {
        Stdout { terminal: io::stdout().is_terminal() }
    }

    /// Whether a person looks at it.
    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
    }

    fn explain(&self, error: io::Error) -> io::Error {
        match error.raw_os_error() {
            Some(libc::EIO) if self.terminal => io::ErrorKind::BrokenPipe.into(),
            _ => error,
        }
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().write(bytes).map_err(|error| self.explain(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush().map_err(|error| self.explain(error))
    }
}

impl Sink for Stdout {
    fn truncate(&mut self) -> io::Result<()> {
        let out = io::stdout();
        // SAFETY: the descriptor is open; what is no file, as a pipe, cannot be emptied and stays as it is.
        unsafe { libc::ftruncate(out.as_raw_fd(), 0) };
        // SAFETY: as above. The next byte comes first.
        unsafe { libc::lseek(out.as_raw_fd(), 0, libc::SEEK_SET) };
        Ok(())
    }
}
