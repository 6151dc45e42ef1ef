//! Dynamic variables: `self->x`, `a[k]`, `self->a[k]`. Each has a hash map; a thread's own are found in [`seats`](super::seats) before.
//!
//! A dynamic variable that holds zero or the empty string has no entry: assigning that removes it, and what is missing
//! reads so.

use probes_common::abi::Drop;

use super::clause::Clause;
use super::data::ZEROS;
use super::memory::shift;
use super::place::Access;
use super::seats::Sought;
use super::storage::variable_size;
use crate::check::typed::Place;
use crate::ir::{Condition, Memory, Operand, Size, VReg};

impl<'a> Clause<'a> {
    /// Its entry: of one that is missing, zeros (or a string that is not there) to read, a new one to write.
    pub(super) fn entry_of(&mut self, place: &Place, access: Access) -> VReg {
        let Place::Dynamic(index, _) = place else { unreachable!("only dynamic variables have entries") };
        let ty = &self.context.program.dynamics[*index].ty;
        let size = variable_size(ty);
        let (found, sought) = self.look_up(place);
        let present = self.b.label();
        self.b.branch(Condition::Ne, found, 0, present);
        match access {
            Access::Read if ty.as_text().is_some() => {
                let null = self.null_value(size);
                self.b.set(found, null);
            }
            Access::Read => {
                let zeros = self.zeros(size);
                self.b.set(found, zeros);
            }
            Access::Write => {
                let zeros = self.zeros(size);
                self.make(&sought, (zeros, 0).into());
                let made = sought.find(&mut self.b);
                self.b.set(found, made);
                self.b.branch(Condition::Ne, found, 0, present);
                // There is no room for it, which has been counted: what is written is lost.
                let lost = self.temporary(size);
                let lost = self.address(lost);
                self.b.set(found, lost);
            }
        }
        self.b.place(present);
        found
    }

    /// So many zeros.
    fn zeros(&mut self, size: u32) -> VReg {
        self.data.want_zeros(size);
        self.b.data_addr(ZEROS, 0)
    }

    /// The index of a variable that nobody but this thread changes, and that has no key besides: its value is known from
    /// its first use on.
    pub(super) fn own_variable(&self, place: &Place) -> Option<usize> {
        match place {
            Place::Dynamic(index, keys) if keys.is_empty() => Some(*index),
            _ => None,
        }
    }

    /// Its address or 0, and where it was looked for.
    pub(super) fn look_up(&mut self, place: &Place) -> (VReg, Sought<'a>) {
        let sought = self.sought(place);
        (sought.find(&mut self.b), sought)
    }

    /// Makes one that has not been found.
    pub(super) fn make(&mut self, sought: &Sought<'_>, value: Memory) {
        let status = sought.make(&mut self.b, value);
        let made = self.b.label();
        self.b.branch(Condition::Eq, status, 0, made);
        self.count_drop(Drop::Dynamic);
        self.b.place(made);
    }

    /// Where it may be; its key is built.
    pub(super) fn sought(&mut self, place: &Place) -> Sought<'a> {
        let Place::Dynamic(index, keys) = place else { unreachable!("scalars have no key") };
        let context = self.context;
        let (variable, found_at) = (&context.program.dynamics[*index], &context.storage.dynamics[*index]);
        let thread = variable.thread_local.then(|| self.thread());
        let never = self.b.label();
        let key = self.key(keys, &found_at.keys, (0, found_at.key_size), never);
        self.b.place(never);
        let number = found_at.number.map(|number| Operand::Imm(number.into()));
        for (index, word) in number.into_iter().chain(thread.map(Operand::Reg)).enumerate() {
            self.b.store(Size::B8, shift(key, 8 * index as u32), word);
        }
        let seat = found_at.seats.zip(thread).map(|(seats, thread)| (seats.of(&mut self.b, thread), thread));
        Sought { map: &found_at.map, key, size: variable_size(&variable.ty), seat }
    }
}
