//! Subroutines on strings: calls of the probes object's routines.
//!
//! A routine takes the slot, two strings, a buffer for its result, and the sizes of the three in one number; what else it
//! takes lies in the slot. Invariant: the result is a fresh buffer of zeros, so a string may be made of itself.

use probes_common::abi::{SLOT_NUMBERS, fault};

use super::clause::Clause;
use super::helper;
use super::memory::shift;
use super::place::Spot;
use super::storage::repr;
use super::text::Text;
use crate::check::typed::{Expr, Subroutine, Type};
use crate::diagnostic::Span;
use crate::ir::{Base, BinaryOp, Condition, Memory, Operand, Size, VReg};

/// What a routine is called with.
#[derive(Default, Clone, Copy)]
struct Call<'a> {
    first: Option<Text>,
    second: Option<Text>,
    result: Option<Text>,
    numbers: &'a [Operand],
}

/// So many bytes are more than any string has.
const ALL: i64 = u32::MAX as i64;
/// No position was given to index().
const NOWHERE: i64 = i64::MIN;
/// The most bytes of a string that a routine looks at: its size takes 16 bits.
const LONGEST: u32 = 0xfff8;
/// Words of the longest string of which the length is counted.
const COUNTED_WORDS: i64 = 8;
/// Bytes of the longest number as text: 64 digits, a prefix and the end.
const NUMBER_TEXT: u32 = 72;

impl Clause<'_> {
    /// A subroutine that gives a string.
    pub(super) fn text_call(&mut self, subroutine: Subroutine, arguments: &[Expr], expr: &Expr) -> Text {
        let size = repr(&expr.ty).size();
        let text = match subroutine {
            Subroutine::Copyinstr => {
                let at = self.temporary(size);
                self.copyinstr(arguments, at, size, expr.span);
                Text { at, size }
            }
            Subroutine::DPath => self.path_of(&arguments[0], expr.span),
            Subroutine::Strjoin => self.transformed("string_join", arguments, size, &[]),
            Subroutine::Tolower => self.transformed("string_letters", arguments, size, &[b'A'.into()]),
            Subroutine::Toupper => self.transformed("string_letters", arguments, size, &[b'a'.into()]),
            Subroutine::Basename => self.transformed("string_path", arguments, size, &[0]),
            Subroutine::Dirname => self.transformed("string_path", arguments, size, &[1]),
            Subroutine::Cleanpath => self.transformed("string_cleanpath", arguments, size, &[]),
            Subroutine::Json => self.element(arguments, size),
            Subroutine::Substr => self.part(arguments, size),
            Subroutine::Strchr => self.rest(arguments, size, "string_find", 0),
            Subroutine::Strrchr => self.rest(arguments, size, "string_find", 1),
            Subroutine::Strstr => self.rest(arguments, size, "string_index", 0),
            Subroutine::Strtok => self.token(arguments, size),
            Subroutine::Lltostr => self.number_text(arguments, size.min(NUMBER_TEXT), expr.span),
            _ => self.address_text(subroutine, arguments, size, expr.span),
        };
        self.limit(text);
        text
    }

    /// Cuts what is in a string's buffer at the most characters that strings have (`strsize`).
    pub(super) fn limit(&mut self, text: Text) {
        if let Some((characters, buffer)) = self.context.program.keeps.strings
            && text.size == buffer
        {
            for byte in characters..buffer {
                self.b.store(Size::B1, shift(text.at, byte), 0);
            }
        }
    }

    /// A subroutine on strings that gives a number.
    pub(super) fn text_number(&mut self, subroutine: Subroutine, arguments: &[Expr], expr: &Expr) -> Operand {
        match subroutine {
            Subroutine::Strlen => {
                let (address, words) = self.words(&arguments[0]);
                let length = self.length(address, words);
                self.unknown(length)
            }
            Subroutine::Strtoll => {
                let first = Some(self.present(&arguments[0]));
                let base = self.base(arguments, expr.span);
                let number = self.routine("text_number", Call { first, numbers: &[base], ..Call::default() });
                self.unknown(number)
            }
            _ => {
                let (first, second) = (Some(self.present(&arguments[0])), Some(self.present(&arguments[1])));
                let start = arguments.get(2).map_or(Operand::Imm(NOWHERE), |start| self.int(start));
                let backward = Operand::Imm(i64::from(subroutine == Subroutine::Rindex));
                let numbers = &[start, backward];
                let index = self.routine("string_index", Call { first, second, numbers, ..Call::default() });
                self.unknown(index)
            }
        }
    }

    /// The bytes of a string of so many words. The verifier follows the routine that counts them word by word, too far for a long one.
    pub(super) fn length(&mut self, address: VReg, words: i64) -> VReg {
        if words <= COUNTED_WORDS {
            return self.b.call("string_length", &[address.into(), Operand::Imm(words)]);
        }
        let copy = self.temporary(8 * words as u32);
        let copy = self.address(copy);
        let args = [copy.into(), Operand::Imm(8 * words), address.into()];
        let with_end = self.b.helper(helper::PROBE_READ_KERNEL_STR, &args);
        self.b.add(with_end, -1)
    }

    /// The string at an address in the kernel, of at most `limit` bytes with its terminating zero, in a buffer of `size`.
    pub(super) fn kernel_string(&mut self, address: Operand, size: u32, limit: u32, span: Span) -> Text {
        let result = self.empty_buffer(size);
        let to = self.address(result.at);
        let args = [to.into(), Operand::Imm(size.min(limit).into()), address];
        let status = self.b.helper(helper::PROBE_READ_KERNEL_STR, &args);
        self.check_read(status, address, span);
        self.limit(result);
        result
    }

    /// The string that lies in a place, of at most `limit` bytes with its terminating zero, in a buffer of `size`.
    pub(super) fn string_at(&mut self, spot: Spot, size: u32, limit: u32, span: Span) -> Text {
        let address = match spot {
            Spot::Own(memory) => self.address(memory).into(),
            Spot::Foreign(address) => address,
            Spot::Either(address) => {
                let result = self.empty_buffer(size);
                let helpers = [helper::PROBE_READ_KERNEL_STR, helper::PROBE_READ_USER_STR];
                self.read_either(helpers, result.at, address, size.min(limit), span);
                self.limit(result);
                return result;
            }
        };
        self.kernel_string(address, size, limit, span)
    }

    /// copyinstr: a string of the current process, padded with zeros, which the helper does not do.
    pub(super) fn copyinstr(&mut self, arguments: &[Expr], to: Memory, size: u32, span: Span) {
        self.needs_current(span);
        let address = self.int(&arguments[0]);
        let limit = arguments.get(1).map(|limit| self.int(limit));
        self.clear(to, size);
        let buffer = self.address(to);
        let size = match limit {
            None => Operand::Imm(size.into()),
            Some(limit) => self.at_most(limit, size),
        };
        let status = self.b.helper(helper::PROBE_READ_USER_STR, &[buffer.into(), size, address]);
        self.check_read(status, address, span);
    }

    /// Bytes for a string of at most `limit` characters in a buffer of `size`.
    fn at_most(&mut self, limit: Operand, size: u32) -> Operand {
        let bytes = self.b.add(limit, 1);
        let fits = self.b.label();
        self.b.branch(Condition::Le, bytes, i64::from(size), fits);
        self.b.set(bytes, i64::from(size));
        self.b.place(fits);
        bytes.into()
    }

    /// What a routine makes of one string or two.
    fn transformed(&mut self, name: &'static str, arguments: &[Expr], size: u32, numbers: &[i64]) -> Text {
        let first = Some(self.present(&arguments[0]));
        let second = arguments.get(1).map(|second| self.present(second));
        let result = self.empty_buffer(size);
        let numbers: Vec<Operand> = numbers.iter().map(|&number| Operand::Imm(number)).collect();
        self.routine(name, Call { first, second, result: Some(result), numbers: &numbers });
        result
    }

    /// json()
    fn element(&mut self, arguments: &[Expr], size: u32) -> Text {
        let (first, second) = (self.present(&arguments[0]), self.present(&arguments[1]));
        let result = self.empty_buffer(size);
        let call = Call { first: Some(first), second: Some(second), result: Some(result), numbers: &[] };
        let there = self.routine("string_json", call);
        let found = self.b.label();
        self.b.branch(Condition::Ne, there, 0, found);
        self.mark_null(result);
        self.b.place(found);
        result
    }

    /// substr()
    fn part(&mut self, arguments: &[Expr], size: u32) -> Text {
        let text = self.present(&arguments[0]);
        let index = self.int(&arguments[1]);
        let length = arguments.get(2).map_or(Operand::Imm(ALL), |length| self.int(length));
        let result = self.empty_buffer(size);
        self.cut(text, index, length, result);
        result
    }

    fn cut(&mut self, text: Text, index: Operand, length: Operand, result: Text) {
        let numbers = &[index, length];
        self.routine(
            "string_part",
            Call { first: Some(text), result: Some(result), numbers, ..Call::default() },
        );
    }

    /// The rest of a string from where something is found: a character (with whether the last is wanted) or a string.
    fn rest(&mut self, arguments: &[Expr], size: u32, name: &'static str, last: i64) -> Text {
        let text = self.present(&arguments[0]);
        let place = if arguments[1].ty.as_text().is_some() {
            let second = Some(self.present(&arguments[1]));
            let numbers = &[Operand::Imm(NOWHERE), Operand::Imm(0)];
            self.routine(name, Call { first: Some(text), second, numbers, ..Call::default() })
        } else {
            let character = self.int(&arguments[1]);
            let numbers = &[character, Operand::Imm(last)];
            self.routine(name, Call { first: Some(text), numbers, ..Call::default() })
        };
        let result = self.empty_buffer(size);
        let (nowhere, done) = (self.b.label(), self.b.label());
        self.b.branch(Condition::Slt, place, 0, nowhere);
        self.cut(text, place.into(), Operand::Imm(ALL), result);
        self.b.jump(done);
        self.b.place(nowhere);
        self.mark_null(result);
        self.b.place(done);
        result
    }

    /// strtok(): a string is kept, with the place where the next piece may begin, for the clauses of the firing that follow.
    fn token(&mut self, arguments: &[Expr], size: u32) -> Text {
        let (place, kept) = self.tokens();
        if arguments[0].ty.as_text().is_some() {
            let text = self.present(&arguments[0]);
            self.fill(kept.at, text, kept.size);
            self.b.store(Size::B8, place, 0);
        }
        let second = Some(self.present(&arguments[1]));
        let at = self.b.load(Size::B8, place);
        let result = self.empty_buffer(size);
        let numbers = &[at.into()];
        let call = Call { first: Some(kept), second, result: Some(result), numbers };
        let next = self.routine("string_token", call);
        self.b.store(Size::B8, place, next);
        // No piece is empty.
        let found = self.b.label();
        let first = self.b.load(Size::B1, result.at);
        self.b.branch(Condition::Ne, first, 0, found);
        self.mark_null(result);
        self.b.place(found);
        result
    }

    /// Where strtok() keeps its place, and its string.
    fn tokens(&self) -> (Memory, Text) {
        let at = self.context.storage.tokens as i32;
        let size = self.context.program.keeps.tokens;
        ((self.slot, at).into(), Text { at: (self.slot, at + 8).into(), size })
    }

    /// lltostr()
    fn number_text(&mut self, arguments: &[Expr], size: u32, span: Span) -> Text {
        let number = self.int(&arguments[0]);
        let base = self.base(arguments, span);
        let result = self.empty_buffer(size);
        let numbers = &[number, base];
        self.routine("number_text", Call { result: Some(result), numbers, ..Call::default() });
        result
    }

    /// The base of a number, the second argument; one that has no digits is an illegal operation.
    fn base(&mut self, arguments: &[Expr], span: Span) -> Operand {
        let Some(base) = arguments.get(1) else { return Operand::Imm(10) };
        let base = self.int(base);
        if !matches!(base, Operand::Imm(2..=36)) {
            let good = self.b.label();
            let above = self.b.binary(BinaryOp::Sub, base, 2);
            self.b.branch(Condition::Le, above, 34, good);
            self.fault(fault::ILLOP, Operand::Imm(0), span);
            self.b.place(good);
        }
        base
    }

    /// A temporary of zeros.
    pub(super) fn empty_buffer(&mut self, size: u32) -> Text {
        let at = self.temporary(size);
        self.clear(at, size);
        Text { at, size }
    }

    /// Calls a routine.
    fn routine(&mut self, name: &'static str, call: Call) -> VReg {
        let slot = self.slot;
        for (index, number) in call.numbers.iter().enumerate() {
            self.b.store(Size::B8, (slot, (SLOT_NUMBERS + 8 * index) as i32), *number);
        }
        let (first, second) = (self.in_slot(call.first), self.in_slot(call.second));
        let mut sizes = 0;
        let mut pass = |text: Option<Text>, shift: u32| match text {
            Some(text) => {
                sizes |= i64::from(text.size.min(LONGEST)) << shift;
                self.address(text.at)
            }
            None => slot,
        };
        let (first, second, result) = (pass(first, 0), pass(second, 16), pass(call.result, 32));
        let args = [slot, first, second, result].map(Operand::Reg);
        self.b.call(name, &[args[0], args[1], args[2], args[3], Operand::Imm(sizes)])
    }

    /// A string where routines that loop can read it: not on the stack.
    fn in_slot(&mut self, text: Option<Text>) -> Option<Text> {
        let text = text?;
        if let Base::Reg(_) = text.at.base {
            return Some(text);
        }
        let at = self.temporary(text.size);
        self.copy(at, text.at, text.size);
        Some(Text { at, size: text.size })
    }

    /// htons() and its kin.
    pub(super) fn byte_order(&mut self, value: &Expr, ty: &Type) -> Operand {
        let bits = ty.as_int().map_or(64, |int| int.bytes * 8);
        let value = self.int(value);
        self.b.unary(crate::ir::UnaryOp::BigEndian { bits }, value).into()
    }

    /// A part of a device number, as the kernel keeps it (`dev_t` in its structures, not that of stat(2)).
    pub(super) fn device_part(&mut self, part: Subroutine, device: &Expr) -> Operand {
        /// MINORBITS of include/linux/kdev_t.h.
        const MINOR_BITS: i64 = 20;
        let device = self.int(device);
        let device = self.b.extend(32, false, device);
        match part {
            Subroutine::Getmajor => self.b.binary(BinaryOp::Lshr, device, MINOR_BITS).into(),
            _ => self.b.binary(BinaryOp::And, device, (1 << MINOR_BITS) - 1).into(),
        }
    }
}
