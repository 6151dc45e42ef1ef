//! Trials: the smallest programs, loaded to learn what the kernel grants, and gone when this returns.
//!
//! Layouts and numbers are those of `union bpf_attr`, include/uapi/linux/bpf.h, Linux 6.18; they never change.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::btf::{Btf, Kind};

const BPF_PROG_LOAD: libc::c_long = 5;
const BPF_RAW_TRACEPOINT_OPEN: libc::c_long = 17;
const BPF_PROG_TYPE_RAW_TRACEPOINT: u32 = 17;
const BPF_PROG_TYPE_TRACING: u32 = 26;
const BPF_TRACE_FENTRY: u32 = 24;

/// `r0 = 0; exit`.
const NOTHING: [u64; 2] = [0xb7, 0x95];

/// The beginning of `union bpf_attr` for BPF_PROG_LOAD.
#[repr(C)]
#[derive(Default)]
struct Load {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log: [u64; 2],
    kern_version: u32,
    prog_flags: u32,
    prog_name: [u8; 16],
    prog_ifindex: u32,
    expected_attach_type: u32,
    prog_btf_fd: u32,
    func_info_rec_size: u32,
    func_info: u64,
    func_info_cnt: u32,
    line_info_rec_size: u32,
    line_info: u64,
    line_info_cnt: u32,
    attach_btf_id: u32,
}

/// The beginning of `union bpf_attr` for BPF_RAW_TRACEPOINT_OPEN.
#[repr(C)]
struct Open {
    name: u64,
    prog_fd: u32,
    pad: u32,
}

/// Whether a raw tracepoint program can be loaded.
pub(super) fn raw_tracepoint() -> io::Result<()> {
    load(Load { prog_type: BPF_PROG_TYPE_RAW_TRACEPOINT, ..Load::default() }).map(drop)
}

/// Whether a program can be attached to the entry of a kernel function: tried on one that only the kernel's own tests
/// call.
pub(super) fn fentry(btf: &Btf) -> io::Result<()> {
    let function = btf.find(Kind::Func, "bpf_fentry_test1").ok_or(io::ErrorKind::NotFound)?;
    let program = load(Load {
        prog_type: BPF_PROG_TYPE_TRACING,
        expected_attach_type: BPF_TRACE_FENTRY,
        attach_btf_id: function.0,
        ..Load::default()
    })?;
    bpf(BPF_RAW_TRACEPOINT_OPEN, &mut Open { name: 0, prog_fd: program.as_raw_fd() as u32, pad: 0 }).map(drop)
}

fn load(mut attr: Load) -> io::Result<OwnedFd> {
    attr.insn_cnt = NOTHING.len() as u32;
    attr.insns = NOTHING.as_ptr() as u64;
    attr.license = c"Dual MIT/GPL".as_ptr() as u64;
    bpf(BPF_PROG_LOAD, &mut attr)
}

/// A call of bpf(2) that gives a descriptor.
fn bpf<T>(command: libc::c_long, attr: &mut T) -> io::Result<OwnedFd> {
    // SAFETY: `attr` is the beginning of a `union bpf_attr` of the given size (the kernel takes the rest as zero), and
    // the addresses in it are those of constants.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, command, attr as *mut T, size_of::<T>()) };
    match fd {
        // SAFETY: both commands return a new descriptor that nobody else has.
        0.. => Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) }),
        _ => Err(io::Error::last_os_error()),
    }
}
