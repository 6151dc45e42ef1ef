//! Where in a file what is at an address is, and the other way round: by the parts of it that are mapped.

use object::elf::{PF_X, PT_LOAD};
use object::read::elf::{ElfFile64, ProgramHeader as _};
use object::{Endianness, ReadRef};

/// The parts of a file that are mapped.
#[derive(Debug)]
pub(super) struct Segments(Vec<Segment>);

/// One of them.
#[derive(Debug, Clone, Copy)]
struct Segment {
    address: u64,
    /// Where it is in the file, and how much of it.
    offset: u64,
    length: u64,
    executable: bool,
}

impl Segment {
    fn place(&self, address: u64) -> Option<u64> {
        let inside = address.checked_sub(self.address)?;
        (inside < self.length).then_some(self.offset + inside)
    }
}

impl Segments {
    pub(super) fn of<'a>(elf: &ElfFile64<'a, Endianness, impl ReadRef<'a>>) -> Segments {
        let endian = elf.endian();
        let loaded = elf.elf_program_headers().iter().filter(|header| header.p_type(endian) == PT_LOAD);
        let segment = |header: &object::elf::ProgramHeader64<Endianness>| Segment {
            address: header.p_vaddr(endian),
            offset: header.p_offset(endian),
            length: header.p_filesz(endian),
            executable: header.p_flags(endian) & PF_X != 0,
        };
        Segments(loaded.map(segment).collect())
    }

    /// Where in the file what is at an address is; with `executable`, if it is code.
    pub(super) fn place(&self, address: u64, executable: bool) -> Option<u64> {
        let meant = self.0.iter().filter(|segment| segment.executable || !executable);
        meant.into_iter().find_map(|segment| segment.place(address))
    }

    /// The address of a place in the file that is mapped, with `executable` as code: it may be before the segment, where its page
    /// begins.
    pub(super) fn address(&self, offset: u64, executable: bool) -> Option<u64> {
        const PAGE: u64 = 4096;
        let inside = |segment: &Segment| {
            let pages = segment.offset / PAGE * PAGE..segment.offset + segment.length;
            let address = segment.address.wrapping_add(offset).wrapping_sub(segment.offset);
            pages.contains(&offset).then_some(address)
        };
        self.0.iter().filter(|segment| segment.executable == executable).find_map(inside)
    }
}
