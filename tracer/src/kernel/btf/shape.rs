//! A type in full: what it is made of, for who builds types of his own from the kernel's.

use super::types::RawType;
use super::{Btf, Kind, TypeId};

/// What a type is. The name of it, where it has one, is [`Btf::name`]'s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape<'a> {
    /// No type: `void`.
    Void,
    /// An integer of so many bytes.
    Int {
        /// Size in bytes.
        bytes: u32,
        /// Whether it is signed.
        signed: bool,
    },
    /// A floating-point number of so many bytes.
    Float(u32),
    /// A pointer.
    Pointer(TypeId),
    /// So many elements.
    Array(TypeId, u32),
    /// A structure or union of so many bytes; see [`Btf::members`].
    Composite {
        /// Whether it is a union.
        union: bool,
        /// Size in bytes.
        size: u32,
    },
    /// A structure or union that is only declared.
    Forward {
        /// Whether it is a union.
        union: bool,
    },
    /// An enumeration.
    Enumeration {
        /// Size in bytes.
        bytes: u32,
        /// Whether it is signed.
        signed: bool,
        /// Its constants.
        values: Vec<(&'a str, i64)>,
    },
    /// Another name for a type.
    Typedef(TypeId),
    /// A type with a qualifier.
    Qualified(TypeId),
    /// A function.
    Function {
        /// What it returns.
        result: TypeId,
        /// What it takes.
        params: Vec<TypeId>,
        /// Whether `...` follows.
        variadic: bool,
    },
}

/// A member of a structure or union.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberAt<'a> {
    /// Its name; empty where it is anonymous.
    pub name: &'a str,
    /// Its type.
    pub ty: TypeId,
    /// Bits from the beginning.
    pub bit: u32,
    /// The width of a bit-field; 0 for other members.
    pub bits: u32,
}

impl Btf {
    /// What the type is; none for what is no type (a variable, a section) or malformed.
    pub fn shape(&self, id: TypeId) -> Option<Shape<'_>> {
        /// BTF_INT_SIGNED (2.2.1), in bits 24 to 27 of the word.
        const SIGNED: u32 = 1 << 24;
        if id.0 == 0 {
            return Some(Shape::Void);
        }
        let raw = self.raw(id)?;
        let to = TypeId(raw.value);
        Some(match raw.kind {
            Kind::Int => Shape::Int { bytes: raw.value, signed: raw.word(0)? & SIGNED != 0 },
            Kind::Float => Shape::Float(raw.value),
            Kind::Ptr => Shape::Pointer(to),
            Kind::Array => Shape::Array(TypeId(raw.word(0)?), raw.word(2)?),
            Kind::Struct | Kind::Union => {
                Shape::Composite { union: raw.kind == Kind::Union, size: raw.value }
            }
            Kind::Fwd => Shape::Forward { union: raw.flag },
            Kind::Enum | Kind::Enum64 => {
                Shape::Enumeration { bytes: raw.value, signed: raw.flag, values: self.values(&raw)? }
            }
            Kind::Typedef => Shape::Typedef(to),
            Kind::Const | Kind::Volatile | Kind::Restrict | Kind::TypeTag => Shape::Qualified(to),
            Kind::FuncProto => self.prototype(&raw)?,
            Kind::Func => return self.shape(to).filter(|shape| matches!(shape, Shape::Function { .. })),
            Kind::Var | Kind::Datasec | Kind::DeclTag => return None,
        })
    }

    /// The members of a structure or union, in the order of their declaration.
    pub fn members(&self, id: TypeId) -> Option<Vec<MemberAt<'_>>> {
        let raw = self.raw(id).filter(|raw| matches!(raw.kind, Kind::Struct | Kind::Union))?;
        // struct btf_member (2.2.4); see `field`.
        let member = |i: usize| {
            let (name, ty) = (self.name_at(raw.word(3 * i)?)?, TypeId(raw.word(3 * i + 1)?));
            let place = raw.word(3 * i + 2)?;
            let (bit, bits) = if raw.flag { (place & 0x00ff_ffff, place >> 24) } else { (place, 0) };
            Some(MemberAt { name, ty, bit, bits })
        };
        (0..raw.count).map(member).collect()
    }

    /// The variable of that name: its type, and whether each CPU has one of its own.
    pub fn variable(&self, name: &str) -> Option<(TypeId, bool)> {
        let id = self.find(Kind::Var, name)?;
        let ty = TypeId(self.raw(id)?.value);
        let per_cpu = self.find_all(Kind::Datasec, ".data..percpu").any(|section| {
            // struct btf_var_secinfo (2.2.15): type, offset, size.
            let Some(raw) = self.raw(section) else { return false };
            (0..raw.count).any(|i| raw.word(3 * i) == Some(id.0))
        });
        Some((ty, per_cpu))
    }

    fn values(&self, raw: &RawType<'_>) -> Option<Vec<(&str, i64)>> {
        let value = |i: usize| match raw.kind {
            Kind::Enum64 => {
                let (low, high) = (raw.word(3 * i + 1)?, raw.word(3 * i + 2)?);
                Some((self.name_at(raw.word(3 * i)?)?, (u64::from(high) << 32 | u64::from(low)) as i64))
            }
            _ => {
                let word = raw.word(2 * i + 1)?;
                let value = if raw.flag { i64::from(word as i32) } else { i64::from(word) };
                Some((self.name_at(raw.word(2 * i)?)?, value))
            }
        };
        (0..raw.count).map(value).collect()
    }

    fn prototype(&self, raw: &RawType<'_>) -> Option<Shape<'_>> {
        // struct btf_param (2.2.13): name_off, type. A last one of type 0 stands for "...".
        let params: Option<Vec<TypeId>> = (0..raw.count).map(|i| raw.word(2 * i + 1).map(TypeId)).collect();
        let mut params = params?;
        let variadic = params.last() == Some(&TypeId(0));
        if variadic {
            params.pop();
        }
        Some(Shape::Function { result: TypeId(raw.value), params, variadic })
    }
}
