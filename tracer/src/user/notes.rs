//! The probes that a program brings along: notes of the type `stapsdt`, each a place in the code, where its semaphore is, and in
//! words where its arguments are.
//!
//! The layout is that of <sys/sdt.h>, version 3: three addresses, and the provider, the probe's name and the arguments as strings.

use std::fs::File;
use std::path::Path;

use object::read::elf::{ElfFile64, SectionHeader as _};
use object::{Endianness, Object as _, ObjectSection as _, ReadCache, ReadRef};

/// What such notes are called, their type, and the section by which addresses are put right after a prelink.
const OWNER: &[u8] = b"stapsdt";
const TYPE: u32 = 3;
const BASE: &str = ".stapsdt.base";
/// What those are called that tell of types, and their type.
const TYPES_OWNER: &[u8] = b"tracer";
const TYPES_TYPE: u32 = 1;

/// A place of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its address.
    pub address: u64,
    /// The address of the word that says whether anybody looks at the probe; 0 where there is none.
    pub semaphore: u64,
    /// The provider.
    pub provider: String,
    /// The probe, with `-` for `__`.
    pub name: String,
    /// Where the arguments are, as the assembler wrote it.
    pub arguments: String,
}

/// The providers of a file, each as often as it has places of probes; no more of the file is read than tells of them.
pub fn providers(path: &Path) -> Option<Vec<String>> {
    let file = ReadCache::new(File::open(path).ok()?);
    let elf = ElfFile64::<Endianness, _>::parse(&file).ok()?;
    Some(read(&elf).into_iter().map(|note| note.provider).collect())
}

/// What our own headers say of the arguments of a probe (`declare/header.rs`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Types {
    /// The provider.
    pub provider: String,
    /// The probe, with `-` for `__`.
    pub name: String,
    /// For each of `args[]` which of those that are passed it is, and its type as D writes it.
    pub args: Vec<(usize, String)>,
}

/// What notes say of the types of arguments, of each probe once.
pub(super) fn types<'a, R: ReadRef<'a>>(elf: &ElfFile64<'a, Endianness, R>) -> Vec<Types> {
    let mut found: Vec<Types> = Vec::new();
    for desc in descriptions(elf, TYPES_OWNER, TYPES_TYPE) {
        let mut texts = desc.split(|&byte| byte == 0).map(|text| String::from_utf8_lossy(text).into_owned());
        let (Some(provider), Some(name), Some(args)) = (texts.next(), texts.next(), texts.next()) else {
            continue;
        };
        let arg = |text: &str| {
            let (passed, ctype) = text.split_once('@')?;
            Some((passed.parse().ok()?, ctype.to_owned()))
        };
        let types = Types {
            provider,
            name: name.replace("__", "-"),
            args: args.split(';').filter_map(arg).collect(),
        };
        if !found.contains(&types) {
            found.push(types);
        }
    }
    found
}

/// The notes of a file; one that is malformed is left out.
pub(super) fn read<'a, R: ReadRef<'a>>(elf: &ElfFile64<'a, Endianness, R>) -> Vec<Note> {
    let base = elf.section_by_name(BASE).map(|section| section.address());
    descriptions(elf, OWNER, TYPE).filter_map(|desc| parse(desc, base)).collect()
}

/// What all notes of such an owner and type say.
fn descriptions<'a, R: ReadRef<'a>>(
    elf: &ElfFile64<'a, Endianness, R>,
    owner: &'static [u8],
    of_type: u32,
) -> impl Iterator<Item = &'a [u8]> {
    let (endian, data) = (elf.endian(), elf.data());
    let sections = elf.elf_section_table().iter();
    let notes = sections.filter_map(move |section| section.notes(endian, data).ok().flatten());
    let notes = notes.flat_map(|notes| {
        std::iter::from_fn({
            let mut notes = notes;
            move || notes.next().ok().flatten()
        })
    });
    notes.filter(move |note| note.name() == owner && note.n_type(endian) == of_type).map(|note| note.desc())
}

fn parse(desc: &[u8], base: Option<u64>) -> Option<Note> {
    let (words, mut rest) = desc.split_at_checked(24)?;
    let word = |index: usize| words[8 * index..].first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let moved = base.map_or(0, |base| base.wrapping_sub(word(1).unwrap_or(base)));
    let mut text = || {
        let end = rest.iter().position(|&byte| byte == 0)?;
        let (text, more) = rest.split_at(end);
        rest = &more[1..];
        Some(String::from_utf8_lossy(text).into_owned())
    };
    let (provider, name, arguments) = (text()?, text()?, text()?);
    let semaphore = word(2)?;
    Some(Note {
        address: word(0)?.wrapping_add(moved),
        semaphore: if semaphore == 0 { 0 } else { semaphore.wrapping_add(moved) },
        provider,
        name: name.replace("__", "-"),
        arguments,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desc(words: [u64; 3], texts: &[u8]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).chain(texts.iter().copied()).collect()
    }

    #[test]
    fn a_note_is_three_words_and_three_strings() {
        let bytes = desc([0x1010, 0x2000, 0x3000], b"py\0function__entry\x008@%rax -4@$5\0");
        let note = parse(&bytes, Some(0x2100)).expect("it is well formed");
        assert_eq!((note.address, note.semaphore), (0x1110, 0x3100));
        assert_eq!((note.provider.as_str(), note.name.as_str()), ("py", "function-entry"));
        assert_eq!(note.arguments, "8@%rax -4@$5");
        let unmoved = parse(&desc([0x1010, 0x2000, 0], b"p\0n\0\0"), None).expect("it is well formed");
        assert_eq!((unmoved.address, unmoved.semaphore), (0x1010, 0));
    }

    #[test]
    fn a_malformed_one_is_none() {
        assert_eq!(parse(&[0; 23], None), None);
        assert_eq!(parse(&desc([1, 2, 3], b"p\0n"), None), None);
        assert_eq!(parse(&desc([1, 2, 3], b"p\0n\0args"), None), None);
    }
}
