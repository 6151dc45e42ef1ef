//! Read-only data of the compiled program: string literals, tables by discriminator, and zeros.
//!
//! Invariant: every entry begins at a multiple of 8 and is padded with zeros to one, so that strings can be read by
//! whole words.

use std::collections::HashMap;

use super::DataSection;

/// Literals and tables.
pub(super) const STRINGS: &str = ".rodata.strings";
/// Zeros: the value of what is not there, and the first value of what is made.
pub(super) const ZEROS: &str = ".rodata.zeros";
/// Global variables.
pub(super) const GLOBALS: &str = ".data.globals";
/// The word that says whether probes fire; it belongs to the probes object.
pub(super) const STATE: &str = ".data.state";
/// What exit() was given, and then 1 where it was called: the message that says so may find no room.
pub(crate) const EXIT: &str = ".data.exit";

/// The read-only data gathered so far.
#[derive(Debug, Default)]
pub(super) struct Data {
    bytes: Vec<u8>,
    known: HashMap<Vec<u8>, u32>,
    zeros: u32,
    exits: bool,
}

impl Data {
    /// The offset in [`STRINGS`] of these bytes, padded to a multiple of 8.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> u32 {
        let mut padded = bytes.to_vec();
        padded.resize(bytes.len().next_multiple_of(8), 0);
        let all = &mut self.bytes;
        *self.known.entry(padded).or_insert_with_key(|padded| {
            all.extend_from_slice(padded);
            (all.len() - padded.len()) as u32
        })
    }

    /// The offset in [`STRINGS`] of a string with its terminating zero, and its size with the padding.
    pub(super) fn string(&mut self, text: &[u8]) -> (u32, u32) {
        let mut bytes = text.to_vec();
        bytes.push(0);
        (self.bytes(&bytes), bytes.len().next_multiple_of(8) as u32)
    }

    /// At least so many bytes of [`ZEROS`] are wanted.
    pub(super) fn want_zeros(&mut self, size: u32) {
        self.zeros = self.zeros.max(size.next_multiple_of(8));
    }

    /// exit() is called: [`EXIT`] is wanted.
    pub(super) fn want_exit(&mut self) {
        self.exits = true;
    }

    /// The sections that are not empty.
    pub(super) fn into_sections(self) -> Vec<DataSection> {
        let strings = DataSection { name: STRINGS.into(), bytes: self.bytes };
        let zeros = DataSection { name: ZEROS.into(), bytes: vec![0; self.zeros as usize] };
        let exit = DataSection { name: EXIT.into(), bytes: vec![0; if self.exits { 8 } else { 0 }] };
        [strings, zeros, exit].into_iter().filter(|section| !section.bytes.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_strings_share_their_place_and_all_are_padded() {
        let mut data = Data::default();
        assert_eq!(data.string(b"bash"), (0, 8));
        assert_eq!(data.string(b"abcdefgh"), (8, 16));
        assert_eq!(data.string(b"bash"), (0, 8));
        data.want_zeros(9);
        let sections = data.into_sections();
        assert_eq!(sections[0].bytes, b"bash\0\0\0\0abcdefgh\0\0\0\0\0\0\0\0");
        assert_eq!(sections[1].bytes, [0; 16]);
    }
}
