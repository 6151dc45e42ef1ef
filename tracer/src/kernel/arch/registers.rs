//! The registers of `uregs[]`: DTrace's names and indices, those of 386 and of x86-64, and where the kernel keeps each.
//!
//! The first 18 names are those of 386 and mean the lower-named registers of x86-64, as DTrace has it; x86-64's own follow.

/// A name, its index in `uregs[]`, and its offset in struct pt_regs (arch/x86/include/asm/ptrace.h).
pub const REGISTERS: &[(&str, i64, u16)] = &[
    ("R_EDI", 4, 112),
    ("R_ESI", 5, 104),
    ("R_EBP", 6, 32),
    ("R_EBX", 8, 40),
    ("R_EDX", 9, 96),
    ("R_ECX", 10, 88),
    ("R_EAX", 11, 80),
    ("R_ERR", 13, 120),
    ("R_EIP", 14, 128),
    ("R_CS", 15, 136),
    ("R_EFL", 16, 144),
    ("R_UESP", 17, 152),
    ("R_SS", 18, 160),
    ("R_PC", 14, 128),
    ("R_FP", 6, 32),
    ("R_SP", 17, 152),
    ("R_PS", 16, 144),
    ("R_R0", 11, 80),
    ("R_R1", 9, 96),
    ("R_R15", 19, 0),
    ("R_R14", 20, 8),
    ("R_R13", 21, 16),
    ("R_R12", 22, 24),
    ("R_R11", 23, 48),
    ("R_R10", 24, 56),
    ("R_R9", 25, 64),
    ("R_R8", 26, 72),
    ("R_RDI", 27, 112),
    ("R_RSI", 28, 104),
    ("R_RBP", 29, 32),
    ("R_RBX", 30, 40),
    ("R_RDX", 31, 96),
    ("R_RCX", 32, 88),
    ("R_RAX", 33, 80),
    ("R_RIP", 36, 128),
    ("R_RFL", 38, 144),
    ("R_RSP", 39, 152),
];

#[cfg(test)]
mod tests {
    use super::REGISTERS;

    #[test]
    fn an_index_is_one_register() {
        for (name, index, offset) in REGISTERS {
            let same = REGISTERS.iter().filter(|other| other.1 == *index);
            assert!(same.clone().all(|other| other.2 == *offset), "{name}");
            assert!(offset % 8 == 0 && *offset <= 160, "{name}");
            assert_eq!(REGISTERS.iter().filter(|other| other.0 == *name).count(), 1, "{name}");
        }
    }
}
