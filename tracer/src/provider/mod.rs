//! Which probes exist here, and how each attaches.

use probes_common::probe::{Arg, Program};

/// A probe's id, as `-l` shows it: an index into the catalog plus one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProbeId(pub u32);

/// The period of a profile or tick probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate {
    /// Nanoseconds between two firings.
    pub nanoseconds: u64,
}

/// One probe of the catalog.
#[derive(Debug, Clone)]
pub struct ProbeInfo {
    /// Provider.
    pub provider: String,
    /// Module.
    pub module: String,
    /// Function.
    pub function: String,
    /// Name.
    pub name: String,
    /// Its trampoline.
    pub program: &'static Program,
    /// Which of the trampoline's probes it is.
    pub discriminator: u16,
    /// The rate, where the name has one.
    pub rate: Option<Rate>,
    /// D's `args[]`.
    pub args: &'static [Arg],
    /// When it fires.
    pub doc: &'static str,
}
