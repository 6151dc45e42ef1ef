//! Constants that the language itself needs: bounds of lquantize, sizes, divisors.
//!
//! Invariant: what is computed here is what the compiled code would compute.

use super::typed::{BinaryOp, CompareOp, Expr, ExprKind, IntType, LogicalOp, UnaryOp};
use super::types::wrap;

/// The value of an integer expression that does not depend on anything.
pub(super) fn constant(expr: &Expr) -> Option<i64> {
    let ty = expr.ty.as_int()?;
    let value = match &expr.kind {
        ExprKind::Int(value) => *value,
        ExprKind::Cast(inner) => constant(inner)?,
        ExprKind::Unary(UnaryOp::Neg, inner) => constant(inner)?.wrapping_neg(),
        ExprKind::Unary(UnaryOp::BitNot, inner) => !constant(inner)?,
        ExprKind::Not(inner) => i64::from(constant(inner)? == 0),
        ExprKind::Binary(op, left, right) => binary(*op, constant(left)?, constant(right)?, ty)?,
        ExprKind::Compare(op, left, right) => {
            let ty = left.ty.as_int()?;
            i64::from(compare(*op, constant(left)?, constant(right)?, ty))
        }
        ExprKind::Logical(op, left, right) => {
            let (left, right) = (constant(left)? != 0, constant(right)? != 0);
            i64::from(match op {
                LogicalOp::And => left && right,
                LogicalOp::Or => left || right,
                LogicalOp::Xor => left != right,
            })
        }
        ExprKind::Conditional(cond, then, otherwise) => {
            let (then, otherwise) = (constant(then)?, constant(otherwise)?);
            if constant(cond)? != 0 { then } else { otherwise }
        }
        _ => return None,
    };
    Some(wrap(value, ty))
}

fn binary(op: BinaryOp, a: i64, b: i64, ty: IntType) -> Option<i64> {
    Some(match op {
        BinaryOp::Add => a.wrapping_add(b),
        BinaryOp::Sub => a.wrapping_sub(b),
        BinaryOp::Mul => a.wrapping_mul(b),
        BinaryOp::Div | BinaryOp::Rem if b == 0 => return None,
        BinaryOp::Div if ty.signed => a.wrapping_div(b),
        BinaryOp::Div => (a as u64 / b as u64) as i64,
        BinaryOp::Rem if ty.signed => a.wrapping_rem(b),
        BinaryOp::Rem => (a as u64 % b as u64) as i64,
        BinaryOp::And => a & b,
        BinaryOp::Or => a | b,
        BinaryOp::Xor => a ^ b,
        // The machine's registers have 64 bits, whatever the type.
        BinaryOp::Shl => a.wrapping_shl(b as u32),
        BinaryOp::Shr if ty.signed => a.wrapping_shr(b as u32),
        BinaryOp::Shr => (a as u64).wrapping_shr(b as u32) as i64,
    })
}

fn compare(op: CompareOp, a: i64, b: i64, ty: IntType) -> bool {
    let order = if ty.signed { a.cmp(&b) } else { (a as u64).cmp(&(b as u64)) };
    match op {
        CompareOp::Eq => order.is_eq(),
        CompareOp::Ne => order.is_ne(),
        CompareOp::Lt => order.is_lt(),
        CompareOp::Le => order.is_le(),
        CompareOp::Gt => order.is_gt(),
        CompareOp::Ge => order.is_ge(),
    }
}
