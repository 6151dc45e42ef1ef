//! Trials: the smallest programs, loaded to learn what the kernel grants, and gone when this returns.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use super::btf::{Btf, Kind};
use super::sys::{self, ProgramAttr};

/// enum bpf_attach_type.
const BPF_TRACE_FENTRY: u32 = 24;

/// `r0 = 0; exit`.
const NOTHING: [u64; 2] = [0xb7, 0x95];

/// Whether a raw tracepoint program can be loaded.
pub(super) fn raw_tracepoint() -> io::Result<()> {
    load(ProgramAttr { kind: sys::RAW_TRACEPOINT, ..ProgramAttr::default() }).map(drop)
}

/// Whether a program can be attached to the entry of a kernel function: tried on one that only the kernel's own tests
/// call.
pub(super) fn fentry(btf: &Btf) -> io::Result<()> {
    let function = btf.find(Kind::Func, "bpf_fentry_test1").ok_or(io::ErrorKind::NotFound)?;
    let program = load(ProgramAttr {
        kind: sys::TRACING,
        attach_type: BPF_TRACE_FENTRY,
        attach_btf_id: function.0,
        ..ProgramAttr::default()
    })?;
    sys::attach_function(program.as_fd()).map(drop)
}

/// Whether functions can be traced by one link for all of them: it is asked for a link without any, which a kernel that has such
/// links calls invalid.
pub(super) fn kprobe_multi() -> io::Result<()> {
    let attach_type = sys::TRACE_KPROBE_MULTI;
    let program = load(ProgramAttr { kind: sys::KPROBE, attach_type, ..ProgramAttr::default() })?;
    match sys::link_functions(program.as_fd(), false, sys::Functions::Addresses(&[]), &[]) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Ok(()),
    }
}

/// A program for places in the programs of processes.
pub(super) fn uprobe() -> io::Result<OwnedFd> {
    load(ProgramAttr { kind: sys::KPROBE, attach_type: sys::TRACE_UPROBE_MULTI, ..ProgramAttr::default() })
}

fn load(attr: ProgramAttr) -> io::Result<OwnedFd> {
    sys::load_code(&NOTHING, attr)
}
