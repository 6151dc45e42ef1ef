//! The untyped tree of a D program: what was written, nothing of what it means.
//!
//! Invariants: every node has the span of its text; names are as written (macro variables unexpanded, types
//! unresolved); no tree is higher than [`super::HEIGHT`] nodes, so that walking one by recursion is safe.

mod declaration;

use crate::diagnostic::{LineMark, Span};
pub use declaration::*;

/// A whole program text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Program {
    /// Clauses and declarations in the order of the text.
    pub items: Vec<Item>,
    /// `#pragma` lines in the order of the text. They may stand anywhere and concern the whole program.
    pub pragmas: Vec<Pragma>,
    /// A preprocessor's line marks, for the diagnostics.
    pub marks: Vec<LineMark>,
    /// The numbers of the macro arguments that stood for names where the grammar needs one, from 0.
    pub arguments: Vec<usize>,
}

/// A name with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Ident {
    /// The name.
    pub name: String,
    /// Its place.
    pub span: Span,
}

/// `#pragma D ...`
#[derive(Debug, Clone, PartialEq)]
pub struct Pragma {
    /// What it asks for.
    pub kind: PragmaKind,
    /// From the `#` to the end of the line.
    pub span: Span,
}

/// The pragmas of D.
#[derive(Debug, Clone, PartialEq)]
pub enum PragmaKind {
    /// `#pragma D option name[=value]`
    Option {
        /// The option's name.
        name: Ident,
        /// What follows the `=`.
        value: Option<Ident>,
    },
    /// `#pragma D attributes Name/Data/Class [provider NAME [part]] | NAME`
    Attributes {
        /// The three stabilities, as written.
        stability: Ident,
        /// What they are given to, word by word.
        target: Vec<Ident>,
    },
    /// `#pragma D binding "version" NAME`
    Binding {
        /// The version, without its quotes.
        version: Ident,
        /// What is bound to it.
        name: Ident,
    },
    /// `#pragma D depends_on library|module|provider NAME`
    DependsOn {
        /// `library`, `module` or `provider`.
        class: Ident,
        /// Its name.
        name: Ident,
    },
    /// `#pragma error text`: the program refuses itself.
    Error(String),
}

/// A part of a program at its outermost level.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// From its first to its last character.
    pub span: Span,
}

/// What stands at the outermost level.
#[derive(Debug, Clone, PartialEq)]
pub enum ItemKind {
    /// Probes, a predicate, actions.
    Clause(Clause),
    /// Variables or types.
    Declaration(Declaration),
    /// `inline int name = value;`
    Inline(Inline),
    /// `translator out < in > { member = value; };`
    Translator(Translator),
    /// `provider name { probe name(types); };`
    Provider(Provider),
}

/// `probes /predicate/ { body }`
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// At least one.
    pub probes: Vec<ProbeDesc>,
    /// What must be true (not zero) for the body to run.
    pub predicate: Option<Expr>,
    /// The actions; `None` where there are no braces at all, as in `-n BEGIN`.
    pub body: Option<Vec<Stmt>>,
}

/// Which probes: four globs, or a number as `-l` shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeDesc {
    /// How they are chosen.
    pub kind: ProbeDescKind,
    /// The whole description.
    pub span: Span,
}

/// The two ways to choose probes.
#[derive(Debug, Clone, PartialEq)]
pub enum ProbeDescKind {
    /// `provider:module:function:name`, fewer parts being the last ones. A part may be empty (anything), a
    /// glob, or hold macro variables (`pid$target`, `$1`), here as written.
    Parts {
        /// The provider.
        provider: Ident,
        /// The module.
        module: Ident,
        /// The function.
        function: Ident,
        /// The probe's name.
        name: Ident,
    },
    /// The probe's number.
    Id(u32),
}

/// A statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Stmt {
    /// What it is.
    pub kind: StmtKind,
    /// Without its `;`.
    pub span: Span,
}

/// The statements of D. Empty ones (`;`) leave no trace.
#[derive(Debug, Clone, PartialEq)]
pub enum StmtKind {
    /// An expression: an assignment or an action.
    Expr(Expr),
    /// `@name[keys] = func(args)`
    Aggregate {
        /// The aggregation.
        agg: AggRef,
        /// The aggregating function's name.
        func: Ident,
        /// Its arguments.
        args: Vec<Expr>,
    },
    /// `if (cond) then else otherwise`; `otherwise` is empty where there is no `else`.
    If {
        /// What decides.
        cond: Expr,
        /// Done when it is not zero.
        then: Vec<Stmt>,
        /// Done when it is.
        otherwise: Vec<Stmt>,
    },
}

/// `@name[keys]`
#[derive(Debug, Clone, PartialEq)]
pub struct AggRef {
    /// The name without its `@`; empty for the anonymous aggregation.
    pub name: String,
    /// The key's parts; empty where there are no brackets.
    pub keys: Vec<Expr>,
    /// The whole reference.
    pub span: Span,
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its text, without parentheses around it.
    pub span: Span,
}

/// Where a variable lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// `x`: one for all, or a built-in, or an enumerator, or an inline.
    Global,
    /// `self->x`: one a thread.
    Thread,
    /// `this->x`: one a firing.
    Clause,
}

/// The expressions of D. Parentheses leave no trace: the tree's shape says it.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// An integer constant.
    Int(IntLit),
    /// A character constant's value. The first of several characters is the most significant.
    Char(u64),
    /// A floating-point constant.
    Float(FloatLit),
    /// A string constant's bytes, escapes replaced, without a final zero.
    Str(Vec<u8>),
    /// `x`, `self->x`, `this->x`. Where `sizeof` is applied to a bare name, that may be a type's.
    Var(Scope, Ident),
    /// `` `name `` or `` module`name ``: a symbol of the kernel or of a program.
    Symbol {
        /// The module's name, where given.
        module: Option<Ident>,
        /// The symbol's name.
        name: Ident,
    },
    /// `$name`, `$1`, `$$1`: what the command line or the run gives.
    Macro(MacroArg),
    /// `@name[keys]` as an argument, as in `printa(@a)`.
    Agg(AggRef),
    /// `func(args)`
    Call {
        /// The function's name.
        func: Ident,
        /// Its arguments.
        args: Vec<Expr>,
    },
    /// `base[keys]`: an array's element, or an associative array's.
    Index {
        /// The array.
        base: Box<Expr>,
        /// At least one.
        keys: Vec<Expr>,
    },
    /// `base.member` or `base->member`
    Member {
        /// The structure, or the pointer to it.
        base: Box<Expr>,
        /// Whether by `->`.
        arrow: bool,
        /// The member's name.
        member: Ident,
    },
    /// An operator before or after its operand.
    Unary {
        /// The operator.
        op: UnOp,
        /// The operand.
        expr: Box<Expr>,
    },
    /// An operator between its operands, comma included.
    Binary {
        /// The operator.
        op: BinOp,
        /// On its left.
        left: Box<Expr>,
        /// On its right.
        right: Box<Expr>,
    },
    /// `place = value`, or `place op= value`.
    Assign {
        /// The operator before the `=`.
        op: Option<BinOp>,
        /// What is assigned to: any expression; whether it can be is not syntax.
        place: Box<Expr>,
        /// The value.
        value: Box<Expr>,
    },
    /// `cond ? then : otherwise`
    Cond {
        /// What decides.
        cond: Box<Expr>,
        /// The value when it is not zero.
        then: Box<Expr>,
        /// The value when it is.
        otherwise: Box<Expr>,
    },
    /// `(type)expr`
    Cast {
        /// To what.
        ty: TypeName,
        /// What is cast.
        expr: Box<Expr>,
    },
    /// `sizeof (type)`; of an expression it is [`UnOp::Sizeof`].
    SizeofType(TypeName),
    /// `offsetof(type, member)`
    Offsetof {
        /// The structure or union.
        ty: TypeName,
        /// Its member.
        member: Ident,
    },
    /// `xlate<type>(expr)`
    Xlate {
        /// To what; often a pointer.
        ty: TypeName,
        /// What is translated.
        expr: Box<Expr>,
    },
    /// What could not be parsed; a diagnostic has told already.
    Error,
}

/// An integer constant as C reads it: its type follows from all four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IntLit {
    /// Its value.
    pub value: u64,
    /// How it is written: only a decimal one is never unsigned by its size alone.
    pub radix: Radix,
    /// Whether with a `u`.
    pub unsigned: bool,
    /// The number of `l`: 0, 1 or 2.
    pub longs: u8,
}

/// How an integer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Radix {
    /// `10`
    #[default]
    Decimal,
    /// `012`
    Octal,
    /// `0xa`
    Hex,
}

/// A floating-point constant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FloatLit {
    /// Its value, finite and not negative.
    pub value: f64,
    /// Its type.
    pub kind: FloatKind,
}

/// The type that a floating-point constant's suffix gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FloatKind {
    /// With an `f`.
    Float,
    /// Without.
    #[default]
    Double,
    /// With an `l`.
    LongDouble,
}

/// `$name` or `$$name`
#[derive(Debug, Clone, PartialEq)]
pub struct MacroArg {
    /// Without the `$`s: `target`, `1`.
    pub name: String,
    /// Whether with two `$`: a string, whatever it holds.
    pub string: bool,
}

/// The operators with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnOp {
    /// `+x`
    Plus,
    /// `-x`
    Neg,
    /// `!x`
    Not,
    /// `~x`
    BitNot,
    /// `*x`
    Deref,
    /// `&x`
    Addr,
    /// `++x`
    PreInc,
    /// `--x`
    PreDec,
    /// `x++`
    PostInc,
    /// `x--`
    PostDec,
    /// `sizeof x`
    Sizeof,
    /// `stringof x`
    Stringof,
}

/// The operators with two operands, besides assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinOp {
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `<<`
    Shl,
    /// `>>`
    Shr,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `&`
    And,
    /// `^`
    Xor,
    /// `|`
    Or,
    /// `&&`
    LogAnd,
    /// `^^`
    LogXor,
    /// `||`
    LogOr,
    /// `,`
    Comma,
}
