//! The pipe provider: pipes and FIFOs.
//!
//! A pipe is seen through a descriptor: reads and writes from the entry of the call that `calls` remembers, waits from the
//! scheduler in between, ends closed from the reference count of the file.

use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::helpers::generated::bpf_probe_read_user;
use aya_ebpf::macros::map;
use aya_ebpf::maps::PerCpuArray;
use probes_common::abi::Drop;
use probes_common::offsets::ABSENT;
use probes_common::providers::pipe::{self, Block, CloseEnd, PipeCreate, Transfer};
use probes_common::types::PipeInfo;

use crate::calls::{self, Call};
use crate::constants::offset;
use crate::files::{self, Sort};
use crate::firing::{Context, Program, Wants, bit, programs};
use crate::kernel::{self, read, task};
use crate::numbers::{CLOSE, DUP2, DUP3, PIPE, PIPE2, READ, READV, WRITE, WRITEV};

programs! {
    // sys_exit(struct pt_regs *regs, long ret)
    family pipe_transfer in "raw_tp/sys_exit", |program| {
        let ctx = program.program.ctx;
        let number = number(ctx);
        let discriminator = match number {
            READ | READV => pipe::READ,
            WRITE | WRITEV => pipe::WRITE,
            _ => return 0,
        };
        let Some(taken) = program.wanted(discriminator.into()) else { return 0 };
        if let Some(call) = calls::under_way(number, Sort::Pipe) {
            taken.fire(move |record, wants| fill_transfer(record, wants, ctx, call));
        }
    };

    probe pipe_broken in "raw_tp/sys_exit", |program| {
        let ctx = program.ctx;
        if ctx.arg(1) as i64 == -EPIPE && let Some(call) = calls::under_way(number(ctx), Sort::Pipe) {
            program.fire(move |record, wants| fill_transfer(record, wants, ctx, call));
        }
    };

    probe pipe_block in "raw_tp/sys_exit", |program| {
        if let Some(call) = calls::under_way(number(program.ctx), Sort::Pipe) {
            // SAFETY: a value of the map of calls.
            if unsafe { (*call).wait.times } != 0 {
                fire_block(program, call);
            }
        }
    };

    probe pipe_create in "raw_tp/sys_exit", |program| {
        let ctx = program.ctx;
        if ctx.arg(1) != 0 {
            return 0;
        }
        let number = number(ctx);
        if !matches!(number, PIPE | PIPE2) || kernel::in_compat_call() {
            return 0;
        }
        program.fire(move |record: &mut PipeCreate, wants| {
            let mut ends = [0_i32; 2];
            let from = read::<u64>(ctx.arg(0), offset!(regs_di)) as *const _;
            // SAFETY: two descriptors are written, where there are two.
            unsafe { bpf_probe_read_user((&raw mut ends).cast(), 8, from) };
            record.reader = ends[0];
            record.writer = ends[1];
            record.flags = if number == PIPE2 { read::<u64>(ctx.arg(0), offset!(regs_si)) as i32 } else { 0 };
            record.pad = 0;
            let file = files::file(ends[0] as u32);
            fill_pipe(&mut record.pi, wants.part(bit!(PipeCreate, pi)), file, ends[0]);
        });
    };

    support pipe_leave in "raw_tp/sys_exit", |ctx| {
        let _ = ctx;
        if let Some(call) = calls::on_pipe(calls::thread()) {
            // SAFETY: a value of the map of calls.
            unsafe { (*call).wait.ended = 1 };
        }
    };

    // sched_switch(bool preempt, struct task_struct *prev, struct task_struct *next, unsigned int prev_state)
    support pipe_waits in "raw_tp/sched_switch", |ctx| {
        let next = read(ctx.arg(2), offset!(task_pid));
        // SAFETY: values of the map of calls; a helper without arguments.
        unsafe {
            if sleeps(ctx) && let Some(call) = calls::on_pipe(calls::thread()) {
                (*call).wait.since = bpf_ktime_get_ns();
                (*call).wait.times += 1;
            }
            if let Some(call) = calls::on_pipe(next) && (*call).wait.since != 0 {
                (*call).wait.slept += bpf_ktime_get_ns().wrapping_sub((*call).wait.since);
                (*call).wait.since = 0;
            }
        }
    };

    // The current thread is still the one that goes to sleep.
    probe pipe_block_start in "raw_tp/sched_switch", |program| {
        if sleeps(program.ctx) && let Some(call) = calls::on_pipe(calls::thread()) {
            fire_block(program, call);
        }
    };

    // sys_enter(struct pt_regs *regs, long id)
    probe pipe_close in "raw_tp/sys_enter", |program| {
        let ctx = program.ctx;
        let register = match ctx.arg(1) as u32 {
            CLOSE => offset!(regs_di),
            DUP2 | DUP3 => offset!(regs_si),
            _ => return 0,
        };
        if kernel::in_compat_call() {
            return 0;
        }
        let fd = read::<u64>(ctx.arg(0), register) as u32;
        let file = files::file(fd);
        // dup2 to itself closes nothing.
        let stays = register != offset!(regs_di) && read::<u64>(ctx.arg(0), offset!(regs_di)) as u32 == fd;
        if is_last_end(file) && !stays {
            fire_close(program, file, fd);
        }
    };

    // sched_process_exit(struct task_struct *p)
    probe pipe_exit in "raw_tp/sched_process_exit", |program| close_all(program);
}

const EPIPE: i64 = 32;

/// `TASK_INTERRUPTIBLE` of include/linux/sched.h: how a thread waits for the other end. Other states are short waits for
/// locks and memory.
const INTERRUPTIBLE: u64 = 1;

/// The number of the call that `sys_exit` ends.
#[inline(always)]
fn number(ctx: Context) -> u32 {
    read::<u64>(ctx.arg(0), offset!(regs_orig_ax)) as u32
}

/// Whether a switch is a thread going to sleep, not one that is put off.
#[inline(always)]
fn sleeps(ctx: Context) -> bool {
    ctx.arg(0) & 0xff == 0 && ctx.arg(3) & INTERRUPTIBLE != 0
}

#[inline(always)]
fn writes(number: u32) -> bool {
    matches!(number, WRITE | WRITEV)
}

#[inline(always)]
fn fill_transfer(record: &mut Transfer, wants: Wants, ctx: Context, call: *mut Call) {
    // SAFETY: a value of the map of calls.
    let call = unsafe { &*call };
    fill_pipe(&mut record.pi, wants.part(bit!(Transfer, pi)), call.file, call.args[0] as i32);
    if wants.field(bit!(Transfer, asked)) {
        record.asked = match call.number {
            READ | WRITE => call.args[2],
            _ => sum_parts(call.args[1], call.args[2]),
        };
    }
    let result = ctx.arg(1) as i64;
    let failed = result < 0;
    record.done = if failed { -1 } else { result };
    record.error = if failed { -result as i32 } else { 0 };
    record.pad = 0;
    if wants.field(bit!(Transfer, latency)) {
        // SAFETY: a helper without arguments.
        record.latency = unsafe { bpf_ktime_get_ns() }.wrapping_sub(call.time);
    }
    record.blocked = call.wait.slept;
}

#[inline(always)]
fn fire_block(program: Program, call: *mut Call) {
    program.fire(move |record: &mut Block, wants| {
        // SAFETY: a value of the map of calls.
        let call = unsafe { &*call };
        fill_pipe(&mut record.pi, wants.part(bit!(Block, pi)), call.file, call.args[0] as i32);
        record.blocked = call.wait.slept;
        record.full = writes(call.number).into();
        record.times = call.wait.times;
    });
}

/// How many parts of a vector are summed.
const PARTS: u64 = 16;

/// The bytes that a `struct iovec` array of the current process asks for.
#[inline(never)]
fn sum_parts(vector: u64, count: u64) -> u64 {
    let mut sum = 0;
    for n in 0..PARTS {
        if n == count {
            break;
        }
        let mut length = 0_u64;
        // The length follows the base.
        let from = vector + n * 16 + 8;
        // SAFETY: `length` is written, with zero when the read faults.
        unsafe { bpf_probe_read_user((&raw mut length).cast(), 8, from as *const _) };
        sum += length;
    }
    sum
}

/// `FMODE_READ` and `FMODE_WRITE` of include/linux/fs.h.
const FMODE_READ: u32 = 1;
const FMODE_WRITE: u32 = 2;
/// `O_NONBLOCK` of include/uapi/asm-generic/fcntl.h.
const NONBLOCK: u32 = 0o4000;
/// `PIPEFS_MAGIC` of include/uapi/linux/magic.h: where pipes without names live.
const PIPEFS: u64 = 0x5049_5045;
const PAGE: u64 = 4096;

/// Fills in what is wanted of a pipe, seen through that file.
#[inline(never)]
fn fill_pipe(pi: &mut PipeInfo, wants: Wants, file: u64, fd: i32) {
    let inode = files::inode(file);
    let pipe = read::<u64>(inode, offset!(inode_pipe));
    if wants.field(bit!(PipeInfo, pipe_ino)) {
        pi.pipe_ino = read(inode, offset!(inode_ino));
        pi.pipe_fd = fd;
    }
    if wants.field(bit!(PipeInfo, pipe_end)) {
        pi.pipe_end = match mode(file) {
            FMODE_READ => 0,
            FMODE_WRITE => 1,
            _ => 2,
        };
        pi.pipe_nonblock = (read::<u32>(file, offset!(file_flags)) & NONBLOCK != 0).into();
    }
    if wants.field(bit!(PipeInfo, pipe_fifo)) {
        let magic = read::<u64>(read(inode, offset!(inode_sb)), offset!(super_magic));
        pi.pipe_fifo = (magic != PIPEFS).into();
    }
    if wants.field(bit!(PipeInfo, pipe_bytes)) {
        pi.pipe_bytes = count_bytes(pipe);
    }
    if wants.field(bit!(PipeInfo, pipe_capacity)) {
        pi.pipe_buffers = read(pipe, offset!(pipe_max_usage));
        pi.pipe_capacity = u64::from(pi.pipe_buffers) * PAGE;
    }
    if wants.field(bit!(PipeInfo, pipe_used)) {
        let (head, tail) = bounds(pipe);
        pi.pipe_used = head.wrapping_sub(tail);
    }
    if wants.field(bit!(PipeInfo, pipe_readers)) {
        pi.pipe_readers = read(pipe, offset!(pipe_readers));
        pi.pipe_writers = read(pipe, offset!(pipe_writers));
    }
}

#[inline(always)]
fn mode(file: u64) -> u32 {
    read::<u32>(file, offset!(file_mode)) & (FMODE_READ | FMODE_WRITE)
}

/// Where the buffers in use end and begin, counted without end.
#[inline(always)]
fn bounds(pipe: u64) -> (u32, u32) {
    (read(pipe, offset!(pipe_head)), read(pipe, offset!(pipe_tail)))
}

/// How many buffers are added up one by one.
const BUFFERS: u32 = 64;

/// The bytes in a pipe: those of its buffers in use, each a part of a page.
#[inline(never)]
fn count_bytes(pipe: u64) -> u64 {
    let buffers = read::<u64>(pipe, offset!(pipe_bufs));
    let mask = read::<u32>(pipe, offset!(pipe_ring_size)).wrapping_sub(1);
    let (head, tail) = bounds(pipe);
    let used = head.wrapping_sub(tail);
    let mut bytes = 0;
    for n in 0..BUFFERS {
        if n == used {
            return bytes;
        }
        let buffer = buffers + u64::from(tail.wrapping_add(n) & mask) * u64::from(offset!(pipe_buffer_size));
        bytes += u64::from(read::<u32>(buffer, offset!(pipe_buffer_len)));
    }
    bytes + u64::from(used.wrapping_sub(BUFFERS)) * PAGE
}

/// Whether a file is the last descriptor of an end of a pipe.
#[inline(always)]
fn is_last_end(file: u64) -> bool {
    files::sort(file) == Sort::Pipe && is_last_reference(file)
}

/// Linux 6.13 and later count from 0 (`file_ref_t`), earlier ones from 1.
#[inline(always)]
fn is_last_reference(file: u64) -> bool {
    if offset!(file_ref) != ABSENT {
        read::<u64>(file, offset!(file_ref)) == 0
    } else {
        read::<u64>(file, offset!(file_count)) == 1
    }
}

#[inline(always)]
fn fire_close(program: Program, file: u64, fd: u32) {
    program.fire(move |record: &mut CloseEnd, wants| {
        fill_pipe(&mut record.pi, wants.part(bit!(CloseEnd, pi)), file, fd as i32);
        let pipe = read::<u64>(files::inode(file), offset!(inode_pipe));
        let open = match mode(file) {
            FMODE_WRITE => offset!(pipe_writers),
            _ => offset!(pipe_readers),
        };
        record.left = read::<i32>(pipe, open) - 1;
        record.pad = 0;
    });
}

/// How many descriptors of an ending process are looked at, and how many ends of pipes among them fire.
const DESCRIPTORS: u32 = 64;
const ENDS: u32 = 4;

/// The ends of pipes that an ending process is about to close: in a map, so that the verifier does not follow each of
/// the ways in which they may be spread over the descriptors.
#[repr(C)]
struct Ends {
    count: u32,
    fds: [u32; ENDS as usize],
}

#[map]
static PIPE_ENDS: PerCpuArray<Ends> = PerCpuArray::with_max_entries(1, 0);

/// `sched_process_exit` comes before the descriptors are closed.
#[inline(always)]
fn close_all(program: Program) {
    let files = read::<u64>(task(), offset!(task_files));
    // Threads, and processes made so by clone(2), share their descriptors: the last one closes them.
    if files == 0 || read::<u32>(files, offset!(files_count)) != 1 {
        return;
    }
    let Some(ends) = PIPE_ENDS.get_ptr_mut(0) else { return };
    let table = read::<u64>(files, offset!(files_fdt));
    let size = read::<u32>(table, offset!(fdtable_max_fds));
    let table = read::<u64>(table, offset!(fdtable_fd));
    // SAFETY: this CPU's value; processes do not end in interrupts.
    unsafe {
        (*ends).count = 0;
        for fd in 0..DESCRIPTORS {
            if fd >= size {
                break;
            }
            let file = read(table, fd * 8);
            if is_last_end(file) {
                let slot = (&raw const (*ends).count).read_volatile();
                if slot < ENDS {
                    (&raw mut (*ends).fds).cast::<u32>().add(slot as usize).write(fd);
                    (*ends).count = slot + 1;
                } else {
                    program.drop(Drop::Support);
                }
            }
        }
        for n in 0..ENDS {
            if n >= (&raw const (*ends).count).read_volatile() {
                return;
            }
            let fd = (&raw const (*ends).fds[n as usize]).read_volatile();
            fire_close(program, files::file(fd), fd);
        }
    }
}
