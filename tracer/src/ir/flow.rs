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

/// A set of virtual registers that is emptied at once, however full.
pub(super) struct Marks {
    now: u32,
    marked: Vec<u32>,
}

impl Marks {
    /// An empty set of registers of the function.
    pub(super) fn new(function: &Function) -> Marks {
        Marks { now: 1, marked: vec![0; function.vregs as usize] }
    }

    /// Makes it hold these and no others.
    pub(super) fn reset(&mut self, to: impl Iterator<Item = VReg>) {
        self.now += 1;
        to.for_each(|reg| self.insert(reg));
    }

    /// Adds one.
    pub(super) fn insert(&mut self, reg: VReg) {
        self.marked[reg.0 as usize] = self.now;
    }

    /// Takes one out.
    pub(super) fn remove(&mut self, reg: VReg) {
        self.marked[reg.0 as usize] = 0;
    }

    /// Whether it is in.
    pub(super) fn contains(&self, reg: VReg) -> bool {
        self.marked[reg.0 as usize] == self.now
    }
}

/// A set of small numbers.
#[derive(Clone)]
struct Bits(Vec<u64>);

impl Bits {
    fn new(size: usize) -> Bits {
        Bits(vec![0; size.div_ceil(64)])
    }

    fn insert(&mut self, index: u32) {
        self.0[index as usize / 64] |= 1 << (index % 64);
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(index, &word)| {
            let lowest_gone = |&left: &u64| Some(left & (left - 1)).filter(|left| *left != 0);
            let lefts = std::iter::successors(Some(word).filter(|word| *word != 0), lowest_gone);
            lefts.map(move |left| index * 64 + left.trailing_zeros() as usize)
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
    /// The registers that live between blocks; the sets are of indices into this.
    global: Vec<VReg>,
    /// For each block, what is read after it.
    live_out: Vec<Bits>,
    /// What is read before anything writes it: at most the parameters, in a well-formed function.
    pub(super) entry: Vec<VReg>,
}

/// Not a register that lives between blocks.
const LOCAL: u32 = u32::MAX;

impl Liveness {
    /// Solves the backward equations; one pass where all jumps go forward.
    pub(super) fn of(function: &Function) -> Liveness {
        let blocks = blocks(function);
        let (global, index_of) = find_global(function, &blocks);
        let mut live_in = vec![Bits::new(global.len()); blocks.len()];
        let mut writes = live_in.clone();
        let mut live_out = live_in.clone();
        // At first, what each block reads of what it has not written itself.
        let mut written = Marks::new(function);
        for (index, block) in blocks.iter().enumerate() {
            written.reset(std::iter::empty());
            for insn in &function.insns[block.insns.clone()] {
                insn.op.for_each_use(|reg, _| {
                    if !written.contains(reg) {
                        live_in[index].insert(index_of[reg.0 as usize]);
                    }
                });
                if let Some(dst) = insn.op.def() {
                    written.insert(dst);
                    if index_of[dst.0 as usize] != LOCAL {
                        writes[index].insert(index_of[dst.0 as usize]);
                    }
                }
            }
        }
        let mut changed = true;
        while changed {
            changed = false;
            for (index, block) in blocks.iter().enumerate().rev() {
                for &next in &block.next {
                    for word in 0..live_in[index].0.len() {
                        let new = live_in[next].0[word] & !live_out[index].0[word];
                        if new != 0 {
                            live_out[index].0[word] |= new;
                            live_in[index].0[word] |= new & !writes[index].0[word];
                            changed = true;
                        }
                    }
                }
            }
        }
        let at_entry = live_in.first().into_iter().flat_map(Bits::iter);
        let entry = at_entry.map(|index| global[index]).collect();
        Liveness { blocks, global, live_out, entry }
    }

    /// What is read after a block.
    pub(super) fn live_out(&self, block: usize) -> impl Iterator<Item = VReg> {
        self.live_out[block].iter().map(|index| self.global[index])
    }

    /// For each register, the ranges of time in which its value is needed, in order.
    pub(super) fn ranges(&self, function: &Function) -> Vec<Vec<Range<u32>>> {
        let mut ranges: Vec<Vec<Range<u32>>> = vec![Vec::new(); function.vregs as usize];
        let mut live = Marks::new(function);
        // From the last instruction to the first, so that ranges grow toward their starts; each list is backward.
        for (number, block) in self.blocks.iter().enumerate().rev() {
            let (start, end) = (time_of(block.insns.start), time_of(block.insns.end));
            live.reset(self.live_out(number));
            self.live_out(number).for_each(|reg| extend(&mut ranges[reg.0 as usize], start..end));
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
        for param in self.entry.iter().filter(|reg| function.params.contains(reg)) {
            if let Some(first) = ranges[param.0 as usize].last_mut() {
                first.start = Time::Late as u32;
            }
        }
        ranges.iter_mut().for_each(|list| list.reverse());
        ranges
    }
}

/// The registers that some block reads and has not written before, and for each register its index among them.
fn find_global(function: &Function, blocks: &[Block]) -> (Vec<VReg>, Vec<u32>) {
    let (mut global, mut index_of) = (Vec::new(), vec![LOCAL; function.vregs as usize]);
    let mut written = Marks::new(function);
    for block in blocks {
        written.reset(std::iter::empty());
        for insn in &function.insns[block.insns.clone()] {
            insn.op.for_each_use(|reg, _| {
                if !written.contains(reg) && index_of[reg.0 as usize] == LOCAL {
                    index_of[reg.0 as usize] = global.len() as u32;
                    global.push(reg);
                }
            });
            insn.op.def().into_iter().for_each(|dst| written.insert(dst));
        }
    }
    (global, index_of)
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
