//! Types as they are written, and what is declared with them: variables, inlines, providers, translators.

use super::{Expr, Ident};
use crate::diagnostic::Span;

/// A type without a name declared: in casts, parameters, `sizeof`.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeName {
    /// What the derivations begin with.
    pub base: BaseType,
    /// From the outside inwards: `int *[3]`, an array of pointers, is `[Array(3), Pointer]`.
    pub derived: Vec<Derived>,
    /// The whole type.
    pub span: Span,
}

/// What stands before the declarators.
#[derive(Debug, Clone, PartialEq)]
pub struct BaseType {
    /// The type.
    pub kind: BaseKind,
    /// `const` and the like.
    pub quals: Quals,
    /// Its words.
    pub span: Span,
}

/// `const`, `volatile`, `restrict`, `userland`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quals {
    /// `const`
    pub constant: bool,
    /// `volatile`
    pub volatile: bool,
    /// `restrict`
    pub restrict: bool,
    /// `userland`: a pointer into the traced program.
    pub userland: bool,
}

/// The types that need no derivation.
#[derive(Debug, Clone, PartialEq)]
pub enum BaseKind {
    /// `void`
    Void,
    /// `string`
    String,
    /// `char` to `long long`, in whatever order its words stood.
    Int {
        /// Its size.
        width: IntWidth,
        /// `signed`, `unsigned` or neither.
        sign: Option<Sign>,
    },
    /// `float`
    Float,
    /// `double`
    Double,
    /// `long double`
    LongDouble,
    /// A typedef's name, perhaps of a module: ``vmlinux`pid_t``.
    Named {
        /// The module.
        module: Option<Ident>,
        /// The name.
        name: Ident,
    },
    /// `struct tag { ... }` or `union tag { ... }`
    Record(Record),
    /// `enum tag { ... }`
    Enum(Enum),
}

/// C's integer sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IntWidth {
    /// `char`
    Char,
    /// `short`
    Short,
    /// `int`
    Int,
    /// `long`
    Long,
    /// `long long`
    LongLong,
}

/// `signed` or `unsigned`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sign {
    /// `signed`
    Signed,
    /// `unsigned`
    Unsigned,
}

/// A structure or union, named, defined, or both.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Whether a union.
    pub union: bool,
    /// The module of the tag: ``struct vmlinux`task_struct``.
    pub module: Option<Ident>,
    /// Its tag.
    pub tag: Option<Ident>,
    /// Its members, where they are given.
    pub members: Option<Vec<Declaration>>,
}

/// An enumeration, named, defined, or both.
#[derive(Debug, Clone, PartialEq)]
pub struct Enum {
    /// The module of the tag.
    pub module: Option<Ident>,
    /// Its tag.
    pub tag: Option<Ident>,
    /// Its enumerators, where they are given, with their values, where those are.
    pub values: Option<Vec<(Ident, Option<Expr>)>>,
    /// Whether a header defines it: as compilers have it, a value need not fit in an int.
    pub wide: bool,
}

/// One step from a type to another.
#[derive(Debug, Clone, PartialEq)]
pub enum Derived {
    /// Pointer to.
    Pointer(Quals),
    /// Array of so many, or of unknown size. A bare name inside the brackets that is not known as a type by
    /// its spelling is taken as a constant's.
    Array(Option<Box<Expr>>),
    /// Associative array with keys of these types; an inline's have names.
    Assoc(Vec<Param>),
    /// Function with these parameters, returning.
    Function {
        /// The parameters; `void` alone is none.
        params: Vec<Param>,
        /// Whether `...` follows.
        variadic: bool,
    },
}

/// A parameter, perhaps with a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// Its type.
    pub ty: TypeName,
    /// Its name.
    pub name: Option<Ident>,
}

/// What stands before a declaration's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Storage {
    /// `self`: variables of threads.
    Thread,
    /// `this`: variables of a firing.
    Clause,
    /// `typedef`: the names are types.
    Typedef,
    /// `extern`
    Extern,
    /// `static`
    Static,
    /// `auto`
    Auto,
    /// `register`
    Register,
}

/// `storage base declarator, declarator;`
#[derive(Debug, Clone, PartialEq)]
pub struct Declaration {
    /// What kind of names are declared: `None` is global variables (or members).
    pub storage: Option<Storage>,
    /// The type that all begin with.
    pub base: BaseType,
    /// What is declared; none for a structure, union or enumeration alone.
    pub declarators: Vec<Declarator>,
    /// Without the `;`.
    pub span: Span,
}

/// One declared name.
#[derive(Debug, Clone, PartialEq)]
pub struct Declarator {
    /// Its name; only a bit-field may have none.
    pub name: Option<Ident>,
    /// From the name outwards, see [`TypeName::derived`].
    pub derived: Vec<Derived>,
    /// A member's size in bits.
    pub bits: Option<Box<Expr>>,
    /// The whole declarator.
    pub span: Span,
}

/// `inline base declarator = value;`
#[derive(Debug, Clone, PartialEq)]
pub struct Inline {
    /// The type's beginning.
    pub base: BaseType,
    /// Its name; where its outermost derivation is [`Derived::Assoc`], it has parameters.
    pub declarator: Declarator,
    /// What stands for it.
    pub value: Expr,
}

/// `provider name { probes };`: what probes a provider has, and of what types their arguments are.
#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    /// Its name.
    pub name: Ident,
    /// Its probes.
    pub probes: Vec<ProbeDecl>,
}

/// `probe name(native) : (translated);`
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeDecl {
    /// Its name.
    pub name: Ident,
    /// What the probe is given.
    pub native: Vec<Param>,
    /// What clauses see, where it is not the same: each named by one of `native`.
    pub translated: Option<Vec<Param>>,
}

/// `translator output < input > { member = value; ... };`
#[derive(Debug, Clone, PartialEq)]
pub struct Translator {
    /// What it makes.
    pub output: TypeName,
    /// What it is made of, and the name by which the members' values refer to it.
    pub input: Param,
    /// The members and their values.
    pub members: Vec<(Ident, Expr)>,
}
