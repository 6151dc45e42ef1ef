//! BEGIN and END: run by the tracer itself (BPF_PROG_TEST_RUN), once each.
//!
//! ERROR has no program of its own: dispatchers call its clauses.

use core::ffi::c_void;

use probes_common::abi::Slot;
use probes_common::providers::dtrace::Nothing;

use crate::firing::probe;
use crate::kernel::Current;
use crate::{slots, state};

/// BEGIN: probes fire from its end on.
#[unsafe(no_mangle)]
#[unsafe(link_section = "raw_tp/dtrace_begin")]
pub extern "C" fn dtrace_begin(ctx: *mut c_void) -> u32 {
    if state::before() {
        probe!(dtrace_begin, ctx).fire(|_: &mut Nothing, _| ());
        state::activate();
    }
    0
}

/// END: no other probe fires from its beginning on.
#[unsafe(no_mangle)]
#[unsafe(link_section = "raw_tp/dtrace_end")]
pub extern "C" fn dtrace_end(ctx: *mut c_void) -> u32 {
    state::end();
    probe!(dtrace_end, ctx).fire(|_: &mut Nothing, _| ());
    0
}

/// Goes on with a firing whose clauses are too many for one program: the linker makes copies, each with a part of them, and
/// the dispatcher of one part calls the next.
#[unsafe(no_mangle)]
#[unsafe(link_section = "raw_tp/part")]
pub extern "C" fn part(ctx: *mut c_void) -> u32 {
    unsafe extern "C" {
        #[link_name = "clauses_part"]
        fn clauses(slot: *mut Slot, ctx: *mut c_void, task: *mut c_void) -> u64;
    }
    if let Some(slot) = slots::handed() {
        // SAFETY: the linker defines it; the slot is this firing's.
        unsafe { clauses(slot, ctx, Current::get().address()) };
    }
    0
}

/// The end of a thread, on every CPU: what it leaves behind is removed.
#[unsafe(no_mangle)]
#[unsafe(link_section = "raw_tp/sched_process_exit")]
pub extern "C" fn thread_end(ctx: *mut c_void) -> u32 {
    if state::active() {
        probe!(thread_end, ctx).fire(|_: &mut Nothing, _| ());
    }
    0
}

/// A thread is freed, on any CPU, some time after its end: so is what it left after that.
#[unsafe(no_mangle)]
#[unsafe(link_section = "raw_tp/sched_process_free")]
pub extern "C" fn thread_free(ctx: *mut c_void) -> u32 {
    if state::active() {
        probe!(thread_free, ctx).fire(|_: &mut Nothing, _| ());
    }
    0
}
