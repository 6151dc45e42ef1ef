//! The sched provider: threads that get a CPU, leave it, sleep, are woken, and wait in the CPUs' queues.
//!
//! Linux has no dispatcher queue that a running thread is outside of by name, but its scheduler does take the thread that is
//! to run out of its queue and puts one back that could run on (kernel/sched/fair.c, set_next_entity and put_prev_entity,
//! Linux 6.18): enqueue and dequeue are derived from the switches, wake-ups and migrations at which that happens.

use super::proc::PSARGS;
use crate::probe::Arg;
use crate::record;
use crate::table::{probes, programs};
use crate::types::{CpuInfo, LwpsInfo, PsInfo};

record! {
    /// Something about the current thread alone.
    pub struct Alone as "sched_alone" {
        /// Unused, zero.
        0 zero: u64 as "uint64_t";
    }

    /// A thread that the current one deals with.
    pub struct Other as "sched_other" {
        /// The thread.
        0 lwp: LwpsInfo as "lwpsinfo_t *";
        /// Its process.
        8 ps: PsInfo as "psinfo_t *";
    }

    /// A thread and the queue of a CPU.
    pub struct Queued as "sched_queued" {
        /// The thread.
        0 lwp: LwpsInfo as "lwpsinfo_t *";
        /// Its process.
        8 ps: PsInfo as "psinfo_t *";
        /// The CPU whose queue it is.
        24 cpu: CpuInfo as "cpuinfo_t *";
        /// Whether the thread is put before the others: always 0, since Linux's queue is a tree.
        32 front: i32 as "int";
        /// Unused, zero.
        32 pad: i32 as "int";
    }

    /// A thread gets another priority.
    pub struct Priority as "sched_priority" {
        /// The thread.
        0 lwp: LwpsInfo as "lwpsinfo_t *";
        /// Its process.
        8 ps: PsInfo as "psinfo_t *";
        /// The new priority, as pr_pri counts it.
        24 pri: i32 as "int";
        /// Unused, zero.
        24 pad: i32 as "int";
    }
}

programs! {
    /// preempt.
    PREEMPT = "sched_preempt" on "sched_switch": Alone, &[];
    /// sleep.
    SLEEP = "sched_sleep" on "sched_switch": Alone, &[];
    /// enqueue of a thread that leaves its CPU and could run on.
    ENQUEUE_SWITCH = "sched_enqueue_switch" on "sched_switch": Queued, PSARGS;
    /// off-cpu.
    OFF_CPU = "sched_off_cpu" on "sched_switch": Other, PSARGS;
    /// dequeue of the thread that is to run.
    DEQUEUE_SWITCH = "sched_dequeue_switch" on "sched_switch": Queued, PSARGS;
    /// on-cpu.
    ON_CPU = "sched_on_cpu" on "sched_exit_tp": Alone, &[];
    /// on-cpu where the kernel does not tell of a switch that is done: the clauses are given the thread that comes, while the
    /// one that leaves is still the current one.
    ON_CPU_SWITCH = "sched_on_cpu_switch" on "sched_switch": Alone, &[];
    /// remain-cpu.
    REMAIN_CPU = "sched_remain_cpu" on "sched_exit_tp": Alone, &[];
    /// wakeup.
    WAKEUP = "sched_wakeup" on "sched_waking": Other, PSARGS;
    /// enqueue of a thread that was woken.
    ENQUEUE_WAKEUP = "sched_enqueue_wakeup" on "sched_wakeup": Queued, PSARGS;
    /// enqueue of a new thread.
    ENQUEUE_NEW = "sched_enqueue_new" on "sched_wakeup_new": Queued, PSARGS;
    /// dequeue of a thread that is moved to another CPU.
    DEQUEUE_MIGRATE = "sched_dequeue_migrate" on "sched_migrate_task": Queued, PSARGS;
    /// enqueue of a thread that is moved to another CPU.
    ENQUEUE_MIGRATE = "sched_enqueue_migrate" on "sched_migrate_task": Queued, PSARGS;
    /// surrender.
    SURRENDER = "sched_surrender" on "sched_set_need_resched_tp": Other, PSARGS;
    /// tick.
    TICK = "sched_tick" on "hrtimer_expire_entry": Other, PSARGS;
    /// change-pri.
    CHANGE_PRI = "sched_change_pri" on "sched_pi_setprio": Priority, PSARGS;
}

macro_rules! args {
    ($($name:ident = $thread:literal, $process:literal $(, $ctype:literal $field:literal $doc:literal)*;)*) => { $(
        const $name: &[Arg] = &[
            Arg { ctype: "lwpsinfo_t *", field: "lwp", doc: $thread },
            Arg { ctype: "psinfo_t *", field: "ps", doc: $process },
            $(Arg { ctype: $ctype, field: $field, doc: $doc },)*
        ];
    )* };
}

args! {
    NEXT_ARGS = "the thread that comes next", "its process";
    WOKEN_ARGS = "the thread that is woken", "its process";
    QUEUED_ARGS = "the thread", "its process", "cpuinfo_t *" "cpu" "the CPU whose queue it is";
    ENQUEUED_ARGS = "the thread", "its process", "cpuinfo_t *" "cpu" "the CPU whose queue it is",
        "int" "front" "whether the thread is put before the others: always 0, since Linux's queue is a tree";
    RUNNING_ARGS = "the thread that runs there", "its process";
    PRIORITY_ARGS = "the thread", "its process", "int" "pri" "its new priority, as pr_pri counts it; pr_pri is the old one";
}

probes! { "sched":
    "preempt", PREEMPT, &[],
        "Fires in a thread that leaves its CPU although it could run on: another is to run, or it called sched_yield(2). off-cpu \
         follows.";
    "sleep", SLEEP, &[],
        "Fires in a thread that leaves its CPU to wait for something. off-cpu follows.";
    "enqueue" in "switch", ENQUEUE_SWITCH, ENQUEUED_ARGS,
        "Fires when a thread goes back to the queue of the CPU that it leaves, since it could run on.";
    "dequeue" in "switch", DEQUEUE_SWITCH, QUEUED_ARGS,
        "Fires when a thread is taken from the queue of a CPU to run there; on-cpu follows.";
    "off-cpu", OFF_CPU, NEXT_ARGS,
        "Fires in a thread that leaves its CPU. curlwpsinfo->pr_state is SSLEEP where it goes to sleep, SRUN where it could run on.";
    "on-cpu", ON_CPU, &[],
        "Fires in a thread that has got a CPU. Where the kernel lacks the tracepoint sched_exit (before Linux 6.15) it fires a \
         little before, while the thread that leaves is still in place: pid, execname, self->, curpsinfo and so on are those of \
         the thread that comes, but stacks are empty, and its memory, registers, files and directories cannot be read.";
    "remain-cpu", REMAIN_CPU, &[],
        "Fires when the scheduler was asked who is to run, and has chosen the thread that runs already.";
    "wakeup", WAKEUP, WOKEN_ARGS,
        "Fires in the thread, or in the interrupt, that wakes another, before that one can run.";
    "enqueue" in "wakeup", ENQUEUE_WAKEUP, ENQUEUED_ARGS,
        "Fires when a thread that was woken is in the queue of a CPU.";
    "enqueue" in "new", ENQUEUE_NEW, ENQUEUED_ARGS,
        "Fires when a new thread is in the queue of a CPU.";
    "dequeue" in "migrate", DEQUEUE_MIGRATE, QUEUED_ARGS,
        "Fires when a thread is taken from the queue of a CPU to be put into that of another.";
    "enqueue" in "migrate", ENQUEUE_MIGRATE, ENQUEUED_ARGS,
        "Fires when a thread that waits in the queue of a CPU is put into that of another; dequeue has fired for the first.";
    "surrender", SURRENDER, RUNNING_ARGS,
        "Fires when another CPU is told to ask its scheduler who is to run.";
    "tick", TICK, RUNNING_ARGS,
        "Fires at each tick of a CPU's clock, at which the kernel accounts the time to the thread that runs. A CPU that sleeps has \
         no ticks.";
    "change-pri", CHANGE_PRI, PRIORITY_ARGS,
        "Fires when a thread that holds a lock is lent the priority of one that waits for it, and when it gives that back. Linux has \
         no tracepoint of other changes: syscall::setpriority:entry and syscall::sched_set*:entry show who asks for them.";
}
