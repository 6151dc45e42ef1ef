//! DTrace's default form of a value: what trace() prints and what the columns of an aggregation are.

use super::escape;
use super::printf::columns;
use super::value::Value;

/// Characters of a string in trace()'s output.
pub const TRACE_WIDTH: usize = 33;
/// Characters of a string in an aggregation's key.
pub const KEY_WIDTH: usize = 50;

/// Appends a value as a column: integers to the right, as wide as their type needs; strings to the left.
pub fn column(into: &mut Vec<u8>, value: &Value, text_width: usize, terminal: bool) {
    match value {
        Value::Int { value, bytes, signed } => {
            let width = match bytes {
                1 => 3,
                2 => 5,
                4 => 8,
                _ => 16,
            };
            into.extend_from_slice(format!(" {:>width$}", integer(*value, *signed)).as_bytes());
        }
        Value::Str(text) => {
            into.extend_from_slice(b"  ");
            let start = into.len();
            string(into, text, terminal);
            let blanks = text_width.saturating_sub(columns(&into[start..]));
            into.extend(std::iter::repeat_n(b' ', blanks));
        }
    }
}

/// Appends a value by itself, as trace() does in quiet mode.
pub fn bare(into: &mut Vec<u8>, value: &Value, terminal: bool) {
    match value {
        Value::Int { value, signed, .. } => into.extend_from_slice(integer(*value, *signed).as_bytes()),
        Value::Str(text) => string(into, text, terminal),
    }
}

fn integer(value: i64, signed: bool) -> String {
    if signed { value.to_string() } else { (value as u64).to_string() }
}

fn string(into: &mut Vec<u8>, text: &[u8], terminal: bool) {
    if terminal {
        into.extend_from_slice(escape::printable(text).as_bytes());
    } else {
        into.extend_from_slice(text);
    }
}
