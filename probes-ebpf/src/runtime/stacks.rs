//! Call stacks as keys: a word that stands for all of a stack's addresses.

use probes_common::abi::Slot;

/// For clauses: a hash of the `words` addresses at byte `at` of the slot; both are constants of the call site.
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::stack_hash;

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
