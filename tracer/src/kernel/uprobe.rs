//! Places in the programs of processes, as the kernel probes them: by a file and an offset in it.
//!
//! Invariant: the process that is named is the only one whose memory is changed. Others that run the same file are not stopped,
//! but for children that are forked while they have its memory, and these once at each place.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

use super::{sys, trial};

/// BPF_F_UPROBE_MULTI_RETURN (include/uapi/linux/bpf.h, Linux 6.18).
const RETURN: u32 = 1;

/// Where the kernel says what perf events of uprobes are.
const EVENTS: &str = "/sys/bus/event_source/devices/uprobe";

/// Which places are meant.
pub(crate) struct Target<'a> {
    /// The file.
    pub(crate) file: &'a CStr,
    /// The process, by its id here.
    pub(crate) process: u32,
    /// Whether it is about the returns of the functions that begin there.
    pub(crate) returns: bool,
}

/// A place in a file.
pub(crate) struct Place {
    /// Its offset.
    pub(crate) offset: u64,
    /// The offset of a word that counts who looks at it; 0 for none.
    pub(crate) semaphore: u64,
    /// What the program gets to know.
    pub(crate) cookie: u64,
}

/// Whether many places are attached to in one call, and a process is one: the first kernels that had the call, 6.6 to 6.9, took
/// its first thread alone. These do not refuse a negative process id either.
pub(crate) fn are_multi() -> bool {
    static MULTI: OnceLock<bool> = OnceLock::new();
    *MULTI.get_or_init(|| {
        let Ok(program) = trial::uprobe() else { return false };
        // A directory has no places.
        let refusal = |process| {
            let place = [Place { offset: 0, semaphore: 0, cookie: 0 }];
            let target = Target { file: c"/", process, returns: false };
            open_multi(program.as_fd(), &target, &place).err().and_then(|error| error.raw_os_error())
        };
        refusal(std::process::id()) == Some(libc::EBADF) && refusal(u32::MAX) == Some(libc::EINVAL)
    })
}

/// Attaches a program to places of a file.
pub(crate) fn open_multi(
    program: BorrowedFd<'_>,
    target: &Target<'_>,
    places: &[Place],
) -> io::Result<OwnedFd> {
    let words = |of: fn(&Place) -> u64| places.iter().map(of).collect::<Vec<u64>>();
    let offsets = words(|place| place.offset);
    let semaphores = words(|place| place.semaphore);
    let cookies = words(|place| place.cookie);
    let counts = semaphores.iter().any(|&semaphore| semaphore != 0);
    let flags = if target.returns { RETURN } else { 0 };
    let semaphores: &[u64] = if counts { &semaphores } else { &[] };
    let lists = [&offsets, semaphores, &cookies];
    sys::link_uprobes(program, target.process, flags, target.file, lists)
}

/// Attaches a program to one place.
pub(crate) fn open_one(program: BorrowedFd<'_>, target: &Target<'_>, place: &Place) -> io::Result<OwnedFd> {
    let kind = fs::read_to_string(format!("{EVENTS}/type"))?;
    let kind = kind.trim().parse().map_err(io::Error::other)?;
    // The bit that asks for returns is told as `config:0`; the semaphore is in the upper half.
    let bit = fs::read_to_string(format!("{EVENTS}/format/retprobe"))?;
    let bit: u32 = bit.trim().trim_start_matches("config:").parse().map_err(io::Error::other)?;
    let config = u64::from(target.returns) << bit | place.semaphore << 32;
    sys::link_uprobe(program, target.process, (kind, config), (target.file, place.offset), place.cookie)
}

/// Allows this process so many descriptors more, as far as it may.
pub(crate) fn allow_descriptors(more: u64) {
    const OTHERS: u64 = 1024;
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a live structure.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    let wanted = more + OTHERS;
    if limit.rlim_cur < wanted {
        for rlim_max in [limit.rlim_max.max(wanted), limit.rlim_max] {
            let raised = libc::rlimit { rlim_cur: wanted.min(rlim_max), rlim_max };
            // SAFETY: a live structure.
            if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised) } == 0 {
                return;
            }
        }
    }
}
