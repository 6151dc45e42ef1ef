//! Signals as lines.

use super::{Lines, Spans, name};
use crate::event::{Action, Origin, Outcome, Signal};

pub(super) fn say(signal: &Signal, lines: &Lines, pid: u32) -> Spans {
    match signal {
        Signal::Send { signal, origin, code, target, thread, group, outcome, address, value } => {
            let mut whom = if target.pid == pid { "itself".to_owned() } else { name(target) };
            if !group && *thread != target.pid {
                whom += &format!(", thread {thread}");
            }
            let spans = Spans::verb(format!("{signal}")).then(format!(" -> {whom}"));
            let spans = match origin {
                Origin::Fault if signal.0 == libc::SIGSYS => {
                    spans.then(format!(", for a system call ({code})"))
                }
                Origin::Fault => spans.then(format!(", for a fault at {:#x} ({code})", address.unwrap_or(0))),
                Origin::Timer => spans.then(", by its timer"),
                Origin::Sigqueue => spans.then(format!(", by sigqueue with {}", number(value.unwrap_or(0)))),
                Origin::Io => spans.then(format!(", for its input or output ({code})")),
                Origin::Mqueue => spans.then(", for its message queue"),
                Origin::Child => spans.then(format!(", {code}")),
                Origin::Kill | Origin::Tkill | Origin::Kernel => spans,
            };
            match outcome {
                Outcome::Ignored if signal.0 == libc::SIGCONT => spans.then(": it goes on"),
                Outcome::Queued => spans,
                Outcome::Blocked => spans.trouble(": blocked, it waits"),
                Outcome::Ignored => spans.trouble(": ignored"),
                Outcome::Merged => spans.trouble(": one is waiting already"),
                Outcome::Lost => spans.trouble(": lost, there is no room"),
            }
        }
        Signal::Handle { signal, sender, thread, action, handler, .. } => {
            let spans = Spans::verb(format!("{signal}"));
            let spans = match lines.sender(pid, *signal).or(*sender) {
                Some(0) => spans.then(" from the kernel"),
                Some(sender) if sender == pid => spans.then(" from itself"),
                Some(sender) => spans.then(format!(" from {}", lines.process(sender))),
                None => spans,
            };
            match action {
                Action::Handler => {
                    let spans = spans.then(": its handler runs").then(by_thread(*thread, pid));
                    spans.aside(format!("  {:#x}", handler.unwrap_or(0)))
                }
                Action::Terminate if signal.0 == libc::SIGKILL => spans.trouble(": ends it"),
                Action::Terminate => spans.trouble(": ends it, as there is no handler"),
                Action::Core => spans.trouble(": ends it and may dump core, as there is no handler"),
                Action::Stop => spans.trouble(": stops it"),
                Action::Nothing => spans.then(": nothing happens, as there is no handler"),
            }
        }
        Signal::Take { signal, thread } => {
            Spans::verb(format!("{signal}")).then(": taken by sigwait").then(by_thread(*thread, pid))
        }
    }
}

/// The thread that deals with a signal, where it is not the process's first.
fn by_thread(thread: u32, pid: u32) -> String {
    if thread == pid { String::new() } else { format!(" in thread {thread}") }
}

/// A `union sigval`: an integer where it may be one.
fn number(value: u64) -> String {
    match u32::try_from(value) {
        Ok(small) => (small as i32).to_string(),
        Err(_) => format!("{value:#x}"),
    }
}
