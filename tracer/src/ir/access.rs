//! Which registers an operation reads and writes, and when within the instruction it does.
//!
//! Invariant: this is the only place that knows; every pass asks here.

use super::{Base, BinaryOp, Memory, Op, Operand, VReg};

/// When, within the machine instructions made of one operation, a register is read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Time {
    /// Before anything is overwritten.
    Early = 0,
    /// After registers that the instruction clobbers are, before the result is written.
    Middle = 1,
    /// After the result is written: it needs a register other than the result's.
    Late = 2,
}

/// A place of an operation that reads a value.
pub(super) enum Read<'a> {
    /// A register or a number.
    Value(&'a mut Operand),
    /// A memory operand.
    Memory(&'a mut Memory),
}

impl BinaryOp {
    /// Whether the operands may change places.
    pub(super) fn commutes(self) -> bool {
        matches!(self, BinaryOp::Add | BinaryOp::Mul | BinaryOp::And | BinaryOp::Or | BinaryOp::Xor)
    }
}

impl Memory {
    /// The base register, if it has one.
    fn reg(&self) -> Operand {
        match self.base {
            Base::Reg(reg) => Operand::Reg(reg),
            Base::Stack(_) => Operand::Imm(0),
        }
    }
}

impl Op {
    /// Whether the register is read.
    pub(crate) fn reads(&self, register: VReg) -> bool {
        let mut found = false;
        self.for_each_use(|used, _| found |= used == register);
        found
    }

    /// Calls `see` for each register read.
    pub(super) fn for_each_use(&self, mut see: impl FnMut(VReg, Time)) {
        let mut read = |operand: &Operand, time| {
            if let Operand::Reg(reg) = operand {
                see(*reg, time);
            }
        };
        match self {
            Op::Label(_) | Op::Jump(_) | Op::Address { .. } => {}
            Op::Move { src, .. } | Op::Unary { src, .. } | Op::Return(src) => read(src, Time::Early),
            Op::Binary { op, left, right, .. } => {
                read(left, Time::Early);
                read(right, if op.commutes() { Time::Early } else { Time::Late });
            }
            Op::Load { from, .. } => read(&from.reg(), Time::Early),
            Op::Store { to, value, .. } | Op::AtomicAdd { to, value, .. } => {
                read(&to.reg(), Time::Early);
                read(value, Time::Early);
            }
            Op::Exchange { to, value, .. } => {
                read(value, Time::Early);
                read(&to.reg(), Time::Late);
            }
            Op::CompareExchange { to, expected, value, .. } => {
                read(expected, Time::Early);
                read(value, Time::Middle);
                read(&to.reg(), Time::Middle);
            }
            Op::Call { args, .. } => args.iter().for_each(|arg| read(arg, Time::Early)),
            Op::Branch { left, right, .. } => {
                read(left, Time::Early);
                read(right, Time::Early);
            }
        }
    }

    /// Calls `see` for each place that reads, to change it.
    pub(super) fn for_each_read(&mut self, mut see: impl FnMut(Read)) {
        match self {
            Op::Label(_) | Op::Jump(_) | Op::Address { .. } => {}
            Op::Move { src, .. } | Op::Unary { src, .. } | Op::Return(src) => see(Read::Value(src)),
            Op::Binary { left, right, .. } | Op::Branch { left, right, .. } => {
                see(Read::Value(left));
                see(Read::Value(right));
            }
            Op::Load { from, .. } => see(Read::Memory(from)),
            Op::Store { to, value, .. }
            | Op::AtomicAdd { to, value, .. }
            | Op::Exchange { to, value, .. } => {
                see(Read::Memory(to));
                see(Read::Value(value));
            }
            Op::CompareExchange { to, expected, value, .. } => {
                see(Read::Memory(to));
                see(Read::Value(expected));
                see(Read::Value(value));
            }
            Op::Call { args, .. } => args.iter_mut().for_each(|arg| see(Read::Value(arg))),
        }
    }

    /// Renames the registers that are read.
    pub(super) fn rename_uses(&mut self, mut rename: impl FnMut(VReg) -> VReg) {
        self.for_each_read(|read| match read {
            Read::Value(Operand::Reg(reg)) | Read::Memory(Memory { base: Base::Reg(reg), .. }) => {
                *reg = rename(*reg);
            }
            _ => {}
        });
    }

    /// The register written.
    pub(super) fn def(&self) -> Option<VReg> {
        match self {
            Op::Move { dst, .. }
            | Op::Address { dst, .. }
            | Op::Unary { dst, .. }
            | Op::Binary { dst, .. }
            | Op::Load { dst, .. }
            | Op::Exchange { dst, .. }
            | Op::CompareExchange { dst, .. } => Some(*dst),
            Op::Call { result, .. } => *result,
            _ => None,
        }
    }

    /// The register written, to change it.
    pub(super) fn def_mut(&mut self) -> Option<&mut VReg> {
        match self {
            Op::Move { dst, .. }
            | Op::Address { dst, .. }
            | Op::Unary { dst, .. }
            | Op::Binary { dst, .. }
            | Op::Load { dst, .. }
            | Op::Exchange { dst, .. }
            | Op::CompareExchange { dst, .. } => Some(dst),
            Op::Call { result, .. } => result.as_mut(),
            _ => None,
        }
    }

    /// Whether nothing but the register written changes.
    pub(super) fn is_pure(&self) -> bool {
        matches!(
            self,
            Op::Move { .. } | Op::Address { .. } | Op::Unary { .. } | Op::Binary { .. } | Op::Load { .. }
        )
    }
}
