//! The life of processes: made, running a program, ended.

use serde::Serialize;

use super::fields::Fields;
use super::number::{Errno, SignalNumber};
use super::{Process, Text};

/// What happens to a process.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum Life {
    /// It makes another one.
    Create {
        /// The new process.
        child: Process,
    },
    /// It makes a thread.
    LwpCreate {
        /// The new thread.
        thread: u32,
    },
    /// It runs a program.
    ExecSuccess {
        /// The program's path as it was given.
        path: Text,
        /// The program's arguments, separated by spaces, cut at 79 bytes.
        arguments: Text,
    },
    /// It tried to.
    ExecFailure {
        /// The path as it was given.
        path: Text,
        /// Why not.
        error: Errno,
    },
    /// It ends.
    Exit {
        /// Its parent's process id.
        parent: u32,
        /// How.
        #[serde(flatten)]
        end: End,
    },
}

/// A wait4(2), as wait(3) and waitpid(3) are, that was told of a child. Its name among events is that of its probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "name", rename = "return")]
pub struct Wait {
    /// The call.
    pub function: &'static str,
    /// The child's process id as the waiting process sees it, which is another one where that is in a PID namespace.
    pub child: u32,
    /// Nanoseconds that it took.
    pub latency: u64,
}

/// How a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum End {
    /// By itself.
    Exited {
        /// Its exit status.
        status: i32,
    },
    /// By a signal.
    Killed {
        /// Which.
        signal: SignalNumber,
    },
    /// By a signal, and it leaves a core dump.
    Dumped {
        /// Which.
        signal: SignalNumber,
    },
}

/// Reads a record.
pub(super) fn read(name: &str, fields: &mut Fields<'_>) -> Option<Life> {
    Some(match name {
        "create" => Life::Create { child: fields.process()? },
        "lwp-create" => Life::LwpCreate { thread: fields.integer()? as u32 },
        "exec-success" => Life::ExecSuccess { path: fields.text()?, arguments: fields.text()? },
        "exec-failure" => {
            let error = Errno(fields.int()?);
            Life::ExecFailure { path: fields.text()?, error }
        }
        "exit" => {
            let reason = fields.int()?;
            let status = fields.int()?;
            let signal = SignalNumber(status);
            let end = match reason {
                1 => End::Exited { status },
                2 => End::Killed { signal },
                _ => End::Dumped { signal },
            };
            Life::Exit { parent: fields.integer()? as u32, end }
        }
        _ => return None,
    })
}

/// Reads the record of a wait.
pub(super) fn read_wait(fields: &mut Fields<'_>) -> Option<Wait> {
    Some(Wait { function: "wait4", child: fields.integer()? as u32, latency: fields.unsigned()? })
}
