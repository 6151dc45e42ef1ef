//! The rawtp provider: any raw tracepoint. The linker makes a copy of the trampoline for each that a program names.
//!
//! Invariant: an argument is read only where a clause uses it. The kernel refuses to attach a program that reads one which
//! the tracepoint does not have, and does not see the reads that the want bits rule out.

use probes_common::providers::rawtp::RawTracepoint;

use crate::firing::{Context, Wants, bit, programs};

programs! {
    foreign rawtp in "raw_tp", |program| program.fire(|record, wants| arguments(record, wants, program.ctx));
}

/// Copies the arguments that are wanted.
#[inline(always)]
fn arguments(record: &mut RawTracepoint, wants: Wants, ctx: Context) {
    macro_rules! copy {
        ($($field:ident = $number:literal),*) => {
            $(if wants.field(bit!(RawTracepoint, $field)) {
                record.$field = ctx.arg($number);
            })*
        };
    }
    copy!(
        arg0 = 0,
        arg1 = 1,
        arg2 = 2,
        arg3 = 3,
        arg4 = 4,
        arg5 = 5,
        arg6 = 6,
        arg7 = 7,
        arg8 = 8,
        arg9 = 9,
        arg10 = 10,
        arg11 = 11
    );
}
