//! What can be assigned to, and the variable that a first assignment makes.

use super::typed::{Expr, ExprKind, Place, Type};
use super::unassigned::variable;
use super::variables::{Known, Shape, spelled, widen};
use super::{Checker, Refused};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast::{self, Scope};

/// Something that is assigned to.
pub(super) struct Target {
    pub(super) place: Place,
    pub(super) ty: Type,
    /// Its name.
    pub(super) name: String,
    /// Where its type comes from, and whether it was declared there.
    pub(super) since: Option<(Span, bool)>,
}

impl Target {
    /// What lies there.
    pub(super) fn value(&self, span: Span) -> Expr {
        Expr { kind: ExprKind::Load(self.place.clone()), ty: self.ty.clone(), span }
    }
}

impl Checker<'_> {
    /// What an expression on the left of an assignment means. A new variable takes the type `first`.
    pub(super) fn target(&mut self, to: &ast::Expr, first: &Type, value: Span) -> Result<Target, Refused> {
        match &to.kind {
            ast::ExprKind::Var(scope, name) if self.parameter(*scope, &name.name).is_some() => {
                Err(self.read_only(&name.name, to.span))
            }
            ast::ExprKind::Var(scope, name) => self.scalar_target(*scope, name, first, value, to.span),
            ast::ExprKind::Index { base, keys } => match &base.kind {
                ast::ExprKind::Var(scope, name) if self.is_associative(*scope, name) => {
                    self.element_target(*scope, name, keys, Some((first, value)), to.span)
                }
                _ => self.place_target(to),
            },
            ast::ExprKind::Member { .. }
            | ast::ExprKind::Symbol { .. }
            | ast::ExprKind::Unary { op: ast::UnOp::Deref, .. } => self.place_target(to),
            ast::ExprKind::Error => Err(Refused),
            _ => Err(self.not_assignable(to)),
        }
    }

    /// A member, an element of an array, what a pointer leads to.
    fn place_target(&mut self, to: &ast::Expr) -> Result<Target, Refused> {
        let expr = self.expr(to)?;
        if expr.place().is_some() && !self.is_writable(to) {
            let message = format!("`{}` is no memory of the program: it cannot be written", described(to));
            let diagnostic = Diagnostic::error(Tag::D_OP_WRITE, to.span, message);
            return Err(self.refuse(diagnostic.help(
                "write to a variable, or through a variable that is a pointer: `this->p = (int *)...; *this->p = 1`",
            )));
        }
        match expr.kind {
            ExprKind::Load(place) => Ok(Target { place, ty: expr.ty, name: described(to), since: None }),
            ExprKind::Member(..) => Err(self.read_only(&described(to), to.span)),
            _ => Err(self.not_assignable(to)),
        }
    }

    /// Whether a place belongs to a variable of the program or is what one points to. What a cast or the kernel gives may
    /// be read only.
    pub(super) fn is_writable(&self, place: &ast::Expr) -> bool {
        use ast::ExprKind as K;
        match &place.kind {
            K::Var(scope, name) => {
                self.parameter(*scope, &name.name).is_none()
                    && matches!(self.variables.get(*scope, &name.name), Some(Known::Entry(_)))
            }
            K::Index { base, .. } | K::Member { base, .. } => self.is_writable(base),
            K::Unary { op: ast::UnOp::Deref, expr } => match &expr.kind {
                K::Binary { op: ast::BinOp::Add, left, .. } => self.is_writable(left),
                _ => self.is_writable(expr),
            },
            K::Unary {
                op: ast::UnOp::PreInc | ast::UnOp::PreDec | ast::UnOp::PostInc | ast::UnOp::PostDec,
                expr,
            } => self.is_writable(expr),
            K::Assign { place, .. } => self.is_writable(place),
            K::Binary { op: ast::BinOp::Comma, right, .. } => self.is_writable(right),
            _ => false,
        }
    }

    /// Whether a name with a subscript is an associative array, or would become one.
    pub(super) fn is_associative(&self, scope: Scope, name: &ast::Ident) -> bool {
        match self.variables.get(scope, &name.name) {
            _ if self.parameter(scope, &name.name).is_some() => false,
            Some(Known::Entry(entry)) => matches!(entry.shape, Shape::Array(_)),
            Some(Known::Value(..)) => false,
            _ => !(scope == Scope::Global && self.is_reserved(&name.name)),
        }
    }

    fn scalar_target(
        &mut self,
        scope: Scope,
        name: &ast::Ident,
        first: &Type,
        value: Span,
        span: Span,
    ) -> Result<Target, Refused> {
        let spelling = spelled(scope, &name.name);
        let entry = match self.variables.get(scope, &name.name) {
            Some(Known::Entry(entry)) => entry.clone(),
            // An inline of a variable is that variable.
            Some(Known::Value(Expr { kind: ExprKind::Load(place), ty, .. }, since))
                if !matches!(place.whole(), Place::Memory(_)) =>
            {
                let (place, ty, since) = (place.clone(), ty.clone(), Some((*since, true)));
                return Ok(Target { place, ty, name: spelling, since });
            }
            Some(Known::Value(Expr { kind: ExprKind::Int(_), .. }, _)) => {
                let message = format!("`{spelling}` is a constant: nothing can be assigned to it");
                let diagnostic = Diagnostic::error(Tag::D_OP_LVAL, span, message);
                return Err(self.refuse(diagnostic.help("compare with `==`, or choose another name")));
            }
            Some(Known::Value(..) | Known::Macro(_) | Known::Translated(..)) => {
                return Err(self.read_only(&name.name, span));
            }
            Some(Known::Refused) => return Err(self.came_late(scope, name)),
            None if scope == Scope::Global && self.is_fixed(&name.name) => {
                return Err(self.read_only(&name.name, span));
            }
            None => {
                self.check_storable(first, &spelling, value)?;
                let entry = self.variables.add(scope, &name.name, None, first.clone(), false, span);
                if let Shape::Scalar(place) = entry.shape {
                    return Ok(Target { place, ty: entry.ty, name: spelling, since: None });
                }
                entry
            }
        };
        match entry.shape {
            Shape::Scalar(place) => {
                Ok(Target { place, ty: entry.ty, name: spelling, since: Some((entry.span, entry.declared)) })
            }
            Shape::Array(_) => Err(self.refuse(
                Diagnostic::error(Tag::D_IDENT_BADREF, span, format!("`{spelling}` is an associative array"))
                    .label("used without a subscript")
                    .related(entry.span, "its first use")
                    .help(format!("assign to an element: `{spelling}[...] = ...`")),
            )),
        }
    }

    /// An element; where it is assigned to, `first` gives a new array's type.
    pub(super) fn element_target(
        &mut self,
        scope: Scope,
        name: &ast::Ident,
        keys: &[ast::Expr],
        first: Option<(&Type, Span)>,
        span: Span,
    ) -> Result<Target, Refused> {
        let spelling = spelled(scope, &name.name);
        let keys = self.keys(keys);
        let entry = match self.variables.get(scope, &name.name) {
            Some(Known::Entry(entry)) => entry.clone(),
            Some(Known::Value(..) | Known::Macro(_) | Known::Translated(..)) => {
                return Err(self.read_only(&name.name, span));
            }
            Some(Known::Refused) if first.is_some() => return Err(self.came_late(scope, name)),
            Some(Known::Refused) => return Err(Refused),
            None => {
                if scope == Scope::Clause {
                    return Err(self.local_array(Tag::D_ARR_LOCAL, &spelling, span));
                }
                let Some((first, value)) = first else { return Err(self.unknown_value(scope, name, span)) };
                if scope == Scope::Global && self.is_fixed(&name.name) {
                    return Err(self.read_only(&name.name, span));
                }
                let Ok(keys) = &keys else {
                    self.variables.add_refused(scope, &name.name);
                    return Err(Refused);
                };
                self.check_storable(first, &spelling, value)?;
                let types = keys.iter().map(|key| key.ty.clone()).collect();
                self.variables.add(scope, &name.name, Some(types), first.clone(), false, span)
            }
        };
        let Shape::Array(index) = entry.shape else {
            let message = format!("`{spelling}` is no array, but a variable of type {}", entry.ty);
            return Err(self.refuse(
                Diagnostic::error(Tag::D_ARR_BADREF, span, message)
                    .label("used with a subscript")
                    .related(entry.span, "its first use")
                    .help("give the array a name of its own"),
            ));
        };
        let keys = keys?;
        let types = self.variables.dynamics[index].keys.clone();
        self.check_keys(&spelling, &keys, &types, entry.span, span)?;
        if !entry.declared {
            widen(&mut self.variables.dynamics[index].keys, &keys);
        }
        let since = Some((entry.span, entry.declared));
        Ok(Target { place: Place::Dynamic(index, keys), ty: entry.ty, name: spelling, since })
    }

    /// Whether a variable can hold values of this type.
    fn check_storable(&mut self, ty: &Type, name: &str, value: Span) -> Result<(), Refused> {
        if ty.is_record() {
            let message = format!(
                "{ty:#} cannot be kept in `{name}`: what it points to is gone when the probe has fired"
            );
            let diagnostic = Diagnostic::error(Tag::D_OP_INCOMPAT, value, message);
            return Err(self.refuse(diagnostic.help("keep the members that you need")));
        }
        if let Type::Float(_) = ty {
            let message = "D does not calculate with floating-point numbers: a variable cannot hold one";
            let diagnostic = Diagnostic::error(Tag::D_OP_ARITH, value, message);
            return Err(self.refuse(diagnostic.help("it can be printed, with %f, %e or %g")));
        }
        if ty.is_aggregate() && ty.size().is_none_or(|size| size > super::declaration::LARGEST_VARIABLE) {
            let message = format!("{ty:#} is too large to be kept in `{name}`");
            let diagnostic = Diagnostic::error(Tag::D_LIMIT, value, message);
            return Err(self.refuse(diagnostic.help("keep its address, or the members that you need")));
        }
        if *ty == Type::Void {
            let message = format!("there is no value to assign to `{name}`");
            return Err(self.refuse(
                Diagnostic::error(Tag::D_OP_INCOMPAT, value, message).help("assign a number or a string"),
            ));
        }
        Ok(())
    }

    /// Tells, where a name was used too early, that it is assigned here.
    fn came_late(&mut self, scope: Scope, name: &ast::Ident) -> Refused {
        if let Some(diagnostic) =
            self.variables.early.remove(&(scope, name.name.clone())).and_then(|at| self.found.get_mut(at))
        {
            diagnostic.related.push((name.span, "assigned only here".to_owned()));
            diagnostic.help =
                Some(format!("declare `{}` before it is used, with its type", spelled(scope, &name.name)));
        }
        Refused
    }

    /// After a value was refused: what it was to be assigned to will not be complained about.
    pub(super) fn refuse_target(&mut self, to: &ast::Expr) {
        if let Some((scope, name)) = variable(to) {
            self.variables.add_refused(scope, &name.name);
        }
    }

    /// Whether a global name stands for something that no program defines.
    pub(super) fn is_fixed(&self, name: &str) -> bool {
        self.is_reserved(name) || super::constants::find(name).is_some()
    }

    fn read_only(&mut self, name: &str, span: Span) -> Refused {
        let message = format!("`{name}` cannot be assigned to: it is no variable of the program");
        let array = matches!(name, "args" | "uregs" | super::current::FILES);
        let tag = match self.known_function(name) {
            Some(_) => Tag::D_IDENT_BADREF,
            None if array => Tag::D_IDENT_BADREF,
            None => Tag::D_OP_WRITE,
        };
        self.refuse(Diagnostic::error(tag, span, message).help("compare with `==`, or choose another name"))
    }

    fn not_assignable(&mut self, to: &ast::Expr) -> Refused {
        if let ast::ExprKind::Symbol { name, .. } = &to.kind {
            return self.read_only(&name.name, to.span);
        }
        let diagnostic =
            Diagnostic::error(Tag::D_OP_LVAL, to.span, "this is no variable: nothing can be assigned to it");
        self.refuse(diagnostic.help("compare with `==`, or assign to a variable"))
    }

    pub(super) fn local_array(&mut self, tag: Tag, name: &str, span: Span) -> Refused {
        let message = format!("`{name}` cannot be an associative array: a clause has none of its own");
        self.refuse(Diagnostic::error(tag, span, message).help("use a thread's: `self->`"))
    }
}

/// What messages call a place that is no variable.
fn described(place: &ast::Expr) -> String {
    match &place.kind {
        ast::ExprKind::Var(scope, name) => spelled(*scope, &name.name),
        ast::ExprKind::Member { base, arrow, member } => {
            format!("{}{}{}", described(base), if *arrow { "->" } else { "." }, member.name)
        }
        ast::ExprKind::Index { base, .. } => format!("{}[...]", described(base)),
        ast::ExprKind::Unary { op: ast::UnOp::Deref, expr } => format!("*{}", described(expr)),
        _ => "(...)".to_owned(),
    }
}
