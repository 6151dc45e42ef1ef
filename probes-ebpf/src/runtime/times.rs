//! vtimestamp and chill(): the time that a thread has had, and time that passes.

use aya_ebpf::helpers::generated::{bpf_ktime_get_ns, bpf_loop};
use aya_ebpf::macros::map;
use aya_ebpf::maps::PerCpuArray;

use crate::constants::offset;
use crate::firing::programs;
use crate::kernel::{read, task};

/// The thread that runs on a CPU: the time that it had had when it began to run, and when that was.
#[repr(C)]
struct Running {
    task: u64,
    had: u64,
    since: u64,
}

#[map]
static RUNNING: PerCpuArray<Running> = PerCpuArray::with_max_entries(1, 0);

programs! {
    // sched_switch(bool preempt, struct task_struct *prev, struct task_struct *next, ...)
    support thread_switch in "raw_tp/sched_switch", |ctx| begin(ctx.arg(2));
}

#[inline(always)]
fn begin(task: u64) {
    if let Some(running) = RUNNING.get_ptr_mut(0) {
        // SAFETY: a value of the map, which lives as long as the program.
        unsafe { *running = Running { task, had: had(task), since: bpf_ktime_get_ns() } };
    }
}

/// The time that a thread had had when the kernel last counted it: that is when it leaves the CPU, and at each tick.
#[inline(always)]
fn had(task: u64) -> u64 {
    read(task, offset!(task_runtime))
}

/// vtimestamp: the nanoseconds that the current thread has run. What it had before tracing began, the kernel knows up to
/// the last tick.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn thread_time() -> u64 {
    let task = task();
    if let Some(running) = RUNNING.get_ptr_mut(0) {
        // SAFETY: as above; helpers without arguments.
        unsafe {
            if (*running).task == 0 {
                begin(task);
            }
            if (*running).task == task {
                return (*running).had + (bpf_ktime_get_ns() - (*running).since);
            }
        }
    }
    had(task)
}

/// vtimestamp of a thread that is not running yet.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn thread_time_of(task: u64) -> u64 {
    had(task)
}

/// When a chill began to be counted, and how long it has lasted since.
#[repr(C)]
struct Chilled {
    since: u64,
    spent: u64,
}

#[map]
static CHILLED: PerCpuArray<Chilled> = PerCpuArray::with_max_entries(1, 0);

/// A CPU is chilled for at most so many nanoseconds in each interval of so many.
const MOST: u64 = 500_000_000;
const INTERVAL: u64 = 1_000_000_000;

/// One turn of waiting: ended when the time has come.
unsafe extern "C" fn wait(_: u64, until: *mut u64) -> i64 {
    // SAFETY: what `chill` handed to the loop; a helper without arguments.
    if unsafe { bpf_ktime_get_ns() >= *until } { 1 } else { 0 }
}

/// chill(): waits so many nanoseconds; 1 where that would be more than a CPU may lose.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn chill(nanoseconds: u64) -> u64 {
    let Some(chilled) = CHILLED.get_ptr_mut(0) else { return 1 };
    // SAFETY: a value of the map, which lives as long as the program; a helper without arguments.
    unsafe {
        let now = bpf_ktime_get_ns();
        if now - (*chilled).since > INTERVAL {
            *chilled = Chilled { since: now, spent: 0 };
        }
        let spent = (*chilled).spent;
        if nanoseconds > MOST || spent > MOST || spent + nanoseconds > MOST {
            return 1;
        }
        (*chilled).spent = spent + nanoseconds;
        let mut until = now + nanoseconds;
        let wait: unsafe extern "C" fn(u64, *mut u64) -> i64 = wait;
        // A loop has an end of its own; four of them take longer than the longest chill.
        for _ in 0..4 {
            bpf_loop(1 << 23, wait as *mut core::ffi::c_void, (&raw mut until).cast(), 0);
        }
    }
    0
}
