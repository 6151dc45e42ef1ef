//! The profile provider: ticks of a software clock, on every CPU (profile-N) or one (tick-N).

use aya_ebpf::bindings::bpf_perf_event_data;
use probes_common::providers::profile::Sample;

use crate::firing::{Context, Wants, bit, programs};

programs! {
    probe profile in "perf_event", |program| program.fire(|record, wants| sample(record, wants, program.ctx));
    foreign tick in "perf_event", |program| program.fire(|record, wants| sample(record, wants, program.ctx));
}

/// The privilege bits of a code segment: 3 in user code.
const PRIVILEGE: u64 = 3;

#[inline(always)]
pub(super) fn sample(record: &mut Sample, wants: Wants, ctx: Context) {
    // SAFETY: what the kernel gives a perf event's program; its registers are read directly.
    let regs = unsafe { &(*ctx.0.cast::<bpf_perf_event_data>()).regs };
    let user = regs.cs & PRIVILEGE == PRIVILEGE;
    if wants.field(bit!(Sample, kernel_pc)) {
        record.kernel_pc = if user { 0 } else { regs.rip };
    }
    if wants.field(bit!(Sample, user_pc)) {
        record.user_pc = if user { regs.rip } else { 0 };
    }
}
