//! A probe's clauses over several programs, where they are too many for one: each calls the next (bpf_tail_call) and hands it
//! the slot, so that a firing is one firing all the same.
//!
//! The kernel takes 64 maps a program, and the time that it takes to load one grows with the square of its length. Invariant:
//! the parts are in program order.

use std::collections::BTreeSet;
use std::ops::Range;

use super::dispatch::Entry;
use super::function::Target;

/// Clauses of one program at most.
const CLAUSES: usize = 250;
/// As many as the time to load them allows.
pub const MOST_INSNS: usize = 60_000;
/// Maps that the clauses of one program use at most: the trampoline has its own.
const MAPS: usize = 44;

/// The clauses of each part, of so many instructions at most. Each piece of a clause is as one.
pub(super) fn parts(clauses: &[Entry<'_>], most: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut start, mut used, mut insns) = (0, BTreeSet::new(), 0);
    for (index, clause) in clauses.iter().enumerate() {
        let more: BTreeSet<_> = used.union(&maps(clause)).copied().collect();
        let length = clause.function.insns.len();
        let full = index - start == CLAUSES || more.len() > MAPS || insns + length > most;
        if index > start && full {
            parts.push(start..index);
            (start, used, insns) = (index, maps(clause), length);
        } else {
            (used, insns) = (more, insns + length);
        }
    }
    parts.push(start..clauses.len());
    parts
}

/// The maps that a clause uses.
fn maps<'a>(clause: &'a Entry<'_>) -> BTreeSet<&'a str> {
    let map = |(_, target): &'a (usize, Target)| match target {
        Target::Map(name) => Some(name.as_str()),
        _ => None,
    };
    clause.function.references.iter().filter_map(map).collect()
}
