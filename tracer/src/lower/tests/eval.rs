//! What integer expressions mean, said once more and in another way: by exact arithmetic on 128 bits, cut to the type.

use super::machine::{NOW, PID, TID};
use crate::check::typed::*;

/// A division by zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DivisionByZero;

/// The variables of a run, as numbers.
pub(super) struct State {
    /// The program's globals.
    pub(super) globals: Vec<Variable>,
    /// Their values.
    pub(super) values: Vec<i128>,
}

/// A number as a value of the type.
pub(super) fn wrap(value: i128, ty: &Type) -> i128 {
    let Type::Int(int) = ty else { panic!("an integer type") };
    match (int.bytes, int.signed) {
        (1, true) => (value as i8).into(),
        (1, false) => (value as u8).into(),
        (2, true) => (value as i16).into(),
        (2, false) => (value as u16).into(),
        (4, true) => (value as i32).into(),
        (4, false) => (value as u32).into(),
        (_, true) => (value as i64).into(),
        (_, false) => (value as u64).into(),
    }
}

impl State {
    /// The value of an expression.
    pub(super) fn eval(&mut self, expr: &Expr) -> Result<i128, DivisionByZero> {
        let value = match &expr.kind {
            ExprKind::Int(value) => (*value).into(),
            ExprKind::Builtin(Builtin::Pid) => PID.into(),
            ExprKind::Builtin(Builtin::Tid) => TID.into(),
            ExprKind::Builtin(Builtin::Timestamp) => NOW.into(),
            ExprKind::Load(Place::Global(index)) => self.values[*index],
            ExprKind::Unary(UnaryOp::Neg, value) => -self.eval(value)?,
            ExprKind::Unary(UnaryOp::BitNot, value) => !self.eval(value)?,
            ExprKind::Binary(op, left, right) => {
                let (left, right) = (self.eval(left)?, self.eval(right)?);
                binary(*op, left, right)?
            }
            ExprKind::Compare(op, left, right) => {
                let (left, right) = (self.eval(left)?, self.eval(right)?);
                i128::from(match op {
                    CompareOp::Eq => left == right,
                    CompareOp::Ne => left != right,
                    CompareOp::Lt => left < right,
                    CompareOp::Le => left <= right,
                    CompareOp::Gt => left > right,
                    CompareOp::Ge => left >= right,
                })
            }
            ExprKind::Not(value) => i128::from(self.eval(value)? == 0),
            ExprKind::Logical(LogicalOp::And, left, right) => {
                i128::from(self.eval(left)? != 0 && self.eval(right)? != 0)
            }
            ExprKind::Logical(LogicalOp::Or, left, right) => {
                i128::from(self.eval(left)? != 0 || self.eval(right)? != 0)
            }
            ExprKind::Logical(LogicalOp::Xor, left, right) => {
                i128::from((self.eval(left)? != 0) != (self.eval(right)? != 0))
            }
            ExprKind::Conditional(condition, yes, no) => {
                if self.eval(condition)? != 0 {
                    self.eval(yes)?
                } else {
                    self.eval(no)?
                }
            }
            ExprKind::Assign(Place::Global(index), value) => {
                self.values[*index] = self.eval(value)?;
                self.values[*index]
            }
            ExprKind::PostAdd(Place::Global(index), delta) => {
                let old = self.values[*index];
                self.values[*index] = wrap(old + i128::from(*delta), &self.globals[*index].ty);
                old
            }
            ExprKind::Comma(first, second) => {
                self.eval(first)?;
                self.eval(second)?
            }
            ExprKind::Cast(value) => self.eval(value)?,
            kind => panic!("not an integer expression: {kind:?}"),
        };
        Ok(wrap(value, &expr.ty))
    }
}

fn binary(op: BinaryOp, left: i128, right: i128) -> Result<i128, DivisionByZero> {
    Ok(match op {
        BinaryOp::Add => left + right,
        BinaryOp::Sub => left - right,
        BinaryOp::Mul => left.wrapping_mul(right),
        BinaryOp::Div => left.checked_div(right).ok_or(DivisionByZero)?,
        BinaryOp::Rem => left.checked_rem(right).ok_or(DivisionByZero)?,
        BinaryOp::And => left & right,
        BinaryOp::Or => left | right,
        BinaryOp::Xor => left ^ right,
        // The count is taken modulo 64, whatever the type.
        BinaryOp::Shl => left << (right & 63),
        BinaryOp::Shr => left >> (right & 63),
    })
}
