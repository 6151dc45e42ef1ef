//! The counters of what was lost: map DROPS, a per-CPU array indexed by program and kind, and the kernel's own of the runs that it
//! left out.

use std::collections::HashMap;
use std::io;

use aya::maps::{MapError, PerCpuArray};
use probes_common::abi::{DROP_KINDS, Drop, memory};

use super::map::Objects;
use super::misses;
use crate::output::value::DropNotice;

const KINDS: [Drop; DROP_KINDS as usize] =
    [Drop::Ring, Drop::Slot, Drop::Aggregation, Drop::Dynamic, Drop::Support, Drop::Compat];

/// What has been reported of each counter.
pub(super) struct Drops {
    /// Who drops, by the number of its line in the map.
    lines: Vec<(u32, String)>,
    reported: HashMap<u32, u64>,
    missed: HashMap<String, u64>,
}

impl Drops {
    /// For programs of these names, by number.
    pub(super) fn new(programs: Vec<String>) -> Drops {
        let memories = (memory::CALLS..).zip(memory::NAMES.map(str::to_owned));
        let lines = (0..).zip(programs).chain(memories).collect();
        Drops { lines, reported: HashMap::new(), missed: HashMap::new() }
    }

    /// What has been lost since the last call.
    pub(super) fn poll(&mut self, objects: &Objects) -> io::Result<Vec<DropNotice>> {
        let map = objects.get("DROPS").ok_or_else(|| io::Error::other("no map DROPS"))?;
        let counters: PerCpuArray<_, u64> = PerCpuArray::try_from(map).map_err(io::Error::other)?;
        let mut notices = Vec::new();
        for (line, name) in &self.lines {
            for (at, kind) in (line * DROP_KINDS..).zip(KINDS) {
                let total: u64 = match counters.get(&at, 0) {
                    Ok(values) => values.iter().sum(),
                    Err(MapError::OutOfBounds { .. }) => 0,
                    Err(error) => return Err(io::Error::other(error)),
                };
                let reported = self.reported.entry(at).or_default();
                let count = total - *reported;
                if count > 0 {
                    *reported = total;
                    notices.push(DropNotice { kind, probe: name.clone(), count, total });
                }
            }
        }
        for (symbol, total) in misses::read(objects)? {
            let probe = symbol.replace('_', ":");
            let reported = self.missed.entry(symbol).or_default();
            let count = total - *reported;
            if count > 0 {
                *reported = total;
                notices.push(DropNotice { kind: Drop::Slot, probe, count, total });
            }
        }
        Ok(notices)
    }
}
