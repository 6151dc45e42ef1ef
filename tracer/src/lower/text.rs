//! String expressions: a string is the place of a zero-padded buffer and its size.
//!
//! Invariant: every buffer ends in a zero and is zero behind the string, so that strings are compared by words and can
//! be parts of keys. What is put into a buffer of another size is cut or padded by [`Clause::fill`].

use std::mem::offset_of;

use probes_common::abi::Slot;

use super::clause::Clause;
use super::data::{STRINGS, ZEROS};
use super::expr::{condition, opposite};
use super::memory::{pieces, shift};
use super::names::part_of;
use super::place::Spot;
use super::storage::repr;
use super::typed;
use crate::check::typed::{Builtin, CompareOp, Expr, ExprKind, ProbePart, Subroutine, Type};
use crate::ir::{Condition, Label, Memory, Operand, Size, VReg};
use crate::provider::ProbeInfo;

/// A string in memory: a buffer, or the 16 bytes of an address.
#[derive(Clone, Copy)]
pub(super) struct Text {
    /// Its first byte.
    pub(super) at: Memory,
    /// Bytes of the buffer.
    pub(super) size: u32,
}

/// Bytes of an Internet address as text, as the routine `ip_text` writes them.
const IP_TEXT: u32 = 64;
/// Words that equality compares without calling a routine.
const INLINE_WORDS: u32 = 4;
/// A comparison with at most so many of a family's probes is made of branches.
const FEW_PROBES: usize = 4;

impl Clause<'_> {
    /// Evaluates a string expression for its effect.
    pub(super) fn text_effect(&mut self, expr: &Expr) {
        if !is_probe(expr) {
            self.text(expr);
        }
    }

    /// The value of a string expression that is a buffer or an address.
    pub(super) fn text(&mut self, expr: &Expr) -> Text {
        match &expr.kind {
            ExprKind::Str(bytes) => self.literal(bytes),
            ExprKind::Ip(bytes) => {
                let offset = self.data.bytes(bytes);
                Text { at: (self.b.data_addr(STRINGS, offset as i32), 0).into(), size: 16 }
            }
            ExprKind::Builtin(Builtin::Execname) => Text { at: (self.comm(), 0).into(), size: 16 },
            ExprKind::Builtin(builtin @ (Builtin::Cwd | Builtin::Root)) => {
                self.directory(*builtin, expr.span)
            }
            ExprKind::Builtin(Builtin::Execargs) => {
                self.needs_current(expr.span);
                let text = self.empty_buffer(repr(&expr.ty).size());
                let to = self.address(text.at);
                self.b.call_void("exec_args", &[to.into()]);
                text
            }
            ExprKind::Builtin(Builtin::Zonename) => self.literal(b"global"),
            ExprKind::Builtin(Builtin::Jailname) => self.literal(b"0"),
            ExprKind::Args(index) => self.arg_text(*index),
            ExprKind::Member(base, field) => self.member_text(base, field, expr.span),
            ExprKind::Load(place) => self.load_text(place, &expr.ty, expr.span),
            ExprKind::Assign(place, value) => self.store_text(place, &expr.ty, value),
            ExprKind::Comma(first, second) => {
                self.effect(first);
                self.text(second)
            }
            ExprKind::Cast(inner) => self.cast_text(inner, &expr.ty),
            ExprKind::Conditional(condition, yes, no) => {
                let size = repr(&expr.ty).size();
                let at = self.temporary(size);
                self.choose(condition, |c| c.text_to(yes, at, size), |c| c.text_to(no, at, size));
                Text { at, size }
            }
            ExprKind::Call(subroutine, arguments) => self.text_call(*subroutine, arguments, expr),
            _ => unreachable!("the checker makes no string of {:?}", expr.kind),
        }
    }

    /// Puts the string into a buffer of `size` bytes.
    pub(super) fn text_to(&mut self, expr: &Expr, to: Memory, size: u32) {
        if let ExprKind::Call(Subroutine::Copyinstr, arguments) = &expr.kind {
            self.copyinstr(arguments, to, size, expr.span);
            return self.limit(Text { at: to, size });
        }
        let text = self.text(expr);
        self.fill(to, text, size);
    }

    /// Puts a string into a buffer of `size` bytes, cutting or padding it.
    pub(super) fn fill(&mut self, to: Memory, text: Text, size: u32) {
        self.copy(to, text.at, text.size.min(size));
        if text.size < size {
            let whole = text.size.next_multiple_of(8).min(size);
            for byte in text.size..whole {
                self.b.store(Size::B1, shift(to, byte), 0);
            }
            self.clear(shift(to, whole), size - whole);
        } else if text.size > size {
            self.b.store(Size::B1, shift(to, size - 1), 0);
        }
        if text.size != size {
            self.limit(Text { at: to, size });
        }
    }

    /// The address of a string that is aligned to 8 bytes and padded to whole words, and their number.
    pub(super) fn words(&mut self, expr: &Expr) -> (VReg, i64) {
        let text = self.present(expr);
        let text = self.aligned(text);
        (self.address(text.at), i64::from(text.size / 8))
    }

    /// The text aligned to 8 bytes and padded to whole words.
    fn aligned(&mut self, text: Text) -> Text {
        if text.size.is_multiple_of(8) && text.at.offset % 8 == 0 {
            return text;
        }
        let size = text.size.next_multiple_of(8);
        let at = self.temporary(size);
        self.fill(at, text, size);
        Text { at, size }
    }

    /// The empty string.
    pub(super) fn empty_text(&mut self) -> Text {
        self.data.want_zeros(16);
        Text { at: (self.b.data_addr(ZEROS, 0), 0).into(), size: 16 }
    }

    fn literal(&mut self, bytes: &[u8]) -> Text {
        let (offset, size) = self.data.string(bytes);
        Text { at: (self.b.data_addr(STRINGS, offset as i32), 0).into(), size }
    }

    fn cast_text(&mut self, inner: &Expr, ty: &Type) -> Text {
        match &inner.ty {
            Type::Array(_, count) => {
                let spot = self.bytes(inner);
                self.string_at(spot, repr(ty).size(), count + 1, inner.span)
            }
            from if from.is_scalar() => {
                let address = self.int(inner);
                let spot =
                    if inner.leads_to_process() { Spot::Either(address) } else { Spot::Foreign(address) };
                self.string_at(spot, repr(ty).size(), u32::MAX, inner.span)
            }
            Type::String(typed::Text::Ip) => {
                let text = self.text(inner);
                // The routine wants memory that it may write to.
                let address = self.temporary(16);
                self.copy(address, text.at, 16);
                let address = self.address(address);
                let at = self.temporary(IP_TEXT);
                let to = self.address(at);
                self.b.call_void("ip_text", &[address.into(), to.into()]);
                Text { at, size: IP_TEXT }
            }
            Type::String(typed::Text::Probe(part)) => self.probe_text(*part),
            _ => {
                let size = repr(ty).size();
                let text = self.text(inner);
                if text.size <= size {
                    return text;
                }
                let at = self.temporary(size);
                self.fill(at, text, size);
                Text { at, size }
            }
        }
    }

    /// `program << 16 | discriminator` of the firing probe.
    pub(super) fn probe_number(&mut self) -> VReg {
        self.b.load(Size::B4, (self.slot, offset_of!(Slot, probe) as i32))
    }

    /// The number of the first probe that shares this part of its name with the firing one: equal for equal names.
    pub(super) fn name_number(&mut self, part: ProbePart) -> Operand {
        let names = self.context.names;
        let probes = &self.unit.probes;
        let first = names.number(part, probes[0].1);
        if probes.iter().all(|(_, probe)| names.number(part, probe) == first) {
            return Operand::Imm(first.into());
        }
        if probes.iter().all(|(_, probe)| names.number(part, probe) == names.own_number(probe)) {
            return self.probe_number().into();
        }
        let row = |probe: &ProbeInfo| (probe.discriminator, names.number(part, probe).to_le_bytes());
        let rows = probes.iter().map(|(_, probe)| row(probe)).collect();
        let row = self.probe_row(rows);
        self.b.load(Size::B4, row).into()
    }

    /// A part of the firing probe's name as a string.
    fn probe_text(&mut self, part: ProbePart) -> Text {
        let probes = &self.unit.probes;
        let first = part_of(probes[0].1, part);
        if probes.iter().all(|(_, probe)| part_of(probe, part) == first) {
            return self.literal(first.as_bytes());
        }
        let longest = probes.iter().map(|(_, probe)| part_of(probe, part).len()).max().unwrap_or(0);
        let size = (longest + 1).next_multiple_of(8);
        let row = |probe: &'_ ProbeInfo| (probe.discriminator, part_of(probe, part).as_bytes().to_vec());
        let rows: Vec<_> = probes.iter().map(|(_, probe)| row(probe)).collect();
        let rows: Vec<_> =
            rows.iter().map(|(discriminator, name)| (*discriminator, name.as_slice())).collect();
        Text { at: self.probe_row_of(size, &rows), size: size as u32 }
    }

    /// Goes to `target` if the comparison's truth is `wanted`.
    pub(super) fn branch_text(
        &mut self,
        op: CompareOp,
        left: &Expr,
        right: &Expr,
        wanted: bool,
        target: Label,
    ) {
        let op = if wanted { op } else { opposite(op) };
        match (&left.kind, &right.kind) {
            (ExprKind::Builtin(Builtin::ProbePart(part)), ExprKind::Str(literal)) => {
                self.branch_probe(op, *part, literal, target);
            }
            (ExprKind::Str(literal), ExprKind::Builtin(Builtin::ProbePart(part))) => {
                self.branch_probe(mirrored(op), *part, literal, target);
            }
            (_, ExprKind::Str(literal)) if equality(op) => self.branch_literal(op, left, literal, target),
            (ExprKind::Str(literal), _) if equality(op) => self.branch_literal(op, right, literal, target),
            (_, ExprKind::Ip(bytes)) if equality(op) => self.branch_bytes(op, left, bytes, target),
            (ExprKind::Ip(bytes), _) if equality(op) => self.branch_bytes(op, right, bytes, target),
            _ => self.branch_buffers(op, left, right, target),
        }
    }

    /// Compares with a literal: as many words as hold it and its terminating zero. What is not there is no other string
    /// than the empty one.
    fn branch_literal(&mut self, op: CompareOp, expr: &Expr, literal: &[u8], target: Label) {
        let text = self.text(expr);
        if literal.is_empty() {
            return self.branch_memory(op, text.at, &[0], target);
        }
        if literal.len() >= text.size as usize {
            if op == CompareOp::Ne {
                self.b.jump(target);
            }
            return;
        }
        let mut bytes = literal.to_vec();
        bytes.resize((literal.len() + 1).next_multiple_of(8).min(text.size as usize), 0);
        self.branch_memory(op, text.at, &bytes, target);
    }

    fn branch_bytes(&mut self, op: CompareOp, expr: &Expr, bytes: &[u8], target: Label) {
        let text = self.text(expr);
        self.branch_memory(op, text.at, bytes, target);
    }

    /// Goes to `target` if memory does (`==`) or does not (`!=`) hold these bytes.
    fn branch_memory(&mut self, op: CompareOp, at: Memory, bytes: &[u8], target: Label) {
        let differs = if op == CompareOp::Eq { self.b.label() } else { target };
        for (offset, piece) in pieces(bytes.len() as u32) {
            let mut word = [0; 8];
            let size = piece.bytes() as usize;
            word[..size].copy_from_slice(&bytes[offset as usize..][..size]);
            let value = self.b.load(piece, shift(at, offset));
            self.b.branch(Condition::Ne, value, i64::from_le_bytes(word), differs);
        }
        if op == CompareOp::Eq {
            self.b.jump(target);
            self.b.place(differs);
        }
    }

    /// Compares two buffers on the words that both have: the shorter one's terminating zero is among them.
    fn branch_buffers(&mut self, op: CompareOp, left: &Expr, right: &Expr, target: Label) {
        let (left, right) = (self.or_empty(left), self.or_empty(right));
        let (left, right) = (self.aligned(left), self.aligned(right));
        let words = left.size.min(right.size) / 8;
        if equality(op) && words <= INLINE_WORDS {
            let differs = if op == CompareOp::Eq { self.b.label() } else { target };
            for (offset, piece) in pieces(words * 8) {
                let left = self.b.load(piece, shift(left.at, offset));
                let right = self.b.load(piece, shift(right.at, offset));
                self.b.branch(Condition::Ne, left, right, differs);
            }
            if op == CompareOp::Eq {
                self.b.jump(target);
                self.b.place(differs);
            }
            return;
        }
        let (left, right) = (self.address(left.at), self.address(right.at));
        let args: [Operand; 3] = [left.into(), right.into(), Operand::Imm(words.into())];
        self.b.loops(words);
        let order = self.b.call("string_compare", &args);
        self.b.branch(condition(op, true), order, 0, target);
    }

    /// Compares a part of the firing probe's name with a literal: known now for each probe.
    fn branch_probe(&mut self, op: CompareOp, part: ProbePart, literal: &[u8], target: Label) {
        let holds = |probe: &&ProbeInfo| compares(op, part_of(probe, part).as_bytes(), literal);
        let probes = self.unit.probes.iter().map(|(_, probe)| *probe);
        let (yes, no): (Vec<&ProbeInfo>, Vec<&ProbeInfo>) = probes.partition(holds);
        if no.is_empty() {
            self.b.jump(target);
        } else if yes.is_empty() {
            // Never: go on.
        } else if yes.len() <= FEW_PROBES {
            let discriminator = self.discriminator();
            for probe in yes {
                self.b.branch(Condition::Eq, discriminator, i64::from(probe.discriminator), target);
            }
        } else if no.len() <= FEW_PROBES {
            let discriminator = self.discriminator();
            let on = self.b.label();
            for probe in no {
                self.b.branch(Condition::Eq, discriminator, i64::from(probe.discriminator), on);
            }
            self.b.jump(target);
            self.b.place(on);
        } else {
            let rows = yes.iter().map(|probe| (probe.discriminator, [1_u8])).collect();
            let row = self.probe_row(rows);
            let found = self.b.load(Size::B1, row);
            self.b.branch(Condition::Ne, found, 0, target);
        }
    }
}

/// Whether the value is a probe's number rather than a buffer.
fn is_probe(expr: &Expr) -> bool {
    matches!(expr.ty, Type::String(typed::Text::Probe(_)))
}

fn equality(op: CompareOp) -> bool {
    matches!(op, CompareOp::Eq | CompareOp::Ne)
}

/// The comparison with its operands exchanged.
fn mirrored(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq | CompareOp::Ne => op,
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Ge => CompareOp::Le,
    }
}

fn compares(op: CompareOp, left: &[u8], right: &[u8]) -> bool {
    match op {
        CompareOp::Eq => left == right,
        CompareOp::Ne => left != right,
        CompareOp::Lt => left < right,
        CompareOp::Le => left <= right,
        CompareOp::Gt => left > right,
        CompareOp::Ge => left >= right,
    }
}
