//! Names that stand for something known when the program is compiled: typedefs and enumerators.

use std::rc::Rc;

use super::ctype::{Enumeration, IntType, NameKind, Type, interned};
use super::typed::Expr;
use super::types::{INT, LONG, UINT};
use super::variables::Known;
use super::{Checker, Refused, fold};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast::{self, Declarator, Enum, Ident, Scope};

impl Checker<'_> {
    /// `typedef base declarator;`
    pub(super) fn typedef(
        &mut self,
        name: &Ident,
        base: Type,
        declarator: &Declarator,
    ) -> Result<(), Refused> {
        let ty = self.derive(base, &declarator.derived, declarator.span)?;
        if super::types::named(&name.name).is_some_and(|known| Type::Int(known).size() != ty.size()) {
            return Err(self.taken(name, None));
        }
        if self.is_reserved(&name.name) {
            return Err(self.taken(name, None));
        }
        let variable = self.variables.get(Scope::Global, &name.name).and_then(Known::since);
        let since = variable.or_else(|| self.types.own(NameKind::Typedef, &name.name).map(|known| known.1));
        match since {
            Some(since) => Err(self.taken(name, Some(since))),
            _ => {
                let ty = match ty {
                    Type::Int(int) => Type::Int(IntType { name: interned(&name.name), ..int }),
                    Type::Enum(of) if of.name.is_none() => {
                        let name = interned(&name.name);
                        let int = IntType { name, ..of.int };
                        Type::Enum(Rc::new(Enumeration { name: Some(name), int, values: of.values.clone() }))
                    }
                    ty => ty,
                };
                if let Type::Composite(composite) = &ty {
                    composite.set_alias(interned(&name.name));
                }
                self.types.add(NameKind::Typedef, &name.name, ty, name.span);
                Ok(())
            }
        }
    }

    fn defined_again(&mut self, name: &Ident, since: Option<Span>) -> Refused {
        let message = format!("the type `{}` is defined again, differently", name.name);
        let diagnostic =
            Diagnostic::error(Tag::D_DECL_TYPERED, name.span, message).since(since, "defined here first");
        self.refuse(diagnostic.help("choose another name"))
    }

    /// `enum tag { a, b = 5 }`: the enumerators become constants, the type is an int.
    pub(super) fn enumeration(&mut self, list: &Enum, span: Span) -> Result<Type, Refused> {
        if let (Some(module), Some(tag)) = (&list.module, &list.tag) {
            return self.type_of_module(NameKind::Enum, module, &tag.name, span);
        }
        let Some(values) = &list.values else { return self.known_enumeration(list, span) };
        let mut constants = Vec::new();
        let mut next = 0;
        for (name, value) in values {
            let value = match value {
                None => Ok(next),
                Some(value) => self.enumerator(value),
            };
            let Ok(value) = value else {
                self.variables.add_refused(Scope::Global, &name.name);
                continue;
            };
            if i32::try_from(value).is_err() && !list.wide {
                let message = format!("the value of `{}`, {value}, does not fit in an int", name.name);
                let diagnostic = Diagnostic::error(Tag::D_DECL_ENOFLOW, name.span, message);
                self.refuse(diagnostic.help("give it a smaller value"));
            }
            next = value.wrapping_add(1);
            if constants.iter().any(|(known, _)| *known == name.name) {
                let message = format!("`{}` is an enumerator twice", name.name);
                let diagnostic = Diagnostic::error(Tag::D_UNKNOWN, name.span, message);
                self.refuse(diagnostic.help("choose another name"));
                continue;
            }
            constants.push((interned(&name.name), value));
            // A name that is taken already has been told of.
            let _ = self.define(name, super::names::integer(value, holding([value]), name.span));
        }
        let name = list.tag.as_ref().map(|tag| interned(&format!("enum {}", tag.name)));
        let all = holding(constants.iter().map(|&(_, value)| value));
        let int = IntType { name: name.unwrap_or(all.name), ..all };
        let ty = Type::Enum(Rc::new(Enumeration { name, int, values: constants }));
        if let Some(tag) = &list.tag {
            if let Some((_, since)) = self.types.own(NameKind::Enum, &tag.name) {
                let since = *since;
                return Err(self.defined_again(tag, Some(since)));
            }
            self.types.add(NameKind::Enum, &tag.name, ty.clone(), tag.span);
        }
        Ok(ty)
    }

    fn known_enumeration(&mut self, list: &Enum, span: Span) -> Result<Type, Refused> {
        let Some(tag) = &list.tag else { return Ok(Type::INT) };
        if let Some(ty) = self.types.find(NameKind::Enum, &tag.name) {
            return Ok(ty);
        }
        let message = format!("there is no `enum {}`", tag.name);
        let diagnostic = Diagnostic::error(Tag::D_DECL_INCOMPLETE, span, message);
        Err(self.refuse(diagnostic.help("define it before it is used")))
    }

    fn enumerator(&mut self, value: &ast::Expr) -> Result<i64, Refused> {
        let value = self.expr(value)?;
        match fold::constant(&value) {
            Some(value) => Ok(value),
            None => {
                let message = "an enumerator's value is an integer constant";
                let diagnostic = Diagnostic::error(Tag::D_DECL_ENCONST, value.span, message);
                Err(self.refuse(diagnostic.help("write the number")))
            }
        }
    }

    /// Gives a value a name.
    pub(super) fn define(&mut self, name: &Ident, value: Expr) -> Result<(), Refused> {
        let since = match self.variables.get(Scope::Global, &name.name) {
            Some(Known::Entry(before)) => Some(before.span),
            Some(Known::Value(before, since)) if before.kind != value.kind => Some(*since),
            Some(Known::Macro(before)) => Some(before.span),
            _ => None,
        };
        if since.is_none() && !self.is_reserved(&name.name) {
            self.variables.add_value(&name.name, value, name.span);
            return Ok(());
        }
        Err(self.taken(name, since))
    }

    /// Tells that a name cannot be defined.
    pub(super) fn taken(&mut self, name: &Ident, since: Option<Span>) -> Refused {
        let message = format!("`{}` has a meaning already", name.name);
        let diagnostic =
            Diagnostic::error(Tag::D_DECL_IDRED, name.span, message).since(since, "it has it from here");
        self.refuse(diagnostic.help("choose another name"))
    }
}

/// The integer type of an enumeration with these values: an int, unless it takes another to hold them.
fn holding(values: impl IntoIterator<Item = i64>) -> IntType {
    let (mut int, mut unsigned) = (true, true);
    for value in values {
        int &= i32::try_from(value).is_ok();
        unsigned &= u32::try_from(value).is_ok();
    }
    match (int, unsigned) {
        (true, _) => INT,
        (_, true) => UINT,
        _ => LONG,
    }
}
