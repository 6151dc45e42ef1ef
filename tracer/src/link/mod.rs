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
mod linker;
mod locks;
mod object;
mod quick;
mod regain;
mod split;
mod tidy;
mod trampoline;

use std::collections::BTreeMap;
use std::ffi::CString;

use probes_common::abi::Scope;
use probes_common::offsets::Offsets;
use probes_common::probe::{Attach, Support};
use probes_common::scope;

use crate::kernel::currents::Currents;
use crate::lower::{DataSection, FunctionAt, Image, MapDef, ProgramImage};
use crate::provider::{Instance, attach};
use btf::Btf;
use function::Function;
pub use linear::{Linear, Reference};
use linker::{Linker, Reached};
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

/// Links the image with the probes object.
pub fn link(probes: &[u8], image: &Image, constants: &Constants) -> Result<Output, LinkError> {
    let mut linker = Linker::new(probes, image, constants)?;
    let errors = errors(image);
    if !errors.clauses.is_empty() {
        linker.add(dispatch::error_clauses(&errors));
    }
    let mut trampolines = Vec::new();
    for (number, program) in image.programs.iter().enumerate() {
        let symbol = linker.program(number as u32, program, constants.most, image.locals, &errors)?;
        trampolines.push((symbol, attach(program.program.attach, program.instance), program.instance));
    }
    let supports: Vec<Root> = supports(image, constants)
        .into_iter()
        .map(|support| (support.name.to_owned(), support.attach, None))
        .collect();
    let roots = supports.iter().chain(&trampolines).filter(|(_, attach, _)| *attach != Attach::Called);
    let parts = linker.parts.iter().map(|part| part.symbol.clone());
    let roots: Vec<String> = roots.map(|root| root.0.clone()).chain(parts).collect();
    let Reached { mut functions, mut maps, mut data } = linker.reach(roots.clone(), image)?;
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
    let mut linked = |root: Root| linked(root, &functions, &mut types);
    let supports = supports.into_iter().map(&mut linked).collect::<Result<_, _>>()?;
    let mut programs = trampolines.into_iter().map(&mut linked).collect::<Result<Vec<_>, _>>()?;
    for (program, image) in programs.iter_mut().zip(&image.programs) {
        program.functions.clone_from(&image.functions);
    }
    let parts = linker.parts.iter().map(|part| {
        let program = linked((part.symbol.clone(), Attach::Called, None))?;
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

/// A program's symbol, what it hangs on, and what it was copied for.
type Root = (String, Attach, Option<Instance>);

/// The program with all that it calls; ERROR, which is no program of its own, has no code.
fn linked(
    (symbol, attach, instance): Root,
    functions: &BTreeMap<String, Function>,
    types: &mut Btf,
) -> Result<Linked, LinkError> {
    let (section, code) = match functions.get(&symbol) {
        Some(root) => (root.section.clone(), linear::linear(&symbol, functions, types)?),
        None => (String::new(), Linear::default()),
    };
    Ok(Linked { symbol, section, code, attach, instance, functions: Vec::new() })
}

/// The supports that the programs and the session need, each once.
fn supports(image: &Image, constants: &Constants) -> Vec<Support> {
    let mut supports = Vec::new();
    if constants.scope.following != 0 {
        supports.push(scope::FOLLOW);
    }
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
    dispatch::Errors {
        number: number as u32,
        clauses: program.clauses.iter().flat_map(trampoline::entries).collect(),
    }
}
