//! execargs: what the current process's program was started with.

use aya_ebpf::helpers::generated::bpf_probe_read_user;

use super::words::fill_zeros;
use crate::constants::offset;
use crate::kernel::{read, task};

/// Bytes of the text.
const SIZE: usize = 256;

/// Writes the arguments to the 256 bytes at `to`, which are zero, with spaces between them.
///
/// # Safety
/// `to` points to that many bytes, aligned to 8.
#[unsafe(no_mangle)]
#[inline(never)]
pub unsafe extern "C" fn exec_args(to: *mut u8) -> u64 {
    let mm = read::<u64>(task(), offset!(task_mm));
    let start = read::<u64>(mm, offset!(mm_arg_start));
    let end = read::<u64>(mm, offset!(mm_arg_end));
    if mm == 0 || start == 0 || end <= start {
        return 0;
    }
    // Without the zero that ends the last argument.
    let length = end - start - 1;
    let length = if length < SIZE as u64 { length } else { SIZE as u64 - 1 };
    // SAFETY: `length` bytes are written, fewer than there are; the source may be anything.
    unsafe { bpf_probe_read_user(to.cast(), length as u32, start as *const _) };
    let mut left = length;
    for index in 0..SIZE / 8 {
        let inside = if left < 8 { left } else { 8 };
        left -= inside;
        // SAFETY: inside the text.
        unsafe {
            let word = to.cast::<u64>().add(index);
            *word = fill_zeros(*word, inside);
        }
    }
    0
}
