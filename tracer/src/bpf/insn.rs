//! One eBPF instruction: its fields, its bytes, and constructors for the forms that are used.
//!
//! Invariant: the constructors make only instructions of ISA version 3 and before (Linux 5.1: 32-bit jumps; 5.12:
//! atomics). Encoding: Documentation/bpf/standardization/instruction-set.rst.

/// Instruction classes, the low three bits of the opcode.
#[expect(missing_docs, reason = "names of the standard")]
pub mod class {
    pub const LD: u8 = 0;
    pub const LDX: u8 = 1;
    pub const ST: u8 = 2;
    pub const STX: u8 = 3;
    pub const ALU: u8 = 4;
    pub const JMP: u8 = 5;
    pub const JMP32: u8 = 6;
    pub const ALU64: u8 = 7;
}

/// Arithmetic, the high four bits of an ALU opcode.
#[expect(missing_docs, reason = "names of the standard")]
pub mod alu {
    pub const ADD: u8 = 0x00;
    pub const SUB: u8 = 0x10;
    pub const MUL: u8 = 0x20;
    pub const DIV: u8 = 0x30;
    pub const OR: u8 = 0x40;
    pub const AND: u8 = 0x50;
    pub const LSH: u8 = 0x60;
    pub const RSH: u8 = 0x70;
    pub const NEG: u8 = 0x80;
    pub const MOD: u8 = 0x90;
    pub const XOR: u8 = 0xa0;
    pub const MOV: u8 = 0xb0;
    pub const ARSH: u8 = 0xc0;
    pub const END: u8 = 0xd0;
}

/// Jumps, the high four bits of a JMP opcode.
#[expect(missing_docs, reason = "names of the standard")]
pub mod jmp {
    pub const JA: u8 = 0x00;
    pub const JEQ: u8 = 0x10;
    pub const JGT: u8 = 0x20;
    pub const JGE: u8 = 0x30;
    pub const JSET: u8 = 0x40;
    pub const JNE: u8 = 0x50;
    pub const JSGT: u8 = 0x60;
    pub const JSGE: u8 = 0x70;
    pub const CALL: u8 = 0x80;
    pub const EXIT: u8 = 0x90;
    pub const JLT: u8 = 0xa0;
    pub const JLE: u8 = 0xb0;
    pub const JSLT: u8 = 0xc0;
    pub const JSLE: u8 = 0xd0;
}

/// Sizes of memory operands.
#[expect(missing_docs, reason = "names of the standard")]
pub mod size {
    pub const W: u8 = 0x00;
    pub const H: u8 = 0x08;
    pub const B: u8 = 0x10;
    pub const DW: u8 = 0x18;
}

/// What atomic instructions do, in the immediate.
#[expect(missing_docs, reason = "names of the standard")]
pub mod atomic {
    pub const ADD: i32 = 0x00;
    pub const FETCH: i32 = 0x01;
    pub const XCHG: i32 = 0xe1;
    pub const CMPXCHG: i32 = 0xf1;
}

/// The source is a register, not the immediate.
pub const X: u8 = 0x08;
/// Memory access, the mode of a load or store.
pub const MEM: u8 = 0x60;
/// Atomic access, the mode of a store.
pub const ATOMIC: u8 = 0xc0;
/// Load of a 64-bit immediate; a second instruction holds its upper half.
pub const LD_IMM64: u8 = class::LD | size::DW;
/// In the source register of a call: a function of the program is called.
pub const PSEUDO_CALL: u8 = 1;
/// In the source register of a call: a function of the kernel is called.
pub const PSEUDO_KERNEL_CALL: u8 = 2;
/// The frame pointer.
pub const FRAME: u8 = 10;

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

    /// `dst op= imm` on 64 bits
    pub fn alu_imm(op: u8, dst: u8, imm: i32) -> Insn {
        Insn { opcode: class::ALU64 | op, dst, imm, ..Insn::default() }
    }

    /// `dst op= src` on 64 bits
    pub fn alu_reg(op: u8, dst: u8, src: u8) -> Insn {
        Insn { opcode: class::ALU64 | op | X, dst, src, ..Insn::default() }
    }

    /// The same on the low 32 bits; the upper 32 of the result are zero.
    pub fn narrow(self) -> Insn {
        Insn {
            opcode: self.opcode & !7 | if self.opcode & 7 == class::JMP { class::JMP32 } else { class::ALU },
            ..self
        }
    }

    /// The low `bits` to big-endian byte order.
    pub fn big_endian(dst: u8, bits: i32) -> Insn {
        Insn { opcode: class::ALU | alu::END | X, dst, imm: bits, ..Insn::default() }
    }

    /// Both halves of a load of a 64-bit immediate.
    pub fn load_imm64(dst: u8, imm: i64) -> [Insn; 2] {
        let low = Insn { opcode: LD_IMM64, dst, imm: imm as i32, ..Insn::default() };
        [low, Insn { imm: (imm >> 32) as i32, ..Insn::default() }]
    }

    /// `dst = *(size *)(src + offset)`
    pub fn load(size: u8, dst: u8, src: u8, offset: i16) -> Insn {
        Insn { opcode: class::LDX | MEM | size, dst, src, offset, imm: 0 }
    }

    /// `*(size *)(dst + offset) = src`
    pub fn store_reg(size: u8, dst: u8, offset: i16, src: u8) -> Insn {
        Insn { opcode: class::STX | MEM | size, dst, src, offset, imm: 0 }
    }

    /// `*(size *)(dst + offset) = imm`
    pub fn store_imm(size: u8, dst: u8, offset: i16, imm: i32) -> Insn {
        Insn { opcode: class::ST | MEM | size, dst, src: 0, offset, imm }
    }

    /// An atomic operation on `*(size *)(dst + offset)`
    pub fn atomic(operation: i32, size: u8, dst: u8, offset: i16, src: u8) -> Insn {
        Insn { opcode: class::STX | ATOMIC | size, dst, src, offset, imm: operation }
    }

    /// `goto`
    pub fn jump() -> Insn {
        Insn { opcode: class::JMP | jmp::JA, ..Insn::default() }
    }

    /// `if dst op imm goto`
    pub fn branch_imm(op: u8, dst: u8, imm: i32) -> Insn {
        Insn { opcode: class::JMP | op, dst, imm, ..Insn::default() }
    }

    /// `if dst op src goto`
    pub fn branch_reg(op: u8, dst: u8, src: u8) -> Insn {
        Insn { opcode: class::JMP | op | X, dst, src, ..Insn::default() }
    }

    /// Calls a helper of the kernel.
    pub fn call_helper(id: u32) -> Insn {
        Insn { opcode: class::JMP | jmp::CALL, imm: id as i32, ..Insn::default() }
    }

    /// Calls a function that the linker is yet to fill in.
    pub fn call_function() -> Insn {
        Insn { opcode: class::JMP | jmp::CALL, src: PSEUDO_CALL, imm: -1, ..Insn::default() }
    }

    /// Calls a function of the kernel, by its number in the kernel's BTF.
    pub fn call_kernel(id: u32) -> Insn {
        Insn { opcode: class::JMP | jmp::CALL, src: PSEUDO_KERNEL_CALL, imm: id as i32, ..Insn::default() }
    }

    /// `exit`
    pub fn exit() -> Insn {
        Insn { opcode: class::JMP | jmp::EXIT, ..Insn::default() }
    }
}
