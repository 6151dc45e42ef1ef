//! Pipes and FIFOs: made, written, read, waited for, closed.

use serde::Serialize;

use super::fields::Fields;
use super::number::{Errno, PipeFlags};

/// What happens to a pipe.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum PipeEvent {
    /// It is made.
    Create {
        /// The pipe.
        pipe: Pipe,
        /// The descriptor of the reading end.
        reader: i32,
        /// The descriptor of the writing end.
        writer: i32,
        /// How it was asked for.
        flags: PipeFlags,
    },
    /// A read has ended.
    Read(Transfer),
    /// A write has ended.
    Write(Transfer),
    /// A call has to wait.
    BlockStart {
        /// The pipe.
        pipe: Pipe,
        /// Whether because it is full; else it is empty.
        full: bool,
    },
    /// The last descriptor of an end in the process is closed.
    CloseEnd {
        /// The pipe, just before.
        pipe: Pipe,
        /// Whether it is the writing end; else the reading one.
        writing: bool,
        /// How many open files of that end are left.
        left: i32,
    },
}

/// A pipe, and the descriptor by which it is used.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pipe {
    /// The number of its inode: what makes it the same on both ends.
    pub inode: u64,
    /// The descriptor.
    pub fd: i32,
    /// Whether it has a name in a file system.
    pub fifo: bool,
    /// Bytes in it.
    pub fill: u64,
    /// Bytes that it can hold.
    pub capacity: u64,
}

/// A read or write that has ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Transfer {
    /// The pipe, afterwards.
    pub pipe: Pipe,
    /// Bytes that were asked for.
    pub asked: u64,
    /// Bytes that were moved; none where it failed. A read of 0 is the end of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Errno>,
    /// Nanoseconds that the call took.
    pub latency: u64,
    /// Nanoseconds of them in which it waited for the other end.
    pub blocked: u64,
}

impl PipeEvent {
    /// The pipe.
    pub fn pipe(&self) -> &Pipe {
        match self {
            PipeEvent::Read(Transfer { pipe, .. })
            | PipeEvent::Write(Transfer { pipe, .. })
            | PipeEvent::Create { pipe, .. }
            | PipeEvent::BlockStart { pipe, .. }
            | PipeEvent::CloseEnd { pipe, .. } => pipe,
        }
    }
}

/// Reads a record.
pub(super) fn read(name: &str, fields: &mut Fields<'_>) -> Option<PipeEvent> {
    let pipe = Pipe {
        inode: fields.unsigned()?,
        fd: fields.int()?,
        fifo: fields.flag()?,
        fill: fields.unsigned()?,
        capacity: fields.unsigned()?,
    };
    Some(match name {
        "create" => PipeEvent::Create {
            pipe,
            reader: fields.int()?,
            writer: fields.int()?,
            flags: PipeFlags(fields.int()?),
        },
        "read" => PipeEvent::Read(transfer(pipe, fields)?),
        "write" => PipeEvent::Write(transfer(pipe, fields)?),
        "block-start" => PipeEvent::BlockStart { pipe, full: fields.flag()? },
        "close-end" => PipeEvent::CloseEnd { pipe, writing: fields.int()? == 1, left: fields.int()? },
        _ => return None,
    })
}

fn transfer(pipe: Pipe, fields: &mut Fields<'_>) -> Option<Transfer> {
    let asked = fields.unsigned()?;
    let done = fields.integer()?;
    let error = fields.int()?;
    Some(Transfer {
        pipe,
        asked,
        bytes: u64::try_from(done).ok(),
        error: (error != 0).then_some(Errno(error)),
        latency: fields.unsigned()?,
        blocked: fields.unsigned()?,
    })
}
