//! Formats of printf and printa against what they are given.

use std::ops::Range;
use std::rc::Rc;

use super::place::decayed;
use super::recorded::addressed;
use super::typed::{Aggregation, Expr, Function, IntType, Type};
use super::types::{INT, INT64, UINT64};
use super::{Checker, Refused, are, counted};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast;
use crate::syntax::format::{Conversion, Format, Prefix, Size, Takes};

/// A format string with its place.
#[derive(Debug, Clone)]
pub(super) struct FormatText {
    pub(super) format: Rc<Format>,
    bytes: Vec<u8>,
    span: Span,
}

impl FormatText {
    /// The place of a conversion.
    fn place(&self, conversion: &Conversion) -> Span {
        part(self.span, &self.bytes, conversion.range.0..conversion.range.1)
    }
}

/// Whether it is the type that a conversion's size prefix insists on: of this size, and of this sign where the
/// conversion prints one.
fn is_of_prefix(conversion: &Conversion, ty: IntType) -> bool {
    let Some(prefix) = conversion.prefix else { return true };
    let signed = match conversion.letter.as_str() {
        "d" | "i" => true,
        "u" | "o" => false,
        _ => ty.signed,
    };
    u32::from(ty.bytes) == prefix.bytes() && ty.signed == signed
}

/// What a conversion asks of its argument: `%a` and `%A` print an address by its symbol.
fn by_letter(conversion: &Conversion, arg: Expr) -> Expr {
    match conversion.letter.as_str() {
        letter @ ("a" | "A") if arg.ty.is_scalar() => addressed(arg, letter == "A"),
        _ => arg,
    }
}

/// The place of some bytes of a string constant: all of it where it is written other than in the usual way, a plain
/// character as itself and a control character as a backslash and a letter.
fn part(span: Span, bytes: &[u8], range: Range<usize>) -> Span {
    let written = |bytes: &[u8]| -> u32 {
        let escaped = |byte: &u8| byte.is_ascii_control() || matches!(byte, b'"' | b'\\');
        bytes.iter().map(|byte| if escaped(byte) { 2 } else { 1 }).sum()
    };
    let (Some(before), Some(marked)) = (bytes.get(..range.start), bytes.get(range)) else { return span };
    if span.end - span.start != written(bytes) + 2 {
        return span;
    }
    let start = span.start + 1 + written(before);
    Span { start, end: start + written(marked), ..span }
}

impl Checker<'_> {
    /// The format that an argument is.
    pub(super) fn format(&mut self, action: &str, arg: &ast::Expr) -> Result<FormatText, Refused> {
        let ast::ExprKind::Str(bytes) = &arg.kind else {
            if !matches!(arg.kind, ast::ExprKind::Error) {
                let message = format!("the format of `{action}` is a string constant");
                let diagnostic = Diagnostic::error(Tag::D_PRINTF_ARG_FMT, arg.span, message);
                self.refuse(diagnostic.help(format!("write `{action}(\"%s\", ...)`, or trace() the value")));
            }
            return Err(Refused);
        };
        if bytes.is_empty() {
            let diagnostic = Diagnostic::error(Tag::D_PRINTF_FMT_EMPTY, arg.span, "the format is empty");
            return Err(self.refuse(diagnostic.help("say what is to be printed")));
        }
        match Format::parse(bytes) {
            Ok(format) => Ok(FormatText { format: Rc::new(format), bytes: bytes.clone(), span: arg.span }),
            Err(error) => {
                let span = part(arg.span, bytes, error.range);
                let diagnostic = Diagnostic::error(Tag::D_SYNTAX, span, error.message);
                Err(self.refuse(
                    diagnostic.help(
                        "conversions are those of printf(3) for integers and strings, and %Y %S %C %a %p",
                    ),
                ))
            }
        }
    }

    /// The arguments of printf by its format.
    pub(super) fn formatted(&mut self, format: &FormatText, args: Vec<Expr>) -> Result<Vec<Expr>, Refused> {
        let mut left = args.into_iter();
        let mut taken = Vec::new();
        let mut refused = Ok(());
        for (number, conversion) in format.format.conversions().enumerate() {
            let place = format.place(conversion);
            if conversion.aggregation {
                let diagnostic = Diagnostic::error(
                    Tag::D_PRINTF_AGG_CONV,
                    place,
                    "`%@` prints an aggregation: printf has none",
                );
                return Err(self.refuse(diagnostic.help("use printa()")));
            }
            for size in [conversion.width, conversion.precision] {
                if size == Some(Size::Dynamic) {
                    match left.next() {
                        Some(arg) => match self.dynamic_size(arg) {
                            Ok(arg) => taken.push(arg),
                            Err(error) => refused = Err(error),
                        },
                        None => {
                            let message = format!(
                                "conversion {} takes its width or precision from an argument",
                                number + 1
                            );
                            let diagnostic = Diagnostic::error(Tag::D_PRINTF_DYN_PROTO, place, message);
                            return Err(self.refuse(
                                diagnostic
                                    .label("no argument for `*`")
                                    .help("give the width before the value"),
                            ));
                        }
                    }
                }
            }
            let Some(arg) = left.next() else {
                let given = taken.len();
                let wanted = format.format.conversions().map(Conversion::arguments).sum::<usize>();
                let message =
                    format!("the format takes {}, here {} {given}", counted(wanted, "argument"), are(given));
                let diagnostic =
                    Diagnostic::error(Tag::D_PRINTF_ARG_PROTO, place, message).label("no argument for this");
                return Err(self.refuse(diagnostic.help("give it a value, or write %% for a percent sign")));
            };
            let arg = match (conversion.takes(), &arg.ty) {
                (Takes::Text, Type::Array(..)) => self.as_string(arg),
                (Takes::WideText, Type::Array(..)) => Ok(arg),
                _ => Ok(decayed(arg)),
            };
            match arg.and_then(|arg| {
                self.convertible(conversion, &arg.ty, "argument", arg.span)
                    .map(|()| taken.push(by_letter(conversion, arg)))
            }) {
                Ok(()) => {}
                Err(error) => refused = Err(error),
            }
        }
        if let Some(extra) = left.next() {
            let message = "the format has no conversion for this argument";
            let diagnostic = Diagnostic::error(Tag::D_PRINTF_ARG_EXTRA, extra.span, message);
            return Err(
                self.refuse(diagnostic.help("add a conversion such as %d or %s, or leave the argument out"))
            );
        }
        refused.map(|()| taken)
    }

    fn dynamic_size(&mut self, arg: Expr) -> Result<Expr, Refused> {
        if arg.ty.as_int().is_some() {
            return Ok(arg.to_int(INT));
        }
        let message = format!("a width or precision is a number, not {:#}", arg.ty);
        Err(self.refuse(
            Diagnostic::error(Tag::D_PRINTF_DYN_TYPE, arg.span, message)
                .help("give the width before the value"),
        ))
    }

    /// Whether a conversion can print a value of this type.
    fn convertible(
        &mut self,
        conversion: &Conversion,
        ty: &Type,
        what: &str,
        span: Span,
    ) -> Result<(), Refused> {
        let letter = format!("{}{}", conversion.prefix.map_or("", Prefix::letters), conversion.letter);
        let letter = letter.as_str();
        let fits = match conversion.takes() {
            Takes::Integer => ty.as_int().is_some_and(|ty| is_of_prefix(conversion, ty)),
            Takes::Character => ty.as_int().is_some_and(|ty| ty.bytes <= INT.bytes),
            Takes::Wide => ty.as_int().is_some_and(|ty| (ty.bytes, ty.signed) == (INT.bytes, INT.signed)),
            Takes::WideText => {
                matches!(ty, Type::Array(of, _) if of.as_int().is_some_and(|of| of.bytes == INT.bytes))
            }
            Takes::Address => {
                ty.is_scalar() || matches!(ty, Type::Symbol(symbol) if symbol.user == (letter == "A"))
            }
            Takes::Time => matches!(ty, Type::Int(IntType { bytes: 8, .. })),
            Takes::Text => ty.as_text().is_some() || matches!(ty, Type::Symbol(_)),
            Takes::Float => match ty {
                Type::Float(ty) => conversion.prefix.is_none_or(|prefix| prefix.bytes() == ty.bytes()),
                _ => false,
            },
            Takes::Stack => matches!(ty, Type::Stack(_)),
        };
        if fits {
            return Ok(());
        }
        let (wants, help) = match (conversion.takes(), ty) {
            (Takes::WideText, _) => ("an array of wide characters", "print a string with %s"),
            (Takes::Text, Type::Int(_)) if what == "argument" => (
                "a string",
                "print a number with %d; copyinstr() reads a string from an address of the traced program",
            ),
            (Takes::Text, Type::Pointer(_)) if ty.is_characters() => (
                "a string",
                "stringof() reads one of the kernel, copyinstr() one of the traced program; %p prints the address",
            ),
            (Takes::Text, Type::Pointer(_)) => ("a string", "print an address with %p"),
            (Takes::Text, _) => ("a string", "print a number with %d"),
            (Takes::Float, Type::Float(_)) => ("a long double", "leave the `L` out: types are known"),
            (Takes::Float, _) => ("a floating-point number", "print an integer with %d"),
            (_, Type::Float(_)) => ("an integer", "print a floating-point number with %f, %e or %g"),
            (Takes::Time, _) => ("nanoseconds since 1970", "give it walltimestamp"),
            (Takes::Stack, _) => ("a stack", "give it stack() or ustack()"),
            (_, Type::Stack(_)) => ("a number", "print a stack with %k"),
            (_, Type::Symbol(_)) => (
                "a number",
                "print what sym() and the like record with %s, or with %a; what usym() and the like record, with %A",
            ),
            (_, Type::String(_)) => ("a number", "print a string with %s"),
            (_, Type::Pointer(_)) => ("a number", "print an address with %p"),
            (Takes::Character | Takes::Wide, Type::Int(_)) => ("a character", "print a number with %d"),
            (_, Type::Int(_) | Type::Enum(_)) => (
                "a number of another size or sign",
                "leave the size prefix out: the sizes of D's values are known",
            ),
            (_, _) => ("a number", "name a member: `->`"),
        };
        let message = format!("`%{letter}` prints {wants}; this {what} is {ty:#}");
        Err(self.refuse(
            Diagnostic::error(Tag::D_PRINTF_ARG_TYPE, span, message).label(format!("{ty:#}")).help(help),
        ))
    }

    /// Whether a part of a key can be the width or precision of a conversion.
    fn is_width(&mut self, key: Option<&Type>, place: Span) -> bool {
        let (tag, message) = match key {
            Some(ty) if ty.as_int().is_some() => return true,
            Some(ty) => (Tag::D_PRINTF_DYN_TYPE, format!("a width or precision is a number, not {ty:#}")),
            None => {
                (Tag::D_PRINTF_DYN_PROTO, "no part of the key is left for this width or precision".into())
            }
        };
        self.refuse(Diagnostic::error(tag, place, message).help("write it as a number"));
        false
    }

    /// The format of printa against the keys and values of its aggregations.
    pub(super) fn check_printa(&mut self, format: &FormatText, aggregations: &[Aggregation]) {
        let Some(first) = aggregations.first() else { return };
        let (mut keys, mut values) = (first.keys.iter(), 0);
        for conversion in format.format.conversions() {
            let place = format.place(conversion);
            for size in [conversion.width, conversion.precision] {
                if size == Some(Size::Dynamic) && !self.is_width(keys.next(), place) {
                    return;
                }
            }
            if conversion.aggregation {
                // What is behind the last aggregation prints it again.
                let aggregation = aggregations.get(values).or(aggregations.last()).unwrap_or(first);
                values += 1;
                let counts = aggregation.function == Function::Count;
                let number = Type::Int(if counts { UINT64 } else { INT64 });
                if !aggregation.function.is_histogram()
                    && self.convertible(conversion, &number, "aggregation's value", place).is_err()
                {
                    return;
                }
            } else if let Some(key) = keys.next() {
                let _ = self.convertible(conversion, key, "part of the key", place);
            } else {
                let message = format!(
                    "the key of `@{}` has {}: nothing is left for this conversion",
                    first.name,
                    counted(first.keys.len(), "part")
                );
                let diagnostic = Diagnostic::error(Tag::D_PRINTF_ARG_PROTO, place, message);
                self.refuse(diagnostic.help("the value is printed by `%@d`"));
                return;
            }
        }
    }
}
