//! What an assignment or an operator finds where no variable is so far, and what it asks before it makes one.

use super::operators::suits;
use super::typed::{Expr, Type};
use super::types::INT64;
use super::variables::Known;
use super::{Checker, Refused};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast::{self, Scope};

impl Checker<'_> {
    /// A variable that nothing was assigned to so far.
    pub(super) fn unassigned<'a>(&self, to: &'a ast::Expr) -> Option<(Scope, &'a ast::Ident)> {
        let (scope, name) = variable(to)?;
        let known = self.parameter(scope, &name.name).is_some()
            || self.variables.get(scope, &name.name).is_some()
            || scope == Scope::Global && self.is_fixed(&name.name);
        (!known).then_some((scope, name))
    }

    /// Whether an assignment would make the variable, or would have made it before.
    pub(super) fn may_be_made(&self, to: &ast::Expr) -> bool {
        let refused = |(scope, name): (Scope, &ast::Ident)| {
            matches!(self.variables.get(scope, &name.name), Some(Known::Refused))
        };
        self.unassigned(to).is_some() || variable(to).is_some_and(refused)
    }

    /// Makes a variable of a thread, of a clause or of an array that a unary operator is the first to name. It is an
    /// `int64_t`.
    pub(super) fn named_first(&mut self, operand: &ast::Expr) -> Result<(), Refused> {
        let (Some((scope, name)), int) = (self.unassigned(operand), Type::Int(INT64)) else { return Ok(()) };
        match &operand.kind {
            ast::ExprKind::Index { keys, .. } => {
                self.element_target(scope, name, keys, Some((&int, operand.span)), operand.span)?;
            }
            _ if scope != Scope::Global => {
                self.variables.add(scope, &name.name, None, int, false, operand.span);
            }
            _ => {}
        }
        Ok(())
    }

    /// What is wrong with an assignment to an aggregation inside an expression, or to what has filled one.
    pub(super) fn check_no_aggregation(
        &mut self,
        op: Option<ast::BinOp>,
        to: &ast::Expr,
        span: Span,
    ) -> Result<(), Refused> {
        let (place, filled) = match &to.kind {
            ast::ExprKind::Assign { op: None, place, .. } => (&**place, true),
            _ => (to, false),
        };
        let ast::ExprKind::Agg(agg) = &place.kind else { return Ok(()) };
        let (tag, message) = match op {
            Some(_) if !filled && !self.is_filled(&agg.name) => {
                (Tag::D_VAR_UNDEF, format!("nothing has filled the aggregation `@{}` so far", agg.name))
            }
            None if !filled => {
                (Tag::D_AGG_FUNC, "an aggregation is filled by a statement of its own".to_owned())
            }
            _ => (
                Tag::D_OP_LVAL,
                "an aggregation is no variable: nothing else can be assigned to it".to_owned(),
            ),
        };
        let help = "write `@a[key] = count();` or `sum(x)`, `max(x)`, ... as a statement of its own";
        Err(self.refuse(Diagnostic::error(tag, span, message).help(help)))
    }

    /// What is wrong with the types of the operands where nothing can be assigned to the left one: it is told first.
    pub(super) fn check_operands(
        &mut self,
        op: Option<ast::BinOp>,
        to: &ast::Expr,
        value: &Expr,
        span: Span,
    ) -> Result<(), Refused> {
        if self.is_writable(to) || self.may_be_made(to) {
            return Ok(());
        }
        let left = self.expr(to)?;
        match op {
            Some(op) => self.changed(op, left, value.clone(), span).map(drop),
            None if suits(value, &left.ty) => Ok(()),
            None => Err(self.incompatible(Tag::D_OP_INCOMPAT, "=", &left, value, span)),
        }
    }
}

/// The variable that is assigned to, or whose element is.
pub(super) fn variable(to: &ast::Expr) -> Option<(Scope, &ast::Ident)> {
    match &to.kind {
        ast::ExprKind::Var(scope, name) => Some((*scope, name)),
        ast::ExprKind::Index { base, .. } => match &base.kind {
            ast::ExprKind::Var(scope, name) => Some((*scope, name)),
            _ => None,
        },
        _ => None,
    }
}
