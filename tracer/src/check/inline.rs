//! Inlines: names for expressions, with parameters or without.
//!
//! One without parameters is checked once, where it is defined, and copied to each place that names it. One with
//! parameters is checked where it is defined, for what any arguments would be, and again with the arguments at each place
//! that uses it: these stand wherever their parameter does. A value's size is bounded, so that inlines of inlines cannot
//! grow without measure; and as a value is checked before its name is known, none can contain itself.

use std::collections::HashMap;
use std::rc::Rc;

use super::operators::suits;
use super::prototype::Prototype;
use super::typed::{Builtin, Expr, ExprKind, Place, Text, Type};
use super::types::INT64;
use super::variables::Known;
use super::{Checker, Refused, are, counted};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast::{self, Derived, Ident, Inline, Scope};

/// The most nodes of an inline's value.
const LARGEST: usize = 1000;

/// An inline with parameters.
#[derive(Debug)]
pub(super) struct Macro {
    name: String,
    parameters: Vec<(String, Type)>,
    ty: Type,
    pub(super) value: ast::Expr,
    /// Where its name was defined.
    pub(super) span: Span,
}

impl Checker<'_> {
    /// `inline type name = value;`, `inline type name[type parameter, ...] = value;`
    pub(super) fn inline(&mut self, inline: &Inline) {
        let Some(name) = &inline.declarator.name else { return };
        // What is bound to a later version than the program asks for is not there.
        if self.is_left_out(&name.name) {
            return;
        }
        let mark = self.found.len();
        let (defined, params) = match inline.declarator.derived.split_first() {
            Some((Derived::Assoc(params), derived)) => {
                (self.inline_macro(inline, name, params, derived), params.as_slice())
            }
            _ => (self.inline_value(inline, name), &[][..]),
        };
        if defined.is_err() {
            self.variables.add_refused(Scope::Global, &name.name);
        }
        let params: Vec<&str> =
            params.iter().filter_map(|param| param.name.as_ref()).map(|name| name.name.as_str()).collect();
        let attributes = self.value_attributes(&inline.value, &params, mark);
        self.own.names.entry(name.name.clone()).or_insert(attributes);
    }

    /// What an inline without parameters cannot be.
    fn check_inline(&mut self, inline: &Inline, name: &Ident, ty: &Type) -> Result<(), Refused> {
        let span = inline.declarator.span;
        let (tag, message) = match ty {
            Type::Array(..) => {
                (Tag::D_DECL_ARRNULL, format!("the inline `{}` cannot be an array", name.name))
            }
            Type::Void => (Tag::D_DECL_VOIDOBJ, format!("the inline `{}` cannot be void", name.name)),
            Type::Composite(of) if of.body().is_none() => {
                (Tag::D_DECL_INCOMPLETE, format!("{} is only declared: an inline cannot be one", of.name()))
            }
            _ => return Ok(()),
        };
        Err(self.refuse(Diagnostic::error(tag, span, message).help("write `inline type name = value;`")))
    }

    fn inline_value(&mut self, inline: &Inline, name: &Ident) -> Result<(), Refused> {
        if let Some(translated) = self.translated(&inline.value)? {
            let base = self.base_type(&inline.base)?;
            let ty = self.derive(base, &inline.declarator.derived, inline.declarator.span)?;
            self.check_translated(&name.name, &translated, &ty, inline.value.span)?;
            return self.define_known(name, Known::Translated(translated, name.span));
        }
        let base = self.base_type(&inline.base)?;
        let ty = self.derive(base, &inline.declarator.derived, inline.declarator.span)?;
        self.check_inline(inline, name, &ty)?;
        let value = self.value_for(&inline.value, Tag::D_OP_INCOMPAT)?;
        let value = self.inlined(&name.name, value, &ty)?;
        self.define(name, value)
    }

    fn inline_macro(
        &mut self,
        inline: &Inline,
        name: &Ident,
        params: &[ast::Param],
        derived: &[Derived],
    ) -> Result<(), Refused> {
        let base = self.base_type(&inline.base)?;
        let ty = self.derive(base, derived, inline.declarator.span)?;
        self.check_inline(inline, name, &ty)?;
        // A parameter without a name is passed for nothing.
        let names =
            params.iter().map(|param| param.name.as_ref().map_or(String::new(), |name| name.name.clone()));
        let parameters: Vec<(String, Type)> = names.zip(self.prototype(params, Prototype::Key)?).collect();
        let span = name.span;
        let whole = Macro { name: name.name.clone(), parameters, ty, value: inline.value.clone(), span };
        let any = whole.parameters.iter().map(|(name, ty)| (name.clone(), anything(ty, span))).collect();
        let before = std::mem::replace(&mut self.parameters, any);
        let translated = self.translated(&whole.value);
        let checked = match translated {
            Ok(Some(translated)) => {
                self.check_translated(&whole.name, &translated, &whole.ty, whole.value.span)
            }
            Ok(None) => self
                .expr(&whole.value)
                .and_then(|value| self.inlined(&whole.name, value, &whole.ty))
                .map(drop),
            Err(refused) => Err(refused),
        };
        self.parameters = before;
        checked?;
        self.define_known(name, Known::Macro(Rc::new(whole)))
    }

    /// `name[arguments]`
    pub(super) fn expand_macro(
        &mut self,
        whole: &Rc<Macro>,
        arguments: &[ast::Expr],
        span: Span,
    ) -> Result<Expr, Refused> {
        let arguments = self.macro_arguments(whole, arguments, span)?;
        let before = std::mem::replace(&mut self.parameters, arguments);
        let value = self.expr(&whole.value);
        self.parameters = before;
        let value = self.inlined(&whole.name, value?, &whole.ty)?;
        Ok(Expr { span, ..value })
    }

    /// What the parameters of an inline stand for at one place that uses it.
    pub(super) fn macro_arguments(
        &mut self,
        whole: &Rc<Macro>,
        arguments: &[ast::Expr],
        span: Span,
    ) -> Result<Parameters, Refused> {
        let values: Vec<_> =
            arguments.iter().map(|argument| self.value_for(argument, Tag::D_PROTO_ARG)).collect();
        let values = values.into_iter().collect::<Result<Vec<Expr>, Refused>>()?;
        let wanted = whole.parameters.len();
        if values.len() != wanted {
            let message = format!(
                "`{}` takes {}, here {} {}",
                whole.name,
                counted(wanted, "argument"),
                are(values.len()),
                values.len()
            );
            let diagnostic = Diagnostic::error(Tag::D_PROTO_LEN, span, message);
            return Err(self.refuse(diagnostic.related(whole.span, "defined here").help(whole.prototype())));
        }
        let mut arguments = Parameters::new();
        for (value, (name, ty)) in values.into_iter().zip(&whole.parameters) {
            let Some(value) = passed(value.clone(), ty) else {
                let message = format!("`{name}` of `{}` is {ty:#}, not {:#}", whole.name, value.ty);
                let diagnostic = Diagnostic::error(Tag::D_PROTO_ARG, value.span, message);
                let diagnostic = diagnostic.related(whole.span, "defined here");
                return Err(self.refuse(diagnostic.help(whole.prototype())));
            };
            arguments.insert(name.clone(), value);
        }
        Ok(arguments)
    }

    /// The value as what the inline is declared to be.
    fn inlined(&mut self, name: &str, value: Expr, ty: &Type) -> Result<Expr, Refused> {
        if value.parts() > LARGEST {
            let message = format!("the value of `{name}` has more than {LARGEST} parts");
            let diagnostic = Diagnostic::error(Tag::D_LIMIT, value.span, message);
            return Err(self.refuse(diagnostic.help("keep it in a variable")));
        }
        let (from, span) = (value.ty.clone(), value.span);
        passed(value, ty).ok_or_else(|| {
            let message = format!("`{name}` is {ty:#}, its value {from:#}");
            let diagnostic = Diagnostic::error(Tag::D_OP_INCOMPAT, span, message);
            self.refuse(diagnostic.help("declare it with the type of its value"))
        })
    }

    fn define_known(&mut self, name: &Ident, known: Known) -> Result<(), Refused> {
        let since = self.variables.get(Scope::Global, &name.name).and_then(Known::since);
        if since.is_some() || self.is_reserved(&name.name) {
            return Err(self.taken(name, since));
        }
        self.variables.add_known(&name.name, known);
        Ok(())
    }
}

impl Macro {
    /// How it is used.
    fn prototype(&self) -> String {
        let parameters = self.parameters.iter().map(|(name, ty)| format!("{ty} {name}"));
        format!("it is `{}[{}]`", self.name, parameters.collect::<Vec<_>>().join(", "))
    }
}

/// The parameters at hand, and what they stand for.
pub(super) type Parameters = HashMap<String, Expr>;

/// The value in the type of an inline or of its parameter, where that can be.
fn passed(value: Expr, ty: &Type) -> Option<Expr> {
    match (&value.ty, ty) {
        (Type::String(_), Type::String(_)) => Some(value),
        (from, to) if from == to => Some(value),
        (from, to) if from.is_scalar() && to.is_scalar() => suits(&value, ty).then(|| value.converted(ty)),
        _ => None,
    }
}

/// A value of the type that nothing is known of.
pub(super) fn anything(ty: &Type, span: Span) -> Expr {
    match ty {
        Type::String(_) => {
            let kind = ExprKind::Builtin(Builtin::Execname);
            let comm = Expr { kind, ty: Type::String(Text::Buffer(16)), span };
            Expr { kind: ExprKind::Cast(Box::new(comm)), ty: ty.clone(), span }
        }
        Type::Composite(_) | Type::Array(..) => {
            let address = anything(&Type::Pointer(Box::new(ty.clone())), span);
            Expr { kind: ExprKind::Load(Place::Memory(Box::new(address))), ty: ty.clone(), span }
        }
        ty => {
            let argument = Expr { kind: ExprKind::Arg(0), ty: Type::Int(INT64), span };
            Expr { kind: ExprKind::Cast(Box::new(argument)), ty: ty.clone(), span }
        }
    }
}
