//! Signals: sent, handled, taken.

use serde::Serialize;

use super::Process;
use super::codes::SignalCode;
use super::fields::Fields;
use super::number::SignalNumber;

/// What happens to a signal.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "name")]
pub enum Signal {
    /// The event's process sends it.
    #[serde(rename = "signal-send")]
    Send {
        /// The signal.
        signal: SignalNumber,
        /// How it came to be.
        origin: Origin,
        /// The same in full, by the name of its siginfo's code.
        code: SignalCode,
        /// Whom it is for.
        target: Process,
        /// The thread that it is for.
        thread: u32,
        /// Whether it is for the whole process, not for one thread.
        group: bool,
        /// What became of it at once.
        outcome: Outcome,
        /// The address that could not be used, of a fault.
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<u64>,
        /// What sigqueue(3), a timer or a message queue sends along.
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<u64>,
    },
    /// The event's process is about to handle it.
    #[serde(rename = "signal-handle")]
    Handle {
        /// The signal.
        signal: SignalNumber,
        /// How it came to be.
        origin: Origin,
        /// The same in full.
        code: SignalCode,
        /// The process that sent it, where that is still known: by its id as the event's process sees it, which is another one
        /// where that is in a PID namespace.
        #[serde(skip_serializing_if = "Option::is_none")]
        sender: Option<u32>,
        /// The thread that handles it.
        thread: u32,
        /// What it does to the process.
        action: Action,
        /// The handler's address, where there is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        handler: Option<u64>,
    },
    /// The event's process has taken it by sigwait(3) or its like.
    #[serde(rename = "signal-clear")]
    Take {
        /// The signal.
        signal: SignalNumber,
        /// The thread that has taken it.
        thread: u32,
    },
}

/// How a signal came to be: its siginfo's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// kill(2).
    Kill,
    /// tkill(2) or tgkill(2): raise(3), pthread_kill(3).
    Tkill,
    /// sigqueue(3).
    Sigqueue,
    /// A timer of the process's own.
    Timer,
    /// A message queue.
    Mqueue,
    /// Input or output that has become possible, or is done.
    Io,
    /// A child's end, stop or continuation.
    Child,
    /// An instruction that the processor could not carry out.
    Fault,
    /// The kernel: the terminal, an alarm, a limit, a pipe that nobody reads.
    Kernel,
}

impl Origin {
    /// By the signal and its `si_code` (include/uapi/asm-generic/siginfo.h).
    fn of(signal: i32, code: i32) -> Origin {
        match code {
            0 => Origin::Kill,
            -1 => Origin::Sigqueue,
            -2 => Origin::Timer,
            -3 => Origin::Mqueue,
            -4 | -5 | -60 => Origin::Io,
            -6 => Origin::Tkill,
            0x80 => Origin::Kernel,
            _ if signal == libc::SIGCHLD => Origin::Child,
            _ if signal == libc::SIGIO => Origin::Io,
            1.. => Origin::Fault,
            _ => Origin::Kernel,
        }
    }

    /// Whether a process did it, the one in whose context it is sent.
    pub fn is_process(self) -> bool {
        matches!(self, Origin::Kill | Origin::Tkill | Origin::Sigqueue | Origin::Child)
    }
}

/// What became of a signal when it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It waits to be handled.
    Queued,
    /// It waits until the target does not block it any more.
    Blocked,
    /// The target ignores it.
    Ignored,
    /// One like it was waiting already, and one is all that is kept.
    Merged,
    /// There was no room for it.
    Lost,
}

/// What a signal does when it is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A handler of the process runs.
    Handler,
    /// By default the process ends.
    Terminate,
    /// By default it ends and leaves a core dump, where that is allowed.
    Core,
    /// By default it stops.
    Stop,
    /// By default it goes on, or nothing happens.
    Nothing,
}

impl Action {
    /// What a signal does by default (signal(7)).
    fn default_of(signal: i32) -> Action {
        match signal {
            libc::SIGCHLD | libc::SIGURG | libc::SIGWINCH | libc::SIGCONT => Action::Nothing,
            libc::SIGSTOP | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU => Action::Stop,
            libc::SIGQUIT
            | libc::SIGILL
            | libc::SIGTRAP
            | libc::SIGABRT
            | libc::SIGBUS
            | libc::SIGFPE
            | libc::SIGSEGV
            | libc::SIGXCPU
            | libc::SIGXFSZ
            | libc::SIGSYS => Action::Core,
            _ => Action::Terminate,
        }
    }
}

/// Reads a record. What the kernel does in the context of a process that has nothing to do with it is the kernel's.
pub(super) fn read(name: &str, process: &mut Process, fields: &mut Fields<'_>) -> Option<Signal> {
    let number = fields.int()?;
    let signal = SignalNumber(number);
    if name == "signal-clear" {
        return Some(Signal::Take { signal, thread: fields.integer()? as u32 });
    }
    let code = fields.int()?;
    let origin = Origin::of(number, code);
    let code = SignalCode { signal: number, code };
    let sender = fields.integer()? as u32;
    if name == "signal-handle" {
        let thread = fields.integer()? as u32;
        let handler = fields.unsigned()?;
        return Some(Signal::Handle {
            signal,
            origin,
            code,
            sender: (sender != 0).then_some(sender),
            thread,
            action: if handler == 0 { Action::default_of(number) } else { Action::Handler },
            handler: (handler != 0).then_some(handler),
        });
    }
    let target = fields.process()?;
    let thread = fields.integer()? as u32;
    let result = fields.int()?;
    let group = fields.flag()?;
    let blocked = fields.flag()?;
    let kernel = fields.flag()?;
    let address = fields.unsigned()?;
    let value = fields.unsigned()?;
    // Of a broken pipe's the target sees what it would of its own kill(2).
    let origin = if kernel && origin == Origin::Kill { Origin::Kernel } else { origin };
    if !origin.is_process() {
        *process = Process::kernel();
    }
    // include/trace/events/signal.h
    let outcome = match result {
        0 | 4 if blocked => Outcome::Blocked,
        0 | 4 => Outcome::Queued,
        1 => Outcome::Ignored,
        2 => Outcome::Merged,
        _ => Outcome::Lost,
    };
    let address = (origin == Origin::Fault).then_some(address);
    let value = matches!(origin, Origin::Sigqueue | Origin::Timer | Origin::Mqueue).then_some(value);
    Some(Signal::Send { signal, origin, code, target, thread, group, outcome, address, value })
}
