//! Runs that the kernel left out: a program is not started on a CPU on which it is already running, as when an interrupt brings
//! the same event again (`bpf_prog.active`, kernel/trace/bpf_trace.c; since Linux 6.1 for raw tracepoints). The kernel counts them.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use super::map::Objects;
use crate::kernel::sys::{OBJ_GET_INFO_BY_FD, bpf};

/// Where `recursion_misses` lies in struct bpf_prog_info, in words; and the words up to its end.
const MISSES: usize = 26;

/// The part of union bpf_attr that the command takes.
#[repr(C)]
struct Attributes {
    descriptor: u32,
    size: u32,
    info: u64,
}

/// The symbols of the session's programs and how many of their runs were left out so far.
pub(super) fn read(objects: &Objects) -> io::Result<Vec<(String, u64)>> {
    objects.programs().map(|(symbol, program)| Ok((symbol.to_owned(), misses(program)?))).collect()
}

fn misses(program: BorrowedFd<'_>) -> io::Result<u64> {
    let mut info = [0_u64; MISSES + 1];
    let mut attributes = Attributes {
        descriptor: program.as_raw_fd() as u32,
        size: size_of_val(&info) as u32,
        info: info.as_mut_ptr() as u64,
    };
    bpf(OBJ_GET_INFO_BY_FD, &mut attributes)?;
    Ok(info[MISSES])
}
