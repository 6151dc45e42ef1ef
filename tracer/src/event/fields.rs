//! The values of a record, one after another, as the families read them.

use super::{Process, Text};
use crate::output::value::{Recorded, Value};

/// What is left of a record. Every reader gives `None` where the next value is missing or of another kind.
pub(super) struct Fields<'a>(std::slice::Iter<'a, Recorded>);

impl<'a> Fields<'a> {
    pub(super) fn new(record: &'a [Recorded]) -> Fields<'a> {
        Fields(record.iter())
    }

    fn next(&mut self) -> Option<&'a Value> {
        match self.0.next()? {
            Recorded::Trace(value) => Some(value),
            _ => None,
        }
    }

    /// An integer.
    pub(super) fn integer(&mut self) -> Option<i64> {
        match self.next()? {
            Value::Int { value, .. } => Some(*value),
            _ => None,
        }
    }

    /// An integer of a smaller type, cut as the kernel has it.
    pub(super) fn int(&mut self) -> Option<i32> {
        self.integer().map(|value| value as i32)
    }

    /// An unsigned integer.
    pub(super) fn unsigned(&mut self) -> Option<u64> {
        self.integer().map(|value| value as u64)
    }

    /// A flag.
    pub(super) fn flag(&mut self) -> Option<bool> {
        self.integer().map(|value| value != 0)
    }

    /// A string, or an array of characters.
    pub(super) fn text(&mut self) -> Option<Text> {
        match self.next()? {
            Value::Str(bytes) => Some(Text(bytes.clone())),
            Value::Bytes(bytes) => Some(Text(bytes.split(|&byte| byte == 0).next()?.to_vec())),
            Value::Int { .. } | Value::Float(_) | Value::Stack { .. } | Value::Symbol { .. } => None,
        }
    }

    /// An Internet address; empty for none.
    pub(super) fn address(&mut self) -> Option<String> {
        self.text().map(|text| text.to_string())
    }

    /// A process.
    pub(super) fn process(&mut self) -> Option<Process> {
        Some(Process { pid: self.integer()? as u32, execname: self.text()? })
    }
}
