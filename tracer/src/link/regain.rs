//! What a global function forgets of the slot that it is handed, and how it comes to know it again.
//!
//! Of a parameter of such a function the verifier knows only that it is so many bytes of memory. Kernel 6.1 does not take that
//! for the key of a map (`check_helper_call`'s `map_key_value_types` in kernel/bpf/verifier.c), and long keys are made in the slot.

use probes_common::abi::SLOTS_PER_CPU;

use super::assembler::Assembler;
use super::function::Function;
use crate::bpf::Insn;
use crate::bpf::insn::{FRAME, alu, jmp, size};

/// The function's name.
pub(super) const NAME: &str = "regain_slot";

/// Helpers of the kernel.
const MAP_LOOKUP_ELEM: u32 = 1;
const GET_SMP_PROCESSOR_ID: u32 = 8;

/// `regain_slot(slot)`: the same slot, as the value of a map that it is; null if it is none of this CPU's.
pub(super) fn function() -> Function {
    const SLOT: u8 = 6;
    const INDEX: u8 = 7;
    const KEY: i16 = -4;
    let mut code = Assembler::default();
    let [found, absent] = [(); 2].map(|()| code.label());
    code.copy(SLOT, 1);
    code.push(Insn::call_helper(GET_SMP_PROCESSOR_ID));
    code.copy(INDEX, 0);
    code.push(Insn::alu_imm(alu::MUL, INDEX, SLOTS_PER_CPU as i32));
    for _ in 0..SLOTS_PER_CPU {
        code.push(Insn::store_reg(size::W, FRAME, KEY, INDEX));
        code.load_map(1, "SLOTS");
        code.copy(2, FRAME);
        code.push(Insn::alu_imm(alu::ADD, 2, KEY.into()));
        code.push(Insn::call_helper(MAP_LOOKUP_ELEM));
        code.branch(jmp::JEQ, 0, 0, absent);
        code.branch_same(0, SLOT, found);
        code.push(Insn::alu_imm(alu::ADD, INDEX, 1));
    }
    code.place(absent);
    code.give(0);
    code.place(found);
    code.push(Insn::exit());
    code.finish(NAME.into())
}
