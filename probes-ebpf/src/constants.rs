//! Constants that the linker patches into `.rodata`. The map is frozen before the programs are loaded, so the verifier
//! knows their values and removes what they rule out; every read is volatile, so that the compiler does not.

use probes_common::abi::{ANY_CPU, Scope};
use probes_common::offsets::Offsets;

/// Where the running kernel keeps the fields that the probes read.
#[unsafe(no_mangle)]
pub static OFFSETS: Offsets = Offsets::NONE;

/// Settings of the session.
#[unsafe(no_mangle)]
pub static SCOPE: Scope = Scope {
    cpus: 1,
    own_pid: 0,
    watermark: 0,
    wall_offset: 0,
    tick: 4_000_000,
    following: 0,
    cpu: ANY_CPU,
    fill: 0,
    speculations: 1,
    speculation_size: 4096,
    tick_handler: 0,
};

/// The offset of a kernel field in the running kernel: `offset!(task_pid)`.
macro_rules! offset {
    ($field:ident) => {
        // SAFETY: a static is readable; volatile because the linker changes its value.
        unsafe { core::ptr::read_volatile(&raw const $crate::constants::OFFSETS.$field) }
    };
}

/// A setting of the session: `scope!(watermark)`.
macro_rules! scope {
    ($field:ident) => {
        // SAFETY: as for `offset!`.
        unsafe { core::ptr::read_volatile(&raw const $crate::constants::SCOPE.$field) }
    };
}

pub(crate) use {offset, scope};
