//! printf: values by C's rules, as DTrace has them.
//!
//! Invariant: total. Whatever a format and its values are, something is printed; the checker has refused what does
//! not fit. The signedness of `%d` is that of the value's type; sizes are known, so prefixes mean nothing here.
//! Widths and precisions count characters. As in dtrace, a precision of 0 is none, and the locale is C's: `'` has no
//! separator to put between groups of digits.

use std::borrow::Cow;
use std::mem::MaybeUninit;

use super::value::Value;
use super::{escape, stack};
use crate::check::typed::Shows;
use crate::syntax::format::{Conversion, Format, Piece, SIZE_MAX, Size, Takes};

/// A conversion whose width and precision are known.
#[derive(Debug, Clone, Copy)]
pub struct Spec<'a> {
    conversion: &'a Conversion,
    left: bool,
    width: usize,
    precision: Option<usize>,
}

/// Appends the text of printf(format, values).
pub fn print(into: &mut Vec<u8>, format: &Format, values: &[Value], terminal: bool) {
    let mut values = values.iter();
    for piece in &format.pieces {
        match piece {
            Piece::Text(text) => into.extend_from_slice(text),
            Piece::Conversion(conversion) => {
                let spec = Spec::new(conversion, || number(values.next()));
                if let Some(value) = values.next() {
                    spec.print(into, value, terminal);
                }
            }
        }
    }
}

/// The text of printf(format, values), for something other than a terminal.
pub fn text(format: &Format, values: &[Value]) -> Vec<u8> {
    let mut text = Vec::new();
    print(&mut text, format, values, false);
    text
}

/// A width or precision that is a value.
pub fn number(value: Option<&Value>) -> i64 {
    match value {
        Some(Value::Int { value, .. }) => *value,
        _ => 0,
    }
}

impl<'a> Spec<'a> {
    /// The conversion with its dynamic width and precision, where it has them, taken from `next`.
    pub fn new(conversion: &'a Conversion, mut next: impl FnMut() -> i64) -> Spec<'a> {
        let mut size = |size: Option<Size>| match size? {
            Size::Fixed(size) => Some(i64::from(size)),
            Size::Dynamic => Some(next().clamp(-i64::from(SIZE_MAX), i64::from(SIZE_MAX))),
        };
        let width = size(conversion.width).unwrap_or(0);
        let precision = size(conversion.precision);
        Spec {
            conversion,
            left: conversion.left || width < 0,
            width: width.unsigned_abs() as usize,
            precision: precision
                .and_then(|precision| usize::try_from(precision).ok())
                .filter(|&most| most > 0),
        }
    }

    /// Appends the value.
    pub fn print(&self, into: &mut Vec<u8>, value: &Value, terminal: bool) {
        match value {
            Value::Bytes(words) if self.conversion.takes() == Takes::WideText => {
                self.text(into, wide(words).as_bytes(), terminal);
            }
            Value::Str(text) | Value::Bytes(text) => self.text(into, text, terminal),
            Value::Float(bits) => self.float(into, f64::from_bits(*bits)),
            Value::Stack { frames, .. } => stack::print(into, frames, self.indent(), |into, frame| {
                self.text(into, frame.as_bytes(), terminal);
            }),
            Value::Symbol { frame, shows, .. } => {
                let shows = match (self.conversion.letter.as_str(), *shows) {
                    ("a" | "A", Shows::Function) => Shows::Address,
                    (_, shows) => shows,
                };
                self.text(into, frame.show(shows).as_bytes(), terminal);
            }
            &Value::Int { value, bytes, signed } => {
                let magnitude = truncate(value, bytes);
                match self.conversion.letter.as_str() {
                    "d" | "i" if signed => self.integer(into, value < 0, value.unsigned_abs(), 10, true),
                    "d" | "i" | "u" => self.integer(into, false, magnitude, 10, false),
                    "x" | "X" | "p" | "P" => self.integer(into, false, magnitude, 16, false),
                    "o" => self.integer(into, false, magnitude, 8, false),
                    "a" | "A" => self.pad(into, format!("{magnitude:#x}").as_bytes()),
                    "c" => self.character(into, &[value as u8], terminal),
                    "wc" => {
                        let c = char::from_u32(magnitude as u32).unwrap_or(char::REPLACEMENT_CHARACTER);
                        self.character(into, c.to_string().as_bytes(), terminal);
                    }
                    "C" => self.pad(into, escape::ascii(&[value as u8]).as_bytes()),
                    "Y" => self.pad(into, walltime(value, calendar).as_bytes()),
                    "T" => self.pad(into, walltime(value, mail_date).as_bytes()),
                    _ if signed => self.pad(into, value.to_string().as_bytes()),
                    _ => self.pad(into, magnitude.to_string().as_bytes()),
                }
            }
        }
    }

    /// Blanks before each frame of a stack: the width, where the conversion is to the left, as in dtrace.
    fn indent(&self) -> usize {
        if self.left { self.width } else { 0 }
    }

    fn text(&self, into: &mut Vec<u8>, text: &[u8], terminal: bool) {
        let shown = match self.conversion.letter.as_str() {
            // With the zero at its end, as dtrace has it.
            "S" => Cow::Owned((escape::ascii(text) + "\\0").into_bytes()),
            _ if terminal => Cow::Owned(escape::printable(text).into_bytes()),
            _ => Cow::Borrowed(text),
        };
        let cut = self.precision.map_or(shown.len(), |most| end_of(&shown, most));
        self.pad(into, &shown[..cut]);
    }

    fn character(&self, into: &mut Vec<u8>, bytes: &[u8], terminal: bool) {
        if terminal { self.pad(into, escape::printable(bytes).as_bytes()) } else { self.pad(into, bytes) }
    }

    /// C's integers (C11, 7.21.6.1): sign, prefix, zeros up to the precision or the width, digits.
    fn integer(&self, into: &mut Vec<u8>, negative: bool, magnitude: u64, base: u64, signed: bool) {
        let Conversion { plus, space, alternate, zero, .. } = *self.conversion;
        let mut room = [0; DIGITS_MAX];
        let digits = digits(&mut room, magnitude, base, self.conversion.letter == "X");
        let mut zeros = self.precision.unwrap_or(0).saturating_sub(digits.len());
        if alternate && base == 8 && zeros == 0 && !digits.starts_with(b"0") {
            zeros = 1;
        }
        let sign = match (negative, signed && plus, signed && space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (.., true) => " ",
            _ => "",
        };
        let prefix = match (alternate && magnitude != 0 && base == 16, self.conversion.letter == "X") {
            (true, true) => "0X",
            (true, false) => "0x",
            _ => "",
        };
        if zero && !self.left && self.precision.is_none() {
            zeros = zeros.max(self.width.saturating_sub(sign.len() + prefix.len() + digits.len()));
        }
        self.padded(into, sign.len() + prefix.len() + zeros + digits.len(), |into| {
            into.extend_from_slice(sign.as_bytes());
            into.extend_from_slice(prefix.as_bytes());
            into.extend(std::iter::repeat_n(b'0', zeros));
            into.extend_from_slice(digits);
        });
    }

    /// C's floating-point numbers, by C's library.
    fn float(&self, into: &mut Vec<u8>, value: f64) {
        let Conversion { plus, space, alternate, zero, .. } = *self.conversion;
        let flags = [(self.left, '-'), (plus, '+'), (space, ' '), (alternate, '#'), (zero, '0')];
        let flags: String = flags.iter().filter(|flag| flag.0).map(|flag| flag.1).collect();
        let letter = match self.conversion.letter.as_str() {
            letter @ ("e" | "E" | "f" | "F" | "g" | "G") => letter,
            _ => "g",
        };
        let format = format!("%{flags}*.*{letter}\0");
        let width = libc::c_int::try_from(self.width).unwrap_or(0);
        let precision = self.precision.and_then(|precision| precision.try_into().ok()).unwrap_or(-1);
        let print = |buffer: &mut [u8]| {
            let (format, room) = (format.as_ptr().cast(), buffer.len());
            // SAFETY: the format ends in a zero and takes two ints and a double; snprintf writes at most `room` bytes.
            unsafe { libc::snprintf(buffer.as_mut_ptr().cast(), room, format, width, precision, value) }
        };
        let length = usize::try_from(print(&mut [])).unwrap_or(0);
        let mut buffer = vec![0; length + 1];
        print(&mut buffer);
        into.extend_from_slice(&buffer[..length]);
    }

    fn pad(&self, into: &mut Vec<u8>, text: &[u8]) {
        let columns = if self.width == 0 { 0 } else { columns(text) };
        self.padded(into, columns, |into| into.extend_from_slice(text));
    }

    /// Blanks up to the width around what takes so many columns.
    fn padded(&self, into: &mut Vec<u8>, columns: usize, print: impl FnOnce(&mut Vec<u8>)) {
        let blanks = std::iter::repeat_n(b' ', self.width.saturating_sub(columns));
        if self.left {
            print(into);
            into.extend(blanks);
        } else {
            into.extend(blanks);
            print(into);
        }
    }
}

/// The characters of an array of wide ones, up to a zero.
fn wide(words: &[u8]) -> String {
    let words = words.as_chunks::<4>().0.iter().map(|&word| u32::from_le_bytes(word));
    let characters = words.take_while(|&word| word != 0);
    characters.map(|word| char::from_u32(word).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// The value as an unsigned one of so many bytes.
fn truncate(value: i64, bytes: u8) -> u64 {
    value as u64 & (u64::MAX >> (64 - 8 * u32::from(bytes.clamp(1, 8))))
}

/// The most digits that a number has: 64 bits in base 8, the smallest.
const DIGITS_MAX: usize = 22;

/// The digits of a number, at the end of `room`.
fn digits(room: &mut [u8; DIGITS_MAX], mut magnitude: u64, base: u64, capitals: bool) -> &[u8] {
    let table = if capitals { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
    let mut start = room.len();
    loop {
        start -= 1;
        room[start] = table[(magnitude % base) as usize];
        magnitude /= base;
        if magnitude == 0 {
            return &room[start..];
        }
    }
}

/// Number of characters; a byte that is not UTF-8 counts as one.
pub fn columns(text: &[u8]) -> usize {
    text.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
}

/// Where the first `most` characters end.
fn end_of(text: &[u8], most: usize) -> usize {
    let lengths = text.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid().chars().map(char::len_utf8);
        valid.chain(std::iter::repeat_n(1, chunk.invalid().len()))
    });
    lengths.take(most).sum()
}

/// Nanoseconds since 1970 as local time.
fn walltime(nanoseconds: i64, show: fn(&libc::tm) -> String) -> String {
    let seconds: libc::time_t = nanoseconds.div_euclid(1_000_000_000);
    let mut local = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are to live memory of the right type; localtime_r writes only there.
    let done = unsafe { libc::localtime_r(&raw const seconds, local.as_mut_ptr()) };
    if done.is_null() {
        return seconds.to_string();
    }
    // SAFETY: all-zero bytes are a tm, and localtime_r has filled it in.
    show(&unsafe { local.assume_init() })
}

/// `%T`: as in the heads of mails, such as `Sun, 01 Nov 2026 18:10:09 UTC`.
fn mail_date(time: &libc::tm) -> String {
    let mut text = [0_u8; 64];
    let format = c"%a, %d %b %G %T %Z";
    // SAFETY: the buffer is as long as said, the format ends in a zero, and the time is complete.
    let length = unsafe { libc::strftime(text.as_mut_ptr().cast(), text.len(), format.as_ptr(), time) };
    String::from_utf8_lossy(&text[..length]).into_owned()
}

/// `%Y`: such as `2026 Nov  1 18:10:09`.
fn calendar(time: &libc::tm) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    format!(
        "{} {} {:2} {:02}:{:02}:{:02}",
        i64::from(time.tm_year) + 1900,
        MONTHS.get(time.tm_mon as usize).unwrap_or(&"???"),
        time.tm_mday,
        time.tm_hour,
        time.tm_min,
        time.tm_sec
    )
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use proptest::prelude::*;

    use super::*;

    fn int(value: i64, bytes: u8, signed: bool) -> Value {
        Value::Int { value, bytes, signed }
    }

    fn show(format: &str, values: &[Value], terminal: bool) -> String {
        let mut out = Vec::new();
        print(&mut out, &Format::parse(format.as_bytes()).unwrap(), values, terminal);
        String::from_utf8_lossy(&out).into_owned()
    }

    fn text(text: &str) -> Value {
        Value::Str(text.into())
    }

    #[test]
    fn floating_point_numbers_are_printed_as_c_does() {
        let half = [Value::Float(1.5_f64.to_bits())];
        assert_eq!(show("%f|", &half, false), "1.500000|");
        assert_eq!(show("%8.2f|", &half, false), "    1.50|");
        assert_eq!(show("%-+9.1e|", &half, false), "+1.5e+00 |");
        assert_eq!(show("%G|", &[Value::Float(1e-10_f64.to_bits())], false), "1E-10|");
        assert_eq!(show("%0*.*Lf|", &[int(6, 4, true), int(1, 4, true), half[0].clone()], false), "0001.5|");
    }

    #[test]
    fn sign_and_size_are_those_of_the_type() {
        assert_eq!(show("%d %d", &[int(-1, 4, true), int(0xffff_ffff, 4, false)], false), "-1 4294967295");
        assert_eq!(show("%u %x", &[int(-1, 4, true), int(-1, 2, true)], false), "4294967295 ffff");
        assert_eq!(
            show("%hd %llu", &[int(300, 2, true), int(-1, 8, false)], false),
            "300 18446744073709551615"
        );
        assert_eq!(show("%'d %'u", &[int(-1_234_567, 8, true), int(999, 8, true)], false), "-1234567 999");
        assert_eq!(
            show("%.0d|%.0f", &[int(0, 4, true), Value::Float(1.5_f64.to_bits())], false),
            "0|1.500000"
        );
        assert_eq!(show("%p %a", &[int(0xbeef, 8, false), int(0xbeef, 8, false)], false), "beef 0xbeef");
    }

    #[test]
    fn strings_and_characters() {
        assert_eq!(
            show("[%-6s|%6s|%.2s]", &[text("ab"), text("ab"), text("abc")], false),
            "[ab    |    ab|ab]"
        );
        assert_eq!(
            show(
                "[%*s|%-*s|%.*s]",
                &[int(4, 4, true), text("x"), int(3, 4, true), text("y"), int(1, 4, true), text("zz")],
                false
            ),
            "[   x|y  |z]"
        );
        assert_eq!(show("[%*d]", &[int(-4, 4, true), int(7, 4, true)], false), "[7   ]");
        assert_eq!(
            show(
                "%c%wc%C%S",
                &[int(65, 1, true), int(0x3b1, 4, true), int(10, 1, true), text("a\tb")],
                false
            ),
            "Aα\\na\\tb\\0"
        );
        assert_eq!(show("[%-4s]", &[text("né")], false), "[né  ]");
        assert_eq!(show("%d of %s%%", &[text("odd"), int(-5, 4, true)], false), "odd of -5%");
    }

    #[test]
    fn only_a_terminal_needs_escapes() {
        let evil = Value::Str(b"\x1b[31m\n\xff".to_vec());
        assert_eq!(show("\x1b[1m%s\n", std::slice::from_ref(&evil), true), "\x1b[1m\\x1b[31m\\n\\xff\n");
        let mut out = Vec::new();
        print(&mut out, &Format::parse(b"%s").unwrap(), &[evil], false);
        assert_eq!(out, b"\x1b[31m\n\xff");
    }

    #[test]
    fn times_as_in_ctime() {
        // SAFETY: all-zero bytes are a tm.
        let mut time: libc::tm = unsafe { std::mem::zeroed() };
        (time.tm_year, time.tm_mon, time.tm_mday, time.tm_hour, time.tm_min, time.tm_sec) =
            (126, 10, 1, 8, 5, 9);
        assert_eq!(calendar(&time), "2026 Nov  1 08:05:09");
        (time.tm_yday, time.tm_wday) = (304, 0);
        assert!(mail_date(&time).starts_with("Sun, 01 Nov 2026 08:05:09"), "{}", mail_date(&time));
        let now = show("%Y", &[int(1_790_000_000_123_456_789, 8, false)], false);
        assert_eq!((now.len(), &now[..4]), (20, "2026"));
    }

    /// What the C library prints.
    fn snprintf(format: &str, value: u64) -> String {
        let format = CString::new(format).unwrap();
        let mut buffer = [0_u8; 256];
        // SAFETY: the buffer is as long as said, and the format takes one 64-bit integer.
        let length =
            unsafe { libc::snprintf(buffer.as_mut_ptr().cast(), buffer.len(), format.as_ptr(), value) };
        String::from_utf8(buffer[..length as usize].to_vec()).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn integers_are_those_of_the_c_library(
            flags in proptest::sample::subsequence(vec!["-", "+", " ", "#", "0"], 0..=5),
            width in proptest::option::of(1_u32..40),
            precision in proptest::option::of(1_u32..40),
            letter in proptest::sample::select(vec!["d", "i", "u", "x", "X", "o"]),
            value in prop_oneof![any::<i64>(), -3_i64..3, Just(i64::MIN), -5000_i64..5000],
        ) {
            let width = width.map(|width| width.to_string()).unwrap_or_default();
            let precision = precision.map(|precision| format!(".{precision}")).unwrap_or_default();
            // In dtrace the last of - and 0 counts, in C always -.
            let flags = flags.concat();
            let flags = if flags.contains('-') { flags.replace('0', "") } else { flags };
            let head = format!("[%{flags}{width}{precision}");
            let signed = matches!(letter, "d" | "i");
            prop_assert_eq!(
                show(&format!("{head}{letter}]"), &[int(value, 8, signed)], false),
                snprintf(&format!("{head}ll{letter}]"), value as u64)
            );
        }
    }
}
