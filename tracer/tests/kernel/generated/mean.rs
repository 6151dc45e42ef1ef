//! What a generated program means: C's arithmetic, DTrace's variables and strings, said once more and without the compiler.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use super::aggregate::{AGGREGATIONS, Element, Function, JOINED};
use super::program::*;
use super::record::{ENUMERATORS, SIZE};
use super::text::ELEMENT;
use super::types::{common, type_of, wrap};
use super::value::{Value, call};
use super::{LENGTHS, WRITTEN};

/// A division by zero.
struct Fault;

/// What the program prints, elements of aggregations last.
pub(super) fn output(program: &Program) -> String {
    let mut run = Run::default();
    run.fire(program, Probe::Begin);
    if program.has_workload() {
        for length in LENGTHS {
            run.length = length as i128;
            run.fire(program, Probe::Entry);
            run.fire(program, Probe::Return);
        }
    }
    if program.commits {
        run.printed.push_str(&run.held);
    }
    run.fire(program, Probe::End);
    run.printed + &aggregated(&run.aggregated, program.aggregations().split_off(&JOINED))
}

/// What printa prints, tables without their drawing; `joint` are those that are printed together.
fn aggregated(all: &BTreeMap<(usize, Vec<Value>), Element>, joint: BTreeSet<usize>) -> String {
    let mut text = String::new();
    let (together, alone): (Vec<_>, Vec<_>) = all.keys().partition(|(index, _)| *index >= JOINED);
    let alone = alone.into_iter().map(|(index, key)| (vec![*index], key));
    let keys: BTreeSet<_> = together.into_iter().map(|(_, key)| key).collect();
    let together = keys.into_iter().map(|key| (joint.iter().copied().collect(), key));
    for (indices, key) in alone.chain(together) {
        write!(text, "{ELEMENT}a{}", indices[0]).expect("a string grows");
        for part in key {
            match part {
                Value::Text(value) => write!(text, " [{value}]").expect("a string grows"),
                value => write!(text, " {}", value.int()).expect("a string grows"),
            }
        }
        text.push_str(" =");
        for index in indices {
            let element = all.get(&(index, key.clone()));
            let shown = element.map_or("0".to_owned(), |element| element.shown(AGGREGATIONS[index].0));
            write!(text, " {shown}").expect("a string grows");
        }
        text.push('\n');
    }
    text
}

#[derive(Default)]
struct Run {
    /// The values of variables by their keys; those of threads have the thread before.
    variables: HashMap<(usize, Vec<Value>), Value>,
    aggregated: BTreeMap<(usize, Vec<Value>), Element>,
    /// The thread: 0 the tracer's, 1 the workload's.
    thread: i128,
    length: i128,
    printed: String,
    /// What was printed to be held back.
    held: String,
    /// What the clause has printed.
    record: String,
}

impl Run {
    /// One firing: `this->` begins anew.
    fn fire(&mut self, program: &Program, probe: Probe) {
        self.thread = matches!(probe, Probe::Entry | Probe::Return).into();
        self.variables.retain(|(variable, _), _| !VARIABLES[*variable].name.starts_with("this->"));
        for clause in program.clauses.iter().filter(|clause| clause.probe == probe) {
            self.record.clear();
            match self.clause(clause) {
                Ok(()) if clause.speculates => self.held.push_str(&self.record),
                Ok(()) => self.printed.push_str(&self.record),
                // Only clauses without `if` fault: their one record is gone.
                Err(Fault) => self.printed.push_str("fault 4\n"),
            }
        }
    }

    fn clause(&mut self, clause: &Clause) -> Result<(), Fault> {
        if let Some(predicate) = &clause.predicate
            && !self.truth(predicate)?
        {
            return Ok(());
        }
        if let Some(scratch) = clause.scratch {
            let copied = self.load(&Place::variable(RECORD))?.record();
            let record = match scratch {
                Scratch::Fresh => vec![0; SIZE],
                Scratch::Copied => copied,
                Scratch::Copyin => WRITTEN[..SIZE].to_vec(),
                Scratch::Copyinto => [&copied[..8], &WRITTEN[8..SIZE]].concat(),
            };
            self.variables.insert((POINTER, Vec::new()), Value::Record(record));
        }
        self.all(&clause.body)
    }

    fn all(&mut self, body: &[Stmt]) -> Result<(), Fault> {
        body.iter().try_for_each(|stmt| self.statement(stmt))
    }

    fn statement(&mut self, stmt: &Stmt) -> Result<(), Fault> {
        match stmt {
            Stmt::Set(place, op, value) => {
                let value = match op {
                    Some(op) => {
                        Expr::Binary(*op, Box::new(Expr::Load(place.clone())), Box::new(value.clone()))
                    }
                    None => value.clone(),
                };
                self.set(place, &value)
            }
            Stmt::SetStep { to, place, up, before } => {
                if !before {
                    self.set(to, &Expr::Load(place.clone()))?;
                }
                self.statement(&Stmt::Step { place: place.clone(), up: *up, before: *before })?;
                if *before { self.set(to, &Expr::Load(place.clone())) } else { Ok(()) }
            }
            Stmt::SetBoth(first, second, value) => {
                self.set(second, value)?;
                self.set(first, &Expr::Load(second.clone()))
            }
            Stmt::Step { place, up, .. } => {
                let one = Box::new(Expr::Int(1));
                let op = if *up { Op::Add } else { Op::Sub };
                self.set(place, &Expr::Binary(op, Box::new(Expr::Load(place.clone())), one))
            }
            Stmt::Copy(to, from) => self.set(to, &Expr::Load(from.clone())),
            Stmt::If(condition, yes, no) => {
                let body = if self.truth(condition)? { yes } else { no };
                self.all(body)
            }
            Stmt::Print(values) => {
                let words = values.iter().map(|(conversion, value)| {
                    Ok(match self.eval(value)? {
                        Value::Text(text) => format!("[{}]", conversion.text(&text)),
                        number => conversion.number(number.int(), type_of(value)),
                    })
                });
                let words = words.collect::<Result<Vec<_>, _>>()?;
                self.record.push_str(&(words.join(" ") + "\n"));
                Ok(())
            }
            Stmt::Aggregate(index, keys, value) => {
                let (function, types) = AGGREGATIONS[*index];
                let key = self.key(keys, types)?;
                // count() takes no value.
                let value = if function == Function::Count { 0 } else { wrap(self.eval(value)?.int(), LONG) };
                self.aggregated.entry((*index, key)).or_insert(Element::NEW).take(function, value);
                Ok(())
            }
        }
    }

    /// Values as parts of a key: of the key's types.
    fn key(&self, keys: &[Expr], types: &[Type]) -> Result<Vec<Value>, Fault> {
        keys.iter().zip(types).map(|(key, ty)| Ok(self.eval(key)?.of(*ty))).collect()
    }

    /// Where the value of a place's variable is.
    fn slot(&self, place: &Place) -> Result<(usize, Vec<Value>), Fault> {
        let variable = &VARIABLES[place.variable];
        let mut key = self.key(&place.keys, variable.keys)?;
        if variable.name.starts_with("self->") {
            key.insert(0, Value::Int(self.thread));
        }
        Ok((place.variable, key))
    }

    /// The index of an element of a part.
    fn index(&self, part: &Part) -> Result<usize, Fault> {
        let (Some(index), Some((count, _))) = (&part.index, part.field.elements) else { return Ok(0) };
        Ok((self.eval(index)?.int() & (count as i128 - 1)) as usize)
    }

    fn load(&self, place: &Place) -> Result<Value, Fault> {
        let none = || Value::none(VARIABLES[place.variable].ty);
        let value = self.variables.get(&self.slot(place)?).cloned().unwrap_or_else(none);
        match &place.part {
            None => Ok(value),
            Some(part) => {
                Ok(Value::Int(part.field.read(&value.record(), self.index(part)?)).of(part.field.ty))
            }
        }
    }

    fn set(&mut self, place: &Place, value: &Expr) -> Result<(), Fault> {
        let value = self.eval(value)?;
        let slot = self.slot(place)?;
        let value = match &place.part {
            None => value.of(VARIABLES[place.variable].ty),
            Some(part) => {
                let mut record = self.load(&Place { part: None, ..place.clone() })?.record();
                part.field.write(&mut record, self.index(part)?, value.int());
                Value::Record(record)
            }
        };
        self.variables.insert(slot, value);
        Ok(())
    }

    fn truth(&self, expr: &Expr) -> Result<bool, Fault> {
        Ok(self.eval(expr)?.int() != 0)
    }

    fn eval(&self, expr: &Expr) -> Result<Value, Fault> {
        let ty = type_of(expr);
        let value = match expr {
            Expr::Int(value) => (*value).into(),
            Expr::Text(text) => return Ok(Value::Text((*text).to_owned())),
            Expr::Enumerator(index) => ENUMERATORS[*index].1.into(),
            Expr::Length => self.length,
            Expr::Written(from) => {
                let text = WRITTEN[*from..].split(|byte| *byte == 0).next().unwrap_or_default();
                return Ok(Value::Text(String::from_utf8_lossy(text).into_owned()));
            }
            Expr::Load(place) => return self.load(place),
            Expr::Neg(value) => -self.eval(value)?.int(),
            Expr::Flip(value) => !self.eval(value)?.int(),
            Expr::Not(value) => (!self.truth(value)?).into(),
            Expr::Binary(op, left, right) => {
                let shift = matches!(op, Op::Shl | Op::Shr);
                let (left, right) = (self.eval(left)?.int(), self.eval(right)?.int());
                let right = if shift { right } else { wrap(right, ty) };
                wrap(arithmetic(*op, wrap(left, ty), right)?, ty)
            }
            Expr::Compare(relation, left, right) => {
                let holds = match (type_of(left), type_of(right)) {
                    (Type::Text, _) => {
                        let (left, right) = (self.eval(left)?, self.eval(right)?);
                        relates(*relation, left.text().as_bytes().cmp(right.text().as_bytes()))
                    }
                    (a, b) => {
                        let ty = common(a, b);
                        let (left, right) = (self.eval(left)?.int(), self.eval(right)?.int());
                        relates(*relation, wrap(left, ty).cmp(&wrap(right, ty)))
                    }
                };
                holds.into()
            }
            Expr::Logical(Logical::And, left, right) => (self.truth(left)? && self.truth(right)?).into(),
            Expr::Logical(Logical::Or, left, right) => (self.truth(left)? || self.truth(right)?).into(),
            Expr::Logical(Logical::Xor, left, right) => (self.truth(left)? ^ self.truth(right)?).into(),
            Expr::Choose(condition, yes, no) => {
                match self.eval(if self.truth(condition)? { yes } else { no })? {
                    Value::Int(value) => value,
                    text => return Ok(text),
                }
            }
            Expr::Inline(index, arguments) => {
                let values = self.key(arguments, INLINES[*index].1)?;
                match INLINES[*index].0 {
                    "mix" => wrap(values[0].int() * 31, LONG) + values[1].int(),
                    "larger" => values[0].int().max(values[1].int()),
                    _ => return Ok(Value::Text(format!("{}{}", values[0].text(), values[1].int()))),
                }
            }
            Expr::Translated(member, value) => {
                let value = wrap(self.eval(value)?.int(), LONG);
                match MEMBERS[*member].0 {
                    "half" => value / 2,
                    "low" => value & 0xffff,
                    _ => return Ok(Value::Text(if value < 0 { "minus" } else { "plus" }.to_owned())),
                }
            }
            Expr::Cast(_, value) => self.eval(value)?.int(),
            Expr::Call(routine, arguments) => {
                let arguments =
                    arguments.iter().map(|argument| self.eval(argument)).collect::<Result<Vec<_>, _>>()?;
                match call(*routine, &arguments) {
                    Value::Int(value) => value,
                    text => return Ok(text),
                }
            }
        };
        Ok(Value::Int(wrap(value, ty)))
    }
}

fn arithmetic(op: Op, left: i128, right: i128) -> Result<i128, Fault> {
    Ok(match op {
        Op::Add => left + right,
        Op::Sub => left - right,
        Op::Mul => left.wrapping_mul(right),
        Op::Div => left.checked_div(right).ok_or(Fault)?,
        Op::Rem => left.checked_rem(right).ok_or(Fault)?,
        Op::And => left & right,
        Op::Or => left | right,
        Op::Xor => left ^ right,
        Op::Shl => left << (right & 63),
        Op::Shr => left >> (right & 63),
    })
}

fn relates(relation: Relation, order: std::cmp::Ordering) -> bool {
    match relation {
        Relation::Eq => order.is_eq(),
        Relation::Ne => order.is_ne(),
        Relation::Lt => order.is_lt(),
        Relation::Le => order.is_le(),
        Relation::Gt => order.is_gt(),
        Relation::Ge => order.is_ge(),
    }
}
