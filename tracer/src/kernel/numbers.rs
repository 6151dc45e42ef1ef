//! Numbers of processes. Probes have those of the kernel's first PID namespace; in another one, as in a container, a process goes
//! by a different number, and only the kernel knows both: it is asked by a program that the process itself runs.

use std::fs;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};

use super::sys::{self, ProgramAttr};

/// The inode of the first PID namespace (`PROC_PID_INIT_INO` of include/linux/proc_ns.h).
const FIRST: &str = "pid:[4026531836]";

/// `call bpf_get_current_pid_tgid; r0 >>= 32; exit`.
const PROGRAM: [u64; 3] = [14 << 32 | 0x85, 32 << 32 | 0x77, 0x95];

/// Whether this process is in the first PID namespace; also where that cannot be told.
pub fn are_first() -> bool {
    fs::read_link("/proc/self/ns/pid").map_or(true, |name| name.as_os_str() == FIRST)
}

/// The number by which probes have this process.
pub fn own() -> u32 {
    let own = std::process::id();
    if are_first() { own } else { Teller::load().and_then(|teller| teller.tell()).unwrap_or(own) }
}

/// Tells a process by which number probes have it.
#[derive(Debug)]
pub(crate) struct Teller(OwnedFd);

impl Teller {
    /// For this process and those that it forks.
    pub(crate) fn load() -> io::Result<Teller> {
        let attr = ProgramAttr { kind: sys::RAW_TRACEPOINT, ..ProgramAttr::default() };
        sys::load_code(&PROGRAM, attr).map(Teller)
    }

    /// The number of the process that calls this; it is one system call, which may be made after a fork.
    pub(crate) fn tell(&self) -> io::Result<u32> {
        sys::test_run(self.0.as_fd())
    }

    /// Has the process that waits at the other end of a pipe told: reads what [`Teller::write`] wrote.
    pub(crate) fn read(pipe: &OwnedFd) -> Option<u32> {
        let mut bytes = [0_u8; 4];
        // SAFETY: four bytes of a live buffer.
        let read = unsafe { libc::read(pipe.as_raw_fd(), bytes.as_mut_ptr().cast(), 4) };
        (read == 4).then(|| u32::from_ne_bytes(bytes)).filter(|&number| number != 0)
    }

    /// Writes the number of this process to a pipe, 0 where it cannot be had. Safe after a fork.
    pub(crate) fn write(&self, pipe: &OwnedFd) {
        let number = self.tell().unwrap_or(0);
        // SAFETY: four bytes of a live buffer.
        unsafe { libc::write(pipe.as_raw_fd(), (&raw const number).cast(), 4) };
    }
}
