//! Draws a ladder's lines.
//!
//! From left to right: the time since the start, what concerns the client, its lifeline, the segments, the server's
//! lifeline, what concerns the server. A lifeline is heavy while its side is ESTABLISHED, dotted while it is closed.

use super::order::{Arrow, Line, Note, lines};
use super::segment::{Origin, Purpose, SHORTEST, segments};
use super::{Ladder, Segment, Side, Step};
use crate::output::escape::printable;
use crate::view::canvas::{Canvas, Paint, fit};
use crate::view::{Style, duration};

/// Columns of the time and a blank.
const GUTTER: usize = 11;

/// Nanoseconds in which nothing happens that are worth a line of their own.
const PAUSE: u64 = 100_000_000;

/// A segment on its way from one line to another.
struct Lane {
    step: usize,
    x: usize,
}

/// The picture while it is drawn.
pub(super) struct Picture<'a> {
    pub(super) ladder: &'a Ladder,
    pub(super) style: Style,
    origin: Origin,
    windows: bool,
    pub(super) again: Vec<usize>,
    /// Columns of the lifelines.
    pub(super) left: usize,
    pub(super) right: usize,
    states: [String; 2],
    lanes: Vec<Lane>,
    text: String,
}

impl<'a> Picture<'a> {
    pub(super) fn new(ladder: &'a Ladder, style: &Style) -> Picture<'a> {
        let width = style.width.clamp(80, 120);
        let beside = 15 + (width - 80) * 11 / 40;
        let (left, right) = (GUTTER + beside, width - beside - 1);
        let origin = Origin::of(ladder);
        let room = right - left - 1 - LINES_AROUND - SPARE;
        let fits = |segment: &Segment| origin.label(segment, true, 0).chars().count() <= room;
        Picture {
            ladder,
            style: Style { width, ..*style },
            origin,
            windows: segments(ladder).all(fits),
            again: retransmitted(ladder),
            left,
            right,
            states: [Side::Client, Side::Server].map(|side| before(ladder, side)),
            lanes: Vec::new(),
            text: String::new(),
        }
    }

    pub(super) fn render(mut self) -> String {
        let lines = lines(self.ladder);
        let start = lines.first().map_or(0, |line| line.time);
        let phases = self.phases(&lines);
        self.header();
        let mut before = start;
        for (index, line) in lines.iter().enumerate() {
            if line.time - before >= PAUSE {
                self.pause(line.time - before);
            }
            for (_, title) in phases.iter().filter(|(at, _)| *at == index) {
                self.phase(title);
            }
            self.line(line, start);
            before = line.time;
        }
        self.footer(before - start);
        self.text
    }

    /// Appends a line.
    pub(super) fn finish(&mut self, canvas: &Canvas) {
        self.text.push_str(&canvas.finish(&self.style));
    }

    /// The column of a lifeline.
    pub(super) fn lifeline(&self, side: Side) -> usize {
        match side {
            Side::Client => self.left,
            Side::Server => self.right,
        }
    }

    fn segment(&self, step: usize) -> &'a Segment {
        match &self.ladder.steps[step] {
            Step::Segment(segment) => segment,
            _ => unreachable!("an arrow has the index of a segment"),
        }
    }

    /// A line with nothing but the lifelines and the segments under way.
    fn blank(&self) -> Canvas {
        let mut canvas = Canvas::new(self.style.width);
        for side in [Side::Client, Side::Server] {
            let (c, paint) = match self.states[side as usize].as_str() {
                "" | "CLOSE" | "CLOSED" => ('┊', Paint::Dim),
                "ESTABLISHED" => ('┃', Paint::Bold),
                _ => ('│', Paint::Plain),
            };
            canvas.put(self.lifeline(side), c, paint);
        }
        for lane in &self.lanes {
            canvas.put(lane.x, '╎', Paint::Dim);
        }
        canvas
    }

    fn line(&mut self, line: &Line, start: u64) {
        for side in [Side::Client, Side::Server] {
            if let Some(Note::State(state)) = line.note(side) {
                self.states[side as usize].clone_from(state);
            }
        }
        let mut canvas = self.blank();
        canvas.text_before(GUTTER - 1, &duration(line.time - start), Paint::Dim);
        for side in [Side::Client, Side::Server] {
            if let Some(note) = line.note(side) {
                self.note(&mut canvas, side, note);
            }
        }
        match line.arrow {
            Some(Arrow::Whole(step)) => self.whole(&mut canvas, self.segment(step), step),
            Some(Arrow::Leaves(step)) => self.leaves(&mut canvas, step),
            Some(Arrow::Arrives(step)) => self.arrives(&mut canvas, step),
            Some(Arrow::Lost(step)) => self.lost(&mut canvas, self.segment(step), step),
            None => {}
        }
        self.finish(&canvas);
    }

    fn note(&self, canvas: &mut Canvas, side: Side, note: &Note) {
        let room = self.left - GUTTER - 1;
        let (text, paint) = match note {
            Note::State(state) => (fit(&format!("[{state}]"), room), Paint::Yellow),
            Note::Call(name, args, result) => (call(name, args, result.as_deref(), room), Paint::Plain),
        };
        match side {
            Side::Client => canvas.text_before(self.left - 1, &text, paint),
            Side::Server => canvas.text(self.right + 2, &text, paint),
        }
    }

    fn whole(&self, canvas: &mut Canvas, segment: &Segment, step: usize) {
        let (first, last) = (self.left + 1, self.right - 1);
        let (line, paint) = self.pen(segment, step);
        (first..=last).for_each(|x| draw_over(canvas, x, line, paint));
        self.leave_lifeline(canvas, segment, line, paint);
        self.arrive(canvas, segment.from, paint);
        self.label(canvas, first + 2, last - first - 3, segment, step, paint);
    }

    fn leaves(&mut self, canvas: &mut Canvas, step: usize) {
        let segment = self.segment(step);
        let (line, paint) = self.pen(segment, step);
        let length = self.label_of(segment, step, 0).chars().count() + 6;
        let x = self.free_lane(segment.from, length);
        let corner = match (segment.from, line) {
            (Side::Client, '━') => '┓',
            (Side::Client, _) => '╮',
            (Side::Server, '━') => '┏',
            (Side::Server, _) => '╭',
        };
        let (first, last) = match segment.from {
            Side::Client => (self.left + 1, x - 1),
            Side::Server => (x + 1, self.right - 1),
        };
        (first..=last).for_each(|x| draw_over(canvas, x, line, paint));
        canvas.put(x, corner, paint);
        self.leave_lifeline(canvas, segment, line, paint);
        self.label(canvas, first + 1, last - first - 1, segment, step, paint);
        self.lanes.push(Lane { step, x });
    }

    fn arrives(&mut self, canvas: &mut Canvas, step: usize) {
        let segment = self.segment(step);
        let (line, paint) = self.pen(segment, step);
        let Some(lane) = self.lanes.iter().position(|lane| lane.step == step) else { return };
        let Lane { x, .. } = self.lanes.remove(lane);
        let corner = match (segment.from, line) {
            (Side::Client, '━') => '┗',
            (Side::Client, _) => '╰',
            (Side::Server, '━') => '┛',
            (Side::Server, _) => '╯',
        };
        let (first, last) = match segment.from {
            Side::Client => (x + 1, self.right - 1),
            Side::Server => (self.left + 1, x - 1),
        };
        (first..=last).for_each(|x| draw_over(canvas, x, line, paint));
        canvas.put(x, corner, paint);
        self.arrive(canvas, segment.from, paint);
    }

    fn lost(&self, canvas: &mut Canvas, segment: &Segment, step: usize) {
        let (line, paint) = self.pen(segment, step);
        let reach = (self.right - self.left) * 9 / 10;
        let (first, last) = match segment.from {
            Side::Client => (self.left + 1, self.left + reach),
            Side::Server => (self.right - reach, self.right - 1),
        };
        (first..=last).for_each(|x| draw_over(canvas, x, line, paint));
        canvas.put(if segment.from == Side::Client { last } else { first }, '✗', Paint::Red);
        self.leave_lifeline(canvas, segment, line, paint);
        self.label(canvas, first + 2, last - first - 3, segment, step, paint);
    }

    fn leave_lifeline(&self, canvas: &mut Canvas, segment: &Segment, line: char, paint: Paint) {
        let x = self.lifeline(segment.from);
        let junction = match (segment.from, canvas.at(x) == '┃', line == '━') {
            (Side::Client, false, false) => '├',
            (Side::Client, true, false) => '┠',
            (Side::Client, false, true) => '┝',
            (Side::Client, true, true) => '┣',
            (Side::Server, false, false) => '┤',
            (Side::Server, true, false) => '┨',
            (Side::Server, false, true) => '┥',
            (Side::Server, true, true) => '┫',
        };
        canvas.put(x, junction, paint);
    }

    fn arrive(&self, canvas: &mut Canvas, from: Side, paint: Paint) {
        match from {
            Side::Client => canvas.put(self.right - 1, '▶', paint),
            Side::Server => canvas.put(self.left + 1, '◀', paint),
        }
    }

    fn label(
        &self,
        canvas: &mut Canvas,
        x: usize,
        room: usize,
        segment: &Segment,
        step: usize,
        paint: Paint,
    ) {
        let room_for_text = room.saturating_sub(2);
        let fits = |label: &String| label.chars().count() <= room_for_text;
        let mut shorter = (0..=SHORTEST).map(|level| self.label_of(segment, step, level));
        let label = shorter.clone().find(fits).or_else(|| shorter.next_back()).unwrap_or_default();
        canvas.text_within(x, room, &format!(" {} ", fit(&label, room_for_text)), paint);
    }

    fn label_of(&self, segment: &Segment, step: usize, level: usize) -> String {
        let label = self.origin.label(segment, self.windows, level);
        if self.again.contains(&step) { format!("again: {label}") } else { label }
    }

    fn pen(&self, segment: &Segment, step: usize) -> (char, Paint) {
        let line = if segment.len > 0 { '━' } else { '─' };
        let paint = match segment.purpose() {
            _ if self.again.contains(&step) => Paint::Red,
            Purpose::Open => Paint::Green,
            Purpose::Data => Paint::Blue,
            Purpose::Acknowledge => Paint::Plain,
            Purpose::Close => Paint::Magenta,
            Purpose::Reset => Paint::Red,
        };
        (line, paint)
    }

    /// A column for a segment under way that no other uses, far enough from its sender for the label.
    fn free_lane(&self, from: Side, length: usize) -> usize {
        let middle = self.right - self.left;
        let most = middle - 3;
        let wanted = length.max(middle * 3 / 4).min(most);
        let column = |distance: usize| match from {
            Side::Client => self.left + distance,
            Side::Server => self.right - distance,
        };
        let free = |distance: &usize| self.lanes.iter().all(|lane| lane.x != column(*distance));
        column((wanted..=most).chain((3..wanted).rev()).find(free).unwrap_or(wanted))
    }

    /// Where a new part of the connection's life begins: lines and titles.
    fn phases(&self, lines: &[Line]) -> Vec<(usize, &'static str)> {
        let purposes: [(&str, &[Purpose]); 3] = [
            ("handshake", &[Purpose::Open]),
            ("data", &[Purpose::Data]),
            ("close", &[Purpose::Close, Purpose::Reset]),
        ];
        let sent = |line: &Line| match line.arrow? {
            Arrow::Whole(step) | Arrow::Leaves(step) | Arrow::Lost(step) => Some(self.segment(step)),
            Arrow::Arrives(_) => None,
        };
        let begins = |(title, purposes): (&'static str, &[Purpose])| {
            let of_phase = |line| sent(line).is_some_and(|segment| purposes.contains(&segment.purpose()));
            let first = lines.iter().position(of_phase)?;
            let sender = sent(&lines[first])?.from;
            // A call that has been entered and not returned is what sends it.
            let cause = first.checked_sub(1).filter(|&line| {
                let line = &lines[line];
                line.arrow.is_none() && matches!(line.note(sender), Some(Note::Call(_, _, None)))
            });
            Some((cause.unwrap_or(first), title))
        };
        purposes.into_iter().filter_map(begins).collect()
    }

    fn phase(&mut self, title: &str) {
        let mut canvas = self.blank();
        let room = self.right - self.left - 3;
        (0..room).for_each(|x| canvas.put(self.left + 2 + x, '┄', Paint::Dim));
        canvas.text_within(self.left + 2, room, &format!(" {title} "), Paint::Bold);
        self.finish(&canvas);
    }

    fn pause(&mut self, length: u64) {
        let mut canvas = self.blank();
        canvas.put(self.left, '⋮', Paint::Dim);
        canvas.put(self.right, '⋮', Paint::Dim);
        let text = format!("{} later", duration(length));
        canvas.text_within(self.left + 1, self.right - self.left - 1, &text, Paint::Dim);
        self.finish(&canvas);
    }
}

/// Columns of a whole arrow that its label cannot have.
const LINES_AROUND: usize = 6;

/// Columns that windows leave free, for labels that are longer than usual.
const SPARE: usize = 7;

/// The state that a side was in before anything happened; empty where nothing says so.
fn before(ladder: &Ladder, side: Side) -> String {
    let states = ladder.steps.iter().filter_map(|step| match step {
        Step::State { time_ns, side: whose, old, .. } if *whose == side => Some((*time_ns, old)),
        _ => None,
    });
    states.min_by_key(|(time, _)| *time).map(|(_, old)| old.clone()).unwrap_or_default()
}

/// A line over a segment under way crosses it.
fn draw_over(canvas: &mut Canvas, x: usize, line: char, paint: Paint) {
    let crossed = canvas.at(x) == '╎';
    canvas.put(x, if crossed { '┼' } else { line }, paint);
}

/// A system call in at most `room` columns; the arguments go first.
fn call(name: &str, args: &str, result: Option<&str>, room: usize) -> String {
    let (args, result) = (printable(args.as_bytes()), result.map(|text| printable(text.as_bytes())));
    let result = result.map(|result| format!(" = {result}")).unwrap_or_default();
    let whole = format!("{name}({args}){result}");
    if whole.chars().count() <= room { whole } else { fit(&format!("{name}(…){result}"), room) }
}

/// Steps whose segments repeat what their side has sent before.
fn retransmitted(ladder: &Ladder) -> Vec<usize> {
    let mut sent: Vec<(usize, &Segment)> = ladder
        .steps
        .iter()
        .enumerate()
        .filter_map(|(index, step)| match step {
            Step::Segment(segment) => Some((index, segment)),
            _ => None,
        })
        .collect();
    sent.sort_by_key(|(_, segment)| segment.sent_ns);
    let mut next: [Option<u32>; 2] = [None; 2];
    let mut again = Vec::new();
    for (index, segment) in sent {
        let flags = u32::from(segment.flags & 3 != 0); // SYN and FIN take a number each.
        let end = segment.seq.wrapping_add(segment.len).wrapping_add(flags);
        let next = &mut next[segment.from as usize];
        match next {
            Some(next) if end != segment.seq && (segment.seq.wrapping_sub(*next) as i32) < 0 => {
                again.push(index)
            }
            _ => *next = Some(end),
        }
    }
    again
}
