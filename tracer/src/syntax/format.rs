//! Format strings of printf and printa, taken apart: text and conversions.

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
    /// `'`: digits in groups.
    pub group: bool,
    /// `@`: the value of an aggregation (printa only).
    pub aggregation: bool,
    /// The least width.
    pub width: Option<Size>,
    /// The precision.
    pub precision: Option<Size>,
    /// The letters: `d`, `s`, `x`, `Y` and so on, size prefixes dropped.
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
