//! D libraries: files of types, inlines and translators that are read before the program.
//!
//! Each is read after those on which it depends. One that depends on a provider, module or library that is not here is
//! left out, with all that depend on it, as in DTrace: it is for another system. Clauses in a library have no effect.

use super::{Checker, is_clause};
use crate::diagnostic::{Diagnostic, Tag};
use crate::syntax::ast::{self, Pragma, PragmaKind};

/// A library's name, that of its file, and its text.
#[derive(Debug)]
pub struct Library {
    /// By which others depend on it.
    pub name: String,
    /// What it defines.
    pub program: ast::Program,
    /// Whether it is one of our own: what this kernel does not have of it is left out.
    pub own: bool,
}

/// How far a library is.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Waiting,
    /// Those on which it depends are being read.
    Begun,
    Read,
    LeftOut,
}

impl Checker<'_> {
    /// Reads libraries.
    pub(super) fn read_libraries(&mut self, libraries: &[Library]) {
        let mut stages = vec![Stage::Waiting; libraries.len()];
        for index in 0..libraries.len() {
            self.read_library(libraries, &mut stages, index);
        }
    }

    /// Reads one library, after those on which it depends; says whether it is there.
    fn read_library(&mut self, libraries: &[Library], stages: &mut [Stage], index: usize) -> bool {
        if stages[index] != Stage::Waiting {
            return stages[index] == Stage::Read;
        }
        stages[index] = Stage::Begun;
        let Library { name, program, own } = &libraries[index];
        let there = program.pragmas.iter().all(|pragma| self.has_what(pragma, libraries, stages));
        stages[index] = if there { Stage::Read } else { Stage::LeftOut };
        if !there {
            return false;
        }
        let pragmas = program.pragmas.iter();
        let others = pragmas.filter(|pragma| !matches!(pragma.kind, PragmaKind::DependsOn { .. }));
        others.clone().for_each(|pragma| self.pragma(pragma));
        for item in program.items.iter().filter(|item| !is_clause(item)) {
            let before = self.found.len();
            self.item(item);
            self.found.truncate(if *own { before } else { self.found.len() });
        }
        others.for_each(|pragma| self.pragma_used(pragma));
        self.libraries.push(name.clone());
        true
    }

    /// Whether what a pragma says that a library depends on is here.
    fn has_what(&mut self, pragma: &Pragma, libraries: &[Library], stages: &mut [Stage]) -> bool {
        let PragmaKind::DependsOn { class, name } = &pragma.kind else { return true };
        if class.name != "library" {
            return self.is_there(&class.name, &name.name);
        }
        let Some(index) = libraries.iter().position(|library| library.name == name.name) else {
            return self.is_there(&class.name, &name.name);
        };
        if stages[index] == Stage::Begun {
            let message = format!("the library `{}` depends on itself, if only by way of others", name.name);
            let diagnostic = Diagnostic::error(Tag::D_PRAGMA_DEPEND, pragma.span, message);
            self.found.push(diagnostic.help("remove one of the lines that make the circle"));
            return true;
        }
        self.read_library(libraries, stages, index)
    }
}
