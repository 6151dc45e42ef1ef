//! Where the program's variables and aggregations live: words in sections and in the slot, and maps.
//!
//! Integers take a word of 8 bytes whatever their type, extended by their sign or with zeros; strings take their
//! buffer, rounded up to 8.

use probes_common::abi::SLOT_SIZE;

use super::data::GLOBALS;
use super::layout::{AggregationAt, FieldAt, Repr, spare_map, stacks_map, value_words};
use super::near::{self, Near};
use super::parts;
use super::scratch::SCRATCH;
use super::seats::{self, Seats};
use super::{DataSection, Error, MapDef, Options};
use crate::check::typed::{Function, Program, Text, Type, Variable};

/// The most bytes of a key: some strings of the longest that there are. Hash maps take what kmalloc() gives, megabytes
/// (htab_map_alloc_check in kernel/bpf/hashtab.c).
const KEY_LIMIT: u32 = 256 << 10;
/// The most bytes of a value of a per-CPU map (PCPU_MIN_UNIT_SIZE in linux/percpu.h); where there is no key, too.
const PER_CPU_LIMIT: u32 = 32 << 10;
/// What a map entry takes besides key and value, roughly, in bytes.
const ENTRY_OVERHEAD: u64 = 16;

/// The most entries of a map.
const MOST_ENTRIES: u32 = 1 << 24;
/// So many dynamic variables have a map each.
const OWN_MAPS: usize = 16;

/// Bytes of each CPU's values that aggregations of one kind have in reserve.
const SPARE: u32 = 16 << 10;
/// Clauses of a program whose aggregations have near parts, and whose threads have seats: they double the time that the verifier takes for a clause.
const NEAR_CLAUSES: usize = 64;

/// BPF_MAP_TYPE_HASH
const HASH: u32 = 1;
/// BPF_MAP_TYPE_PERCPU_HASH
const PER_CPU_HASH: u32 = 5;
/// BPF_F_NO_PREALLOC
const NO_PREALLOC: u32 = 1;

/// Where everything with a name is.
#[derive(Debug)]
pub(super) struct Storage {
    /// Offsets in `.data.globals`.
    pub(super) globals: Vec<i32>,
    /// Size of `.data.globals`.
    globals_size: u32,
    /// Offsets in the slot.
    pub(super) locals: Vec<i32>,
    /// Bytes of all locals.
    pub(super) locals_size: u32,
    /// Where strtok() keeps its place, a word, and its string behind it: right behind the locals, whose life it shares.
    pub(super) tokens: u32,
    /// Where curpsinfo and curlwpsinfo point to.
    pub(super) process: u32,
    pub(super) thread: u32,
    /// Where the number of bytes of scratch memory that are taken is kept, and the memory behind it.
    pub(super) scratch: u32,
    /// The word that says where a clause in pieces goes on.
    pub(super) resume: u32,
    /// Where what a clause has for itself begins: behind all that clauses share.
    pub(super) own: u32,
    /// The maps of the dynamic variables.
    pub(super) dynamics: Vec<DynamicAt>,
    /// The maps of the aggregations.
    pub(super) aggregations: Vec<AggregationAt>,
    /// Bytes from one CPU's near parts to the next one's.
    pub(super) near_stride: u32,
    /// All the maps.
    pub(super) maps: Vec<MapDef>,
}

/// A dynamic variable's map.
#[derive(Debug)]
pub(super) struct DynamicAt {
    /// Its symbol.
    pub(super) map: String,
    /// The first word of its keys, where it shares the map with others.
    pub(super) number: Option<u32>,
    /// Where the parts of the key lie; the number and the thread come before them.
    pub(super) keys: Vec<FieldAt>,
    /// Size of the key in bytes.
    pub(super) key_size: u32,
    /// Where threads have it before that.
    pub(super) seats: Option<Seats>,
}

impl Storage {
    /// Gives everything in the program its place.
    pub(super) fn new(program: &Program, options: &Options) -> Result<Storage, Error> {
        let (globals, globals_size) = scalars(&program.globals, 0);
        let (locals, locals_end) = scalars(&program.locals, SLOT_SIZE as u32);
        let mut maps = Vec::new();
        let dynamics = dynamics(program, options.dynvarsize, &mut maps)?;

        let (mut aggregations, mut near_size) = (Vec::new(), 0);
        for (index, aggregation) in program.aggregations.iter().enumerate() {
            let (keys, key_size) = key(&aggregation.keys, 0);
            let name = format!("@{}", aggregation.name);
            check_key(&name, key_size)?;
            let value_size = value_words(aggregation.function).saturating_mul(8);
            if value_size > PER_CPU_LIMIT {
                return Err(Error::Value { name, size: value_size, limit: PER_CPU_LIMIT });
            }
            let map = format!("agg_{index}");
            let hash = key_size > 0;
            let value_size = if hash { value_size } else { parts::stride(value_size) };
            let max_entries = entries(options.aggsize, key_size + value_size);
            // What keeps a value rather than a count begins anew when it is cleared, which a place cannot.
            let kept = matches!(aggregation.function, Function::Min | Function::Max);
            let near = (hash && !kept && program.clauses.len() <= NEAR_CLAUSES)
                .then(|| Near::new(near_size, key_size, value_size, max_entries))
                .flatten();
            near_size = near.map_or(near_size, |near| near.end());
            let symbol = map.clone();
            if hash {
                let (kind, flags) = (PER_CPU_HASH, NO_PREALLOC);
                maps.push(MapDef { symbol, kind, key_size, value_size, max_entries, flags });
                add_spare(&mut maps, key_size, value_size);
            } else {
                maps.push(parts::map(symbol, value_size, options.cpus));
            }
            for field in &keys {
                if let Repr::StackKey(stack) = field.repr {
                    add_stacks(&mut maps, stack.frames, options.aggsize);
                }
            }
            let aggregation = aggregation.clone();
            let number = index as u32;
            aggregations.push(AggregationAt { aggregation, number, map, keys, key_size, value_size, near });
        }
        let near_stride = parts::stride(near_size);
        if near_size > 0 {
            maps.push(parts::map(near::MAP.into(), near_stride, options.cpus));
        }
        let locals_size = locals_end - SLOT_SIZE as u32;
        let tokens = locals_end;
        let process = match program.keeps.tokens {
            0 => tokens,
            size => tokens + 8 + size.next_multiple_of(8),
        };
        let thread = process + program.keeps.process.next_multiple_of(8);
        let scratch = thread + program.keeps.thread.next_multiple_of(8);
        // As much again is left free behind it.
        let resume = if program.keeps.scratch { scratch + 8 + 2 * SCRATCH + 8 } else { scratch };
        Ok(Storage {
            process,
            thread,
            scratch,
            globals,
            globals_size,
            locals,
            locals_size,
            tokens,
            resume,
            own: resume + 8,
            dynamics,
            aggregations,
            near_stride,
            maps,
        })
    }

    /// Bytes behind the slot's head that a firing finds zeroed: the locals, and the place and first characters of strtok().
    pub(super) fn cleared(&self) -> u32 {
        self.locals_size + if self.process > self.tokens { 16 } else { 0 }
    }

    /// Bytes of all globals.
    pub(super) fn globals_size(&self) -> u32 {
        self.globals_size
    }

    /// The section of the globals, if there are any.
    pub(super) fn section(&self) -> Option<DataSection> {
        let bytes = vec![0; self.globals_size as usize];
        (self.globals_size > 0).then(|| DataSection { name: GLOBALS.into(), bytes })
    }
}

/// How a value of a type lies in messages and keys.
pub(super) fn repr(ty: &Type) -> Repr {
    match ty {
        Type::Int(_) | Type::Enum(_) => {
            let (bytes, signed) = ty.as_int().map_or((8, false), |int| (int.bytes, int.signed));
            Repr::Int { bytes, signed }
        }
        Type::String(Text::Buffer(size)) => Repr::Str(*size),
        Type::String(Text::Ip) => Repr::Ip,
        Type::String(Text::Probe(part)) => Repr::Probe(*part),
        Type::Float(float) => Repr::Float(float.bytes() as u8),
        Type::Array(..) | Type::Composite(_) => Repr::Bytes(ty.size().unwrap_or(0)),
        Type::Pointer(_) | Type::Struct(_) | Type::Function(_) | Type::Void => {
            Repr::Int { bytes: 8, signed: false }
        }
        Type::Stack(stack) => Repr::Stack(*stack),
        Type::Symbol(symbol) => Repr::Symbol(*symbol),
    }
}

/// What a variable of the type takes, in bytes.
pub(super) fn variable_size(ty: &Type) -> u32 {
    match ty {
        Type::String(_) | Type::Array(..) | Type::Composite(_) | Type::Float(_) => {
            repr(ty).size().next_multiple_of(8)
        }
        _ => 8,
    }
}

/// Where dynamic variables are. Each has a map of its own, whose keys are short; where there are more than a program of the kernel has
/// maps, those with keys and values of one size share one.
fn dynamics(program: &Program, bytes: u64, maps: &mut Vec<MapDef>) -> Result<Vec<DynamicAt>, Error> {
    let shared = program.dynamics.len() > OWN_MAPS;
    let (mut dynamics, mut seats_end) = (Vec::new(), 0);
    for (index, dynamic) in program.dynamics.iter().enumerate() {
        let number = shared.then_some(index as u32);
        let words = u32::from(shared) + u32::from(dynamic.thread_local);
        let (keys, key_size) = key(&dynamic.keys, 8 * words);
        check_key(&dynamic.name, key_size)?;
        let value_size = variable_size(&dynamic.ty);
        let symbol = if shared { format!("dyn_{key_size}_{value_size}") } else { format!("dyn_{index}") };
        let seats = (dynamic.is_own() && program.clauses.len() <= NEAR_CLAUSES)
            .then(|| Seats::new(seats_end, value_size, bytes))
            .flatten();
        seats_end = seats.map_or(seats_end, Seats::end);
        let rest = bytes - seats.map_or(0, |seats| seats.size().into());
        let max_entries = entries(rest, key_size + value_size);
        dynamics.push(DynamicAt { number, map: symbol.clone(), keys, key_size, seats });
        if let Some(map) = maps.iter_mut().find(|map| map.symbol == symbol) {
            map.max_entries = map.max_entries.saturating_add(max_entries).min(MOST_ENTRIES);
            continue;
        }
        maps.push(MapDef { symbol, kind: HASH, key_size, value_size, max_entries, flags: NO_PREALLOC });
    }
    if seats_end > 0 {
        maps.push(parts::map(seats::MAP.into(), seats_end, 1));
    }
    Ok(dynamics)
}

/// The offsets of scalars from `start`, and the end.
fn scalars(variables: &[Variable], start: u32) -> (Vec<i32>, u32) {
    let mut end = start;
    let place = |variable: &Variable| {
        let offset = end;
        end += variable_size(&variable.ty);
        offset as i32
    };
    let offsets = variables.iter().map(place).collect();
    (offsets, end)
}

/// Where the parts of a key lie, each at a multiple of 8, and the key's size.
fn key(types: &[Type], start: u32) -> (Vec<FieldAt>, u32) {
    let mut end = start;
    let place = |ty: &Type| {
        let repr = match repr(ty) {
            Repr::Stack(stack) => Repr::StackKey(stack),
            repr => repr,
        };
        let field = FieldAt { offset: end, repr };
        end += field.repr.size().next_multiple_of(8);
        field
    };
    let fields = types.iter().map(place).collect();
    (fields, end)
}

/// The map that keeps the stacks of so many addresses, once.
fn add_stacks(maps: &mut Vec<MapDef>, words: u32, bytes: u64) {
    let (symbol, value_size) = (stacks_map(words), words * 8);
    if maps.iter().all(|map| map.symbol != symbol) {
        let max_entries = entries(bytes, 8 + value_size);
        maps.push(MapDef { symbol, kind: HASH, key_size: 8, value_size, max_entries, flags: NO_PREALLOC });
    }
}

/// The map that aggregations of such keys and values have in reserve.
fn add_spare(maps: &mut Vec<MapDef>, key_size: u32, value_size: u32) {
    let symbol = spare_map(key_size, value_size);
    if maps.iter().all(|map| map.symbol != symbol) {
        let max_entries = (SPARE / value_size).clamp(16, 256);
        maps.push(MapDef {
            symbol,
            kind: PER_CPU_HASH,
            key_size: 8 + key_size,
            value_size,
            max_entries,
            flags: 0,
        });
    }
}

fn check_key(name: &str, size: u32) -> Result<(), Error> {
    match size > KEY_LIMIT {
        true => Err(Error::Key { name: name.into(), size, limit: KEY_LIMIT }),
        false => Ok(()),
    }
}

/// How many entries of that size there is room for.
fn entries(bytes: u64, entry: u32) -> u32 {
    (bytes / (u64::from(entry) + ENTRY_OVERHEAD)).clamp(16, MOST_ENTRIES.into()) as u32
}
