//! A probe's clauses over several programs on the same event, where they are too many for one.
//!
//! The kernel takes 256 functions and 64 maps a program. Invariant: the parts are in program order and attached in it, and
//! clauses that may share `this->` variables, which live for one program's run, are not parted.

use std::collections::BTreeSet;
use std::ops::Range;

use probes_common::probe::Attach;

use super::function::{Function, Target};
use crate::lower::{ClauseImage, ProgramImage};

/// Clauses of one program at most: the trampoline and its routines are functions too.
const CLAUSES: usize = 200;
/// Maps that the clauses of one program use at most: the trampoline has its own.
const MAPS: usize = 44;

/// The clauses of each part; one part where they have `locals`, or where the tracer runs the program itself.
pub(super) fn parts(program: &ProgramImage, locals: bool) -> Vec<Range<usize>> {
    let clauses = &program.clauses;
    if locals || matches!(program.program.attach, Attach::TestRun | Attach::Called) {
        return std::iter::once(0..clauses.len()).collect();
    }
    let mut parts = Vec::new();
    let (mut start, mut used) = (0, BTreeSet::new());
    for (index, clause) in clauses.iter().enumerate() {
        let more: BTreeSet<_> = used.union(&maps(clause)).cloned().collect();
        if index > start && (index - start == CLAUSES || more.len() > MAPS) {
            parts.push(start..index);
            (start, used) = (index, maps(clause));
        } else {
            used = more;
        }
    }
    parts.push(start..clauses.len());
    parts
}

/// The maps that a clause uses.
fn maps(clause: &ClauseImage) -> BTreeSet<String> {
    let references = Function::from_code(clause.code.clone()).references;
    let map = |(_, target)| match target {
        Target::Map(name) => Some(name),
        _ => None,
    };
    references.into_iter().filter_map(map).collect()
}
