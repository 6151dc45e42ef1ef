//! The processes that bring probes of a provider along, among all that run: for descriptions such as `python*:::` where no process is
//! followed. Processes that start later are not seen.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;

use crate::kernel::numbers;
use crate::provider::matches;
use crate::user;

/// The processes with a file that has probes of such a provider, but for this one.
pub(super) fn with_provider(pattern: &str) -> Vec<u32> {
    let mut known: HashMap<(u64, u64), bool> = HashMap::new();
    let mut provides = |module: &user::Module| {
        let Ok(data) = fs::metadata(&module.file) else { return false };
        *known.entry((data.dev(), data.ino())).or_insert_with(|| {
            user::providers(&module.file).unwrap_or_default().iter().any(|name| matches(pattern, name))
        })
    };
    let mut with = |pid: &u32| user::modules(*pid).unwrap_or_default().iter().any(&mut provides);
    let mut processes: Vec<u32> = running().into_iter().filter(|pid| with(pid)).collect();
    processes.sort_unstable();
    processes
}

/// All processes, where their numbers are those that probes have.
fn running() -> Vec<u32> {
    if !numbers::are_first() {
        return Vec::new();
    }
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| *pid != std::process::id()).collect()
}
