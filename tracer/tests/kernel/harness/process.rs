//! Processes that tests start. What one prints is read as it comes, so that it never waits for its reader, and none outlives its
//! time: a test that hangs is a test that fails, with what was printed so far.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use anyhow::{Context, Result};

use super::patience;

/// How long a process may take, before [`patience`]: many times what it needs where nothing else runs.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// Kills a process when its time is over, unless it is dropped before. It knows the process by a descriptor, so that another with
/// the same id is safe.
pub(crate) struct Watchdog {
    bitten: Arc<AtomicBool>,
    /// Dropped, it ends the thread.
    _leash: Sender<()>,
}

impl Watchdog {
    pub(crate) fn over(child: &Child, limit: Duration) -> Result<Self> {
        let process = descriptor(child)?;
        let bitten = Arc::new(AtomicBool::new(false));
        let bites = Arc::clone(&bitten);
        let (leash, dropped) = channel();
        spawn(move || {
            if dropped.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                bites.store(true, Ordering::Relaxed);
                let none = std::ptr::null::<libc::siginfo_t>();
                // SAFETY: a descriptor of a process, and no more about the signal.
                unsafe {
                    libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), libc::SIGKILL, none, 0)
                };
            }
        });
        Ok(Self { bitten, _leash: leash })
    }

    /// Whether the process's time was over.
    pub(crate) fn has_bitten(&self) -> bool {
        self.bitten.load(Ordering::Relaxed)
    }
}

/// A descriptor of a child that has not been waited for; it is readable when the child has ended.
fn descriptor(child: &Child) -> Result<OwnedFd> {
    // SAFETY: integers; the descriptor is new.
    unsafe {
        let descriptor = libc::syscall(libc::SYS_pidfd_open, child.id(), 0);
        anyhow::ensure!(descriptor >= 0, "pidfd_open: {}", io::Error::last_os_error());
        Ok(OwnedFd::from_raw_fd(descriptor as i32))
    }
}

/// A child whose output is gathered.
pub(crate) struct Process {
    child: Child,
    watchdog: Watchdog,
    /// The lines of the standard output, until the process has ended.
    lines: Receiver<String>,
    /// Those that came.
    stdout: String,
    /// Gives the standard error, once.
    gatherer: Option<JoinHandle<String>>,
}

/// What a process that has ended left.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) status: ExitStatus,
    /// Whether it was killed for its time was over.
    pub(crate) late: bool,
}

impl Process {
    /// Takes over a child, whose standard output and perhaps standard error are pipes.
    pub(crate) fn of(mut child: Child) -> Result<Self> {
        let watchdog = Watchdog::over(&child, patience(LIMIT))?;
        let stdout = child.stdout.take().context("stdout is a pipe")?;
        let pipes = [Some(OwnedFd::from(stdout)), child.stderr.take().map(OwnedFd::from)];
        let process = descriptor(&child)?;
        let (sender, lines) = channel();
        let gatherer = Some(spawn(move || gather(&process, pipes, &sender)));
        Ok(Self { child, watchdog, lines, stdout: String::new(), gatherer })
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line of the standard output; `None` when the process has ended.
    pub(crate) fn line(&mut self) -> Option<String> {
        let line = self.lines.recv().ok()?;
        self.stdout.push_str(&line);
        self.stdout.push('\n');
        Some(line)
    }

    /// Waits for its end. There is one, as the watchdog sees to it.
    pub(crate) fn end(&mut self) -> Result<Ended> {
        while self.line().is_some() {}
        let gatherer = self.gatherer.take().context("it has ended before")?;
        let stderr = gatherer.join().ok().context("the gatherer does not panic")?;
        let status = self.child.wait()?;
        Ok(Ended {
            stdout: std::mem::take(&mut self.stdout),
            stderr,
            status,
            late: self.watchdog.has_bitten(),
        })
    }
}

/// Reads both pipes until the process has ended and what it wrote is read: others, which it left behind, may hold the pipes for
/// longer. Sends the lines of the first, returns the text of the second.
fn gather(process: &OwnedFd, pipes: [Option<OwnedFd>; 2], lines: &Sender<String>) -> String {
    let mut pipes = pipes.map(|pipe| pipe.map(File::from));
    let mut texts = [Vec::new(), Vec::new()];
    let mut bytes = vec![0; 1 << 16];
    loop {
        // Asked for before the pipes are: what a process that has ended wrote is in them.
        let ended = readable(&[process.as_raw_fd()], 0)[0];
        let descriptors = pipes.each_ref().map(|pipe| pipe.as_ref().map_or(-1, |pipe| pipe.as_raw_fd()));
        let wait = if ended { 0 } else { -1 };
        let ready = readable(&[descriptors[0], descriptors[1], process.as_raw_fd()], wait);
        if ended && !ready[0] && !ready[1] {
            break;
        }
        for ((pipe, text), ready) in pipes.iter_mut().zip(&mut texts).zip(ready) {
            let Some(file) = pipe.as_mut().filter(|_| ready) else { continue };
            match file.read(&mut bytes) {
                Ok(count @ 1..) => text.extend_from_slice(&bytes[..count]),
                _ => *pipe = None,
            }
        }
        send(&mut texts[0], lines);
    }
    if !texts[0].is_empty() {
        texts[0].push(b'\n');
        send(&mut texts[0], lines);
    }
    String::from_utf8_lossy(&texts[1]).into_owned()
}

/// Sends the whole lines of a text, and leaves the rest.
fn send(text: &mut Vec<u8>, lines: &Sender<String>) {
    let Some(last) = text.iter().rposition(|&byte| byte == b'\n') else { return };
    let rest = text.split_off(last + 1);
    for line in text[..last].split(|&byte| byte == b'\n') {
        // Whoever does not want them any more has gone.
        let _ = lines.send(String::from_utf8_lossy(line).into_owned());
    }
    *text = rest;
}

/// Which of the descriptors can be read or are at their end, once one is or the milliseconds are over; one below 0 is never.
fn readable<const N: usize>(descriptors: &[i32; N], milliseconds: i32) -> [bool; N] {
    let mut polled = descriptors.map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
    // SAFETY: so many elements.
    unsafe { libc::poll(polled.as_mut_ptr(), N as libc::nfds_t, milliseconds) };
    polled.map(|one| one.revents != 0)
}
