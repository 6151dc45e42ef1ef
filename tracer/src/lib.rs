//! tracer
pub mod bpf;
pub mod ir;
pub mod kernel;
