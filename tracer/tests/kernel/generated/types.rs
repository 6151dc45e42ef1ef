//! The types of generated programs' expressions, by C's rules.

use super::program::*;

/// The type of an expression, by C's rules.
pub(super) fn type_of(expr: &Expr) -> Type {
    match expr {
        Expr::Int(value) if i32::try_from(*value).is_ok() => INT,
        Expr::Int(_) | Expr::Length => LONG,
        Expr::Enumerator(_) => INT,
        Expr::Text(_) | Expr::Written(_) => Type::Text,
        Expr::Load(place) => place.ty(),
        Expr::Neg(value) | Expr::Flip(value) => promoted(type_of(value)),
        Expr::Not(_) | Expr::Compare(..) | Expr::Logical(..) => INT,
        Expr::Binary(Op::Shl | Op::Shr, left, _) => promoted(type_of(left)),
        Expr::Binary(_, left, right) => common(type_of(left), type_of(right)),
        Expr::Choose(_, yes, no) => match (type_of(yes), type_of(no)) {
            (Type::Text, _) => Type::Text,
            (yes, no) => common(yes, no),
        },
        Expr::Cast(ty, _) => INTEGERS[*ty].0,
        Expr::Call(routine, _) => match routine {
            Routine::Strlen => Type::Int { bytes: 8, signed: false },
            Routine::Index | Routine::Rindex => INT,
            Routine::Strtoll => LONG,
            Routine::Htons => Type::Int { bytes: 2, signed: false },
            Routine::Htonl => Type::Int { bytes: 4, signed: false },
            Routine::Htonll => Type::Int { bytes: 8, signed: false },
            _ => Type::Text,
        },
        Expr::Inline(index, _) => INLINES[*index].2,
        Expr::Translated(member, _) => MEMBERS[*member].1,
    }
}

fn promoted(ty: Type) -> Type {
    match ty {
        Type::Int { bytes: 1 | 2, .. } => INT,
        ty => ty,
    }
}

pub(super) fn common(left: Type, right: Type) -> Type {
    let (left, right) = (promoted(left), promoted(right));
    match (left, right) {
        (Type::Int { bytes: a, signed: s }, Type::Int { bytes: b, signed: t }) if a == b => {
            Type::Int { bytes: a, signed: s && t }
        }
        (Type::Int { bytes: a, .. }, Type::Int { bytes: b, .. }) => {
            if a > b {
                left
            } else {
                right
            }
        }
        _ => panic!("strings have no common type"),
    }
}

/// A number as one of the type.
pub(super) fn wrap(value: i128, ty: Type) -> i128 {
    let Type::Int { bytes, signed } = ty else { panic!("a number is wanted") };
    let unused = 128 - 8 * u32::from(bytes);
    if signed { value << unused >> unused } else { ((value as u128) << unused >> unused) as i128 }
}
