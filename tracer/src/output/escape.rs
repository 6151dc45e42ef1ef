//! Escaping what traced programs choose (names, paths, payload) on its way to a terminal.
//!
//! Invariant: what [`printable`] returns has no control character, no invisible or direction-changing one and no
//! byte that is not UTF-8, so that a traced program cannot move the cursor, colour or forge lines.

use std::fmt::Write as _;

/// C's escapes of one letter.
const LETTERS: &[(u8, char)] = &[
    (0x00, '0'),
    (0x07, 'a'),
    (0x08, 'b'),
    (b'\t', 't'),
    (b'\n', 'n'),
    (0x0b, 'v'),
    (0x0c, 'f'),
    (b'\r', 'r'),
];

/// The text with everything that a terminal would act on written as C escapes: `\n`, `\x1b`, `\u202e`.
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_plain(c) { text.push(c) } else { escape_char(&mut text, c) }
        }
        chunk.invalid().iter().for_each(|&byte| escape_byte(&mut text, byte));
    }
    text
}

/// The text as printf's `%S` has it: printable ASCII as it is, every other byte as a C escape, of a letter or of three
/// octal digits.
pub fn ascii(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        match (byte, LETTERS.iter().find(|(of, _)| *of == byte)) {
            (b'"' | b'\\', _) => text.extend(['\\', char::from(byte)]),
            (b' '..=b'~', _) => text.push(char::from(byte)),
            (_, Some(&(_, letter))) => text.extend(['\\', letter]),
            _ => write!(text, "\\{byte:03o}").expect("a string takes all"),
        }
    }
    text
}

/// Whether a terminal shows a character as it is and where it is.
pub(super) fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{200b}'..='\u{200f}'     // zero width, direction marks
            | '\u{2028}'..='\u{202e}'   // line separators, direction
            | '\u{2060}'..='\u{206f}'   // invisible operators, direction
            | '\u{61c}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

fn escape_char(text: &mut String, c: char) {
    match u8::try_from(c) {
        Ok(byte) if c.is_ascii() => escape_byte(text, byte),
        _ if u32::from(c) <= 0xffff => write!(text, "\\u{:04x}", u32::from(c)).expect("a string takes all"),
        _ => write!(text, "\\U{:08x}", u32::from(c)).expect("a string takes all"),
    }
}

fn escape_byte(text: &mut String, byte: u8) {
    match LETTERS.iter().find(|(code, _)| *code == byte) {
        Some(&(_, letter)) => text.extend(['\\', letter]),
        None => write!(text, "\\x{byte:02x}").expect("a string takes all"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_nothing_to_act_on() {
        assert_eq!(printable("naïve → ✓".as_bytes()), "naïve → ✓");
        assert_eq!(printable(b"a\x1b[2Jb\n\xff\0"), "a\\x1b[2Jb\\n\\xff\\0");
        assert_eq!(printable("x\u{9b}31m\u{202e}y\u{e0041}".as_bytes()), "x\\u009b31m\\u202ey\\U000e0041");
    }

    #[test]
    fn ascii_escapes_every_other_byte() {
        assert_eq!(ascii("é\t\"\\".as_bytes()), "\\303\\251\\t\\\"\\\\");
    }

    proptest::proptest! {
        #[test]
        fn nothing_but_plain_characters_is_left(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            proptest::prop_assert!(printable(&bytes).chars().all(is_plain));
            proptest::prop_assert!(ascii(&bytes).bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
    }
}
