//! Structures and arrays: bytes that are copied from one place to another.
//!
//! What is read from an address is copied to where it is wanted, or to a temporary; nothing is read before it is known
//! where to, so that a structure of the kernel is copied once.

use super::clause::Clause;
use super::place::{Access, Spot};
use crate::check::typed::{Expr, ExprKind};
use crate::ir::{Memory, Size};

impl Clause<'_> {
    /// Where the bytes of a structure or array are.
    pub(super) fn bytes(&mut self, expr: &Expr) -> Spot {
        match &expr.kind {
            ExprKind::Load(place) => self.spot(place, Access::Read, expr.span),
            ExprKind::Comma(first, second) => {
                self.effect(first);
                self.bytes(second)
            }
            ExprKind::Assign(place, value) => {
                let size = expr.ty.size().unwrap_or(0);
                let source = match value.ty.as_text() {
                    Some(_) => {
                        let at = self.temporary(size);
                        self.text_to(value, at, size);
                        Spot::Own(at)
                    }
                    None => self.bytes(value),
                };
                let target = self.spot(place, Access::Write, expr.span);
                let target = self.own_memory(target, size, expr.span);
                self.take(source, target, size, expr);
                Spot::Own(target)
            }
            ExprKind::Conditional(condition, yes, no) => {
                let size = expr.ty.size().unwrap_or(0);
                let at = self.temporary(size);
                self.choose(condition, |c| c.bytes_to(yes, at, size), |c| c.bytes_to(no, at, size));
                Spot::Own(at)
            }
            ExprKind::Float(number) => {
                let at = self.temporary(8);
                self.b.store(Size::B8, at, number.to_bits() as i64);
                Spot::Own(at)
            }
            ExprKind::Cast(inner) => self.bytes(inner),
            _ => unreachable!("the checker makes no structure of {:?}", expr.kind),
        }
    }

    /// Copies a structure or array.
    pub(super) fn bytes_to(&mut self, expr: &Expr, to: Memory, size: u32) {
        let source = self.bytes(expr);
        self.take(source, to, size, expr);
    }

    fn take(&mut self, from: Spot, to: Memory, size: u32, expr: &Expr) {
        self.read_spot(to, from, size, expr.span);
    }
}
