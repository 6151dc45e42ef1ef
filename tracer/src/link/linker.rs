//! What is linked: the probes object, what the linker adds to it, and what of both the programs reach.

use std::collections::{BTreeMap, BTreeSet};

use probes_common::abi::SLOTS_PER_CPU;
use probes_common::scope;

use super::function::{Function, Parameter, Target};
use super::object::{self, ProbesObject};
use super::{Constants, LinkError, locks, quick, regain, tidy};
use crate::lower::{DataSection, Image, MapDef};

/// Maps that user space reads and that may be reached by no program of a session.
const ALWAYS: [&str; 2] = ["DROPS", "RING"];

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

pub(super) struct Linker {
    pub(super) probes: ProbesObject,
    pub(super) functions: BTreeMap<String, Function>,
    pub(super) maps: Vec<MapDef>,
    pub(super) parts: Vec<PartAt>,
    /// Whether some program is told of waits for locks.
    pub(super) locks: bool,
}

/// A program that goes on with a firing, by its symbol, and its place in a map of programs.
pub(super) struct PartAt {
    pub(super) symbol: String,
    pub(super) map: String,
    pub(super) index: u32,
}

/// What is reached from the roots, each by its symbol.
pub(super) struct Reached {
    pub(super) functions: BTreeMap<String, Function>,
    pub(super) maps: BTreeSet<String>,
    pub(super) data: BTreeSet<String>,
}

impl Linker {
    /// The probes object with the constants of this session in it, and the routines that are made for this kernel.
    pub(super) fn new(probes: &[u8], image: &Image, constants: &Constants) -> Result<Self, LinkError> {
        let mut probes = object::read(probes)?;
        for (name, parameters) in ONCE {
            if let Some(function) = probes.functions.remove(name) {
                probes.functions.insert(name.to_owned(), function.once(parameters));
            }
        }
        let locks = image.programs.iter().any(locks::tells);
        let mut linker =
            Self { probes, functions: BTreeMap::new(), maps: Vec::new(), parts: Vec::new(), locks };
        linker.patch("OFFSETS", as_bytes(&constants.offsets))?;
        linker.patch("SCOPE", as_bytes(&constants.scope))?;
        quick::functions(constants.currents.as_ref()).into_iter().for_each(|function| linker.add(function));
        linker.add(regain::function());
        if let Some(currents) = &constants.currents {
            linker.probes.data.insert(quick::SECTION.into(), quick::table(currents));
        }
        Ok(linker)
    }

    /// Adds a function under its name.
    pub(super) fn add(&mut self, function: Function) {
        self.functions.insert(function.name.clone(), function);
    }

    /// Overwrites a constant; one that the object does not have is not needed.
    pub(super) fn patch(&mut self, symbol: &str, bytes: &[u8]) -> Result<(), LinkError> {
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

    /// The definition of a map, its size being what the session needs.
    pub(super) fn map(
        &self,
        name: &str,
        image: &Image,
        slot_size: u32,
        constants: &Constants,
    ) -> Option<MapDef> {
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
    pub(super) fn known(&self, image: &Image, slot_size: u32, constants: &Constants) -> tidy::Known {
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
    pub(super) fn section(&self, name: &str, image: &Image) -> Option<DataSection> {
        let own = || image.data.iter().find(|section| section.name == name).map(|section| &section.bytes);
        let bytes = self.probes.data.get(name).or_else(own)?;
        (!bytes.is_empty()).then(|| DataSection { name: name.to_owned(), bytes: bytes.clone() })
    }

    pub(super) fn trampoline(&self, name: &str) -> Result<&Function, LinkError> {
        let function = self.probes.functions.get(name);
        function.ok_or_else(|| LinkError::Undefined(name.to_owned(), "the table of probes".to_owned()))
    }

    /// The functions, maps and data sections that the roots reach.
    pub(super) fn reach(&self, roots: Vec<String>, image: &Image) -> Result<Reached, LinkError> {
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
        Ok(Reached { functions, maps, data })
    }
}

/// The bytes of a constant.
fn as_bytes<T: Copy>(value: &T) -> &[u8] {
    // SAFETY: both constants are repr(C) structs of integers without padding, alive as long as the borrow.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) }
}
