//! The cpc provider: events that the kernel or the processor counts. The linker makes a copy of the trampoline for each probe.

use super::profile::{ARGS, Sample};
use crate::probe::{Attach, Program};
use crate::schema::Described;
use crate::table::probes;

/// Each so many events, on the CPU that counted them.
pub const CPC: Program =
    Program { name: "cpc", attach: Attach::Counter, family: false, record: &Sample::DEF, needs: &[] };

probes! { "cpc":
    "event-mode-count", CPC, ARGS,
        "Fires each time that a CPU has counted so many of these events, in whatever runs there.";
}
