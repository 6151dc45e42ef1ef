//! Places: variables (words of a section or of the slot, [entries](super::dynamic)), their parts, and memory at addresses.

use probes_common::abi::{Drop, SLOT_SIZE, fault};

use super::clause::Clause;
use super::data::GLOBALS;
use super::expr::shape;
use super::layout::{FieldAt, Repr};
use super::memory::shift;
use super::scratch::SCRATCH;
use super::storage::repr;
use super::text::Text;
use crate::check::typed::{Bits, Expr, Part, Place, Stack, Type};
use crate::diagnostic::Span;
use crate::ir::{BinaryOp, Condition, Label, Memory, Operand, Size, UnaryOp, VReg, Width};

/// A key part whose value has been computed.
enum KeyPart {
    Word(Operand),
    Text(Text),
    Stack(Stack),
}

/// Where a place lies.
#[derive(Clone, Copy)]
pub(super) enum Spot {
    /// In the program's own memory, which is accessed directly.
    Own(Memory),
    /// At an address that the program computed, in the kernel.
    Foreign(Operand),
    /// At one that may be the process's: which of them the address itself says.
    Either(Operand),
}

impl Spot {
    /// The same place so many bytes further on, were it at an address.
    fn at(&self, address: Operand) -> Spot {
        match self {
            Spot::Either(_) => Spot::Either(address),
            _ => Spot::Foreign(address),
        }
    }
}

/// What a place is wanted for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// To be read: what is missing reads as zeros.
    Read,
    /// To be written: what is missing is made.
    Write,
}

impl Clause<'_> {
    /// Where a whole variable is; `None` for what is in a map or anywhere else.
    fn variable(&mut self, place: &Place) -> Option<Memory> {
        let storage = self.context.storage;
        match place {
            Place::Global(index) => Some((self.b.data_addr(GLOBALS, storage.globals[*index]), 0).into()),
            Place::This(index) => Some((self.slot, storage.locals[*index]).into()),
            Place::Dynamic(..) | Place::Memory(_) | Place::Part(..) => None,
        }
    }

    /// Whether what lies there has the size of its type, rather than a variable's word.
    fn is_exact(place: &Place) -> bool {
        matches!(place, Place::Memory(_) | Place::Part(..))
    }

    /// Where a place lies.
    pub(super) fn spot(&mut self, place: &Place, access: Access, span: Span) -> Spot {
        match place {
            Place::Memory(address) if address.leads_to_process() => Spot::Either(self.int(address)),
            Place::Memory(address) => Spot::Foreign(self.int(address)),
            Place::Dynamic(..) => Spot::Own((self.entry_of(place, access), 0).into()),
            Place::Part(of, part) => {
                let dynamic = self.indexed(part, span);
                let whole = self.spot(of, access, span);
                match whole {
                    Spot::Own(memory) => {
                        let memory = shift(memory, part.offset);
                        let Some(dynamic) = dynamic else { return Spot::Own(memory) };
                        let base = self.address(memory);
                        Spot::Own((self.b.add(base, dynamic), 0).into())
                    }
                    Spot::Foreign(address) | Spot::Either(address) => {
                        let address = self.b.add(address, i64::from(part.offset));
                        whole.at(match dynamic {
                            Some(dynamic) => self.b.add(address, dynamic).into(),
                            None => address.into(),
                        })
                    }
                }
            }
            Place::Global(_) | Place::This(_) => {
                let memory = self.variable(place);
                Spot::Own(memory.unwrap_or_else(|| unreachable!("a variable has its place")))
            }
        }
    }

    /// How many bytes the subscripts lead on; a subscript beyond its array leaves the clause.
    fn indexed(&mut self, part: &Part, span: Span) -> Option<VReg> {
        let mut sum: Option<VReg> = None;
        for index in &part.indexes {
            let value = self.int(&index.value);
            // A fresh register: the verifier learns its range here and must still know it below.
            let value = self.b.copy(value);
            if let Some(count) = index.count {
                let inside = self.b.label();
                self.b.branch(Condition::Lt, value, i64::from(count), inside);
                self.fault(fault::BADINDEX, value.into(), span);
                self.b.place(inside);
            }
            let bytes = self.b.binary(BinaryOp::Mul, value, i64::from(index.size));
            sum = Some(match sum {
                Some(sum) => self.b.add(sum, bytes),
                None => bytes,
            });
        }
        sum
    }

    /// The value of an integer variable or other place, in a fresh register.
    pub(super) fn load(&mut self, place: &Place, ty: &Type, span: Span) -> Operand {
        if Self::is_exact(place) {
            let spot = self.spot(place, Access::Read, span);
            return self.load_at(spot, bits_of(place), ty, span);
        }
        if let Some(at) = self.variable(place) {
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

    /// An integer of exactly its type's size.
    fn load_at(&mut self, spot: Spot, bits: Option<Bits>, ty: &Type, span: Span) -> Operand {
        let (width, signed) = shape(ty);
        let bytes = bits.map_or(width / 8, |bits| bits.unit);
        let at = match spot {
            Spot::Own(memory) => memory,
            Spot::Foreign(_) | Spot::Either(_) => {
                let word = self.word();
                self.read_spot((word, 0).into(), spot, bytes.into(), span);
                (word, 0).into()
            }
        };
        let Some(bits) = bits else { return self.load_int(at, bytes, signed).into() };
        let whole = self.load_int(at, bytes, false);
        let top = self.b.binary(BinaryOp::Shl, whole, i64::from(64 - bits.shift - bits.width));
        let down = if signed { BinaryOp::Ashr } else { BinaryOp::Lshr };
        self.b.binary(down, top, i64::from(64 - bits.width)).into()
    }

    /// Writes an integer of exactly its type's size. What is written is given back: of a bit-field, as many bits as it has.
    fn store_at(&mut self, spot: Spot, bits: Option<Bits>, ty: &Type, value: Operand, span: Span) -> Operand {
        let (width, signed) = shape(ty);
        let bytes = u32::from(bits.map_or(width / 8, |bits| bits.unit));
        let at = self.own_memory(spot, bytes, span);
        let size = Size::of_bytes(bytes).unwrap_or(Size::B8);
        let Some(bits) = bits else {
            self.b.store(size, at, value);
            return value;
        };
        let unused = i64::from(64 - bits.width);
        let top = self.b.binary(BinaryOp::Shl, value, unused);
        let low = self.b.binary(BinaryOp::Lshr, top, unused);
        let placed = self.b.binary(BinaryOp::Shl, low, i64::from(bits.shift));
        let mask = (u64::MAX >> unused) << bits.shift;
        let old = self.b.load(size, at);
        let rest = self.b.binary(BinaryOp::And, old, !mask as i64);
        let new = self.b.binary(BinaryOp::Or, rest, placed);
        self.b.store(size, at, new);
        let down = if signed { BinaryOp::Ashr } else { BinaryOp::Lshr };
        self.b.binary(down, top, unused).into()
    }

    /// The memory to write `size` bytes to. An address must be one of the program's own memory: the verifier is shown that
    /// it is, and a firing where it is not leaves the clause.
    pub(super) fn own_memory(&mut self, spot: Spot, size: u32, span: Span) -> Memory {
        let address = match spot {
            Spot::Own(memory) => return memory,
            Spot::Foreign(address) | Spot::Either(address) => address,
        };
        let storage = self.context.storage;
        let (locals, globals) = (storage.locals_size, storage.globals_size());
        let (found, done) = (self.b.vreg(), self.b.label());
        if locals >= size {
            let locals_at = self.address((self.slot, SLOT_SIZE as i32).into());
            self.within(address, locals_at, locals - size, found, done);
        }
        if globals >= size {
            let globals_at = self.b.data_addr(GLOBALS, 0);
            self.within(address, globals_at, globals - size, found, done);
        }
        if self.context.program.keeps.scratch && SCRATCH >= size {
            let scratch_at = self.address(self.scratch_start());
            self.within(address, scratch_at, SCRATCH - size, found, done);
        }
        self.fault(fault::BADADDR, address, span);
        self.b.place(done);
        (found, 0).into()
    }

    /// Goes to `done` with the pointer in `found` where the address is at most `most` bytes behind `base`.
    fn within(&mut self, address: Operand, base: VReg, most: u32, found: VReg, done: Label) {
        let number = self.number_of(base);
        let offset = self.b.binary(BinaryOp::Sub, address, number);
        let outside = self.b.label();
        self.b.branch(Condition::Gt, offset, i64::from(most), outside);
        let pointer = self.b.add(base, offset);
        self.b.set(found, pointer);
        self.b.jump(done);
        self.b.place(outside);
    }

    /// An address as a number that can be calculated with: by way of memory, where the verifier forgets that it is a pointer.
    pub(super) fn number_of(&mut self, pointer: VReg) -> VReg {
        let word = self.temporary(8);
        self.b.store(Size::B8, word, pointer);
        self.b.load(Size::B8, word)
    }

    /// `&place`
    pub(super) fn address_of(&mut self, place: &Place, span: Span) -> Operand {
        match self.spot(place, Access::Write, span) {
            Spot::Foreign(address) | Spot::Either(address) => address,
            Spot::Own(memory) => {
                let address = self.address(memory);
                self.number_of(address).into()
            }
        }
    }

    /// Assigns to an integer variable or other place; gives what was assigned.
    pub(super) fn store(&mut self, place: &Place, ty: &Type, value: Operand, span: Span) -> Operand {
        if Self::is_exact(place) {
            let spot = self.spot(place, Access::Write, span);
            return self.store_at(spot, bits_of(place), ty, value, span);
        }
        if let Some(at) = self.variable(place) {
            self.b.store(Size::B8, at, value);
            return value;
        }
        if let Some(index) = self.own_variable(place) {
            self.assign_variable(index, value);
        }
        let done = self.b.label();
        if value != Operand::Imm(0) {
            let (found, sought) = self.look_up(place);
            let (remove, make) = (self.b.label(), self.b.label());
            if let Operand::Reg(_) = value {
                // Its negative is 0 where it is, and the verifier learns nothing of the value itself: it would follow both
                // ways separately for as long as the value is used.
                let negative = self.b.unary(UnaryOp::Neg, value);
                self.b.branch(Condition::Eq, negative, 0, remove);
            }
            self.b.branch(Condition::Eq, found, 0, make);
            self.b.store(Size::B8, (found, 0), value);
            self.b.jump(done);
            self.b.place(make);
            let word = self.word();
            self.b.store(Size::B8, (word, 0), value);
            self.make(&sought, (word, 0).into());
            self.b.jump(done);
            if let Operand::Reg(_) = value {
                self.b.place(remove);
                sought.remove(&mut self.b);
            }
        } else {
            let sought = self.sought(place);
            sought.remove(&mut self.b);
        }
        self.b.place(done);
        value
    }

    /// `place += delta` where nobody asks for the value: atomically where a word is all it takes.
    pub(super) fn increment(&mut self, place: &Place, delta: i64, ty: &Type, span: Span) {
        match (self.variable(place), shape(ty)) {
            (Some(at), (64, _)) => self.b.atomic_add(Width::W64, at, delta),
            _ => {
                self.post_add(place, delta, ty, span);
            }
        }
    }

    /// `place += delta`, giving what was there before. The place is found once.
    pub(super) fn post_add(&mut self, place: &Place, delta: i64, ty: &Type, span: Span) -> Operand {
        if !Self::is_exact(place) {
            let old = self.load(place, ty, span);
            let new = self.b.add(old, delta);
            let new = self.narrow(new, ty);
            self.store(place, ty, new, span);
            return old;
        }
        let spot = self.spot(place, Access::Write, span);
        let bits = bits_of(place);
        let old = self.load_at(spot, bits, ty, span);
        let new = self.b.add(old, delta);
        let new = self.narrow(new, ty);
        self.store_at(spot, bits, ty, new, span);
        old
    }

    /// The text in a string variable or other place.
    pub(super) fn load_text(&mut self, place: &Place, ty: &Type, span: Span) -> Text {
        let size = repr(ty).size();
        let spot = self.spot(place, Access::Read, span);
        let at = match spot {
            Spot::Own(memory) => memory,
            Spot::Foreign(_) | Spot::Either(_) => {
                let at = self.temporary(size);
                self.read_spot(at, spot, size, span);
                at
            }
        };
        Text { at, size }
    }

    /// Assigns to a string variable or other place of that type.
    pub(super) fn store_text(&mut self, place: &Place, ty: &Type, value: &Expr) -> Text {
        let size = repr(ty).size();
        if let Some(at) = self.variable(place) {
            self.text_to(value, at, size);
            return Text { at, size };
        }
        let buffer = self.temporary(size);
        self.text_to(value, buffer, size);
        if let Place::Memory(_) | Place::Part(..) = place {
            let spot = self.spot(place, Access::Write, value.span);
            let at = self.own_memory(spot, size, value.span);
            self.copy(at, buffer, size);
            return Text { at: buffer, size };
        }
        let (found, sought) = self.look_up(place);
        let (remove, make, done) = (self.b.label(), self.b.label(), self.b.label());
        self.branch_null(Text { at: buffer, size }, remove);
        self.b.branch(Condition::Eq, found, 0, make);
        self.copy((found, 0).into(), buffer, size);
        self.b.jump(done);
        self.b.place(make);
        self.make(&sought, buffer);
        self.b.jump(done);
        self.b.place(remove);
        sought.remove(&mut self.b);
        self.b.place(done);
        Text { at: buffer, size }
    }

    /// Builds a key of such parts. They are all computed before any is written: they may need keys of their own.
    /// Goes to `failed` where a stack finds no room: what is known then is not known there.
    /// `before` bytes are free before the key.
    pub(super) fn key(
        &mut self,
        parts: &[Expr],
        fields: &[FieldAt],
        (before, size): (u32, u32),
        failed: Label,
    ) -> Memory {
        let mut values = Vec::new();
        for (part, field) in parts.iter().zip(fields) {
            values.push(match field.repr {
                Repr::Str(_) => KeyPart::Text(self.present(part)),
                Repr::Ip | Repr::Bytes(_) => KeyPart::Text(self.text(part)),
                Repr::Probe(name) => KeyPart::Word(self.name_number(name)),
                Repr::Int { .. } | Repr::Float(_) => KeyPart::Word(self.int(part)),
                Repr::StackKey(stack) => KeyPart::Stack(stack),
                Repr::Symbol(symbol) => {
                    let at = self.temporary(field.repr.size());
                    self.record_symbol(part, symbol, at);
                    KeyPart::Text(Text { at, size: field.repr.size() })
                }
                Repr::Stack(_) => unreachable!("a key has a stack's hash"),
            });
        }
        let key = shift(self.key_memory(before + size), before);
        for (value, field) in values.into_iter().zip(fields) {
            let to = shift(key, field.offset);
            match value {
                KeyPart::Word(value) => self.b.store(Size::B8, to, value),
                KeyPart::Text(text) => self.fill(to, text, field.repr.size().next_multiple_of(8)),
                KeyPart::Stack(stack) => {
                    let hash = self.keep_stack(stack, failed);
                    if stack.user {
                        self.store_pid(to);
                    }
                    self.b.store(Size::B8, shift(to, 8 * u32::from(stack.user)), hash);
                }
            }
        }
        key
    }

    /// Counts something that was lost.
    pub(super) fn count_drop(&mut self, kind: Drop) {
        self.b.call_void("drop_count", &[self.slot.into(), Operand::Imm(kind as i64)]);
    }
}

/// The bits of a place that is a bit-field.
fn bits_of(place: &Place) -> Option<Bits> {
    match place {
        Place::Part(_, part) => part.bits,
        _ => None,
    }
}
