//! Values with their types: what print() shows.
//!
//! Invariant: what does not lie in the recorded bytes is not shown; nothing outside of them is read.

use super::datum;
use super::style::Style;
use super::value::{Value, double};
use crate::check::typed::{Bits, Piece, Shape, ShapeKind};

/// What a value is, one level deep.
pub enum Shown<'a> {
    /// One that has no parts.
    One(Value),
    /// An array of characters that is text.
    Characters(Vec<u8>),
    /// A constant by its name.
    Constant(&'static str),
    /// The elements, all of this shape.
    Elements(&'a Shape, Vec<&'a [u8]>),
    /// The members, with their bytes.
    Members(Vec<(&'a Piece, &'a [u8])>),
}

/// Takes a recorded value apart.
pub fn shown<'a>(shape: &'a Shape, value: &'a Value) -> Shown<'a> {
    match (value, &shape.kind) {
        (Value::Bytes(bytes), _) => within(shape, None, bytes),
        (Value::Int { value, .. }, ShapeKind::Enum { values, .. }) => {
            constant(values, *value).unwrap_or_else(|| Shown::One(value_of(*value, shape)))
        }
        _ => Shown::One(value.clone()),
    }
}

/// Takes the bytes of a value apart; a bit-field is a part of them.
pub fn within<'a>(shape: &'a Shape, bits: Option<Bits>, bytes: &'a [u8]) -> Shown<'a> {
    match &shape.kind {
        ShapeKind::Int { bytes: size, signed, .. } | ShapeKind::Enum { bytes: size, signed, .. } => {
            let value = integer(bytes, *size, *signed, bits);
            let named = match &shape.kind {
                ShapeKind::Enum { values, .. } => constant(values, value),
                _ => None,
            };
            named.unwrap_or_else(|| Shown::One(value_of(value, shape)))
        }
        ShapeKind::Pointer => Shown::One(value_of(integer(bytes, 8, false, None), shape)),
        ShapeKind::Float(size) => Shown::One(Value::Float(double(head(bytes, (*size).into())).to_bits())),
        ShapeKind::Text(size) => Shown::One(Value::Str(terminated(head(bytes, *size)).to_vec())),
        ShapeKind::Array { element, size, count } => {
            let bytes = head(bytes, size.saturating_mul(*count));
            let text = terminated(bytes);
            if matches!(element.kind, ShapeKind::Int { character: true, .. })
                && !bytes.is_empty()
                && text.iter().all(|byte| matches!(byte, b' '..=b'~' | 7..=13))
            {
                return Shown::Characters(text.to_vec());
            }
            Shown::Elements(element, bytes.chunks((*size).max(1) as usize).collect())
        }
        ShapeKind::Members(parts) => Shown::Members(
            parts.iter().map(|part| (part, bytes.get(part.offset as usize..).unwrap_or_default())).collect(),
        ),
    }
}

fn head(bytes: &[u8], size: u32) -> &[u8] {
    &bytes[..bytes.len().min(size as usize)]
}

/// The bytes up to the first zero.
fn terminated(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

fn constant(values: &[(&'static str, i64)], value: i64) -> Option<Shown<'static>> {
    values.iter().find(|row| row.1 == value).map(|row| Shown::Constant(row.0))
}

fn value_of(value: i64, shape: &Shape) -> Value {
    let (bytes, signed) = match shape.kind {
        ShapeKind::Int { bytes, signed, .. } | ShapeKind::Enum { bytes, signed, .. } => (bytes, signed),
        _ => (8, false),
    };
    Value::Int { value, bytes, signed }
}

/// A little-endian integer, or the bits of it that are a bit-field; sign- or zero-extended.
fn integer(bytes: &[u8], size: u8, signed: bool, bits: Option<Bits>) -> i64 {
    let unit = bits.map_or(size, |bits| bits.unit);
    let word =
        head(bytes, unit.min(8).into()).iter().rev().fold(0_u64, |word, &byte| word << 8 | u64::from(byte));
    let (shift, width) = bits.map_or((0, u32::from(size) * 8), |bits| (bits.shift, bits.width.into()));
    let unused = 64_u32.saturating_sub(width).min(63);
    let high = (word >> shift.min(63)) << unused;
    if signed { high as i64 >> unused } else { (high >> unused) as i64 }
}

/// Appends a value with its type, and the end of its line.
pub fn print(into: &mut Vec<u8>, shape: &Shape, value: &Value, style: &Style) {
    into.extend_from_slice(shape.name.as_bytes());
    into.push(b' ');
    Printer { into, style }.body(shape, None, shown(shape, value), 0);
    into.push(b'\n');
}

struct Printer<'a> {
    into: &'a mut Vec<u8>,
    style: &'a Style,
}

impl Printer<'_> {
    fn text(&mut self, text: &str) {
        self.into.extend_from_slice(text.as_bytes());
    }

    fn line(&mut self, depth: usize) {
        self.text("\n");
        self.into.extend(std::iter::repeat_n(b' ', depth * 4));
    }

    fn body(&mut self, shape: &Shape, bits: Option<Bits>, shown: Shown, depth: usize) {
        match shown {
            Shown::One(Value::Int { value, bytes, .. }) => self.number(shape, bits, value, bytes),
            Shown::One(Value::Str(text)) => self.quoted(&text),
            Shown::One(value) => datum::bare(self.into, &value, self.style),
            Shown::Characters(text) => {
                self.text("[ ");
                self.quoted(&text);
                self.text(" ]");
            }
            Shown::Constant(name) => self.text(name),
            Shown::Elements(element, all) => self.elements(element, &all, depth),
            Shown::Members(parts) => {
                self.text("{");
                for (part, bytes) in parts {
                    self.line(depth + 1);
                    self.member(part, bytes, depth + 1);
                }
                self.line(depth);
                self.text("}");
            }
        }
    }

    /// `type name = value`; an anonymous structure or union has no name.
    fn member(&mut self, part: &Piece, bytes: &[u8], depth: usize) {
        self.text(&part.shape.name);
        if !part.shape.name.ends_with('*') {
            self.text(" ");
        }
        if let Some(name) = part.name {
            self.text(name);
            if let Some(bits) = part.bits {
                self.text(&format!(" :{}", bits.width));
            }
            self.text(" = ");
        }
        self.body(&part.shape, part.bits, within(&part.shape, part.bits, bytes), depth);
    }

    /// Structures each begin a line, all else stands in one.
    fn elements(&mut self, element: &Shape, all: &[&[u8]], depth: usize) {
        let tall = matches!(element.kind, ShapeKind::Members(_)) && !all.is_empty();
        self.text("[");
        for (number, bytes) in all.iter().enumerate() {
            if number > 0 {
                self.text(",");
            }
            if tall {
                self.line(depth + 1);
                self.text(&element.name);
            }
            self.text(" ");
            self.body(element, None, within(element, None, bytes), depth + usize::from(tall));
        }
        if tall {
            self.line(depth);
        } else {
            self.text(" ");
        }
        self.text("]");
    }

    /// In hexadecimal, in the bits that it has; a character as one; a value of an enumeration without a name in decimal.
    fn number(&mut self, shape: &Shape, bits: Option<Bits>, value: i64, bytes: u8) {
        let width = bits.map_or(u32::from(bytes) * 8, |bits| bits.width.into()).clamp(1, 64);
        let word = value as u64 & (u64::MAX >> (64 - width));
        let text = match (&shape.kind, word) {
            (ShapeKind::Int { character: true, .. }, 0) => "'\\0'".to_owned(),
            (ShapeKind::Int { character: true, .. }, 0x20..=0x7e) => format!("'{}'", word as u8 as char),
            (ShapeKind::Enum { .. }, _) => value.to_string(),
            (_, 0) => "0".to_owned(),
            _ => format!("{word:#x}"),
        };
        self.text(&text);
    }

    fn quoted(&mut self, text: &[u8]) {
        self.text("\"");
        datum::string(self.into, text, self.style.terminal);
        self.text("\"");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(name: &str, bytes: u8, signed: bool) -> Shape {
        Shape { name: name.to_owned(), kind: ShapeKind::Int { bytes, signed, character: name == "char" } }
    }

    fn array(element: Shape, size: u32, count: u32) -> Shape {
        let name = format!("{} [{count}]", element.name);
        Shape { name, kind: ShapeKind::Array { element: Box::new(element), size, count } }
    }

    fn part(name: Option<&'static str>, offset: u32, shape: Shape) -> Piece {
        Piece { name, offset, bits: None, shape }
    }

    fn printed(shape: &Shape, value: &Value) -> String {
        let mut text = Vec::new();
        print(&mut text, shape, value, &Style::default());
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn scalars_follow_their_type() {
        let number = |value, bytes, signed| Value::Int { value, bytes, signed };
        assert_eq!(printed(&int("int64_t", 8, true), &number(42, 8, true)), "int64_t 0x2a\n");
        assert_eq!(printed(&int("int", 4, true), &number(-1, 4, true)), "int 0xffffffff\n");
        assert_eq!(printed(&int("char", 1, true), &number(65, 1, true)), "char 'A'\n");
        let text = Shape { name: "string".to_owned(), kind: ShapeKind::Text(8) };
        assert_eq!(printed(&text, &Value::Str(b"cat".to_vec())), "string \"cat\"\n");
        let values = vec![("RED", 0), ("BLUE", 7)];
        let kind = ShapeKind::Enum { bytes: 4, signed: true, values };
        let colour = Shape { name: "enum colour".to_owned(), kind };
        assert_eq!(printed(&colour, &number(7, 4, true)), "enum colour BLUE\n");
        let long = Shape { name: "long double".to_owned(), kind: ShapeKind::Float(16) };
        let half = [[0, 0, 0, 0, 0, 0, 0, 0x80, 0xfe, 0x3f], [0; 10]].concat()[..16].to_vec();
        assert_eq!(printed(&long, &Value::Bytes(half)), "long double 0.5\n");
        assert_eq!(printed(&colour, &number(-3, 4, true)), "enum colour -3\n");
    }

    #[test]
    fn structures_show_their_members() {
        let pair = Shape {
            name: "struct pair".to_owned(),
            kind: ShapeKind::Members(vec![part(Some("x"), 0, int("short", 2, true))]),
        };
        let field = |name, shift, width, signed| Piece {
            bits: Some(Bits { unit: 1, shift, width }),
            ..part(Some(name), 16, int("int", 4, signed))
        };
        let pointer = Shape { name: "char *".to_owned(), kind: ShapeKind::Pointer };
        let inside =
            Shape { kind: ShapeKind::Members(vec![part(Some("u"), 0, int("int", 4, true))]), ..pair.clone() };
        let whole = Shape {
            name: "struct whole".to_owned(),
            kind: ShapeKind::Members(vec![
                part(Some("p"), 0, pointer),
                part(Some("name"), 8, array(int("char", 1, true), 1, 4)),
                part(Some("raw"), 8, array(int("unsigned char", 1, false), 1, 4)),
                part(Some("pairs"), 12, array(pair, 2, 2)),
                field("low", 0, 3, false),
                field("high", 3, 5, true),
                part(None, 12, Shape { name: "union".to_owned(), ..inside }),
            ]),
        };
        let bytes = [&[0; 8][..], b"ab\0\0", &[1, 0, 2, 0], &[0b1111_1101]].concat();
        insta::assert_snapshot!(printed(&whole, &Value::Bytes(bytes.clone())));
        // Bytes that are not there read as zeros and are no reason to fail.
        assert!(
            printed(&whole, &Value::Bytes(bytes[..3].to_vec()))
                .starts_with("struct whole {\n    char *p = 0\n")
        );
    }
}
