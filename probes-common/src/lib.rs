//! What the kernel side and the user side of `tracer` share: the layout of a firing's memory, the records of the probes
//! with their D types and documentation, and the kernel fields that the probes read.
//!
//! Everything here is data. It compiles without `std`, for the host and for eBPF alike, and layouts are `repr(C)`.
#![no_std]

pub mod abi;
pub mod connections;
pub mod names;
pub mod offsets;
pub mod probe;
pub mod providers;
pub mod schema;
pub mod scope;
mod table;
pub mod types;
pub mod types_io;
pub mod types_net;
pub mod user;
