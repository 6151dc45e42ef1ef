//! The buckets of quantize() and lquantize().

/// The bucket of zero among quantize()'s 127; powers of two above it, their negatives below.
const ZERO: u64 = 63;

/// quantize(): a positive value of `n` bits falls into bucket `63 + n`, which begins at 2 to the n-1; a negative one
/// mirrors it; the outermost buckets hold what lies beyond.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn quantize_bucket(value: i64) -> u64 {
    let bits = bit_length(value.unsigned_abs());
    // 63 bits at most: the last bucket begins at 2^62. Only i64::MIN has more, and goes to the outermost.
    let bits = if bits > ZERO { ZERO } else { bits };
    if value < 0 { ZERO - bits } else { ZERO + bits }
}

/// The number of bits that a value needs. By halves, since the machine cannot count leading zeros.
#[inline(always)]
fn bit_length(value: u64) -> u64 {
    let mut rest = value;
    let mut length = 0;
    for shift in [32, 16, 8, 4, 2, 1] {
        // 1 when something lies at or above `shift`, without a branch.
        let high = (rest >> shift).min(1);
        length += high * shift;
        rest >>= high * shift;
    }
    length + rest
}

/// lquantize(): bucket 0 holds what is below `low`, then `levels` buckets of width `step`, then one for the rest.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn lquantize_bucket(value: i64, low: i64, step: u64, levels: u64) -> u64 {
    if value < low {
        return 0;
    }
    // The difference of two i64 in order fits a u64, whatever their signs.
    let level = (value.wrapping_sub(low) as u64).checked_div(step).unwrap_or(0);
    if level < levels { level + 1 } else { levels + 1 }
}

#[cfg(test)]
mod tests {
    use super::{lquantize_bucket, quantize_bucket};

    /// Where quantize's bucket begins (for negatives: where it ends), the naive way.
    fn naive_quantize(value: i64) -> u64 {
        let magnitude = i128::from(value).abs();
        let mut steps = 0;
        while steps < 63 && magnitude >= 1_i128 << steps {
            steps += 1;
        }
        if value < 0 { 63 - steps } else { 63 + steps }
    }

    #[test]
    fn quantize_has_a_bucket_for_each_power_of_two() {
        assert_eq!(quantize_bucket(0), 63);
        assert_eq!(quantize_bucket(1), 64);
        assert_eq!(quantize_bucket(2), 65);
        assert_eq!(quantize_bucket(3), 65);
        assert_eq!(quantize_bucket(4), 66);
        assert_eq!(quantize_bucket(-1), 62);
        assert_eq!(quantize_bucket(i64::MAX), 126);
        assert_eq!(quantize_bucket(i64::MIN), 0);
    }

    #[test]
    fn quantize_is_the_naive_one() {
        for shift in 0..63 {
            for near in -3..=3 {
                let value = (1_i64 << shift).wrapping_add(near);
                for value in [value, value.wrapping_neg()] {
                    assert_eq!(quantize_bucket(value), naive_quantize(value), "{value}");
                }
            }
        }
    }

    #[test]
    fn lquantize_divides_the_range_evenly() {
        assert_eq!(lquantize_bucket(-1, 0, 10, 10), 0);
        assert_eq!(lquantize_bucket(0, 0, 10, 10), 1);
        assert_eq!(lquantize_bucket(9, 0, 10, 10), 1);
        assert_eq!(lquantize_bucket(10, 0, 10, 10), 2);
        assert_eq!(lquantize_bucket(99, 0, 10, 10), 10);
        assert_eq!(lquantize_bucket(100, 0, 10, 10), 11);
        assert_eq!(lquantize_bucket(-5, -10, 3, 4), 2);
        assert_eq!(lquantize_bucket(i64::MAX, i64::MIN, 1, 5), 6);
        assert_eq!(lquantize_bucket(7, 0, 0, 5), 1);
    }
}
