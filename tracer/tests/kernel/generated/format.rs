//! The conversions of generated programs' printf, and what they print.

use super::program::Type;

/// A conversion: flags, width and precision, and the letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Conversion(pub(super) &'static str, pub(super) char);

/// What may be before the letter, of numbers and of texts.
pub(super) const NUMBERS: [&str; 7] = ["", "", "5", "-6", "08", "+", "#"];
pub(super) const TEXTS: [&str; 6] = ["", "", "10", "-12", ".3", "8.2"];

/// The letters that signed and unsigned integers may have: `%d` is as its argument.
pub(super) const LETTERS: [char; 6] = ['d', 'd', 'u', 'x', 'X', 'o'];

impl Conversion {
    /// The plain one of a type.
    pub(super) fn plain(ty: Type) -> Self {
        match ty {
            Type::Text => Self("", 's'),
            Type::Int { .. } => Self("", 'd'),
            Type::Record => panic!("records are not printed"),
        }
    }

    /// A text as it prints it.
    pub(super) fn text(self, text: &str) -> String {
        let (width, precision) = self.0.split_once('.').unwrap_or((self.0, "1000"));
        let precision: usize = precision.parse().unwrap_or(0);
        pad(width, text.chars().take(precision).collect(), "")
    }

    /// An integer as it prints it.
    pub(super) fn number(self, value: i128, ty: Type) -> String {
        let Type::Int { bytes, signed } = ty else { panic!("a number is wanted") };
        let bits = value as u128 & (u128::MAX >> (128 - 8 * u32::from(bytes)));
        let alternate = self.0.contains('#') && bits != 0;
        let (prefix, digits) = match self.1 {
            'd' if value < 0 => ("-", (-value).to_string()),
            'd' => (if signed && self.0.contains('+') { "+" } else { "" }, value.to_string()),
            'u' => ("", bits.to_string()),
            'x' => (if alternate { "0x" } else { "" }, format!("{bits:x}")),
            'X' => (if alternate { "0X" } else { "" }, format!("{bits:X}")),
            _ => (if alternate { "0" } else { "" }, format!("{bits:o}")),
        };
        pad(self.0, digits, prefix)
    }
}

/// Fills up to a width: with blanks before or, behind a minus, after; with zeros after the prefix behind a zero.
fn pad(width: &str, body: String, prefix: &str) -> String {
    let width = width.trim_start_matches(['+', '#']);
    let size = width.trim_start_matches('-').parse().unwrap_or(0);
    let missing = usize::saturating_sub(size, prefix.len() + body.len());
    if width.starts_with('-') {
        format!("{prefix}{body}{}", " ".repeat(missing))
    } else if width.starts_with('0') {
        format!("{prefix}{}{body}", "0".repeat(missing))
    } else {
        format!("{}{prefix}{body}", " ".repeat(missing))
    }
}
