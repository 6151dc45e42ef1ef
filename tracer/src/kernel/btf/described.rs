//! Types that are described somewhere, by BTF or as BTF would: the kernel's own, and those of programs.

use super::{Btf, Kind, MemberAt, Shape, TypeId};

/// A description of types.
pub trait Described: std::fmt::Debug {
    /// The number of the first type that is described here; those before it are of what these go on from.
    fn first(&self) -> u32 {
        0
    }
    /// The type of that kind and name.
    fn find(&self, kind: Kind, name: &str) -> Option<TypeId>;
    /// The names of all types of a kind.
    fn names(&self, kind: Kind) -> Vec<&str>;
    /// The name of a type; an anonymous one has none.
    fn name(&self, id: TypeId) -> Option<&str>;
    /// What a type is.
    fn shape(&self, id: TypeId) -> Option<Shape<'_>>;
    /// What a structure or union is made of.
    fn members(&self, id: TypeId) -> Option<Vec<MemberAt<'_>>>;
    /// The type of a variable, and whether each CPU has one of its own.
    fn variable(&self, name: &str) -> Option<(TypeId, bool)>;
    /// The enumeration that has this constant, and its value.
    fn enumerator(&self, name: &str) -> Option<(TypeId, i64)>;
}

impl Described for Btf {
    fn first(&self) -> u32 {
        Btf::first(self)
    }

    fn find(&self, kind: Kind, name: &str) -> Option<TypeId> {
        Btf::find(self, kind, name)
    }

    fn names(&self, kind: Kind) -> Vec<&str> {
        self.names_with_prefix(kind, "").map(|(name, _)| name).collect()
    }

    fn name(&self, id: TypeId) -> Option<&str> {
        Btf::name(self, id)
    }

    fn shape(&self, id: TypeId) -> Option<Shape<'_>> {
        Btf::shape(self, id)
    }

    fn members(&self, id: TypeId) -> Option<Vec<MemberAt<'_>>> {
        Btf::members(self, id)
    }

    fn variable(&self, name: &str) -> Option<(TypeId, bool)> {
        Btf::variable(self, name)
    }

    fn enumerator(&self, name: &str) -> Option<(TypeId, i64)> {
        Btf::enumerator(self, name)
    }
}
