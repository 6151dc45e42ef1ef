//! What somebody would write by hand, with aya, in place of the D clauses that `cargo xtask bench` measures: to compare with, and
//! for nothing else. Each program is named as its row there is; the latency takes two.
//!
//! They are written as such programs are: the event is looked at first, then what costs more; helpers give the process, its
//! name and the time; maps are per CPU. On the host nothing is built.
#![cfg_attr(target_arch = "bpf", no_std, no_main)]

#[cfg(target_arch = "bpf")]
mod clauses;

/// On the host there is nothing to run.
#[cfg(not(target_arch = "bpf"))]
fn main() {}

#[cfg(target_arch = "bpf")]
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[cfg(target_arch = "bpf")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
