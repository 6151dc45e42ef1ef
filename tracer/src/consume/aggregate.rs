//! Aggregations: snapshots of their per-CPU maps, merged, and what clear, trunc and normalize do to them.

use std::collections::BTreeMap;
use std::io;

use super::decode::{At, Decoder};
use super::map::{self, Objects};
use crate::check::typed::{AggregationId, Function};
use crate::lower::layout::{AggregationAt, value_words};
use crate::output::value::{Row, Table, Value};

/// The aggregations of a program.
pub(super) struct Aggregations {
    at: Vec<AggregationAt>,
    state: Vec<State>,
    cpus: usize,
}

#[derive(Clone)]
struct State {
    normal: i64,
    printed: bool,
    cleared: bool,
}

impl Aggregations {
    pub(super) fn new(at: Vec<AggregationAt>, cpus: u32) -> Aggregations {
        let state = vec![State { normal: 1, printed: false, cleared: false }; at.len()];
        Aggregations { at, state, cpus: cpus as usize }
    }

    /// What it holds now.
    pub(super) fn table(&self, objects: &Objects, decoder: &Decoder, id: AggregationId) -> io::Result<Table> {
        let at = &self.at[id];
        let function = at.aggregation.function;
        let rows: Vec<Row> = self
            .raw(objects, at)?
            .into_iter()
            .map(|(key, value)| Row {
                key: at
                    .keys
                    .iter()
                    .map(|&field| decoder.value(&key, field, At { objects, time: u64::MAX }))
                    .collect(),
                words: self.merge(function, &value),
            })
            // The one element of an array is always there: it counts from its first call on.
            .filter(|row| row.words[0] != 0 || !at.keys.is_empty() || self.state[id].cleared)
            .collect();
        let rows =
            if at.keys.iter().any(|key| key.repr.is_shown_by_name()) { joined(function, rows) } else { rows };
        Ok(Table { name: at.aggregation.name.clone(), function, normal: self.state[id].normal, rows })
    }

    /// Those that printa has not printed, for the end of the run.
    pub(super) fn unprinted(&self) -> Vec<AggregationId> {
        (0..self.at.len()).filter(|&id| !self.state[id].printed).collect()
    }

    /// It has been printed by printa.
    pub(super) fn mark_printed(&mut self, id: AggregationId) {
        self.state[id].printed = true;
    }

    /// Divide by `n` from now on; 1 for not at all.
    pub(super) fn normalize(&mut self, id: AggregationId, n: i64) {
        self.state[id].normal = if n == 0 { 1 } else { n };
    }

    /// Zeroes the values and keeps the keys.
    pub(super) fn clear(&mut self, objects: &Objects, id: AggregationId) -> io::Result<()> {
        let at = &self.at[id];
        let zeros = vec![0; self.stride(at) * self.cpus];
        for (key, _) in self.raw(objects, at)? {
            map::update(self.descriptor(objects, at)?, &key, &zeros)?;
        }
        self.state[id].cleared = true;
        Ok(())
    }

    /// Removes all keys, or all but the `n` with the largest values (smallest, when negative).
    pub(super) fn trunc(
        &mut self,
        objects: &Objects,
        decoder: &Decoder,
        id: AggregationId,
        n: Option<i64>,
    ) -> io::Result<()> {
        let at = &self.at[id];
        let function = at.aggregation.function;
        let mut rows: Vec<(Row, Vec<u8>)> = self
            .raw(objects, at)?
            .into_iter()
            .map(|(key, value)| {
                let values: Vec<Value> = at
                    .keys
                    .iter()
                    .map(|&field| decoder.value(&key, field, At { objects, time: u64::MAX }))
                    .collect();
                (Row { key: values, words: self.merge(function, &value) }, key)
            })
            .collect();
        rows.sort_by(|(a, _), (b, _)| a.compare(b, function));
        let keep = n.unwrap_or(0).unsigned_abs() as usize;
        let gone = rows.len().saturating_sub(keep);
        if at.keys.iter().any(|key| key.repr.is_shown_by_name()) {
            return self.trunc_by_name(objects, id, rows, n.unwrap_or(0));
        }
        let remove = if n.unwrap_or(0) < 0 { &rows[rows.len() - gone..] } else { &rows[..gone] };
        let descriptor = self.descriptor(objects, at)?;
        self.state[id].cleared &= n.unwrap_or(0) != 0;
        for (_, key) in remove {
            if at.keys.is_empty() {
                map::update(descriptor, key, &vec![0; self.stride(at) * self.cpus])?;
            } else {
                map::delete(descriptor, key)?;
            }
        }
        Ok(())
    }

    /// As trunc, where several keys of the kernel are one that is shown: they go or stay together.
    fn trunc_by_name(
        &mut self,
        objects: &Objects,
        id: AggregationId,
        rows: Vec<(Row, Vec<u8>)>,
        n: i64,
    ) -> io::Result<()> {
        let at = &self.at[id];
        let function = at.aggregation.function;
        let mut shown = joined(function, rows.iter().map(|(row, _)| row.clone()).collect());
        shown.sort_by(|a, b| a.compare(b, function));
        let keep = (n.unsigned_abs() as usize).min(shown.len());
        let kept = if n < 0 { &shown[..keep] } else { &shown[shown.len() - keep..] };
        self.state[id].cleared &= n != 0;
        for (_, key) in rows.iter().filter(|(row, _)| kept.iter().all(|kept| kept.key != row.key)) {
            map::delete(self.descriptor(objects, at)?, key)?;
        }
        Ok(())
    }

    /// Keys and values as the kernel has them, all CPUs' values side by side.
    fn raw(&self, objects: &Objects, at: &AggregationAt) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let descriptor = self.descriptor(objects, at)?;
        let size = self.stride(at) * self.cpus;
        if at.keys.is_empty() {
            let key = 0_u32.to_le_bytes();
            Ok(map::lookup(descriptor, &key, size)?.map(|value| (key.to_vec(), value)).into_iter().collect())
        } else {
            map::entries(descriptor, at.key_size as usize, size)
        }
    }

    fn descriptor<'a>(
        &self,
        objects: &'a Objects,
        at: &AggregationAt,
    ) -> io::Result<std::os::fd::BorrowedFd<'a>> {
        objects
            .get(&at.map)
            .and_then(map::descriptor)
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no map {}", at.map)))
    }

    fn stride(&self, at: &AggregationAt) -> usize {
        (at.value_size as usize).next_multiple_of(8)
    }

    /// One value out of all CPUs'.
    fn merge(&self, function: Function, bytes: &[u8]) -> Vec<u64> {
        let words: Vec<u64> = bytes
            .chunks_exact(8)
            .map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes")))
            .collect();
        let count = value_words(function) as usize;
        merge(function, words.chunks_exact(words.len() / self.cpus).map(|cpu| &cpu[..count]))
    }
}

/// One row for each key that is shown: addresses of one function are one key.
fn joined(function: Function, rows: Vec<Row>) -> Vec<Row> {
    let mut all: BTreeMap<Vec<Value>, Vec<Vec<u64>>> = BTreeMap::new();
    for Row { key, words } in rows {
        all.entry(key).or_default().push(words);
    }
    let join = |(key, words): (_, Vec<Vec<u64>>)| {
        let words =
            if words.len() == 1 { words.concat() } else { merge(function, words.iter().map(Vec::as_slice)) };
        Row { key, words }
    };
    all.into_iter().map(join).collect()
}

/// Merges the values of several CPUs; one with no calls has no say.
fn merge<'a>(function: Function, cpus: impl Iterator<Item = &'a [u64]>) -> Vec<u64> {
    let mut merged = vec![0_u64; value_words(function) as usize];
    for words in cpus.filter(|words| words[0] != 0) {
        let first = merged[0] == 0;
        merged[0] = merged[0].wrapping_add(words[0]);
        for (into, &word) in merged.iter_mut().zip(words).skip(1) {
            *into = match function {
                Function::Min if !first => (*into as i64).min(word as i64) as u64,
                Function::Max if !first => (*into as i64).max(word as i64) as u64,
                _ => into.wrapping_add(word),
            };
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_shown_alike_are_one() {
        let row = |name: &str, n| Row { key: vec![Value::Str(name.into())], words: vec![n, 2 * n] };
        let rows = joined(Function::Sum, vec![row("f", 1), row("g", 5), row("f", 3)]);
        assert_eq!(rows, [row("f", 4), row("g", 5)]);
    }

    #[test]
    fn a_cpu_without_calls_has_no_say_in_the_minimum() {
        let cpus = [[0, 0], [2, 7], [1, (-3_i64) as u64]];
        assert_eq!(merge(Function::Min, cpus.iter().map(|cpu| &cpu[..])), [3, (-3_i64) as u64]);
        assert_eq!(merge(Function::Max, cpus.iter().map(|cpu| &cpu[..])), [3, 7]);
        assert_eq!(merge(Function::Sum, cpus.iter().map(|cpu| &cpu[..])), [3, 4]);
    }
}
