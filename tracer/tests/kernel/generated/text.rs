//! How generated programs are written in D.

use std::fmt::{self, Display, Formatter};

use super::aggregate::{AGGREGATIONS, Function, JOINED};
use super::format::Conversion;
use super::program::*;
use super::record::{DECLARED, ENUMERATORS};
use super::types::type_of;

/// What a line of an aggregation's element begins with.
pub(super) const ELEMENT: char = '@';

fn type_name(ty: Type) -> &'static str {
    match ty {
        Type::Record => "struct record",
        ty => INTEGERS.iter().find(|(known, _)| *known == ty).map_or("string", |(_, name)| name),
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

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let pointed = self.part.as_ref().is_some_and(|part| part.field.is_pointed());
        if !pointed {
            f.write_str(VARIABLES[self.variable].name)?;
            if !self.keys.is_empty() {
                write!(f, "[{}]", Comma(&self.keys))?;
            }
        }
        let Some(Part { field, index }) = &self.part else { return Ok(()) };
        if !pointed {
            f.write_str(if self.variable == POINTER { "->" } else { "." })?;
        }
        f.write_str(field.path.0)?;
        if let (Some(index), Some((count, _))) = (index, field.elements) {
            write!(f, "({index} & {})", count - 1)?;
        }
        f.write_str(field.path.1)
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Int(value) => write!(f, "{value}"),
            Expr::Text(text) => write!(f, "{text:?}"),
            Expr::Enumerator(index) => f.write_str(ENUMERATORS[*index].0),
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
                let call = format!("{}({})", format!("{routine:?}").to_lowercase(), Comma(arguments));
                if routine.may_be_null() {
                    write!(f, "({call} == NULL ? \"\" : {call})")
                } else {
                    f.write_str(&call)
                }
            }
            Expr::Inline(index, arguments) => write!(f, "{}[{}]", INLINES[*index].0, Comma(arguments)),
            Expr::Translated(member, value) => {
                write!(f, "xlate <struct view>((int64_t){value}).{}", MEMBERS[*member].0)
            }
            Expr::Length => f.write_str("arg2"),
            Expr::Written(from) => write!(f, "copyinstr(arg1 + {from})"),
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
            Stmt::SetStep { to, place, up, before } => {
                let sign = if *up { "++" } else { "--" };
                if *before { write!(f, "{to} = {sign}{place};") } else { write!(f, "{to} = {place}{sign};") }
            }
            Stmt::SetBoth(first, second, value) => write!(f, "{first} = {second} = {value};"),
            Stmt::Copy(to, from) => write!(f, "{to} = {from};"),
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
                f.write_str("printf(\"")?;
                for (index, (Conversion(flags, letter), value)) in values.iter().enumerate() {
                    let text = type_of(value) == Type::Text;
                    let (before, after) = if text { ("[", "]") } else { ("", "") };
                    write!(f, "{}{before}%{flags}{letter}{after}", if index == 0 { "" } else { " " })?;
                }
                f.write_str("\\n\"")?;
                values.iter().try_for_each(|(_, value)| write!(f, ", {value}"))?;
                f.write_str(");")
            }
            Stmt::Aggregate(index, keys, value) => {
                write!(f, "@a{index}")?;
                if !keys.is_empty() {
                    write!(f, "[{}]", Comma(keys))?;
                }
                write!(f, " = {};", AGGREGATIONS[*index].0.call(&value.to_string()))
            }
        }
    }
}

impl Display for Clause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self.probe {
            Probe::Begin => "BEGIN ",
            Probe::Entry => "syscall::write:entry ",
            Probe::Return => "syscall::write:return ",
            Probe::End => "END ",
        })?;
        let mine =
            matches!(self.probe, Probe::Entry | Probe::Return).then_some("pid == $target && (int)arg0 == -1");
        match (mine, &self.predicate) {
            (None, None) => {}
            (Some(mine), None) => write!(f, "/{mine}/ ")?,
            (None, Some(predicate)) => write!(f, "/{predicate}/ ")?,
            (Some(mine), Some(predicate)) => write!(f, "/{mine} && {predicate}/ ")?,
        }
        f.write_str("{\n")?;
        if self.speculates {
            f.write_str("    speculate(held);\n")?;
        }
        if let Some(scratch) = self.scratch {
            let source = match scratch {
                Scratch::Fresh | Scratch::Copied | Scratch::Copyinto => "alloca(sizeof (struct record))",
                Scratch::Copyin => "copyin(arg1, sizeof (struct record))",
            };
            writeln!(f, "    this->p = (struct record *){source};")?;
            if matches!(scratch, Scratch::Copied | Scratch::Copyinto) {
                f.write_str("    bcopy(&gr.n, this->p, sizeof (struct record));\n")?;
            }
            if scratch == Scratch::Copyinto {
                f.write_str("    copyinto(arg1 + 8, sizeof (struct record) - 8, (char *)this->p + 8);\n")?;
            }
            f.write_str("    this->q = (unsigned char *)this->p; this->h = (short *)this->p;\n")?;
        }
        self.body.iter().try_for_each(|stmt| writeln!(f, "    {stmt}"))?;
        f.write_str("}\n")
    }
}

impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(DECLARED)?;
        f.write_str("this unsigned char *q; this short *h;\n")?;
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
        f.write_str("BEGIN { held = speculation(); }\n")?;
        self.clauses
            .iter()
            .filter(|clause| clause.probe != Probe::End)
            .try_for_each(|clause| clause.fmt(f))?;
        if !self.has_workload() {
            f.write_str("BEGIN { exit(0); }\n")?;
        }
        writeln!(f, "END {{ {}(held); }}", if self.commits { "commit" } else { "discard" })?;
        self.clauses
            .iter()
            .filter(|clause| clause.probe == Probe::End)
            .try_for_each(|clause| clause.fmt(f))?;
        f.write_str("ERROR { printf(\"fault %d\\n\", arg4); }\nEND {\n")?;
        let mut used = self.aggregations();
        let joined = used.split_off(&JOINED);
        for index in used {
            printa(f, &[index])?;
        }
        if !joined.is_empty() {
            printa(f, &joined.into_iter().collect::<Vec<_>>())?;
        }
        f.write_str("}\n")
    }
}

/// Prints aggregations with one key: a line begins with what tells it from the clauses' own.
fn printa(f: &mut Formatter<'_>, indices: &[usize]) -> fmt::Result {
    let (function, keys) = AGGREGATIONS[indices[0]];
    write!(f, "    printa(\"{ELEMENT}a{}", indices[0])?;
    keys.iter().try_for_each(|key| f.write_str(if *key == Type::Text { " [%s]" } else { " %d" }))?;
    f.write_str(" =")?;
    indices.iter().try_for_each(|_| f.write_str(" %@d"))?;
    f.write_str(if Function::is_table(function) { "\"" } else { "\\n\"" })?;
    indices.iter().try_for_each(|index| write!(f, ", @a{index}"))?;
    f.write_str(");\n")
}
