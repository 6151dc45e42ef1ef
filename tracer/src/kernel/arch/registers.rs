//! The registers of `uregs[]`: names and indices, and where the kernel keeps each.
//!
//! The indices are those of DTrace for Linux, which counts them in the order of struct pt_regs; scripts that name them run
//! everywhere. The names of 386 mean the registers of x86-64 that have grown out of them.

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

/// The last register that the kernel saves.
const LAST_SAVED: i64 = 20;
/// The last that DTrace for Linux counts: those behind the saved ones are 0.
const LAST_ZERO: i64 = 25;
/// The last of all.
const LAST: i64 = 27;

/// A name and its index in `uregs[]`.
pub const REGISTERS: &[(&str, i64)] = &[
    ("R_R15", 0),
    ("R_R14", 1),
    ("R_R13", 2),
    ("R_R12", 3),
    ("R_RBP", 4),
    ("R_RBX", 5),
    ("R_R11", 6),
    ("R_R10", 7),
    ("R_R9", 8),
    ("R_R8", 9),
    ("R_RAX", 10),
    ("R_RCX", 11),
    ("R_RDX", 12),
    ("R_RSI", 13),
    ("R_RDI", 14),
    ("R_ERR", 15),
    ("R_RIP", 16),
    ("R_CS", 17),
    ("R_RFL", 18),
    ("R_RSP", 19),
    ("R_SS", LAST_SAVED),
    ("R_DS", 21),
    ("R_ES", 22),
    ("R_FS", 23),
    ("R_GS", 24),
    ("R_TRAPNO", LAST_ZERO),
    ("R_FSBASE", 26),
    ("R_GSBASE", LAST),
    ("R_EBX", 5),
    ("R_ECX", 11),
    ("R_EDX", 12),
    ("R_ESI", 13),
    ("R_EDI", 14),
    ("R_EBP", 4),
    ("R_EAX", 10),
    ("R_EIP", 16),
    ("R_EFL", 18),
    ("R_ESP", 19),
    ("R_UESP", 19),
    ("R_PC", 16),
    ("R_FP", 4),
    ("R_SP", 19),
    ("R_PS", 18),
    ("R_R0", 10),
    ("R_R1", 5),
];

/// The register of an index.
pub fn register(index: i64) -> Option<Register> {
    match index {
        ..0 => None,
        0..=LAST_SAVED => Some(Saved(index as u16 * 8)),
        _ if index <= LAST_ZERO => Some(Zero),
        _ => (index <= LAST).then_some(Hidden),
    }
}

/// The register of a name.
pub fn named_register(name: &str) -> Option<Register> {
    register(REGISTERS.iter().find(|row| row.0 == name)?.1)
}

#[cfg(test)]
mod tests {
    use super::{REGISTERS, Register, named_register, register};

    #[test]
    fn every_index_has_a_name_and_every_name_a_register() {
        for (name, index) in REGISTERS {
            assert!(register(*index).is_some(), "{name}");
            assert_eq!(REGISTERS.iter().filter(|other| other.0 == *name).count(), 1, "{name}");
        }
        assert!((0..=27).all(|index| REGISTERS.iter().any(|row| row.1 == index)), "an index without a name");
        assert_eq!((register(28), register(-1)), (None, None));
        assert_eq!(named_register("R_PC"), Some(Register::Saved(128)));
        assert_eq!((named_register("R_TRAPNO"), named_register("R_NONE")), (Some(Register::Zero), None));
    }
}
