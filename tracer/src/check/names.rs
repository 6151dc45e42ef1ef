//! What a bare name stands for: a variable, a built-in one, an argument of the probe, a constant.

use super::ctype::{CompositeKind, NameKind};
use super::current::FILES;
use super::typed::{Expr, ExprKind, IntType, Type};
use super::types::INT64;
use super::variables::{Known, Shape, spelled};
use super::{Checker, Refused, builtins, constants, functions};
use crate::diagnostic::{Diagnostic, Span, Tag, nearest};
use crate::syntax::ast::{self, Ident, Scope};

/// What makes a variable of a name.
const ASSIGN: &str = "assign to it before it is used, or declare it";

/// D's own arrays.
const ARRAYS: [&str; 3] = ["args", "uregs", FILES];

/// How many `argN` there are.
const ARGS: u8 = 10;

impl Checker<'_> {
    /// The value of a name.
    pub(super) fn name(&mut self, scope: Scope, ident: &Ident, span: Span) -> Result<Expr, Refused> {
        if let Some(argument) = self.parameter(scope, &ident.name) {
            return Ok(Expr { span, ..argument.clone() });
        }
        match self.variables.get(scope, &ident.name) {
            Some(Known::Refused) => return Err(Refused),
            Some(Known::Translated(value, _)) => {
                let value = value.clone();
                return self.whole_translated(&value, span);
            }
            Some(Known::Macro(inline)) => {
                let since = inline.span;
                let message = format!("`{}` is an inline with parameters", ident.name);
                return Err(self.refuse(
                    Diagnostic::error(Tag::D_IDENT_BADREF, span, message)
                        .label("used without arguments")
                        .related(since, "defined here")
                        .help(format!("give its arguments: `{}[...]`", ident.name)),
                ));
            }
            Some(Known::Value(value, _)) => return Ok(Expr { span, ..value.clone() }),
            Some(Known::Entry(entry)) => {
                let (shape, ty, since) = (entry.shape.clone(), entry.ty.clone(), entry.span);
                return match shape {
                    Shape::Scalar(place) => Ok(Expr { kind: ExprKind::Load(place), ty, span }),
                    Shape::Array(_) => {
                        let name = spelled(scope, &ident.name);
                        let message = format!("`{name}` is an associative array");
                        Err(self.refuse(
                            Diagnostic::error(Tag::D_IDENT_BADREF, span, message)
                                .label("used without a subscript")
                                .related(since, "its first use")
                                .help(format!("name an element: `{name}[...]`")),
                        ))
                    }
                };
            }
            None => {}
        }
        match self.fixed_name(scope, ident, span)? {
            Some(expr) => Ok(expr),
            None => Err(self.unknown_name(scope, ident, span)),
        }
    }

    /// What a parameter of the inline at hand stands for.
    pub(super) fn parameter(&self, scope: Scope, name: &str) -> Option<&Expr> {
        if scope == Scope::Global { self.parameters.get(name) } else { None }
    }

    /// The value of a name that no program defines.
    fn fixed_name(&mut self, scope: Scope, ident: &Ident, span: Span) -> Result<Option<Expr>, Refused> {
        let name = ident.name.as_str();
        if scope != Scope::Global {
            return Ok(None);
        }
        if let Some(row) = self.known_builtin(name) {
            self.keep_current(row.builtin);
            let kernel = match row.ty {
                builtins::Kind::Kernel(tag) => {
                    self.types.of_kernel(NameKind::Composite(CompositeKind::Struct), tag)
                }
                _ => None,
            };
            let ty = kernel.map_or_else(|| row.ty(), |of| Type::Pointer(Box::new(of)));
            return Ok(Some(Expr { kind: ExprKind::Builtin(row.builtin), ty, span }));
        }
        if let Some(number) = argument_number(name) {
            return Ok(Some(Expr { kind: ExprKind::Arg(number), ty: Type::Int(INT64), span }));
        }
        if let Some((value, ty)) = constants::find(name) {
            return Ok(Some(integer(value, ty, span)));
        }
        if name == STATE_NAMES || ARRAYS.contains(&name) && self.is_reserved(name) {
            return Err(self.refuse(
                Diagnostic::error(Tag::D_IDENT_BADREF, span, format!("`{name}` is an array"))
                    .label("used without a subscript")
                    .help(format!("name an element: `{name}[0]`")),
            ));
        }
        if let Some(row) = self.known_function(name) {
            let message =
                format!("`{name}` is the {} `{}`, used without a call", row.role.word(), row.prototype);
            return Err(self.refuse(Diagnostic::error(Tag::D_IDENT_BADREF, span, message).help(row.doc)));
        }
        let asked = self.types.asks().then(|| self.traced.enumerator(name)).flatten();
        let kernel = || self.modules.as_ref().and_then(|modules| modules.enumerator(name));
        let enumerator = asked.or_else(kernel).or_else(|| self.traced.enumerator(name));
        Ok(enumerator.map(|(value, ty)| Expr { kind: ExprKind::Int(value), ty, span }))
    }

    /// All that a bare name can stand for.
    fn global_names(&self) -> Vec<&str> {
        let mut names = self.variables.names(Scope::Global);
        names.retain(|name| !matches!(self.variables.get(Scope::Global, name), Some(Known::Refused)));
        names.extend(builtins::TABLE.iter().map(|row| row.name));
        constants::names().for_each(|name| names.push(name));
        names.extend(functions::TABLE.iter().map(|row| row.name));
        names.extend(["arg0", STATE_NAMES]);
        names.extend(ARRAYS);
        names.retain(|name| self.came_later(name).is_none());
        names
    }

    /// Tells that nothing was assigned to a variable of this name.
    pub(super) fn unknown_value(&mut self, scope: Scope, ident: &Ident, span: Span) -> Refused {
        self.unknown(scope, ident, Tag::D_VAR_UNDEF, span)
    }

    /// Tells that nothing has this name; an assignment further down will add to it.
    pub(super) fn unknown_name(&mut self, scope: Scope, ident: &Ident, span: Span) -> Refused {
        let tag = if scope == Scope::Global { Tag::D_IDENT_UNDEF } else { Tag::D_VAR_UNDEF };
        self.unknown(scope, ident, tag, span)
    }

    /// Of a name that nothing has, and that is compared with a string, tells that it may be meant as one.
    pub(super) fn propose_quotes(&mut self, side: &ast::Expr) {
        let ast::ExprKind::Var(Scope::Global, ident) = &side.kind else { return };
        let unknown =
            |told: &&mut Diagnostic| told.code == Tag::D_IDENT_UNDEF && told.span == Some(side.span);
        let Some(told) = self.found.last_mut().filter(unknown) else { return };
        // A name that is near has been proposed already.
        if told.help.as_deref() == Some(ASSIGN) {
            told.help = Some(format!("a string has quotes: `\"{}\"`", ident.name));
        }
    }

    fn unknown(&mut self, scope: Scope, ident: &Ident, tag: Tag, span: Span) -> Refused {
        let name = spelled(scope, &ident.name);
        let elsewhere = Self::known_elsewhere(&ident.name, span).filter(|_| scope == Scope::Global);
        let diagnostic = if let Some(diagnostic) = elsewhere {
            diagnostic
        } else if scope == Scope::Global {
            let message = format!("there is no variable or constant `{name}`");
            let diagnostic = Diagnostic::error(tag, span, message);
            match self.came_later(&ident.name) {
                Some(later) => diagnostic.help(later),
                None => diagnostic.did_you_mean(&ident.name, self.global_names()),
            }
        } else {
            let message = format!("`{name}` has not been declared or assigned yet");
            let diagnostic = Diagnostic::error(tag, span, message).label("its type is not known here");
            match nearest(&ident.name, self.variables.names(scope)) {
                Some(near) => diagnostic.help(format!("did you mean `{}`?", spelled(scope, near))),
                None => diagnostic,
            }
        };
        let diagnostic = match diagnostic.help {
            Some(_) => diagnostic,
            None if scope == Scope::Global => diagnostic.help(ASSIGN),
            None => {
                diagnostic.help("assign to it in a clause before this one, or declare it at the beginning")
            }
        };
        self.variables.early.insert((scope, ident.name.clone()), self.found.len());
        self.variables.add_refused(scope, &ident.name);
        self.refuse(diagnostic)
    }
}

/// D's array of the names of TCP states.
pub(super) const STATE_NAMES: &str = "tcp_state_string";

/// An integer constant.
pub(super) fn integer(value: i64, ty: IntType, span: Span) -> Expr {
    Expr { kind: ExprKind::Int(value), ty: Type::Int(ty), span }
}

/// N of `argN`.
pub(super) fn argument_number(name: &str) -> Option<u8> {
    let digits = name.strip_prefix("arg")?;
    digits.parse().ok().filter(|&number: &u8| number < ARGS && digits.len() == 1)
}
