//! Instructions over virtual registers, and the way from them to eBPF.
//!
//! A [`Function`] is a list of instructions over any number of 64-bit [`VReg`]s, made with a [`Builder`].
//! [`compile`] turns it into [`bpf::Code`](crate::bpf::Code): optimize, legalize, allocate registers, emit.
//!
//! Invariant: every pass takes and gives a whole `Function`, so passes can be tested and reordered alone.
//! Virtual registers are variables: they may be assigned more than once, but never read before they are.

mod access;
mod allocate;
mod builder;
mod check;
mod dead;
mod emit;
mod eval;
mod flow;
mod fold;
mod jumps;
mod legalize;
mod spill;
mod split;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

pub use builder::Builder;

use crate::bpf::Code;

pub use crate::bpf::At;

/// Compiles a function.
pub fn compile(mut function: Function) -> Result<Code, Error> {
    check::check_shape(&function)?;
    jumps::simplify_jumps(&mut function);
    check::check_paths(&function)?;
    legalize::expand_division(&mut function);
    optimize(&mut function);
    legalize::legalize(&mut function);
    let homes = allocate::allocate(&mut function)?;
    emit::emit(&function, &homes)
}

/// Compiles a function in the pieces that it is cut into (see [`Builder::cut`]). While it is not at its end, the word that lies so
/// many bytes behind what its first parameter points to says where to go on.
pub fn compile_pieces(function: Function, word: i32) -> Result<Vec<Code>, Error> {
    split::pieces(function, word).into_iter().map(compile).collect()
}

/// Runs the passes until none finds anything, at most so often that time stays linear.
fn optimize(function: &mut Function) {
    for _ in 0..4 {
        let folded = fold::fold(function);
        let straightened = jumps::simplify_jumps(function);
        let removed = dead::remove_dead(function);
        if !(folded || straightened || removed) {
            break;
        }
    }
}

/// The most that one function may use of the kernel's 512 bytes of stack, in bytes.
pub const FRAME_LIMIT: u32 = 192;

/// A virtual register: a 64-bit variable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct VReg(pub(crate) u32);

/// A place in the code that jumps go to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Label(pub(crate) u32);

/// A piece of the stack frame that has an address, 8-byte aligned.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct StackSlot(pub(crate) u32);

/// A value that an instruction reads.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Operand {
    /// What the register holds.
    Reg(VReg),
    /// This number.
    Imm(i64),
}

impl From<VReg> for Operand {
    fn from(reg: VReg) -> Self {
        Operand::Reg(reg)
    }
}

impl From<i64> for Operand {
    fn from(imm: i64) -> Self {
        Operand::Imm(imm)
    }
}

impl From<i32> for Operand {
    fn from(imm: i32) -> Self {
        Operand::Imm(imm.into())
    }
}

/// What a memory access is relative to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Base {
    /// The pointer in a register.
    Reg(VReg),
    /// The first byte of a stack slot.
    Stack(StackSlot),
}

/// A memory operand: `base + offset`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Memory {
    /// What it is relative to.
    pub base: Base,
    /// Bytes from there.
    pub offset: i32,
}

impl From<(VReg, i32)> for Memory {
    fn from((base, offset): (VReg, i32)) -> Self {
        Memory { base: Base::Reg(base), offset }
    }
}

impl From<(StackSlot, i32)> for Memory {
    fn from((base, offset): (StackSlot, i32)) -> Self {
        Memory { base: Base::Stack(base), offset }
    }
}

/// How many bytes a load or store moves.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Size {
    /// One byte.
    B1,
    /// Two bytes.
    B2,
    /// Four bytes.
    B4,
    /// Eight bytes.
    B8,
}

impl Size {
    /// The size of so many bytes: 1, 2, 4 or 8.
    pub fn of_bytes(bytes: u32) -> Option<Size> {
        match bytes {
            1 => Some(Size::B1),
            2 => Some(Size::B2),
            4 => Some(Size::B4),
            8 => Some(Size::B8),
            _ => None,
        }
    }

    /// In bytes.
    pub fn bytes(self) -> u32 {
        match self {
            Size::B1 => 1,
            Size::B2 => 2,
            Size::B4 => 4,
            Size::B8 => 8,
        }
    }
}

/// How much of the operands a comparison or an atomic operation looks at.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Width {
    /// The low 32 bits.
    W32,
    /// All 64 bits.
    W64,
}

/// Operations on two 64-bit operands.
///
/// As on the machine, `x / 0` is 0, `x % 0` is x, and shift counts are taken modulo 64.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    /// Unsigned division.
    Div,
    /// Unsigned remainder.
    Mod,
    /// Signed division, rounding toward zero; `MIN / -1` is `MIN`.
    Sdiv,
    /// Signed remainder, with the sign of the dividend.
    Smod,
    And,
    Or,
    Xor,
    Shl,
    /// Shift right, filling with zeros.
    Lshr,
    /// Shift right, filling with the sign.
    Ashr,
}

/// Operations on one 64-bit operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOp {
    /// `-x`
    Neg,
    /// `~x`
    Not,
    /// The low `bits` (8, 16, 32) of x, extended to 64 with zeros or with the sign.
    Extend {
        /// How many bits are kept.
        bits: u8,
        /// Whether the last of them is the sign.
        signed: bool,
    },
    /// The low `bits` (16, 32, 64) of x between host and big-endian byte order; the rest is zero.
    BigEndian {
        /// How many bits are swapped and kept.
        bits: u8,
    },
}

/// What a branch tests; `S` for signed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Condition {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
    Sgt,
    Sge,
    Slt,
    Sle,
    /// `left & right` is not zero.
    Set,
}

/// What has an address known before the function runs.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Object {
    /// A map, as helpers want it in their first argument.
    Map {
        /// Its symbol.
        symbol: Arc<str>,
    },
    /// A byte of a data section.
    Data {
        /// The section's symbol.
        symbol: Arc<str>,
        /// Bytes from its start.
        offset: i32,
    },
    /// A byte of a stack slot.
    Stack {
        /// The slot.
        slot: StackSlot,
        /// Bytes from its start.
        offset: i32,
    },
}

/// Whom a call calls.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Callee {
    /// A helper of the kernel, by its number in `enum bpf_func_id` (linux/bpf.h).
    Helper(u32),
    /// A function of the program, by its symbol.
    Symbol(Arc<str>),
}

/// One operation.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the operands are what their types say")]
pub enum Op {
    /// Here is the label.
    Label(Label),
    /// `dst = src`
    Move { dst: VReg, src: Operand },
    /// `dst = &object`
    Address { dst: VReg, of: Object },
    /// `dst = op src`
    Unary { op: UnaryOp, dst: VReg, src: Operand },
    /// `dst = left op right`
    Binary { op: BinaryOp, dst: VReg, left: Operand, right: Operand },
    /// `dst = *from`, zero- or sign-extended
    Load { dst: VReg, size: Size, signed: bool, from: Memory },
    /// `*to = value`
    Store { size: Size, to: Memory, value: Operand },
    /// `*to += value`, atomically
    AtomicAdd { width: Width, to: Memory, value: Operand },
    /// `dst = *to; *to = value`, atomically
    Exchange { width: Width, dst: VReg, to: Memory, value: Operand },
    /// `dst = *to; if (dst == expected) *to = value`, atomically
    CompareExchange { width: Width, dst: VReg, to: Memory, expected: Operand, value: Operand },
    /// `result = callee(args)`, at most five
    Call { callee: Callee, args: Vec<Operand>, result: Option<VReg> },
    /// `goto label`
    Jump(Label),
    /// `if (left condition right) goto target`
    Branch { condition: Condition, width: Width, left: Operand, right: Operand, target: Label },
    /// `return value`
    Return(Operand),
}

/// An operation and where it comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Insn {
    /// What it does.
    pub op: Op,
    /// The source position it serves.
    pub at: Option<At>,
}

/// A function to compile. [`Builder`] makes one.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its symbol.
    pub name: String,
    /// The registers that hold the arguments at entry, at most five.
    pub params: Vec<VReg>,
    /// The body, in order; execution may not run off its end.
    pub insns: Vec<Insn>,
    /// Where it is cut into pieces: indices of instructions, in order.
    pub cuts: Vec<usize>,
    /// How many virtual registers there are.
    pub vregs: u32,
    /// How many labels there are.
    pub labels: u32,
    /// The size of each stack slot, in bytes.
    pub slots: Vec<u32>,
}

/// Why a function cannot be compiled.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// It wants more stack than a clause may have.
    #[error("{function} needs {need} bytes of stack and may use {limit}; split the clause into several")]
    Frame {
        /// The function's name.
        function: String,
        /// Bytes wanted.
        need: u32,
        /// Bytes allowed.
        limit: u32,
    },
    /// A jump spans more than 32767 instructions.
    #[error("{function} is too long for a jump in it; split the clause into several")]
    TooFar {
        /// The function's name.
        function: String,
    },
    /// The function breaks a rule of the IR: a mistake of the code that built it.
    #[error("internal error: {function}: {problem}")]
    Malformed {
        /// The function's name.
        function: String,
        /// Which rule.
        problem: String,
    },
}
