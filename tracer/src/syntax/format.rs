//! Format strings of printf and printa, taken apart: text and conversions.
//!
//! Invariant: every conversion that [`Format::parse`] lets through has a row in [`CONVERSIONS`], so that the checker
//! knows what it takes and the output knows how to print it.

use std::ops::Range;

use thiserror::Error;

/// A format string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// Its pieces in order.
    pub pieces: Vec<Piece>,
}

/// A piece of a format string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text as it is, `%%` already turned into `%`.
    Text(Vec<u8>),
    /// A conversion.
    Conversion(Conversion),
}

/// A conversion such as `%-10s`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    /// `-`: to the left.
    pub left: bool,
    /// `+`: a sign always.
    pub plus: bool,
    /// ` `: a blank for a plus sign.
    pub space: bool,
    /// `#`: the alternate form.
    pub alternate: bool,
    /// `0`: padded with zeros.
    pub zero: bool,
    /// `'`: digits in groups, of which the C locale has none.
    pub group: bool,
    /// `@`: the value of an aggregation (printa only).
    pub aggregation: bool,
    /// The least width.
    pub width: Option<Size>,
    /// The precision.
    pub precision: Option<Size>,
    /// The size that a prefix gives: `h`, `l`, `ll`, `L`.
    pub prefix: Option<Prefix>,
    /// The letters: `d`, `s`, `x`, `Y` and so on, without the prefix.
    pub letter: String,
    /// Where it stands in the format string, bytes from its beginning: first and one past the last.
    pub range: (usize, usize),
}

/// A width or precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Given in the format.
    Fixed(u32),
    /// `*`: the next argument.
    Dynamic,
}

/// A size prefix: the type that a conversion then insists on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// `h`: a short.
    Short,
    /// `l`: a long.
    Long,
    /// `ll`: a long long.
    LongLong,
    /// `L`: a long double.
    LongDouble,
}

impl Prefix {
    /// As it is written.
    pub fn letters(self) -> &'static str {
        match self {
            Prefix::Short => "h",
            Prefix::Long => "l",
            Prefix::LongLong => "ll",
            Prefix::LongDouble => "L",
        }
    }

    /// Size of the type in bytes.
    pub fn bytes(self) -> u32 {
        match self {
            Prefix::Short => 2,
            Prefix::Long | Prefix::LongLong => 8,
            Prefix::LongDouble => 16,
        }
    }
}

/// What kind of value a conversion takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// An integer of any size.
    Integer,
    /// An integer of the size of an int or less that is one character.
    Character,
    /// An int that is one wide character.
    Wide,
    /// A string or array of characters.
    Text,
    /// An array of wide characters.
    WideText,
    /// An integer or pointer that is an address.
    Address,
    /// A floating-point number.
    Float,
    /// Nanoseconds since 1970.
    Time,
    /// A stack trace.
    Stack,
}

/// All conversions: letters, what they take, what they print.
pub const CONVERSIONS: &[(&str, Takes, &str)] = &[
    ("a", Takes::Address, "an address of the kernel as symbol and offset"),
    ("A", Takes::Address, "an address of the process as symbol and offset"),
    ("c", Takes::Character, "a character"),
    ("wc", Takes::Wide, "a wide character"),
    ("C", Takes::Character, "a character, escaped where it is not printable"),
    ("d", Takes::Integer, "an integer in decimal, signed where its type is"),
    ("e", Takes::Float, "a floating-point number with an exponent"),
    ("E", Takes::Float, "a floating-point number with an exponent, capitals"),
    ("f", Takes::Float, "a floating-point number"),
    ("F", Takes::Float, "a floating-point number, capitals"),
    ("g", Takes::Float, "a floating-point number, with an exponent where that is shorter"),
    ("G", Takes::Float, "a floating-point number, with an exponent where that is shorter, capitals"),
    ("i", Takes::Integer, "an integer in decimal, signed where its type is"),
    ("k", Takes::Stack, "a stack trace"),
    ("o", Takes::Integer, "an integer in octal"),
    ("p", Takes::Address, "an address in hexadecimal"),
    ("P", Takes::Address, "an address in hexadecimal"),
    ("s", Takes::Text, "a string"),
    ("ws", Takes::WideText, "a string of wide characters"),
    ("S", Takes::Text, "a string, escaped where it is not printable"),
    ("u", Takes::Integer, "an integer in decimal, unsigned"),
    ("x", Takes::Integer, "an integer in hexadecimal"),
    ("X", Takes::Integer, "an integer in hexadecimal, capitals"),
    ("T", Takes::Time, "a time such as Sun, 01 Nov 2026 18:10:09 UTC"),
    ("Y", Takes::Time, "a time such as 2026 Nov  1 18:10:09"),
];

/// The largest width and precision: what is larger is refused in a format and cut down to this in an argument.
pub const SIZE_MAX: u32 = 65535;

/// Digits of a pointer in hexadecimal: the width that `%?x` stands for.
const POINTER_WIDTH: u32 = 16;

/// What is wrong with a format string.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct FormatError {
    /// The bytes of the format string that are wrong.
    pub range: Range<usize>,
    /// What is wrong with them.
    pub message: String,
}

impl Conversion {
    /// What kind of value it takes.
    pub fn takes(&self) -> Takes {
        let row = CONVERSIONS.iter().find(|(letter, ..)| *letter == self.letter);
        row.map_or(Takes::Integer, |&(_, takes, _)| takes)
    }

    /// How many arguments it takes: the value and a dynamic width and precision before it.
    pub fn arguments(&self) -> usize {
        1 + [self.width, self.precision].iter().filter(|size| **size == Some(Size::Dynamic)).count()
    }
}

impl Format {
    /// Takes a format string apart, its `\n` and the like already turned into what they stand for.
    pub fn parse(text: &[u8]) -> Result<Format, FormatError> {
        let mut parser = Parser { text, at: 0 };
        let mut pieces = Vec::new();
        let mut plain = Vec::new();
        while let Some(byte) = parser.next() {
            if byte != b'%' {
                plain.push(byte);
            } else if parser.eat(b'%') {
                plain.push(b'%');
            } else {
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(Piece::Conversion(parser.conversion()?));
            }
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Format { pieces })
    }

    /// The conversions in order.
    pub fn conversions(&self) -> impl Iterator<Item = &Conversion> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Conversion(conversion) => Some(conversion),
            Piece::Text(_) => None,
        })
    }
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// What follows the `%`.
    fn conversion(&mut self) -> Result<Conversion, FormatError> {
        let start = self.at - 1;
        let mut conversion = Conversion {
            left: false,
            plus: false,
            space: false,
            alternate: false,
            zero: false,
            group: false,
            aggregation: false,
            width: None,
            precision: None,
            prefix: None,
            letter: String::new(),
            range: (start, start),
        };
        self.flags(&mut conversion);
        conversion.width = self.size(start)?;
        if self.eat(b'.') {
            conversion.precision = Some(self.size(start)?.unwrap_or(Size::Fixed(0)));
        }
        // DTrace takes the @ wherever a flag, width or precision may end.
        conversion.aggregation |= self.eat(b'@');
        conversion.prefix = self.prefix();
        conversion.letter = self.letter(start)?;
        if let (Some(Prefix::Long), "c" | "s") = (conversion.prefix, conversion.letter.as_str()) {
            conversion.letter.insert(0, 'w');
            conversion.prefix = None;
        }
        conversion.range = (start, self.at);
        let sized = match conversion.prefix {
            None => true,
            Some(Prefix::LongDouble) => conversion.takes() == Takes::Float,
            Some(_) => conversion.takes() == Takes::Integer,
        };
        if sized { Ok(conversion) } else { Err(self.unknown(start)) }
    }

    fn prefix(&mut self) -> Option<Prefix> {
        if self.eat(b'h') {
            return Some(Prefix::Short);
        }
        if self.eat(b'l') {
            return Some(if self.eat(b'l') { Prefix::LongLong } else { Prefix::Long });
        }
        self.eat(b'L').then_some(Prefix::LongDouble)
    }

    /// Of `-` and `0` the last counts.
    fn flags(&mut self, conversion: &mut Conversion) {
        loop {
            let flag = match self.peek() {
                Some(b'-') => {
                    conversion.zero = false;
                    &mut conversion.left
                }
                Some(b'+') => &mut conversion.plus,
                Some(b' ') => &mut conversion.space,
                Some(b'#') => &mut conversion.alternate,
                Some(b'0') => {
                    conversion.left = false;
                    &mut conversion.zero
                }
                Some(b'\'') => &mut conversion.group,
                Some(b'@') => &mut conversion.aggregation,
                _ => return,
            };
            *flag = true;
            self.at += 1;
        }
    }

    fn size(&mut self, start: usize) -> Result<Option<Size>, FormatError> {
        if self.eat(b'*') {
            return Ok(Some(Size::Dynamic));
        }
        if self.eat(b'?') {
            return Ok(Some(Size::Fixed(POINTER_WIDTH)));
        }
        let first = self.at;
        let mut number = 0_u32;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            number = number.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
            self.at += 1;
        }
        if number > SIZE_MAX {
            let message = format!("a width or precision is at most {SIZE_MAX}");
            return Err(FormatError { range: start..self.at, message });
        }
        Ok((self.at > first).then_some(Size::Fixed(number)))
    }

    fn letter(&mut self, start: usize) -> Result<String, FormatError> {
        let first = self.at;
        self.eat(b'w');
        if self.next().is_none() {
            let message = "the conversion has no letter; write %% for a percent sign".to_owned();
            return Err(FormatError { range: start..self.at, message });
        }
        let letter = String::from_utf8_lossy(&self.text[first..self.at]).into_owned();
        if CONVERSIONS.iter().any(|(known, ..)| *known == letter) {
            return Ok(letter);
        }
        Err(self.unknown(start))
    }

    fn unknown(&self, start: usize) -> FormatError {
        let whole = String::from_utf8_lossy(&self.text[start..self.at]);
        let known: Vec<&str> = CONVERSIONS.iter().map(|(letter, ..)| *letter).collect();
        let message = format!("{whole} is no conversion; there are {}", known.join(" "));
        FormatError { range: start..self.at, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Conversion {
        let format = Format::parse(text.as_bytes()).unwrap();
        format.conversions().next().unwrap().clone()
    }

    #[test]
    fn text_and_conversions_come_apart() {
        let format = Format::parse(b"100%% of %s: %-10.3lld\n").unwrap();
        let [Piece::Text(a), Piece::Conversion(s), Piece::Text(b), Piece::Conversion(d), Piece::Text(c)] =
            &format.pieces[..]
        else {
            panic!("{format:?}")
        };
        assert_eq!((&a[..], &b[..], &c[..]), (&b"100% of "[..], &b": "[..], &b"\n"[..]));
        assert_eq!((s.letter.as_str(), s.range), ("s", (9, 11)));
        assert_eq!((d.letter.as_str(), d.range), ("d", (13, 22)));
        assert_eq!((d.left, d.width, d.precision), (true, Some(Size::Fixed(10)), Some(Size::Fixed(3))));
    }

    #[test]
    fn flags_widths_and_the_aggregation_sign() {
        let all = one("%-+ #'@12d");
        assert!(all.left && all.plus && all.space && all.alternate && all.group);
        assert!(one("%-05d").zero && !one("%-05d").left && one("%0-5d").left && !one("%0-5d").zero);
        assert!(all.aggregation && one("%10@d").aggregation && one("%@8u").aggregation);
        assert_eq!(one("%*.*s").arguments(), 3);
        assert_eq!(one("%.x").precision, Some(Size::Fixed(0)));
        assert_eq!(one("%?p").width, Some(Size::Fixed(16)));
        assert_eq!((one("%wc").takes(), one("%lc").takes()), (Takes::Wide, Takes::Wide));
        assert_eq!(one("%ls").takes(), Takes::WideText);
        assert_eq!((one("%hx").prefix, one("%llx").prefix), (Some(Prefix::Short), Some(Prefix::LongLong)));
    }

    #[test]
    fn errors_name_their_place() {
        let error = |text: &str| Format::parse(text.as_bytes()).unwrap_err();
        assert_eq!(error("ab %5").range, 3..5);
        assert_eq!(error("%z and").range, 0..2);
        assert_eq!(one("%5.2Lf").takes(), Takes::Float);
        assert_eq!(error("%99999d").range, 0..6);
        assert_eq!(error("%\u{e9}").range, 0..2);
        assert_eq!(error("%hhd").range, 0..3);
        assert_eq!((error("%Ld").range, error("%hf").range), (0..3, 0..3));
    }
}
