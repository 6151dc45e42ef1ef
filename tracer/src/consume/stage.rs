//! What lies between the ring and what is shown: records that wait in speculations, and the buffer's policy.
//!
//! Invariant: what is put in comes out once, in the order in which it was put in (what was speculated, at its commit), or is
//! discarded as the program or the policy says.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;

use probes_common::abi::{HEADER_SIZE, TAG_BITS};

use super::decode::{Decoder, Message};
use crate::check::Options;
use crate::check::options::Policy;
use crate::lower::layout::{ActionKind, Layout};

/// What waits to be shown.
pub(super) struct Stage {
    policy: Policy,
    /// Bytes that the ring policy keeps of each CPU.
    limit: usize,
    /// Whether the program speculates at all.
    speculates: bool,
    /// By the number of a speculation.
    speculations: HashMap<u64, Speculation>,
    /// What waits, by the CPU where the oldest makes room, else under one number.
    rings: BTreeMap<u32, Kept>,
    /// Counts what was put in.
    order: u64,
}

/// What a speculation has recorded.
#[derive(Default)]
struct Speculation {
    /// Its newest use.
    tag: u64,
    /// Whether that has ended.
    ended: bool,
    messages: Vec<Vec<u8>>,
}

#[derive(Default)]
struct Kept {
    bytes: usize,
    messages: VecDeque<(u64, Vec<u8>)>,
}

impl Stage {
    pub(super) fn new(options: &Options, layouts: &[Rc<Layout>]) -> Stage {
        let about = |layout: &Rc<Layout>| {
            layout.speculative || layout.actions.iter().any(|action| action.kind.is_about_speculation())
        };
        Stage {
            policy: options.bufpolicy,
            limit: options.bufsize as usize,
            speculates: layouts.iter().any(about),
            speculations: HashMap::new(),
            rings: BTreeMap::new(),
            order: 0,
        }
    }

    /// Whether messages go through as they come.
    pub(super) fn is_direct(&self) -> bool {
        self.policy == Policy::Switch && !self.speculates
    }

    /// Whether the ring is read only when tracing has ended.
    pub(super) fn fills(&self) -> bool {
        self.policy == Policy::Fill
    }

    /// Takes a message from the ring.
    pub(super) fn put(&mut self, decoder: &Decoder, message: &[u8]) {
        let Some(Message::Record { layout, .. }) = decoder.message(message) else {
            return self.keep(decoder, message.to_vec());
        };
        if layout.speculative {
            return self.speculate(word(message, HEADER_SIZE), message);
        }
        for action in &layout.actions {
            let tag = action.fields.first().map_or(0, |field| word(message, field.offset as usize));
            match action.kind {
                ActionKind::Commit => {
                    for message in self.end(tag) {
                        self.keep(decoder, message);
                    }
                }
                ActionKind::Discard => drop(self.end(tag)),
                _ => {}
            }
        }
        let only_ends = !layout.actions.is_empty()
            && layout.actions.iter().all(|action| action.kind.is_about_speculation());
        if !only_ends {
            self.keep(decoder, message.to_vec());
        }
    }

    /// What is to be shown by now, in order; all that there is at the end.
    pub(super) fn take(&mut self, last: bool) -> Vec<Vec<u8>> {
        if self.policy != Policy::Switch && !last {
            return Vec::new();
        }
        let kept = std::mem::take(&mut self.rings).into_values();
        let mut messages: Vec<(u64, Vec<u8>)> = kept.flat_map(|kept| kept.messages).collect();
        messages.sort_by_key(|(order, _)| *order);
        messages.into_iter().map(|(_, message)| message).collect()
    }

    fn keep(&mut self, decoder: &Decoder, message: Vec<u8>) {
        let cpu = if self.policy == Policy::Ring { decoder.cpu(&message) } else { 0 };
        let kept = self.rings.entry(cpu).or_default();
        kept.bytes += message.len();
        kept.messages.push_back((self.order, message));
        self.order += 1;
        while self.policy == Policy::Ring && kept.bytes > self.limit {
            let Some((_, oldest)) = kept.messages.pop_front() else { break };
            kept.bytes -= oldest.len();
        }
    }

    fn speculate(&mut self, tag: u64, message: &[u8]) {
        let speculation = self.newest(tag);
        // From a CPU that was late, it belongs to a use that has ended.
        if speculation.tag == tag && !speculation.ended {
            speculation.messages.push(message.to_vec());
        }
    }

    /// Ends the use of that tag and gives what it has recorded.
    fn end(&mut self, tag: u64) -> Vec<Vec<u8>> {
        let speculation = self.newest(tag);
        if tag == 0 || speculation.tag != tag {
            return Vec::new();
        }
        speculation.ended = true;
        std::mem::take(&mut speculation.messages)
    }

    /// The speculation of that tag's number, in the newer one of its last use and the tag's. Of a use that was neither
    /// committed nor discarded, the message that did so was lost.
    fn newest(&mut self, tag: u64) -> &mut Speculation {
        let speculation = self.speculations.entry(tag & ((1 << TAG_BITS) - 1)).or_default();
        if speculation.tag < tag {
            *speculation = Speculation { tag, ..Speculation::default() };
        }
        speculation
    }
}

/// A word of a message that its layout says is there.
fn word(message: &[u8], at: usize) -> u64 {
    let bytes = message.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use probes_common::abi::Header;

    use super::*;
    use crate::lower::layout::{ActionAt, FIRST_EPID, FieldAt, Repr};

    /// The first records, the second in a speculation, the third commits, the fourth discards.
    fn decoder() -> Decoder {
        let field = FieldAt { offset: HEADER_SIZE as u32, repr: Repr::Int { bytes: 8, signed: false } };
        let action = |kind| vec![ActionAt { kind, fields: vec![field] }];
        let layout = |epid, speculative, actions| Layout {
            epid: FIRST_EPID - 1 + epid,
            clause: 0,
            size: HEADER_SIZE as u32 + 16,
            speculative,
            actions,
            faults: Vec::new(),
        };
        let layouts = vec![
            layout(1, false, Vec::new()),
            layout(2, true, Vec::new()),
            layout(3, false, action(ActionKind::Commit)),
            layout(4, false, action(ActionKind::Discard)),
        ];
        Decoder::bare(layouts)
    }

    fn message(epid: u32, cpu: u32, time: u64, tag: u64, mark: u64) -> Vec<u8> {
        let header = Header { epid: FIRST_EPID - 1 + epid, probe: 0, time, seq: 0, cpu };
        let mut bytes = Vec::new();
        bytes.extend(header.epid.to_le_bytes());
        bytes.extend(header.probe.to_le_bytes());
        bytes.extend(header.time.to_le_bytes());
        bytes.extend(header.seq.to_le_bytes());
        bytes.extend(header.cpu.to_le_bytes());
        bytes.extend(tag.to_le_bytes());
        bytes.extend(mark.to_le_bytes());
        bytes
    }

    fn run(options: &Options, messages: &[Vec<u8>], last: bool) -> Vec<u64> {
        let decoder = decoder();
        let mut stage = Stage::new(options, &decoder.layouts);
        messages.iter().for_each(|message| stage.put(&decoder, message));
        let taken = stage.take(last);
        taken.iter().map(|message| word(message, HEADER_SIZE + 8)).collect()
    }

    #[test]
    fn what_is_committed_comes_at_its_commit_and_what_is_discarded_does_not() {
        let (first, second, again) = (1 << TAG_BITS | 1, 1 << TAG_BITS | 2, 3 << TAG_BITS | 1);
        let messages = [
            message(2, 0, 1, first, 10),
            message(2, 1, 1, second, 20),
            message(1, 0, 2, 0, 1),
            message(2, 1, 3, first, 11),
            message(4, 0, 4, second, 0),
            message(3, 0, 5, first, 0),
            // Late, from a CPU that did not know yet; and nothing to commit.
            message(2, 1, 6, first, 12),
            message(3, 1, 7, 0, 0),
            message(2, 0, 8, again, 13),
            message(3, 0, 9, again, 0),
            message(2, 0, 9, second, 21),
        ];
        assert_eq!(run(&Options::default(), &messages, false), [1, 10, 11, 13]);
    }

    #[test]
    fn a_use_whose_end_was_lost_is_forgotten() {
        let messages = [
            message(2, 0, 1, 1 << TAG_BITS | 1, 10),
            message(2, 0, 2, 3 << TAG_BITS | 1, 11),
            message(3, 0, 3, 1 << TAG_BITS | 1, 0),
            message(3, 0, 3, 3 << TAG_BITS | 1, 0),
        ];
        assert_eq!(run(&Options::default(), &messages, false), [11]);
    }

    #[test]
    fn the_oldest_of_a_cpu_makes_room() {
        let options = Options { bufpolicy: Policy::Ring, bufsize: 80, ..Options::default() };
        let messages: Vec<Vec<u8>> = (0..6).map(|n| message(1, u32::from(n > 3), n, 0, n)).collect();
        assert!(run(&options, &messages, false).is_empty());
        assert_eq!(run(&options, &messages, true), [2, 3, 4, 5]);
    }
}
