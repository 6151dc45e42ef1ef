//! All probes of a target, with their ids.
//!
//! Invariant: an id never changes its meaning while the catalog lives. Probes of the profile provider, of which there
//! are as many as rates, are added when a description first names them, those of rawtp and sdt, of which there are as
//! many as tracepoints, when one first names that provider, and those of fbt function by function. A description that leaves
//! the provider open finds tracepoints and functions where it finds nothing else.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use probes_common::probe::{Arg, Attach, Probe, Program};
use probes_common::providers::{PROVIDERS, STAND_INS, cpc, dtrace, profile, rawtp, sdt, syscall};

use super::counter::{self, BadCounter, Counter};
use super::elsewhere;
use super::fbt::FBT;
use super::rate::{self, BadRate};
use super::unmatched::{self, Unmatched};
use super::user::{Followed, Found, Programs, Sites, User};
use super::{Instance, KERNEL, Pattern, ProbeId, ProbeInfo, Rate, is_glob, matches};
use crate::kernel::Target;
use crate::kernel::addresses::Addresses;
use crate::kernel::arch::Abi;
use crate::kernel::btf::TypeId;
use crate::kernel::functions::Functions;
use crate::kernel::modules::{Modules, Types, is_kernel};
use crate::kernel::tracepoints::Tracepoints;

/// The profile probes that are there without being asked for, so that `-l` and `profile:::` have some to show: DTrace's
/// usual rates, which keep out of step with what happens at round ones.
const USUAL_RATES: &[&str] = &[
    "profile-97",
    "profile-199",
    "profile-499",
    "profile-997",
    "profile-1999",
    "profile-4001",
    "profile-4999",
    "tick-1",
    "tick-10",
    "tick-100",
    "tick-500",
    "tick-1000",
    "tick-5000",
];

/// The probes of a target.
#[derive(Debug, Clone)]
pub struct Catalog {
    probes: Vec<ProbeInfo>,
    /// Those of fbt.
    functions: BTreeMap<ProbeId, ProbeInfo>,
    /// How many of its entries and returns there are.
    pub(super) functions_added: [usize; 2],
    /// By program, discriminator and rate: what the kernel tells of a firing.
    places: HashMap<(&'static str, u16, Option<Instance>), ProbeId>,
    tracepoints: Tracepoints,
    pub(super) traceable: Functions,
    modules: Modules,
    pub(super) types: Option<Types>,
    addresses: Addresses,
    user: User,
}

impl Catalog {
    /// All probes of `target`.
    pub fn new(target: &Target) -> Catalog {
        let tracepoints = target.tracepoints.clone();
        let modules = target.modules.clone();
        let mut catalog = Catalog {
            probes: Vec::new(),
            functions: BTreeMap::new(),
            functions_added: [0; 2],
            places: HashMap::new(),
            tracepoints,
            traceable: target.functions.clone(),
            modules,
            types: target.types.clone(),
            addresses: target.addresses.clone(),
            user: User::default(),
        };
        for probe in PROVIDERS.iter().copied().flatten() {
            let module = if probe.provider == DTRACE { "" } else { KERNEL };
            let program = catalog.program(probe.program);
            catalog.add(ProbeInfo { module: module.into(), program, ..ProbeInfo::of(probe) });
        }
        for (discriminator, name) in target.machine.syscalls(Abi::Native) {
            for side in syscall::PROBES {
                catalog.add(ProbeInfo { function: name.into(), discriminator, ..ProbeInfo::of(side) });
            }
        }
        for name in USUAL_RATES {
            catalog.add_rate(name);
        }
        for event in target.counters.available() {
            let counter = Counter::listed(event);
            catalog.add_counter(&counter.to_string(), counter);
        }
        catalog
    }

    /// The probes that `pattern` describes and this kernel can have, by id. Makes the probe that a name such as
    /// `tick-1s` asks for. A module that is what another system calls its kernel (`tcp:kernel::send`,
    /// `syscall:freebsd:read:entry`) is ours, unless there is one of that name.
    pub fn matching(&mut self, pattern: &Pattern) -> Vec<ProbeId> {
        let found = self.matching_as_written(pattern);
        if !found.is_empty() || !is_kernel(&pattern.module) || !self.is_kernels(&pattern.provider) {
            return found;
        }
        self.matching_as_written(&Pattern { module: KERNEL.to_owned(), ..pattern.clone() })
    }

    fn matching_as_written(&mut self, pattern: &Pattern) -> Vec<ProbeId> {
        if !self.is_kernels(&pattern.provider)
            && elsewhere::find(&pattern.provider).is_none()
            && let Some(found) = self.user.find(pattern)
        {
            let mut ids: Vec<ProbeId> = found.into_iter().map(|found| self.add_user(found)).collect();
            ids.sort_unstable();
            return ids;
        }
        let named = LATE.into_iter().rfind(|provider| names_provider(pattern, provider));
        if let Some(provider) = named {
            self.add_late(provider, pattern);
        }
        if !is_glob(&pattern.name) && !self.all(pattern).any(|_| true) {
            if may_be_rate(pattern) {
                self.add_rate(&pattern.name);
            }
            if let Some(Ok(counter)) = parse_counter(pattern)
                && self.counts(counter)
            {
                self.add_counter(&pattern.name, counter);
            }
        }
        let stable = |id: &ProbeId| self.get(*id).is_some_and(|probe| !LATE.contains(&&*probe.provider));
        if named.is_none() && !self.all(pattern).any(|id| stable(&id)) {
            return LATE
                .into_iter()
                .map(|provider| self.late(provider, pattern))
                .find(|ids| !ids.is_empty())
                .unwrap_or_default();
        }
        let available = |id: &ProbeId| self.get(*id).is_some_and(|probe| probe.lacks.is_none());
        self.all(pattern).filter(|id| available(id) && (named.is_some() || stable(id))).collect()
    }

    /// The probes of a provider that is looked at late which a pattern describes that may leave the provider open.
    fn late(&mut self, provider: &'static str, pattern: &Pattern) -> Vec<ProbeId> {
        if !matches(&pattern.provider, provider) {
            return Vec::new();
        }
        let pattern = Pattern { provider: provider.to_owned(), ..pattern.clone() };
        self.add_late(provider, &pattern);
        self.all(&pattern).collect()
    }

    /// Adds the probes that a pattern describes of a provider that is looked at late.
    fn add_late(&mut self, provider: &'static str, pattern: &Pattern) {
        match provider {
            FBT => self.add_functions(pattern),
            SDT => self.add_tracepoints(),
            _ => self.add_all_of(provider),
        }
    }

    /// The probes that `pattern` describes, also those that this kernel cannot have.
    pub fn all(&self, pattern: &Pattern) -> impl Iterator<Item = ProbeId> {
        self.ids().filter(|&id| self.get(id).is_some_and(|probe| pattern.covers(probe)))
    }

    /// Why [`Catalog::matching`] found nothing, and what may have been meant.
    pub fn explain(&self, pattern: &Pattern) -> Unmatched {
        self.user.failure(pattern).cloned().unwrap_or_else(|| unmatched::explain(self, pattern))
    }

    /// The probe of that id.
    pub fn get(&self, id: ProbeId) -> Option<&ProbeInfo> {
        self.probes.get(id.0.checked_sub(1)? as usize).or_else(|| self.functions.get(&id))
    }

    /// The probe of that id, also where it is a tracepoint's or a function's and none has been named.
    pub fn by_id(&mut self, id: ProbeId) -> Option<&ProbeInfo> {
        if self.get(id).is_none() {
            self.add_function_by_id(id);
            self.add_tracepoints();
        }
        self.get(id)
    }

    /// The probe that fires as `discriminator` in a copy of `program`.
    pub fn firing(
        &self,
        program: &Program,
        discriminator: u16,
        instance: Option<Instance>,
    ) -> Option<ProbeId> {
        self.places.get(&(program.name, discriminator, instance)).copied()
    }

    /// The kernel's types, where they are known.
    pub fn types(&self) -> Option<&Types> {
        self.types.as_ref()
    }

    /// Where the kernel's symbols are.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Whether any probe is this provider's.
    pub fn has_provider(&self, name: &str) -> bool {
        self.probes().any(|probe| probe.provider == name)
    }

    /// Whether this provider has probes, or would have where they are asked for.
    pub fn offers(&self, name: &str) -> bool {
        match name {
            FBT => self.traceable.all().is_ok_and(|functions| !functions.is_empty()),
            SDT | RAWTP => !self.tracepoints.names().is_empty(),
            OF_PROCESSES => true,
            _ => self.has_provider(name),
        }
    }

    /// Whether the kernel has that module.
    pub fn has_module(&self, name: &str) -> bool {
        self.modules.has(name)
    }

    /// All ids, in order.
    pub fn ids(&self) -> impl Iterator<Item = ProbeId> {
        (1..=self.probes.len() as u32).map(ProbeId).chain(self.functions.keys().copied())
    }

    /// All probes, in the order of their ids.
    pub fn probes(&self) -> impl Iterator<Item = &ProbeInfo> {
        self.probes.iter().chain(self.functions.values())
    }

    /// Adds a probe of fbt, which has this id.
    pub(super) fn add_at(&mut self, id: ProbeId, probe: ProbeInfo) {
        self.places.insert((probe.program.name, probe.discriminator, probe.instance), id);
        self.functions.insert(id, probe);
    }

    /// The program itself, or what stands in for it where this kernel lacks what it hangs on.
    fn program(&self, program: &'static Program) -> &'static Program {
        let stand_in = STAND_INS.iter().find(|(of, _)| *of == program).filter(|_| self.lacks(program.attach));
        stand_in.map_or(program, |(_, stand_in)| stand_in)
    }

    fn add(&mut self, mut probe: ProbeInfo) {
        let needs = probe.program.needs.iter().map(|support| support.attach);
        probe.lacks = std::iter::once(probe.program.attach).chain(needs).find(|&attach| self.lacks(attach));
        let id = ProbeId(self.probes.len() as u32 + 1);
        // Two names for one rate (tick-1 and tick-1s) fire as one; the one that was asked for last is shown.
        self.places.insert((probe.program.name, probe.discriminator, probe.instance), id);
        self.probes.push(probe);
    }

    /// Whether a provider of the kernel's probes is called so.
    fn is_kernels(&self, provider: &str) -> bool {
        let of_process =
            |probe: &ProbeInfo| matches!(probe.program.attach, Attach::Uprobe | Attach::Uretprobe);
        LATE.into_iter().any(|name| matches(provider, name))
            || self.probes.iter().any(|probe| matches(provider, &probe.provider) && !of_process(probe))
    }

    /// The process that the run follows, whose probes may be named without its id.
    pub fn follow(&mut self, followed: Followed) {
        self.user.follow(followed);
    }

    /// Lets descriptions name libraries that a process has not loaded yet, as with -Z.
    pub fn allow_later(&mut self, later: bool) {
        self.user.allow_later(later);
    }

    /// Adds the probes that the process that is followed brings along.
    pub fn add_followed(&mut self) {
        for found in self.user.find_followed() {
            self.add_user(found);
        }
    }

    /// The processes that descriptions name, for the types of their programs.
    pub fn programs(&self) -> &Programs {
        self.user.programs()
    }

    /// Where those of the probes that are in programs of processes are to be attached.
    pub fn sites(&self, probes: &[ProbeId]) -> Sites {
        let of = |id: &ProbeId| {
            let name = self.get(*id).map_or("", |probe| probe.program.name);
            self.user.sites(*id).iter().map(move |site| (name, site.clone()))
        };
        Sites { sites: probes.iter().flat_map(of).collect(), specs: self.user.specs().to_vec() }
    }

    /// Adds a probe of a program, once.
    fn add_user(&mut self, found: Found) -> ProbeId {
        if let Some(id) = self.user.known(&found) {
            return id;
        }
        let discriminator = self.user.number(found.program);
        let id = ProbeId(self.probes.len() as u32 + 1);
        self.user.made(id, discriminator, &found);
        self.add(ProbeInfo {
            provider: found.provider.into(),
            module: found.module.into(),
            function: found.function.into(),
            name: found.name.into(),
            program: found.program,
            discriminator,
            instance: None,
            args: found.args,
            doc: found.doc,
            lacks: None,
        });
        id
    }

    /// Adds the profile probe called `name`, if it is one.
    fn add_rate(&mut self, name: &str) {
        let Some((probe, Ok(rate))) = parse_rate(name) else { return };
        self.add(ProbeInfo {
            module: "".into(),
            name: Cow::Owned(name.to_owned()),
            instance: Some(Instance::Rate(rate)),
            ..ProbeInfo::of(probe)
        });
    }

    /// Adds the probe of cpc called `name`, which counts so.
    fn add_counter(&mut self, name: &str, counter: Counter) {
        self.add(ProbeInfo {
            module: "".into(),
            name: name.to_owned().into(),
            instance: Some(Instance::Counter(counter)),
            ..ProbeInfo::of(&cpc::PROBES[0])
        });
    }

    /// Whether the event can be counted here: then there is a probe of it from the beginning.
    pub(super) fn counts(&self, counter: Counter) -> bool {
        let listed = Some(Instance::Counter(Counter::listed(counter.event)));
        self.firing(&cpc::CPC, 0, listed).is_some()
    }

    /// Adds all probes that the kernel has, but for rates.
    pub fn add_all(&mut self) {
        self.add_tracepoints();
        self.add_functions(&Pattern::default());
    }

    /// Adds the probes of rawtp and sdt that are not there yet: always in this order, for their ids' sake.
    pub fn add_tracepoints(&mut self) {
        self.add_all_of(RAWTP);
        self.add_all_of(SDT);
    }

    /// Adds the probes of rawtp or of sdt, once.
    fn add_all_of(&mut self, provider: &'static str) {
        if self.has_provider(provider) {
            return;
        }
        let tracepoints = self.tracepoints.clone();
        let in_kernel = |name| (KERNEL.to_owned(), name);
        let (probe, instance, named): (_, fn(_) -> Instance, Vec<_>) = match provider {
            SDT => (&sdt::PROBES[0], Instance::Event, tracepoints.events()),
            _ => {
                let named = tracepoints.names().into_iter().map(in_kernel).collect();
                (&rawtp::PROBES[0], Instance::Tracepoint, named)
            }
        };
        for (module, name) in named {
            let count = tracepoints.param_count(name).min(probe.args.len());
            let name: &'static str = Box::leak(Box::from(name));
            self.add(ProbeInfo {
                module: module.into(),
                name: name.into(),
                instance: Some(instance(name)),
                args: &probe.args[..count],
                ..ProbeInfo::of(probe)
            });
        }
    }

    /// The `args[]` of a probe: of a function that the kernel tells of, as many as it has.
    pub fn arguments(&self, probe: &ProbeInfo) -> &'static [Arg] {
        let count = if probe.provider == FBT { self.function_arguments(probe) } else { None };
        count.map_or(probe.args, |count| &probe.args[..count])
    }

    /// The types of the arguments of a probe, where the kernel says more of them than its table does.
    pub fn argument_types(&self, probe: &ProbeInfo) -> Option<Vec<String>> {
        if probe.provider == FBT {
            return self.function_types(probe);
        }
        self.tracepoints.params(probe.instance?.tracepoint()?)
    }

    /// Whether its arguments are words, whose types the kernel knows.
    pub fn is_typed_by_kernel(&self, id: ProbeId) -> bool {
        let made_from = |instance| {
            matches!(instance, Instance::Tracepoint(_) | Instance::Event(_) | Instance::Functions(_))
        };
        self.get(id).is_some_and(|probe| probe.instance.is_some_and(made_from))
    }

    /// The type of one of them, by its number among the kernel's types.
    pub fn argument_type(&self, probe: &ProbeInfo, number: usize) -> Option<TypeId> {
        self.tracepoints.param(probe.instance?.tracepoint()?, number)
    }

    fn lacks(&self, attach: Attach) -> bool {
        match attach {
            Attach::RawTracepoint(name) => !self.tracepoints.has(name),
            Attach::NamedTracepoint
            | Attach::Function { .. }
            | Attach::Uprobe
            | Attach::Uretprobe
            | Attach::Profile
            | Attach::Tick
            | Attach::Counter
            | Attach::MajorFaults
            | Attach::TestRun
            | Attach::Called => false,
        }
    }
}

/// The provider of BEGIN, END and ERROR, which are the tracer's own.
const DTRACE: &str = dtrace::PROBES[0].provider;

/// The provider of rates.
const PROFILE: &str = profile::PROBES[0].provider;

/// The provider of counters.
const CPC: &str = cpc::PROBES[0].provider;

/// The provider of tracepoints.
const RAWTP: &str = rawtp::PROBES[0].provider;

/// The same by DTrace's name, their modules being the kernel's subsystems.
const SDT: &str = sdt::PROBES[0].provider;

/// Providers of which there are so many probes that they are looked at only where a description names the provider, or names
/// nothing else; in this order.
/// The provider of processes' functions, which is named with the id of one.
const OF_PROCESSES: &str = "pid";

const LATE: [&str; 3] = [SDT, RAWTP, FBT];

/// Whether the description names this provider of tracepoints: there are more than a thousand, and finding them takes
/// longer than starting to trace.
fn names_provider(pattern: &Pattern, provider: &str) -> bool {
    pattern.provider.get(..2) == provider.get(..2) && matches(&pattern.provider, provider)
}

/// What the profile probe `name` is made like, and its rate.
pub(super) fn parse_rate(name: &str) -> Option<(&'static Probe, Result<Rate, BadRate>)> {
    let (kind, rate) = name.split_once('-')?;
    let probe = profile::PROBES.iter().find(|probe| probe.name == kind)?;
    Some((probe, rate::parse(rate)))
}

/// What a description asks cpc for, if it may.
pub(super) fn parse_counter(pattern: &Pattern) -> Option<Result<Counter, BadCounter>> {
    let may_be =
        matches(&pattern.provider, CPC) && matches(&pattern.module, "") && matches(&pattern.function, "");
    counter::parse(&pattern.name).filter(|_| may_be)
}

/// Whether the other parts of a description allow for a profile probe.
pub(super) fn may_be_rate(pattern: &Pattern) -> bool {
    matches(&pattern.provider, PROFILE) && matches(&pattern.module, "") && matches(&pattern.function, "")
}

#[cfg(test)]
mod tests;
