//! Memory of which each CPU has a part: an array of one element, in which a CPU finds its part by its number. For that the
//! kernel's own per-CPU arrays take a look-up, and there is none to be inlined before Linux 6.10.
//!
//! Parts begin at lines of the cache, so that CPUs do not wait for each other.

use super::MapDef;
use super::clause::Clause;
use crate::check::typed::Builtin;
use crate::ir::{BinaryOp, Condition, Label, VReg};

/// BPF_MAP_TYPE_ARRAY
pub(super) const ARRAY: u32 = 2;
/// BPF_F_MMAPABLE: the value begins at a page (array_map_alloc in kernel/bpf/arraymap.c, 6.1).
pub(super) const ON_PAGES: u32 = 1 << 10;
/// Bytes of a line.
const LINE: u32 = 64;

/// Bytes from one part of that size to the next.
pub fn stride(size: u32) -> u32 {
    size.next_multiple_of(LINE)
}

/// A map of as many parts as there are CPUs.
pub(super) fn map(symbol: String, stride: u32, cpus: u32) -> MapDef {
    let value_size = stride * cpus;
    MapDef { symbol, kind: ARRAY, key_size: 4, value_size, max_entries: 1, flags: ON_PAGES }
}

impl Clause<'_> {
    /// Where this CPU's part begins; goes to `failed` where it has none, which no CPU has.
    pub(super) fn cpu_part(&mut self, map: &str, stride: u32, failed: Label) -> VReg {
        let cpu = self.builtin(Builtin::Cpu);
        // A fresh register: the verifier learns its range here.
        let cpu = self.b.copy(cpu);
        self.b.branch(Condition::Ge, cpu, i64::from(self.context.options.cpus), failed);
        let offset = match stride.is_power_of_two() {
            true => self.b.binary(BinaryOp::Shl, cpu, i64::from(stride.ilog2())),
            false => self.b.binary(BinaryOp::Mul, cpu, i64::from(stride)),
        };
        let parts = self.b.data_addr(map, 0);
        self.b.add(parts, offset)
    }
}
