//! Text for instructions, in the manner of the kernel's verifier.
//!
//! Invariant: total; what is not an instruction prints as its fields.

use std::fmt::Write;

use super::insn::{
    ATOMIC, Insn, LD_IMM64, MEM, PSEUDO_CALL, PSEUDO_KERNEL_CALL, X, alu, atomic, class, jmp, size,
};
use super::{Code, Relocation, RelocationKind, helper_name};

/// The text of a function: one line an instruction, with its index and the symbols that it needs.
pub fn disassemble(code: &Code) -> String {
    let mut text = String::new();
    let mut index = 0;
    while let Some(&insn) = code.insns.get(index) {
        let relocation = code.relocations.binary_search_by_key(&(index as u32), |r| r.offset);
        let relocation = relocation.ok().map(|found| &code.relocations[found]);
        let upper = code.insns.get(index + 1).filter(|_| insn.opcode == LD_IMM64);
        let line = match (relocation, upper) {
            (Some(relocation), _) => show_relocated(insn, relocation),
            (None, Some(upper)) => {
                let imm = u64::from(upper.imm as u32) << 32 | u64::from(insn.imm as u32);
                format!("r{} = {imm:#x} ll", insn.dst)
            }
            (None, None) => insn.to_string(),
        };
        writeln!(text, "{index:4}: {line}").expect("a string takes everything");
        index += 1 + usize::from(upper.is_some());
    }
    text
}

/// An instruction that the linker is to complete.
fn show_relocated(insn: Insn, relocation: &Relocation) -> String {
    let (dst, symbol) = (insn.dst, &relocation.symbol);
    match relocation.kind {
        RelocationKind::Map => format!("r{dst} = map[{symbol}]"),
        RelocationKind::Data => format!("r{dst} = &{symbol} {:+}", relocation.addend),
        RelocationKind::Call => format!("call {symbol}"),
    }
}

impl std::fmt::Display for Insn {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let text = match self.opcode & 7 {
            class::ALU | class::ALU64 => self.show_alu(),
            class::JMP | class::JMP32 => self.show_jump(),
            class::LDX | class::ST | class::STX => self.show_memory(),
            _ => None,
        };
        match text {
            Some(text) => f.write_str(&text),
            None => write!(f, "{self:?}"),
        }
    }
}

impl Insn {
    fn show_alu(self) -> Option<String> {
        let wide = self.opcode & 7 == class::ALU64;
        let file = if wide { 'r' } else { 'w' };
        let dst = format!("{file}{}", self.dst);
        let src = if self.opcode & X != 0 { format!("{file}{}", self.src) } else { self.imm.to_string() };
        let operator = match self.opcode & 0xf0 {
            alu::NEG => return Some(format!("{dst} = -{dst}")),
            alu::END if !wide => {
                let order = if self.opcode & X != 0 { "be" } else { "le" };
                return Some(format!("r{0} = {order}{1} r{0}", self.dst, self.imm));
            }
            alu::ADD => "+=",
            alu::SUB => "-=",
            alu::MUL => "*=",
            alu::DIV => "/=",
            alu::OR => "|=",
            alu::AND => "&=",
            alu::LSH => "<<=",
            alu::RSH => ">>=",
            alu::MOD => "%=",
            alu::XOR => "^=",
            alu::MOV => "=",
            alu::ARSH => "s>>=",
            _ => return None,
        };
        Some(format!("{dst} {operator} {src}"))
    }

    fn show_jump(self) -> Option<String> {
        let wide = self.opcode & 7 == class::JMP;
        let operator = match self.opcode & 0xf0 {
            jmp::JA if wide => return Some(format!("goto {:+}", self.offset)),
            jmp::CALL if self.src == PSEUDO_KERNEL_CALL => return Some(format!("call kernel {}", self.imm)),
            jmp::CALL if self.src == PSEUDO_CALL => return Some(format!("call {:+}", self.imm)),
            jmp::CALL => {
                let name = helper_name(self.imm as u32).unwrap_or("unknown");
                return Some(format!("call bpf_{name}#{}", self.imm));
            }
            jmp::EXIT => return Some("exit".into()),
            jmp::JEQ => "==",
            jmp::JGT => ">",
            jmp::JGE => ">=",
            jmp::JSET => "&",
            jmp::JNE => "!=",
            jmp::JSGT => "s>",
            jmp::JSGE => "s>=",
            jmp::JLT => "<",
            jmp::JLE => "<=",
            jmp::JSLT => "s<",
            jmp::JSLE => "s<=",
            _ => return None,
        };
        let file = if wide { 'r' } else { 'w' };
        let src = if self.opcode & X != 0 { format!("{file}{}", self.src) } else { self.imm.to_string() };
        Some(format!("if {file}{} {operator} {src} goto {:+}", self.dst, self.offset))
    }

    fn show_memory(self) -> Option<String> {
        let kind = match self.opcode & 0x18 {
            size::B => "u8",
            size::H => "u16",
            size::W => "u32",
            _ => "u64",
        };
        let at = |base: u8| format!("({kind} *)(r{base} {:+})", self.offset);
        let bits = if kind == "u64" { "64" } else { "" };
        let (dst, src) = (self.dst, self.src);
        Some(match (self.opcode & 7, self.opcode & 0xe0) {
            (class::LDX, MEM) => format!("r{dst} = *{}", at(src)),
            (class::ST, MEM) => format!("*{} = {}", at(dst), self.imm),
            (class::STX, MEM) => format!("*{} = r{src}", at(dst)),
            (class::STX, ATOMIC) => match self.imm {
                atomic::ADD => format!("lock *{} += r{src}", at(dst)),
                atomic::XCHG => format!("r{src} = atomic{bits}_xchg({}, r{src})", at(dst)),
                atomic::CMPXCHG => format!("r0 = atomic{bits}_cmpxchg({}, r0, r{src})", at(dst)),
                _ => return None,
            },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_like_the_verifier() {
        let [low, high] = Insn::load_imm64(2, 0x1_0000_0002);
        let insns = vec![
            Insn::alu_reg(alu::MOV, 6, 1),
            Insn::alu_imm(alu::ARSH, 6, 3),
            Insn::alu_reg(alu::MOV, 1, 6).narrow(),
            Insn::big_endian(1, 16),
            low,
            high,
            Insn::load(size::DW, 0, 1, 8),
            Insn::store_imm(size::B, 10, -8, -1),
            Insn::store_reg(size::H, 10, -16, 0),
            Insn::atomic(atomic::ADD, size::DW, 1, 0, 2),
            Insn::atomic(atomic::XCHG, size::W, 1, 0, 2),
            Insn::atomic(atomic::CMPXCHG, size::DW, 1, 4, 2),
            Insn { offset: 3, ..Insn::branch_imm(jmp::JEQ, 1, 0) },
            Insn { offset: -2, ..Insn::branch_reg(jmp::JSLT, 1, 2).narrow() },
            Insn { offset: 1, ..Insn::jump() },
            Insn::call_helper(1),
            Insn::call_function(),
            Insn::exit(),
        ];
        let call = Relocation { offset: 16, kind: RelocationKind::Call, symbol: "emit".into(), addend: 0 };
        let code = Code { insns, relocations: vec![call], ..Code::default() };
        insta::assert_snapshot!(disassemble(&code), @"
           0: r6 = r1
           1: r6 s>>= 3
           2: w1 = w6
           3: r1 = be16 r1
           4: r2 = 0x100000002 ll
           6: r0 = *(u64 *)(r1 +8)
           7: *(u8 *)(r10 -8) = -1
           8: *(u16 *)(r10 -16) = r0
           9: lock *(u64 *)(r1 +0) += r2
          10: r2 = atomic_xchg((u32 *)(r1 +0), r2)
          11: r0 = atomic64_cmpxchg((u64 *)(r1 +4), r0, r2)
          12: if r1 == 0 goto +3
          13: if w1 s< w2 goto -2
          14: goto +1
          15: call bpf_map_lookup_elem#1
          16: call emit
          17: exit
        ");
    }
}
