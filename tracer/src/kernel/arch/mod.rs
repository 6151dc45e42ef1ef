//! The processor's part behind one seam: a [`Machine`] is what differs between processors. x86-64 is filled in.

mod registers;
mod x86_64;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use registers::{REGISTERS, Register, named_register, register};
pub use x86_64::X86_64;

/// Names in the order of their numbers: each run begins at a number, its names are separated by spaces.
pub type Runs = &'static [(u16, &'static str)];

/// What the tracer knows about one processor.
pub struct Machine {
    /// Its name, as `uname -m` prints it.
    pub name: &'static str,
    /// The name of its 32-bit system calls.
    pub compat_name: &'static str,
    native: LazyLock<Calls>,
    compat: LazyLock<Calls>,
}

/// Which of a machine's tables of system calls a number belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Abi {
    /// The calls of 64-bit programs.
    Native,
    /// The calls of 32-bit programs.
    Compat,
}

/// One table of system calls, both ways.
struct Calls {
    by_number: Vec<Option<&'static str>>,
    by_name: HashMap<&'static str, u16>,
}

impl Calls {
    fn new(runs: Runs) -> Calls {
        let numbered = || runs.iter().flat_map(|&(first, names)| (first..).zip(names.split(' ')));
        let mut by_number = vec![None; numbered().last().map_or(0, |(number, _)| usize::from(number) + 1)];
        numbered().for_each(|(number, name)| by_number[usize::from(number)] = Some(name));
        Calls { by_number, by_name: numbered().map(|(number, name)| (name, number)).collect() }
    }
}

impl Machine {
    /// The machine that this program was built for.
    pub fn host() -> &'static Machine {
        &X86_64
    }

    /// The name of the system call `number`, as in the manual pages (`openat`).
    pub fn syscall_name(&self, abi: Abi, number: u32) -> Option<&'static str> {
        *self.calls(abi).by_number.get(number as usize)?
    }

    /// The number of the system call `name`.
    pub fn syscall_number(&self, abi: Abi, name: &str) -> Option<u16> {
        self.calls(abi).by_name.get(name).copied()
    }

    /// All system calls, by number.
    pub fn syscalls(&self, abi: Abi) -> impl Iterator<Item = (u16, &'static str)> {
        (0..).zip(&self.calls(abi).by_number).filter_map(|(number, name)| Some((number, (*name)?)))
    }

    fn calls(&self, abi: Abi) -> &Calls {
        match abi {
            Abi::Native => &self.native,
            Abi::Compat => &self.compat,
        }
    }
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Machine").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_agree_both_ways() {
        for abi in [Abi::Native, Abi::Compat] {
            let mut last = None;
            for (number, name) in X86_64.syscalls(abi) {
                assert!(last < Some(number), "{name} is out of order");
                assert!(
                    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'),
                    "{name:?}"
                );
                assert_eq!(X86_64.syscall_name(abi, number.into()), Some(name));
                assert_eq!(X86_64.syscall_number(abi, name), Some(number), "{name} occurs twice");
                last = Some(number);
            }
        }
    }

    #[test]
    fn the_numbers_are_those_of_libc() {
        let known = [
            ("read", libc::SYS_read),
            ("newfstatat", libc::SYS_newfstatat),
            ("openat", libc::SYS_openat),
            ("rseq", libc::SYS_rseq),
            ("pidfd_send_signal", libc::SYS_pidfd_send_signal),
            ("futex_waitv", libc::SYS_futex_waitv),
            ("fchmodat2", libc::SYS_fchmodat2),
            ("mseal", libc::SYS_mseal),
        ];
        for (name, number) in known {
            assert_eq!(X86_64.syscall_number(Abi::Native, name).map(i64::from), Some(number), "{name}");
        }
        assert_eq!(X86_64.syscall_name(Abi::Compat, 11), Some("execve"));
        assert_eq!(X86_64.syscall_name(Abi::Native, 400), None);
        assert_eq!(X86_64.syscall_name(Abi::Native, u32::MAX), None);
        assert_eq!(X86_64.syscall_number(Abi::Native, "opne"), None);
    }
}
