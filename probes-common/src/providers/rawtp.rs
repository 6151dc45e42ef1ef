//! The rawtp provider: every raw tracepoint of the kernel. The linker makes a copy of the trampoline for each that a program names.

use crate::probe::{Attach, Program};
use crate::schema::Described;
use crate::table::{probes, words};

words! {
    /// What a tracepoint was given, as the kernel passes it: words.
    pub struct RawTracepoint as "rawtp_args", ARGS: [u64 as "uint64_t"; 12]
}

/// Any of them; which one comes with the probe's name.
pub const RAWTP: Program = Program {
    name: "rawtp",
    attach: Attach::NamedTracepoint,
    family: false,
    record: &RawTracepoint::DEF,
    needs: &[],
};

probes! { "rawtp":
    "", RAWTP, ARGS,
        "Fires where the kernel has this tracepoint; its arguments are what the kernel passes to it.";
}
