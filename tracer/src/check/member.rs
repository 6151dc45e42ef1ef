//! Members of structures and unions, and where in them they lie.

use probes_common::schema::StructDef;

use super::ctype::{Composite, Type};
use super::names::integer;
use super::place::{after, decayed, pointed};
use super::typed::{Expr, ExprKind, Part, Place};
use super::types::{ULONG, named, of_field};
use super::variables::Known;
use super::{Checker, Refused};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast::{self, Scope, UnOp};

impl Checker<'_> {
    /// `base->member`, `base.member`
    pub(super) fn member(
        &mut self,
        base: &ast::Expr,
        arrow: bool,
        member: &ast::Ident,
        span: Span,
    ) -> Result<Expr, Refused> {
        if let Some(Known::Value(Expr { kind: ExprKind::Int(value), .. }, since)) =
            self.variables.get(Scope::Global, &member.name)
        {
            let (value, since) = (*value, *since);
            let message = format!("`{}` is the constant {value}, not a member's name here", member.name);
            let diagnostic = Diagnostic::error(Tag::D_OP_IDENT, member.span, message);
            return Err(self.refuse(
                diagnostic.related(since, "defined here").help("give the inline or enumerator another name"),
            ));
        }
        if let Some(base) = self.translated(base)? {
            return self.translated_member(&base, arrow, member, span);
        }
        let (base, arrow) = match &base.kind {
            // `(*pointer).member`: of a probe's record, only this is an expression.
            ast::ExprKind::Unary { op: UnOp::Deref, expr } if !arrow => (self.operand(expr)?, true),
            _ if arrow || self.is_file(base) => (decayed(self.value_for(base, Tag::D_OP_PTR)?), true),
            _ => (self.value_for(base, Tag::D_OP_SOU)?, false),
        };
        match (&base.ty, arrow) {
            (Type::Pointer(to), true) => match &**to {
                Type::Struct(def) => self.record_member(base.clone(), def, member, span),
                Type::Composite(composite) => {
                    let composite = composite.clone();
                    self.composite_member(pointed(base), &composite, member, span)
                }
                _ => self.no_structure(&base, arrow),
            },
            (Type::Composite(composite), false) => {
                let composite = composite.clone();
                let (base, setup) = self.placed(base);
                let place = base.place().cloned().ok_or(Refused)?;
                Ok(after(setup, self.composite_member(place, &composite, member, span)?))
            }
            _ => self.no_structure(&base, arrow),
        }
    }

    fn no_structure(&mut self, base: &Expr, arrow: bool) -> Result<Expr, Refused> {
        let (tag, message, help) = if arrow {
            let help = match (&base.kind, &base.ty) {
                (ExprKind::Arg(number), _) => format!("args[{number}] has the argument with its type"),
                (_, Type::Composite(_)) => "it is a structure itself: write `.`".to_owned(),
                (_, Type::Pointer(_)) => "cast it to a pointer to the structure that lies there".to_owned(),
                _ => "only pointers to structures have members".to_owned(),
            };
            let tag = if base.ty.is_address() { Tag::D_OP_SOU } else { Tag::D_OP_PTR };
            (tag, format!("{:#} is no pointer to a structure", base.ty), help)
        } else {
            let pointer =
                matches!(&base.ty, Type::Pointer(to) if matches!(**to, Type::Struct(_) | Type::Composite(_)));
            let help =
                if pointer { "it is a pointer to one: write `->`" } else { "only structures have members" };
            (Tag::D_OP_SOU, format!("{:#} is no structure", base.ty), help.to_owned())
        };
        Err(self.refuse(Diagnostic::error(tag, base.span, message).help(help)))
    }

    /// A member of a struct of the probe tables.
    fn record_member(
        &mut self,
        base: Expr,
        def: &'static StructDef,
        member: &ast::Ident,
        span: Span,
    ) -> Result<Expr, Refused> {
        match def.field(&member.name) {
            Some(field) => {
                let ty = self.of_kernel(of_field(field), field.ctype);
                Ok(Expr { kind: ExprKind::Member(Box::new(base), field), ty, span })
            }
            None => {
                let names = def.fields.iter().map(|field| field.name).collect();
                Err(self.no_member(Tag::D_XLATE_NOCONV, def.name, member, names))
            }
        }
    }

    pub(super) fn composite_member(
        &mut self,
        place: Place,
        composite: &Composite,
        member: &ast::Ident,
        span: Span,
    ) -> Result<Expr, Refused> {
        self.check_complete(composite, span)?;
        let Some(found) = composite.member(&member.name) else {
            let names = composite.member_names();
            return Err(self.no_member(Tag::D_TYPE_MEMBER, &composite.name(), member, names));
        };
        let part = Part { offset: found.offset, indexes: Vec::new(), bits: found.bits };
        Ok(Expr { kind: ExprKind::Load(place.part(part)), ty: found.ty, span })
    }

    fn check_complete(&mut self, composite: &Composite, span: Span) -> Result<(), Refused> {
        if composite.body().is_some() {
            return Ok(());
        }
        let message = format!("{} is only declared: its members are not known", composite.name());
        let diagnostic = Diagnostic::error(Tag::D_OP_INCOMPLETE, span, message);
        Err(self.refuse(diagnostic.help("define it: `struct name { type member; };`")))
    }

    fn no_member(&mut self, tag: Tag, name: &str, member: &ast::Ident, names: Vec<&'static str>) -> Refused {
        const SHOWN: usize = 20;
        let message = format!("{name} has no member `{}`", member.name);
        let diagnostic =
            Diagnostic::error(tag, member.span, message).did_you_mean(&member.name, names.iter().copied());
        self.refuse(match diagnostic.help {
            Some(_) => diagnostic,
            None if names.len() > SHOWN => {
                diagnostic.help(format!("its members are {}, ...", names[..SHOWN].join(", ")))
            }
            None => diagnostic.help(format!("its members are {}", names.join(", "))),
        })
    }

    /// `offsetof(type, member)`
    pub(super) fn offset_of(
        &mut self,
        ty: &ast::TypeName,
        member: &ast::Ident,
        span: Span,
    ) -> Result<Expr, Refused> {
        let of = self.type_name(ty)?;
        let offset = match &of {
            Type::Struct(def) => match def.field(&member.name) {
                Some(field) => field.offset as u32,
                None => {
                    let names = def.fields.iter().map(|field| field.name).collect();
                    return Err(self.no_member(Tag::D_UNKNOWN, def.name, member, names));
                }
            },
            Type::Composite(composite) => {
                if composite.body().is_none() {
                    let message = format!("{} is only declared: its members are not known", composite.name());
                    let diagnostic = Diagnostic::error(Tag::D_OFFSETOF_TYPE, ty.span, message);
                    return Err(self.refuse(diagnostic.help("define it: `struct name { type member; };`")));
                }
                match composite.member(&member.name) {
                    Some(found) if found.bits.is_some() => {
                        let message = format!("`{}` is a bit-field: it has no offset in bytes", member.name);
                        let diagnostic = Diagnostic::error(Tag::D_OFFSETOF_BITFIELD, member.span, message);
                        return Err(self.refuse(diagnostic.help("ask for a member that is no bit-field")));
                    }
                    Some(found) => found.offset,
                    None => {
                        let names = composite.member_names();
                        return Err(self.no_member(Tag::D_UNKNOWN, &composite.name(), member, names));
                    }
                }
            }
            of => {
                let diagnostic =
                    Diagnostic::error(Tag::D_OFFSETOF_TYPE, ty.span, format!("{of:#} has no members"));
                return Err(self.refuse(diagnostic.help("name a structure or a union")));
            }
        };
        Ok(integer(i64::from(offset), named("size_t").unwrap_or(ULONG), span))
    }
}
