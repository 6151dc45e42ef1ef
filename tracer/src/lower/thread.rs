//! The thread that a clause is about, where that is not the current one.
//!
//! So it is with on-cpu where the kernel tells of a switch before it is made: the clause is given the thread that comes. Of that
//! the verifier does not know the type, so it is read by helpers; what only the kernel's own idea of the current thread leads
//! to (memory, stacks, registers, files) cannot be had, and asking for it is a fault or finds nothing. ERROR's clauses in such
//! a program are about that thread too.

use probes_common::abi::fault;
use probes_common::providers::sched;

use super::clause::Clause;
use super::helper;
use super::program::Unit;
use crate::diagnostic::Span;
use crate::ir::{BinaryOp, Operand, StackSlot, VReg};

/// Whether the probe's clauses are given their thread.
pub(super) fn gives_thread(unit: &Unit<'_>) -> bool {
    *unit.info().program == sched::ON_CPU_SWITCH
}

impl Clause<'_> {
    /// Whether the thread may be another than the current one.
    pub(super) fn is_given(&self) -> bool {
        self.context.given && (gives_thread(self.unit) || self.reports_faults())
    }

    /// The thread's address as a number; to ERROR's clauses other programs hand the current one, which is more.
    pub(super) fn given(&mut self) -> VReg {
        match self.reports_faults() {
            true => self.number_of(self.current),
            false => self.current,
        }
    }

    /// What follows needs the thread to be the current one.
    pub(super) fn needs_current(&mut self, span: Span) {
        if self.is_given() {
            self.fault(fault::BADADDR, Operand::Imm(0), span);
            let never = self.b.label();
            self.b.place(never);
        }
    }

    /// A u32 of the thread's.
    pub(super) fn of_given(&mut self, offset: u32) -> VReg {
        let task = self.given();
        self.read_word(task, offset, 4)
    }

    /// The name of its program.
    pub(super) fn comm_of_given(&mut self, comm: StackSlot) {
        let task = self.given();
        let from = self.b.add(task, i64::from(self.context.options.offsets.task_comm));
        let to = self.b.stack_addr(comm, 0);
        let args = [to.into(), Operand::Imm(16), from.into()];
        self.b.helper_void(helper::PROBE_READ_KERNEL, &args);
    }

    /// Its real user and group, as the helper for the current one gives them.
    pub(super) fn uid_gid_of_given(&mut self) -> VReg {
        let offsets = &self.context.options.offsets;
        let (cred, uid, gid) = (offsets.task_cred, offsets.cred_uid, offsets.cred_gid);
        let task = self.given();
        let cred = self.read_word(task, cred, 8);
        let gid = self.read_word(cred, gid, 4);
        let high = self.b.binary(BinaryOp::Shl, gid, 32);
        let low = self.read_word(cred, uid, 4);
        self.b.binary(BinaryOp::Or, high, low)
    }
}
