//! The providers sysinfo, vminfo and mib: the moments at which illumos adds to a counter of that name.

use probes_common::names::tcp_state;
use probes_common::providers::counts::*;

use crate::connections::{self, Change};
use crate::constants::offset;
use crate::firing::{Family, programs};
use crate::kernel::{Current, read};
use crate::process::ids;

programs! {
    // sched_switch(bool preempt, struct task_struct *prev, struct task_struct *next, unsigned int prev_state)
    family counts_switch in "raw_tp/sched_switch", |program| {
        let ctx = program.program.ctx;
        add(program, PSWITCH, 1);
        if ctx.arg(0) as u8 != 0 || ctx.arg(3) as u32 == 0 { add(program, INV_SWTCH, 1) }
    };
    // sched_migrate_task(struct task_struct *p, int dest_cpu)
    family counts_migrate in "raw_tp/sched_migrate_task", |program| add(program, CPUMIGRATE, 1);
    // sys_exit(struct pt_regs *regs, long ret)
    family counts_call in "raw_tp/sys_exit", |program| call(program);
    // sched_process_fork(struct task_struct *parent, struct task_struct *child)
    family counts_fork in "raw_tp/sched_process_fork", |program| {
        let (parent, child) = (program.program.ctx.arg(0), program.program.ctx.arg(1));
        let (pid, tgid) = ids(child);
        if pid == tgid {
            let shared = read::<u64>(parent, offset!(task_mm)) == read::<u64>(child, offset!(task_mm));
            add(program, if shared { SYSVFORK } else { SYSFORK }, 1);
        }
        add(program, NTHREADS, 1);
    };
    family counts_exec in "raw_tp/sched_process_exec", |program| add(program, SYSEXEC, 1);
    // cpu_idle(unsigned int state, unsigned int cpu_id)
    family counts_idle in "raw_tp/cpu_idle", |program| {
        if program.program.ctx.arg(0) as u32 != AWAKE { add(program, IDLETHREAD, 1) }
    };
    family counts_cross_call in "raw_tp/csd_queue_cpu", |program| add(program, XCALLS, 1);
    family counts_load in "raw_tp/module_load", |program| add(program, MODLOAD, 1);
    family counts_unload in "raw_tp/module_free", |program| add(program, MODUNLOAD, 1);
    // block_bio_queue(struct bio *bio)
    family counts_request in "raw_tp/block_bio_queue", |program| request(program);
    // page_fault_user(unsigned long address, struct pt_regs *regs, unsigned long error_code)
    family counts_user_fault in "raw_tp/page_fault_user", |program| {
        let protected = program.program.ctx.arg(2) & PROTECTION != 0;
        add(program, if protected { USER_PROT_FAULT } else { USER_AS_FAULT }, 1);
    };
    // page_fault_kernel: the same
    family counts_kernel_fault in "raw_tp/page_fault_kernel", |program| {
        let ctx = program.program.ctx;
        if ctx.arg(0) as i64 >= 0 {
            if ctx.arg(2) & PROTECTION == 0 { add(program, KERNEL_AS_FAULT, 1) }
        } else {
            add(program, KERNEL_ASFLT, 1);
        }
    };
    family counts_major_fault in "perf_event", |program| add(program, MAJ_FAULT, 1);
    // mm_vmscan_lru_isolate(int, int, unsigned long nr_requested, unsigned long nr_scanned, ...)
    family counts_scan in "raw_tp/mm_vmscan_lru_isolate", |program| {
        let scanned = program.program.ctx.arg(3);
        if scanned != 0 { add(program, SCAN, scanned) }
    };
    family counts_reclaim in "raw_tp/mm_vmscan_kswapd_wake", |program| add(program, PGRRUN, 1);
    // inet_sock_set_state(const struct sock *sk, const int oldstate, const int newstate)
    family counts_tcp_state in "raw_tp/inet_sock_set_state", |program| {
        if let Some(change) = connections::change(program.program.ctx)
            && let Some(probe) = counted(&change)
        {
            add(program, probe, 1);
        }
    };
    // tcp_retransmit_skb(const struct sock *sk, const struct sk_buff *skb, ...)
    family counts_retransmit in "raw_tp/tcp_retransmit_skb", |program| {
        add(program, TCP_RETRANS_SEGS, 1);
        add(program, TCP_RETRANS_BYTES, read::<u32>(program.program.ctx.arg(1), offset!(skb_len)).into());
    };
    family counts_reset in "raw_tp/tcp_send_reset", |program| add(program, TCP_OUT_RSTS, 1);
}

/// `PWR_EVENT_EXIT` of include/trace/events/power.h (Linux 6.18): a CPU wakes up.
const AWAKE: u32 = u32::MAX;

/// `X86_PF_PROT` of arch/x86/include/asm/trap_pf.h (Linux 6.18): the page was there, but not for this.
const PROTECTION: u64 = 1;

/// `REQ_OP_MASK`, `REQ_OP_READ` and `REQ_OP_WRITE` of include/linux/blk_types.h (Linux 6.18).
const OPERATION: u32 = 0xff;
const READS: u32 = 0;
const WRITES: u32 = 1;

/// Bytes of a page.
const PAGE: u32 = 4096;

#[inline(always)]
fn add(program: Family, probe: u16, amount: u64) {
    if let Some(taken) = program.wanted(probe.into()) {
        taken.fire(|record: &mut Increment, _| *record = Increment { amount, counter: 0 });
    }
}

/// A system call returns: what of it is counted.
#[inline(always)]
fn call(program: Family) {
    let ctx = program.program.ctx;
    let task = Current::get();
    let (calls, bytes) = match task.registers(ctx).at(offset!(regs_orig_ax)) as u32 {
        0 | 17 | 19 | 295 | 327 => (SYSREAD, Some(READCH)),
        1 | 18 | 20 | 296 | 328 => (SYSWRITE, Some(WRITECH)),
        69 | 70 => (MSG, None),
        65 | 220 => (SEMA, None),
        _ => return,
    };
    if task.in_compat_call() {
        return;
    }
    add(program, calls, 1);
    let result = ctx.arg(1) as i64;
    if let Some(bytes) = bytes.filter(|_| result > 0) {
        add(program, bytes, result as u64);
    }
}

/// A request is made of a block device: what of it is counted.
#[inline(always)]
fn request(program: Family) {
    let bio = program.program.ctx.arg(0);
    let size = read::<u32>(bio, offset!(bio_size));
    let [requests, calls, pages] = match read::<u32>(bio, offset!(bio_opf)) & OPERATION {
        READS => [BREAD, PGIN, PGPGIN],
        WRITES => [BWRITE, PGOUT, PGPGOUT],
        _ => return,
    };
    if size != 0 {
        add(program, requests, 1);
        add(program, calls, 1);
        add(program, pages, size.div_ceil(PAGE).into());
    }
}

/// What is counted when a connection changes its state so.
#[inline(always)]
fn counted(change: &Change) -> Option<u16> {
    use tcp_state::{CLOSE, CLOSE_WAIT, ESTABLISHED, LISTEN, SYN_RECV, SYN_SENT};
    Some(match (change.old, change.new) {
        (CLOSE, SYN_SENT) => TCP_ACTIVE_OPENS,
        (LISTEN, SYN_RECV) => TCP_PASSIVE_OPENS,
        (SYN_SENT | SYN_RECV, CLOSE) => TCP_ATTEMPT_FAILS,
        (ESTABLISHED | CLOSE_WAIT, CLOSE) => TCP_ESTAB_RESETS,
        _ => return None,
    })
}
