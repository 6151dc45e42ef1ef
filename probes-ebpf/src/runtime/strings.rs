//! Strings: buffers of whole words, zero-padded to their full length.

/// Compares two strings of `words` 8-byte words as C's strcmp does: below, at or above zero. Both are aligned to 8
/// bytes and padded with zeros, so that whole words can be compared, first byte first.
///
/// # Safety
/// Both point to that many words.
#[unsafe(no_mangle)]
#[inline(never)]
pub unsafe extern "C" fn string_compare(a: *const u8, b: *const u8, words: u64) -> i64 {
    let (a, b) = (a.cast::<u64>(), b.cast::<u64>());
    let mut index = 0;
    while index < words as usize {
        // SAFETY: the caller's promise.
        let (left, right) = unsafe { (a.add(index).read().to_be(), b.add(index).read().to_be()) };
        if left != right {
            return if left < right { -1 } else { 1 };
        }
        index += 1;
    }
    0
}

/// strlen(): the bytes before the first zero in a string of `words` 8-byte words, aligned and padded as above.
///
/// # Safety
/// It points to that many words.
#[unsafe(no_mangle)]
#[inline(never)]
pub unsafe extern "C" fn string_length(text: *const u8, words: u64) -> u64 {
    let text = text.cast::<u64>();
    let mut index = 0;
    while index < words as usize {
        // SAFETY: the caller's promise.
        let mut word = unsafe { text.add(index).read() }.to_le();
        if word >> 56 == 0 {
            // The string ends in this word: the rest is zero, so count until nothing is left.
            let mut length = index as u64 * 8;
            while word != 0 {
                word >>= 8;
                length += 1;
            }
            return length;
        }
        index += 1;
    }
    words * 8
}

#[cfg(test)]
mod tests {
    use super::{string_compare, string_length};

    #[repr(align(8))]
    struct Buffer([u8; 32]);

    fn buffer(text: &str) -> Buffer {
        let mut bytes = [0; 32];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Buffer(bytes)
    }

    #[test]
    fn orders_as_bytes_do() {
        let texts =
            ["", "a", "ab", "abc", "abcdefgh", "abcdefghi", "abcdefgz", "b", "zebra", "\u{e9}t\u{e9}"];
        for a in texts {
            for b in texts {
                let (left, right) = (buffer(a), buffer(b));
                // SAFETY: four words each.
                let order = unsafe { string_compare(left.0.as_ptr(), right.0.as_ptr(), 4) };
                assert_eq!(order.cmp(&0), a.as_bytes().cmp(b.as_bytes()), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn lengths_are_those_before_the_padding() {
        for text in ["", "a", "1234567", "12345678", "123456789", "0123456789012345678901234567890"] {
            let buffer = buffer(text);
            // SAFETY: four words.
            assert_eq!(unsafe { string_length(buffer.0.as_ptr(), 4) }, text.len() as u64);
        }
        // SAFETY: one word of four.
        assert_eq!(unsafe { string_length(buffer("123456789").0.as_ptr(), 1) }, 8);
    }

    #[test]
    fn stops_at_the_given_length() {
        let (left, right) = (buffer("abcdefghX"), buffer("abcdefghY"));
        // SAFETY: one word of four.
        assert_eq!(unsafe { string_compare(left.0.as_ptr(), right.0.as_ptr(), 1) }, 0);
    }
}
