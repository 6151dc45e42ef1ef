//! Pipes: whose bytes went to whom, and how each end was used.
//!
//! What comes out of a pipe is what went in, in the same order; so a read's bytes are those of the oldest writes. A write that
//! waited is told after the reads that made room for it: they are owed its bytes until then.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::Sheet;
use crate::event::{PipeEvent, Process, Transfer};
use crate::view::duration;
use crate::view::lines::name;

/// The other end of bytes that were there before, are there still, or went another way than by read and write.
const NOBODY: &str = "nobody seen";

/// Bytes on their way, with the process at their known end.
type Chunks = VecDeque<(Process, u64)>;

#[derive(Default)]
pub(super) struct Pipes {
    flows: HashMap<u64, Flow>,
    /// By pipe, process and whether it writes.
    ends: BTreeMap<(u64, Process, bool), Use>,
    moved: BTreeMap<(u64, Process, Process), u64>,
}

/// A pipe's bytes that have not found their other end.
#[derive(Default)]
struct Flow {
    written: Chunks,
    owed: Chunks,
}

/// How a process uses an end.
#[derive(Default)]
struct Use {
    calls: u64,
    bytes: u64,
    smallest: Option<u64>,
    largest: u64,
    waited: u64,
    errors: u64,
    /// Calls that moved something: a read at the end of the data does not.
    moving: u64,
}

impl Pipes {
    pub(super) fn add(&mut self, process: &Process, event: &PipeEvent) {
        let (transfer, writes) = match event {
            PipeEvent::Write(transfer) => (transfer, true),
            PipeEvent::Read(transfer) => (transfer, false),
            _ => return,
        };
        let Transfer { pipe, bytes, blocked, .. } = transfer;
        let end = self.ends.entry((pipe.inode, process.clone(), writes)).or_default();
        end.calls += 1;
        end.waited += blocked;
        let Some(bytes) = *bytes else {
            end.errors += 1;
            return;
        };
        if bytes == 0 {
            return;
        }
        end.moving += 1;
        end.bytes += bytes;
        end.smallest = Some(end.smallest.map_or(bytes, |smallest| smallest.min(bytes)));
        end.largest = end.largest.max(bytes);

        let Flow { written, owed } = self.flows.entry(pipe.inode).or_default();
        let (others, own) = if writes { (owed, written) } else { (written, owed) };
        let mut left = bytes;
        while left > 0
            && let Some((other, there)) = others.front_mut()
        {
            let share = left.min(*there);
            let (writer, reader) = if writes { (process, &*other) } else { (&*other, process) };
            *self.moved.entry((pipe.inode, writer.clone(), reader.clone())).or_default() += share;
            left -= share;
            *there -= share;
            if *there == 0 {
                others.pop_front();
            }
        }
        if left > 0 {
            own.push_back((process.clone(), left));
        }
    }

    pub(super) fn sheets(&self) -> [Sheet; 2] {
        let mut moved: BTreeMap<(u64, String, String), u64> = BTreeMap::new();
        for ((inode, writer, reader), bytes) in &self.moved {
            *moved.entry((*inode, name(writer), name(reader))).or_default() += bytes;
        }
        for (inode, Flow { written, owed }) in &self.flows {
            for (writer, bytes) in written {
                *moved.entry((*inode, name(writer), NOBODY.to_owned())).or_default() += bytes;
            }
            for (reader, bytes) in owed {
                *moved.entry((*inode, NOBODY.to_owned(), name(reader))).or_default() += bytes;
            }
        }
        let from_to = |((inode, writer, reader), bytes): ((u64, String, String), u64)| {
            vec![inode.to_string(), writer, reader, bytes.to_string()]
        };
        [
            Sheet {
                title: "Pipes: from whom to whom",
                words: &["PIPE", "WRITER", "READER"],
                numbers: &["BYTES"],
                rows: moved.into_iter().map(from_to).collect(),
            },
            Sheet {
                title: "Pipes: how they are used",
                words: &["PIPE", "PROCESS", "CALL"],
                numbers: &["CALLS", "ERRORS", "BYTES", "SMALLEST", "MEAN", "LARGEST", "WAITED"],
                rows: self.ends.iter().map(Self::usage).collect(),
            },
        ]
    }

    fn usage(((inode, process, writes), end): (&(u64, Process, bool), &Use)) -> Vec<String> {
        let mean = end.bytes.checked_div(end.moving).unwrap_or(0);
        let mut row =
            vec![inode.to_string(), name(process), if *writes { "write" } else { "read" }.to_owned()];
        let numbers = [end.calls, end.errors, end.bytes, end.smallest.unwrap_or(0), mean, end.largest];
        row.extend(numbers.map(|number| number.to_string()));
        row.push(duration(end.waited));
        row
    }
}
