//! The programs that are generated, and how they are written in D.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

/// What a line of an aggregation's element begins with.
pub(super) const ELEMENT: char = '@';

/// A type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Int { bytes: u8, signed: bool },
    Text,
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
    let ty = if ty < INTEGERS.len() { INTEGERS[ty].0 } else { Type::Text };
    Variable { declared, name, ty, keys }
}

/// The variables of every program, of each scope and type; 8 stands for a string.
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
];

/// A variable, or an element with its key.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) variable: usize,
    pub(super) keys: Vec<Expr>,
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

/// Subroutines of strings.
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
}

#[derive(Debug, Clone)]
pub(super) enum Expr {
    /// A constant of type int or long, not negative.
    Int(i64),
    Text(&'static str),
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
}

#[derive(Debug, Clone)]
pub(super) enum Stmt {
    Set(Place, Option<Op>, Expr),
    /// Adds 1 or -1, before or after its value is taken.
    Step {
        place: Place,
        up: bool,
        before: bool,
    },
    /// Two places are set to one value.
    SetBoth(Place, Place, Expr),
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    Print(Vec<Expr>),
    Aggregate(usize, Vec<Expr>, Expr),
}

/// The aggregations: function, and types of the key.
pub(super) const AGGREGATIONS: [(&str, &[Type]); 6] = [
    ("count", &[INT]),
    ("sum", &[Type::Text]),
    ("min", &[LONG, Type::Text]),
    ("max", &[Type::Text, INT, LONG]),
    ("avg", &[INT, INT]),
    ("sum", &[]),
];

#[derive(Debug, Clone)]
pub(super) struct Clause {
    pub(super) predicate: Option<Expr>,
    pub(super) body: Vec<Stmt>,
}

#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) clauses: Vec<Clause>,
}

fn type_name(ty: Type) -> &'static str {
    INTEGERS.iter().find(|(known, _)| *known == ty).map_or("string", |(_, name)| name)
}

/// The conversion of printf that shows a value of the type.
fn conversion(ty: Type) -> &'static str {
    match ty {
        Type::Text => "[%s]",
        Type::Int { signed: true, .. } => "%d",
        Type::Int { signed: false, .. } => "%u",
    }
}

struct Comma<'a>(&'a [Expr]);

impl Display for Comma<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, expr) in self.0.iter().enumerate() {
            write!(f, "{}{expr}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl Place {
    /// Whether it is a string that is NULL where it was never assigned.
    fn may_be_null(&self) -> bool {
        let variable = &VARIABLES[self.variable];
        variable.ty == Type::Text && (variable.name.starts_with("self->") || !self.keys.is_empty())
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(VARIABLES[self.variable].name)?;
        if self.keys.is_empty() { Ok(()) } else { write!(f, "[{}]", Comma(&self.keys)) }
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Int(value) => write!(f, "{value}"),
            Expr::Text(text) => write!(f, "{text:?}"),
            // What is done with a string that is not there would be a fault.
            Expr::Load(place) if place.may_be_null() => write!(f, "({place} == NULL ? \"\" : {place})"),
            Expr::Load(place) => place.fmt(f),
            Expr::Neg(value) => write!(f, "(- {value})"),
            Expr::Flip(value) => write!(f, "(~ {value})"),
            Expr::Not(value) => write!(f, "(! {value})"),
            Expr::Binary(op, left, right) => write!(f, "({left} {} {right})", sign(&OPS, *op)),
            Expr::Compare(op, left, right) => write!(f, "({left} {} {right})", sign(&RELATIONS, *op)),
            Expr::Logical(op, left, right) => write!(f, "({left} {} {right})", sign(&LOGICALS, *op)),
            Expr::Choose(condition, yes, no) => write!(f, "({condition} ? {yes} : {no})"),
            Expr::Cast(ty, value) => write!(f, "(({}){value})", INTEGERS[*ty].1),
            Expr::Call(routine, arguments) => {
                write!(f, "{}({})", format!("{routine:?}").to_lowercase(), Comma(arguments))
            }
        }
    }
}

fn sign<T: Copy + PartialEq>(table: &[(T, &'static str)], op: T) -> &'static str {
    table.iter().find(|(known, _)| *known == op).map_or("?", |(_, sign)| sign)
}

impl Display for Stmt {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Stmt::Set(place, op, value) => {
                write!(f, "{place} {}= {value};", op.map_or("", |op| sign(&OPS, op)))
            }
            Stmt::Step { place, up, before } => {
                let sign = if *up { "++" } else { "--" };
                if *before { write!(f, "{sign}{place};") } else { write!(f, "{place}{sign};") }
            }
            Stmt::SetBoth(first, second, value) => write!(f, "{first} = {second} = {value};"),
            Stmt::If(condition, yes, no) => {
                write!(f, "if ({condition}) {{ ")?;
                yes.iter().try_for_each(|stmt| write!(f, "{stmt} "))?;
                f.write_str("}")?;
                if !no.is_empty() {
                    f.write_str(" else { ")?;
                    no.iter().try_for_each(|stmt| write!(f, "{stmt} "))?;
                    f.write_str("}")?;
                }
                Ok(())
            }
            Stmt::Print(values) => {
                let formats: Vec<_> =
                    values.iter().map(|value| conversion(super::mean::type_of(value))).collect();
                write!(f, "printf(\"{}\\n\", {});", formats.join(" "), Comma(values))
            }
            Stmt::Aggregate(index, keys, value) => {
                let function = AGGREGATIONS[*index].0;
                write!(f, "@a{index}")?;
                if !keys.is_empty() {
                    write!(f, "[{}]", Comma(keys))?;
                }
                match function {
                    "count" => write!(f, " = count();"),
                    _ => write!(f, " = {function}({value});"),
                }
            }
        }
    }
}

impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for Variable { declared, ty, keys, .. } in VARIABLES {
            let (scope, name) =
                declared.split_once(' ').map_or(("", *declared), |(scope, name)| (scope, name));
            write!(f, "{scope} {} {name}", type_name(*ty))?;
            if !keys.is_empty() {
                let keys: Vec<_> = keys.iter().map(|key| type_name(*key)).collect();
                write!(f, "[{}]", keys.join(", "))?;
            }
            writeln!(f, ";")?;
        }
        for Clause { predicate, body } in &self.clauses {
            f.write_str("BEGIN ")?;
            if let Some(predicate) = predicate {
                write!(f, "/{predicate}/ ")?;
            }
            f.write_str("{\n")?;
            body.iter().try_for_each(|stmt| writeln!(f, "    {stmt}"))?;
            f.write_str("}\n")?;
        }
        f.write_str("BEGIN { exit(0); }\nERROR { printf(\"fault %d\\n\", arg4); }\nEND {\n")?;
        let mut used = BTreeSet::new();
        self.clauses.iter().for_each(|clause| aggregations(&clause.body, &mut used));
        for index in used {
            let keys = AGGREGATIONS[index].1;
            let keys: String = keys.iter().map(|key| format!(" {}", conversion(*key))).collect();
            writeln!(f, "    printa(\"{ELEMENT}a{index}{keys} = %@d\\n\", @a{index});")?;
        }
        f.write_str("}\n")
    }
}

impl Program {
    /// The program without so many clauses from one on.
    pub(super) fn without_clauses(&self, first: usize, count: usize) -> Option<Program> {
        let mut program = self.clone();
        let end = program.clauses.len().min(first + count);
        program.clauses.drain(first.min(end)..end);
        (first < end).then_some(program)
    }

    /// The program without one of its parts: first its clauses are left out, then predicates, then statements, and of an `if`
    /// all but what it would do.
    pub(super) fn without(&self, part: usize) -> Option<Program> {
        let mut program = self.clone();
        let clauses = program.clauses.len();
        if part < clauses {
            program.clauses.remove(part);
            return Some(program);
        }
        let mut left = part - clauses;
        for clause in &mut program.clauses {
            if clause.predicate.is_some() {
                if left == 0 {
                    clause.predicate = None;
                    return Some(program);
                }
                left -= 1;
            }
            if leave_out(&mut clause.body, &mut left) {
                return Some(program);
            }
        }
        None
    }
}

/// Leaves out the statement of that number, or puts a side of an `if` in its place; says whether there is one.
fn leave_out(body: &mut Vec<Stmt>, left: &mut usize) -> bool {
    let found = |left: &mut usize| std::mem::replace(left, left.wrapping_sub(1)) == 0;
    for index in 0..body.len() {
        if found(left) {
            body.remove(index);
            return true;
        }
        for side in 0..2 {
            let Stmt::If(_, yes, no) = &mut body[index] else { break };
            let side = if side == 0 { yes } else { no };
            if found(left) {
                let side = std::mem::take(side);
                body.splice(index..=index, side);
                return true;
            }
            if leave_out(side, left) {
                return true;
            }
        }
    }
    false
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
