//! Counters of what was not recorded, by program and reason. The tracer sums them over the CPUs and prints them.

use aya_ebpf::macros::map;
use aya_ebpf::maps::PerCpuArray;
use probes_common::abi::{DROP_KINDS, DROP_LINES, Drop, Slot};

use crate::atomic;

/// Indexed `program * DROP_KINDS + kind`.
#[map]
static DROPS: PerCpuArray<u64> = PerCpuArray::with_max_entries(DROP_LINES * DROP_KINDS, 0);

/// Counts one drop of that program. An interrupt on this CPU may count too, hence the atomic addition.
#[inline(always)]
pub fn count(program: u32, kind: u32) {
    if let Some(counter) = DROPS.get_ptr_mut(program * DROP_KINDS + kind) {
        // SAFETY: the map's value is a u64 and lives as long as the program.
        unsafe { atomic::add(counter, 1) };
    }
}

/// Counts something that a support program had no room to remember; `memory` is one of `probes_common::abi::memory`.
#[inline(always)]
pub fn forgot(memory: u32) {
    count(memory, Drop::Support as u32);
}

/// For clauses: counts a drop of the program that is firing.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn drop_count(slot: *mut Slot, kind: u64) -> u64 {
    // SAFETY: clauses pass the slot that their dispatcher was given.
    let program = unsafe { (*slot).probe } >> 16;
    count(program, kind as u32);
    0
}
