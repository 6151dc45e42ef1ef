//! Register allocation: a linear scan over the live ranges, against one calendar for each machine register.
//!
//! Registers are taken in the order in which they begin to live; each gets the first machine register whose calendar
//! is free in all of its ranges. Calls are appointments of r0 to r5, so what lives across one falls to r6 to r9.
//! Where no calendar is free, the cheapest is *spilled*: a constant or an address is made again before each use,
//! anything else lives in a word of the frame and passes through short-lived registers; then the scan begins anew.
//! A spilled register is always stored whole and aligned: only so does the verifier remember what a word holds.
//!
//! Invariant: no two registers that live at the same time have the same home.

use std::collections::BTreeMap;
use std::ops::Range;

use super::access::Time;
use super::flow::{Liveness, time_of};
use super::spill::spill;
use super::{Error, Function, Label, Op, Operand, VReg};

/// Where a virtual register lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Home {
    /// In this machine register.
    Reg(u8),
    /// In this word of the frame.
    Word(u32),
}

/// The outcome of allocation.
pub(super) struct Homes {
    /// The home of each virtual register; none where it never lives.
    pub(super) homes: Vec<Option<Home>>,
    /// The home of each parameter; none where it is not read.
    pub(super) params: Vec<Option<u8>>,
    /// Words of the frame in use.
    pub(super) words: u32,
}

/// What is known of a virtual register besides its ranges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// It may have any home.
    Free,
    /// It carries a spilled value to or from one instruction, and must have a machine register.
    Carrier,
    /// It is spilled: it lives in the frame.
    Word,
}

/// Machine registers in the order in which they are tried: those that arguments do not begin with come first.
const ORDER: [u8; 10] = [0, 5, 4, 3, 2, 1, 6, 7, 8, 9];

/// The registers that a call does not preserve: r0 to r5.
const CLOBBERED: Range<usize> = 0..6;

/// Finds homes for all registers, rewriting the function where some have to be spilled.
pub(super) fn allocate(function: &mut Function) -> Result<Homes, Error> {
    let mut kinds = vec![Kind::Free; function.vregs as usize];
    loop {
        let scan = Scan::new(function, &kinds);
        let (homes, spilled) = scan.run();
        if spilled.is_empty() {
            return Ok(homes);
        }
        if spilled.iter().any(|reg| kinds[reg.0 as usize] != Kind::Free) {
            let problem = "an instruction needs more registers than there are".into();
            return Err(Error::Malformed { function: function.name.clone(), problem });
        }
        spill(function, &spilled, &mut kinds);
    }
}

/// Who has a machine register or a word of the frame when; no occupant is a clobber.
#[derive(Default)]
struct Calendar(BTreeMap<u32, (u32, Option<VReg>)>);

impl Calendar {
    /// Enters an appointment.
    fn enter(&mut self, range: &Range<u32>, who: Option<VReg>) {
        self.0.insert(range.start, (range.end, who));
    }

    /// Strikes out the appointments of a register.
    fn strike(&mut self, ranges: &[Range<u32>]) {
        for range in ranges {
            self.0.remove(&range.start);
        }
    }

    /// Who stands in the way of these ranges.
    fn conflicts(&self, ranges: &[Range<u32>]) -> impl Iterator<Item = Option<VReg>> {
        ranges.iter().flat_map(|range| {
            let before_end = self.0.range(..range.end).rev();
            before_end.take_while(|(_, (end, _))| *end > range.start).map(|(_, (_, who))| *who)
        })
    }

    /// Whether nothing does.
    fn is_free(&self, ranges: &[Range<u32>]) -> bool {
        self.conflicts(ranges).next().is_none()
    }
}

/// One attempt.
struct Scan<'a> {
    kinds: &'a [Kind],
    params: &'a [VReg],
    ranges: Vec<Vec<Range<u32>>>,
    /// What spilling each register costs for each unit of time that it would free.
    weights: Vec<f32>,
    /// The machine register from or to which each would have to be moved anyway.
    preferred: Vec<Option<u8>>,
    /// Registers that a move would join, which goes away if they share a home.
    partners: Vec<Vec<VReg>>,
    registers: [Calendar; 10],
    words: Vec<Calendar>,
    homes: Vec<Option<Home>>,
    spilled: Vec<VReg>,
}

impl<'a> Scan<'a> {
    fn new(function: &'a Function, kinds: &'a [Kind]) -> Scan<'a> {
        let ranges = Liveness::of(function).ranges(function);
        let (preferred, partners) = find_hints(function);
        Scan {
            kinds,
            params: &function.params,
            weights: weigh(function, kinds, &ranges),
            preferred,
            partners,
            registers: enter_clobbers(function),
            words: Vec::new(),
            homes: vec![None; ranges.len()],
            ranges,
            spilled: Vec::new(),
        }
    }

    /// Gives each register a home, or finds which to spill.
    fn run(mut self) -> (Homes, Vec<VReg>) {
        let mut order: Vec<VReg> = (0..self.ranges.len() as u32).map(VReg).collect();
        order.retain(|reg| !self.ranges[reg.0 as usize].is_empty());
        order.sort_by_key(|reg| self.ranges[reg.0 as usize][0].start);
        for reg in order {
            match self.kinds[reg.0 as usize] {
                Kind::Word => self.take_word(reg),
                Kind::Free | Kind::Carrier => self.take_register(reg),
            }
        }
        let live_param = |param: &VReg| {
            let at_entry = self.ranges[param.0 as usize].first()?.start < time_of(0);
            match self.homes[param.0 as usize]? {
                Home::Reg(reg) if at_entry => Some(reg),
                _ => None,
            }
        };
        let params = self.params.iter().map(live_param).collect();
        let words = self.words.len() as u32;
        (Homes { homes: self.homes, params, words }, self.spilled)
    }

    /// Puts a spilled register in the first word that is free.
    fn take_word(&mut self, reg: VReg) {
        let ranges = &self.ranges[reg.0 as usize];
        let free = self.words.iter().position(|word| word.is_free(ranges)).unwrap_or_else(|| {
            self.words.push(Calendar::default());
            self.words.len() - 1
        });
        ranges.iter().for_each(|range| self.words[free].enter(range, Some(reg)));
        self.homes[reg.0 as usize] = Some(Home::Word(free as u32));
    }

    /// Puts a register in the best machine register that is free, evicting cheaper ones where none is.
    fn take_register(&mut self, reg: VReg) {
        let index = reg.0 as usize;
        let partners =
            self.partners[index].iter().filter_map(|partner| match self.homes[partner.0 as usize] {
                Some(Home::Reg(home)) => Some(home),
                _ => None,
            });
        let candidates = self.preferred[index].into_iter().chain(partners).chain(ORDER);
        let ranges = &self.ranges[index];
        let free = candidates.into_iter().find(|&r| self.registers[r as usize].is_free(ranges));
        if let Some(free) = free {
            return self.settle(reg, free);
        }
        let (cost, cheapest) = ORDER
            .iter()
            .map(|&r| (self.cost_of(&self.registers[r as usize], ranges), r))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .expect("there are registers");
        if cost >= self.weights[index] {
            self.spilled.push(reg);
            return;
        }
        let evicted: Vec<VReg> = self.registers[cheapest as usize].conflicts(ranges).flatten().collect();
        for other in evicted {
            if self.homes[other.0 as usize].take().is_some() {
                self.registers[cheapest as usize].strike(&self.ranges[other.0 as usize]);
                self.spilled.push(other);
            }
        }
        self.settle(reg, cheapest);
    }

    /// What evicting all that stand in the way would cost.
    fn cost_of(&self, calendar: &Calendar, ranges: &[Range<u32>]) -> f32 {
        let cost = |who: Option<VReg>| who.map_or(f32::INFINITY, |reg| self.weights[reg.0 as usize]);
        calendar.conflicts(ranges).map(cost).sum()
    }

    fn settle(&mut self, reg: VReg, home: u8) {
        let ranges = &self.ranges[reg.0 as usize];
        ranges.iter().for_each(|range| self.registers[home as usize].enter(range, Some(reg)));
        self.homes[reg.0 as usize] = Some(Home::Reg(home));
    }
}

/// The calendars with what instructions do to fixed registers.
fn enter_clobbers(function: &Function) -> [Calendar; 10] {
    let mut registers: [Calendar; 10] = Default::default();
    for (index, insn) in function.insns.iter().enumerate() {
        let clobbered = match insn.op {
            Op::Call { .. } => CLOBBERED,
            Op::CompareExchange { .. } => 0..1,
            _ => 0..0,
        };
        let middle = time_of(index) + Time::Middle as u32;
        registers[clobbered].iter_mut().for_each(|calendar| calendar.enter(&(middle..middle + 1), None));
    }
    registers
}

/// Which machine register, and which partners, would save each register a move.
fn find_hints(function: &Function) -> (Vec<Option<u8>>, Vec<Vec<VReg>>) {
    let count = function.vregs as usize;
    let (mut preferred, mut partners) = (vec![None; count], vec![Vec::new(); count]);
    // Backward, so that what a value is wanted in is known before the values that it is made of are seen.
    for insn in function.insns.iter().rev() {
        match &insn.op {
            Op::Move { dst, src: Operand::Reg(src) }
            | Op::Unary { dst, src: Operand::Reg(src), .. }
            | Op::Exchange { dst, value: Operand::Reg(src), .. }
            | Op::Binary { dst, left: Operand::Reg(src), .. } => {
                partners[dst.0 as usize].push(*src);
                partners[src.0 as usize].push(*dst);
                preferred[src.0 as usize] = preferred[src.0 as usize].or(preferred[dst.0 as usize]);
            }
            Op::Call { args, result, .. } => {
                if let Some(result) = result {
                    preferred[result.0 as usize].get_or_insert(0);
                }
                for (arg, register) in args.iter().zip(1..) {
                    if let Operand::Reg(reg) = arg {
                        preferred[reg.0 as usize] = Some(register);
                    }
                }
            }
            Op::CompareExchange { dst, expected, .. } => {
                preferred[dst.0 as usize].get_or_insert(0);
                if let Operand::Reg(expected) = expected {
                    preferred[expected.0 as usize] = Some(0);
                }
            }
            Op::Return(Operand::Reg(reg)) => preferred[reg.0 as usize] = Some(0),
            _ => {}
        }
    }
    for (param, register) in function.params.iter().zip(1..) {
        preferred[param.0 as usize].get_or_insert(register);
    }
    (preferred, partners)
}

/// What spilling each register would cost, for each unit of time in which it lives.
fn weigh(function: &Function, kinds: &[Kind], ranges: &[Vec<Range<u32>>]) -> Vec<f32> {
    let mut costs = vec![0.0; function.vregs as usize];
    for (insn, depth) in function.insns.iter().zip(loop_depths(function)) {
        let cost = f32::from(8u16.pow(depth.min(4)));
        insn.op.for_each_use(|reg, _| costs[reg.0 as usize] += cost);
        if let Some(dst) = insn.op.def() {
            // Making a constant anew is cheaper than keeping it.
            let remade = matches!(insn.op, Op::Address { .. } | Op::Move { src: Operand::Imm(_), .. });
            costs[dst.0 as usize] += if remade { 0.0 } else { 2.0 * cost };
        }
    }
    for ((cost, kind), ranges) in costs.iter_mut().zip(kinds).zip(ranges) {
        let length: u32 = ranges.iter().map(|range| range.end - range.start).sum();
        *cost = if *kind == Kind::Free { *cost / length.max(1) as f32 } else { f32::INFINITY };
    }
    costs
}

/// In how many loops each instruction is, taking each backward jump for one.
fn loop_depths(function: &Function) -> Vec<u32> {
    let mut changes = vec![0i32; function.insns.len() + 1];
    let mut placed = vec![None; function.labels as usize];
    for (index, insn) in function.insns.iter().enumerate() {
        match insn.op {
            Op::Label(Label(label)) => placed[label as usize] = Some(index),
            Op::Jump(Label(label)) | Op::Branch { target: Label(label), .. } => {
                if let Some(head) = placed[label as usize] {
                    changes[head] += 1;
                    changes[index + 1] -= 1;
                }
            }
            _ => {}
        }
    }
    let depth = changes.iter().scan(0, |depth, change| {
        *depth += change;
        Some(*depth as u32)
    });
    depth.take(function.insns.len()).collect()
}
