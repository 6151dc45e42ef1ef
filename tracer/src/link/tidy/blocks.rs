//! A function as blocks: instructions that run one after the other, and where they lead.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::super::function::{Function, Target};
use crate::bpf::Insn;
use crate::bpf::insn::{LD_IMM64, class, jmp};
use crate::ir::At;

/// An instruction, with both halves if it has two.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) insn: Insn,
    /// The upper half of a 64-bit immediate.
    pub(super) high: i32,
    /// What it refers to.
    pub(super) target: Option<Rc<Target>>,
    /// Where in the source it comes from.
    pub(super) line: Option<At>,
}

/// How a block ends.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum End {
    /// The function returns.
    Exit,
    /// It goes on with that block.
    Go(usize),
    /// It goes on with one of two.
    Branch { insn: Insn, yes: usize, no: usize },
}

/// Instructions without jumps, and the end.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Block {
    pub(super) nodes: Vec<Node>,
    pub(super) end: End,
}

/// A function; it begins with the first block.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Blocks(pub(super) Vec<Block>);

/// Instructions, what they refer to, and where they come from, as a function has them.
type Layout = (Vec<Insn>, Vec<(usize, Target)>, Vec<(u32, At)>);

impl Node {
    /// `dst = value`
    pub(super) fn number(dst: u8, value: i64, line: Option<At>) -> Node {
        let [low, high] = Insn::load_imm64(dst, value);
        let short = i32::try_from(value).map(|value| Insn::alu_imm(crate::bpf::insn::alu::MOV, dst, value));
        Node { insn: short.unwrap_or(low), high: high.imm, target: None, line }
    }
}

impl End {
    /// The blocks that it leads to.
    pub(super) fn successors(&self) -> impl Iterator<Item = usize> {
        match *self {
            End::Exit => [None, None],
            End::Go(to) => [Some(to), None],
            End::Branch { yes, no, .. } => [Some(yes), Some(no)],
        }
        .into_iter()
        .flatten()
    }

    /// Has it lead elsewhere.
    fn lead(&mut self, to: impl Fn(usize) -> usize) {
        match self {
            End::Exit => {}
            End::Go(next) => *next = to(*next),
            End::Branch { yes, no, .. } => (*yes, *no) = (to(*yes), to(*no)),
        }
        if let End::Branch { yes, no, .. } = *self
            && yes == no
        {
            *self = End::Go(yes);
        }
    }
}

/// Whether the instruction is a jump, and not a call or a return.
fn is_jump(insn: &Insn) -> bool {
    matches!(insn.opcode & 7, class::JMP | class::JMP32)
        && !matches!(insn.opcode & 0xf0, jmp::CALL | jmp::EXIT)
}

impl Blocks {
    /// The blocks of a function; `None` where its end is open.
    pub(super) fn of(function: &Function) -> Option<Blocks> {
        let insns = &function.insns;
        let second = |at: usize| at > 0 && insns[at - 1].opcode == LD_IMM64;
        let starts: Vec<usize> = (0..insns.len()).filter(|&at| !second(at)).collect();
        let target = |at: usize| at.checked_add_signed(isize::from(insns[at].offset) + 1);
        let mut leaders = BTreeSet::from([0]);
        for &at in &starts {
            if is_jump(&insns[at]) {
                leaders.extend([target(at)?, at + 1]);
            } else if insns[at] == Insn::exit() {
                leaders.insert(at + 1);
            }
        }
        leaders.remove(&insns.len());
        let leaders: Vec<usize> = leaders.into_iter().collect();
        let block = |at: usize| leaders.binary_search(&at).ok();
        let mut references = function.references.iter().peekable();
        let mut lines = function.lines.iter().peekable();
        let (mut blocks, mut line): (Vec<Block>, _) = (Vec::new(), None);
        for &at in &starts {
            if block(at).is_some() {
                blocks.push(Block { nodes: Vec::new(), end: End::Go(blocks.len() + 1) });
            }
            while let Some((_, next)) = lines.next_if(|(from, _)| *from as usize <= at) {
                line = Some(*next);
            }
            let of = references.next_if(|(place, _)| *place == at).map(|(_, target)| Rc::new(target.clone()));
            let (insn, last) = (insns[at], blocks.last_mut()?);
            if insn == Insn::exit() {
                last.end = End::Exit;
            } else if insn == (Insn { offset: insn.offset, ..Insn::jump() }) {
                last.end = End::Go(block(target(at)?)?);
            } else if is_jump(&insn) {
                last.end = End::Branch { insn, yes: block(target(at)?)?, no: block(at + 1)? };
            } else {
                let high = if insn.opcode == LD_IMM64 { insns.get(at + 1)?.imm } else { 0 };
                last.nodes.push(Node { insn, high, target: of, line });
            }
        }
        let open = blocks.iter().any(|block| block.end.successors().any(|next| next >= blocks.len()));
        (!open).then_some(Blocks(blocks))
    }

    /// How many ways lead to each block; none to one that is never come to.
    fn entries(&self) -> Vec<usize> {
        let mut entries = vec![0; self.0.len()];
        let mut waiting = vec![0];
        while let Some(block) = waiting.pop() {
            entries[block] += 1;
            if entries[block] == 1 {
                waiting.extend(self.0[block].end.successors());
            }
        }
        entries
    }

    /// Leaves out blocks that only lead on, and makes one of two where the second follows the first alone.
    pub(super) fn straighten(&mut self) {
        let through = |mut to: usize, blocks: &[Block]| {
            for _ in 0..blocks.len() {
                match &blocks[to] {
                    Block { nodes, end: End::Go(next) } if nodes.is_empty() => to = *next,
                    _ => break,
                }
            }
            to
        };
        for at in 0..self.0.len() {
            let mut end = self.0[at].end.clone();
            end.lead(|to| through(to, &self.0));
            self.0[at].end = end;
        }
        let entries = self.entries();
        for at in (0..self.0.len()).filter(|at| entries[*at] > 0) {
            while let End::Go(next) = self.0[at].end
                && next != at
                && entries[next] == 1
            {
                let Block { nodes, end } =
                    std::mem::replace(&mut self.0[next], Block { nodes: Vec::new(), end: End::Exit });
                self.0[at].nodes.extend(nodes);
                self.0[at].end = end;
            }
        }
    }

    /// The instructions again, those that are never come to left out; `None` where a jump would be too long.
    pub(super) fn lay_out(&self) -> Option<Layout> {
        let (mut insns, mut references, mut lines) = (Vec::new(), Vec::new(), Vec::new());
        let mut places = vec![None; self.0.len()];
        let mut jumps = Vec::new();
        // What does not follow right behind its predecessor comes after all that does.
        let mut waiting = vec![0];
        while let Some(first) = waiting.pop() {
            let mut next = Some(first);
            while let Some(at) = next.take().filter(|at| places[*at].is_none()) {
                let Block { nodes, end } = &self.0[at];
                places[at] = Some(insns.len());
                for Node { insn, high, target, line } in nodes {
                    let known = lines.last().map(|(_, line)| *line);
                    lines.extend(line.filter(|_| *line != known).map(|line| (insns.len() as u32, line)));
                    references.extend(target.as_deref().map(|target| (insns.len(), target.clone())));
                    insns.push(*insn);
                    if insn.opcode == LD_IMM64 {
                        insns.push(Insn { imm: *high, ..Insn::default() });
                    }
                }
                let follows = match *end {
                    End::Exit => {
                        insns.push(Insn::exit());
                        continue;
                    }
                    End::Go(to) => to,
                    End::Branch { insn, yes, no } => {
                        jumps.push((insns.len(), yes));
                        insns.push(insn);
                        waiting.push(yes);
                        no
                    }
                };
                if places[follows].is_some() {
                    jumps.push((insns.len(), follows));
                    insns.push(Insn::jump());
                }
                next = Some(follows);
            }
        }
        for (at, to) in jumps {
            let distance = places[to]? as isize - at as isize - 1;
            insns[at].offset = i16::try_from(distance).ok()?;
        }
        Some((insns, references, lines))
    }
}
