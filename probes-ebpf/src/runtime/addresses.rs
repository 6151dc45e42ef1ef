//! Internet addresses as text.
//!
//! Invariant: no branch depends on a digit. What may be left out is written and then overwritten, so the verifier
//! follows one way for IPv4 and one for IPv6, whatever the address.

/// Bytes of the buffer, a power of two; the longest text has 39.
const SIZE: usize = 64;

/// Writes the address in the 16 bytes at `ip` (IPv4 as `::ffff:a.b.c.d`, none as zeros) to the 64 bytes at `to`, as
/// people write it (RFC 5952), padded with zeros; nothing for none.
///
/// # Safety
/// Both point to that many bytes, aligned to 8.
#[unsafe(no_mangle)]
#[inline(never)]
pub unsafe extern "C" fn ip_text(ip: *const u8, to: *mut u8) -> u64 {
    let ip = ip.cast::<u64>();
    // SAFETY: the caller's promise.
    let (high, low) = unsafe { (ip.read().to_be(), ip.add(1).read().to_be()) };
    // SAFETY: the caller's promise.
    let mut text = unsafe { Text::new(to) };
    if high == 0 && low >> 32 == 0xffff {
        text.put_v4(low as u32);
    } else if high | low != 0 {
        text.put_v6(high, low);
    }
    0
}

/// Writes the IPv6 address in the 16 bytes at `ip` to the 64 bytes at `to`, as inet_ntop(3) does, padded with zeros: one
/// that stands for an IPv4 address ends as that is written.
///
/// # Safety
/// Both point to that many bytes, aligned to 8.
#[unsafe(no_mangle)]
#[inline(never)]
pub unsafe extern "C" fn ipv6_text(ip: *const u8, to: *mut u8) -> u64 {
    let ip = ip.cast::<u64>();
    // SAFETY: the caller's promise.
    let (high, low) = unsafe { (ip.read().to_be(), ip.add(1).read().to_be()) };
    // SAFETY: the caller's promise.
    let mut text = unsafe { Text::new(to) };
    if high == 0 && low >> 32 == 0xffff {
        for character in *b"::ffff:" {
            text.put(u64::from(character), 1);
        }
        text.put_v4(low as u32);
    } else if high == 0 && low >> 32 == 0 && low > 0xffff {
        text.put(u64::from(b':'), 1);
        text.put(u64::from(b':'), 1);
        text.put_v4(low as u32);
    } else {
        text.put_v6(high, low);
    }
    0
}

/// Writes a hardware address of `bytes` bytes to the 64 bytes at `to`, padded with zeros: 6 or 20.
///
/// # Safety
/// `address` points to that many bytes, `to` to 64, aligned to 8.
#[unsafe(no_mangle)]
#[inline(never)]
pub unsafe extern "C" fn link_text(address: *const u8, to: *mut u8, bytes: u64) -> u64 {
    // SAFETY: the caller's promise.
    let mut text = unsafe { Text::new(to) };
    for index in 0..20 {
        if index >= bytes {
            break;
        }
        // SAFETY: the caller's promise.
        let byte = u64::from(unsafe { address.add(index as usize).read() });
        for digit in [byte >> 4, byte & 0xf] {
            text.put(u64::from(b'0') + digit + ((digit + 6) >> 4) * 39, 1);
        }
        text.put(u64::from(b':'), 1);
    }
    // The last colon.
    text.at -= 1;
    text.put(0, 0);
    0
}

/// Text being written.
struct Text {
    to: *mut u8,
    /// Where the next character goes.
    at: usize,
}

impl Text {
    /// # Safety
    /// `to` points to `SIZE` bytes, aligned to 8.
    #[inline(always)]
    unsafe fn new(to: *mut u8) -> Text {
        for word in 0..SIZE / 8 {
            // SAFETY: inside the buffer. Volatile, so as not to become a call of memset.
            unsafe { to.cast::<u64>().add(word).write_volatile(0) };
        }
        Text { to, at: 0 }
    }

    /// Writes a character, which stays if `keep` is 1 and is overwritten by the next if it is 0.
    #[inline(always)]
    fn put(&mut self, character: u64, keep: u64) {
        // SAFETY: the mask keeps it inside the buffer.
        unsafe { self.to.add(self.at & (SIZE - 1)).write_volatile(character as u8) };
        self.at += keep as usize;
    }

    #[inline(always)]
    fn put_v4(&mut self, address: u32) {
        for octet in 0..4 {
            let value = u64::from(address >> (24 - 8 * octet)) & 0xff;
            let (hundreds, tens) = (value / 100, value / 10);
            self.put(u64::from(b'0') + hundreds, is_some(hundreds));
            self.put(u64::from(b'0') + tens % 10, is_some(tens));
            self.put(u64::from(b'0') + value % 10, 1);
            self.put(u64::from(b'.'), 1);
        }
        // The last dot.
        self.at -= 1;
        self.put(0, 0);
    }

    #[inline(always)]
    fn put_v6(&mut self, high: u64, low: u64) {
        let groups = |index: u64| {
            let half = if index < 4 { high } else { low };
            half >> (48 - 16 * (index & 3)) & 0xffff
        };
        let mut zeros = 0;
        for index in 0..8 {
            zeros |= (1 - is_some(groups(index))) << index;
        }
        let skipped = longest_run(zeros);
        // Bit I: whether the group before is written.
        let follows = !skipped << 1 & 0xff;
        for index in 0..8 {
            let skip = skipped >> index & 1;
            let first = skip & !(skipped << 1 >> index);
            self.put(u64::from(b':'), first);
            self.put(u64::from(b':'), first | (1 - skip) & (follows >> index));
            let group = groups(index);
            for shift in [12, 8, 4, 0] {
                let digit = group >> shift & 0xf;
                let starts = if shift == 0 { 1 } else { is_some(group >> shift) };
                // '0' to '9', and 39 further on 'a' to 'f'.
                let letter = (digit + 6) >> 4;
                self.put(u64::from(b'0') + digit + letter * 39, starts & (1 - skip));
            }
        }
        self.put(0, 0);
    }
}

/// 1 for what is not zero; for numbers of up to 16 bits.
#[inline(always)]
fn is_some(value: u64) -> u64 {
    (value + 0xffff) >> 16
}

/// The first of the longest runs of ones among 8 bits, as a mask; none where the longest is a single one.
#[inline(always)]
fn longest_run(bits: u64) -> u64 {
    // Bit I of `starts`: a run of `length` or more begins at I. The last that is not empty is kept in `best`.
    let (mut starts, mut best, mut run) = (bits, 0, 1);
    for length in 2..=8 {
        starts &= bits >> (length - 1);
        let longer = is_some(starts).wrapping_neg();
        best = best & !longer | starts & longer;
        run = run & !longer | ((1 << length) - 1) & longer;
    }
    (best & best.wrapping_neg()) * run
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::{ip_text, ipv6_text, link_text};

    #[repr(align(8))]
    struct Aligned<const N: usize>([u8; N]);

    fn text(address: [u8; 16]) -> String {
        let (ip, mut to) = (Aligned(address), Aligned([0xee; 64]));
        // SAFETY: buffers of those sizes.
        unsafe { ip_text(ip.0.as_ptr(), to.0.as_mut_ptr()) };
        let end = to.0.iter().position(|&byte| byte == 0).unwrap();
        assert_eq!(&to.0[end..], &vec![0; 64 - end], "padding");
        String::from_utf8(to.0[..end].to_vec()).unwrap()
    }

    fn padded(bytes: &[u8]) -> String {
        let end = bytes.iter().position(|&byte| byte == 0).unwrap();
        assert!(bytes[end..].iter().all(|&byte| byte == 0), "padding");
        String::from_utf8(bytes[..end].to_vec()).unwrap()
    }

    #[test]
    fn v6_is_v6_whatever_it_stands_for() {
        let text = |address: Ipv6Addr| {
            let (ip, mut to) = (Aligned(address.octets()), Aligned([0xee; 64]));
            // SAFETY: buffers of those sizes.
            unsafe { ipv6_text(ip.0.as_ptr(), to.0.as_mut_ptr()) };
            padded(&to.0)
        };
        for truth in ["::", "::1", "::ffff", "::1.2.3.4", "::ffff:10.0.0.255", "2001:db8::1", "fe80::1:0:0:1"]
        {
            assert_eq!(text(truth.parse().unwrap()), truth);
        }
    }

    #[test]
    fn hardware_addresses_are_pairs_of_digits() {
        let bytes: [u8; 24] = std::array::from_fn(|index| (index * 13 + 1) as u8);
        for length in [6, 20] {
            let (address, mut to) = (Aligned(bytes), Aligned([0xee; 64]));
            // SAFETY: buffers of those sizes.
            unsafe { link_text(address.0.as_ptr(), to.0.as_mut_ptr(), length as u64) };
            let truth: Vec<String> = bytes[..length].iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(padded(&to.0), truth.join(":"));
        }
    }

    #[test]
    fn v4_reads_as_people_write_it() {
        for octets in [[127, 0, 0, 1], [255, 255, 255, 255], [10, 100, 99, 9], [1, 20, 3, 200], [0, 0, 0, 0]]
        {
            let address = std::net::Ipv4Addr::from(octets);
            assert_eq!(text(address.to_ipv6_mapped().octets()), address.to_string());
        }
    }

    #[test]
    fn v6_reads_as_people_write_it() {
        // Every pattern of zero groups.
        for zeros in 1..=255_u16 {
            let group = |index: usize| {
                let value = [0x1, 0xab, 0xcde, 0xffff, 0x9, 0x90, 0x900, 0xa000][index];
                if zeros >> index & 1 == 1 { value } else { 0 }
            };
            let address = Ipv6Addr::from(std::array::from_fn::<u16, 8, _>(group));
            assert_eq!(text(address.octets()), address.to_string());
        }
        assert_eq!(text([0; 16]), "");
    }
}
