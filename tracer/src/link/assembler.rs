//! Short code by hand: instructions with forward jumps, for what stands between a trampoline and its clauses.

use std::collections::BTreeSet;

use super::function::{Function, Target};
use crate::bpf::insn::{LD_IMM64, alu, class, jmp, size};
use crate::bpf::{At, Insn};

/// A place to jump to, placed or to be placed.
#[derive(Clone, Copy)]
pub(super) struct Label(usize);

/// Instructions with forward jumps.
#[derive(Default)]
pub(super) struct Assembler {
    insns: Vec<Insn>,
    references: Vec<(usize, Target)>,
    lines: Vec<(u32, At)>,
    places: Vec<Option<usize>>,
    jumps: Vec<(usize, usize)>,
}

impl Assembler {
    pub(super) fn push(&mut self, insn: Insn) {
        self.insns.push(insn);
    }

    /// `dst = src`
    pub(super) fn copy(&mut self, dst: u8, src: u8) {
        self.push(Insn::alu_reg(alu::MOV, dst, src));
    }

    /// `dst = *(u64 *)(src + offset)`
    pub(super) fn load(&mut self, dst: u8, src: u8, offset: i16) {
        self.push(Insn::load(size::DW, dst, src, offset));
    }

    /// `return value`
    pub(super) fn give(&mut self, value: i32) {
        self.push(Insn::alu_imm(alu::MOV, 0, value));
        self.push(Insn::exit());
    }

    pub(super) fn label(&mut self) -> Label {
        self.places.push(None);
        Label(self.places.len() - 1)
    }

    pub(super) fn place(&mut self, label: Label) {
        self.places[label.0] = Some(self.insns.len());
    }

    /// Places a label; a jump to it that would stand right before it is left out, as the kernel would do at greater cost.
    pub(super) fn place_next(&mut self, label: Label) {
        let last = self.insns.len().wrapping_sub(1);
        if let Some(index) = self.jumps.iter().rposition(|jump| *jump == (last, label.0))
            && self.insns[last] == Insn::jump()
        {
            self.jumps.remove(index);
            self.insns.pop();
        }
        self.place(label);
    }

    /// Whether anything jumps there so far.
    pub(super) fn is_wanted(&self, label: Label) -> bool {
        self.jumps.iter().rev().any(|(_, to)| *to == label.0)
    }

    /// `if dst op imm goto label`, `op` being one of [`jmp`].
    pub(super) fn branch(&mut self, op: u8, dst: u8, imm: i32, label: Label) {
        self.jumps.push((self.insns.len(), label.0));
        self.push(Insn::branch_imm(op, dst, imm));
    }

    /// `if a == b goto label`, of two registers.
    pub(super) fn branch_same(&mut self, a: u8, b: u8, label: Label) {
        self.jumps.push((self.insns.len(), label.0));
        self.push(Insn::branch_reg(jmp::JEQ, a, b));
    }

    pub(super) fn jump(&mut self, label: Label) {
        self.jumps.push((self.insns.len(), label.0));
        self.push(Insn::jump());
    }

    /// `dst = ` the map
    pub(super) fn load_map(&mut self, dst: u8, map: &str) {
        self.references.push((self.insns.len(), Target::Map(map.into())));
        self.insns.extend(Insn::load_imm64(dst, 0));
    }

    /// `dst = ` the address of that byte of a section
    pub(super) fn load_data(&mut self, dst: u8, section: &str, offset: u32) {
        self.references.push((self.insns.len(), Target::Data(section.into(), offset)));
        self.insns.extend(Insn::load_imm64(dst, 0));
    }

    pub(super) fn call(&mut self, function: &str) {
        self.references.push((self.insns.len(), Target::Function(function.into())));
        self.push(Insn::call_function());
    }

    /// A function's body: where it would return one of the known values it goes to their label, and where it would return
    /// something else, to `end` with that in r0. The kernel need not remove what a body never comes to.
    pub(super) fn inline(&mut self, function: &Function, known: &[(u64, Label)], end: Label) {
        let start = self.insns.len();
        let targets = jump_targets(&function.insns);
        self.references.extend(function.references.iter().map(|(at, target)| (start + at, target.clone())));
        self.lines.extend(function.lines.iter().map(|(at, line)| (start as u32 + at, *line)));
        for (at, insn) in function.insns.iter().enumerate() {
            let second_half = at > 0 && function.insns[at - 1].opcode == LD_IMM64;
            if second_half || *insn != Insn::exit() {
                self.push(*insn);
                continue;
            }
            let before =
                at.checked_sub(1).filter(|_| !targets.contains(&at)).map(|before| function.insns[before]);
            let value = before.filter(|before| *before == Insn::alu_imm(alu::MOV, 0, before.imm));
            let label = value.and_then(|value| known.iter().find(|(known, _)| *known == value.imm as u64));
            self.jump(label.map_or(end, |(_, label)| *label));
        }
    }

    /// Jumps to `no` unless the register holds one of the sorted numbers.
    pub(super) fn unless_among(&mut self, register: u8, numbers: &[u16], no: Label) {
        let yes = self.label();
        for (first, last) in runs(numbers) {
            if first == last {
                self.branch(jmp::JEQ, register, i32::from(first), yes);
            } else {
                let next = self.label();
                self.branch(jmp::JLT, register, i32::from(first), next);
                self.branch(jmp::JGT, register, i32::from(last), next);
                self.jump(yes);
                self.place(next);
            }
        }
        self.jump(no);
        self.place(yes);
    }

    /// The function, its jumps filled in.
    pub(super) fn finish(mut self, name: String) -> Function {
        for (at, label) in self.jumps {
            let place = self.places[label].expect("every label is placed before the end");
            self.insns[at].offset = (place - at - 1) as i16;
        }
        Function { lines: self.lines, ..Function::new(name, self.insns, self.references) }
    }
}

/// Whether a function returns these values and no others, as far as can be seen where it returns.
pub(super) fn gives_only(function: &Function, values: &[u64]) -> bool {
    let insns = &function.insns;
    let targets = jump_targets(insns);
    let returns = (0..insns.len()).filter(|&at| {
        let second_half = at > 0 && insns[at - 1].opcode == LD_IMM64;
        !second_half && insns[at] == Insn::exit()
    });
    returns.into_iter().all(|at| {
        let before = at.checked_sub(1).filter(|_| !targets.contains(&at)).map(|before| insns[before]);
        before.is_some_and(|before| {
            before == Insn::alu_imm(alu::MOV, 0, before.imm) && values.contains(&(before.imm as u64))
        })
    })
}

/// The instructions that are jumped to.
fn jump_targets(insns: &[Insn]) -> BTreeSet<usize> {
    let jumps = insns.iter().enumerate().filter(|(at, insn)| {
        let data = *at > 0 && insns[at - 1].opcode == LD_IMM64;
        let other = [jmp::CALL, jmp::EXIT].contains(&(insn.opcode & 0xf0));
        !data && matches!(insn.opcode & 7, class::JMP | class::JMP32) && !other
    });
    jumps.map(|(at, insn)| at.wrapping_add_signed(isize::from(insn.offset) + 1)).collect()
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
