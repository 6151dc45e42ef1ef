//! Names to types: an open-addressed hash table over the types of one kind.

use super::{Btf, Kind, TypeId};

/// The table holds type ids (0: free); the names stay in the blob, where a probe compares with them in place.
pub(super) struct NameIndex {
    slots: Vec<u32>,
}

impl NameIndex {
    /// Enters every named type of `kind`.
    pub(super) fn build(btf: &Btf, kind: Kind) -> NameIndex {
        let size = (btf.counts[kind as usize] as usize * 2).next_power_of_two();
        let mut slots = vec![0; size];
        for id in btf.of_kind(kind) {
            let Some(raw) = btf.raw(id) else { continue };
            let Some(name) = btf.string_at(raw.name).filter(|name| name[0] != 0) else { continue };
            let mut at = hash(name) & (size - 1);
            while slots[at] != 0 {
                at = (at + 1) & (size - 1);
            }
            slots[at] = id.0;
        }
        NameIndex { slots }
    }

    /// The types called `name`, lowest id first.
    pub(super) fn find(&self, btf: &Btf, name: &str) -> impl Iterator<Item = TypeId> {
        let mask = self.slots.len() - 1;
        let start = hash(name.as_bytes());
        (0..self.slots.len())
            .map(move |step| self.slots[(start + step) & mask])
            .take_while(|&id| id != 0)
            .map(TypeId)
            .filter(move |&id| !name.is_empty() && btf.raw(id).is_some_and(|raw| btf.is_name(raw.name, name)))
    }
}

/// FNV-1a of the bytes up to the first zero.
fn hash(name: &[u8]) -> usize {
    let step = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = name.iter().take_while(|&&byte| byte != 0).fold(0xcbf2_9ce4_8422_2325, step);
    (hash ^ hash >> 32) as usize
}
