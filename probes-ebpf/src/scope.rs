//! Whether an event concerns a process that the session is about: one, those that it has forked, and those these have.
//!
//! A process stays in scope after its end, since its connections go on without it, until its id is given to a process
//! that is none of them. Where a session is about all processes, the verifier removes the question.

use aya_ebpf::helpers::bpf_get_smp_processor_id;
use aya_ebpf::macros::map;
use aya_ebpf::maps::LruHashMap;
use probes_common::abi::ANY_CPU;

use crate::constants::scope;
use crate::firing::programs;
use crate::process::{current_tgid, ids};

/// By process id. Begun by the tracer; the least recently used have ended. The linker makes it small where it is not used.
#[map]
static SCOPED: LruHashMap<u32, u32> = LruHashMap::with_max_entries(16384, 0);

programs! {
    // sched_process_fork(struct task_struct *parent, struct task_struct *child)
    support scope_follow in "raw_tp/sched_process_fork", |ctx| {
        let (pid, tgid) = ids(ctx.arg(1));
        // Else it is a thread.
        if pid == tgid {
            if holds(current_tgid()) {
                // An LRU map makes room for itself; there is nothing to do where even that fails.
                let _ = SCOPED.insert(&tgid, &1, 0);
            } else {
                let _ = SCOPED.remove(&tgid);
            }
        }
    };
}

/// Whether the session is about this CPU.
#[inline(always)]
pub fn here() -> bool {
    let cpu = scope!(cpu);
    // SAFETY: a helper without arguments.
    cpu == ANY_CPU || unsafe { u64::from(bpf_get_smp_processor_id() as u32) } == cpu
}

/// Whether the current process is the tracer.
#[inline(always)]
pub fn is_own() -> bool {
    current_tgid() == scope!(own_pid)
}

/// Whether the session is about every process.
#[inline(always)]
pub fn is_open() -> bool {
    scope!(following) == 0
}

/// Whether the session is about the current process.
#[inline(always)]
pub fn current() -> bool {
    is_open() || holds(current_tgid())
}

/// Whether the session is about that process.
#[inline(always)]
pub fn of(tgid: u32) -> bool {
    is_open() || holds(tgid)
}

#[inline(never)]
fn holds(tgid: u32) -> bool {
    SCOPED.get_ptr(&tgid).is_some()
}
