//! ptrace(2), as far as a process of our own is brought to a place and let go there.
//!
//! Only the thread that has seized a process may ask for more. Should the tracer end first, the process ends with it.

use std::io;
use std::mem::MaybeUninit;

/// x86's instruction `int3`; the program counter is behind it when the process stops.
const BREAKPOINT: u64 = 0xcc;

/// A process that has been seized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tracee(libc::pid_t);

/// Why a process has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It has ended, and is still to be reaped.
    Ended,
    /// It runs another program now.
    Exec,
    /// It is about to get a signal.
    Signal(i32),
}

/// An instruction that has been replaced.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Breakpoint {
    /// Where.
    pub(crate) address: u64,
    original: u64,
}

impl Tracee {
    /// Seizes a child, to be told of its exec.
    pub(crate) fn seize(process: u32) -> io::Result<Tracee> {
        let options = libc::PTRACE_O_EXITKILL | libc::PTRACE_O_TRACEEXEC;
        let tracee = Tracee(process as libc::pid_t);
        tracee.request(libc::PTRACE_SEIZE, 0, options as u64).map(|()| tracee)
    }

    /// Waits until it stops.
    pub(crate) fn wait(self) -> io::Result<Stop> {
        let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
        let flags = libc::WEXITED | libc::WSTOPPED | libc::WNOWAIT;
        // SAFETY: a live siginfo_t, which the call fills in.
        let ended = retried(|| unsafe { libc::waitid(libc::P_PID, self.0 as u32, info.as_mut_ptr(), flags) })
            .map(|_| unsafe { info.assume_init() }.si_code != libc::CLD_TRAPPED)?;
        if ended {
            return Ok(Stop::Ended);
        }
        let mut status = 0;
        // SAFETY: a live integer.
        retried(|| unsafe { libc::waitpid(self.0, &raw mut status, libc::__WALL) })?;
        Ok(match status >> 16 {
            libc::PTRACE_EVENT_EXEC => Stop::Exec,
            // A stop of job control is none for one that has been seized: it goes on.
            libc::PTRACE_EVENT_STOP => Stop::Signal(0),
            _ => Stop::Signal(libc::WSTOPSIG(status)),
        })
    }

    /// Lets it run on, with a signal or 0 for none.
    pub(crate) fn go_on(self, signal: i32) -> io::Result<()> {
        self.request(libc::PTRACE_CONT, 0, signal as u64)
    }

    /// Lets it do one instruction.
    pub(crate) fn step(self) -> io::Result<()> {
        self.request(libc::PTRACE_SINGLESTEP, 0, 0)
    }

    /// Lets it go for good.
    pub(crate) fn detach(self) -> io::Result<()> {
        self.request(libc::PTRACE_DETACH, 0, 0)
    }

    /// Has it stop at an instruction.
    pub(crate) fn set(self, address: u64) -> io::Result<Breakpoint> {
        let original = self.read(address)?;
        self.request(libc::PTRACE_POKETEXT, address, original & !0xff | BREAKPOINT)?;
        Ok(Breakpoint { address, original })
    }

    /// Puts the instruction back.
    pub(crate) fn clear(self, breakpoint: Breakpoint) -> io::Result<()> {
        self.request(libc::PTRACE_POKETEXT, breakpoint.address, breakpoint.original)
    }

    /// The word at an address.
    pub(crate) fn read(self, address: u64) -> io::Result<u64> {
        let mut word = 0_u64;
        let request = libc::PTRACE_PEEKTEXT;
        // SAFETY: the system call itself, unlike the library's function, writes the word to where its last argument points.
        match unsafe { libc::syscall(libc::SYS_ptrace, request, self.0, address, &raw mut word) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(word),
        }
    }

    /// Where it was stopped by a breakpoint, if it was: then it is put before the instruction again.
    pub(crate) fn stopped_at(self, breakpoints: &[Breakpoint]) -> io::Result<Option<Breakpoint>> {
        let mut registers = self.registers()?;
        let before = registers.rip.wrapping_sub(1);
        let Some(at) = breakpoints.iter().find(|breakpoint| breakpoint.address == before) else {
            return Ok(None);
        };
        registers.rip = before;
        self.request(libc::PTRACE_SETREGS, 0, &raw const registers as u64)?;
        Ok(Some(*at))
    }

    /// The first argument of the function before whose first instruction it stands.
    pub(crate) fn first_argument(self) -> io::Result<u64> {
        Ok(self.registers()?.rdi)
    }

    fn registers(self) -> io::Result<libc::user_regs_struct> {
        let mut registers = MaybeUninit::<libc::user_regs_struct>::zeroed();
        self.request(libc::PTRACE_GETREGS, 0, registers.as_mut_ptr() as u64)?;
        // SAFETY: integers, which the call has filled in.
        Ok(unsafe { registers.assume_init() })
    }

    fn request(self, request: libc::c_uint, address: u64, data: u64) -> io::Result<()> {
        // SAFETY: the addresses in `data` are of live structures of the size that the request has.
        match unsafe { libc::ptrace(request, self.0, address, data) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }
}

/// A call that is made again when a signal has interrupted it.
fn retried(mut call: impl FnMut() -> i32) -> io::Result<i32> {
    loop {
        match call() {
            -1 => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => {}
                error => return Err(error),
            },
            result => return Ok(result),
        }
    }
}
