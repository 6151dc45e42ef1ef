//! Why a description matches no probe, and what may have been meant.

use std::collections::BTreeSet;

use super::catalog::{Catalog, may_be_rate, parse_counter, parse_rate};
use super::fbt::may_be_function;
use super::{Pattern, ProbeInfo, describe, is_glob, matches};
use super::{absent, elsewhere};
use crate::diagnostic::{Tag, nearest};

/// A description that matches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmatched {
    /// Why, where more is known than that there is no such probe.
    pub reason: Option<String>,
    /// A description that does match and is near.
    pub nearest: Option<String>,
    /// Why a whole provider has no probes here.
    pub lacking: Option<String>,
    /// All that is to be said, where the description names a process.
    pub of_process: Option<OfProcess>,
}

/// Why a description that names a process matches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfProcess {
    /// What kind of mistake it is.
    pub tag: Tag,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl OfProcess {
    pub(super) fn new(tag: Tag, message: String, help: impl Into<String>) -> OfProcess {
        OfProcess { tag, message, help: help.into() }
    }
}

impl From<OfProcess> for Unmatched {
    fn from(of_process: OfProcess) -> Unmatched {
        Unmatched { reason: None, nearest: None, lacking: None, of_process: Some(of_process) }
    }
}

pub(super) fn explain(catalog: &Catalog, pattern: &Pattern) -> Unmatched {
    let function = may_be_function(pattern) && meant(&available(catalog), parts(pattern)).is_none();
    let lacking = function.then(|| catalog.no_functions().map(str::to_owned)).flatten();
    let elsewhere = || elsewhere::find(&pattern.provider).map(|row| row.instead);
    let lacking = lacking
        .or_else(|| absent::find(pattern).map(|row| row.instead).or_else(elsewhere).map(str::to_owned));
    let (reason, nearest) = (reason(catalog, pattern), correct(catalog, pattern));
    Unmatched { reason, nearest, lacking, of_process: None }
}

fn reason(catalog: &Catalog, pattern: &Pattern) -> Option<String> {
    let known = catalog.all(pattern).find_map(|id| catalog.get(id));
    if let Some(attach) = known.and_then(|probe| probe.lacks) {
        return Some(format!("this kernel has no {}, which the probe needs", describe(attach)));
    }
    match parse_counter(pattern) {
        Some(Err(bad)) if pattern.provider == "cpc" => return Some(bad.to_string()),
        Some(Ok(counter)) if !catalog.counts(counter) => {
            return Some(format!(
                "nothing counts {} here: the processor, or the machine that it is part of, has \
                                 no counter for it",
                counter.event.names[0]
            ));
        }
        _ => {}
    }
    match parse_rate(&pattern.name) {
        Some((_, Err(bad))) if may_be_rate(pattern) => Some(bad.to_string()),
        _ => {
            let elsewhere = || elsewhere::find(&pattern.provider).map(|row| row.reason);
            absent::find(pattern).map(|row| row.reason).or_else(elsewhere).map(str::to_owned)
        }
    }
}

/// The parts of a probe, from the one that a description begins with.
const PARTS: [fn(&ProbeInfo) -> &str; 4] = [|p| &p.provider, |p| &p.module, |p| &p.function, |p| &p.name];

/// The probes that there are here.
fn available(catalog: &Catalog) -> Vec<&ProbeInfo> {
    catalog.probes().filter(|probe| probe.lacks.is_none()).collect()
}

fn parts(pattern: &Pattern) -> [&str; 4] {
    [&pattern.provider, &pattern.module, &pattern.function, &pattern.name]
}

/// The description with each part that leads nowhere replaced by the nearest one that leads on.
fn correct(catalog: &Catalog, pattern: &Pattern) -> Option<String> {
    let mut catalog = catalog.clone();
    catalog.add_functions(&Pattern::default());
    let mut left = available(&catalog);
    let mut parts = parts(pattern);
    if let Some(meant) = meant(&left, parts) {
        return Some(meant);
    }
    for (part, of) in parts.iter_mut().zip(PARTS) {
        if !left.iter().any(|probe| matches(part, of(probe))) {
            let candidates: BTreeSet<&str> =
                left.iter().map(|probe| of(probe)).filter(|name| !name.is_empty()).collect();
            if is_glob(part) {
                return None;
            }
            *part = nearest(part, candidates)?;
        }
        left.retain(|probe| matches(part, of(probe)));
    }
    Some(parts.join(":").trim_start_matches(':').to_owned())
}

/// What is described in another form, every word of it right.
fn meant(probes: &[&ProbeInfo], parts: [&str; 4]) -> Option<String> {
    misplaced(probes, parts)
        .or_else(|| anywhere(probes, parts))
        .or_else(|| translated(parts))
        .or_else(|| placed(probes, parts))
}

/// A function or a provider that was given as the name: `-n openat` for `syscall::openat:entry`, `-n tcp` for `tcp:::`.
fn misplaced(probes: &[&ProbeInfo], [provider, module, function, name]: [&str; 4]) -> Option<String> {
    if !module.is_empty() || !function.is_empty() || name.is_empty() {
        return None;
    }
    let is = |probe: &&&ProbeInfo| probe.function == name && matches(provider, &probe.provider);
    if let Some(probe) = probes.iter().find(is) {
        return Some(format!("{}::{}:{}", probe.provider, probe.function, probe.name));
    }
    let provides = provider.is_empty() && probes.iter().any(|probe| probe.provider == name);
    provides.then(|| format!("{name}:::"))
}

/// A probe that another kernel has in a module and a function of its own: `sched::resume:on-cpu`.
fn anywhere(probes: &[&ProbeInfo], [provider, _, _, name]: [&str; 4]) -> Option<String> {
    let is =
        |probe: &&&ProbeInfo| probe.provider == provider && probe.function.is_empty() && probe.name == name;
    probes.iter().find(is).map(|probe| format!("{provider}:::{}", probe.name))
}

/// Right words with the wrong colons between them: `syscall:read:entry`, `tcp:send`.
fn placed(probes: &[&ProbeInfo], parts: [&str; 4]) -> Option<String> {
    let words: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if words.len() < 2 {
        return None;
    }
    probes.iter().find_map(|probe| {
        let mut words = words.iter().copied().peekable();
        let placed = PARTS.map(|of| words.next_if(|word| matches(word, of(probe))).unwrap_or(""));
        words.next().is_none().then(|| placed.join(":"))
    })
}

/// What bpftrace's name for a probe is here, written in three parts or two.
fn translated([_, kind, group, name]: [&str; 4]) -> Option<String> {
    let kind = if kind.is_empty() { group } else { kind };
    match (kind, group) {
        ("tracepoint", "syscalls") => {
            let entry = name.strip_prefix("sys_enter_").map(|call| (call, "entry"));
            let (call, at) = entry.or_else(|| Some((name.strip_prefix("sys_exit_")?, "return")))?;
            Some(format!("syscall::{call}:{at}"))
        }
        ("interval", unit @ ("us" | "ms" | "s" | "hz")) => Some(format!("tick-{name}{unit}")),
        ("profile", unit @ ("us" | "ms" | "s" | "hz")) => Some(format!("profile-{name}{unit}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Target;
    use crate::kernel::tracepoints::Tracepoints;

    fn explained(target: &Target, pattern: &str) -> Unmatched {
        let pattern = Pattern::parse(pattern).expect("it has at most four parts");
        let mut catalog = Catalog::new(target);
        assert_eq!(catalog.matching(&pattern), [], "{pattern}");
        catalog.explain(&pattern)
    }

    #[test]
    fn the_nearest_description_is_proposed() {
        let near = |pattern| explained(&Target::fixture(), pattern).nearest;
        assert_eq!(near("syscall::opnat:entry").as_deref(), Some("syscall::openat:entry"));
        assert_eq!(near("sycall::openat:entry").as_deref(), Some("syscall::openat:entry"));
        assert_eq!(near("syscall::openat:enter").as_deref(), Some("syscall::openat:entry"));
        assert_eq!(near("proc:::signal-sent").as_deref(), Some("proc:::signal-send"));
        assert_eq!(near("BEGINN").as_deref(), Some("BEGIN"));
        assert_eq!(near("tcp").as_deref(), Some("tcp:::"));
        assert_eq!(near("tracepoint:syscalls:sys_exit_read").as_deref(), Some("syscall::read:return"));
        assert_eq!(near("syscall:read:entry").as_deref(), Some("syscall::read:entry"));
        assert_eq!(near("syscall::read").as_deref(), Some("syscall::read:"));
        assert_eq!(near("proc:exit").as_deref(), Some("proc:::exit"));
        assert_eq!(near("sched::resume:on-cpu").as_deref(), Some("sched:::on-cpu"));
        assert_eq!(near("interval:s:1").as_deref(), Some("tick-1s"));
        assert_eq!(near("openat").as_deref(), Some("syscall::openat:entry"));
        assert_eq!(near("syscall::*zzz*:entry"), None);
        assert_eq!(near("nothing:like:this:atall"), None);
    }

    #[test]
    fn the_reason_is_told_where_there_is_one() {
        let bad = explained(&Target::fixture(), "tick-5parsecs").reason.expect("the unit is none");
        assert!(bad.contains("`parsecs` is no unit"), "{bad}");
        assert_eq!(explained(&Target::fixture(), "syscall::opne:entry").reason, None);
        let lacks = |pattern| explained(&Target::fixture(), pattern).lacking.is_some();
        let here = Catalog::new(&Target::fixture()).no_functions().is_some();
        assert_eq!((lacks("syscall:read:entry"), lacks("vmlinux:foo:entry")), (false, here));
        let target = Target { tracepoints: Tracepoints::AllBut(["sys_exit"].into()), ..Target::fixture() };
        let lacking = explained(&target, "syscall::read:return").reason.expect("there is no sys_exit");
        assert!(lacking.contains("no raw tracepoint sys_exit"), "{lacking}");
    }
}
