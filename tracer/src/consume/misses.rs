//! Runs that the kernel left out: a program is not started on a CPU on which it is already running, as when an interrupt brings
//! the same event again (`bpf_prog.active`, kernel/trace/bpf_trace.c; since Linux 6.1 for raw tracepoints). The kernel counts them.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};

use aya::Ebpf;

/// `BPF_OBJ_GET_INFO_BY_FD` of enum bpf_cmd, include/uapi/linux/bpf.h.
const GET_INFO: libc::c_int = 15;

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
pub(super) fn read(ebpf: &Ebpf) -> io::Result<Vec<(String, u64)>> {
    ebpf.programs()
        .filter_map(|(symbol, program)| Some((symbol, program.fd().ok()?)))
        .map(|(symbol, descriptor)| Ok((symbol.to_owned(), misses(descriptor.as_fd())?)))
        .collect()
}

fn misses(program: BorrowedFd<'_>) -> io::Result<u64> {
    let mut info = [0_u64; MISSES + 1];
    let attributes = Attributes {
        descriptor: program.as_raw_fd() as u32,
        size: size_of_val(&info) as u32,
        info: info.as_mut_ptr() as u64,
    };
    // SAFETY: the kernel reads the attributes and writes at most `size` bytes of `info`.
    let done =
        unsafe { libc::syscall(libc::SYS_bpf, GET_INFO, &raw const attributes, size_of::<Attributes>()) };
    match done {
        0 => Ok(info[MISSES]),
        _ => Err(io::Error::last_os_error()),
    }
}
