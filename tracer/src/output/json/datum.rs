//! Values as JSON has them, written from where they are.
//!
//! Invariant: nothing is lost. Integers are exact, and strings that are not UTF-8 are given by their bytes.

use std::borrow::Cow;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::check::typed::{Piece, Shape};
use crate::output::typed::{self, Shown};
use crate::output::value::{Frame, Value};

/// A value, or what print() makes of one.
pub(super) enum Datum<'a> {
    /// A value as it was recorded.
    Value(Cow<'a, Value>),
    /// A string; where it is not UTF-8, its bytes.
    Text(Cow<'a, [u8]>),
    /// Memory: an object with the bytes in hexadecimal.
    Bytes(&'a [u8]),
    /// An array.
    List(Vec<Datum<'a>>),
    /// A structure or union: an object.
    Members(Vec<(&'static str, Datum<'a>)>),
}

impl<'a> Datum<'a> {
    /// What print() shows.
    pub(super) fn typed(shape: &'a Shape, value: &'a Value) -> Datum<'a> {
        Datum::shown(typed::shown(shape, value))
    }

    fn shown(shown: Shown<'a>) -> Datum<'a> {
        match shown {
            Shown::One(value) => Datum::Value(Cow::Owned(value)),
            Shown::Characters(text) => Datum::Text(Cow::Owned(text)),
            Shown::Constant(name) => Datum::Text(Cow::Borrowed(name.as_bytes())),
            Shown::Elements(element, all) => {
                let elements = all.into_iter().map(|bytes| Datum::shown(typed::within(element, None, bytes)));
                Datum::List(elements.collect())
            }
            Shown::Members(parts) => Datum::Members(parts.into_iter().flat_map(member).collect()),
        }
    }
}

/// A member with its name; the members of an anonymous one as if they were outside.
fn member<'a>((part, bytes): (&'a Piece, &'a [u8])) -> Vec<(&'static str, Datum<'a>)> {
    let value = Datum::shown(typed::within(&part.shape, part.bits, bytes));
    match (part.name, value) {
        (Some(name), value) => vec![(name, value)],
        (None, Datum::Members(inner)) => inner,
        (None, _) => Vec::new(),
    }
}

impl<'a> From<&'a Value> for Datum<'a> {
    fn from(value: &'a Value) -> Datum<'a> {
        Datum::Value(Cow::Borrowed(value))
    }
}

impl<'a> From<&'a [u8]> for Datum<'a> {
    fn from(text: &'a [u8]) -> Datum<'a> {
        Datum::Text(Cow::Borrowed(text))
    }
}

impl Serialize for Datum<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Datum::Value(value) => plain(value, serializer),
            Datum::Text(text) => string(text, serializer),
            Datum::Bytes(bytes) => memory(bytes, serializer),
            Datum::List(elements) => elements.serialize(serializer),
            Datum::Members(members) => {
                serializer.collect_map(members.iter().map(|(name, value)| (name, value)))
            }
        }
    }
}

/// Values as a list: for `serialize_with`.
pub(super) fn list<S: Serializer>(values: &[Value], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(Datum::from))
}

fn plain<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Value::Int { value, signed: true, .. } => serializer.serialize_i64(*value),
        Value::Int { value, signed: false, .. } => serializer.serialize_u64(*value as u64),
        Value::Str(text) => string(text, serializer),
        Value::Float(bits) => serializer.serialize_f64(f64::from_bits(*bits)),
        Value::Bytes(bytes) => memory(bytes, serializer),
        Value::Stack { frames, .. } => serializer.collect_seq(frames.iter().map(Address)),
        Value::Symbol { frame, .. } => Address(frame).serialize(serializer),
    }
}

fn string<S: Serializer>(text: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    match std::str::from_utf8(text) {
        Ok(text) => serializer.serialize_str(text),
        Err(_) => memory(text, serializer),
    }
}

fn memory<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    let digits: String = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect();
    let mut object = serializer.serialize_struct("Memory", 1)?;
    object.serialize_field("bytes", &digits)?;
    object.end()
}

/// An address with what is known of it.
struct Address<'a>(&'a Frame);

impl Serialize for Address<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Frame { address, symbol, offset, module } = self.0;
        let mut object = serializer.serialize_struct("Address", 4)?;
        object.serialize_field("address", address)?;
        object.serialize_field("symbol", symbol)?;
        object.serialize_field("offset", offset)?;
        object.serialize_field("module", module)?;
        object.end()
    }
}
