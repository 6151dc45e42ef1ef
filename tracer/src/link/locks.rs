//! Which programs run while a lock of the kernel may be held, or be waited for, that recording itself takes.
//!
//! The ring buffer has a lock, and so has each bucket of a hash map. A program that is told of waits for locks may be told in the
//! middle of another program's taking one of these: if it went for the same, or for one whose holder waits for the first, the CPU
//! would wait for ever. So such a program is left out wherever another firing is under way on its CPU, of which each has a slot then.

use probes_common::probe::Attach;

use crate::lower::ProgramImage;
use crate::provider::attach;

/// The tracepoints of the kernel's locks.
const TRACEPOINTS: [&str; 2] = ["contention_begin", "contention_end"];

/// Whether the program is told of waits for locks.
pub(super) fn tells(image: &ProgramImage) -> bool {
    matches!(attach(image.program.attach, image.instance), Attach::RawTracepoint(name) if TRACEPOINTS.contains(&name))
}
