//! The processes that a session is about, where it is not about all of them.

use crate::probe::{Attach, Support};

/// The map of the processes in scope: process id (u32) to 1 (u32). The tracer puts those there that exist when it starts.
pub const SCOPED: &str = "SCOPED";

/// Takes new processes of those in scope into it.
pub const FOLLOW: Support =
    Support { name: "scope_follow", attach: Attach::RawTracepoint("sched_process_fork") };
