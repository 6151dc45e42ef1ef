//! Aggregations as text: the default layout and printa's formats.
//!
//! Rows come by value, then by key, unless options say otherwise. Several aggregations are joined by key.

use std::collections::BTreeMap;

use super::datum;
use super::order::{self, Joined};
use super::printf::{Spec, number};
use super::quantize::{self, Bucket, Packed, Scale};
use super::style::{Bars, Sort, Style};
use super::value::{Printout, Row, Table, Value};
use crate::check::typed::Function;
use crate::lower::layout::value_words;
use crate::syntax::format::{Format, Piece};

/// What is printed of one key in one aggregation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Summary {
    /// A number, divided by the normal.
    Scalar(i64),
    /// A histogram; the counts are not divided.
    Histogram(Vec<Bucket>),
}

/// Appends the rows: each a line of columns, or text by the format. Several aggregations are joined by key.
pub fn print(into: &mut Vec<u8>, printout: &Printout, style: &Style) {
    let tables = &printout.tables;
    match (&printout.format, &tables[..]) {
        (Some(format), _) => {
            for (key, words) in joined(tables, style.sort) {
                formatted(into, format, key, tables, &words, style);
            }
        }
        (None, [table]) if style.bars.beside && is_counted(table.function) => beside(into, table, style),
        (None, [table]) if style.bars.packed && packed(into, table, style) => {}
        (None, _) => {
            for (key, words) in joined(tables, style.sort) {
                line(into, key, tables, &words, style);
            }
        }
    }
}

/// The rows in order.
pub fn sorted(table: &Table, sort: Sort) -> Vec<&Row> {
    let mut rows: Vec<&Row> = table.rows.iter().collect();
    rows.sort_by(|a, b| order::rows(a, b, table.function, sort));
    rows
}

/// What to show of a value.
pub fn summary(function: Function, words: &[u64], normal: i64) -> Summary {
    let divided = |value: u64| (value as i64).wrapping_div(normal.max(1));
    match function {
        Function::Count => Summary::Scalar(divided(words[0])),
        Function::Sum | Function::Min | Function::Max => Summary::Scalar(divided(words[1])),
        Function::Avg => Summary::Scalar(divided(words[1]).checked_div(words[0] as i64).unwrap_or(0)),
        Function::Stddev => Summary::Scalar(order::deviation(words, normal) as i64),
        Function::Quantize => Summary::Histogram(quantize::power_buckets(&words[1..])),
        Function::Lquantize { low, step, .. } => {
            Summary::Histogram(quantize::linear_buckets(low, step, &words[1..]))
        }
        Function::Llquantize { .. } => Summary::Histogram(quantize::magnitude_buckets(function, &words[1..])),
    }
}

/// Each key once with its words in every table, zeros where it has none.
fn joined(tables: &[Table], sort: Sort) -> Vec<Joined<'_>> {
    let zeros: Vec<Vec<u64>> =
        tables.iter().map(|table| vec![0; value_words(table.function) as usize]).collect();
    let mut rows: BTreeMap<&[Value], Vec<Vec<u64>>> = BTreeMap::new();
    for (index, table) in tables.iter().enumerate() {
        for row in &table.rows {
            rows.entry(&row.key).or_insert_with(|| zeros.clone())[index].clone_from(&row.words);
        }
    }
    let functions: Vec<Function> = tables.iter().map(|table| table.function).collect();
    let mut rows: Vec<Joined<'_>> = rows.into_iter().collect();
    rows.sort_by(|a, b| order::joined(a, b, &functions, sort));
    rows
}

fn line(into: &mut Vec<u8>, key: &[Value], tables: &[Table], words: &[Vec<u64>], style: &Style) {
    for value in key {
        datum::column(into, value, datum::KEY_WIDTH, style);
    }
    for (table, words) in tables.iter().zip(words) {
        match summary(table.function, words, table.normal) {
            Summary::Scalar(value) => {
                datum::column(into, &scalar(table.function, value), datum::KEY_WIDTH, style);
            }
            Summary::Histogram(buckets) => histogram(into, table, &buckets, style.bars),
        }
    }
    into.push(b'\n');
}

/// Whether the values are amounts, that can be drawn as parts of their sum.
fn is_counted(function: Function) -> bool {
    matches!(function, Function::Count | Function::Sum | Function::Avg | Function::Stddev)
}

/// Each key with a bar for its value (agghist).
fn beside(into: &mut Vec<u8>, table: &Table, style: &Style) {
    let rows = sorted(table, style.sort);
    let values = rows.iter().map(|row| match summary(table.function, &row.words, 1) {
        Summary::Scalar(value) => value,
        Summary::Histogram(_) => 0,
    });
    let Some(first) = rows.first() else { return };
    let scale = Scale::new(values.clone(), style.bars);
    match first.key.iter().map(datum::packed_width).sum() {
        0 => quantize::heading(into, "value", 16),
        width => quantize::heading(into, "key", width),
    }
    for (row, value) in rows.iter().zip(values) {
        row.key.iter().for_each(|part| datum::packed(into, part, style));
        into.push(b' ');
        quantize::line(into, value, table.normal, scale);
    }
}

/// Each key with its histogram in one line (aggpack); false for a function that is not drawn so.
fn packed(into: &mut Vec<u8>, table: &Table, style: &Style) -> bool {
    let rows = sorted(table, style.sort);
    let histograms: Vec<Vec<Bucket>> = rows
        .iter()
        .map(|row| match summary(table.function, &row.words, 1) {
            Summary::Histogram(buckets) => buckets,
            Summary::Scalar(_) => Vec::new(),
        })
        .collect();
    let Some(packed) = Packed::new(table.function, histograms.iter().map(|buckets| &buckets[..])) else {
        return false;
    };
    let width = rows.first().map_or(0, |row| row.key.iter().map(datum::packed_width).sum());
    packed.heading(into, width);
    for (row, buckets) in rows.iter().zip(&histograms) {
        row.key.iter().for_each(|part| datum::packed(into, part, style));
        packed.line(into, buckets, style.bars);
    }
    true
}

/// The format once: plain conversions, widths and precisions take the parts of the key, those with `@` the values.
fn formatted(
    into: &mut Vec<u8>,
    format: &Format,
    key: &[Value],
    tables: &[Table],
    words: &[Vec<u64>],
    style: &Style,
) {
    let mut parts = key.iter();
    let mut values = tables.iter().zip(words);
    // Conversions behind the last aggregation print it again.
    let last = tables.iter().zip(words).next_back();
    for piece in &format.pieces {
        match piece {
            Piece::Text(text) => into.extend_from_slice(text),
            Piece::Conversion(conversion) => {
                let spec = Spec::new(conversion, || number(parts.next()));
                if !conversion.aggregation {
                    if let Some(value) = parts.next() {
                        spec.print(into, value, style.terminal);
                    }
                } else if let Some((table, words)) = values.next().or(last) {
                    match summary(table.function, words, table.normal) {
                        Summary::Scalar(value) => {
                            spec.print(into, &scalar(table.function, value), style.terminal);
                        }
                        Summary::Histogram(buckets) => histogram(into, table, &buckets, style.bars),
                    }
                }
            }
        }
    }
}

fn scalar(function: Function, value: i64) -> Value {
    Value::Int { value, bytes: 8, signed: function != Function::Stddev }
}

fn histogram(into: &mut Vec<u8>, table: &Table, buckets: &[Bucket], bars: Bars) {
    let if_empty = match table.function {
        Function::Quantize => 62..=64,
        Function::Llquantize { .. } => buckets.len() / 2..=buckets.len() / 2 + 2,
        _ => 0..=2,
    };
    quantize::draw(into, buckets, if_empty, table.normal, bars);
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    fn text(text: &str) -> Value {
        Value::Str(text.into())
    }

    fn pid(value: i64) -> Value {
        Value::Int { value, bytes: 4, signed: true }
    }

    fn table(name: &str, function: Function, rows: &[(&[Value], &[u64])]) -> Table {
        let rows = rows.iter().map(|(key, words)| Row { key: key.to_vec(), words: words.to_vec() });
        Table { name: name.to_owned(), function, normal: 1, rows: rows.collect() }
    }

    fn show(format: Option<&str>, tables: Vec<Table>) -> String {
        let format = format.map(|format| Rc::new(Format::parse(format.as_bytes()).unwrap()));
        let mut out = Vec::new();
        print(&mut out, &Printout { format, tables }, &Style::default());
        String::from_utf8(out).unwrap()
    }

    fn counts() -> Table {
        table(
            "calls",
            Function::Count,
            &[
                (&[text("sshd"), pid(901)], &[4]),
                (&[text("bash"), pid(77)], &[120]),
                (&[text("awk"), pid(1)], &[4]),
            ],
        )
    }

    fn sums() -> Table {
        table(
            "bytes",
            Function::Sum,
            &[(&[text("bash"), pid(77)], &[2, 4096]), (&[text("cat"), pid(5)], &[1, (-7_i64) as u64])],
        )
    }

    #[test]
    fn columns_by_value_and_key() {
        insta::assert_snapshot!(show(None, vec![counts()]));
    }

    #[test]
    fn joined_by_key() {
        insta::assert_snapshot!(show(None, vec![counts(), sums()]));
        insta::assert_snapshot!(show(Some("%-6s %5d %@8d %@8d\n"), vec![counts(), sums()]));
    }

    #[test]
    fn a_format_may_leave_keys_out_and_repeat_the_value() {
        assert_eq!(show(Some("%@d %s %@x;"), vec![counts()]), "4 awk 4;4 sshd 4;120 bash 78;");
    }

    #[test]
    fn normalized_and_averaged() {
        let mut average = table("a", Function::Avg, &[(&[], &[4, 1000]), (&[pid(1)], &[0, 0])]);
        average.normal = 10;
        assert_eq!(show(Some("%@d "), vec![average]), "0 25 ");
        let mut sum = sums();
        sum.normal = 1000;
        assert_eq!(show(Some("%@d "), vec![sum]), "0 4 ");
        let extremes = table("m", Function::Min, &[(&[], &[3, (-9_i64) as u64])]);
        assert_eq!(show(None, vec![extremes]), "               -9\n");
    }

    #[test]
    fn histograms_follow_their_keys() {
        let mut words = vec![0; 128];
        (words[0], words[1 + 64 + 3], words[1 + 64 + 5]) = (3, 1, 2);
        let rows: &[(&[Value], &[u64])] = &[(&[text("cat")], &words), (&[text("awk")], &words)];
        insta::assert_snapshot!(show(None, vec![table("q", Function::Quantize, rows)]));
        insta::assert_snapshot!(show(Some("%s:%@d"), vec![table("q", Function::Quantize, &rows[..1])]));
        let function = Function::Lquantize { low: 0, high: 30, step: 10 };
        insta::assert_snapshot!(show(None, vec![table("l", function, &[(&[], &[3, 0, 2, 0, 0, 1])])]));
    }
}
