//! Control flow and liveness: blocks, what is live between them, and the ranges in which each register is.
//!
//! Time runs in steps of four an instruction: instruction `i` reads at `4(i+1)` + [`Time`], and writes with the late
//! reads; parameters are written just before the first instruction. Ranges are half-open.
//!
//! Invariant: a block is entered only at its first instruction and left only after its last.

use std::ops::Range;

use super::access::Time;
use super::{Function, Op, VReg};

/// A straight piece of code.
pub(super) struct Block {
    /// Its instructions.
    pub(super) insns: Range<usize>,
    /// The blocks that may follow.
    pub(super) next: Vec<usize>,
}

/// A set of virtual registers.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Set(Vec<u64>);

impl Set {
    fn new(size: u32) -> Set {
        Set(vec![0; size.div_ceil(64) as usize])
    }

    /// Adds one.
    pub(super) fn insert(&mut self, reg: VReg) {
        self.0[reg.0 as usize / 64] |= 1 << (reg.0 % 64);
    }

    /// Takes one out.
    pub(super) fn remove(&mut self, reg: VReg) {
        self.0[reg.0 as usize / 64] &= !(1 << (reg.0 % 64));
    }

    /// Whether it is in.
    pub(super) fn contains(&self, reg: VReg) -> bool {
        self.0[reg.0 as usize / 64] & 1 << (reg.0 % 64) != 0
    }

    /// Each that is in.
    pub(super) fn iter(&self) -> impl Iterator<Item = VReg> {
        self.0.iter().enumerate().flat_map(|(index, &word)| {
            let bits = (0..64).filter(move |bit| word & 1 << bit != 0);
            bits.map(move |bit| VReg(index as u32 * 64 + bit))
        })
    }
}

/// Splits a function into blocks.
pub(super) fn blocks(function: &Function) -> Vec<Block> {
    let insns = &function.insns;
    let mut blocks = Vec::new();
    let mut block_of_label = vec![0; function.labels as usize];
    let mut start = 0;
    for (index, insn) in insns.iter().enumerate() {
        let ends = matches!(insn.op, Op::Jump(_) | Op::Branch { .. } | Op::Return(_))
            || matches!(insns.get(index + 1), None | Some(super::Insn { op: Op::Label(_), .. }));
        if let Op::Label(label) = insn.op {
            block_of_label[label.0 as usize] = blocks.len();
        }
        if ends {
            blocks.push(Block { insns: start..index + 1, next: Vec::new() });
            start = index + 1;
        }
    }
    let count = blocks.len();
    for (index, block) in blocks.iter_mut().enumerate() {
        let following = (index + 1 < count).then_some(index + 1);
        match insns[block.insns.end - 1].op {
            Op::Jump(label) => block.next.push(block_of_label[label.0 as usize]),
            Op::Return(_) => {}
            Op::Branch { target, .. } => {
                block.next.push(block_of_label[target.0 as usize]);
                block.next.extend(following);
            }
            _ => block.next.extend(following),
        }
    }
    blocks
}

/// What is live at the ends of blocks.
pub(super) struct Liveness {
    /// The blocks.
    pub(super) blocks: Vec<Block>,
    /// For each block, what is read after it.
    pub(super) live_out: Vec<Set>,
    /// What is read before anything writes it: at most the parameters, in a well-formed function.
    pub(super) entry: Set,
}

impl Liveness {
    /// Solves the backward equations; one pass where all jumps go forward.
    pub(super) fn of(function: &Function) -> Liveness {
        let blocks = blocks(function);
        let empty = Set::new(function.vregs);
        let mut reads = vec![empty.clone(); blocks.len()];
        let mut writes = vec![empty.clone(); blocks.len()];
        for (index, block) in blocks.iter().enumerate() {
            for insn in function.insns[block.insns.clone()].iter().rev() {
                if let Some(dst) = insn.op.def() {
                    writes[index].insert(dst);
                    reads[index].remove(dst);
                }
                insn.op.for_each_use(|reg, _| reads[index].insert(reg));
            }
        }
        let mut live_in = vec![empty.clone(); blocks.len()];
        let mut live_out = vec![empty.clone(); blocks.len()];
        loop {
            let mut changed = false;
            for (index, block) in blocks.iter().enumerate().rev() {
                for &next in &block.next {
                    for (out, into) in live_out[index].0.iter_mut().zip(&live_in[next].0) {
                        *out |= into;
                    }
                }
                for word in 0..empty.0.len() {
                    let live = reads[index].0[word] | live_out[index].0[word] & !writes[index].0[word];
                    changed |= live != live_in[index].0[word];
                    live_in[index].0[word] = live;
                }
            }
            if !changed {
                break;
            }
        }
        let entry = live_in.into_iter().next().unwrap_or(empty);
        Liveness { blocks, live_out, entry }
    }

    /// For each register, the ranges of time in which its value is needed, in order.
    pub(super) fn ranges(&self, function: &Function) -> Vec<Vec<Range<u32>>> {
        let mut ranges: Vec<Vec<Range<u32>>> = vec![Vec::new(); function.vregs as usize];
        // From the last instruction to the first, so that ranges grow toward their starts; each list is backward.
        for (block, live_out) in self.blocks.iter().zip(&self.live_out).rev() {
            let (start, end) = (time_of(block.insns.start), time_of(block.insns.end));
            let mut live = live_out.clone();
            for reg in live.iter() {
                extend(&mut ranges[reg.0 as usize], start..end);
            }
            for index in block.insns.clone().rev() {
                let op = &function.insns[index].op;
                if let Some(dst) = op.def() {
                    let written = time_of(index) + Time::Late as u32;
                    let list = &mut ranges[dst.0 as usize];
                    if live.contains(dst) {
                        list.last_mut().expect("live registers have a range").start = written;
                        live.remove(dst);
                    } else {
                        extend(list, written..written + 1);
                    }
                }
                op.for_each_use(|reg, time| {
                    let list = &mut ranges[reg.0 as usize];
                    extend(list, start..time_of(index) + time as u32 + 1);
                    live.insert(reg);
                });
            }
        }
        for &param in &function.params {
            if let Some(first) = ranges[param.0 as usize].last_mut()
                && self.entry.contains(param)
            {
                first.start = Time::Late as u32;
            }
        }
        ranges.iter_mut().for_each(|list| list.reverse());
        ranges
    }
}

/// When an instruction begins.
pub(super) fn time_of(index: usize) -> u32 {
    4 * (index as u32 + 1)
}

/// Adds a range before the others (the list is backward), joining what touches.
fn extend(list: &mut Vec<Range<u32>>, range: Range<u32>) {
    match list.last_mut() {
        Some(last) if last.start <= range.end => {
            last.start = last.start.min(range.start);
            last.end = last.end.max(range.end);
        }
        _ => list.push(range),
    }
}
