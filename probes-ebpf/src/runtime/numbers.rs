//! Numbers as text and text as numbers: lltostr() and strtoll().

use super::job::{Job, Step, routines};

/// Counts the digits of a number.
#[repr(C)]
struct Digits {
    value: u64,
    base: u64,
    count: u64,
}

impl Step for Digits {
    #[inline(always)]
    fn step(job: &mut Job<Self>) -> bool {
        let Digits { value, base, count } = *job.state();
        if value == 0 {
            return true;
        }
        *job.state() = Digits { value: value.checked_div(base).unwrap_or(0), base, count: count + 1 };
        false
    }
}

/// Writes the digits of a number, the last first.
#[repr(C)]
struct Write {
    value: u64,
    base: u64,
    /// Where the digit before goes.
    at: u64,
}

impl Step for Write {
    #[inline(always)]
    fn step(job: &mut Job<Self>) -> bool {
        let Write { value, base, at } = *job.state();
        if value == 0 {
            return true;
        }
        let rest = value.checked_div(base).unwrap_or(0);
        let digit = value.wrapping_sub(rest.wrapping_mul(base));
        let letter = if digit < 10 { b'0' } else { b'a' - 10 };
        let at = at.wrapping_sub(1);
        job.put(at, (digit as u8).wrapping_add(letter));
        *job.state() = Write { value: rest, base, at };
        false
    }
}

routines! {
    /// lltostr(): the first number in the base that is the second, 2 to 36; with a sign in base 10, with `0` before it in base
    /// 8 and `0x` in base 16.
    number_text(call) {
        let [number, base] = call.numbers();
        let negative = base == 10 && number < 0;
        let (value, base) = (if negative { number.wrapping_neg() } else { number } as u64, base as u64);
        let mut job = call.job(Digits { value, base, count: 0 });
        let mut count = job.run().count;
        let mut at = 0;
        if negative {
            job.put(at, b'-');
            at += 1;
        }
        if value == 0 || base == 8 || base == 16 {
            job.put(at, b'0');
            at += 1;
        }
        if base == 16 {
            job.put(at, b'x');
            at += 1;
            if value == 0 {
                job.put(at, b'0');
            }
        }
        count += at;
        call.job(Write { value, base, at: count }).run();
        0
    }
}

/// Reads a number.
#[repr(C)]
struct Read {
    at: u64,
    base: u64,
    value: u64,
    negative: u64,
    /// What may come: [`BLANK`], [`SIGN`], [`DIGIT`].
    expected: u64,
}

/// Blanks, a sign, a prefix or digits.
const BLANK: u64 = 0;
/// A prefix or digits.
const SIGN: u64 = 1;
/// Digits.
const DIGIT: u64 = 2;

impl Step for Read {
    #[inline(always)]
    fn step(job: &mut Job<Self>) -> bool {
        let Read { at, base, value, expected, .. } = *job.state();
        let byte = job.first(at);
        if expected == BLANK {
            let blank = byte == b' ' || byte == b'\t';
            let sign = byte == b'-' || byte == b'+';
            let state = job.state();
            if !blank {
                state.expected = SIGN;
            }
            if sign {
                state.negative = u64::from(byte == b'-');
            }
            if blank || sign {
                state.at = at + 1;
            }
            return false;
        }
        if expected == SIGN {
            let prefix = base == 16
                && byte == b'0'
                && job.first(at + 1) | 0x20 == b'x'
                && digit(job.first(at + 2)) < 16;
            let state = job.state();
            state.expected = DIGIT;
            if prefix {
                state.at = at + 2;
            }
            return false;
        }
        let digit = digit(byte);
        if digit >= base {
            return true;
        }
        let state = job.state();
        state.value = value.wrapping_mul(base).wrapping_add(digit);
        state.at = at + 1;
        false
    }
}

/// The value of a digit or letter; what is neither is more than any base.
#[inline(always)]
fn digit(byte: u8) -> u64 {
    let byte = u64::from(byte);
    let number = byte.wrapping_sub(u64::from(b'0'));
    let letter = (byte | 0x20).wrapping_sub(u64::from(b'a'));
    if number < 10 {
        number
    } else if letter < 26 {
        letter + 10
    } else {
        u64::MAX
    }
}

routines! {
    /// strtoll(): the number that the first string begins with, in the base that is the first number; 0 where there is none.
    text_number(call) {
        let base = call.numbers()[0] as u64;
        let mut job = call.job(Read { at: 0, base, value: 0, negative: 0, expected: BLANK });
        let end = job.run();
        if end.negative != 0 { end.value.wrapping_neg() as i64 } else { end.value as i64 }
    }
}

#[cfg(test)]
mod tests {
    use super::super::job::testing::{run, run_sized};
    use super::*;

    const SOME: [i64; 12] = [0, 1, -1, 7, 8, 9, 10, -10, 255, 123_456_789_012, i64::MAX, i64::MIN];

    fn text(number: i64, base: i64) -> String {
        run_sized(number_text, 72, b"", b"", [number, base]).1
    }

    #[test]
    fn numbers_are_written_as_c_writes_them() {
        for number in SOME {
            assert_eq!(text(number, 10), number.to_string());
            assert_eq!(text(number, 16), format!("{number:#x}"));
            assert_eq!(text(number, 2), format!("{number:b}"));
            let octal = if number == 0 { "0".to_owned() } else { format!("0{number:o}") };
            assert_eq!(text(number, 8), octal);
        }
        assert_eq!(text(35, 36), "z");
        assert_eq!(text(36, 36), "10");
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for number in SOME {
            for base in [2, 3, 8, 10, 16, 36] {
                let (read, _) = run_sized(text_number, 72, text(number, base).as_bytes(), b"", [base, 0]);
                assert_eq!(read, number, "{base}");
            }
        }
        let read = |text, base| run(text_number, text, "", [base, 0]).0;
        assert_eq!(read(" \t -42abc", 10), -42);
        assert_eq!(read("+7", 10), 7);
        assert_eq!(read("+-7", 10), 0);
        assert_eq!(read("0x1F", 16), 31);
        assert_eq!(read("0xg", 16), 0);
        assert_eq!(read("0x1f", 10), 0);
        assert_eq!(read("129", 8), 10);
        assert_eq!(read("", 10), 0);
        assert_eq!(read("99999999999999999999", 10), 99_999_999_999_999_999_999_u128 as i64);
    }
}
