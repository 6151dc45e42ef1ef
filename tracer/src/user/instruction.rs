//! Where the instructions of a function begin, and which addresses it forms. A place between instructions is none for a probe: it
//! would break one in two.

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, Register};

/// The addresses that the code at `address` forms with `lea`: where it takes other code's from.
pub fn formed(code: &[u8], address: u64) -> impl Iterator<Item = u64> {
    let decoder = Decoder::with_ip(64, code, address, DecoderOptions::NONE);
    let forms = |instruction: &Instruction| {
        instruction.mnemonic() == Mnemonic::Lea && instruction.is_ip_rel_memory_operand()
    };
    decoder.into_iter().filter(forms).map(|instruction| instruction.ip_rel_memory_address())
}

/// The offsets of a function's instructions that can be probed, from its first; those before bytes that are no instruction.
pub fn places(code: &[u8]) -> impl Iterator<Item = u64> {
    let mut decoder = Decoder::new(64, code, DecoderOptions::NONE);
    let instructions = std::iter::from_fn(move || {
        let at = decoder.position();
        let instruction = decoder.can_decode().then(|| decoder.decode())?;
        (!instruction.is_invalid()).then_some((at, instruction))
    });
    instructions.filter(|(at, instruction)| is_probed(code[*at], instruction)).map(|(at, _)| at as u64)
}

/// Whether the kernel probes an instruction. Not one with some prefixes, and none of the vector instructions that have
/// a prefix of their own; there are others that it refuses, which are in no usual program (is_prefix_bad and
/// good_insns_64 in arch/x86/kernel/uprobes.c, Linux 6.18).
fn is_probed(first: u8, instruction: &Instruction) -> bool {
    const VEX: [u8; 3] = [0xc4, 0xc5, 0x62];
    let segments = [Register::CS, Register::DS, Register::ES, Register::SS];
    !VEX.contains(&first)
        && !instruction.has_lock_prefix()
        && !segments.contains(&instruction.segment_prefix())
}

#[cfg(test)]
mod tests {
    use super::{formed, places};

    #[test]
    fn instructions_have_different_lengths() {
        // push %rbp; mov %rsp,%rbp; mov $7,%eax; pop %rbp; ret
        let code = [0x55, 0x48, 0x89, 0xe5, 0xb8, 7, 0, 0, 0, 0x5d, 0xc3];
        assert_eq!(places(&code).collect::<Vec<_>>(), [0, 1, 4, 9, 10]);
        assert_eq!(places(&code[..3]).collect::<Vec<_>>(), [0]);
        assert_eq!(places(&[]).count(), 0);
    }

    #[test]
    fn addresses_are_formed_from_where_the_code_is() {
        // lea 0x10(%rip),%rdx; lea 8(%rsp),%rax; mov 0x10(%rip),%rax; lea -0x16(%rip),%rax; ret
        let code = [
            0x48, 0x8d, 0x15, 0x10, 0, 0, 0, 0x48, 0x8d, 0x44, 0x24, 8, 0x48, 0x8b, 5, 0x10, 0, 0, 0, 0x48,
            0x8d, 5, 0xea, 0xff, 0xff, 0xff, 0xc3,
        ];
        assert_eq!(formed(&code, 0x1000).collect::<Vec<_>>(), [0x1017, 0x1004]);
    }

    #[test]
    fn what_the_kernel_does_not_probe_is_left_out() {
        // lock decl (%rdi); vpxor %xmm0,%xmm0,%xmm0; cs nopw (%rax,%rax); ret
        let code = [0xf0, 0xff, 0x0f, 0xc5, 0xf9, 0xef, 0xc0, 0x2e, 0x66, 0x0f, 0x1f, 0x04, 0x00, 0xc3];
        assert_eq!(places(&code).collect::<Vec<_>>(), [13]);
    }
}
