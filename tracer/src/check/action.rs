//! Actions: the statements that record or control.

use std::rc::Rc;

use super::functions::{ActionName, Param, Row};
use super::typed::{Action, AggregationId, Expr, Shape, Type};
use super::{Checker, Refused, fold};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast;

impl Checker<'_> {
    /// `name(args);`
    pub(super) fn action(
        &mut self,
        row: &Row,
        name: ActionName,
        args: &[ast::Expr],
        span: Span,
    ) -> Result<Action, Refused> {
        self.check_destructive(row, name, span);
        match name {
            ActionName::Tracemem => self.tracemem(row, args, span),
            ActionName::Pcap => self.pcap(row, args, span),
            ActionName::Printm => self.printm(row, args, span),
            ActionName::Raise | ActionName::Stop => self.signal(row, args, span),
            ActionName::System | ActionName::Freopen => self.made_text(row, name, args, span),
            ActionName::Setopt => self.setopt(row, args, span),
            ActionName::Ftruncate => {
                self.check_count(row, args.len(), span)?;
                Ok(Action::Ftruncate)
            }
            ActionName::Trace => {
                if let [arg] = args
                    && self.recorded_call(arg).is_some()
                {
                    return Ok(Action::Trace(self.recordable(arg, Tag::D_TRACE_VOID)?));
                }
                if let [arg] = args {
                    const TAGS: [Tag; 3] = [Tag::D_TRACE_VOID, Tag::D_TRACE_DYN, Tag::D_TRACE_AGG];
                    return self.shown(row, arg, TAGS).map(Action::Trace);
                }
                let mut args = self.arguments(row, args, span)?;
                Ok(Action::Trace(args.pop().ok_or(Refused)?))
            }
            ActionName::Print => {
                const TAGS: [Tag; 3] = [Tag::D_PRINT_VOID, Tag::D_PRINT_DYN, Tag::D_PRINT_AGG];
                self.check_count(row, args.len(), span)?;
                let value = self.shown(row, args.first().ok_or(Refused)?, TAGS)?;
                let shape = Rc::new(Shape::of(&value.ty));
                Ok(Action::Print(value, shape))
            }
            ActionName::Exit => {
                let mut args = self.arguments(row, args, span)?;
                Ok(Action::Exit(args.pop().ok_or(Refused)?))
            }
            ActionName::Speculate => self.speculation(row, args, span).map(Action::Speculate),
            ActionName::Commit => self.speculation(row, args, span).map(Action::Commit),
            ActionName::Discard => self.speculation(row, args, span).map(Action::Discard),
            ActionName::Printf => self.printf(row, args, span),
            ActionName::Printa => self.printa(row, args, span),
            ActionName::Clear => self.about(row, args, span).map(|(id, _)| Action::Clear(id)),
            ActionName::Denormalize => self.about(row, args, span).map(|(id, _)| Action::Denormalize(id)),
            ActionName::Trunc => {
                let (id, count) = self.about(row, args, span)?;
                Ok(Action::Trunc(id, count))
            }
            ActionName::Normalize => {
                let (id, by) = self.about(row, args, span)?;
                let by = by.ok_or(Refused)?;
                if fold::constant(&by) == Some(0) {
                    let diagnostic =
                        Diagnostic::error(Tag::D_NORMALIZE_SCALAR, by.span, "values cannot be divided by 0");
                    return Err(self.refuse(diagnostic.help("denormalize() takes a normalization back")));
                }
                Ok(Action::Normalize(id, by))
            }
        }
    }

    /// The value that trace() or print() shows; the tags are those of what has none, of what is translated, and of an
    /// aggregation.
    fn shown(
        &mut self,
        row: &Row,
        arg: &ast::Expr,
        [void, dynamic, aggregation]: [Tag; 3],
    ) -> Result<Expr, Refused> {
        let named = matches!(arg.kind, ast::ExprKind::Agg(_));
        let value = self.value_in(arg, void, if named { aggregation } else { dynamic })?;
        if value.ty == Type::Void || value.ty.is_record() {
            let translated = value.ty.is_record();
            let tag = if translated { dynamic } else { void };
            let message = format!("{:#} has no value to {}", value.ty, row.name);
            let help = if translated { "name a member: `->`" } else { "show a number or a string" };
            return Err(self.refuse(Diagnostic::error(tag, arg.span, message).help(help)));
        }
        self.passed(row, 0, Param::Value, value)
    }

    /// The id of a speculation.
    fn speculation(&mut self, row: &Row, args: &[ast::Expr], span: Span) -> Result<Expr, Refused> {
        self.arguments(row, args, span)?.pop().ok_or(Refused)
    }

    /// A format with what it prints.
    pub(super) fn printf(&mut self, row: &Row, args: &[ast::Expr], span: Span) -> Result<Action, Refused> {
        self.check_count(row, args.len(), span)?;
        let Some((format, args)) = args.split_first() else { return Err(Refused) };
        let format = self.format(row.name, format);
        let values: Vec<_> = args.iter().map(|arg| self.printed(row, arg)).collect();
        let values = values.into_iter().collect::<Result<Vec<Expr>, Refused>>();
        let format = format?;
        let values = self.formatted(&format, values?)?;
        Ok(Action::Printf(format.format, values))
    }

    /// A value that is printed.
    fn printed(&mut self, row: &Row, arg: &ast::Expr) -> Result<Expr, Refused> {
        let value = self.recordable(arg, Tag::D_PRINTF_ARG_TYPE)?;
        if value.ty.is_record() || value.ty == Type::Void {
            let message = format!("`{}` cannot print {:#}", row.name, value.ty);
            let diagnostic = Diagnostic::error(Tag::D_PRINTF_ARG_TYPE, value.span, message);
            return Err(self.refuse(diagnostic.help("name a member: `->`")));
        }
        Ok(value)
    }

    fn printa(&mut self, row: &Row, args: &[ast::Expr], span: Span) -> Result<Action, Refused> {
        if args.is_empty() {
            let diagnostic = Diagnostic::error(Tag::D_PROTO_LEN, span, "`printa` needs an aggregation");
            return Err(self.refuse(diagnostic.help(format!("it is `{}`", row.prototype))));
        }
        let (format, rest) = match args {
            [first @ ast::Expr { kind: ast::ExprKind::Str(_), .. }, rest @ ..] => {
                (Some(self.format(row.name, first)), rest)
            }
            args => (None, args),
        };
        if rest.is_empty() {
            let diagnostic = Diagnostic::error(Tag::D_PRINTA_PROTO, span, "`printa` needs an aggregation");
            return Err(self.refuse(diagnostic.help(format!("it is `{}`", row.prototype))));
        }
        let ids: Vec<_> = rest.iter().map(|arg| self.mentioned(row, arg)).collect();
        let ids = ids.into_iter().collect::<Result<Vec<AggregationId>, Refused>>()?;
        let format = format.transpose()?;
        let parsed = format.as_ref().map(|format| format.format.clone());
        self.remember_printa(format, &ids, span);
        Ok(Action::Printa(parsed, ids))
    }

    /// The aggregation and the number that an action is about.
    fn about(
        &mut self,
        row: &Row,
        args: &[ast::Expr],
        span: Span,
    ) -> Result<(AggregationId, Option<Expr>), Refused> {
        self.check_count(row, args.len(), span)?;
        let [aggregation, rest @ ..] = args else { return Err(Refused) };
        let id = self.mentioned(row, aggregation);
        let number = rest.first().map(|arg| self.about_number(row, arg)).transpose();
        Ok((id?, number?))
    }

    fn about_number(&mut self, row: &Row, arg: &ast::Expr) -> Result<Expr, Refused> {
        let value = self.expr(arg)?;
        if value.ty.as_int().is_some() {
            return Ok(value.to_int(super::types::INT64));
        }
        let tag = if row.name == "trunc" { Tag::D_TRUNC_SCALAR } else { Tag::D_NORMALIZE_SCALAR };
        let message = format!("argument 2 of `{}` is a number, not {:#}", row.name, value.ty);
        Err(self
            .refuse(Diagnostic::error(tag, value.span, message).help(format!("it is `{}`", row.prototype))))
    }

    /// An argument that names an aggregation.
    fn mentioned(&mut self, row: &Row, arg: &ast::Expr) -> Result<AggregationId, Refused> {
        match &arg.kind {
            ast::ExprKind::Agg(aggregation)
                if aggregation.keys.is_empty() || !self.is_filled(&aggregation.name) =>
            {
                self.mention(row.name, aggregation)
            }
            ast::ExprKind::Agg(aggregation) => {
                let message = format!("`{}` takes a whole aggregation, not an element", row.name);
                let diagnostic = Diagnostic::error(row.wrong(0), arg.span, message);
                Err(self.refuse(diagnostic.help(format!("write `@{}`", aggregation.name))))
            }
            ast::ExprKind::Error => Err(Refused),
            _ => {
                let message = format!("`{}` takes an aggregation", row.name);
                let diagnostic = Diagnostic::error(row.wrong(0), arg.span, message);
                Err(self.refuse(diagnostic.help(format!("it is `{}`", row.prototype))))
            }
        }
    }
}
