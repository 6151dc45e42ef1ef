//! What a D program says of a traced program: types with the process and file that they are of, `args[]` of its functions, addresses
//! of its memory.

use super::ctype::{NameKind, Type, TypeSource as _};
use super::program::Passed;
use super::typed::{Expr, ExprKind, Subroutine};
use super::types::UINT64;
use super::{Checker, Refused, counted};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::kernel::modules::is_kernel;
use crate::provider::{OfProcess, ProbeInfo};
use crate::syntax::ast::Ident;
use crate::syntax::parse_type;

use probes_common::providers::pid::{ENTRY, RETURN};
use probes_common::providers::usdt::USDT;

/// More functions than this are not asked for their arguments one by one: they have words.
const MOST: usize = 64;

/// A pointer as one into the process's memory.
pub(super) fn of_process(pointer: Expr) -> Expr {
    match pointer.ty {
        Type::Pointer(_) => {
            let (ty, span) = (pointer.ty.clone(), pointer.span);
            Expr { kind: ExprKind::OfProcess(Box::new(pointer)), ty, span }
        }
        _ => pointer,
    }
}

impl Checker<'_> {
    /// The process and the file that the module of a type names: `` pid1234`libc.so.6 ``, or a file that is no module of the kernel.
    pub(super) fn object(&mut self, module: &Ident, span: Span) -> Result<Option<(u32, String)>, Refused> {
        let name = self.expand(&module.name, span)?;
        if let Some((process, object)) = name.split_once('`') {
            let Some(pid) = process.strip_prefix("pid").and_then(|digits| digits.parse().ok()) else {
                let message = format!("`{process}` names no process");
                let diagnostic = Diagnostic::error(Tag::D_PROC_BADPID, module.span, message);
                return Err(
                    self.refuse(diagnostic.help("write pid$target, or the number of a process: pid1234"))
                );
            };
            return Ok(Some((pid, object.to_owned())));
        }
        let kernels = is_kernel(&name) || self.catalog.has_module(&name);
        Ok(self.traced.process().filter(|_| !kernels).map(|pid| (pid, name)))
    }

    /// A type of a file of a process.
    pub(super) fn type_of_program(
        &mut self,
        kind: NameKind,
        (pid, object): (u32, &str),
        name: &str,
        span: Span,
    ) -> Result<Type, Refused> {
        let types = self.traced.of(pid, object).map_err(|OfProcess { tag, message, help }| {
            self.refuse(Diagnostic::error(tag, span, message).help(help))
        })?;
        let mut lack = None;
        for types in types {
            match types {
                Ok(types) => match types.find(kind, name) {
                    Some(ty) => return Ok(ty),
                    None => continue,
                },
                Err(why) => lack = Some(why),
            }
        }
        let (message, help) = match lack {
            Some(lack) => {
                (format!("`{object}` of process {pid} does not tell of its types: {lack}"), lack.help())
            }
            None => (
                format!("`{object}` of process {pid} has no type `{name}`"),
                "a structure is named with `struct`, and only what the program uses is described",
            ),
        };
        Err(self.refuse(Diagnostic::error(Tag::D_TYPE_ERR, span, message).help(help)))
    }

    /// `args[number]` of functions of processes, where debugging information tells of them and they agree; none where it is a word
    /// of no type of its own.
    pub(super) fn argument_of_program(&mut self, number: usize, span: Span) -> Result<Option<Expr>, Refused> {
        let probes: Vec<ProbeInfo> = self
            .clause
            .probes
            .iter()
            .take(MOST + 1)
            .filter_map(|&id| self.catalog.get(id))
            .cloned()
            .collect();
        let mut each = probes.iter().map(|probe| self.passed_to(probe, number, span));
        let Some(passed) = each.next().flatten().filter(|_| probes.len() <= MOST) else { return Ok(None) };
        if !each.all(|other| other.as_ref() == Some(&passed)) {
            return Ok(None);
        }
        drop(each);
        let probe = &probes[0];
        let (tag, message) = match passed {
            Passed::Word(word, ty) if word < probe.program.record.fields.len() => {
                let word = Expr { kind: ExprKind::Args(word as u8), ty: Type::Int(UINT64), span };
                if let Type::String(_) = ty {
                    let kind = ExprKind::Call(Subroutine::Copyinstr, vec![word]);
                    return Ok(Some(Expr { kind, ty: self.string(), span }));
                }
                let kind = ExprKind::Cast(Box::new(word));
                return Ok(Some(of_process(Expr { kind, ty, span })));
            }
            Passed::Word(..) | Passed::Wide => {
                let message = format!("args[{number}] of {probe} cannot be told from the others");
                (Tag::D_ARGS_TYPE, format!("{message}: it or one before it takes more than a word"))
            }
            Passed::Float(float) => (
                Tag::D_ARGS_TYPE,
                format!(
                    "args[{number}] of {probe} is a {}: it comes in no register for integers",
                    float.name()
                ),
            ),
            Passed::Missing(count) => (
                Tag::D_ARGS_IDX,
                format!("{probe} has no args[{number}]: the function has {}", counted(count, "argument")),
            ),
        };
        let help = "arg0 to arg9 are the words that a function may be given, whatever they mean";
        Err(self.refuse(Diagnostic::error(tag, span, message).help(help)))
    }

    /// The type that a program's own probe says an argument has; none where it is none that is known here.
    fn declared_type(&mut self, text: &str, span: Span) -> Option<Type> {
        let told = self.found.len();
        let ty = parse_type(span.source, text).and_then(|ty| self.type_name(&ty).ok());
        self.found.truncate(told);
        ty.filter(|ty| ty.is_scalar() || matches!(ty, Type::String(_)))
    }

    fn passed_to(&mut self, probe: &ProbeInfo, number: usize, span: Span) -> Option<Passed> {
        if *probe.program == USDT {
            let ctype = probe.args.get(number)?.ctype;
            return Some(Passed::Word(number, self.declared_type(ctype, span)?));
        }
        let pid = probe.provider.strip_prefix("pid")?.parse().ok()?;
        if *probe.program == ENTRY && probe.name == "entry" {
            return self.traced.argument(pid, &probe.module, &probe.function, number);
        }
        let returns = *probe.program == RETURN && number == 1;
        let result = self.traced.result(pid, &probe.module, &probe.function).filter(|_| returns)?;
        result.is_scalar().then_some(Passed::Word(1, result))
    }
}
