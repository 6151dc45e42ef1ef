//! What a compiled function touches, read off its instructions: whether a firing needs a slot for it, and whether it only asks.
//!
//! Invariant: whatever is not known to be harmless counts as harm.

use probes_common::abi::{LIGHT_RECORD, SLOT_RECORD};

use super::helper;
use crate::ir::{Base, Callee, Function, Memory, Op, Operand};

/// Helpers that only tell, and tell the same twice in one firing.
const ASKING: [u32; 7] = [
    helper::MAP_LOOKUP_ELEM,
    helper::GET_SMP_PROCESSOR_ID,
    helper::GET_CURRENT_PID_TGID,
    helper::GET_CURRENT_UID_GID,
    helper::GET_CURRENT_COMM,
    helper::GET_CURRENT_TASK,
    helper::PROBE_READ_KERNEL,
];

/// Whether the function, whose first parameter is the slot, touches nothing of it behind a record of so many bytes, which can be on
/// the stack: it sends nothing, keeps nothing for other clauses, cannot fault.
pub(super) fn is_light(function: &Function, record_size: usize) -> bool {
    let slot = function.params[0];
    let end = SLOT_RECORD + record_size;
    let inside = |memory: &Memory, bytes: u32| {
        memory.base != Base::Reg(slot)
            || usize::try_from(memory.offset).is_ok_and(|offset| offset + bytes as usize <= end)
    };
    let harmless = |op: &Op| match op {
        Op::Load { size, from, .. } => inside(from, size.bytes()),
        Op::Store { size, to, value } => inside(to, size.bytes()) && *value != Operand::Reg(slot),
        Op::Call { callee: Callee::Symbol(symbol), args, .. } if **symbol == *"drop_count" => {
            args[1..].iter().all(|arg| *arg != Operand::Reg(slot))
        }
        op => !op.reads(slot),
    };
    record_size <= LIGHT_RECORD && function.insns.iter().all(|insn| harmless(&insn.op))
}

/// Whether the function looks something up in a map, which takes some 20 ns.
pub(super) fn looks_up(function: &Function) -> bool {
    let lookup = Callee::Helper(helper::MAP_LOOKUP_ELEM);
    function.insns.iter().any(|insn| matches!(&insn.op, Op::Call { callee, .. } if *callee == lookup))
}

/// Whether the function may be run once more than it should: it changes nothing but its own stack frame and does without the slot
/// and the context.
pub(super) fn only_asks(function: &Function) -> bool {
    let (slot, context) = (function.params[0], function.params[1]);
    let own = |memory: &Memory| matches!(memory.base, Base::Stack(_));
    function.insns.iter().all(|insn| {
        let harmless = match &insn.op {
            Op::Store { to, .. } => own(to),
            Op::AtomicAdd { .. } | Op::Exchange { .. } | Op::CompareExchange { .. } => false,
            Op::Call { callee: Callee::Helper(number), .. } => ASKING.contains(number),
            Op::Call { callee: Callee::Symbol(_), .. } => false,
            _ => true,
        };
        harmless && !insn.op.reads(slot) && !insn.op.reads(context)
    })
}

#[cfg(test)]
mod tests {
    use probes_common::abi::SLOT_FAULT;

    use super::*;
    use crate::ir::{Builder, Size, VReg};

    fn function(build: impl FnOnce(&mut Builder, VReg)) -> Function {
        let mut builder = Builder::new("f", 3);
        let slot = builder.param(0);
        build(&mut builder, slot);
        builder.ret(Operand::Imm(0));
        builder.finish()
    }

    #[test]
    fn a_record_on_the_stack_is_enough_unless_more_is_touched() {
        let reads = |offset: usize| function(|b, slot| _ = b.load(Size::B8, (slot, offset as i32)));
        assert!(is_light(&reads(SLOT_RECORD + 8), 16));
        assert!(!is_light(&reads(SLOT_RECORD + 16), 16));
        assert!(!is_light(&reads(SLOT_FAULT), 16));
        assert!(!is_light(&reads(SLOT_RECORD), LIGHT_RECORD + 8));
        let count = |args: &[Operand]| function(|b, _| b.call_void("drop_count", args));
        let slot = function(|_, _| ()).params[0];
        assert!(is_light(&count(&[slot.into(), Operand::Imm(2)]), 0));
        assert!(!is_light(&function(|b, slot| b.call_void("emit", &[slot.into()])), 0));
        assert!(!is_light(&function(|b, slot| _ = b.add(slot, 64)), 48));
    }

    #[test]
    fn what_asks_changes_nothing_and_knows_no_slot() {
        let asks = function(|b, _| _ = b.helper(helper::GET_CURRENT_PID_TGID, &[]));
        assert!(only_asks(&asks));
        assert!(!only_asks(&function(|b, _| _ = b.helper(helper::GET_PRANDOM_U32, &[]))));
        assert!(!only_asks(&function(|b, slot| _ = b.load(Size::B8, (slot, 0)))));
        assert!(!only_asks(&function(|b, _| {
            let word = b.data_addr(".data.globals", 0);
            b.store(Size::B8, (word, 0), 1);
        })));
    }
}
