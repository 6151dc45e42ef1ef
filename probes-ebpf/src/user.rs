//! The programs of processes: whose place in one was come to, and reading the memory of the current process; zero where a read
//! faults.

use core::ffi::c_void;
use core::mem::MaybeUninit;

use aya_ebpf::helpers::generated::{bpf_get_attach_cookie, bpf_probe_read_user};
use probes_common::user::Cookie;

use crate::firing::Context;
use crate::kernel::Current;

/// The cookie of the attachment that has brought us here, and the current thread, where it is one of the cookie's process.
#[inline(always)]
pub fn called(ctx: Context) -> Option<(Cookie, Current)> {
    // SAFETY: the helper takes the context of a program that is attached with a cookie.
    let cookie = Cookie::from_word(unsafe { bpf_get_attach_cookie(ctx.0) });
    let task = Current::get();
    (task.process() == cookie.process).then_some((cookie, task))
}

/// Reads a value of user memory. `T` is plain data: any bytes are a value of it.
#[inline(always)]
pub fn read<T: Copy>(address: u64) -> T {
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: the helper writes all of `value`, with zeros when the read faults.
    unsafe {
        copy(value.as_mut_ptr(), address);
        value.assume_init()
    }
}

/// Like [`read`], straight into memory.
///
/// # Safety
/// `to` can be written.
#[inline(always)]
pub unsafe fn copy<T: Copy>(to: *mut T, address: u64) {
    // SAFETY: the caller's promise; the source may be anything.
    unsafe { bpf_probe_read_user(to.cast(), size_of::<T>() as u32, address as *const c_void) };
}
