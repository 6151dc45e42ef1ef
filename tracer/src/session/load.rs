//! Loading: what the linker made becomes maps and programs in the kernel. No types of the kernel are looked at, since the
//! programs need none.

use std::collections::HashMap;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd, RawFd};

use aya::maps::{Map, MapData};
use probes_common::probe::Attach;

use super::error::SessionError;
use crate::bpf::Insn;
use crate::consume::map::{self, Objects};
use crate::kernel::functions::Means;
use crate::kernel::sys::{self, MapAttr, ProgramAttr};
use crate::kernel::uprobe;
use crate::link::{Linked, Output, Part, Reference};
use crate::lower::MapDef;

/// What a session has in the kernel; it ends with its descriptors.
pub(super) struct Loaded {
    pub(super) objects: Objects,
    /// By what means functions of the kernel are traced, if any are.
    pub(super) means: Option<Means>,
    /// The functions that could not be traced.
    pub(super) untraced: Vec<String>,
    /// What holds programs to places in programs of processes.
    pub(super) uprobes: Vec<OwnedFd>,
    /// Bytes of the ring, where there was no memory for as many as were asked for.
    pub(super) lowered: Option<u32>,
}

impl Loaded {
    /// The program of that symbol.
    pub(super) fn program(&self, symbol: &str) -> Result<BorrowedFd<'_>, SessionError> {
        let program = self.objects.program(symbol);
        program.ok_or_else(|| SessionError::Load(format!("program {symbol} is missing")))
    }
}

/// Makes the maps and loads the programs; nothing is attached yet.
///
/// The ring is made smaller where there is no memory for it, if that is allowed.
pub(super) fn load(linked: &Output, resize: bool, verbose: bool) -> Result<Loaded, SessionError> {
    let (mut maps, mut lowered) = (HashMap::new(), None);
    for definition in &linked.maps {
        let map = match definition.kind {
            sys::RINGBUF if resize => create_ring(definition, &mut lowered)?,
            _ => create(definition, None)?,
        };
        maps.insert(definition.symbol.clone(), map);
    }
    for section in &linked.data {
        let constant = section.name.starts_with(".rodata");
        let definition = MapDef {
            symbol: section.name.clone(),
            kind: sys::ARRAY,
            key_size: 4,
            value_size: section.bytes.len() as u32,
            max_entries: 1,
            flags: if constant { sys::RDONLY_PROG } else { 0 },
        };
        maps.insert(section.name.clone(), create(&definition, Some(&section.bytes))?);
    }
    let traces = |program: &Linked| matches!(program.attach, Attach::Function { .. });
    let means = match linked.programs.iter().any(traces) {
        true => Some(Means::here().map_err(SessionError::Load)?),
        false => None,
    };
    let types = sys::load_types(&linked.types).map_err(|error| SessionError::Load(chain(&error)))?;
    let mut programs = HashMap::new();
    // The clauses of ERROR are no program.
    for program in
        linked.supports.iter().chain(&linked.programs).filter(|program| !program.section.is_empty())
    {
        programs.insert(
            program.symbol.clone(),
            load_program(program, linked, &maps, types.as_fd(), (means, verbose))?,
        );
    }
    for Part { program, map, index } in &linked.parts {
        let loaded = load_program(program, linked, &maps, types.as_fd(), (means, verbose))?;
        let failed = || SessionError::Load(format!("map {map} is missing"));
        let descriptor = maps.get(map).and_then(map::descriptor).ok_or_else(failed)?;
        let filled = map::update(descriptor, &index.to_le_bytes(), &loaded.as_raw_fd().to_le_bytes());
        filled.map_err(|error| SessionError::Load(chain(&error)))?;
        programs.insert(program.symbol.clone(), loaded);
    }
    Ok(Loaded {
        objects: Objects::new(maps, programs),
        means,
        untraced: Vec::new(),
        uprobes: Vec::new(),
        lowered,
    })
}

/// Makes the ring, half as large each time that there is no memory for it, down to a page.
fn create_ring(definition: &MapDef, lowered: &mut Option<u32>) -> Result<Map, SessionError> {
    const LEAST: u32 = 4096;
    let mut smaller = definition.clone();
    loop {
        match create(&smaller, None) {
            Err(SessionError::Load(_)) if smaller.max_entries > LEAST => {
                smaller.max_entries /= 2;
                *lowered = Some(smaller.max_entries);
            }
            made => return made,
        }
    }
}

/// Makes a map, for a section with its bytes as the only value; a constant one is closed to writers.
fn create(definition: &MapDef, bytes: Option<&[u8]>) -> Result<Map, SessionError> {
    let name = &definition.symbol;
    let failed = |error: &dyn std::error::Error| SessionError::Load(format!("map {name}: {}", chain(error)));
    let mut attr = MapAttr {
        kind: definition.kind,
        key_size: definition.key_size,
        value_size: definition.value_size,
        max_entries: definition.max_entries,
        flags: definition.flags,
        name: sys::name(name),
        ..MapAttr::default()
    };
    let descriptor = sys::create_map(&mut attr).map_err(|error| failed(&error))?;
    if let Some(bytes) = bytes {
        let filled = map::update(descriptor.as_fd(), &0_u32.to_le_bytes(), bytes);
        filled.map_err(|error| failed(&error))?;
    }
    if definition.flags & sys::RDONLY_PROG != 0 {
        sys::freeze_map(descriptor.as_fd()).map_err(|error| failed(&error))?;
    }
    let data = MapData::from_fd(descriptor).map_err(|error| failed(&error))?;
    // include/uapi/linux/bpf.h, enum bpf_map_type.
    Ok(match attr.kind {
        1 => Map::HashMap(data),
        sys::ARRAY => Map::Array(data),
        3 => Map::ProgramArray(data),
        5 => Map::PerCpuHashMap(data),
        6 => Map::PerCpuArray(data),
        9 => Map::LruHashMap(data),
        sys::RINGBUF => Map::RingBuf(data),
        kind => {
            return Err(SessionError::Load(format!("map {name} is of kind {kind}, which is not used here")));
        }
    })
}

/// A program's kind, by the section that its trampoline stands in.
const KINDS: [(&str, u32); 4] = [
    ("raw_tp", sys::RAW_TRACEPOINT),
    ("perf_event", sys::PERF_EVENT),
    ("kprobe", sys::KPROBE),
    ("uprobe", sys::KPROBE),
];

/// What a program of that section says that it will be attached to; 0 where that need not be said.
fn attach_type(section: &str, means: Option<Means>) -> u32 {
    match section {
        "kprobe" if means == Some(Means::Multi) => sys::TRACE_KPROBE_MULTI,
        "uprobe" if uprobe::are_multi() => sys::TRACE_UPROBE_MULTI,
        _ => 0,
    }
}

fn load_program(
    program: &Linked,
    linked: &Output,
    maps: &HashMap<String, Map>,
    types: BorrowedFd<'_>,
    (means, verbose): (Option<Means>, bool),
) -> Result<OwnedFd, SessionError> {
    let Linked { symbol, section, code, .. } = program;
    let kind = KINDS.iter().find(|(name, _)| section.split('/').next() == Some(name));
    let Some((_, kind)) = kind else {
        return Err(SessionError::Load(format!("program {symbol} is of a kind that is not used here")));
    };
    let mut insns = code.insns.clone();
    for (at, reference) in &code.references {
        refer(&mut insns, *at, reference, maps)?;
    }
    let insns: Vec<[u8; 8]> = insns.iter().map(|insn| insn.encode()).collect();
    let mut attr = ProgramAttr {
        kind: *kind,
        insn_count: insns.len() as u32,
        insns: insns.as_ptr() as u64,
        license: linked.license.as_ptr() as u64,
        name: sys::name(symbol),
        attach_type: attach_type(section, means),
        btf: types.as_raw_fd() as u32,
        func_info_size: size_of::<[u32; 2]>() as u32,
        func_info: code.functions.as_ptr() as u64,
        func_info_count: code.functions.len() as u32,
        ..ProgramAttr::default()
    };
    sys::load_program(&mut attr).map_err(|error| {
        if error.raw_os_error() == Some(libc::E2BIG) {
            return SessionError::Large { program: symbol.clone() };
        }
        let log = sys::verifier_log(&mut attr, verbose);
        if log.contains(TOO_COMPLEX) {
            return SessionError::Large { program: symbol.clone() };
        }
        refused(program, &error, log, verbose)
    })
}

/// What the verifier says where it has passed too many jumps on one way (push_stack in kernel/bpf/verifier.c, Linux 6.1 to 6.18).
const TOO_COMPLEX: &str = "jumps is too complex";

/// Marks of a 64-bit immediate that is a map, and of one that is the address of its value's byte.
const PSEUDO_MAP: u8 = 1;
const PSEUDO_MAP_VALUE: u8 = 2;

/// Fills in the map that an instruction names.
fn refer(
    insns: &mut [Insn],
    at: usize,
    reference: &Reference,
    maps: &HashMap<String, Map>,
) -> Result<(), SessionError> {
    let (name, mark, offset) = match reference {
        Reference::Map(name) => (name, PSEUDO_MAP, 0),
        Reference::Data(name, offset) => (name, PSEUDO_MAP_VALUE, *offset),
    };
    let descriptor = maps.get(name).and_then(map::descriptor).map(|map| map.as_raw_fd());
    let descriptor: RawFd = descriptor.ok_or_else(|| SessionError::Load(format!("map {name} is missing")))?;
    insns[at].src = mark;
    insns[at].imm = descriptor;
    insns[at + 1].imm = offset as i32;
    Ok(())
}

fn refused(program: &Linked, error: &std::io::Error, log: String, verbose: bool) -> SessionError {
    let telling = |line: &&str| {
        let line = line.trim();
        !line.is_empty()
            && !line.starts_with("processed ")
            && !line.starts_with("verification time")
            && !line.starts_with("stack depth")
            && !line.contains("insns (limit")
    };
    let reason = log.lines().rev().find(telling).map_or_else(|| chain(error), |line| line.trim().to_owned());
    let at = refused_insn(&log).and_then(|insn| program.code.line(insn));
    let log = if verbose { log } else { String::new() };
    SessionError::Refused { program: program.symbol.clone(), reason, at, log }
}

/// The last instruction that the verifier looked at: it begins the lines that tell of one with its number.
fn refused_insn(log: &str) -> Option<usize> {
    let number = |line: &str| line.trim().split_once(": (")?.0.parse().ok();
    log.lines().rev().find_map(number)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_instruction_told_of_is_the_refused_one() {
        let log = "0: R1=ctx() R10=fp0\n0: (bf) r6 = r1\n12: (71) r0 = *(u8 *)(r1 +8)\nR1 invalid mem access 'scalar'\n";
        assert_eq!(refused_insn(log), Some(12));
        assert_eq!(refused_insn("too many linked maps\n"), None);
    }
}
