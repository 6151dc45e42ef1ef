//! Routines that compiled clauses call. They need no kernel: ordinary Rust, with tests on the host.
//!
//! Each is a function of `.text` that is verified anew at each call, so they have few branches and short loops.

mod buckets;
mod strings;
pub mod words;
