//! Constant folding, copy propagation and cheaper forms of operations, in one forward walk.
//!
//! What is known of a register holds within its block; where the register and what it is known by are both assigned
//! only once, it holds wherever the register may be read. Invariant: a fact that may be stale is never used: each
//! carries the version of the register that it refers to.

use super::access::Read;
use super::eval::{eval_binary, eval_condition, eval_unary};
use super::{Base, BinaryOp, Function, Memory, Object, Op, Operand, Size, StackSlot, UnaryOp, VReg};

/// What a register is known to hold.
#[derive(Clone, Copy)]
enum Fact {
    /// A number, or the same as another register.
    Same(Operand),
    /// Another register and a number.
    Offset(VReg, i32),
    /// The address of a byte of a stack slot.
    Stack(StackSlot, i32),
    /// A number that extending so many of its bits does not change.
    Fits { bits: u8, signed: bool },
}

impl Fact {
    /// The register that it refers to.
    fn source(self) -> Option<VReg> {
        match self {
            Fact::Same(Operand::Reg(reg)) | Fact::Offset(reg, _) => Some(reg),
            _ => None,
        }
    }
}

struct Known {
    fact: Fact,
    block: u32,
    source_version: u32,
}

struct Folder {
    known: Vec<Option<Known>>,
    versions: Vec<u32>,
    /// Whether each register is assigned only once.
    single: Vec<bool>,
    block: u32,
}

/// Folds what can be; says whether anything changed.
pub(super) fn fold(function: &mut Function) -> bool {
    let count = function.vregs as usize;
    let mut defs = vec![0; count];
    let written = function.insns.iter().filter_map(|insn| insn.op.def());
    written.chain(function.params.iter().copied()).for_each(|reg| defs[reg.0 as usize] += 1);
    let mut folder = Folder {
        known: (0..count).map(|_| None).collect(),
        versions: vec![0; count],
        single: defs.iter().map(|&defs| defs == 1).collect(),
        block: 0,
    };
    let mut changed = false;
    function.insns.retain_mut(|insn| {
        let before = insn.op.clone();
        let keep = folder.visit(&mut insn.op);
        changed |= !keep || insn.op != before;
        keep
    });
    changed
}

impl Folder {
    /// Improves one operation; says whether it is to stay.
    fn visit(&mut self, op: &mut Op) -> bool {
        op.for_each_read(|read| match read {
            Read::Value(operand) => *operand = self.value(*operand),
            Read::Memory(memory) => *memory = self.reach(*memory),
        });
        match op {
            Op::Label(_) => self.block += 1,
            Op::Branch { condition, width, left, right, target } => {
                if let (Operand::Imm(a), Operand::Imm(b)) = (*left, *right) {
                    if !eval_condition(*condition, *width, a, b) {
                        return false;
                    }
                    *op = Op::Jump(*target);
                }
            }
            Op::Binary { op: operation, dst, left, right } => {
                *op = self.simplify_binary(*operation, *dst, *left, *right);
            }
            Op::Unary { op: operation, dst, src } => *op = self.simplify_unary(*operation, *dst, *src),
            _ => {}
        }
        match *op {
            Op::Move { dst, src: Operand::Reg(src) } if !self.single[dst.0 as usize] => self.join(dst, src),
            _ => {
                if let Some(dst) = op.def() {
                    self.define(dst, learn(op));
                }
            }
        }
        true
    }

    /// Notes that a register is assigned, and what is known of its value.
    fn define(&mut self, dst: VReg, fact: Option<Fact>) {
        self.versions[dst.0 as usize] += 1;
        self.know(dst, fact.filter(|fact| fact.source() != Some(dst)));
    }

    fn know(&mut self, reg: VReg, fact: Option<Fact>) {
        self.known[reg.0 as usize] = fact.map(|fact| Known {
            fact,
            block: self.block,
            source_version: fact.source().map_or(0, |source| self.versions[source.0 as usize]),
        });
    }

    /// Notes a copy into a variable that is assigned elsewhere, too. From here on the variable stands for the value
    /// that was copied, which then need not outlive the copy, and can share its register.
    fn join(&mut self, variable: VReg, value: VReg) {
        let fact = self.fact(value);
        self.define(variable, fact);
        if fact.is_none() && self.single[value.0 as usize] {
            self.know(value, Some(Fact::Same(variable.into())));
        }
    }

    /// What is known of a register now.
    fn fact(&self, reg: VReg) -> Option<Fact> {
        let known = self.known[reg.0 as usize].as_ref()?;
        let source = known.fact.source();
        let fresh = source.is_none_or(|source| self.versions[source.0 as usize] == known.source_version);
        let single = |reg: VReg| self.single[reg.0 as usize];
        let lasts = known.block == self.block || single(reg) && source.is_none_or(single);
        (fresh && lasts).then_some(known.fact)
    }

    /// The operand, or what it is a copy of.
    fn value(&self, operand: Operand) -> Operand {
        match operand {
            Operand::Reg(reg) => match self.fact(reg) {
                Some(Fact::Same(same)) => same,
                _ => operand,
            },
            Operand::Imm(_) => operand,
        }
    }

    /// The memory operand, relative to what its base was computed from.
    fn reach(&self, memory: Memory) -> Memory {
        let Base::Reg(reg) = memory.base else { return memory };
        let (base, offset) = match self.fact(reg) {
            Some(Fact::Same(Operand::Reg(same))) => (Base::Reg(same), 0),
            Some(Fact::Offset(base, offset)) => (Base::Reg(base), offset),
            Some(Fact::Stack(slot, offset)) => (Base::Stack(slot), offset),
            _ => return memory,
        };
        match memory.offset.checked_add(offset) {
            Some(offset) if i16::try_from(offset).is_ok() => Memory { base, offset },
            _ => memory,
        }
    }

    fn simplify_binary(&self, op: BinaryOp, dst: VReg, left: Operand, right: Operand) -> Op {
        let same = |src| Op::Move { dst, src };
        let (left, right) = match (left, right) {
            (Operand::Imm(a), Operand::Imm(b)) => return same(Operand::Imm(eval_binary(op, a, b))),
            (Operand::Imm(_), Operand::Reg(_)) if op.commutes() => (right, left),
            operands => operands,
        };
        let Operand::Imm(imm) = right else { return Op::Binary { op, dst, left, right } };
        let with = |op, imm| Op::Binary { op, dst, left, right: Operand::Imm(imm) };
        let shift = i64::from(imm.trailing_zeros());
        let is_power = (imm as u64).is_power_of_two();
        match (op, imm) {
            (BinaryOp::Sub, _) if imm != i64::MIN => {
                self.simplify_binary(BinaryOp::Add, dst, left, (-imm).into())
            }
            (BinaryOp::Shl | BinaryOp::Lshr | BinaryOp::Ashr, _) if imm & 63 != imm => {
                self.simplify_binary(op, dst, left, (imm & 63).into())
            }
            (BinaryOp::Add | BinaryOp::Or | BinaryOp::Xor, 0)
            | (BinaryOp::Shl | BinaryOp::Lshr | BinaryOp::Ashr, 0)
            | (BinaryOp::Mul | BinaryOp::Div, 1)
            | (BinaryOp::And, -1)
            | (BinaryOp::Mod, 0) => same(left),
            (BinaryOp::Mul | BinaryOp::And | BinaryOp::Div, 0) | (BinaryOp::Mod, 1) => same(Operand::Imm(0)),
            (BinaryOp::Mul, _) if is_power => with(BinaryOp::Shl, shift),
            (BinaryOp::Div, _) if is_power => with(BinaryOp::Lshr, shift),
            (BinaryOp::Mod, _) if is_power => with(BinaryOp::And, imm.wrapping_sub(1)),
            (BinaryOp::Add, _) => match left {
                Operand::Reg(reg) => self.simplify_sum(dst, reg, imm),
                Operand::Imm(_) => with(op, imm),
            },
            _ => with(op, imm),
        }
    }

    /// `reg + imm`, from what `reg` itself is a sum of.
    fn simplify_sum(&self, dst: VReg, reg: VReg, imm: i64) -> Op {
        let sum = |offset: i32| i32::try_from(imm).ok()?.checked_add(offset);
        let plain = Op::Binary { op: BinaryOp::Add, dst, left: reg.into(), right: imm.into() };
        match self.fact(reg) {
            Some(Fact::Offset(base, offset)) => sum(offset).map_or(plain, |imm| Op::Binary {
                op: BinaryOp::Add,
                dst,
                left: base.into(),
                right: imm.into(),
            }),
            Some(Fact::Stack(slot, offset)) => {
                sum(offset).map_or(plain, |offset| Op::Address { dst, of: Object::Stack { slot, offset } })
            }
            _ => plain,
        }
    }

    fn simplify_unary(&self, op: UnaryOp, dst: VReg, src: Operand) -> Op {
        let reg = match src {
            Operand::Imm(imm) => return Op::Move { dst, src: Operand::Imm(eval_unary(op, imm)) },
            Operand::Reg(reg) => reg,
        };
        if let (UnaryOp::Extend { bits, signed }, Some(Fact::Fits { bits: fits, signed: fits_signed })) =
            (op, self.fact(reg))
            && (signed == fits_signed && fits <= bits || signed && fits < bits)
        {
            return Op::Move { dst, src };
        }
        Op::Unary { op, dst, src }
    }
}

/// What the operation says about the register that it writes.
fn learn(op: &Op) -> Option<Fact> {
    Some(match *op {
        Op::Move { src, .. } => Fact::Same(src),
        Op::Address { of: Object::Stack { slot, offset }, .. } => Fact::Stack(slot, offset),
        Op::Binary { op: BinaryOp::Add, left: Operand::Reg(base), right: Operand::Imm(imm), .. } => {
            Fact::Offset(base, i32::try_from(imm).ok()?)
        }
        Op::Unary { op: UnaryOp::Extend { bits, signed }, .. } => Fact::Fits { bits, signed },
        Op::Load { size, signed, .. } if size != Size::B8 => {
            Fact::Fits { bits: size.bytes() as u8 * 8, signed }
        }
        _ => return None,
    })
}
