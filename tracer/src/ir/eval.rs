//! What operations compute, for constants.
//!
//! Invariant: exactly what the machine does, division by zero and large shift counts included.

use super::{BinaryOp, Condition, UnaryOp, Width};

/// `a op b`
pub(super) fn eval_binary(op: BinaryOp, a: i64, b: i64) -> i64 {
    let (ua, ub) = (a as u64, b as u64);
    match op {
        BinaryOp::Add => a.wrapping_add(b),
        BinaryOp::Sub => a.wrapping_sub(b),
        BinaryOp::Mul => a.wrapping_mul(b),
        BinaryOp::Div => ua.checked_div(ub).unwrap_or(0) as i64,
        BinaryOp::Mod => ua.checked_rem(ub).unwrap_or(ua) as i64,
        BinaryOp::Sdiv if b == 0 => 0,
        BinaryOp::Sdiv => a.wrapping_div(b),
        BinaryOp::Smod if b == 0 => a,
        BinaryOp::Smod => a.wrapping_rem(b),
        BinaryOp::And => a & b,
        BinaryOp::Or => a | b,
        BinaryOp::Xor => a ^ b,
        BinaryOp::Shl => a.wrapping_shl(b as u32),
        BinaryOp::Lshr => ua.wrapping_shr(b as u32) as i64,
        BinaryOp::Ashr => a.wrapping_shr(b as u32),
    }
}

/// `op x`
pub(super) fn eval_unary(op: UnaryOp, x: i64) -> i64 {
    match op {
        UnaryOp::Neg => x.wrapping_neg(),
        UnaryOp::Not => !x,
        UnaryOp::Extend { bits, signed } => {
            let unused = 64 - u32::from(bits);
            if signed { x << unused >> unused } else { ((x as u64) << unused >> unused) as i64 }
        }
        UnaryOp::BigEndian { bits: 16 } => i64::from((x as u16).to_be()),
        UnaryOp::BigEndian { bits: 32 } => i64::from((x as u32).to_be()),
        UnaryOp::BigEndian { .. } => x.to_be(),
    }
}

/// Whether `a condition b` holds.
pub(super) fn eval_condition(condition: Condition, width: Width, a: i64, b: i64) -> bool {
    // Extending both with their signs keeps both the signed and the unsigned order of their low 32 bits.
    let (a, b) = match width {
        Width::W32 => (i64::from(a as i32), i64::from(b as i32)),
        Width::W64 => (a, b),
    };
    let (ua, ub) = (a as u64, b as u64);
    match condition {
        Condition::Eq => a == b,
        Condition::Ne => a != b,
        Condition::Gt => ua > ub,
        Condition::Ge => ua >= ub,
        Condition::Lt => ua < ub,
        Condition::Le => ua <= ub,
        Condition::Sgt => a > b,
        Condition::Sge => a >= b,
        Condition::Slt => a < b,
        Condition::Sle => a <= b,
        Condition::Set => a & b != 0,
    }
}
