//! Where a field lies: through nested paths, anonymous structures and unions, and typedefs.

use super::{Btf, Kind, MAX_CHAIN, TypeId};

/// The place of a field in a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldAt {
    /// Bytes from the beginning of the structure to the byte in which the field begins.
    pub offset: u32,
    /// For a bit field, the bits of that byte that come before it.
    pub bit: u32,
    /// The width of a bit field in bits; 0 for an ordinary field.
    pub bits: u32,
    /// The size of the declared type in bytes.
    pub size: u32,
    /// The declared type.
    pub ty: TypeId,
}

/// How many members one look-up may visit: a few thousand in a real kernel, without end in a malicious one.
const MAX_VISITS: u32 = 200_000;

/// A member, its place counted in bits.
struct Member {
    bit: u32,
    bits: u32,
    ty: TypeId,
}

impl Btf {
    /// The place of the field `path` (`a.b.c`) in the structure, union or typedef called `name`.
    ///
    /// Where several types bear the name, the first one that has the field.
    pub fn field(&self, name: &str, path: &str) -> Option<FieldAt> {
        [Kind::Struct, Kind::Union, Kind::Typedef]
            .into_iter()
            .find_map(|kind| self.find_all(kind, name).find_map(|id| self.field_of(id, path)))
    }

    /// The place of the field `path` in the type `id`.
    pub fn field_of(&self, id: TypeId, path: &str) -> Option<FieldAt> {
        let mut visits = MAX_VISITS;
        let mut at = Member { bit: 0, bits: 0, ty: id };
        for name in path.split('.') {
            let inner = self.member(at.ty, name, MAX_CHAIN, &mut visits)?;
            at = Member { bit: at.bit.checked_add(inner.bit)?, ..inner };
        }
        let size = self.size_of(at.ty)?;
        Some(FieldAt { offset: at.bit / 8, bit: at.bit % 8, bits: at.bits, size, ty: at.ty })
    }

    /// The member `name` of the type `id`, also inside its anonymous members.
    fn member(&self, id: TypeId, name: &str, depth: usize, visits: &mut u32) -> Option<Member> {
        let depth = depth.checked_sub(1)?;
        let raw = self.raw(self.resolve(id)?)?;
        if !matches!(raw.kind, Kind::Struct | Kind::Union) || name.is_empty() {
            return None;
        }
        // struct btf_member (2.2.4): name_off, type, offset in bits; with kind_flag the offset's upper 8 bits are
        // the width of a bit field, 0 for other members.
        let member = |i: usize| {
            let (ty, place) = (TypeId(raw.word(3 * i + 1)?), raw.word(3 * i + 2)?);
            Some(match raw.flag {
                true => Member { bit: place & 0x00ff_ffff, bits: place >> 24, ty },
                false => Member { bit: place, bits: 0, ty },
            })
        };
        for i in 0..raw.count {
            *visits = visits.checked_sub(1)?;
            if self.is_name(raw.word(3 * i)?, name) {
                return member(i);
            }
        }
        for i in 0..raw.count {
            *visits = visits.checked_sub(1)?;
            if !self.is_name(raw.word(3 * i)?, "") {
                continue;
            }
            let outer = member(i)?;
            if let Some(inner) = self.member(outer.ty, name, depth, visits) {
                return Some(Member { bit: outer.bit.checked_add(inner.bit)?, ..inner });
            }
        }
        None
    }
}
