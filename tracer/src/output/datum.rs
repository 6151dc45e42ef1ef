//! DTrace's default form of a value: what trace() prints and what the columns of an aggregation are.
//!
//! What trace() prints of integers is as its type has them, and memory that is no string as bytes. The columns of
//! aggregations know sizes only, as dtrace's do: numbers of 4 and 8 bytes are shown as signed ones, smaller ones as
//! unsigned, and memory that looks like a string is shown as one.

use std::borrow::Cow;

use super::printf::columns;
use super::style::Style;
use super::value::Value;
use super::{escape, stack};

/// Characters of a string in trace()'s output.
const TRACE_WIDTH: usize = 33;
/// Characters of a string in an aggregation's key.
pub const KEY_WIDTH: usize = 50;

/// Appends a value as trace() prints it: integers to the right, as wide as their type needs; strings to the left; in
/// quiet mode by itself.
pub fn traced(into: &mut Vec<u8>, value: &Value, style: &Style) {
    if let Some(bytes) = memory(value, style) {
        return dump(into, &bytes);
    }
    if style.quiet {
        return bare(into, value, style);
    }
    let Value::Int { value, bytes, signed } = *value else { return column(into, value, TRACE_WIDTH, style) };
    let width = match (bytes, signed) {
        (1, _) => 3,
        (2, _) => 5,
        (4, _) => 10,
        (_, true) => 19,
        (_, false) => 20,
    };
    into.extend_from_slice(format!(" {:>width$}", integer(value, signed)).as_bytes());
}

/// What trace() shows as bytes: memory, and with `rawbytes` every value.
fn memory<'a>(value: &'a Value, style: &Style) -> Option<Cow<'a, [u8]>> {
    match value {
        Value::Bytes(bytes) => Some(bytes.into()),
        _ if !style.raw => None,
        Value::Int { value, bytes, .. } => Some(value.to_le_bytes()[..usize::from(*bytes)].to_vec().into()),
        Value::Float(bits) => Some(bits.to_le_bytes().to_vec().into()),
        Value::Str(text) => Some([text, &b"\0"[..]].concat().into()),
        Value::Stack { .. } | Value::Symbol { .. } => None,
    }
}

/// Appends a value as a column of an aggregation: integers to the right, strings to the left.
pub fn column(into: &mut Vec<u8>, value: &Value, text_width: usize, style: &Style) {
    match value {
        Value::Int { value, bytes, .. } => {
            let width = integer_width(*bytes);
            let shown = match bytes {
                1 => i64::from(*value as u8),
                2 => i64::from(*value as u16),
                4 => i64::from(*value as i32),
                _ => *value,
            };
            into.extend_from_slice(format!(" {shown:>width$}").as_bytes());
        }
        Value::Str(text) => {
            into.extend_from_slice(b"  ");
            let start = into.len();
            string(into, text, style.terminal);
            let blanks = text_width.saturating_sub(columns(&into[start..]));
            into.extend(std::iter::repeat_n(b' ', blanks));
        }
        Value::Float(bits) => {
            into.extend_from_slice(format!(" {:>16}", float(*bits)).as_bytes());
        }
        Value::Bytes(bytes) => match characters(bytes).filter(|_| !style.raw) {
            Some(text) => column(into, &Value::Str(text.to_vec()), text_width, style),
            None => dump(into, bytes),
        },
        Value::Stack { frames, indent, .. } => stack::action(into, frames, *indent, style.terminal),
        Value::Symbol { frame, shows, .. } => stack::symbol(into, frame, *shows, style.terminal),
    }
}

fn integer_width(bytes: u8) -> usize {
    match bytes {
        1 => 3,
        2 => 5,
        4 => 8,
        _ => 16,
    }
}

/// Characters that [`packed`] takes.
pub fn packed_width(value: &Value) -> usize {
    1 + match value {
        Value::Int { bytes, .. } => integer_width(*bytes),
        Value::Float(_) => 16,
        Value::Str(_) | Value::Bytes(_) | Value::Stack { .. } | Value::Symbol { .. } => 16,
    }
}

/// Appends a value as a narrow column, to the right: the key beside a bar.
pub fn packed(into: &mut Vec<u8>, value: &Value, style: &Style) {
    match value {
        Value::Int { .. } | Value::Float(_) | Value::Stack { .. } | Value::Symbol { .. } => {
            column(into, value, 0, style);
        }
        Value::Str(_) | Value::Bytes(_) => {
            let mut text = Vec::new();
            bare(&mut text, value, style);
            into.extend(std::iter::repeat_n(b' ', packed_width(value).saturating_sub(columns(&text)).max(1)));
            into.extend_from_slice(&text);
        }
    }
}

/// Appends a value by itself.
pub fn bare(into: &mut Vec<u8>, value: &Value, style: &Style) {
    match value {
        Value::Int { value, signed, .. } => into.extend_from_slice(integer(*value, *signed).as_bytes()),
        Value::Str(text) => string(into, text, style.terminal),
        Value::Float(bits) => into.extend_from_slice(float(*bits).as_bytes()),
        Value::Bytes(bytes) => match characters(bytes).filter(|_| !style.raw) {
            Some(text) => string(into, text, style.terminal),
            None => dump(into, bytes),
        },
        Value::Stack { .. } | Value::Symbol { .. } => column(into, value, KEY_WIDTH, style),
    }
}

/// The text that the bytes are, where they are printable characters and zeros after them.
fn characters(bytes: &[u8]) -> Option<&[u8]> {
    let printable = |byte: &u8| matches!(byte, b' '..=b'~' | 7..=13);
    let end = bytes.iter().position(|byte| !printable(byte)).unwrap_or(bytes.len());
    let (text, rest) = bytes.split_at(end);
    (end > 0 && rest.iter().all(|&byte| byte == 0)).then_some(text)
}

/// Appends bytes as a table: sixteen a line, in hexadecimal and as characters.
pub fn dump(into: &mut Vec<u8>, bytes: &[u8]) {
    const LINE: usize = 16;
    if bytes.is_empty() {
        return;
    }
    let columns: String = "0123456789abcdef".chars().map(|digit| format!("  {digit}")).collect();
    let mut text = format!("\n{:11}{columns}  0123456789abcdef\n", "");
    for (line, bytes) in bytes.chunks(LINE).enumerate() {
        let digits: String = bytes.iter().map(|byte| format!(" {byte:02x}")).collect();
        let shown = |&byte: &u8| if matches!(byte, b' '..=b'~') { char::from(byte) } else { '.' };
        let characters: String = bytes.iter().map(shown).collect();
        text += &format!("{:10x}:{digits:48}  {characters}\n", line * LINE);
    }
    into.extend_from_slice(text.as_bytes());
}

fn float(bits: u64) -> String {
    f64::from_bits(bits).to_string()
}

fn integer(value: i64, signed: bool) -> String {
    if signed { value.to_string() } else { (value as u64).to_string() }
}

/// Appends text, escaped for a terminal.
pub fn string(into: &mut Vec<u8>, text: &[u8], terminal: bool) {
    if terminal {
        into.extend_from_slice(escape::printable(text).as_bytes());
    } else {
        into.extend_from_slice(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(print: impl Fn(&mut Vec<u8>)) -> String {
        let mut text = Vec::new();
        print(&mut text);
        String::from_utf8(text).expect("it is ASCII")
    }

    fn traced(bytes: &[u8]) -> String {
        show(|text| super::traced(text, &Value::Bytes(bytes.to_vec()), &Style::default()))
    }

    #[test]
    fn every_value_is_bytes_where_that_is_asked_for() {
        let raw = Style { raw: true, quiet: true, ..Style::default() };
        let traced = |value| show(|text| super::traced(text, &value, &raw));
        assert!(traced(Value::Int { value: -2, bytes: 2, signed: true }).contains("         0: fe ff   "));
        assert!(traced(Value::Str(b"sh".to_vec())).contains("         0: 73 68 00   "));
    }

    #[test]
    fn integers_are_as_wide_as_in_dtrace() {
        let int = |value, bytes, signed| Value::Int { value, bytes, signed };
        let trace = |value| show(|text| super::traced(text, &value, &Style::default()));
        assert_eq!(trace(int(-1, 1, true)) + &trace(int(-1, 2, true)), "  -1    -1");
        assert_eq!(trace(int(7, 4, true)) + &trace(int(0xffff_ffff, 4, false)), "          7 4294967295");
        assert_eq!(trace(int(-1, 8, true)), "                  -1");
        assert_eq!(trace(int(-1, 8, false)), " 18446744073709551615");
        let key = |value| show(|text| column(text, &value, KEY_WIDTH, &Style::default()));
        assert_eq!(key(int(-1, 1, true)) + &key(int(-1, 2, true)), " 255 65535");
        assert_eq!(key(int(0xffff_ffff, 4, false)) + &key(int(-1, 8, false)), "       -1               -1");
    }

    #[test]
    fn memory_is_text_in_a_key_where_it_can_be_and_a_table_elsewhere() {
        let bytes = Value::Bytes(b"sh\0\0".to_vec());
        assert_eq!(show(|text| column(text, &bytes, KEY_WIDTH, &Style::default())), format!("  {:50}", "sh"));
        assert!(
            traced(b"sh\0\0")
                .ends_with("\n         0: 73 68 00 00                                      sh..\n")
        );
        let table = traced(b"A\0B\x01\0\0\0\0\0\0\0\0\0\0\0\0C");
        let lines: Vec<&str> = table.split('\n').collect();
        assert_eq!(lines[1], "             0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f  0123456789abcdef");
        assert_eq!(lines[2], "         0: 41 00 42 01 00 00 00 00 00 00 00 00 00 00 00 00  A.B.............");
        assert_eq!(lines[3], "        10: 43                                               C");
        assert_eq!(lines[4..], [""]);
    }
}
