//! What can be called: actions, subroutines and aggregating functions, in one table that the checker, `explain` and
//! the reference read.
//!
//! Invariant: each name stands once; the parameters of the table are all that the general check of arguments needs.

use super::typed::{IntType, Subroutine};
use super::types::{INT, ULONG, named};
use crate::diagnostic::Tag;

/// Something that can be called.
#[derive(Debug)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub role: Role,
    /// What it takes; of the last, any number where the row says so.
    pub params: &'static [Param],
    /// How many of the parameters must be given.
    pub required: usize,
    /// Whether the last parameter may be given any number of times.
    pub repeats: bool,
    /// The tags of a wrong number of arguments and of a wrong argument.
    pub tags: (Tag, Tag),
    /// How it is called.
    pub prototype: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
}

/// The three kinds of functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Records or controls; a statement of its own.
    Action(ActionName),
    /// Has a value.
    Subroutine(Subroutine, Gives),
    /// Stands behind `@name[keys] =`.
    Aggregating(AggregatingName),
}

/// Actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the table documents them")]
pub enum ActionName {
    Trace,
    Printf,
    Printa,
    Clear,
    Trunc,
    Normalize,
    Denormalize,
    Exit,
}

/// Aggregating functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the table documents them")]
pub enum AggregatingName {
    Count,
    Sum,
    Avg,
    Min,
    Max,
    Quantize,
    Lquantize,
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Param {
    /// An integer, converted to this type.
    Int(Number),
    /// An integer or a pointer: an address.
    Address,
    /// A string.
    Text,
    /// Anything that has a value.
    Value,
    /// A format: a string constant.
    Format,
    /// An aggregation.
    Aggregation,
    /// An integer constant.
    Constant,
}

/// The integer types that parameters have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// `int`
    Int,
    /// `int64_t`
    Long,
    /// `size_t`
    Size,
    /// `pid_t`
    Pid,
}

impl Number {
    /// The type.
    pub fn ty(self) -> IntType {
        match self {
            Number::Int => INT,
            Number::Long => super::types::INT64,
            Number::Size => named("size_t").unwrap_or(ULONG),
            Number::Pid => named("pid_t").unwrap_or(INT),
        }
    }
}

/// What a subroutine gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// An integer.
    Int(Number),
    /// A string of at most `strsize` bytes.
    Text,
}

impl Role {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Role::Action(_) => "action",
            Role::Subroutine(..) => "subroutine",
            Role::Aggregating(_) => "aggregating function",
        }
    }
}

/// The function of this name.
pub fn find(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name)
}

const GENERAL: (Tag, Tag) = (Tag::D_PROTO_LEN, Tag::D_PROTO_ARG);
const AGGREGATING: (Tag, Tag) = (Tag::D_PROTO_LEN, Tag::D_AGG_SCALAR);

use AggregatingName as Agg;
use Param::{Address, Aggregation, Constant, Format, Text, Value};

const INTEGER: Param = Param::Int(Number::Long);

macro_rules! table {
    ($($name:literal $role:expr, $tags:expr, [$($param:expr),*] $required:literal $($more:literal)?,
       $prototype:literal, $doc:literal;)*) => {
        /// Every function.
        pub static TABLE: &[Row] = &[$(Row {
            name: $name,
            role: $role,
            params: &[$($param),*],
            required: $required,
            repeats: false $(|| !$more.is_empty())?,
            tags: $tags,
            prototype: $prototype,
            doc: $doc,
        },)*];
    };
}

// name, role, tags, [parameters] how many are required, prototype, doc
table! {
    "trace" Role::Action(ActionName::Trace), GENERAL, [Value] 1,
        "trace(value)", "records a value, printed in its default form";
    "printf" Role::Action(ActionName::Printf), GENERAL, [Format, Value] 1 "...",
        "printf(format, ...)", "records values, printed by a format";
    "printa" Role::Action(ActionName::Printa), (Tag::D_PRINTA_PROTO, Tag::D_PRINTA_AGGARG), [Format, Aggregation] 1 "...",
        "printa([format, ]@aggregation, ...)", "prints aggregations, several joined by key";
    "clear" Role::Action(ActionName::Clear), (Tag::D_CLEAR_PROTO, Tag::D_CLEAR_AGGARG), [Aggregation] 1,
        "clear(@aggregation)", "sets an aggregation's values to zero and keeps its keys";
    "trunc" Role::Action(ActionName::Trunc), (Tag::D_TRUNC_PROTO, Tag::D_TRUNC_AGGARG), [Aggregation, INTEGER] 1,
        "trunc(@aggregation[, n])", "removes an aggregation's keys: all, or all but the n with the largest values";
    "normalize" Role::Action(ActionName::Normalize), (Tag::D_NORMALIZE_PROTO, Tag::D_NORMALIZE_AGGARG), [Aggregation, INTEGER] 2,
        "normalize(@aggregation, n)", "divides an aggregation's values by n when they are printed";
    "denormalize" Role::Action(ActionName::Denormalize), (Tag::D_NORMALIZE_PROTO, Tag::D_NORMALIZE_AGGARG), [Aggregation] 1,
        "denormalize(@aggregation)", "takes normalize back";
    "exit" Role::Action(ActionName::Exit), GENERAL, [Param::Int(Number::Int)] 1,
        "exit(int status)", "ends tracing; the tracer exits with the status";

    "copyinstr" Role::Subroutine(Subroutine::Copyinstr, Gives::Text), GENERAL, [Address, Param::Int(Number::Size)] 1,
        "string copyinstr(uintptr_t address[, size_t size])", "a string from the memory of the current process";
    "progenyof" Role::Subroutine(Subroutine::Progenyof, Gives::Int(Number::Int)), GENERAL, [Param::Int(Number::Pid)] 1,
        "int progenyof(pid_t pid)", "whether the current process is this one or descends from it";
    "strlen" Role::Subroutine(Subroutine::Strlen, Gives::Int(Number::Size)), GENERAL, [Text] 1,
        "size_t strlen(string s)", "length of a string in bytes";
    "rand" Role::Subroutine(Subroutine::Rand, Gives::Int(Number::Int)), GENERAL, [] 0,
        "int rand()", "a pseudo-random number";

    "count" Role::Aggregating(Agg::Count), AGGREGATING, [] 0,
        "count()", "how many times";
    "sum" Role::Aggregating(Agg::Sum), AGGREGATING, [INTEGER] 1,
        "sum(value)", "the sum of the values";
    "avg" Role::Aggregating(Agg::Avg), AGGREGATING, [INTEGER] 1,
        "avg(value)", "their arithmetic mean";
    "min" Role::Aggregating(Agg::Min), AGGREGATING, [INTEGER] 1,
        "min(value)", "the smallest";
    "max" Role::Aggregating(Agg::Max), AGGREGATING, [INTEGER] 1,
        "max(value)", "the largest";
    "quantize" Role::Aggregating(Agg::Quantize), AGGREGATING, [INTEGER, INTEGER] 1,
        "quantize(value[, increment])", "a histogram by powers of two";
    "lquantize" Role::Aggregating(Agg::Lquantize), AGGREGATING, [INTEGER, Constant, Constant, Constant, INTEGER] 3,
        "lquantize(value, low, high[, step[, increment]])", "a histogram of equal steps from low to high";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_consistent() {
        for row in TABLE {
            assert!(row.required <= row.params.len(), "{}", row.name);
            assert!(row.prototype.contains(row.name), "{}", row.name);
            assert_eq!(TABLE.iter().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
        }
    }
}
