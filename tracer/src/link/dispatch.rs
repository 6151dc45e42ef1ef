//! The code between a trampoline and its clauses: dispatchers and gates.
//!
//! Both are made of a handful of instructions and keep the slot in r6 and the context in r7. A family's discriminators
//! are tested as runs of numbers, the first test being in the gate, before the trampoline does anything else.

use probes_common::abi::{Slot, outcome};
use probes_common::providers::dtrace;

use super::function::{Function, Target};
use crate::bpf::Insn;
use crate::lower::ProgramImage;

/// A clause as the dispatcher sees it: its function and the discriminators it is for.
pub(super) struct Entry<'a> {
    pub(super) function: &'a str,
    pub(super) discriminators: Option<&'a [u16]>,
}

/// The ERROR probe: its program's number and the functions of its clauses.
#[derive(Debug, Default)]
pub(super) struct Errors {
    pub(super) number: u32,
    pub(super) clauses: Vec<String>,
}

/// `clauses_NAME(slot, ctx)`: numbers the probe, zeroes the `this->` words, calls the clauses, reports their faults.
pub(super) fn dispatcher(
    name: &str,
    number: u32,
    locals: (u32, u32),
    clauses: &[Entry<'_>],
    errors: &Errors,
) -> Function {
    let mut code = Assembler::default();
    code.push(mov(6, 1));
    code.push(mov(7, 2));
    code.push(load_u32(8, 6, core::mem::offset_of!(Slot, discriminator) as i16));
    code.number_probe(number);
    for offset in (locals.0..locals.0 + locals.1).step_by(8) {
        code.push(Insn { opcode: 0x7a, dst: 6, offset: offset as i16, ..Insn::default() }); // *(u64 *)(r6 + o) = 0
    }
    for clause in clauses {
        let next = code.label();
        if let Some(discriminators) = clause.discriminators {
            code.unless_among(8, discriminators, next);
        }
        code.call_clause(clause.function);
        code.jump(JEQ, 0, outcome::NEXT as i32, next);
        let stop = code.label();
        code.jump(JEQ, 0, outcome::STOP as i32, stop);
        code.report_fault();
        if !errors.clauses.is_empty() {
            code.push(store_imm_u32(6, PROBE, (errors.number << 16) as i32));
            // All of them run, also after exit(); of the probe's own clauses only END's go on then.
            code.push(Insn { opcode: 0xb7, dst: 9, ..Insn::default() });
            for clause in &errors.clauses {
                code.call_clause(clause);
                code.push(Insn { opcode: 0x4f, dst: 9, src: 0, ..Insn::default() }); // r9 |= r0
            }
            code.number_probe(number);
            if name != dtrace::END.name {
                code.jump(JEQ, 9, outcome::STOP as i32, stop);
            }
        }
        code.jump_always(next);
        code.place(stop);
        code.push(EXIT);
        code.place(next);
    }
    code.push(Insn { opcode: 0xb7, ..Insn::default() });
    code.push(EXIT);
    code.finish(format!("clauses_{name}"))
}

/// `gate_NAME(discriminator)`: 1 when some clause wants it.
pub(super) fn gate(name: &str, program: &ProgramImage) -> Function {
    let mut code = Assembler::default();
    let lists =
        program.clauses.iter().map(|clause| clause.discriminators.as_ref().unwrap_or(&program.hosted));
    let mut wanted: Vec<u16> = lists.flatten().copied().collect();
    wanted.sort_unstable();
    wanted.dedup();
    let no = code.label();
    code.push(mov(8, 1));
    code.unless_among(8, &wanted, no);
    code.push(Insn { opcode: 0xb7, imm: 1, ..Insn::default() });
    code.push(EXIT);
    code.place(no);
    code.push(Insn { opcode: 0xb7, ..Insn::default() });
    code.push(EXIT);
    code.finish(format!("gate_{name}"))
}

const PROBE: i16 = core::mem::offset_of!(Slot, probe) as i16;
const EXIT: Insn = Insn { opcode: 0x95, dst: 0, src: 0, offset: 0, imm: 0 };
const JEQ: u8 = 0x15;
const JGT: u8 = 0x25;
const JLT: u8 = 0xa5;

fn mov(dst: u8, src: u8) -> Insn {
    Insn { opcode: 0xbf, dst, src, ..Insn::default() }
}

fn load_u32(dst: u8, base: u8, offset: i16) -> Insn {
    Insn { opcode: 0x61, dst, src: base, offset, imm: 0 }
}

fn store_imm_u32(base: u8, offset: i16, imm: i32) -> Insn {
    Insn { opcode: 0x62, dst: base, src: 0, offset, imm }
}

#[derive(Clone, Copy)]
struct Label(usize);

/// Instructions with forward jumps.
#[derive(Default)]
struct Assembler {
    insns: Vec<Insn>,
    references: Vec<(usize, Target)>,
    places: Vec<Option<usize>>,
    jumps: Vec<(usize, usize)>,
}

impl Assembler {
    fn push(&mut self, insn: Insn) {
        self.insns.push(insn);
    }

    fn label(&mut self) -> Label {
        self.places.push(None);
        Label(self.places.len() - 1)
    }

    fn place(&mut self, label: Label) {
        self.places[label.0] = Some(self.insns.len());
    }

    fn jump(&mut self, opcode: u8, dst: u8, imm: i32, label: Label) {
        self.jumps.push((self.insns.len(), label.0));
        self.push(Insn { opcode, dst, imm, ..Insn::default() });
    }

    fn jump_always(&mut self, label: Label) {
        self.jump(0x05, 0, 0, label);
    }

    fn call(&mut self, function: &str) {
        self.references.push((self.insns.len(), Target::Function(function.into())));
        self.push(Insn { opcode: 0x85, src: 1, imm: -1, ..Insn::default() });
    }

    fn call_clause(&mut self, function: &str) {
        self.push(mov(1, 6));
        self.push(mov(2, 7));
        self.call(function);
    }

    /// Says which probe this is: the program's number above the discriminator in r8.
    fn number_probe(&mut self, number: u32) {
        self.push(mov(1, 8));
        self.push(Insn { opcode: 0x47, dst: 1, imm: (number << 16) as i32, ..Insn::default() }); // r1 |= number << 16
        self.push(Insn { opcode: 0x63, dst: 6, src: 1, offset: PROBE, imm: 0 });
    }

    fn report_fault(&mut self) {
        self.push(mov(1, 6));
        self.call("fault_report");
    }

    /// Jumps to `no` unless the register holds one of the sorted numbers.
    fn unless_among(&mut self, register: u8, numbers: &[u16], no: Label) {
        let yes = self.label();
        for (first, last) in runs(numbers) {
            if first == last {
                self.jump(JEQ, register, i32::from(first), yes);
            } else {
                let next = self.label();
                self.jump(JLT, register, i32::from(first), next);
                self.jump(JGT, register, i32::from(last), next);
                self.jump_always(yes);
                self.place(next);
            }
        }
        self.jump_always(no);
        self.place(yes);
    }

    fn finish(mut self, name: String) -> Function {
        for (at, label) in self.jumps {
            let place = self.places[label].expect("every label is placed before the end");
            self.insns[at].offset = (place - at - 1) as i16;
        }
        Function { name, section: ".text".into(), insns: self.insns, references: self.references }
    }
}

/// Sorted numbers as runs of consecutive ones.
fn runs(numbers: &[u16]) -> Vec<(u16, u16)> {
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_join_neighbours() {
        assert_eq!(runs(&[0, 1, 2, 5, 7, 8]), [(0, 2), (5, 5), (7, 8)]);
        assert_eq!(runs(&[]), []);
    }
}
