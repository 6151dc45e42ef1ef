//! What stands where a value is needed and has none: an action, an aggregation, an aggregating function.
//!
//! As in DTrace, what is wrong depends on the place: a trace() of an action is not the same mistake as its sum. So who
//! asks for a value says what it is there.

use super::functions::Role;
use super::typed::Expr;
use super::{Checker, Refused};
use crate::diagnostic::{Diagnostic, Tag};
use crate::syntax::ast::{self, ExprKind};

/// A kind of thing without a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Valueless {
    Action,
    /// An aggregation, a function that fills one, or that it is filled.
    Aggregation,
}

impl Checker<'_> {
    /// The value of an expression; `tag` tells what is wrong where it has none.
    pub(super) fn value_for(&mut self, expr: &ast::Expr, tag: Tag) -> Result<Expr, Refused> {
        self.value_in(expr, tag, tag)
    }

    /// Whether the expression is an action.
    pub(super) fn is_action(&self, expr: &ast::Expr) -> bool {
        self.kind(expr) == Some(Valueless::Action)
    }

    /// The value of an expression, with one tag for actions and one for aggregations.
    pub(super) fn value_in(
        &mut self,
        expr: &ast::Expr,
        action: Tag,
        aggregation: Tag,
    ) -> Result<Expr, Refused> {
        match self.kind(expr) {
            Some(Valueless::Action) => Err(self.valueless(expr, action)),
            Some(Valueless::Aggregation) => Err(self.valueless(expr, aggregation)),
            None => self.expr(expr),
        }
    }

    /// Tells that an expression has no value. An aggregation that nothing has filled so far is not known at all.
    pub(super) fn valueless(&mut self, expr: &ast::Expr, tag: Tag) -> Refused {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Agg(agg) if agg.keys.is_empty() && !self.is_filled(&agg.name) => {
                let message = format!("nothing has filled the aggregation `@{}` so far", agg.name);
                let diagnostic = Diagnostic::error(Tag::D_IDENT_UNDEF, span, message);
                self.refuse(diagnostic.help(format!("fill it: `@{} = count();`", agg.name)))
            }
            ExprKind::Agg(_) => {
                let diagnostic = Diagnostic::error(tag, span, "an aggregation has no value in an expression");
                self.refuse(
                    diagnostic
                        .help("printa() prints it; a global variable can be counted with `++` and used"),
                )
            }
            ExprKind::Call { func, .. } => match self.known_function(&func.name) {
                Some(row) if matches!(row.role, Role::Aggregating(_)) => {
                    let message = format!("`{}` is an aggregating function: it has no value", row.name);
                    let help = format!("assign it to an aggregation: `@name = {};`", row.prototype);
                    self.refuse(Diagnostic::error(tag, span, message).help(help))
                }
                Some(row) => {
                    let message = format!("the action `{}` has no value", row.name);
                    let diagnostic = Diagnostic::error(tag, span, message);
                    self.refuse(diagnostic.help("make it a statement of its own"))
                }
                None => self.unknown_function(func),
            },
            ExprKind::Assign { op: None, .. } => {
                let diagnostic = Diagnostic::error(tag, span, "filling an aggregation gives no value");
                self.refuse(diagnostic.help("write `@name[keys] = function(...);` as a statement of its own"))
            }
            _ => Refused,
        }
    }

    /// What the expression is, where it has no value.
    fn kind(&self, expr: &ast::Expr) -> Option<Valueless> {
        match &expr.kind {
            ExprKind::Agg(_) => Some(Valueless::Aggregation),
            ExprKind::Assign { op: None, place, .. } => {
                matches!(place.kind, ExprKind::Agg(_)).then_some(Valueless::Aggregation)
            }
            ExprKind::Call { func, .. } => match self.known_function(&func.name)?.role {
                Role::Action(_) => Some(Valueless::Action),
                Role::Aggregating(_) => Some(Valueless::Aggregation),
                Role::Subroutine(..) | Role::Recorded(_) => None,
            },
            _ => None,
        }
    }
}
