//! The kernel's modules: which are there, and their types.
//!
//! Invariant: a module's types are read when they are first asked for, and once.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::btf::{self, Btf};

/// The names of the kernel itself, as those of a module: ours, and those that DTrace's systems have.
const KERNEL: [&str; 6] = ["vmlinux", "kernel", "genunix", "unix", "freebsd", "mach_kernel"];

/// Whether the name is that of the kernel itself.
pub fn is_kernel(name: &str) -> bool {
    KERNEL.contains(&name)
}

/// The modules of a system.
#[derive(Clone, Debug)]
pub enum Modules {
    /// Those of this system, looked up in sysfs when one is asked for.
    Here,
    /// Of a made-up system: these.
    These(BTreeSet<&'static str>),
}

impl Modules {
    /// Whether the module is loaded, or a part of the kernel that shows as one.
    pub fn has(&self, name: &str) -> bool {
        is_kernel(name)
            || match self {
                Modules::Here => {
                    // sysfs spells a module's name with `_`.
                    let name = name.replace('-', "_");
                    !name.is_empty()
                        && !name.contains(['/', '.'])
                        && Path::new("/sys/module").join(name).exists()
                }
                Modules::These(names) => names.contains(name),
            }
    }
}

/// The types of a kernel and of its modules.
#[derive(Clone, Debug)]
pub struct Types {
    kernel: Arc<Btf>,
    /// Those of modules, as far as they were asked for.
    modules: Arc<Mutex<HashMap<String, Option<Arc<Btf>>>>>,
}

impl Types {
    /// Of a kernel with these types of its own.
    pub fn new(kernel: Arc<Btf>) -> Types {
        Types { kernel, modules: Arc::default() }
    }

    /// The kernel's own.
    pub fn kernel(&self) -> &Arc<Btf> {
        &self.kernel
    }

    /// Those of a module, where it is loaded and tells of them; those of the kernel by its names.
    pub fn of(&self, module: &str) -> Option<Arc<Btf>> {
        if module.is_empty() || is_kernel(module) {
            return Some(self.kernel.clone());
        }
        let name = module.replace('-', "_");
        if name.contains(['/', '.']) {
            return None;
        }
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        let read = || Btf::load_module(&name, self.kernel.clone()).ok().map(Arc::new);
        modules.entry(name.clone()).or_insert_with(read).clone()
    }

    /// Gives a module types: a made-up system.
    pub fn with_module(self, name: &str, types: Arc<Btf>) -> Types {
        let module = (name.to_owned(), Some(types));
        self.modules.lock().unwrap_or_else(PoisonError::into_inner).extend([module]);
        self
    }

    /// The modules that tell of their types, sorted.
    pub fn modules(&self) -> Vec<String> {
        let entries = fs::read_dir(btf::DIRECTORY).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let known = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.iter().filter(|module| module.1.is_some()).map(|module| module.0.clone());
        names.chain(known).filter(|name| !is_kernel(name)).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_a_module_and_paths_are_none() {
        let none = Modules::These(BTreeSet::new());
        assert!(none.has("vmlinux") && !none.has("ext4"));
        assert!(Modules::Here.has("vmlinux") && !Modules::Here.has("..") && !Modules::Here.has(""));
        assert!(Modules::These(["nfs"].into()).has("nfs"));
    }
}
