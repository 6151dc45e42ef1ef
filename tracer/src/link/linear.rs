//! A program as the kernel takes it: its own instructions, then those of the functions that it calls.

use std::collections::{BTreeMap, HashMap};

use super::LinkError;
use super::btf::Btf;
use super::function::{Function, Linkage, Target};
use crate::bpf::insn::LD_IMM64;
use crate::bpf::{At, Insn};

/// The instructions of a program with all that it calls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Linear {
    /// The instructions; those that refer to a map are not filled in.
    pub insns: Vec<Insn>,
    /// Instructions (the first of two) that name a map, or a byte of a section that becomes one.
    pub references: Vec<(usize, Reference)>,
    /// Where each function begins, and its type's id.
    pub functions: Vec<[u32; 2]>,
    /// From which instruction on which source position holds; none where the code is not of a clause.
    pub lines: Vec<(usize, Option<At>)>,
}

/// What an instruction names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A map.
    Map(String),
    /// So many bytes into a section.
    Data(String, u32),
}

/// A 64-bit immediate that is a function's address; a call of a function in the same program.
const PSEUDO_FUNC: u8 = 4;

/// The program that begins with `root`, which runs with that type of context.
pub(super) fn linear(
    root: &str,
    functions: &BTreeMap<String, Function>,
    btf: &mut Btf,
) -> Result<Linear, LinkError> {
    let missing = |name: &str| LinkError::Undefined(name.to_owned(), root.to_owned());
    let mut program = Linear::default();
    let mut starts = HashMap::new();
    let mut calls = Vec::new();
    let mut waiting = vec![root];
    let mut context = None;
    while let Some(name) = waiting.pop() {
        if starts.contains_key(name) {
            continue;
        }
        let function = functions.get(name).ok_or_else(|| missing(name))?;
        let start = program.insns.len();
        starts.insert(name, start);
        let id = match function.linkage {
            Linkage::Static | Linkage::Inline => btf.static_function(name),
            Linkage::Once(parameters) => btf.once(name, parameters),
            Linkage::Global => {
                let section = &functions.get(root).ok_or_else(|| missing(root))?.section;
                let context = *context.get_or_insert_with(|| btf.context(context_of(section)));
                btf.clauses(name, context)
            }
        };
        program.functions.push([start as u32, id]);
        program.insns.extend(&function.insns);
        program.lines.push((start, None));
        program.lines.extend(function.lines.iter().map(|(at, line)| (start + *at as usize, Some(*line))));
        for (at, target) in &function.references {
            match target {
                Target::Function(callee) => {
                    calls.push((start + at, callee));
                    waiting.push(callee);
                }
                Target::Map(map) => program.references.push((start + at, Reference::Map(map.clone()))),
                Target::Data(section, offset) => {
                    program.references.push((start + at, Reference::Data(section.clone(), *offset)));
                }
            }
        }
    }
    for (at, callee) in calls {
        let distance = starts[callee.as_str()] as i32 - at as i32 - 1;
        let insn = &mut program.insns[at];
        insn.imm = distance;
        if insn.opcode == LD_IMM64 {
            insn.src = PSEUDO_FUNC;
        }
    }
    Ok(program)
}

/// The struct by which the kernel knows the context of programs of that section (include/linux/bpf_types.h, 6.1).
fn context_of(section: &str) -> &'static str {
    match section.split('/').next() {
        Some("perf_event") => "bpf_perf_event_data",
        Some("raw_tp") => "bpf_raw_tracepoint_args",
        // `void *`, which has no name.
        _ => "",
    }
}

impl Linear {
    /// The source position of an instruction.
    pub fn line(&self, insn: usize) -> Option<At> {
        let next = self.lines.partition_point(|(start, _)| *start <= insn);
        self.lines[..next].last()?.1
    }
}
