//! Addresses and sizes: `&` and sizeof.

use probes_common::schema::Kind;

use super::ctype::{NameKind, Text, Type};
use super::names::integer;
use super::place::decayed;
use super::typed::{BinaryOp, Builtin, Expr, ExprKind, Part, Place, Subroutine};
use super::types::{UINT64, ULONG, named};
use super::variables::Known;
use super::{Checker, Refused};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast::{self, Scope};

/// Whether there is a structure where a pointer to one leads: what fds[] and curcpu give is asked for member by member.
fn has_address(pointer: &Expr) -> bool {
    !matches!(pointer.kind, ExprKind::Call(Subroutine::File, _) | ExprKind::Builtin(Builtin::Curcpu))
}

impl Checker<'_> {
    /// `&place`
    pub(super) fn address_of(&mut self, inner: &ast::Expr, span: Span) -> Result<Expr, Refused> {
        let expr = self.value_for(inner, Tag::D_ADDROF_VAR)?;
        if self.is_variable(inner) {
            let message = "a variable of D has no address of its own";
            let diagnostic = Diagnostic::error(Tag::D_ADDROF_VAR, inner.span, message);
            return Err(self.refuse(
                diagnostic.help("take the address of a member or an element, or of memory of alloca()"),
            ));
        }
        if matches!(inner.kind, ast::ExprKind::Symbol { .. })
            && (expr.place().is_none() || matches!(expr.ty, Type::Array(..)))
        {
            // A function or an array stands for its address already.
            return Ok(Expr { span, ..decayed(expr) });
        }
        if let Type::Array(..) = expr.ty {
            let message = format!("{:#} stands for its address already", expr.ty);
            let diagnostic = Diagnostic::error(Tag::D_ADDROF_LVAL, expr.span, message);
            return Err(self.refuse(diagnostic.help("leave the `&` out")));
        }
        let pointer = Type::Pointer(Box::new(expr.ty.clone()));
        // A number in a record: inet_ntoa() wants its address.
        if let ExprKind::Member(base, field) = &expr.kind
            && matches!(field.kind, Kind::Int { .. })
            && has_address(base)
        {
            let word = Type::Int(UINT64);
            let offset = Expr { kind: ExprKind::Int(field.offset as i64), ty: word.clone(), span };
            let base = (**base).clone().converted(&word);
            let sum = ExprKind::Binary(BinaryOp::Add, Box::new(base), Box::new(offset));
            return Ok(Expr { kind: sum, ty: word, span }.converted(&pointer));
        }
        let Some(place) = expr.place() else {
            let message = "this is no place in memory: it has no address";
            let diagnostic = Diagnostic::error(Tag::D_ADDROF_LVAL, expr.span, message);
            return Err(
                self.refuse(diagnostic.help("take the address of a variable, a member or an element"))
            );
        };
        let kind = match place {
            Place::Memory(address) => return Ok(Expr { span, ..(**address).clone().converted(&pointer) }),
            Place::Part(_, Part { bits: Some(_), .. }) => {
                let diagnostic =
                    Diagnostic::error(Tag::D_ADDROF_BITFIELD, expr.span, "a bit-field has no address");
                return Err(self.refuse(diagnostic.help("use its value, or the address of the structure")));
            }
            place => ExprKind::AddressOf(place.clone()),
        };
        Ok(Expr { kind, ty: pointer, span })
    }

    /// Whether the expression is a variable, or an element of an associative one, rather than a part of one.
    fn is_variable(&self, expr: &ast::Expr) -> bool {
        match &expr.kind {
            ast::ExprKind::Var(scope, name) => {
                self.parameter(*scope, &name.name).is_none()
                    && match self.variables.get(*scope, &name.name) {
                        Some(Known::Value(..)) => false,
                        Some(_) => true,
                        None => super::constants::find(&name.name).is_none(),
                    }
            }
            ast::ExprKind::Index { base, .. } => match &base.kind {
                ast::ExprKind::Var(Scope::Global, name) if self.is_reserved(&name.name) => true,
                ast::ExprKind::Var(scope, name) => self.is_associative(*scope, name),
                _ => false,
            },
            _ => false,
        }
    }

    /// `sizeof expr`, where a bare name may be a type's.
    pub(super) fn sizeof(&mut self, inner: &ast::Expr, span: Span) -> Result<Expr, Refused> {
        if let ast::ExprKind::Var(Scope::Global, name) = &inner.kind
            && self.variables.get(Scope::Global, &name.name).is_none()
            && let Some(ty) = self.known_type(&name.name)
        {
            return self.size(&ty, span);
        }
        let expr = self.value_for(inner, Tag::D_SIZEOF_TYPE)?;
        if let Some(Place::Part(_, Part { bits: Some(_), .. })) = expr.place() {
            let diagnostic =
                Diagnostic::error(Tag::D_SIZEOF_BITFIELD, span, "a bit-field has no size in bytes");
            return Err(self.refuse(diagnostic.help("ask for the size of the structure")));
        }
        self.size(&expr.ty, span)
    }

    /// The size of a type.
    pub(super) fn size(&mut self, ty: &Type, span: Span) -> Result<Expr, Refused> {
        let size = match ty {
            // A buffer may have room for more than a string is long.
            Type::String(Text::Buffer(size)) => Some((*size).min(self.options.strsize as u32)),
            Type::String(_) => Some(self.options.strsize as u32),
            ty => ty.size(),
        };
        match size {
            Some(size) => Ok(integer(i64::from(size), named("size_t").unwrap_or(ULONG), span)),
            None => {
                let diagnostic = Diagnostic::error(Tag::D_SIZEOF_TYPE, span, format!("{ty} has no size"));
                let lack = if matches!(ty, Type::Composite(_)) { self.traced.lack() } else { None };
                let diagnostic = match (ty, lack) {
                    (Type::Composite(_), Some(lack)) => diagnostic.help(format!(
                        "the traced program does not tell of its types: {lack}; {}",
                        lack.help()
                    )),
                    (Type::Composite(of), None) => {
                        let kind = NameKind::Composite(of.kind);
                        let names = self.types.names(kind).into_iter().map(str::to_owned).collect::<Vec<_>>();
                        let (name, tag) = (of.name(), of.kind.word());
                        let bare = name.strip_prefix(tag).map_or(name.as_str(), str::trim_start);
                        let others = names.iter().map(String::as_str).filter(|name| *name != bare);
                        diagnostic.did_you_mean(bare, others)
                    }
                    _ => diagnostic,
                };
                Err(self.refuse(match diagnostic.help {
                    Some(_) => diagnostic,
                    None => diagnostic.help("ask for the size of a number, a pointer or a string"),
                }))
            }
        }
    }
}
