//! eBPF instructions as the kernel takes them, and functions made of them.
//!
//! Invariant: only instructions of ISA version 3 and before are made (Linux 5.1: 32-bit ALU and jumps; 5.12: atomics).
//! Encoding: Documentation/bpf/standardization/instruction-set.rst.

use crate::ir::At;

/// One instruction, eight bytes; a 64-bit immediate takes two.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Insn {
    /// Class, size or operation, and mode or source.
    pub opcode: u8,
    /// Destination register, 0 to 10.
    pub dst: u8,
    /// Source register, 0 to 10, or a mark of what the immediate is.
    pub src: u8,
    /// Bytes of a memory operand, or instructions of a jump counted from the next.
    pub offset: i16,
    /// The immediate.
    pub imm: i32,
}

impl Insn {
    /// The bytes of it, little-endian.
    pub fn encode(self) -> [u8; 8] {
        let [o0, o1] = self.offset.to_le_bytes();
        let [i0, i1, i2, i3] = self.imm.to_le_bytes();
        [self.opcode, self.src << 4 | self.dst & 0xf, o0, o1, i0, i1, i2, i3]
    }

    /// The instruction of these bytes.
    pub fn decode(bytes: [u8; 8]) -> Insn {
        let [opcode, regs, o0, o1, i0, i1, i2, i3] = bytes;
        Insn {
            opcode,
            dst: regs & 0xf,
            src: regs >> 4,
            offset: i16::from_le_bytes([o0, o1]),
            imm: i32::from_le_bytes([i0, i1, i2, i3]),
        }
    }
}

/// What the linker has to fill in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RelocationKind {
    /// A 64-bit immediate that names a map (R_BPF_64_64).
    Map,
    /// A 64-bit immediate that is the address of a byte of a data section (R_BPF_64_64). The addend also stands in the
    /// first immediate.
    Data,
    /// A call of a function (R_BPF_64_32). The immediate is -1 until then.
    Call,
}

/// An instruction that needs the linker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Relocation {
    /// Which instruction, counted in eight bytes.
    pub offset: u32,
    /// What is wanted.
    pub kind: RelocationKind,
    /// Of which symbol.
    pub symbol: String,
    /// Bytes to add to the symbol's address.
    pub addend: i64,
}

/// A compiled function.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Code {
    /// Its symbol.
    pub name: String,
    /// Its instructions.
    pub insns: Vec<Insn>,
    /// What the linker fills in, by offset.
    pub relocations: Vec<Relocation>,
    /// From which instruction on which source position holds, by offset.
    pub lines: Vec<(u32, At)>,
    /// Bytes of stack that it uses.
    pub frame: u32,
}

impl Code {
    /// The bytes of all instructions.
    pub fn bytes(&self) -> Vec<u8> {
        self.insns.iter().flat_map(|insn| insn.encode()).collect()
    }
}
