//! The kernel's side of `tracer`: trampolines that hang on kernel events and fill in records, and routines that the
//! clauses of D programs call.
//!
//! The object this makes is not loaded as it is. The linker in `tracer` keeps the trampolines that a D program needs,
//! supplies what they call (`clauses_NAME`, `gate_NAME`), and patches the constants and the sizes of the maps. On the
//! host only the tests of the runtime routines are built.
#![cfg_attr(target_arch = "bpf", no_std, no_main, feature(asm_experimental_arch))]

#[cfg(any(target_arch = "bpf", test))]
mod runtime;

#[cfg(target_arch = "bpf")]
mod atomic;
#[cfg(target_arch = "bpf")]
mod blocks;
#[cfg(target_arch = "bpf")]
mod calls;
#[cfg(target_arch = "bpf")]
mod connections;
#[cfg(target_arch = "bpf")]
mod constants;
#[cfg(target_arch = "bpf")]
mod datagrams;
#[cfg(target_arch = "bpf")]
mod drops;
#[cfg(target_arch = "bpf")]
mod files;
#[cfg(target_arch = "bpf")]
mod firing;
#[cfg(target_arch = "bpf")]
mod kernel;
#[cfg(target_arch = "bpf")]
mod learning;
#[cfg(target_arch = "bpf")]
mod locks;
#[cfg(target_arch = "bpf")]
mod net;
#[cfg(target_arch = "bpf")]
mod numbers;
#[cfg(target_arch = "bpf")]
mod packet;
#[cfg(target_arch = "bpf")]
mod process;
#[cfg(target_arch = "bpf")]
mod providers;
#[cfg(target_arch = "bpf")]
mod ring;
#[cfg(target_arch = "bpf")]
mod scope;
#[cfg(target_arch = "bpf")]
mod segment;
#[cfg(target_arch = "bpf")]
mod slots;
#[cfg(target_arch = "bpf")]
mod speculations;
#[cfg(target_arch = "bpf")]
mod state;
#[cfg(target_arch = "bpf")]
mod sums;
#[cfg(target_arch = "bpf")]
mod tcps;
#[cfg(target_arch = "bpf")]
mod user;

/// On the host there is nothing to run.
#[cfg(not(target_arch = "bpf"))]
fn main() {}

/// Helpers that read kernel memory are granted to GPL programs only.
#[cfg(target_arch = "bpf")]
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[cfg(target_arch = "bpf")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
