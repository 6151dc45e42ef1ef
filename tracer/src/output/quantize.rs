//! Histograms of quantize and lquantize, drawn as DTrace draws them.
//!
//! Invariant: the rows shown are those from the first to the last that count something, and one more at each end.

use std::ops::RangeInclusive;

use super::value::quantize_value;

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

/// Which rows to show when nothing is counted: those around zero of a quantize, the first ones of an lquantize.
pub fn draw(into: &mut Vec<u8>, buckets: &[Bucket], if_empty: RangeInclusive<usize>, normal: i64) {
    let total: u128 = buckets.iter().map(|bucket| u128::from(bucket.count.unsigned_abs())).sum();
    let positive = buckets.iter().any(|bucket| bucket.count > 0);
    let negative = buckets.iter().any(|bucket| bucket.count < 0);
    let first = buckets.iter().position(|bucket| bucket.count != 0);
    let last = buckets.iter().rposition(|bucket| bucket.count != 0);
    let shown = match first.zip(last) {
        Some((first, last)) => first.saturating_sub(1)..=(last + 1).min(buckets.len() - 1),
        None => if_empty,
    };
    let title = "------------- Distribution -------------";
    into.extend_from_slice(format!("\n{:>16} {title:>41} {:<9}\n", "value", "count").as_bytes());
    for bucket in buckets.get(shown).unwrap_or(buckets) {
        let bar = bar(bucket.count, total, positive, negative);
        let count = bucket.count.wrapping_div(normal.max(1));
        into.extend_from_slice(format!("{:>16} {bar} {count:<9}\n", bucket.label).as_bytes());
    }
}

/// The bar and its axis: at the left, at the right where all counts are negative, in the middle where some are.
fn bar(count: i64, total: u128, positive: bool, negative: bool) -> String {
    let length = if positive && negative { BAR / 2 } else { BAR };
    let scaled = |length: u32| {
        let total = total.max(1);
        ((u128::from(count.unsigned_abs()) * u128::from(length) * 2 + total) / (2 * total)) as usize
    };
    let (full, half) = (BAR as usize, BAR as usize / 2);
    let bar = "@".repeat(scaled(length));
    match (positive, negative) {
        (_, false) => format!("|{bar:<full$}"),
        (false, true) => format!("{bar:>full$}|"),
        (true, true) if count < 0 => format!("{bar:>half$}|{:half$}", ""),
        (true, true) => format!("{:half$}|{bar:<half$}", ""),
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
        draw(&mut out, buckets, if_empty, 1);
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
    fn powers_cover_every_value_once() {
        let buckets = power_buckets(&powers(&[]));
        assert_eq!((buckets[0].min, buckets[126].max), (None, None));
        for pair in buckets.windows(2) {
            assert_eq!(pair[0].max.unwrap() + 1, pair[1].min.unwrap());
        }
    }
}
