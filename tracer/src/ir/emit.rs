//! The last step: machine instructions from operations whose registers have homes.
//!
//! Expects what `legalize` leaves: immediates that fit, no result over an operand that is still needed. Invariant:
//! a move whose two sides share a home makes no instruction, so allocation decides what copies cost.

use super::allocate::{Home, Homes};
use super::{
    At, Base, BinaryOp, Callee, Condition, Error, FRAME_LIMIT, Function, Label, Memory, Object, Op, Operand,
    Size, StackSlot, UnaryOp, VReg, Width,
};
use crate::bpf::insn::{FRAME, alu, atomic, jmp, size};
use crate::bpf::{Code, Insn, Relocation, RelocationKind};

/// The register of a result, and of what calls and exchanges pass over.
const RESULT: u8 = 0;

/// Makes the code of a function.
pub(super) fn emit(function: &Function, homes: &Homes) -> Result<Code, Error> {
    let slots = place_slots(function);
    let below_slots = slots.last().copied().unwrap_or(0);
    let frame = below_slots.unsigned_abs() + 8 * homes.words;
    if frame > FRAME_LIMIT {
        return Err(Error::Frame { function: function.name.clone(), need: frame, limit: FRAME_LIMIT });
    }
    let mut emitter = Emitter {
        homes,
        slots,
        below_slots,
        code: Code { name: function.name.clone(), frame, ..Code::default() },
        labels: vec![0; function.labels as usize],
        jumps: Vec::new(),
    };
    emitter.receive_params();
    for insn in &function.insns {
        emitter.note_line(insn.at);
        emitter.op(&insn.op);
    }
    emitter.resolve_jumps()
}

/// The offset of each slot from the frame pointer.
fn place_slots(function: &Function) -> Vec<i32> {
    let sizes = function.slots.iter().map(|size| size.next_multiple_of(8) as i32);
    sizes
        .scan(0, |top, size| {
            *top -= size;
            Some(*top)
        })
        .collect()
}

struct Emitter<'a> {
    homes: &'a Homes,
    slots: Vec<i32>,
    /// Where the words of spilled registers begin, downward.
    below_slots: i32,
    code: Code,
    labels: Vec<u32>,
    /// Jumps whose offsets are still to be filled in.
    jumps: Vec<(u32, Label)>,
}

impl Emitter<'_> {
    fn here(&self) -> u32 {
        self.code.insns.len() as u32
    }

    fn push(&mut self, insn: Insn) {
        self.code.insns.push(insn);
    }

    fn note_line(&mut self, at: Option<At>) {
        let Some(at) = at else { return };
        let here = self.here();
        match self.code.lines.last_mut() {
            Some((_, last)) if *last == at => {}
            Some((offset, last)) if *offset == here => *last = at,
            _ => self.code.lines.push((here, at)),
        }
    }

    /// The machine register of a virtual one.
    fn reg(&self, reg: VReg) -> u8 {
        match self.homes.homes[reg.0 as usize] {
            Some(Home::Reg(home)) => home,
            other => unreachable!("{reg:?} is read or written in {other:?}"),
        }
    }

    fn slot(&self, slot: StackSlot, offset: i32) -> i32 {
        self.slots[slot.0 as usize] + offset
    }

    /// The base register and offset of a memory operand.
    fn memory(&self, memory: Memory) -> (u8, i16) {
        match memory.base {
            Base::Reg(reg) => (self.reg(reg), memory.offset as i16),
            Base::Stack(slot) => (FRAME, self.slot(slot, memory.offset) as i16),
        }
    }

    fn copy(&mut self, dst: u8, src: u8) {
        if dst != src {
            self.push(Insn::alu_reg(alu::MOV, dst, src));
        }
    }

    /// `dst = imm` in the shortest form
    fn load_imm(&mut self, dst: u8, imm: i64) {
        if let Ok(imm) = i32::try_from(imm) {
            self.push(Insn::alu_imm(alu::MOV, dst, imm));
        } else if let Ok(imm) = u32::try_from(imm) {
            self.push(Insn::alu_imm(alu::MOV, dst, imm as i32).narrow());
        } else {
            self.code.insns.extend(Insn::load_imm64(dst, imm));
        }
    }

    fn bring(&mut self, dst: u8, src: Operand) {
        match src {
            Operand::Reg(src) => self.copy(dst, self.reg(src)),
            Operand::Imm(imm) => self.load_imm(dst, imm),
        }
    }

    /// `dst op= src`
    fn alu(&mut self, op: u8, dst: u8, src: Operand) {
        let insn = match src {
            Operand::Reg(src) => Insn::alu_reg(op, dst, self.reg(src)),
            Operand::Imm(imm) => Insn::alu_imm(op, dst, imm as i32),
        };
        self.push(insn);
    }

    fn relocate(&mut self, kind: RelocationKind, symbol: &str, addend: i64) {
        let offset = self.here();
        self.code.relocations.push(Relocation { offset, kind, symbol: symbol.into(), addend });
    }

    /// Copies many registers at once: each gets what the other held before. `spare` is none of them.
    fn copy_all(&mut self, mut moves: Vec<(u8, u8)>, spare: u8) {
        moves.retain(|(dst, src)| dst != src);
        while !moves.is_empty() {
            let ready = moves.iter().position(|(dst, _)| moves.iter().all(|(_, src)| src != dst));
            match ready {
                Some(index) => {
                    let (dst, src) = moves.swap_remove(index);
                    self.copy(dst, src);
                }
                None => {
                    // Only cycles are left: open one by moving a source aside.
                    let aside = moves[0].1;
                    self.copy(spare, aside);
                    let readers = moves.iter_mut().filter(|(_, src)| *src == aside);
                    readers.for_each(|(_, src)| *src = spare);
                }
            }
        }
    }

    /// Moves the arguments from where they come in to where they live.
    fn receive_params(&mut self) {
        let homes = self.homes.params.iter().zip(1..);
        let moves: Vec<(u8, u8)> = homes.filter_map(|(home, arrives)| Some(((*home)?, arrives))).collect();
        let spare = (0..FRAME).find(|reg| moves.iter().all(|(dst, src)| dst != reg && src != reg));
        // Where all ten are named, none is both source and destination, and no spare is needed.
        self.copy_all(moves, spare.unwrap_or(RESULT));
    }

    fn op(&mut self, op: &Op) {
        match op {
            Op::Label(label) => self.labels[label.0 as usize] = self.here(),
            Op::Move { dst, src } => self.do_move(*dst, *src),
            Op::Address { dst, of } => self.do_address(self.reg(*dst), of),
            Op::Unary { op, dst, src } => self.do_unary(*op, self.reg(*dst), *src),
            Op::Binary { op, dst, left, right } => self.do_binary(*op, self.reg(*dst), *left, *right),
            Op::Load { dst, size, signed, from } => {
                let (dst, (base, offset)) = (self.reg(*dst), self.memory(*from));
                self.push(Insn::load(size_code(*size), dst, base, offset));
                if *signed {
                    self.extend_sign(dst, size.bytes() as i32 * 8);
                }
            }
            Op::Store { size, to, value } => {
                let (base, offset) = self.memory(*to);
                let insn = match *value {
                    Operand::Reg(value) => Insn::store_reg(size_code(*size), base, offset, self.reg(value)),
                    Operand::Imm(imm) => Insn::store_imm(size_code(*size), base, offset, imm as i32),
                };
                self.push(insn);
            }
            Op::AtomicAdd { width, to, value } => {
                let value = self.in_reg(*value);
                self.do_atomic(atomic::ADD, *width, *to, value);
            }
            Op::Exchange { width, dst, to, value } => {
                let dst = self.reg(*dst);
                self.bring(dst, *value);
                self.do_atomic(atomic::XCHG, *width, *to, dst);
            }
            Op::CompareExchange { width, dst, to, expected, value } => {
                self.bring(RESULT, *expected);
                let value = self.in_reg(*value);
                self.do_atomic(atomic::CMPXCHG, *width, *to, value);
                let dst = self.reg(*dst);
                match width {
                    Width::W64 => self.copy(dst, RESULT),
                    // x86's leaves the upper half of what was expected where it is found, and the verifier, which is to widen
                    // that, does not always see that it is read.
                    Width::W32 => self.push(Insn::alu_reg(alu::MOV, dst, RESULT).narrow()),
                }
            }
            Op::Call { callee, args, result } => self.do_call(callee, args, *result),
            Op::Jump(target) => {
                self.jumps.push((self.here(), *target));
                self.push(Insn::jump());
            }
            Op::Branch { condition, width, left, right, target } => {
                self.jumps.push((self.here(), *target));
                let (op, left) = (condition_code(*condition), self.in_reg(*left));
                let insn = match *right {
                    Operand::Reg(right) => Insn::branch_reg(op, left, self.reg(right)),
                    Operand::Imm(imm) => Insn::branch_imm(op, left, imm as i32),
                };
                self.push(if *width == Width::W32 { insn.narrow() } else { insn });
            }
            Op::Return(value) => {
                self.bring(RESULT, *value);
                self.push(Insn::exit());
            }
        }
    }

    fn in_reg(&self, value: Operand) -> u8 {
        match value {
            Operand::Reg(reg) => self.reg(reg),
            Operand::Imm(imm) => unreachable!("{imm} is not legal here"),
        }
    }

    fn do_move(&mut self, dst: VReg, src: Operand) {
        let word = |reg: VReg| match self.homes.homes[reg.0 as usize] {
            Some(Home::Word(word)) => Some((self.below_slots - 8 * (word as i32 + 1)) as i16),
            _ => None,
        };
        let insn = match (word(dst), src) {
            (Some(to), src) => Insn::store_reg(size::DW, FRAME, to, self.in_reg(src)),
            (None, Operand::Reg(src)) => match word(src) {
                Some(from) => Insn::load(size::DW, self.reg(dst), FRAME, from),
                None => return self.copy(self.reg(dst), self.reg(src)),
            },
            (None, Operand::Imm(imm)) => return self.load_imm(self.reg(dst), imm),
        };
        self.push(insn);
    }

    fn do_address(&mut self, dst: u8, of: &Object) {
        match of {
            Object::Map { symbol } => {
                self.relocate(RelocationKind::Map, symbol, 0);
                self.code.insns.extend(Insn::load_imm64(dst, 0));
            }
            Object::Data { symbol, offset } => {
                self.relocate(RelocationKind::Data, symbol, (*offset).into());
                self.code.insns.extend(Insn::load_imm64(dst, (*offset as u32).into()));
            }
            Object::Stack { slot, offset } => {
                self.copy(dst, FRAME);
                self.push(Insn::alu_imm(alu::ADD, dst, self.slot(*slot, *offset)));
            }
        }
    }

    fn do_unary(&mut self, op: UnaryOp, dst: u8, src: Operand) {
        if let (UnaryOp::Extend { bits: 32, signed: false }, Operand::Reg(src)) = (op, src) {
            return self.push(Insn::alu_reg(alu::MOV, dst, self.reg(src)).narrow());
        }
        self.bring(dst, src);
        match op {
            UnaryOp::Neg => self.push(Insn::alu_imm(alu::NEG, dst, 0)),
            UnaryOp::Not => self.push(Insn::alu_imm(alu::XOR, dst, -1)),
            UnaryOp::Extend { bits, signed: true } => self.extend_sign(dst, bits.into()),
            UnaryOp::Extend { bits: 32, signed: false } => {
                self.push(Insn::alu_reg(alu::MOV, dst, dst).narrow());
            }
            UnaryOp::Extend { bits, signed: false } => {
                self.push(Insn::alu_imm(alu::AND, dst, (1 << bits) - 1))
            }
            UnaryOp::BigEndian { bits } => self.push(Insn::big_endian(dst, bits.into())),
        }
    }

    /// Extends the low bits of a register with their sign.
    fn extend_sign(&mut self, reg: u8, bits: i32) {
        if bits < 64 {
            self.push(Insn::alu_imm(alu::LSH, reg, 64 - bits));
            self.push(Insn::alu_imm(alu::ARSH, reg, 64 - bits));
        }
    }

    fn do_binary(&mut self, op: BinaryOp, dst: u8, left: Operand, right: Operand) {
        let over_right = matches!(right, Operand::Reg(right) if self.reg(right) == dst);
        let (left, right) = if over_right && op.commutes() { (right, left) } else { (left, right) };
        self.bring(dst, left);
        self.alu(binary_code(op), dst, right);
    }

    fn do_atomic(&mut self, operation: i32, width: Width, to: Memory, src: u8) {
        let (base, offset) = self.memory(to);
        let size = if width == Width::W32 { size::W } else { size::DW };
        self.push(Insn::atomic(operation, size, base, offset, src));
    }

    fn do_call(&mut self, callee: &Callee, args: &[Operand], result: Option<VReg>) {
        let (mut moves, mut numbers) = (Vec::new(), Vec::new());
        for (&arg, register) in args.iter().zip(1..) {
            match arg {
                Operand::Reg(reg) => moves.push((register, self.reg(reg))),
                Operand::Imm(imm) => numbers.push((register, imm)),
            }
        }
        // The call overwrites r0; in a cycle all are argument registers, so it can stand in.
        self.copy_all(moves, RESULT);
        numbers.into_iter().for_each(|(register, imm)| self.load_imm(register, imm));
        match callee {
            Callee::Helper(id) => self.push(Insn::call_helper(*id)),
            Callee::Symbol(symbol) => {
                self.relocate(RelocationKind::Call, symbol, 0);
                self.push(Insn::call_function());
            }
        }
        if let Some(result) = result {
            self.copy(self.reg(result), RESULT);
        }
    }

    /// Fills in the offsets of the jumps.
    fn resolve_jumps(mut self) -> Result<Code, Error> {
        for (from, label) in &self.jumps {
            let distance = i64::from(self.labels[label.0 as usize]) - i64::from(*from) - 1;
            let too_far = |_| Error::TooFar { function: self.code.name.clone() };
            self.code.insns[*from as usize].offset = i16::try_from(distance).map_err(too_far)?;
        }
        Ok(self.code)
    }
}

fn size_code(size: Size) -> u8 {
    match size {
        Size::B1 => size::B,
        Size::B2 => size::H,
        Size::B4 => size::W,
        Size::B8 => size::DW,
    }
}

fn binary_code(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Add => alu::ADD,
        BinaryOp::Sub => alu::SUB,
        BinaryOp::Mul => alu::MUL,
        BinaryOp::Div => alu::DIV,
        BinaryOp::Mod => alu::MOD,
        BinaryOp::And => alu::AND,
        BinaryOp::Or => alu::OR,
        BinaryOp::Xor => alu::XOR,
        BinaryOp::Shl => alu::LSH,
        BinaryOp::Lshr => alu::RSH,
        BinaryOp::Ashr => alu::ARSH,
        BinaryOp::Sdiv | BinaryOp::Smod => unreachable!("the machine has no signed division"),
    }
}

fn condition_code(condition: Condition) -> u8 {
    match condition {
        Condition::Eq => jmp::JEQ,
        Condition::Ne => jmp::JNE,
        Condition::Gt => jmp::JGT,
        Condition::Ge => jmp::JGE,
        Condition::Lt => jmp::JLT,
        Condition::Le => jmp::JLE,
        Condition::Sgt => jmp::JSGT,
        Condition::Sge => jmp::JSGE,
        Condition::Slt => jmp::JSLT,
        Condition::Sle => jmp::JSLE,
        Condition::Set => jmp::JSET,
    }
}
