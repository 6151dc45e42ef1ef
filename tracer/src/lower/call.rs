//! The caller of a function of a process that has just been called: no frame of the function is there yet, so that its stack as
//! the kernel finds it goes on with the caller's caller (newer kernels know better, for functions that begin as usual).

use probes_common::providers::pid::ENTRY;

use super::clause::Clause;
use super::helper;
use super::memory::shift;
use crate::ir::{Condition, Memory, Operand, Size, VReg};
use crate::provider::ProbeInfo;

/// Where struct pt_regs has the stack pointer (arch/x86/include/asm/ptrace.h, Linux 6.18).
const STACK_POINTER: u16 = 152;

impl Clause<'_> {
    /// Whether the process is at the first instruction of a function.
    pub(super) fn is_at_entry(&self) -> bool {
        let entry = |(_, probe): &(_, &ProbeInfo)| *probe.program == ENTRY && probe.name == "entry";
        self.unit.probes.iter().all(entry)
    }

    /// Where the function returns to; 0 where that cannot be read.
    pub(super) fn return_address(&mut self) -> VReg {
        let top = self.user_register(STACK_POINTER);
        let word = self.word();
        let to = self.b.stack_addr(word, 0);
        self.b.helper_void(helper::PROBE_READ_USER, &[to.into(), Operand::Imm(8), top]);
        self.b.load(Size::B8, (word, 0))
    }

    /// Puts the caller behind the first address of a stack, where it is not there.
    pub(super) fn put_caller(&mut self, stack: Memory, size: u32) {
        let caller = self.return_address();
        let there = self.b.label();
        let second = self.b.load(Size::B8, shift(stack, 8));
        self.b.branch(Condition::Eq, second, caller, there);
        self.get_stack(true, shift(stack, 8), size - 8);
        let first = self.b.load(Size::B8, shift(stack, 8));
        self.b.store(Size::B8, stack, first);
        self.b.store(Size::B8, shift(stack, 8), caller);
        self.b.place(there);
    }
}
