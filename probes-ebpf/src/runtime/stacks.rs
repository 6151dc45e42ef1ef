//! Call stacks: which of the kernel's frames are the tracer's own, and a word that stands for all of a stack's addresses.

use probes_common::abi::{OWN_FRAMES, Slot};

/// For clauses: a hash of the `words` addresses at byte `at` of the slot; their number is a constant of the call site.
///
/// Each step is a bijection of the word before, so that stacks which differ in one address differ in their hashes.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn stack_hash(slot: *const Slot, at: u64, words: u64) -> u64 {
    let mut hash = words;
    let mut index = 0;
    while index < words {
        // SAFETY: clauses pass their slot and a place in it that their compiler laid out, aligned to 8; the verifier checks it.
        let word = unsafe { *slot.cast::<u8>().add((at + index * 8) as usize).cast::<u64>() };
        hash = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^= hash >> 29;
        index += 1;
    }
    hash
}

/// For clauses: how many of the first frames of the kernel's stack at byte `at` of the slot are of the tracer's programs and of what the
/// kernel calls them with: at most [`OWN_FRAMES`].
///
/// The table is of `words` addresses, a constant power of two: where the kernel's code begins and ends, then in ascending order
/// where runs of functions that call programs begin and end, and the greatest number behind them. Programs lie outside of the
/// kernel's code, and are called by one of those functions.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn stack_own(slot: *mut Slot, at: u64, table: *const u64, words: u64) -> u64 {
    // SAFETY: clauses pass a place in their slot and a table that their compiler laid out; the verifier checks both.
    let frame = move |index: u64| unsafe { *slot.cast::<u8>().add((at + index * 8) as usize).cast::<u64>() };
    // SAFETY: as above; an index is always below `words`.
    let entry = |index: u64| unsafe { *table.add((index & (words - 1)) as usize) };
    let (begin, end) = (entry(0), entry(1));
    let mut own = 0;
    while own < OWN_FRAMES && frame(own) != 0 && frame(own).wrapping_sub(begin) >= end.wrapping_sub(begin) {
        own += 1;
    }
    while own < OWN_FRAMES && frame(own) != 0 {
        let address = frame(own);
        // How many of the table's addresses are not above it. There must be no branches, of which the verifier would follow each
        // way: the compiler makes none of what it reads back from memory.
        let (mut below, mut step) = (0_u64, words / 2);
        while step > 0 {
            let above = address.wrapping_sub(entry(below.wrapping_add(step + 1))) >> 63;
            // SAFETY: the routine's own word.
            let above = unsafe {
                let word = &raw mut (*slot).work.state[0];
                word.write_volatile(above);
                word.read_volatile()
            };
            below = below.wrapping_add(step * (above ^ 1));
            step /= 2;
        }
        if below & 1 == 0 {
            break;
        }
        own += 1;
    }
    own
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::mem::MaybeUninit;

    use probes_common::abi::SLOT_RECORD;

    use super::*;

    #[test]
    fn frames_of_programs_and_of_what_calls_them_are_our_own() {
        let base = 0xffff_ffff_8000_0000_u64;
        let mut table =
            [base + 0x100, base + 0x900, base + 0x200, base + 0x220, base + 0x300, base + 0x340, 0, 0];
        table[6..].fill(u64::MAX);
        let own = |frames: &[u64]| {
            let mut slot = MaybeUninit::<Slot>::zeroed();
            // SAFETY: zeros are a slot.
            let stack = unsafe { &mut (*slot.as_mut_ptr()).record };
            for (to, frame) in stack.chunks_exact_mut(8).zip(frames) {
                to.copy_from_slice(&(base + frame).to_le_bytes());
            }
            stack_own(slot.as_mut_ptr(), SLOT_RECORD as u64, table.as_ptr(), table.len() as u64)
        };
        let (program, module) = (0x4000_0000, 0x4100_0000);
        assert_eq!(own(&[program, program, 0x21f, 0x300, 0x250, 0x200]), 4);
        assert_eq!(own(&[program, 0x200, module]), 2);
        assert_eq!(own(&[0x250, 0x200]), 0);
        assert_eq!(own(&[0x340, 0x200]), 0);
        assert_eq!(own(&[program, 0x8ff]), 1);
        assert_eq!(own(&[0x33f; 11]), 8);
        assert_eq!(own(&[]), 0);
    }

    #[test]
    fn stacks_that_differ_in_order_or_one_address_differ() {
        let hash = |stack: &[u64]| stack_hash(stack.as_ptr().cast(), 8, stack.len() as u64 - 1);
        let stacks: &[&[u64]] = &[
            &[0, 0xffff_ffff_8100_1000, 0xffff_ffff_8200_2000, 0],
            &[0, 0xffff_ffff_8200_2000, 0xffff_ffff_8100_1000, 0],
            &[0, 0xffff_ffff_8100_1001, 0xffff_ffff_8200_2000, 0],
            &[0, 0xffff_ffff_8100_1000, 0xffff_ffff_8200_2000, 1],
            &[0, 0, 0, 0],
            &[0, 0, 0],
        ];
        assert_eq!(stacks.iter().map(|stack| hash(stack)).collect::<HashSet<_>>().len(), stacks.len());
        assert_eq!(hash(&[7, 1, 2]), hash(&[8, 1, 2]));
    }
}
