//! Speculations: which of them are in use, and how much each has recorded on each CPU.
//!
//! What a speculation records goes to the tracer at once, tagged, and waits there; here is decided only whether it does. A
//! speculation is free again as soon as it is committed or discarded: its tag changes with each use, so that what comes
//! late from another CPU is told from what comes next. Hence none is ever "busy" with being copied, as DTrace's may be.

use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, PerCpuArray};
use probes_common::abi::{Drop, Slot, TAG_BITS};

use crate::constants::scope;
use crate::{atomic, drops};

/// Odd while the speculation is in use, counted up whenever it begins or ends. The linker sets the number of entries.
#[map]
static SPECULATIONS: Array<u64> = Array::with_max_entries(1, 0);

/// What the speculation of that tag has recorded on this CPU.
#[repr(C)]
struct Recorded {
    tag: u64,
    bytes: u64,
}

/// The linker sets the number of entries.
#[map]
static SPECULATED: PerCpuArray<Recorded> = PerCpuArray::with_max_entries(1, 0);

/// For clauses: begins a speculation and gives its number, from 1; 0 when all are in use, which counts as a drop.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn speculation_begin(slot: *mut Slot) -> u64 {
    let mut index = 0;
    while index < scope!(speculations) {
        let Some(uses) = SPECULATIONS.get_ptr_mut(index as u32) else { break };
        index += 1;
        // SAFETY: a word of a map; volatile because other CPUs change it.
        unsafe {
            let free = uses.read_volatile();
            if free & 1 == 0 && atomic::compare_exchange(uses, free, free + 1) == free {
                return index;
            }
        }
    }
    // SAFETY: clauses pass their slot.
    drops::count(unsafe { (*slot).probe } >> 16, Drop::Unavailable as u32);
    0
}

/// For clauses: the tag of the speculation of that number; 0 when it is not in use.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn speculation_tag(number: u64) -> u64 {
    let Some(uses) = SPECULATIONS.get_ptr((number as u32).wrapping_sub(1)) else { return 0 };
    // SAFETY: as above.
    let uses = unsafe { uses.read_volatile() };
    if uses & 1 == 0 { 0 } else { uses << TAG_BITS | number }
}

/// For clauses: ends the speculation of that number and gives the tag that it had; 0 when it was not in use.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn speculation_end(number: u64) -> u64 {
    let Some(uses) = SPECULATIONS.get_ptr_mut((number as u32).wrapping_sub(1)) else { return 0 };
    // SAFETY: as above.
    unsafe {
        let used = uses.read_volatile();
        if used & 1 == 0 || atomic::compare_exchange(uses, used, used + 1) != used {
            return 0;
        }
        used << TAG_BITS | number
    }
}

/// Whether the speculation of that tag may record so many bytes more on this CPU; they are taken.
#[inline(always)]
pub fn has_room(tag: u64, bytes: u64) -> bool {
    let number = tag as u32 & ((1 << TAG_BITS) - 1);
    let most = scope!(speculation_size);
    let Some(recorded) = SPECULATED.get_ptr_mut(number.wrapping_sub(1)) else { return false };
    // SAFETY: the map's value lives as long as the program, and is this CPU's. An interrupt between reading and writing may
    // record somewhat more than there is room for, which does no harm.
    unsafe {
        let before = if (*recorded).tag == tag { (*recorded).bytes } else { 0 };
        if before + bytes > most {
            return false;
        }
        recorded.write(Recorded { tag, bytes: before + bytes });
    }
    true
}
