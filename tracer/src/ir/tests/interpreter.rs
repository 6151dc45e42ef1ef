//! A direct interpreter of the IR: what a function means, to hold compiled code against.
//!
//! It shares nothing with the compiler but the types, and is written for plainness.

use crate::ir::*;

/// Where the function's input lies in the interpreter's memory.
pub(super) const INPUT: i64 = 0x1000;
/// Where stack slots lie, this many bytes apart.
const SLOTS: i64 = 0x2000;
const SLOT_SPACE: i64 = 0x100;

/// What a helper does with its arguments; the rest are zero.
pub(super) fn mix(a: u64, b: u64, c: u64, d: u64, e: u64) -> u64 {
    [a, b, c, d, e].into_iter().fold(17, |sum, x| sum.rotate_left(7).wrapping_mul(31) ^ x)
}

/// Runs a function of one parameter, the address of `input`.
pub(super) fn run(function: &Function, input: &[u8]) -> u64 {
    run_on(function, &mut input.to_vec())
}

/// Runs a function of one parameter, the address of `input`, which it may write to.
pub(super) fn run_on(function: &Function, input: &mut [u8]) -> u64 {
    let mut machine = Machine {
        regs: vec![0xdead; function.vregs as usize],
        input,
        stack: vec![0; function.slots.len() * SLOT_SPACE as usize],
    };
    machine.regs[function.params[0].0 as usize] = INPUT;
    let mut next = 0;
    for _ in 0..1_000_000 {
        match machine.step(&function.insns[next].op) {
            Step::Next => next += 1,
            Step::Return(value) => return value,
            Step::Goto(label) => {
                let is_target = |insn: &Insn| matches!(insn.op, Op::Label(here) if here == label);
                next = function.insns.iter().position(is_target).expect("the label is placed");
            }
        }
    }
    panic!("the function does not end");
}

enum Step {
    Next,
    Goto(Label),
    Return(u64),
}

struct Machine<'a> {
    regs: Vec<i64>,
    input: &'a mut [u8],
    stack: Vec<u8>,
}

impl Machine<'_> {
    fn value(&self, operand: Operand) -> i64 {
        match operand {
            Operand::Reg(reg) => self.regs[reg.0 as usize],
            Operand::Imm(imm) => imm,
        }
    }

    fn bytes(&mut self, memory: Memory, count: usize) -> &mut [u8] {
        let base = match memory.base {
            Base::Reg(reg) => self.regs[reg.0 as usize],
            Base::Stack(slot) => SLOTS + SLOT_SPACE * i64::from(slot.0),
        };
        let address = base + i64::from(memory.offset);
        if address >= SLOTS {
            &mut self.stack[(address - SLOTS) as usize..][..count]
        } else {
            &mut self.input[(address - INPUT) as usize..][..count]
        }
    }

    fn load(&mut self, memory: Memory, count: usize) -> i64 {
        let mut word = [0; 8];
        word[..count].copy_from_slice(self.bytes(memory, count));
        i64::from_le_bytes(word)
    }

    fn store(&mut self, memory: Memory, count: usize, value: i64) {
        self.bytes(memory, count).copy_from_slice(&value.to_le_bytes()[..count]);
    }

    fn step(&mut self, op: &Op) -> Step {
        let bytes = |width: &Width| if *width == Width::W32 { 4 } else { 8 };
        let (dst, value) = match op {
            Op::Label(_) => return Step::Next,
            Op::Jump(target) => return Step::Goto(*target),
            Op::Return(value) => return Step::Return(self.value(*value) as u64),
            Op::Branch { condition, width, left, right, target } => {
                let (left, right) = (self.value(*left), self.value(*right));
                return if holds(*condition, *width, left, right) { Step::Goto(*target) } else { Step::Next };
            }
            Op::Store { size, to, value } => {
                self.store(*to, size.bytes() as usize, self.value(*value));
                return Step::Next;
            }
            Op::AtomicAdd { width, to, value } => {
                let sum = self.load(*to, bytes(width)).wrapping_add(self.value(*value));
                self.store(*to, bytes(width), sum);
                return Step::Next;
            }
            Op::Move { dst, src } => (*dst, self.value(*src)),
            Op::Address { dst, of: Object::Stack { slot, offset } } => {
                (*dst, SLOTS + SLOT_SPACE * i64::from(slot.0) + i64::from(*offset))
            }
            Op::Address { of, .. } => panic!("there is no {of:?} here"),
            Op::Unary { op, dst, src } => (*dst, unary(*op, self.value(*src))),
            Op::Binary { op, dst, left, right } => (*dst, binary(*op, self.value(*left), self.value(*right))),
            Op::Load { dst, size, signed, from } => {
                let value = self.load(*from, size.bytes() as usize);
                let extend = UnaryOp::Extend { bits: size.bytes() as u8 * 8, signed: *signed };
                (*dst, if *size == Size::B8 { value } else { unary(extend, value) })
            }
            Op::Exchange { width, dst, to, value } => {
                let (old, new) = (self.load(*to, bytes(width)), self.value(*value));
                self.store(*to, bytes(width), new);
                (*dst, old)
            }
            Op::CompareExchange { width, dst, to, expected, value } => {
                let (old, new) = (self.load(*to, bytes(width)), self.value(*value));
                if holds(Condition::Eq, *width, old, self.value(*expected)) {
                    self.store(*to, bytes(width), new);
                }
                (*dst, old)
            }
            Op::Call { args, result, .. } => {
                let mut all = [0; 5];
                all.iter_mut().zip(args).for_each(|(slot, arg)| *slot = self.value(*arg) as u64);
                let [a, b, c, d, e] = all;
                let Some(result) = result else { return Step::Next };
                (*result, mix(a, b, c, d, e) as i64)
            }
        };
        self.regs[dst.0 as usize] = value;
        Step::Next
    }
}

fn unary(op: UnaryOp, x: i64) -> i64 {
    match op {
        UnaryOp::Neg => 0i64.wrapping_sub(x),
        UnaryOp::Not => -1 ^ x,
        UnaryOp::Extend { bits: 8, signed: true } => (x as i8).into(),
        UnaryOp::Extend { bits: 16, signed: true } => (x as i16).into(),
        UnaryOp::Extend { bits: 32, signed: true } => (x as i32).into(),
        UnaryOp::Extend { bits: 8, signed: false } => (x as u8).into(),
        UnaryOp::Extend { bits: 16, signed: false } => (x as u16).into(),
        UnaryOp::Extend { bits: 32, signed: false } => (x as u32).into(),
        UnaryOp::BigEndian { bits: 16 } => (x as u16).swap_bytes().into(),
        UnaryOp::BigEndian { bits: 32 } => (x as u32).swap_bytes().into(),
        UnaryOp::BigEndian { bits: 64 } => x.swap_bytes(),
        other => panic!("there is no {other:?}"),
    }
}

/// By way of 128 bits, where nothing overflows.
fn binary(op: BinaryOp, a: i64, b: i64) -> i64 {
    let (wa, wb) = (i128::from(a), i128::from(b));
    let (ua, ub) = (i128::from(a as u64), i128::from(b as u64));
    let count = (b as u64 % 64) as u32;
    let wide = match op {
        BinaryOp::Add => wa + wb,
        BinaryOp::Sub => wa - wb,
        BinaryOp::Mul => wa * wb,
        BinaryOp::Div | BinaryOp::Sdiv if b == 0 => 0,
        BinaryOp::Mod | BinaryOp::Smod if b == 0 => wa,
        BinaryOp::Div => ua / ub,
        BinaryOp::Mod => ua % ub,
        BinaryOp::Sdiv => wa / wb,
        BinaryOp::Smod => wa % wb,
        BinaryOp::And => wa & wb,
        BinaryOp::Or => wa | wb,
        BinaryOp::Xor => wa ^ wb,
        BinaryOp::Shl => wa << count,
        BinaryOp::Lshr => ua >> count,
        BinaryOp::Ashr => wa >> count,
    };
    wide as i64
}

fn holds(condition: Condition, width: Width, a: i64, b: i64) -> bool {
    let (ua, ub, a, b) = match width {
        Width::W64 => (a as u64, b as u64, a, b),
        Width::W32 => (u64::from(a as u32), u64::from(b as u32), i64::from(a as i32), i64::from(b as i32)),
    };
    match condition {
        Condition::Eq => ua == ub,
        Condition::Ne => ua != ub,
        Condition::Gt => ua > ub,
        Condition::Ge => ua >= ub,
        Condition::Lt => ua < ub,
        Condition::Le => ua <= ub,
        Condition::Sgt => a > b,
        Condition::Sge => a >= b,
        Condition::Slt => a < b,
        Condition::Sle => a <= b,
        Condition::Set => ua & ub != 0,
    }
}
