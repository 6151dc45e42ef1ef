//! One clause as a function of the slot: predicate, statements, emission.
//!
//! Invariant: a value that is computed once and used again (see `builtin`) is only taken where its computation is known
//! to have run: [`Clause::scoped`] forgets what a branch computed.

use probes_common::abi::{SLOT_SIZE, outcome};
use probes_common::providers::dtrace;

use super::builtin::Known;
use super::data::Data;
use super::layout::Layout;
use super::names::Names;
use super::program::Unit;
use super::storage::Storage;
use super::{Error, Options, action};
use crate::bpf::Code;
use crate::check::typed::{self, Action, Stmt};
use crate::diagnostic::Span;
use crate::ir::{self, At, Builder, Label, StackSlot, VReg};

/// What all clauses of a program share.
pub(super) struct Context<'a> {
    pub(super) program: &'a typed::Program,
    pub(super) storage: &'a Storage,
    pub(super) options: &'a Options,
    pub(super) names: &'a Names<'a>,
}

/// A clause compiled for one trampoline.
pub(super) struct Compiled {
    pub(super) code: Code,
    pub(super) layout: Layout,
    /// Bits of the record's fields that it reads.
    pub(super) wants: u64,
    /// Bytes of a slot that it needs.
    pub(super) slot_size: u32,
}

/// Compiles a clause, whose name in the object is `name`.
pub(super) fn compile(
    name: String,
    context: &Context,
    unit: &Unit,
    index: usize,
    epid: u32,
    data: &mut Data,
    spans: &mut Vec<Span>,
) -> Result<Compiled, Error> {
    let source = &context.program.clauses[index];
    let actions = action::layout(&source.statements);
    let message = SLOT_SIZE as u32 + context.storage.locals_size;
    let mut builder = Builder::new(name, 2);
    let slot = builder.param(0);
    let mut clause = Clause {
        fault_exit: builder.label(),
        b: builder,
        context,
        unit,
        epid,
        data,
        spans,
        slot,
        message,
        scratch: message + actions.size,
        slot_size: message + actions.size,
        wants: 0,
        known: Known::default(),
        assigned: vec![0; context.storage.dynamics.len()],
        stack: Stack::default(),
        action: 0,
        faults: Vec::new(),
    };
    clause.body(source, &actions);
    let Clause { b, wants, faults, slot_size, .. } = clause;
    let code = ir::compile(b.finish()).map_err(|error| Error::Clause { error, span: source.span })?;
    let layout = Layout { epid, clause: index, size: actions.size, actions: actions.actions, faults };
    Ok(Compiled { code, layout, wants, slot_size })
}

/// A clause being compiled.
pub(super) struct Clause<'a> {
    /// The function.
    pub(super) b: Builder,
    /// The program.
    pub(super) context: &'a Context<'a>,
    /// The probes.
    pub(super) unit: &'a Unit<'a>,
    /// Enabled probe id.
    pub(super) epid: u32,
    /// Read-only data.
    pub(super) data: &'a mut Data,
    /// Source positions of the program.
    spans: &'a mut Vec<Span>,
    /// The slot's address.
    pub(super) slot: VReg,
    /// Where the message lies in the slot.
    pub(super) message: u32,
    /// The first byte of the slot that is free for temporaries.
    scratch: u32,
    /// Bytes of the slot used at most.
    slot_size: u32,
    /// Want bits of the fields read so far.
    pub(super) wants: u64,
    /// Values computed before.
    pub(super) known: Known,
    /// How often each dynamic variable has been assigned to so far in the text.
    pub(super) assigned: Vec<u32>,
    /// Pieces of the stack frame in use.
    stack: Stack,
    /// The action being compiled, from 1; 0 is the predicate.
    pub(super) action: u32,
    /// What can fault so far.
    pub(super) faults: Vec<(u32, u32, Span)>,
    /// Where a fault leaves the clause.
    pub(super) fault_exit: Label,
}

/// Pieces of the stack frame, made when first asked for and used again.
#[derive(Default)]
struct Stack {
    word: Option<StackSlot>,
    key: Option<StackSlot>,
    comm: Option<StackSlot>,
}

/// Keys of at most so many bytes are built on the stack, which is always at hand in the cache.
pub(super) const STACK_KEY: u32 = 32;

impl Clause<'_> {
    fn body(&mut self, source: &typed::Clause, actions: &action::Actions) {
        if let Some(predicate) = &source.predicate {
            self.set_span(predicate.span);
            let taken = self.b.label();
            let next = self.b.label();
            self.branch(predicate, false, next);
            self.b.jump(taken);
            self.b.place(next);
            self.b.ret(outcome::NEXT as i64);
            self.b.place(taken);
        }
        self.action = 1;
        let mut records = actions.actions.iter();
        for statement in &source.statements {
            let scratch = self.scratch;
            self.statement(statement, &mut records);
            self.scratch = scratch;
        }
        if source.statements.is_empty() || !actions.actions.is_empty() {
            self.set_span(source.span);
            self.emit(actions.size);
        }
        self.b.ret(self.outcome(source) as i64);
        self.place_fault_exit();
    }

    /// What the clause returns at its end. After exit() no further clause runs, but for those of END.
    fn outcome(&self, source: &typed::Clause) -> u64 {
        let exits =
            source.statements.iter().any(|statement| matches!(statement, Stmt::Action(Action::Exit(_), _)));
        match exits && *self.unit.info().program != dtrace::END {
            true => outcome::STOP,
            false => outcome::NEXT,
        }
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
        let known = self.known.clone();
        let result = compile(self);
        self.known = known;
        result
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
