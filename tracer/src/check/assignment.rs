//! Assignments: `=`, `op=`, `++` and `--`, and what fits where.

use super::operators::{interchangeable, leads_to_void};
use super::place::{after, decayed};
use super::target::Target;
use super::typed::{Expr, ExprKind, Place, Text, Type};
use super::types::{INT64, wrap};
use super::{Checker, Refused, fold};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast::{self, Scope};

impl Checker<'_> {
    /// `place = value`, `place op= value`
    pub(super) fn assignment(
        &mut self,
        op: Option<ast::BinOp>,
        to: &ast::Expr,
        value: &ast::Expr,
        span: Span,
    ) -> Result<Expr, Refused> {
        let named = self.named_by_argument(to);
        let to = named.as_ref().unwrap_or(to);
        self.check_no_aggregation(op, to, span)?;
        if let Some((scope, name)) = op.and_then(|_| self.unassigned(to)) {
            return Err(self.unknown_value(scope, name, to.span));
        }
        let value = self.value_for(value, Tag::D_OP_INCOMPAT);
        let Ok(value) = value else {
            self.refuse_target(to);
            return Err(Refused);
        };
        let value = if matches!(value.ty, Type::Array(_, 1..)) { value } else { decayed(value) };
        let first = if value.ty.as_text().is_some() { self.string() } else { value.ty.clone() };
        self.check_operands(op, to, &value, span)?;
        let mut target = self.target(to, &first, value.span)?;
        let setup = op.and_then(|_| self.once(&mut target.place));
        let value = match op {
            None => value,
            Some(op) => {
                self.check_step(op, &target, &value, span)?;
                let old = target.value(to.span);
                self.changed(op, old, value, span)?
            }
        };
        if let Type::Array(..) | Type::Function(_) = target.ty {
            let message =
                format!("`{}` is {:#}: nothing is assigned to it as a whole", target.name, target.ty);
            let diagnostic = Diagnostic::error(Tag::D_OP_ARRFUN, to.span, message);
            return Err(self.refuse(diagnostic.help("assign to its elements, or use bcopy()")));
        }
        let value = self.fitting(value, &target)?;
        let kind = ExprKind::Assign(target.place, Box::new(value));
        Ok(after(setup, Expr { kind, ty: target.ty, span }))
    }

    /// `++place`, `place--` and so on: `step` is 1 or -1.
    pub(super) fn step(
        &mut self,
        to: &ast::Expr,
        step: i64,
        post: bool,
        span: Span,
    ) -> Result<Expr, Refused> {
        let named = self.named_by_argument(to);
        let to = named.as_ref().unwrap_or(to);
        if !self.is_writable(to) && !self.may_be_made(to) {
            let value = self.expr(to)?;
            self.condition(value)?;
        }
        let mut target = self.target(to, &Type::Int(INT64), span)?;
        let by = match &target.ty {
            ty if ty.as_int().is_some() => step,
            Type::Pointer(of) if target.ty.is_address() && of.size().is_some() => {
                step * i64::from(of.size().unwrap_or(1))
            }
            ty if ty.is_address() => return Err(self.without_size(&target, span)),
            ty => {
                let message = format!("`{}` is {ty:#}: only a number can be counted up or down", target.name);
                return Err(self.refuse(
                    Diagnostic::error(Tag::D_OP_SCALAR, span, message).help("assign to it with `=`"),
                ));
            }
        };
        if post {
            return Ok(Expr { kind: ExprKind::PostAdd(target.place, by), ty: target.ty, span });
        }
        let setup = self.once(&mut target.place);
        let old = target.value(to.span);
        let step = super::names::integer(step, super::types::INT, span);
        let sum = self.binary(ast::BinOp::Add, old, step, span)?;
        let value = self.fitting(sum, &target)?;
        let kind = ExprKind::Assign(target.place, Box::new(value));
        Ok(after(setup, Expr { kind, ty: target.ty, span }))
    }

    /// What `+=` and `-=` ask of a pointer: to know how large what it leads to is.
    fn check_step(
        &mut self,
        op: ast::BinOp,
        target: &Target,
        value: &Expr,
        span: Span,
    ) -> Result<(), Refused> {
        let integers = target.ty.as_int().is_some() && value.ty.as_int().is_some();
        let text = target.ty.as_text().is_some() || value.ty.as_text().is_some();
        let sized = matches!(&target.ty, Type::Pointer(to) if to.size().is_some());
        if !matches!(op, ast::BinOp::Add | ast::BinOp::Sub) || integers || text || sized {
            return Ok(());
        }
        Err(self.without_size(target, span))
    }

    fn without_size(&mut self, target: &Target, span: Span) -> Refused {
        let message = format!("`{}` is {:#}: how far one step leads is not known", target.name, target.ty);
        let diagnostic = Diagnostic::error(Tag::D_OP_VFPTR, span, message);
        self.refuse(diagnostic.help("use a pointer to something with a size, such as `(char *)`"))
    }

    /// An element of an associative array, as a value.
    pub(super) fn element(
        &mut self,
        scope: Scope,
        name: &ast::Ident,
        keys: &[ast::Expr],
        span: Span,
    ) -> Result<Expr, Refused> {
        let target = self.element_target(scope, name, keys, None, span)?;
        Ok(Expr { kind: ExprKind::Load(target.place), ty: target.ty, span })
    }

    /// The value in the form in which the place holds it.
    fn fitting(&mut self, value: Expr, target: &Target) -> Result<Expr, Refused> {
        let value = match (&value.ty, &target.ty) {
            (from, to) if from.is_aggregate() && from.same(to) => return Ok(value),
            (from, Type::String(_)) if from.is_characters() || leads_to_void(from) => {
                self.beside_string(value)?
            }
            _ => decayed(value),
        };
        let integer = target.ty.as_int().map_or_else(|| target.ty.clone(), Type::Int);
        match (&value.ty, &integer) {
            (Type::Int(from), Type::Int(to)) => {
                let cut = fold::constant(&value).map_or(from.bytes > to.bytes, |number| {
                    wrap(number, *to) != number
                        && wrap(number, super::types::plain(to.bytes, !to.signed)) != number
                });
                if let (true, Some((since, false))) = (cut, target.since) {
                    let message =
                        format!("{:#} is cut to fit `{}`, which is {:#}", value.ty, target.name, target.ty);
                    let help =
                        format!("declare it at the beginning: `{};`", self.declaration_of(target, &value.ty));
                    self.found.push(
                        Diagnostic::warning(Tag::D_OP_INCOMPAT, value.span, message)
                            .related(since, "its type comes from here")
                            .help(help),
                    );
                }
                Ok(value.converted(&target.ty))
            }
            (Type::Int(_), Type::Pointer(_)) if fold::constant(&value) == Some(0) => {
                Ok(value.converted(&target.ty))
            }
            (Type::Pointer(from), Type::Pointer(to))
                if value.ty.is_address() && interchangeable(from, to) =>
            {
                Ok(value.converted(&target.ty))
            }
            (Type::String(from), Type::String(Text::Buffer(room))) => match from {
                Text::Buffer(size) if size <= room => Ok(value),
                _ => Ok(value.converted(&target.ty)),
            },
            // Assigning 0 frees a string, too.
            (Type::Int(_), Type::String(_)) if fold::constant(&value) == Some(0) => {
                Ok(super::expr::null(value.span))
            }
            _ => Err(self.does_not_fit(&value, target)),
        }
    }

    /// How the target would be declared with this type.
    fn declaration_of(&self, target: &Target, ty: &Type) -> String {
        let (scope, name) = match target.name.split_once("->") {
            Some((scope, name)) => (format!("{scope} "), name),
            None => (String::new(), target.name.as_str()),
        };
        let keys = match &target.place {
            Place::Dynamic(index, keys) if !keys.is_empty() => {
                let types = self.variables.dynamics[*index].keys.iter().map(Type::to_string);
                format!("[{}]", types.collect::<Vec<_>>().join(", "))
            }
            _ => String::new(),
        };
        format!("{scope}{ty} {name}{keys}")
    }

    fn does_not_fit(&mut self, value: &Expr, target: &Target) -> Refused {
        let message =
            format!("{:#} cannot be assigned to `{}`, which is {:#}", value.ty, target.name, target.ty);
        let diagnostic =
            Diagnostic::error(Tag::D_OP_INCOMPAT, value.span, message).label(format!("{:#}", value.ty));
        let diagnostic = match target.since {
            Some((since, true)) => diagnostic.related(since, "declared here"),
            Some((since, false)) => diagnostic.related(since, "its type comes from here"),
            None => diagnostic,
        };
        self.refuse(if value.ty.is_record() {
            diagnostic.help("name a member: `->`")
        } else if value.ty.is_scalar() && target.ty.is_scalar() {
            diagnostic.help(format!("cast it: `({})`", target.ty))
        } else {
            diagnostic.help("use a variable of another name, or convert the value")
        })
    }

    /// After this, evaluating the place twice is as evaluating it once: what has an effect is kept in variables that have
    /// no name. Gives the expression that does so, where there is anything to do.
    fn once(&mut self, place: &mut Place) -> Option<Expr> {
        let mut setup: Option<Expr> = None;
        for operand in place.operands_mut() {
            if !operand.has_effect() {
                continue;
            }
            let hidden = self.variables.add_hidden(operand.ty.clone());
            let Expr { ty, span, .. } = operand.clone();
            let load = Expr { kind: ExprKind::Load(hidden.clone()), ty: ty.clone(), span };
            let value = std::mem::replace(operand, load);
            let assign = Expr { kind: ExprKind::Assign(hidden, Box::new(value)), ty, span };
            setup = Some(after(setup, assign));
        }
        setup
    }
}
