//! From what the IR can say to what the machine can do.
//!
//! [`expand_division`] runs before the optimizer, so that constant divisors fold; [`legalize`] runs after it, and
//! leaves what `emit` expects: immediates that fit their fields, and no result over an operand that is still needed.
//! Invariant: neither adds branches, so what the verifier has to explore does not grow.

use super::{Base, BinaryOp, Condition, Function, Insn, Memory, Op, Operand, Size, VReg, Width};

/// The instructions of a function while they are rewritten one by one.
struct Rewrite<'a> {
    vregs: &'a mut u32,
    insns: Vec<Insn>,
}

impl Rewrite<'_> {
    /// Makes each instruction anew with `each`, which may push others before it.
    fn run(function: &mut Function, each: impl Fn(&mut Rewrite, &mut Insn)) {
        let old = std::mem::take(&mut function.insns);
        let insns = Vec::with_capacity(old.len() + old.len() / 4);
        let mut rewrite = Rewrite { vregs: &mut function.vregs, insns };
        for mut insn in old {
            each(&mut rewrite, &mut insn);
            rewrite.insns.push(insn);
        }
        function.insns = rewrite.insns;
    }

    fn fresh(&mut self) -> VReg {
        *self.vregs += 1;
        VReg(*self.vregs - 1)
    }

    /// A fresh register with the value, set before the instruction.
    fn copy(&mut self, before: &Insn, src: Operand) -> Operand {
        let dst = self.fresh();
        self.insns.push(Insn { op: Op::Move { dst, src }, at: before.at });
        Operand::Reg(dst)
    }

    /// A fresh register with `left op right`, computed before the instruction.
    fn binary(&mut self, before: &Insn, op: BinaryOp, left: Operand, right: Operand) -> Operand {
        let dst = self.fresh();
        self.insns.push(Insn { op: Op::Binary { op, dst, left, right }, at: before.at });
        Operand::Reg(dst)
    }
}

/// Replaces signed division and remainder: there is only an unsigned one before ISA version 4.
///
/// With m = -1 for a negative x and 0 otherwise, (x ^ m) - m is |x|, and gives a magnitude its sign back.
pub(super) fn expand_division(function: &mut Function) {
    Rewrite::run(function, |rewrite, insn| {
        let Op::Binary { op: op @ (BinaryOp::Sdiv | BinaryOp::Smod), dst, left, right } = insn.op else {
            return;
        };
        let sign = |rewrite: &mut Rewrite, x| rewrite.binary(insn, BinaryOp::Ashr, x, Operand::Imm(63));
        let apply = |rewrite: &mut Rewrite, x, sign| {
            let flipped = rewrite.binary(insn, BinaryOp::Xor, x, sign);
            rewrite.binary(insn, BinaryOp::Sub, flipped, sign)
        };
        let (left_sign, right_sign) = (sign(rewrite, left), sign(rewrite, right));
        let (left, right) = (apply(rewrite, left, left_sign), apply(rewrite, right, right_sign));
        let (op, sign) = match op {
            BinaryOp::Sdiv => (BinaryOp::Div, rewrite.binary(insn, BinaryOp::Xor, left_sign, right_sign)),
            _ => (BinaryOp::Mod, left_sign),
        };
        let magnitude = rewrite.binary(insn, op, left, right);
        insn.op = Op::Move { dst, src: apply(rewrite, magnitude, sign) };
    });
}

/// Whether a number fits the field of an immediate, which is extended with its sign.
fn fits(imm: i64) -> bool {
    i32::try_from(imm).is_ok()
}

/// Makes everything fit the machine's instructions.
pub(super) fn legalize(function: &mut Function) {
    Rewrite::run(function, |rewrite, insn| {
        let before = insn.clone();
        let in_reg = |rewrite: &mut Rewrite, operand: &mut Operand| {
            if let Operand::Imm(_) = operand {
                *operand = rewrite.copy(&before, *operand);
            }
        };
        match &mut insn.op {
            Op::Binary { op, dst, left, right } => {
                if op.commutes() && matches!(left, Operand::Imm(_)) {
                    std::mem::swap(left, right);
                }
                let over_right = *right == Operand::Reg(*dst) && left != right && !op.commutes();
                if over_right || matches!(*right, Operand::Imm(imm) if !fits(imm)) {
                    *right = rewrite.copy(&before, *right);
                }
            }
            Op::Branch { condition, width, left, right, .. } => {
                if let Operand::Imm(_) = left {
                    std::mem::swap(left, right);
                    *condition = condition.swapped();
                }
                in_reg(rewrite, left);
                match right {
                    Operand::Imm(imm) if *width == Width::W32 => *imm = i64::from(*imm as i32),
                    Operand::Imm(imm) if !fits(*imm) => in_reg(rewrite, right),
                    _ => {}
                }
            }
            Op::Store { size, to, value } => {
                reach(rewrite, &before, to);
                match value {
                    Operand::Imm(imm) if *size != Size::B8 => *imm = i64::from(*imm as i32),
                    Operand::Imm(imm) if !fits(*imm) => in_reg(rewrite, value),
                    _ => {}
                }
            }
            Op::Load { from, .. } => reach(rewrite, &before, from),
            Op::AtomicAdd { to, value, .. } => {
                reach(rewrite, &before, to);
                in_reg(rewrite, value);
            }
            Op::Exchange { dst, to, .. } => {
                reach(rewrite, &before, to);
                if to.base == Base::Reg(*dst)
                    && let Operand::Reg(base) = rewrite.copy(&before, Operand::Reg(*dst))
                {
                    to.base = Base::Reg(base);
                }
            }
            Op::CompareExchange { to, value, .. } => {
                reach(rewrite, &before, to);
                in_reg(rewrite, value);
            }
            _ => {}
        }
    });
}

/// Brings the offset of a memory operand into 16 bits.
fn reach(rewrite: &mut Rewrite, before: &Insn, memory: &mut Memory) {
    if let Base::Reg(base) = memory.base
        && i16::try_from(memory.offset).is_err()
        && let far = Operand::Imm(memory.offset.into())
        && let Operand::Reg(base) = rewrite.binary(before, BinaryOp::Add, Operand::Reg(base), far)
    {
        *memory = Memory { base: Base::Reg(base), offset: 0 };
    }
}

impl Condition {
    /// The condition with the operands exchanged.
    pub(super) fn swapped(self) -> Condition {
        match self {
            Condition::Gt => Condition::Lt,
            Condition::Ge => Condition::Le,
            Condition::Lt => Condition::Gt,
            Condition::Le => Condition::Ge,
            Condition::Sgt => Condition::Slt,
            Condition::Sge => Condition::Sle,
            Condition::Slt => Condition::Sgt,
            Condition::Sle => Condition::Sge,
            same => same,
        }
    }
}
