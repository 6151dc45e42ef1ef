//! Events as lines: when, who, and what he did to whom.
//!
//! Invariant: what a traced program has chosen stands in a line only escaped, so that a line is a line.

mod life;
mod pipe;
mod signal;
mod socket;
mod tcp;

use std::collections::HashMap;

use super::Style;
use super::canvas::Paint;
use super::pending::{Pending, Settled};
use crate::event::number::SignalNumber;
use crate::event::{End, Event, Life, Outcome, Process, Signal, What};

/// Columns of the time and of the process.
const TIME: usize = 11;
const PROCESS: usize = 23;

/// Writes lines, and remembers what one line needs of those before.
pub struct Lines {
    style: Style,
    start: u64,
    names: HashMap<u32, String>,
    pending: Pending<()>,
    /// Who sent the signal that a process dealt with last: its other threads are told of it, too.
    senders: HashMap<(u32, SignalNumber), u32>,
    /// The children of the processes, and how they have ended.
    children: HashMap<u32, Child>,
    numbers: tcp::Numbers,
}

/// What a process's parent is told of it.
#[derive(Default)]
struct Child {
    parent: u32,
    end: Option<End>,
}

impl Lines {
    /// Times are counted from `start`, nanoseconds of the events' clock.
    pub fn new(style: Style, start: u64) -> Lines {
        Lines {
            style,
            start,
            names: HashMap::new(),
            pending: Pending::default(),
            senders: HashMap::new(),
            children: HashMap::new(),
            numbers: tcp::Numbers::default(),
        }
    }

    /// What stands above the columns.
    pub fn heading(&self) -> String {
        Paint::Dim.on(&format!("{:>TIME$}  {:PROCESS$} EVENT", "TIME ms", "PROCESS"), &self.style) + "\n"
    }

    /// The line of an event.
    pub fn line(&mut self, event: &Event) -> String {
        self.learn(event);
        let (paint, spans) = match &event.what {
            What::Signal(signal) => (Paint::Yellow, signal::say(signal, self, event.process.pid)),
            What::Life(life) => (Paint::Green, life::say(life)),
            What::Wait(wait) => (Paint::Green, life::say_wait(wait, self, event.process.pid)),
            What::Pipe(pipe) => (Paint::Blue, pipe::say(pipe)),
            What::Socket(call) => (Paint::Magenta, socket::say(call)),
            What::Tcp(tcp) => (Paint::Cyan, self.numbers.say(tcp)),
        };
        let since = event.time.saturating_sub(self.start) as f64 / 1e6;
        let mut line = Paint::Dim.on(&format!("{since:>TIME$.3}"), &self.style);
        line += &format!("  {:PROCESS$} ", name(&event.process));
        for (text, part) in spans.0 {
            let paint = match part {
                Part::Verb => paint,
                Part::Plain => Paint::Plain,
                Part::Aside => Paint::Dim,
                Part::Trouble => Paint::Red,
            };
            line += &paint.on(&text, &self.style);
        }
        line + "\n"
    }

    fn learn(&mut self, event: &Event) {
        let mut know = |process: &Process| {
            if process.pid != 0 {
                self.names.insert(process.pid, name(process));
            }
        };
        know(&event.process);
        match &event.what {
            What::Signal(Signal::Send { target, signal, thread, group, outcome, .. }) => {
                know(target);
                if matches!(outcome, Outcome::Queued | Outcome::Blocked) {
                    let thread = (!group).then_some(*thread);
                    self.pending.sent(event.process.pid, target.pid, thread, *signal, ());
                }
            }
            What::Signal(signal) => {
                if let Some(settled) = Settled::by(&event.process, signal) {
                    self.settle(settled);
                }
            }
            What::Life(Life::Create { child }) => {
                know(child);
                self.children.insert(child.pid, Child { parent: event.process.pid, end: None });
            }
            What::Life(Life::Exit { parent, end }) => {
                self.children.insert(event.process.pid, Child { parent: *parent, end: Some(*end) });
            }
            _ => {}
        }
    }

    fn settle(&mut self, settled: Settled) {
        if let Some((sender, ())) = self.pending.settled(settled) {
            self.senders.insert((settled.target, settled.signal), sender);
        }
    }

    /// Who sent a process the signal that it deals with, 0 for the kernel.
    fn sender(&self, target: u32, signal: SignalNumber) -> Option<u32> {
        self.senders.get(&(target, signal)).copied()
    }

    /// What a process is told of a child that it waits for. A number that is not that of its child comes from a PID namespace.
    fn child(&self, parent: u32, child: u32) -> Option<&Child> {
        self.children.get(&child).filter(|child| child.parent == parent)
    }

    /// A process of which only the id is known by now.
    fn process(&self, pid: u32) -> String {
        self.names.get(&pid).cloned().unwrap_or_else(|| format!("process {pid}"))
    }
}

/// A process by name and id.
pub(super) fn name(process: &Process) -> String {
    let Process { pid, execname } = process;
    match pid {
        0 if execname.is_empty() => "-".to_owned(),
        0 => execname.to_string(),
        _ => format!("{execname} {pid}"),
    }
}

/// What a part of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// What happens: in the colour of the family.
    Verb,
    Plain,
    Aside,
    Trouble,
}

/// The parts of a line, in order.
struct Spans(Vec<(String, Part)>);

impl Spans {
    fn verb(text: impl Into<String>) -> Spans {
        Spans(vec![(text.into(), Part::Verb)])
    }

    fn plain(text: impl Into<String>) -> Spans {
        Spans(vec![(text.into(), Part::Plain)])
    }

    fn then(mut self, text: impl Into<String>) -> Spans {
        self.0.push((text.into(), Part::Plain));
        self
    }

    fn then_verb(mut self, text: impl Into<String>) -> Spans {
        self.0.push((text.into(), Part::Verb));
        self
    }

    fn aside(mut self, text: impl Into<String>) -> Spans {
        self.0.push((text.into(), Part::Aside));
        self
    }

    fn trouble(mut self, text: impl Into<String>) -> Spans {
        self.0.push((text.into(), Part::Trouble));
        self
    }
}

#[cfg(test)]
mod tests;
