//! Loading: the linked ELF becomes maps and programs in the kernel. aya_obj reads and relocates it; no types of the
//! kernel are looked at, since the programs need none.

use std::collections::{HashMap, HashSet};
use std::ffi::CStr;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};

use aya::maps::{Map, MapData};
use aya_obj::{EbpfSectionKind, Object, ProgramSection};

use super::error::SessionError;
use crate::consume::map::{self, Objects};
use crate::kernel::sys::{self, MapAttr, ProgramAttr};
use crate::link::Output;

/// What a session has in the kernel; it ends with its descriptors.
pub(super) struct Loaded {
    pub(super) objects: Objects,
    /// What programs are attached by.
    pub(super) links: Vec<OwnedFd>,
}

impl Loaded {
    /// The program of that symbol.
    pub(super) fn program(&self, symbol: &str) -> Result<BorrowedFd<'_>, SessionError> {
        let program = self.objects.program(symbol);
        program.ok_or_else(|| SessionError::Load(format!("program {symbol} is missing")))
    }
}

/// Loads the programs of the ELF and their maps; nothing is attached yet.
pub(super) fn load(linked: &Output, verbose: bool) -> Result<Loaded, SessionError> {
    let failed = |error: &dyn std::error::Error| SessionError::Load(chain(error));
    let mut object = Object::parse(&linked.elf).map_err(|error| failed(&error))?;
    let definitions: Vec<(String, aya_obj::Map)> = object.maps.drain().collect();
    let mut maps = Vec::new();
    for (name, definition) in &definitions {
        maps.push(create(name, definition)?);
    }
    let text: HashSet<usize> = object.functions.keys().map(|(section, _)| *section).collect();
    let descriptors = definitions.iter().zip(&maps).map(|((name, definition), map)| {
        let descriptor = map::descriptor(map).map_or(-1, |map| map.as_raw_fd());
        (name.as_str(), descriptor, definition)
    });
    object.relocate_maps(descriptors, &text).map_err(|error| failed(&error))?;
    object.relocate_calls(&text).map_err(|error| failed(&error))?;
    let mut programs = HashMap::new();
    for symbol in linked.supports.iter().chain(&linked.programs).map(|program| &program.symbol) {
        // The clauses of ERROR are no program.
        if let Some(program) = object.programs.get(symbol) {
            programs.insert(symbol.clone(), load_program(symbol, program, &object, verbose)?);
        }
    }
    let maps = definitions.into_iter().map(|(name, _)| name).zip(maps).collect();
    Ok(Loaded { objects: Objects::new(maps, programs), links: Vec::new() })
}

/// Makes a map; the content of a section becomes its value, and a constant one is closed to writers.
fn create(name: &str, definition: &aya_obj::Map) -> Result<Map, SessionError> {
    let failed = |error: &dyn std::error::Error| SessionError::Load(format!("map {name}: {}", chain(error)));
    let mut attr = MapAttr {
        kind: definition.map_type(),
        key_size: definition.key_size(),
        value_size: definition.value_size(),
        max_entries: definition.max_entries(),
        flags: definition.map_flags(),
        name: sys::name(name),
        ..MapAttr::default()
    };
    let descriptor = sys::create_map(&mut attr).map_err(|error| failed(&error))?;
    let kind = definition.section_kind();
    if matches!(kind, EbpfSectionKind::Data | EbpfSectionKind::Rodata) {
        let filled = map::update(descriptor.as_fd(), &0_u32.to_le_bytes(), definition.data());
        filled.map_err(|error| failed(&error))?;
    }
    if kind == EbpfSectionKind::Rodata {
        sys::freeze_map(descriptor.as_fd()).map_err(|error| failed(&error))?;
    }
    let data = MapData::from_fd(descriptor).map_err(|error| failed(&error))?;
    // include/uapi/linux/bpf.h, enum bpf_map_type.
    Ok(match attr.kind {
        1 => Map::HashMap(data),
        2 => Map::Array(data),
        5 => Map::PerCpuHashMap(data),
        6 => Map::PerCpuArray(data),
        9 => Map::LruHashMap(data),
        27 => Map::RingBuf(data),
        kind => {
            return Err(SessionError::Load(format!("map {name} is of kind {kind}, which is not used here")));
        }
    })
}

fn load_program(
    symbol: &str,
    program: &aya_obj::Program,
    object: &Object,
    verbose: bool,
) -> Result<OwnedFd, SessionError> {
    let kind = match program.section {
        ProgramSection::RawTracePoint => sys::RAW_TRACEPOINT,
        ProgramSection::PerfEvent => sys::PERF_EVENT,
        _ => {
            return Err(SessionError::Load(format!("program {symbol} is of a kind that is not used here")));
        }
    };
    let function = object.functions.get(&program.function_key());
    let function =
        function.ok_or_else(|| SessionError::Load(format!("program {symbol} has no instructions")))?;
    let license: &CStr = &program.license;
    let mut attr = ProgramAttr {
        kind,
        insn_count: function.instructions.len() as u32,
        insns: function.instructions.as_ptr() as u64,
        license: license.as_ptr() as u64,
        name: sys::name(symbol),
        ..ProgramAttr::default()
    };
    sys::load_program(&mut attr).map_err(|error| {
        let log = sys::verifier_log(&mut attr, verbose);
        refused(symbol, &error, log, verbose)
    })
}

fn refused(program: &str, error: &std::io::Error, log: String, verbose: bool) -> SessionError {
    let telling = |line: &&str| {
        let line = line.trim();
        !line.is_empty()
            && !line.starts_with("processed ")
            && !line.starts_with("verification time")
            && !line.starts_with("stack depth")
            && !line.contains("insns (limit")
    };
    let reason = log.lines().rev().find(telling).map_or_else(|| chain(error), |line| line.trim().to_owned());
    let log = if verbose { log } else { String::new() };
    SessionError::Refused { program: program.to_owned(), reason, log }
}

/// An error with its causes.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
