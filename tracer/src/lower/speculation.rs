//! Speculating: records that wait in the tracer under a tag, until they are committed or discarded.
//!
//! Invariant: what ends a speculation is a message of its own or one that is not speculative, so that it is never kept
//! back itself. A speculation that is not in use has the tag 0: what is recorded in it is not even sent.

use probes_common::abi::fault;

use super::action::Actions;
use super::clause::Clause;
use super::layout::ActionAt;
use crate::check::typed::{Action, Expr, Stmt};
use crate::ir::{BinaryOp, Condition, Memory, Operand, Size, VReg};

/// Whether the statement begins to speculate.
pub(super) fn begins(statement: &Stmt) -> bool {
    matches!(statement, Stmt::Action(Action::Speculate(_), _))
}

/// How often the statements begin to.
pub(super) fn count(statements: &[Stmt]) -> u32 {
    let of = |statement: &Stmt| match statement {
        Stmt::If { then, otherwise, .. } => count(then) + count(otherwise),
        statement => begins(statement).into(),
    };
    statements.iter().map(of).sum()
}

/// Whether the statement ends a speculation.
pub(super) fn ends(statement: &Stmt) -> bool {
    matches!(statement, Stmt::Action(Action::Commit(_) | Action::Discard(_), _))
}

impl Clause<'_> {
    /// `speculate(id)`: what follows in this block is recorded in that speculation.
    pub(super) fn speculate(&mut self, id: &Expr) {
        let id = self.speculation_id(id);
        let tag = self.b.call("speculation_tag", &[id.into()]);
        let word = (self.slot, (self.context.storage.own + 8 * self.speculations) as i32).into();
        self.b.store(Size::B8, word, tag);
        self.speculations += 1;
        self.speculating = Some(word);
    }

    /// `commit(id)`, `discard(id)`: the tag goes into the message.
    pub(super) fn end_speculation(&mut self, id: &Expr, record: &ActionAt) {
        let id = self.speculation_id(id);
        let tag = self.b.call("speculation_end", &[id.into()]);
        for field in &record.fields {
            self.b.store(Size::B8, (self.slot, (self.message + field.offset) as i32), tag);
        }
    }

    /// The id of a speculation, 0 or one that there may be; any other is a fault.
    fn speculation_id(&mut self, id: &Expr) -> VReg {
        let value = self.int(id);
        let number = self.b.extend(32, false, value);
        let good = self.b.label();
        let most = self.context.options.speculations as i64;
        self.b.branch(Condition::Le, number, most, good);
        self.fault(fault::ILLOP, number.into(), id.span);
        self.b.place(good);
        number
    }

    /// Sends a message to wait in the speculation, if that is in use.
    pub(super) fn emit_speculative(&mut self, args: &[Operand; 4], tag: Memory) {
        let [slot, at, size, epid] = *args;
        let tag = self.b.load(Size::B8, tag);
        let none = self.b.label();
        self.b.branch(Condition::Eq, tag, 0, none);
        self.b.call_void("emit_speculative", &[slot, at, size, epid, tag.into()]);
        self.b.place(none);
    }

    /// Sends a message that only ends speculations, if any of them was in use.
    pub(super) fn emit_end(&mut self, args: &[Operand; 4], actions: &Actions) {
        let any = self.b.copy(0);
        for field in actions.actions.iter().flat_map(|action| &action.fields) {
            let tag = self.b.load(Size::B8, (self.slot, (self.message + field.offset) as i32));
            let both = self.b.binary(BinaryOp::Or, any, tag);
            self.b.set(any, both);
        }
        let none = self.b.label();
        self.b.branch(Condition::Eq, any, 0, none);
        self.b.call_void("emit", args);
        self.b.place(none);
    }
}
