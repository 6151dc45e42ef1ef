//! Code generation: the typed program becomes functions, maps and layouts: an [`Image`].
//!
//! `program` gives everything its place and compiles each clause once for each trampoline that it matches; `clause` is
//! one such function, and the other modules are its parts: `expr` and `text` for values, `place` for variables, `record`
//! and `builtin` for what the probe and the kernel know, `aggregate` and `action` for what is kept and sent.
//!
//! Invariant: pure. The same program, probes and options make the same image, byte for byte.

mod action;
mod aggregate;
mod alone;
mod builtin;
mod bytes;
mod call;
mod clause;
mod current;
mod data;
mod dynamic;
mod expr;
mod fault;
mod footprint;
mod helper;
pub mod layout;
mod locks;
mod memory;
mod names;
pub mod near;
mod network;
mod null;
pub mod parts;
mod place;
mod program;
mod record;
mod release;
mod scratch;
mod seats;
mod speculation;
mod stack;
mod storage;
mod strings;
#[cfg(test)]
mod tests;
mod text;
mod thread;

use probes_common::offsets::Offsets;
use probes_common::probe::Program;

use crate::bpf::Code;
use crate::check::typed;
use crate::diagnostic::Span;
use crate::ir;
use crate::kernel::addresses::Addresses;
use crate::provider::{Catalog, Instance, ProbeId, ProbeInfo};
pub(crate) use data::EXIT;
use layout::{AggregationAt, Layout};

/// Compiles a program.
pub fn lower(program: &typed::Program, probes: &dyn Probes, options: &Options) -> Result<Image, Error> {
    program::lower(program, probes, options)
}

/// What the code generator asks the catalog of probes.
pub trait Probes {
    /// The probe of that id.
    fn probe(&self, id: ProbeId) -> &ProbeInfo;
    /// The discriminators of the probes that a copy of the trampoline hosts on this kernel, sorted.
    fn hosted(&self, program: &'static Program, instance: Option<Instance>) -> Vec<u16>;
    /// Of a probe of a function: what it is attached to.
    fn function(&self, id: ProbeId) -> FunctionAt;
}

impl Probes for Catalog {
    fn probe(&self, id: ProbeId) -> &ProbeInfo {
        self.get(id).expect("the checker takes ids from the catalog")
    }

    fn hosted(&self, program: &'static Program, instance: Option<Instance>) -> Vec<u16> {
        let copy = |probe: &&ProbeInfo| probe.program.name == program.name && probe.instance == instance;
        let mut discriminators: Vec<u16> =
            self.probes().filter(copy).map(|probe| probe.discriminator).collect();
        discriminators.sort_unstable();
        discriminators
    }

    fn function(&self, id: ProbeId) -> FunctionAt {
        let probe = self.probe(id);
        FunctionAt {
            module: probe.module.to_string(),
            name: probe.function.to_string(),
            ambiguous: self.is_ambiguous(id),
            cookie: self.cookie(probe),
        }
    }
}

/// What the command line and the kernel determine.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes for each aggregation's keys and values, on each CPU (`-x aggsize`).
    pub aggsize: u64,
    /// Bytes for each dynamic variable's keys and values (`-x dynvarsize`).
    pub dynvarsize: u64,
    /// How many speculations there are (`-x nspec`).
    pub speculations: u64,
    /// Where the kernel's fields are.
    pub offsets: Offsets,
    /// Where its functions are.
    pub addresses: Addresses,
    /// `CLOCK_REALTIME - CLOCK_MONOTONIC`, nanoseconds.
    pub wall_offset: u64,
    /// How many CPUs there may be.
    pub cpus: u32,
    /// Each CPU's chip and NUMA node.
    pub topology: Vec<[i32; 2]>,
}

impl Default for Options {
    /// DTrace's sizes, on a kernel without fields and with one CPU, in 1970.
    fn default() -> Self {
        Options {
            aggsize: 4 << 20,
            dynvarsize: 1 << 20,
            speculations: 1,
            offsets: Offsets::NONE,
            addresses: Addresses::parse(""),
            wall_offset: 0,
            cpus: 1,
            topology: Vec::new(),
        }
    }
}

/// Why a checked program cannot be compiled: it asks for more than a kernel gives.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The key of a map is too long.
    #[error(
        "the key of {name} takes {size} bytes and may take {limit}; use fewer or shorter strings (-x strsize)"
    )]
    Key {
        /// The variable or aggregation.
        name: String,
        /// Bytes wanted.
        size: u32,
        /// Bytes allowed.
        limit: u32,
    },
    /// The value of an aggregation is too long.
    #[error("a value of {name} takes {size} bytes and may take {limit}; use fewer, wider buckets")]
    Value {
        /// The aggregation.
        name: String,
        /// Bytes wanted.
        size: u32,
        /// Bytes allowed.
        limit: u32,
    },
    /// Too many trampolines.
    #[error("the program uses {count} trampolines and may use {limit}; split it")]
    Programs {
        /// How many it uses.
        count: usize,
        /// How many it may.
        limit: u32,
    },
    /// A clause cannot be compiled.
    #[error("{error}")]
    Clause {
        /// What the compiler said.
        error: ir::Error,
        /// The clause.
        span: Span,
    },
}

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
    /// The messages; an epid is an index and [`FIRST_EPID`](layout::FIRST_EPID).
    pub layouts: Vec<Layout>,
    /// The aggregations, by [`crate::check::typed::AggregationId`].
    pub aggregations: Vec<AggregationAt>,
    /// Programs without clauses that the clauses need, besides those of their probes.
    pub supports: Vec<probes_common::probe::Support>,
    /// The source positions that an [`ir::At`] in the code's lines is an index into.
    pub spans: Vec<Span>,
}

/// One trampoline with its clauses.
#[derive(Debug)]
pub struct ProgramImage {
    /// The trampoline.
    pub program: &'static Program,
    /// What it was copied for, of `profile`, `tick`, `rawtp`, `sdt` and `fbt`.
    pub instance: Option<Instance>,
    /// The want bits of all its clauses.
    pub wants: u64,
    /// For a family: the discriminators of its probes, sorted. Others come too (a system call that does not exist) and
    /// are no probe's.
    pub hosted: Vec<u16>,
    /// What it is attached to, of `fbt`.
    pub functions: Vec<FunctionAt>,
    /// The clauses in order.
    pub clauses: Vec<ClauseImage>,
}

impl ProgramImage {
    /// The name of the linked program: of a copy, with what it was copied for.
    pub fn symbol(&self) -> String {
        let base = self.program.name;
        self.instance.map_or_else(|| base.to_owned(), |instance| format!("{base}_{}", instance.suffix()))
    }
}

/// A function of the kernel that a trampoline is attached to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionAt {
    /// Its module; `vmlinux` for the kernel itself.
    pub module: String,
    /// Its name.
    pub name: String,
    /// Whether there are others of this name, so that only its address tells which it is.
    pub ambiguous: bool,
    /// What the kernel hands to each firing; see [`probes_common::providers::fbt::Cookie`].
    pub cookie: u64,
}

/// One clause compiled for one trampoline.
#[derive(Debug)]
pub struct ClauseImage {
    /// Enabled probe id of its first part.
    pub epid: u32,
    /// The code: `fn(slot, ctx, task) -> u64`. Of a long clause it is in pieces, to be called one after the other, also by
    /// different programs; where one faults or ends the clause, those behind it do nothing.
    pub pieces: Vec<Code>,
    /// For a family: the discriminators it is for, sorted; `None` for all that it hosts.
    pub discriminators: Option<Vec<u16>>,
    /// Whether a slot that ends behind the record is enough for it; such a one is on the stack.
    pub light: bool,
    /// The clause in two, where its predicate can be asked before there is a slot.
    pub gated: Option<Gated>,
}

/// A clause's predicate and the rest of it.
#[derive(Debug)]
pub struct Gated {
    /// `fn(_, _, task) -> u64`: whether the clause takes the firing. It changes nothing, so it may be asked more than once.
    pub predicate: Code,
    /// The clause for firings that it takes, as [`ClauseImage::pieces`].
    pub rest: Vec<Code>,
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
