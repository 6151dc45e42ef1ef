//! The fbt provider: where functions of the kernel are entered and where they return. One trampoline serves all functions that a
//! program names; the kernel hands each firing the *cookie* with which that function's probe was attached.

use crate::probe::{Arg, Attach, Program};
use crate::record;
use crate::schema::Described;
use crate::table::{probes, words};

words! {
    /// What a function was called with: the words in which its arguments are passed.
    pub struct FunctionEntry as "fbt_entry", ENTRY_ARGS: [u64 as "uint64_t"; 10]
}

record! {
    /// What a function gave back.
    pub struct FunctionReturn as "fbt_return" {
        /// Where in the function it returned from: always 0, Linux does not say.
        0 offset: u64 as "uint64_t";
        /// What it returned.
        1 value: u64 as "uint64_t";
    }
}

/// Functions that are entered.
pub const ENTRY: Program = Program {
    name: "fbt_entry",
    attach: Attach::Function { returns: false },
    family: true,
    record: &FunctionEntry::DEF,
    needs: &[],
};

/// Functions that return.
pub const RETURN: Program = Program {
    name: "fbt_return",
    attach: Attach::Function { returns: true },
    family: true,
    record: &FunctionReturn::DEF,
    needs: &[],
};

probes! { "fbt":
    "entry", ENTRY, ENTRY_ARGS,
        "Fires when the function is entered, with its arguments; calls that the compiler put in their callers' place are not seen.";
    "return", RETURN, &[
            Arg { ctype: "uint64_t", field: "offset", doc: "where in the function; always 0" },
            Arg { ctype: "uint64_t", field: "value", doc: "what the function returned" },
        ],
        "Fires when the function returns. args[1] is what it gives back.";
}

/// What is fixed when a function's probe is attached: its discriminator in the lowest 16 bits, above them four bits for each
/// word: how many bytes of it are no part of its value, and whether the value has a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookie(pub u64);

const DISCRIMINATOR_BITS: u32 = 16;
const WORD_BITS: u32 = 4;
const SIGNED: u64 = 8;

impl Cookie {
    /// Of a function all of whose words are whole.
    pub const fn new(discriminator: u16) -> Cookie {
        Cookie(discriminator as u64)
    }

    /// The same, but that word has a value of 1, 2, 4 or 8 bytes.
    pub const fn with_word(self, number: u32, bytes: u8, signed: bool) -> Cookie {
        let kind = (8 - bytes as u64) | if signed { SIGNED } else { 0 };
        Cookie(self.0 | kind << (DISCRIMINATOR_BITS + WORD_BITS * number))
    }

    /// Which of its trampoline's probes it is.
    #[inline(always)]
    pub const fn discriminator(self) -> u32 {
        (self.0 & 0xffff) as u32
    }

    /// The value of a word: a narrow argument's register has anything in its upper bits.
    #[inline(always)]
    pub const fn value(self, number: u32, word: u64) -> u64 {
        let kind = self.0 >> (DISCRIMINATOR_BITS + WORD_BITS * number);
        let unused = (kind & 7) * 8;
        let top = word << unused;
        if kind & SIGNED != 0 { ((top as i64) >> unused) as u64 } else { top >> unused }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_gives_each_word_its_width_and_sign() {
        let cookie = Cookie::new(0xabcd).with_word(0, 4, true).with_word(1, 1, false).with_word(9, 2, true);
        assert_eq!(cookie.discriminator(), 0xabcd);
        assert_eq!(cookie.value(0, 0x1234_5678_ffff_fffe) as i64, -2);
        assert_eq!(cookie.value(1, 0x1234_56ff), 0xff);
        assert_eq!(cookie.value(2, u64::MAX), u64::MAX);
        assert_eq!(cookie.value(9, 0x8000) as i64, -0x8000);
    }
}
