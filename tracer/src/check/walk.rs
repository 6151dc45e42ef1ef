//! Walking typed expressions: what each is made of, and what follows from that.

use super::typed::{Expr, ExprKind};

impl Expr {
    /// The expressions that it is made of, in the order of their evaluation.
    pub fn operands(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Str(_)
            | ExprKind::Ip(_)
            | ExprKind::Builtin(_)
            | ExprKind::Arg(_)
            | ExprKind::Args(_)
            | ExprKind::Stack => Vec::new(),
            ExprKind::Load(place) | ExprKind::AddressOf(place) | ExprKind::PostAdd(place, _) => {
                place.operands()
            }
            ExprKind::Assign(place, value) => place.operands().into_iter().chain([&**value]).collect(),
            ExprKind::Member(inner, _)
            | ExprKind::Unary(_, inner)
            | ExprKind::Not(inner)
            | ExprKind::Cast(inner)
            | ExprKind::Cut(inner)
            | ExprKind::OfProcess(inner)
            | ExprKind::Symbol(inner) => vec![inner],
            ExprKind::Binary(_, a, b)
            | ExprKind::Compare(_, a, b)
            | ExprKind::CompareText(_, a, b)
            | ExprKind::Logical(_, a, b)
            | ExprKind::Comma(a, b) => vec![a, b],
            ExprKind::Conditional(a, b, c) => vec![a, b, c],
            ExprKind::Call(_, args) => args.iter().collect(),
        }
    }

    /// The same, to be changed.
    pub fn operands_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Str(_)
            | ExprKind::Ip(_)
            | ExprKind::Builtin(_)
            | ExprKind::Arg(_)
            | ExprKind::Args(_)
            | ExprKind::Stack => Vec::new(),
            ExprKind::Load(place) | ExprKind::AddressOf(place) | ExprKind::PostAdd(place, _) => {
                place.operands_mut()
            }
            ExprKind::Assign(place, value) => {
                place.operands_mut().into_iter().chain([&mut **value]).collect()
            }
            ExprKind::Member(inner, _)
            | ExprKind::Unary(_, inner)
            | ExprKind::Not(inner)
            | ExprKind::Cast(inner)
            | ExprKind::Cut(inner)
            | ExprKind::OfProcess(inner)
            | ExprKind::Symbol(inner) => vec![inner],
            ExprKind::Binary(_, a, b)
            | ExprKind::Compare(_, a, b)
            | ExprKind::CompareText(_, a, b)
            | ExprKind::Logical(_, a, b)
            | ExprKind::Comma(a, b) => vec![a, b],
            ExprKind::Conditional(a, b, c) => vec![a, b, c],
            ExprKind::Call(_, args) => args.iter_mut().collect(),
        }
    }

    /// Whether evaluating it changes something, or gives something else each time.
    pub fn has_effect(&self) -> bool {
        matches!(self.kind, ExprKind::Assign(..) | ExprKind::PostAdd(..) | ExprKind::Call(..))
            || self.operands().into_iter().any(Expr::has_effect)
    }

    /// How many nodes it has.
    pub fn parts(&self) -> usize {
        1 + self.operands().into_iter().map(Expr::parts).sum::<usize>()
    }
}
