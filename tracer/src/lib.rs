//! tracer: a DTrace for Linux.
pub mod bpf;
pub mod check;
pub mod consume;
pub mod diagnostic;
pub mod ir;
pub mod kernel;
pub mod link;
pub mod lower;
pub mod output;
pub mod provider;
pub mod session;
pub mod syntax;
