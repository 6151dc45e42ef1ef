//! Signals by sender, target and what became of them.

use std::collections::BTreeMap;

use super::Sheet;
use crate::event::number::SignalNumber;
use crate::event::{Action, Outcome, Process, Signal};
use crate::view::lines::name;
use crate::view::pending::{Pending, Settled};

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
/// Read from a signalfd, or thrown away when its target began to ignore it.
const GONE: &str = "gone unseen";

impl Signals {
    pub(super) fn add(&mut self, process: &Process, signal: &Signal) {
        match signal {
            Signal::Send { signal, target, thread, group, outcome, .. } => {
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
                    let thread = (!group).then_some(*thread);
                    if let Some(gone) = self.waiting.sent(process.pid, target.pid, thread, *signal, waiting) {
                        turn(&mut self.rows, *signal, &gone, GONE);
                    }
                }
                *self.rows.entry((*signal, process.clone(), target.clone(), became)).or_default() += 1;
            }
            Signal::Handle { action, .. } => {
                let became = match action {
                    Action::Handler => "handler ran",
                    Action::Terminate => "ended it",
                    Action::Core => "ended it (core)",
                    Action::Stop => "stopped it",
                    Action::Nothing => "nothing",
                };
                self.settle(process, signal, became);
            }
            Signal::Take { .. } => self.settle(process, signal, "taken by sigwait"),
        }
    }

    /// One of the signals that wait is dealt with; what was not sent is not counted.
    fn settle(&mut self, process: &Process, signal: &Signal, became: &'static str) {
        let Some(settled) = Settled::by(process, signal) else { return };
        if let Some((_, waiting)) = self.waiting.settled(settled) {
            turn(&mut self.rows, settled.signal, &waiting, became);
        }
    }

    pub(super) fn sheet(&self) -> Sheet {
        let mut rows = self.rows.clone();
        self.waiting.gone().for_each(|(signal, waiting)| turn(&mut rows, signal, waiting, GONE));
        let row = |((signal, from, to, became), count): (&Key, &u64)| {
            vec![signal.to_string(), name(from), name(to), (*became).to_owned(), count.to_string()]
        };
        Sheet {
            title: "Signals",
            words: &["SIGNAL", "FROM", "TO", "OUTCOME"],
            numbers: &["COUNT"],
            rows: rows.iter().map(row).collect(),
        }
    }
}

/// Counts a signal that waited as what became of it.
fn turn(rows: &mut BTreeMap<Key, u64>, signal: SignalNumber, waiting: &Waiting, became: &'static str) {
    let (from, to, was) = waiting;
    let key = (signal, from.clone(), to.clone(), *was);
    if let Some(count) = rows.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            rows.remove(&key);
        }
    }
    *rows.entry((signal, key.1, key.2, became)).or_default() += 1;
}
