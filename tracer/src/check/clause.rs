//! Clauses, and what else stands at the outermost level of a program.

use super::functions::Role;
use super::operators::passed;
use super::probe::Matched;
use super::typed::{Action, Clause, Expr, Stmt};
use super::{Checker, Refused};
use crate::diagnostic::{Diagnostic, Severity, Span, Tag};
use crate::syntax::ast::{self, ItemKind, StmtKind};

impl Checker<'_> {
    /// One item; a clause is what comes out.
    pub(super) fn item(&mut self, item: &ast::Item) -> Option<Clause> {
        match &item.kind {
            ItemKind::Clause(clause) => return self.clause(clause, item.span),
            ItemKind::Declaration(declaration) => self.declaration(declaration),
            ItemKind::Inline(inline) => self.inline(inline),
            ItemKind::Translator(translator) => {
                // What is wrong with it has been told.
                let _ = self.translator(translator, item.span);
            }
            ItemKind::Provider(provider) => {
                let _ = self.provider(provider);
            }
        }
        None
    }

    fn clause(&mut self, clause: &ast::Clause, span: Span) -> Option<Clause> {
        let start = self.found.len();
        // Where nothing matches, as -Z allows, the clause is checked all the same.
        self.clause = self.match_probes(&clause.probes);
        let mark = self.found.len();
        let body = clause.body.as_deref().unwrap_or_default();
        let before = clause.predicate.is_some().then(|| (self.variables.clone(), self.aggregations.clone()));
        let mut statements = self.statements(body);
        // A variable that the actions ask for may be one that the predicate makes.
        let first = self.found[mark..].iter().find(|found| found.severity == Severity::Error);
        let early = first.is_some_and(|found| matches!(found.code, Tag::D_IDENT_UNDEF | Tag::D_VAR_UNDEF));
        let again = before.filter(|_| early);
        let predicate_first = again.is_some();
        if let Some(before) = again {
            self.found.truncate(mark);
            (self.variables, self.aggregations) = before;
        }
        let predicate = clause.predicate.as_ref().map(|predicate| self.predicate(predicate));
        if predicate_first {
            statements = self.statements(body);
        }
        self.check_order(&statements);
        let Matched { probes, descriptions, .. } = std::mem::take(&mut self.clause);
        let attributes = self.clause_attributes(clause, &descriptions, start);
        self.put_in_order(start, clause, span, predicate_first);
        let predicate = predicate.and_then(Result::ok);
        Some(Clause { probes, predicate, statements, span, descriptions, attributes })
    }

    /// Notes when in the clause DTrace would have met what was found in it since `mark`: it looks at the actions, then at
    /// the predicate, then makes code.
    fn put_in_order(&mut self, mark: usize, clause: &ast::Clause, span: Span, predicate_first: bool) {
        let predicate = clause.predicate.as_ref().map(|predicate| predicate.span);
        for found in &mut self.found[mark..] {
            let inside =
                |whole: Span| found.span.is_some_and(|at| whole.range().contains(&(at.start as usize)));
            let step = match predicate.is_some_and(inside) {
                _ if found.code.is_of_compiling() => 2,
                in_predicate => u8::from(in_predicate != predicate_first),
            };
            let at_once = found.severity == Severity::Error && found.code.is_of_reading();
            found.clause = (!at_once).then_some((span, step));
        }
    }

    fn predicate(&mut self, predicate: &ast::Expr) -> Result<Expr, Refused> {
        let expr = passed(self.value_for(predicate, Tag::D_PRED_SCALAR)?);
        if expr.ty.is_scalar() {
            return Ok(expr.condition());
        }
        let message = format!("a predicate is a number, zero or not; this is {:#}", expr.ty);
        let help = match expr.ty.as_text() {
            Some(_) => "compare it: `== \"...\"`",
            None => "name a member and compare it",
        };
        Err(self.refuse(Diagnostic::error(Tag::D_PRED_SCALAR, expr.span, message).help(help)))
    }

    fn statements(&mut self, statements: &[ast::Stmt]) -> Vec<Stmt> {
        statements.iter().filter_map(|statement| self.statement(statement).ok()).collect()
    }

    fn statement(&mut self, statement: &ast::Stmt) -> Result<Stmt, Refused> {
        match &statement.kind {
            StmtKind::Aggregate { agg, func, args } => self.aggregate(agg, func, args, statement.span),
            StmtKind::If { cond, then, otherwise } => {
                let cond = self.value_for(cond, Tag::D_OP_SCALAR).and_then(|cond| self.condition(cond));
                let (then, otherwise) = (self.statements(then), self.statements(otherwise));
                Ok(Stmt::If { cond: cond?, then, otherwise, span: statement.span })
            }
            StmtKind::Expr(expr) => {
                let whole = expr;
                let expr = self.chosen(whole)?;
                if let Some((row, recorded, args)) = self.recorded_call(expr) {
                    let value = self.recorded(row, recorded, args, expr.span)?;
                    return Ok(Stmt::Action(Action::Trace(value), statement.span));
                }
                if let ast::ExprKind::Call { func, args } = &expr.kind
                    && let Some(row) = self.known_function(&func.name)
                    && let Role::Action(action) = row.role
                {
                    let action = self.action(row, action, args, expr.span)?;
                    return Ok(Stmt::Action(action, statement.span));
                }
                if let ast::ExprKind::Assign { op: None, place, value } = &expr.kind
                    && let ast::ExprKind::Agg(agg) = &place.kind
                    && let ast::ExprKind::Call { func, args } = &value.kind
                {
                    return self.aggregate(agg, func, args, expr.span);
                }
                // A constant that was chosen out of two stands for nothing to do.
                let nothing = !std::ptr::eq(expr, whole);
                let expr = match &expr.kind {
                    ast::ExprKind::Agg(_) => self.value_for(expr, Tag::D_AGG_NULL)?,
                    _ => self.value_for(expr, Tag::D_CG_EXPR)?,
                };
                if !expr.has_effect() && !nothing {
                    let diagnostic = Diagnostic::warning(
                        Tag::D_EXPR_NULL,
                        expr.span,
                        "this computes a value and drops it",
                    );
                    self.found.push(diagnostic.help("trace() records a value, `=` keeps it"));
                }
                Ok(Stmt::Expr(expr))
            }
        }
    }
}
