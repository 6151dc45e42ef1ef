//! Strings that are not there: what strchr() gives where there is no such character, a thread's variable that was never
//! assigned, NULL.
//!
//! Such a string is an empty one with a mark behind its end, so that it can be assigned as any other; compared with
//! another it is empty, as in illumos.
//! Invariant: who does something with a string takes it by [`Clause::present`], which leaves the clause with a fault
//! where it is not there, as in DTrace.

use probes_common::abi::fault;

use super::clause::Clause;
use super::data::{STRINGS, ZEROS};
use super::text::Text;
use crate::check::typed::{Expr, ExprKind, NULL_TEXT, Place, Subroutine, Type};
use crate::ir::{Condition, Label, Operand, Size, VReg};

/// The first two bytes of such a string.
const MARK: i64 = i64::from_le_bytes([NULL_TEXT[0], NULL_TEXT[1], 0, 0, 0, 0, 0, 0]);

impl Clause<'_> {
    /// The string, to do something with it.
    pub(super) fn present(&mut self, expr: &Expr) -> Text {
        let text = self.text(expr);
        self.check_present(text, expr);
        text
    }

    /// Leaves the clause where the string that the expression gave is not there.
    pub(super) fn check_present(&mut self, text: Text, expr: &Expr) {
        if self.may_be_null(expr) {
            let there = self.b.label();
            let first = self.b.load(Size::B2, text.at);
            self.b.branch(Condition::Ne, first, MARK, there);
            self.fault(fault::BADADDR, Operand::Imm(0), expr.span);
            self.b.place(there);
        }
    }

    /// The string, to compare it with another: where it is not there, an empty one.
    pub(super) fn or_empty(&mut self, expr: &Expr) -> Text {
        let text = self.text(expr);
        if !self.may_be_null(expr) {
            return text;
        }
        let address = self.address(text.at);
        let (at, there) = (self.b.copy(address), self.b.label());
        let first = self.b.load(Size::B2, text.at);
        self.b.branch(Condition::Ne, first, MARK, there);
        self.data.want_zeros(text.size);
        let zeros = self.b.data_addr(ZEROS, 0);
        self.b.set(at, zeros);
        self.b.place(there);
        Text { at: (at, 0).into(), size: text.size }
    }

    /// Makes an empty buffer one of a string that is not there.
    pub(super) fn mark_null(&mut self, text: Text) {
        self.b.store(Size::B2, text.at, MARK);
    }

    /// Goes to `target` where the string in the buffer is not there.
    pub(super) fn branch_null(&mut self, text: Text, target: Label) {
        let first = self.b.load(Size::B2, text.at);
        self.b.branch(Condition::Eq, first, MARK, target);
    }

    /// The value of a dynamic variable of that size that is not there, if it is a string.
    pub(super) fn null_value(&mut self, size: u32) -> VReg {
        let mut bytes = NULL_TEXT.to_vec();
        bytes.resize(size as usize, 0);
        let offset = self.data.bytes(&bytes);
        self.b.data_addr(STRINGS, offset as i32)
    }

    fn may_be_null(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Str(bytes) => bytes == NULL_TEXT,
            ExprKind::Load(place) => self.keeps_null(place),
            ExprKind::Assign(_, value) => self.may_be_null(value),
            ExprKind::Comma(_, value) => self.may_be_null(value),
            ExprKind::Cast(inner) => matches!(inner.ty, Type::String(_)) && self.may_be_null(inner),
            ExprKind::Conditional(_, yes, no) => self.may_be_null(yes) || self.may_be_null(no),
            ExprKind::Call(subroutine, _) => matches!(
                subroutine,
                Subroutine::Strchr
                    | Subroutine::Strrchr
                    | Subroutine::Strstr
                    | Subroutine::Strtok
                    | Subroutine::Json
            ),
            _ => false,
        }
    }

    /// Whether the place is a variable that is a string: what else has strings has none that are not there.
    fn keeps_null(&self, place: &Place) -> bool {
        match place {
            Place::Global(_) | Place::This(_) | Place::Dynamic(..) => true,
            Place::Memory(_) | Place::Part(..) => false,
        }
    }
}
