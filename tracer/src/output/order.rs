//! In which order the rows of aggregations come: DTrace's, which is by value, then by key.
//!
//! Integers are ordered as their types are: signed ones by their sign.

use std::cmp::Ordering;

use super::style::Sort;
use super::value::{Row, Value, quantize_value};
use crate::check::typed::Function;
use crate::lower::layout::magnitudes;

impl Row {
    /// By value, then by key.
    pub fn compare(&self, other: &Row, function: Function) -> Ordering {
        values(function, &self.words, &other.words).then_with(|| keys(&self.key, &other.key, 0))
    }
}

/// Compares rows of one aggregation.
pub fn rows(a: &Row, b: &Row, function: Function, sort: Sort) -> Ordering {
    let key = || keys(&a.key, &b.key, sort.key);
    let value = || values(function, &a.words, &b.words);
    sort.turned(if sort.by_key { key().then_with(value) } else { value().then_with(key) })
}

/// A key with its words in each of several aggregations.
pub type Joined<'a> = (&'a [Value], Vec<Vec<u64>>);

/// Compares rows of several aggregations that are joined by key; the functions are those of the aggregations.
pub fn joined(a: &Joined<'_>, b: &Joined<'_>, functions: &[Function], sort: Sort) -> Ordering {
    let first = sort.value.min(functions.len().saturating_sub(1));
    let others = (0..functions.len()).filter(|&index| index != first);
    let key = || keys(a.0, b.0, sort.key);
    let value = || {
        let mut compared = [first].into_iter().chain(others).map(|index| {
            let words = |row: &Joined<'_>| row.1.get(index).cloned().unwrap_or_default();
            functions.get(index).map_or(Ordering::Equal, |&function| values(function, &words(a), &words(b)))
        });
        compared.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    };
    sort.turned(if sort.by_key { key().then_with(value) } else { value().then_with(key) })
}

/// Compares keys, from one part on, then those before it.
fn keys(a: &[Value], b: &[Value], first: usize) -> Ordering {
    let count = a.len().min(b.len());
    let first = if first < count { first } else { 0 };
    let mut compared = (first..count).chain(0..first).map(|index| parts(&a[index], &b[index]));
    compared.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn parts(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Int { value: a, signed: false, .. }, Value::Int { value: b, signed: false, .. }) => {
            (*a as u64).cmp(&(*b as u64))
        }
        _ => a.cmp(b),
    }
}

/// Compares two values by what is printed; of a histogram, by the sum of its buckets' values by their counts, then by
/// the count of 0.
pub fn values(function: Function, a: &[u64], b: &[u64]) -> Ordering {
    magnitude(function, a).cmp(&magnitude(function, b))
}

fn magnitude(function: Function, words: &[u64]) -> (i128, i64) {
    let word = |index: usize| words.get(index).map_or(0, |&word| word as i64);
    let weighed = |values: &mut dyn Iterator<Item = i128>| {
        let products = values.zip(words.get(1..).unwrap_or_default());
        products.fold((0_i128, 0), |(sum, zero), (value, &count)| {
            let sum = sum.saturating_add(value.saturating_mul(i128::from(count as i64)));
            (sum, if value == 0 { count as i64 } else { zero })
        })
    };
    match function {
        Function::Count => (word(0).into(), 0),
        Function::Sum | Function::Min | Function::Max => (word(1).into(), 0),
        Function::Avg => (word(1).checked_div(word(0)).unwrap_or(0).into(), 0),
        Function::Stddev => (i128::from(deviation(words, 1)), 0),
        Function::Quantize => weighed(&mut (0..127).map(|bucket| i128::from(quantize_value(bucket)))),
        Function::Lquantize { low, high, step } => {
            let (low, step) = (i128::from(low), i128::from(step));
            let levels = (i128::from(high) - low) / step;
            let inside = (0..levels).map(|level| low + level * step);
            weighed(&mut [low - 1].into_iter().chain(inside).chain([low + levels * step + 1]))
        }
        Function::Llquantize { .. } => {
            let highest = magnitudes(function).last().map_or(1, |magnitude| magnitude.to);
            let steps: Vec<i128> = magnitudes(function)
                .flat_map(|each| {
                    let first = each.from / each.width;
                    (first..first + i128::from(each.steps)).map(move |step| each.from.max(step * each.width))
                })
                .collect();
            let below = [-highest].into_iter().chain(steps.iter().rev().map(|from| -from));
            let above = steps.iter().copied().chain([highest]);
            weighed(&mut below.chain([0]).chain(above))
        }
    }
}

/// The standard deviation as dtrace has it: the root of the mean of the squares less the square of the mean, each in whole
/// numbers; `normal` divides the sum of the squares and the sum, once each.
pub fn deviation(words: &[u64], normal: i64) -> u64 {
    let &[calls, sum, low, high, ..] = words else { return 0 };
    if calls == 0 {
        return 0;
    }
    let normal = normal.unsigned_abs().max(1);
    let squares = (u128::from(high) << 64 | u128::from(low)) / u128::from(normal);
    let mean = (sum as i64).wrapping_div(normal as i64).wrapping_div(calls as i64).unsigned_abs();
    (squares / u128::from(calls)).saturating_sub(u128::from(mean) * u128::from(mean)).isqrt() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(value: i64, signed: bool) -> Value {
        Value::Int { value, bytes: 8, signed }
    }

    #[test]
    fn keys_come_as_their_types_have_them() {
        let order = |a, b, signed| keys(&[int(a, signed)], &[int(b, signed)], 0);
        assert_eq!(order(-1, 1, true), Ordering::Less);
        assert_eq!(order(-1, 1, false), Ordering::Greater);
        let (a, b) = ([int(1, true), int(9, true), int(3, true)], [int(2, true), int(9, true), int(1, true)]);
        assert_eq!(keys(&a, &b, 0), Ordering::Less);
        assert_eq!(keys(&a, &b, 1), Ordering::Greater);
        assert_eq!(keys(&a, &b, 7), Ordering::Less);
    }

    #[test]
    fn deviations_are_those_of_the_definition() {
        let words = |values: &[i64]| {
            let squares: u128 = values.iter().map(|value| u128::from(value.unsigned_abs()).pow(2)).sum();
            let sum = values.iter().fold(0_i64, |sum, value| sum.wrapping_add(*value));
            [values.len() as u64, sum as u64, squares as u64, (squares >> 64) as u64]
        };
        assert_eq!(deviation(&words(&[2, 4, 4, 4, 5, 5, 7, 9]), 1), 2);
        assert_eq!(deviation(&words(&[-4_000_000_000, 4_000_000_000]), 1), 4_000_000_000);
        assert_eq!(deviation(&words(&[2, 12]), 2), 5);
        assert_eq!(deviation(&words(&[]), 1), 0);
    }

    #[test]
    fn what_lies_outside_counts_as_at_the_bounds() {
        let function = Function::Lquantize { low: 0, high: 20, step: 10 };
        assert_eq!(magnitude(function, &[4, 1, 1, 1, 1]), (-1 + 10 + 21, 1));
        let function = Function::Llquantize { factor: 10, low: 0, high: 1, steps: 10 };
        let mut words = vec![0; 1 + 3 + 2 * (9 + 9)];
        (words[20], words[21], words[30], words[39]) = (5, 1, 1, 1);
        assert_eq!(magnitude(function, &words), (1 + 10 + 100, 5));
        (words[1], words[10], words[19]) = (1, 1, 1);
        assert_eq!(magnitude(function, &words), (0, 5));
    }
}
