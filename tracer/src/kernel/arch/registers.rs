//! The registers of `uregs[]`: DTrace's names and indices, those of 386 and of x86-64, and where the kernel keeps each.
//!
//! The names of indices up to 18 are those of 386 and mean the lower-named registers of x86-64, as DTrace has it; x86-64's
//! own follow.

/// Where a register of a process is when the process is in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Register {
    /// At this offset in struct pt_regs (arch/x86/include/asm/ptrace.h, Linux 6.18).
    Saved(u16),
    /// Nowhere: it is 0 in a process of 64 bits.
    Zero,
    /// Where no program can read it.
    Hidden,
}

use Register::{Hidden, Saved, Zero};

/// A name, its index in `uregs[]`, and where it is.
pub const REGISTERS: &[(&str, i64, Register)] = &[
    ("R_GS", 0, Zero),
    ("R_FS", 1, Zero),
    ("R_ES", 2, Zero),
    ("R_DS", 3, Zero),
    ("R_EDI", 4, Saved(112)),
    ("R_ESI", 5, Saved(104)),
    ("R_EBP", 6, Saved(32)),
    ("R_ESP", 7, Saved(152)),
    ("R_EBX", 8, Saved(40)),
    ("R_EDX", 9, Saved(96)),
    ("R_ECX", 10, Saved(88)),
    ("R_EAX", 11, Saved(80)),
    ("R_TRAPNO", 12, Zero),
    ("R_ERR", 13, Saved(120)),
    ("R_EIP", 14, Saved(128)),
    ("R_CS", 15, Saved(136)),
    ("R_EFL", 16, Saved(144)),
    ("R_UESP", 17, Saved(152)),
    ("R_SS", 18, Saved(160)),
    ("R_PC", 14, Saved(128)),
    ("R_FP", 6, Saved(32)),
    ("R_SP", 17, Saved(152)),
    ("R_PS", 16, Saved(144)),
    ("R_R0", 11, Saved(80)),
    ("R_R1", 9, Saved(96)),
    ("R_R15", 19, Saved(0)),
    ("R_R14", 20, Saved(8)),
    ("R_R13", 21, Saved(16)),
    ("R_R12", 22, Saved(24)),
    ("R_R11", 23, Saved(48)),
    ("R_R10", 24, Saved(56)),
    ("R_R9", 25, Saved(64)),
    ("R_R8", 26, Saved(72)),
    ("R_RDI", 27, Saved(112)),
    ("R_RSI", 28, Saved(104)),
    ("R_RBP", 29, Saved(32)),
    ("R_RBX", 30, Saved(40)),
    ("R_RDX", 31, Saved(96)),
    ("R_RCX", 32, Saved(88)),
    ("R_RAX", 33, Saved(80)),
    ("R_RIP", 36, Saved(128)),
    ("R_RFL", 38, Saved(144)),
    ("R_RSP", 39, Saved(152)),
    ("R_FSBASE", 45, Hidden),
    ("R_GSBASE", 46, Hidden),
];

/// The indices of x86-64 whose registers have their names from 386: its index is the row's that counts.
const ALIASES: &[(i64, i64)] = &[(34, 12), (35, 13), (37, 15), (40, 18), (41, 1), (42, 0), (43, 2), (44, 3)];

/// The register of an index.
pub fn register(index: i64) -> Option<Register> {
    let index = ALIASES.iter().find(|alias| alias.0 == index).map_or(index, |alias| alias.1);
    REGISTERS.iter().find(|row| row.1 == index).map(|row| row.2)
}

#[cfg(test)]
mod tests {
    use super::{REGISTERS, Register, register};

    #[test]
    fn an_index_is_one_register() {
        for (name, index, place) in REGISTERS {
            assert_eq!(register(*index), Some(*place), "{name}");
            let within = |offset: u16| offset.is_multiple_of(8) && offset <= 160;
            assert!(!matches!(*place, Register::Saved(offset) if !within(offset)), "{name}");
            assert_eq!(REGISTERS.iter().filter(|other| other.0 == *name).count(), 1, "{name}");
        }
        assert!((0..=46).all(|index| register(index).is_some()), "every index of x86-64 is a register");
        assert_eq!((register(40), register(47), register(-1)), (Some(Register::Saved(160)), None, None));
    }
}
