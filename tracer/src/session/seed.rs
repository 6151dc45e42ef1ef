//! What the probes cannot learn from events, since it happened before: filled into their maps once they are attached,
//! and never over what an event has taught meanwhile.

use std::collections::BTreeSet;
use std::fs;

use aya::maps::{Array, HashMap, MapData};
use probes_common::connections::{CONNECTIONS, Connection, Ends, Owner, SEEDS};
use probes_common::providers::io;
use probes_common::providers::udp::DATAGRAMS;
use probes_common::providers::usdt::{SPECS, Spec};
use probes_common::scope::SCOPED;
use probes_common::types::PsInfo;

use crate::consume::map::Objects;
use crate::kernel::{process, sockets};

/// Size of `pr_psargs`.
const PSARGS: usize = size_of::<PsInfo>() - std::mem::offset_of!(PsInfo, pr_psargs);

/// Size of `dev_name`.
const DRIVER: usize = 16;
/// Words of a spec.
const SPEC_WORDS: usize = size_of::<Spec>() / 8;

/// Flag of bpf_map_update_elem: leave an entry that is there (include/uapi/linux/bpf.h).
const BPF_NOEXIST: u64 = 1;

/// The arguments of the processes that exist, where any probe shows those of another process than the current one.
///
/// What cannot be read or written is left out: the process has ended, or the map holds as many as it can.
pub(super) fn arguments(objects: &mut Objects) {
    let Some(map) = objects.get_mut("PSARGS") else { return };
    let Ok(mut map) = HashMap::<_, u32, [u8; PSARGS]>::try_from(map) else { return };
    let Ok(entries) = fs::read_dir("/proc") else { return };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    for (pid, text) in pids.filter_map(|pid| Some((pid, process::psargs(pid)?))) {
        if !text.is_empty() {
            // An error: an event came first, or there is no room.
            let _ = map.insert(pid, cut(&text), BPF_NOEXIST);
        }
    }
}

/// The names of block devices' drivers, where a probe is of io.
pub(super) fn drivers(objects: &mut Objects) {
    let Some(Ok(mut map)) = objects.get_mut(io::DRIVERS).map(HashMap::<_, u32, [u8; DRIVER]>::try_from)
    else {
        return;
    };
    let devices = fs::read_to_string("/proc/devices").unwrap_or_default();
    let blocks = devices.split_once("Block devices:").map_or("", |(_, blocks)| blocks);
    let rows = blocks.lines().filter_map(|line| line.trim().split_once(' '));
    for (major, name) in rows.filter_map(|(major, name)| Some((major.parse::<u32>().ok()?, name))) {
        let _ = map.insert(major, cut(name), BPF_NOEXIST);
    }
}

/// Where the arguments of programs' own probes are.
pub(super) fn specs(objects: &mut Objects, specs: &[Spec]) -> std::io::Result<()> {
    let Some(map) = objects.get_mut(SPECS) else { return Ok(()) };
    let mut map = Array::<_, [u64; SPEC_WORDS]>::try_from(map).map_err(std::io::Error::other)?;
    for (row, spec) in (0..).zip(specs) {
        // SAFETY: both are of one size, and any bytes are words; a spec has no gaps.
        let words = unsafe { std::mem::transmute::<Spec, [u64; SPEC_WORDS]>(*spec) };
        map.set(row, words, 0).map_err(std::io::Error::other)?;
    }
    Ok(())
}

/// Takes a process and its descendants into the scope. What it forks meanwhile is found by looking again: once all are
/// there, the kernel side follows them.
pub(super) fn scope(objects: &mut Objects, root: u32) -> std::io::Result<()> {
    let map = objects.get_mut(SCOPED).ok_or_else(|| std::io::Error::other("no map SCOPED"))?;
    let mut map = HashMap::<_, u32, u32>::try_from(map).map_err(std::io::Error::other)?;
    let mut known = BTreeSet::new();
    loop {
        let tree = process::progeny(&process::list()?, root);
        if tree.is_subset(&known) {
            return Ok(());
        }
        for pid in tree.difference(&known) {
            map.insert(pid, 1, 0).map_err(std::io::Error::other)?;
        }
        known.extend(tree);
    }
}

/// The sockets of TCP and UDP that exist and their owners, where a probe asks for them.
pub(super) fn connections(objects: &mut Objects) {
    const MAPS: [&str; 3] = [SEEDS, CONNECTIONS, DATAGRAMS];
    if MAPS.iter().all(|map| objects.get(map).is_none()) {
        return;
    }
    let rows = sockets::rows();
    if let Some(Ok(mut map)) =
        objects.get_mut(SEEDS).map(HashMap::<_, u64, [u8; size_of::<Owner>()]>::try_from)
    {
        for (inode, owner) in rows.owners {
            let _ = map.insert(inode, bytes(owner), BPF_NOEXIST);
        }
    }
    type Map<'a> = HashMap<&'a mut MapData, [u8; size_of::<Ends>()], [u8; size_of::<Connection>()]>;
    for (name, rows) in [(CONNECTIONS, rows.connections), (DATAGRAMS, rows.datagrams)] {
        if let Some(Ok(mut map)) = objects.get_mut(name).map(Map::try_from) {
            for (ends, connection) in rows {
                let _ = map.insert(bytes(ends), bytes(connection), BPF_NOEXIST);
            }
        }
    }
}

/// The bytes of a struct that has no padding.
fn bytes<T: Copy, const SIZE: usize>(value: T) -> [u8; SIZE] {
    const { assert!(size_of::<T>() == SIZE) }
    // SAFETY: the same size, and the structs of `probes_common::connections` have no padding.
    unsafe { std::mem::transmute_copy(&value) }
}

/// The first bytes of a text, with a zero at the end.
fn cut<const SIZE: usize>(text: &str) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    let length = text.len().min(SIZE - 1);
    bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::{PSARGS, cut};

    #[test]
    fn arguments_are_cut_and_end_in_zero() {
        assert_eq!(PSARGS, 80);
        assert_eq!(&cut::<PSARGS>("ls -l")[..6], b"ls -l\0");
        let long = cut::<PSARGS>(&"x".repeat(200));
        assert_eq!((long[78], long[79]), (b'x', 0));
    }
}
