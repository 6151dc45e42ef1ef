//! Prototypes: the parameters of functions, of probes and of inlines, and the types in an associative array's brackets.

use super::typed::Type;
use super::{Checker, Refused};
use crate::diagnostic::{Diagnostic, Tag};
use crate::syntax::ast::{Derived, Param};

/// Whose parameters they are.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Prototype<'a> {
    /// An associative array's or an inline's.
    Key,
    /// A function's, or what a probe is given.
    Function,
    /// What a probe's clauses see, each being one of these.
    Translated(&'a [Param]),
}

impl Checker<'_> {
    /// The types of the parameters.
    pub(super) fn prototype(&mut self, params: &[Param], whose: Prototype) -> Result<Vec<Type>, Refused> {
        let mut types = Vec::new();
        for (number, param) in params.iter().enumerate() {
            let ty = self.parameter_type(param, whose)?;
            self.check_parameter_name(&params[..number], param, &ty, whose)?;
            types.push(ty);
        }
        if types.len() > 1 && types.contains(&Type::Void) {
            let span = params[0].ty.span;
            let diagnostic =
                Diagnostic::error(Tag::D_DECL_PROTO_VOID, span, "void stands among other parameters");
            return Err(self.refuse(diagnostic.help("`(void)` alone is no parameters")));
        }
        types.retain(|ty| *ty != Type::Void);
        Ok(types)
    }

    fn parameter_type(&mut self, param: &Param, whose: Prototype) -> Result<Type, Refused> {
        let dynamic = matches!(param.ty.derived.first(), Some(Derived::Assoc(_)));
        let ty = match dynamic {
            true => None,
            false => {
                let base = self.base_type(&param.ty.base)?;
                Some(self.derive(base, &param.ty.derived, param.ty.span)?)
            }
        };
        match ty {
            Some(Type::Void) if whose == Prototype::Key => {}
            Some(ty) => return Ok(ty),
            None => {}
        }
        let what = if dynamic { "an associative array" } else { "void" };
        let message = format!("{what} cannot be a parameter or a part of a key");
        let diagnostic = Diagnostic::error(Tag::D_DECL_PROTO_TYPE, param.ty.span, message);
        Err(self.refuse(diagnostic.help("name the type of a number, a pointer or a string")))
    }

    fn check_parameter_name(
        &mut self,
        before: &[Param],
        param: &Param,
        ty: &Type,
        whose: Prototype,
    ) -> Result<(), Refused> {
        let among = |params: &[Param]| {
            params
                .iter()
                .any(|other| matches!((&other.name, &param.name), (Some(a), Some(b)) if a.name == b.name))
        };
        let (tag, message) = match (&param.name, whose) {
            (Some(name), _) if *ty == Type::Void => {
                (Tag::D_DECL_PROTO_NAME, format!("`{}` is a parameter of type void", name.name))
            }
            (Some(name), Prototype::Translated(native)) if !among(native) => {
                (Tag::D_DECL_PROTO_FORM, format!("the probe is given no `{}`", name.name))
            }
            (Some(name), Prototype::Key | Prototype::Function) if among(before) => {
                (Tag::D_DECL_PROTO_FORM, format!("`{}` is the name of two parameters", name.name))
            }
            (None, Prototype::Translated(_)) if *ty != Type::Void => (
                Tag::D_DECL_PROTO_NAME,
                "what a probe's clauses see needs the name of what the probe is given".to_owned(),
            ),
            _ => return Ok(()),
        };
        let span = param.name.as_ref().map_or(param.ty.span, |name| name.span);
        Err(self.refuse(Diagnostic::error(tag, span, message).help("give each parameter a name of its own")))
    }
}
