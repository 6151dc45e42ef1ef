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
                Action::Trace(expr)
                | Action::Print(expr, _)
                | Action::Normalize(_, expr)
                | Action::Exit(expr)
                | Action::Speculate(expr)
                | Action::Commit(expr)
                | Action::Discard(expr)
                | Action::Signal(expr) => self.expr(expr),
                Action::System(_, args) | Action::Freopen(_, args) => {
                    args.iter_mut().for_each(|arg| self.expr(arg));
                }
                Action::Tracemem(bytes, size) => {
                    self.expr(bytes);
                    size.iter_mut().for_each(|size| self.expr(size));
                }
                Action::Pcap(parts) => parts.iter_mut().for_each(|part| self.expr(part)),
                Action::Trunc(_, count) => count.iter_mut().for_each(|count| self.expr(count)),
                Action::Printa(..)
                | Action::Clear(_)
                | Action::Denormalize(_)
                | Action::Ftruncate
                | Action::Setopt(..) => {}
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
        expr.operands_mut().into_iter().for_each(|operand| self.expr(operand));
        match &mut expr.kind {
            ExprKind::Load(place)
            | ExprKind::AddressOf(place)
            | ExprKind::PostAdd(place, _)
            | ExprKind::Assign(place, _) => self.place(place),
            _ => {}
        }
    }

    fn place(&self, place: &mut Place) {
        match place {
            Place::Dynamic(index, keys) => convert(keys, &self.dynamics[*index].keys),
            Place::Part(of, _) => self.place(of),
            Place::Global(_) | Place::This(_) | Place::Memory(_) => {}
        }
    }

    fn keys(&self, keys: &mut [Expr], types: &[Type]) {
        keys.iter_mut().for_each(|key| self.expr(key));
        convert(keys, types);
    }
}

/// Converts the parts of a key.
fn convert(keys: &mut [Expr], types: &[Type]) {
    for (key, ty) in keys.iter_mut().zip(types) {
        let placeholder = Expr { kind: ExprKind::Int(0), ty: Type::Void, span: key.span };
        *key = std::mem::replace(key, placeholder).converted(ty);
    }
}
