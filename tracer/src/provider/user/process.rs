//! The processes that descriptions have named, and what they have mapped.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use crate::diagnostic::{Tag, nearest};
use crate::kernel::btf::Described;
use crate::kernel::numbers;
use crate::kernel::sys::reason;
use crate::provider::unmatched::OfProcess;
use crate::provider::{is_glob, matches};
use crate::user::{self, Image, Lack, Module};

/// Files that a process has mapped, with what they are.
pub(super) type Modules = Vec<(Module, Arc<Image>)>;

/// What brings a process to where its libraries are mapped; it says why that cannot be done.
pub type Prepare = Rc<dyn Fn() -> Result<(), String>>;

/// The process that a run follows.
#[derive(Clone)]
pub struct Followed {
    /// Its id as probes have it.
    pub pid: u32,
    /// Its id here.
    pub process: u32,
    /// Brings it to where its libraries are mapped.
    pub prepare: Prepare,
}

impl fmt::Debug for Followed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Followed").field("pid", &self.pid).finish_non_exhaustive()
    }
}

/// A process.
#[derive(Debug, Clone)]
pub(super) struct Process {
    /// Its id here.
    pub(super) id: u32,
    modules: Vec<Module>,
}

/// The processes named so far; a file is read once.
#[derive(Debug, Clone, Default)]
pub(super) struct Processes {
    followed: Option<Followed>,
    /// Whether a library may be named that is loaded later.
    pub(super) later: bool,
    /// The one that was named first.
    first: Option<u32>,
    known: HashMap<u32, Process>,
    images: HashMap<PathBuf, Option<Arc<Image>>>,
    /// What files tell of types: by the file, and whether it is looked for where stripped information is installed.
    types: HashMap<(PathBuf, bool), Result<Arc<dyn Described>, Lack>>,
}

impl Processes {
    pub(super) fn follow(&mut self, followed: Followed) {
        self.followed = Some(followed);
    }

    /// The process that is followed, as probes have it.
    pub(super) fn followed(&self) -> Option<u32> {
        self.followed.as_ref().map(|followed| followed.pid)
    }

    /// The process that is followed, or else the first that a description has named.
    pub(super) fn at_hand(&self) -> Option<u32> {
        self.followed().or(self.first)
    }

    /// What a file tells of types.
    pub(super) fn types(&mut self, module: &Module, stripped: bool) -> Result<Arc<dyn Described>, Lack> {
        let known = self.types.entry((module.file.clone(), stripped));
        known.or_insert_with(|| user::types(&module.file, stripped)).clone()
    }

    /// The files of a process that a description's second part means, with what they are; those that are no programs are left out.
    /// Where it means none, the description matches no probe.
    pub(super) fn modules(&mut self, pid: u32, name: &str) -> Result<(u32, Modules), OfProcess> {
        let (process, modules) = self.files(pid, name).map_err(|why| match why.tag {
            Tag::D_PROC_LIB => OfProcess { tag: Tag::D_PDESC_ZERO, ..why },
            _ => why,
        })?;
        Ok((process, self.read(modules)))
    }

    fn read(&mut self, modules: Vec<Module>) -> Modules {
        let read = |module: Module| {
            let image = self.images.entry(module.file.clone());
            let image = image.or_insert_with(|| Image::read(&module.file).ok().map(Arc::new));
            image.clone().map(|image| (module, image))
        };
        modules.into_iter().filter_map(read).collect()
    }

    /// The libraries that a process may load from its own places, where they may be named that are loaded later: those that the
    /// second part of a description means and that bring such a provider along.
    pub(super) fn beside(&mut self, process: u32, name: &str, provides: impl Fn(&str) -> bool) -> Modules {
        if !self.later {
            return Modules::new();
        }
        let mut modules = user::beside(process);
        modules.retain(|module| {
            let meant = matches(name, &module.file_name) || module.is_called(name);
            meant && user::providers(&module.file).unwrap_or_default().iter().any(|name| provides(name))
        });
        self.read(modules)
    }

    /// The same without looking at what they are.
    pub(super) fn files(&mut self, pid: u32, name: &str) -> Result<(u32, Vec<Module>), OfProcess> {
        let process = self.process(pid)?.clone();
        let glob = name.is_empty() || is_glob(name);
        let meant = |module: &&Module| match glob {
            true => matches(name, &module.file_name),
            false => module.is_called(name),
        };
        let modules: Vec<Module> = process.modules.iter().filter(meant).cloned().collect();
        if modules.is_empty()
            && self.later
            && !glob
            && let Some(module) = user::later(process.id, name)
        {
            return Ok((process.id, vec![module]));
        }
        if modules.is_empty() {
            let names = process.modules.iter().map(|module| module.file_name.as_str());
            let help = match nearest(name, names.clone()) {
                Some(near) if !glob => format!("did you mean `{near}`?"),
                _ => {
                    let names = names.collect::<Vec<_>>().join(", ");
                    format!("it has {names}; -Z looks for libraries that are loaded later, too")
                }
            };
            let message = format!("process {pid} has mapped no program or library `{name}`");
            return Err(OfProcess::new(Tag::D_PROC_LIB, message, help));
        }
        Ok((process.id, modules))
    }

    fn process(&mut self, pid: u32) -> Result<&Process, OfProcess> {
        if !self.known.contains_key(&pid) {
            let process = self.grab(pid)?;
            self.first.get_or_insert(pid);
            self.known.insert(pid, process);
        }
        Ok(&self.known[&pid])
    }

    /// Finds out what a process has mapped.
    fn grab(&self, pid: u32) -> Result<Process, OfProcess> {
        let fail = |tag, why: String, help: &str| OfProcess::new(tag, why, help);
        let id = match self.followed.as_ref().filter(|followed| followed.pid == pid) {
            Some(followed) => {
                let help = "the command of -c is run as far as its libraries are mapped";
                (followed.prepare)().map_err(|why| fail(Tag::D_PROC_CREATEFAIL, why, help))?;
                followed.process
            }
            None if !numbers::are_first() => {
                let why = format!("process {pid} cannot be found: this is not the first PID namespace");
                return Err(fail(Tag::D_PROC_GRAB, why, "start the process with -c and name it $target"));
            }
            None if pid == std::process::id() => {
                let why = format!("process {pid} is this tracer, whose own programs have no probes");
                return Err(fail(Tag::D_PROC_DYN, why, "have another tracer look at it"));
            }
            None => pid,
        };
        let refused = |why: &str| {
            let help = "`ps -e` lists the processes; those of other users are root's to look at";
            fail(Tag::D_PROC_GRAB, format!("process {pid} cannot be looked at: {why}"), help)
        };
        let modules = user::modules(id).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => refused("there is no such process"),
            _ => refused(&reason(&error)),
        })?;
        if modules.is_empty() {
            return Err(refused("it has no program: it belongs to the kernel, or has ended"));
        }
        Ok(Process { id, modules })
    }
}
