//! The constants of llquantize(): what each may be, and how they go together.

use super::typed::{Expr, Function};
use super::{Checker, Refused, fold};
use crate::diagnostic::{Diagnostic, Span, Tag};

/// A constant: its name, and the tags of one that is no constant, of one that does not fit, and of one that differs.
struct Part {
    what: &'static str,
    tags: [Tag; 3],
}

const PARTS: [Part; 4] = [
    Part {
        what: "factor",
        tags: [Tag::D_LLQUANT_FACTORTYPE, Tag::D_LLQUANT_FACTORVAL, Tag::D_LLQUANT_FACTORMATCH],
    },
    Part {
        what: "lowest magnitude",
        tags: [Tag::D_LLQUANT_LOWTYPE, Tag::D_LLQUANT_LOWVAL, Tag::D_LLQUANT_LOWMATCH],
    },
    Part {
        what: "highest magnitude",
        tags: [Tag::D_LLQUANT_HIGHTYPE, Tag::D_LLQUANT_HIGHVAL, Tag::D_LLQUANT_HIGHMATCH],
    },
    Part {
        what: "number of steps",
        tags: [Tag::D_LLQUANT_NSTEPTYPE, Tag::D_LLQUANT_NSTEPVAL, Tag::D_LLQUANT_NSTEPMATCH],
    },
];

impl Checker<'_> {
    /// Factor, magnitudes and steps.
    pub(super) fn llquantize(
        &mut self,
        args: &mut impl Iterator<Item = Expr>,
        span: Span,
    ) -> Result<Function, Refused> {
        let exprs: Vec<Expr> = args.take(PARTS.len()).collect();
        let values: Vec<_> = PARTS.iter().zip(&exprs).map(|(part, expr)| self.constant(part, expr)).collect();
        let values = values.into_iter().collect::<Result<Vec<u16>, Refused>>()?;
        let [factor, low, high, steps] = values[..] else { return Err(Refused) };
        let place = |first: usize, last: usize| exprs[first].span.to(exprs[last].span);
        let (tag, at, message, help) = if factor < 2 {
            let message = format!("llquantize's factor is {factor}");
            (Tag::D_LLQUANT_FACTORSMALL, place(0, 0), message, "give two or more")
        } else if low > high {
            let message = format!("llquantize's highest magnitude {high} is below its lowest, {low}");
            (Tag::D_LLQUANT_MAGRANGE, place(1, 2), message, "give the lowest magnitude first")
        } else if u128::from(factor).checked_pow(u32::from(high) + 1).is_none_or(|above| above > 1 << 64) {
            let message = format!("{factor} to the power of {high} and one does not fit in 64 bits");
            (Tag::D_LLQUANT_MAGTOOBIG, span, message, "give a lower magnitude")
        } else if steps < factor && !factor.is_multiple_of(steps) {
            let message = format!("llquantize's {steps} steps do not divide its factor, {factor}");
            (
                Tag::D_LLQUANT_FACTORNSTEPS,
                place(3, 3),
                message,
                "give as many steps as the factor, a part or a multiple",
            )
        } else if steps >= factor && !are_even(factor.into(), steps.into()) {
            let message = format!("{steps} steps do not divide the magnitudes of {factor} evenly");
            let help =
                "the factor divides the number of steps, and that a power of the factor: 10 and 20, 2 and 8";
            (Tag::D_LLQUANT_FACTOREVEN, place(0, 3), message, help)
        } else {
            return Ok(Function::Llquantize { factor, low, high, steps });
        };
        Err(self.refuse(Diagnostic::error(tag, at, message).help(help)))
    }

    fn constant(&mut self, part: &Part, expr: &Expr) -> Result<u16, Refused> {
        let [not_constant, not_fitting, _] = part.tags;
        let what = part.what;
        let diagnostic = match fold::constant(expr) {
            Some(value) if value <= 0 && not_constant == Tag::D_LLQUANT_NSTEPTYPE => {
                let message = format!("llquantize's {what} is a positive integer constant, not {value}");
                Diagnostic::error(not_constant, expr.span, message).help("give as many as the factor")
            }
            Some(value) => match u16::try_from(value) {
                Ok(value) => return Ok(value),
                Err(_) => {
                    let message =
                        format!("llquantize's {what} is a number from 0 to {}, not {value}", u16::MAX);
                    Diagnostic::error(not_fitting, expr.span, message)
                        .help("the bounds are powers of the factor, not values")
                }
            },
            None => {
                let message = format!("llquantize's {what} is an integer constant");
                let diagnostic = Diagnostic::error(not_constant, expr.span, message);
                diagnostic.label("known only when it runs").help("write the number, or give it as $1")
            }
        };
        Err(self.refuse(diagnostic))
    }
}

/// Whether the factor divides the steps, and these a power of the factor.
fn are_even(factor: u64, steps: u64) -> bool {
    let mut power = factor;
    while power < steps {
        power *= factor;
    }
    steps.is_multiple_of(factor) && power.is_multiple_of(steps)
}

/// What differs between two uses of llquantize in one aggregation.
pub(super) fn mismatch(name: &str, before: Function, now: Function) -> (Tag, String) {
    let numbers = |function| match function {
        Function::Llquantize { factor, low, high, steps } => [factor, low, high, steps],
        _ => [0; 4],
    };
    let pairs = numbers(before).into_iter().zip(numbers(now));
    let differing = PARTS.iter().zip(pairs).find(|(_, (before, now))| before != now);
    let (part, (before, now)) = differing.unwrap_or((&PARTS[0], (0, 0)));
    (part.tags[2], format!("the {} of `@{name}` is {before}, here it is {now}", part.what))
}
