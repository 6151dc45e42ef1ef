//! Expressions of which there are two, and a constant says which: `TIMES ? printf("%d ", timestamp) : 1;`.
//!
//! Scripts that take options are written so, with an inline for each option. As in DTrace, constants are folded before
//! anything else is looked at: what is not chosen is not part of the program, of whatever type it is, and where this is a
//! statement either side may be an action.

use super::variables::Known;
use super::{Checker, Refused, fold};
use crate::syntax::ast::{BinOp, Expr, ExprKind, Scope, UnOp};

impl Checker<'_> {
    /// Which of the two it is, and of them again; the expression itself, where nothing is chosen beforehand.
    pub(super) fn chosen<'ast>(&mut self, expr: &'ast Expr) -> Result<&'ast Expr, Refused> {
        let ExprKind::Cond { cond, then, otherwise } = &expr.kind else { return Ok(expr) };
        if !self.is_folded(cond) {
            return Ok(expr);
        }
        match fold::constant(&self.expr(cond)?) {
            Some(0) => self.chosen(otherwise),
            Some(_) => self.chosen(then),
            None => Ok(expr),
        }
    }

    /// Whether an expression is made of nothing but integers, sizes, and inlines and macro variables that are some.
    fn is_folded(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Int(_) | ExprKind::Char(_) | ExprKind::Macro(_) => true,
            ExprKind::SizeofType(_) | ExprKind::Offsetof { .. } => true,
            ExprKind::Unary { op: UnOp::Sizeof, .. } => true,
            ExprKind::Var(Scope::Global, name) => match self.variables.get(Scope::Global, &name.name) {
                Some(Known::Value(value, _)) => fold::constant(value).is_some(),
                _ => false,
            },
            ExprKind::Unary { op: UnOp::Plus | UnOp::Neg | UnOp::BitNot | UnOp::Not, expr } => {
                self.is_folded(expr)
            }
            ExprKind::Binary { op, left, right } => {
                *op != BinOp::Comma && self.is_folded(left) && self.is_folded(right)
            }
            ExprKind::Cond { cond, then, otherwise } => {
                [cond, then, otherwise].iter().all(|part| self.is_folded(part))
            }
            _ => false,
        }
    }
}
