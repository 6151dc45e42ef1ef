//! The current process: curpsinfo, curlwpsinfo and fds[].

use probes_common::schema::Described as _;
use probes_common::types::{FileInfo, LwpsInfo, PsInfo};

use super::typed::{Builtin, Expr, ExprKind, Subroutine, Type};
use super::types::INT64;
use super::{Checker, Refused};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast::{self, Scope};

/// D's array of the open files of the current process.
pub(super) const FILES: &str = "fds";

impl Checker<'_> {
    /// Makes room for what the built-in variable points to.
    pub(super) fn keep_current(&mut self, builtin: Builtin) {
        match builtin {
            Builtin::Curpsinfo => self.keeps.process = PsInfo::DEF.size as u32,
            Builtin::Curcpu => self.keeps.topology = true,
            Builtin::Curlwpsinfo => self.keeps.thread = LwpsInfo::DEF.size as u32,
            _ => {}
        }
    }

    /// Whether it is an element of `fds[]`, which has members by `.` although it is reached by an address.
    pub(super) fn is_file(&self, expr: &ast::Expr) -> bool {
        let ast::ExprKind::Index { base, .. } = &expr.kind else { return false };
        matches!(&base.kind, ast::ExprKind::Var(Scope::Global, name) if name.name == FILES)
            && self.is_reserved(FILES)
    }

    /// `fds[n]`
    pub(super) fn file(&mut self, keys: &[ast::Expr], span: Span) -> Result<Expr, Refused> {
        const HELP: &str = "fds[n] is the file of descriptor n: `fds[arg0].fi_pathname`";
        let keys = self.keys(keys)?;
        let [key] = keys.as_slice() else {
            let diagnostic = Diagnostic::error(Tag::D_PROTO_LEN, span, "`fds` takes one subscript");
            return Err(self.refuse(diagnostic.help(HELP)));
        };
        if key.ty.as_int().is_none() {
            let message = format!("`fds` takes a descriptor's number, not {:#}", key.ty);
            return Err(self.refuse(Diagnostic::error(Tag::D_PROTO_ARG, key.span, message).help(HELP)));
        }
        let ty = Type::Pointer(Box::new(Type::Struct(&FileInfo::DEF)));
        Ok(Expr { kind: ExprKind::Call(Subroutine::File, vec![key.clone().to_int(INT64)]), ty, span })
    }
}
