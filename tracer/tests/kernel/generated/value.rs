//! Values of generated programs, and what the subroutines of strings make of them.

use super::program::*;
use super::record::SIZE;
use super::types::wrap;

/// A value; integers are those of their type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Value {
    Int(i128),
    Text(String),
    /// A record, as it lies in memory.
    Record(Vec<u8>),
}

impl Value {
    pub(super) fn int(&self) -> i128 {
        match self {
            Value::Int(value) => *value,
            other => panic!("{other:?}: a number is wanted"),
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Value::Text(text) => text,
            other => panic!("{other:?}: a string is wanted"),
        }
    }

    pub(super) fn record(self) -> Vec<u8> {
        match self {
            Value::Record(record) => record,
            other => panic!("{other:?}: a record is wanted"),
        }
    }

    /// As a value of the type.
    pub(super) fn of(self, ty: Type) -> Self {
        match self {
            Value::Int(value) => Value::Int(wrap(value, ty)),
            other => other,
        }
    }

    /// What a variable has that nothing was assigned to.
    pub(super) fn none(ty: Type) -> Self {
        match ty {
            Type::Int { .. } => Value::Int(0),
            Type::Text => Value::Text(String::new()),
            Type::Record => Value::Record(vec![0; SIZE]),
        }
    }
}

/// Subroutines, as the DTrace guide defines them; the texts are ASCII.
pub(super) fn call(routine: Routine, arguments: &[Value]) -> Value {
    let text = |index: usize| arguments[index].text();
    let place = |found: Option<usize>| Value::Int(found.map_or(-1, |at| at as i128));
    let from = |found: Option<usize>| Value::Text(found.map_or("", |at| &text(0)[at..]).to_owned());
    let letter = |value: &Value| value.int() as u8 as char;
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
        Routine::Strstr => from(text(0).find(text(1))),
        Routine::Strchr => from(text(0).find(letter(&arguments[1]))),
        Routine::Strrchr => from(text(0).rfind(letter(&arguments[1]))),
        Routine::Strtok => {
            let mut words = text(0).split(|letter| text(1).contains(letter));
            Value::Text(words.find(|word| !word.is_empty()).unwrap_or_default().to_owned())
        }
        Routine::Basename => Value::Text(split_path(text(0)).1.to_owned()),
        Routine::Dirname => Value::Text(split_path(text(0)).0.to_owned()),
        Routine::Htons => Value::Int((arguments[0].int() as u16).swap_bytes().into()),
        Routine::Htonl => Value::Int((arguments[0].int() as u32).swap_bytes().into()),
        Routine::Htonll => Value::Int((arguments[0].int() as u64).swap_bytes().into()),
    }
}

/// The directory of a path and the name in it, as dirname(3) and basename(3) have them.
fn split_path(path: &str) -> (&str, &str) {
    let stripped = path.trim_end_matches('/');
    match stripped.rsplit_once('/') {
        _ if path.is_empty() => (".", "."),
        _ if stripped.is_empty() => ("/", "/"),
        None => (".", stripped),
        Some((directory, name)) => match directory.trim_end_matches('/') {
            "" => ("/", name),
            directory => (directory, name),
        },
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
