//! The types of the kernel's modules: those of a module that a program names, and as a source of types of all of them, which is asked
//! last.
//!
//! Invariant: a module's types are read when it is named, or when a type is that nothing else has; types of the kernel's own that a
//! module uses are the kernel's.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::ctype::{Body, NameKind, Type, TypeSource};
use super::kernel::KernelTypes;
use crate::kernel::btf::Btf;
use crate::kernel::modules::Types;

/// The types of a kernel's modules.
pub(super) struct ModuleTypes {
    types: Types,
    kernel: Rc<KernelTypes>,
    /// By the BTF that they are of.
    made: RefCell<Vec<(Arc<Btf>, Rc<KernelTypes>)>>,
}

impl ModuleTypes {
    pub(super) fn new(types: Types, kernel: Rc<KernelTypes>) -> ModuleTypes {
        let made = RefCell::new(vec![(types.kernel().clone(), kernel.clone())]);
        ModuleTypes { types, kernel, made }
    }

    /// The types of a module; the kernel's by its names.
    pub(super) fn of(&self, module: &str) -> Option<Rc<KernelTypes>> {
        self.types.of(module).map(|btf| self.by(&btf))
    }

    /// The types that this BTF describes.
    pub(super) fn by(&self, btf: &Arc<Btf>) -> Rc<KernelTypes> {
        let known =
            self.made.borrow().iter().find(|made| Arc::ptr_eq(&made.0, btf)).map(|made| made.1.clone());
        known.unwrap_or_else(|| {
            let new = KernelTypes::of_module(btf.clone(), self.kernel.clone());
            self.made.borrow_mut().push((btf.clone(), new.clone()));
            new
        })
    }

    /// The constant of that name of an enumeration, and its type: of the kernel's own, then of the modules'.
    pub(super) fn enumerator(&self, name: &str) -> Option<(i64, Type)> {
        self.kernel.enumerator(name).or_else(|| self.each().find_map(|module| module.enumerator(name)))
    }

    fn each(&self) -> impl Iterator<Item = Rc<KernelTypes>> {
        self.types.modules().into_iter().filter_map(|name| self.of(&name))
    }
}

impl TypeSource for ModuleTypes {
    fn find(&self, kind: NameKind, name: &str) -> Option<Type> {
        self.each().find_map(|module| module.find_own(kind, name))
    }

    fn body(&self, _: u32) -> Option<Body> {
        None
    }
}
