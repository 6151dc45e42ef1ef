//! Cutting: a function that is too long for one program of the kernel as several, its *pieces*, to be called one after the other with
//! the same arguments.
//!
//! A piece that ends before the function does leaves in a word of memory where to go on, and the piece that has this place takes
//! it up; any other returns at once. So a jump may lead over any number of cuts, and a function that has ended, by whatever way,
//! is not gone on with.
//!
//! Invariant: across a cut nothing lives but the parameters, and jumps lead forward. The word is 0 while a piece runs, and when
//! the function has ended.

use std::collections::{BTreeSet, HashMap};

use super::{Condition, Function, Insn, Label, Memory, Op, Operand, Size, VReg, Width};

/// The pieces of a function. The word lies so many bytes behind what its first parameter points to.
pub(super) fn pieces(function: Function, word: i32) -> Vec<Function> {
    if function.cuts.is_empty() {
        return vec![function];
    }
    let starts: Vec<usize> = std::iter::once(0).chain(function.cuts.iter().copied()).collect();
    let ends = starts[1..].iter().copied().chain([function.insns.len()]);
    let bodies: Vec<&[Insn]> =
        starts.iter().zip(ends).map(|(start, end)| &function.insns[*start..end]).collect();
    let mut wanted = BTreeSet::new();
    let mut pieces = Vec::new();
    for (index, body) in bodies.iter().enumerate() {
        let mut piece = Piece::new(&function, index, (function.params[0], word).into(), bodies.len());
        if index > 0 {
            piece.go_on(body, runs_on(bodies[index - 1]), &wanted);
        }
        piece.body(body, index + 1 < bodies.len() && runs_on(body));
        wanted.extend(piece.leave());
        pieces.push(piece.function);
    }
    pieces
}

/// Whether what follows the instructions is come to from the last of them.
fn runs_on(body: &[Insn]) -> bool {
    !matches!(body.last().map(|insn| &insn.op), Some(Op::Jump(_) | Op::Return(_)))
}

/// A piece being made, with registers and labels of its own numbering.
struct Piece {
    function: Function,
    index: usize,
    word: Memory,
    /// How many pieces there are: the places where they begin are numbered first, then labels.
    count: usize,
    regs: HashMap<VReg, VReg>,
    labels: HashMap<Label, Label>,
    placed: BTreeSet<Label>,
}

impl Piece {
    fn new(whole: &Function, index: usize, word: Memory, count: usize) -> Piece {
        let name = if index == 0 { whole.name.clone() } else { format!("{}_{}", whole.name, index + 1) };
        let (params, slots) = (whole.params.clone(), whole.slots.clone());
        let vregs = params.len() as u32;
        let regs = params.iter().map(|param| (*param, *param)).collect();
        let function =
            Function { name, params, insns: Vec::new(), cuts: Vec::new(), vregs, labels: 0, slots };
        Piece { function, index, word, count, regs, labels: HashMap::new(), placed: BTreeSet::new() }
    }

    /// The places of this piece at which earlier ones stopped.
    fn go_on(&mut self, body: &[Insn], begins: bool, wanted: &BTreeSet<Label>) {
        let at = VReg(self.function.vregs);
        self.function.vregs += 1;
        self.push(Op::Load { dst: at, size: Size::B8, signed: false, from: self.word });
        let own = body.iter().filter_map(|insn| match insn.op {
            Op::Label(label) if wanted.contains(&label) => Some(label),
            _ => None,
        });
        let own: Vec<(i64, Label)> = own.map(|label| (self.number(label), self.label(label))).collect();
        let start = self.fresh();
        let start_number = self.index as i64;
        for (number, target) in own.into_iter().chain(begins.then_some((start_number, start))) {
            let other = self.fresh();
            let (left, right) = (Operand::Reg(at), Operand::Imm(number));
            let (condition, width) = (Condition::Ne, Width::W64);
            self.push(Op::Branch { condition, width, left, right, target: other });
            self.set_word(0);
            self.push(Op::Jump(target));
            self.push(Op::Label(other));
        }
        self.push(Op::Return(Operand::Imm(0)));
        self.push(Op::Label(start));
    }

    /// The instructions themselves; where they run on behind their end, the next piece does.
    fn body(&mut self, body: &[Insn], runs_on: bool) {
        for insn in body {
            let mut insn = insn.clone();
            insn.op.rename_uses(|reg| self.reg(reg));
            if let Some(reg) = insn.op.def_mut() {
                *reg = self.reg(*reg);
            }
            if let Op::Label(label) = &insn.op {
                self.placed.insert(*label);
            }
            if let Op::Label(label) | Op::Jump(label) | Op::Branch { target: label, .. } = &mut insn.op {
                *label = self.label(*label);
            }
            self.function.insns.push(insn);
        }
        if runs_on {
            self.stop(self.index as i64 + 1);
        }
    }

    /// Where this piece jumps to places behind its end; gives those places.
    fn leave(&mut self) -> Vec<Label> {
        let outside = self.labels.iter().filter(|(label, _)| !self.placed.contains(label));
        let mut outside: Vec<(Label, Label)> = outside.map(|(label, own)| (*label, *own)).collect();
        outside.sort_unstable();
        for (label, own) in &outside {
            self.push(Op::Label(*own));
            self.stop(self.number(*label));
        }
        outside.into_iter().map(|(label, _)| label).collect()
    }

    fn stop(&mut self, number: i64) {
        self.set_word(number);
        self.push(Op::Return(Operand::Imm(0)));
    }

    fn set_word(&mut self, number: i64) {
        self.push(Op::Store { size: Size::B8, to: self.word, value: Operand::Imm(number) });
    }

    fn number(&self, label: Label) -> i64 {
        self.count as i64 + i64::from(label.0)
    }

    fn push(&mut self, op: Op) {
        self.function.insns.push(Insn { op, at: None });
    }

    fn reg(&mut self, reg: VReg) -> VReg {
        let vregs = &mut self.function.vregs;
        *self.regs.entry(reg).or_insert_with(|| {
            *vregs += 1;
            VReg(*vregs - 1)
        })
    }

    fn label(&mut self, label: Label) -> Label {
        let labels = &mut self.function.labels;
        *self.labels.entry(label).or_insert_with(|| {
            *labels += 1;
            Label(*labels - 1)
        })
    }

    /// A label that the whole function does not have.
    fn fresh(&mut self) -> Label {
        self.function.labels += 1;
        Label(self.function.labels - 1)
    }
}
