//! Processes and threads as D sees them: `psinfo_t` and `lwpsinfo_t`, from a `task_struct`.

use aya_ebpf::bindings::BPF_F_NO_PREALLOC;
use aya_ebpf::helpers::generated::{bpf_get_current_pid_tgid, bpf_probe_read_user};
use aya_ebpf::macros::map;
use aya_ebpf::maps::HashMap;
use probes_common::abi::memory;
use probes_common::types::{LwpsInfo, PsInfo};

use crate::constants::offset;
use crate::drops;
use crate::firing::{Wants, bit, programs};
use crate::kernel::{comm, read, task};

/// The size of `pr_psargs`.
const ARGS: usize = 80;

/// `PIDTYPE_PGID` and `PIDTYPE_SID` of include/linux/pid_types.h, as indexes of pointers.
const PGID: u32 = 2 * 8;
const SID: u32 = 3 * 8;

/// A process's arguments, as words.
type Words = [u64; ARGS / 8];

const _: () = assert!(core::mem::offset_of!(PsInfo, pr_psargs) % 8 == 0, "pr_psargs is written as words");

/// The arguments of processes by process id: they lie in a memory that only the process itself can read here. The
/// tracer fills in those of processes that exist when it starts; they stay until the process has been waited for.
#[map]
static PSARGS: HashMap<u32, Words> = HashMap::with_max_entries(1 << 16, BPF_F_NO_PREALLOC);

programs! {
    // sched_process_exec(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)
    support psargs_exec in "raw_tp/sched_process_exec", |_ctx| keep(current_tgid());
    // sched_process_fork(struct task_struct *parent, struct task_struct *child): the child's memory is the parent's
    support psargs_fork in "raw_tp/sched_process_fork", |ctx| {
        let child = ctx.arg(1);
        let (pid, tgid) = ids(child);
        if pid == tgid {
            keep(tgid);
        }
    };
    // sched_process_free(struct task_struct *p)
    support psargs_free in "raw_tp/sched_process_free", |ctx| {
        let (pid, tgid) = ids(ctx.arg(0));
        if pid == tgid {
            let _ = PSARGS.remove(&tgid);
        }
    };
}

/// Keeps the current process's arguments as those of that process.
#[inline(always)]
fn keep(tgid: u32) {
    let mut args: Words = [0; ARGS / 8];
    read_args(&mut args, task());
    if PSARGS.insert(&tgid, &args, 0).is_err() {
        drops::forgot(memory::PSARGS);
    }
}

/// The thread and process id of a task.
#[inline(always)]
pub fn ids(task: u64) -> (u32, u32) {
    (read(task, offset!(task_pid)), read(task, offset!(task_tgid)))
}

/// The current process id.
#[inline(always)]
pub fn current_tgid() -> u32 {
    // SAFETY: a helper without arguments.
    unsafe { (bpf_get_current_pid_tgid() >> 32) as u32 }
}

/// Fills in what is wanted of a process. `memory` is a task whose memory holds the process's arguments and is the current
/// one; 0 where there is none.
#[inline(never)]
pub fn fill_process(ps: &mut PsInfo, wants: Wants, task: u64, memory: u64) {
    let leader = || read::<u64>(task, offset!(task_group_leader));
    let signal = || read::<u64>(task, offset!(task_signal));
    if wants.field(bit!(PsInfo, pr_pid)) {
        ps.pr_pid = read(task, offset!(task_tgid));
        ps.pr_pad = 0;
        ps.pr_addr = leader();
    }
    if wants.field(bit!(PsInfo, pr_nlwp)) {
        ps.pr_nlwp = read(signal(), offset!(signal_nr_threads));
    }
    if wants.field(bit!(PsInfo, pr_ppid)) {
        ps.pr_ppid = read(read(task, offset!(task_real_parent)), offset!(task_tgid));
    }
    if wants.field(bit!(PsInfo, pr_pgid)) {
        let pids = signal() + u64::from(offset!(signal_pids));
        ps.pr_pgid = read(read(pids, PGID), offset!(pid_nr));
        ps.pr_sid = read(read(pids, SID), offset!(pid_nr));
    }
    if wants.field(bit!(PsInfo, pr_uid)) {
        let cred = read::<u64>(task, offset!(task_cred));
        ps.pr_uid = read(cred, offset!(cred_uid));
        ps.pr_euid = read(cred, offset!(cred_euid));
        ps.pr_gid = read(cred, offset!(cred_gid));
        ps.pr_egid = read(cred, offset!(cred_egid));
    }
    if wants.field(bit!(PsInfo, pr_start)) {
        ps.pr_start = read(leader(), offset!(task_start_boottime));
    }
    if wants.field(bit!(PsInfo, pr_fname)) {
        comm(&mut ps.pr_fname, leader());
    }
    if wants.field(bit!(PsInfo, pr_psargs)) {
        // SAFETY: of the same size, and aligned to 8 (asserted above).
        let args = unsafe { &mut *(&raw mut ps.pr_psargs).cast::<Words>() };
        *args = [0; ARGS / 8];
        let tgid = read::<u32>(task, offset!(task_tgid));
        if memory != 0 || tgid == current_tgid() {
            read_args(args, if memory != 0 { memory } else { task });
        }
        if args[0] == 0 {
            // SAFETY: an entry may change while it is read; any bytes are a value.
            if let Some(kept) = unsafe { PSARGS.get(&tgid) } {
                *args = *kept;
            }
        }
    }
}

/// Fills in what is wanted of a thread.
#[inline(always)]
pub fn fill_thread(lwp: &mut LwpsInfo, wants: Wants, task: u64) {
    if wants.field(bit!(LwpsInfo, pr_lwpid)) {
        lwp.pr_lwpid = read(task, offset!(task_pid));
        lwp.pr_addr = task;
    }
    if wants.field(bit!(LwpsInfo, pr_state)) {
        lwp.pr_state = if read::<u32>(task, offset!(task_exit_state)) != 0 {
            3
        } else {
            state(read(task, offset!(task_state)))
        };
    }
    if wants.field(bit!(LwpsInfo, pr_pri)) {
        lwp.pr_pri = read(task, offset!(task_prio));
        lwp.pr_nice = read::<i32>(task, offset!(task_static_prio)) - 120;
    }
    if wants.field(bit!(LwpsInfo, pr_name)) {
        comm(&mut lwp.pr_name, task);
    }
}

/// Fills in the arguments of the current process. They lie at a multiple of 8 in their record.
#[inline(always)]
pub fn fill_args(args: &mut [u8; ARGS]) {
    // SAFETY: of the same size, and aligned to 8: records have no gaps, and what is before is a multiple of 8.
    let args = unsafe { &mut *(&raw mut *args).cast::<Words>() };
    *args = [0; ARGS / 8];
    read_args(args, task());
}

/// `__TASK_STOPPED` and `__TASK_TRACED` of include/linux/sched.h.
const STOPPED: u32 = 4 | 8;

/// A scheduling state as `pr_state` counts them.
#[inline(always)]
fn state(state: u32) -> i32 {
    match state {
        0 => 2,
        _ if state & STOPPED != 0 => 4,
        _ => 1,
    }
}

/// Reads the arguments of the current process, `task` one of its threads: separated by spaces, ended by a zero.
#[inline(always)]
fn read_args(args: &mut Words, task: u64) {
    let mm = read::<u64>(task, offset!(task_mm));
    let start = read::<u64>(mm, offset!(mm_arg_start));
    let end = read::<u64>(mm, offset!(mm_arg_end));
    // Without the zero that ends the last argument.
    let length = end.wrapping_sub(start).wrapping_sub(1);
    if mm == 0 || start == 0 || end <= start {
        return;
    }
    let length = if length < ARGS as u64 { length } else { ARGS as u64 - 1 };
    // SAFETY: `length` bytes of `args` are written, fewer than there are.
    unsafe { bpf_probe_read_user((&raw mut *args).cast(), length as u32, start as *const _) };
    let mut left = length;
    for word in args {
        let inside = if left < 8 { left } else { 8 };
        left -= inside;
        *word = crate::runtime::words::fill_zeros(*word, inside);
    }
}
