//! Signals by sender, target and what became of them.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::Sheet;
use crate::event::number::SignalNumber;
use crate::event::{Action, Outcome, Process, Signal};
use crate::view::lines::name;

/// A signal, who sent it and to whom, and what became of it.
type Key = (SignalNumber, Process, Process, &'static str);

/// A signal that waits: from whom, to whom, and as what it is counted so far.
type Waiting = (Process, Process, &'static str);

/// Counts. A signal that was queued is counted by what its target does with it, once it does.
#[derive(Default)]
pub(super) struct Signals {
    rows: BTreeMap<Key, u64>,
    /// The signals that wait, by target and signal.
    waiting: HashMap<(u32, SignalNumber), VecDeque<Waiting>>,
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
                    let waiting = self.waiting.entry((target.pid, *signal)).or_default();
                    waiting.push_back((process.clone(), target.clone(), became));
                }
                *self.rows.entry((*signal, process.clone(), target.clone(), became)).or_default() += 1;
            }
            Signal::Handle { signal, action, .. } => {
                let became = match action {
                    Action::Handler => "handler ran",
                    Action::Terminate => "ended it",
                    Action::Core => "ended it, core dump",
                    Action::Stop => "stopped it",
                    Action::Nothing => "nothing",
                };
                self.settle(process, *signal, became);
            }
            Signal::Take { signal } => self.settle(process, *signal, "taken by sigwait"),
        }
    }

    /// The first of the signals that wait is dealt with. One that was sent before watching began, or that each thread of an
    /// ending process is told of, is not counted.
    fn settle(&mut self, process: &Process, signal: SignalNumber, became: &'static str) {
        let waiting = self.waiting.get_mut(&(process.pid, signal)).and_then(VecDeque::pop_front);
        let Some((from, to, was)) = waiting else { return };
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
