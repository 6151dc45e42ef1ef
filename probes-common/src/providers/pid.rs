//! The pid provider: functions of processes. One trampoline serves all places where a process is stopped on its way, and one
//! all returns; which probe fires is said by the cookie that an attachment has ([`crate::user`]).

use crate::probe::{Arg, Attach, Program};
use crate::record;
use crate::schema::Described;
use crate::table::words;

words! {
    /// The arguments of a function, as the calling convention passes integers and addresses.
    pub struct UserCall as "user_call", ENTRY_ARGS: [u64 as "uint64_t"; 10]
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

/// The arguments of a return.
pub const RETURN_ARGS: &[Arg] = &[
    Arg {
        ctype: "uint64_t",
        field: "offset",
        doc: "where in the function it returns; 0, since that is not known",
    },
    Arg { ctype: "uint64_t", field: "value", doc: "what it returns" },
];
