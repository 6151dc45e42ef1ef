//! The kernel's modules: which are there.

use std::collections::BTreeSet;
use std::path::Path;

/// The names of the kernel itself, as those of a module: ours and DTrace's.
const KERNEL: [&str; 4] = ["vmlinux", "kernel", "genunix", "unix"];

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
