//! Jumps: threads them through to where they end, and removes code that cannot be reached.
//!
//! The verifier refuses unreachable code, so this pass is not only for speed. Invariant: afterwards every instruction
//! can be reached, every label left is the target of a jump, and no jump goes to the instruction after it.

use super::flow::blocks;
use super::{Condition, Function, Insn, Label, Op};

/// Simplifies jumps; says whether anything changed.
pub(super) fn simplify_jumps(function: &mut Function) -> bool {
    let before = function.insns.len();
    let mut changed = thread(function);
    loop {
        remove_unreachable(function);
        let shorter = drop_jumps_to_next(function);
        if !shorter {
            break;
        }
        changed = true;
    }
    changed || function.insns.len() != before
}

/// Sends jumps to a jump on to its target.
fn thread(function: &mut Function) -> bool {
    // For each label, the label that a jump to it ends up at.
    let mut onward: Vec<Option<Label>> = vec![None; function.labels as usize];
    let mut labels_here = Vec::new();
    for insn in &function.insns {
        match insn.op {
            Op::Label(label) => labels_here.push(label),
            Op::Jump(target) => {
                labels_here.drain(..).for_each(|label: Label| onward[label.0 as usize] = Some(target));
            }
            _ => labels_here.clear(),
        }
    }
    let resolve = |mut label: Label| {
        // A loop of nothing but jumps never ends; neither must this.
        for _ in 0..onward.len() {
            match onward[label.0 as usize] {
                Some(next) => label = next,
                None => break,
            }
        }
        label
    };
    let mut changed = false;
    for insn in &mut function.insns {
        if let Op::Jump(target) | Op::Branch { target, .. } = &mut insn.op {
            let end = resolve(*target);
            changed |= end != *target;
            *target = end;
        }
    }
    changed
}

/// Removes the blocks that nothing leads to, and the labels that nothing jumps to.
fn remove_unreachable(function: &mut Function) {
    let blocks = blocks(function);
    let mut reached = vec![false; blocks.len()];
    let mut pending = vec![0];
    while let Some(index) = pending.pop() {
        if index < blocks.len() && !std::mem::replace(&mut reached[index], true) {
            pending.extend(&blocks[index].next);
        }
    }
    let mut keep = vec![false; function.insns.len()];
    let mut wanted = vec![false; function.labels as usize];
    for (block, _) in blocks.iter().zip(&reached).filter(|(_, reached)| **reached) {
        for index in block.insns.clone() {
            keep[index] = true;
            if let Op::Jump(target) | Op::Branch { target, .. } = function.insns[index].op {
                wanted[target.0 as usize] = true;
            }
        }
    }
    let mut index = 0;
    function.insns.retain(|insn| {
        let label_is_wanted = !matches!(insn.op, Op::Label(label) if !wanted[label.0 as usize]);
        index += 1;
        keep[index - 1] && label_is_wanted
    });
}

/// Removes jumps to the next instruction, and turns `if c goto A; goto B; A:` into `if !c goto B; A:`.
fn drop_jumps_to_next(function: &mut Function) -> bool {
    let falls_to = |rest: &[Insn], target: Label| {
        let labels = rest.iter().map_while(|insn| match insn.op {
            Op::Label(label) => Some(label),
            _ => None,
        });
        labels.into_iter().any(|label| label == target)
    };
    let mut insns: Vec<Insn> = std::mem::take(&mut function.insns);
    let mut dropped = vec![false; insns.len()];
    for index in 0..insns.len() {
        let (done, rest) = insns.split_at_mut(index + 1);
        match &mut done[index].op {
            Op::Jump(target) => dropped[index] |= falls_to(rest, *target),
            Op::Branch { target, .. } if falls_to(rest, *target) => dropped[index] = true,
            Op::Branch { condition, target, .. } => {
                if let Some(Insn { op: Op::Jump(other), .. }) = rest.first()
                    && falls_to(&rest[1..], *target)
                    && let Some(inverse) = condition.inverse()
                {
                    (*condition, *target) = (inverse, *other);
                    dropped[index + 1] = true;
                }
            }
            _ => {}
        }
    }
    let changed = dropped.contains(&true);
    let mut dropped = dropped.into_iter();
    insns.retain(|_| dropped.next() == Some(false));
    function.insns = insns;
    changed
}

impl Condition {
    /// The condition that holds where this does not; there is none for [`Condition::Set`].
    pub(super) fn inverse(self) -> Option<Condition> {
        Some(match self {
            Condition::Eq => Condition::Ne,
            Condition::Ne => Condition::Eq,
            Condition::Gt => Condition::Le,
            Condition::Ge => Condition::Lt,
            Condition::Lt => Condition::Ge,
            Condition::Le => Condition::Gt,
            Condition::Sgt => Condition::Sle,
            Condition::Sge => Condition::Slt,
            Condition::Slt => Condition::Sge,
            Condition::Sle => Condition::Sgt,
            Condition::Set => return None,
        })
    }
}
