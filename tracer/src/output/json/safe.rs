//! JSON's strings as a terminal may be shown them.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

use crate::output::escape;

/// Compact JSON in which a character that a terminal acts on, or that hides or turns others, is written as its `\u` escape.
/// JSON itself asks for that only below U+0020; a reader gets the same string.
struct Safe;

/// Appends an object.
pub(super) fn write(into: &mut Vec<u8>, object: &impl Serialize) -> io::Result<()> {
    Ok(object.serialize(&mut serde_json::Serializer::with_formatter(into, Safe))?)
}

impl Formatter for Safe {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.bytes().all(|byte| byte < 0x7f) {
            return writer.write_all(fragment.as_bytes());
        }
        for c in fragment.chars() {
            if escape::is_plain(c) {
                write!(writer, "{c}")?;
            } else {
                c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(writer, "\\u{unit:04x}"))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_acts_on_is_escaped_and_read_back() {
        let text = "grün \u{9b}31m \u{7f} \u{202e} \u{e0041} \u{1b}[2J \"\\ 漢";
        let mut line = Vec::new();
        write(&mut line, &text).unwrap();
        let line = String::from_utf8(line).unwrap();
        assert_eq!(line, r#""grün \u009b31m \u007f \u202e \udb40\udc41 \u001b[2J \"\\ 漢""#);
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }
}
