//! The builder: appends instructions to a function, one method an instruction.
//!
//! Methods that compute return a fresh register; `set_*` and `*_to` forms write into a given one, for values that
//! several paths assign. Invariant: what has been appended is never changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{
    At, BinaryOp, Callee, Condition, Function, Insn, Label, Memory, Object, Op, Operand, Size, StackSlot,
    UnaryOp, VReg, Width,
};

/// Makes a [`Function`].
pub struct Builder {
    function: Function,
    at: Option<At>,
    /// The maps named since the last cut.
    maps: BTreeSet<Arc<str>>,
    /// Turns of loops that the verifier follows, since the last cut.
    turns: u32,
}

impl Builder {
    /// Begins a function with so many parameters, at most five.
    pub fn new(name: impl Into<String>, params: u32) -> Self {
        let function = Function {
            name: name.into(),
            params: (0..params).map(VReg).collect(),
            insns: Vec::new(),
            cuts: Vec::new(),
            vregs: params,
            labels: 0,
            slots: Vec::new(),
        };
        Builder { function, at: None, maps: BTreeSet::new(), turns: 0 }
    }

    /// The finished function.
    pub fn finish(self) -> Function {
        self.function
    }

    /// The register of a parameter.
    pub fn param(&self, index: usize) -> VReg {
        self.function.params[index]
    }

    /// What follows comes from here in the source.
    pub fn set_at(&mut self, at: Option<At>) {
        self.at = at;
    }

    /// A register that nothing has been assigned to yet.
    pub fn vreg(&mut self) -> VReg {
        self.function.vregs += 1;
        VReg(self.function.vregs - 1)
    }

    /// A label that is not placed yet.
    pub fn label(&mut self) -> Label {
        self.function.labels += 1;
        Label(self.function.labels - 1)
    }

    /// A piece of the stack frame, `size` bytes rounded up to 8.
    pub fn stack_slot(&mut self, size: u32) -> StackSlot {
        self.function.slots.push(size);
        StackSlot(self.function.slots.len() as u32 - 1)
    }

    /// Appends an instruction.
    pub fn push(&mut self, op: Op) {
        self.function.insns.push(Insn { op, at: self.at });
    }

    /// Appends an instruction that writes a fresh register.
    fn define(&mut self, op: impl FnOnce(VReg) -> Op) -> VReg {
        let dst = self.vreg();
        self.push(op(dst));
        dst
    }

    /// Places a label.
    pub fn place(&mut self, label: Label) {
        self.push(Op::Label(label));
    }

    /// A register that holds a number.
    pub fn constant(&mut self, value: i64) -> VReg {
        self.define(|dst| Op::Move { dst, src: Operand::Imm(value) })
    }

    /// The operand in a register: itself, or a fresh one for a number.
    pub fn in_reg(&mut self, value: impl Into<Operand>) -> VReg {
        match value.into() {
            Operand::Reg(reg) => reg,
            Operand::Imm(imm) => self.constant(imm),
        }
    }

    /// A fresh copy.
    pub fn copy(&mut self, src: impl Into<Operand>) -> VReg {
        let src = src.into();
        self.define(|dst| Op::Move { dst, src })
    }

    /// `dst = src`
    pub fn set(&mut self, dst: VReg, src: impl Into<Operand>) {
        self.push(Op::Move { dst, src: src.into() });
    }

    /// The map, as the first argument of the map helpers.
    pub fn map_addr(&mut self, symbol: impl Into<Arc<str>>) -> VReg {
        let symbol = symbol.into();
        self.maps.insert(Arc::clone(&symbol));
        self.define(|dst| Op::Address { dst, of: Object::Map { symbol } })
    }

    /// The address of a byte of a data section.
    pub fn data_addr(&mut self, symbol: impl Into<Arc<str>>, offset: i32) -> VReg {
        let of = Object::Data { symbol: symbol.into(), offset };
        self.define(|dst| Op::Address { dst, of })
    }

    /// The address of a byte of a stack slot.
    pub fn stack_addr(&mut self, slot: StackSlot, offset: i32) -> VReg {
        self.define(|dst| Op::Address { dst, of: Object::Stack { slot, offset } })
    }

    /// `op src`
    pub fn unary(&mut self, op: UnaryOp, src: impl Into<Operand>) -> VReg {
        let src = src.into();
        self.define(|dst| Op::Unary { op, dst, src })
    }

    /// The low 8, 16 or 32 bits, extended to 64.
    pub fn extend(&mut self, bits: u8, signed: bool, src: impl Into<Operand>) -> VReg {
        self.unary(UnaryOp::Extend { bits, signed }, src)
    }

    /// `left op right`
    pub fn binary(&mut self, op: BinaryOp, left: impl Into<Operand>, right: impl Into<Operand>) -> VReg {
        let (left, right) = (left.into(), right.into());
        self.define(|dst| Op::Binary { op, dst, left, right })
    }

    /// `dst = left op right`
    pub fn binary_to(
        &mut self,
        dst: VReg,
        op: BinaryOp,
        left: impl Into<Operand>,
        right: impl Into<Operand>,
    ) {
        self.push(Op::Binary { op, dst, left: left.into(), right: right.into() });
    }

    /// `left + right`; with a pointer left and a number right, the pointer stays one for the verifier.
    pub fn add(&mut self, left: impl Into<Operand>, right: impl Into<Operand>) -> VReg {
        self.binary(BinaryOp::Add, left, right)
    }

    /// 1 where the condition holds, else 0.
    pub fn compare(
        &mut self,
        condition: Condition,
        left: impl Into<Operand>,
        right: impl Into<Operand>,
    ) -> VReg {
        let (left, right) = (left.into(), right.into());
        let done = self.label();
        let dst = self.constant(1);
        self.branch(condition, left, right, done);
        self.set(dst, 0);
        self.place(done);
        dst
    }

    /// Loads from memory, extending with zeros; `from` is `(register or slot, offset)`.
    pub fn load(&mut self, size: Size, from: impl Into<Memory>) -> VReg {
        let from = from.into();
        self.define(|dst| Op::Load { dst, size, signed: false, from })
    }

    /// Loads from memory, extending with the sign.
    pub fn load_signed(&mut self, size: Size, from: impl Into<Memory>) -> VReg {
        let from = from.into();
        self.define(|dst| Op::Load { dst, size, signed: true, from })
    }

    /// Stores the low bytes of a value.
    pub fn store(&mut self, size: Size, to: impl Into<Memory>, value: impl Into<Operand>) {
        self.push(Op::Store { size, to: to.into(), value: value.into() });
    }

    /// Adds to memory atomically.
    pub fn atomic_add(&mut self, width: Width, to: impl Into<Memory>, value: impl Into<Operand>) {
        self.push(Op::AtomicAdd { width, to: to.into(), value: value.into() });
    }

    /// Exchanges with memory atomically; what was there is returned.
    pub fn exchange(&mut self, width: Width, to: impl Into<Memory>, value: impl Into<Operand>) -> VReg {
        let (to, value) = (to.into(), value.into());
        self.define(|dst| Op::Exchange { width, dst, to, value })
    }

    /// Writes `value` if `expected` is there, atomically; what was there is returned.
    pub fn compare_exchange(
        &mut self,
        width: Width,
        to: impl Into<Memory>,
        expected: impl Into<Operand>,
        value: impl Into<Operand>,
    ) -> VReg {
        let (to, expected, value) = (to.into(), expected.into(), value.into());
        self.define(|dst| Op::CompareExchange { width, dst, to, expected, value })
    }

    /// Calls a helper of the kernel, with its result.
    pub fn helper(&mut self, id: u32, args: &[Operand]) -> VReg {
        self.define(|dst| Op::Call { callee: Callee::Helper(id), args: args.to_vec(), result: Some(dst) })
    }

    /// Calls a helper whose result is not wanted.
    pub fn helper_void(&mut self, id: u32, args: &[Operand]) {
        self.push(Op::Call { callee: Callee::Helper(id), args: args.to_vec(), result: None });
    }

    /// Calls a function of the program, with its result.
    pub fn call(&mut self, symbol: impl Into<Arc<str>>, args: &[Operand]) -> VReg {
        let callee = Callee::Symbol(symbol.into());
        self.define(|dst| Op::Call { callee, args: args.to_vec(), result: Some(dst) })
    }

    /// Calls a function whose result is not wanted.
    pub fn call_void(&mut self, symbol: impl Into<Arc<str>>, args: &[Operand]) {
        self.push(Op::Call { callee: Callee::Symbol(symbol.into()), args: args.to_vec(), result: None });
    }

    /// `goto target`
    pub fn jump(&mut self, target: Label) {
        self.push(Op::Jump(target));
    }

    /// `if (left condition right) goto target`, on all 64 bits
    pub fn branch(
        &mut self,
        condition: Condition,
        left: impl Into<Operand>,
        right: impl Into<Operand>,
        target: Label,
    ) {
        let (left, right) = (left.into(), right.into());
        self.push(Op::Branch { condition, width: Width::W64, left, right, target });
    }

    /// `if (left condition right) goto target`, on the low 32 bits
    pub fn branch32(
        &mut self,
        condition: Condition,
        left: impl Into<Operand>,
        right: impl Into<Operand>,
        target: Label,
    ) {
        let (left, right) = (left.into(), right.into());
        self.push(Op::Branch { condition, width: Width::W32, left, right, target });
    }

    /// Cuts the function here: what follows may be another program's. Nothing but the parameters lives on.
    pub fn cut(&mut self) {
        self.function.cuts.push(self.function.insns.len());
        self.maps.clear();
        self.turns = 0;
    }

    /// What follows makes so many turns of a loop, all of which the verifier follows.
    pub fn loops(&mut self, turns: u32) {
        self.turns += turns;
    }

    /// How many instructions there are since the last cut, each turn of a loop counted as one, and how many maps they name.
    pub fn since_cut(&self) -> (usize, usize) {
        let cut = self.function.cuts.last().copied().unwrap_or(0);
        (self.function.insns.len() - cut + self.turns as usize, self.maps.len())
    }

    /// `return value`
    pub fn ret(&mut self, value: impl Into<Operand>) {
        self.push(Op::Return(value.into()));
    }
}
