//! The kernel's functions and variables: `` `jiffies ``, `` vmlinux`init_task ``, `` &`vfs_read ``.
//!
//! A variable is a place in the kernel's memory, of the type that its BTF gives it, or [`KNOWN`], or else `int64_t`; a
//! function stands for its address, as in C.

use std::rc::Rc;

use super::ctype::{CompositeKind, NameKind, Signature, Type, TypeSource as _};
use super::kernel::KernelTypes;
use super::typed::{Builtin, Expr, ExprKind, Place};
use super::types::{INT64, ULONG, spelled};
use super::{Checker, Refused};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::kernel::addresses::Missing;
use crate::kernel::modules::is_kernel;
use crate::syntax::ast::{Ident, IntWidth};

/// Variables whose types the kernel's BTF leaves out, as it does of all that are not of each CPU, and how the kernel
/// declares them: a type that its BTF names, and whether the variable is a pointer to that.
const KNOWN: &[(&str, Spelling)] = &[
    ("init_mm", Spelling::Struct("mm_struct")),
    ("init_net", Spelling::Struct("net")),
    ("init_pid_ns", Spelling::Struct("pid_namespace")),
    ("init_task", Spelling::Struct("task_struct")),
    ("init_user_ns", Spelling::Struct("user_namespace")),
    ("init_uts_ns", Spelling::Struct("uts_namespace")),
    ("jiffies", Spelling::Int("ulong_t")),
    ("jiffies_64", Spelling::Int("uint64_t")),
    ("linux_banner", Spelling::Text),
    ("max_low_pfn", Spelling::Int("ulong_t")),
    ("max_pfn", Spelling::Int("ulong_t")),
    ("min_low_pfn", Spelling::Int("ulong_t")),
    ("nr_cpu_ids", Spelling::Int("uint_t")),
    ("nr_threads", Spelling::Int("int32_t")),
    ("panic_timeout", Spelling::Int("int32_t")),
    ("saved_command_line", Spelling::Pointer),
    ("system_state", Spelling::Int("uint_t")),
    ("total_forks", Spelling::Int("ulong_t")),
];

/// The most bytes that are taken for a text; the banner has some 200.
const LONGEST_TEXT: u64 = 512;

/// How a variable is declared.
#[derive(Debug, Clone, Copy)]
enum Spelling {
    Struct(&'static str),
    Int(&'static str),
    /// `char name[]`: as long as there is room before the next symbol.
    Text,
    /// `char *name`
    Pointer,
}

impl Checker<'_> {
    /// What a symbol stands for.
    pub(super) fn symbol(
        &mut self,
        module: Option<&Ident>,
        name: &Ident,
        span: Span,
    ) -> Result<Expr, Refused> {
        let per_cpu = |kernel: &Rc<KernelTypes>| kernel.variable(&name.name).is_some_and(|known| known.1);
        if self.kernel.as_ref().is_some_and(per_cpu) {
            let message = format!("`{}` is a variable of each CPU: it has no address of its own", name.name);
            let diagnostic = Diagnostic::error(Tag::D_SYM_BADREF, span, message);
            return Err(self.refuse(diagnostic.help("the built-in variables tell of the current CPU")));
        }
        let module_name = module.map(|module| module.name.as_str()).filter(|module| !module.is_empty());
        let found = match self.catalog.addresses().find(module_name, &name.name) {
            Ok(found) => found,
            // A kernel that does not tell of its variables tells how late it is.
            Err(Missing::Variables) if matches!(name.name.as_str(), "jiffies" | "jiffies_64") => {
                let kind = ExprKind::Builtin(Builtin::Jiffies);
                return Ok(Expr { kind, ty: self.type_of_variable(&name.name, 0), span });
            }
            Err(missing) => return Err(self.no_symbol(module_name, name, missing, span)),
        };
        let ty = if found.code {
            Type::Function(Rc::new(Signature { result: Type::INT, params: Vec::new(), variadic: true }))
        } else {
            self.type_of_variable(&name.name, found.at)
        };
        let address = Expr { kind: ExprKind::Int(found.at as i64), ty: Type::Int(ULONG), span };
        let pointer = address.converted(&Type::Pointer(Box::new(ty.clone())));
        if found.code {
            return Ok(pointer);
        }
        Ok(Expr { kind: ExprKind::Load(Place::Memory(Box::new(pointer))), ty, span })
    }

    /// A type of the kernel that is named with its module: `` struct vmlinux`task_struct ``.
    pub(super) fn type_of_module(
        &mut self,
        kind: NameKind,
        module: &Ident,
        name: &str,
        span: Span,
    ) -> Result<Type, Refused> {
        if let Some((pid, object)) = self.object(module, span)? {
            return self.type_of_program(kind, (pid, &object), name, span);
        }
        let types = self.modules.as_ref().and_then(|modules| modules.of(&module.name));
        if let Some(ty) = types.as_ref().and_then(|types| types.find(kind, name)) {
            return Ok(ty);
        }
        let module = &module.name;
        let (message, help) = if types.is_some() || is_kernel(module) {
            let help = "leave the module out: the program's own types are found by their names";
            (format!("module `{module}` has no type `{name}`"), help)
        } else if self.catalog.has_module(module) {
            let help = "a module that is a part of the kernel has them in `vmlinux`; others need CONFIG_DEBUG_INFO_BTF_MODULES";
            (format!("module `{module}` does not tell of its types"), help)
        } else {
            (format!("there is no module `{module}` in the kernel"), "`lsmod` lists the modules")
        };
        Err(self.refuse(Diagnostic::error(Tag::D_TYPE_ERR, span, message).help(help)))
    }

    fn type_of_variable(&self, name: &str, at: u64) -> Type {
        let by_btf = self.kernel.as_ref().and_then(|kernel| kernel.variable(name)).map(|known| known.0);
        let known = || KNOWN.iter().find(|row| row.0 == name).and_then(|row| self.spelling(row.1, at));
        by_btf.or_else(known).unwrap_or(Type::Int(INT64))
    }

    fn spelling(&self, spelling: Spelling, at: u64) -> Option<Type> {
        match spelling {
            Spelling::Struct(tag) => self.types.of_kernel(NameKind::Composite(CompositeKind::Struct), tag),
            Spelling::Int(name) => self.known_type(name),
            Spelling::Text => {
                let room = self.catalog.addresses().room(at).min(LONGEST_TEXT);
                Some(Type::Array(Box::new(Type::Int(spelled(IntWidth::Char, None))), room as u32))
            }
            Spelling::Pointer => Some(Type::Pointer(Box::new(Type::Int(spelled(IntWidth::Char, None))))),
        }
    }

    fn no_symbol(&mut self, module: Option<&str>, name: &Ident, missing: Missing, span: Span) -> Refused {
        let error = |tag, message| Diagnostic::error(tag, span, message);
        if let Some(module) = module.filter(|module| !self.catalog.has_module(module)) {
            let message = format!("there is no module `{module}` in the kernel");
            return self.refuse(error(Tag::D_IDENT_UNDEF, message).help("`lsmod` lists the modules"));
        }
        let diagnostic = match missing {
            Missing::Hidden => {
                let diagnostic =
                    error(Tag::D_SYM_BADREF, format!("the kernel hides where `{}` is", name.name));
                return self.refuse(diagnostic.help("set kernel.kptr_restrict to 0 or 1, and be root"));
            }
            Missing::Unknown | Missing::Variables => {
                let message = format!("the kernel has no symbol `{}`", name.name);
                error(Tag::D_IDENT_UNDEF, message).did_you_mean(&name.name, self.catalog.addresses().names())
            }
        };
        let diagnostic = match missing {
            Missing::Variables => diagnostic
                .label("this kernel is built without CONFIG_KALLSYMS_ALL: it tells of functions only"),
            _ => diagnostic,
        };
        self.refuse(match diagnostic.help {
            Some(_) => diagnostic,
            None => diagnostic.help("/proc/kallsyms has all that there are"),
        })
    }
}
