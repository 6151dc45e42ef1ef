//! A program or library: its functions, its probes, and where in the file an address is.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use lzma_rust2::XzReader;
use object::elf::EM_X86_64;
use object::read::elf::{ElfFile64, FileHeader as _};
use object::{Endianness, Object as _, ObjectSection as _, ObjectSymbol as _, ReadCache, ReadRef};

use super::function::{self, Function, Symbol};
use super::instruction::formed;
use super::notes::{self, Note, Types};
use super::segments::Segments;

/// What a file says of itself.
#[derive(Debug)]
pub struct Image {
    /// Its functions, by address.
    pub functions: Vec<Function>,
    /// The probes that it brings along.
    pub notes: Vec<Note>,
    /// What is known of the types of their arguments.
    pub types: Vec<Types>,
    /// Where a program begins; 0 for a library without a beginning.
    pub entry: u64,
    segments: Segments,
    bytes: Vec<u8>,
}

impl Image {
    /// Reads a file. Where it has been stripped, what was stripped is looked for where distributions install it.
    pub fn read(path: &Path) -> io::Result<Image> {
        let bytes = std::fs::read(path)?;
        let elf = parse(&*bytes)?;
        let mut symbols = symbols(&elf);
        symbols.retain(|symbol| !symbol.data);
        let segments = Segments::of(&elf);
        let (notes, types) = (notes::read(&elf), notes::types(&elf));
        let entry = elf.entry();
        let mut functions = function::functions(symbols);
        // What has no code in this file is none of its functions: the debugging file may speak of another.
        functions.retain(|function| segments.place(function.address, true).is_some());
        Ok(Image { functions, notes, types, entry, segments, bytes })
    }

    /// Where the code at an address is in the file.
    pub fn place(&self, address: u64) -> Option<u64> {
        self.segments.place(address, true)
    }

    /// Where what is at an address is in the file.
    pub fn data_place(&self, address: u64) -> Option<u64> {
        self.segments.place(address, false)
    }

    /// The address of a place in the file that is mapped as code: it may be before the code, where its page begins.
    pub fn address(&self, offset: u64) -> Option<u64> {
        self.segments.address(offset, true)
    }

    /// The code of so many bytes at an address, as far as the file goes.
    pub fn code(&self, address: u64, length: u64) -> &[u8] {
        let from = self.place(address).and_then(|place| self.bytes.get(usize::try_from(place).ok()?..));
        let rest = from.unwrap_or_default();
        &rest[..rest.len().min(usize::try_from(length).unwrap_or(usize::MAX))]
    }

    /// Where the code of a function begins: of one whose code is chosen when it is loaded, each that what chooses speaks of.
    pub fn beginnings(&self, function: &Function) -> Vec<u64> {
        if !function.chosen {
            return vec![function.address];
        }
        let own = function.address..function.address + function.size;
        let code = formed(self.code(function.address, function.size), function.address);
        let mut beginnings: Vec<u64> =
            code.filter(|address| !own.contains(address) && self.place(*address).is_some()).collect();
        beginnings.sort_unstable();
        beginnings.dedup();
        beginnings
    }

    /// The function that an address is in.
    pub fn function_at(&self, address: u64) -> Option<&Function> {
        function::at(&self.functions, address)
    }

    /// The address of a symbol, whatever it is of.
    pub fn symbol(&self, name: &str) -> Option<u64> {
        let elf = parse(&*self.bytes).ok()?;
        let found = |symbol: &object::read::elf::ElfSymbol64<'_, '_>| {
            symbol.name() == Ok(name) && !symbol.is_undefined()
        };
        elf.dynamic_symbols().chain(elf.symbols()).find(found).map(|symbol| symbol.address())
    }
}

/// The symbols of a file: its own, those that some distributions leave in it, compressed, where they strip it (`.gnu_debugdata`), and
/// those of the file with what was stripped from it.
pub(super) fn symbols<'a>(elf: &ElfFile64<'a, Endianness, impl ReadRef<'a>>) -> Vec<Symbol> {
    let mut symbols = function::symbols(elf);
    let debug = elf.build_id().ok().flatten().and_then(separate).and_then(|path| File::open(path).ok());
    // Such files are large: of this one only the symbols are read.
    let debug = debug.map(ReadCache::new);
    if let Some(separate) = debug.as_ref().and_then(|file| parse(file).ok()) {
        symbols.extend(function::symbols(&separate));
    }
    let carried = carried(elf);
    if let Some(carried) = carried.as_ref().and_then(|bytes| parse(&**bytes).ok()) {
        symbols.extend(function::symbols(&carried));
    }
    symbols
}

/// The file that is carried in another, compressed by xz.
fn carried<'a>(elf: &ElfFile64<'a, Endianness, impl ReadRef<'a>>) -> Option<Vec<u8>> {
    const MOST: u64 = 256 << 20;
    let compressed = elf.section_by_name(".gnu_debugdata")?.data().ok()?;
    let mut bytes = Vec::new();
    XzReader::new(compressed, false).take(MOST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

pub(super) fn parse<'a, R: ReadRef<'a>>(bytes: R) -> io::Result<ElfFile64<'a, Endianness, R>> {
    let wrong = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let elf = ElfFile64::parse(bytes).map_err(|error| wrong(error.to_string()))?;
    let machine = elf.elf_header().e_machine(elf.endian());
    if machine == EM_X86_64 { Ok(elf) } else { Err(wrong(format!("it is for another machine ({machine})"))) }
}

/// The file with what was stripped from the one of this build id.
pub(super) fn separate(build_id: &[u8]) -> Option<PathBuf> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (first, rest) = build_id.split_at_checked(1)?;
    Some(Path::new("/usr/lib/debug/.build-id").join(hex(first)).join(hex(rest) + ".debug"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Something to be found.
    #[unsafe(no_mangle)]
    extern "C" fn tracer_image_test_landmark(number: u64) -> u64 {
        std::hint::black_box(number) + 1
    }

    #[test]
    fn this_program_has_its_functions_where_they_are() {
        assert_eq!(tracer_image_test_landmark(1), 2);
        let path = std::env::current_exe().expect("it runs");
        let image = Image::read(&path).expect("it is a program");
        let named = |function: &&Function| function.name() == "tracer_image_test_landmark";
        let landmark = image.functions.iter().find(named).expect("it is not stripped");
        assert!(landmark.size > 0);
        assert_eq!(image.function_at(landmark.address + 1), Some(landmark));
        let place = image.place(landmark.address).expect("it is code");
        assert_eq!(image.address(place), Some(landmark.address));
        assert_eq!(image.symbol("tracer_image_test_landmark"), Some(landmark.address));
        let code = image.code(landmark.address, landmark.size);
        assert_eq!(code.len() as u64, landmark.size);
        assert!(image.place(u64::MAX).is_none());
    }

    #[test]
    fn debugging_files_are_found_by_their_build_id() {
        let path = separate(&[0xab, 0x01, 0xff]).expect("it has bytes");
        assert_eq!(path, Path::new("/usr/lib/debug/.build-id/ab/01ff.debug"));
        assert_eq!(separate(&[]), None);
    }
}
