//! The typed program: what the checker makes of the syntax tree and the code generator reads.
//!
//! Every name is resolved, every conversion is an explicit [`ExprKind::Cast`], every expression has a type, and what
//! cannot be compiled is not representable here or has been refused with a diagnostic.

use std::rc::Rc;

use probes_common::schema::{Field, StructDef};

use crate::diagnostic::Span;
use crate::provider::ProbeId;
use crate::syntax::format::Format;

/// A checked program.
#[derive(Debug)]
pub struct Program {
    /// The clauses, in the order of the text.
    pub clauses: Vec<Clause>,
    /// Global scalars; [`Place::Global`] is an index.
    pub globals: Vec<Variable>,
    /// `this->` scalars; [`Place::This`] is an index.
    pub locals: Vec<Variable>,
    /// Thread-local variables and associative arrays; [`Place::Dynamic`] has an index.
    pub dynamics: Vec<Dynamic>,
    /// Aggregations; an [`AggregationId`] is an index.
    pub aggregations: Vec<Aggregation>,
}

/// One clause with the probes it was matched with.
#[derive(Debug)]
pub struct Clause {
    /// The probes, in the order of their ids.
    pub probes: Vec<ProbeId>,
    /// The predicate.
    pub predicate: Option<Expr>,
    /// What it does; empty for the default action, `trace` of nothing: the probe's line alone.
    pub statements: Vec<Stmt>,
    /// The whole clause.
    pub span: Span,
}

/// A scalar variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
}

/// A variable with storage made on demand: `self->x`, `a[k]`, `self->a[k]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dynamic {
    /// Its name, with `self->` where it is thread-local.
    pub name: String,
    /// Whether the thread is part of its key.
    pub thread_local: bool,
    /// Types of the parts of its key; empty for `self->x`.
    pub keys: Vec<Type>,
    /// Type of its value.
    pub ty: Type,
}

/// An index into [`Program::aggregations`].
pub type AggregationId = usize;

/// An aggregation.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregation {
    /// Its name without the `@`; empty for the anonymous one.
    pub name: String,
    /// The aggregating function with its constant parameters.
    pub function: Function,
    /// Types of the parts of its key.
    pub keys: Vec<Type>,
}

/// An aggregating function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// Number of calls.
    Count,
    /// Sum of signed values.
    Sum,
    /// Average.
    Avg,
    /// Smallest.
    Min,
    /// Largest.
    Max,
    /// Power-of-two histogram: 127 buckets.
    Quantize,
    /// Linear histogram: below, `levels` of `step` from `low`, above.
    Lquantize {
        /// Lower bound.
        low: i64,
        /// Upper bound.
        high: i64,
        /// Width of a bucket.
        step: u64,
    },
}

/// A type of C or D. Sizes in bytes, as the LP64 data model has them.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// No value.
    Void,
    /// An integer.
    Int(IntType),
    /// A string by value.
    String(Text),
    /// A pointer.
    Pointer(Box<Type>),
    /// A struct of the probe tables, only ever behind a pointer.
    Struct(&'static StructDef),
}

/// An integer type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntType {
    /// 1, 2, 4 or 8.
    pub bytes: u8,
    /// Whether it is signed.
    pub signed: bool,
    /// Its name for messages, such as `int` or `pid_t`.
    pub name: &'static str,
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

/// A statement.
#[derive(Debug)]
pub enum Stmt {
    /// An expression for its effect.
    Expr(Expr),
    /// An action that records or controls.
    Action(Action, Span),
    /// `@name[keys] = function(value);`
    Aggregate {
        /// Which aggregation.
        aggregation: AggregationId,
        /// The key, each part of the aggregation's key type.
        keys: Vec<Expr>,
        /// The aggregated value, a 64-bit integer; none for count().
        value: Option<Expr>,
        /// How much it counts (the increment of quantize and lquantize), a 64-bit integer; 1 when absent.
        weight: Option<Expr>,
        /// The statement.
        span: Span,
    },
    /// `if (cond) then else otherwise`
    If {
        /// What decides: an integer.
        cond: Expr,
        /// Done when it is not zero.
        then: Vec<Stmt>,
        /// Done when it is.
        otherwise: Vec<Stmt>,
        /// The statement.
        span: Span,
    },
}

/// An action. Values that are recorded keep their own type.
#[derive(Debug)]
pub enum Action {
    /// trace(value): the value in default form.
    Trace(Expr),
    /// printf: the format and its arguments, in the order of its conversions, dynamic widths and precisions included.
    Printf(Rc<Format>, Vec<Expr>),
    /// printa: the format, if any, and the aggregations.
    Printa(Option<Rc<Format>>, Vec<AggregationId>),
    /// clear(@a)
    Clear(AggregationId),
    /// trunc(@a[, n])
    Trunc(AggregationId, Option<Expr>),
    /// normalize(@a, n)
    Normalize(AggregationId, Expr),
    /// denormalize(@a)
    Denormalize(AggregationId),
    /// exit(status)
    Exit(Expr),
}

/// An expression with its type.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its type.
    pub ty: Type,
    /// Where it stands.
    pub span: Span,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// An integer constant, of the expression's type.
    Int(i64),
    /// A string literal without its terminating zero; its type is a buffer that holds it.
    Str(Vec<u8>),
    /// A literal that was compared with an address: 16 bytes as in `probes_common::schema::Ip`.
    Ip([u8; 16]),
    /// A built-in variable.
    Builtin(Builtin),
    /// `argN`: argument N of the probe as a 64-bit integer, 0 where the probe has fewer.
    Arg(u8),
    /// `args[N]`: an integer or string field of the record, or the address of a struct in it.
    Args(u8),
    /// A variable or array element.
    Load(Place),
    /// `pointer->field`, the pointer being to a struct of the probe tables.
    Member(Box<Expr>, &'static Field),
    /// `*pointer`, to an integer; read with bpf_probe_read_kernel.
    Deref(Box<Expr>),
    /// `-x`, `~x`; on a promoted integer.
    Unary(UnaryOp, Box<Expr>),
    /// An arithmetic or bitwise operation: both operands and the result have the same type, but for a shift's right.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// A comparison of two integers or pointers of the same type; the result is an int.
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    /// A comparison of two strings by their bytes; the result is an int. Either both are addresses, or one is a
    /// probe's name part and the other a literal, or both are buffers of any sizes.
    CompareText(CompareOp, Box<Expr>, Box<Expr>),
    /// `!x`: an int.
    Not(Box<Expr>),
    /// `a && b`, `a || b`, `a ^^ b`: an int; the first two evaluate the right only when needed.
    Logical(LogicalOp, Box<Expr>, Box<Expr>),
    /// `c ? a : b`; both of the expression's type.
    Conditional(Box<Expr>, Box<Expr>, Box<Expr>),
    /// Assignment; the value has the place's type (or is a shorter buffer). Its own value is what was assigned.
    Assign(Place, Box<Expr>),
    /// `place++`, `place--`: adds and gives the old value; `++place` is an assignment.
    PostAdd(Place, i64),
    /// `a, b`
    Comma(Box<Expr>, Box<Expr>),
    /// A conversion to the expression's type: integer to integer, pointer to integer and back, any text to a buffer.
    Cast(Box<Expr>),
    /// A subroutine.
    Call(Subroutine, Vec<Expr>),
}

/// Something that can be assigned to.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// A global scalar.
    Global(usize),
    /// A clause-local scalar.
    This(usize),
    /// A thread-local variable or array element with its key.
    Dynamic(usize, Vec<Expr>),
}

/// Built-in variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Builtin {
    /// Process id of the current thread.
    Pid,
    /// Thread id.
    Tid,
    /// Parent's process id.
    Ppid,
    /// Real user id.
    Uid,
    /// Real group id.
    Gid,
    /// Name of the current thread's program.
    Execname,
    /// A part of the firing probe's name.
    ProbePart(ProbePart),
    /// Nanoseconds, monotonic.
    Timestamp,
    /// Nanoseconds since 1970.
    Walltimestamp,
    /// The CPU.
    Cpu,
    /// The error of the system call that is returning, 0 elsewhere: the record's field `errno` where it has one.
    Errno,
    /// Id of the firing probe.
    Id,
    /// Enabled probe id of the clause.
    Epid,
    /// Address of the current task.
    Curthread,
}

/// Unary operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Neg,
    /// `~`
    BitNot,
}

/// Arithmetic and bitwise operators. Signedness is that of the type; dividing by zero is a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
    /// `&`
    And,
    /// `|`
    Or,
    /// `^`
    Xor,
    /// `<<`
    Shl,
    /// `>>`
    Shr,
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompareOp {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// Logical operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogicalOp {
    /// `&&`
    And,
    /// `||`
    Or,
    /// `^^`
    Xor,
}

/// Subroutines: functions with a value and without effect on what is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subroutine {
    /// copyinstr(address[, max]): a string of the current process.
    Copyinstr,
    /// progenyof(pid): whether the current process descends from it, or is it.
    Progenyof,
    /// strlen(s)
    Strlen,
    /// rand()
    Rand,
}
