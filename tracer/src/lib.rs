//! tracer
pub mod kernel;
