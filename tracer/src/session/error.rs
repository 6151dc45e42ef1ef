//! What can go wrong between a finished program and its last record, and what to do about it.

use std::io;

use crate::bpf::At;
pub use crate::kernel::sys::reason;
use crate::link::LinkError;

/// Why a session could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The kernel did not take the object.
    #[error(
        "the kernel refused to make the program's maps: {0}\n  help: `tracer` needs the capabilities CAP_BPF and CAP_PERFMON; run it through sudo"
    )]
    Load(String),
    /// The verifier refused a program that the compiler accepted: a fault of this program.
    #[error(
        "the kernel's verifier refused the program `{program}`: {reason}\n  this is a fault of tracer, not of your program; please report it with the output of -v\n{log}"
    )]
    Refused {
        /// The program.
        program: String,
        /// The verifier's last words.
        reason: String,
        /// The place in the D program that the refused code was made for, where it is a clause's.
        at: Option<At>,
        /// All that it said, when that was asked for.
        log: String,
    },
    /// A program has more ways through it than the verifier follows.
    #[error(
        "the kernel does not follow all ways through the program `{program}`: a statement is too long for it"
    )]
    Large {
        /// The program.
        program: String,
    },
    /// Linking failed.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A program could not be attached.
    #[error("probe program `{program}` cannot be attached to {to}: {error}")]
    Attach {
        /// The program.
        program: String,
        /// The event.
        to: String,
        /// The kernel's answer.
        error: String,
    },
    /// The command of -c could not be started.
    #[error(
        "the command `{command}` cannot be run: {}\n  help: -c takes a program and its arguments; for the shell's syntax write -c \"sh -c '...'\"",
        reason(error)
    )]
    Command {
        /// The command.
        command: String,
        /// Why.
        error: io::Error,
    },
    /// The process of -p is not there.
    #[error("process {pid} cannot be followed: {}\n  help: `ps -e` lists the processes", reason(error))]
    Process {
        /// Its number.
        pid: u32,
        /// Why.
        error: io::Error,
    },
    /// The process of -p cannot be named in probes' terms.
    #[error(
        "process {0} cannot be followed from here: this is not the first PID namespace, and probes have it by another number\n  help: run the tracer among the host's processes, in a container started with --pid=host; or start the process with -c"
    )]
    Namespace(u32),
    /// Reading or writing failed.
    #[error("{doing}: {}", reason(error))]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        error: io::Error,
    },
}

impl SessionError {
    /// For `map_err`: an I/O error while doing something.
    pub(super) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> SessionError {
        move |error| SessionError::Io { doing, error }
    }

    /// Whether the one who read our output has gone away: no error to speak of.
    pub fn reader_gone(&self) -> bool {
        matches!(self, SessionError::Io { error, .. } if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
