//! Which lines a ladder has: what happened, in the order of time, two or three things in a line where they belong
//! together.
//!
//! Invariant: a line's things follow each other directly in time, and each cell of a line is filled once.

use super::{Ladder, Segment, Side, Step};

/// What stands beside a lifeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Note {
    /// A state that has been reached.
    State(String),
    /// A system call: name, arguments, result.
    Call(String, String, Option<String>),
}

/// What is between the lifelines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrow {
    /// The segment with that index goes all the way.
    Whole(usize),
    /// It leaves.
    Leaves(usize),
    /// It arrives.
    Arrives(usize),
    /// It leaves and is never received.
    Lost(usize),
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// When the first of its things happened.
    pub(super) time: u64,
    /// Beside the client's lifeline.
    pub(super) client: Option<Note>,
    /// Beside the server's lifeline.
    pub(super) server: Option<Note>,
    /// Between them.
    pub(super) arrow: Option<Arrow>,
}

impl Line {
    /// The cell of a side.
    pub(super) fn note(&self, side: Side) -> Option<&Note> {
        match side {
            Side::Client => self.client.as_ref(),
            Side::Server => self.server.as_ref(),
        }
    }

    fn cell(&mut self, side: Side) -> &mut Option<Note> {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

/// One thing that happened.
#[derive(Debug, Clone)]
enum Moment {
    Leaves(usize),
    Arrives(usize),
    Note(Side, Note),
}

/// The lines of a ladder.
pub(super) fn lines(ladder: &Ladder) -> Vec<Line> {
    let moments = moments(ladder);
    let segment = |index: usize| match &ladder.steps[index] {
        Step::Segment(segment) => segment,
        _ => unreachable!("moments of segments have the index of a segment"),
    };
    let mut lines: Vec<Line> = Vec::new();
    let mut at = 0;
    while let Some((time, moment)) = moments.get(at) {
        at += 1;
        let mut line = Line { time: *time, client: None, server: None, arrow: None };
        match moment {
            Moment::Note(side, note) => {
                *line.cell(*side) = Some(note.clone());
                // A state that is reached by sending stands beside what is sent.
                if let (Note::State(_), Some((_, Moment::Leaves(index)))) = (note, moments.get(at))
                    && segment(*index).from == *side
                {
                    at += 1;
                    at = leave(&mut line, &moments, at, *index, segment(*index));
                }
            }
            Moment::Leaves(index) => at = leave(&mut line, &moments, at, *index, segment(*index)),
            Moment::Arrives(index) => {
                line.arrow = Some(Arrow::Arrives(*index));
                at = take_state(&mut line, &moments, at, segment(*index).from.other());
            }
        }
        lines.push(line);
    }
    lines
}

/// The segment leaves; it also arrives in this line if only a state of its sender comes between.
fn leave(line: &mut Line, moments: &[(u64, Moment)], at: usize, index: usize, segment: &Segment) -> usize {
    if segment.received_ns.is_none() {
        line.arrow = Some(Arrow::Lost(index));
        return take_state(line, moments, at, segment.from);
    }
    let after = take_state(line, moments, at, segment.from);
    match moments.get(after) {
        Some((_, Moment::Arrives(arrived))) if *arrived == index => {
            line.arrow = Some(Arrow::Whole(index));
            take_state(line, moments, after + 1, segment.from.other())
        }
        _ => {
            line.arrow = Some(Arrow::Leaves(index));
            after
        }
    }
}

/// Takes the next moment into the line if it is a state of that side and the cell is free.
fn take_state(line: &mut Line, moments: &[(u64, Moment)], at: usize, side: Side) -> usize {
    match moments.get(at) {
        Some((_, Moment::Note(whose, note @ Note::State(_))))
            if *whose == side && line.cell(side).is_none() =>
        {
            *line.cell(side) = Some(note.clone());
            at + 1
        }
        _ => at,
    }
}

/// Everything that happened, by time; what is simultaneous in the order of the steps.
fn moments(ladder: &Ladder) -> Vec<(u64, Moment)> {
    let mut moments = Vec::new();
    for (index, step) in ladder.steps.iter().enumerate() {
        match step {
            Step::Segment(segment) => {
                moments.push((segment.sent_ns, Moment::Leaves(index)));
                if let Some(received) = segment.received_ns {
                    // Two CPUs' clocks may differ a little; nothing arrives before it leaves.
                    moments.push((received.max(segment.sent_ns), Moment::Arrives(index)));
                }
            }
            Step::State { time_ns, side, new, .. } => {
                moments.push((*time_ns, Moment::Note(*side, Note::State(new.clone()))));
            }
            Step::Call { time_ns, side, name, args, result } => {
                let note = Note::Call(name.clone(), args.clone(), result.clone());
                moments.push((*time_ns, Moment::Note(*side, note)));
            }
        }
    }
    moments.sort_by_key(|(time, _)| *time);
    moments
}
