//! The kernel's types by its BTF, and a traced program's by what it has, as a source of types: each is made when a D program names it.
//!
//! Invariant: nothing of the description is looked at until a name is asked for that the program does not define, and of a structure
//! only what was asked for.

use std::rc::{Rc, Weak};
use std::sync::Arc;

use super::ctype::{
    Bits, Body, Composite, CompositeKind, Enumeration, FloatType, Member, NameKind, Signature, Type,
    TypeSource, interned,
};
use super::typed::IntType;
use super::types::{plain, spelled};
use crate::kernel::btf::{Described, Kind, MemberAt, Shape, TypeId};
use crate::syntax::ast::{IntWidth, Sign};

/// How deep types are followed that are not behind a structure's name; real ones are shallower than ten.
const DEEPEST: u32 = 32;

/// What a function takes and gives.
pub(super) struct Prototype {
    /// The types of its parameters.
    pub(super) params: Vec<Option<Type>>,
    /// That of what it returns.
    pub(super) result: Option<Type>,
    /// Whether `...` follows.
    pub(super) variadic: bool,
}

/// The types of a kernel, or of a program.
pub(super) struct KernelTypes {
    described: Arc<dyn Described>,
    /// Of a module: the types that its own go on from.
    base: Option<Rc<KernelTypes>>,
    /// Whether they are a traced program's.
    program: bool,
    /// Itself, for the structures that it makes.
    own: Weak<KernelTypes>,
}

impl KernelTypes {
    pub(super) fn new(described: Arc<dyn Described>) -> Rc<KernelTypes> {
        Rc::new_cyclic(|own| KernelTypes { described, base: None, program: false, own: own.clone() })
    }

    /// Those of a module.
    pub(super) fn of_module(described: Arc<dyn Described>, base: Rc<KernelTypes>) -> Rc<KernelTypes> {
        Rc::new_cyclic(|own| KernelTypes { described, base: Some(base), program: false, own: own.clone() })
    }

    /// Those of a file that a traced process has mapped.
    pub(super) fn of_program(described: Arc<dyn Described>) -> Rc<KernelTypes> {
        Rc::new_cyclic(|own| KernelTypes { described, base: None, program: true, own: own.clone() })
    }

    /// What a function takes and gives; a type that D does not have is none.
    pub(super) fn function(&self, name: &str) -> Option<Prototype> {
        let id = self.described.find(Kind::Func, name)?;
        let Shape::Function { result, params, variadic } = self.described.shape(id)? else { return None };
        let params = params.into_iter().map(|id| self.ty(id)).collect();
        Some(Prototype { params, result: self.ty(result), variadic })
    }

    /// The type of that number.
    pub(super) fn ty(&self, id: TypeId) -> Option<Type> {
        self.within(id, DEEPEST)
    }

    /// The type of a variable of the kernel, and whether each CPU has one of its own.
    pub(super) fn variable(&self, name: &str) -> Option<(Type, bool)> {
        let (id, per_cpu) = self.described.variable(name)?;
        Some((self.ty(id)?, per_cpu))
    }

    /// The constant of that name of an enumeration, and its type.
    pub(super) fn enumerator(&self, name: &str) -> Option<(i64, Type)> {
        let (id, value) = self.described.enumerator(name)?;
        Some((value, self.ty(id)?))
    }

    /// The type of that name, without looking at what the module's types go on from.
    pub(super) fn find_own(&self, kind: NameKind, name: &str) -> Option<Type> {
        kinds(kind).iter().find_map(|kind| self.described.find(*kind, name)).and_then(|id| self.ty(id))
    }

    fn within(&self, id: TypeId, depth: u32) -> Option<Type> {
        if let Some(base) = self.base.as_ref().filter(|_| id.0 < self.described.first()) {
            return base.within(id, depth);
        }
        let depth = depth.checked_sub(1)?;
        Some(match self.described.shape(id)? {
            Shape::Void => Type::Void,
            Shape::Int { bytes: bytes @ (1 | 2 | 4 | 8), signed } => {
                Type::Int(integer(self.described.name(id).unwrap_or_default(), bytes as u8, signed))
            }
            // `__int128`: D has no such number.
            Shape::Int { bytes, .. } => Type::Array(Box::new(Type::Int(plain(1, false))), bytes),
            Shape::Float(4) => Type::Float(FloatType::Float),
            Shape::Float(8) => Type::Float(FloatType::Double),
            Shape::Float(16) => Type::Float(FloatType::LongDouble),
            Shape::Float(_) => return None,
            // What the pointer leads to may be beyond D: the pointer is not.
            Shape::Pointer(to) => Type::Pointer(Box::new(self.within(to, depth).unwrap_or(Type::Void))),
            Shape::Array(of, count) => Type::Array(Box::new(self.within(of, depth)?), count),
            Shape::Composite { union, .. } => self.composite(union, id),
            Shape::Forward { union } => {
                let name = self.described.name(id)?;
                match self.find(NameKind::Composite(which(union)), name) {
                    Some(defined) => defined,
                    None => Type::Composite(Rc::new(Composite::declared(which(union), Some(interned(name))))),
                }
            }
            Shape::Enumeration { bytes, signed, values } => {
                let bytes = u8::try_from(bytes).ok().filter(|bytes| matches!(bytes, 1 | 2 | 4 | 8))?;
                let name = self.described.name(id).map(|name| interned(&format!("enum {name}")));
                let values = values.into_iter().map(|(name, value)| (interned(name), value)).collect();
                Type::Enum(Rc::new(Enumeration { name, int: plain(bytes, signed), values }))
            }
            Shape::Qualified(of) => self.within(of, depth)?,
            Shape::Typedef(of) => self.renamed(id, self.within(of, depth)?),
            Shape::Function { result, params, variadic } => {
                let params: Option<Vec<Type>> = params.iter().map(|id| self.within(*id, depth / 2)).collect();
                let result = self.within(result, depth / 2)?;
                Type::Function(Rc::new(Signature { result, params: params?, variadic }))
            }
        })
    }

    /// What a typedef stands for: an integer by its new name, and a structure by it where it has no other.
    fn renamed(&self, id: TypeId, ty: Type) -> Type {
        let Some(name) = self.described.name(id).map(interned) else { return ty };
        match ty {
            Type::Int(int) => Type::Int(IntType { name, ..int }),
            Type::Composite(composite) => {
                composite.set_alias(name);
                Type::Composite(composite)
            }
            ty => ty,
        }
    }

    fn composite(&self, union: bool, id: TypeId) -> Type {
        let tag = self.described.name(id).map(interned);
        match self.own.upgrade() {
            Some(own) => Type::Composite(Rc::new(Composite::lazy(which(union), tag, own, id.0))),
            None => Type::Composite(Rc::new(Composite::declared(which(union), tag))),
        }
    }

    /// A member; none of a type that D does not have, and no padding.
    fn member(&self, at: &MemberAt<'_>) -> Option<Member> {
        let ty = self.ty(at.ty)?;
        let name = (!at.name.is_empty()).then(|| interned(at.name));
        if name.is_none() && !matches!(ty, Type::Composite(_)) {
            return None;
        }
        if at.bits == 0 {
            return Some(Member { name, ty, offset: at.bit / 8, bits: None });
        }
        // The unit of the declared type, in which the bits lie; of a packed structure, any that holds them.
        let declared = ty.size().map_or(4, |bytes| bytes.clamp(1, 8)).next_power_of_two();
        let fitting = (declared.trailing_zeros()..=3).map(|log| 1 << log).find_map(|unit: u32| {
            let start = at.bit / (8 * unit) * unit;
            let shift = at.bit - 8 * start;
            (shift + at.bits <= 8 * unit).then_some((start, unit, shift))
        });
        let (offset, unit, shift) = fitting.or_else(|| {
            let shift = at.bit % 8;
            (shift + at.bits <= 64).then_some((at.bit / 8, 8, shift))
        })?;
        let bits = Bits { unit: unit as u8, shift: shift as u8, width: at.bits as u8 };
        Some(Member { name, ty, offset, bits: Some(bits) })
    }
}

impl TypeSource for KernelTypes {
    fn find(&self, kind: NameKind, name: &str) -> Option<Type> {
        self.find_own(kind, name).or_else(|| self.base.as_ref()?.find(kind, name))
    }

    fn names(&self, kind: NameKind) -> Vec<&str> {
        let names = kinds(kind).iter().flat_map(|kind| self.described.names(*kind));
        names.filter(|name| !name.is_empty()).collect()
    }

    fn is_program(&self) -> bool {
        self.program
    }

    fn body(&self, id: u32) -> Option<Body> {
        let id = TypeId(id);
        let Shape::Composite { size, .. } = self.described.shape(id)? else { return None };
        let members: Vec<Member> =
            self.described.members(id)?.iter().filter_map(|member| self.member(member)).collect();
        let align = members.iter().map(|member| member.ty.align()).max().unwrap_or(1);
        Some(Body { size, align, members })
    }
}

/// The kinds of the BTF that have names of that kind.
fn kinds(kind: NameKind) -> &'static [Kind] {
    match kind {
        NameKind::Composite(CompositeKind::Struct) => &[Kind::Struct],
        NameKind::Composite(CompositeKind::Union) => &[Kind::Union],
        NameKind::Enum => &[Kind::Enum, Kind::Enum64],
        NameKind::Typedef => &[Kind::Typedef],
    }
}

fn which(union: bool) -> CompositeKind {
    if union { CompositeKind::Union } else { CompositeKind::Struct }
}

/// An integer type by the compiler's name for it: `long unsigned int` is `unsigned long`.
fn integer(name: &str, bytes: u8, signed: bool) -> IntType {
    let has = |word: &str| name.split(' ').any(|part| part == word);
    let longs = name.split(' ').filter(|part| *part == "long").count();
    let width = match longs {
        _ if has("char") => IntWidth::Char,
        _ if has("short") => IntWidth::Short,
        1 => IntWidth::Long,
        2 => IntWidth::LongLong,
        _ if has("int") || has("unsigned") => IntWidth::Int,
        _ => return IntType { bytes, signed, name: interned(name) },
    };
    let sign = has("unsigned").then_some(Sign::Unsigned);
    Some(spelled(width, sign)).filter(|ty| ty.bytes == bytes).unwrap_or_else(|| plain(bytes, signed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::btf::tests::{running, sample, sample_module};

    fn composite(types: &KernelTypes, name: &str) -> Rc<Composite> {
        match types.find(NameKind::Composite(CompositeKind::Struct), name) {
            Some(Type::Composite(composite)) => composite,
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn structures_have_the_members_that_the_btf_says() {
        let types = KernelTypes::new(Arc::new(sample()));
        let outer = composite(&types, "outer");
        let place =
            |name| outer.member(name).map(|member| (member.ty.to_string(), member.offset, member.bits));
        assert_eq!(place("inner"), Some(("struct point".to_owned(), 0, None)));
        assert_eq!(place("deep"), Some(("struct point".to_owned(), 8, None)));
        assert_eq!(place("other"), Some(("long".to_owned(), 8, None)));
        let bits = |shift, width| Some(Bits { unit: 4, shift, width });
        assert_eq!(place("low"), Some(("unsigned int".to_owned(), 16, bits(0, 3))));
        assert_eq!(place("high"), Some(("unsigned int".to_owned(), 16, bits(3, 5))));
        assert_eq!(place("none"), None);
        assert_eq!(Type::Composite(outer).size(), Some(24));
    }

    #[test]
    fn two_ways_to_a_structure_lead_to_one_type() {
        let types = KernelTypes::new(Arc::new(sample()));
        let point = composite(&types, "point");
        let inner = composite(&types, "outer").member("inner").expect("it has one").ty;
        assert!(inner == Type::Composite(point.clone()));
        assert!(types.find(NameKind::Typedef, "point_t") == Some(Type::Composite(point)));
        assert!(types.find(NameKind::Typedef, "outer").is_none());
    }

    #[test]
    fn types_of_a_module_lead_to_those_of_the_kernel() {
        let module = Arc::new(sample_module());
        let base = KernelTypes::new(module.base().expect("it has one").clone());
        let types = KernelTypes::of_module(module, base.clone());
        let paint = composite(&types, "paint");
        assert!(paint.member("at").expect("it has one").ty == Type::Composite(composite(&base, "point")));
        assert!(composite(&types, "point") == composite(&base, "point"));
        assert!(types.find_own(NameKind::Composite(CompositeKind::Struct), "point").is_none());
        assert_eq!(types.enumerator("DRY").map(|found| found.0), Some(7));
        assert_eq!(
            base.enumerator("BLUE").map(|found| (found.0, found.1.to_string())),
            Some((-2, "enum color".to_owned()))
        );
    }

    #[test]
    fn enumerations_have_their_values() {
        let types = KernelTypes::new(Arc::new(sample()));
        let Some(Type::Enum(color)) = types.find(NameKind::Enum, "color") else { panic!("there is one") };
        assert_eq!((color.name, &color.values[..]), (Some("enum color"), &[("RED", 1), ("BLUE", -2)][..]));
        assert!(color.int.signed && color.int.bytes == 4);
    }

    #[test]
    fn every_type_of_the_running_kernel_is_read() {
        let Some(btf) = running() else { return };
        let btf = Arc::new(btf);
        let types = KernelTypes::new(btf.clone());
        let mut sized = 0;
        for id in (1..=btf.len() as u32).map(TypeId) {
            let Some(ty) = types.ty(id) else { continue };
            if let Type::Composite(composite) = &ty {
                composite.member_names();
            }
            if let (Some(size), true) = (btf.size_of(id), ty.size().is_some()) {
                assert_eq!(ty.size(), Some(size), "{}", btf.display(id));
                sized += 1;
            }
        }
        assert!(sized > 1000, "{sized}");
    }
}
