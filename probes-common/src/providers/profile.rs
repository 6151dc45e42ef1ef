//! The profile provider: profile-N on every CPU, tick-N on one. The linker makes a copy of the trampoline for each rate.

use crate::probe::{Arg, Attach, Program};
use crate::record;
use crate::schema::Described;
use crate::table::probes;

record! {
    /// A clock tick.
    pub struct Sample as "profile_sample" {
        /// Where the kernel was, 0 when the tick found the CPU in user code.
        0 kernel_pc: u64 as "uint64_t";
        /// Where the user program was, 0 when the tick found the CPU in the kernel.
        0 user_pc: u64 as "uint64_t";
    }
}

/// Ticks on every CPU.
pub const PROFILE: Program =
    Program { name: "profile", attach: Attach::Profile, family: false, record: &Sample::DEF, needs: &[] };

/// Ticks on one CPU.
pub const TICK: Program =
    Program { name: "tick", attach: Attach::Tick, family: false, record: &Sample::DEF, needs: &[] };

/// The arguments of every probe that interrupts.
pub(super) const ARGS: &[Arg] = &[
    Arg { ctype: "uint64_t", field: "kernel_pc", doc: "kernel program counter, or 0" },
    Arg { ctype: "uint64_t", field: "user_pc", doc: "user program counter, or 0" },
];

probes! { "profile":
    "profile", PROFILE, ARGS,
        "Fires at this rate on every CPU, in whatever runs there.";
    "tick", TICK, ARGS,
        "Fires at this rate on one CPU.";
}
