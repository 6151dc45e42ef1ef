//! The linker: compiled clauses and the probes object become the programs and maps that the kernel takes.
//!
//! It keeps only what the session needs: the trampolines in use (a copy of its own for each rate of profile and tick, each tracepoint of rawtp),
//! the routines and maps that these reach, and the constants of the running kernel. Pure: an image and the object's bytes in,
//! instructions and definitions out.

mod assembler;
mod btf;
mod dispatch;
mod function;
mod inline;
mod linear;
mod locks;
mod object;
mod quick;
mod split;
mod tidy;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;

use probes_common::abi::{SLOTS_PER_CPU, Scope};
use probes_common::offsets::Offsets;
use probes_common::probe::{Attach, Support};
use probes_common::scope;

use crate::bpf::Code;
use crate::kernel::currents::Currents;
use crate::lower::{ClauseImage, DataSection, FunctionAt, Image, MapDef, ProgramImage};
use crate::provider::{Instance, attach};
use btf::Btf;
use function::{Function, Parameter, Target};
pub use linear::{Linear, Reference};
use object::ProbesObject;
pub use split::MOST_INSNS;

/// Why linking failed: always a fault of this program, never of the user's.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The probes object is not what was expected.
    #[error("the probes object cannot be read: {0}; rebuild it with `cargo xtask probes`")]
    Object(String),
    /// More clauses than a chain of programs takes.
    #[error("`{0}` has too many clauses for the kernel")]
    Long(String),
    /// A name is referred to and nowhere defined.
    #[error("`{0}`, which `{1}` refers to, is defined nowhere; rebuild the probes with `cargo xtask probes`")]
    Undefined(String, String),
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
    /// How programs read the current thread, where they need not call for it.
    pub currents: Option<Currents>,
    /// Instructions of clauses that one program may have, if they are not one clause's.
    pub most: usize,
}

/// A program and what to attach it to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// Its symbol.
    pub symbol: String,
    /// The section that says what kind it is; empty for ERROR, which is no program of its own.
    pub section: String,
    /// Its instructions, with all that it calls.
    pub code: Linear,
    /// What it hangs on.
    pub attach: Attach,
    /// What it was copied for, of profile, tick, rawtp, sdt and fbt.
    pub instance: Option<Instance>,
    /// What it is attached to, of fbt.
    pub functions: Vec<FunctionAt>,
}

/// What the kernel is given.
#[derive(Debug)]
pub struct Output {
    /// The maps.
    pub maps: Vec<MapDef>,
    /// The sections that become maps of one value.
    pub data: Vec<DataSection>,
    /// The types of all functions, in BTF.
    pub types: Vec<u8>,
    /// The licence of the programs.
    pub license: CString,
    /// Programs without clauses: to be attached first.
    pub supports: Vec<Linked>,
    /// The trampolines, in the order of their numbers.
    pub programs: Vec<Linked>,
    /// Programs that go on with the firings of others.
    pub parts: Vec<Part>,
}

/// A program that goes on with the firing of another, and where the other finds it.
#[derive(Debug)]
pub struct Part {
    /// The program.
    pub program: Linked,
    /// A map of programs.
    pub map: String,
    /// Its place there.
    pub index: u32,
}

/// Programs that may follow one another in a firing (MAX_TAIL_CALL_CNT in include/linux/bpf.h, 6.1).
const MAX_PARTS: usize = 33;

/// Maps that user space reads and that may be reached by no program of a session.
const ALWAYS: [&str; 2] = ["DROPS", "RING"];

/// What the linker defines for each trampoline, by the beginning of the name.
const DEFINED: [&str; 3] = ["gate_", "takes_", "clauses_"];

/// Routines that have many ways through or are long: the verifier would follow them at each call, and from there on each way's
/// result by itself.
const ONCE: [(&str, &[Parameter]); 6] = {
    use Parameter::{Area, Number};
    [
        ("quantize_bucket", &[Number]),
        ("lquantize_bucket", &[Number; 4]),
        ("ip_text", &[Area(16), Area(64)]),
        ("ipv6_text", &[Area(16), Area(64)]),
        ("link_text", &[Area(24), Area(64), Number]),
        ("exec_args", &[Area(256)]),
    ]
};

/// Links the image with the probes object.
pub fn link(probes: &[u8], image: &Image, constants: &Constants) -> Result<Output, LinkError> {
    let mut probes = object::read(probes)?;
    for (name, parameters) in ONCE {
        if let Some(function) = probes.functions.remove(name) {
            probes.functions.insert(name.to_owned(), function.once(parameters));
        }
    }
    let locks = image.programs.iter().any(locks::tells);
    let mut linker =
        Linker { probes, functions: BTreeMap::new(), maps: Vec::new(), parts: Vec::new(), locks };
    linker.patch("OFFSETS", as_bytes(&constants.offsets))?;
    linker.patch("SCOPE", as_bytes(&constants.scope))?;

    for function in quick::functions(constants.currents.as_ref()) {
        linker.functions.insert(function.name.clone(), function);
    }
    if let Some(currents) = &constants.currents {
        linker.probes.data.insert(quick::SECTION.into(), quick::table(currents));
    }
    let errors = errors(image);
    if !errors.clauses.is_empty() {
        let function = dispatch::error_clauses(&errors);
        linker.functions.insert(function.name.clone(), function);
    }
    let mut trampolines = Vec::new();
    for (number, program) in image.programs.iter().enumerate() {
        let symbol = linker.program(number as u32, program, constants.most, image.locals, &errors)?;
        trampolines.push((symbol, attach(program.program.attach, program.instance), program.instance));
    }
    let mut supports = supports(image);
    if constants.scope.following != 0 {
        supports.insert(0, scope::FOLLOW);
    }
    let supports: Vec<_> =
        supports.iter().map(|support| (support.name.to_owned(), support.attach, None)).collect();
    let roots = supports.iter().chain(&trampolines).filter(|(_, attach, _)| *attach != Attach::Called);
    let parts = linker.parts.iter().map(|part| part.symbol.clone());
    let roots: Vec<String> = roots.map(|root| root.0.clone()).chain(parts).collect();
    let (mut functions, mut maps, mut data) = linker.reach(roots.clone(), image)?;
    functions = functions
        .iter()
        .map(|(name, function)| (name.clone(), inline::expand(function, &functions)))
        .collect();
    let slot_size = image.slot_size.max(probes_common::abi::SLOT_SIZE as u32);
    let known = linker.known(image, slot_size, constants);
    for root in roots {
        let whole = tidy::tidy(inline::inline(&root, &functions), &known);
        functions.insert(root, whole);
    }

    let mut types = Btf::new(slot_size);
    let mut linked = |programs: Vec<(String, Attach, Option<Instance>)>| -> Result<Vec<Linked>, LinkError> {
        let linked = programs.into_iter().map(|(symbol, attach, instance)| {
            let Some(root) = functions.get(&symbol) else {
                return Ok(Linked {
                    symbol,
                    section: String::new(),
                    code: Linear::default(),
                    attach,
                    instance,
                    functions: Vec::new(),
                });
            };
            let code = linear::linear(&symbol, &functions, &mut types)?;
            Ok(Linked {
                symbol,
                section: root.section.clone(),
                code,
                attach,
                instance,
                functions: Vec::new(),
            })
        });
        linked.collect()
    };
    let (supports, mut programs) = (linked(supports)?, linked(trampolines)?);
    for (program, image) in programs.iter_mut().zip(&image.programs) {
        program.functions.clone_from(&image.functions);
    }
    let parts = linker.parts.iter().map(|part| {
        let program = linked(vec![(part.symbol.clone(), Attach::Called, None)])?.remove(0);
        Ok(Part { program, map: part.map.clone(), index: part.index })
    });
    let parts = parts.collect::<Result<_, _>>()?;
    let license = CString::from_vec_with_nul(linker.probes.license.clone())
        .map_err(|error| LinkError::Object(error.to_string()))?;
    // Those of the program are read in the end, also where no code that is left refers to them.
    maps.extend(image.maps.iter().map(|map| map.symbol.clone()));
    data.extend(image.data.iter().map(|section| section.name.clone()));
    let maps = maps.iter().filter_map(|name| linker.map(name, image, slot_size, constants)).collect();
    let data = data.iter().filter_map(|name| linker.section(name, image)).collect();
    Ok(Output { maps, data, types: types.bytes(), license, supports, programs, parts })
}

/// The supports that the programs need, each once.
fn supports(image: &Image) -> Vec<Support> {
    let mut supports: Vec<Support> = Vec::new();
    let needed = image.programs.iter().flat_map(|program| program.program.needs);
    for support in needed.chain(&image.supports) {
        if !supports.contains(support) {
            supports.push(*support);
        }
    }
    supports
}

/// The ERROR probe, where the program has clauses for it.
fn errors(image: &Image) -> dispatch::Errors<'_> {
    let called = |(_, program): &(usize, &ProgramImage)| program.program.attach == Attach::Called;
    let Some((number, program)) = image.programs.iter().enumerate().find(called) else {
        return dispatch::Errors::default();
    };
    dispatch::Errors { number: number as u32, clauses: program.clauses.iter().flat_map(entries).collect() }
}

/// The clauses of a trampoline, piece by piece, as a dispatcher takes them. Of the only one `takes_NAME` has asked the predicate,
/// `gate_NAME` the discriminator.
fn entries_of(program: &ProgramImage) -> Vec<dispatch::Entry<'_>> {
    match program.clauses.as_slice() {
        [clause] => {
            let pieces = clause.gated.as_ref().map_or(&clause.pieces, |gated| &gated.rest);
            pieces.iter().map(|code| entry(code, None)).collect()
        }
        clauses => clauses.iter().flat_map(entries).collect(),
    }
}

/// The pieces of a clause.
fn entries(clause: &ClauseImage) -> impl Iterator<Item = dispatch::Entry<'_>> {
    clause.pieces.iter().map(|code| entry(code, clause.discriminators.as_deref()))
}

fn entry<'a>(code: &Code, discriminators: Option<&'a [u16]>) -> dispatch::Entry<'a> {
    dispatch::Entry { function: Function::from_code(code.clone()), frame: code.frame, discriminators }
}

struct Linker {
    probes: ProbesObject,
    functions: BTreeMap<String, Function>,
    maps: Vec<MapDef>,
    parts: Vec<PartAt>,
    /// Whether some program is told of waits for locks.
    locks: bool,
}

/// A program that goes on with a firing, by its symbol, and its place in a map of programs.
struct PartAt {
    symbol: String,
    map: String,
    index: u32,
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

    /// Adds a trampoline with its dispatchers, gate, clauses and constants; gives its symbol.
    fn program(
        &mut self,
        number: u32,
        image: &ProgramImage,
        most: usize,
        locals: (u32, u32),
        errors: &dispatch::Errors<'_>,
    ) -> Result<String, LinkError> {
        let base = image.program.name;
        let symbol = image.symbol();
        if image.program.attach == Attach::Called {
            return Ok(symbol);
        }
        let whole = self.clauses(&symbol, number, (image, most), locals, errors)?;
        if image.program.family {
            let gate = dispatch::gate(&symbol, image);
            self.functions.insert(gate.name.clone(), gate);
        }
        let predicates = image.clauses.iter().filter_map(|clause| Some(&clause.gated.as_ref()?.predicate));
        let asked = predicates.map(|code| Function::from_code(code.clone()));
        for function in asked.chain([dispatch::takes(&symbol, &image.clauses)]) {
            self.functions.insert(function.name.clone(), function);
        }
        let light = whole && locals.1 == 0 && image.clauses.iter().all(|clause| clause.light);
        let constants = [
            ("WANTS", image.wants.to_le_bytes().to_vec()),
            ("PROGRAM", number.to_le_bytes().to_vec()),
            ("LIGHT", u32::from(light && !self.locks).to_le_bytes().to_vec()),
            ("ALONE", u32::from(locks::tells(image)).to_le_bytes().to_vec()),
        ];
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
            Target::Function(name) => {
                let prefix = name.strip_suffix(base).filter(|prefix| DEFINED.contains(prefix));
                Target::Function(prefix.map_or_else(|| name.clone(), |prefix| format!("{prefix}{symbol}")))
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

    /// Adds the dispatcher with its clauses; where they are too many, also the parts of the program that follow, and the map by
    /// which each finds the next. Says whether the program is whole.
    fn clauses(
        &mut self,
        symbol: &str,
        number: u32,
        (image, most): (&ProgramImage, usize),
        locals: (u32, u32),
        errors: &dispatch::Errors<'_>,
    ) -> Result<bool, LinkError> {
        let clauses = entries_of(image);
        let parts = split::parts(&clauses, most);
        let mut clauses = clauses.into_iter();
        let (map, last) = (format!("parts_{symbol}"), parts.len() - 1);
        if last >= MAX_PARTS {
            return Err(LinkError::Long(symbol.to_owned()));
        }
        let part_symbol =
            |part: usize| if part == 0 { symbol.to_owned() } else { format!("{symbol}_part{part}") };
        for (part, range) in parts.into_iter().enumerate() {
            let entries: Vec<_> = clauses.by_ref().take(range.len()).collect();
            let own = part_symbol(part);
            let then = (part < last).then(|| format!("then_{}", part_symbol(part + 1)));
            let (goes_on, then_name) = (part > 0, then.as_deref());
            let probe = dispatch::Probe { symbol: &own, number, locals, errors, goes_on, then: then_name };
            let mut functions = dispatch::dispatcher(&probe, &entries);
            functions.extend(entries.into_iter().map(|clause| clause.function));
            if let Some(then) = &then {
                functions.push(dispatch::continuation(then, &map, part as u32));
            }
            if goes_on {
                let section = self.trampoline(image.program.name)?.section.clone();
                let copy = self.trampoline("part")?.renamed(own.clone(), |target| match target {
                    Target::Function(name) if name == "clauses_part" => {
                        Target::Function(format!("clauses_{own}"))
                    }
                    _ => target.clone(),
                });
                functions.push(Function { section, ..copy });
                self.parts.push(PartAt { symbol: own.clone(), map: map.clone(), index: part as u32 - 1 });
            }
            self.functions.extend(functions.into_iter().map(|function| (function.name.clone(), function)));
        }
        if last > 0 {
            const PROG_ARRAY: u32 = 3;
            let (kind, max_entries) = (PROG_ARRAY, last as u32);
            self.maps.push(MapDef { symbol: map, kind, key_size: 4, value_size: 4, max_entries, flags: 0 });
        }
        Ok(last == 0)
    }

    /// The definition of a map, its size being what the session needs.
    fn map(&self, name: &str, image: &Image, slot_size: u32, constants: &Constants) -> Option<MapDef> {
        let own = || image.maps.iter().chain(&self.maps).find(|map| map.symbol == name).cloned();
        let mut map = self.probes.maps.get(name).cloned().or_else(own)?;
        match name {
            "SLOTS" => {
                map.value_size = slot_size;
                map.max_entries = constants.scope.cpus * SLOTS_PER_CPU;
            }
            "SPECULATIONS" | "SPECULATED" => map.max_entries = constants.scope.speculations as u32,
            "RING" => map.max_entries = constants.ring_size,
            scope::SCOPED if constants.scope.following == 0 => map.max_entries = 1,
            _ => {}
        }
        Some(map)
    }

    /// What the constants are, and the sizes of maps.
    fn known(&self, image: &Image, slot_size: u32, constants: &Constants) -> tidy::Known {
        let own = image.data.iter().map(|section| (&section.name, &section.bytes));
        let constant = |(name, _): &(&String, &Vec<u8>)| name.starts_with(".rodata");
        let sections = self.probes.data.iter().chain(own).filter(constant);
        let maps = self.probes.maps.keys().chain(image.maps.iter().map(|map| &map.symbol));
        let sizes = |map: MapDef| (map.key_size, map.value_size);
        tidy::Known {
            constant: sections.map(|(name, bytes)| (name.clone(), bytes.clone())).collect(),
            maps: maps
                .filter_map(|name| Some((name.clone(), sizes(self.map(name, image, slot_size, constants)?))))
                .collect(),
        }
    }

    /// A section of data, unless there is nothing in it.
    fn section(&self, name: &str, image: &Image) -> Option<DataSection> {
        let own = || image.data.iter().find(|section| section.name == name).map(|section| &section.bytes);
        let bytes = self.probes.data.get(name).or_else(own)?;
        (!bytes.is_empty()).then(|| DataSection { name: name.to_owned(), bytes: bytes.clone() })
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
                            || image.maps.iter().chain(&self.maps).any(|known| known.symbol == *map);
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
