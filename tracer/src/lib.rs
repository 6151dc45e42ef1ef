//! tracer
pub mod bpf;
pub mod diagnostic;
pub mod ir;
pub mod kernel;
pub mod syntax;
