//! The syscall provider: one trampoline for every entry, one for every return. The discriminator is the call's number.
use crate::probe::{Arg, Attach, Program};
use crate::record;
use crate::schema::Described;

record! {
    /// A system call begins.
    pub struct SyscallEntry as "syscall_entry" {
        /// First argument.
        0 arg0: u64 as "uint64_t";
        /// Second argument.
        1 arg1: u64 as "uint64_t";
        /// Third argument.
        2 arg2: u64 as "uint64_t";
        /// Fourth argument.
        3 arg3: u64 as "uint64_t";
        /// Fifth argument.
        4 arg4: u64 as "uint64_t";
        /// Sixth argument.
        5 arg5: u64 as "uint64_t";
    }

    /// A system call has ended.
    pub struct SyscallReturn as "syscall_return" {
        /// Result, -1 on failure.
        0 result: i64 as "int64_t";
        /// The same: DTrace gives both.
        0 result2: i64 as "int64_t";
        /// The error, 0 on success.
        0 errno: i32 as "int";
        /// Unused, zero.
        0 pad: i32 as "int";
    }
}

/// System calls beginning.
pub const ENTRY: Program = Program {
    name: "syscall_entry",
    attach: Attach::RawTracepoint("sys_enter"),
    family: true,
    record: &SyscallEntry::DEF,
    needs: &[],
};

/// System calls ended.
pub const RETURN: Program = Program {
    name: "syscall_return",
    attach: Attach::RawTracepoint("sys_exit"),
    family: true,
    record: &SyscallReturn::DEF,
    needs: &[],
};

/// The arguments of every entry probe.
pub const ENTRY_ARGS: &[Arg] = &[
    Arg { ctype: "uint64_t", field: "arg0", doc: "first argument of the call" },
    Arg { ctype: "uint64_t", field: "arg1", doc: "second argument" },
    Arg { ctype: "uint64_t", field: "arg2", doc: "third argument" },
    Arg { ctype: "uint64_t", field: "arg3", doc: "fourth argument" },
    Arg { ctype: "uint64_t", field: "arg4", doc: "fifth argument" },
    Arg { ctype: "uint64_t", field: "arg5", doc: "sixth argument" },
];

/// The arguments of every return probe.
pub const RETURN_ARGS: &[Arg] = &[
    Arg { ctype: "int64_t", field: "result", doc: "result, -1 on failure; errno says why" },
    Arg { ctype: "int64_t", field: "result2", doc: "the same" },
];
