//! What happens on a system, as typed events: what the lines, sums and pictures of `tracer watch` and its JSON are made of.
//!
//! The kernel is asked by D programs, one a family (`programs/`); each family's file has its types and how they are read from
//! what its program records. Invariant: every number that has a name is a type that knows it, and what a traced program has
//! chosen is a [`Text`], which nothing prints as it is.

mod codes;
mod fields;
mod life;
pub mod number;
mod pipe;
mod read;
#[cfg(test)]
pub(crate) mod samples;
mod signal;
mod socket;
mod tcp;
mod text;

use serde::Serialize;

pub use codes::SignalCode;
pub use life::{End, Life, Wait};
pub use pipe::{Pipe, PipeEvent, Transfer};
pub use read::{Reader, Unreadable};
pub use signal::{Action, Origin, Outcome, Signal};
pub use socket::{Address, Detail, SocketCall};
pub use tcp::{Connection, Endpoint, Segment, Tcp};
pub use text::Text;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// When: nanoseconds, monotonic.
    pub time: u64,
    /// On which CPU.
    pub cpu: u32,
    /// Who did it, or whose it is.
    #[serde(flatten)]
    pub process: Process,
    /// What it was.
    #[serde(flatten)]
    pub what: What,
}

impl Event {
    /// The event as a line of JSON (docs/json.md).
    pub fn line(&self) -> impl Serialize + '_ {
        Line::Event(self)
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Event(&'a Event),
}

/// A process as an event names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Process {
    /// Its id; 0 for the kernel, and for an owner that is not known.
    pub pid: u32,
    /// Its name, which it has chosen itself.
    pub execname: Text,
}

impl Process {
    /// The kernel itself.
    pub fn kernel() -> Process {
        Process { pid: 0, execname: Text::from("kernel") }
    }
}

/// An event, by the provider of its probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "provider")]
pub enum What {
    /// A signal's.
    #[serde(rename = "proc")]
    Signal(Signal),
    /// A process's.
    #[serde(rename = "proc")]
    Life(Life),
    /// A process waits for another.
    #[serde(rename = "syscall")]
    Wait(Wait),
    /// A pipe's.
    #[serde(rename = "pipe")]
    Pipe(PipeEvent),
    /// A call on a socket.
    #[serde(rename = "socket")]
    Socket(SocketCall),
    /// A TCP connection's.
    #[serde(rename = "tcp")]
    Tcp(Tcp),
}

/// The families of events that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Signals.
    Signal,
    /// Pipes and FIFOs.
    Pipe,
    /// Calls on sockets.
    Socket,
    /// TCP connections.
    Tcp,
    /// Processes: forks, programs, ends, and who waits for them.
    Proc,
}

impl Family {
    /// All of them, in the order in which they are named.
    pub const ALL: [Family; 5] = [Family::Signal, Family::Pipe, Family::Socket, Family::Tcp, Family::Proc];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Family::Signal => "signal",
            Family::Pipe => "pipe",
            Family::Socket => "socket",
            Family::Tcp => "tcp",
            Family::Proc => "proc",
        }
    }

    /// The D program that records its events.
    pub fn program(self) -> &'static str {
        match self {
            Family::Signal => include_str!("programs/signal.d"),
            Family::Pipe => include_str!("programs/pipe.d"),
            Family::Socket => include_str!("programs/socket.d"),
            Family::Tcp => include_str!("programs/tcp.d"),
            Family::Proc => include_str!("programs/proc.d"),
        }
    }
}
