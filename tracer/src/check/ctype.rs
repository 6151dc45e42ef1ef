//! The types of C and D: integers, strings, pointers, arrays, structures, unions, enumerations, functions.
//!
//! Invariants: sizes and offsets are in bytes, as the LP64 data model has them. A structure is one object however often
//! it is named, and its members are looked up only when somebody asks: the kernel's `task_struct` leads to thousands of
//! types and costs nothing until one of its members is named.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::fmt;
use std::rc::Rc;
use std::sync::{LazyLock, Mutex};

use probes_common::schema::StructDef;

/// A type of C or D.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// No value.
    Void,
    /// An integer.
    Int(IntType),
    /// An enumeration: an integer whose constants have names.
    Enum(Rc<Enumeration>),
    /// A floating-point number: it can be recorded and printed, and nothing else.
    Float(FloatType),
    /// A string by value.
    String(Text),
    /// A pointer.
    Pointer(Box<Type>),
    /// So many elements; 0 where the number is not known.
    Array(Box<Type>, u32),
    /// A structure or union of the program or of the kernel.
    Composite(Rc<Composite>),
    /// A function, only ever behind a pointer.
    Function(Rc<Signature>),
    /// A struct of the probe tables: it lies in the record of the firing, and is only ever behind a pointer.
    Struct(&'static StructDef),
    /// A call stack: only recorded, or a part of an aggregation's key.
    Stack(Stack),
    /// An address that is shown by its symbol: only recorded, or a part of an aggregation's key.
    Symbol(Symbol),
}

/// What of a call stack is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stack {
    /// The process's, not the kernel's.
    pub user: bool,
    /// The most frames.
    pub frames: u32,
}

/// How an address is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol {
    /// It belongs to the current process, not to the kernel.
    pub user: bool,
    /// What is shown.
    pub shows: Shows,
}

/// What is shown of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shows {
    /// sym, func, usym, ufunc: module and function.
    Function,
    /// mod, umod: the module.
    Module,
    /// uaddr, %a, %A: module, function and offset.
    Address,
}

/// An integer type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntType {
    /// 1, 2, 4 or 8.
    pub bytes: u8,
    /// Whether it is signed.
    pub signed: bool,
    /// Its name for messages, such as `int` or `pid_t`; see [`interned`].
    pub name: &'static str,
}

/// A floating-point type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FloatType {
    /// `float`: 4 bytes.
    Float,
    /// `double`: 8 bytes.
    Double,
    /// `long double`: 16 bytes, of which ten count.
    LongDouble,
}

impl FloatType {
    /// Size in bytes, and alignment.
    pub fn bytes(self) -> u32 {
        match self {
            FloatType::Float => 4,
            FloatType::Double => 8,
            FloatType::LongDouble => 16,
        }
    }

    /// As a program writes it.
    pub fn name(self) -> &'static str {
        match self {
            FloatType::Float => "float",
            FloatType::Double => "double",
            FloatType::LongDouble => "long double",
        }
    }
}

/// How a string is held in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// A zero-padded buffer of so many bytes, the terminating zero included.
    Buffer(u32),
    /// An Internet address in binary, 16 bytes; text only in user space.
    Ip,
    /// A part of the firing probe's name; a number in the kernel.
    Probe(ProbePart),
}

/// A part of a probe's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProbePart {
    /// probeprov
    Provider,
    /// probemod
    Module,
    /// probefunc
    Function,
    /// probename
    Name,
}

/// An enumeration.
#[derive(Debug)]
pub struct Enumeration {
    /// As a program names it: `enum tag`, or the name that a typedef gave it.
    pub name: Option<&'static str>,
    /// The integer that it is.
    pub int: IntType,
    /// Its constants, in the order of their declaration.
    pub values: Vec<(&'static str, i64)>,
}

impl PartialEq for Enumeration {
    /// One object is one enumeration; those of a source that makes them anew each time are known by their names.
    fn eq(&self, other: &Enumeration) -> bool {
        std::ptr::eq(self, other) || (self.name.is_some() && self.name == other.name && self.int == other.int)
    }
}

/// What a pointer to a function points to.
#[derive(Debug, Clone, PartialEq)]
pub struct Signature {
    /// What it gives.
    pub result: Type,
    /// What it takes.
    pub params: Vec<Type>,
    /// Whether `...` follows.
    pub variadic: bool,
}

/// A structure or a union.
pub struct Composite {
    /// Which of them.
    pub kind: CompositeKind,
    /// Its tag.
    pub tag: Option<&'static str>,
    /// The name that a typedef gave it, where it has no tag.
    alias: OnceCell<&'static str>,
    /// What it is made of, once that is known.
    body: OnceCell<Body>,
    /// Who knows what it is made of, and by which number.
    source: Option<(Rc<dyn TypeSource>, u32)>,
}

/// Structure or union.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompositeKind {
    /// `struct`
    Struct,
    /// `union`
    Union,
}

impl CompositeKind {
    /// As a program writes it.
    pub fn word(self) -> &'static str {
        match self {
            CompositeKind::Struct => "struct",
            CompositeKind::Union => "union",
        }
    }
}

/// What a structure or union is made of.
#[derive(Debug, Clone, Default)]
pub struct Body {
    /// Size in bytes.
    pub size: u32,
    /// Alignment in bytes.
    pub align: u32,
    /// Its members in the order of their declaration.
    pub members: Vec<Member>,
}

/// A member of a structure or union.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its name; an anonymous structure or union has none, and its members are found as if they were outside.
    pub name: Option<&'static str>,
    /// Its type.
    pub ty: Type,
    /// Bytes from the beginning; of a bit-field, to the bytes that are loaded to get at its bits.
    pub offset: u32,
    /// Of a bit-field, its bits.
    pub bits: Option<Bits>,
}

/// The bits of a bit-field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bits {
    /// How many bytes are loaded to get at them: 1, 2, 4 or 8.
    pub unit: u8,
    /// How many of the loaded bits come before them (the machine is little-endian).
    pub shift: u8,
    /// How many there are.
    pub width: u8,
}

/// Who knows types by their names, such as the kernel's BTF.
///
/// What it makes of a structure is a [`Composite::lazy`] that asks for its body on demand: one object a structure, kept
/// by the source, so that two ways to the same structure lead to the same type.
pub trait TypeSource {
    /// The type of that name.
    fn find(&self, kind: NameKind, name: &str) -> Option<Type>;
    /// All names of that kind: to say which may have been meant.
    fn names(&self, _: NameKind) -> Vec<&str> {
        Vec::new()
    }
    /// Whether the types are a traced program's.
    fn is_program(&self) -> bool {
        false
    }
    /// What the structure or union is made of that the source made with this number; none where it is only declared.
    fn body(&self, id: u32) -> Option<Body>;
}

/// What kind of name a type's name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// `struct name`, `union name`
    Composite(CompositeKind),
    /// `enum name`
    Enum,
    /// `name`: a typedef, or one of the compiler's own.
    Typedef,
}

impl Composite {
    /// A structure or union that is not defined yet.
    pub fn declared(kind: CompositeKind, tag: Option<&'static str>) -> Composite {
        Composite { kind, tag, alias: OnceCell::new(), body: OnceCell::new(), source: None }
    }

    /// A structure or union of which the source knows more, by that number.
    pub fn lazy(
        kind: CompositeKind,
        tag: Option<&'static str>,
        source: Rc<dyn TypeSource>,
        id: u32,
    ) -> Composite {
        Composite { source: Some((source, id)), ..Composite::declared(kind, tag) }
    }

    /// Whether a traced program defines it.
    pub fn is_of_program(&self) -> bool {
        self.source.as_ref().is_some_and(|(source, _)| source.is_program())
    }

    /// Defines it; false if it is defined already.
    pub fn define(&self, body: Body) -> bool {
        self.body.set(body).is_ok()
    }

    /// What it is made of; none where it is only declared.
    pub fn body(&self) -> Option<&Body> {
        if self.body.get().is_none()
            && let Some((source, id)) = &self.source
            && let Some(body) = source.body(*id)
        {
            let _ = self.body.set(body);
        }
        self.body.get()
    }

    /// Gives a structure without a tag the name by which a typedef knows it.
    pub fn set_alias(&self, name: &'static str) {
        let _ = self.alias.set(name);
    }

    /// As a program names it.
    pub fn name(&self) -> String {
        match (self.tag, self.alias.get()) {
            (Some(tag), _) => format!("{} {tag}", self.kind.word()),
            (None, Some(alias)) => (*alias).to_owned(),
            (None, None) => format!("{} {{...}}", self.kind.word()),
        }
    }

    /// The member of that name, its offset counted from here also where it is in an anonymous member.
    pub fn member(&self, name: &str) -> Option<Member> {
        self.member_within(name, 16)
    }

    fn member_within(&self, name: &str, depth: u32) -> Option<Member> {
        let depth = depth.checked_sub(1)?;
        let members = &self.body()?.members;
        if let Some(member) = members.iter().find(|member| member.name == Some(name)) {
            return Some(member.clone());
        }
        members.iter().filter(|member| member.name.is_none()).find_map(|outer| {
            let Type::Composite(inner) = &outer.ty else { return None };
            let member = inner.member_within(name, depth)?;
            Some(Member { offset: outer.offset.checked_add(member.offset)?, ..member })
        })
    }

    /// The names of its members, those of anonymous ones too.
    pub fn member_names(&self) -> Vec<&'static str> {
        let members = self.body().map_or(&[][..], |body| &body.members);
        let names = members.iter().flat_map(|member| match (&member.name, &member.ty) {
            (Some(name), _) => vec![*name],
            (None, Type::Composite(inner)) => inner.member_names(),
            (None, _) => Vec::new(),
        });
        names.collect()
    }
}

impl PartialEq for Composite {
    /// One object is one type; of a source, one number.
    fn eq(&self, other: &Composite) -> bool {
        let of_one_source = match (&self.source, &other.source) {
            (Some((a, x)), Some((b, y))) => Rc::ptr_eq(a, b) && x == y,
            _ => false,
        };
        std::ptr::eq(self, other) || of_one_source
    }
}

impl fmt::Debug for Composite {
    /// The name alone: structures lead in circles.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// The name as one that lives as long as the program: types carry their names around, and there are few of them.
pub fn interned(name: &str) -> &'static str {
    static NAMES: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);
    let mut names = NAMES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    match names.get(name) {
        Some(name) => name,
        None => {
            let name: &'static str = Box::leak(name.into());
            names.insert(name);
            name
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source of one endless list: each structure has a pointer to the next, and holds one.
    struct Endless(std::cell::Cell<u32>);

    impl TypeSource for Endless {
        fn find(&self, _: NameKind, _: &str) -> Option<Type> {
            None
        }

        fn body(&self, id: u32) -> Option<Body> {
            self.0.set(self.0.get() + 1);
            let int = Type::Int(super::super::types::INT);
            let member = |name, offset| Member { name, ty: int.clone(), offset, bits: None };
            let members = vec![member(Some("id"), id), member(Some("other"), 4)];
            Some(Body { size: 8, align: 4, members })
        }
    }

    #[test]
    fn a_body_is_asked_for_once_and_only_when_it_is_needed() {
        let source = Rc::new(Endless(Default::default()));
        let make = |id| Composite::lazy(CompositeKind::Struct, None, source.clone(), id);
        let (first, second) = (make(1), make(2));
        assert_eq!(source.0.get(), 0);
        assert_eq!(first.member("id").map(|member| member.offset), Some(1));
        assert!(first.member("none").is_none());
        assert_eq!(source.0.get(), 1);
        assert!(first == make(1) && first != second);
    }

    #[test]
    fn members_of_anonymous_members_are_found_with_their_place() {
        let int = Type::Int(super::super::types::INT);
        let member = |name, ty, offset| Member { name, ty, offset, bits: None };
        let inner = Composite::declared(CompositeKind::Union, None);
        inner.define(Body { size: 8, align: 4, members: vec![member(Some("deep"), int.clone(), 4)] });
        let outer = Composite::declared(CompositeKind::Struct, Some("outer"));
        let members = vec![member(Some("a"), int, 0), member(None, Type::Composite(Rc::new(inner)), 8)];
        assert!(outer.define(Body { size: 16, align: 4, members }));
        assert_eq!(outer.member("deep").map(|member| member.offset), Some(12));
        assert_eq!(outer.member_names(), ["a", "deep"]);
        assert_eq!(outer.name(), "struct outer");
    }
}
