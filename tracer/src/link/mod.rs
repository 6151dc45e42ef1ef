//! The linker: compiled clauses and the probes object become one ELF in memory.
//!
//! It keeps only what the session needs: the trampolines in use (a copy of its own for each rate of profile and tick),
//! the routines and maps that these reach, and the constants of the running kernel. Pure: bytes in, bytes out.

mod dispatch;
mod function;
mod object;
mod split;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use probes_common::abi::{SLOTS_PER_CPU, Scope};
use probes_common::offsets::Offsets;
use probes_common::probe::{Attach, Support};
use probes_common::scope;

use crate::lower::{Image, ProgramImage};
use function::{Function, Target};
use object::ProbesObject;

/// Why linking failed: always a fault of this program, never of the user's.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The probes object is not what was expected.
    #[error("the probes object cannot be read: {0}; rebuild it with `cargo xtask probes`")]
    Object(String),
    /// A name is referred to and nowhere defined.
    #[error("`{0}`, which `{1}` refers to, is defined nowhere; rebuild the probes with `cargo xtask probes`")]
    Undefined(String, String),
    /// The ELF cannot be written.
    #[error("the program cannot be put together: {0}")]
    Write(String),
}

/// What the running kernel and the command line determine.
#[derive(Debug, Clone)]
pub struct Constants {
    /// Where the kernel's fields are.
    pub offsets: Offsets,
    /// Settings.
    pub scope: Scope,
    /// Bytes of the ring, a power of two.
    pub ring_size: u32,
}

/// A program of the linked ELF and what to attach it to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// Its symbol in the ELF.
    pub symbol: String,
    /// What it hangs on.
    pub attach: Attach,
    /// The rate, for profile and tick.
    pub rate: Option<crate::provider::Rate>,
}

/// The linked ELF.
#[derive(Debug)]
pub struct Output {
    /// Its bytes.
    pub elf: Vec<u8>,
    /// Programs without clauses: to be attached first.
    pub supports: Vec<Linked>,
    /// The trampolines, in the order of their numbers; the parts of one, in program order.
    pub programs: Vec<Linked>,
}

/// Maps that user space reads and that may be reached by no program of a session.
const ALWAYS: [&str; 2] = ["DROPS", "RING"];

/// Links the image with the probes object.
pub fn link(probes: &[u8], image: &Image, constants: &Constants) -> Result<Output, LinkError> {
    let mut linker = Linker { probes: object::read(probes)?, functions: BTreeMap::new() };
    linker.patch("OFFSETS", as_bytes(&constants.offsets))?;
    linker.patch("SCOPE", as_bytes(&constants.scope))?;

    let mut programs = Vec::new();
    let errors = errors(image);
    for (number, program) in image.programs.iter().enumerate() {
        for (part, clauses) in split::parts(program, image.locals.1 != 0).into_iter().enumerate() {
            let symbol = linker.program(number as u32, program, (part, clauses), image.locals, &errors)?;
            programs.push(Linked { symbol, attach: program.program.attach, rate: program.rate });
        }
    }
    let mut supports = supports(image);
    let following = constants.scope.following != 0;
    if following {
        supports.insert(0, scope::FOLLOW);
    }
    let mut roots: Vec<String> = programs
        .iter()
        .filter(|program| program.attach != Attach::Called)
        .map(|program| program.symbol.clone())
        .collect();
    roots.extend(supports.iter().map(|support| support.name.to_owned()));

    let (functions, maps, data) = linker.reach(roots, image)?;
    let mut definitions: BTreeMap<_, _> = maps
        .iter()
        .filter_map(|name| Some((name.clone(), linker.probes.maps.get(name)?.clone())))
        .chain(image.maps.iter().map(|map| (map.symbol.clone(), map.clone())))
        .collect();
    if let Some(slots) = definitions.get_mut("SLOTS") {
        slots.value_size = image.slot_size.max(probes_common::abi::SLOT_SIZE as u32);
        slots.max_entries = constants.scope.cpus * SLOTS_PER_CPU;
    }
    if let Some(scoped) = definitions.get_mut(scope::SCOPED).filter(|_| !following) {
        scoped.max_entries = 1;
    }
    if let Some(ring) = definitions.get_mut("RING") {
        ring.max_entries = constants.ring_size;
    }
    let mut sections: BTreeMap<String, Vec<u8>> =
        image.data.iter().map(|section| (section.name.clone(), section.bytes.clone())).collect();
    for name in data {
        if let Some(bytes) = linker.probes.data.get(&name) {
            sections.insert(name, bytes.clone());
        }
    }
    sections.retain(|_, bytes| !bytes.is_empty());
    let elf = write::write(&write::Contents {
        functions: &functions,
        maps: &definitions,
        data: &sections,
        license: &linker.probes.license,
    })?;
    let supports = supports
        .into_iter()
        .map(|support| Linked { symbol: support.name.into(), attach: support.attach, rate: None })
        .collect();
    Ok(Output { elf, supports, programs })
}

/// The supports that the programs need, each once.
fn supports(image: &Image) -> Vec<Support> {
    let mut supports: Vec<Support> = Vec::new();
    for support in image.programs.iter().flat_map(|program| program.program.needs) {
        if !supports.contains(support) {
            supports.push(*support);
        }
    }
    supports
}

/// The ERROR probe, where the program has clauses for it.
fn errors(image: &Image) -> dispatch::Errors {
    let called = |(_, program): &(usize, &ProgramImage)| program.program.attach == Attach::Called;
    let Some((number, program)) = image.programs.iter().enumerate().find(called) else {
        return dispatch::Errors::default();
    };
    let clauses = program.clauses.iter().map(|clause| clause.code.name.clone()).collect();
    dispatch::Errors { number: number as u32, clauses }
}

struct Linker {
    probes: ProbesObject,
    functions: BTreeMap<String, Function>,
}

impl Linker {
    /// Overwrites a constant; one that the object does not have is not needed.
    fn patch(&mut self, symbol: &str, bytes: &[u8]) -> Result<(), LinkError> {
        let Some(place) = self.probes.data_symbols.get(symbol) else { return Ok(()) };
        if place.size as usize != bytes.len() {
            return Err(LinkError::Object(format!(
                "constant {symbol} has {} bytes, not {}",
                place.size,
                bytes.len()
            )));
        }
        let section = self.probes.data.get_mut(&place.section);
        let target = section.and_then(|data| data.get_mut(place.offset as usize..)?.get_mut(..bytes.len()));
        target
            .ok_or_else(|| LinkError::Object(format!("constant {symbol} lies outside its section")))?
            .copy_from_slice(bytes);
        Ok(())
    }

    /// Adds a trampoline, or a part of one, with its dispatcher, gate, clauses and constants; gives its symbol.
    fn program(
        &mut self,
        number: u32,
        image: &ProgramImage,
        (part, clauses): (usize, Range<usize>),
        locals: (u32, u32),
        errors: &dispatch::Errors,
    ) -> Result<String, LinkError> {
        let base = image.program.name;
        let symbol = match image.rate {
            Some(rate) => format!("{base}_{}", rate.nanoseconds),
            None => base.to_owned(),
        };
        let symbol = if part == 0 { symbol } else { format!("{symbol}_part{}", part + 1) };
        for clause in &image.clauses {
            let function = Function::from_code(clause.code.clone());
            self.functions.insert(function.name.clone(), function);
        }
        if image.program.attach == Attach::Called {
            return Ok(symbol);
        }
        let entries: Vec<dispatch::Entry<'_>> = image.clauses[clauses]
            .iter()
            .map(|clause| dispatch::Entry {
                function: &clause.code.name,
                discriminators: clause.discriminators.as_deref(),
            })
            .collect();
        let dispatcher = dispatch::dispatcher(&symbol, number, locals, &entries, errors);
        self.functions.insert(dispatcher.name.clone(), dispatcher);
        if image.program.family {
            let gate = dispatch::gate(&symbol, image);
            self.functions.insert(gate.name.clone(), gate);
        }
        let constants =
            [("WANTS", image.wants.to_le_bytes().to_vec()), ("PROGRAM", number.to_le_bytes().to_vec())];
        let trampoline = self.trampoline(base)?.clone();
        if symbol == base {
            for (prefix, bytes) in &constants {
                self.patch(&format!("{prefix}_{base}"), bytes)?;
            }
            self.functions.insert(symbol.clone(), trampoline);
            return Ok(symbol);
        }
        // A copy: its constants are copies too, at the end of their section, and its clauses have the copy's name.
        let mut moved = Vec::new();
        for (prefix, bytes) in &constants {
            let Some(place) = self.probes.data_symbols.get(&format!("{prefix}_{base}")).cloned() else {
                continue;
            };
            let section = self.probes.data.entry(place.section.clone()).or_default();
            section.resize(section.len().next_multiple_of(8), 0);
            moved.push((place, section.len() as u32));
            section.extend_from_slice(bytes);
        }
        let copy = trampoline.renamed(symbol.clone(), |target| match target {
            Target::Function(name) if *name == format!("clauses_{base}") => {
                Target::Function(format!("clauses_{symbol}"))
            }
            Target::Data(section, offset) => moved
                .iter()
                .find(|(place, _)| place.section == *section && place.offset == *offset)
                .map_or_else(|| target.clone(), |(_, to)| Target::Data(section.clone(), *to)),
            _ => target.clone(),
        });
        self.functions.insert(symbol.clone(), copy);
        Ok(symbol)
    }

    fn trampoline(&self, name: &str) -> Result<&Function, LinkError> {
        let function = self.probes.functions.get(name);
        function.ok_or_else(|| LinkError::Undefined(name.to_owned(), "the table of probes".to_owned()))
    }

    /// The functions, maps and data sections that the roots reach.
    #[allow(clippy::type_complexity, reason = "three sets, used in one place")]
    fn reach(
        &self,
        roots: Vec<String>,
        image: &Image,
    ) -> Result<(BTreeMap<String, Function>, BTreeSet<String>, BTreeSet<String>), LinkError> {
        let mut functions = BTreeMap::new();
        let mut maps: BTreeSet<String> = ALWAYS.iter().map(|name| (*name).to_owned()).collect();
        let mut data = BTreeSet::new();
        let mut waiting: Vec<(String, String)> =
            roots.into_iter().map(|root| (root, "the table of probes".to_owned())).collect();
        while let Some((name, user)) = waiting.pop() {
            if functions.contains_key(&name) {
                continue;
            }
            let function = self.functions.get(&name).or_else(|| self.probes.functions.get(&name));
            let function = function.ok_or_else(|| LinkError::Undefined(name.clone(), user))?.clone();
            for (_, target) in &function.references {
                match target {
                    Target::Function(callee) => waiting.push((callee.clone(), name.clone())),
                    Target::Map(map) => {
                        let known = self.probes.maps.contains_key(map)
                            || image.maps.iter().any(|known| known.symbol == *map);
                        if !known {
                            return Err(LinkError::Undefined(map.clone(), name.clone()));
                        }
                        maps.insert(map.clone());
                    }
                    Target::Data(section, _) => {
                        data.insert(section.clone());
                    }
                }
            }
            functions.insert(name, function);
        }
        Ok((functions, maps, data))
    }
}

/// The bytes of a constant.
fn as_bytes<T: Copy>(value: &T) -> &[u8] {
    // SAFETY: both constants are repr(C) structs of integers without padding, alive as long as the borrow.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) }
}
