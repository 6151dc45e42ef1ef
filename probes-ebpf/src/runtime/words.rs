//! Eight bytes at a time.

const LOW: u64 = 0x0101_0101_0101_0101;

/// The word with spaces for zeros among its first `inside` bytes (in memory; at most 8).
#[inline(always)]
pub fn fill_zeros(word: u64, inside: u64) -> u64 {
    // Bit 7 of each byte that is zero: exact, as no carry crosses a byte.
    let zeros = !(((word & (LOW * 0x7f)) + LOW * 0x7f) | word) & (LOW * 0x80);
    let mask = if inside < 8 { (1 << (inside * 8)) - 1 } else { u64::MAX };
    word | ((zeros >> 2) & mask)
}

#[cfg(test)]
mod tests {
    use super::fill_zeros;

    #[test]
    fn zeros_inside_become_spaces() {
        let fill = |text: &[u8; 8], inside| fill_zeros(u64::from_le_bytes(*text), inside).to_le_bytes();
        assert_eq!(&fill(b"ls\0-l\0\0a", 8), b"ls -l  a");
        assert_eq!(&fill(b"ls\0-l\0\0\0", 5), b"ls -l\0\0\0");
        assert_eq!(&fill(b"\0\x01\x80\xff\x7f\0\0\0", 6), b" \x01\x80\xff\x7f \0\0");
        assert_eq!(&fill(b"\0\0\0\0\0\0\0\0", 0), b"\0\0\0\0\0\0\0\0");
    }
}
