//! Processes and threads as D sees them: `psinfo_t` and `lwpsinfo_t`, from a `task_struct`.

use aya_ebpf::bindings::BPF_F_NO_PREALLOC;
use aya_ebpf::helpers::generated::{
    bpf_get_current_pid_tgid, bpf_get_current_task_btf, bpf_probe_read_user, bpf_task_pt_regs,
};
use aya_ebpf::macros::map;
use aya_ebpf::maps::HashMap;
use probes_common::abi::memory;
use probes_common::offsets::ABSENT;
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
#[inline(always)]
pub fn fill_process(ps: &mut PsInfo, wants: Wants, task: u64, memory: u64) {
    let tgid = read::<u32>(task, offset!(task_tgid));
    let memory = if memory == 0 && tgid == current_tgid() { task } else { memory };
    fill_own_process(ps, wants, task, memory);
    if wants.field(bit!(PsInfo, pr_psargs)) && ps.pr_psargs[0] == 0 {
        // SAFETY: an entry may change while it is read; any bytes are a value. The places are of the same size, and aligned
        // to 8 (asserted above).
        unsafe {
            if let Some(kept) = PSARGS.get(&tgid) {
                *(&raw mut ps.pr_psargs).cast::<Words>() = *kept;
            }
        }
    }
}

/// Like [`fill_process`], for a process whose memory can be read if anybody's.
#[inline(never)]
pub fn fill_own_process(ps: &mut PsInfo, wants: Wants, task: u64, memory: u64) {
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
        if memory != 0 {
            read_args(args, memory);
        }
    }
    if wants.field(bit!(PsInfo, pr_flag)) {
        ps.pr_flag = flags(task);
        ps.pr_wstat = read(leader(), offset!(task_exit_code));
        ps.pr_dmodel = if read::<u64>(task, offset!(task_info_flags)) & ADDR32 == 0 { 2 } else { 1 };
        ps.pr_pad2 = [0; 3];
    }
    if wants.field(bit!(PsInfo, pr_size)) {
        fill_size(ps, task);
    }
    if wants.field(bit!(PsInfo, pr_time)) {
        ps.pr_time = run_time(signal());
        ps.pr_ctime =
            read::<u64>(signal(), offset!(signal_cutime)) + read::<u64>(signal(), offset!(signal_cstime));
    }
    if wants.field(bit!(PsInfo, pr_argc)) {
        fill_vectors(ps, memory);
    }
    if wants.field(bit!(PsInfo, pr_ttydev)) {
        ps.pr_ttydev = terminal(signal());
        ps.pr_pad3 = 0;
    }
}

/// `TIF_ADDR32` of arch/x86/include/asm/thread_info.h.
const ADDR32: u64 = 1 << 29;

/// `PF_KTHREAD` of include/linux/sched.h, and what illumos calls it.
const KTHREAD: u32 = 0x0020_0000;
const ISSYS: i32 = 0x1000;

/// `pr_flag` of processes and threads.
#[inline(always)]
fn flags(task: u64) -> i32 {
    if read::<u32>(task, offset!(task_flags)) & KTHREAD == 0 { 0 } else { ISSYS }
}

/// `MM_FILEPAGES`, `MM_ANONPAGES` and `MM_SHMEMPAGES` of include/linux/mm_types_task.h.
const COUNTED: [u32; 3] = [0, 1, 3];

/// Kilobytes of a page.
const PAGE: u64 = 4;

#[inline(always)]
fn fill_size(ps: &mut PsInfo, task: u64) {
    let mm = read::<u64>(task, offset!(task_mm));
    ps.pr_size = 0;
    ps.pr_rssize = 0;
    if mm == 0 {
        return;
    }
    ps.pr_size = read::<u64>(mm, offset!(mm_total_vm)) * PAGE;
    // Linux 6.1 has an array of words, later ones have an array of counters.
    let old = offset!(mm_rss_old) != ABSENT;
    let step = if old { 8 } else { offset!(counter_size) };
    let within = if old { 0 } else { offset!(counter_count) };
    let mut pages = 0;
    for index in COUNTED {
        let count = read::<i64>(mm, offset!(mm_rss_stat) + index * step + within);
        pages += if count > 0 { count as u64 } else { 0 };
    }
    ps.pr_rssize = pages * PAGE;
}

/// The most threads whose time is summed up.
const THREADS: u32 = 64;

/// Nanoseconds that the threads of a process have run, those that have ended included.
#[inline(always)]
fn run_time(signal: u64) -> u64 {
    let mut total = read::<u64>(signal, offset!(signal_runtime));
    let head = signal + u64::from(offset!(signal_threads));
    let mut node = read::<u64>(head, 0);
    for _ in 0..THREADS {
        if node == head || node == 0 {
            break;
        }
        total += read::<u64>(node - u64::from(offset!(task_thread_node)), offset!(task_runtime));
        node = read(node, 0);
    }
    total
}

/// Where the vectors of arguments and environment are: behind their number, which the kernel put on the first stack.
#[inline(always)]
fn fill_vectors(ps: &mut PsInfo, task: u64) {
    ps.pr_argc = 0;
    ps.pr_argv = 0;
    ps.pr_envp = 0;
    if task == 0 {
        return;
    }
    let stack = read::<u64>(read(task, offset!(task_mm)), offset!(mm_start_stack));
    let mut count = 0_u64;
    // SAFETY: `count` is written, and the source may be anything.
    let status = unsafe { bpf_probe_read_user((&raw mut count).cast(), 8, stack as *const _) };
    if status == 0 {
        ps.pr_argc = count as i32;
        ps.pr_argv = stack + 8;
        ps.pr_envp = stack + 8 * (count + 2);
    }
}

/// The number of a process's terminal, as stat(2) has it.
#[inline(always)]
fn terminal(signal: u64) -> u32 {
    let tty = read::<u64>(signal, offset!(signal_tty));
    if tty == 0 {
        return 0;
    }
    let driver = read::<u64>(tty, offset!(tty_driver));
    let major = read::<u32>(driver, offset!(tty_driver_major));
    let minor = read::<u32>(driver, offset!(tty_driver_minor)) + read::<u32>(tty, offset!(tty_index));
    minor & 0xff | major << 8 | (minor & !0xff) << 12
}

/// Fills in what is wanted of a thread.
#[inline(always)]
pub fn fill_thread(lwp: &mut LwpsInfo, wants: Wants, task: u64) {
    fill_other_thread(lwp, wants, task);
    if wants.field(bit!(LwpsInfo, pr_syscall)) {
        lwp.pr_syscall = -1;
    }
}

/// Fills in what is wanted of the current thread.
#[inline(never)]
pub fn fill_own_thread(lwp: &mut LwpsInfo, wants: Wants) {
    let task = task();
    fill_other_thread(lwp, wants, task);
    if wants.field(bit!(LwpsInfo, pr_syscall)) {
        lwp.pr_syscall = -1;
        if read::<u32>(task, offset!(task_flags)) & KTHREAD == 0 {
            // SAFETY: a user thread has registers.
            let regs = unsafe { bpf_task_pt_regs(bpf_get_current_task_btf()) };
            lwp.pr_syscall = read::<u64>(regs as u64, offset!(regs_orig_ax)) as i16;
        }
    }
}

#[inline(always)]
fn fill_other_thread(lwp: &mut LwpsInfo, wants: Wants, task: u64) {
    if wants.field(bit!(LwpsInfo, pr_lwpid)) {
        lwp.pr_lwpid = read(task, offset!(task_pid));
        lwp.pr_addr = task;
        lwp.pr_wchan = 0;
    }
    if wants.field(bit!(LwpsInfo, pr_state)) {
        let ended = read::<u32>(task, offset!(task_exit_state)) != 0;
        let (state, name) = if ended { ZOMBIE } else { state(read(task, offset!(task_state))) };
        lwp.pr_state = state;
        lwp.pr_sname = name as i8;
        lwp.pr_stype = 0;
        lwp.pr_pad = 0;
    }
    if wants.field(bit!(LwpsInfo, pr_pri)) {
        lwp.pr_pri = read(task, offset!(task_prio));
        lwp.pr_nice = (read::<i32>(task, offset!(task_static_prio)) - 120) as i8;
    }
    if wants.field(bit!(LwpsInfo, pr_name)) {
        comm(&mut lwp.pr_name, task);
    }
    if wants.field(bit!(LwpsInfo, pr_onpro)) {
        let cpu = read::<u32>(task, offset!(task_cpu)) as i32;
        lwp.pr_onpro = cpu;
        lwp.pr_bindpro = if read::<u32>(task, offset!(task_cpus_allowed)) == 1 { cpu } else { -1 };
        lwp.pr_pad2 = 0;
    }
    if wants.field(bit!(LwpsInfo, pr_clname)) {
        lwp.pr_flag = flags(task);
        // As numbers: the characters in the order of memory.
        let name = match read::<u32>(task, offset!(task_policy)) {
            0 => u64::from_le_bytes(*b"TS\0\0\0\0\0\0"),
            1 => u64::from_le_bytes(*b"FF\0\0\0\0\0\0"),
            2 => u64::from_le_bytes(*b"RR\0\0\0\0\0\0"),
            3 => u64::from_le_bytes(*b"B\0\0\0\0\0\0\0"),
            5 => u64::from_le_bytes(*b"IDL\0\0\0\0\0"),
            6 => u64::from_le_bytes(*b"DLN\0\0\0\0\0"),
            7 => u64::from_le_bytes(*b"EXT\0\0\0\0\0"),
            _ => u64::from_le_bytes(*b"?\0\0\0\0\0\0\0"),
        };
        lwp.pr_clname = name.to_le_bytes();
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

/// What `pr_state` and `pr_sname` are of a thread that has ended.
const ZOMBIE: (i8, u8) = (3, b'Z');

/// A scheduling state as `pr_state` and `pr_sname` have it: by the bits of include/linux/sched.h, the first that is set.
#[inline(always)]
fn state(state: u32) -> (i8, u8) {
    match state {
        _ if state & 0x003 != 0 => (1, b'S'),
        _ if state & 0x00c != 0 => (4, b'T'),
        _ if state & 0x0b0 != 0 => ZOMBIE,
        _ if state & 0x300 != 0 => (7, b'W'),
        _ => (2, b'R'),
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
