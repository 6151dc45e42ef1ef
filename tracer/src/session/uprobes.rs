//! Attaching to places in programs of processes: all places of one file in one call where the kernel has that (Linux 6.10 and
//! later), else one perf event a place.
//!
//! There are instructions that the kernel does not probe. It refuses a call with such a place among its own, so a call that is
//! refused is made again by halves: what is left out in the end is that place alone.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::thread;

use probes_common::probe::Attach;
use probes_common::providers::pid::RETURN;

use super::error::SessionError;
use super::load::{Loaded, chain};
use crate::kernel::uprobe::{self, Place};
use crate::provider::{Site, Sites, describe};
use crate::user;

/// What the kernel says of an instruction that it does not probe: EINVAL, EOPNOTSUPP, EIO, and its own ENOTSUPP, which is 524.
const REFUSALS: [i32; 4] = [libc::EINVAL, libc::EOPNOTSUPP, libc::EIO, 524];

/// Threads that share many places, and the fewest places of one: the kernel waits for a grace period of some milliseconds at a
/// place, unless it is busy with another (percpu_down_write in kernel/events/uprobes.c, Linux 6.18).
const THREADS: usize = 8;
const SHARE: usize = 16;

/// Attaches the trampolines at their places; gives the number of places that the kernel does not probe.
pub(super) fn attach(loaded: &mut Loaded, sites: &Sites) -> Result<usize, SessionError> {
    let mut groups: BTreeMap<(&str, u32, &Path), Vec<&Site>> = BTreeMap::new();
    for (program, site) in &sites.sites {
        groups.entry((program, site.process, &site.file)).or_default().push(site);
    }
    if !groups.is_empty() && !uprobe::are_multi() {
        uprobe::allow_descriptors(sites.sites.len() as u64);
    }
    let processes: BTreeSet<u32> = groups.keys().map(|(_, process, _)| *process).collect();
    processes.into_iter().for_each(user::touch);
    let mut refused = 0;
    for ((symbol, process, file), mut sites) in groups {
        let returns = symbol == RETURN.name;
        let failed = |error: io::Error| match error.raw_os_error() {
            Some(libc::ESRCH | libc::ENOENT) => SessionError::Process { pid: process, error },
            _ => SessionError::Attach {
                program: symbol.to_owned(),
                to: format!(
                    "a {} of process {process}",
                    describe(if returns { Attach::Uretprobe } else { Attach::Uprobe })
                ),
                error: chain(&error),
            },
        };
        // Of several probes at one place the kernel runs the one first that was attached last.
        sites.sort_by_key(|site| (site.offset, Reverse(site.cookie.discriminator)));
        let file = CString::new(file.as_os_str().as_bytes()).map_err(|error| failed(error.into()))?;
        let group = Group { program: loaded.program(symbol)?, file, process, returns };
        let Attached { links, refused: mut errors } = group.attach_all(&sites).map_err(failed)?;
        refused += errors.len();
        match errors.pop() {
            Some(error) if links.is_empty() => return Err(failed(error)),
            _ => loaded.uprobes.extend(links),
        }
    }
    Ok(refused)
}

/// Detaches.
pub(super) fn detach(mut links: Vec<OwnedFd>) {
    let share = links.len().div_ceil(THREADS).max(SHARE);
    thread::scope(|scope| {
        while links.len() > share {
            let some = links.split_off(links.len() - share);
            scope.spawn(move || drop(some));
        }
    });
}

/// The places of a trampoline in one file of one process.
struct Group<'a> {
    program: BorrowedFd<'a>,
    file: CString,
    process: u32,
    returns: bool,
}

/// What came of them.
#[derive(Default)]
struct Attached {
    links: Vec<OwnedFd>,
    /// What the kernel said of each place that it does not probe.
    refused: Vec<io::Error>,
}

impl Group<'_> {
    /// Attaches at the places that the kernel takes.
    fn attach_all(&self, sites: &[&Site]) -> io::Result<Attached> {
        let at_once = if uprobe::are_multi() { sites.len() } else { 1 };
        let attach = |sites: &[&Site]| -> io::Result<Attached> {
            let mut attached = Attached::default();
            sites.chunks(at_once).try_for_each(|sites| self.attach(sites, &mut attached))?;
            Ok(attached)
        };
        thread::scope(|scope| {
            let share = sites.len().div_ceil(THREADS).max(SHARE);
            let threads: Vec<_> =
                sites.chunks(share).map(|sites| scope.spawn(move || attach(sites))).collect();
            let mut all = Attached::default();
            for thread in threads {
                let attached = thread.join().map_err(|_| io::Error::other("a thread has panicked"))??;
                all.links.extend(attached.links);
                all.refused.extend(attached.refused);
            }
            Ok(all)
        })
    }

    fn attach(&self, sites: &[&Site], to: &mut Attached) -> io::Result<()> {
        match self.open(sites) {
            Ok(link) => to.links.push(link),
            Err(error) if !error.raw_os_error().is_some_and(|errno| REFUSALS.contains(&errno)) => {
                return Err(error);
            }
            Err(error) if sites.len() == 1 => to.refused.push(error),
            Err(_) => {
                let (first, second) = sites.split_at(sites.len() / 2);
                self.attach(first, to)?;
                self.attach(second, to)?;
            }
        }
        Ok(())
    }

    fn open(&self, sites: &[&Site]) -> io::Result<OwnedFd> {
        let places: Vec<Place> = sites
            .iter()
            .map(|site| Place {
                offset: site.offset,
                semaphore: site.semaphore,
                cookie: site.cookie.to_word(),
            })
            .collect();
        let target = uprobe::Target { file: &self.file, process: self.process, returns: self.returns };
        match places.as_slice() {
            [place] if !uprobe::are_multi() => uprobe::open_one(self.program, &target, place),
            places => uprobe::open_multi(self.program, &target, places),
        }
    }
}
