//! Squares in 128 bits, of which the machine has no multiplication.

/// The square of a value: its lower and its upper 64 bits.
#[inline(always)]
pub fn square(value: i64) -> (u64, u64) {
    let size = value.unsigned_abs();
    let (low, high) = (size & 0xffff_ffff, size >> 32);
    // (high * 2^32 + low)^2, the middle being twice high * low * 2^32.
    let middle = high * low;
    let lowest = low * low;
    let sum = lowest.wrapping_add(middle << 33);
    let carry = u64::from(sum < lowest);
    (sum, high * high + (middle >> 31) + carry)
}

#[cfg(test)]
mod tests {
    use super::square;

    #[test]
    fn squares_are_those_of_wide_arithmetic() {
        let mut value = 1_i64;
        for shift in 0..63 {
            value = value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let near = 1_i64 << shift;
            for value in [value, value >> shift, near, near - 1, -near, 0, i64::MAX, i64::MIN] {
                let (low, high) = square(value);
                let truth = u128::from(value.unsigned_abs()) * u128::from(value.unsigned_abs());
                assert_eq!((low, high), (truth as u64, (truth >> 64) as u64), "{value}");
            }
        }
    }
}
