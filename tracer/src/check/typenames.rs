//! What type names mean: the D program's own typedefs, structures and enumerations, then what the sources know: the kernel, its
//! modules, and the traced program, which comes first where the D program has probes in it.
//!
//! Invariant: one name is one type from its first use on; a structure may be named before it is defined.

use std::collections::HashMap;
use std::rc::Rc;

use super::ctype::{Composite, CompositeKind, NameKind, Type, TypeSource, interned};
use super::kernel::KernelTypes;
use super::modules::ModuleTypes;
use super::program::ProgramTypes;
use crate::diagnostic::Span;

/// DTrace's names for structures that Linux knows by their tags only.
const STRUCTURES: [(&str, &str); 1] = [("in6_addr_t", "in6_addr")];
const STRUCTURE: NameKind = NameKind::Composite(CompositeKind::Struct);

/// All type names.
pub(super) struct TypeNames {
    /// The program's own, and where they were defined.
    own: HashMap<(NameKind, String), (Type, Span)>,
    /// Who knows other types: asked in order.
    sources: Vec<Rc<dyn TypeSource>>,
    /// Traced programs know the rest.
    traced: Rc<ProgramTypes>,
    /// Whether the traced program is asked before the kernel, as where probes are in it.
    asks: bool,
}

impl TypeNames {
    /// The program's own, where they are known the kernel's and its modules', and the traced program's, before them if it `asks`.
    pub(super) fn new(
        kernel: Option<Rc<KernelTypes>>,
        modules: Option<Rc<ModuleTypes>>,
        traced: Rc<ProgramTypes>,
        asks: bool,
    ) -> TypeNames {
        let kernel = kernel.map(|kernel| kernel as Rc<dyn TypeSource>);
        let sources =
            kernel.into_iter().chain(modules.map(|modules| modules as Rc<dyn TypeSource>)).collect();
        TypeNames { own: HashMap::new(), sources, traced, asks }
    }

    /// Whether the traced program is asked first.
    pub(super) fn asks(&self) -> bool {
        self.asks
    }

    /// The program's own type of that name, and where it was defined.
    pub(super) fn own(&self, kind: NameKind, name: &str) -> Option<&(Type, Span)> {
        self.own.get(&(kind, name.to_owned()))
    }

    /// The type of that name.
    pub(super) fn find(&self, kind: NameKind, name: &str) -> Option<Type> {
        if let Some((ty, _)) = self.own(kind, name) {
            return Some(ty.clone());
        }
        let asked = self.asks.then(|| self.traced.find_in_program(kind, name)).flatten();
        let known = asked.or_else(|| self.of_kernel(kind, name)).or_else(|| self.traced.find(kind, name));
        known.or_else(|| match STRUCTURES.iter().find(|row| row.0 == name) {
            Some(row) if kind == NameKind::Typedef => self.find(STRUCTURE, row.1),
            _ => None,
        })
    }

    /// The kernel's type of that name.
    pub(super) fn of_kernel(&self, kind: NameKind, name: &str) -> Option<Type> {
        self.sources.iter().find_map(|source| source.find(kind, name))
    }

    /// The type of that name for who says that it is the traced program's.
    pub(super) fn of_process(&self, kind: NameKind, name: &str) -> Option<Type> {
        self.traced.find(kind, name).or_else(|| self.find(kind, name))
    }

    /// Gives a type a name.
    pub(super) fn add(&mut self, kind: NameKind, name: &str, ty: Type, span: Span) {
        self.own.insert((kind, name.to_owned()), (ty, span));
    }

    /// The program's structure or union of that tag: the one that it named before, or a new one.
    pub(super) fn declared(&mut self, kind: CompositeKind, tag: &str, span: Span) -> Rc<Composite> {
        if let Some((Type::Composite(known), _)) = self.own(NameKind::Composite(kind), tag) {
            return known.clone();
        }
        let new = Rc::new(Composite::declared(kind, Some(interned(tag))));
        self.add(NameKind::Composite(kind), tag, Type::Composite(new.clone()), span);
        new
    }

    /// All names of that kind: the program's own, in their order, then those of the sources.
    pub(super) fn names(&self, kind: NameKind) -> Vec<&str> {
        let names = self.own.keys().filter(|key| key.0 == kind);
        let mut names: Vec<&str> = names.map(|key| key.1.as_str()).collect();
        names.sort_unstable();
        names.extend(self.sources.iter().flat_map(|source| source.names(kind)));
        names
    }
}
