//! Aggregations: one function and one key each, all through the program.

use super::format::FormatText;
use super::functions::{AggregatingName, Param, Role, Row};
use super::typed::{Aggregation, AggregationId, Expr, Function, Stmt, Type};
use super::types::INT64;
use super::variables::widen;
use super::{Checker, Refused, fold};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast;

/// All aggregations that the program names, and what can be checked only at its end.
#[derive(Debug, Default, Clone)]
pub(super) struct Aggregations {
    entries: Vec<Entry>,
    printed: Vec<Printed>,
}

/// An aggregation.
#[derive(Debug, Clone)]
struct Entry {
    name: String,
    /// What fills it, with its key, where anything does.
    filled: Option<Filled>,
    /// Where filling it was refused.
    refused: bool,
}

#[derive(Debug, Clone)]
struct Filled {
    function: Function,
    keys: Vec<Type>,
    span: Span,
}

/// A printa.
#[derive(Debug, Clone)]
struct Printed {
    format: Option<FormatText>,
    ids: Vec<AggregationId>,
    span: Span,
}

impl Checker<'_> {
    /// `@name[keys] = func(args);`
    pub(super) fn aggregate(
        &mut self,
        agg: &ast::AggRef,
        func: &ast::Ident,
        args: &[ast::Expr],
        span: Span,
    ) -> Result<Stmt, Refused> {
        let id = self.aggregation_id(&agg.name);
        let keys = self.recordable_keys(&agg.keys);
        let filled = self.aggregating(func, args, span);
        let (Ok(keys), Ok((function, value, weight))) = (keys, filled) else {
            self.aggregations.entries[id].refused = true;
            return Err(Refused);
        };
        match self.aggregations.entries[id].filled.clone() {
            None => {
                let types = keys.iter().map(|key| key.ty.clone()).collect();
                self.aggregations.entries[id].filled =
                    Some(Filled { function, keys: types, span: agg.span.to(func.span) });
            }
            Some(before) => {
                self.check_same(&agg.name, before.function, function, before.span, func.span)?;
                self.check_keys(&format!("@{}", agg.name), &keys, &before.keys, before.span, agg.span)?;
                if let Some(filled) = &mut self.aggregations.entries[id].filled {
                    widen(&mut filled.keys, &keys);
                }
            }
        }
        Ok(Stmt::Aggregate { aggregation: id, keys, value, weight, span })
    }

    /// Whether something has filled it so far.
    pub(super) fn is_filled(&self, name: &str) -> bool {
        self.aggregations
            .entries
            .iter()
            .any(|entry| entry.name == name && (entry.filled.is_some() || entry.refused))
    }

    /// The aggregating function with its arguments: its constants, the value, the increment.
    fn aggregating(
        &mut self,
        func: &ast::Ident,
        args: &[ast::Expr],
        span: Span,
    ) -> Result<(Function, Option<Expr>, Option<Expr>), Refused> {
        let row = match self.known_function(&func.name) {
            Some(row) => row,
            None if Self::known_elsewhere(&func.name, func.span).is_some() => {
                return Err(self.unknown_function(func));
            }
            None => {
                let names =
                    super::functions::TABLE.iter().filter(|row| matches!(row.role, Role::Aggregating(_)));
                let message = format!("there is no aggregating function `{}`", func.name);
                let diagnostic = Diagnostic::error(Tag::D_AGG_FUNC, func.span, message);
                let all: Vec<&str> = names.map(|row| row.name).collect();
                let diagnostic = diagnostic.did_you_mean(&func.name, all.iter().copied());
                return Err(self.refuse(match diagnostic.help {
                    Some(_) => diagnostic,
                    None => diagnostic.help(format!("there are {}", all.join(", "))),
                }));
            }
        };
        let Role::Aggregating(name) = row.role else {
            let message = format!("`{}` is an {}, not an aggregating function", row.name, row.role.word());
            let diagnostic = Diagnostic::error(
                Tag::D_AGG_FUNC,
                func.span,
                message.replace("an subroutine", "a subroutine"),
            );
            return Err(self.refuse(diagnostic.help(
                "an aggregation takes count(), sum(), avg(), min(), max(), stddev(), quantize(), lquantize() or llquantize()",
            )));
        };
        if args.iter().any(|arg| matches!(arg.kind, ast::ExprKind::Agg(_))) {
            let message = format!("`{}` takes numbers, not an aggregation", row.name);
            let diagnostic = Diagnostic::error(row.wrong(0), span, message);
            return Err(self.refuse(diagnostic.help(format!("it is `{}`", row.prototype))));
        }
        let mut args = self.arguments(row, args, span)?.into_iter();
        let plain = |function, mut args: std::vec::IntoIter<Expr>| {
            let (value, weight) = (args.next(), args.next());
            Ok((function, value, weight))
        };
        match name {
            AggregatingName::Count => Ok((Function::Count, None, None)),
            AggregatingName::Sum => plain(Function::Sum, args),
            AggregatingName::Avg => plain(Function::Avg, args),
            AggregatingName::Min => plain(Function::Min, args),
            AggregatingName::Max => plain(Function::Max, args),
            AggregatingName::Stddev => plain(Function::Stddev, args),
            AggregatingName::Quantize => plain(Function::Quantize, args),
            AggregatingName::Lquantize => {
                let value = args.next();
                let function = self.lquantize(row, &mut args, span)?;
                Ok((function, value, args.next().map(|weight| weight.to_int(INT64))))
            }
            AggregatingName::Llquantize => {
                let value = args.next();
                let function = self.llquantize(&mut args, span)?;
                Ok((function, value, args.next().map(|weight| weight.to_int(INT64))))
            }
        }
    }

    /// The bounds and the step of lquantize.
    fn lquantize(
        &mut self,
        row: &Row,
        args: &mut std::vec::IntoIter<Expr>,
        span: Span,
    ) -> Result<Function, Refused> {
        let constants = row.params.iter().filter(|param| **param == Param::Constant).count();
        let parts: Vec<Expr> = args.by_ref().take(constants).collect();
        let [low, high, step @ ..] = parts.as_slice() else { return Err(Refused) };
        let fits_int = |value: i64| i32::try_from(value).is_ok();
        let low_value = self.bound(
            low,
            "lowest value",
            Tag::D_LQUANT_BASETYPE,
            Tag::D_LQUANT_BASEVAL,
            "a 32-bit number",
            fits_int,
        );
        let high_value = self.bound(
            high,
            "highest value",
            Tag::D_LQUANT_LIMTYPE,
            Tag::D_LQUANT_LIMVAL,
            "a 32-bit number",
            fits_int,
        );
        let step_value = match step.first() {
            None => Ok(1),
            Some(step) => self.bound(
                step,
                "step",
                Tag::D_LQUANT_STEPTYPE,
                Tag::D_LQUANT_STEPVAL,
                "a 16-bit number",
                |value| value <= i64::from(u16::MAX),
            ),
        };
        let (low_value, high_value, step_value) = (low_value?, high_value?, step_value?);
        if step_value <= 0 {
            let message = format!("lquantize's step is a positive number, not {step_value}");
            let diagnostic = Diagnostic::error(Tag::D_LQUANT_STEPTYPE, span, message);
            return Err(self.refuse(diagnostic.help("give the width of one level")));
        }
        let range = high_value - low_value;
        let step_span = step.first().map_or(span, |step| step.span);
        let (tag, at, message, help) = if range <= 0 {
            let message =
                format!("lquantize's highest value {high_value} is not above its lowest, {low_value}");
            (Tag::D_LQUANT_MISMATCH, low.span.to(high.span), message, "give the lowest value first")
        } else if range < step_value {
            let message = format!("a step of {step_value} is larger than the whole range of {range}");
            (Tag::D_LQUANT_STEPLARGE, step_span, message, "give a smaller step")
        } else if range / step_value > i64::from(u16::MAX) {
            let message =
                format!("a step of {step_value} makes {} levels, more than {}", range / step_value, u16::MAX);
            (Tag::D_LQUANT_STEPSMALL, step_span, message, "give a larger step")
        } else {
            return Ok(Function::Lquantize { low: low_value, high: high_value, step: step_value as u64 });
        };
        Err(self.refuse(Diagnostic::error(tag, at, message).help(help)))
    }

    fn bound(
        &mut self,
        expr: &Expr,
        what: &str,
        not_constant: Tag,
        not_fitting: Tag,
        range: &str,
        fits: impl Fn(i64) -> bool,
    ) -> Result<i64, Refused> {
        match fold::constant(expr) {
            Some(value) if fits(value) => Ok(value),
            Some(value) => {
                let message = format!("lquantize's {what} is {range}, not {value}");
                Err(self.refuse(
                    Diagnostic::error(not_fitting, expr.span, message)
                        .help("divide the values and their bounds"),
                ))
            }
            None => {
                let message = format!("lquantize's {what} is an integer constant");
                let diagnostic =
                    Diagnostic::error(not_constant, expr.span, message).label("known only when it runs");
                Err(self.refuse(diagnostic.help("write the number, or give it as $1")))
            }
        }
    }

    /// Whether an aggregation is filled as before.
    fn check_same(
        &mut self,
        name: &str,
        before: Function,
        now: Function,
        since: Span,
        span: Span,
    ) -> Result<(), Refused> {
        let (tag, message) = match (before, now) {
            (a, b) if a == b => return Ok(()),
            (Function::Llquantize { .. }, Function::Llquantize { .. }) => {
                super::llquantize::mismatch(name, before, now)
            }
            (Function::Lquantize { low, .. }, Function::Lquantize { low: now, .. }) if low != now => {
                (Tag::D_LQUANT_MATCHBASE, format!("the lowest value of `@{name}` is {low}, here it is {now}"))
            }
            (Function::Lquantize { high, .. }, Function::Lquantize { high: now, .. }) if high != now => (
                Tag::D_LQUANT_MATCHLIM,
                format!("the highest value of `@{name}` is {high}, here it is {now}"),
            ),
            (Function::Lquantize { step, .. }, Function::Lquantize { step: now, .. }) => {
                (Tag::D_LQUANT_MATCHSTEP, format!("the step of `@{name}` is {step}, here it is {now}"))
            }
            _ => {
                let message =
                    format!("`@{name}` is filled by {}() elsewhere, here by {}()", before.name(), now.name());
                (Tag::D_AGG_REDEF, message)
            }
        };
        let diagnostic = Diagnostic::error(tag, span, message).related(since, "filled here first");
        Err(self.refuse(diagnostic.help("give the second aggregation a name of its own")))
    }

    fn aggregation_id(&mut self, name: &str) -> AggregationId {
        let entries = &mut self.aggregations.entries;
        entries.iter().position(|entry| entry.name == name).unwrap_or_else(|| {
            entries.push(Entry { name: name.to_owned(), filled: None, refused: false });
            entries.len() - 1
        })
    }

    /// The aggregation that an action names. Something has to have filled it by then.
    pub(super) fn mention(&mut self, action: &str, agg: &ast::AggRef) -> Result<AggregationId, Refused> {
        // A name with a key makes an aggregation, if an empty one.
        let named = !agg.keys.is_empty() || self.aggregations.entries.iter().any(|e| e.name == agg.name);
        if self.is_filled(&agg.name) {
            return Ok(self.aggregation_id(&agg.name));
        }
        let tag = match action {
            _ if !named => Tag::D_IDENT_UNDEF,
            "clear" => Tag::D_CLEAR_AGGBAD,
            "trunc" => Tag::D_TRUNC_AGGBAD,
            "printa" => Tag::D_PRINTA_AGGBAD,
            _ => Tag::D_NORMALIZE_AGGBAD,
        };
        let message = format!("nothing has filled the aggregation `@{}` so far", agg.name);
        let diagnostic = Diagnostic::error(tag, agg.span, message);
        let filled = self.aggregations.entries.iter().filter(|entry| entry.filled.is_some());
        let near = crate::diagnostic::nearest(&agg.name, filled.map(|entry| entry.name.as_str()));
        let help = near
            .map_or(format!("fill it in a clause before this one: `@{} = count();`", agg.name), |near| {
                format!("did you mean `@{near}`?")
            });
        if named {
            self.aggregation_id(&agg.name);
        }
        Err(self.refuse(diagnostic.help(help)))
    }

    /// A printa, to be checked when all keys are known.
    pub(super) fn remember_printa(&mut self, format: Option<FormatText>, ids: &[AggregationId], span: Span) {
        self.aggregations.printed.push(Printed { format, ids: ids.to_vec(), span });
    }

    /// The aggregations, when all clauses have been seen.
    pub(super) fn finish_aggregations(&mut self) -> Vec<Aggregation> {
        let Aggregations { entries, printed } = std::mem::take(&mut self.aggregations);
        let all: Option<Vec<Aggregation>> = entries.into_iter().map(Entry::finish).collect();
        let Some(all) = all else { return Vec::new() };
        printed.iter().for_each(|printed| self.check_printed(printed, &all));
        all
    }

    fn check_printed(&mut self, printed: &Printed, all: &[Aggregation]) {
        let aggregations: Vec<Aggregation> = printed.ids.iter().map(|&id| all[id].clone()).collect();
        let Some((first, rest)) = aggregations.split_first() else { return };
        let alike = |a: &Type, b: &Type| a.as_int().is_some() == b.as_int().is_some();
        for other in rest {
            let tag = if first.keys.len() != other.keys.len() {
                Some(Tag::D_PRINTA_AGGKEY)
            } else {
                let alike = first.keys.iter().zip(&other.keys).all(|(a, b)| alike(a, b));
                (!alike).then_some(Tag::D_PRINTA_AGGPROTO)
            };
            if let Some(tag) = tag {
                let key = |aggregation: &Aggregation| {
                    aggregation.keys.iter().map(|ty| ty.to_string()).collect::<Vec<_>>().join(", ")
                };
                let message = format!(
                    "`@{}` and `@{}` cannot be joined: the key of one is [{}], of the other [{}]",
                    first.name,
                    other.name,
                    key(first),
                    key(other)
                );
                let diagnostic = Diagnostic::error(tag, printed.span, message);
                self.found.push(diagnostic.help("print them one by one"));
                return;
            }
        }
        if let Some(format) = &printed.format {
            self.check_printa(format, &aggregations);
        }
    }
}

impl Entry {
    fn finish(self) -> Option<Aggregation> {
        let Filled { function, keys, .. } = self.filled?;
        Some(Aggregation { name: self.name, function, keys })
    }
}
