//! The near part of a keyed aggregation: a small table in each CPU's memory, in which a key is found by comparing words where
//! a hash map takes a call and what the call calls.
//!
//! A key has one place there, by its hash. The first key that comes to a place takes it and keeps it for as long as the program
//! runs; any other key that comes to the same place is counted in the hash map. So a key may be counted in both, and on
//! several CPUs: who reads adds up. Invariant: a place says [`READY`] once its key is whole, and neither changes from then
//! on. An interrupt that comes while a place is being taken goes to the hash map.

use super::clause::Clause;
use crate::ir::{BinaryOp, Condition, Label, Memory, Size, VReg, Width};

/// The symbol of the map, of which each CPU has a part.
pub const MAP: &str = "near";

/// What the first word of a place says: nobody's; being taken; its key follows, and its value.
const FREE: i64 = 0;
const TAKEN: i64 = 1;
/// The first word of a place that has a key.
pub const READY: u64 = 2;

/// Bytes of one aggregation's places, and of all, on each CPU.
const EACH: u32 = 8 << 10;
const ALL: u32 = 32 << 10;
/// Bytes of a key that is compared word by word at most.
const KEY: u32 = 32;
/// Fewer places than these are not worth the question.
const LEAST: u32 = 8;

/// An aggregation's places: each a word, the key, the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Near {
    /// Where they begin in the map's value.
    pub offset: u32,
    /// How many there are, a power of two.
    pub places: u32,
    /// Bytes from one to the next, a power of two.
    pub stride: u32,
}

impl Near {
    /// Places behind those that end at `offset`, for keys and values of these sizes, of which the hash map takes so many; `None`
    /// where there is no room, or where they would add much to what the map takes, which the user has limited.
    pub(super) fn new(offset: u32, key_size: u32, value_size: u32, entries: u32) -> Option<Near> {
        let stride = (8 + key_size + value_size).checked_next_power_of_two()?;
        let places = EACH / stride;
        let fits = key_size <= KEY && places >= LEAST && places <= entries / 16 && offset + EACH <= ALL;
        fits.then_some(Near { offset, places, stride })
    }

    /// Where they end.
    pub fn end(&self) -> u32 {
        self.offset + self.places * self.stride
    }
}

impl Clause<'_> {
    /// The value of the key if its place has it or is free; goes to `far` otherwise.
    pub(super) fn near(&mut self, near: Near, key: Memory, key_size: u32, far: Label) -> VReg {
        let [ready, hit] = [(); 2].map(|()| self.b.label());
        let words = || (0..key_size as i32).step_by(8);
        let base = self.cpu_part(MAP, self.context.storage.near_stride);
        let index = self.hash(key, key_size, near.places.ilog2());
        let offset = self.b.binary(BinaryOp::Shl, index, i64::from(near.stride.ilog2()));
        let place = self.b.add(base, offset);
        let at = near.offset as i32;
        let state = self.b.load(Size::B8, (place, at));
        self.b.branch(Condition::Eq, state, READY as i64, ready);
        self.b.branch(Condition::Ne, state, FREE, far);
        let before = self.b.compare_exchange(Width::W64, (place, at), FREE, TAKEN);
        self.b.branch(Condition::Ne, before, FREE, far);
        for word in words() {
            let part = self.b.load(Size::B8, Memory { offset: key.offset + word, ..key });
            self.b.store(Size::B8, (place, at + 8 + word), part);
        }
        self.b.exchange(Width::W64, (place, at), READY as i64);
        self.b.jump(hit);
        self.b.place(ready);
        for word in words() {
            let part = self.b.load(Size::B8, Memory { offset: key.offset + word, ..key });
            let other = self.b.load(Size::B8, (place, at + 8 + word));
            self.b.branch(Condition::Ne, part, other, far);
        }
        self.b.place(hit);
        self.b.add(place, i64::from(at + 8) + i64::from(key_size))
    }

    /// So many bits of the key's hash: the upper ones of products with 2^64 divided by the golden ratio (Knuth's multiplicative
    /// hash).
    fn hash(&mut self, key: Memory, key_size: u32, bits: u32) -> VReg {
        let factor = self.b.constant(0x9e37_79b9_7f4a_7c15_u64 as i64);
        let mut hash = None;
        for word in (0..key_size as i32).step_by(8) {
            let part = self.b.load(Size::B8, Memory { offset: key.offset + word, ..key });
            let sum = hash.map_or(part, |hash| self.b.add(hash, part));
            hash = Some(self.b.binary(BinaryOp::Mul, sum, factor));
        }
        let hash = hash.unwrap_or(factor);
        self.b.binary(BinaryOp::Lshr, hash, i64::from(64 - bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_powers_of_two_and_end_where_the_next_begin() {
        let first = Near::new(0, 8, 8, 1 << 17).expect("there is room");
        assert_eq!(first, Near { offset: 0, places: 256, stride: 32 });
        let second = Near::new(first.end(), 32, 8, 1 << 17).expect("there is room");
        assert_eq!(second, Near { offset: 8192, places: 128, stride: 64 });
        assert_eq!(Near::new(ALL - EACH + 8, 8, 8, 1 << 17), None);
    }

    #[test]
    fn large_keys_large_values_and_small_maps_do_without() {
        assert_eq!(Near::new(0, KEY + 8, 8, 1 << 17), None);
        assert_eq!(Near::new(0, 8, 2048, 1 << 17), None);
        assert_eq!(Near::new(0, 8, 8, 1000), None);
    }
}
