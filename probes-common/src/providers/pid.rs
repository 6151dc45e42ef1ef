//! The pid provider: functions of processes. One trampoline serves all places where a process is stopped on its way, and one
//! all returns; which probe fires is said by the cookie that an attachment has ([`crate::user`]).

use crate::probe::{Arg, Attach, Program};
use crate::record;
use crate::schema::Described;

record! {
    /// The arguments of a function, as the calling convention passes integers and addresses.
    pub struct UserCall as "user_call" {
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
        /// The seventh argument, from the stack.
        6 arg6: u64 as "uint64_t";
        /// The eighth argument, from the stack.
        7 arg7: u64 as "uint64_t";
        /// The ninth argument, from the stack.
        8 arg8: u64 as "uint64_t";
        /// The tenth argument, from the stack.
        9 arg9: u64 as "uint64_t";
    }
}

record! {
    /// What a function returns.
    pub struct UserReturn as "user_return" {
        /// Where in the function it returns: 0, since that is not known.
        0 offset: u64 as "uint64_t";
        /// What it returns.
        1 value: u64 as "uint64_t";
    }
}

/// Entries of functions, and places in them.
pub const ENTRY: Program =
    Program { name: "pid_entry", attach: Attach::Uprobe, family: true, record: &UserCall::DEF, needs: &[] };

/// Returns of functions.
pub const RETURN: Program = Program {
    name: "pid_return",
    attach: Attach::Uretprobe,
    family: true,
    record: &UserReturn::DEF,
    needs: &[],
};

/// The arguments of an entry.
pub const ENTRY_ARGS: &[Arg] = &[
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
];

/// The arguments of a return.
pub const RETURN_ARGS: &[Arg] = &[
    Arg {
        ctype: "uint64_t",
        field: "offset",
        doc: "where in the function it returns; 0, since that is not known",
    },
    Arg { ctype: "uint64_t", field: "value", doc: "what it returns" },
];
