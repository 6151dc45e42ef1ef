//! The word STATE: whether probes fire. See `probes_common::abi::state` for its values.

use probes_common::abi::state::{ACTIVE, BEFORE, ENDED};

use crate::atomic;

/// The tracer's life. Clauses write it too: `exit()` sets ENDED.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".data.state")]
pub static mut STATE: u64 = BEFORE;

#[inline(always)]
fn state() -> u64 {
    // SAFETY: an aligned word; volatile because other CPUs and the clauses change it.
    unsafe { (&raw const STATE).read_volatile() }
}

/// Whether BEGIN has not ended yet.
#[inline(always)]
pub fn before() -> bool {
    state() == BEFORE
}

/// Whether probes fire.
#[inline(always)]
pub fn active() -> bool {
    state() == ACTIVE
}

/// Whether nothing fires any more but END.
#[inline(always)]
pub fn ended() -> bool {
    state() == ENDED
}

/// From now on probes fire, unless a clause of BEGIN has called `exit()`.
#[inline(always)]
pub fn activate() {
    // SAFETY: STATE is a word of a map.
    unsafe { atomic::replace(&raw mut STATE, BEFORE, ACTIVE) };
}

/// From now on nothing fires but END.
#[inline(always)]
pub fn end() {
    // SAFETY: as for `state`.
    unsafe { (&raw mut STATE).write_volatile(ENDED) };
}
