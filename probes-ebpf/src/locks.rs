//! The waits for locks under way, each from its beginning to its end.
//!
//! A thread that sleeps for a lock sleeps for one; what spins does not leave its CPU, and is interrupted by others that spin to the
//! end. So the first kind is kept by thread, the second by CPU, where it takes no lock to keep it.

use aya_ebpf::bindings::BPF_F_NO_PREALLOC;
use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{HashMap, PerCpuArray};
use probes_common::abi::memory;

use crate::calls::thread;
use crate::firing::programs;
use crate::{drops, scope};

/// A wait under way.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Wait {
    /// The lock; 0 where a place is free.
    pub lock: u64,
    /// Nanoseconds of CLOCK_MONOTONIC at its beginning.
    pub since: u64,
    /// What is waited for, and how: LCB_F_*.
    pub flags: u32,
    /// 1 when the thread has gone to sleep.
    pub slept: u32,
}

/// `LCB_F_*` of include/trace/events/lock.h (Linux 6.18).
pub const SPIN: u32 = 1 << 0;
pub const READ: u32 = 1 << 1;
pub const WRITE: u32 = 1 << 2;
pub const MUTEX: u32 = 1 << 5;

/// By thread id, until the wait ends.
#[map]
static WAITS: HashMap<u32, Wait> = HashMap::with_max_entries(1 << 14, BPF_F_NO_PREALLOC);

/// What waits on a CPU: a thread, a softirq, an interrupt, an NMI.
#[map]
static SPINS: PerCpuArray<[Wait; NESTED]> = PerCpuArray::with_max_entries(1, 0);

const NESTED: usize = 4;

programs! {
    // contention_begin(void *lock, unsigned int flags)
    support lock_begin in "raw_tp/contention_begin", |ctx| begin(ctx.arg(0), ctx.arg(1) as u32);
}

#[inline(always)]
fn begin(lock: u64, flags: u32) {
    // SAFETY: a helper without arguments.
    let since = unsafe { bpf_ktime_get_ns() };
    if flags & (SPIN | MUTEX) == SPIN {
        if let Some(place) = spin(0) {
            // SAFETY: a value of the map, which only this CPU writes.
            unsafe { *place = Wait { lock, since, flags, slept: 0 } };
        }
        return;
    }
    if flags & (MUTEX | READ | WRITE) == 0 || !scope::current() {
        return;
    }
    // A mutex is waited for in a loop, asleep, and in a loop again, each of which the kernel tells.
    let slept = u32::from(flags & SPIN == 0);
    match WAITS.get_ptr_mut(&thread()) {
        // SAFETY: a value of the map, which no other thread writes.
        Some(wait) if unsafe { (*wait).lock } == lock => unsafe { (*wait).slept |= slept },
        _ => {
            if WAITS.insert(&thread(), &Wait { lock, since, flags, slept }, 0).is_err() {
                drops::forgot(memory::LOCKS);
            }
        }
    }
}

/// Takes the wait for a lock that ends now; `None` for one that was under way before.
#[inline(always)]
pub fn end(lock: u64) -> Option<Wait> {
    if let Some(place) = spin(lock) {
        // SAFETY: a value of the map, which only this CPU writes.
        return Some(unsafe { core::ptr::replace(place, Wait { lock: 0, since: 0, flags: 0, slept: 0 }) });
    }
    let wait = WAITS.get_ptr(&thread())?;
    // SAFETY: a value of the map, which no other thread writes.
    let wait = unsafe { *wait };
    if wait.lock != lock {
        return None;
    }
    let _ = WAITS.remove(&thread());
    Some(wait)
}

/// The place of this CPU where that lock is kept.
#[inline(always)]
fn spin(lock: u64) -> Option<*mut Wait> {
    let places = SPINS.get_ptr_mut(0)?.cast::<Wait>();
    for n in 0..NESTED {
        // SAFETY: one of the value's elements.
        let place = unsafe { places.add(n) };
        // SAFETY: as above.
        if unsafe { (*place).lock } == lock {
            return Some(place);
        }
    }
    None
}
