//! The stability of a program: of each clause, each inline and each translator the least of what it uses.
//!
//! The names of a checked tree are looked up once more, in the same tables, for their attributes; with `-x amin` each use of
//! something that has less is refused, unless a library does it.

use std::collections::HashMap;

use super::ctype::{CompositeKind, NameKind};
use super::declaration::probe_struct;
use super::names::STATE_NAMES;
use super::standing::{Standing, Version};
use super::types::named;
use super::{Checker, constants};
use crate::diagnostic::{Diagnostic, Severity, Span, Tag};
use crate::provider::stability::{Description, Parts};
use crate::stability::{Attributes, PRIVATE, STABLE};
use crate::syntax::ast::{self, BaseKind, ExprKind, Scope, StmtKind, TypeName, UnOp};

/// What a program says of the stability and the version of its own names.
#[derive(Debug, Default)]
pub(super) struct Own {
    /// The attributes of names: what pragmas give, and those of inlines.
    pub(super) names: HashMap<String, Attributes>,
    /// The versions that pragmas bind names to.
    pub(super) bound: HashMap<String, Version>,
    /// Those of the providers that the program declares, or of which a pragma says something.
    pub(super) providers: HashMap<String, Parts>,
}

/// Something that a tree names.
struct Use {
    /// What DTrace calls it: `scalar curthread`.
    what: String,
    attributes: Attributes,
    span: Span,
}

/// Where names are looked up.
#[derive(Clone, Copy)]
struct Context<'a> {
    /// The provider whose probes the clause is for.
    parts: Option<&'a Parts>,
    /// The parameters of the inline or the translator.
    parameters: &'a [&'a str],
}

impl Checker<'_> {
    /// The attributes of a clause's statements. `mark` is the number of diagnostics before it: of a clause that is wrong
    /// anyway nothing more is told.
    pub(super) fn clause_attributes(
        &mut self,
        clause: &ast::Clause,
        descriptions: &[Description],
        mark: usize,
    ) -> Attributes {
        let (mut uses, mut least) = (Vec::new(), STABLE);
        for description in descriptions {
            let (what, attributes) = ("probe description".to_owned(), description.attributes());
            uses.push(Use { what, attributes, span: description.span });
        }
        for description in descriptions {
            let context = Context { parts: Some(&description.parts), parameters: &[] };
            clause.predicate.iter().for_each(|predicate| self.uses(predicate, context, &mut uses));
            self.uses_of_all(clause.body.as_deref().unwrap_or_default(), context, &mut uses);
        }
        for of in &uses[descriptions.len()..] {
            least = least.min(of.attributes);
        }
        self.hold_to_least(uses, mark);
        least
    }

    /// The attributes of a value that gets a name, or is made of what parameters stand for.
    pub(super) fn value_attributes(
        &mut self,
        value: &ast::Expr,
        parameters: &[&str],
        mark: usize,
    ) -> Attributes {
        let mut uses = Vec::new();
        self.uses(value, Context { parts: None, parameters }, &mut uses);
        let least = uses.iter().fold(STABLE, |least, of| least.min(of.attributes));
        self.hold_to_least(uses, mark);
        least
    }

    /// The attributes of a provider's parts.
    pub(super) fn parts(&self, provider: &str) -> Parts {
        let given = self.own.providers.get(provider);
        given.copied().unwrap_or_else(|| Parts::of(provider))
    }

    /// Refuses what has less than `-x amin` asks for.
    fn hold_to_least(&mut self, uses: Vec<Use>, mark: usize) {
        let Some(least) = self.options.amin.filter(|_| !self.in_library) else { return };
        if self.found[mark..].iter().any(|found| found.severity == Severity::Error) {
            return;
        }
        for Use { what, attributes, span } in uses.into_iter().filter(|of| of.attributes.falls_below(least)) {
            if self.found[mark..]
                .iter()
                .any(|found| found.code == Tag::D_ATTR_MIN && found.span == Some(span))
            {
                continue;
            }
            let message = format!("attributes for {what} ({attributes}) are less than predefined minimum");
            let diagnostic = Diagnostic::error(Tag::D_ATTR_MIN, span, message);
            self.found
                .push(diagnostic.help(format!("option `amin` asks for {least}; leave it out, or give less")));
        }
    }

    fn uses_of_all(&self, statements: &[ast::Stmt], context: Context, uses: &mut Vec<Use>) {
        for statement in statements {
            match &statement.kind {
                StmtKind::Expr(expr) => self.uses(expr, context, uses),
                StmtKind::Aggregate { agg, func, args } => {
                    self.use_of_function(func, uses);
                    agg.keys.iter().chain(args).for_each(|expr| self.uses(expr, context, uses));
                }
                StmtKind::If { cond, then, otherwise } => {
                    self.uses(cond, context, uses);
                    self.uses_of_all(then, context, uses);
                    self.uses_of_all(otherwise, context, uses);
                }
            }
        }
    }

    /// What an expression and all that it is made of names.
    fn uses(&self, expr: &ast::Expr, context: Context, uses: &mut Vec<Use>) {
        match &expr.kind {
            ExprKind::Var(scope, name) => uses.extend(self.use_of_name(*scope, name, context)),
            ExprKind::Symbol { name, .. } => {
                let what = format!("external symbol {}", name.name);
                uses.push(Use { what, attributes: PRIVATE, span: expr.span });
            }
            ExprKind::Call { func, .. } => self.use_of_function(func, uses),
            ExprKind::Cast { ty, .. }
            | ExprKind::SizeofType(ty)
            | ExprKind::Offsetof { ty, .. }
            | ExprKind::Xlate { ty, .. } => uses.extend(self.use_of_type(ty)),
            ExprKind::Unary { op: UnOp::Sizeof, expr: inner } => {
                if matches!(&inner.kind, ExprKind::Var(Scope::Global, name) if self.is_type(&name.name)) {
                    return;
                }
            }
            _ => {}
        }
        expr.children().into_iter().for_each(|child| self.uses(child, context, uses));
    }

    fn use_of_function(&self, func: &ast::Ident, uses: &mut Vec<Use>) {
        if let Some(row) = self.known_function(&func.name) {
            let what = format!("{}( )", row.name);
            uses.push(Use { what, attributes: row.standing.attributes, span: func.span });
        }
    }

    fn use_of_name(&self, scope: Scope, ident: &ast::Ident, context: Context) -> Option<Use> {
        let (name, span) = (ident.name.as_str(), ident.span);
        if scope == Scope::Global && context.parameters.contains(&name) {
            return None;
        }
        let kind = |array: bool| if array { "array" } else { "scalar" };
        if scope != Scope::Global || self.variables.get(scope, name).is_some() {
            let spelled = super::variables::spelled(scope, name);
            let attributes = self.own.names.get(&spelled).copied().unwrap_or(STABLE);
            let what = format!("{} {spelled}", kind(self.is_associative(scope, ident)));
            return Some(Use { what, attributes, span });
        }
        let of_context = context.parts.and_then(|parts| match name {
            "probeprov" => Some(parts.provider),
            "probemod" => Some(parts.module),
            "probefunc" => Some(parts.function),
            "probename" => Some(parts.name),
            "args" => Some(parts.args),
            _ => None,
        });
        let of_language = || Standing::of_variable(name).map(|standing| standing.attributes);
        if let Some(attributes) = of_context.or_else(of_language) {
            return Some(Use { what: format!("{} {name}", kind(name == "args")), attributes, span });
        }
        // What is left is an enumerator of the kernel's.
        let defined = name == STATE_NAMES || constants::find(name).is_some();
        let attributes = if defined { STABLE } else { PRIVATE };
        Some(Use { what: format!("enumerator {name}"), attributes, span })
    }

    /// A type's name, where it is the kernel's.
    fn use_of_type(&self, ty: &TypeName) -> Option<Use> {
        let own = |kind, name: &str| self.types.own(kind, name).is_some();
        let kernels = match &ty.base.kind {
            BaseKind::Named { module, name } => {
                let name = name.name.as_str();
                let of_language =
                    || named(name).is_some() || name == "caddr_t" || probe_struct(name).is_some();
                module.is_some() || !own(NameKind::Typedef, name) && !of_language()
            }
            BaseKind::Record(ast::Record { union, module, tag: Some(tag), members: None }) => {
                let kind = if *union { CompositeKind::Union } else { CompositeKind::Struct };
                module.is_some() || !own(NameKind::Composite(kind), &tag.name)
            }
            BaseKind::Enum(ast::Enum { module, tag: Some(tag), values: None, .. }) => {
                module.is_some() || !own(NameKind::Enum, &tag.name)
            }
            _ => false,
        };
        let what = format!("type {}", crate::syntax::print_type(ty));
        kernels.then_some(Use { what, attributes: PRIVATE, span: ty.span })
    }
}
