//! Statements of which there are two, and a constant says which: `TIMES ? printf("%d ", timestamp) : 1;`.
//!
//! Scripts that take options are written so, with an inline for each option. As in DTrace, constants are folded before
//! anything else is looked at: what is not chosen is not part of the program, and either side may be an action.

use super::variables::Known;
use super::{Checker, fold};
use crate::syntax::ast::{BinOp, Expr, ExprKind, Scope, UnOp};

impl Checker<'_> {
    /// What a statement does.
    pub(super) fn chosen<'ast>(&mut self, expr: &'ast Expr) -> &'ast Expr {
        let ExprKind::Cond { cond, then, otherwise } = &expr.kind else { return expr };
        match self.known_beforehand(cond) {
            Some(0) => self.chosen(otherwise),
            Some(_) => self.chosen(then),
            None => expr,
        }
    }

    /// The value of an expression that is folded when it is read.
    fn known_beforehand(&mut self, expr: &Expr) -> Option<i64> {
        self.is_folded(expr).then(|| self.expr(expr).ok()).flatten().and_then(|expr| fold::constant(&expr))
    }

    /// Whether an expression is made of nothing but integers, and inlines and macro variables that are some.
    fn is_folded(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Int(_) | ExprKind::Char(_) | ExprKind::Macro(_) => true,
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
