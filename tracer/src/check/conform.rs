//! The last step: the parts of every key become what the whole program made of the array's or aggregation's key.
//!
//! A key's type is known only when all its uses have been seen: `@a[execname]` and `@a["all the others"]` make one
//! string type together.

use super::typed::{Action, Aggregation, Dynamic, Expr, ExprKind, Place, Program, Stmt, Type};

/// Converts all keys.
pub(super) fn conform(program: &mut Program) {
    let conform = Conform { dynamics: &program.dynamics, aggregations: &program.aggregations };
    for clause in &mut program.clauses {
        clause.predicate.iter_mut().for_each(|predicate| conform.expr(predicate));
        clause.statements.iter_mut().for_each(|statement| conform.statement(statement));
    }
}

struct Conform<'a> {
    dynamics: &'a [Dynamic],
    aggregations: &'a [Aggregation],
}

impl Conform<'_> {
    fn statement(&self, statement: &mut Stmt) {
        match statement {
            Stmt::Expr(expr) => self.expr(expr),
            Stmt::Action(action, _) => match action {
                Action::Printf(_, args) => args.iter_mut().for_each(|arg| self.expr(arg)),
                Action::Trace(expr) | Action::Normalize(_, expr) | Action::Exit(expr) => self.expr(expr),
                Action::Trunc(_, count) => count.iter_mut().for_each(|count| self.expr(count)),
                Action::Printa(..) | Action::Clear(_) | Action::Denormalize(_) => {}
            },
            Stmt::Aggregate { aggregation, keys, value, weight, .. } => {
                value.iter_mut().chain(weight).for_each(|expr| self.expr(expr));
                self.keys(keys, &self.aggregations[*aggregation].keys);
            }
            Stmt::If { cond, then, otherwise, .. } => {
                self.expr(cond);
                then.iter_mut().chain(otherwise).for_each(|statement| self.statement(statement));
            }
        }
    }

    fn expr(&self, expr: &mut Expr) {
        match &mut expr.kind {
            ExprKind::Int(_)
            | ExprKind::Str(_)
            | ExprKind::Ip(_)
            | ExprKind::Builtin(_)
            | ExprKind::Arg(_)
            | ExprKind::Args(_) => {}
            ExprKind::Load(place) | ExprKind::PostAdd(place, _) => self.place(place),
            ExprKind::Member(inner, _)
            | ExprKind::Deref(inner)
            | ExprKind::Unary(_, inner)
            | ExprKind::Not(inner)
            | ExprKind::Cast(inner) => self.expr(inner),
            ExprKind::Binary(_, left, right)
            | ExprKind::Compare(_, left, right)
            | ExprKind::CompareText(_, left, right)
            | ExprKind::Logical(_, left, right)
            | ExprKind::Comma(left, right) => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Conditional(cond, then, otherwise) => {
                self.expr(cond);
                self.expr(then);
                self.expr(otherwise);
            }
            ExprKind::Assign(place, value) => {
                self.place(place);
                self.expr(value);
            }
            ExprKind::Call(_, args) => args.iter_mut().for_each(|arg| self.expr(arg)),
        }
    }

    fn place(&self, place: &mut Place) {
        if let Place::Dynamic(index, keys) = place {
            self.keys(keys, &self.dynamics[*index].keys);
        }
    }

    fn keys(&self, keys: &mut [Expr], types: &[Type]) {
        for (key, ty) in keys.iter_mut().zip(types) {
            self.expr(key);
            let placeholder = Expr { kind: ExprKind::Int(0), ty: Type::Void, span: key.span };
            *key = std::mem::replace(key, placeholder).converted(ty);
        }
    }
}
