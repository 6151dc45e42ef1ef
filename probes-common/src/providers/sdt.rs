//! The sdt provider: the tracepoints of rawtp as DTrace calls such probes, their modules being the kernel's subsystems.

use super::rawtp::{ARGS, RAWTP};
use crate::table::probes;

probes! { "sdt":
    "", RAWTP, ARGS,
        "Fires where the kernel has this tracepoint; its arguments are what the kernel passes to it.";
}
