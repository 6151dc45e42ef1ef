//! Histograms of quantize, lquantize and llquantize, drawn as DTrace draws them.
//!
//! Invariant: the rows shown are those from the first to the last that count something, and one more at each end.

use std::ops::RangeInclusive;

use super::style::Bars;
use super::value::quantize_value;
use crate::check::typed::Function;
use crate::lower::layout::magnitudes;

/// Length of the longest bar.
const BAR: u32 = 40;

/// One row: what it stands for and how much it counts. Counts are negative where increments were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Smallest value that it counts; none when there is no bound.
    pub min: Option<i64>,
    /// Largest value that it counts; none when there is no bound.
    pub max: Option<i64>,
    /// How much it counts.
    pub count: i64,
    label: String,
}

/// The buckets of quantize, from the words behind the number of calls.
pub fn power_buckets(words: &[u64]) -> Vec<Bucket> {
    let last = words.len().saturating_sub(1);
    let bucket = |(index, &word): (usize, &u64)| {
        let value = quantize_value(index);
        let (min, max) = match value {
            0 => (Some(0), Some(0)),
            1.. if index == last => (Some(value), None),
            1.. => (Some(value), Some(value - 1 + value)),
            _ if index == 0 => (None, Some(value)),
            _ => (Some(value + 1 + value), Some(value)),
        };
        Bucket { min, max, count: word as i64, label: value.to_string() }
    };
    words.iter().enumerate().map(bucket).collect()
}

/// The buckets of lquantize: below, the levels, above.
pub fn linear_buckets(low: i64, step: u64, words: &[u64]) -> Vec<Bucket> {
    let levels = words.len().saturating_sub(2);
    let bound = |level: usize| {
        let bound = i128::from(low) + level as i128 * i128::from(step);
        bound.clamp(i64::MIN.into(), i64::MAX.into()) as i64
    };
    let bucket = |(index, &word): (usize, &u64)| {
        let count = word as i64;
        match index {
            0 => Bucket { min: None, max: Some(low.saturating_sub(1)), count, label: format!("< {low}") },
            _ if index > levels => {
                let min = bound(levels);
                Bucket { min: Some(min), max: None, count, label: format!(">= {min}") }
            }
            _ => {
                let min = bound(index - 1);
                let max = bound(index).saturating_sub(1);
                Bucket { min: Some(min), max: Some(max), count, label: min.to_string() }
            }
        }
    };
    words.iter().enumerate().map(bucket).collect()
}

/// The buckets of llquantize: the steps of each magnitude, once for negative and once for positive values, between them
/// what is around zero, and at both ends what is beyond.
pub fn magnitude_buckets(function: Function, words: &[u64]) -> Vec<Bucket> {
    let lowest = magnitudes(function).next().map_or(1, |magnitude| magnitude.from);
    let highest = magnitudes(function).last().map_or(1, |magnitude| magnitude.to);
    let middle = words.len() / 2;
    let signed = words[..middle].iter().any(|&count| count != 0);
    let around = match (lowest, signed || words.get(middle).is_some_and(|&count| count != 0)) {
        (1, _) => "0".to_owned(),
        (_, true) => format!("abs() < {lowest}"),
        (_, false) => format!("< {lowest}"),
    };
    let steps: Vec<(i128, i128)> = magnitudes(function)
        .flat_map(|each| {
            let first = each.from / each.width;
            (first..first + i128::from(each.steps))
                .map(move |step| (each.from.max(step * each.width), (step + 1) * each.width))
        })
        .collect();
    let bound = |value: i128| i64::try_from(value).ok();
    let bounds = [(None, bound(-highest), format!("<= -{highest}"))]
        .into_iter()
        .chain(steps.iter().rev().map(|&(from, to)| (bound(1 - to), bound(-from), format!("-{from}"))))
        .chain([(bound(1 - lowest), bound(lowest - 1), around)])
        .chain(steps.iter().map(|&(from, to)| (bound(from), bound(to - 1), from.to_string())))
        .chain([(bound(highest), None, format!(">= {highest}"))]);
    bounds
        .zip(words)
        .map(|((min, max, label), &word)| Bucket { min, max, count: word as i64, label })
        .collect()
}

/// What bars are measured by: of so many of these parts as long as a bar may be.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// A bar is as long as its count by this ...
    times: u128,
    /// ... divided by this.
    by: u128,
    positive: bool,
    negative: bool,
    blocks: bool,
}

impl Scale {
    /// For these counts: by their sum, or when zoomed, so that the largest takes 95 of 100.
    pub fn new(counts: impl Iterator<Item = i64> + Clone, bars: Bars) -> Scale {
        let sizes = counts.clone().map(|count| u128::from(count.unsigned_abs()));
        let (times, by) = match bars.zoomed {
            true => (95, sizes.max().unwrap_or(0) * 100),
            false => (1, sizes.sum()),
        };
        Scale {
            times,
            by: by.max(1),
            positive: counts.clone().any(|count| count > 0),
            negative: counts.clone().any(|count| count < 0),
            blocks: bars.blocks,
        }
    }

    /// A count's part of a length, in eighths or the like, rounded down; and what was cut off, as a part of `by`.
    fn part(self, count: i64, length: u32) -> (usize, u128) {
        let size = u128::from(count.unsigned_abs()) * u128::from(length) * self.times;
        ((size / self.by) as usize, size % self.by)
    }

    fn rounded(self, count: i64, length: u32) -> usize {
        let (whole, rest) = self.part(count, length);
        whole + usize::from(rest * 2 >= self.by)
    }

    /// The bar and its axis: at the left, at the right where all counts are negative, in the middle where some are.
    fn bar(self, count: i64) -> String {
        let (full, half) = (BAR as usize, BAR as usize / 2);
        match (self.positive, self.negative) {
            (true, false) if self.blocks => {
                let (whole, rest) = self.part(count, BAR);
                let eighths = (rest * 8 / self.by) as u32;
                let mut bar = FULL_BLOCK.to_string().repeat(whole);
                // The blocks that fill one to eight eighths from the left come in falling order.
                bar.extend(
                    (eighths > 0).then(|| char::from_u32(u32::from(FULL_BLOCK) + 8 - eighths)).flatten(),
                );
                format!("|{bar:<full$}")
            }
            (_, false) => format!("|{:<full$}", "@".repeat(self.rounded(count, BAR))),
            (false, true) => format!("{:>full$}|", "@".repeat(self.rounded(count, BAR))),
            (true, true) => {
                let bar = "@".repeat(self.rounded(count, BAR / 2));
                match count <= 0 {
                    true => format!("{bar:>half$}|{:half$}", ""),
                    false => format!("{:half$}|{bar:<half$}", ""),
                }
            }
        }
    }

    /// One character for a count.
    fn glyph(self, count: i64, blocks: bool) -> char {
        const POSITIVE: [char; 8] = ['_', '_', 'x', 'x', 'x', 'x', 'X', 'X'];
        const NEGATIVE: [char; 6] = ['v', 'v', 'v', 'v', 'V', 'V'];
        let of = |glyphs: &[char]| glyphs[self.rounded(count, glyphs.len() as u32 - 1).min(glyphs.len() - 1)];
        match count {
            0 => ' ',
            ..0 => of(&NEGATIVE),
            // The blocks that fill one to eight eighths from below come in rising order.
            _ if blocks => {
                let height = self.rounded(count, 7).min(7) as u32;
                char::from_u32(u32::from(LOWEST_BLOCK) + height).unwrap_or(FULL_BLOCK)
            }
            _ => of(&POSITIVE),
        }
    }
}

/// The whole of a cell.
const FULL_BLOCK: char = '\u{2588}';
/// The lowest eighth of a cell.
const LOWEST_BLOCK: char = '\u{2581}';

/// The line above the bars: `what` stands in a column of that width.
pub fn heading(into: &mut Vec<u8>, what: &str, width: usize) {
    let title = "------------- Distribution -------------";
    into.extend_from_slice(format!("\n{what:>width$} {title:>41} {:<9}\n", "count").as_bytes());
}

/// The bar of a count, and the count divided by the normal.
pub fn line(into: &mut Vec<u8>, count: i64, normal: i64, scale: Scale) {
    let bar = scale.bar(count);
    into.extend_from_slice(format!("{bar} {:<9}\n", count.wrapping_div(normal.max(1))).as_bytes());
}

/// Which rows to show when nothing is counted: those around zero of a quantize, the first ones of the others.
pub fn draw(
    into: &mut Vec<u8>,
    buckets: &[Bucket],
    if_empty: RangeInclusive<usize>,
    normal: i64,
    bars: Bars,
) {
    let shown = match used(buckets.iter().map(|bucket| bucket.count)) {
        Some((first, last)) => first.saturating_sub(1)..=(last + 1).min(buckets.len() - 1),
        None => if_empty,
    };
    let shown = buckets.get(shown).unwrap_or(buckets);
    let scale = Scale::new(shown.iter().map(|bucket| bucket.count), bars);
    heading(into, "value", 16);
    for bucket in shown {
        into.extend_from_slice(format!("{:>16} ", bucket.label).as_bytes());
        line(into, bucket.count, normal, scale);
    }
}

/// The first and the last count that is not 0.
fn used(counts: impl DoubleEndedIterator<Item = i64> + ExactSizeIterator + Clone) -> Option<(usize, usize)> {
    let first = counts.clone().position(|count| count != 0)?;
    Some((first, counts.clone().rposition(|count| count != 0)?))
}

/// Histograms drawn in one line each, below each other: which buckets they show, and how their ends are called.
#[derive(Debug)]
pub struct Packed {
    shown: RangeInclusive<usize>,
    ends: [String; 2],
    widths: [usize; 2],
}

impl Packed {
    /// For all the histograms of an aggregation; none for a function that is not drawn so.
    pub fn new<'a>(function: Function, rows: impl Iterator<Item = &'a [Bucket]>) -> Option<Packed> {
        let rows: Vec<&[Bucket]> = rows.collect();
        let buckets = *rows.first()?;
        let end = |index: usize| buckets.get(index).map_or_else(String::new, |bucket| bucket.label.clone());
        match function {
            Function::Quantize => {
                let used = rows.iter().filter_map(|row| used(row.iter().map(|bucket| bucket.count)));
                let both = used.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
                let (first, last) = both.unwrap_or((63, 63));
                let shown = first.saturating_sub(1)..=(last + 1).min(buckets.len() - 1);
                let ends = [end(*shown.start()), end(*shown.end())];
                let widths = [ends[0].len().max(4), ends[1].len().max(4)];
                Some(Packed { shown, ends, widths })
            }
            Function::Lquantize { .. } => {
                let last = buckets.len() - 1;
                Some(Packed { shown: 0..=last, ends: [end(0), end(last)], widths: [7, 8] })
            }
            _ => None,
        }
    }

    /// The line above, behind a column of that width for the keys.
    pub fn heading(&self, into: &mut Vec<u8>, width: usize) {
        let (key, [left, right]) = (if width > 0 { "key" } else { "" }, self.widths);
        let dashes = "-".repeat(self.shown.clone().count());
        let text = format!("\n{key:>width$} {:>left$} .{dashes}. {:<right$} | count\n", "min", "max");
        into.extend_from_slice(text.as_bytes());
    }

    /// One histogram, behind its key.
    pub fn line(&self, into: &mut Vec<u8>, buckets: &[Bucket], bars: Bars) {
        let shown = buckets.get(self.shown.clone()).unwrap_or(buckets);
        let scale = Scale::new(shown.iter().map(|bucket| bucket.count), bars);
        let count: i64 = shown.iter().fold(0, |sum, bucket| sum.wrapping_add(bucket.count));
        let glyphs: String =
            shown.iter().map(|bucket| scale.glyph(bucket.count, bars.packed_blocks)).collect();
        let ([first, last], [left, right]) = (&self.ends, self.widths);
        let text = format!("{first:>left$} :{glyphs}: {last:<right$} | {count}\n", left = left + 1);
        into.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn powers(counts: &[(usize, i64)]) -> Vec<u64> {
        let mut words = vec![0; 127];
        counts.iter().for_each(|&(bucket, count)| words[bucket] = count as u64);
        words
    }

    fn show(buckets: &[Bucket], if_empty: RangeInclusive<usize>) -> String {
        let mut out = Vec::new();
        draw(&mut out, buckets, if_empty, 1, Bars::default());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn one_row_more_at_each_end() {
        // The example of DTrace's manual for quantize: 4 of 5 between 16384 and 32767.
        let words = powers(&[(64 + 14, 4), (64 + 17, 1)]);
        insta::assert_snapshot!(show(&power_buckets(&words), 62..=64));
    }

    #[test]
    fn negative_values_and_zero() {
        let words = powers(&[(60, 1), (63, 2), (64, 1)]);
        insta::assert_snapshot!(show(&power_buckets(&words), 62..=64));
    }

    #[test]
    fn nothing_counted_shows_the_rows_around_zero() {
        insta::assert_snapshot!(show(&power_buckets(&powers(&[])), 62..=64));
    }

    #[test]
    fn negative_increments_turn_the_bars_round() {
        insta::assert_snapshot!(show(&power_buckets(&powers(&[(64, 3), (65, -1)])), 62..=64));
        insta::assert_snapshot!(show(&power_buckets(&powers(&[(64, -3), (65, -1)])), 62..=64));
    }

    #[test]
    fn linear_rows_have_open_ends() {
        let words = [2, 0, 5, 0, 1, 1];
        insta::assert_snapshot!(show(&linear_buckets(-10, 10, &words), 0..=2));
        let buckets = linear_buckets(-10, 10, &words);
        assert_eq!((buckets[0].min, buckets[0].max), (None, Some(-11)));
        assert_eq!((buckets[2].min, buckets[2].max), (Some(0), Some(9)));
        assert_eq!((buckets[5].min, buckets[5].max), (Some(30), None));
    }

    #[test]
    fn magnitudes_have_equal_steps() {
        let function = Function::Llquantize { factor: 10, low: 0, high: 1, steps: 5 };
        let labels: Vec<String> =
            magnitude_buckets(function, &[0; 23]).into_iter().map(|bucket| bucket.label).collect();
        assert_eq!(labels[9..16], ["-2", "-1", "0", "1", "2", "4", "6"].map(str::to_owned));
        let function = Function::Llquantize { factor: 10, low: 1, high: 2, steps: 10 };
        let mut words = [0; 3 + 2 * (9 + 9)];
        let middle = words.len() / 2;
        (words[middle + 1], words[middle + 4], words[middle + 10]) = (1, 5, 2);
        insta::assert_snapshot!(show(&magnitude_buckets(function, &words), middle..=middle + 2));
        (words[middle], words[middle + 19]) = (1, 3);
        insta::assert_snapshot!(show(&magnitude_buckets(function, &words), middle..=middle + 2));
        (words[middle - 1], words[0]) = (4, 2);
        insta::assert_snapshot!(show(&magnitude_buckets(function, &words), middle..=middle + 2));
        insta::assert_snapshot!(show(&magnitude_buckets(function, &[0; 39]), middle..=middle + 2));
        let buckets = magnitude_buckets(function, &words);
        let bounds =
            |from_middle: usize| (buckets[middle + from_middle].min, buckets[middle + from_middle].max);
        assert_eq!((bounds(0), bounds(1)), ((Some(-9), Some(9)), (Some(10), Some(19))));
        assert_eq!((bounds(18), bounds(19)), ((Some(900), Some(999)), (Some(1000), None)));
        assert_eq!((buckets[middle - 1].min, buckets[middle - 1].max), (Some(-19), Some(-10)));
        assert_eq!((buckets[0].min, buckets[0].max), (None, Some(-1000)));
    }

    #[test]
    fn bars_zoomed_and_of_blocks() {
        let buckets = power_buckets(&powers(&[(64, 3), (65, 30), (66, 1)]));
        let draw = |bars| {
            let mut out = Vec::new();
            draw(&mut out, &buckets, 62..=64, 1, bars);
            String::from_utf8(out).unwrap()
        };
        insta::assert_snapshot!(draw(Bars { zoomed: true, ..Bars::default() }));
        insta::assert_snapshot!(draw(Bars { blocks: true, ..Bars::default() }));
    }

    #[test]
    fn histograms_in_one_line() {
        let rows =
            [powers(&[(64, 3), (70, 4)]), powers(&[(67, 9), (65, -2)])].map(|words| power_buckets(&words));
        let show = |function, rows: &[Vec<Bucket>], bars| {
            let packed = Packed::new(function, rows.iter().map(|row| &row[..])).unwrap();
            let mut out = Vec::new();
            packed.heading(&mut out, 17);
            for row in rows {
                out.extend_from_slice(format!(" {:>16}", "sshd").as_bytes());
                packed.line(&mut out, row, bars);
            }
            String::from_utf8(out).unwrap()
        };
        insta::assert_snapshot!(show(Function::Quantize, &rows, Bars::default()));
        insta::assert_snapshot!(show(
            Function::Quantize,
            &rows,
            Bars { packed_blocks: true, ..Bars::default() }
        ));
        let rows = [linear_buckets(0, 10, &[1, 0, 5, 3])];
        insta::assert_snapshot!(show(
            Function::Lquantize { low: 0, high: 20, step: 10 },
            &rows,
            Bars::default()
        ));
    }

    #[test]
    fn powers_cover_every_value_once() {
        let buckets = power_buckets(&powers(&[]));
        assert_eq!((buckets[0].min, buckets[126].max), (None, None));
        for pair in buckets.windows(2) {
            assert_eq!(pair[0].max.unwrap() + 1, pair[1].min.unwrap());
        }
    }
}
