//! What a clause sends: the layout of its message, and the code that builds it.
//!
//! Invariant: the layout follows from the statements' types alone, so it is known before any code is made, and every
//! firing that reaches the end of its clause has written every field of it.

use std::rc::Rc;

use probes_common::abi::{HEADER_SIZE, state};

use super::clause::Clause;
use super::data::{EXIT, STATE};
use super::helper;
use super::layout::{ActionAt, ActionKind, FieldAt, Repr};
use super::storage::repr;
use super::text::Text;
use crate::check::typed::{Action, Expr, Stmt};
use crate::ir::{Memory, Operand, Size};

/// The layout of a clause's message.
pub(super) struct Actions {
    /// The actions in order.
    pub(super) actions: Vec<ActionAt>,
    /// Bytes of the whole message, a multiple of 8.
    pub(super) size: u32,
    /// Whether it belongs to a speculation.
    pub(super) speculative: bool,
}

impl Actions {
    /// Of a part that sends nothing.
    pub(super) fn none() -> Actions {
        Actions { actions: Vec::new(), size: HEADER_SIZE as u32, speculative: false }
    }

    /// Whether there is anything to send.
    pub(super) fn are_recorded(&self) -> bool {
        self.actions.iter().any(|action| !matches!(action.kind, ActionKind::Speculate))
    }

    /// Whether they only end speculations.
    pub(super) fn only_end(&self) -> bool {
        self.are_recorded() && self.actions.iter().all(|action| action.kind.is_about_speculation())
    }
}

/// Lays out the message of these statements, none of which is an `if`.
///
/// The tag of a speculation lies behind the header.
pub(super) fn layout(statements: &[Stmt], speculative: bool) -> Actions {
    let mut size = HEADER_SIZE as u32 + if speculative { 8 } else { 0 };
    let mut place = |repr: Repr| {
        let align = match repr {
            Repr::Int { bytes, .. } => u32::from(bytes),
            Repr::Probe(_) => 4,
            Repr::Str(_)
            | Repr::Ip
            | Repr::Bytes(_)
            | Repr::Float(_)
            | Repr::Stack(_)
            | Repr::StackKey(_)
            | Repr::Symbol(_) => 8,
        };
        let offset = size.next_multiple_of(align);
        size = offset + repr.size();
        FieldAt { offset, repr }
    };
    let mut actions = Vec::new();
    for statement in statements {
        if let Stmt::Action(action, _) = statement
            && let Some(kind) = kind(action)
        {
            let fields = match action {
                Action::Commit(_) | Action::Discard(_) => vec![place(Repr::Int { bytes: 8, signed: false })],
                _ => values(action).into_iter().map(|value| place(repr(&value.ty))).collect(),
            };
            actions.push(ActionAt { kind, fields });
        }
    }
    Actions { actions, size: size.next_multiple_of(8), speculative }
}

/// The values that an action records.
fn values(action: &Action) -> Vec<&Expr> {
    match action {
        Action::Trace(value)
        | Action::Print(value, _)
        | Action::Normalize(_, value)
        | Action::Exit(value) => vec![value],
        Action::Printf(_, values) | Action::System(_, values) | Action::Freopen(_, values) => {
            values.iter().collect()
        }
        Action::Pcap(parts) => parts.iter().collect(),
        Action::Tracemem(bytes, size) => [bytes].into_iter().chain(size).collect(),
        Action::Trunc(_, count) => count.iter().collect(),
        Action::Printa(..)
        | Action::Clear(_)
        | Action::Denormalize(_)
        | Action::Speculate(_)
        | Action::Commit(_)
        | Action::Discard(_)
        | Action::Ftruncate
        | Action::Setopt(..)
        | Action::Signal(_) => Vec::new(),
    }
}

/// What the tracer does; nothing for what is done in the kernel.
fn kind(action: &Action) -> Option<ActionKind> {
    Some(match action {
        Action::Trace(_) => ActionKind::Trace,
        Action::Print(_, shape) => ActionKind::Print(Rc::clone(shape)),
        Action::Printf(format, _) => ActionKind::Printf(format.clone()),
        Action::Printa(format, tables) => ActionKind::Printa(format.clone(), tables.clone()),
        Action::Clear(aggregation) => ActionKind::Clear(*aggregation),
        Action::Trunc(aggregation, _) => ActionKind::Trunc(*aggregation),
        Action::Normalize(aggregation, _) => ActionKind::Normalize(*aggregation),
        Action::Denormalize(aggregation) => ActionKind::Denormalize(*aggregation),
        Action::Exit(_) => ActionKind::Exit,
        Action::Speculate(_) => ActionKind::Speculate,
        Action::Commit(_) => ActionKind::Commit,
        Action::Discard(_) => ActionKind::Discard,
        Action::Tracemem(..) => ActionKind::Tracemem,
        Action::Pcap(_) => ActionKind::Pcap,
        Action::System(format, _) => ActionKind::System(format.clone()),
        Action::Freopen(format, _) => ActionKind::Freopen(format.clone()),
        Action::Ftruncate => ActionKind::Ftruncate,
        Action::Setopt(name, value) => ActionKind::Setopt(name.clone(), value.clone()),
        Action::Signal(_) => return None,
    })
}

impl Clause<'_> {
    /// Compiles an action into its place in the message. Each value counts as an action, as in DTrace.
    pub(super) fn record_action(&mut self, action: &Action, record: &ActionAt) {
        match action {
            Action::Speculate(id) => self.speculate(id),
            Action::Commit(id) | Action::Discard(id) => self.end_speculation(id, record),
            _ => {}
        }
        let values = values(action);
        for (value, field) in values.iter().zip(&record.fields) {
            self.cut_if_long();
            let to = (self.slot, (self.message + field.offset) as i32).into();
            self.record(value, field.repr, to);
            self.action += 1;
        }
        if values.is_empty() {
            self.action += 1;
        }
        if let (Action::Exit(_), [status]) = (action, &record.fields[..]) {
            self.data.want_exit();
            self.exited = true;
            let exit = self.b.data_addr(EXIT, 0);
            let status = self.b.load(Size::B4, (self.slot, (self.message + status.offset) as i32));
            self.b.store(Size::B4, (exit, 0), status);
            self.b.store(Size::B4, (exit, 4), 1);
            let state = self.b.data_addr(STATE, 0);
            self.b.store(Size::B8, (state, 0), state::ENDED as i64);
        }
    }

    /// Sends a signal to the current process, and records nothing. One that cannot have it, as the kernel's own threads,
    /// has none.
    pub(super) fn signal(&mut self, signal: &Expr) {
        self.needs_current(signal.span);
        let signal = self.int(signal);
        self.b.helper_void(helper::SEND_SIGNAL, &[signal]);
        self.action += 1;
    }

    /// Writes a value into the message.
    fn record(&mut self, value: &Expr, repr: Repr, to: Memory) {
        match repr {
            Repr::Int { bytes, .. } => {
                let value = self.int(value);
                self.b.store(Size::of_bytes(bytes.into()).unwrap_or(Size::B8), to, value);
            }
            Repr::Str(size) => {
                self.text_to(value, to, size);
                self.check_present(Text { at: to, size }, value);
            }
            Repr::Float(size) => self.bytes_to(value, to, size.into()),
            Repr::Bytes(size) => self.bytes_to(value, to, size),
            Repr::Ip => {
                let text = self.text(value);
                self.copy(to, text.at, 16);
            }
            Repr::Probe(_) => {
                let number = self.probe_number();
                self.b.store(Size::B4, to, number);
            }
            Repr::Stack(stack) => self.record_stack(stack, to),
            Repr::Symbol(symbol) => self.record_symbol(value, symbol, to),
            Repr::StackKey(_) => unreachable!("a message has whole stacks"),
        }
    }

    /// Sends the message.
    pub(super) fn emit(&mut self, actions: &Actions) {
        let at = Operand::Imm(self.message.into());
        let size = Operand::Imm(actions.size.into());
        let args = [self.slot.into(), at, size, Operand::Imm(self.epid.into())];
        match self.speculating.filter(|_| actions.speculative) {
            Some(tag) => self.emit_speculative(&args, tag),
            None if actions.only_end() => self.emit_end(&args, actions),
            None => self.b.call_void("emit", &args),
        }
    }
}
