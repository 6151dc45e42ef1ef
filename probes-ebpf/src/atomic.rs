//! Atomic operations of the eBPF machine. `core` offers only loads and stores for this target, hence assembly.
//! They order memory fully, as the kernel's own do.

use core::arch::asm;

/// Puts `value` where `word` points and returns what was there.
///
/// # Safety
/// `word` is a word of a map, aligned to 8 bytes.
#[inline(always)]
pub unsafe fn exchange(word: *mut u64, value: u64) -> u64 {
    let mut value = value;
    // SAFETY: the caller's promise.
    unsafe { asm!("{value} = xchg_64({word} + 0, {value})", word = in(reg) word, value = inout(reg) value) };
    value
}

/// Puts `new` where `word` points if `old` is there.
///
/// # Safety
/// As for [`exchange`].
#[inline(always)]
pub unsafe fn replace(word: *mut u64, old: u64, new: u64) {
    // SAFETY: the caller's promise.
    unsafe { compare_exchange(word, old, new) };
}

/// Puts `new` where `word` points if `old` is there; returns what was there.
///
/// # Safety
/// As for [`exchange`].
#[inline(always)]
pub unsafe fn compare_exchange(word: *mut u64, old: u64, new: u64) -> u64 {
    let mut value = old;
    // SAFETY: the caller's promise.
    unsafe {
        asm!("r0 = cmpxchg_64({word} + 0, r0, {new})", word = in(reg) word, new = in(reg) new, inout("r0") value);
    }
    value
}

/// Adds to the word and returns what was there.
///
/// # Safety
/// As for [`exchange`].
#[inline(always)]
pub unsafe fn add(word: *mut u64, value: u64) -> u64 {
    let mut value = value;
    // SAFETY: the caller's promise.
    unsafe {
        asm!("{value} = atomic_fetch_add((u64 *)({word} + 0), {value})", word = in(reg) word, value = inout(reg) value);
    }
    value
}
