//! Routines that compiled clauses call. Those that need no kernel are ordinary Rust, with tests on the host.
//!
//! Each is a function of `.text` that is verified anew at each call, so they have few branches and short loops.

mod addresses;
mod buckets;
#[cfg(target_arch = "bpf")]
mod processes;
mod strings;
pub mod words;
