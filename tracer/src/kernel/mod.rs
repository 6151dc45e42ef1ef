//! What this kernel is: its types, its system calls, its tracepoints, and what it grants. Everything that the compiler
//! may know about the system it compiles for is gathered in a [`target::Target`].
//!
//! Reading the system and judging what was read are kept apart, so that every judgement is tested on made-up facts.

pub mod addresses;
pub mod arch;
pub mod btf;
pub mod counters;
pub mod currents;
pub mod features;
pub mod functions;
pub mod mappings;
pub mod modules;
pub mod numbers;
pub mod offsets;
pub mod process;
pub(crate) mod ptrace;
pub mod refusal;
pub mod sockets;
pub mod symbols;
pub(crate) mod sys;
pub mod syscalls;
pub mod target;
pub mod topology;
pub mod tracepoints;
mod trial;
pub(crate) mod uprobe;

pub use refusal::Refusal;
pub use target::Target;
