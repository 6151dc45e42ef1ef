//! The process of -c: forked and parked before anything is compiled, so that `$target` is known, and let go when the
//! probes are ready. Where some are in its own program, it is brought there first, see [`super::ready`], and held until then. It runs as the user who called sudo. Where tracing ends before it does, it is ended, too.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;

use super::error::SessionError;
use super::ready;
use super::user::{self, User};
use crate::check::options::Evaluation;
use crate::kernel::numbers::{self, Teller};
use crate::kernel::ptrace::Tracee;

/// A parked or running command.
#[derive(Debug)]
pub struct Child {
    /// Its process id as probes have it: `$target`.
    pub pid: u32,
    /// Its process id here: another one in a PID namespace.
    pub(super) process: u32,
    command: String,
    /// Closed unwritten, the child ends without running the command.
    gate: RefCell<Option<OwnedFd>>,
    /// Held behind its exec.
    held: Cell<Option<Tracee>>,
    /// How far it has been brought, where it is held.
    brought: Cell<Evaluation>,
    /// Gets the errno of an exec that failed; closed by one that worked.
    trouble: OwnedFd,
    /// It has got a signal to end by, and may take its time.
    told: Cell<bool>,
}

impl Child {
    /// Forks a child that waits. Call it while there is one thread.
    pub fn park(command: &str) -> Result<Child, SessionError> {
        let fail = |error| SessionError::Command { command: command.to_owned(), error };
        let invalid = |what| fail(io::Error::new(io::ErrorKind::InvalidInput, what));
        let words = shlex::split(command).ok_or_else(|| invalid("a quote is not closed"))?;
        let found = find_program(words.first().ok_or_else(|| invalid("it is empty"))?).map_err(fail)?;
        let arguments: Vec<CString> = words
            .into_iter()
            .map(CString::new)
            .collect::<Result<_, _>>()
            .map_err(|error| fail(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let mut pointers: Vec<*const libc::c_char> =
            arguments.iter().map(|argument| argument.as_ptr()).collect();
        pointers.push(std::ptr::null());
        let user = user::invoking();
        let (gate_read, gate_write) = pipe().map_err(fail)?;
        let (trouble_read, trouble_write) = pipe().map_err(fail)?;
        let teller = if numbers::are_first() { None } else { Teller::load().ok() };
        // SAFETY: the child only calls functions that are safe after fork (read, write, set*id, execvp, _exit).
        match unsafe { libc::fork() } {
            -1 => Err(fail(io::Error::last_os_error())),
            0 => {
                drop(gate_write);
                if let Some(teller) = teller {
                    teller.write(&trouble_write);
                }
                run_child(&gate_read, &trouble_write, &found, &pointers, user.as_ref())
            }
            pid => Ok(Child {
                pid: teller.and_then(|_| Teller::read(&trouble_read)).unwrap_or(pid as u32),
                process: pid as u32,
                command: command.to_owned(),
                gate: RefCell::new(Some(gate_write)),
                held: Cell::new(None),
                brought: Cell::new(Evaluation::Exec),
                trouble: trouble_read,
                told: Cell::new(false),
            }),
        }
    }

    /// Its process id here.
    pub fn process(&self) -> u32 {
        self.process
    }

    /// Lets it run; fails when the command cannot be executed.
    pub fn release(&self) -> Result<(), SessionError> {
        if let Some(tracee) = self.held.take() {
            return tracee.detach().map_err(|error| self.failed(error));
        }
        self.open()?;
        self.exec_failure().map_or(Ok(()), Err)
    }

    /// Brings it that far, if it is not there yet, and holds it there until it is released.
    pub fn bring(&self, to: Evaluation) -> Result<(), SessionError> {
        let fail = |error| self.failed(error);
        let tracee = match self.held.get() {
            Some(tracee) => tracee,
            None if self.gate.borrow().is_none() => return Ok(()),
            None => {
                let tracee = Tracee::seize(self.process).map_err(fail)?;
                self.open()?;
                if !ready::await_exec(tracee).map_err(fail)? {
                    return Err(self.exec_failure().unwrap_or_else(|| fail(io::ErrorKind::Other.into())));
                }
                self.held.set(Some(tracee));
                tracee
            }
        };
        let before = self.brought.get();
        let comes_to = |place| before < place && to >= place;
        if comes_to(Evaluation::Preinit) {
            ready::map_libraries(tracee, self.process).map_err(fail)?;
        }
        if comes_to(Evaluation::Main) {
            ready::reach_main(tracee, self.process).map_err(fail)?;
        }
        self.brought.set(before.max(to));
        Ok(())
    }

    fn failed(&self, error: io::Error) -> SessionError {
        SessionError::Command { command: self.command.clone(), error }
    }

    /// Opens the gate.
    fn open(&self) -> Result<(), SessionError> {
        let Some(gate) = self.gate.take() else { return Ok(()) };
        // SAFETY: one byte of a live buffer.
        match unsafe { libc::write(gate.as_raw_fd(), [1_u8].as_ptr().cast(), 1) } {
            1 => Ok(()),
            _ => Err(self.failed(io::Error::last_os_error())),
        }
    }

    /// Why the exec has failed, if it has; waits until it has happened.
    fn exec_failure(&self) -> Option<SessionError> {
        let mut errno = [0_u8; 4];
        // SAFETY: four bytes of a live buffer; the read ends when the exec has happened or the child is gone.
        match unsafe { libc::read(self.trouble.as_raw_fd(), errno.as_mut_ptr().cast(), 4) } {
            4 => Some(self.failed(io::Error::from_raw_os_error(i32::from_ne_bytes(errno)))),
            _ => None,
        }
    }

    /// A signal that ends the run has come: it is passed on, unless the terminal has sent it to both.
    pub fn end(&self, signal: i32, pass: bool) {
        self.told.set(true);
        if pass {
            self.kill(signal);
        }
        // One that is stopped gets it when it goes on.
        self.kill(libc::SIGCONT);
    }

    /// How it has ended, once it has. It is reaped by that, and can be asked once.
    pub fn status(&self) -> Option<ExitStatus> {
        let mut status = 0;
        // SAFETY: our own child; a live integer.
        let reaped = unsafe { libc::waitpid(self.process as libc::pid_t, &raw mut status, libc::WNOHANG) };
        if reaped != self.process as libc::pid_t {
            return None;
        }
        // Nobody is left to be told.
        self.told.set(true);
        Some(ExitStatus::from_raw(status))
    }

    fn kill(&self, signal: i32) {
        // SAFETY: our own child, not reaped before this value is dropped.
        unsafe { libc::kill(self.process as libc::pid_t, signal) };
    }
}

impl Drop for Child {
    /// A child that was never let go is killed: its gate may stay open in the next one, which was forked after it. One that runs on is
    /// ended, as DTrace does; one that has ended is reaped.
    fn drop(&mut self) {
        let waits = self.gate.take().is_some() | self.held.take().is_some();
        if waits {
            self.kill(libc::SIGKILL);
        } else if !self.told.get() {
            self.kill(libc::SIGTERM);
            self.kill(libc::SIGCONT);
        }
        let options = if waits { 0 } else { libc::WNOHANG };
        // SAFETY: our own child; the status is not wanted.
        unsafe { libc::waitpid(self.process as libc::pid_t, std::ptr::null_mut(), options) };
    }
}

/// The child's part: waits at the gate, becomes the user, becomes the command.
fn run_child(
    gate: &OwnedFd,
    trouble: &OwnedFd,
    found: &CStr,
    arguments: &[*const libc::c_char],
    user: Option<&User>,
) -> ! {
    // SAFETY: only async-signal-safe calls on memory that was made before the fork.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        // Rust ignores SIGPIPE; a command expects its default.
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        let became = user.is_none_or(|user| {
            libc::setgroups(user.groups.len(), user.groups.as_ptr()) == 0
                && libc::setgid(user.gid) == 0
                && libc::setuid(user.uid) == 0
        });
        let refused = *libc::__errno_location();
        // From here on it is traced: what it does first is to become the command.
        let mut byte = 0_u8;
        if libc::read(gate.as_raw_fd(), (&raw mut byte).cast(), 1) != 1 {
            libc::_exit(0);
        }
        if became {
            // Straight to where it is, so that a trace does not begin with the search. It may be elsewhere for the user.
            libc::execvp(found.as_ptr(), arguments.as_ptr());
            libc::execvp(arguments[0], arguments.as_ptr());
        }
        let errno = if became { *libc::__errno_location() } else { refused };
        libc::write(trouble.as_raw_fd(), (&raw const errno).cast(), 4);
        libc::_exit(127)
    }
}

/// Where there is such a program, before anything is attached: as execvp(3) looks for it.
fn find_program(name: &str) -> io::Result<CString> {
    let executable = |path: &Path| {
        let is_dir = path.is_dir();
        let path = CString::new(path.as_os_str().as_encoded_bytes())?;
        // SAFETY: a string that ends in zero.
        match unsafe { libc::access(path.as_ptr(), libc::X_OK) } {
            0 if is_dir => Err(io::ErrorKind::IsADirectory.into()),
            0 => Ok(path),
            _ => Err(io::Error::last_os_error()),
        }
    };
    if name.contains('/') {
        return executable(Path::new(name));
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    let found = std::env::split_paths(&path).find_map(|place| executable(&place.join(name)).ok());
    found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no such program in $PATH"))
}

/// A pipe, read end first, both ends closed by exec.
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: two elements.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just given us both.
    Ok(unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) })
}
