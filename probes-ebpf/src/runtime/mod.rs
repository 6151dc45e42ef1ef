//! Routines that compiled clauses call. Those that need no kernel are ordinary Rust, with tests on the host.
//!
//! Each is a function of `.text` that is verified anew at each call, so they have few branches and short loops. Those that
//! go through strings byte by byte turn in the kernel's own loop (`job`), which is verified once whatever the length.

mod addresses;
#[cfg(target_arch = "bpf")]
mod arguments;
mod buckets;
mod cleanpath;
mod copies;
#[cfg(target_arch = "bpf")]
pub mod current;
#[cfg(target_arch = "bpf")]
pub mod dentries;
mod job;
mod json;
mod numbers;
mod paths;
#[cfg(target_arch = "bpf")]
mod processes;
mod search;
pub mod squares;
mod stacks;
mod strings;
#[cfg(target_arch = "bpf")]
mod times;
mod tokens;
pub mod words;
