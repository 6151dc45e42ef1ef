//! Where a program's types are described: in the file, as DWARF or as BTF, or in the file of what was stripped from it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use object::read::elf::ElfFile64;
use object::{CompressionFormat, Object as _, ObjectSection as _};

use super::dwarf::{Dwarf, Sections};
use super::image::{parse, separate};
use crate::kernel::btf::{Btf, Described};

/// Why a file tells of no types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// It has been built without debugging information, or stripped of it.
    None,
    /// The information is in files of its own.
    Split,
    /// It is compressed in a way that is not read.
    Compressed,
    /// It is not what it should be.
    Malformed,
}

impl Lack {
    /// What can be done about it.
    pub fn help(self) -> &'static str {
        match self {
            Lack::None => "build it with `-g`, or install its debugging symbols",
            Lack::Split => "build it without `-gsplit-dwarf`",
            Lack::Compressed => "build it without `-gz`, or with `-gz=zlib`",
            Lack::Malformed => "build it anew with `-g`",
        }
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lack::None => "it has no debugging information",
            Lack::Split => "its debugging information is in .dwo files, which are not read",
            Lack::Compressed => "its debugging information is compressed by zstd, which is not read",
            Lack::Malformed => "its debugging information is malformed",
        })
    }
}

/// The types that a file tells of; with `separate`, also where what was stripped from it is installed.
pub fn types(path: &Path, stripped: bool) -> Result<Arc<dyn Described>, Lack> {
    let bytes = std::fs::read(path).map_err(|_| Lack::None)?;
    let elf = parse(&*bytes).map_err(|_| Lack::None)?;
    match described(&elf) {
        Err(Lack::None) if stripped => {
            let path = elf.build_id().ok().flatten().and_then(separate).ok_or(Lack::None)?;
            let bytes = std::fs::read(path).map_err(|_| Lack::None)?;
            described(&parse(&*bytes).map_err(|_| Lack::None)?)
        }
        described => described,
    }
}

fn described(elf: &ElfFile64<'_>) -> Result<Arc<dyn Described>, Lack> {
    let info = section(elf, ".debug_info")?;
    if info.is_empty() {
        let btf = section(elf, ".BTF")?;
        let btf = if btf.is_empty() { return Err(Lack::None) } else { Btf::parse(btf) };
        return Ok(Arc::new(btf.map_err(|_| Lack::Malformed)?));
    }
    let sections = Sections {
        info,
        abbrev: section(elf, ".debug_abbrev")?,
        strings: section(elf, ".debug_str")?,
        line_strings: section(elf, ".debug_line_str")?,
        string_offsets: section(elf, ".debug_str_offsets")?,
    };
    let dwarf = Dwarf::new(sections).ok_or(Lack::Malformed)?;
    if dwarf.is_split() { Err(Lack::Split) } else { Ok(Arc::new(dwarf)) }
}

/// What a section holds; nothing where there is none.
fn section(elf: &ElfFile64<'_>, name: &str) -> Result<Vec<u8>, Lack> {
    let Some(section) = elf.section_by_name(name) else { return Ok(Vec::new()) };
    let data = section.compressed_data().map_err(|_| Lack::Malformed)?;
    match data.format {
        CompressionFormat::None => Ok(data.data.to_vec()),
        CompressionFormat::Zlib => {
            let size = usize::try_from(data.uncompressed_size).map_err(|_| Lack::Malformed)?;
            miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(data.data, size)
                .map_err(|_| Lack::Malformed)
        }
        _ => Err(Lack::Compressed),
    }
}
