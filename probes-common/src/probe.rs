//! What a probe is: a name, an event to hang on, a record, and how D's `args[]` lie in it.

use crate::schema::StructDef;

/// How a trampoline gets to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attach {
    /// A raw tracepoint of the kernel.
    RawTracepoint(&'static str),
    /// A raw tracepoint of the kernel; which one comes with the probe's name.
    NamedTracepoint,
    /// Functions of the kernel, where they are entered or where they return; which ones comes with the probes' names.
    Function {
        /// Whether it is where they return.
        returns: bool,
    },
    /// Places in the programs of processes; which ones comes with the probes' names.
    Uprobe,
    /// Returns of functions of processes; which ones comes with the probes' names.
    Uretprobe,
    /// A software clock on every CPU; the rate comes with the probe's name.
    Profile,
    /// A software clock on one CPU; the rate comes with the probe's name.
    Tick,
    /// A counter of events on every CPU; which one, and how many events, comes with the probe's name.
    Counter,
    /// The kernel's counter of page faults that waited for a device, on every CPU.
    MajorFaults,
    /// Run by the tracer itself, once (BEGIN, END).
    TestRun,
    /// Called by other trampolines when one of their clauses faults (ERROR).
    Called,
}

/// A trampoline in the probes object, by the name of its symbol.
#[derive(Debug, PartialEq, Eq)]
pub struct Program {
    /// The symbol: also `NAME` in `clauses_NAME`, `gate_NAME` and `WANTS_NAME`.
    pub name: &'static str,
    /// What it hangs on.
    pub attach: Attach,
    /// Whether it hosts several probes, told apart by a discriminator.
    pub family: bool,
    /// What it fills in.
    pub record: &'static StructDef,
    /// Programs without clauses that have to run beside it (they learn a socket's owner, a call's arguments).
    pub needs: &'static [Support],
}

/// A program that only gathers what other programs need. It has no clauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Support {
    /// Its symbol in the probes object.
    pub name: &'static str,
    /// What it hangs on.
    pub attach: Attach,
}

/// One probe.
#[derive(Debug, PartialEq, Eq)]
pub struct Probe {
    /// Provider, such as `tcp`.
    pub provider: &'static str,
    /// Function: empty for most stable probes.
    pub function: &'static str,
    /// Name, such as `state-change`.
    pub name: &'static str,
    /// Its trampoline.
    pub program: &'static Program,
    /// Which of the trampoline's probes it is; 0 where there is one.
    pub discriminator: u16,
    /// D's `args[]`, in order.
    pub args: &'static [Arg],
    /// When it fires, in whose context, and what to know about it.
    pub doc: &'static str,
}

/// One of a probe's arguments: also what `arg0`... give as an integer.
#[derive(Debug, PartialEq, Eq)]
pub struct Arg {
    /// Its D type, such as `psinfo_t *` or `int`.
    pub ctype: &'static str,
    /// The field of the record that holds it; empty for an argument that DTrace leaves void.
    pub field: &'static str,
    /// What it says.
    pub doc: &'static str,
}
