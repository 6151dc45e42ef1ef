//! Processes: who made them, what they ran, how long they lived and how they ended.

use std::collections::HashMap;

use super::Sheet;
use crate::event::{End, Life, Process, Wait};
use crate::view::duration;
use crate::view::lines::name;

/// The processes, in the order in which they were seen.
#[derive(Default)]
pub(super) struct Processes {
    lives: Vec<Known>,
    /// The last one of a process id.
    by_pid: HashMap<u32, usize>,
}

struct Known {
    process: Process,
    parent: Option<String>,
    program: String,
    children: u64,
    threads: u64,
    /// Nanoseconds that it waited for its children.
    waited: u64,
    begin: Option<u64>,
    end: Option<(End, u64)>,
}

impl Processes {
    pub(super) fn add(&mut self, time: u64, process: &Process, life: &Life) {
        let known = self.known(process);
        known.process = process.clone();
        match life {
            Life::Create { child } => {
                known.children += 1;
                let (parent, program) = (name(process), known.program.clone());
                self.by_pid.remove(&child.pid);
                let child = self.known(child);
                child.parent = Some(parent);
                child.program = program;
                child.begin = Some(time);
            }
            Life::LwpCreate { .. } => known.threads += 1,
            Life::ExecSuccess { arguments, .. } => known.program = arguments.to_string(),
            Life::ExecFailure { .. } => {}
            Life::Exit { end, .. } => known.end = Some((*end, time)),
        }
    }

    pub(super) fn wait(&mut self, process: &Process, wait: &Wait) {
        self.known(process).waited += wait.latency;
    }

    fn known(&mut self, process: &Process) -> &mut Known {
        let index = *self.by_pid.entry(process.pid).or_insert(self.lives.len());
        if index == self.lives.len() {
            self.lives.push(Known {
                process: process.clone(),
                parent: None,
                program: String::new(),
                children: 0,
                threads: 0,
                waited: 0,
                begin: None,
                end: None,
            });
        }
        &mut self.lives[index]
    }

    pub(super) fn sheet(&self, end: u64) -> Sheet {
        Sheet {
            title: "Processes",
            words: &["PROCESS", "MADE BY", "END", "ARGUMENTS"],
            numbers: &["FORKS", "THREADS", "WAITED", "LIVED"],
            rows: self.lives.iter().map(|known| known.row(end)).collect(),
        }
    }
}

/// Columns of the arguments.
const ARGUMENTS: usize = 40;

impl Known {
    fn row(&self, now: u64) -> Vec<String> {
        let (ended, until) = match self.end {
            Some((End::Exited { status }, time)) => (format!("status {status}"), time),
            Some((End::Killed { signal } | End::Dumped { signal }, time)) => (signal.to_string(), time),
            None => ("lives".to_owned(), now),
        };
        vec![
            name(&self.process),
            self.parent.clone().unwrap_or_else(|| "before".to_owned()),
            ended,
            crate::view::canvas::fit(&self.program, ARGUMENTS),
            self.children.to_string(),
            self.threads.to_string(),
            duration(self.waited),
            self.begin.map_or_else(|| "-".to_owned(), |begin| duration(until.saturating_sub(begin))),
        ]
    }
}
