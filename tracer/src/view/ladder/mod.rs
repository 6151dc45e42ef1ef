//! The ladder: the life of a TCP connection between two lifelines, time running down.
//!
//! Arrows are segments (heavy ones carry data), states stand at the side whose they are, system calls too. A segment
//! on whose way something else happened leaves in one line and arrives in another.
//!
//! Invariant: lines are in the order of time; sequence and acknowledgement numbers are relative to each side's first.

mod collect;
mod draw;
mod frame;
mod order;
mod segment;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::Style;
pub use collect::Collector;

/// A connection and what happened on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ladder {
    /// Who connects; the left lifeline.
    pub client: End,
    /// Who accepts; the right one.
    pub server: End,
    /// What happened, in any order.
    pub steps: Vec<Step>,
}

/// One end of the connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Name of the program.
    pub name: String,
    /// Its process id.
    pub pid: u32,
    /// Address and port, such as `127.0.0.1:8080`.
    pub address: String,
}

/// One of the two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The one that connects.
    Client,
    /// The one that accepts.
    Server,
}

impl Side {
    /// The other end.
    pub fn other(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}

/// Something that happened. Times are nanoseconds of one clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Step {
    /// A segment went from one end to the other.
    Segment(Segment),
    /// The socket of one end changed its state.
    State {
        /// When.
        time_ns: u64,
        /// Whose.
        side: Side,
        /// The state before, such as `LISTEN`.
        old: String,
        /// The state after.
        new: String,
    },
    /// A system call of one end.
    Call {
        /// When it was made, or when it returned where there is a result.
        time_ns: u64,
        /// Whose.
        side: Side,
        /// Its name.
        name: String,
        /// Its arguments as text, without parentheses.
        #[serde(default)]
        args: String,
        /// Its result as text; none when it has only been entered.
        #[serde(default)]
        result: Option<String>,
    },
}

/// A TCP segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// When it was sent.
    pub sent_ns: u64,
    /// When it was received; none when it never was.
    pub received_ns: Option<u64>,
    /// Who sent it.
    pub from: Side,
    /// The header's flags, TH_*.
    pub flags: u8,
    /// Sequence number, absolute.
    pub seq: u32,
    /// Acknowledgement number, absolute.
    pub ack: u32,
    /// Bytes of payload.
    pub len: u32,
    /// The header's window field, not scaled.
    pub window: u16,
}

/// A connection that `tracer demo` once traced, as JSON of a [`Ladder`].
pub const SAMPLE: &str = include_str!("demo.json");

/// Draws the ladder.
pub fn render(ladder: &Ladder, style: &Style) -> String {
    draw::Picture::new(ladder, style).render()
}
