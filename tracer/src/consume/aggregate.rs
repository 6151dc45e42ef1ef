//! Aggregations: snapshots of their per-CPU maps, merged, and what clear, trunc and normalize do to them.
//!
//! Invariant: what is counted is printed once. What clear and trunc take away is what was read before, for the same
//! firing where something was: what has been counted since stays. For that a clear does not touch the kernel's counts
//! but is remembered as what they are too high by, and what a key has counted between being read and being removed is
//! kept here. Least and greatest values are no counts: they begin anew, and one that comes just then may be lost.
//! A key that has a place near the CPU keeps it: that one, too, stays and counts from there. What another CPU adds to a key
//! of the map in the few nanoseconds in which it is removed is lost.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::os::fd::BorrowedFd;

use super::decode::{At, Decoder};
use super::map::{self, Objects};
use super::near;
use crate::check::typed::{AggregationId, Function};
use crate::kernel::process::clock;
use crate::lower::layout::{AggregationAt, spare_map, value_words};
use crate::lower::near::MAP as NEAR;
use crate::lower::parts;
use crate::output::value::{Row, Table, Value};

/// By key, as the kernel has it, the words of all CPUs together.
type Rows = HashMap<Vec<u8>, Vec<u64>>;

/// The aggregations of a program.
pub(super) struct Aggregations {
    state: Vec<State>,
    cpus: usize,
}

struct State {
    at: AggregationAt,
    /// Bytes of one CPU's value of the map of places.
    near_size: usize,
    normal: i64,
    printed: bool,
    /// By key: what is to be added to the kernel's words.
    adjusted: Rows,
    /// Keys are kept that have not counted anything since a clear; without one, an array's only element is.
    cleared: bool,
    /// Keys that were seen in a place of their own, and those of them that trunc took away: they are shown when they count again.
    placed: HashSet<Vec<u8>>,
    gone: HashSet<Vec<u8>>,
    /// By key, what was last read, and when.
    snapshot: Option<(u64, Rows)>,
}

impl Aggregations {
    pub(super) fn new(at: Vec<AggregationAt>, cpus: u32) -> Aggregations {
        let near_size = at.iter().filter_map(|at| at.near).map(|near| near.end()).max().unwrap_or(0);
        let near_size = parts::stride(near_size) as usize;
        let state = |at| State {
            at,
            near_size,
            normal: 1,
            printed: false,
            adjusted: HashMap::new(),
            cleared: false,
            placed: HashSet::new(),
            gone: HashSet::new(),
            snapshot: None,
        };
        Aggregations { state: at.into_iter().map(state).collect(), cpus: cpus as usize }
    }

    /// What it holds now; whoever changes it takes this as what it held. Raw: strings of the key as bytes.
    pub(super) fn table(
        &mut self,
        objects: &Objects,
        decoder: &Decoder,
        id: AggregationId,
        raw: bool,
    ) -> io::Result<Table> {
        let cpus = self.cpus;
        let state = &mut self.state[id];
        let rows = state.read(objects, cpus)?;
        let rows =
            rows.into_iter().map(|(key, words)| state.row(&key, words, objects, decoder, raw)).collect();
        let aggregation = &state.at.aggregation;
        let function = aggregation.function;
        let rows = if state.is_shown_by_name() { joined(function, rows) } else { rows };
        Ok(Table { name: aggregation.name.clone(), function, normal: state.normal, rows })
    }

    /// For a firing at that time: what was read before it is read anew.
    pub(super) fn advance(&mut self, time: u64) {
        for state in &mut self.state {
            state.snapshot.take_if(|(taken, _)| *taken < time);
        }
    }

    /// Those that printa has not printed, for the end of the run.
    pub(super) fn unprinted(&self) -> Vec<AggregationId> {
        (0..self.state.len()).filter(|&id| !self.state[id].printed).collect()
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
        let cpus = self.cpus;
        let state = &mut self.state[id];
        let rows = state.read(objects, cpus)?;
        // What has counted nothing so far is not there to be cleared.
        state.cleared |= !rows.is_empty();
        for (key, words) in rows {
            state.gone.remove(&key);
            if state.is_kept() {
                if let Some(spare) = state.spare(objects)? {
                    map::delete(spare, &state.spare_key(&key))?;
                }
                let zeros = vec![0; state.size(cpus)];
                map::update(state.descriptor(objects)?, &key, &zeros)?;
                state.adjusted.insert(key, vec![0; words.len()]);
            } else {
                let adjusted = state.adjusted.entry(key).or_insert_with(|| vec![0; words.len()]);
                state.at.aggregation.function.subtract(adjusted, &words);
            }
        }
        state.snapshot = None;
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
        let cpus = self.cpus;
        let state = &mut self.state[id];
        let function = state.at.aggregation.function;
        let mut rows: Vec<(Row, Vec<u8>)> = state
            .read(objects, cpus)?
            .into_iter()
            .map(|(key, words)| (state.row(&key, words, objects, decoder, false), key))
            .collect();
        rows.sort_by(|(a, _), (b, _)| a.compare(b, function));
        let keep = n.unwrap_or(0).unsigned_abs() as usize;
        let gone = rows.len().saturating_sub(keep);
        let kept = rows.len() - gone;
        let removed: Vec<(Row, Vec<u8>)> = match n.unwrap_or(0) {
            n if state.is_shown_by_name() => unnamed(function, rows, n),
            ..0 => rows.split_off(kept),
            _ => rows.drain(..gone).collect(),
        };
        state.cleared &= keep > 0;
        for (row, key) in removed {
            state.remove(objects, cpus, key, &row.words)?;
        }
        state.snapshot = None;
        Ok(())
    }
}

impl State {
    /// A key as it is shown, with its words.
    fn row(&self, key: &[u8], words: Vec<u64>, objects: &Objects, decoder: &Decoder, raw: bool) -> Row {
        let at = At { objects, time: u64::MAX };
        let part = |&field| if raw { decoder.raw(key, field, at) } else { decoder.value(key, field, at) };
        Row { key: self.at.keys.iter().map(part).collect(), words }
    }

    /// Whether several keys of the kernel can be one that is shown.
    fn is_shown_by_name(&self) -> bool {
        self.at.keys.iter().any(|key| key.repr.is_shown_by_name())
    }

    /// Keys and words as they are printed.
    fn read(&mut self, objects: &Objects, cpus: usize) -> io::Result<Rows> {
        if let Some((_, rows)) = &self.snapshot {
            return Ok(rows.clone());
        }
        let taken = clock(libc::CLOCK_MONOTONIC);
        let function = self.at.aggregation.function;
        let mut rows = Rows::new();
        let placed = self.near(objects, cpus)?;
        self.placed.extend(placed.iter().map(|(key, _)| key.clone()));
        for (key, words) in self.raw(objects, cpus)?.into_iter().chain(placed) {
            match rows.get_mut(&key) {
                Some(others) => *others = merge(function, [&others[..], &words].into_iter()),
                None => drop(rows.insert(key, words)),
            }
        }
        for (key, adjusted) in &self.adjusted {
            match rows.get_mut(key) {
                Some(words) => function.add(words, adjusted),
                None => drop(rows.insert(key.clone(), adjusted.clone())),
            }
        }
        // The one element of an array is always there: it counts from its first call on.
        let stays = |key: &Vec<u8>| (self.cleared || !self.at.keys.is_empty()) && !self.gone.contains(key);
        rows.retain(|key, words| words[0] != 0 || stays(key));
        self.snapshot = Some((taken, rows.clone()));
        Ok(rows)
    }

    /// Takes a key out, of which `seen` was read; what has been counted since stays.
    fn remove(&mut self, objects: &Objects, cpus: usize, key: Vec<u8>, seen: &[u64]) -> io::Result<()> {
        let size = self.size(cpus);
        let last = match (self.at.keys.is_empty(), self.is_kept()) {
            (true, true) => {
                map::update(self.descriptor(objects)?, &key, &vec![0; size])?;
                None
            }
            (true, false) => {
                // It stays where it is: from now on it counts from here.
                let adjusted = self.adjusted.entry(key).or_insert_with(|| vec![0; seen.len()]);
                self.at.aggregation.function.subtract(adjusted, seen);
                return Ok(());
            }
            (false, _) => {
                let mut last = map::remove(self.descriptor(objects)?, &key, size)?;
                if let Some(spare) = self.spare(objects)?
                    && let Some(more) = map::remove(spare, &self.spare_key(&key), size)?
                {
                    last.get_or_insert_default().extend(more);
                }
                last
            }
        };
        let function = self.at.aggregation.function;
        let placed = self.placed.contains(&key);
        let last = last.filter(|_| !self.is_kept());
        let removed = last.is_some();
        let mut rest = self.adjusted.remove(&key).unwrap_or_else(|| vec![0; seen.len()]);
        if let Some(last) = last {
            function.add(&mut rest, &self.merge(&last));
        }
        // What its place has counted is part of what was seen, and is still there.
        function.subtract(&mut rest, seen);
        if placed {
            self.gone.insert(key.clone());
        }
        if placed || (rest[0] != 0 && removed) {
            self.adjusted.insert(key, rest);
        }
        Ok(())
    }

    /// Whether the words keep one of the values, and are no counts.
    fn is_kept(&self) -> bool {
        matches!(self.at.aggregation.function, Function::Min | Function::Max)
    }

    /// Keys of the map, with the words of all CPUs together; a key of the spare map comes once more.
    fn raw(&self, objects: &Objects, cpus: usize) -> io::Result<Vec<(Vec<u8>, Vec<u64>)>> {
        let descriptor = self.descriptor(objects)?;
        let size = self.size(cpus);
        let found = if self.at.keys.is_empty() {
            let key = 0_u32.to_le_bytes();
            map::lookup(descriptor, &key, size)?.map(|value| (key.to_vec(), value)).into_iter().collect()
        } else {
            let key_size = self.at.key_size as usize;
            let mut found = map::entries(descriptor, key_size, size)?;
            if let Some(spare) = self.spare(objects)? {
                let number = u64::from(self.at.number).to_le_bytes();
                let numbered = map::entries(spare, 8 + key_size, size)?.into_iter();
                found.extend(
                    numbered.filter_map(|(key, value)| Some((key.strip_prefix(&number)?.to_vec(), value))),
                );
            }
            found
        };
        Ok(found.into_iter().map(|(key, bytes)| (key, self.merge(&bytes))).collect())
    }

    /// Keys that have a place, with the words of one CPU.
    fn near(&self, objects: &Objects, cpus: usize) -> io::Result<Vec<(Vec<u8>, Vec<u64>)>> {
        let Some(near) = self.at.near else { return Ok(Vec::new()) };
        let descriptor = named(objects, NEAR)?;
        let parts = parts_of(cpus);
        let bytes =
            map::lookup(descriptor, &0_u32.to_le_bytes(), self.near_size * parts)?.unwrap_or_default();
        let words = value_words(self.at.aggregation.function) as usize;
        Ok(near::rows(&bytes, parts, near, self.at.key_size as usize, words).collect())
    }

    fn descriptor<'a>(&self, objects: &'a Objects) -> io::Result<BorrowedFd<'a>> {
        named(objects, &self.at.map)
    }

    /// Where a key is counted for which there was no memory at hand; an array needs none.
    fn spare<'a>(&self, objects: &'a Objects) -> io::Result<Option<BorrowedFd<'a>>> {
        match self.at.keys.is_empty() {
            true => Ok(None),
            false => named(objects, &spare_map(self.at.key_size, self.at.value_size)).map(Some),
        }
    }

    fn spare_key(&self, key: &[u8]) -> Vec<u8> {
        [&u64::from(self.at.number).to_le_bytes(), key].concat()
    }

    /// Bytes of one CPU's value.
    fn stride(&self) -> usize {
        (self.at.value_size as usize).next_multiple_of(8)
    }

    /// Bytes of all CPUs' values.
    fn size(&self, cpus: usize) -> usize {
        self.stride() * if self.at.keys.is_empty() { parts_of(cpus) } else { cpus }
    }

    /// One value out of all CPUs'.
    fn merge(&self, bytes: &[u8]) -> Vec<u64> {
        let function = self.at.aggregation.function;
        let words: Vec<u64> = bytes
            .chunks_exact(8)
            .map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes")))
            .collect();
        let count = value_words(function) as usize;
        merge(function, words.chunks_exact(self.stride() / 8).map(|cpu| &cpu[..count]))
    }
}

impl Function {
    /// Adds what was counted: word by word, but for the sum of squares, which has two words.
    fn add(self, words: &mut [u64], others: &[u64]) {
        let squares = self.squares(words).wrapping_add(self.squares(others));
        words.iter_mut().zip(others).for_each(|(word, other)| *word = word.wrapping_add(*other));
        self.set_squares(words, squares);
    }

    /// Takes away what was counted before.
    fn subtract(self, words: &mut [u64], others: &[u64]) {
        let squares = self.squares(words).wrapping_sub(self.squares(others));
        words.iter_mut().zip(others).for_each(|(word, other)| *word = word.wrapping_sub(*other));
        self.set_squares(words, squares);
    }

    fn squares(self, words: &[u64]) -> u128 {
        match words {
            [_, _, low, high] if self == Function::Stddev => u128::from(*high) << 64 | u128::from(*low),
            _ => 0,
        }
    }

    fn set_squares(self, words: &mut [u64], squares: u128) {
        if let ([_, _, low, high], Function::Stddev) = (words, self) {
            (*low, *high) = (squares as u64, (squares >> 64) as u64);
        }
    }
}

fn named<'a>(objects: &'a Objects, name: &str) -> io::Result<BorrowedFd<'a>> {
    let map = objects.get(name).and_then(map::descriptor);
    map.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no map {name}")))
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

/// What trunc removes where several keys of the kernel are one that is shown: they go or stay together.
fn unnamed(function: Function, rows: Vec<(Row, Vec<u8>)>, n: i64) -> Vec<(Row, Vec<u8>)> {
    let mut shown = joined(function, rows.iter().map(|(row, _)| row.clone()).collect());
    shown.sort_by(|a, b| a.compare(b, function));
    let keep = (n.unsigned_abs() as usize).min(shown.len());
    let kept = if n < 0 { &shown[..keep] } else { &shown[shown.len() - keep..] };
    let gone = |(row, _): &(Row, Vec<u8>)| kept.iter().all(|kept| kept.key != row.key);
    rows.into_iter().filter(gone).collect()
}

/// The parts of an array of which each of so many CPUs has one.
fn parts_of(cpus: usize) -> usize {
    parts::count(cpus as u32) as usize
}

/// Merges the values of several CPUs; one with no calls has no say.
fn merge<'a>(function: Function, cpus: impl Iterator<Item = &'a [u64]>) -> Vec<u64> {
    let mut merged = vec![0_u64; value_words(function) as usize];
    for words in cpus.filter(|words| words[0] != 0) {
        let kept = match (merged[0], function) {
            (1.., Function::Min) => Some((merged[1] as i64).min(words[1] as i64)),
            (1.., Function::Max) => Some((merged[1] as i64).max(words[1] as i64)),
            _ => None,
        };
        function.add(&mut merged, words);
        if let Some(kept) = kept {
            merged[1] = kept as u64;
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

    #[test]
    fn sums_of_squares_carry_into_their_upper_half() {
        let cpus = [[1, 5, u64::MAX, 7], [2, 6, 2, 1]];
        let merged = merge(Function::Stddev, cpus.iter().map(|cpu| &cpu[..]));
        assert_eq!(merged, [3, 11, 1, 9]);
        let mut rest = merged;
        Function::Stddev.subtract(&mut rest, &cpus[0]);
        assert_eq!(rest, cpus[1]);
    }
}
