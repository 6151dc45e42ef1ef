//! Reading the kernel: fields by their offsets in the running kernel, zero where a read faults or the field is absent.

use core::ffi::c_void;
use core::mem::MaybeUninit;

use aya_ebpf::helpers::generated::{bpf_get_current_task, bpf_probe_read_kernel, bpf_probe_read_kernel_str};
use probes_common::offsets::ABSENT;

use crate::constants::offset;
use crate::firing::Context;

/// The current thread's `task_struct`.
#[inline(always)]
pub fn task() -> u64 {
    // SAFETY: a helper without arguments.
    unsafe { bpf_get_current_task() }
}

/// Reads a value of kernel memory `offset` bytes behind `base`. `T` is plain data: any bytes are a value of it.
#[inline(always)]
pub fn read<T: Copy>(base: u64, offset: u32) -> T {
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: the helper writes all of `value`, with zeros when the read faults, so it is initialized either way.
    unsafe {
        bpf_probe_read_kernel(value.as_mut_ptr().cast(), size_of::<T>() as u32, address(base, offset));
        value.assume_init()
    }
}

/// Like [`read`], straight into its place: for what should not pass through the stack.
#[inline(always)]
pub fn copy<T: Copy>(to: &mut T, base: u64, offset: u32) {
    // SAFETY: the helper writes all of `to`, any bytes of which are a value, and its source may be anything.
    unsafe { bpf_probe_read_kernel((&raw mut *to).cast(), size_of::<T>() as u32, address(base, offset)) };
}

/// The name of a thread's program, padded with zeros: Linux 6.1 leaves the end of a longer one that was there before.
#[inline(always)]
pub fn comm(to: &mut [u8; 16], task: u64) {
    *to = [0; 16];
    let from = address(task, offset!(task_comm));
    // SAFETY: the helper writes at most all of `to`, and its source may be anything.
    unsafe { bpf_probe_read_kernel_str((&raw mut *to).cast(), 16, from) };
}

/// Where a field is. An absent one is at null, and reading there gives zeros.
#[inline(always)]
fn address(base: u64, offset: u32) -> *const c_void {
    (if offset == ABSENT { 0 } else { base + u64::from(offset) }) as *const c_void
}

/// `TS_COMPAT` of arch/x86/include/asm/thread_info.h: the thread is in a 32-bit system call.
const COMPAT: u32 = 2;

unsafe extern "C" {
    /// The current thread's `task_struct`. The linker defines it, by what is quickest on this kernel.
    fn current_task() -> *mut c_void;
    /// The registers with which a system call was entered, for a program on one of its raw tracepoints; likewise.
    fn call_registers(ctx: *mut c_void, task: *mut c_void) -> *mut c_void;
}

/// The current thread, of whose `task_struct` the verifier knows the type: it is read without helpers.
///
/// Ask for it once: where that takes a helper, its return takes as long as ten instructions on processors that guard returns.
#[derive(Clone, Copy)]
pub struct Current(u64);

impl Current {
    /// The current thread.
    #[inline(always)]
    pub fn get() -> Current {
        // SAFETY: it takes nothing.
        Current(unsafe { current_task() } as u64)
    }

    /// Another thread, for clauses that are compiled for one whose type the verifier does not know.
    #[inline(always)]
    pub fn given(task: u64) -> Current {
        Current(task)
    }

    /// The address of its `task_struct`, for the clauses.
    #[inline(always)]
    pub fn address(self) -> *mut c_void {
        self.0 as *mut c_void
    }

    /// Its process.
    #[inline(always)]
    pub fn process(self) -> u32 {
        let process = offset!(task_tgid);
        // SAFETY: the offset is that of a word in a task_struct.
        unsafe { load(self.0, process) }
    }

    /// Whether it is in a 32-bit system call.
    #[inline(always)]
    pub fn in_compat_call(self) -> bool {
        let status = offset!(task_status);
        // SAFETY: the offset is that of a word in a task_struct.
        unsafe { load::<u32>(self.0, status) & COMPAT != 0 }
    }

    /// The registers with which it entered the system call that a raw tracepoint's program is told of.
    #[inline(always)]
    pub fn registers(self, ctx: Context) -> Registers {
        // SAFETY: a context of sys_enter or sys_exit, whose first argument they are, and a task_struct.
        Registers(unsafe { call_registers(ctx.0, self.address()) } as u64)
    }
}

/// A `pt_regs` of which the verifier knows the type.
#[derive(Clone, Copy)]
pub struct Registers(u64);

impl Registers {
    /// The register at that offset.
    #[inline(always)]
    pub fn at(self, offset: u32) -> u64 {
        // SAFETY: the offset is that of a word in pt_regs.
        unsafe { load(self.0, offset) }
    }
}

/// Whether the current thread is in a 32-bit system call.
#[inline(always)]
pub fn in_compat_call() -> bool {
    Current::get().in_compat_call()
}

/// Reads without a helper; 0 where this kernel has no such field.
///
/// # Safety
/// The verifier knows what `base` points to, and that there is a field of `T`'s size at the offset.
#[inline(always)]
unsafe fn load<T: Copy + Default>(base: u64, offset: u32) -> T {
    if offset == ABSENT {
        return T::default();
    }
    // SAFETY: the caller's promise, which the verifier checks. Volatile: the address is not one that the compiler knows.
    unsafe { ((base + u64::from(offset)) as *const T).read_volatile() }
}
