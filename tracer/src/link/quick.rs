//! What trampolines ask of the kernel all the time, by the quickest way that it has: `current_task()` and
//! `call_registers(ctx, task)`. Either gives a pointer of which the verifier knows the type.
//!
//! Where the kernel can be read instead of called ([`Currents`]), neither makes a call; both stand in place wherever they are
//! asked for.

use super::assembler::Assembler;
use super::function::{Function, Linkage};
use crate::bpf::Insn;
use crate::bpf::insn::{alu, jmp, size};
use crate::kernel::currents::{Currents, Types};

/// The section with the addresses of [`Currents`].
pub(super) const SECTION: &str = ".rodata.currents";

/// Helpers of the kernel.
const GET_SMP_PROCESSOR_ID: u32 = 8;
const GET_CURRENT_TASK: u32 = 35;
const GET_CURRENT_TASK_BTF: u32 = 158;
const TASK_PT_REGS: u32 = 175;

/// The functions.
pub(super) fn functions(currents: Option<&Currents>) -> [Function; 2] {
    [current_task(currents), call_registers(currents.map(|currents| &currents.types))]
}

/// The bytes of the section.
pub(super) fn table(currents: &Currents) -> Vec<u8> {
    currents.addresses.iter().flat_map(|address| address.to_le_bytes()).collect()
}

/// `current_task()`: what this CPU's variable says. A CPU of which it is not known where that lies calls.
fn current_task(currents: Option<&Currents>) -> Function {
    let mut code = Assembler::default();
    match currents {
        None => code.push(Insn::call_helper(GET_CURRENT_TASK_BTF)),
        Some(Currents { types, addresses }) => {
            let [unknown, known] = [(); 2].map(|()| code.label());
            code.push(Insn::call_helper(GET_SMP_PROCESSOR_ID));
            code.branch(jmp::JGE, 0, addresses.len() as i32, unknown);
            code.push(Insn::alu_imm(alu::LSH, 0, 3));
            code.load_data(1, SECTION, 0);
            code.push(Insn::alu_reg(alu::ADD, 1, 0));
            code.load(1, 1, 0);
            code.branch(jmp::JEQ, 1, 0, unknown);
            code.cast(types, types.pointer);
            code.load(1, 0, 0);
            code.jump(known);
            code.place(unknown);
            code.push(Insn::call_helper(GET_CURRENT_TASK));
            code.copy(1, 0);
            code.place(known);
            code.cast(types, types.task);
        }
    }
    code.push(Insn::exit());
    Function { linkage: Linkage::Inline, ..code.finish("current_task".into()) }
}

/// `call_registers(ctx, task)`: the first argument of the tracepoints at which system calls begin and end.
fn call_registers(types: Option<&Types>) -> Function {
    let mut code = Assembler::default();
    match types {
        None => {
            code.copy(1, 2);
            code.push(Insn::call_helper(TASK_PT_REGS));
        }
        Some(types) => {
            code.push(Insn::load(size::DW, 1, 1, 0));
            code.cast(types, types.registers);
        }
    }
    code.push(Insn::exit());
    Function { linkage: Linkage::Inline, ..code.finish("call_registers".into()) }
}

impl Assembler {
    /// `r0 = (type *)r1`
    fn cast(&mut self, types: &Types, to: u32) {
        self.push(Insn::alu_imm(alu::MOV, 2, to as i32));
        self.push(Insn::call_kernel(types.cast));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn helpers(currents: Option<&Currents>) -> Vec<i32> {
        let calls = |insn: &Insn| insn.opcode == Insn::call_helper(0).opcode && insn.src == 0;
        let [task, registers] = functions(currents);
        task.insns.iter().chain(&registers.insns).filter(|insn| calls(insn)).map(|insn| insn.imm).collect()
    }

    #[test]
    fn the_kernel_is_called_where_it_cannot_be_read() {
        let types = Types { cast: 1, pointer: 2, task: 3, registers: 4 };
        assert_eq!(helpers(None), [158, 175]);
        assert_eq!(helpers(Some(&Currents { types, addresses: vec![0, 8] })), [8, 35]);
    }
}
