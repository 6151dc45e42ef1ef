//! What stands above and below a ladder: the two ends, the legend, the sums.

use std::collections::BTreeSet;

use super::draw::Picture;
use super::segment::{initial, segments};
use super::{End, Segment, Side};
use crate::output::escape::printable;
use crate::view::canvas::{Canvas, Paint, fit};
use crate::view::duration;

/// Columns left of the legend.
const MARGIN: usize = 2;

impl Picture<'_> {
    /// The two ends in boxes on top of their lifelines.
    pub(super) fn header(&mut self) {
        let ends = [(Side::Client, &self.ladder.client), (Side::Server, &self.ladder.server)];
        let contents = ends.map(|(side, end)| (side, introduction(end, initial(self.ladder, side))));
        let longest = contents.iter().flat_map(|(_, lines)| lines).map(|line| line.chars().count()).max();
        let half = (longest.unwrap_or(0) / 2 + 2).clamp(10, (self.right - self.left - 1) / 2);
        let inner = 2 * half - 1;
        let height = contents.iter().map(|(_, lines)| lines.len()).max().unwrap_or(0);
        for row in 0..height + 2 {
            let mut canvas = Canvas::new(self.style.width);
            for (side, lines) in &contents {
                let x = self.lifeline(*side);
                let (from, to) = (x - half, x + half);
                let edges = match row {
                    0 => ('┌', '┐'),
                    row if row == height + 1 => ('└', '┘'),
                    _ => ('│', '│'),
                };
                canvas.put(from, edges.0, Paint::Plain);
                canvas.put(to, edges.1, Paint::Plain);
                if row == 0 || row == height + 1 {
                    (from + 1..to).for_each(|x| canvas.put(x, '─', Paint::Plain));
                }
                if row == 0 {
                    let title = if *side == Side::Client { " client " } else { " server " };
                    canvas.text_within(from + 1, inner, title, Paint::Bold);
                } else if row == height + 1 {
                    canvas.put(x, '┬', Paint::Plain);
                } else if let Some(line) = lines.get(row - 1) {
                    canvas.text_within(from + 1, inner, &fit(line, inner), Paint::Plain);
                }
            }
            self.finish(&canvas);
        }
    }

    /// What the signs mean, and the sums.
    pub(super) fn footer(&mut self, span: u64) {
        let bytes = |from| -> u64 {
            let received = |segment: &&Segment| segment.from == from && segment.received_ns.is_some();
            let by_number = segments(self.ladder).filter(received).map(|segment| (segment.seq, segment.len));
            let once: BTreeSet<(u32, u32)> = by_number.collect();
            once.into_iter().map(|(_, len)| u64::from(len)).sum()
        };
        let lost = segments(self.ladder).filter(|segment| segment.received_ns.is_none()).count();
        let mut summary = format!("{} segments", segments(self.ladder).count());
        for (count, what) in [(self.again.len(), "retransmitted"), (lost, "lost")] {
            if count > 0 {
                summary += &format!(", {count} {what}");
            }
        }
        summary += &format!(", in {}", duration(span));
        let bytes =
            format!("{} bytes to the server, {} to the client", bytes(Side::Client), bytes(Side::Server));
        let legend: &[(&str, Paint)] = if self.style.unicode {
            &[
                ("━▶", Paint::Blue),
                (" data   ", Paint::Plain),
                ("─▶", Paint::Plain),
                (" no data   ", Paint::Plain),
                ("┃", Paint::Bold),
                (" established   ", Paint::Plain),
                ("┊", Paint::Dim),
                (" closed   seq, ack: from the ISN", Paint::Plain),
            ]
        } else {
            &[("=> data   -> no data   : closed   seq, ack: from the ISN", Paint::Plain)]
        };
        let mut canvas = Canvas::new(self.style.width);
        self.finish(&canvas);
        let mut x = MARGIN;
        for (text, paint) in legend {
            canvas.text(x, text, *paint);
            x += text.chars().count();
        }
        self.finish(&canvas);
        for line in [summary, bytes] {
            let mut canvas = Canvas::new(self.style.width);
            canvas.text(MARGIN, &line, Paint::Plain);
            self.finish(&canvas);
        }
    }
}

fn introduction(end: &End, initial: Option<u32>) -> Vec<String> {
    let mut lines =
        vec![format!("{} (pid {})", printable(end.name.as_bytes()), end.pid), end.address.clone()];
    lines.extend(initial.map(|number| format!("ISN {number}")));
    lines
}
