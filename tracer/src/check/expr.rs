//! Expressions: each kind of the untyped tree becomes its typed form.

use super::ctype::{FloatType, Text, Type};
use super::names::{STATE_NAMES, integer};
use super::operators::leads_to_void;
use super::place::{decayed, enumerated};
use super::traced::of_process;
use super::typed::{CompareOp, Expr, ExprKind, NULL_TEXT, Subroutine, UnaryOp};
use super::types::{UINT64, ULONG, of_literal};
use super::variables::Known;
use super::{Checker, Refused, fold};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast::{self, UnOp};

impl Checker<'_> {
    /// An expression as a value.
    pub(super) fn expr(&mut self, expr: &ast::Expr) -> Result<Expr, Refused> {
        let span = expr.span;
        match &expr.kind {
            ast::ExprKind::Int(literal) => Ok(integer(literal.value as i64, of_literal(literal), span)),
            ast::ExprKind::Char(value) => {
                // Several characters make one number, which has the type of a decimal one of its size.
                let literal = ast::IntLit { value: *value, ..ast::IntLit::default() };
                Ok(integer(*value as i64, of_literal(&literal), span))
            }
            // No string has more than `strsize` characters, a constant neither.
            ast::ExprKind::Str(bytes) => {
                Ok(string(&bytes[..bytes.len().min(self.options.strsize as usize)], span))
            }
            ast::ExprKind::Var(scope, name) => self.name(*scope, name, span),
            ast::ExprKind::Macro(argument) => self.macro_value(argument, span),
            ast::ExprKind::Agg(_) => Err(self.valueless(expr, Tag::D_CG_DYN)),
            ast::ExprKind::Call { func, args } => self.call(func, args, span),
            ast::ExprKind::Index { base, keys } => self.index(base, keys, span),
            ast::ExprKind::Member { base, arrow, member } => self.member(base, *arrow, member, span),
            ast::ExprKind::Unary { op, expr } => self.prefix(*op, expr, span),
            ast::ExprKind::Binary { op, left, right } => {
                let (act, dynamic) = valueless_in(*op);
                let one = self.value_in(left, act, dynamic);
                let other = match one.as_ref().ok().filter(|_| is_comparison(*op)) {
                    Some(one) => match self.enumerator_of(&one.ty, right) {
                        Some(enumerator) => enumerator,
                        None => self.value_in(right, act, dynamic),
                    },
                    None => self.value_in(right, act, dynamic),
                };
                match (&one, &other) {
                    (Ok(text), Err(_)) if matches!(text.ty, Type::String(_)) && is_comparison(*op) => {
                        self.propose_quotes(right)
                    }
                    (Err(_), Ok(text)) if matches!(text.ty, Type::String(_)) && is_comparison(*op) => {
                        self.propose_quotes(left)
                    }
                    _ => {}
                }
                self.binary(*op, one?, other?, span)
            }
            ast::ExprKind::Assign { op, place, value } => self.assignment(*op, place, value, span),
            ast::ExprKind::Cond { cond, then, otherwise } => {
                let chosen = self.chosen(expr)?;
                if !std::ptr::eq(chosen, expr) {
                    return self.value_for(chosen, Tag::D_OP_INCOMPAT);
                }
                let cond = self.value_for(cond, Tag::D_OP_SCALAR);
                let actions = self.is_action(then) && self.is_action(otherwise);
                let act = if actions { Tag::D_OP_ACT } else { Tag::D_OP_INCOMPAT };
                let then = self.value_in(then, act, Tag::D_OP_DYN);
                let otherwise = self.value_in(otherwise, act, Tag::D_OP_DYN);
                self.conditional(cond?, then?, otherwise?, span)
            }
            ast::ExprKind::Cast { ty, expr } => {
                let userland = ty.base.quals.userland;
                let to = self.type_name(ty);
                let tag = if matches!(to, Ok(Type::Void)) { Tag::D_CG_EXPR } else { Tag::D_CAST_INVAL };
                let expr = self.value_for(expr, tag);
                let cast = self.cast(to?, expr?, span)?;
                Ok(if userland { of_process(cast) } else { cast })
            }
            ast::ExprKind::SizeofType(ast::TypeName {
                base: ast::BaseType { kind: ast::BaseKind::Named { module: None, name }, .. },
                derived,
                ..
            }) if derived.is_empty() && !self.is_type(&name.name) => {
                Err(self.unknown_name(ast::Scope::Global, name, name.span))
            }
            ast::ExprKind::SizeofType(ty) => {
                let ty = self.type_name(ty)?;
                self.size(&ty, span)
            }
            ast::ExprKind::Float(literal) => {
                let ty = Type::Float(FloatType::Double);
                Ok(Expr { kind: ExprKind::Float(literal.value), ty, span })
            }
            ast::ExprKind::Symbol { module, name } => self.symbol(module.as_ref(), name, span),
            ast::ExprKind::Offsetof { ty, member } => self.offset_of(ty, member, span),
            ast::ExprKind::Xlate { .. } => {
                let value = self.translated(expr)?.ok_or(Refused)?;
                self.whole_translated(&value, span)
            }
            ast::ExprKind::Error => Err(Refused),
        }
    }

    /// The enumerator of a type that a bare name stands for beside a value of it.
    fn enumerator_of(&mut self, ty: &Type, name: &ast::Expr) -> Option<Result<Expr, Refused>> {
        let (Type::Enum(of), ast::ExprKind::Var(ast::Scope::Global, ident)) = (ty, &name.kind) else {
            return None;
        };
        let (_, value) = *of.values.iter().find(|(known, _)| *known == ident.name)?;
        let other = match self.variables.get(ast::Scope::Global, &ident.name) {
            _ if self.parameter(ast::Scope::Global, &ident.name).is_some() => true,
            Some(Known::Value(..)) => return None,
            known => known.is_some() || self.is_fixed(&ident.name),
        };
        if other {
            let message = format!("`{}` is an enumerator of {ty} and something else", ident.name);
            let diagnostic = Diagnostic::error(Tag::D_IDENT_AMBIG, name.span, message);
            return Some(Err(self.refuse(diagnostic.help("write the enumerator's number"))));
        }
        Some(Ok(integer(value, of.int, name.span)))
    }

    fn prefix(&mut self, op: UnOp, inner: &ast::Expr, span: Span) -> Result<Expr, Refused> {
        if !matches!(op, UnOp::PreInc | UnOp::PreDec | UnOp::PostInc | UnOp::PostDec) {
            self.named_first(inner)?;
        }
        match op {
            UnOp::PreInc => return self.step(inner, 1, false, span),
            UnOp::PreDec => return self.step(inner, -1, false, span),
            UnOp::PostInc => return self.step(inner, 1, true, span),
            UnOp::PostDec => return self.step(inner, -1, true, span),
            UnOp::Addr => return self.address_of(inner, span),
            UnOp::Sizeof => return self.sizeof(inner, span),
            UnOp::Deref => {
                let pointer = self.value_for(inner, Tag::D_DEREF_NONPTR)?;
                return self.deref(pointer, span);
            }
            UnOp::Stringof => {
                let expr = self.value_for(inner, Tag::D_STRINGOF_TYPE)?;
                return self.stringof(expr, span);
            }
            _ => {}
        }
        let expr = self.value_for(
            inner,
            match op {
                UnOp::BitNot => Tag::D_OP_INT,
                UnOp::Not => Tag::D_OP_SCALAR,
                _ => Tag::D_OP_ARITH,
            },
        )?;
        match op {
            UnOp::Plus => self.unary(None, expr, span),
            UnOp::Neg => self.unary(Some(UnaryOp::Neg), expr, span),
            UnOp::BitNot => self.unary(Some(UnaryOp::BitNot), expr, span),
            _ => {
                let kind = ExprKind::Not(Box::new(self.condition(expr)?));
                Ok(Expr { kind, ty: Type::INT, span })
            }
        }
    }

    /// `stringof expr`: a string as it is, what lies at an address of the kernel, an array's characters.
    pub(super) fn stringof(&mut self, expr: Expr, span: Span) -> Result<Expr, Refused> {
        match &expr.ty {
            Type::String(_) => Ok(expr),
            Type::Array(_, count) if expr.ty.is_characters() && *count > 0 => {
                let room = (*count + 1).next_multiple_of(8).min(self.options.string_buffer());
                Ok(Expr { span, ..expr.converted(&Type::String(Text::Buffer(room))) })
            }
            // An address that was found in the process is one of its memory.
            Type::Pointer(_) if expr.leads_to_process() && expr.place().is_some() => {
                let argument = expr.to_int(ULONG);
                let kind = ExprKind::Call(Subroutine::Copyinstr, vec![argument]);
                Ok(Expr { kind, ty: self.string(), span })
            }
            ty if ty.is_scalar() || matches!(ty, Type::Array(..)) => {
                let address = decayed(expr);
                Ok(Expr { span, ..address.converted(&self.string()) })
            }
            ty => {
                let message = format!("{ty:#} cannot be made a string");
                Err(self.refuse(
                    Diagnostic::error(Tag::D_STRINGOF_TYPE, span, message).help("name a member: `->`"),
                ))
            }
        }
    }

    /// The value as a string where it can be one by itself: an array of characters, or a pointer to some.
    pub(super) fn as_string(&mut self, expr: Expr) -> Result<Expr, Refused> {
        let span = expr.span;
        if expr.ty.is_characters() { self.stringof(expr, span) } else { Ok(expr) }
    }

    /// The value as a string where a string is what it stands beside: there, `void *` leads to one.
    pub(super) fn beside_string(&mut self, expr: Expr) -> Result<Expr, Refused> {
        let span = expr.span;
        if leads_to_void(&expr.ty) { self.stringof(expr, span) } else { self.as_string(expr) }
    }

    /// `args[N]`
    pub(super) fn argument(&mut self, keys: &[ast::Expr], span: Span) -> Result<Expr, Refused> {
        let keys = self.keys(keys)?;
        let number = match keys.as_slice() {
            [key] => fold::constant(key).ok_or(Tag::D_PROTO_ARG),
            _ => Err(Tag::D_PROTO_LEN),
        };
        let number = match number.map(usize::try_from) {
            Ok(number) => number.unwrap_or(usize::MAX),
            Err(tag) => {
                let message = "args[] takes one integer constant: each argument has a type of its own";
                return Err(
                    self.refuse(Diagnostic::error(tag, span, message).help("write args[0], args[1], ..."))
                );
            }
        };
        if let Some(argument) = self.argument_of_program(number, span)? {
            return Ok(argument);
        }
        let ty = self.argument_type(number, span)?;
        let argument = |ty| Expr { kind: ExprKind::Args(number as u8), ty, span };
        if !self.clause.probes.iter().any(|&id| self.catalog.is_typed_by_kernel(id)) {
            return Ok(argument(ty));
        }
        // The kernel passes words, of which an argument takes as many bytes as its type has.
        let kind = ExprKind::Cast(Box::new(argument(Type::Int(UINT64))));
        Ok(Expr { kind, ty, span })
    }

    /// `tcp_state_string[state]`: a string by its number.
    pub(super) fn state_name(&mut self, keys: &[ast::Expr], span: Span) -> Result<Expr, Refused> {
        let keys = self.keys(keys)?;
        let [key] = keys.as_slice() else {
            let diagnostic =
                Diagnostic::error(Tag::D_PROTO_LEN, span, format!("`{STATE_NAMES}` takes one subscript"));
            return Err(self.refuse(diagnostic.help("the state: `args[3]->tcps_state`")));
        };
        let Some(ty) = key.ty.as_int() else {
            let message = format!("`{STATE_NAMES}` takes a state's number, not {:#}", key.ty);
            let diagnostic = Diagnostic::error(Tag::D_PROTO_ARG, key.span, message);
            return Err(self.refuse(diagnostic.help("the state: `args[3]->tcps_state`")));
        };
        let [unknown, states @ ..] = probes_common::names::TCP_STATE_STRING else { return Err(Refused) };
        let longest = states.iter().map(|name| name.len()).max().unwrap_or(0).max(unknown.len()) as u32;
        let name =
            |name: &str| string(name.as_bytes(), span).converted(&Type::String(Text::Buffer(longest + 1)));
        let mut whole = name(unknown);
        for (number, state) in (0..).zip(states) {
            let number = integer(number, ty, span);
            let kind = ExprKind::Compare(CompareOp::Eq, Box::new(key.clone()), Box::new(number));
            let found = Expr { kind, ty: Type::INT, span };
            whole = self.conditional(found, name(state), whole, span)?;
        }
        Ok(whole)
    }

    /// `(type)expr`
    fn cast(&mut self, to: Type, expr: Expr, span: Span) -> Result<Expr, Refused> {
        if let (Type::Array(..), Type::String(_)) = (&expr.ty, &to) {
            return self.stringof(expr, span);
        }
        // An array is an address only as a pointer.
        let expr = if matches!(to, Type::Pointer(_) | Type::Void) { decayed(expr) } else { enumerated(expr) };
        let allowed = match (&expr.ty, &to) {
            (Type::String(_), Type::String(_)) => return Ok(expr),
            (from, Type::String(_)) if from.is_scalar() => return self.stringof(expr, span),
            (_, Type::Void) => true,
            (from, to) if from == to => true,
            (from, to) => from.is_scalar() && to.is_scalar(),
        };
        if allowed {
            return Ok(Expr { span, ..expr.converted(&to) });
        }
        let message = format!("{:#} cannot be cast to {to}", expr.ty);
        let help = match to {
            _ if matches!(expr.ty, Type::Float(_)) || matches!(to, Type::Float(_)) => {
                "a floating-point number can be printed, and nothing else"
            }
            _ if expr.ty.is_record() => "name a member: `->`",
            _ => "numbers and pointers can be cast to each other",
        };
        Err(self.refuse(Diagnostic::error(Tag::D_CAST_INVAL, span, message).help(help)))
    }
}

fn is_comparison(op: ast::BinOp) -> bool {
    use ast::BinOp as B;
    matches!(op, B::Lt | B::Le | B::Gt | B::Ge | B::Eq | B::Ne)
}

/// The tags of an action's and of an aggregation's use as an operand.
fn valueless_in(op: ast::BinOp) -> (Tag, Tag) {
    use ast::BinOp as B;
    let tag = match op {
        B::Comma => return (Tag::D_OP_ACT, Tag::D_OP_DYN),
        B::LogAnd | B::LogOr | B::LogXor => Tag::D_OP_SCALAR,
        B::Mul | B::Div => Tag::D_OP_ARITH,
        B::Rem | B::Shl | B::Shr | B::And | B::Or | B::Xor => Tag::D_OP_INT,
        B::Add | B::Sub | B::Lt | B::Le | B::Gt | B::Ge | B::Eq | B::Ne => Tag::D_OP_INCOMPAT,
    };
    (tag, tag)
}

/// NULL where a string is wanted.
pub(super) fn null(span: Span) -> Expr {
    let ty = Type::String(Text::Buffer(NULL_TEXT.len() as u32 + 1));
    Expr { kind: ExprKind::Str(NULL_TEXT.to_vec()), ty, span }
}

/// A string constant; it ends at the first zero.
pub(super) fn string(bytes: &[u8], span: Span) -> Expr {
    let bytes: Vec<u8> = bytes.iter().copied().take_while(|&byte| byte != 0).collect();
    let ty = Type::String(Text::Buffer(bytes.len() as u32 + 1));
    Expr { kind: ExprKind::Str(bytes), ty, span }
}
