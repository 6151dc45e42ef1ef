//! Operators: what types they take, in which type they work, what they give.

use super::place::decayed;
use super::typed::{
    BinaryOp, CompareOp, Expr, ExprKind, LogicalOp, NULL_TEXT, Subroutine, Text, Type, UnaryOp,
};
use super::types::{LONG, ULONG, common, promoted, text_size};
use super::{Checker, Refused, fold};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast::BinOp;

impl Checker<'_> {
    /// `left op right`
    pub(super) fn binary(&mut self, op: BinOp, left: Expr, right: Expr, span: Span) -> Result<Expr, Refused> {
        if let Some(op) = compare_op(op) {
            if left.ty.as_text().is_some() || right.ty.as_text().is_some() {
                let (left, right) = (self.beside_string(left)?, self.beside_string(right)?);
                return self.comparison(op, left, right, span);
            }
            return self.comparison(op, decayed(left), decayed(right), span);
        }
        if let Some(op) = logical_op(op) {
            let left = self.condition(left);
            let right = self.condition(right);
            let kind = ExprKind::Logical(op, Box::new(left?), Box::new(right?));
            return Ok(Expr { kind, ty: Type::INT, span });
        }
        match arithmetic_op(op) {
            Some(op) => self.arithmetic(op, decayed(left), decayed(right), span),
            None => {
                let right = unnamed(right);
                let ty = right.ty.clone();
                Ok(Expr { kind: ExprKind::Comma(Box::new(left), Box::new(right)), ty, span })
            }
        }
    }

    /// Something that is true or false.
    pub(super) fn condition(&mut self, expr: Expr) -> Result<Expr, Refused> {
        let expr = passed(decayed(expr));
        if expr.ty.is_scalar() {
            return Ok(expr.condition());
        }
        let message = format!("{:#} is neither true nor false", expr.ty);
        let help = match expr.ty {
            Type::String(_) => "compare it with a string: `!= \"\"`",
            _ => "name a member: `->`",
        };
        Err(self.refuse(Diagnostic::error(Tag::D_OP_SCALAR, expr.span, message).help(help)))
    }

    /// What `left op= right` assigns. A string is its characters, which nothing moves along.
    pub(super) fn changed(
        &mut self,
        op: BinOp,
        left: Expr,
        right: Expr,
        span: Span,
    ) -> Result<Expr, Refused> {
        match arithmetic_op(op) {
            Some(op) if left.ty.as_text().is_some() || right.ty.as_text().is_some() => {
                Err(self.incompatible(tag_of(op), op.text(), &left, &right, span))
            }
            _ => self.binary(op, left, right, span),
        }
    }

    fn arithmetic(&mut self, op: BinaryOp, left: Expr, right: Expr, span: Span) -> Result<Expr, Refused> {
        if matches!(op, BinaryOp::Div | BinaryOp::Rem) && fold::constant(&right) == Some(0) {
            let diagnostic =
                Diagnostic::error(Tag::D_DIV_ZERO, right.span, "a division by zero").label("always zero");
            return Err(self.refuse(diagnostic.help("divide by something else")));
        }
        let (Some(l), Some(r)) = (left.ty.as_int(), right.ty.as_int()) else {
            return match op {
                BinaryOp::Add if left.ty.as_text().is_some() && right.ty.as_int().is_some() => {
                    Ok(self.rest_of_text(left, right, span))
                }
                BinaryOp::Add if left.ty.as_int().is_some() && right.ty.as_text().is_some() => {
                    Ok(self.rest_of_text(right, left, span))
                }
                BinaryOp::Add | BinaryOp::Sub => self.pointer_arithmetic(op, left, right, span),
                _ => Err(self.incompatible(tag_of(op), op.text(), &left, &right, span)),
            };
        };
        let (ty, right) = match op {
            BinaryOp::Shl | BinaryOp::Shr => (promoted(l), right.to_int(promoted(r))),
            _ => (common(l, r), right.to_int(common(l, r))),
        };
        let kind = ExprKind::Binary(op, Box::new(left.to_int(ty)), Box::new(right));
        Ok(Expr { kind, ty: Type::Int(ty), span })
    }

    /// `string + integer`: as with a pointer to its characters, what begins so many behind its first.
    fn rest_of_text(&mut self, text: Expr, by: Expr, span: Span) -> Expr {
        let arguments = vec![text, by.to_int(LONG)];
        Expr { kind: ExprKind::Call(Subroutine::Substr, arguments), ty: self.string(), span }
    }

    /// `pointer + integer`, `pointer - integer`, `pointer - pointer`
    fn pointer_arithmetic(
        &mut self,
        op: BinaryOp,
        left: Expr,
        right: Expr,
        span: Span,
    ) -> Result<Expr, Refused> {
        let binary = |op, left: Expr, right: Expr, ty| Expr {
            kind: ExprKind::Binary(op, Box::new(left.to_int(ty)), Box::new(right.to_int(ty))),
            ty: Type::Int(ty),
            span,
        };
        let (pointer, other, swapped) = match (left.ty.is_address(), right.ty.is_address()) {
            (true, _) => (left, right, false),
            (false, true) => (right, left, true),
            (false, false) => return Err(self.incompatible(tag_of(op), op.text(), &left, &right, span)),
        };
        let size = match &pointer.ty {
            Type::Pointer(to) => to.size(),
            _ => None,
        };
        let Some(size) = size else {
            let message = format!("`{}` on {:#}: its elements have no size", op.text(), pointer.ty);
            let diagnostic = Diagnostic::error(Tag::D_OP_INCOMPAT, pointer.span, message);
            return Err(
                self.refuse(diagnostic.help("cast it to a pointer to what lies there, such as `(char *)`"))
            );
        };
        let size = Expr { kind: ExprKind::Int(i64::from(size)), ty: Type::Int(LONG), span };
        match (op, other.ty.as_int()) {
            (BinaryOp::Add, Some(_)) => {}
            (BinaryOp::Sub, Some(_)) if !swapped => {}
            (BinaryOp::Sub, None) if !swapped && compatible(&pointer, &other) => {
                let bytes = binary(op, pointer, other, LONG);
                return Ok(binary(BinaryOp::Div, bytes, size, LONG));
            }
            _ if swapped => return Err(self.incompatible(tag_of(op), op.text(), &other, &pointer, span)),
            _ => return Err(self.incompatible(tag_of(op), op.text(), &pointer, &other, span)),
        }
        let ty = pointer.ty.clone();
        let bytes = binary(BinaryOp::Mul, other.to_int(LONG), size, LONG);
        Ok(binary(op, pointer, bytes, ULONG).converted(&ty))
    }

    fn comparison(&mut self, op: CompareOp, left: Expr, right: Expr, span: Span) -> Result<Expr, Refused> {
        let (left, right) = (passed(left), passed(right));
        let (left, right) = (null_text(left, &right), right);
        let right = null_text(right, &left);
        let ty = match (&left.ty, &right.ty) {
            (Type::Int(l), Type::Int(r)) => common(*l, *r),
            _ if compatible(&left, &right) => ULONG,
            (Type::String(_), Type::String(_)) => return self.text_comparison(op, left, right, span),
            _ => return Err(self.incompatible(Tag::D_OP_INCOMPAT, op.text(), &left, &right, span)),
        };
        let kind = ExprKind::Compare(op, Box::new(left.to_int(ty)), Box::new(right.to_int(ty)));
        Ok(Expr { kind, ty: Type::INT, span })
    }

    /// Strings are compared in the form in which the kernel holds them, where that can be.
    fn text_comparison(
        &mut self,
        op: CompareOp,
        left: Expr,
        right: Expr,
        span: Span,
    ) -> Result<Expr, Refused> {
        let exact = matches!(op, CompareOp::Eq | CompareOp::Ne);
        let literal = |expr: &Expr| matches!(expr.kind, ExprKind::Str(_));
        let (left, right) = match (left.ty.as_text(), right.ty.as_text()) {
            (Some(Text::Ip), _) if exact && literal(&right) => (left, self.address(right)?),
            (_, Some(Text::Ip)) if exact && literal(&left) => (self.address(left)?, right),
            (Some(Text::Ip), Some(Text::Ip)) if exact => (left, right),
            (Some(Text::Probe(_)), _) if literal(&right) => (left, right),
            (_, Some(Text::Probe(_))) if literal(&left) => (left, right),
            _ => (into_buffer(left), into_buffer(right)),
        };
        let kind = ExprKind::CompareText(op, Box::new(left), Box::new(right));
        Ok(Expr { kind, ty: Type::INT, span })
    }

    /// A string literal as an Internet address.
    fn address(&mut self, literal: Expr) -> Result<Expr, Refused> {
        let ExprKind::Str(bytes) = &literal.kind else { return Ok(literal) };
        let text = String::from_utf8_lossy(bytes);
        // No address at all is all zero in the records and the empty string in D.
        let address =
            if bytes.is_empty() || bytes == NULL_TEXT { Some([0; 16]) } else { parse_address(&text) };
        match address {
            Some(address) => {
                Ok(Expr { kind: ExprKind::Ip(address), ty: Type::String(Text::Ip), span: literal.span })
            }
            None => {
                let diagnostic = Diagnostic::error(
                    Tag::D_OP_INCOMPAT,
                    literal.span,
                    format!("\"{text}\" is no Internet address"),
                )
                .label("compared with an address");
                Err(self.refuse(diagnostic.help("write it as \"192.0.2.1\" or \"2001:db8::1\"")))
            }
        }
    }

    /// `cond ? then : otherwise`
    pub(super) fn conditional(
        &mut self,
        cond: Expr,
        then: Expr,
        otherwise: Expr,
        span: Span,
    ) -> Result<Expr, Refused> {
        let cond = self.condition(cond)?;
        let (then, otherwise) = if then.ty.as_text().is_some() || otherwise.ty.as_text().is_some() {
            let (then, otherwise) = (null_text(then, &otherwise), otherwise);
            let otherwise = null_text(otherwise, &then);
            (self.as_string(unnamed(then))?, self.as_string(unnamed(otherwise))?)
        } else {
            (decayed(then), decayed(otherwise))
        };
        let ty = match (&then.ty, &otherwise.ty) {
            (Type::Int(a), Type::Int(b)) => Type::Int(common(*a, *b)),
            (Type::String(a), Type::String(b)) if a != b => {
                Type::String(Text::Buffer(text_size(*a).max(text_size(*b))))
            }
            (Type::String(_), Type::String(_)) => then.ty.clone(),
            (Type::Composite(a), Type::Composite(b)) if a == b => then.ty.clone(),
            (a, b) if compatible(&then, &otherwise) => {
                if a.is_address() && !(b.is_address() && leads_to_void(a)) { a.clone() } else { b.clone() }
            }
            (Type::Void, Type::Void) => Type::Void,
            _ => return Err(self.incompatible(Tag::D_OP_INCOMPAT, "? :", &then, &otherwise, span)),
        };
        let (then, otherwise) = (then.converted(&ty), otherwise.converted(&ty));
        Ok(Expr {
            kind: ExprKind::Conditional(Box::new(cond), Box::new(then), Box::new(otherwise)),
            ty,
            span,
        })
    }

    /// `-x`, `~x`, `+x`
    pub(super) fn unary(&mut self, op: Option<UnaryOp>, expr: Expr, span: Span) -> Result<Expr, Refused> {
        let expr = decayed(expr);
        let Some(ty) = expr.ty.as_int().map(promoted) else {
            let message = format!("this operator needs a number, not {:#}", expr.ty);
            let tag = if op == Some(UnaryOp::BitNot) { Tag::D_OP_INT } else { Tag::D_OP_ARITH };
            let diagnostic = Diagnostic::error(tag, expr.span, message).label(format!("{:#}", expr.ty));
            return Err(self.refuse(diagnostic.help("apply it to a number")));
        };
        let expr = expr.to_int(ty);
        let Some(op) = op else { return Ok(Expr { span, ..expr }) };
        let whole = Expr { kind: ExprKind::Unary(op, Box::new(expr)), ty: Type::Int(ty), span };
        Ok(match fold::constant(&whole) {
            Some(value) => Expr { kind: ExprKind::Int(value), ..whole },
            None => whole,
        })
    }

    /// Two operands that do not go together.
    pub(super) fn incompatible(
        &mut self,
        tag: Tag,
        op: &str,
        left: &Expr,
        right: &Expr,
        span: Span,
    ) -> Refused {
        let message = format!("`{op}` does not go with {:#} and {:#}", left.ty, right.ty);
        let text = |expr: &Expr| expr.ty.as_text().is_some();
        let any = |wanted: fn(&Type) -> bool| [left, right].into_iter().any(|expr| wanted(&expr.ty));
        let help = match (text(left), text(right)) {
            _ if any(Type::is_record) => "name a member of the structure: `->`",
            (true, true) => "strings can be compared, not computed with",
            (true, false) | (false, true) => "a string constant has double quotes: \"...\"",
            _ if any(|ty| matches!(ty, Type::Float(_))) => {
                "D does not calculate with floating-point numbers: they can be printed"
            }
            _ if any(Type::is_aggregate) => "name a member of the structure: `.`",
            (false, false) if tag == Tag::D_OP_INCOMPAT => "cast one of them to the type of the other",
            (false, false) => "cast the pointer to an integer: `(uintptr_t)`",
        };
        let diagnostic =
            Diagnostic::error(tag, span, message).label(format!("{} {op} {}", left.ty, right.ty));
        self.refuse(diagnostic.help(help))
    }
}

/// The tag of an operator on numbers whose operands are none.
fn tag_of(op: BinaryOp) -> Tag {
    match op {
        BinaryOp::Add | BinaryOp::Sub => Tag::D_OP_INCOMPAT,
        BinaryOp::Mul | BinaryOp::Div => Tag::D_OP_ARITH,
        _ => Tag::D_OP_INT,
    }
}

/// Whether both are pointers that may meet: to the same type, or one of them to void, or a pointer and the constant 0.
pub(super) fn compatible(a: &Expr, b: &Expr) -> bool {
    let null = |expr: &Expr| expr.ty.as_int().is_some() && fold::constant(expr) == Some(0);
    match (&a.ty, &b.ty) {
        (Type::Pointer(x), Type::Pointer(y)) if a.ty.is_address() && b.ty.is_address() => {
            interchangeable(x, y)
        }
        (x, y) => (x.is_address() && null(b)) || (y.is_address() && null(a)),
    }
}

/// Whether a value is one of this type without a cast: a number as any other, text as text, a pointer as one that it may
/// meet, a structure as itself.
pub(super) fn suits(value: &Expr, ty: &Type) -> bool {
    let pointed = |ty: &Type| match ty {
        Type::Pointer(to) | Type::Array(to, _) => Some((**to).clone()),
        _ => None,
    };
    let text = |ty: &Type| ty.as_text().is_some() || ty.is_characters();
    match (pointed(&value.ty), pointed(ty)) {
        _ if value.ty.as_int().is_some() && ty.as_int().is_some() => true,
        _ if text(&value.ty) && text(ty) => true,
        (Some(from), Some(to)) => interchangeable(&from, &to),
        (None, to) if to.is_some() || text(ty) => {
            value.ty.as_int().is_some() && fold::constant(value) == Some(0)
        }
        _ => value.ty.same(ty),
    }
}

/// Whether a pointer to the one is a pointer to the other without a cast.
pub(super) fn interchangeable(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Void, _) | (_, Type::Void) => true,
        (Type::Function(_), Type::Function(_)) => true,
        (Type::Array(from, _), Type::Array(to, _)) => from.same(to),
        (from, to) => from.same(to),
    }
}

/// Whether it is `void *`, which meets any other pointer as that.
pub(super) fn leads_to_void(ty: &Type) -> bool {
    matches!(ty, Type::Pointer(to) if **to == Type::Void)
}

/// The value with a part of the probe's name as text: only the built-in variable itself stays a number.
fn unnamed(expr: Expr) -> Expr {
    match expr.ty {
        Type::String(Text::Probe(_)) => into_buffer(expr),
        _ => expr,
    }
}

/// NULL, where a string is what it stands beside.
fn null_text(expr: Expr, beside: &Expr) -> Expr {
    match (&expr.ty, &beside.ty) {
        (Type::Int(_), Type::String(_)) if super::fold::constant(&expr) == Some(0) => {
            super::expr::null(expr.span)
        }
        _ => expr,
    }
}

/// The text in a buffer.
pub(super) fn into_buffer(expr: Expr) -> Expr {
    match expr.ty.as_text() {
        None | Some(Text::Buffer(_)) => expr,
        Some(text) => {
            let size = text_size(text);
            expr.converted(&Type::String(Text::Buffer(size)))
        }
    }
}

/// 16 bytes as the records hold them.
fn parse_address(text: &str) -> Option<[u8; 16]> {
    match text.parse().ok()? {
        std::net::IpAddr::V4(address) => Some(address.to_ipv6_mapped().octets()),
        std::net::IpAddr::V6(address) => Some(address.octets()),
    }
}

/// The operator on numbers, where it is one.
pub(super) fn arithmetic_op(op: BinOp) -> Option<BinaryOp> {
    Some(match op {
        BinOp::Mul => BinaryOp::Mul,
        BinOp::Div => BinaryOp::Div,
        BinOp::Rem => BinaryOp::Rem,
        BinOp::Add => BinaryOp::Add,
        BinOp::Sub => BinaryOp::Sub,
        BinOp::Shl => BinaryOp::Shl,
        BinOp::Shr => BinaryOp::Shr,
        BinOp::And => BinaryOp::And,
        BinOp::Xor => BinaryOp::Xor,
        BinOp::Or => BinaryOp::Or,
        _ => return None,
    })
}

/// An argument that leads into the probe's record, where it is asked whether there is one: the address that was passed.
pub(super) fn passed(expr: Expr) -> Expr {
    match expr.kind {
        ExprKind::Args(index) if expr.ty.is_record() => {
            Expr { kind: ExprKind::Arg(index), ty: Type::Pointer(Box::new(Type::Void)), ..expr }
        }
        _ => expr,
    }
}

fn compare_op(op: BinOp) -> Option<CompareOp> {
    Some(match op {
        BinOp::Lt => CompareOp::Lt,
        BinOp::Le => CompareOp::Le,
        BinOp::Gt => CompareOp::Gt,
        BinOp::Ge => CompareOp::Ge,
        BinOp::Eq => CompareOp::Eq,
        BinOp::Ne => CompareOp::Ne,
        _ => return None,
    })
}

fn logical_op(op: BinOp) -> Option<LogicalOp> {
    Some(match op {
        BinOp::LogAnd => LogicalOp::And,
        BinOp::LogOr => LogicalOp::Or,
        BinOp::LogXor => LogicalOp::Xor,
        _ => return None,
    })
}
