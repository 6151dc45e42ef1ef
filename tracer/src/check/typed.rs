//! The typed program: what the checker makes of the syntax tree and the code generator reads.
//!
//! Every name is resolved, every conversion is an explicit [`ExprKind::Cast`], every expression has a type, and what
//! cannot be compiled is not representable here or has been refused with a diagnostic.

mod operation;

use std::rc::Rc;

use probes_common::schema::Field;

use crate::diagnostic::Span;
use crate::provider::ProbeId;
use crate::provider::stability::Description;
use crate::stability::Attributes;
use crate::syntax::format::Format;

pub use super::ctype::*;
pub use super::shape::{Piece, Shape, ShapeKind};
pub use operation::*;

/// A string that is not there, NULL, as a literal: the empty string and a mark behind it.
pub const NULL_TEXT: &[u8] = &[0, 0x7f];

/// A checked program.
#[derive(Debug)]
pub struct Program {
    /// The clauses, in the order of the text.
    pub clauses: Vec<Clause>,
    /// Global variables; [`Place::Global`] is an index.
    pub globals: Vec<Variable>,
    /// `this->` variables; [`Place::This`] is an index.
    pub locals: Vec<Variable>,
    /// Thread-local variables and associative arrays; [`Place::Dynamic`] has an index.
    pub dynamics: Vec<Dynamic>,
    /// Aggregations; an [`AggregationId`] is an index.
    pub aggregations: Vec<Aggregation>,
    /// What its subroutines need besides.
    pub keeps: Keeps,
}

/// Memory of a firing that subroutines and built-in variables keep from one use to the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keeps {
    /// Bytes of the string that strtok() takes apart, 0 where it is not used.
    pub tokens: u32,
    /// Whether there is memory that alloca(), copyin() and the like give out.
    pub scratch: bool,
    /// Bytes of curpsinfo.
    pub process: u32,
    /// Bytes of curlwpsinfo.
    pub thread: u32,
    /// Whether it is asked where the CPUs are.
    pub topology: bool,
    /// The most characters of a string and the bytes of its buffer, where that holds more.
    pub strings: Option<(u32, u32)>,
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
    /// Its descriptions, and how stable they are.
    pub descriptions: Vec<Description>,
    /// How stable its predicate and its statements are.
    pub attributes: Attributes,
}

/// A variable with one value: a word, a string's buffer, or a structure's or array's bytes.
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

impl Dynamic {
    /// Whether each thread has one of its own: `self->x`.
    pub fn is_own(&self) -> bool {
        self.thread_local && self.keys.is_empty()
    }
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
    /// Standard deviation.
    Stddev,
    /// Log-linear histogram: below `factor` to the `low`, then each magnitude up to and with `high` in equal steps, above.
    Llquantize {
        /// What a magnitude is larger than the one before.
        factor: u16,
        /// The lowest magnitude: a power of the factor.
        low: u16,
        /// The highest.
        high: u16,
        /// Steps a magnitude, those from 0 included; no more than one a number.
        steps: u16,
    },
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

impl Function {
    /// Its name in D.
    pub fn name(self) -> &'static str {
        match self {
            Function::Count => "count",
            Function::Sum => "sum",
            Function::Avg => "avg",
            Function::Min => "min",
            Function::Max => "max",
            Function::Stddev => "stddev",
            Function::Quantize => "quantize",
            Function::Lquantize { .. } => "lquantize",
            Function::Llquantize { .. } => "llquantize",
        }
    }

    /// Whether its value is a histogram.
    pub fn is_histogram(self) -> bool {
        matches!(self, Function::Quantize | Function::Lquantize { .. } | Function::Llquantize { .. })
    }
}

/// An action. Values that are recorded keep their own type.
#[derive(Debug)]
pub enum Action {
    /// trace(value): the value in default form.
    Trace(Expr),
    /// print(value): the value with its type.
    Print(Expr, Rc<Shape>),
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
    /// speculate(id): what follows is recorded in a speculation.
    Speculate(Expr),
    /// commit(id)
    Commit(Expr),
    /// discard(id)
    Discard(Expr),
    /// tracemem(address, nbytes[, dsize]): the bytes, and how many of them are shown.
    Tracemem(Expr, Option<Expr>),
    /// pcap(packet, kind): the bytes, how many there are, the kind.
    Pcap([Expr; 3]),
    /// system(format, ...): a command for the shell.
    System(Rc<Format>, Vec<Expr>),
    /// freopen(format, ...): what follows is printed to this file; none for where the output went first.
    Freopen(Option<Rc<Format>>, Vec<Expr>),
    /// ftruncate(): the file that is printed to is emptied.
    Ftruncate,
    /// setopt(name, value): both valid.
    Setopt(String, String),
    /// raise(signal), stop(): a signal to the current process. Records nothing.
    Signal(Expr),
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
    /// A floating-point constant; good for recording only.
    Float(f64),
    /// A string literal without its terminating zero, or [`NULL_TEXT`]; its type is a buffer that holds it.
    Str(Vec<u8>),
    /// A literal that was compared with an address: 16 bytes as in `probes_common::schema::Ip`.
    Ip([u8; 16]),
    /// A built-in variable.
    Builtin(Builtin),
    /// `argN`: argument N of the probe as a 64-bit integer, 0 where the probe has fewer.
    Arg(u8),
    /// `args[N]`: an integer or string field of the record, or the address of a struct in it.
    Args(u8),
    /// What lies in a place: a variable, an element, a member, what a pointer leads to.
    Load(Place),
    /// `pointer->field`, the pointer being to a struct of the probe tables.
    Member(Box<Expr>, &'static Field),
    /// The address of a place: `&x`, and an array where a pointer is wanted. A whole place only where it is an array or
    /// a structure; never a bit-field.
    AddressOf(Place),
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
    /// Assignment; the value has the place's type (or is a shorter buffer, or a string for an array of characters). Its
    /// own value is what was assigned.
    Assign(Place, Box<Expr>),
    /// `place++`, `place--`: adds and gives the old value; `++place` is an assignment.
    PostAdd(Place, i64),
    /// `a, b`
    Comma(Box<Expr>, Box<Expr>),
    /// A conversion to the expression's type: integer to integer, pointer to integer and back, any text to a buffer; an
    /// address in the kernel, or an array of characters, to the string that lies there.
    Cast(Box<Expr>),
    /// An address in the memory of the current process: what it leads to is read there.
    OfProcess(Box<Expr>),
    /// A subroutine.
    Call(Subroutine, Vec<Expr>),
    /// The call stack at the probe; the type says which.
    Stack,
    /// An address, an unsigned 64-bit integer, to be shown as the type says.
    Symbol(Box<Expr>),
}

/// Where a value lies, and what can be assigned to.
///
/// The first three are the program's own memory, accessed directly. [`Place::Memory`] is memory of the kernel, or, see
/// [`Expr::leads_to_process`], perhaps of the process: it is read
/// with bpf_probe_read_kernel (slots, globals and map values are kernel memory too, so a pointer to them reads the same
/// way), and a store through it goes only where the program's own memory is; all else is a BADADDR fault.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// A global variable.
    Global(usize),
    /// A clause-local variable.
    This(usize),
    /// A thread-local variable or array element with its key.
    Dynamic(usize, Vec<Expr>),
    /// What a pointer leads to.
    Memory(Box<Expr>),
    /// A member, an element, a bit-field of another place, which is none itself. What lies there has the size of its
    /// type, where a whole variable that is an integer or a pointer takes a word.
    Part(Box<Place>, Part),
}

/// Which part of a place.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Part {
    /// Bytes from the place's beginning.
    pub offset: u32,
    /// Subscripts that are not constant.
    pub indexes: Vec<Index>,
    /// Of a bit-field, its bits.
    pub bits: Option<Bits>,
}

/// A subscript.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    /// Its value, a 64-bit integer.
    pub value: Expr,
    /// Bytes of an element.
    pub size: u32,
    /// How many elements there are, where a subscript beyond them is a fault: in the program's own memory.
    pub count: Option<u32>,
}

impl Place {
    /// A part of this place.
    pub fn part(self, part: Part) -> Place {
        match self {
            Place::Part(of, mut outer) => {
                outer.offset += part.offset;
                outer.indexes.extend(part.indexes);
                Place::Part(of, Part { bits: part.bits, ..outer })
            }
            whole => Place::Part(Box::new(whole), part),
        }
    }
}
