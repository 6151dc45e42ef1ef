//! Integer expressions, with C's types on 64-bit registers.
//!
//! Invariant: a value of a narrower type is always held extended to 64 bits, by its sign or with zeros as its type says,
//! so that comparing, dividing and widening need nothing more; operations that can leave the type's range narrow again.

use probes_common::abi::fault;

use super::clause::Clause;
use super::data::STATE;
use super::helper;
use crate::check::typed::{
    BinaryOp, Builtin, CompareOp, Expr, ExprKind, LogicalOp, Subroutine, Type, UnaryOp,
};
use crate::ir::{self, Condition, Label, Operand, Size};

/// How a value of a type is held: its bits and whether it is signed. Pointers are unsigned words.
pub(super) fn shape(ty: &Type) -> (u8, bool) {
    ty.as_int().map_or((64, false), |int| (int.bytes * 8, int.signed))
}

/// The constant as a value of the shape.
fn narrow_constant(value: i64, (bits, signed): (u8, bool)) -> i64 {
    let unused = 64 - u32::from(bits);
    match signed {
        true => value << unused >> unused,
        false => ((value as u64) << unused >> unused) as i64,
    }
}

/// Whether every value of shape `from` is one of shape `to`, held the same way.
fn fits((from, from_signed): (u8, bool), (to, to_signed): (u8, bool)) -> bool {
    to == 64 || (from, from_signed) == (to, to_signed) || (from < to && (!from_signed || to_signed))
}

/// The condition that a comparison of so-signed values is.
pub(super) fn condition(op: CompareOp, signed: bool) -> Condition {
    match (op, signed) {
        (CompareOp::Eq, _) => Condition::Eq,
        (CompareOp::Ne, _) => Condition::Ne,
        (CompareOp::Lt, false) => Condition::Lt,
        (CompareOp::Le, false) => Condition::Le,
        (CompareOp::Gt, false) => Condition::Gt,
        (CompareOp::Ge, false) => Condition::Ge,
        (CompareOp::Lt, true) => Condition::Slt,
        (CompareOp::Le, true) => Condition::Sle,
        (CompareOp::Gt, true) => Condition::Sgt,
        (CompareOp::Ge, true) => Condition::Sge,
    }
}

/// The comparison that holds when `op` does not.
pub(super) fn opposite(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq => CompareOp::Ne,
        CompareOp::Ne => CompareOp::Eq,
        CompareOp::Lt => CompareOp::Ge,
        CompareOp::Ge => CompareOp::Lt,
        CompareOp::Gt => CompareOp::Le,
        CompareOp::Le => CompareOp::Gt,
    }
}

impl Clause<'_> {
    /// Evaluates for the effect.
    pub(super) fn effect(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::PostAdd(place, delta) => self.increment(place, *delta, &expr.ty, expr.span),
            ExprKind::Comma(first, second) => {
                self.effect(first);
                self.effect(second);
            }
            ExprKind::Cast(inner) | ExprKind::OfProcess(inner) => self.effect(inner),
            _ if matches!(expr.ty, Type::String(_)) => self.text_effect(expr),
            _ if expr.ty.is_aggregate() || matches!(expr.ty, Type::Float(_)) => {
                self.bytes(expr);
            }
            _ => {
                self.int(expr);
            }
        }
    }

    /// The value of an integer or pointer expression.
    pub(super) fn int(&mut self, expr: &Expr) -> Operand {
        match &expr.kind {
            ExprKind::Int(value) => Operand::Imm(narrow_constant(*value, shape(&expr.ty))),
            ExprKind::Builtin(Builtin::NoUreg) => self.illegal(expr.span).into(),
            ExprKind::Builtin(builtin) => self.builtin(*builtin),
            ExprKind::Arg(index) => self.raw_arg(*index),
            ExprKind::Args(index) => self.arg(*index),
            ExprKind::Load(place) => self.load(place, &expr.ty, expr.span),
            ExprKind::AddressOf(place) => self.address_of(place, expr.span),
            ExprKind::Member(base, field) => self.member(base, field, expr.span),
            ExprKind::Unary(op, value) => self.unary(*op, value, &expr.ty),
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right, expr),
            ExprKind::Compare(op, left, right) => {
                let (_, signed) = shape(&left.ty);
                let (left, right) = (self.int(left), self.int(right));
                let result = self.b.compare(condition(*op, signed), left, right);
                self.unknown(result)
            }
            ExprKind::Logical(LogicalOp::Xor, left, right) => {
                let (left, right) = (self.truth(left), self.truth(right));
                self.b.binary(ir::BinaryOp::Xor, left, right).into()
            }
            ExprKind::CompareText(..) | ExprKind::Not(_) | ExprKind::Logical(..) => self.truth(expr),
            ExprKind::Conditional(condition, yes, no) => {
                let result = self.b.vreg();
                self.choose(
                    condition,
                    |c| {
                        let value = c.int(yes);
                        c.b.set(result, value);
                    },
                    |c| {
                        let value = c.int(no);
                        c.b.set(result, value);
                    },
                );
                self.unknown(result)
            }
            ExprKind::Assign(place, value) => {
                let value = self.int(value);
                self.store(place, &expr.ty, value, expr.span)
            }
            ExprKind::PostAdd(place, delta) => self.post_add(place, *delta, &expr.ty, expr.span),
            ExprKind::Comma(first, second) => {
                self.effect(first);
                self.int(second)
            }
            ExprKind::OfProcess(inner) => self.int(inner),
            ExprKind::Cast(inner) => {
                let value = self.int(inner);
                match fits(shape(&inner.ty), shape(&expr.ty)) {
                    true => value,
                    false => self.narrow(value, &expr.ty),
                }
            }
            ExprKind::Call(subroutine, arguments) => self.subroutine(*subroutine, arguments, expr),
            ExprKind::Str(_)
            | ExprKind::Ip(_)
            | ExprKind::Float(_)
            | ExprKind::Stack
            | ExprKind::Symbol(_) => {
                unreachable!("the checker makes no integer of {:?}", expr.kind)
            }
        }
    }

    /// A 64-bit result as a value of the type.
    pub(super) fn narrow(&mut self, value: impl Into<Operand>, ty: &Type) -> Operand {
        match (value.into(), shape(ty)) {
            (value, (64, _)) => value,
            (Operand::Imm(value), shape) => Operand::Imm(narrow_constant(value, shape)),
            (value, (bits, signed)) => self.b.extend(bits, signed, value).into(),
        }
    }

    fn unary(&mut self, op: UnaryOp, value: &Expr, ty: &Type) -> Operand {
        let value = self.int(value);
        let op = match op {
            UnaryOp::Neg => ir::UnaryOp::Neg,
            UnaryOp::BitNot => ir::UnaryOp::Not,
        };
        let result = self.b.unary(op, value);
        self.narrow(result, ty)
    }

    fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr, expr: &Expr) -> Operand {
        let (_, signed) = shape(&expr.ty);
        let (left, right) = (self.int(left), self.int(right));
        let op = match (op, signed) {
            (BinaryOp::Add, _) => ir::BinaryOp::Add,
            (BinaryOp::Sub, _) => ir::BinaryOp::Sub,
            (BinaryOp::Mul, _) => ir::BinaryOp::Mul,
            (BinaryOp::Div, false) => ir::BinaryOp::Div,
            (BinaryOp::Div, true) => ir::BinaryOp::Sdiv,
            (BinaryOp::Rem, false) => ir::BinaryOp::Mod,
            (BinaryOp::Rem, true) => ir::BinaryOp::Smod,
            (BinaryOp::And, _) => ir::BinaryOp::And,
            (BinaryOp::Or, _) => ir::BinaryOp::Or,
            (BinaryOp::Xor, _) => ir::BinaryOp::Xor,
            (BinaryOp::Shl, _) => ir::BinaryOp::Shl,
            (BinaryOp::Shr, false) => ir::BinaryOp::Lshr,
            (BinaryOp::Shr, true) => ir::BinaryOp::Ashr,
        };
        if matches!(op, ir::BinaryOp::Div | ir::BinaryOp::Mod | ir::BinaryOp::Sdiv | ir::BinaryOp::Smod) {
            self.check_divisor(right, expr);
        }
        let result = self.b.binary(op, left, right);
        match op {
            // Extended operands make extended results.
            ir::BinaryOp::And | ir::BinaryOp::Or | ir::BinaryOp::Xor => result.into(),
            ir::BinaryOp::Lshr | ir::BinaryOp::Ashr | ir::BinaryOp::Div | ir::BinaryOp::Mod => result.into(),
            _ => self.narrow(result, &expr.ty),
        }
    }

    /// Leaves the clause when the divisor is zero.
    fn check_divisor(&mut self, divisor: Operand, expr: &Expr) {
        if matches!(divisor, Operand::Imm(value) if value != 0) {
            return;
        }
        let good = self.b.label();
        self.b.branch(Condition::Ne, divisor, 0, good);
        self.fault(fault::DIVZERO, Operand::Imm(0), expr.span);
        self.b.place(good);
    }

    /// 1 where the expression is not zero, else 0.
    fn truth(&mut self, expr: &Expr) -> Operand {
        if let ExprKind::Compare(..) | ExprKind::Logical(LogicalOp::Xor, ..) = expr.kind {
            return self.int(expr);
        }
        let done = self.b.label();
        let result = self.b.constant(1);
        self.scoped(|c| c.branch(expr, true, done));
        self.b.set(result, 0);
        self.b.place(done);
        self.unknown(result)
    }

    /// A number that ways with different values of it led to, as one of which the verifier knows nothing: it follows the code
    /// behind once for all ways. Else it would once for each, and where such numbers meet, for each pair.
    pub(super) fn unknown(&mut self, number: ir::VReg) -> Operand {
        let state = self.b.data_addr(STATE, 0);
        let any = self.b.load(Size::B8, (state, 0));
        for _ in 0..2 {
            self.b.binary_to(number, ir::BinaryOp::Xor, number, any);
        }
        number.into()
    }

    /// Goes to `target` if the expression's truth is `wanted`, else on. On going on, what was computed stays known;
    /// at `target` it is not.
    pub(super) fn branch(&mut self, expr: &Expr, wanted: bool, target: Label) {
        match &expr.kind {
            ExprKind::Int(value) => {
                if (narrow_constant(*value, shape(&expr.ty)) != 0) == wanted {
                    self.b.jump(target);
                }
            }
            ExprKind::Not(inner) => self.branch(inner, !wanted, target),
            ExprKind::Compare(op, left, right) => {
                let (_, signed) = shape(&left.ty);
                let (left, right) = (self.int(left), self.int(right));
                let op = if wanted { *op } else { opposite(*op) };
                self.b.branch(condition(op, signed), left, right, target);
            }
            ExprKind::CompareText(op, left, right) => self.branch_text(*op, left, right, wanted, target),
            ExprKind::Logical(op @ (LogicalOp::And | LogicalOp::Or), left, right) => {
                // `&&` is decided by a false operand, `||` by a true one.
                let decisive = *op == LogicalOp::Or;
                if wanted == decisive {
                    self.branch(left, wanted, target);
                    self.branch(right, wanted, target);
                } else {
                    let on = self.b.label();
                    let before = self.known.clone();
                    self.branch(left, decisive, on);
                    self.scoped(|c| c.branch(right, wanted, target));
                    self.b.place(on);
                    // A left side with several ways out may have been left before all of it was computed.
                    if is_short_circuit(left) {
                        self.known = before;
                    }
                }
            }
            _ => {
                let value = self.int(expr);
                let condition = if wanted { Condition::Ne } else { Condition::Eq };
                self.b.branch(condition, value, 0, target);
            }
        }
    }

    /// `if (condition) yes else no`
    pub(super) fn choose(
        &mut self,
        condition: &Expr,
        yes: impl FnOnce(&mut Self),
        no: impl FnOnce(&mut Self),
    ) {
        let (otherwise, done) = (self.b.label(), self.b.label());
        self.scoped(|c| {
            c.branch(condition, false, otherwise);
            yes(c);
        });
        self.b.jump(done);
        self.b.place(otherwise);
        self.scoped(no);
        self.b.place(done);
    }

    /// Leaves the clause when a helper's status says that it could not read from the address.
    pub(super) fn check_read(&mut self, status: ir::VReg, address: Operand, span: crate::diagnostic::Span) {
        let good = self.b.label();
        self.b.branch(Condition::Sge, status, 0, good);
        self.fault(fault::BADADDR, address, span);
        self.b.place(good);
    }

    fn subroutine(&mut self, subroutine: Subroutine, arguments: &[Expr], expr: &Expr) -> Operand {
        match subroutine {
            Subroutine::Progenyof => {
                let pid = self.int(&arguments[0]);
                let task = self.builtin(Builtin::Curthread);
                self.b.call("progeny", &[pid, task]).into()
            }
            Subroutine::Speculation => self.b.call("speculation_begin", &[self.slot.into()]).into(),
            Subroutine::Rand => {
                let random = self.b.helper(helper::GET_PRANDOM_U32, &[]);
                self.narrow(random, &expr.ty)
            }
            Subroutine::ByteOrder => self.byte_order(&arguments[0], &expr.ty),
            Subroutine::Getmajor | Subroutine::Getminor => self.device_part(subroutine, &arguments[0]),
            Subroutine::Alloca
            | Subroutine::Copyin
            | Subroutine::Copyinto
            | Subroutine::Bcopy
            | Subroutine::Copyout
            | Subroutine::Copyoutstr => self.memory_call(subroutine, arguments, expr),
            Subroutine::MutexOwned
            | Subroutine::MutexOwner
            | Subroutine::MutexTypeAdaptive
            | Subroutine::MutexTypeSpin
            | Subroutine::RwReadHeld
            | Subroutine::RwWriteHeld
            | Subroutine::RwIsWriter => self.lock_call(subroutine, arguments, expr.span),
            Subroutine::Chill => self.chill(&arguments[0], expr.span),
            Subroutine::Strlen | Subroutine::Index | Subroutine::Rindex | Subroutine::Strtoll => {
                self.text_number(subroutine, arguments, expr)
            }
            _ => unreachable!("{subroutine:?} gives a string, which `text` compiles"),
        }
    }
}

impl Clause<'_> {
    /// chill(): more than a CPU may lose is an illegal operation.
    fn chill(&mut self, time: &Expr, span: crate::diagnostic::Span) -> Operand {
        let time = self.int(time);
        let status = self.b.call("chill", &[time]);
        let good = self.b.label();
        self.b.branch(Condition::Eq, status, 0, good);
        self.fault(fault::ILLOP, Operand::Imm(0), span);
        self.b.place(good);
        Operand::Imm(0)
    }
}

/// Whether its truth may be decided before all of it is computed.
fn is_short_circuit(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Not(inner) => is_short_circuit(inner),
        ExprKind::Logical(op, ..) => *op != LogicalOp::Xor,
        _ => false,
    }
}
