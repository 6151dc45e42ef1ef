//! Actions that dump memory, steer the output, or change the system: tracemem, pcap, setopt, freopen, ftruncate, system, raise, stop.
//!
//! Invariant: what changes the system is refused without -w.

use super::ctype::{CompositeKind, NameKind};
use super::functions::{ActionName, Row, find};
use super::place::pointed;
use super::typed::{Action, BinaryOp, CompareOp, Expr, ExprKind, IntType, Place, Type};
use super::types::{INT, ULONG};
use super::{Checker, Refused, fold};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast;

/// The most bytes that tracemem records.
const TRACEMEM_LIMIT: i64 = 16 << 10;

/// The constant PCAP_IP.
const IP: i64 = 12;

impl Checker<'_> {
    /// Whether the action is allowed to do what it does.
    pub(super) fn check_destructive(&mut self, row: &Row, name: ActionName, span: Span) {
        use ActionName::{Freopen, Raise, Stop, System};
        if !self.options.destructive && matches!(name, Freopen | Raise | Stop | System) {
            self.without_leave(row.name, span);
        }
    }

    /// `tracemem(address, nbytes[, dsize])`
    pub(super) fn tracemem(&mut self, row: &Row, args: &[ast::Expr], span: Span) -> Result<Action, Refused> {
        if args.len() > row.params.len() {
            let message = format!("`tracemem` takes {} arguments at the most", row.params.len());
            let diagnostic = Diagnostic::error(Tag::D_TRACEMEM_ARGS, span, message);
            return Err(self.refuse(diagnostic.help(format!("it is `{}`", row.prototype))));
        }
        let mut args = self.arguments(row, args, span)?.into_iter();
        let (Some(address), Some(size)) = (args.next(), args.next()) else { return Err(Refused) };
        let bytes = fold::constant(&size).filter(|size| (1..=TRACEMEM_LIMIT).contains(size));
        let Some(bytes) = bytes else {
            let message = format!("`tracemem` records a constant number of bytes, 1 to {TRACEMEM_LIMIT}");
            let diagnostic = Diagnostic::error(Tag::D_TRACEMEM_SIZE, size.span, message);
            return Err(self.refuse(diagnostic.help(format!("it is `{}`", row.prototype))));
        };
        let byte = Type::Int(IntType { bytes: 1, signed: false, name: "unsigned char" });
        let ty = Type::Array(Box::new(byte), bytes as u32);
        let at = address.span;
        let pointer = address.to_int(ULONG).converted(&Type::Pointer(Box::new(ty.clone())));
        let memory = Expr { kind: ExprKind::Load(Place::Memory(Box::new(pointer))), ty, span: at };
        Ok(Action::Tracemem(memory, args.next()))
    }

    /// `pcap(packet, kind)`: of a `struct sk_buff` the part that lies at `data`, without its fragments; from its network header on
    /// where the kind says that there is nothing before, and the packet has been given what comes before.
    pub(super) fn pcap(&mut self, row: &Row, args: &[ast::Expr], span: Span) -> Result<Action, Refused> {
        let mut args = self.arguments(row, args, span)?.into_iter();
        let (Some(packet), Some(kind)) = (args.next(), args.next()) else { return Err(Refused) };
        let at = packet.span;
        let Some(Type::Composite(of)) =
            self.types.find(NameKind::Composite(CompositeKind::Struct), "sk_buff")
        else {
            let diagnostic =
                Diagnostic::error(Tag::D_TYPE_ERR, at, "the kernel does not tell what a packet is");
            return Err(self.refuse(diagnostic.help("its type is `struct sk_buff`, which needs CONFIG_NET")));
        };
        let pointer = Type::Pointer(Box::new(Type::Composite(of.clone())));
        let packet = packet.to_int(ULONG).converted(&pointer);
        let mut member = |name: &str| {
            let name = ast::Ident { name: name.to_owned(), span: at };
            self.composite_member(pointed(packet.clone()), &of, &name, at)
        };
        let word = |member: Expr| Box::new(member.to_int(ULONG));
        let long = |kind: ExprKind| Expr { kind, ty: Type::Int(ULONG), span: at };
        let minus = |a: Box<Expr>, b: Box<Expr>| Box::new(long(ExprKind::Binary(BinaryOp::Sub, a, b)));
        let (data, all, fragments) = (word(member("data")?), word(member("len")?), word(member("data_len")?));
        let mut length = minus(all, fragments);
        let mut start = data.clone();
        if fold::constant(&kind) == Some(IP) {
            let (head, offset) = (word(member("head")?), word(member("network_header")?));
            let network = Box::new(long(ExprKind::Binary(BinaryOp::Add, head, offset)));
            let behind = ExprKind::Compare(CompareOp::Gt, network.clone(), data.clone());
            let behind = Box::new(Expr { kind: behind, ty: Type::INT, span: at });
            *start = long(ExprKind::Conditional(behind, network, data.clone()));
            length = minus(length, minus(start.clone(), data));
        }
        let byte = Type::Int(IntType { bytes: 1, signed: false, name: "unsigned char" });
        let ty = Type::Array(Box::new(byte), self.options.pcapsize as u32);
        let bytes = start.converted(&Type::Pointer(Box::new(ty.clone())));
        let bytes = Expr { kind: ExprKind::Load(pointed(bytes)), ty, span: at };
        Ok(Action::Pcap([bytes, *length, kind]))
    }

    /// `printm(nbytes, memref(address, size))`: tracemem() with its arguments in another order.
    pub(super) fn printm(&mut self, row: &Row, args: &[ast::Expr], span: Span) -> Result<Action, Refused> {
        self.check_count(row, args.len(), span)?;
        let [nbytes, memref] = args else { return Err(Refused) };
        let (address, size) = match &memref.kind {
            ast::ExprKind::Call { func, args } if func.name == "memref" && args.len() == 2 => {
                (&args[0], &args[1])
            }
            _ => {
                let message = "`printm` takes memory as memref() names it";
                let diagnostic = Diagnostic::error(row.wrong(1), memref.span, message);
                return Err(self.refuse(diagnostic.help(format!("it is `{}`", row.prototype))));
            }
        };
        let constant = self.expr(nbytes)?;
        if !fold::constant(&constant).is_some_and(|bytes| (1..=TRACEMEM_LIMIT).contains(&bytes)) {
            let message = format!("`printm` records a constant number of bytes, 1 to {TRACEMEM_LIMIT}");
            let diagnostic = Diagnostic::error(row.wrong(0), nbytes.span, message);
            return Err(self.refuse(diagnostic.help(format!("it is `{}`", row.prototype))));
        }
        let row = find("tracemem").ok_or(Refused)?;
        self.tracemem(row, &[address.clone(), nbytes.clone(), size.clone()], span)
    }

    /// `raise(signal)`, `stop()`. A number that is no signal sends none, as in DTrace.
    pub(super) fn signal(&mut self, row: &Row, args: &[ast::Expr], span: Span) -> Result<Action, Refused> {
        let mut args = self.arguments(row, args, span)?;
        let Some(signal) = args.pop() else {
            return Ok(Action::Signal(super::names::integer(i64::from(libc::SIGSTOP), INT, span)));
        };
        Ok(Action::Signal(signal))
    }

    /// `system(format, ...)`, `freopen(format, ...)`: a text made as printf makes it.
    pub(super) fn made_text(
        &mut self,
        row: &Row,
        name: ActionName,
        args: &[ast::Expr],
        span: Span,
    ) -> Result<Action, Refused> {
        if let (ActionName::Freopen, [first @ ast::Expr { kind: ast::ExprKind::Str(file), .. }, rest @ ..]) =
            (name, args)
        {
            // An empty name is the output that the tracer began with; DTrace keeps `.` for it.
            if file.is_empty() && rest.is_empty() {
                return Ok(Action::Freopen(None, Vec::new()));
            }
            if file == b"." {
                let message = "`.` is no file to print to";
                let diagnostic = Diagnostic::error(Tag::D_FREOPEN_INVALID, first.span, message);
                return Err(self.refuse(diagnostic.help("freopen(\"\") goes back to the first output")));
            }
        }
        match self.printf(row, args, span)? {
            Action::Printf(format, values) if name == ActionName::Freopen => {
                Ok(Action::Freopen(Some(format), values))
            }
            Action::Printf(format, values) => Ok(Action::System(format, values)),
            _ => Err(Refused),
        }
    }

    /// `setopt(name[, value])`
    pub(super) fn setopt(&mut self, row: &Row, args: &[ast::Expr], span: Span) -> Result<Action, Refused> {
        self.check_count(row, args.len(), span)?;
        let mut texts = Vec::new();
        for arg in args {
            let ast::ExprKind::Str(text) = &arg.kind else {
                let diagnostic =
                    Diagnostic::error(Tag::D_PROTO_ARG, arg.span, "`setopt` takes string constants");
                return Err(self.refuse(diagnostic.help(format!("it is `{}`", row.prototype))));
            };
            texts.push(String::from_utf8_lossy(text).into_owned());
        }
        let mut texts = texts.into_iter();
        let (name, value) = (texts.next().ok_or(Refused)?, texts.next());
        let value = value.unwrap_or_else(|| "1".to_owned());
        // It may be meant for another system: what it cannot do is told when it comes to it.
        if let Err(error) = self.options.clone().set_running(&name, Some(&value)) {
            let diagnostic = Diagnostic::warning(Tag::D_PRAGMA_OPTSET, span, error.to_string());
            self.found.push(match error.help() {
                Some(help) => diagnostic.help(help),
                None => diagnostic,
            });
        }
        Ok(Action::Setopt(name, value))
    }
}
