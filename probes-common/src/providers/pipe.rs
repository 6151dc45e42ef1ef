//! The pipe provider: pipes and FIFOs, by read, write, readv and writev.

use super::socket::{CALLS_ENTER, CALLS_FORGET};
use crate::probe::{Arg, Support};
use crate::record;
use crate::table::{probes, programs, supports};
use crate::types::PipeInfo;

record! {
    /// A read or write has ended.
    pub struct Transfer as "pipe_transfer" {
        /// The pipe.
        0 pi: PipeInfo as "pipeinfo_t *";
        /// Bytes that were asked for; of readv and writev the first 16 parts.
        8 asked: u64 as "uint64_t";
        /// Bytes that were moved, -1 on failure; a read of 0 is the end: no writers are left.
        9 done: i64 as "int64_t";
        /// The error, 0 on success.
        9 error: i32 as "int";
        /// Unused, zero.
        9 pad: i32 as "int";
        /// Nanoseconds that the call took.
        10 latency: u64 as "uint64_t";
        /// Nanoseconds of them in which the thread waited for the other end.
        11 blocked: u64 as "uint64_t";
    }

    /// A pipe is made.
    pub struct PipeCreate as "pipe_create" {
        /// The pipe, as its reading end shows it.
        0 pi: PipeInfo as "pipeinfo_t *";
        /// The descriptor of the reading end.
        8 reader: i32 as "int";
        /// The descriptor of the writing end.
        8 writer: i32 as "int";
        /// Flags of pipe2(2).
        8 flags: i32 as "int";
        /// Unused, zero.
        8 pad: i32 as "int";
    }

    /// A thread has to wait, or has waited.
    pub struct Block as "pipe_block" {
        /// The pipe.
        0 pi: PipeInfo as "pipeinfo_t *";
        /// Nanoseconds that it waited.
        8 blocked: u64 as "uint64_t";
        /// Why: 0 the pipe was empty, 1 it was full.
        9 full: i32 as "int";
        /// How often it went to sleep.
        9 times: u32 as "uint32_t";
    }

    /// An end is closed.
    pub struct CloseEnd as "pipe_close_end" {
        /// The pipe, just before.
        0 pi: PipeInfo as "pipeinfo_t *";
        /// How many of that end are left open.
        8 left: i32 as "int";
        /// Unused, zero.
        8 pad: i32 as "int";
    }
}

supports! {
    /// Times the waits of calls on pipes.
    WAITS = "pipe_waits" on "sched_switch";
    /// Notes that a call on a pipe has ended.
    LEAVE = "pipe_leave" on "sys_exit";
}

const NEEDS: &[Support] = &[CALLS_ENTER, WAITS, LEAVE, CALLS_FORGET];

programs! {
    /// read and write.
    TRANSFER = family "pipe_transfer" on "sys_exit": Transfer, NEEDS;
    /// broken.
    BROKEN = "pipe_broken" on "sys_exit": Transfer, NEEDS;
    /// create.
    CREATE = "pipe_create" on "sys_exit": PipeCreate, &[];
    /// block-start.
    BLOCK_START = "pipe_block_start" on "sched_switch": Block, NEEDS;
    /// block.
    BLOCK = "pipe_block" on "sys_exit": Block, NEEDS;
    /// close-end by close, dup2 and dup3.
    CLOSE = "pipe_close" on "sys_enter": CloseEnd, &[];
    /// close-end by the end of a process.
    EXIT = "pipe_exit" on "sched_process_exit": CloseEnd, &[];
}

/// The discriminator of `read` in [`TRANSFER`].
pub const READ: u16 = 0;
/// The discriminator of `write` in [`TRANSFER`].
pub const WRITE: u16 = 1;

const PIPE: Arg = Arg { ctype: "pipeinfo_t *", field: "pi", doc: "the pipe" };

const TRANSFER_ARGS: &[Arg] = &[
    PIPE,
    Arg { ctype: "uint64_t", field: "asked", doc: "bytes asked for; of readv and writev the first 16 parts" },
    Arg {
        ctype: "int64_t",
        field: "done",
        doc: "bytes moved, -1 on failure; a read of 0 is the end of the data",
    },
    Arg { ctype: "int", field: "error", doc: "the error, 0 on success" },
    Arg { ctype: "uint64_t", field: "latency", doc: "nanoseconds that the call took" },
    Arg {
        ctype: "uint64_t",
        field: "blocked",
        doc: "nanoseconds of them in which the thread waited for the other end",
    },
];

const BLOCK_ARGS: &[Arg] = &[
    PIPE,
    Arg { ctype: "uint64_t", field: "blocked", doc: "nanoseconds that the thread waited" },
    Arg { ctype: "int", field: "full", doc: "0 the pipe was empty, 1 it was full" },
    Arg { ctype: "uint32_t", field: "times", doc: "how often the thread went to sleep" },
];

const CLOSE_ARGS: &[Arg] = &[
    Arg { ctype: "pipeinfo_t *", field: "pi", doc: "the pipe, just before" },
    Arg { ctype: "int", field: "left", doc: "how many of that end are left open" },
];

probes! { "pipe":
    "create", CREATE, &[
            Arg { ctype: "pipeinfo_t *", field: "pi", doc: "the pipe, as its reading end shows it" },
            Arg { ctype: "int", field: "reader", doc: "the descriptor of the reading end" },
            Arg { ctype: "int", field: "writer", doc: "the descriptor of the writing end" },
            Arg { ctype: "int", field: "flags", doc: "flags of pipe2(2)" },
        ],
        "Fires when pipe(2) or pipe2(2) has made a pipe.";
    "read", TRANSFER[READ], TRANSFER_ARGS,
        "Fires when read(2) or readv(2) on a pipe or FIFO has ended, in success or failure. Waits by poll(2), transfers by splice(2) \
         and io_uring go past it.";
    "write", TRANSFER[WRITE], TRANSFER_ARGS,
        "Fires when write(2) or writev(2) on a pipe or FIFO has ended, in success or failure. Transfers by splice(2) and io_uring \
         go past it.";
    "block-start", BLOCK_START, &[
            PIPE,
            Arg { ctype: "uint64_t", field: "blocked", doc: "nanoseconds that the thread has waited before in this call" },
            Arg { ctype: "int", field: "full", doc: "0 the pipe is empty, 1 it is full" },
            Arg { ctype: "uint32_t", field: "times", doc: "how often the thread has gone to sleep in this call, this time included" },
        ],
        "Fires when a thread has to wait in a read or write: it goes to sleep. One that is never woken fires no `block`.";
    "block", BLOCK, BLOCK_ARGS,
        "Fires when a read or write that had to wait has ended.";
    "close-end" in "close", CLOSE, CLOSE_ARGS,
        "Fires when close(2), dup2(2) or dup3(2) gives up the last descriptor of an end. close_range(2), closing on exec and a \
         descriptor in flight on a socket go past it.";
    "close-end" in "exit", EXIT, CLOSE_ARGS,
        "Fires when a process ends and with it the last descriptor of an end: of descriptors 0 to 63, four at most.";
    "broken", BROKEN, TRANSFER_ARGS,
        "Fires when a write fails with EPIPE, since no reader is left: the writer has been sent SIGPIPE.";
}
