//! Runs that the kernel left out: a program is not started on a CPU on which it is already running, as when an interrupt brings
//! the same event again (`bpf_prog.active`, kernel/trace/bpf_trace.c; since Linux 6.1 for raw tracepoints). The kernel counts them, and
//! by link the hits of functions that came while others were handled, or returns for which it had no room (since 6.7).

use std::collections::HashMap;
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
    let mut missed: HashMap<String, u64> = HashMap::new();
    for (symbol, program) in objects.programs() {
        *missed.entry(symbol.to_owned()).or_default() += misses(program)?;
    }
    for (symbol, link) in objects.links() {
        *missed.entry(symbol.to_owned()).or_default() += link_misses(link);
    }
    Ok(missed.into_iter().collect())
}

/// enum bpf_link_type; enum bpf_perf_event_type.
const PERF_EVENT: u64 = 7;
const KPROBE_MULTI: u64 = 8;
const KPROBE: u64 = 3;
const KRETPROBE: u64 = 4;

/// Hits that a link has not handed to its program: a word of struct bpf_link_info, of these kinds of links; 0 where the kernel does
/// not count them.
fn link_misses(link: BorrowedFd<'_>) -> u64 {
    let mut info = [0_u64; 8];
    let mut attributes = Attributes {
        descriptor: link.as_raw_fd() as u32,
        size: size_of_val(&info) as u32,
        info: info.as_mut_ptr() as u64,
    };
    if bpf(OBJ_GET_INFO_BY_FD, &mut attributes).is_err() {
        // A clock, which is no link.
        return 0;
    }
    // type and id, prog_id; then of the kinds.
    match (info[0] & 0xffff_ffff, info[2] & 0xffff_ffff) {
        (KPROBE_MULTI, _) => info[4],
        (PERF_EVENT, KPROBE | KRETPROBE) => info[6],
        _ => 0,
    }
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
