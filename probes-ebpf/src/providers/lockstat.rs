//! The lockstat provider: ends of waits for locks.

use aya_ebpf::helpers::bpf_ktime_get_ns;
use probes_common::providers::lockstat::{
    ADAPTIVE_BLOCK, ADAPTIVE_ERROR, ADAPTIVE_SPIN, MUTEX_ADENTERS, RW_BLOCK, RW_RDFAILS, RW_SPIN, RW_WRFAILS,
    SPIN_SPIN, Wait as Record,
};

use crate::firing::{Family, programs};
use crate::locks::{self, MUTEX, READ, SPIN, WRITE, Wait};

programs! {
    // contention_end(void *lock, int ret)
    family lockstat_end in "raw_tp/contention_end", |program| {
        let (lock, error) = (program.program.ctx.arg(0), program.program.ctx.arg(1) as i32);
        if let Some(wait) = locks::end(lock) {
            tell(program, &wait, error);
        }
    };
}

/// Which waits' end it is: its own probe, and the counter that illumos has for it.
#[inline(always)]
fn tell(program: Family, wait: &Wait, error: i32) {
    // SAFETY: a helper without arguments.
    let waited = unsafe { bpf_ktime_get_ns() } - wait.since;
    let kind = i32::from(wait.flags & READ != 0);
    let record = Record { lock: wait.lock, waited, one: 1, counter: 0, kind, error };
    let (own, counter) = if wait.flags & MUTEX != 0 {
        let own = match (error, wait.slept) {
            (0, 0) => ADAPTIVE_SPIN,
            (0, _) => ADAPTIVE_BLOCK,
            _ => ADAPTIVE_ERROR,
        };
        (own, MUTEX_ADENTERS)
    } else if wait.flags & SPIN != 0 {
        (if wait.flags & (READ | WRITE) != 0 { RW_SPIN } else { SPIN_SPIN }, NONE)
    } else {
        (if error == 0 { RW_BLOCK } else { NONE }, if kind != 0 { RW_RDFAILS } else { RW_WRFAILS })
    };
    fire(program, own, record);
    fire(program, counter, record);
}

/// No probe.
const NONE: u16 = u16::MAX;

#[inline(always)]
fn fire(program: Family, probe: u16, told: Record) {
    if probe != NONE
        && let Some(taken) = program.wanted(probe.into())
    {
        taken.fire(|record: &mut Record, _| *record = told);
    }
}
