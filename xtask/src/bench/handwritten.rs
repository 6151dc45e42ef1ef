//! The programs of bench-ebpf: built, loaded and attached by aya, in this process.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use aya::maps::PerCpuArray;
use aya::programs::RawTracePoint;
use aya::{Ebpf, EbpfLoader};

use super::clauses::Clause;
use crate::probes::{Toolchain, compile_package};

/// Builds the object; gives its place.
pub(super) fn build() -> Result<PathBuf> {
    Ok(compile_package(&Toolchain::ensure()?, "bench-ebpf")?.join("bench"))
}

/// Loads the object for the loop of that number, and attaches a clause's programs.
pub(super) fn start(object: &Path, clause: &Clause, pid: u32) -> Result<Ebpf> {
    let mut loaded = EbpfLoader::new().override_global("PID", &pid, true).load_file(object)?;
    for (name, tracepoint) in clause.handwritten() {
        let program = loaded.program_mut(name).with_context(|| format!("there is no program {name}"))?;
        let program: &mut RawTracePoint = program.try_into()?;
        program.load()?;
        program.attach(tracepoint.to_str()?)?;
    }
    Ok(loaded)
}

/// What count() has counted, on all CPUs.
pub(super) fn counted(loaded: &mut Ebpf) -> Result<u64> {
    let map = loaded.map_mut("COUNT").context("there is no map COUNT")?;
    let counts: PerCpuArray<_, u64> = map.try_into()?;
    Ok(counts.get(&0, 0)?.iter().sum())
}
