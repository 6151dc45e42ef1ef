//! The code between a trampoline and its clauses: dispatchers and gates.
//!
//! A probe's clauses become one function where they may: the dispatcher, each clause's code in its place. Where they are
//! many they become several such functions, *groups*, that the dispatcher calls and the kernel verifies each by itself.
//! Where that would need more stack than there is, the dispatcher calls each clause.
//!
//! Invariant: clauses run in program order; the slot that they share carries `this->` from one to the next.

use probes_common::abi::{Slot, outcome};
use probes_common::providers::dtrace;

use super::assembler::{Assembler, Label, gives_only};
use super::function::{Function, Linkage};
use super::regain;
use crate::bpf::Insn;
use crate::bpf::insn::{FRAME, alu, jmp, size};
use crate::lower::{ClauseImage, ProgramImage};

/// A clause as the dispatcher sees it: its function, its stack, the discriminators it is for and whether it does without a slot.
pub(super) struct Entry<'a> {
    pub(super) function: Function,
    pub(super) frame: u32,
    pub(super) discriminators: Option<&'a [u16]>,
    pub(super) light: bool,
}

/// The ERROR probe: its program's number and its clauses.
#[derive(Default)]
pub(super) struct Errors<'a> {
    pub(super) number: u32,
    pub(super) clauses: Vec<Entry<'a>>,
}

/// A trampoline, as its dispatcher sees it.
pub(super) struct Probe<'a> {
    pub(super) symbol: &'a str,
    pub(super) number: u32,
    /// Where `this->` lies in the slot, and how long it is.
    pub(super) locals: (u32, u32),
    pub(super) errors: &'a Errors<'a>,
    /// Whether it goes on with the firing of another program.
    pub(super) goes_on: bool,
    /// The function that runs the program which goes on with the firing.
    pub(super) then: Option<&'a str>,
}

/// Clauses of a group at most, and their instructions: a jump goes over 32,767 at most.
const GROUP: usize = 64;
const GROUP_INSNS: usize = 16_000;
/// Bytes of stack for a dispatcher with all that it calls, but for the runtime's routines: 512 less theirs and the
/// trampoline's.
const STACK: u32 = 512 - 160 - 128;

/// `clauses_NAME(slot, ctx, task)`, which numbers the probe, zeroes the `this->` words, runs the clauses and reports their faults;
/// and the functions that it is made of.
pub(super) fn dispatcher(probe: &Probe<'_>, clauses: &[Entry<'_>]) -> Vec<Function> {
    let name = format!("clauses_{}", probe.symbol);
    let mut functions = Vec::new();
    let inner = if probe.errors.clauses.is_empty() { 0 } else { frame(&probe.errors.clauses) };
    let groups = groups(clauses);
    let calling = if groups.len() > 1 { 32 } else { 0 };
    let mut code = Assembler::default();
    probe.prologue(&mut code);
    if calling + frame(clauses) + inner > STACK {
        probe.call_each(&mut code, clauses);
    } else if groups.len() > 1 {
        for (index, group) in groups.into_iter().enumerate() {
            let symbol = format!("{name}_{}", index + 1);
            let next = code.label();
            code.copy(1, SLOT);
            code.copy(2, CONTEXT);
            code.call(&symbol);
            code.branch(jmp::JEQ, 0, outcome::NEXT as i32, next);
            code.push(Insn::exit());
            code.place(next);
            functions.push(probe.group(symbol, group));
        }
    } else if !probe.run_each(&mut code, clauses) {
        functions.push(code.finish(name));
        return functions;
    }
    probe.epilogue(&mut code);
    functions.push(code.finish(name));
    functions
}

/// `error_clauses(slot, ctx, task)`: the clauses of ERROR. All of them run, also after exit(), and their own faults are not told; it
/// gives STOP when one has called exit().
pub(super) fn error_clauses(errors: &Errors<'_>) -> Function {
    let below = -(deepest(&errors.clauses) as i16);
    let (slot, context, task, ended) = (below - 8, below - 16, below - 24, below - 32);
    let mut code = Assembler::default();
    code.push(Insn::store_reg(size::DW, FRAME, slot, 1));
    code.push(Insn::store_reg(size::DW, FRAME, context, 2));
    code.push(Insn::store_reg(size::DW, FRAME, task, 3));
    code.push(Insn::store_imm(size::DW, FRAME, ended, outcome::NEXT as i32));
    for clause in &errors.clauses {
        let [next, stop, done] = [(); 3].map(|()| code.label());
        code.load(1, FRAME, slot);
        code.load(2, FRAME, context);
        code.load(3, FRAME, task);
        let known = [(outcome::NEXT, next), (outcome::STOP, stop), (outcome::FAULT, next)];
        code.inline(&clause.function, &known, done);
        let unknown = code.is_wanted(done);
        if unknown {
            code.place_next(done);
            code.branch(jmp::JNE, 0, outcome::STOP as i32, next);
        }
        if unknown || code.is_wanted(stop) {
            code.place_next(stop);
            code.push(Insn::store_imm(size::DW, FRAME, ended, outcome::STOP as i32));
        }
        code.place_next(next);
    }
    code.load(0, FRAME, ended);
    code.push(Insn::exit());
    code.finish(ERRORS.into())
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
    code.unless_among(1, &wanted, no);
    code.give(1);
    code.place(no);
    code.give(0);
    code.finish(format!("gate_{name}"))
}

/// `takes_NAME(discriminator, task)`: 1 when some clause that wants it takes the firing, as far as its predicate can be asked
/// before there is a slot.
pub(super) fn takes(name: &str, clauses: &[ClauseImage]) -> Function {
    const DISCRIMINATOR: u8 = 6;
    let mut code = Assembler::default();
    let predicates: Option<Vec<&str>> =
        clauses.iter().map(|clause| Some(clause.gated.as_ref()?.predicate.name.as_str())).collect();
    let Some(predicates) = predicates else {
        code.give(1);
        return code.finish(format!("takes_{name}"));
    };
    let yes = code.label();
    code.copy(DISCRIMINATOR, 1);
    code.copy(TASK, 2);
    for (clause, predicate) in clauses.iter().zip(predicates) {
        let next = code.label();
        // The gate has seen to that of one alone.
        if let Some(discriminators) = clause.discriminators.as_ref().filter(|_| clauses.len() > 1) {
            code.unless_among(DISCRIMINATOR, discriminators, next);
        }
        code.copy(3, TASK);
        code.call(predicate);
        code.branch(jmp::JNE, 0, 0, yes);
        code.place(next);
    }
    code.give(0);
    code.place(yes);
    code.give(1);
    code.finish(format!("takes_{name}"))
}

const PROBE: i16 = core::mem::offset_of!(Slot, probe) as i16;
const DISCRIMINATOR: i16 = core::mem::offset_of!(Slot, discriminator) as i16;
const ERRORS: &str = "error_clauses";

/// Registers of a dispatcher; calls leave them alone, clauses that stand in it do not.
const SLOT: u8 = 6;
const CONTEXT: u8 = 7;
const TASK: u8 = 8;

/// Takes the slot and the context into their registers.
fn keep(code: &mut Assembler) {
    code.copy(SLOT, 1);
    code.copy(CONTEXT, 2);
}

/// Clauses in runs of a size that one function may have.
fn groups<'a, 'b>(clauses: &'b [Entry<'a>]) -> Vec<&'b [Entry<'a>]> {
    let mut groups = Vec::new();
    let (mut start, mut insns) = (0, 0);
    for (index, clause) in clauses.iter().enumerate() {
        let more = clause.function.insns.len();
        if index > start && (index - start == GROUP || insns + more > GROUP_INSNS) {
            groups.push(&clauses[start..index]);
            (start, insns) = (index, 0);
        }
        insns += more;
    }
    groups.push(&clauses[start..]);
    groups
}

/// Bytes of stack of a function that the clauses stand in, as the kernel counts them.
fn frame(clauses: &[Entry<'_>]) -> u32 {
    (deepest(clauses) + 32).next_multiple_of(32)
}

fn deepest(clauses: &[Entry<'_>]) -> u32 {
    clauses.iter().map(|clause| clause.frame.next_multiple_of(8)).max().unwrap_or(0)
}

/// `name(ctx)`: runs the program at that index of the map of programs, and comes back.
pub(super) fn continuation(name: &str, map: &str, index: u32) -> Function {
    const TAIL_CALL: u32 = 12;
    let mut code = Assembler::default();
    code.load_map(2, map);
    code.push(Insn::alu_imm(alu::MOV, 3, index as i32));
    code.push(Insn::call_helper(TAIL_CALL));
    code.give(0);
    code.finish(name.into())
}

impl Probe<'_> {
    /// Says which probe it is and zeroes `this->`; leaves the slot and the context in their registers.
    fn prologue(&self, code: &mut Assembler) {
        keep(code);
        code.copy(TASK, 3);
        if self.goes_on {
            return;
        }
        self.name(code);
        // An instruction reaches 32 KB; behind that a second register goes along.
        let (mut base, mut from) = (SLOT, 0);
        for offset in (self.locals.0..self.locals.0 + self.locals.1).step_by(8) {
            if offset - from > i16::MAX as u32 {
                code.copy(1, SLOT);
                code.push(Insn::alu_imm(alu::ADD, 1, offset as i32));
                (base, from) = (1, offset);
            }
            code.push(Insn::store_imm(size::DW, base, (offset - from) as i16, 0));
        }
    }

    /// Has the firing gone on with, where there is more of it.
    fn epilogue(&self, code: &mut Assembler) {
        if let Some(then) = self.then {
            code.copy(1, SLOT);
            code.call("slot_hand");
            code.copy(1, CONTEXT);
            code.call(then);
        }
        code.give(0);
    }

    /// Some of the clauses, as a function that the kernel verifies by itself: for all it knows then, there may be no slot. If all
    /// of them are light, the slot may be on the stack; else it is a map's, and the kernel is shown so.
    fn group(&self, symbol: String, clauses: &[Entry<'_>]) -> Function {
        let mut code = Assembler::default();
        let absent = code.label();
        code.branch(jmp::JEQ, 1, 0, absent);
        keep(&mut code);
        if !clauses.iter().all(|clause| clause.light) {
            code.call(regain::NAME);
            code.branch(jmp::JEQ, 0, 0, absent);
            code.copy(SLOT, 0);
        }
        // What the verifier knows of the task cannot be handed to a function that is verified by itself.
        code.call("current_task");
        code.copy(TASK, 0);
        self.run_each(&mut code, clauses);
        code.place(absent);
        code.give(0);
        Function { linkage: Linkage::Global, ..code.finish(symbol) }
    }

    /// Writes into the slot which probe this is: the program's number above the discriminator.
    fn name(&self, code: &mut Assembler) {
        code.push(Insn::load(size::W, 1, SLOT, DISCRIMINATOR));
        code.push(Insn::alu_imm(alu::OR, 1, (self.number << 16) as i32));
        code.push(Insn::store_reg(size::W, SLOT, PROBE, 1));
    }

    /// The clauses in place: the slot and the context are kept below the clauses' part of the stack. Says whether what follows
    /// is ever come to, since the kernel wants no code that is not: after a clause that always ends the firing it is not.
    fn run_each(&self, code: &mut Assembler, clauses: &[Entry<'_>]) -> bool {
        let below = -(deepest(clauses) as i16);
        let (slot, context, task) = (below - 8, below - 16, below - 24);
        // What follows the only clause asks for none of them, unless a fault is reported or the firing goes on.
        let last = match clauses {
            [clause] => self.then.is_none() && gives_only(&clause.function, &[outcome::NEXT, outcome::STOP]),
            _ => false,
        };
        if !last {
            code.push(Insn::store_reg(size::DW, FRAME, slot, SLOT));
            code.push(Insn::store_reg(size::DW, FRAME, context, CONTEXT));
            code.push(Insn::store_reg(size::DW, FRAME, task, TASK));
        }
        let take = |code: &mut Assembler, to: u8, from: u8, kept: i16| match last {
            true => code.copy(to, from),
            false => code.load(to, FRAME, kept),
        };
        for clause in clauses {
            let [next, stop, fault, done] = [(); 4].map(|()| code.label());
            take(code, 1, SLOT, slot);
            take(code, 2, CONTEXT, context);
            if let Some(discriminators) = clause.discriminators {
                code.push(Insn::load(size::W, 3, 1, DISCRIMINATOR));
                code.unless_among(3, discriminators, next);
            }
            take(code, 3, TASK, task);
            let known = [(outcome::NEXT, next), (outcome::STOP, stop), (outcome::FAULT, fault)];
            code.inline(&clause.function, &known, done);
            if code.is_wanted(done) {
                code.place_next(done);
                code.branch(jmp::JEQ, 0, outcome::NEXT as i32, next);
                code.branch(jmp::JEQ, 0, outcome::STOP as i32, stop);
                code.jump(fault);
            }
            if code.is_wanted(fault) {
                code.place_next(fault);
                code.load(SLOT, FRAME, slot);
                code.load(CONTEXT, FRAME, context);
                code.load(TASK, FRAME, task);
                self.report(code, next, stop);
            }
            if code.is_wanted(stop) {
                code.place(stop);
                code.give(outcome::STOP as i32);
            }
            let goes_on = code.is_wanted(next);
            code.place_next(next);
            if !goes_on {
                return false;
            }
        }
        if self.then.is_some() {
            code.load(SLOT, FRAME, slot);
            code.load(CONTEXT, FRAME, context);
        }
        true
    }

    /// The clauses by calls.
    fn call_each(&self, code: &mut Assembler, clauses: &[Entry<'_>]) {
        for clause in clauses {
            let next = code.label();
            if let Some(discriminators) = clause.discriminators {
                code.push(Insn::load(size::W, 3, SLOT, DISCRIMINATOR));
                code.unless_among(3, discriminators, next);
            }
            code.copy(1, SLOT);
            code.copy(2, CONTEXT);
            code.copy(3, TASK);
            code.call(&clause.function.name);
            let stop = code.label();
            code.branch(jmp::JEQ, 0, outcome::NEXT as i32, next);
            code.branch(jmp::JEQ, 0, outcome::STOP as i32, stop);
            self.report(code, next, stop);
            code.place(stop);
            code.give(outcome::STOP as i32);
            code.place(next);
        }
    }

    /// Reports the fault that is in the slot, runs the clauses of ERROR, and goes on to `next`: after an exit() in one of them
    /// only END's clauses do.
    fn report(&self, code: &mut Assembler, next: Label, stop: Label) {
        code.copy(1, SLOT);
        code.call("fault_report");
        if !self.errors.clauses.is_empty() {
            code.push(Insn::store_imm(size::W, SLOT, PROBE, (self.errors.number << 16) as i32));
            code.copy(1, SLOT);
            code.copy(2, CONTEXT);
            code.copy(3, TASK);
            code.call(ERRORS);
            self.name(code);
            if !self.symbol.starts_with(dtrace::END.name) {
                code.branch(jmp::JEQ, 0, outcome::STOP as i32, stop);
            }
        }
        code.jump(next);
    }
}

#[cfg(test)]
mod tests {
    use super::super::function::Target;
    use super::*;

    /// Whether each group of so many clauses that are all light, or all are not, looks its slot up.
    fn regains(clauses: usize, light: bool) -> Vec<bool> {
        let mut code = Assembler::default();
        code.give(outcome::NEXT as i32);
        let function = code.finish("clause".into());
        let entry = || Entry { function: function.clone(), frame: 0, discriminators: None, light };
        let clauses: Vec<_> = std::iter::repeat_with(entry).take(clauses).collect();
        let errors = Errors::default();
        let probe =
            Probe { symbol: "x", number: 0, locals: (0, 0), errors: &errors, goes_on: false, then: None };
        let regain = Target::Function(regain::NAME.into());
        let calls = |function: &Function| function.references.iter().any(|(_, target)| *target == regain);
        let functions = dispatcher(&probe, &clauses);
        let global = functions.iter().filter(|function| function.linkage == Linkage::Global);
        assert!(functions.iter().all(|function| function.linkage == Linkage::Global || !calls(function)));
        global.map(calls).collect()
    }

    #[test]
    fn groups_look_up_a_slot_that_is_not_on_the_stack() {
        assert_eq!(regains(GROUP, false), [false; 0]);
        assert_eq!(regains(GROUP + 1, false), [true, true]);
        assert_eq!(regains(GROUP + 1, true), [false, false]);
    }
}
