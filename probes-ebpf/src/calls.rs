//! The calls under way on pipes and sockets, by thread: what a return, or a wait in between, has to know of the entry.
//!
//! An entry is valid from the entry of its call to the next remembered call of the thread; [`under_way`] compares the
//! number, so that a call that was not remembered is not taken for one that was.

use aya_ebpf::bindings::BPF_F_NO_PREALLOC;
use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::helpers::generated::bpf_get_current_pid_tgid;
use aya_ebpf::macros::map;
use aya_ebpf::maps::HashMap;
use probes_common::abi::memory;
use probes_common::providers::socket::{CALLS as SOCKET_CALLS, Shape};

use crate::constants::offset;
use crate::drops;
use crate::files::{self, Sort};
use crate::firing::{Context, programs};
use crate::kernel::{self, read};
use crate::{net, scope};

/// A call under way.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Call {
    /// Nanoseconds of CLOCK_MONOTONIC at its entry.
    pub time: u64,
    /// Its arguments.
    pub args: [u64; 6],
    /// The file that its first argument stands for; 0 for a call that makes one.
    pub file: u64,
    /// The system call's number.
    pub number: u32,
    /// What the file is, a [`Sort`].
    pub sort: u32,
    /// Of a socket that is being closed, for its return, when it is gone: family, type, protocol.
    pub socket: [u16; 3],
    /// Zero: Linux 6.1 refuses a value with gaps that were not written.
    pub pad: u16,
    /// Of a call on a pipe: how it waits.
    pub wait: Wait,
}

/// How a call waits for the other end of a pipe.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Wait {
    /// Nanoseconds of CLOCK_MONOTONIC at which the thread went to sleep; 0 while it is awake.
    pub since: u64,
    /// Nanoseconds that it has slept.
    pub slept: u64,
    /// How often it has gone to sleep.
    pub times: u32,
    /// 1 when the call has ended.
    pub ended: u32,
}

/// By thread id, until the thread ends.
#[map]
static CALLS: HashMap<u32, Call> = HashMap::with_max_entries(1 << 16, BPF_F_NO_PREALLOC);

programs! {
    // sys_enter(struct pt_regs *regs, long id)
    support calls_enter in "raw_tp/sys_enter", |ctx| remember(ctx);
    // sched_process_exit(struct task_struct *p)
    support calls_forget in "raw_tp/sched_process_exit", |_ctx| { let _ = CALLS.remove(&thread()); };
}

/// The call that the current thread is in, if it is a remembered one of that number on that sort of file.
#[inline(always)]
pub fn under_way(number: u32, sort: Sort) -> Option<*mut Call> {
    let call = CALLS.get_ptr_mut(&thread())?;
    // SAFETY: a value of the map, which no other thread writes.
    let same = unsafe { (*call).number == number && (*call).sort == sort as u32 };
    same.then_some(call)
}

/// The call that a thread is in, if it is in one on a pipe.
#[inline(always)]
pub fn on_pipe(thread: u32) -> Option<*mut Call> {
    let call = CALLS.get_ptr_mut(&thread)?;
    // SAFETY: a value of the map, which only that thread and the switch from and to it write.
    let inside = unsafe { (*call).sort == Sort::Pipe as u32 && (*call).wait.ended == 0 };
    inside.then_some(call)
}

#[inline(always)]
fn remember(ctx: Context) {
    let number = ctx.arg(1) as u32;
    let Some(shape) = shape(number) else { return };
    if !scope::current() || kernel::in_compat_call() {
        return;
    }
    let regs = ctx.arg(0);
    let fd = read::<u64>(regs, offset!(regs_di));
    let (file, sort) = match shape {
        Shape::Make => (0, Sort::Socket),
        _ => {
            let file = files::file(fd as u32);
            (file, files::sort(file))
        }
    };
    let thread = thread();
    if sort == Sort::Other {
        if let Some(call) = CALLS.get_ptr_mut(&thread) {
            // SAFETY: a value of the map, which no other thread writes.
            unsafe { (*call).sort = Sort::Other as u32 };
        }
        return;
    }
    let call = Call {
        // SAFETY: a helper without arguments.
        time: unsafe { bpf_ktime_get_ns() },
        args: [
            fd,
            read(regs, offset!(regs_si)),
            read(regs, offset!(regs_dx)),
            read(regs, offset!(regs_r10)),
            read(regs, offset!(regs_r8)),
            read(regs, offset!(regs_r9)),
        ],
        file,
        number,
        sort: sort as u32,
        socket: match (shape, sort) {
            (Shape::Close, Sort::Socket) => net::identity(net::sock(file)),
            _ => [0; 3],
        },
        pad: 0,
        wait: Wait { since: 0, slept: 0, times: 0, ended: 0 },
    };
    if CALLS.insert(&thread, &call, 0).is_err() {
        drops::forgot(memory::CALLS);
    }
}

/// What the arguments of a remembered call mean: `None` for the others. A comparison with each number; unrolled, as
/// the table is a constant.
#[inline(always)]
fn shape(number: u32) -> Option<Shape> {
    let mut index = 0;
    while index < SOCKET_CALLS.len() {
        if SOCKET_CALLS[index].number == number {
            return Some(SOCKET_CALLS[index].shape);
        }
        index += 1;
    }
    None
}

/// The current thread.
#[inline(always)]
pub fn thread() -> u32 {
    // SAFETY: a helper without arguments.
    unsafe { bpf_get_current_pid_tgid() as u32 }
}
