//! What is recorded and never computed with: call stacks, and addresses that are shown by their symbols. They stand alone
//! as actions, in trace() and printf(), and as parts of an aggregation's key.

use super::functions::{Recorded, Role, Row};
use super::typed::{Builtin, Expr, ExprKind, Shows, Stack, Symbol, Type};
use super::types::ULONG;
use super::{Checker, Refused, fold};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::kernel::arch::{Register, register};
use crate::syntax::ast;

/// The most frames that the kernel walks, by its default (kernel.perf_event_max_stack).
pub const MAX_FRAMES: u32 = 127;

impl Checker<'_> {
    /// A value, or something that can only be recorded; `wrong` is the tag of what is neither.
    pub(super) fn recordable(&mut self, arg: &ast::Expr, wrong: Tag) -> Result<Expr, Refused> {
        match self.recorded_call(arg) {
            Some((row, recorded, args)) => self.recorded(row, recorded, args, arg.span),
            None => self.value_for(arg, wrong),
        }
    }

    /// The call of something that is only recorded.
    pub(super) fn recorded_call<'e>(
        &self,
        expr: &'e ast::Expr,
    ) -> Option<(&'static Row, Recorded, &'e [ast::Expr])> {
        let ast::ExprKind::Call { func, args } = &expr.kind else { return None };
        let row = self.known_function(&func.name)?;
        match row.role {
            Role::Recorded(recorded) => Some((row, recorded, args)),
            _ => None,
        }
    }

    /// `stack(...)`, `usym(...)` and so on.
    pub(super) fn recorded(
        &mut self,
        row: &Row,
        recorded: Recorded,
        args: &[ast::Expr],
        span: Span,
    ) -> Result<Expr, Refused> {
        let mut args = self.arguments(row, args, span)?;
        match recorded {
            Recorded::Stack { user } => {
                let default = if user { self.options.ustackframes } else { self.options.stackframes };
                let frames = match args.first() {
                    Some(arg) => self.frames(row, arg)?,
                    None => default.clamp(1, self.most_frames()) as u32,
                };
                if let Some(size) = args.get(1)
                    && fold::constant(size).is_none_or(|size| u32::try_from(size).is_err())
                {
                    let message = format!("argument 2 of `{}` is a constant number of bytes", row.name);
                    let diagnostic = Diagnostic::error(Tag::D_USTACK_STRSIZE, size.span, message);
                    return Err(self.refuse(diagnostic.help(format!("it is `{}`", row.prototype))));
                }
                Ok(Expr { kind: ExprKind::Stack, ty: Type::Stack(Stack { user, frames }), span })
            }
            Recorded::Symbol(symbol) => {
                let address = args.pop().ok_or(Refused)?;
                Ok(Expr { kind: ExprKind::Symbol(Box::new(address)), ty: Type::Symbol(symbol), span })
            }
        }
    }

    /// `uregs[R_...]`: a register with which the process came into the kernel.
    pub(super) fn register(&mut self, keys: &[ast::Expr], span: Span) -> Result<Expr, Refused> {
        let keys = self.keys(keys)?;
        let index = match keys.as_slice() {
            [key] => fold::constant(key).ok_or(Tag::D_PROTO_ARG),
            _ => Err(Tag::D_PROTO_LEN),
        };
        let index = match index {
            Ok(number @ 0..) => number,
            wrong => {
                let tag = wrong.err().unwrap_or(Tag::D_REGS_IDX);
                let message = "uregs[] takes the number of a register, a constant";
                let help = "registers have names: `uregs[R_RIP]`, `uregs[R_RSP]`, `uregs[R_RAX]`";
                return Err(self.refuse(Diagnostic::error(tag, span, message).help(help)));
            }
        };
        let kind = match register(index) {
            Some(Register::Saved(offset)) => ExprKind::Builtin(Builtin::Ureg(offset)),
            Some(Register::Zero) => ExprKind::Int(0),
            // As in DTrace, a number that no register has is told of when it is come to.
            Some(Register::Hidden) | None => ExprKind::Builtin(Builtin::NoUreg),
        };
        Ok(Expr { kind, ty: Type::Int(super::types::UINT64), span })
    }

    /// The number of frames that an argument asks for.
    fn frames(&mut self, row: &Row, arg: &Expr) -> Result<u32, Refused> {
        // As in DTrace, more frames than a stack may have are so many as it may have.
        match fold::constant(arg) {
            Some(frames @ 1..) => Ok(self.most_frames().min(frames as u64) as u32),
            _ => {
                let message = format!("the frames of `{}` are a positive integer constant", row.name);
                let diagnostic = Diagnostic::error(row.wrong(0), arg.span, message);
                Err(self.refuse(diagnostic.help(format!("it is `{}`: {}", row.prototype, row.doc))))
            }
        }
    }

    fn most_frames(&self) -> u64 {
        self.options.maxframes.min(MAX_FRAMES.into())
    }
}

/// An address of the kernel or of the current process, with its offset: what `%a` and `%A` print.
pub(super) fn addressed(value: Expr, user: bool) -> Expr {
    let span = value.span;
    let ty = Type::Symbol(Symbol { user, shows: Shows::Address });
    Expr { kind: ExprKind::Symbol(Box::new(value.to_int(ULONG))), ty, span }
}
