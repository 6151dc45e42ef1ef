//! Writes functions, maps and data as one relocatable ELF that aya's loader reads.
//!
//! Invariant: every symbol is sized, sections have no gaps, nothing unused is in it.

use std::collections::{BTreeMap, HashMap};

use object::elf::{R_BPF_64_32, R_BPF_64_64};
use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind,
    SymbolScope,
};

use super::LinkError;
use super::function::{Function, Target};
use crate::lower::MapDef;

/// What goes into the ELF.
pub(super) struct Contents<'a> {
    pub(super) functions: &'a BTreeMap<String, Function>,
    pub(super) maps: &'a BTreeMap<String, MapDef>,
    pub(super) data: &'a BTreeMap<String, Vec<u8>>,
    pub(super) license: &'a [u8],
}

/// The bytes of the ELF.
pub(super) fn write(contents: &Contents<'_>) -> Result<Vec<u8>, LinkError> {
    let mut writer = Writer {
        elf: Object::new(BinaryFormat::Elf, Architecture::Bpf, Endianness::Little),
        sections: HashMap::new(),
        symbols: HashMap::new(),
    };
    let license = writer.section("license", SectionKind::Data);
    writer.elf.append_section_data(license, contents.license, 1);
    for (name, bytes) in contents.data {
        let kind = if name.starts_with(".rodata") { SectionKind::ReadOnlyData } else { SectionKind::Data };
        let section = writer.section(name, kind);
        writer.elf.append_section_data(section, bytes, 8);
    }
    for map in contents.maps.values() {
        writer.map(map);
    }
    for function in contents.functions.values() {
        writer.function(function);
    }
    for function in contents.functions.values() {
        writer.references(function)?;
    }
    writer.elf.write().map_err(|error| LinkError::Write(error.to_string()))
}

struct Writer<'a> {
    elf: Object<'a>,
    sections: HashMap<String, SectionId>,
    symbols: HashMap<String, (SymbolId, u64)>,
}

impl Writer<'_> {
    fn section(&mut self, name: &str, kind: SectionKind) -> SectionId {
        *self
            .sections
            .entry(name.to_owned())
            .or_insert_with(|| self.elf.add_section(Vec::new(), name.as_bytes().to_vec(), kind))
    }

    fn symbol(&mut self, name: &str, section: SectionId, offset: u64, size: u64, kind: SymbolKind) {
        let id = self.elf.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value: offset,
            size,
            kind,
            scope: SymbolScope::Dynamic,
            weak: false,
            section: SymbolSection::Section(section),
            flags: SymbolFlags::None,
        });
        self.symbols.insert(name.to_owned(), (id, offset));
    }

    /// A definition as aya reads it from section `maps`: type, key size, value size, entries, flags, id, pinning.
    fn map(&mut self, map: &MapDef) {
        let section = self.section("maps", SectionKind::Data);
        let words = [map.kind, map.key_size, map.value_size, map.max_entries, map.flags, 0, 0];
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let offset = self.elf.append_section_data(section, &bytes, 4);
        self.symbol(&map.symbol, section, offset, bytes.len() as u64, SymbolKind::Data);
    }

    fn function(&mut self, function: &Function) {
        let section = self.section(&function.section, SectionKind::Text);
        let mut insns = function.insns.clone();
        for (at, target) in &function.references {
            match target {
                Target::Data(_, offset) => insns[*at].imm = *offset as i32,
                Target::Map(_) => insns[*at].imm = 0,
                Target::Function(_) => insns[*at].imm = -1,
            }
        }
        let bytes: Vec<u8> = insns.iter().flat_map(|insn| insn.encode()).collect();
        let offset = self.elf.append_section_data(section, &bytes, 8);
        self.symbol(&function.name, section, offset, bytes.len() as u64, SymbolKind::Text);
    }

    fn references(&mut self, function: &Function) -> Result<(), LinkError> {
        let section = self.sections[&function.section];
        let (_, start) = self.symbols[&function.name];
        for (at, target) in &function.references {
            let missing = |name: &str| LinkError::Undefined(name.to_owned(), function.name.clone());
            let (symbol, r_type) = match target {
                Target::Function(name) => {
                    (self.symbols.get(name).ok_or_else(|| missing(name))?.0, R_BPF_64_32)
                }
                Target::Map(name) => (self.symbols.get(name).ok_or_else(|| missing(name))?.0, R_BPF_64_64),
                Target::Data(name, _) => {
                    let section = *self.sections.get(name).ok_or_else(|| missing(name))?;
                    (self.elf.section_symbol(section), R_BPF_64_64)
                }
            };
            let relocation = Relocation {
                offset: start + *at as u64 * 8,
                symbol,
                addend: 0,
                flags: RelocationFlags::Elf { r_type },
            };
            self.elf
                .add_relocation(section, relocation)
                .map_err(|error| LinkError::Write(error.to_string()))?;
        }
        Ok(())
    }
}
