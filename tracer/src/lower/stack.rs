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
use crate::check::recorded::MAX_FRAMES;
use crate::check::typed::{Builtin, Expr, ExprKind, Stack, Symbol};
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

    /// The second frame of the process's stack; 0 where there is none.
    pub(super) fn user_caller(&mut self) -> Operand {
        let at = self.temporary(16);
        self.clear(at, 16);
        self.get_stack(true, at, 16);
        self.b.load(Size::B8, shift(at, 8)).into()
    }

    /// How many frames the process's stack has.
    pub(super) fn user_depth(&mut self) -> Operand {
        let size = MAX_FRAMES * 8;
        let at = self.temporary(size);
        let bytes = self.get_stack(true, at, size);
        let depth = self.b.binary(BinaryOp::Lshr, bytes, 3);
        let there = self.b.label();
        self.b.branch(Condition::Sge, bytes, 0, there);
        self.b.set(depth, 0);
        self.b.place(there);
        depth.into()
    }

    /// A register with which the process came into the kernel.
    pub(super) fn user_register(&mut self, offset: u16) -> Operand {
        if self.is_given() {
            return Operand::Imm(0);
        }
        let task = self.b.helper(helper::GET_CURRENT_TASK_BTF, &[]);
        let registers = self.b.helper(helper::TASK_PT_REGS, &[task.into()]);
        let from = self.b.add(registers, i64::from(offset));
        let word = self.word();
        let to = self.b.stack_addr(word, 0);
        self.b.helper_void(helper::PROBE_READ_KERNEL, &[to.into(), Operand::Imm(8), from.into()]);
        self.b.load(Size::B8, (word, 0)).into()
    }

    /// The id of the current process, as a word.
    pub(super) fn store_pid(&mut self, to: Memory) {
        let pid = self.builtin(Builtin::Pid);
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
        if self.is_given() {
            return self.b.constant(0);
        }
        let (context, to) = (self.ctx, self.address(to));
        let flags = if user { USER_STACK } else { 0 };
        let args = [context.into(), to.into(), Operand::Imm(size.into()), Operand::Imm(flags)];
        self.b.helper(helper::GET_STACK, &args)
    }
}

/// -EEXIST: another CPU has kept the stack since it was looked up.
const EEXIST: i64 = -17;
