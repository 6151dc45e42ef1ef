//! The counters of what was lost: map DROPS, a per-CPU array indexed by program and kind, and the kernel's own of the runs that it
//! left out.

use std::collections::HashMap;
use std::io;

use aya::maps::{MapError, PerCpuArray};
use probes_common::abi::{DROP_KINDS, Drop, memory};

use super::map::Objects;
use super::misses;
use crate::output::value::{DropNotice, Lost};

const KINDS: [Drop; DROP_KINDS as usize] = [
    Drop::Ring,
    Drop::Slot,
    Drop::Aggregation,
    Drop::Dynamic,
    Drop::Support,
    Drop::Compat,
    Drop::Speculation,
    Drop::Unavailable,
];

/// What has been reported of each counter.
pub(super) struct Drops {
    /// Who drops, by the number of its line in the map.
    lines: Vec<(u32, String)>,
    reported: HashMap<(u32, Option<u32>), u64>,
    /// By the counter, whatever the CPU.
    totals: HashMap<u32, u64>,
    /// The probes of the programs with clauses, by the programs' symbols.
    probes: HashMap<String, String>,
    missed: HashMap<String, u64>,
}

impl Drops {
    /// For programs of these names, by number; the probes of those with clauses, by symbol.
    pub(super) fn new(programs: Vec<String>, probes: HashMap<String, String>) -> Drops {
        let memories = (memory::CALLS..).zip(memory::NAMES.map(str::to_owned));
        let lines = (0..).zip(programs).chain(memories).collect();
        Drops { lines, probes, reported: HashMap::new(), totals: HashMap::new(), missed: HashMap::new() }
    }

    /// What has been lost since the last call, by kind, and where the kind asks for it, by CPU or by program.
    pub(super) fn poll(&mut self, objects: &Objects) -> io::Result<Vec<DropNotice>> {
        let map = objects.get("DROPS").ok_or_else(|| io::Error::other("no map DROPS"))?;
        let counters: PerCpuArray<_, u64> = PerCpuArray::try_from(map).map_err(io::Error::other)?;
        let mut notices: Vec<DropNotice> = Vec::new();
        for (index, kind) in (0..).zip(KINDS) {
            let first = notices.len();
            for (line, name) in &self.lines {
                let at = line * DROP_KINDS + index;
                let totals = match counters.get(&at, 0) {
                    Ok(values) => values.iter().copied().collect(),
                    Err(MapError::OutOfBounds { .. }) => Vec::new(),
                    Err(error) => return Err(io::Error::other(error)),
                };
                for (cpu, total) in by_cpu(kind, totals) {
                    let reported = self.reported.entry((at, cpu)).or_default();
                    let count = total - *reported;
                    if count == 0 {
                        continue;
                    }
                    *reported = total;
                    let total = self.totals.entry(at).or_default();
                    *total += count;
                    let lost = Lost { probe: name.clone(), count, total: *total };
                    let joined = (!is_by_program(kind))
                        .then(|| notices[first..].iter_mut().find(|notice| notice.cpu == cpu))
                        .flatten();
                    match joined {
                        Some(notice) => notice.by.push(lost),
                        None => notices.push(DropNotice { kind, cpu, by: vec![lost] }),
                    }
                }
            }
            notices[first..].sort_by_key(|notice| notice.cpu);
        }
        for (symbol, total) in misses::read(objects)? {
            let probe = self.probes.get(&symbol).unwrap_or(&symbol).clone();
            let reported = self.missed.entry(symbol).or_default();
            let count = total - *reported;
            if count > 0 {
                *reported = total;
                notices.push(DropNotice {
                    kind: Drop::Recursion,
                    cpu: None,
                    by: vec![Lost { probe, count, total }],
                });
            }
        }
        Ok(notices)
    }
}

/// The totals by CPU for the kinds that DTrace tells so, all together for the others.
fn by_cpu(kind: Drop, totals: Vec<u64>) -> Vec<(Option<u32>, u64)> {
    match kind {
        Drop::Ring | Drop::Aggregation => (0..).zip(totals).map(|(cpu, total)| (Some(cpu), total)).collect(),
        _ => vec![(None, totals.iter().sum())],
    }
}

/// Whether drops of that kind are told for each program.
fn is_by_program(kind: Drop) -> bool {
    matches!(kind, Drop::Slot | Drop::Support | Drop::Compat)
}
