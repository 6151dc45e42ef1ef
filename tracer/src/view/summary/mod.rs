//! What events come to, in tables: the end of a watch.
//!
//! Invariant: every event of a family is in that family's tables, and the tables say nothing that no event has said.

mod life;
mod pipe;
mod signal;
mod socket;
mod tcp;

use crate::event::{Event, What};
use crate::output::table;

/// Adds up events.
#[derive(Default)]
pub struct Summary {
    signals: signal::Signals,
    pipes: pipe::Pipes,
    sockets: socket::Sockets,
    connections: tcp::Connections,
    processes: life::Processes,
}

impl Summary {
    /// Adds an event.
    pub fn add(&mut self, event: &Event) {
        match &event.what {
            What::Signal(signal) => self.signals.add(&event.process, signal),
            What::Life(life) => self.processes.add(event.time, &event.process, life),
            What::Wait(wait) => self.processes.wait(&event.process, wait),
            What::Pipe(pipe) => self.pipes.add(&event.process, pipe),
            What::Socket(call) => self.sockets.add(&event.process, call),
            What::Tcp(tcp) => self.connections.add(event.time, &event.process, tcp),
        }
    }

    /// The tables that have rows, under their titles. `end` is when watching ended.
    pub fn render(&self, end: u64) -> String {
        let mut sheets = vec![self.signals.sheet()];
        sheets.extend(self.pipes.sheets());
        sheets.push(self.sockets.sheet());
        sheets.extend(self.connections.sheets(end));
        sheets.push(self.processes.sheet(end));
        sheets.iter().filter(|sheet| !sheet.rows.is_empty()).map(Sheet::render).collect()
    }
}

/// A table with its title. The first columns are words, the others numbers.
struct Sheet {
    title: &'static str,
    words: &'static [&'static str],
    numbers: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

impl Sheet {
    fn render(&self) -> String {
        let headers = [self.words, self.numbers].concat();
        format!("\n{}\n{}", self.title, table::render_numbers(&headers, &self.rows, self.words.len()))
    }
}

#[cfg(test)]
mod tests;
