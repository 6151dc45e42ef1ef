//! What a type is made of, in the words that BTF has for it.

use gimli::constants::{self as dw, DwTag};

use gimli::Reader as _;

use super::names::kind;
use super::{Die, Dwarf};
use crate::kernel::btf::{Described, Kind, MemberAt, Shape, TypeId};

impl Described for Dwarf {
    fn find(&self, kind: Kind, name: &str) -> Option<TypeId> {
        self.names().find(kind, name)
    }

    fn names(&self, kind: Kind) -> Vec<&str> {
        let mut names: Vec<&str> = self.names().all(kind).collect();
        names.sort_unstable();
        names
    }

    fn name(&self, id: TypeId) -> Option<&str> {
        self.die(id)?.name()
    }

    fn enumerator(&self, name: &str) -> Option<(TypeId, i64)> {
        self.names().constant(name)
    }

    fn variable(&self, name: &str) -> Option<(TypeId, bool)> {
        let die = self.die(self.names().find(Kind::Var, name)?)?;
        Some((die.of(), false))
    }

    fn shape(&self, id: TypeId) -> Option<Shape<'_>> {
        if id.0 == 0 {
            return Some(Shape::Void);
        }
        let die = self.die(id)?;
        let bytes = || die.number(dw::DW_AT_byte_size).and_then(|size| u32::try_from(size).ok());
        let union = die.entry.tag() == dw::DW_TAG_union_type;
        Some(match die.entry.tag() {
            dw::DW_TAG_unspecified_type => Shape::Void,
            dw::DW_TAG_base_type => number(&die, bytes()?)?,
            dw::DW_TAG_pointer_type | dw::DW_TAG_reference_type | dw::DW_TAG_rvalue_reference_type => {
                Shape::Pointer(die.of())
            }
            dw::DW_TAG_typedef => Shape::Typedef(die.of()),
            dw::DW_TAG_const_type
            | dw::DW_TAG_volatile_type
            | dw::DW_TAG_restrict_type
            | dw::DW_TAG_atomic_type => Shape::Qualified(die.of()),
            dw::DW_TAG_structure_type | dw::DW_TAG_class_type | dw::DW_TAG_union_type => {
                match bytes().filter(|_| !die.has(dw::DW_AT_declaration)) {
                    Some(size) => Shape::Composite { union, size },
                    None => Shape::Forward { union },
                }
            }
            dw::DW_TAG_enumeration_type => enumeration(&die, bytes()?),
            dw::DW_TAG_array_type => self.array(&die, id, 0)?,
            dw::DW_TAG_subrange_type => {
                let whole = self.dimensions().get(&id.0).copied()?;
                let die = self.die(TypeId(whole))?;
                let depth = dimensions(&die).iter().position(|one| one.id() == Some(id))?;
                self.array(&die, TypeId(whole), depth)?
            }
            dw::DW_TAG_subroutine_type | dw::DW_TAG_subprogram => function(&die),
            _ => return None,
        })
    }

    fn members(&self, id: TypeId) -> Option<Vec<MemberAt<'_>>> {
        Some(self.die(id)?.children().iter().filter_map(member).collect())
    }
}

impl Dwarf {
    /// The first entry of a type that is entered several times: for its name, if it is as large.
    pub(super) fn first_of(&self, id: TypeId) -> TypeId {
        let first = || {
            let die = self.die(id)?;
            let first = self.names().find(kind(die.entry.tag())?, die.name()?)?;
            let size = |die: &Die<'_>| die.number(dw::DW_AT_byte_size);
            let same = die.has(dw::DW_AT_declaration) || size(&die) == size(&self.die(first)?);
            same.then_some(first)
        };
        first().unwrap_or(id)
    }

    /// An array from one of its dimensions on.
    fn array<'a>(&self, die: &Die<'a>, id: TypeId, depth: usize) -> Option<Shape<'a>> {
        let dimensions = dimensions(die);
        let count = dimensions.get(depth).and_then(|one| {
            let last = || one.number(dw::DW_AT_upper_bound)?.checked_add(1);
            one.number(dw::DW_AT_count).or_else(last)
        });
        let count = u32::try_from(count.unwrap_or(0)).ok()?;
        let of = match dimensions.get(depth + 1) {
            Some(inner) => {
                let inner = inner.id()?;
                self.dimensions().insert(inner.0, id.0);
                inner
            }
            None => die.of(),
        };
        Some(Shape::Array(of, count))
    }
}

fn dimensions<'a>(array: &Die<'a>) -> Vec<Die<'a>> {
    of_tag(array, dw::DW_TAG_subrange_type)
}

fn of_tag<'a>(die: &Die<'a>, tag: DwTag) -> Vec<Die<'a>> {
    let mut children = die.children();
    children.retain(|child| child.entry.tag() == tag);
    children
}

/// A number, by its encoding.
fn number<'a>(die: &Die<'a>, bytes: u32) -> Option<Shape<'a>> {
    let encoding = gimli::DwAte(u8::try_from(die.number(dw::DW_AT_encoding)?).ok()?);
    Some(match encoding {
        dw::DW_ATE_float => Shape::Float(bytes),
        dw::DW_ATE_signed | dw::DW_ATE_signed_char => Shape::Int { bytes, signed: true },
        dw::DW_ATE_unsigned
        | dw::DW_ATE_unsigned_char
        | dw::DW_ATE_boolean
        | dw::DW_ATE_address
        | dw::DW_ATE_UTF => Shape::Int { bytes, signed: false },
        _ => return None,
    })
}

fn enumeration<'a>(die: &Die<'a>, bytes: u32) -> Shape<'a> {
    let value = |constant: &Die<'a>| {
        let value = constant.entry.attr(dw::DW_AT_const_value)?;
        Some((constant.name()?, value.sdata_value().or(value.udata_value().map(|value| value as i64))?))
    };
    let values: Vec<(&str, i64)> = of_tag(die, dw::DW_TAG_enumerator).iter().filter_map(value).collect();
    Shape::Enumeration { bytes, signed: values.iter().any(|(_, value)| *value < 0), values }
}

/// A function: one that has been inlined, too, has its parameters where it is defined.
fn function<'a>(die: &Die<'a>) -> Shape<'a> {
    let params = of_tag(die, dw::DW_TAG_formal_parameter);
    Shape::Function {
        result: die.of(),
        params: params.iter().map(Die::of).collect(),
        variadic: !of_tag(die, dw::DW_TAG_unspecified_parameters).is_empty(),
    }
}

/// How many bytes from the beginning a member is: a number, in version 2 the expression that adds it.
fn location(die: &Die<'_>) -> Option<u64> {
    use gimli::AttributeValue as Value;
    match die.entry.attr_value(dw::DW_AT_data_member_location)? {
        Value::Exprloc(gimli::Expression(mut bytes)) | Value::Block(mut bytes) => {
            let adds = bytes.read_u8().ok()? == dw::DW_OP_plus_uconst.0;
            if adds { bytes.read_uleb128().ok() } else { None }
        }
        _ => die.number(dw::DW_AT_data_member_location),
    }
}

/// A member, or a base class: what that has, the class has. A static member has no place.
fn member<'a>(die: &Die<'a>) -> Option<MemberAt<'a>> {
    let tag = die.entry.tag();
    if !matches!(tag, dw::DW_TAG_member | dw::DW_TAG_inheritance)
        || die.has(dw::DW_AT_external)
        || die.has(dw::DW_AT_declaration)
    {
        return None;
    }
    let bits = die.number(dw::DW_AT_bit_size).unwrap_or(0);
    let begin = 8 * location(die).unwrap_or(0);
    let bit = match (die.number(dw::DW_AT_data_bit_offset), die.number(dw::DW_AT_bit_offset)) {
        (Some(bit), _) => begin + bit,
        // Until version 3 bits were counted from the upper end of the unit in which they lie.
        (None, Some(above)) => {
            let unit = die.number(dw::DW_AT_byte_size).or_else(|| {
                let of = die.dwarf.die(die.of())?;
                of.number(dw::DW_AT_byte_size)
            })?;
            begin + (8 * unit).checked_sub(above + bits)?
        }
        (None, None) => begin,
    };
    let name = if tag == dw::DW_TAG_member { die.name().unwrap_or("") } else { "" };
    Some(MemberAt { name, ty: die.of(), bit: u32::try_from(bit).ok()?, bits: bits as u32 })
}
