//! Variables: words of a section or of the slot, and entries of hash maps.
//!
//! A dynamic variable that holds zero or the empty string has no entry: assigning that removes it, and what is missing
//! reads so.

use probes_common::abi::Drop;

use super::clause::Clause;
use super::data::{GLOBALS, ZEROS};
use super::expr::shape;
use super::helper;
use super::layout::{FieldAt, Repr};
use super::memory::shift;
use super::storage::repr;
use super::text::Text;
use crate::check::typed::{Expr, Place, Type};
use crate::ir::{Condition, Memory, Operand, Size, VReg, Width};

/// BPF_ANY
const ANY: i64 = 0;

/// A key part whose value has been computed.
enum Part {
    Word(Operand),
    Text(Text),
}

impl Clause<'_> {
    /// Where a scalar is; `None` for what is in a map.
    fn scalar(&mut self, place: &Place) -> Option<Memory> {
        let storage = self.context.storage;
        match place {
            Place::Global(index) => Some((self.b.data_addr(GLOBALS, storage.globals[*index]), 0).into()),
            Place::This(index) => Some((self.slot, storage.locals[*index]).into()),
            Place::Dynamic(..) | Place::Memory(_) | Place::Part(..) => None,
        }
    }

    /// The value of an integer variable, in a fresh register.
    pub(super) fn load(&mut self, place: &Place) -> Operand {
        if let Some(at) = self.scalar(place) {
            return self.b.load(Size::B8, at).into();
        }
        if let Some(value) = self.own_variable(place).and_then(|index| self.known_variable(index)) {
            return value;
        }
        let (found, _) = self.look_up(place);
        let absent = self.b.label();
        let value = self.b.constant(0);
        self.b.branch(Condition::Eq, found, 0, absent);
        let present = self.b.load(Size::B8, (found, 0));
        self.b.set(value, present);
        self.b.place(absent);
        if let Some(index) = self.own_variable(place) {
            self.know_variable(index, value.into());
        }
        value.into()
    }

    /// The index of a variable that nobody but this thread changes, and that has no key besides: its value is known from
    /// its first use on.
    fn own_variable(&self, place: &Place) -> Option<usize> {
        match place {
            Place::Dynamic(index, keys) if keys.is_empty() => Some(*index),
            _ => None,
        }
    }

    /// Assigns to an integer variable.
    pub(super) fn store(&mut self, place: &Place, value: Operand) {
        if let Some(at) = self.scalar(place) {
            return self.b.store(Size::B8, at, value);
        }
        if let Some(index) = self.own_variable(place) {
            self.assign_variable(index, value);
        }
        let done = self.b.label();
        if value != Operand::Imm(0) {
            let (found, key) = self.look_up(place);
            let (remove, make) = (self.b.label(), self.b.label());
            if let Operand::Reg(_) = value {
                self.b.branch(Condition::Eq, value, 0, remove);
            }
            self.b.branch(Condition::Eq, found, 0, make);
            self.b.store(Size::B8, (found, 0), value);
            self.b.jump(done);
            self.b.place(make);
            let word = self.word();
            self.b.store(Size::B8, (word, 0), value);
            self.make(place, key, (word, 0).into());
            self.b.jump(done);
            if let Operand::Reg(_) = value {
                self.b.place(remove);
                self.remove(place, key);
            }
        } else {
            let key = self.key_of(place);
            self.remove(place, key);
        }
        self.b.place(done);
    }

    /// `place += delta` where nobody asks for the value: atomically where a word is all it takes.
    pub(super) fn increment(&mut self, place: &Place, delta: i64, ty: &Type) {
        match (self.scalar(place), shape(ty)) {
            (Some(at), (64, _)) => self.b.atomic_add(Width::W64, at, delta),
            (_, (bits, signed)) => {
                let old = self.load(place);
                let sum = self.b.add(old, delta);
                let sum = if bits < 64 { self.b.extend(bits, signed, sum) } else { sum };
                self.store(place, sum.into());
            }
        }
    }

    /// The text in a string variable.
    pub(super) fn load_text(&mut self, place: &Place, ty: &Type) -> Text {
        let size = repr(ty).size();
        if let Some(at) = self.scalar(place) {
            return Text { at, size };
        }
        let (found, _) = self.look_up(place);
        let present = self.b.label();
        self.b.branch(Condition::Ne, found, 0, present);
        self.data.want_zeros(size);
        let zeros = self.b.data_addr(ZEROS, 0);
        self.b.set(found, zeros);
        self.b.place(present);
        Text { at: (found, 0).into(), size }
    }

    /// Assigns to a string variable of that type.
    pub(super) fn store_text(&mut self, place: &Place, ty: &Type, value: &Expr) -> Text {
        let size = repr(ty).size();
        if let Some(at) = self.scalar(place) {
            self.text_to(value, at, size);
            return Text { at, size };
        }
        let buffer = self.temporary(size);
        self.text_to(value, buffer, size);
        let (found, key) = self.look_up(place);
        let (remove, make, done) = (self.b.label(), self.b.label(), self.b.label());
        let first = self.b.load(Size::B1, buffer);
        self.b.branch(Condition::Eq, first, 0, remove);
        self.b.branch(Condition::Eq, found, 0, make);
        self.copy((found, 0).into(), buffer, size);
        self.b.jump(done);
        self.b.place(make);
        self.make(place, key, buffer);
        self.b.jump(done);
        self.b.place(remove);
        self.remove(place, key);
        self.b.place(done);
        Text { at: buffer, size }
    }

    /// Looks a dynamic variable up: its address or 0, and its key's memory.
    fn look_up(&mut self, place: &Place) -> (VReg, Memory) {
        let key = self.key_of(place);
        let (map, key_address) = (self.dynamic_map(place), self.address(key));
        (self.b.helper(helper::MAP_LOOKUP_ELEM, &[map.into(), key_address.into()]), key)
    }

    /// Makes or replaces a dynamic variable.
    fn make(&mut self, place: &Place, key: Memory, value: Memory) {
        let (map, key, value) = (self.dynamic_map(place), self.address(key), self.address(value));
        let args = [map.into(), key.into(), value.into(), Operand::Imm(ANY)];
        let status = self.b.helper(helper::MAP_UPDATE_ELEM, &args);
        let made = self.b.label();
        self.b.branch(Condition::Eq, status, 0, made);
        self.count_drop(Drop::Dynamic);
        self.b.place(made);
    }

    fn remove(&mut self, place: &Place, key: Memory) {
        let (map, key) = (self.dynamic_map(place), self.address(key));
        self.b.helper_void(helper::MAP_DELETE_ELEM, &[map.into(), key.into()]);
    }

    fn dynamic_map(&mut self, place: &Place) -> VReg {
        let Place::Dynamic(index, _) = place else { unreachable!("scalars are in no map") };
        self.b.map_addr(self.context.storage.dynamics[*index].map.as_str())
    }

    /// Builds the key of a dynamic variable.
    fn key_of(&mut self, place: &Place) -> Memory {
        let Place::Dynamic(index, keys) = place else { unreachable!("scalars have no key") };
        let at = &self.context.storage.dynamics[*index];
        let thread = self.context.program.dynamics[*index].thread_local.then(|| self.pid_tgid());
        let key = self.key(keys, &at.keys, at.key_size);
        if let Some(both) = thread {
            // The thread's id is in the low half; the upper half of the key's first word stays zero.
            let thread = self.b.extend(32, false, both);
            self.b.store(Size::B8, key, thread);
        }
        key
    }

    /// Builds a key of such parts. They are all computed before any is written: they may need keys of their own.
    pub(super) fn key(&mut self, parts: &[Expr], fields: &[FieldAt], size: u32) -> Memory {
        let mut values = Vec::new();
        for (part, field) in parts.iter().zip(fields) {
            values.push(match field.repr {
                Repr::Str(_) | Repr::Ip | Repr::Bytes(_) => Part::Text(self.text(part)),
                Repr::Probe(name) => Part::Word(self.name_number(name)),
                Repr::Int { .. } => Part::Word(self.int(part)),
            });
        }
        let key = self.key_memory(size);
        for (value, field) in values.into_iter().zip(fields) {
            let to = shift(key, field.offset);
            match value {
                Part::Word(value) => self.b.store(Size::B8, to, value),
                Part::Text(text) => self.fill(to, text, field.repr.size().next_multiple_of(8)),
            }
        }
        key
    }

    /// Counts something that was lost.
    pub(super) fn count_drop(&mut self, kind: Drop) {
        self.b.call_void("drop_count", &[self.slot.into(), Operand::Imm(kind as i64)]);
    }
}
