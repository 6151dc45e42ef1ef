//! The rawtp provider: every raw tracepoint of the kernel. The linker makes a copy of the trampoline for each that a program names.
use crate::probe::{Arg, Attach, Program};
use crate::record;
use crate::schema::Described;

record! {
    /// What a tracepoint was given, as the kernel passes it: words.
    pub struct RawTracepoint as "rawtp_args" {
        /// The first argument.
        0 arg0: u64 as "uint64_t";
        /// The second argument.
        1 arg1: u64 as "uint64_t";
        /// The third argument.
        2 arg2: u64 as "uint64_t";
        /// The fourth argument.
        3 arg3: u64 as "uint64_t";
        /// The fifth argument.
        4 arg4: u64 as "uint64_t";
        /// The sixth argument.
        5 arg5: u64 as "uint64_t";
        /// The seventh argument.
        6 arg6: u64 as "uint64_t";
        /// The eighth argument.
        7 arg7: u64 as "uint64_t";
        /// The ninth argument.
        8 arg8: u64 as "uint64_t";
        /// The tenth argument.
        9 arg9: u64 as "uint64_t";
        /// The eleventh argument.
        10 arg10: u64 as "uint64_t";
        /// The twelfth argument.
        11 arg11: u64 as "uint64_t";
    }
}

/// Any of them; which one comes with the probe's name.
pub const RAWTP: Program = Program {
    name: "rawtp",
    attach: Attach::NamedTracepoint,
    family: false,
    record: &RawTracepoint::DEF,
    needs: &[],
};

/// The arguments of a tracepoint that has twelve, the most that the kernel allows; others have the first of them. The
/// kernel's BTF says what each is.
pub const ARGS: &[Arg] = &[
    Arg { ctype: "uint64_t", field: "arg0", doc: "first argument" },
    Arg { ctype: "uint64_t", field: "arg1", doc: "second argument" },
    Arg { ctype: "uint64_t", field: "arg2", doc: "third argument" },
    Arg { ctype: "uint64_t", field: "arg3", doc: "fourth argument" },
    Arg { ctype: "uint64_t", field: "arg4", doc: "fifth argument" },
    Arg { ctype: "uint64_t", field: "arg5", doc: "sixth argument" },
    Arg { ctype: "uint64_t", field: "arg6", doc: "seventh argument" },
    Arg { ctype: "uint64_t", field: "arg7", doc: "eighth argument" },
    Arg { ctype: "uint64_t", field: "arg8", doc: "ninth argument" },
    Arg { ctype: "uint64_t", field: "arg9", doc: "tenth argument" },
    Arg { ctype: "uint64_t", field: "arg10", doc: "eleventh argument" },
    Arg { ctype: "uint64_t", field: "arg11", doc: "twelfth argument" },
];
