//! The probes in programs of processes: `pid1234:libc:malloc:entry`, `python1234:::function-entry`. They are made when a
//! description names them, since what there is depends on the process.
//!
//! Invariant: a probe is made once, whatever descriptions name it, and its places are known as long as the catalog lives.

mod everybody;
mod pid;
mod process;
mod types;
mod usdt;

use std::collections::HashMap;
use std::path::PathBuf;

use probes_common::probe::{Arg, Program};
use probes_common::providers::usdt::Spec;
use probes_common::user::Cookie;

use super::unmatched::{OfProcess, Unmatched};
use super::{Pattern, ProbeId, is_glob};
use crate::diagnostic::Tag;
pub use process::{Followed, Prepare};
pub use types::{Programs, Told};

/// The provider of functions.
const PID: &str = "pid";

/// A place in a file at which a probe is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// What leads to the file.
    pub file: PathBuf,
    /// Where in the file it is.
    pub offset: u64,
    /// Where in the file the probe's semaphore is; 0 for none.
    pub semaphore: u64,
    /// The process, by its id here.
    pub process: u32,
    /// The cookie of the attachment.
    pub cookie: Cookie,
}

/// Where the enabled probes are in the files of processes: what is to be attached.
#[derive(Debug, Clone, Default)]
pub struct Sites {
    /// Each with the trampoline that is attached there.
    pub sites: Vec<(&'static str, Site)>,
    /// Where arguments are, by the number that a cookie has.
    pub specs: Vec<Spec>,
}

/// A probe that was found, or made before.
pub(super) struct Found {
    pub(super) provider: String,
    pub(super) module: String,
    pub(super) function: String,
    pub(super) name: String,
    pub(super) program: &'static Program,
    pub(super) args: &'static [Arg],
    pub(super) doc: &'static str,
    pub(super) places: Vec<Place>,
}

/// One of its places; the cookie has no number yet.
pub(super) struct Place {
    file: PathBuf,
    offset: u64,
    semaphore: u64,
    process: u32,
    pid: u32,
    spec: u16,
}

/// What is known of programs of processes.
#[derive(Debug, Clone, Default)]
pub(super) struct User {
    processes: Programs,
    made: HashMap<String, ProbeId>,
    sites: HashMap<ProbeId, Vec<Site>>,
    specs: Vec<Spec>,
    /// How many probes each trampoline has.
    counts: HashMap<&'static str, u16>,
    /// The last description that matched nothing, and why.
    failure: Option<(Pattern, Unmatched)>,
}

/// Whose probes a description is about.
struct Request<'a> {
    /// The provider without the process.
    base: &'a str,
    pid: u32,
}

impl User {
    /// The process that the run follows.
    pub(super) fn follow(&mut self, followed: Followed) {
        self.processes.borrow_mut().follow(followed);
    }

    /// Lets descriptions name libraries that a process has not loaded yet.
    pub(super) fn allow_later(&mut self, later: bool) {
        self.processes.borrow_mut().later = later;
    }

    /// The probes that a description of a provider with a process id describes; `None` for another description.
    pub(super) fn find(&mut self, pattern: &Pattern) -> Option<Vec<Found>> {
        let Some(request) = self.request(pattern) else { return self.find_everybodys(pattern) };
        let found = match request {
            Ok(request) if request.base == PID => {
                pid::find(&mut self.processes.borrow_mut(), request.pid, pattern)
            }
            Ok(request) => self.find_usdt(request.base, request.pid, pattern),
            Err(bad) => Err(bad),
        };
        let found = found.and_then(|found| match self.fits(&found) {
            true => Ok(found),
            false => Err(OfProcess::new(
                Tag::D_PROC_CREATEFAIL,
                format!("these are too many probes: one run has {} of a kind at most", u16::MAX),
                "name a module or fewer functions; `entry` and `return` leave out the places in between",
            )),
        });
        Some(found.unwrap_or_else(|why| {
            self.failure = Some((pattern.clone(), why.into()));
            Vec::new()
        }))
    }

    /// The probes that programs bring along in the process that is followed.
    pub(super) fn find_followed(&mut self) -> Vec<Found> {
        let Some(pid) = self.processes.borrow().followed() else { return Vec::new() };
        self.find_usdt("*", pid, &Pattern::default()).unwrap_or_default()
    }

    fn find_usdt(&mut self, base: &str, pid: u32, pattern: &Pattern) -> Result<Vec<Found>, OfProcess> {
        usdt::find(&mut self.processes.borrow_mut(), &mut self.specs, base, pid, pattern)
    }

    /// The probes of a provider in all processes, where a description leaves open in which; `None` where there are none.
    fn find_everybodys(&mut self, pattern: &Pattern) -> Option<Vec<Found>> {
        let provider = &pattern.provider;
        if !provider.ends_with('*') || provider.starts_with(['*', '?', '[']) {
            return None;
        }
        let mut found = Vec::new();
        for pid in everybody::with_provider(provider) {
            // One that has ended in the meantime has none.
            found.extend(self.find_usdt(provider, pid, pattern).unwrap_or_default());
        }
        Some(found).filter(|found| !found.is_empty() && self.fits(found))
    }

    /// Why it found nothing.
    pub(super) fn failure(&self, pattern: &Pattern) -> Option<&Unmatched> {
        self.failure.as_ref().filter(|(of, _)| of == pattern).map(|(_, why)| why)
    }

    /// The probe, if it has been made.
    pub(super) fn known(&self, found: &Found) -> Option<ProbeId> {
        self.made.get(&found.key()).copied()
    }

    /// The number of a new probe of a trampoline.
    pub(super) fn number(&mut self, program: &'static Program) -> u16 {
        let count = self.counts.entry(program.name).or_default();
        *count += 1;
        *count - 1
    }

    /// Keeps the places of a probe that is made now.
    pub(super) fn made(&mut self, id: ProbeId, discriminator: u16, found: &Found) {
        let site = |place: &Place| Site {
            file: place.file.clone(),
            offset: place.offset,
            semaphore: place.semaphore,
            process: place.process,
            cookie: Cookie { process: place.pid, discriminator, spec: place.spec },
        };
        self.made.insert(found.key(), id);
        self.sites.insert(id, found.places.iter().map(site).collect());
    }

    /// The places of a probe.
    pub(super) fn sites(&self, id: ProbeId) -> &[Site] {
        self.sites.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The processes, for what their programs tell of types.
    pub(super) fn programs(&self) -> &Programs {
        &self.processes
    }

    /// What cookies refer to.
    pub(super) fn specs(&self) -> &[Spec] {
        &self.specs
    }

    /// Whose probes a description is about, if it is one of this sort.
    fn request<'a>(&self, pattern: &'a Pattern) -> Option<Result<Request<'a>, OfProcess>> {
        let provider = pattern.provider.as_str();
        let base = provider.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = &provider[base.len()..];
        if base == PID && digits.is_empty() {
            return Some(Err(OfProcess::new(
                Tag::D_PDESC_ZERO,
                "the provider pid needs a process".to_owned(),
                "write pid$target, with -p or -c, or the number of a process: pid1234",
            )));
        }
        if base.is_empty() || digits.is_empty() {
            // `python*` is about the process that is followed.
            let followed = self.processes.borrow().followed().filter(|_| {
                is_glob(provider) && provider.ends_with('*') && !provider.starts_with(['*', '?', '['])
            });
            return followed.map(|pid| Ok(Request { base: provider, pid }));
        }
        let pid = digits.parse().ok().filter(|&pid| pid > 0);
        Some(pid.map(|pid| Request { base, pid }).ok_or_else(|| {
            OfProcess::new(
                Tag::D_PROC_BADPID,
                format!("`{digits}` is no process id"),
                "`ps -e` lists the processes; $target is the one of -p or -c",
            )
        }))
    }

    fn fits(&self, found: &[Found]) -> bool {
        let most = usize::from(u16::MAX);
        let mut counts: HashMap<&str, usize> = HashMap::new();
        found.iter().filter(|found| self.known(found).is_none()).all(|found| {
            let name = found.program.name;
            let before = || self.counts.get(name).copied().unwrap_or_default().into();
            let count = counts.entry(name).or_insert_with(before);
            *count += 1;
            *count < most
        }) && self.specs.len() < most
    }
}

impl Found {
    fn key(&self) -> String {
        [&*self.provider, &self.module, &self.function, &self.name].join(":")
    }
}
