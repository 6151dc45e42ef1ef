//! Signals as lines.

use super::{Lines, Spans, name};
use crate::event::{Action, Origin, Outcome, Signal};

pub(super) fn say(signal: &Signal, lines: &Lines, pid: u32) -> Spans {
    match signal {
        Signal::Send { signal, origin, target, thread, group, outcome, address } => {
            let mut whom = if target.pid == pid { "itself".to_owned() } else { name(target) };
            if !group && *thread != target.pid {
                whom += &format!(", thread {thread}");
            }
            let spans = Spans::verb(format!("{signal}")).then(format!(" -> {whom}"));
            let spans = match (origin, address) {
                (Origin::Fault, Some(address)) => spans.then(format!(", for a fault at {address:#x}")),
                (Origin::Timer, _) => spans.then(", by its timer"),
                (Origin::Sigqueue, _) => spans.then(", by sigqueue"),
                (Origin::Io, _) => spans.then(", for its input or output"),
                (Origin::Mqueue, _) => spans.then(", for its message queue"),
                _ => spans,
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
        Signal::Handle { signal, sender, action, handler, .. } => {
            let spans = Spans::verb(format!("{signal}"));
            let last = lines.sender(pid, *signal);
            // Of a signal by the kernel itself the target may see itself as the sender.
            let sender = if last == Some(0) { last } else { sender.or(last) };
            let spans = match sender {
                Some(0) => spans.then(" from the kernel"),
                Some(sender) if sender == pid => spans.then(" from itself"),
                Some(sender) => spans.then(format!(" from {}", lines.process(sender))),
                None => spans,
            };
            match action {
                Action::Handler => {
                    spans.then(": its handler runs").aside(format!("  {:#x}", handler.unwrap_or(0)))
                }
                Action::Terminate if signal.0 == libc::SIGKILL => spans.trouble(": ends it"),
                Action::Terminate => spans.trouble(": ends it, as there is no handler"),
                Action::Core => spans.trouble(": ends it with a core dump, as there is no handler"),
                Action::Stop => spans.trouble(": stops it"),
                Action::Nothing => spans.then(": nothing happens, as there is no handler"),
            }
        }
        Signal::Take { signal } => Spans::verb(format!("{signal}")).then(": taken by sigwait"),
    }
}
