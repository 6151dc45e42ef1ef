//! The io provider: requests to block devices, from the moment that they are made to their end.
//!
//! A request is what the kernel calls a bio. It is told when it is handed to a device (submit_bio, block/blk-core.c, Linux 6.18),
//! in the context of who asks for it, and once: what the kernel splits it into, and the remainder that it hands in again, is it
//! still. Devices on top of others (dm, md, loop) make requests of their own to those.

use crate::probe::Arg;
use crate::record;
use crate::table::{probes, programs, supports};
use crate::types::FileInfo;
use crate::types_io::{BufInfo, DevInfo};

/// Bytes that finding a file and its path takes.
pub const SCRATCH: usize = 824 + 48 + 48;

/// The map of the drivers' names, by major number, which the tracer fills in.
pub const DRIVERS: &str = "DRIVERS";

record! {
    /// A request to a block device.
    pub struct Request as "io_request" {
        /// Address of the kernel's `bio`: the same from start to done.
        0 arg0: u64 as "uintptr_t";
        /// The request.
        1 buf: BufInfo as "bufinfo_t *";
        /// The device.
        2 dev: DevInfo as "devinfo_t *";
        /// The file.
        8 file: FileInfo as "fileinfo_t *";
        /// Scratch memory.
        16 scratch: [u8; SCRATCH] as "char[920]";
    }
}

supports! {
    /// Remembers requests from their start to their end, by when the kernel has overwritten what they asked for.
    LEARN = "io_learn" on "block_bio_queue";
    /// Counts the parts into which the kernel splits them.
    SPLIT = "io_split" on "block_split";
}

programs! {
    /// start.
    START = "io_start" on "block_bio_queue": Request, &[];
    /// done.
    DONE = "io_done" on "block_rq_complete": Request, &[LEARN, SPLIT];
    /// done, of devices whose drivers take a request as it is: dm, md, zram and so on.
    DONE_BIO = "io_done_bio" on "block_bio_complete": Request, &[LEARN, SPLIT];
}

const ARGS: &[Arg] = &[
    Arg {
        ctype: "bufinfo_t *",
        field: "buf",
        doc: "the request; arg0 is the kernel's address of it, the same from start to done",
    },
    Arg { ctype: "devinfo_t *", field: "dev", doc: "the device" },
    Arg {
        ctype: "fileinfo_t *",
        field: "file",
        doc: "the file; <none> where it is the file system's own data, or not known for whom it is, <unknown> where it has no path",
    },
];

probes! { "io":
    "start", START, ARGS,
        "Fires when a request is made to a block device, in the context of who makes it: the process itself where it reads, waits \
         for its data or goes past the cache (O_DIRECT), else a thread of the kernel's that writes the cache back.";
    "done", DONE, ARGS,
        "Fires when a request is done, mostly in an interrupt: pid is a stranger. One that was under way when tracing began is not \
         told.";
    "done" in "bio", DONE_BIO, ARGS,
        "The same for devices whose drivers take requests as they are made: dm, md, zram and so on.";
}
