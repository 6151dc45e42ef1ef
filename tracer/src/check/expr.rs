//! Expressions: each kind of the untyped tree becomes its typed form.

use std::rc::Rc;

use probes_common::schema::StructDef;

use super::names::{STATE_NAMES, integer};
use super::typed::{CompareOp, Expr, ExprKind, Place, Text, Type, UnaryOp};
use super::types::{INT, ULONG, named, of_field, of_literal};
use super::unsupported::Construct;
use super::variables::{Known, Shape};
use super::{Checker, Refused, fold};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast::{self, Scope, UnOp};

impl Checker<'_> {
    /// An expression as a value.
    pub(super) fn expr(&mut self, expr: &ast::Expr) -> Result<Expr, Refused> {
        let span = expr.span;
        match &expr.kind {
            ast::ExprKind::Int(literal) => Ok(integer(literal.value as i64, of_literal(literal), span)),
            ast::ExprKind::Char(value) => Ok(integer(*value as i64, INT, span)),
            ast::ExprKind::Str(bytes) => Ok(string(bytes, span)),
            ast::ExprKind::Var(scope, name) => self.name(*scope, name, span),
            ast::ExprKind::Macro(argument) => self.macro_value(argument, span),
            ast::ExprKind::Agg(_) => {
                let diagnostic =
                    Diagnostic::error(Tag::D_OP_DYN, span, "an aggregation has no value in an expression");
                Err(self.refuse(
                    diagnostic
                        .help("printa() prints it; a global variable can be counted with `++` and used"),
                ))
            }
            ast::ExprKind::Call { func, args } => self.call(func, args, span),
            ast::ExprKind::Index { base, keys } => self.index(base, keys, span),
            ast::ExprKind::Member { base, arrow, member } => self.member(base, *arrow, member, span),
            ast::ExprKind::Unary { op, expr } => self.prefix(*op, expr, span),
            ast::ExprKind::Binary { op, left, right } => {
                let (left, right) = (self.expr(left), self.expr(right));
                self.binary(*op, left?, right?, span)
            }
            ast::ExprKind::Assign { op, place, value } => self.assignment(*op, place, value, span),
            ast::ExprKind::Cond { cond, then, otherwise } => {
                let (cond, then, otherwise) = (self.expr(cond), self.expr(then), self.expr(otherwise));
                self.conditional(cond?, then?, otherwise?, span)
            }
            ast::ExprKind::Cast { ty, expr } => {
                let (to, expr) = (self.type_name(ty), self.expr(expr));
                self.cast(to?, expr?, span)
            }
            ast::ExprKind::SizeofType(ty) => {
                let ty = self.type_name(ty)?;
                self.size(&ty, span)
            }
            ast::ExprKind::Float(_) => Err(self.unsupported(Construct::Float, span)),
            ast::ExprKind::Symbol { .. } => Err(self.unsupported(Construct::Symbol, span)),
            ast::ExprKind::Offsetof { .. } => Err(self.unsupported(Construct::Offsetof, span)),
            ast::ExprKind::Xlate { .. } => Err(self.unsupported(Construct::Xlate, span)),
            ast::ExprKind::Error => Err(Refused),
        }
    }

    fn prefix(&mut self, op: UnOp, inner: &ast::Expr, span: Span) -> Result<Expr, Refused> {
        match op {
            UnOp::PreInc => return self.step(inner, 1, false, span),
            UnOp::PreDec => return self.step(inner, -1, false, span),
            UnOp::PostInc => return self.step(inner, 1, true, span),
            UnOp::PostDec => return self.step(inner, -1, true, span),
            UnOp::Addr => return Err(self.unsupported(Construct::AddressOf, span)),
            UnOp::Sizeof => return self.sizeof(inner, span),
            _ => {}
        }
        let expr = self.expr(inner)?;
        match op {
            UnOp::Plus => self.unary(None, expr, span),
            UnOp::Neg => self.unary(Some(UnaryOp::Neg), expr, span),
            UnOp::BitNot => self.unary(Some(UnaryOp::BitNot), expr, span),
            UnOp::Not => {
                let kind = ExprKind::Not(Box::new(self.condition(expr)?));
                Ok(Expr { kind, ty: Type::INT, span })
            }
            UnOp::Deref => self.deref(expr, span),
            _ => match expr.ty {
                Type::String(_) => Ok(expr),
                Type::Int(_) | Type::Pointer(_) if expr.ty.is_scalar() => {
                    Ok(Expr { span, ..expr.converted(&self.string()) })
                }
                _ => {
                    let message = format!("{:#} cannot be made a string", expr.ty);
                    Err(self.refuse(
                        Diagnostic::error(Tag::D_STRINGOF_TYPE, span, message).help("name a member: `->`"),
                    ))
                }
            },
        }
    }

    /// `sizeof expr`, where a bare name may be a type's.
    fn sizeof(&mut self, inner: &ast::Expr, span: Span) -> Result<Expr, Refused> {
        if let ast::ExprKind::Var(Scope::Global, name) = &inner.kind
            && self.variables.get(Scope::Global, &name.name).is_none()
            && let Some(ty) = self
                .typedefs
                .get(&name.name)
                .map(|known| known.0.clone())
                .or(named(&name.name).map(Type::Int))
        {
            return self.size(&ty, span);
        }
        let ty = self.expr(inner)?.ty;
        self.size(&ty, span)
    }

    fn size(&mut self, ty: &Type, span: Span) -> Result<Expr, Refused> {
        let size = match ty {
            Type::String(Text::Buffer(size)) => Some(*size),
            Type::String(_) => self.string().size(),
            ty => ty.size(),
        };
        match size {
            Some(size) => Ok(integer(i64::from(size), named("size_t").unwrap_or(ULONG), span)),
            None => {
                let diagnostic = Diagnostic::error(Tag::D_SIZEOF_TYPE, span, format!("{ty} has no size"));
                Err(self.refuse(diagnostic.help("ask for the size of a number, a pointer or a string")))
            }
        }
    }

    /// `*pointer`
    fn deref(&mut self, pointer: Expr, span: Span) -> Result<Expr, Refused> {
        let to = match &pointer.ty {
            Type::Pointer(to) => (**to).clone(),
            ty => {
                let message = format!("{ty:#} is no pointer");
                let diagnostic = Diagnostic::error(Tag::D_DEREF_NONPTR, pointer.span, message);
                return Err(self.refuse(diagnostic.help("cast it to a pointer first, as in `*(int *)arg0`")));
            }
        };
        match to {
            Type::Int(_) | Type::Pointer(_) => {
                Ok(Expr { kind: ExprKind::Load(Place::Memory(Box::new(pointer))), ty: to, span })
            }
            Type::Void => {
                let message = format!("{:#} leads to something of unknown type", pointer.ty);
                let diagnostic = Diagnostic::error(Tag::D_DEREF_VOID, pointer.span, message);
                Err(self
                    .refuse(diagnostic.help("cast it to a pointer to what lies there, as in `*(int *)p`")))
            }
            _ => Err(self.unsupported(Construct::DerefOfAggregate, span)),
        }
    }

    /// `base[keys]`: an argument, an array's element, or what a pointer leads to.
    fn index(&mut self, base: &ast::Expr, keys: &[ast::Expr], span: Span) -> Result<Expr, Refused> {
        if let ast::ExprKind::Var(scope, name) = &base.kind {
            match (scope, name.name.as_str()) {
                (Scope::Global, "args") => return self.argument(keys, span),
                (Scope::Global, STATE_NAMES) => return self.state_name(keys, span),
                _ => {}
            }
            let value = match self.variables.get(*scope, &name.name) {
                _ if self.parameter(*scope, &name.name).is_some() => true,
                Some(Known::Entry(entry)) => entry.ty.is_address() && matches!(entry.shape, Shape::Scalar(_)),
                Some(Known::Macro(inline)) => return self.expand_macro(&Rc::clone(inline), keys, span),
                Some(Known::Value(..)) => true,
                _ => *scope == Scope::Global && Self::is_reserved(&name.name),
            };
            if !value {
                return self.element(*scope, name, keys, span);
            }
        }
        let (base, keys) = (self.expr(base), self.keys(keys));
        let (base, mut keys) = (base?, keys?);
        match (keys.pop(), keys.is_empty()) {
            (Some(key), true) if base.ty.is_address() => {
                let sum = self.binary(ast::BinOp::Add, base, key, span)?;
                self.deref(sum, span)
            }
            _ => {
                let message = format!("{:#} has no elements", base.ty);
                let diagnostic = Diagnostic::error(Tag::D_ARR_BADREF, base.span, message);
                Err(self
                    .refuse(diagnostic.help("only associative arrays, pointers and args[] take a subscript")))
            }
        }
    }

    /// `args[N]`
    fn argument(&mut self, keys: &[ast::Expr], span: Span) -> Result<Expr, Refused> {
        let keys = self.keys(keys)?;
        let number = match keys.as_slice() {
            [key] => fold::constant(key).and_then(|value| usize::try_from(value).ok()),
            _ => None,
        };
        let Some(number) = number else {
            let message = "args[] takes an integer constant: each argument has a type of its own";
            return Err(self.refuse(
                Diagnostic::error(Tag::D_ARGS_TYPE, span, message).help("write args[0], args[1], ..."),
            ));
        };
        let ty = self.argument_type(number, span)?;
        Ok(Expr { kind: ExprKind::Args(number as u8), ty, span })
    }

    /// `tcp_state_string[state]`: a string by its number.
    fn state_name(&mut self, keys: &[ast::Expr], span: Span) -> Result<Expr, Refused> {
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
        for (number, state) in (1..).zip(states) {
            let number = integer(number, ty, span);
            let kind = ExprKind::Compare(CompareOp::Eq, Box::new(key.clone()), Box::new(number));
            let found = Expr { kind, ty: Type::INT, span };
            whole = self.conditional(found, name(state), whole, span)?;
        }
        Ok(whole)
    }

    /// `base->member`, `(*base).member`
    fn member(
        &mut self,
        base: &ast::Expr,
        arrow: bool,
        member: &ast::Ident,
        span: Span,
    ) -> Result<Expr, Refused> {
        let base = match &base.kind {
            ast::ExprKind::Unary { op: UnOp::Deref, expr } if !arrow => self.expr(expr)?,
            _ if !arrow => {
                let base = self.expr(base)?;
                let message = format!("{:#} is no structure", base.ty);
                let help = if base.ty.is_record() {
                    "it is a pointer to one: write `->`"
                } else {
                    "only structures have members"
                };
                return Err(self.refuse(Diagnostic::error(Tag::D_OP_SOU, base.span, message).help(help)));
            }
            _ => self.expr(base)?,
        };
        let Some(def) = structure(&base.ty) else {
            if base.ty.is_address() {
                return Err(self.unsupported(Construct::KernelMember, span));
            }
            let message = format!("{:#} is no pointer to a structure", base.ty);
            let help = match base.kind {
                ExprKind::Arg(number) => format!("args[{number}] has the argument with its type"),
                _ => "only pointers to structures have members".to_owned(),
            };
            return Err(self.refuse(Diagnostic::error(Tag::D_OP_PTR, base.span, message).help(help)));
        };
        let Some(field) = def.field(&member.name) else {
            let message = format!("{} has no member `{}`", def.name, member.name);
            let diagnostic = Diagnostic::error(Tag::D_TYPE_MEMBER, member.span, message);
            let names = || def.fields.iter().map(|field| field.name);
            let diagnostic = diagnostic.did_you_mean(&member.name, names());
            return Err(self.refuse(match diagnostic.help {
                Some(_) => diagnostic,
                None => {
                    diagnostic.help(format!("its members are {}", names().collect::<Vec<_>>().join(", ")))
                }
            }));
        };
        Ok(Expr { kind: ExprKind::Member(Box::new(base), field), ty: of_field(field), span })
    }

    /// `(type)expr`
    fn cast(&mut self, to: Type, expr: Expr, span: Span) -> Result<Expr, Refused> {
        let allowed = match (&expr.ty, &to) {
            (from, to) if from == to => true,
            (Type::String(_), Type::String(_)) => return Ok(expr),
            (from, to) => from.is_scalar() && to.is_scalar(),
        };
        if allowed {
            return Ok(Expr { span, ..expr.converted(&to) });
        }
        let message = format!("{:#} cannot be cast to {to}", expr.ty);
        let help = match to {
            Type::String(_) => "copyinstr() reads a string from an address of the traced program",
            _ if expr.ty.is_record() => "name a member: `->`",
            _ => "numbers and pointers can be cast to each other",
        };
        Err(self.refuse(Diagnostic::error(Tag::D_CAST_INVAL, span, message).help(help)))
    }
}

/// A string constant; it ends at the first zero.
pub(super) fn string(bytes: &[u8], span: Span) -> Expr {
    let bytes: Vec<u8> = bytes.iter().copied().take_while(|&byte| byte != 0).collect();
    let ty = Type::String(Text::Buffer(bytes.len() as u32 + 1));
    Expr { kind: ExprKind::Str(bytes), ty, span }
}

/// The structure that a pointer leads to.
fn structure(ty: &Type) -> Option<&'static StructDef> {
    match ty {
        Type::Pointer(to) => match **to {
            Type::Struct(def) => Some(def),
            _ => None,
        },
        _ => None,
    }
}
