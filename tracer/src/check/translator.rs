//! Translators: how members of one structure are made of another, and `xlate`, which asks for them.
//!
//! A translation is its members' expressions: `xlate <out *>(in)->member` is that member's expression with `in` where the
//! translator's parameter stands, and no other member is evaluated. As inlines with parameters, translators are checked
//! where they are defined, for what any input would be, and again with the input at each place that uses them.

use std::rc::Rc;

use super::ctype::{Composite, Type};
use super::inline::{Macro, anything};
use super::operators::suits;
use super::place::{after, decayed};
use super::typed::{Expr, ExprKind, Part};
use super::types::of_field;
use super::variables::Known;
use super::{Checker, Refused};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast::{self, Ident, Scope};

/// A translator.
#[derive(Debug)]
pub(super) struct Translator {
    output: Type,
    input: Type,
    parameter: String,
    members: Vec<(Ident, ast::Expr)>,
    span: Span,
}

/// A value that is to be translated: only its members are asked for.
#[derive(Debug, Clone)]
pub(super) struct Translated {
    by: Rc<Translator>,
    input: Expr,
    /// Whether it is a pointer to the structure.
    pointer: bool,
}

impl Checker<'_> {
    /// `translator output < input name > { member = value; ... };`
    pub(super) fn translator(&mut self, translator: &ast::Translator, span: Span) -> Result<(), Refused> {
        let (output, input) = (self.type_name(&translator.output), self.type_name(&translator.input.ty));
        let (output, input) = (output?, input?);
        let whole = match &output {
            Type::Composite(composite) => composite.body().is_some(),
            output => matches!(output, Type::Struct(_)),
        };
        if !whole {
            let message = format!("a translator makes a structure that is defined, not {output:#}");
            let diagnostic = Diagnostic::error(Tag::D_XLATE_SOU, translator.output.span, message);
            return Err(self.refuse(diagnostic.help("name the structure, without a `*`")));
        }
        let Some(parameter) = &translator.input.name else {
            let message = "the input of a translator needs a name";
            let diagnostic = Diagnostic::error(Tag::D_SYNTAX, translator.input.ty.span, message);
            return Err(self.refuse(diagnostic.help("write `< input *name >`")));
        };
        if let Some(before) =
            self.translators.iter().find(|known| known.output == output && known.input == input)
        {
            let since = before.span;
            let message = format!("there is a translator from {input} to {output} already");
            let diagnostic = Diagnostic::error(Tag::D_XLATE_REDECL, translator.output.span, message);
            return Err(self.refuse(diagnostic.related(since, "it is here").help("remove one of them")));
        }
        let members = translator.members.clone();
        let known = Rc::new(Translator { output, input, parameter: parameter.name.clone(), members, span });
        self.translators.push(Rc::clone(&known));
        let (input, mark) = (anything(&known.input, span), self.found.len());
        for (number, (member, _)) in known.members.iter().enumerate() {
            if known.members[..number].iter().any(|(before, _)| before.name == member.name) {
                let message = format!("`{}` is given twice", member.name);
                let diagnostic = Diagnostic::error(Tag::D_XLATE_MEMB, member.span, message);
                self.refuse(diagnostic.help("remove one of them"));
                continue;
            }
            // What is wrong with one member has been told; the others may be right.
            let _ = self.translate(&known, input.clone(), member, Tag::D_XLATE_MEMB);
        }
        for (_, value) in &known.members {
            self.value_attributes(value, &[&known.parameter], mark);
        }
        Ok(())
    }

    /// What is to be translated, where the expression is an `xlate` or stands for one.
    pub(super) fn translated(&mut self, expr: &ast::Expr) -> Result<Option<Translated>, Refused> {
        match &expr.kind {
            ast::ExprKind::Xlate { ty, expr: input } => self.xlate(ty, input, expr.span).map(Some),
            ast::ExprKind::Var(Scope::Global, name) => match self.variables.get(Scope::Global, &name.name) {
                Some(Known::Translated(value, _)) => Ok(Some(value.clone())),
                _ => Ok(None),
            },
            ast::ExprKind::Index { base, keys } => {
                let ast::ExprKind::Var(Scope::Global, name) = &base.kind else { return Ok(None) };
                let Some(Known::Macro(inline)) = self.variables.get(Scope::Global, &name.name) else {
                    return Ok(None);
                };
                let inline = Rc::clone(inline);
                self.translating_macro(&inline, keys, expr.span)
            }
            _ => Ok(None),
        }
    }

    /// The value of an inline with parameters, where that is an `xlate`.
    fn translating_macro(
        &mut self,
        inline: &Rc<Macro>,
        keys: &[ast::Expr],
        span: Span,
    ) -> Result<Option<Translated>, Refused> {
        if !matches!(inline.value.kind, ast::ExprKind::Xlate { .. }) {
            return Ok(None);
        }
        let arguments = self.macro_arguments(inline, keys, span)?;
        let before = std::mem::replace(&mut self.parameters, arguments);
        let translated = self.translated(&inline.value);
        self.parameters = before;
        translated
    }

    /// `xlate <ty>(input)`
    fn xlate(&mut self, ty: &ast::TypeName, input: &ast::Expr, span: Span) -> Result<Translated, Refused> {
        let (to, input) = (self.type_name(ty), self.expr(input));
        let (to, input) = (to?, input?);
        let (output, pointer) = match to {
            Type::Pointer(to) => (*to, true),
            to => (to, false),
        };
        if !matches!(output, Type::Struct(_) | Type::Composite(_)) {
            let message = format!("`xlate` makes a structure or a pointer to one, not {output:#}");
            let diagnostic = Diagnostic::error(Tag::D_XLATE_SOU, ty.span, message);
            return Err(self.refuse(diagnostic.help("name a structure for which there is a translator")));
        }
        let candidates: Vec<_> =
            self.translators.iter().filter(|known| known.output == output).cloned().collect();
        let exact = candidates.iter().find(|known| known.input == input.ty);
        let by = exact.or_else(|| candidates.iter().find(|known| accepts(&known.input, &input.ty))).cloned();
        let Some(by) = by else {
            let message = format!("there is no translator from {} to {output}", input.ty);
            let diagnostic = Diagnostic::error(Tag::D_XLATE_NONE, span, message);
            let from: Vec<String> = candidates.iter().map(|known| known.input.to_string()).collect();
            return Err(self.refuse(match from.is_empty() {
                true => diagnostic.help(format!(
                    "write one: `translator {output} < {} name > {{ member = value; }};`",
                    input.ty
                )),
                false => diagnostic.help(format!("there are translators to it from {}", from.join(", "))),
            }));
        };
        let input = if input.ty == by.input { input } else { decayed(input).converted(&by.input) };
        Ok(Translated { by, input, pointer })
    }

    /// Whether a value of the one type becomes one of the other, by itself or by a translator.
    pub(super) fn has_translator(&self, from: &Type, to: &Type) -> bool {
        let made = |ty: &Type| match ty {
            Type::Pointer(to) => (**to).clone(),
            ty => ty.clone(),
        };
        let known = |known: &Rc<Translator>| known.output == made(to) && accepts(&known.input, from);
        from.same(to)
            || (from.as_int().is_some() && to.as_int().is_some())
            || self.translators.iter().any(known)
    }

    /// `base.member`, `base->member`
    pub(super) fn translated_member(
        &mut self,
        base: &Translated,
        arrow: bool,
        member: &Ident,
        span: Span,
    ) -> Result<Expr, Refused> {
        let output = &base.by.output;
        if arrow != base.pointer {
            let (tag, message, help) = match arrow {
                true => (Tag::D_OP_PTR, format!("this is {output:#}, not a pointer to one"), "write `.`"),
                false => (Tag::D_OP_SOU, format!("this is a pointer to {output:#}"), "write `->`"),
            };
            return Err(self.refuse(Diagnostic::error(tag, span, message).help(help)));
        }
        let value = self.translate(&base.by, base.input.clone(), member, Tag::D_XLATE_NOCONV)?;
        Ok(Expr { span, ..value })
    }

    /// A whole translated structure as a value: one of the program's own or of the kernel, every member that the
    /// translator gives made.
    pub(super) fn whole_translated(&mut self, value: &Translated, span: Span) -> Result<Expr, Refused> {
        let by = Rc::clone(&value.by);
        let Type::Composite(composite) = &by.output else { return Err(self.only_members(&by.output, span)) };
        if value.pointer {
            return Err(self.only_members(&by.output, span));
        }
        let place = self.variables.add_hidden(by.output.clone());
        let kind = ExprKind::Load(place.clone());
        let mut whole = Expr { kind, ty: by.output.clone(), span };
        for (member, _) in by.members.iter().rev() {
            let Some(found) = composite.member(&member.name) else { continue };
            let made = self.translate(&by, value.input.clone(), member, Tag::D_XLATE_NOCONV)?;
            let part = Part { offset: found.offset, indexes: Vec::new(), bits: found.bits };
            let kind = ExprKind::Assign(place.clone().part(part), Box::new(made));
            whole = after(Some(Expr { kind, ty: found.ty, span }), whole);
        }
        Ok(whole)
    }

    /// Whether an inline of that type may stand for it.
    pub(super) fn check_translated(
        &mut self,
        name: &str,
        value: &Translated,
        ty: &Type,
        span: Span,
    ) -> Result<(), Refused> {
        let output = value.by.output.clone();
        let made = if value.pointer { Type::Pointer(Box::new(output)) } else { output };
        if made == *ty {
            return Ok(());
        }
        let message = format!("`{name}` is {ty:#}, its value {made:#}");
        let diagnostic = Diagnostic::error(Tag::D_XLATE_NOCONV, span, message);
        Err(self.refuse(diagnostic.help("declare it with the type of its value")))
    }

    fn only_members(&mut self, output: &Type, span: Span) -> Refused {
        let message = format!("a translated {output} has no value as a whole");
        let diagnostic = Diagnostic::error(Tag::D_CG_DYN, span, message);
        self.refuse(diagnostic.help("name a member of it"))
    }

    /// A member of what a translator makes of the input; `unknown` is the tag of one that there is not.
    fn translate(
        &mut self,
        by: &Translator,
        input: Expr,
        member: &Ident,
        unknown: Tag,
    ) -> Result<Expr, Refused> {
        let Some(ty) = member_type(&by.output, &member.name) else {
            let message = format!("{} has no member `{}`", by.output, member.name);
            let diagnostic = Diagnostic::error(unknown, member.span, message);
            let diagnostic = diagnostic.did_you_mean(&member.name, member_names(&by.output));
            return Err(self.refuse(match diagnostic.help {
                Some(_) => diagnostic,
                None => diagnostic.help(format!("its members are {}", member_names(&by.output).join(", "))),
            }));
        };
        let Some((_, value)) = by.members.iter().find(|(name, _)| name.name == member.name) else {
            let message = format!("the translator from {} does not make `{}`", by.input, member.name);
            let diagnostic = Diagnostic::error(Tag::D_XLATE_NOCONV, member.span, message);
            let known: Vec<&str> = by.members.iter().map(|(name, _)| name.name.as_str()).collect();
            let diagnostic = diagnostic.related(by.span, "the translator");
            return Err(self.refuse(diagnostic.help(format!("it makes {}", known.join(", ")))));
        };
        let parameters = [(by.parameter.clone(), input)].into();
        let before = std::mem::replace(&mut self.parameters, parameters);
        let value = self.expr(value);
        self.parameters = before;
        self.as_member(value?, &ty, &member.name)
    }

    /// The value as a member of that type.
    fn as_member(&mut self, value: Expr, ty: &Type, name: &str) -> Result<Expr, Refused> {
        if value.ty == *ty {
            return Ok(value);
        }
        let value = match ty {
            Type::String(_) => self.as_string(value)?,
            _ => decayed(value),
        };
        let fits = match (&value.ty, ty) {
            (Type::String(_), ty) => matches!(ty, Type::String(_)) || ty.is_characters(),
            (from, to) => from.is_scalar() && suits(&value, to),
        };
        match (fits, &value.ty) {
            (true, Type::String(_)) => Ok(value),
            (true, _) => Ok(value.converted(ty)),
            (false, from) => {
                let message = format!("`{name}` is {ty:#}, its value {from:#}");
                let diagnostic = Diagnostic::error(Tag::D_XLATE_INCOMPAT, value.span, message);
                Err(self.refuse(diagnostic.help("give it a value of its type")))
            }
        }
    }
}

/// Whether a value of type `given` may be translated from `wanted`: numbers from numbers, pointers from pointers to the
/// same or to nothing known.
fn accepts(wanted: &Type, given: &Type) -> bool {
    match (wanted, given) {
        (Type::Int(_) | Type::Enum(_), Type::Int(_) | Type::Enum(_)) => true,
        (Type::String(_), Type::String(_)) => true,
        (Type::Pointer(wanted), Type::Pointer(given) | Type::Array(given, _)) => {
            wanted == given || matches!((&**wanted, &**given), (_, Type::Void) | (Type::Void, _))
        }
        _ => false,
    }
}

fn member_type(output: &Type, name: &str) -> Option<Type> {
    match output {
        Type::Struct(def) => def.field(name).map(of_field),
        Type::Composite(composite) => composite.member(name).map(|member| member.ty),
        _ => None,
    }
}

fn member_names(output: &Type) -> Vec<&'static str> {
    match output {
        Type::Struct(def) => def.fields.iter().map(|field| field.name).collect(),
        Type::Composite(composite) => Composite::member_names(composite),
        _ => Vec::new(),
    }
}
