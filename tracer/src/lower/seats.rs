//! Seats: where a thread finds a variable of its own by a few loads, where a hash map takes calls, and taking an element out of
//! it and putting it back takes several hundred nanoseconds.
//!
//! A thread has one seat in a variable's table, by the hash of its key. It sits there while its variable is not zero. Who finds
//! the seat taken keeps the variable in the hash map, and the seat says how many are `away` like that: while none
//! are, nobody looks in the map. Invariants: a key is in its seat or in the map, never in both; the value of a free seat is zero.
//!
//! Only the thread itself, and what interrupts it on its CPU, looks for its key. So a seat is taken atomically, since others
//! want it too, and left by plain stores: x86-64 shows them to other CPUs in their order.

use super::helper;
use super::memory::{address, pieces, shift};
use crate::ir::{BinaryOp, Builder, Condition, Memory, Operand, Size, VReg, Width};

/// The symbol of the map: an array of one element, with the tables of all variables.
pub(super) const MAP: &str = "seats";

/// A seat: whose it is, how many who have it are away, the value.
const OWNER: i32 = 0;
const AWAY: i32 = 8;
const VALUE: i32 = 16;
/// The owner of a free one: no thread has this key.
const FREE: i64 = 0;

/// A seat's least size: threads on different CPUs should not wait for each other's lines of the cache.
const LINE: u32 = 64;
/// The largest value: zeros are written word by word.
const LARGEST: u32 = 512;
/// The part of the memory for a variable that its seats take.
const PART: u64 = 8;
/// Fewer seats than these are not worth the question; more than these take time to make.
const LEAST: u32 = 64;
const MOST: u32 = 4096;
/// Bytes of all tables.
const ALL: u32 = 4 << 20;

/// A variable's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seats {
    /// Where it begins in the map's value.
    offset: u32,
    /// How many seats it has, a power of two.
    count: u32,
    /// Bytes from one to the next, a power of two.
    stride: u32,
}

impl Seats {
    /// Seats behind those that end at `offset`, for a variable of that size that may take so much memory; `None` where there is no room.
    pub(super) fn new(offset: u32, value_size: u32, memory: u64) -> Option<Seats> {
        let stride = (VALUE as u32 + value_size).next_power_of_two().max(LINE);
        let room = (memory / PART / u64::from(stride)).min(MOST.into()) as u32;
        let count = 1 << room.checked_ilog2()?;
        let fits = value_size <= LARGEST && count >= LEAST && offset + count * stride <= ALL;
        fits.then_some(Seats { offset, count, stride })
    }

    /// Bytes of the table.
    pub(super) fn size(self) -> u32 {
        self.count * self.stride
    }

    /// Where the table ends.
    pub(super) fn end(self) -> u32 {
        self.offset + self.size()
    }

    /// The seat of that key: the upper bits of its product with 2^64 divided by the golden ratio.
    pub(super) fn of(self, b: &mut Builder, key: VReg) -> VReg {
        let factor = b.constant(0x9e37_79b9_7f4a_7c15_u64 as i64);
        let hash = b.binary(BinaryOp::Mul, key, factor);
        let index = b.binary(BinaryOp::Lshr, hash, i64::from(64 - self.count.ilog2()));
        let offset = b.binary(BinaryOp::Shl, index, i64::from(self.stride.ilog2()));
        let table = b.data_addr(MAP, self.offset as i32);
        b.add(table, offset)
    }
}

/// Where a variable may be.
#[derive(Clone, Copy)]
pub(super) struct Sought<'a> {
    /// The hash map.
    pub(super) map: &'a str,
    /// Where its key lies.
    pub(super) key: Memory,
    /// Bytes of the value.
    pub(super) size: u32,
    /// Of a variable that has a table: the key's seat, and the key, which is a word.
    pub(super) seat: Option<(VReg, VReg)>,
}

impl Sought<'_> {
    /// The address of the value; 0 where it is neither in its seat nor in the map.
    pub(super) fn find(&self, b: &mut Builder) -> VReg {
        let Some((seat, key)) = self.seat else { return self.in_map(b, helper::MAP_LOOKUP_ELEM, &[]) };
        let [elsewhere, done] = [(); 2].map(|()| b.label());
        let owner = b.load(Size::B8, (seat, OWNER));
        // The verifier goes straight on first: then it knows least of what follows, and need not follow the other ways.
        b.branch(Condition::Ne, owner, key, elsewhere);
        let found = b.add(seat, i64::from(VALUE));
        b.jump(done);
        b.place(elsewhere);
        b.set(found, 0);
        let away = b.load(Size::B8, (seat, AWAY));
        b.branch(Condition::Eq, away, 0, done);
        let entry = self.in_map(b, helper::MAP_LOOKUP_ELEM, &[]);
        b.set(found, entry);
        b.place(done);
        found
    }

    /// Puts a value where nothing has been found; gives 0, or what the kernel says where there is no room.
    pub(super) fn make(&self, b: &mut Builder, value: Memory) -> VReg {
        /// BPF_ANY
        const ANY: i64 = 0;
        let Some((seat, key)) = self.seat else { return self.insert(b, value, ANY) };
        let [sits, done] = [(); 2].map(|()| b.label());
        let status = b.constant(0);
        let before = b.compare_exchange(Width::W64, (seat, OWNER), FREE, key);
        b.branch(Condition::Eq, before, FREE, sits);
        // An interrupt has come and taken it.
        b.branch(Condition::Eq, before, key, sits);
        b.atomic_add(Width::W64, (seat, AWAY), 1);
        let inserted = self.insert(b, value, ANY);
        b.set(status, inserted);
        b.branch(Condition::Eq, inserted, 0, done);
        b.atomic_add(Width::W64, (seat, AWAY), -1);
        b.jump(done);
        b.place(sits);
        for (offset, piece) in pieces(self.size) {
            let part = b.load(piece, shift(value, offset));
            b.store(piece, (seat, VALUE + offset as i32), part);
        }
        b.place(done);
        status
    }

    /// Frees it.
    pub(super) fn remove(&self, b: &mut Builder) {
        let Some((seat, key)) = self.seat else {
            self.in_map(b, helper::MAP_DELETE_ELEM, &[]);
            return;
        };
        let [elsewhere, done] = [(); 2].map(|()| b.label());
        let owner = b.load(Size::B8, (seat, OWNER));
        b.branch(Condition::Ne, owner, key, elsewhere);
        for (offset, piece) in pieces(self.size) {
            b.store(piece, (seat, VALUE + offset as i32), 0);
        }
        b.store(Size::B8, (seat, OWNER), FREE);
        b.jump(done);
        b.place(elsewhere);
        let away = b.load(Size::B8, (seat, AWAY));
        b.branch(Condition::Eq, away, 0, done);
        let status = self.in_map(b, helper::MAP_DELETE_ELEM, &[]);
        b.branch(Condition::Ne, status, 0, done);
        b.atomic_add(Width::W64, (seat, AWAY), -1);
        b.place(done);
    }

    fn insert(&self, b: &mut Builder, value: Memory, flags: i64) -> VReg {
        let value = address(b, value);
        self.in_map(b, helper::MAP_UPDATE_ELEM, &[value.into(), Operand::Imm(flags)])
    }

    /// What a helper that takes a map, a key and more says.
    fn in_map(&self, b: &mut Builder, helper: u32, more: &[Operand]) -> VReg {
        let (map, key) = (b.map_addr(self.map), address(b, self.key));
        b.helper(helper, &[&[map.into(), key.into()], more].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_as_many_as_there_is_memory_for() {
        let numbers = Seats::new(0, 8, 1 << 20).expect("there is room");
        assert_eq!(numbers, Seats { offset: 0, count: 2048, stride: 64 });
        let strings = Seats::new(numbers.end(), 264, 1 << 20).expect("there is room");
        assert_eq!(strings, Seats { offset: 128 << 10, count: 256, stride: 512 });
        assert_eq!(Seats::new(0, 8, 1 << 30).map(|seats| seats.count), Some(MOST));
    }

    #[test]
    fn little_memory_large_values_and_many_variables_do_without() {
        assert_eq!(Seats::new(0, 8, 16 << 10), None);
        assert_eq!(Seats::new(0, LARGEST + 8, 1 << 30), None);
        assert_eq!(Seats::new(ALL - 64, 8, 1 << 20), None);
        assert_eq!(Seats::new(0, 8, 0), None);
    }
}
