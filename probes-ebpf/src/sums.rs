//! stddev(): what is added up in the kernel.

use crate::atomic;
use crate::runtime::squares::square;

/// For clauses: adds a value to the sum and its square to the sum of squares, whose two words follow, the lower first.
///
/// Each word is added to atomically, and the lower one's carry goes to the upper: the sum is exact however interrupts nest.
/// Who reads between the two additions sees 2 to the 64 too little.
///
/// # Safety
/// `words` are three words of a map's value.
#[unsafe(no_mangle)]
#[inline(never)]
pub unsafe extern "C" fn stddev_add(words: *mut u64, value: i64) -> u64 {
    let (low, high) = square(value);
    // SAFETY: the caller's promise.
    unsafe {
        atomic::add(words, value as u64);
        let before = atomic::add(words.add(1), low);
        let carry = u64::from(before.wrapping_add(low) < low);
        atomic::add(words.add(2), high + carry);
    }
    0
}
