//! Signals by sender, target and what became of them.

use std::collections::BTreeMap;

use super::Sheet;
use crate::event::number::SignalNumber;
use crate::event::{Action, Outcome, Process, Signal};
use crate::view::lines::name;
use crate::view::pending::Pending;

/// A signal, who sent it and to whom, and what became of it.
type Key = (SignalNumber, Process, Process, &'static str);

/// A signal that waits: from whom, to whom, and as what it is counted so far.
type Waiting = (Process, Process, &'static str);

/// Counts. A signal that was queued is counted by what its target does with it, once it does.
#[derive(Default)]
pub(super) struct Signals {
    rows: BTreeMap<Key, u64>,
    waiting: Pending<Waiting>,
}

const QUEUED: &str = "queued";
const BLOCKED: &str = "blocked, waits";

impl Signals {
    pub(super) fn add(&mut self, process: &Process, signal: &Signal) {
        match signal {
            Signal::Send { signal, target, outcome, .. } => {
                let became = match outcome {
                    Outcome::Queued => QUEUED,
                    Outcome::Blocked => BLOCKED,
                    Outcome::Ignored if signal.0 == libc::SIGCONT => "went on",
                    Outcome::Ignored => "ignored",
                    Outcome::Merged => "merged with one waiting",
                    Outcome::Lost => "lost",
                };
                if matches!(outcome, Outcome::Queued | Outcome::Blocked) {
                    let waiting = (process.clone(), target.clone(), became);
                    self.waiting.sent(process.pid, target.pid, *signal, waiting);
                }
                *self.rows.entry((*signal, process.clone(), target.clone(), became)).or_default() += 1;
            }
            Signal::Handle { signal, action, sender, .. } => {
                let became = match action {
                    Action::Handler => "handler ran",
                    Action::Terminate => "ended it",
                    Action::Core => "ended it (core)",
                    Action::Stop => "stopped it",
                    Action::Nothing => "nothing",
                };
                self.settle(process, *signal, *sender, became);
            }
            Signal::Take { signal } => self.settle(process, *signal, None, "taken by sigwait"),
        }
    }

    /// One of the signals that wait is dealt with; what was not sent is not counted.
    fn settle(&mut self, process: &Process, signal: SignalNumber, seen: Option<u32>, became: &'static str) {
        let Some((_, (from, to, was))) = self.waiting.settled(process.pid, signal, seen) else { return };
        let key = (signal, from, to, was);
        if let Some(count) = self.rows.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                self.rows.remove(&key);
            }
        }
        *self.rows.entry((signal, key.1, key.2, became)).or_default() += 1;
    }

    pub(super) fn sheet(&self) -> Sheet {
        let row = |((signal, from, to, became), count): (&Key, &u64)| {
            vec![signal.to_string(), name(from), name(to), (*became).to_owned(), count.to_string()]
        };
        Sheet {
            title: "Signals",
            words: &["SIGNAL", "FROM", "TO", "OUTCOME"],
            numbers: &["COUNT"],
            rows: self.rows.iter().map(row).collect(),
        }
    }
}
