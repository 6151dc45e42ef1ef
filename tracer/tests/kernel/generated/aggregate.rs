//! The aggregations of generated programs: what each function makes of its values.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::program::{INT, LONG, Type};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Count,
    Sum,
    Min,
    Max,
    Avg,
    Stddev,
    Quantize,
    Lquantize,
    Llquantize,
}

use Function::*;

/// The aggregations: function, and types of the key. The last three are printed together.
pub(super) const AGGREGATIONS: [(Function, &[Type]); 13] = [
    (Count, &[INT]),
    (Sum, &[Type::Text]),
    (Min, &[LONG, Type::Text]),
    (Max, &[Type::Text, INT, LONG]),
    (Avg, &[INT, INT]),
    (Sum, &[]),
    (Stddev, &[Type::Text, LONG]),
    (Quantize, &[INT]),
    (Lquantize, &[Type::Text]),
    (Llquantize, &[LONG, INT, Type::Text]),
    (Count, &[LONG, Type::Text]),
    (Max, &[LONG, Type::Text]),
    (Avg, &[LONG, Type::Text]),
];

/// The first of those that are printed together.
pub(super) const JOINED: usize = 10;

/// Bounds of lquantize() and its step.
const LINEAR: (i128, i128, i128) = (-20, 100, 7);
/// Base of llquantize(), its magnitudes and its steps.
const LOGLINEAR: (i128, u32, u32, i128) = (10, 0, 4, 20);

impl Function {
    /// The call in D.
    pub(super) fn call(self, value: &str) -> String {
        match self {
            Count => "count()".to_owned(),
            Lquantize => format!("lquantize({value}, {}, {}, {})", LINEAR.0, LINEAR.1, LINEAR.2),
            Llquantize => {
                let (base, low, high, steps) = LOGLINEAR;
                format!("llquantize({value}, {base}, {low}, {high}, {steps})")
            }
            _ => format!("{}({value})", format!("{self:?}").to_lowercase()),
        }
    }

    /// Whether it is printed as a table.
    pub(super) fn is_table(self) -> bool {
        matches!(self, Quantize | Lquantize | Llquantize)
    }

    /// The label of the bucket that a value is counted in.
    fn bucket(self, value: i128) -> String {
        match self {
            Quantize => match value {
                0 => "0".to_owned(),
                _ => {
                    format!("{}{}", if value < 0 { "-" } else { "" }, 1_u128 << value.unsigned_abs().ilog2())
                }
            },
            Lquantize => {
                let (low, high, step) = LINEAR;
                match value {
                    _ if value < low => format!("< {low}"),
                    _ if value >= low + (high - low) / step * step => {
                        format!(">= {}", low + (high - low) / step * step)
                    }
                    _ => (low + (value - low) / step * step).to_string(),
                }
            }
            _ => {
                let (base, low, high, steps) = LOGLINEAR;
                let size = value.abs();
                let sign = if value < 0 { "-" } else { "" };
                if size < base.pow(low) {
                    return if low == 0 { "0".to_owned() } else { format!("abs() < {}", base.pow(low)) };
                }
                if size >= base.pow(high + 1) {
                    let bound = base.pow(high + 1);
                    return if value < 0 { format!("<= -{bound}") } else { format!(">= {bound}") };
                }
                let top = base.pow(size.ilog(base) + 1);
                let step = (top / steps).max(1);
                format!("{sign}{}", size / step * step)
            }
        }
    }
}

/// What one element has been given.
#[derive(Debug, Clone)]
pub(super) struct Element {
    count: i128,
    sum: i128,
    squares: i128,
    least: i128,
    most: i128,
    buckets: BTreeMap<String, u32>,
}

impl Element {
    /// One that nothing has been given.
    pub(super) const NEW: Self =
        Self { count: 0, sum: 0, squares: 0, least: i128::MAX, most: i128::MIN, buckets: BTreeMap::new() };

    /// Takes one value, of 64 bits.
    pub(super) fn take(&mut self, function: Function, value: i128) {
        self.count += 1;
        self.sum = (self.sum + value) as i64 as i128;
        self.squares = self.squares.wrapping_add(value * value);
        self.least = self.least.min(value);
        self.most = self.most.max(value);
        if function.is_table() {
            *self.buckets.entry(function.bucket(value)).or_default() += 1;
        }
    }

    /// What is printed of it: a number, or the lines of a table without their drawing.
    pub(super) fn shown(&self, function: Function) -> String {
        let number = match function {
            Count => self.count,
            Sum => self.sum,
            Min => self.least,
            Max => self.most,
            Avg => self.sum / self.count,
            Stddev => {
                let mean = self.sum / self.count;
                (self.squares / self.count - mean * mean).max(0).isqrt()
            }
            Quantize | Lquantize | Llquantize => {
                return self.buckets.iter().fold(String::new(), |mut text, (bucket, count)| {
                    write!(text, "{bucket}: {count}; ").expect("a string grows");
                    text
                });
            }
        };
        number.to_string()
    }
}
