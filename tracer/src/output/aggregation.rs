//! Aggregations as text: the default layout and printa's formats.
//!
//! Rows come by value, then by key. Several aggregations are joined by key and come in the order of the first.

use std::collections::BTreeMap;

use super::datum;
use super::printf::Spec;
use super::quantize::{self, Bucket};
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
pub fn print(into: &mut Vec<u8>, printout: &Printout, terminal: bool) {
    let tables = &printout.tables;
    for (key, words) in joined(tables) {
        match &printout.format {
            Some(format) => formatted(into, format, key, tables, &words, terminal),
            None => line(into, key, tables, &words, terminal),
        }
    }
}

/// The rows in DTrace's order.
pub fn sorted(table: &Table) -> Vec<&Row> {
    let mut rows: Vec<&Row> = table.rows.iter().collect();
    rows.sort_by(|a, b| a.compare(b, table.function));
    rows
}

/// What to show of a value.
pub fn summary(function: Function, words: &[u64], normal: i64) -> Summary {
    let divided = |value: u64| (value as i64).wrapping_div(normal.max(1));
    match function {
        Function::Count => Summary::Scalar(divided(words[0])),
        Function::Sum | Function::Min | Function::Max => Summary::Scalar(divided(words[1])),
        Function::Avg => Summary::Scalar(divided(words[1]).checked_div(words[0] as i64).unwrap_or(0)),
        Function::Quantize => Summary::Histogram(quantize::power_buckets(&words[1..])),
        Function::Lquantize { low, step, .. } => {
            Summary::Histogram(quantize::linear_buckets(low, step, &words[1..]))
        }
    }
}

/// Each key once with its words in every table, zeros where it has none, ordered by the first table.
fn joined(tables: &[Table]) -> Vec<(&[Value], Vec<Vec<u64>>)> {
    let zeros: Vec<Vec<u64>> =
        tables.iter().map(|table| vec![0; value_words(table.function) as usize]).collect();
    let mut rows: BTreeMap<&[Value], Vec<Vec<u64>>> = BTreeMap::new();
    for (index, table) in tables.iter().enumerate() {
        for row in &table.rows {
            rows.entry(&row.key).or_insert_with(|| zeros.clone())[index].clone_from(&row.words);
        }
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    if let Some(table) = tables.first() {
        // Stable: keys of equal value stay in the order of the keys.
        rows.sort_by_key(|(_, words)| super::value::magnitude(table.function, &words[0]));
    }
    rows
}

fn line(into: &mut Vec<u8>, key: &[Value], tables: &[Table], words: &[Vec<u64>], terminal: bool) {
    for value in key {
        datum::column(into, value, datum::KEY_WIDTH, terminal);
    }
    for (table, words) in tables.iter().zip(words) {
        match summary(table.function, words, table.normal) {
            Summary::Scalar(value) => datum::column(into, &scalar(value), datum::KEY_WIDTH, terminal),
            Summary::Histogram(buckets) => histogram(into, table, &buckets),
        }
    }
    into.push(b'\n');
}

/// The format once: plain conversions take the parts of the key, those with `@` the values, in turn.
fn formatted(
    into: &mut Vec<u8>,
    format: &Format,
    key: &[Value],
    tables: &[Table],
    words: &[Vec<u64>],
    terminal: bool,
) {
    let mut parts = key.iter();
    let mut values = tables.iter().zip(words).cycle();
    for piece in &format.pieces {
        match piece {
            Piece::Text(text) => into.extend_from_slice(text),
            Piece::Conversion(conversion) => {
                let spec = Spec::new(conversion, || 0);
                if !conversion.aggregation {
                    if let Some(value) = parts.next() {
                        spec.print(into, value, terminal);
                    }
                } else if let Some((table, words)) = values.next() {
                    match summary(table.function, words, table.normal) {
                        Summary::Scalar(value) => spec.print(into, &scalar(value), terminal),
                        Summary::Histogram(buckets) => histogram(into, table, &buckets),
                    }
                }
            }
        }
    }
}

fn scalar(value: i64) -> Value {
    Value::Int { value, bytes: 8, signed: true }
}

fn histogram(into: &mut Vec<u8>, table: &Table, buckets: &[Bucket]) {
    let if_empty = if table.function == Function::Quantize { 62..=64 } else { 0..=2 };
    quantize::draw(into, buckets, if_empty, table.normal);
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
        print(&mut out, &Printout { format, tables }, false);
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
