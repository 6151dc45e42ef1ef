//! The dtrace provider: BEGIN, END and ERROR.

use crate::abi::Fault;
use crate::probe::{Arg, Attach, Program};
use crate::record;
use crate::schema::Described;
use crate::table::probes;

record! {
    /// A probe without arguments.
    pub struct Nothing as "dtrace_nothing" {
        /// Unused.
        0 zero: u64 as "uint64_t";
    }
}

/// BEGIN.
pub const BEGIN: Program = Program {
    name: "dtrace_begin",
    attach: Attach::TestRun,
    family: false,
    record: &Nothing::DEF,
    needs: &[],
};
/// END.
pub const END: Program =
    Program { name: "dtrace_end", attach: Attach::TestRun, family: false, record: &Nothing::DEF, needs: &[] };
/// ERROR: it has no trampoline; dispatchers call its clauses, and its record is the slot's fault.
pub const ERROR: Program =
    Program { name: "dtrace_error", attach: Attach::Called, family: false, record: &Fault::DEF, needs: &[] };

/// Threads ending: no probe, but where the thread-local variables of a program are freed.
pub const THREAD_END: Program = Program {
    name: "thread_end",
    attach: Attach::RawTracepoint("sched_process_exit"),
    family: false,
    record: &Nothing::DEF,
    needs: &[],
};

/// Threads that are no more: none runs in their context, and their ids may be others'.
pub const THREAD_FREE: Program =
    Program { name: "thread_free", attach: Attach::RawTracepoint("sched_process_free"), ..THREAD_END };

probes! { "dtrace":
    "BEGIN", BEGIN, &[],
        "Fires once, before any other probe, in the tracer's own context.";
    "END", END, &[],
        "Fires once, after all others, in the tracer's own context.";
    "ERROR", ERROR, &[
            Arg { ctype: "uint64_t", field: "probe", doc: "the probe" },
            Arg { ctype: "uint64_t", field: "epid", doc: "the enabled probe id of the clause that faulted" },
            Arg { ctype: "uint64_t", field: "action", doc: "the action in it, from 1" },
            Arg { ctype: "uint64_t", field: "offset", doc: "the instruction in it" },
            Arg { ctype: "uint64_t", field: "fault", doc: "the kind of fault, DTRACEFLT_*" },
            Arg { ctype: "uint64_t", field: "value", doc: "the address or value at fault" },
        ],
        "Fires when a clause faults, in the context of the probe that fired it.";
}
