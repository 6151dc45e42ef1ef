//! One clause as a function of the slot and the current task: predicate, statements, emissions.
//!
//! Where a clause has `if`, each condition and each run of statements between is a *part*, as if it were a clause of its
//! own: with its enabled probe id, its actions counted from 1, and its message. So what a branch does not do is not
//! printed, what was done before a fault stays, and nothing follows the part that calls exit().
//!
//! Invariant: a value that is computed once and used again (see `builtin`) is only taken where its computation is known
//! to have run: [`Clause::scoped`] forgets what a branch computed.

use std::cell::OnceCell;

use probes_common::abi::{outcome, state};
use probes_common::probe::Support;
use probes_common::providers::dtrace;

use super::action::{self, Actions};
use super::builtin::Known;
use super::data::{Data, STATE};
use super::layout::Layout;
use super::names::Names;
use super::program::Unit;
use super::speculation;
use super::storage::Storage;
use super::{Error, Gated, Options, footprint};
use crate::bpf::Code;
use crate::check::typed::{self, Action, Stmt};
use crate::diagnostic::Span;
use crate::ir::{self, At, Builder, Condition, Label, Memory, Operand, Size, StackSlot, VReg};

/// What all clauses of a program share.
pub(super) struct Context<'a> {
    pub(super) program: &'a typed::Program,
    pub(super) storage: &'a Storage,
    pub(super) options: &'a Options,
    pub(super) names: &'a Names<'a>,
    /// Whether any program gives its clauses another thread than the current one.
    pub(super) given: bool,
    /// By what the first frames of a stack are known as our own.
    pub(super) own_frames: OnceCell<Vec<u64>>,
    /// For each aggregation whether one program alone counts it up.
    pub(super) alone: &'a [bool],
}

/// A clause compiled for one trampoline.
pub(super) struct Compiled {
    pub(super) pieces: Vec<Code>,
    /// The messages of its parts, by enabled probe id from the first one on.
    pub(super) layouts: Vec<Layout>,
    /// Bits of the record's fields that it reads.
    pub(super) wants: u64,
    /// Programs without clauses that it needs.
    pub(super) needs: Vec<Support>,
    /// Bytes of a slot that it needs.
    pub(super) slot_size: u32,
    /// Whether it needs none of its own.
    pub(super) light: bool,
}

/// Which part of a clause is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// What follows the predicate.
    Rest,
}

/// Where what is compiled comes from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    /// What all clauses share.
    pub(super) context: &'a Context<'a>,
    /// The probes.
    pub(super) unit: &'a Unit<'a>,
    /// The clause's index in the program.
    pub(super) index: usize,
    /// Enabled probe id of its first part.
    pub(super) epid: u32,
}

/// Compiles a clause or what follows its predicate; its name in the object is `name`.
pub(super) fn compile(
    name: String,
    from: Source<'_>,
    part: Part,
    data: &mut Data,
    spans: &mut Vec<Span>,
) -> Result<Compiled, Error> {
    let source = &from.context.program.clauses[from.index];
    let mut clause = Clause::new(name, from, data, spans);
    clause.body(source, part);
    let Clause { b, wants, needs, layouts, slot_size, .. } = clause;
    let function = b.finish();
    let light = footprint::is_light(&function, from.unit.info().program.record.size);
    let light = light && function.cuts.is_empty();
    let resume = from.context.storage.resume as i32;
    let pieces =
        ir::compile_pieces(function, resume).map_err(|error| Error::Clause { error, span: source.span })?;
    Ok(Compiled { pieces, layouts, wants, needs, slot_size, light })
}

/// Compiles a clause in two, if its predicate can be asked before there is a slot; one that is `light`, which has none to
/// save, only where that takes no time.
pub(super) fn gated(
    from: Source<'_>,
    light: bool,
    data: &mut Data,
    spans: &mut Vec<Span>,
) -> Result<Option<Gated>, Error> {
    let source = &from.context.program.clauses[from.index];
    let Some(predicate) = &source.predicate else { return Ok(None) };
    let mut clause = Clause::new(format!("predicate_{}", from.epid), from, data, spans);
    clause.predicate(predicate, 0);
    clause.b.ret(1);
    let faults = !clause.faults.is_empty();
    let function = clause.b.finish();
    if faults || !footprint::only_asks(&function) || light && footprint::looks_up(&function) {
        return Ok(None);
    }
    let predicate = ir::compile(function).map_err(|error| Error::Clause { error, span: source.span })?;
    let rest = compile(format!("clause_{}_rest", from.epid), from, Part::Rest, data, spans)?;
    Ok(Some(Gated { predicate, rest: rest.pieces }))
}

/// A clause being compiled.
pub(super) struct Clause<'a> {
    /// The function.
    pub(super) b: Builder,
    /// The program.
    pub(super) context: &'a Context<'a>,
    /// The probes.
    pub(super) unit: &'a Unit<'a>,
    /// Its index in the program.
    index: usize,
    /// Enabled probe id of the part at hand.
    pub(super) epid: u32,
    /// Read-only data.
    pub(super) data: &'a mut Data,
    /// Source positions of the program.
    spans: &'a mut Vec<Span>,
    /// The slot's address.
    pub(super) slot: VReg,
    /// What the kernel gave the program.
    pub(super) ctx: VReg,
    /// The address of the current `task_struct`, to be read directly and not to be calculated with.
    pub(super) current: VReg,
    /// Where the message lies in the slot.
    pub(super) message: u32,
    /// The first byte of the slot that is free for temporaries.
    scratch: u32,
    /// Bytes of the slot used at most.
    slot_size: u32,
    /// Want bits of the fields read so far.
    pub(super) wants: u64,
    /// Programs without clauses that what it reads needs.
    pub(super) needs: Vec<Support>,
    /// Values computed before.
    pub(super) known: Known,
    /// How often each dynamic variable has been assigned to so far in the text.
    pub(super) assigned: Vec<u32>,
    /// Pieces of the stack frame in use.
    stack: Stack,
    /// The action being compiled, from 1; 0 is the predicate.
    pub(super) action: u32,
    /// Where the tag of the speculation lies in which the rest of this block is recorded.
    pub(super) speculating: Option<Memory>,
    /// How many speculate() there are before, in the text.
    pub(super) speculations: u32,
    /// How often the function has been cut.
    cuts: usize,
    /// What can fault in this part so far.
    pub(super) faults: Vec<(u32, u32, Span)>,
    /// Whether exit() has been called so far, whose status a fault takes back: the clause's message is not sent.
    pub(super) exited: bool,
    /// Where a fault leaves this part.
    pub(super) fault_exit: Label,
    /// Where faults leave the parts before: enabled probe id and label.
    pub(super) fault_exits: Vec<(u32, Label)>,
    /// The messages of the parts before.
    layouts: Vec<Layout>,
}

/// Pieces of the stack frame, made when first asked for and used again.
#[derive(Default)]
struct Stack {
    word: Option<StackSlot>,
    key: Option<StackSlot>,
    comm: Option<StackSlot>,
}

/// Whether exit() is among what the statement does.
fn may_exit(statement: &Stmt) -> bool {
    match statement {
        Stmt::Action(action, _) => matches!(action, Action::Exit(_)),
        Stmt::If { then, otherwise, .. } => then.iter().chain(otherwise).any(may_exit),
        Stmt::Expr(_) | Stmt::Aggregate { .. } => false,
    }
}

/// Keys of at most so many bytes are built on the stack, which is always at hand in the cache.
const STACK_KEY: u32 = 40;

/// From how many instructions on a clause is cut at the next place where that is possible, and from how many maps on: a program of the
/// kernel has 64 at most (MAX_USED_MAPS in include/linux/bpf_verifier.h), some of them the trampoline's.
const PIECE_INSNS: usize = 2_000;
const PIECE_MAPS: usize = 24;

impl<'a> Clause<'a> {
    fn new(name: String, from: Source<'a>, data: &'a mut Data, spans: &'a mut Vec<Span>) -> Clause<'a> {
        let Source { context, unit, index, epid } = from;
        let message =
            context.storage.own + 8 * speculation::count(&context.program.clauses[index].statements);
        let mut builder = Builder::new(name, 3);
        let (slot, ctx, current) = (builder.param(0), builder.param(1), builder.param(2));
        Clause {
            fault_exit: builder.label(),
            b: builder,
            context,
            unit,
            index,
            epid,
            data,
            spans,
            slot,
            ctx,
            current,
            message,
            scratch: message,
            slot_size: message,
            wants: 0,
            needs: Vec::new(),
            known: Known::default(),
            assigned: vec![0; context.storage.dynamics.len()],
            stack: Stack::default(),
            action: 0,
            speculating: None,
            speculations: 0,
            cuts: 0,
            faults: Vec::new(),
            exited: false,
            fault_exits: Vec::new(),
            layouts: Vec::new(),
        }
    }
}

impl Clause<'_> {
    /// Returns `otherwise` unless the predicate holds.
    fn predicate(&mut self, predicate: &typed::Expr, otherwise: u64) {
        self.free_scratch();
        self.set_span(predicate.span);
        let taken = self.b.label();
        let next = self.b.label();
        self.branch(predicate, false, next);
        self.b.jump(taken);
        self.b.place(next);
        self.b.ret(otherwise as i64);
        self.b.place(taken);
    }

    fn body(&mut self, source: &typed::Clause, part: Part) {
        match source.predicate.as_ref().filter(|_| part == Part::Whole) {
            Some(predicate) => self.predicate(predicate, outcome::NEXT),
            None => self.free_scratch(),
        }
        if source.statements.is_empty() {
            self.run(&[], source.span, true);
        }
        self.statements(&source.statements, source.span);
        let outcome = self.outcome(source);
        self.b.ret(outcome);
        self.place_fault_exits();
    }

    /// Statements, `if` among them. A speculation lasts to the end of the block.
    fn statements(&mut self, statements: &[Stmt], whole: Span) {
        let before = self.speculating;
        let conditional = |statement: &Stmt| matches!(statement, Stmt::If { .. });
        // What ends a speculation is no part of what is recorded in one.
        let speculative = before.is_some() || statements.iter().any(speculation::begins);
        let apart = |a: &Stmt, b: &Stmt| speculative && speculation::ends(a) != speculation::ends(b);
        for part in statements.chunk_by(|a, b| !conditional(a) && !conditional(b) && !apart(a, b)) {
            self.cut_if_long();
            match part {
                [Stmt::If { cond, then, otherwise, span }] => {
                    self.action = 1;
                    self.set_span(cond.span);
                    let (no, done) = (self.b.label(), self.b.label());
                    self.scoped(|c| {
                        c.scratch = c.message;
                        c.branch(cond, false, no);
                        c.end_part(Actions::none());
                        c.statements(then, *span);
                    });
                    self.b.jump(done);
                    self.b.place(no);
                    self.scoped(|c| c.statements(otherwise, *span));
                    self.b.place(done);
                }
                run => self.run(run, whole, statements.len() == 1),
            }
        }
        self.speculating = before;
    }

    /// Statements without `if`, and the message of what they record. Nothing at all, or a speculate() alone, records the
    /// default action.
    fn run(&mut self, statements: &[Stmt], whole: Span, alone: bool) {
        let begins = statements.iter().any(speculation::begins);
        let speculative = begins || self.speculating.is_some() && !statements.iter().any(speculation::ends);
        let actions = action::layout(statements, speculative);
        self.scratch = self.message + actions.size;
        self.slot_size = self.slot_size.max(self.scratch);
        self.action = 1;
        let mut records = actions.actions.iter();
        for statement in statements {
            self.cut_if_long();
            let scratch = self.scratch;
            self.statement(statement, &mut records);
            self.scratch = scratch;
        }
        if statements.is_empty() || actions.are_recorded() || begins && alone {
            self.set_span(whole);
            self.emit(&actions);
        }
        if self.exits(statements) {
            self.b.ret(outcome::STOP as i64);
            let behind = self.b.label();
            self.b.place(behind);
        }
        self.end_part(actions);
    }

    /// The part at hand is over: what follows has an enabled probe id of its own.
    fn end_part(&mut self, actions: Actions) {
        self.leave_faults();
        let faults = std::mem::take(&mut self.faults);
        let Actions { actions, size, speculative } = actions;
        let (epid, clause) = (self.epid, self.index);
        self.layouts.push(Layout { epid, clause, size, speculative, actions, faults });
        self.epid += 1;
    }

    /// What faults from here on leaves by another exit.
    fn leave_faults(&mut self) {
        if !self.faults.is_empty() {
            let exit = std::mem::replace(&mut self.fault_exit, self.b.label());
            self.fault_exits.push((self.epid, exit));
        }
    }

    /// Whether nothing follows these statements: after exit() only END and ERROR go on.
    fn exits(&self, statements: &[Stmt]) -> bool {
        let program = self.unit.info().program;
        *program != dtrace::END && *program != dtrace::ERROR && statements.iter().any(may_exit)
    }

    /// What the clause returns at its end: ERROR's tells the probe that faulted whether anything follows.
    fn outcome(&mut self, source: &typed::Clause) -> Operand {
        if *self.unit.info().program != dtrace::ERROR || !source.statements.iter().any(may_exit) {
            return Operand::Imm(outcome::NEXT as i64);
        }
        let state = self.b.data_addr(STATE, 0);
        let state = self.b.load(Size::B8, (state, 0));
        const { assert!(outcome::STOP == 1 && outcome::NEXT == 0) }
        self.b.compare(Condition::Eq, state, state::ENDED as i64).into()
    }

    fn statement<'r>(
        &mut self,
        statement: &Stmt,
        records: &mut impl Iterator<Item = &'r super::layout::ActionAt>,
    ) {
        match statement {
            Stmt::Expr(expr) => {
                self.set_span(expr.span);
                self.effect(expr);
                self.action += 1;
            }
            Stmt::Action(Action::Signal(signal), span) => {
                self.set_span(*span);
                self.signal(signal);
            }
            Stmt::Action(action, span) => {
                self.set_span(*span);
                if let Some(record) = records.next() {
                    self.record_action(action, record);
                }
            }
            Stmt::Aggregate { aggregation, keys, value, weight, span } => {
                self.set_span(*span);
                self.aggregate(*aggregation, keys, value.as_ref(), weight.as_ref());
            }
            Stmt::If { .. } => unreachable!("an `if` is no part of a run of statements"),
        }
    }

    /// What follows comes from there.
    pub(super) fn set_span(&mut self, span: Span) {
        if self.spans.last() != Some(&span) {
            self.spans.push(span);
        }
        self.b.set_at(Some(At(self.spans.len() as u32 - 1)));
    }

    /// Compiles what may not run, and forgets what it computed.
    pub(super) fn scoped<T>(&mut self, compile: impl FnOnce(&mut Self) -> T) -> T {
        let (known, cuts) = (self.known.clone(), self.cuts);
        let result = compile(self);
        self.known = if self.cuts == cuts { known } else { Known::default() };
        result
    }

    /// Between two statements, or two values of one: where the function has become long, it is cut. What was computed before
    /// is not known behind, and what faults leaves the piece that it is in.
    pub(super) fn cut_if_long(&mut self) {
        let (insns, maps) = self.b.since_cut();
        if insns < PIECE_INSNS && maps < PIECE_MAPS {
            return;
        }
        let on = self.b.label();
        self.b.jump(on);
        self.leave_faults();
        self.place_fault_exits();
        self.b.cut();
        self.b.place(on);
        self.known = Known::default();
        self.cuts += 1;
    }

    /// Bytes of the slot for a temporary, 8-byte aligned; they stay until the statement ends.
    pub(super) fn temporary(&mut self, size: u32) -> ir::Memory {
        let offset = self.scratch;
        self.scratch += size.next_multiple_of(8);
        self.slot_size = self.slot_size.max(self.scratch);
        (self.slot, offset as i32).into()
    }

    /// Memory for a key: it is overwritten by the next key.
    pub(super) fn key_memory(&mut self, size: u32) -> ir::Memory {
        if size > STACK_KEY {
            return self.temporary(size);
        }
        let slot = *self.stack.key.get_or_insert_with(|| self.b.stack_slot(STACK_KEY));
        (slot, 0).into()
    }

    /// A word of the stack frame, for values that helpers take by their address.
    pub(super) fn word(&mut self) -> StackSlot {
        *self.stack.word.get_or_insert_with(|| self.b.stack_slot(8))
    }

    /// 16 bytes of the stack frame for the name of the current program.
    pub(super) fn comm_memory(&mut self) -> StackSlot {
        *self.stack.comm.get_or_insert_with(|| self.b.stack_slot(16))
    }
}
