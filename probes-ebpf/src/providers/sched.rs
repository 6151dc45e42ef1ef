//! The sched provider: threads that get a CPU, leave it, sleep, are woken, and wait in the CPUs' queues.
//!
//! What hangs on sched_switch runs in the thread that leaves, with its CPU's queue locked: it only reads.

use aya_ebpf::helpers::bpf_get_smp_processor_id;
use probes_common::providers::sched::{Alone, Other, Priority, Queued};

use crate::constants::{offset, scope};
use crate::firing::{Context, Program, Wants, bit, programs};
use crate::kernel::{Current, read};
use crate::process::{fill_process, fill_thread};
use crate::scope;

programs! {
    // sched_switch(bool preempt, struct task_struct *prev, struct task_struct *next, unsigned int prev_state)
    probe sched_preempt in "raw_tp/sched_switch", |program| {
        if could_run_on(program.ctx) { alone(program) }
    };
    probe sched_sleep in "raw_tp/sched_switch", |program| {
        if !could_run_on(program.ctx) && program.ctx.arg(3) as u32 & SLEEPS != 0 { alone(program) }
    };
    foreign sched_enqueue_switch in "raw_tp/sched_switch", |program| {
        if could_run_on(program.ctx) { queued(program, program.ctx.arg(1), this_cpu()) }
    };
    probe sched_off_cpu in "raw_tp/sched_switch", |program| other(program, program.ctx.arg(2));
    foreign sched_dequeue_switch in "raw_tp/sched_switch", |program| {
        queued(program, program.ctx.arg(2), this_cpu())
    };
    foreign sched_on_cpu_switch in "raw_tp/sched_switch", |program| {
        let next = program.ctx.arg(2);
        if scope::of(read(next, offset!(task_tgid))) {
            program.fire_in(Current::given(next), |_: &mut Alone, _| ());
        }
    };

    // sched_exit_tp(bool is_switch)
    probe sched_on_cpu in "raw_tp/sched_exit_tp", |program| {
        if program.ctx.arg(0) as u8 != 0 { alone(program) }
    };
    probe sched_remain_cpu in "raw_tp/sched_exit_tp", |program| {
        if program.ctx.arg(0) as u8 == 0 { alone(program) }
    };

    // sched_waking(struct task_struct *p)
    foreign sched_wakeup in "raw_tp/sched_waking", |program| {
        let woken = program.ctx.arg(0);
        if concerns(woken) { other(program, woken) }
    };

    // sched_wakeup(struct task_struct *p): also where a thread is woken before it has left its CPU
    foreign sched_enqueue_wakeup in "raw_tp/sched_wakeup", |program| {
        let woken = program.ctx.arg(0);
        if read::<u32>(woken, offset!(task_on_cpu)) == 0 { queued(program, woken, cpu_of(woken)) }
    };
    // sched_wakeup_new(struct task_struct *p)
    foreign sched_enqueue_new in "raw_tp/sched_wakeup_new", |program| {
        let new = program.ctx.arg(0);
        queued(program, new, cpu_of(new));
    };

    // sched_migrate_task(struct task_struct *p, int dest_cpu)
    foreign sched_dequeue_migrate in "raw_tp/sched_migrate_task", |program| {
        let moved = program.ctx.arg(0);
        if is_queued(moved) { queued(program, moved, cpu_of(moved)) }
    };
    foreign sched_enqueue_migrate in "raw_tp/sched_migrate_task", |program| {
        let moved = program.ctx.arg(0);
        if is_queued(moved) { queued(program, moved, program.ctx.arg(1) as i32) }
    };

    // sched_set_need_resched_tp(struct task_struct *tsk, int cpu, int tif): cpu is that on which this happens
    foreign sched_surrender in "raw_tp/sched_set_need_resched_tp", |program| {
        let running = program.ctx.arg(0);
        if cpu_of(running) != this_cpu() && concerns(running) { other(program, running) }
    };

    // hrtimer_expire_entry(struct hrtimer *hrtimer, ktime_t *now)
    probe sched_tick in "raw_tp/hrtimer_expire_entry", |program| {
        let function = read::<u64>(program.ctx.arg(0), offset!(hrtimer_function));
        if function != 0 && function == scope!(tick_handler) { other(program, Current::get().address() as u64) }
    };

    // sched_pi_setprio(struct task_struct *tsk, struct task_struct *pi_task)
    foreign sched_change_pri in "raw_tp/sched_pi_setprio", |program| {
        let (thread, lender) = (program.ctx.arg(0), program.ctx.arg(1));
        if concerns(thread) {
            program.fire(move |record: &mut Priority, wants| {
                fill_thread(&mut record.lwp, wants.part(bit!(Priority, lwp)), thread);
                fill_process(&mut record.ps, wants.part(bit!(Priority, ps)), thread, 0);
                if wants.field(bit!(Priority, pri)) {
                    record.pri = lent(thread, lender);
                    record.pad = 0;
                }
            });
        }
    };
}

/// `TASK_INTERRUPTIBLE` and `TASK_UNINTERRUPTIBLE` of include/linux/sched.h.
const SLEEPS: u32 = 1 | 2;

/// `TASK_ON_RQ_MIGRATING` of kernel/sched/sched.h: a thread in a queue, on its way to another.
const MIGRATING: u32 = 2;

#[inline(always)]
fn alone(program: Program) {
    program.fire(|_: &mut Alone, _| ());
}

#[inline(always)]
fn other(program: Program, thread: u64) {
    program.fire(move |record: &mut Other, wants| {
        fill_thread(&mut record.lwp, wants.part(bit!(Other, lwp)), thread);
        fill_process(&mut record.ps, wants.part(bit!(Other, ps)), thread, 0);
    });
}

/// Fires for a thread and a CPU's queue. The idle threads are in none.
#[inline(always)]
fn queued(program: Program, thread: u64, cpu: i32) {
    if read::<u32>(thread, offset!(task_pid)) != 0 && concerns(thread) {
        program.fire(move |record: &mut Queued, wants: Wants| {
            fill_thread(&mut record.lwp, wants.part(bit!(Queued, lwp)), thread);
            fill_process(&mut record.ps, wants.part(bit!(Queued, ps)), thread, 0);
            if wants.field(bit!(Queued, cpu)) {
                record.cpu.cpu_id = cpu;
            }
            if wants.field(bit!(Queued, front)) {
                (record.front, record.pad) = (0, 0);
            }
        });
    }
}

/// Whether the session is about that thread's process, or the current one.
#[inline(always)]
fn concerns(thread: u64) -> bool {
    scope::is_open() || scope::of(read(thread, offset!(task_tgid))) || scope::current()
}

/// Whether a thread that leaves its CPU could run on: it is preempted, whatever it was about to do, or is not going to sleep.
#[inline(always)]
fn could_run_on(ctx: Context) -> bool {
    ctx.arg(0) as u8 != 0 || ctx.arg(3) as u32 == 0
}

/// Whether a thread that is moved is moved from queue to queue, and not while it sleeps or is made.
#[inline(always)]
fn is_queued(thread: u64) -> bool {
    read::<u32>(thread, offset!(task_on_rq)) == MIGRATING
}

/// The priority that a thread gets: the lender's where that is more urgent (kernel/sched/core.c, rt_mutex_setprio, Linux 6.18).
#[inline(always)]
fn lent(thread: u64, lender: u64) -> i32 {
    let own = read::<i32>(thread, offset!(task_normal_prio));
    let lent = if lender == 0 { own } else { read(lender, offset!(task_prio)) };
    if lent < own { lent } else { own }
}

#[inline(always)]
fn cpu_of(thread: u64) -> i32 {
    read(thread, offset!(task_cpu))
}

#[inline(always)]
fn this_cpu() -> i32 {
    // SAFETY: a helper without arguments.
    unsafe { bpf_get_smp_processor_id() as i32 }
}
