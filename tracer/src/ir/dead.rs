//! Dead code: removes instructions whose only effect is a value that nothing reads.
//!
//! Invariant: stores, calls, atomics and control flow stay; a call whose result is not read loses the result.

use super::flow::{Liveness, Marks};
use super::{Function, Op, Operand};

/// Removes dead instructions; says whether there were any.
pub(super) fn remove_dead(function: &mut Function) -> bool {
    let liveness = Liveness::of(function);
    let mut dead = vec![false; function.insns.len()];
    let mut live = Marks::new(function);
    for (number, block) in liveness.blocks.iter().enumerate() {
        live.reset(liveness.live_out(number));
        for index in block.insns.clone().rev() {
            let op = &mut function.insns[index].op;
            if let Some(dst) = op.def() {
                let wanted = live.contains(dst);
                if op.is_pure() && (!wanted || is_copy_to_itself(op)) {
                    dead[index] = true;
                    continue;
                }
                if let Op::Call { result, .. } = op
                    && !wanted
                {
                    *result = None;
                }
                live.remove(dst);
            }
            op.for_each_use(|reg, _| live.insert(reg));
        }
    }
    let before = function.insns.len();
    let mut dead = dead.into_iter();
    function.insns.retain(|_| dead.next() == Some(false));
    function.insns.len() != before
}

fn is_copy_to_itself(op: &Op) -> bool {
    matches!(op, Op::Move { dst, src: Operand::Reg(src) } if dst == src)
}
