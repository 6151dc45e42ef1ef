//! What print() shows of a value: its type, described so far as it takes to read the recorded bytes.
//!
//! Invariant: a shape ends. Pointers are shown and not followed, so what it holds lies inside the value.

use super::ctype::{Bits, Type};

/// A type as print() shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// As a program writes the type.
    pub name: String,
    /// How its bytes are read.
    pub kind: ShapeKind,
}

/// How the bytes of a value are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShapeKind {
    /// An integer of 1, 2, 4 or 8 bytes; `char` is shown as a character.
    Int {
        /// Its size.
        bytes: u8,
        /// Whether it is signed.
        signed: bool,
        /// Whether it is `char` itself.
        character: bool,
    },
    /// An integer whose values have names.
    Enum {
        /// Its size.
        bytes: u8,
        /// Whether it is signed.
        signed: bool,
        /// Its constants.
        values: Vec<(&'static str, i64)>,
    },
    /// A floating-point number of so many bytes.
    Float(u8),
    /// An address.
    Pointer,
    /// A string in so many bytes.
    Text(u32),
    /// So many elements, each of so many bytes.
    Array {
        /// What each is.
        element: Box<Shape>,
        /// The bytes of one.
        size: u32,
        /// How many.
        count: u32,
    },
    /// A structure or union.
    Members(Vec<Piece>),
}

/// A member of a structure or union.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its name; none of an anonymous structure or union.
    pub name: Option<&'static str>,
    /// Bytes from the beginning.
    pub offset: u32,
    /// Of a bit-field, its bits.
    pub bits: Option<Bits>,
    /// What it is.
    pub shape: Shape,
}

impl Shape {
    /// The shape of a type.
    pub fn of(ty: &Type) -> Shape {
        let kind = match ty {
            Type::Int(int) => {
                ShapeKind::Int { bytes: int.bytes, signed: int.signed, character: int.name == "char" }
            }
            Type::Enum(of) => {
                ShapeKind::Enum { bytes: of.int.bytes, signed: of.int.signed, values: of.values.clone() }
            }
            Type::Float(float) => ShapeKind::Float(float.bytes() as u8),
            Type::String(_) => ShapeKind::Text(ty.size().unwrap_or(0)),
            Type::Array(element, count) => ShapeKind::Array {
                element: Box::new(Shape::of(element)),
                size: element.size().unwrap_or(0),
                count: *count,
            },
            Type::Composite(of) => {
                let members = of.body().map_or(&[][..], |body| &body.members);
                ShapeKind::Members(
                    members
                        .iter()
                        .map(|member| Piece {
                            name: member.name,
                            offset: member.offset,
                            bits: member.bits,
                            shape: Shape::of(&member.ty),
                        })
                        .collect(),
                )
            }
            // Only ever recorded as the word that leads to them.
            Type::Pointer(_)
            | Type::Void
            | Type::Function(_)
            | Type::Struct(_)
            | Type::Stack(_)
            | Type::Symbol(_) => ShapeKind::Pointer,
        };
        // A structure without a tag is called by its kind alone.
        Shape { name: ty.to_string().replace(" {...}", ""), kind }
    }
}
