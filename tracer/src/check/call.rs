//! Calls: which function is meant, and whether its arguments are what its row of the table says.

use super::functions::{self, Gives, Param, Role, Row};
use super::place::decayed;
use super::typed::{Expr, ExprKind, Subroutine, Type};
use super::types::ULONG;
use super::variables::Known;
use super::{Checker, Refused, are, counted, fold};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast;

impl Checker<'_> {
    /// `func(args)` as a value.
    pub(super) fn call(
        &mut self,
        func: &ast::Ident,
        args: &[ast::Expr],
        span: Span,
    ) -> Result<Expr, Refused> {
        let Some(row) = self.known_function(&func.name) else { return Err(self.unknown_function(func)) };
        match row.role {
            Role::Subroutine(subroutine, gives) => {
                let args = self.arguments(row, args, span)?;
                if subroutine.is_destructive() && !self.options.destructive {
                    self.without_leave(row.name, span);
                }
                self.keep(subroutine);
                if let (Subroutine::Alloca, [size]) = (subroutine, &args[..]) {
                    self.check_room(size)?;
                }
                let ty = match gives {
                    Gives::Int(number) => Type::Int(number.ty()),
                    Gives::Text => self.string(),
                    Gives::Address => Type::Pointer(Box::new(Type::Void)),
                    Gives::Nothing => Type::Void,
                };
                Ok(Expr { kind: ExprKind::Call(subroutine, args), ty, span })
            }
            Role::Action(_) | Role::Aggregating(_) => {
                let call = ast::ExprKind::Call { func: func.clone(), args: args.to_vec() };
                Err(self.valueless(&ast::Expr { kind: call, span }, Tag::D_CG_EXPR))
            }
            Role::Recorded(_) => {
                let message = format!("what `{}` records is no value to compute with", row.name);
                let help =
                    "make it a statement of its own, or print it, or make it a part of an aggregation's key";
                Err(self.refuse(Diagnostic::error(Tag::D_CG_EXPR, span, message).help(help)))
            }
        }
    }

    /// Whether alloca() of a constant can ever find room; the first 8 bytes of DTrace's scratch memory stand for NULL.
    fn check_room(&mut self, size: &Expr) -> Result<(), Refused> {
        let room = self.options.scratchsize.saturating_sub(8);
        match fold::constant(size) {
            Some(size_) if size_ as u64 > room => {
                let message = format!("{} bytes are more than there is scratch memory: {room}", size_ as u64);
                let diagnostic = Diagnostic::error(Tag::D_ALLOCA_SIZE, size.span, message);
                Err(self.refuse(diagnostic.help("say how much there is to be: `-x scratchsize=SIZE`")))
            }
            _ => Ok(()),
        }
    }

    /// Notes the memory that a subroutine needs from one call to the next.
    fn keep(&mut self, subroutine: Subroutine) {
        match subroutine {
            Subroutine::Strtok => self.keeps.tokens = self.options.string_buffer(),
            Subroutine::Alloca
            | Subroutine::Copyin
            | Subroutine::Copyinto
            | Subroutine::Bcopy
            | Subroutine::Copyout => self.keeps.scratch = true,
            _ => {}
        }
    }

    /// Something changes the traced system, and was not allowed to. It is checked all the same: what is wrong with it
    /// otherwise is told first.
    pub(super) fn without_leave(&mut self, name: &str, span: Span) {
        let message = format!("Destructive actions not allowed: `{name}` changes the system that is traced");
        let diagnostic = Diagnostic::error(Tag::D_DESTRUCTIVE, span, message);
        self.found.push(diagnostic.help("allow it with -w, or with `#pragma D option destructive`"));
    }

    pub(super) fn unknown_function(&mut self, func: &ast::Ident) -> Refused {
        if let Some(diagnostic) = Self::known_elsewhere(&func.name, func.span) {
            return self.refuse(diagnostic);
        }
        let known = match self.variables.get(ast::Scope::Global, &func.name) {
            Some(Known::Entry(entry)) => entry.declared,
            Some(Known::Refused) | None => self.is_reserved(&func.name),
            Some(_) => true,
        };
        if known {
            let message = format!("`{}` is no function: it cannot be called", func.name);
            let diagnostic = Diagnostic::error(Tag::D_FUNC_IDKIND, func.span, message);
            return self.refuse(diagnostic.help("leave the brackets out"));
        }
        let rows = functions::TABLE.iter().filter(|row| self.known_function(row.name).is_some());
        let names: Vec<&str> = rows.map(|row| row.name).collect();
        let message = format!("there is no function `{}`", func.name);
        let diagnostic = Diagnostic::error(Tag::D_FUNC_UNDEF, func.span, message);
        let diagnostic = match self.came_later(&func.name) {
            Some(later) => diagnostic.help(later),
            None => diagnostic.did_you_mean(&func.name, names.iter().copied()),
        };
        self.refuse(match diagnostic.help {
            Some(_) => diagnostic,
            None => {
                diagnostic.help("only D's own actions, subroutines and aggregating functions can be called")
            }
        })
    }

    /// The arguments of a call, checked and converted by the function's row.
    pub(super) fn arguments(
        &mut self,
        row: &Row,
        args: &[ast::Expr],
        span: Span,
    ) -> Result<Vec<Expr>, Refused> {
        let values = args.iter().enumerate().map(|(number, arg)| self.value_for(arg, row.wrong(number)));
        let values: Vec<_> = values.collect();
        self.check_count(row, args.len(), span)?;
        let mut checked = Vec::with_capacity(values.len());
        for (number, value) in values.into_iter().enumerate() {
            let param = row.params.get(number).or(row.params.last()).copied().unwrap_or(Param::Value);
            let value = value.and_then(|value| self.passed(row, number, param, value));
            checked.push(value);
        }
        checked.into_iter().collect()
    }

    /// Whether the number of arguments is right.
    pub(super) fn check_count(&mut self, row: &Row, given: usize, span: Span) -> Result<(), Refused> {
        let most = if row.repeats { usize::MAX } else { row.params.len() };
        if (row.required..=most).contains(&given) {
            return Ok(());
        }
        let wanted = match row.params.len() {
            _ if row.repeats => format!("at least {}", counted(row.required, "argument")),
            0 => "no arguments".to_owned(),
            most if most == row.required => counted(most, "argument"),
            most => format!("{} to {}", row.required, counted(most, "argument")),
        };
        let message = format!("`{}` takes {wanted}, here {} {given}", row.name, are(given));
        let tag = if row.name == "tracemem" && given < row.required { Tag::D_PROTO_LEN } else { row.tags.0 };
        let diagnostic = Diagnostic::error(tag, span, message);
        Err(self.refuse(diagnostic.help(format!("it is `{}`: {}", row.prototype, row.doc))))
    }

    /// One argument as the function takes it.
    pub(super) fn passed(
        &mut self,
        row: &Row,
        number: usize,
        param: Param,
        value: Expr,
    ) -> Result<Expr, Refused> {
        let value = match param {
            Param::Text | Param::TextOrNull => self.as_string(value)?,
            Param::Value if !matches!(value.ty, Type::Array(_, 0)) => value,
            _ => decayed(value),
        };
        let wanted = match param {
            Param::Int(_) | Param::Constant if value.ty.as_int().is_some() => {
                return Ok(if let Param::Int(ty) = param { value.to_int(ty.ty()) } else { value });
            }
            // An address is counted as the number that it is.
            Param::Int(ty) if matches!(row.role, Role::Aggregating(_)) && value.ty.is_scalar() => {
                return Ok(value.to_int(ty.ty()));
            }
            Param::Address if value.ty.as_int().is_some() => return Ok(value.to_int(ULONG)),
            // What is known to be an address of the process need not be made a number first.
            Param::Address if value.ty.is_address() && value.leads_to_process() => {
                return Ok(value.to_int(ULONG));
            }
            Param::Memory if value.ty.is_scalar() => return Ok(value.to_int(ULONG)),
            Param::Pointer if value.ty.is_address() || fold::constant(&value) == Some(0) => {
                return Ok(value.to_int(ULONG));
            }
            Param::Text if value.ty.as_text().is_some() => return Ok(super::operators::into_buffer(value)),
            Param::TextOrNull if value.ty.as_text().is_some() => {
                return Ok(super::operators::into_buffer(value));
            }
            Param::TextOrNull if fold::constant(&value) == Some(0) => return Ok(value),
            // A string is taken by its address: NULL is one, at which there is none.
            Param::Text if fold::constant(&value) == Some(0) => return Ok(super::expr::null(value.span)),
            Param::Value if !value.ty.is_record() && value.ty.size().is_some() => return Ok(value),
            Param::Int(_) => "a number",
            Param::Constant => "an integer constant",
            Param::Address => "an address as an integer",
            Param::Pointer => "a pointer",
            Param::Memory => "an address",
            Param::Text | Param::Format => "a string",
            Param::TextOrNull => "a string or NULL",
            Param::Aggregation => "an aggregation",
            Param::Value => "a number or a string",
        };
        let message = format!("argument {} of `{}` is {wanted}, not {:#}", number + 1, row.name, value.ty);
        let help = if value.ty.is_record() {
            "name a member: `->`".to_owned()
        } else if param == Param::Address && value.ty.is_address() {
            format!("cast it: `{}((uintptr_t)...)`", row.name)
        } else if param == Param::Pointer && value.ty.as_int().is_some() {
            format!("cast it: `{}((void *)...)`", row.name)
        } else {
            format!("it is `{}`", row.prototype)
        };
        Err(self.refuse(Diagnostic::error(row.wrong(number), value.span, message).help(help)))
    }
}
