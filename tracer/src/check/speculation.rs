//! In which order a clause may speculate, commit and record.
//!
//! What a clause has recorded before speculate() would be neither here nor there, and a commit prints other records than
//! the clause's own: hence DTrace's rules. What changes the traced system records nothing. A speculation lasts to the end of its block; what a branch has done holds
//! behind it.

use super::Checker;
use super::typed::{Action, Expr, ExprKind, Stmt};
use crate::diagnostic::{Diagnostic, Span, Tag};

/// What came before, and where.
#[derive(Debug, Clone, Copy, Default)]
struct Before {
    recorded: Option<Span>,
    committed: Option<Span>,
    speculated: Option<Span>,
}

/// What a statement does, as far as the rules go.
enum Does {
    Record,
    Aggregate,
    Exit,
    Speculate,
    Commit,
    Destroy,
    Nothing,
}

impl Checker<'_> {
    /// Refuses what is out of order in a clause.
    pub(super) fn check_order(&mut self, statements: &[Stmt]) {
        self.order(statements, Before::default());
    }

    fn order(&mut self, statements: &[Stmt], outer: Before) -> Before {
        let mut before = outer;
        for statement in statements {
            let (does, span) = match statement {
                Stmt::If { then, otherwise, .. } => {
                    let (then, otherwise) = (self.order(then, before), self.order(otherwise, before));
                    before.recorded = then.recorded.or(otherwise.recorded);
                    before.committed = then.committed.or(otherwise.committed);
                    continue;
                }
                Stmt::Expr(expr) if destroys(expr) => (Does::Destroy, expr.span),
                Stmt::Expr(expr) => (Does::Nothing, expr.span),
                Stmt::Aggregate { span, .. } => (Does::Aggregate, *span),
                Stmt::Action(action, span) => (what(action), *span),
            };
            self.follow(&does, span, &mut before);
        }
        Before { speculated: outer.speculated, ..before }
    }

    fn follow(&mut self, does: &Does, span: Span, before: &mut Before) {
        const ALONE: &str = "give it a clause of its own";
        let Before { recorded, committed, speculated } = *before;
        let found = match does {
            Does::Nothing => None,
            Does::Speculate => [
                (speculated, Tag::D_SPEC_SPEC, "one speculate() follows another", ALONE),
                (committed, Tag::D_SPEC_COMM, "speculate() follows commit()", ALONE),
                (
                    recorded,
                    Tag::D_SPEC_DREC,
                    "speculate() follows what is recorded without it",
                    "put speculate() first",
                ),
            ]
            .into_iter()
            .find_map(followed),
            Does::Commit => [
                (committed, Tag::D_COMM_COMM, "one commit() follows another", ALONE),
                (recorded, Tag::D_COMM_DREC, "commit() follows what is recorded in the same clause", ALONE),
            ]
            .into_iter()
            .find_map(followed),
            Does::Aggregate => [
                (committed, Tag::D_AGG_COMM, "an aggregation follows commit()", ALONE),
                (
                    speculated,
                    Tag::D_AGG_SPEC,
                    "an aggregation follows speculate(), but cannot be taken back",
                    ALONE,
                ),
            ]
            .into_iter()
            .find_map(followed),
            Does::Destroy if speculated.is_some() => followed((
                speculated,
                Tag::D_ACT_SPEC,
                "what changes the system follows speculate(), but cannot be taken back",
                ALONE,
            )),
            Does::Exit if speculated.is_some() => followed((
                speculated,
                Tag::D_EXIT_SPEC,
                "exit() follows speculate(), but cannot be taken back",
                ALONE,
            )),
            Does::Destroy => None,
            Does::Record | Does::Exit => {
                let what = "what is recorded follows commit() in the same clause";
                followed((committed, Tag::D_DREC_COMM, what, ALONE))
            }
        };
        if let Some((since, tag, message, help)) = found {
            let diagnostic = Diagnostic::error(tag, span, message);
            self.found.push(diagnostic.related(since, "before it comes this").help(help));
        }
        match does {
            Does::Speculate => before.speculated = Some(span),
            Does::Commit => before.committed = Some(span),
            Does::Record | Does::Aggregate | Does::Exit if speculated.is_none() => {
                before.recorded = recorded.or(Some(span));
            }
            _ => {}
        }
    }
}

/// Whether evaluating it changes the traced system.
fn destroys(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Call(subroutine, _) if subroutine.is_destructive())
        || expr.operands().into_iter().any(destroys)
}

type Rule = (Option<Span>, Tag, &'static str, &'static str);

fn followed((since, tag, message, help): Rule) -> Option<(Span, Tag, &'static str, &'static str)> {
    Some((since?, tag, message, help))
}

fn what(action: &Action) -> Does {
    match action {
        Action::Speculate(_) => Does::Speculate,
        Action::Commit(_) => Does::Commit,
        Action::Discard(_) => Does::Nothing,
        Action::Exit(_) => Does::Exit,
        Action::System(..) | Action::Freopen(..) | Action::Signal(_) => Does::Destroy,
        Action::Trace(_)
        | Action::Print(..)
        | Action::Tracemem(..)
        | Action::Pcap(_)
        | Action::Ftruncate
        | Action::Setopt(..)
        | Action::Printf(..)
        | Action::Printa(..)
        | Action::Clear(_)
        | Action::Trunc(..)
        | Action::Normalize(..)
        | Action::Denormalize(_) => Does::Record,
    }
}
