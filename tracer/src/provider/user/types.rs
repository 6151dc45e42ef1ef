//! What the programs of processes tell of types, for who makes D's types of it.
//!
//! Invariant: a file is read when somebody asks for its types, and once; so programs that name none pay nothing.

use std::cell::{Ref, RefCell, RefMut};
use std::rc::Rc;
use std::sync::Arc;

use super::process::Processes;
use crate::kernel::btf::Described;
use crate::provider::unmatched::OfProcess;
use crate::user::Lack;

/// The types that a file tells of, or why it tells of none.
pub type Told = Result<Arc<dyn Described>, Lack>;

/// The processes that descriptions have named.
#[derive(Debug, Clone, Default)]
pub struct Programs(Rc<RefCell<Processes>>);

impl Programs {
    pub(super) fn borrow(&self) -> Ref<'_, Processes> {
        self.0.borrow()
    }

    pub(super) fn borrow_mut(&self) -> RefMut<'_, Processes> {
        self.0.borrow_mut()
    }

    /// The process whose types a bare name may mean.
    pub fn at_hand(&self) -> Option<u32> {
        self.borrow().at_hand()
    }

    /// The types of each file that a name means, the program first; with `stripped`, also those that are installed apart.
    pub fn types(&self, pid: u32, module: &str, stripped: bool) -> Result<Vec<Told>, OfProcess> {
        let mut processes = self.borrow_mut();
        let (_, modules) = processes.files(pid, module)?;
        Ok(modules.iter().map(|module| processes.types(module, stripped)).collect())
    }
}
