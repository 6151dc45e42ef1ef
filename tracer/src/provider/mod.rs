//! Which probes exist here, and how each attaches: the [`Catalog`].

mod absent;
mod catalog;
mod counter;
mod elsewhere;
mod fbt;
mod glob;
mod listing;
mod rate;
pub mod stability;
mod unmatched;
mod user;

use std::borrow::Cow;
use std::fmt;

use probes_common::probe::{Arg, Attach, Probe, Program};

pub use catalog::Catalog;
pub use counter::Counter;
pub use fbt::Argument;
pub use glob::{is_glob, matches};
pub use listing::{explain, list, list_verbose, probe_info};
pub use rate::Rate;
pub use unmatched::{OfProcess, Unmatched};
pub use user::{Followed, Prepare, Programs, Site, Sites, Told};

/// The module of what lives in the kernel itself.
const KERNEL: &str = "vmlinux";

/// A probe's id, as `-l` shows it: an index into the catalog plus one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProbeId(pub u32);

/// One probe of the catalog.
#[derive(Debug, Clone)]
pub struct ProbeInfo {
    /// Provider.
    pub provider: Cow<'static, str>,
    /// Module.
    pub module: Cow<'static, str>,
    /// Function.
    pub function: Cow<'static, str>,
    /// Name.
    pub name: Cow<'static, str>,
    /// Its trampoline.
    pub program: &'static Program,
    /// Which of the trampoline's probes it is.
    pub discriminator: u16,
    /// Of probes that are made from one: which copy of the trampoline it has.
    pub instance: Option<Instance>,
    /// D's `args[]`.
    pub args: &'static [Arg],
    /// When it fires.
    pub doc: &'static str,
    /// What this kernel lacks for it; an unavailable probe is listed but never matched.
    pub lacks: Option<Attach>,
}

impl ProbeInfo {
    /// A probe of the kernel as its provider's table has it.
    pub fn of(probe: &'static Probe) -> ProbeInfo {
        ProbeInfo {
            provider: probe.provider.into(),
            module: KERNEL.into(),
            function: probe.function.into(),
            name: probe.name.into(),
            program: probe.program,
            discriminator: probe.discriminator,
            instance: None,
            args: probe.args,
            doc: probe.doc,
            lacks: None,
        }
    }
}

impl fmt::Display for ProbeInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}:{}", self.provider, self.module, self.function, self.name)
    }
}

/// What a trampoline is copied for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Instance {
    /// A rate, of profile and tick.
    Rate(Rate),
    /// What is counted, of cpc.
    Counter(Counter),
    /// A raw tracepoint, of rawtp.
    Tracepoint(&'static str),
    /// The same, of sdt.
    Event(&'static str),
    /// Functions, as many as one copy can tell apart: which copy of fbt it is.
    Functions(u8),
}

impl Instance {
    /// What is added to the name of the trampoline.
    pub fn suffix(self) -> String {
        match self {
            Instance::Rate(rate) => rate.nanoseconds.to_string(),
            Instance::Counter(counter) => counter.to_string().replace('-', "_"),
            Instance::Tracepoint(name) => name.to_owned(),
            Instance::Event(name) => format!("sdt_{name}"),
            Instance::Functions(number) => number.to_string(),
        }
    }

    /// The raw tracepoint that it is for.
    pub fn tracepoint(self) -> Option<&'static str> {
        match self {
            Instance::Tracepoint(name) | Instance::Event(name) => Some(name),
            Instance::Rate(_) | Instance::Counter(_) | Instance::Functions(_) => None,
        }
    }
}

/// What a copy of a trampoline hangs on.
pub fn attach(attach: Attach, instance: Option<Instance>) -> Attach {
    match (attach, instance.and_then(Instance::tracepoint)) {
        (Attach::NamedTracepoint, Some(name)) => Attach::RawTracepoint(name),
        (attach, _) => attach,
    }
}

/// A probe description: four globs, an empty one standing for anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pattern {
    /// The provider.
    pub provider: String,
    /// The module.
    pub module: String,
    /// The function.
    pub function: String,
    /// The probe's name.
    pub name: String,
}

impl Pattern {
    /// The description of one probe.
    pub fn of(probe: &ProbeInfo) -> Pattern {
        Pattern {
            provider: probe.provider.to_string(),
            module: probe.module.to_string(),
            function: probe.function.to_string(),
            name: probe.name.to_string(),
        }
    }

    /// Reads `provider:module:function:name`; of fewer parts the last is the name.
    pub fn parse(text: &str) -> Option<Pattern> {
        let mut parts = text.rsplit(':');
        let mut part = || parts.next().unwrap_or_default().to_owned();
        let (name, function, module, provider) = (part(), part(), part(), part());
        parts.next().is_none().then_some(Pattern { provider, module, function, name })
    }

    /// Whether the probe is one of those described.
    pub fn covers(&self, probe: &ProbeInfo) -> bool {
        matches(&self.name, &probe.name)
            && matches(&self.function, &probe.function)
            && matches(&self.provider, &probe.provider)
            && matches(&self.module, &probe.module)
    }
}

/// As people write it: without the empty parts in front.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = format!("{}:{}:{}:{}", self.provider, self.module, self.function, self.name);
        f.write_str(whole.trim_start_matches(':'))
    }
}

/// How a program gets to run, in words.
pub fn describe(attach: Attach) -> String {
    match attach {
        Attach::RawTracepoint(name) => format!("raw tracepoint {name}"),
        Attach::NamedTracepoint => "the raw tracepoint of that name".to_owned(),
        Attach::Function { returns: false } => "the function's entry".to_owned(),
        Attach::Function { returns: true } => "the function's return".to_owned(),
        Attach::Uprobe => "uprobe".to_owned(),
        Attach::Uretprobe => "uretprobe".to_owned(),
        Attach::Profile => "perf event cpu-clock on every CPU".to_owned(),
        Attach::Tick => "perf event cpu-clock on one CPU".to_owned(),
        Attach::Counter => "perf event of that name on every CPU".to_owned(),
        Attach::MajorFaults => "perf event major-faults on every CPU".to_owned(),
        Attach::TestRun => "run by the tracer itself".to_owned(),
        Attach::Called => "called by the probe whose clause faults".to_owned(),
    }
}
