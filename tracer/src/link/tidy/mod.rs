//! Tidying a whole program: what its constants decide is decided, and what nobody asks for is left out.
//!
//! Trampolines are compiled for every program; what this one wants of them are constants that the linker fills in. The
//! kernel, too, removes branches that constants rule out, but not the loads and moves that led there, and a simple clause
//! consists of little else. Invariant: the function means the same, to the kernel's verifier as well: it is shown no pointer
//! that it was not shown before.

mod blocks;
mod calls;
mod live;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;

use super::function::Function;
use blocks::Blocks;

/// Longer functions stay as they are: what they do takes longer than what would be saved.
const LONGEST: usize = 4000;

/// What the linker knows of the sections and maps that a function refers to.
#[derive(Default)]
pub(super) struct Known {
    /// Sections that nobody writes to.
    pub(super) constant: BTreeMap<String, Vec<u8>>,
    /// Bytes of the maps' keys and values.
    pub(super) maps: BTreeMap<String, (u32, u32)>,
}

/// The function tidied; as it was where it has what is not understood.
pub(super) fn tidy(function: Function, known: &Known) -> Function {
    if function.insns.len() > LONGEST {
        return function;
    }
    let Some(mut blocks) = Blocks::of(&function) else { return function };
    // What one pass removes may free the other's hands.
    for _ in 0..2 {
        values::fold(&mut blocks, known);
        blocks.straighten();
        if !live::remove_dead(&mut blocks, known) {
            break;
        }
    }
    match blocks.lay_out() {
        Some((insns, references, lines)) => Function { insns, references, lines, ..function },
        None => function,
    }
}
