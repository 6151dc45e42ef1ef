//! Functions with symbolic references: the one form in which the linker holds trampolines, runtime routines and clauses.

use crate::bpf::insn::{alu, jmp};
use crate::bpf::{At, Code, Insn, RelocationKind};

/// What an instruction refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A function, by name.
    Function(String),
    /// A map, by name.
    Map(String),
    /// A byte of a data section: the section's name and the offset.
    Data(String, u32),
}

/// How the kernel verifies a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Linkage {
    /// Again at each call, with what the caller passes.
    Static,
    /// Once, with any slot and the program's context; null is passed, too.
    Global,
    /// As a static one; it is short, uses no stack and stands in each place that calls it.
    Inline,
    /// Once, with whatever such parameters may be; null is passed, too.
    Once(&'static [Parameter]),
}

/// What a function that is verified by itself takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    /// A number.
    Number,
    /// The address of so many bytes, which can be written to.
    Area(u32),
}

/// A function whose references are by name.
#[derive(Debug, Clone)]
pub(super) struct Function {
    /// Its symbol.
    pub(super) name: String,
    /// The ELF section that it has to stand in: `.text`, or one that says what the program hangs on.
    pub(super) section: String,
    /// Its instructions.
    pub(super) insns: Vec<Insn>,
    /// The instructions that refer to something, in order.
    pub(super) references: Vec<(usize, Target)>,
    /// From which instruction on which source position holds.
    pub(super) lines: Vec<(u32, At)>,
    /// How it is verified.
    pub(super) linkage: Linkage,
}

impl Function {
    /// A static function without source positions.
    pub(super) fn new(name: String, insns: Vec<Insn>, references: Vec<(usize, Target)>) -> Function {
        let (lines, linkage) = (Vec::new(), Linkage::Static);
        Function { name, section: ".text".into(), insns, references, lines, linkage }
    }

    /// A compiled clause.
    pub(super) fn from_code(code: Code) -> Function {
        let references = code
            .relocations
            .into_iter()
            .map(|relocation| {
                let target = match relocation.kind {
                    RelocationKind::Map => Target::Map(relocation.symbol),
                    RelocationKind::Data => Target::Data(relocation.symbol, relocation.addend as u32),
                    RelocationKind::Call => Target::Function(relocation.symbol),
                };
                (relocation.offset as usize, target)
            })
            .collect();
        Function { lines: code.lines, ..Function::new(code.name, code.insns, references) }
    }

    /// The same function, verified by itself: before anything else it asks whether it was given addresses.
    pub(super) fn once(self, parameters: &'static [Parameter]) -> Function {
        let areas =
            parameters.iter().zip(1..).filter(|(parameter, _)| matches!(parameter, Parameter::Area(_)));
        let guards: Vec<Insn> = areas
            .flat_map(|(_, register)| {
                let there = Insn { offset: 2, ..Insn::branch_imm(jmp::JNE, register, 0) };
                [there, Insn::alu_imm(alu::MOV, 0, 0), Insn::exit()]
            })
            .collect();
        let before = guards.len();
        let references = self.references.into_iter().map(|(at, target)| (at + before, target)).collect();
        let insns = guards.into_iter().chain(self.insns).collect();
        Function { insns, references, linkage: Linkage::Once(parameters), ..self }
    }

    /// The same function under another name, its references renamed by `rename`.
    pub(super) fn renamed(&self, name: String, rename: impl Fn(&Target) -> Target) -> Function {
        let references = self.references.iter().map(|(at, target)| (*at, rename(target))).collect();
        Function { name, references, ..self.clone() }
    }
}
