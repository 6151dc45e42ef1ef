//! SIGINT, SIGTERM and SIGHUP as something to read, so that a run ends in order and -c's command gets what was meant for it.
//!
//! A thread takes them, since a run can be stuck in a write to a reader that does not read: the first signal ends the run; the
//! second gives it [`HASTE`] to show what it can, and then ends the process.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Signals that end a run.
const ENDING: [libc::c_int; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// How long a run may go on after the second signal.
const HASTE: Duration = Duration::from_secs(2);

/// The signals that end a run; they are blocked as long as it lives.
pub(super) struct Signals {
    /// Gets the first signal.
    first: OwnedFd,
    /// Closed, it ends the thread.
    stop: Option<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

/// A signal that came.
pub(super) struct Arrival {
    pub(super) signal: i32,
    /// Whether a process sent it to us alone; else the terminal sent it to its whole foreground group.
    pub(super) sent: bool,
}

impl Signals {
    pub(super) fn open() -> io::Result<Signals> {
        let set = set();
        // SAFETY: a valid set; the thread inherits the mask.
        let signals = unsafe {
            libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
            opened(libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC))?
        };
        let (first, tell) = pipe()?;
        let (stopped, stop) = pipe()?;
        let thread = thread::Builder::new().name("signals".to_owned()).spawn(move || {
            watch(&signals, &tell, &stopped);
        })?;
        Ok(Signals { first, stop: Some(stop), thread: Some(thread) })
    }

    /// The first signal, if it has come.
    pub(super) fn next(&self) -> Option<Arrival> {
        let mut bytes = [0_u8; 2];
        // SAFETY: two bytes of a live buffer.
        let read = unsafe { libc::read(self.first.as_raw_fd(), bytes.as_mut_ptr().cast(), 2) };
        (read == 2).then_some(Arrival { signal: bytes[0].into(), sent: bytes[1] != 0 })
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.first.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let set = set();
        // SAFETY: a valid set and a timespec of zeros. What came meanwhile was meant for the run that has ended.
        unsafe {
            let at_once: libc::timespec = std::mem::zeroed();
            while libc::sigtimedwait(&raw const set, std::ptr::null_mut(), &raw const at_once) > 0 {}
            libc::sigprocmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut());
        }
    }
}

/// The thread's part: tells of the first signal, and sees to it that the second is the last.
fn watch(signals: &OwnedFd, tell: &OwnedFd, stopped: &OwnedFd) {
    if let Some(arrival) = wait(signals, stopped) {
        // SAFETY: two bytes of a live buffer.
        unsafe {
            libc::write(tell.as_raw_fd(), [arrival.signal as u8, arrival.sent.into()].as_ptr().cast(), 2)
        };
    }
    if let Some(arrival) = wait(signals, stopped)
        && !ends_within(stopped, HASTE)
    {
        // SAFETY: it does not return; the kernel takes back what is ours.
        unsafe { libc::_exit(128 + arrival.signal) };
    }
}

/// The next signal; `None` when the run has ended.
fn wait(signals: &OwnedFd, stopped: &OwnedFd) -> Option<Arrival> {
    let waits =
        |descriptor: &OwnedFd| libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let mut both = [waits(stopped), waits(signals)];
    // SAFETY: two elements; a signalfd_siginfo of zeros is a value, and the kernel writes a whole one or nothing.
    unsafe {
        while libc::poll(both.as_mut_ptr(), 2, -1) < 0 {}
        if both[0].revents != 0 {
            return None;
        }
        let mut info: libc::signalfd_siginfo = std::mem::zeroed();
        let size = size_of::<libc::signalfd_siginfo>();
        let read = libc::read(signals.as_raw_fd(), (&raw mut info).cast(), size);
        (read == size as isize)
            .then_some(Arrival { signal: info.ssi_signo as i32, sent: info.ssi_code != libc::SI_KERNEL })
    }
}

/// Whether the run ends within that time.
fn ends_within(stopped: &OwnedFd, time: Duration) -> bool {
    let mut one = libc::pollfd { fd: stopped.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one element.
    unsafe { libc::poll(&raw mut one, 1, time.as_millis() as libc::c_int) > 0 }
}

/// A pipe, read end first, which is not waited for; both closed by exec.
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: two elements; the kernel gives us both.
    unsafe {
        if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK) != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok((opened(ends[0])?, opened(ends[1])?))
    }
}

/// # Safety
/// The descriptor is new, if it is one.
unsafe fn opened(descriptor: libc::c_int) -> io::Result<OwnedFd> {
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
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
