//! The proc provider: signals and the life of processes.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::{
    bpf_get_current_uid_gid, bpf_probe_read_kernel_str, bpf_probe_read_user_str,
};
use aya_ebpf::macros::map;
use aya_ebpf::maps::LruHashMap;
use probes_common::names::fault as kind;
use probes_common::providers::proc::{
    Create, Exec, ExecFailure, ExecSuccess, Exit, Fault, SignalClear, SignalHandle, SignalSend, Start,
};
use probes_common::types::SigInfo;

use crate::constants::offset;
use crate::firing::{Context, Program, Wants, bit, programs};
use crate::kernel::{self, read, task};
use crate::numbers::{CLONE, CLONE3, EXECVE, EXECVEAT, FORK, RT_SIGTIMEDWAIT, VFORK};
use crate::process::{current_tgid, fill_args, fill_process, fill_thread, ids};
use crate::scope;

programs! {
    // signal_generate(int sig, struct kernel_siginfo *info, struct task_struct *task, int group, int result)
    foreign proc_signal_send in "raw_tp/signal_generate", |program| fire_signal(program);
    foreign proc_signal_discard in "raw_tp/signal_generate", |program| {
        if program.ctx.arg(4) as u32 == IGNORED {
            fire_signal(program);
        }
    };

    probe proc_fault in "raw_tp/signal_generate", |program| {
        let ctx = program.ctx;
        let (signal, info) = (ctx.arg(0) as i32, ctx.arg(1));
        if ctx.arg(2) == task() && is_fault(signal, info) {
            program.fire(|record: &mut Fault, wants| {
                record.fault = fault_of(signal, read(info, offset!(siginfo_code)));
                record.pad = 0;
                if wants.field(bit!(Fault, info)) {
                    fill_siginfo(&mut record.info, signal, info, true);
                }
            });
        }
    };

    // signal_deliver(int sig, struct kernel_siginfo *info, struct k_sigaction *ka)
    probe proc_signal_handle in "raw_tp/signal_deliver", |program| {
        let ctx = program.ctx;
        program.fire(move |record: &mut SignalHandle, wants| {
            let (info, action) = (ctx.arg(1), ctx.arg(2));
            let signal = fatal(ctx.arg(0) as i32, info);
            if wants.field(bit!(SignalHandle, info)) {
                fill_siginfo(&mut record.info, signal, info, false);
            }
            if wants.field(bit!(SignalHandle, sig)) {
                record.sig = signal;
                record.handler = read(action, offset!(sigaction_handler));
                record.flags = read::<u64>(action, offset!(sigaction_flags)) as u32;
            }
        });
    };

    // sys_exit(struct pt_regs *regs, long ret)
    probe proc_signal_clear in "raw_tp/sys_exit", |program| {
        let signal = program.ctx.arg(1) as i64;
        if signal > 0 && returning(program.ctx) == RT_SIGTIMEDWAIT {
            program.fire(|record: &mut SignalClear, _| *record = SignalClear { sig: signal as i32, pad: 0 });
        }
    };

    // sched_process_fork(struct task_struct *parent, struct task_struct *child)
    probe proc_create in "raw_tp/sched_process_fork", |program| {
        let (pid, tgid) = ids(program.ctx.arg(1));
        if pid == tgid {
            fire_create(program);
        }
    };
    probe proc_lwp_create in "raw_tp/sched_process_fork", |program| fire_create(program);

    // sys_enter(struct pt_regs *regs, long id)
    probe proc_exec in "raw_tp/sys_enter", |program| {
        let regs = program.ctx.arg(0);
        let number = program.ctx.arg(1) as u32;
        if matches!(number, EXECVE | EXECVEAT) && !kernel::in_compat_call() {
            program.fire(|record: &mut Exec, wants| {
                if wants.field(bit!(Exec, path)) {
                    given_path(&mut record.path, regs, number);
                }
            });
        }
    };

    probe proc_exec_failure in "raw_tp/sys_exit", |program| {
        let result = program.ctx.arg(1) as i64;
        let number = returning(program.ctx);
        if result < 0 && matches!(number, EXECVE | EXECVEAT) {
            let regs = program.ctx.arg(0);
            program.fire(|record: &mut ExecFailure, wants| {
                record.error = -result as i32;
                record.pad = 0;
                // By now the kernel has brought the path into memory, where it was not before.
                if wants.field(bit!(ExecFailure, path)) {
                    given_path(&mut record.path, regs, number);
                }
            });
        }
    };

    // sched_process_exec(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)
    probe proc_exec_success in "raw_tp/sched_process_exec", |program| {
        program.fire(|record: &mut ExecSuccess, wants| {
            if wants.field(bit!(ExecSuccess, psargs)) {
                fill_args(&mut record.psargs);
            }
            if wants.field(bit!(ExecSuccess, path)) {
                record.path = [0; _];
                let from = read::<u64>(program.ctx.arg(2), offset!(bprm_filename));
                // SAFETY: the whole of the path can be written.
                unsafe { bpf_probe_read_kernel_str((&raw mut record.path).cast(), PATH, from as *const c_void) };
            }
        });
    };

    probe proc_start in "raw_tp/sys_exit", |program| {
        if in_new_thread(program.ctx) {
            let (pid, tgid) = ids(task());
            if pid == tgid {
                program.fire(|_: &mut Start, _| ());
            }
        }
    };
    probe proc_lwp_start in "raw_tp/sys_exit", |program| {
        if in_new_thread(program.ctx) {
            program.fire(|_: &mut Start, _| ());
        }
    };

    // sched_process_exit(struct task_struct *p)
    probe proc_lwp_exit in "raw_tp/sched_process_exit", |program| program.fire(|_: &mut Start, _| ());
    probe proc_exit in "raw_tp/sched_process_exit", |program| {
        let task = program.ctx.arg(0);
        let signal = read::<u64>(task, offset!(task_signal));
        if is_last(task, signal) {
            program.fire(|record: &mut Exit, _| {
                let code = exit_code(task, signal);
                let killed = code & 0x7f;
                record.reason = if killed == 0 { 1 } else if code & 0x80 == 0 { 2 } else { 3 };
                record.status = if killed == 0 { code >> 8 & 0xff } else { killed };
            });
        }
    };
}

/// The size of `path`.
const PATH: u32 = 256;

/// Reads the path that execve or execveat was given.
#[inline(always)]
fn given_path(path: &mut [u8; PATH as usize], regs: u64, number: u32) {
    let register = if number == EXECVE { offset!(regs_di) } else { offset!(regs_si) };
    *path = [0; _];
    // SAFETY: the whole of the path can be written.
    unsafe {
        bpf_probe_read_user_str((&raw mut *path).cast(), PATH, read::<u64>(regs, register) as *const c_void)
    };
}

/// `TRACE_SIGNAL_IGNORED` of include/trace/events/signal.h.
const IGNORED: u32 = 1;

/// Special values of a pointer to a siginfo (include/linux/sched/signal.h): a signal by the current process without more,
/// and one by the kernel.
const SEND_SIG_NOINFO: u64 = 0;
const SEND_SIG_PRIV: u64 = 1;

const SIGKILL: i32 = 9;
const SIGCHLD: i32 = 17;
const SI_KERNEL: i32 = 0x80;
const SI_QUEUE: i32 = -1;
const SI_TIMER: i32 = -2;
const SI_MESGQ: i32 = -3;

/// The call that a raw tracepoint's `sys_exit` ends; no call's number in a 32-bit one.
#[inline(always)]
fn returning(ctx: Context) -> u32 {
    let number = read::<u64>(ctx.arg(0), offset!(regs_orig_ax)) as u32;
    match number {
        RT_SIGTIMEDWAIT | CLONE | FORK | VFORK | CLONE3 | EXECVE | EXECVEAT if kernel::in_compat_call() => {
            u32::MAX
        }
        _ => number,
    }
}

/// Whether this is the end of the call that made the current thread: only there it gives 0.
#[inline(always)]
fn in_new_thread(ctx: Context) -> bool {
    ctx.arg(1) == 0 && matches!(returning(ctx), CLONE | FORK | VFORK | CLONE3)
}

#[inline(always)]
fn fire_create(program: Program) {
    let child = program.ctx.arg(1);
    program.fire(move |record: &mut Create, wants| {
        // Until it runs a program of its own, the child's memory says what the parent's does.
        fill_process(&mut record.ps, wants.part(bit!(Create, ps)), child, task());
        fill_thread(&mut record.lwp, wants.part(bit!(Create, lwp)), child);
    });
}

#[inline(always)]
fn fire_signal(program: Program) {
    let ctx = program.ctx;
    if !scope::of(read(ctx.arg(2), offset!(task_tgid))) && !(scope::current() && is_senders(ctx.arg(1))) {
        return;
    }
    program.fire(move |record: &mut SignalSend, wants: Wants| {
        let (signal, info, target) = (ctx.arg(0) as i32, ctx.arg(1), ctx.arg(2));
        fill_thread(&mut record.lwp, wants.part(bit!(SignalSend, lwp)), target);
        fill_process(&mut record.ps, wants.part(bit!(SignalSend, ps)), target, 0);
        fill_process(&mut record.from, wants.part(bit!(SignalSend, from)), task(), 0);
        if wants.field(bit!(SignalSend, info)) {
            fill_siginfo(&mut record.info, signal, info, true);
        }
        if wants.field(bit!(SignalSend, sig)) {
            record.sig = signal;
            record.group = ctx.arg(3) as i32;
            record.result = ctx.arg(4) as i32;
            record.kernel = (!is_senders(info)).into();
            record.pad = 0;
            let blocked = read::<u64>(target, offset!(task_blocked));
            record.blocked = (blocked >> (signal as u32).wrapping_sub(1) & 1) as i32;
        }
    });
}

/// Whether the current process sends the signal; else the kernel does in its context, for a timer, a terminal, a pipe that nobody
/// reads.
#[inline(always)]
fn is_senders(info: u64) -> bool {
    info != SEND_SIG_NOINFO
        && info != SEND_SIG_PRIV
        && !matches!(read(info, offset!(siginfo_code)), SI_TIMER | SI_KERNEL)
}

const SIGILL: i32 = 4;
const SIGTRAP: i32 = 5;
const SIGBUS: i32 = 7;
const SIGFPE: i32 = 8;
const SIGSEGV: i32 = 11;

/// Whether the kernel sends the signal for what the thread that gets it has just done.
#[inline(always)]
fn is_fault(signal: i32, info: u64) -> bool {
    matches!(signal, SIGILL | SIGTRAP | SIGBUS | SIGFPE | SIGSEGV)
        && info != SEND_SIG_NOINFO
        && (info == SEND_SIG_PRIV || read::<i32>(info, offset!(siginfo_code)) > 0)
}

/// The kind of fault, as <sys/fault.h> of System V has them, by the signal and its code (include/uapi/asm-generic/siginfo.h).
#[inline(always)]
fn fault_of(signal: i32, code: i32) -> i32 {
    match (signal, code) {
        (SIGILL, 5 | 6) => kind::PRIV,
        (SIGILL, _) => kind::ILL,
        (SIGTRAP, 2) => kind::TRACE,
        (SIGTRAP, 4) => kind::WATCH,
        (SIGTRAP, _) => kind::BPT,
        (SIGBUS, _) => kind::ACCESS,
        (SIGFPE, 1) => kind::IZDIV,
        (SIGFPE, 2) => kind::IOVF,
        (SIGFPE, _) => kind::FPE,
        _ => kind::BOUNDS,
    }
}

/// The signal that ends a process: the kernel makes a SIGKILL without more of most fatal signals as it sends them to the
/// process's threads (kernel/signal.c, complete_signal), and keeps the signal itself as the exit code to be.
#[inline(always)]
fn fatal(signal: i32, info: u64) -> i32 {
    let process = read::<u64>(task(), offset!(task_signal));
    if signal == SIGKILL && info == SEND_SIG_NOINFO && is_ending(process) {
        let code = read::<i32>(process, offset!(signal_group_exit_code)) & 0x7f;
        return if code == 0 { signal } else { code };
    }
    signal
}

/// Which fields of a siginfo mean something depends on the signal and its code (kernel/signal.c, siginfo_layout).
#[inline(always)]
fn fill_siginfo(to: &mut SigInfo, signal: i32, info: u64, sending: bool) {
    *to = SigInfo {
        si_signo: signal,
        si_errno: 0,
        si_code: 0,
        si_pid: 0,
        si_uid: 0,
        si_status: 0,
        si_value: 0,
        si_addr: 0,
    };
    if info == SEND_SIG_NOINFO {
        if sending {
            to.si_pid = current_tgid() as i32;
            // SAFETY: a helper without arguments.
            to.si_uid = unsafe { bpf_get_current_uid_gid() } as u32;
        }
        return;
    }
    if info == SEND_SIG_PRIV {
        to.si_code = SI_KERNEL;
        return;
    }
    let code = read::<i32>(info, offset!(siginfo_code));
    to.si_code = code;
    to.si_errno = read(info, offset!(siginfo_errno));
    if (code <= 0 && code != SI_TIMER) || (signal == SIGCHLD && code != SI_KERNEL) {
        to.si_pid = read(info, offset!(siginfo_pid));
        to.si_uid = read(info, offset!(siginfo_uid));
    }
    if code > 0 && signal == SIGCHLD {
        to.si_status = read(info, offset!(siginfo_status));
    }
    if matches!(code, SI_QUEUE | SI_TIMER | SI_MESGQ) {
        to.si_value = read(info, offset!(siginfo_value));
    }
    if code > 0 && code != SI_KERNEL && matches!(signal, SIGILL | SIGTRAP | SIGBUS | SIGFPE | SIGSEGV) {
        to.si_addr = read(info, offset!(siginfo_addr));
    }
}

/// Processes of several threads whose end was seen, by process id and start. When the last two threads end at the same
/// moment, both find no other left.
#[map]
static ENDED: LruHashMap<[u64; 2], u8> = LruHashMap::with_max_entries(1024, 0);

/// `BPF_NOEXIST` of include/uapi/linux/bpf.h.
const NOEXIST: u64 = 1;

/// Whether the process ends with this thread.
#[inline(always)]
fn is_last(task: u64, signal: u64) -> bool {
    if read::<u32>(signal, offset!(signal_live)) != 0 {
        return false;
    }
    if read::<u32>(signal, offset!(signal_nr_threads)) == 1 {
        return true;
    }
    let leader = read::<u64>(task, offset!(task_group_leader));
    let key = [u64::from(current_tgid()), read(leader, offset!(task_start_boottime))];
    ENDED.insert(key, 0, NOEXIST).is_ok()
}

/// `SIGNAL_GROUP_EXIT` of include/linux/sched/signal.h.
const GROUP_EXIT: u32 = 4;

/// What the parent's wait will say, as kernel/exit.c finds it.
#[inline(always)]
fn exit_code(task: u64, signal: u64) -> i32 {
    if is_ending(signal) {
        read(signal, offset!(signal_group_exit_code))
    } else {
        read(read(task, offset!(task_group_leader)), offset!(task_exit_code))
    }
}

/// Whether the whole process ends, by a signal or exit_group(2).
#[inline(always)]
fn is_ending(signal: u64) -> bool {
    read::<u32>(signal, offset!(signal_flags)) & GROUP_EXIT != 0
}
