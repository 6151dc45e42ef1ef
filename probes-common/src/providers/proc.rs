//! The proc provider: signals and the life of processes.

use crate::probe::{Arg, Support};
use crate::record;
use crate::table::{probes, programs, supports};
use crate::types::{LwpsInfo, PsInfo, SigInfo};

record! {
    /// A signal is sent, or thrown away because its target ignores it.
    pub struct SignalSend as "signal_send" {
        /// The thread it is for.
        0 lwp: LwpsInfo as "lwpsinfo_t *";
        /// The process it is for.
        8 ps: PsInfo as "psinfo_t *";
        /// What comes with it.
        24 info: SigInfo as "siginfo_t *";
        /// The signal.
        25 sig: i32 as "int";
        /// What became of it: 0 queued, 1 ignored, 2 already pending, 3 lost, 4 queued without its siginfo.
        25 result: i32 as "int";
        /// 1 when it is for the whole process, 0 for one thread.
        25 group: i32 as "int";
        /// 1 when that thread blocks it: it stays pending.
        25 blocked: i32 as "int";
        /// 1 when the kernel sends it on its own account: a timer's, the terminal's, a broken pipe's.
        25 kernel: i32 as "int";
        /// Unused, zero.
        25 pad: i32 as "int";
        /// The process in whose context it is sent.
        32 from: PsInfo as "psinfo_t *";
    }

    /// A signal is taken from the queue to be handled.
    pub struct SignalHandle as "signal_handle" {
        /// What comes with it.
        0 info: SigInfo as "siginfo_t *";
        /// The handler: 0 for the default action.
        1 handler: u64 as "uintptr_t";
        /// The signal.
        1 sig: i32 as "int";
        /// Flags of sigaction(2).
        1 flags: u32 as "uint32_t";
    }

    /// A signal is taken from the queue by sigwait and its like.
    pub struct SignalClear as "signal_clear" {
        /// The signal.
        0 sig: i32 as "int";
        /// Unused, zero.
        0 pad: i32 as "int";
    }

    /// A thread did what the machine refuses.
    pub struct Fault as "proc_fault" {
        /// The kind of fault: a value of [`FLT`](crate::names::FLT).
        0 fault: i32 as "int";
        /// Unused, zero.
        0 pad: i32 as "int";
        /// The signal that it gets for it.
        1 info: SigInfo as "siginfo_t *";
    }

    /// A process or thread is made.
    pub struct Create as "proc_create" {
        /// The new process, or the process of the new thread.
        0 ps: PsInfo as "psinfo_t *";
        /// The new thread.
        16 lwp: LwpsInfo as "lwpsinfo_t *";
    }

    /// A program is to be run.
    pub struct Exec as "proc_exec" {
        /// The program's path as it was given, cut at 255 bytes.
        0 path: [u8; 256] as "char[256]";
    }

    /// A program runs.
    pub struct ExecSuccess as "proc_exec_success" {
        /// The program's path as it was given, cut at 255 bytes.
        0 path: [u8; 256] as "char[256]";
        /// Its arguments, separated by spaces, cut at 79 bytes.
        1 psargs: [u8; 80] as "char[80]";
    }

    /// A program could not be run.
    pub struct ExecFailure as "proc_exec_failure" {
        /// The error.
        0 error: i32 as "int";
        /// Unused, zero.
        0 pad: i32 as "int";
        /// The program's path as it was given, cut at 255 bytes.
        1 path: [u8; 256] as "char[256]";
    }

    /// Something without arguments.
    pub struct Start as "proc_start" {
        /// Unused, zero.
        0 zero: u64 as "uint64_t";
    }

    /// A process ends.
    pub struct Exit as "proc_exit" {
        /// CLD_EXITED 1, CLD_KILLED 2 by a signal, CLD_DUMPED 3 the same with a core dump.
        0 reason: i32 as "int";
        /// The exit status, or the signal.
        0 status: i32 as "int";
    }
}

supports! {
    /// Notes when a thread begins to run on a CPU: for vtimestamp.
    THREAD_SWITCH = "thread_switch" on "sched_switch";
    /// Keeps the arguments of a process, which cannot be read from another's context, when it runs a program.
    PSARGS_EXEC = "psargs_exec" on "sched_process_exec";
    /// Keeps the arguments of a new process.
    PSARGS_FORK = "psargs_fork" on "sched_process_fork";
    /// Support: forgets them when the process is no more.
    PSARGS_FREE = "psargs_free" on "sched_process_free";
}

/// What knows the arguments of processes whose memory cannot be read.
pub(super) const PSARGS: &[Support] = &[PSARGS_EXEC, PSARGS_FORK, PSARGS_FREE];

programs! {
    /// signal-send.
    SIGNAL_SEND = "proc_signal_send" on "signal_generate": SignalSend, PSARGS;
    /// signal-discard.
    SIGNAL_DISCARD = "proc_signal_discard" on "signal_generate": SignalSend, PSARGS;
    /// signal-handle.
    SIGNAL_HANDLE = "proc_signal_handle" on "signal_deliver": SignalHandle, &[];
    /// signal-clear.
    SIGNAL_CLEAR = "proc_signal_clear" on "sys_exit": SignalClear, &[];
    /// fault.
    FAULT = "proc_fault" on "signal_generate": Fault, &[];
    /// create.
    CREATE = "proc_create" on "sched_process_fork": Create, &[];
    /// lwp-create.
    LWP_CREATE = "proc_lwp_create" on "sched_process_fork": Create, &[];
    /// exec.
    EXEC = "proc_exec" on "sys_enter": Exec, &[];
    /// exec-failure.
    EXEC_FAILURE = "proc_exec_failure" on "sys_exit": ExecFailure, &[];
    /// exec-success.
    EXEC_SUCCESS = "proc_exec_success" on "sched_process_exec": ExecSuccess, &[];
    /// start.
    START = "proc_start" on "sys_exit": Start, &[];
    /// lwp-start.
    LWP_START = "proc_lwp_start" on "sys_exit": Start, &[];
    /// lwp-exit.
    LWP_EXIT = "proc_lwp_exit" on "sched_process_exit": Start, &[];
    /// exit.
    EXIT = "proc_exit" on "sched_process_exit": Exit, &[];
}

const SIGNAL_SEND_ARGS: &[Arg] = &[
    Arg { ctype: "lwpsinfo_t *", field: "lwp", doc: "the thread that the signal is for" },
    Arg { ctype: "psinfo_t *", field: "ps", doc: "the process that the signal is for" },
    Arg { ctype: "int", field: "sig", doc: "the signal" },
    Arg { ctype: "siginfo_t *", field: "info", doc: "what comes with it" },
    Arg {
        ctype: "int",
        field: "result",
        doc: "what became of it: 0 queued, 1 ignored, 2 already pending, 3 lost, 4 queued without its siginfo",
    },
    Arg { ctype: "int", field: "group", doc: "1 when it is for the whole process, 0 for one thread" },
    Arg { ctype: "psinfo_t *", field: "from", doc: "the process in whose context it is sent" },
    Arg {
        ctype: "int",
        field: "blocked",
        doc: "1 when the thread that it is for blocks it: it stays pending",
    },
    Arg {
        ctype: "int",
        field: "kernel",
        doc: "1 when the kernel sends it on its own account: a timer's, the terminal's, a broken pipe's",
    },
];

probes! { "proc":
    "signal-send", SIGNAL_SEND, SIGNAL_SEND_ARGS,
        "Fires when a signal is sent, in the context of the sender; of a signal that the kernel sends on its own (a timer's, the \
         terminal's), in that of whatever runs. One that the target ignores fires too, with result 1.";
    "signal-discard", SIGNAL_DISCARD, SIGNAL_SEND_ARGS,
        "Fires when a signal is sent to a process that ignores it, in the context of the sender.";
    "signal-handle", SIGNAL_HANDLE, &[
            Arg { ctype: "int", field: "sig", doc: "the signal" },
            Arg { ctype: "siginfo_t *", field: "info", doc: "what comes with it" },
            Arg { ctype: "uintptr_t", field: "handler", doc: "the handler's address; 0 for the default action" },
            Arg { ctype: "uint32_t", field: "flags", doc: "flags of sigaction(2): SA_RESTART 0x10000000 and so on" },
        ],
        "Fires in the target when a signal is about to be handled, by a handler or by the default action. Of one that ends the \
         process at once, the siginfo is gone by then: who sent it, signal-send tells.";
    "signal-clear", SIGNAL_CLEAR, &[Arg { ctype: "int", field: "sig", doc: "the signal" }],
        "Fires in the target when sigwait(3), sigwaitinfo(2) or sigtimedwait(2) has taken a signal.";
    "fault", FAULT, &[
            Arg { ctype: "int", field: "fault", doc: "the kind of fault: FLTILL, FLTBOUNDS, FLTIZDIV and so on" },
            Arg { ctype: "siginfo_t *", field: "info", doc: "the signal for it, with the address in si_addr" },
        ],
        "Fires in a thread that did what the machine refuses: a wrong address or instruction, a division by zero, a breakpoint.";
    "create", CREATE, &[Arg { ctype: "psinfo_t *", field: "ps", doc: "the new process" }],
        "Fires in the parent when a process is made: by fork, vfork or clone.";
    "lwp-create", LWP_CREATE, &[
            Arg { ctype: "lwpsinfo_t *", field: "lwp", doc: "the new thread" },
            Arg { ctype: "psinfo_t *", field: "ps", doc: "its process" },
        ],
        "Fires in the creating thread when a thread is made, the first of a new process included.";
    "exec", EXEC, &[Arg { ctype: "string", field: "path", doc: "the program's path as it was given" }],
        "Fires when a process is about to run a program. Empty when the path was not in memory yet.";
    "exec-failure", EXEC_FAILURE, &[
            Arg { ctype: "int", field: "error", doc: "the error" },
            Arg { ctype: "string", field: "path", doc: "the program's path as it was given" },
        ],
        "Fires when a program could not be run.";
    "exec-success", EXEC_SUCCESS, &[
            Arg { ctype: "string", field: "path", doc: "the program's path as it was given" },
            Arg { ctype: "string", field: "psargs", doc: "its arguments, separated by spaces, cut at 79 bytes" },
        ],
        "Fires in the new program, before its first instruction.";
    "start", START, &[],
        "Fires in a new process, before its first instruction.";
    "lwp-start", LWP_START, &[],
        "Fires in a new thread, the first of a new process included.";
    "exit", EXIT, &[
            Arg { ctype: "int", field: "reason", doc: "CLD_EXITED 1; CLD_KILLED 2, by a signal; CLD_DUMPED 3, with a core dump" },
            Arg { ctype: "int", field: "status", doc: "the exit status, or the signal" },
        ],
        "Fires in a process when its last thread ends.";
    "lwp-exit", LWP_EXIT, &[],
        "Fires in a thread when it ends.";
}
