//! The programs that are generated: their tree, and the variables that all of them have.

use std::collections::BTreeSet;

use super::format::Conversion;
use super::record::Field;

/// A type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Int {
        bytes: u8,
        signed: bool,
    },
    Text,
    /// `struct record`.
    Record,
}

pub(super) const INT: Type = Type::Int { bytes: 4, signed: true };
pub(super) const LONG: Type = Type::Int { bytes: 8, signed: true };

/// The integer types with their names in D.
pub(super) const INTEGERS: [(Type, &str); 8] = [
    (Type::Int { bytes: 1, signed: true }, "char"),
    (Type::Int { bytes: 1, signed: false }, "unsigned char"),
    (Type::Int { bytes: 2, signed: true }, "short"),
    (Type::Int { bytes: 2, signed: false }, "uint16_t"),
    (INT, "int"),
    (Type::Int { bytes: 4, signed: false }, "uint32_t"),
    (LONG, "int64_t"),
    (Type::Int { bytes: 8, signed: false }, "unsigned long"),
];

/// A variable: how it is declared but for its type, how it is called, its type and those of its key.
pub(super) struct Variable {
    pub(super) declared: &'static str,
    pub(super) name: &'static str,
    pub(super) ty: Type,
    pub(super) keys: &'static [Type],
}

const fn variable(declared: &'static str, name: &'static str, ty: usize, keys: &'static [Type]) -> Variable {
    let ty = match ty {
        8 => Type::Text,
        9 => Type::Record,
        ty => INTEGERS[ty].0,
    };
    Variable { declared, name, ty, keys }
}

/// The variables of every program, of each scope and type; 8 stands for a string, 9 for a record.
pub(super) const VARIABLES: &[Variable] = &[
    variable("g0", "g0", 0, &[]),
    variable("g1", "g1", 1, &[]),
    variable("g2", "g2", 2, &[]),
    variable("g3", "g3", 3, &[]),
    variable("g4", "g4", 4, &[]),
    variable("g5", "g5", 5, &[]),
    variable("g6", "g6", 6, &[]),
    variable("g7", "g7", 7, &[]),
    variable("gs", "gs", 8, &[]),
    variable("ht", "ht", 8, &[]),
    variable("self s3", "self->s3", 3, &[]),
    variable("self s6", "self->s6", 6, &[]),
    variable("self ss", "self->ss", 8, &[]),
    variable("this t0", "this->t0", 0, &[]),
    variable("this t4", "this->t4", 4, &[]),
    variable("this t7", "this->t7", 7, &[]),
    variable("this ts", "this->ts", 8, &[]),
    variable("a4", "a4", 4, &[LONG]),
    variable("a6", "a6", 6, &[Type::Text, INT]),
    variable("as", "as", 8, &[INT]),
    variable("self b2", "self->b2", 2, &[INT]),
    variable("self b7", "self->b7", 7, &[LONG, Type::Text]),
    variable("gr", "gr", 9, &[]),
    variable("self sr", "self->sr", 9, &[]),
    variable("this tr", "this->tr", 9, &[]),
    variable("ar", "ar", 9, &[INT]),
    variable("this *p", "this->p", 9, &[]),
];

/// `gr`, a record.
pub(super) const RECORD: usize = VARIABLES.len() - 5;
/// The last variable: the pointer to a record in scratch memory.
pub(super) const POINTER: usize = VARIABLES.len() - 1;

/// A variable, or an element with its key, or a part of one that is a record.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) variable: usize,
    pub(super) keys: Vec<Expr>,
    pub(super) part: Option<Part>,
}

/// A member, or what a pointer leads to, and an element's index, which counts modulo how many there are.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) field: &'static Field,
    pub(super) index: Option<Box<Expr>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    And,
    Or,
    Xor,
    Shl,
    Shr,
}

pub(super) const OPS: [(Op, &str); 10] = [
    (Op::Add, "+"),
    (Op::Sub, "-"),
    (Op::Mul, "*"),
    (Op::Div, "/"),
    (Op::Rem, "%"),
    (Op::And, "&"),
    (Op::Or, "|"),
    (Op::Xor, "^"),
    (Op::Shl, "<<"),
    (Op::Shr, ">>"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

pub(super) const RELATIONS: [(Relation, &str); 6] = [
    (Relation::Eq, "=="),
    (Relation::Ne, "!="),
    (Relation::Lt, "<"),
    (Relation::Le, "<="),
    (Relation::Gt, ">"),
    (Relation::Ge, ">="),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Logical {
    And,
    Or,
    Xor,
}

pub(super) const LOGICALS: [(Logical, &str); 3] =
    [(Logical::And, "&&"), (Logical::Or, "||"), (Logical::Xor, "^^")];

/// Subroutines of strings and of byte orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Routine {
    Strlen,
    Index,
    Rindex,
    Strtoll,
    Strjoin,
    Substr,
    Toupper,
    Tolower,
    Lltostr,
    Strstr,
    Strtok,
    Strchr,
    Strrchr,
    Basename,
    Dirname,
    Htons,
    Htonl,
    Htonll,
}

impl Routine {
    /// Whether it is NULL where there is nothing to be found.
    pub(super) fn may_be_null(self) -> bool {
        matches!(self, Routine::Strstr | Routine::Strtok | Routine::Strchr | Routine::Strrchr)
    }
}

#[derive(Debug, Clone)]
pub(super) enum Expr {
    /// A constant of type int or long, not negative.
    Int(i64),
    Text(&'static str),
    /// A constant of the enumeration.
    Enumerator(usize),
    Load(Place),
    Neg(Box<Expr>),
    Flip(Box<Expr>),
    Not(Box<Expr>),
    Binary(Op, Box<Expr>, Box<Expr>),
    Compare(Relation, Box<Expr>, Box<Expr>),
    Logical(Logical, Box<Expr>, Box<Expr>),
    Choose(Box<Expr>, Box<Expr>, Box<Expr>),
    Cast(usize, Box<Expr>),
    Call(Routine, Vec<Expr>),
    /// An inline of the program's, by its name in [`INLINES`].
    Inline(usize, Vec<Expr>),
    /// A member of the translation of a number, by its place in [`MEMBERS`].
    Translated(usize, Box<Expr>),
    /// How much is written: `arg2` of the probe.
    Length,
    /// What is written, from a byte on: `copyinstr(arg1 + n)`.
    Written(usize),
}

/// The inlines that have parameters: name, types of the parameters, type.
pub(super) const INLINES: [(&str, &[Type], Type); 3] =
    [("mix", &[LONG, LONG], LONG), ("larger", &[INT, INT], INT), ("joined", &[Type::Text, INT], Type::Text)];

/// The members that the translator makes of a number.
pub(super) const MEMBERS: [(&str, Type); 3] = [
    ("half", Type::Int { bytes: 2, signed: true }),
    ("low", Type::Int { bytes: 1, signed: false }),
    ("label", Type::Text),
];

#[derive(Debug, Clone)]
pub(super) enum Stmt {
    Set(Place, Option<Op>, Expr),
    /// Adds 1 or -1, before or after its value is taken.
    Step {
        place: Place,
        up: bool,
        before: bool,
    },
    /// A place without a key is set to what another, which is stepped, was before or is after it.
    SetStep {
        to: Place,
        place: Place,
        up: bool,
        before: bool,
    },
    /// Two places are set to one value.
    SetBoth(Place, Place, Expr),
    /// A record is assigned to another.
    Copy(Place, Place),
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    Print(Vec<(Conversion, Expr)>),
    Aggregate(usize, Vec<Expr>, Expr),
}

#[derive(Debug, Clone)]
pub(super) struct Clause {
    pub(super) probe: Probe,
    pub(super) predicate: Option<Expr>,
    pub(super) scratch: Option<Scratch>,
    /// What it prints is held back until the commit at the end.
    pub(super) speculates: bool,
    pub(super) body: Vec<Stmt>,
}

/// When a clause fires: at the beginning, at each write of the workload, or at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Probe {
    Begin,
    Entry,
    Return,
    End,
}

/// Where the record comes from to which `this->p` points in a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scratch {
    /// Zeros.
    Fresh,
    /// A copy of the variable `gr`.
    Copied,
    /// What the workload writes.
    Copyin,
    /// The same, behind what `gr` begins with.
    Copyinto,
}

#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) clauses: Vec<Clause>,
    /// Whether what was held back is printed in the end.
    pub(super) commits: bool,
}

impl Place {
    /// A variable without a key, whole.
    pub(super) fn variable(variable: usize) -> Self {
        Self { variable, keys: Vec::new(), part: None }
    }

    /// The type of what lies there.
    pub(super) fn ty(&self) -> Type {
        self.part.as_ref().map_or(VARIABLES[self.variable].ty, |part| part.field.ty)
    }

    /// Whether it is a string that is NULL where it was never assigned.
    pub(super) fn may_be_null(&self) -> bool {
        let variable = &VARIABLES[self.variable];
        variable.ty == Type::Text && (variable.name.starts_with("self->") || !self.keys.is_empty())
    }
}

impl Program {
    /// Whether some clause is about the process of -c.
    pub(super) fn has_workload(&self) -> bool {
        self.clauses.iter().any(|clause| matches!(clause.probe, Probe::Entry | Probe::Return))
    }

    /// The aggregations that some clause fills.
    pub(super) fn aggregations(&self) -> BTreeSet<usize> {
        let mut used = BTreeSet::new();
        self.clauses.iter().for_each(|clause| aggregations(&clause.body, &mut used));
        used
    }
}

/// The aggregations of a body.
fn aggregations(body: &[Stmt], used: &mut BTreeSet<usize>) {
    for stmt in body {
        match stmt {
            Stmt::Aggregate(index, ..) => drop(used.insert(*index)),
            Stmt::If(_, yes, no) => [yes, no].iter().for_each(|body| aggregations(body, used)),
            _ => {}
        }
    }
}
