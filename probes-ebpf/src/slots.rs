//! Slots: the memory of a firing.
//!
//! A firing can be interrupted by another on the same CPU, so each CPU has a few slots, claimed by an atomic exchange
//! and given back at the end. Slots are the same for the verifier whichever of them was claimed, so that the clauses
//! are verified once: what is kept of a claim is the pointer, never the index.

use aya_ebpf::helpers::bpf_get_smp_processor_id;
use aya_ebpf::macros::map;
use aya_ebpf::maps::Array;
use probes_common::abi::{SLOTS_PER_CPU, Slot};

use crate::atomic;

/// Indexed `cpu * SLOTS_PER_CPU + n`. The linker sets the number of entries and the size of the values.
#[map]
static SLOTS: Array<Slot> = Array::with_max_entries(SLOTS_PER_CPU, 0);

/// A free slot of this CPU; `None` when all of them are taken by the firings that this one interrupts.
#[inline(always)]
pub fn claim() -> Option<*mut Slot> {
    // SAFETY: a helper without arguments.
    let first = unsafe { bpf_get_smp_processor_id() } as u32 * SLOTS_PER_CPU;
    for n in 0..SLOTS_PER_CPU {
        let slot = SLOTS.get_ptr_mut(first + n)?;
        if set_busy(slot, 1) == 0 {
            return Some(slot);
        }
    }
    None
}

/// Whether another firing is under way on this CPU.
#[inline(always)]
pub fn any() -> bool {
    // SAFETY: a helper without arguments.
    let first = unsafe { bpf_get_smp_processor_id() } as u32 * SLOTS_PER_CPU;
    for n in 0..SLOTS_PER_CPU {
        let Some(slot) = SLOTS.get_ptr(first + n) else { return true };
        // SAFETY: a word of a value of SLOTS.
        if unsafe { (&raw const (*slot).busy).read_volatile() } != 0 {
            return true;
        }
    }
    false
}

/// Gives a slot back.
#[inline(always)]
pub fn release(slot: *mut Slot) {
    set_busy(slot, 0);
}

/// What `busy` is while a firing passes from one program to the next.
const HANDED: u64 = 2;

/// Leaves a slot to the program that goes on with this firing.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn slot_hand(slot: *mut Slot) {
    set_busy(slot, HANDED);
}

/// The slot that was handed to this program: the last of those that are, since firings that interrupt another end before it
/// and claim what is behind its slot.
#[inline(always)]
pub fn handed() -> Option<*mut Slot> {
    // SAFETY: a helper without arguments.
    let first = unsafe { bpf_get_smp_processor_id() } as u32 * SLOTS_PER_CPU;
    for n in 1..=SLOTS_PER_CPU {
        let slot = SLOTS.get_ptr_mut(first + SLOTS_PER_CPU - n)?;
        // SAFETY: a word of a value of SLOTS.
        if unsafe { (&raw const (*slot).busy).read_volatile() } == HANDED {
            set_busy(slot, 1);
            return Some(slot);
        }
    }
    None
}

#[inline(always)]
fn set_busy(slot: *mut Slot, busy: u64) -> u64 {
    // SAFETY: a slot is a value of SLOTS, aligned to 8 bytes, and lives as long as the program.
    unsafe { atomic::exchange(&raw mut (*slot).busy, busy) }
}
