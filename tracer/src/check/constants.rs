//! Constants by name: signals, errors, and what DTrace's own libraries define.
//!
//! Invariant: a name has one value; names of the running system's tables come before the fixed ones.

use super::typed::IntType;
use super::types::{INT, ULONG, spelled};
use crate::kernel::arch::REGISTERS;
use crate::kernel::syscalls;
use crate::syntax::ast::IntWidth;
use probes_common::names::{CHARACTERS, CONSTANTS};

/// A constant that no table of the system holds: name, value.
pub const FIXED: &[(&str, i64)] = &[
    ("B_FALSE", 0),
    ("B_TRUE", 1),
    // The reasons of proc:::exit and of SIGCHLD.
    ("CLD_EXITED", 1),
    ("CLD_KILLED", 2),
    ("CLD_DUMPED", 3),
    ("CLD_TRAPPED", 4),
    ("CLD_STOPPED", 5),
    ("CLD_CONTINUED", 6),
    // Where a signal comes from.
    ("SI_USER", 0),
    ("SI_KERNEL", 0x80),
    ("SI_QUEUE", -1),
    ("SI_TIMER", -2),
    ("SI_MESGQ", -3),
    ("SI_ASYNCIO", -4),
    ("SI_SIGIO", -5),
    ("SI_TKILL", -6),
    // Kinds of hardware addresses.
    ("ARPHRD_ETHER", 1),
    ("ARPHRD_INFINIBAND", 32),
    // The kinds of faults of dtrace:::ERROR.
    ("DTRACEFLT_UNKNOWN", 0),
    ("DTRACEFLT_BADADDR", 1),
    ("DTRACEFLT_BADALIGN", 2),
    ("DTRACEFLT_ILLOP", 3),
    ("DTRACEFLT_DIVZERO", 4),
    ("DTRACEFLT_NOSCRATCH", 5),
    ("DTRACEFLT_KPRIV", 6),
    ("DTRACEFLT_UPRIV", 7),
    ("DTRACEFLT_TUPOFLOW", 8),
    ("DTRACEFLT_BADSTACK", 9),
    ("DTRACEFLT_BADSIZE", 10),
    ("DTRACEFLT_BADINDEX", 11),
    ("DTRACEFLT_LIBRARY", 1000),
];

/// A constant's value and type.
pub fn find(name: &str) -> Option<(i64, IntType)> {
    if name == "NULL" {
        return Some((0, ULONG));
    }
    let value = all().find(|row| row.0 == name)?.1;
    let character = CHARACTERS.iter().any(|row| row.0 == name);
    Some((value, if character { spelled(IntWidth::Char, None) } else { INT }))
}

/// The names of all constants.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|row| row.0).chain(["NULL"])
}

fn all() -> impl Iterator<Item = (&'static str, i64)> {
    let system = syscalls::signals().chain(syscalls::errnos()).map(|(name, value)| (name, i64::from(value)));
    system
        .chain(REGISTERS.iter().copied())
        .chain(CONSTANTS.iter().copied().flatten().copied())
        .chain(FIXED.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_system_and_of_the_table_are_found() {
        assert_eq!(find("SIGKILL"), Some((9, INT)));
        assert_eq!(find("EAGAIN"), Some((11, INT)));
        assert_eq!(find("SI_QUEUE"), Some((-1, INT)));
        assert_eq!(find("NULL"), Some((0, ULONG)));
        assert_eq!(find("SIGNONE"), None);
    }
}
