//! SIGINT and SIGTERM as something to read, so that a run ends in order and -c's command gets what was meant for it.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

/// Signals that end a run.
const ENDING: [libc::c_int; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// A signalfd(2) for the signals that end a run; they are blocked as long as it lives.
pub(super) struct Signals(OwnedFd);

/// A signal that came.
pub(super) struct Arrival {
    pub(super) signal: i32,
    /// Whether a process sent it to us alone; else the terminal sent it to its whole foreground group.
    pub(super) sent: bool,
}

impl Signals {
    pub(super) fn open() -> io::Result<Signals> {
        let set = set();
        // SAFETY: a valid set; the process has one thread or its threads inherit the mask.
        unsafe {
            libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
            match libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) {
                -1 => Err(io::Error::last_os_error()),
                descriptor => Ok(Signals(OwnedFd::from_raw_fd(descriptor))),
            }
        }
    }

    /// The next signal, if one waits.
    pub(super) fn next(&self) -> Option<Arrival> {
        // SAFETY: a signalfd_siginfo of zeros is a value, and the kernel writes a whole one or nothing.
        unsafe {
            let mut info: libc::signalfd_siginfo = std::mem::zeroed();
            let size = size_of::<libc::signalfd_siginfo>();
            let read = libc::read(self.0.as_raw_fd(), (&raw mut info).cast(), size);
            (read == size as isize)
                .then_some(Arrival { signal: info.ssi_signo as i32, sent: info.ssi_code != libc::SI_KERNEL })
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        let set = set();
        // SAFETY: as above.
        unsafe { libc::sigprocmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut()) };
    }
}

fn set() -> libc::sigset_t {
    // SAFETY: sigemptyset makes it a value.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in ENDING {
            libc::sigaddset(&raw mut set, signal);
        }
        set
    }
}
