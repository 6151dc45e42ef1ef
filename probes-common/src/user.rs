//! The cookie of an attachment to a place in a program: what tells the kernel side which probe of which process has fired.
//!
//! Invariant: the file of a program is shared, so a place is in many processes; a firing in another one than the cookie's
//! is none.

/// Which probe an attachment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookie {
    /// The process, as probes have it.
    pub process: u32,
    /// Which of the trampoline's probes.
    pub discriminator: u16,
    /// The row of [`SPECS`](crate::providers::usdt::SPECS), of a probe of a program.
    pub spec: u16,
}

impl Cookie {
    /// As the kernel keeps it.
    pub const fn to_word(self) -> u64 {
        (self.process as u64) << 32 | (self.spec as u64) << 16 | self.discriminator as u64
    }

    /// From what the kernel kept.
    #[inline(always)]
    pub const fn from_word(word: u64) -> Cookie {
        Cookie { process: (word >> 32) as u32, discriminator: word as u16, spec: (word >> 16) as u16 }
    }
}

#[cfg(test)]
mod tests {
    use super::Cookie;

    #[test]
    fn a_word_keeps_all_of_a_cookie() {
        let cookie = Cookie { process: 0x8765_4321, discriminator: 0xfedc, spec: 0x9abc };
        assert_eq!(Cookie::from_word(cookie.to_word()), cookie);
    }
}
