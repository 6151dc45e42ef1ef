//! Spilling: rewrites a function so that given registers no longer need a machine register for long.
//!
//! A register that is assigned once, a constant or an address, is made again before each use. Any other becomes a
//! word of the frame ([`Kind::Word`]), which only moves read and write; a carrier register stands in for it in the
//! instruction itself.
//!
//! Invariant: a `Move` has a word on one side at most, and no other operation has one.

use super::allocate::Kind;
use super::{Function, Insn, Op, Operand, VReg};

/// What becomes of a register.
#[derive(Clone)]
enum Fate {
    Stays,
    /// The operation that makes it, without the register.
    Remade(Op),
    InFrame,
}

/// Spills the registers.
pub(super) fn spill(function: &mut Function, spilled: &[VReg], kinds: &mut Vec<Kind>) {
    let fates = decide(function, spilled);
    for reg in spilled {
        if let Fate::InFrame = fates[reg.0 as usize] {
            kinds[reg.0 as usize] = Kind::Word;
        }
    }
    let mut rewrite = Rewrite { fates, kinds, insns: Vec::with_capacity(function.insns.len() * 2) };
    for param in &mut function.params {
        if let Fate::InFrame = rewrite.fates[param.0 as usize] {
            let carrier = rewrite.carrier();
            rewrite.insns.push(Insn { op: Op::Move { dst: *param, src: Operand::Reg(carrier) }, at: None });
            *param = carrier;
        }
    }
    for insn in std::mem::take(&mut function.insns) {
        rewrite.insn(insn);
    }
    function.insns = rewrite.insns;
    function.vregs = kinds.len() as u32;
}

/// Constants and addresses that are assigned once are remade, all else goes to the frame.
fn decide(function: &Function, spilled: &[VReg]) -> Vec<Fate> {
    let mut fates = vec![Fate::Stays; function.vregs as usize];
    let mut defs = vec![0; function.vregs as usize];
    let written = function.insns.iter().filter_map(|insn| insn.op.def());
    written.chain(function.params.iter().copied()).for_each(|reg| defs[reg.0 as usize] += 1);
    for reg in spilled {
        fates[reg.0 as usize] = Fate::InFrame;
    }
    for insn in &function.insns {
        if let Op::Address { dst, .. } | Op::Move { dst, src: Operand::Imm(_) } = insn.op
            && let Fate::InFrame = fates[dst.0 as usize]
            && defs[dst.0 as usize] == 1
        {
            fates[dst.0 as usize] = Fate::Remade(insn.op.clone());
        }
    }
    fates
}

struct Rewrite<'a> {
    fates: Vec<Fate>,
    kinds: &'a mut Vec<Kind>,
    insns: Vec<Insn>,
}

impl Rewrite<'_> {
    /// A new register for the span of one instruction.
    fn carrier(&mut self) -> VReg {
        self.kinds.push(Kind::Carrier);
        self.fates.push(Fate::Stays);
        VReg(self.kinds.len() as u32 - 1)
    }

    fn is_word(&self, reg: VReg) -> bool {
        self.kinds[reg.0 as usize] == Kind::Word
    }

    fn insn(&mut self, mut insn: Insn) {
        if let Some(dst) = insn.op.def()
            && let Fate::Remade(_) = self.fates[dst.0 as usize]
        {
            return;
        }
        if let Op::Move { dst, src: Operand::Reg(src) } = insn.op
            && self.is_word(dst) != self.is_word(src)
            && !matches!(self.fates[src.0 as usize], Fate::Remade(_))
        {
            return self.insns.push(insn);
        }
        self.bring_uses(&mut insn);
        let word = insn.op.def().filter(|dst| matches!(self.fates[dst.0 as usize], Fate::InFrame));
        let Some(word) = word else { return self.insns.push(insn) };
        let (carrier, at) = (self.carrier(), insn.at);
        *insn.op.def_mut().expect("it has one") = carrier;
        self.insns.push(insn);
        self.insns.push(Insn { op: Op::Move { dst: word, src: Operand::Reg(carrier) }, at });
    }

    /// Puts each spilled register that the instruction reads into a carrier before it.
    fn bring_uses(&mut self, insn: &mut Insn) {
        let mut brought: Vec<(VReg, VReg)> = Vec::new();
        let mut uses = Vec::new();
        insn.op.for_each_use(|reg, _| uses.push(reg));
        for reg in uses {
            if brought.iter().any(|(from, _)| *from == reg) {
                continue;
            }
            let mut op = match &self.fates[reg.0 as usize] {
                Fate::Stays => continue,
                Fate::Remade(op) => op.clone(),
                Fate::InFrame => Op::Move { dst: reg, src: Operand::Reg(reg) },
            };
            let carrier = self.carrier();
            *op.def_mut().expect("it has one") = carrier;
            self.insns.push(Insn { op, at: insn.at });
            brought.push((reg, carrier));
        }
        insn.op.rename_uses(|reg| brought.iter().find(|(from, _)| *from == reg).map_or(reg, |(_, to)| *to));
    }
}
