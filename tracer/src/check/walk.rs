//! Walking typed expressions: what each is made of, and what follows from that.

use super::typed::{Expr, ExprKind, Place};

/// What expressions and places are made of, for those who look at it and for those who change it.
macro_rules! operands {
    ($operands:ident, $iter:ident $(, $mut:tt)?) => {
        impl Expr {
            /// The expressions that it is made of, in the order of their evaluation.
            pub fn $operands(&$($mut)? self) -> Vec<&$($mut)? Expr> {
                match &$($mut)? self.kind {
                    ExprKind::Int(_)
                    | ExprKind::Float(_)
                    | ExprKind::Str(_)
                    | ExprKind::Ip(_)
                    | ExprKind::Builtin(_)
                    | ExprKind::Arg(_)
                    | ExprKind::Args(_)
                    | ExprKind::Stack => Vec::new(),
                    ExprKind::Load(place) | ExprKind::AddressOf(place) | ExprKind::PostAdd(place, _) => {
                        place.$operands()
                    }
                    ExprKind::Assign(place, value) => {
                        place.$operands().into_iter().chain([&$($mut)? **value]).collect()
                    }
                    ExprKind::Member(inner, _)
                    | ExprKind::Unary(_, inner)
                    | ExprKind::Not(inner)
                    | ExprKind::Cast(inner)
                    | ExprKind::OfProcess(inner)
                    | ExprKind::Symbol(inner) => vec![inner],
                    ExprKind::Binary(_, a, b)
                    | ExprKind::Compare(_, a, b)
                    | ExprKind::CompareText(_, a, b)
                    | ExprKind::Logical(_, a, b)
                    | ExprKind::Comma(a, b) => vec![a, b],
                    ExprKind::Conditional(a, b, c) => vec![a, b, c],
                    ExprKind::Call(_, args) => args.$iter().collect(),
                }
            }
        }

        impl Place {
            /// The expressions that say where it is.
            pub fn $operands(&$($mut)? self) -> Vec<&$($mut)? Expr> {
                match self {
                    Place::Global(_) | Place::This(_) => Vec::new(),
                    Place::Dynamic(_, keys) => keys.$iter().collect(),
                    Place::Memory(address) => vec![address],
                    Place::Part(of, part) => {
                        let indexes = part.indexes.$iter().map(|index| &$($mut)? index.value);
                        of.$operands().into_iter().chain(indexes).collect()
                    }
                }
            }
        }
    };
}

operands!(operands, iter);
operands!(operands_mut, iter_mut, mut);

impl Expr {
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
