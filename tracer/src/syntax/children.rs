//! What expressions are made of, for those who look through a tree for something.

use super::ast::{Expr, ExprKind};

impl Expr {
    /// The expressions that it is made of, in the order of the text. Those in the types that it names are not among them.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Int(_)
            | ExprKind::Char(_)
            | ExprKind::Float(_)
            | ExprKind::Str(_)
            | ExprKind::Var(..)
            | ExprKind::Symbol { .. }
            | ExprKind::Macro(_)
            | ExprKind::SizeofType(_)
            | ExprKind::Offsetof { .. }
            | ExprKind::Error => Vec::new(),
            ExprKind::Agg(agg) => agg.keys.iter().collect(),
            ExprKind::Call { args, .. } => args.iter().collect(),
            ExprKind::Index { base, keys } => [&**base].into_iter().chain(keys).collect(),
            ExprKind::Member { base: inner, .. }
            | ExprKind::Unary { expr: inner, .. }
            | ExprKind::Cast { expr: inner, .. }
            | ExprKind::Xlate { expr: inner, .. } => vec![inner],
            ExprKind::Binary { left, right, .. } => vec![left, right],
            ExprKind::Assign { place, value, .. } => vec![place, value],
            ExprKind::Cond { cond, then, otherwise } => vec![cond, then, otherwise],
        }
    }
}
