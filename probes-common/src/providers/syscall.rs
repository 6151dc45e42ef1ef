//! The syscall provider: one trampoline for every entry, one for every return. The discriminator is the call's number.

use crate::probe::Arg;
use crate::record;
use crate::table::{probes, programs, words};

words! {
    /// A system call begins.
    pub struct SyscallEntry as "syscall_entry", ENTRY_ARGS: [u64 as "uint64_t"; 6]
}

record! {
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

programs! {
    /// System calls beginning.
    ENTRY = family "syscall_entry" on "sys_enter": SyscallEntry, &[];
    /// System calls ended.
    RETURN = family "syscall_return" on "sys_exit": SyscallReturn, &[];
}

probes! { "syscall":
    "entry", ENTRY, ENTRY_ARGS,
        "Fires when a thread enters the system call.";
    "return", RETURN, &[
            Arg { ctype: "int64_t", field: "result", doc: "result, -1 on failure; errno says why" },
            Arg { ctype: "int64_t", field: "result2", doc: "the same" },
        ],
        "Fires when the system call returns to the thread; one that was blocked when tracing began has no entry.";
}
