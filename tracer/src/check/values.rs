//! How the values of options are written.

use std::fmt;

/// Nanoseconds of a second.
pub(super) const SECOND: u64 = 1_000_000_000;

/// What a value without effect must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// There is none.
    Nothing,
    /// Nothing, or yes or no.
    Flag,
    /// A number.
    Number,
    /// A number of bytes.
    Size,
    /// A period, or a number of times a second.
    Rate,
    /// One of these.
    Words(&'static [&'static str]),
    /// Any text.
    Text,
}

impl Form {
    /// Whether a value has the form; an empty one is none.
    pub fn takes(self, value: &str) -> bool {
        match self {
            Form::Nothing => value.is_empty(),
            Form::Flag => flag(value).is_some(),
            Form::Number => number(value).is_some(),
            Form::Size => size(value).is_some(),
            Form::Rate => rate(value).is_some(),
            Form::Words(words) => words.contains(&value),
            Form::Text => !value.is_empty(),
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Form::Nothing => f.write_str("nothing"),
            Form::Flag => f.write_str("nothing, or 1 or 0"),
            Form::Number => f.write_str("a number"),
            Form::Size => f.write_str("a number of bytes, with k, m or g for larger units"),
            Form::Rate => f.write_str("a period such as 100ms or 2s, or a number of times a second"),
            Form::Words(words) => write!(f, "one of {}", words.join(", ")),
            Form::Text => f.write_str("a text"),
        }
    }
}

/// Yes or no; any number but 0 is a yes.
pub(super) fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "enable" | "enabled" | "true" | "on" | "set" => Some(true),
        "" | "no" | "disable" | "disabled" | "false" | "off" | "unset" => Some(false),
        number_text => number(number_text).map(|number| number != 0),
    }
}

/// A number as C writes it: `16`, `0x10`, `020`.
pub(super) fn number(text: &str) -> Option<u64> {
    if let Some(digits) = text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        return u64::from_str_radix(digits, 16).ok();
    }
    match text.strip_prefix('0') {
        Some(digits) if !digits.is_empty() => u64::from_str_radix(digits, 8).ok(),
        _ => text.parse().ok(),
    }
}

/// `4096`, `16k`, `4m`, `1g`
pub(super) fn size(text: &str) -> Option<u64> {
    let (digits, shift) = match text.as_bytes().last()?.to_ascii_lowercase() {
        b'k' => (&text[..text.len() - 1], 10),
        b'm' => (&text[..text.len() - 1], 20),
        b'g' => (&text[..text.len() - 1], 30),
        b't' => (&text[..text.len() - 1], 40),
        _ => (text, 0),
    };
    number(digits)?.checked_mul(1 << shift)
}

/// A rate in nanoseconds: `100ms`, `2s`, `10hz`, `10` (times a second).
pub(super) fn rate(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "ns" | "nsec" => 1,
        "us" | "usec" => 1_000,
        "ms" | "msec" => 1_000_000,
        "s" | "sec" => SECOND,
        "m" | "min" => 60 * SECOND,
        "h" | "hour" => 3_600 * SECOND,
        "d" | "day" => 86_400 * SECOND,
        "" | "hz" => 0,
        _ => return None,
    };
    // None at all is as often as can be.
    let number = number(digits)?;
    let period =
        if unit == 0 { SECOND.checked_div(number).unwrap_or(0) } else { number.checked_mul(unit)? };
    Some(period.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_c() {
        assert_eq!(
            (number("0x10"), number("020"), number("0"), number("16")),
            (Some(16), Some(16), Some(0), Some(16))
        );
        assert_eq!((number(""), number("-1"), number("08"), number("1x")), (None, None, None, None));
        assert_eq!(
            (size("4k"), size("1M"), size("0x10k"), size("2g")),
            (Some(4096), Some(1 << 20), Some(16384), Some(2 << 30))
        );
        assert_eq!((size("k"), size("1kb"), size("")), (None, None, None));
    }

    #[test]
    fn rates_have_units() {
        assert_eq!(
            (rate("10hz"), rate("4"), rate("250ms")),
            (Some(SECOND / 10), Some(SECOND / 4), Some(SECOND / 4))
        );
        assert_eq!(
            (rate("2sec"), rate("1min"), rate("0hz"), rate("0ms"), rate("10foo")),
            (Some(2 * SECOND), Some(60 * SECOND), Some(1), Some(1), None)
        );
    }

    #[test]
    fn words_are_those_of_dtrace() {
        assert_eq!(
            (flag("Yes"), flag("unset"), flag("7"), flag("maybe")),
            (Some(true), Some(false), Some(true), None)
        );
        assert!(Form::Nothing.takes("") && !Form::Nothing.takes("1") && !Form::Text.takes(""));
    }
}
