//! Reads the probes object: a relocatable ELF becomes functions, map definitions and data, all by name.

use std::collections::BTreeMap;

use object::elf;
use object::read::elf::{ElfFile64, FileHeader};
use object::read::{Object as _, ObjectSection as _, ObjectSymbol as _, RelocationFlags, RelocationTarget};
use object::{SectionIndex, SymbolKind};

use super::LinkError;
use super::function::{Function, Target};
use crate::bpf::Insn;
use crate::lower::MapDef;

/// A named piece of a data section.
#[derive(Debug, Clone)]
pub(super) struct DataSymbol {
    pub(super) section: String,
    pub(super) offset: u32,
    pub(super) size: u32,
}

/// The probes object, taken apart.
#[derive(Debug, Default)]
pub(super) struct ProbesObject {
    pub(super) functions: BTreeMap<String, Function>,
    pub(super) maps: BTreeMap<String, MapDef>,
    pub(super) data: BTreeMap<String, Vec<u8>>,
    pub(super) data_symbols: BTreeMap<String, DataSymbol>,
    pub(super) license: Vec<u8>,
}

type Elf<'a> = ElfFile64<'a, object::LittleEndian>;

/// Takes the object apart.
pub(super) fn read(bytes: &[u8]) -> Result<ProbesObject, LinkError> {
    let file = Elf::parse(bytes).map_err(|error| LinkError::Object(error.to_string()))?;
    if file.elf_header().e_machine(object::LittleEndian) != elf::EM_BPF {
        return Err(LinkError::Object("it is not an eBPF object".into()));
    }
    let mut probes = ProbesObject::default();
    read_data(&file, &mut probes)?;
    read_maps(&file, &mut probes)?;
    read_functions(&file, &mut probes)?;
    Ok(probes)
}

fn is_data(name: &str) -> bool {
    name.starts_with(".rodata") || name.starts_with(".data") || name.starts_with(".bss")
}

fn read_data(file: &Elf<'_>, probes: &mut ProbesObject) -> Result<(), LinkError> {
    for section in file.sections() {
        let name = text(section.name())?;
        let bytes = section.data().map_err(|error| LinkError::Object(error.to_string()))?;
        if is_data(name) {
            let bytes = if bytes.is_empty() { vec![0; section.size() as usize] } else { bytes.to_vec() };
            probes.data.insert(name.into(), bytes);
        } else if name == "license" {
            probes.license = bytes.to_vec();
        }
    }
    for symbol in file.symbols() {
        let Some((section, true)) =
            section_of(file, symbol.section_index())?.map(|name| (name, is_data(name)))
        else {
            continue;
        };
        if symbol.kind() == SymbolKind::Data && symbol.size() > 0 {
            let place = DataSymbol {
                section: section.into(),
                offset: symbol.address() as u32,
                size: symbol.size() as u32,
            };
            probes.data_symbols.insert(text(symbol.name())?.into(), place);
        }
    }
    Ok(())
}

/// Map definitions of section `maps` are aya's `bpf_map_def`: seven u32, of which five matter here.
fn read_maps(file: &Elf<'_>, probes: &mut ProbesObject) -> Result<(), LinkError> {
    let Some(section) = file.section_by_name("maps") else { return Ok(()) };
    let bytes = section.data().map_err(|error| LinkError::Object(error.to_string()))?;
    for symbol in file.symbols().filter(|symbol| symbol.section_index() == Some(section.index())) {
        if symbol.kind() == SymbolKind::Section || symbol.size() == 0 {
            continue;
        }
        let name = text(symbol.name())?;
        let word = |index: usize| -> Result<u32, LinkError> {
            let at = symbol.address() as usize + index * 4;
            let word =
                bytes.get(at..at + 4).ok_or_else(|| LinkError::Object(format!("map {name} is cut short")))?;
            Ok(u32::from_le_bytes(word.try_into().expect("four bytes")))
        };
        let map = MapDef {
            symbol: name.into(),
            kind: word(0)?,
            key_size: word(1)?,
            value_size: word(2)?,
            max_entries: word(3)?,
            flags: word(4)?,
        };
        probes.maps.insert(name.into(), map);
    }
    Ok(())
}

fn read_functions(file: &Elf<'_>, probes: &mut ProbesObject) -> Result<(), LinkError> {
    for section in file.sections().filter(|section| section.kind() == object::SectionKind::Text) {
        let bytes = section.data().map_err(|error| LinkError::Object(error.to_string()))?;
        let relocations: BTreeMap<u64, (String, Option<u64>)> = section
            .relocations()
            .map(|(at, relocation)| Ok((at, referent(file, &relocation)?)))
            .collect::<Result<_, LinkError>>()?;
        let in_section: Vec<_> = functions(file, section.index()).collect();
        for symbol in &in_section {
            let name = text(symbol.name())?.to_owned();
            let start = symbol.address();
            let body = bytes
                .get(start as usize..(start + symbol.size()) as usize)
                .ok_or_else(|| LinkError::Object(format!("function {name} is cut short")))?;
            let insns: Vec<Insn> = body
                .chunks_exact(8)
                .map(|chunk| Insn::decode(chunk.try_into().expect("eight bytes")))
                .collect();
            let mut references = Vec::new();
            for (index, insn) in insns.iter().enumerate() {
                let at = start + index as u64 * 8;
                let local_call = insn.opcode == CALL && insn.src == PSEUDO_CALL;
                let target = match relocations.get(&at) {
                    Some((section, None)) if is_data(section) => {
                        Target::Data(section.clone(), insn.imm as u32)
                    }
                    // A reference to a section of code: a call's immediate counts instructions from its start, an
                    // address's bytes.
                    Some((section, None)) => {
                        let section = file.section_by_name(section).map(|section| section.index());
                        let address =
                            if local_call { (i64::from(insn.imm) + 1) as u64 * 8 } else { insn.imm as u64 };
                        Target::Function(function_at(file, section, address)?)
                    }
                    Some((symbol, Some(offset))) => match probes.data_symbols.get(symbol) {
                        Some(place) => Target::Data(
                            place.section.clone(),
                            (*offset as u32).wrapping_add(insn.imm as u32),
                        ),
                        None if probes.maps.contains_key(symbol) => Target::Map(symbol.clone()),
                        None => Target::Function(symbol.clone()),
                    },
                    None if local_call => {
                        let address = at.wrapping_add_signed(8 + i64::from(insn.imm) * 8);
                        Target::Function(function_at(file, Some(section.index()), address)?)
                    }
                    None => continue,
                };
                references.push((index, target));
            }
            let section = text(section.name())?.to_owned();
            let function = Function { section, ..Function::new(name.clone(), insns, references) };
            probes.functions.insert(name, function);
        }
    }
    Ok(())
}

/// The functions of a section.
fn functions<'a, 'f>(
    file: &'f Elf<'a>,
    section: SectionIndex,
) -> impl Iterator<Item = object::read::elf::ElfSymbol64<'a, 'f, object::LittleEndian>> {
    file.symbols()
        .filter(move |symbol| symbol.section_index() == Some(section) && symbol.kind() == SymbolKind::Text)
        .filter(|symbol| symbol.size() > 0)
}

/// The name of the function that begins there.
fn function_at(file: &Elf<'_>, section: Option<SectionIndex>, address: u64) -> Result<String, LinkError> {
    let mut known = section.into_iter().flat_map(|section| functions(file, section));
    let symbol = known.find(|symbol| symbol.address() == address);
    let symbol = symbol.ok_or_else(|| LinkError::Object(format!("no function at {address:#x}")))?;
    Ok(text(symbol.name())?.to_owned())
}

const CALL: u8 = 0x85;
const PSEUDO_CALL: u8 = 1;

/// What a relocation names: a section (then without an address) or a symbol with its address.
fn referent(
    file: &Elf<'_>,
    relocation: &object::read::Relocation,
) -> Result<(String, Option<u64>), LinkError> {
    let RelocationTarget::Symbol(index) = relocation.target() else {
        return Err(LinkError::Object("a relocation without a symbol".into()));
    };
    if !matches!(relocation.flags(), RelocationFlags::Elf { r_type: elf::R_BPF_64_64 | elf::R_BPF_64_32 }) {
        return Err(LinkError::Object(format!("a relocation of kind {:?}", relocation.flags())));
    }
    let symbol = file.symbol_by_index(index).map_err(|error| LinkError::Object(error.to_string()))?;
    if symbol.kind() == SymbolKind::Section {
        let name = section_of(file, symbol.section_index())?.unwrap_or_default();
        return Ok((name.into(), None));
    }
    Ok((text(symbol.name())?.into(), Some(symbol.address())))
}

fn section_of<'a>(file: &Elf<'a>, index: Option<SectionIndex>) -> Result<Option<&'a str>, LinkError> {
    let Some(index) = index else { return Ok(None) };
    let section = file.section_by_index(index).map_err(|error| LinkError::Object(error.to_string()))?;
    let name = section.name_bytes().map_err(|error| LinkError::Object(error.to_string()))?;
    std::str::from_utf8(name).map(Some).map_err(|error| LinkError::Object(error.to_string()))
}

fn text(name: object::Result<&str>) -> Result<&str, LinkError> {
    name.map_err(|error| LinkError::Object(error.to_string()))
}
