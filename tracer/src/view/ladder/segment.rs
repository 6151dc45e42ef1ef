//! What is said about a segment: its flags by name, its numbers relative to the connection's first.

use probes_common::names;

use super::{Ladder, Segment, Side, Step};

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const PSH: u8 = 8;
const ACK: u8 = 16;

/// What a segment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It opens the connection.
    Open,
    /// It carries data.
    Data,
    /// It only acknowledges.
    Acknowledge,
    /// It closes one direction.
    Close,
    /// It breaks the connection off.
    Reset,
}

impl Segment {
    pub(super) fn purpose(&self) -> Purpose {
        match self.flags {
            flags if flags & RST != 0 => Purpose::Reset,
            flags if flags & SYN != 0 => Purpose::Open,
            flags if flags & FIN != 0 => Purpose::Close,
            _ if self.len > 0 => Purpose::Data,
            _ => Purpose::Acknowledge,
        }
    }
}

/// The number that each side's sequence is counted from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    client: Option<u32>,
    server: Option<u32>,
}

impl Origin {
    /// The initial sequence numbers. Of a connection that was there before, what makes the first number seen 1.
    pub(super) fn of(ladder: &Ladder) -> Origin {
        let side = |side| initial(ladder, side).or_else(|| first_seen(ladder, side));
        Origin { client: side(Side::Client), server: side(Side::Server) }
    }

    fn get(&self, side: Side) -> u32 {
        match side {
            Side::Client => self.client.unwrap_or(0),
            Side::Server => self.server.unwrap_or(0),
        }
    }

    /// The label of a segment, such as `SYN ACK seq=0 ack=1`. The higher the level, the less it says: without PSH,
    /// without flags where there is data, without the acknowledgement.
    pub(super) fn label(&self, segment: &Segment, window: bool, level: usize) -> String {
        let data = segment.purpose() == Purpose::Data;
        let mut parts = Vec::new();
        match (level, data) {
            (0, _) => parts.push(flags(segment.flags)),
            (1, _) | (_, false) => parts.push(flags(segment.flags & !PSH)),
            _ => {}
        }
        parts.push(format!("seq={}", segment.seq.wrapping_sub(self.get(segment.from))));
        if segment.flags & ACK != 0 && level < SHORTEST {
            parts.push(format!("ack={}", segment.ack.wrapping_sub(self.get(segment.from.other()))));
        }
        if segment.len > 0 {
            parts.push(format!("len={}", segment.len));
        }
        if window && level == 0 {
            parts.push(format!("win={}", segment.window));
        }
        parts.join(" ")
    }
}

/// The level of the shortest label.
pub(super) const SHORTEST: usize = 3;

/// The initial sequence number that a side has chosen, where its SYN was seen.
pub(super) fn initial(ladder: &Ladder, side: Side) -> Option<u32> {
    segments(ladder)
        .find(|segment| segment.from == side && segment.flags & SYN != 0)
        .map(|segment| segment.seq)
}

fn first_seen(ladder: &Ladder, side: Side) -> Option<u32> {
    let first = segments(ladder).min_by_key(|segment| segment.sent_ns)?;
    let number = if first.from == side { first.seq } else { first.ack };
    Some(number.wrapping_sub(1))
}

/// The segments of a ladder, in the order of its steps.
pub(super) fn segments(ladder: &Ladder) -> impl Iterator<Item = &Segment> {
    ladder.steps.iter().filter_map(|step| match step {
        Step::Segment(segment) => Some(segment),
        _ => None,
    })
}

/// The names of flags, such as `SYN ACK`.
fn flags(flags: u8) -> String {
    let set = names::TH
        .iter()
        .filter(|&&(name, bit)| i64::from(flags) & bit != 0 && name != "TH_PUSH")
        .map(|(name, _)| name.trim_start_matches("TH_"));
    let names: Vec<&str> = set.collect();
    if names.is_empty() { "no flags".to_owned() } else { names.join(" ") }
}
