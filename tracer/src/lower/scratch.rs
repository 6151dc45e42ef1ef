//! Memory that subroutines give out and copy: alloca(), bcopy(), copyin(), copyinto(), copyout(), copyoutstr().
//!
//! Scratch memory lies in the slot, so that an address in it is one of the kernel's and is read as any other. What a clause
//! was given is its own until it ends. Behind the scratch memory as much again is left free: the verifier knows where a
//! piece begins and how long it is, each by itself, and not that the one leaves room for the other.
//!
//! Invariant: nothing is written but to memory of the program's own, nor to more of a process's than was asked for.

use probes_common::abi::fault;

use super::clause::Clause;
use super::helper;
use super::place::Spot;
use crate::check::typed::{Expr, Subroutine};
use crate::diagnostic::Span;
use crate::ir::{BinaryOp, Condition, Memory, Operand, Size, VReg};

/// Bytes of scratch memory that a clause has.
pub(super) const SCRATCH: u32 = 8192;

impl Clause<'_> {
    /// A subroutine that gives or fills memory.
    pub(super) fn memory_call(&mut self, subroutine: Subroutine, arguments: &[Expr], expr: &Expr) -> Operand {
        let span = expr.span;
        match subroutine {
            Subroutine::Alloca => {
                let size = self.int(&arguments[0]);
                self.piece(size, 0, span).address
            }
            Subroutine::Copyin => {
                self.needs_current(span);
                let from = self.int(&arguments[0]);
                let size = self.int(&arguments[1]);
                let size = self.sized(size, span);
                let piece = self.piece(size, 1, span);
                self.fill_from(helper::PROBE_READ_USER, piece.at, piece.size, from, span);
                // What is taken for a string ends here, whatever was copied before.
                let end = self.b.binary(BinaryOp::Add, piece.at, piece.size);
                self.b.store(Size::B1, (end, 0), 0);
                piece.address
            }
            Subroutine::Copyinto => {
                self.needs_current(span);
                let (from, size) = (self.int(&arguments[0]), self.int(&arguments[1]));
                self.copy_into(helper::PROBE_READ_USER, from, size, &arguments[2], span)
            }
            Subroutine::Bcopy => {
                let (from, size) = (self.int(&arguments[0]), self.int(&arguments[2]));
                self.copy_into(helper::PROBE_READ_KERNEL, from, size, &arguments[1], span)
            }
            Subroutine::Copyout => {
                let (from, to) = (self.int(&arguments[0]), self.int(&arguments[1]));
                let size = self.int(&arguments[2]);
                self.copy_out(from, to, size, span)
            }
            _ => self.copy_out_string(arguments, span),
        }
    }

    /// A size that something may have; another is a fault.
    fn sized(&mut self, size: Operand, span: Span) -> Operand {
        // A fresh register: the verifier learns its range here.
        let size = self.b.copy(size);
        let good = self.b.label();
        self.b.branch(Condition::Le, size, i64::from(SCRATCH), good);
        self.fault(fault::BADSIZE, size.into(), span);
        self.b.place(good);
        size.into()
    }

    /// Takes so many bytes of the scratch memory, and so many behind them.
    fn piece(&mut self, size: Operand, behind: i64, span: Span) -> Piece {
        let piece = self.next_piece(size, span);
        let rounded = self.b.add(piece.size, 7 + behind);
        let rounded = self.b.binary(BinaryOp::And, rounded, -8);
        let used = self.b.add(piece.used, rounded);
        self.b.store(Size::B8, self.scratch_used(), used);
        piece
    }

    /// The next bytes of the scratch memory, which stay free; where there are not so many, the clause is left.
    fn next_piece(&mut self, size: Operand, span: Span) -> Piece {
        // A fresh register: the verifier learns its range here.
        let size = self.b.copy(size);
        let (none, good) = (self.b.label(), self.b.label());
        let used = self.b.load(Size::B8, self.scratch_used());
        self.b.branch(Condition::Gt, size, i64::from(SCRATCH), none);
        self.b.branch(Condition::Gt, used, i64::from(SCRATCH), none);
        let end = self.b.add(used, size);
        self.b.branch(Condition::Le, end, i64::from(SCRATCH), good);
        self.b.place(none);
        self.fault(fault::NOSCRATCH, Operand::Imm(0), span);
        self.b.place(good);
        let start = self.address(self.scratch_start());
        let at = self.b.add(start, used);
        let number = self.number_of(start);
        let address = self.b.add(number, used).into();
        Piece { at, size, used, address }
    }

    /// Where the number of bytes taken is kept, and where they begin.
    fn scratch_used(&self) -> Memory {
        (self.slot, self.context.storage.scratch as i32).into()
    }

    pub(super) fn scratch_start(&self) -> Memory {
        (self.slot, self.context.storage.scratch as i32 + 8).into()
    }

    /// At the beginning of a clause: nothing is taken.
    pub(super) fn free_scratch(&mut self) {
        if self.context.program.keeps.scratch {
            self.b.store(Size::B8, self.scratch_used(), 0);
        }
    }

    /// Reads to memory that the verifier knows.
    fn fill_from(&mut self, helper: u32, to: VReg, size: VReg, from: Operand, span: Span) {
        let status = self.b.helper(helper, &[to.into(), size.into(), from]);
        self.check_read(status, from, span);
    }

    /// copyinto(), bcopy(): to memory of the program's own; of scratch memory as much as one likes, of variables a number
    /// that is known now.
    fn copy_into(&mut self, helper: u32, from: Operand, size: Operand, to: &Expr, span: Span) -> Operand {
        let to = self.int(to);
        if let Operand::Imm(bytes @ 1..=0xffff) = size {
            let at = self.own_memory(Spot::Foreign(to), bytes as u32, span);
            let (at, size) = (self.address(at), self.b.constant(bytes));
            self.fill_from(helper, at, size, from, span);
            return Operand::Imm(0);
        }
        let size = self.sized(size, span);
        let size = self.b.copy(size);
        let (outside, good) = (self.b.label(), self.b.label());
        let start = self.address(self.scratch_start());
        let number = self.number_of(start);
        let offset = self.b.binary(BinaryOp::Sub, to, number);
        self.b.branch(Condition::Gt, offset, i64::from(SCRATCH), outside);
        let end = self.b.add(offset, size);
        self.b.branch(Condition::Le, end, i64::from(SCRATCH), good);
        self.b.place(outside);
        self.fault(fault::BADADDR, to, span);
        self.b.place(good);
        let at = self.b.add(start, offset);
        self.fill_from(helper, at, size, from, span);
        Operand::Imm(0)
    }

    /// copyout(): by way of scratch memory.
    fn copy_out(&mut self, from: Operand, to: Operand, size: Operand, span: Span) -> Operand {
        let piece = self.next_piece(size, span);
        self.fill_from(helper::PROBE_READ_KERNEL, piece.at, piece.size, from, span);
        self.write_user(piece.at, piece.size, to, span);
        Operand::Imm(0)
    }

    /// copyoutstr(): a string with its end, but at most so many bytes.
    fn copy_out_string(&mut self, arguments: &[Expr], span: Span) -> Operand {
        let (at, words) = self.words(&arguments[0]);
        let (to, most) = (self.int(&arguments[1]), self.int(&arguments[2]));
        let length = self.length(at, words);
        let size = self.b.add(length, 1);
        let (fits, whole) = (self.b.label(), self.b.label());
        self.b.branch(Condition::Le, size, most, whole);
        self.b.set(size, most);
        self.b.place(whole);
        // What the verifier does not know of the length.
        self.b.branch(Condition::Le, size, words * 8, fits);
        self.b.set(size, words * 8);
        self.b.place(fits);
        self.write_user(at, size, to, span);
        Operand::Imm(0)
    }

    /// Writes to the memory of the current process; a kernel thread has none.
    fn write_user(&mut self, from: VReg, size: VReg, to: Operand, span: Span) {
        self.needs_current(span);
        let nothing = self.b.label();
        self.b.branch(Condition::Eq, size, 0, nothing);
        let status = self.b.helper(helper::PROBE_WRITE_USER, &[to, from.into(), size.into()]);
        self.check_read(status, to, span);
        self.b.place(nothing);
    }
}

/// A piece of scratch memory.
struct Piece {
    /// Where it begins, a pointer.
    at: VReg,
    /// Its bytes.
    size: VReg,
    /// Bytes taken before it.
    used: VReg,
    /// Where it begins, a number.
    address: Operand,
}
