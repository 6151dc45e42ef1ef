//! Memory of which each CPU has a part: an array of one element, in which a CPU finds its part by its number. For that the
//! kernel's own per-CPU arrays take a look-up, and there is none to be inlined before Linux 6.10.
//!
//! Parts begin at lines of the cache, so that CPUs do not wait for each other. Invariant: there is one for each number that the
//! mask lets through, which is more than the CPUs where these are no power of two. A comparison would do without them, but
//! a verifier before Linux 6.8 forgets what it has learned from one of a word on the stack.

use super::MapDef;
use super::clause::Clause;
use crate::check::typed::Builtin;
use crate::ir::{BinaryOp, VReg};

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

/// How many parts there are for so many CPUs.
pub fn count(cpus: u32) -> u32 {
    cpus.next_power_of_two()
}

/// A map of the parts for so many CPUs.
pub(super) fn map(symbol: String, stride: u32, cpus: u32) -> MapDef {
    let value_size = stride * count(cpus);
    MapDef { symbol, kind: ARRAY, key_size: 4, value_size, max_entries: 1, flags: ON_PAGES }
}

impl Clause<'_> {
    /// Where this CPU's part begins.
    pub(super) fn cpu_part(&mut self, map: &str, stride: u32) -> VReg {
        let cpu = self.builtin(Builtin::Cpu);
        let cpu = self.b.binary(BinaryOp::And, cpu, i64::from(count(self.context.options.cpus) - 1));
        let offset = match stride.is_power_of_two() {
            true => self.b.binary(BinaryOp::Shl, cpu, i64::from(stride.ilog2())),
            false => self.b.binary(BinaryOp::Mul, cpu, i64::from(stride)),
        };
        let parts = self.b.data_addr(map, 0);
        self.b.add(parts, offset)
    }
}
