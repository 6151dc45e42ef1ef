//! Attaching to places in programs of processes: all places of one file in one call where the kernel has that (Linux 6.10 and
//! later), else one perf event a place.
//!
//! There are instructions that the kernel does not probe. It refuses a call with such a place among its own, so a call that is
//! refused is made again by halves: what is left out in the end is that place alone.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::CString;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

use probes_common::probe::Attach;
use probes_common::providers::pid::RETURN;

use super::error::SessionError;
use super::load::{Loaded, chain};
use crate::kernel::uprobe::{self, Place};
use crate::provider::{Sites, describe};
use crate::user;

/// What the kernel says of an instruction that it does not probe: EINVAL, EOPNOTSUPP, EIO, and its own ENOTSUPP, which is 524.
const REFUSALS: [i32; 4] = [libc::EINVAL, libc::EOPNOTSUPP, libc::EIO, 524];

/// Threads that share many places, and the fewest places of one: the kernel waits for a grace period of some milliseconds at a
/// place, unless it is busy with another (percpu_down_write in kernel/events/uprobes.c, Linux 6.18).
const THREADS: usize = 8;
const SHARE: usize = 16;

/// Attaches the trampolines at their places; gives the number of places that the kernel does not probe.
pub(super) fn attach(loaded: &mut Loaded, sites: &Sites) -> Result<usize, SessionError> {
    let mut groups: BTreeMap<(&str, u32, &Path), Vec<Place>> = BTreeMap::new();
    // A place has one semaphore for the kernel, whoever probes it.
    let semaphores: HashMap<(&Path, u64), u64> = sites
        .sites
        .iter()
        .filter(|(_, site)| site.semaphore != 0)
        .map(|(_, site)| ((site.file.as_path(), site.offset), site.semaphore))
        .collect();
    for (program, site) in &sites.sites {
        let semaphore = semaphores.get(&(site.file.as_path(), site.offset)).copied().unwrap_or(0);
        let place = Place { offset: site.offset, semaphore, cookie: site.cookie.to_word() };
        groups.entry((program, site.process, &site.file)).or_default().push(place);
    }
    if !groups.is_empty() && !uprobe::are_multi() {
        uprobe::allow_descriptors(sites.sites.len() as u64);
    }
    let processes: BTreeSet<u32> = groups.keys().map(|(_, process, _)| *process).collect();
    let many = processes.len() > 1;
    processes.into_iter().for_each(user::touch);
    let mut refused = 0;
    for ((symbol, process, file), mut places) in groups {
        let returns = symbol == RETURN.name;
        let failed = |error: io::Error| match has_ended(&error) {
            true => SessionError::Process { pid: process, error },
            false => SessionError::Attach {
                program: symbol.to_owned(),
                to: format!(
                    "a {} of process {process}",
                    describe(if returns { Attach::Uretprobe } else { Attach::Uprobe })
                ),
                error: chain(&error),
            },
        };
        // Of several probes at one place the kernel runs the one first that was attached last.
        places.sort_by_key(|place| (place.offset, Reverse(place.cookie)));
        let file = CString::new(file.as_os_str().as_bytes()).map_err(|error| failed(error.into()))?;
        let group = Group { program: loaded.program(symbol)?, file, process, returns };
        let Attached { links, refused: mut errors } = match group.attach_all(&places) {
            // Of several processes one may have ended.
            Err(error) if many && has_ended(&error) => continue,
            attached => attached.map_err(failed)?,
        };
        refused += errors.len();
        match errors.pop() {
            Some(error) if links.is_empty() => return Err(failed(error)),
            _ => loaded.uprobes.extend(links),
        }
    }
    Ok(refused)
}

/// Whether it says that a process has ended, or what leads to its files with it.
fn has_ended(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ESRCH | libc::ENOENT))
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
    fn attach_all(&self, places: &[Place]) -> io::Result<Attached> {
        let at_once = if uprobe::are_multi() { places.len() } else { 1 };
        let attach = |places: &[Place]| -> io::Result<Attached> {
            let mut attached = Attached::default();
            places.chunks(at_once).try_for_each(|places| self.attach(places, &mut attached))?;
            Ok(attached)
        };
        thread::scope(|scope| {
            let share = places.len().div_ceil(THREADS).max(SHARE);
            let threads: Vec<_> =
                places.chunks(share).map(|places| scope.spawn(move || attach(places))).collect();
            let mut all = Attached::default();
            for thread in threads {
                let attached = thread.join().map_err(|_| io::Error::other("a thread has panicked"))??;
                all.links.extend(attached.links);
                all.refused.extend(attached.refused);
            }
            Ok(all)
        })
    }

    fn attach(&self, places: &[Place], to: &mut Attached) -> io::Result<()> {
        match self.open(places) {
            Ok(link) => to.links.push(link),
            Err(error) if !error.raw_os_error().is_some_and(|errno| REFUSALS.contains(&errno)) => {
                return Err(error);
            }
            Err(error) => match places {
                [place] => match self.open_again(place) {
                    Some(link) => to.links.push(link),
                    None => to.refused.push(error),
                },
                places => {
                    let (first, second) = places.split_at(places.len() / 2);
                    self.attach(first, to)?;
                    self.attach(second, to)?;
                }
            },
        }
        Ok(())
    }

    /// Tries a place with a semaphore again: the kernel refuses it as long as it has not forgotten a probe there that was without.
    fn open_again(&self, place: &Place) -> Option<OwnedFd> {
        const PAUSE: Duration = Duration::from_millis(20);
        let tries = if place.semaphore == 0 { 0 } else { 10 };
        (0..tries).find_map(|_| {
            thread::sleep(PAUSE);
            self.open(std::slice::from_ref(place)).ok()
        })
    }

    fn open(&self, places: &[Place]) -> io::Result<OwnedFd> {
        let target = uprobe::Target { file: &self.file, process: self.process, returns: self.returns };
        match places {
            [place] if !uprobe::are_multi() => uprobe::open_one(self.program, &target, place),
            places => uprobe::open_multi(self.program, &target, places),
        }
    }
}
