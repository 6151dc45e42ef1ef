//! The probes, one file a provider: its records and its table of probes.

pub mod dtrace;
pub mod pipe;
pub mod proc;
pub mod profile;
pub mod socket;
pub mod syscall;
pub mod tcp;

use crate::probe::Probe;

/// Every probe that is named in advance. The probes of syscall and profile are made from the running kernel's system
/// calls and from the rates that a program names.
pub const PROVIDERS: &[&[Probe]] = &[dtrace::PROBES, proc::PROBES, pipe::PROBES, socket::PROBES, tcp::PROBES];
