//! What a program that brings probes along is built with: a header with a macro for each probe (-h), and an object with what the
//! macros refer to (-G). Both are made from the `provider` declarations of a D program.
//!
//! A macro leaves a `nop` and a note of the type `stapsdt` that says where it is and where its arguments are, and nothing else: a
//! probe costs nothing where nobody looks, and every tracer that knows such notes finds it.

mod header;
mod object;
mod rules;

use crate::syntax::ast::{self, BaseKind, ItemKind, Param, Program, Sign};
use crate::syntax::print_type;

pub use header::header;
pub use object::object;
pub use rules::rules;

/// A provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its name.
    pub name: String,
    /// Its probes.
    pub probes: Vec<Probe>,
}

/// A probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Its name as C has it, with `__` for `-`.
    pub name: String,
    /// What the program passes.
    pub args: Vec<Arg>,
    /// What clauses see of it as `args[]`.
    pub shown: Vec<Shown>,
}

/// An argument as clauses see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its type, as D writes it.
    pub ctype: String,
    /// Which of those that are passed it is.
    pub passed: usize,
}

/// An argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arg {
    /// Its type, as C writes it.
    pub ctype: String,
    /// Whether it is extended by its sign.
    pub signed: bool,
}

impl Provider {
    /// What the word is called that counts who looks at a probe.
    fn semaphore(&self, probe: &Probe) -> String {
        format!("{}_{}_semaphore", self.name, probe.name)
    }

    /// What the macro of a probe is called.
    fn macro_name(&self, probe: &Probe) -> String {
        format!("{}_{}", self.name, probe.name.replace("__", "_")).to_uppercase()
    }
}

/// The providers that a program declares.
pub fn providers(program: &Program) -> Vec<Provider> {
    let provider = |item: &ast::Item| match &item.kind {
        ItemKind::Provider(provider) => Some(Provider {
            name: provider.name.name.clone(),
            probes: provider.probes.iter().map(probe).collect(),
        }),
        _ => None,
    };
    program.items.iter().filter_map(provider).collect()
}

fn probe(probe: &ast::ProbeDecl) -> Probe {
    let native = || probe.native.iter().filter(|param| !is_void(param));
    let args = native().map(arg).collect();
    let passed = |param: &Param| {
        let name = param.name.as_ref()?;
        native().position(|other| other.name.as_ref().is_some_and(|other| other.name == name.name))
    };
    let shown = match &probe.translated {
        // What is made by a translator is seen as it is passed.
        Some(translated) => {
            translated.iter().filter_map(|param| passed(param).map(|at| shown(param, at))).collect()
        }
        None => native().enumerate().map(|(at, param)| shown(param, at)).collect(),
    };
    Probe { name: probe.name.name.clone(), args, shown }
}

fn shown(param: &Param, passed: usize) -> Shown {
    Shown { ctype: print_type(&param.ty), passed }
}

/// `void`, which alone is no argument.
fn is_void(param: &Param) -> bool {
    param.ty.base.kind == BaseKind::Void && param.ty.derived.is_empty()
}

fn arg(param: &Param) -> Arg {
    let string = param.ty.base.kind == BaseKind::String && param.ty.derived.is_empty();
    Arg {
        ctype: if string { "const char *".to_owned() } else { print_type(&param.ty) },
        signed: param.ty.derived.is_empty() && is_signed(&param.ty.base.kind),
    }
}

/// Whether a type is signed: of those that only the program knows, those that say so by their names are.
fn is_signed(kind: &BaseKind) -> bool {
    const SIGNED: [&str; 10] = [
        "pid_t",
        "ssize_t",
        "off_t",
        "time_t",
        "ptrdiff_t",
        "id_t",
        "clock_t",
        "suseconds_t",
        "key_t",
        "intptr_t",
    ];
    match kind {
        BaseKind::Int { sign, .. } => *sign != Some(Sign::Unsigned),
        BaseKind::Enum(_) => true,
        BaseKind::Named { name, .. } => {
            let sized = name
                .name
                .strip_prefix("int")
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            sized || SIGNED.contains(&name.name.as_str())
        }
        _ => false,
    }
}
