//! Code generation: the typed program becomes functions, maps and layouts: an [`Image`].

pub mod layout;

use probes_common::probe::Program;

use crate::bpf::Code;
use layout::{AggregationAt, Layout};

/// Everything that the linker puts together with the probes object. Pure data.
#[derive(Debug, Default)]
pub struct Image {
    /// The trampolines in use; an index is the `program` in a probe's number.
    pub programs: Vec<ProgramImage>,
    /// Maps to create besides those of the probes object.
    pub maps: Vec<MapDef>,
    /// Data sections to create, such as `.data.globals` and `.rodata.strings`.
    pub data: Vec<DataSection>,
    /// Runtime functions are found by name in the probes object: nothing to say here. Bytes of a slot in all.
    pub slot_size: u32,
    /// Where the `this->` words lie in a slot: offset and size in bytes, multiples of 8. The dispatcher zeroes them.
    pub locals: (u32, u32),
    /// The messages; an epid is an index plus one.
    pub layouts: Vec<Layout>,
    /// The aggregations, by [`crate::check::typed::AggregationId`].
    pub aggregations: Vec<AggregationAt>,
}

/// One trampoline with its clauses.
#[derive(Debug)]
pub struct ProgramImage {
    /// The trampoline.
    pub program: &'static Program,
    /// The rate, for a copy of `profile` or `tick`.
    pub rate: Option<crate::provider::Rate>,
    /// The want bits of all its clauses.
    pub wants: u64,
    /// The clauses in order.
    pub clauses: Vec<ClauseImage>,
}

/// One clause compiled for one trampoline.
#[derive(Debug)]
pub struct ClauseImage {
    /// Enabled probe id.
    pub epid: u32,
    /// The code: `fn(slot, ctx) -> u64`.
    pub code: Code,
    /// For a family: the discriminators it is for, sorted; `None` for all that the trampoline has.
    pub discriminators: Option<Vec<u16>>,
}

/// A BPF map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapDef {
    /// Its symbol.
    pub symbol: String,
    /// BPF_MAP_TYPE_*.
    pub kind: u32,
    /// Bytes of a key.
    pub key_size: u32,
    /// Bytes of a value.
    pub value_size: u32,
    /// The most entries.
    pub max_entries: u32,
    /// BPF_F_*.
    pub flags: u32,
}

/// A section of data that code addresses directly, by symbol = section name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSection {
    /// Its name, beginning with `.data.` or `.rodata.`.
    pub name: String,
    /// Its first contents.
    pub bytes: Vec<u8>,
}
