//! What a generated program means: C's arithmetic, DTrace's variables and strings, said once more and without the compiler.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::program::*;

/// A value; integers are those of their type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Value {
    Int(i128),
    Text(String),
}

impl Value {
    fn int(&self) -> i128 {
        match self {
            Value::Int(value) => *value,
            Value::Text(_) => panic!("a number is wanted"),
        }
    }

    fn text(&self) -> &str {
        match self {
            Value::Text(text) => text,
            Value::Int(_) => panic!("a string is wanted"),
        }
    }
}

/// A division by zero.
struct Fault;

/// What the program prints, elements of aggregations last.
pub(super) fn output(program: &Program) -> String {
    let mut run = Run::default();
    for clause in &program.clauses {
        let before = run.printed.len();
        let taken = clause.predicate.as_ref().map_or(Ok(true), |predicate| run.truth(predicate));
        let done = taken.and_then(|taken| if taken { run.all(&clause.body) } else { Ok(()) });
        if done.is_err() {
            // Only clauses without `if` fault: their one record is gone.
            run.printed.truncate(before);
            run.printed.push_str("fault 4\n");
        }
    }
    let mut text = run.printed;
    for ((index, key), element) in run.aggregated {
        write!(text, "{ELEMENT}a{index}").expect("a string grows");
        for part in key {
            match part {
                Value::Int(value) => write!(text, " {value}").expect("a string grows"),
                Value::Text(value) => write!(text, " [{value}]").expect("a string grows"),
            }
        }
        let Element { count, sum, min, max } = element;
        let value = match AGGREGATIONS[index].0 {
            "count" => count,
            "sum" => sum,
            "min" => min,
            "max" => max,
            _ => sum / count,
        };
        writeln!(text, " = {value}").expect("a string grows");
    }
    text
}

/// The type of an expression, by C's rules.
pub(super) fn type_of(expr: &Expr) -> Type {
    match expr {
        Expr::Int(value) if i32::try_from(*value).is_ok() => INT,
        Expr::Int(_) => LONG,
        Expr::Text(_) => Type::Text,
        Expr::Load(place) => VARIABLES[place.variable].ty,
        Expr::Neg(value) | Expr::Flip(value) => promoted(type_of(value)),
        Expr::Not(_) | Expr::Compare(..) | Expr::Logical(..) => INT,
        Expr::Binary(Op::Shl | Op::Shr, left, _) => promoted(type_of(left)),
        Expr::Binary(_, left, right) => common(type_of(left), type_of(right)),
        Expr::Choose(_, yes, no) => match (type_of(yes), type_of(no)) {
            (Type::Text, _) => Type::Text,
            (yes, no) => common(yes, no),
        },
        Expr::Cast(ty, _) => INTEGERS[*ty].0,
        Expr::Call(routine, _) => match routine {
            Routine::Strlen => Type::Int { bytes: 8, signed: false },
            Routine::Index | Routine::Rindex => INT,
            Routine::Strtoll => LONG,
            _ => Type::Text,
        },
    }
}

fn promoted(ty: Type) -> Type {
    match ty {
        Type::Int { bytes: 1 | 2, .. } => INT,
        ty => ty,
    }
}

fn common(left: Type, right: Type) -> Type {
    let (left, right) = (promoted(left), promoted(right));
    match (left, right) {
        (Type::Int { bytes: a, signed: s }, Type::Int { bytes: b, signed: t }) if a == b => {
            Type::Int { bytes: a, signed: s && t }
        }
        (Type::Int { bytes: a, .. }, Type::Int { bytes: b, .. }) => {
            if a > b {
                left
            } else {
                right
            }
        }
        _ => panic!("strings have no common type"),
    }
}

/// A number as one of the type.
fn wrap(value: i128, ty: Type) -> i128 {
    let Type::Int { bytes, signed } = ty else { panic!("a number is wanted") };
    let unused = 128 - 8 * u32::from(bytes);
    if signed { value << unused >> unused } else { ((value as u128) << unused >> unused) as i128 }
}

struct Element {
    count: i128,
    sum: i128,
    min: i128,
    max: i128,
}

#[derive(Default)]
struct Run {
    variables: HashMap<(usize, Vec<Value>), Value>,
    aggregated: HashMap<(usize, Vec<Value>), Element>,
    printed: String,
}

impl Run {
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
            Stmt::SetBoth(first, second, value) => {
                self.set(second, value)?;
                self.set(first, &Expr::Load(second.clone()))
            }
            Stmt::Step { place, up, .. } => {
                let one = Box::new(Expr::Int(1));
                let op = if *up { Op::Add } else { Op::Sub };
                self.set(place, &Expr::Binary(op, Box::new(Expr::Load(place.clone())), one))
            }
            Stmt::If(condition, yes, no) => {
                let body = if self.truth(condition)? { yes } else { no };
                self.all(body)
            }
            Stmt::Print(values) => {
                let words = values.iter().map(|value| {
                    Ok(match self.eval(value)? {
                        Value::Int(value) => value.to_string(),
                        Value::Text(text) => format!("[{text}]"),
                    })
                });
                let words = words.collect::<Result<Vec<_>, _>>()?;
                self.printed.push_str(&(words.join(" ") + "\n"));
                Ok(())
            }
            Stmt::Aggregate(index, keys, value) => {
                let key = self.key(keys, AGGREGATIONS[*index].1)?;
                // count() takes no value.
                let value =
                    if AGGREGATIONS[*index].0 == "count" { 0 } else { wrap(self.eval(value)?.int(), LONG) };
                let new = Element { count: 0, sum: 0, min: i128::MAX, max: i128::MIN };
                let element = self.aggregated.entry((*index, key)).or_insert(new);
                element.count += 1;
                element.sum = wrap(element.sum + value, LONG);
                element.min = element.min.min(value);
                element.max = element.max.max(value);
                Ok(())
            }
        }
    }

    /// Values as parts of a key: of the key's types.
    fn key(&self, keys: &[Expr], types: &[Type]) -> Result<Vec<Value>, Fault> {
        let part = |(key, ty): (&Expr, &Type)| {
            Ok(match self.eval(key)? {
                Value::Int(value) => Value::Int(wrap(value, *ty)),
                text => text,
            })
        };
        keys.iter().zip(types).map(part).collect()
    }

    fn set(&mut self, place: &Place, value: &Expr) -> Result<(), Fault> {
        let variable = &VARIABLES[place.variable];
        let key = self.key(&place.keys, variable.keys)?;
        let value = match self.eval(value)? {
            Value::Int(value) => Value::Int(wrap(value, variable.ty)),
            text => text,
        };
        self.variables.insert((place.variable, key), value);
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
            Expr::Load(place) => {
                let variable = &VARIABLES[place.variable];
                let key = self.key(&place.keys, variable.keys)?;
                let none = if variable.ty == Type::Text { Value::Text(String::new()) } else { Value::Int(0) };
                return Ok(self.variables.get(&(place.variable, key)).cloned().unwrap_or(none));
            }
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

/// Subroutines, as the DTrace guide defines them; the texts are ASCII.
fn call(routine: Routine, arguments: &[Value]) -> Value {
    let text = |index: usize| arguments[index].text();
    let place = |found: Option<usize>| Value::Int(found.map_or(-1, |at| at as i128));
    match routine {
        Routine::Strlen => Value::Int(text(0).len() as i128),
        Routine::Index => place(text(0).find(text(1))),
        Routine::Rindex => place(text(0).rfind(text(1))),
        Routine::Strtoll => Value::Int(leading_number(text(0))),
        Routine::Strjoin => Value::Text(format!("{}{}", text(0), text(1))),
        Routine::Substr => Value::Text(substr(text(0), arguments[1].int(), arguments.get(2).map(Value::int))),
        Routine::Toupper => Value::Text(text(0).to_ascii_uppercase()),
        Routine::Tolower => Value::Text(text(0).to_ascii_lowercase()),
        Routine::Lltostr => Value::Text(arguments[0].int().to_string()),
    }
}

/// The decimal number that a text begins with, after blanks and a sign; 0 where there is none.
fn leading_number(text: &str) -> i128 {
    let text = text.trim_start();
    let (minus, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let number: i128 = digits[..end].parse().unwrap_or(0);
    wrap(if minus { -number } else { number }, LONG)
}

/// A part of a text: an index below 0 counts from its end, and one before its beginning takes from the length; a length
/// below 0 leaves so many off at the end.
fn substr(text: &str, index: i128, length: Option<i128>) -> String {
    let size = text.len() as i128;
    let mut length = length.unwrap_or(1 << 32);
    let mut start = index;
    if start < 0 {
        start += size;
        if start < 0 && start + length > 0 {
            length += start;
            start = 0;
        }
    }
    if start >= size || start < 0 {
        return String::new();
    }
    if length < 0 {
        length += size - start;
    }
    let end = (start + length.max(0)).min(size);
    text[start as usize..end as usize].to_owned()
}
