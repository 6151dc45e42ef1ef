//! Texts that need not be UTF-8: an old script's comments and strings may hold bytes of Latin-1 or of anything.
//!
//! Invariant: [`text_of`] and [`bytes_of`] are each other's reverse for any bytes. A byte that is no part of UTF-8 has a character that
//! stands for it, among the last of those that Unicode leaves to private use; where such a character is written itself, each of its
//! bytes is taken for a byte on its own.

/// The character that stands for the byte 0; those of the bytes from 0x80 on are in use.
const FIRST: u32 = 0x10_ff00;

/// The byte that a character stands for, where it stands for one.
pub(crate) fn byte_of(c: char) -> Option<u8> {
    u8::try_from(u32::from(c).checked_sub(FIRST)?).ok().filter(|byte| !byte.is_ascii())
}

fn stand_in(byte: u8) -> char {
    char::from_u32(FIRST + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The bytes as text.
pub fn text_of(bytes: Vec<u8>) -> String {
    let stands_in = |text: &str| text.chars().any(|c| byte_of(c).is_some());
    let bytes = match String::from_utf8(bytes) {
        Ok(text) if !stands_in(&text) => return text,
        Ok(text) => text.into_bytes(),
        Err(error) => error.into_bytes(),
    };
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match byte_of(c) {
                None => text.push(c),
                Some(_) => text.extend(c.encode_utf8(&mut [0; 4]).bytes().map(stand_in)),
            }
        }
        text.extend(chunk.invalid().iter().copied().map(stand_in));
    }
    text
}

/// The bytes of a character of such a text.
pub(crate) fn push_bytes(c: char, bytes: &mut Vec<u8>) {
    match byte_of(c) {
        Some(byte) => bytes.push(byte),
        None => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// The bytes that became this text.
pub fn bytes_of(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    text.chars().for_each(|c| push_bytes(c, &mut bytes));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_utf_8_stays_as_it_is() {
        assert_eq!(text_of("naïve €".into()), "naïve €");
        assert_eq!(bytes_of("naïve €"), "naïve €".as_bytes());
    }

    #[test]
    fn any_bytes_come_back() {
        let all: Vec<u8> = (0..=255).chain("é\u{10ffe9}\u{10ff00}".bytes()).chain([0xf4, 0x8f]).collect();
        assert_eq!(bytes_of(&text_of(all.clone())), all);
    }

    #[test]
    fn a_byte_is_one_character_of_four_bytes() {
        let text = text_of(b"\xe9t\xe9".to_vec());
        let found: Vec<(Option<u8>, usize)> = text.chars().map(|c| (byte_of(c), c.len_utf8())).collect();
        assert_eq!(found, [(Some(0xe9), 4), (None, 1), (Some(0xe9), 4)]);
    }
}
