//! Addresses of processes: which file is mapped there, and its symbol.
//!
//! What a process maps is told by the kernel as it happens, and what was mapped before the tracer came is read from /proc at
//! its start: so a process that has ended by the time that its stack is read is known.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::rc::Rc;

use super::files::{Files, Made, Named};
use super::maps::{Mapping, Mappings};
use crate::kernel::mappings::{Change, Changes, What};
use crate::output::value::Frame;

/// So many processes that have ended are remembered.
const ENDED: usize = 4096;

/// The processes that are known.
#[derive(Default)]
pub(super) struct Processes {
    files: Files,
    inner: RefCell<Inner>,
}

#[derive(Default)]
struct Inner {
    changes: Option<Changes>,
    known: HashMap<u32, Process>,
    /// Those that have ended, in order.
    ended: std::collections::VecDeque<u32>,
}

/// What is known of a process.
#[derive(Default, Clone)]
struct Process {
    /// The programs that it ran, the last one last: since when, and what was mapped.
    programs: Vec<(u64, Mappings)>,
    /// Whether what it had mapped before the tracer came has been read, or is known to be gone.
    complete: bool,
    made: Option<Rc<Made>>,
}

impl Processes {
    /// Those that are there now, since any of them may have ended by the time that it is asked about; what they map from
    /// now on is told by `changes`.
    pub(super) fn follow(changes: Option<Changes>) -> Processes {
        let mut inner = Inner { changes, ..Inner::default() };
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            if let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
                inner.complete(pid);
            }
        }
        Processes { files: Files::default(), inner: RefCell::new(inner) }
    }

    /// Takes note of what has happened since the last call.
    pub(super) fn catch_up(&self) {
        let mut inner = self.inner.borrow_mut();
        let changes = inner.changes.as_mut().map(Changes::read).unwrap_or_default();
        changes.into_iter().for_each(|change| inner.note(change));
    }

    /// What lies at an address of a process at a time.
    pub(super) fn frame(&self, pid: u32, address: u64, time: u64) -> Frame {
        self.catch_up();
        let mut inner = self.inner.borrow_mut();
        inner.complete(pid);
        if inner.known.get(&pid).is_none_or(|process| process.find(address, time).is_none()) {
            inner.read(pid);
        }
        let process = inner.known.get_mut(&pid);
        let mapping = process.as_ref().and_then(|process| process.find(address, time)).cloned();
        let named = match (&mapping, process) {
            (Some(mapping), _) if mapping.is_file() => self.files.find(pid, mapping, address),
            (Some(mapping), _) if mapping.is_vdso() => self.files.in_vdso(address - mapping.start),
            (Some(_), Some(process)) => process.made(pid, address),
            _ => None,
        };
        let (symbol, offset) = named.map_or((None, 0), |(name, offset)| (Some(name), offset));
        Frame { address, symbol, offset, module: mapping.and_then(|mapping| mapping.name()) }
    }
}

impl Inner {
    fn note(&mut self, Change { time, pid, what }: Change) {
        match what {
            What::Exec => {
                let process = self.known.entry(pid).or_default();
                process.complete = true;
                process.made = None;
                process.programs.push((time, Mappings::default()));
            }
            What::Mapped { start, end, offset, file, path } => {
                let process = self.known.entry(pid).or_default();
                if process.programs.is_empty() {
                    process.programs.push((0, Mappings::default()));
                }
                if let Some((_, mappings)) = process.programs.last_mut() {
                    mappings.add(Mapping { start, end, offset, file, path: Rc::new(path) });
                }
            }
            What::Forked { parent } => {
                // A child begins with what its parent has; a thread number of an ended process may come again.
                self.complete(parent);
                match self.known.get(&parent).and_then(|parent| parent.programs.last()) {
                    Some((_, mappings)) => {
                        let programs = vec![(time, mappings.clone())];
                        self.known.insert(pid, Process { programs, complete: true, made: None });
                    }
                    None => drop(self.known.remove(&pid)),
                }
            }
            What::Ended => {
                self.ended.push_back(pid);
                if self.ended.len() > ENDED
                    && let Some(oldest) = self.ended.pop_front()
                    && !self.ended.contains(&oldest)
                {
                    self.known.remove(&oldest);
                }
            }
        }
    }

    /// Reads what a process had mapped before it was followed, once.
    fn complete(&mut self, pid: u32) {
        if self.known.get(&pid).is_none_or(|process| !process.complete) {
            self.read(pid);
            self.known.entry(pid).or_default().complete = true;
        }
    }

    /// Reads what a process that is there has mapped now, unless it is about to end.
    fn read(&mut self, pid: u32) {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
        if maps.is_empty() {
            return;
        }
        let (process, now) = (self.known.entry(pid).or_default(), Mappings::parse(&maps));
        match process.programs.last_mut() {
            Some((_, mappings)) => *mappings = now,
            None => process.programs.push((0, now)),
        }
    }
}

impl Process {
    /// The mapping of an address in the program that it ran at that time, or else in any other.
    fn find(&self, address: u64, time: u64) -> Option<&Mapping> {
        let then = self.programs.partition_point(|(since, _)| *since <= time);
        let (before, after) = self.programs.split_at(then);
        before.iter().rev().chain(after).find_map(|(_, mappings)| mappings.find(address))
    }

    /// The function that a virtual machine made there.
    fn made(&mut self, pid: u32, address: u64) -> Option<Named> {
        self.made.get_or_insert_with(|| Rc::new(Made::read(pid))).find(address)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn change(time: u64, pid: u32, what: What) -> Change {
        Change { time, pid, what }
    }

    fn mapped(path: &str) -> What {
        What::Mapped { start: 0x1000, end: 0x2000, offset: 0, file: (8, 1, 0), path: PathBuf::from(path) }
    }

    /// No such process.
    const PID: u32 = u32::MAX - 1;

    #[test]
    fn an_address_belongs_to_the_program_of_its_time() {
        let mut inner = Inner::default();
        for change in [
            change(5, PID, What::Exec),
            change(6, PID, mapped("/bin/sh")),
            change(9, PID, What::Exec),
            change(10, PID, mapped("/bin/ls")),
            change(11, PID, What::Forked { parent: PID }),
            change(12, PID, What::Ended),
        ] {
            if !matches!(change.what, What::Forked { .. }) {
                inner.note(change);
            }
        }
        let name = |pid: u32, time| inner.known[&pid].find(0x1004, time).and_then(Mapping::name);
        assert_eq!(name(PID, 7).as_deref(), Some("sh"));
        assert_eq!(name(PID, 20).as_deref(), Some("ls"));
        assert_eq!(name(PID, u64::MAX).as_deref(), Some("ls"));
    }

    #[test]
    fn a_child_has_what_its_parent_had() {
        let mut inner = Inner::default();
        inner.note(change(1, PID, What::Exec));
        inner.note(change(2, PID, mapped("/bin/sh")));
        inner.note(change(3, PID - 1, What::Forked { parent: PID }));
        inner.note(change(4, PID, What::Exec));
        let name = |pid: u32| inner.known[&pid].find(0x1fff, 10).and_then(Mapping::name);
        assert_eq!(name(PID - 1).as_deref(), Some("sh"));
        assert!(inner.known[&PID].programs.len() == 2);
    }
}
