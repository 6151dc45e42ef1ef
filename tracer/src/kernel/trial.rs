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

fn load(mut attr: ProgramAttr) -> io::Result<OwnedFd> {
    attr.insn_count = NOTHING.len() as u32;
    attr.insns = NOTHING.as_ptr() as u64;
    attr.license = c"Dual MIT/GPL".as_ptr() as u64;
    sys::load_program(&mut attr)
}
