//! Call stacks and addresses with names: their raw addresses are recorded, and the tracer finds the names.
//!
//! A stack in a message lies there whole. In an aggregation's key, which has little room, it is the hash of its
//! addresses, under which a map of the session, `stacks_N`, keeps them.
//!
//! Invariant: what lies in memory is padded with zeros, so that equal stacks are equal bytes.

use probes_common::abi::Drop;

use super::clause::Clause;
use super::helper;
use super::layout::{stack_words, stacks_map};
use super::memory::shift;
use crate::check::typed::{Expr, ExprKind, Stack, Symbol};
use crate::ir::{BinaryOp, Condition, Label, Memory, Operand, Size, VReg};

/// BPF_F_USER_STACK
const USER_STACK: i64 = 1 << 8;
/// BPF_NOEXIST
const NO_EXIST: i64 = 1;

impl Clause<'_> {
    /// Writes a stack into a message: for the process's, its id and then the addresses.
    pub(super) fn record_stack(&mut self, stack: Stack, to: Memory) {
        let to = match stack.user {
            true => {
                self.store_pid(to);
                shift(to, 8)
            }
            false => to,
        };
        self.take_stack(stack, to);
    }

    /// Writes an address into a message or a key: for the process's, its id first.
    pub(super) fn record_symbol(&mut self, value: &Expr, symbol: Symbol, to: Memory) {
        let ExprKind::Symbol(address) = &value.kind else {
            unreachable!("a symbol is recorded from an address")
        };
        let address = self.int(address);
        match symbol.user {
            true => {
                self.store_pid(to);
                self.b.store(Size::B8, shift(to, 8), address);
            }
            false => self.b.store(Size::B8, to, address),
        }
    }

    /// The hash under which a stack's addresses are kept; goes to `failed` when there is no room for them.
    pub(super) fn keep_stack(&mut self, stack: Stack, failed: Label) -> VReg {
        let words = stack_words(stack);
        let at = self.temporary(words * 8);
        self.take_stack(stack, at);
        let offset = Operand::Imm(i64::from(at.offset));
        let hash = self.b.call("stack_hash", &[self.slot.into(), offset, Operand::Imm(words.into())]);
        let key = self.word();
        self.b.store(Size::B8, (key, 0), hash);
        let symbol = stacks_map(words);
        let kept = self.b.label();
        let (map, address) = (self.b.map_addr(symbol.as_str()), self.b.stack_addr(key, 0));
        let found = self.b.helper(helper::MAP_LOOKUP_ELEM, &[map.into(), address.into()]);
        self.b.branch(Condition::Ne, found, 0, kept);
        let (map, address) = (self.b.map_addr(symbol.as_str()), self.b.stack_addr(key, 0));
        let frames = self.address(at);
        let args = [map.into(), address.into(), frames.into(), Operand::Imm(NO_EXIST)];
        let status = self.b.helper(helper::MAP_UPDATE_ELEM, &args);
        self.b.branch(Condition::Eq, status, 0, kept);
        self.b.branch(Condition::Eq, status, EEXIST, kept);
        self.count_drop(Drop::Aggregation);
        self.b.jump(failed);
        self.b.place(kept);
        self.b.load(Size::B8, (key, 0))
    }

    /// The id of the current process, as a word.
    pub(super) fn store_pid(&mut self, to: Memory) {
        let both = self.pid_tgid();
        let pid = self.b.binary(BinaryOp::Lshr, both, 32);
        self.b.store(Size::B8, to, pid);
    }

    /// The addresses of a stack, the innermost first; zeros behind them.
    fn take_stack(&mut self, stack: Stack, to: Memory) {
        let size = stack_words(stack) * 8;
        self.clear(to, size);
        self.get_stack(stack.user, to, size);
    }

    /// Fills memory with the addresses of a stack; gives how many bytes were written, negative where there is no stack.
    fn get_stack(&mut self, user: bool, to: Memory, size: u32) -> VReg {
        let (context, to) = (self.ctx, self.address(to));
        let flags = if user { USER_STACK } else { 0 };
        let args = [context.into(), to.into(), Operand::Imm(size.into()), Operand::Imm(flags)];
        self.b.helper(helper::GET_STACK, &args)
    }
}

/// -EEXIST: another CPU has kept the stack since it was looked up.
const EEXIST: i64 = -17;
