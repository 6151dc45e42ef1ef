//! The edge that a clause leaves by when something faults: what happened goes into the slot.
//!
//! Each place that can fault writes what is its own and jumps to its part's exit, which writes what is the part's.

use std::mem::offset_of;

use probes_common::abi::{Fault, SLOT_FAULT, Slot, fault, outcome};
use probes_common::probe::Attach;

use super::clause::Clause;
use super::data::EXIT;
use crate::diagnostic::Span;
use crate::ir::{Condition, Operand, Size, VReg};

/// A word of the fault in the slot.
const fn word(offset: usize) -> i32 {
    (SLOT_FAULT + offset) as i32
}

impl Clause<'_> {
    /// Leaves the clause with a fault of that kind (see `probes_common::abi::fault`).
    pub(super) fn fault(&mut self, kind: u64, value: Operand, span: Span) {
        let ordinal = self.faults.len() as u32;
        self.faults.push((ordinal, self.action, span));
        if self.reports_faults() {
            return self.b.jump(self.fault_exit);
        }
        let slot = self.slot;
        self.b.store(Size::B8, (slot, word(offset_of!(Fault, action))), i64::from(self.action));
        self.b.store(Size::B8, (slot, word(offset_of!(Fault, offset))), i64::from(ordinal));
        self.b.store(Size::B8, (slot, word(offset_of!(Fault, fault))), kind as i64);
        self.b.store(Size::B8, (slot, word(offset_of!(Fault, value))), value);
        self.b.jump(self.fault_exit);
    }

    /// An illegal operation, always: the clause ends here. The value is for what is compiled behind it.
    pub(super) fn illegal(&mut self, span: Span) -> VReg {
        let on = self.b.label();
        let none = self.b.constant(0);
        self.b.branch(Condition::Ne, none, 0, on);
        self.fault(fault::ILLOP, Operand::Imm(0), span);
        self.b.place(on);
        none
    }

    /// Whether this is a clause of ERROR: the fault in the slot is its record, and one of its own just ends it.
    pub(super) fn reports_faults(&self) -> bool {
        self.unit.info().program.attach == Attach::Called
    }

    /// The exits of the parts in which something can fault.
    pub(super) fn place_fault_exits(&mut self) {
        let slot = self.slot;
        for (epid, exit) in std::mem::take(&mut self.fault_exits) {
            self.b.place(exit);
            if self.reports_faults() {
                self.b.ret(outcome::NEXT as i64);
                continue;
            }
            if self.exited {
                let exit = self.b.data_addr(EXIT, 0);
                self.b.store(Size::B8, (exit, 0), 0);
            }
            let probe = self.b.load(Size::B4, (slot, offset_of!(Slot, probe) as i32));
            self.b.store(Size::B8, (slot, word(offset_of!(Fault, probe))), probe);
            self.b.store(Size::B8, (slot, word(offset_of!(Fault, epid))), i64::from(epid));
            self.b.ret(outcome::FAULT as i64);
        }
    }
}
