//! Providers of programs themselves: the probes that their files' notes tell of.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use probes_common::probe::Arg;
use probes_common::providers::usdt::{ARGS, Operand, Spec, USDT};

use super::process::Processes;
use super::{Found, Place};
use crate::diagnostic::{Tag, nearest};
use crate::provider::unmatched::OfProcess;
use crate::provider::{Pattern, elsewhere, is_glob, matches};
use crate::user::{Image, Module, Note, Types, operand};

/// The probes that a description describes; `base` is the provider without the process.
pub(super) fn find(
    processes: &mut Processes,
    specs: &mut Vec<Spec>,
    base: &str,
    pid: u32,
    pattern: &Pattern,
) -> Result<Vec<Found>, OfProcess> {
    let (process, mut modules) = processes.modules(pid, &pattern.module)?;
    modules.extend(processes.beside(process, &pattern.module, |provider| provides(pid, base, provider)));
    // Probes are written `a-b` in D and `a__b` in C.
    let wanted = pattern.name.replace("__", "-");
    let mut found: Vec<Found> = Vec::new();
    for (module, image) in &modules {
        for note in image
            .notes
            .iter()
            .filter(|note| provides(pid, base, &note.provider) && matches(&wanted, &note.name))
        {
            let function = image.function_at(note.address).map_or("", |function| function.name());
            if !matches(&pattern.function, function) {
                continue;
            }
            let Some(offset) = image.place(note.address) else { continue };
            let symbol = |name: &str| Some(in_memory(module, image)?.wrapping_add(image.symbol(name)?));
            let (spec, count) = operand::spec(&note.arguments, &symbol);
            let spec_args = spec.args;
            let place = Place {
                file: module.file.clone(),
                offset,
                semaphore: image.data_place(note.semaphore).filter(|_| note.semaphore != 0).unwrap_or(0),
                process,
                pid,
                spec: number(specs, spec),
            };
            let provider = format!("{}{pid}", note.provider);
            let same = |probe: &&mut Found| {
                (&probe.provider, &probe.module, &*probe.function, &probe.name)
                    == (&provider, &module.file_name, function, &note.name)
            };
            match found.iter_mut().find(same) {
                Some(probe) => {
                    if probe.args.len() < count && told(image, note).is_none() {
                        probe.args = typed(image, note, &spec_args[..count]);
                    }
                    probe.places.push(place);
                }
                None => found.push(Found {
                    provider,
                    module: module.file_name.clone(),
                    function: function.to_owned(),
                    name: note.name.clone(),
                    program: &USDT,
                    args: typed(image, note, &spec_args[..count]),
                    doc: "Fires where the program has put it; its arguments are what the program passes.",
                    places: vec![place],
                }),
            }
        }
    }
    if found.is_empty() { Err(none(base, pid, pattern, &modules)) } else { Ok(found) }
}

/// Whether a description's provider means this one.
fn provides(pid: u32, base: &str, provider: &str) -> bool {
    matches(base, provider) || is_glob(base) && matches(base, &format!("{provider}{pid}"))
}

/// What the file tells of the types of a probe's arguments.
fn told<'a>(image: &'a Image, note: &Note) -> Option<&'a Types> {
    image.types.iter().find(|types| types.provider == note.provider && types.name == note.name)
}

/// The arguments of a probe: as its program declares them, or else as large as they are.
fn typed(image: &Image, note: &Note, operands: &[Operand]) -> &'static [Arg] {
    let read = |passed: usize| operands.get(passed).is_none_or(|operand| operand.bytes > 0);
    let row = |(passed, ctype): (usize, String)| (passed, ctype, read(passed));
    match told(image, note) {
        Some(types) => arguments(types.args.iter().cloned().map(row).collect()),
        None => {
            let sized = |operand: &Operand| {
                SIZED.iter().find(|row| (row.0, row.1) == (operand.bytes, operand.signed != 0))
            };
            let ctype = |operand| sized(operand).map_or("int64_t", |row| row.2).to_owned();
            arguments(operands.iter().map(ctype).enumerate().map(row).collect())
        }
    }
}

/// Integer types by their size and whether they are signed.
const SIZED: &[(u8, bool, &str)] = &[
    (1, true, "int8_t"),
    (1, false, "uint8_t"),
    (2, true, "int16_t"),
    (2, false, "uint16_t"),
    (4, true, "int32_t"),
    (4, false, "uint32_t"),
    (8, true, "int64_t"),
    (8, false, "uint64_t"),
];

/// Rows of arguments, which live as long as the program, as those of other probes do: those of one kind are one. Each is the number by
/// which it is passed, its type, and whether it can be read.
fn arguments(args: Vec<(usize, String, bool)>) -> &'static [Arg] {
    type Made = HashMap<Vec<(usize, String, bool)>, &'static [Arg]>;
    static MADE: LazyLock<Mutex<Made>> = LazyLock::new(Mutex::default);
    let row = |(passed, ctype, read): &(usize, String, bool)| {
        let of = ARGS.get(*passed)?;
        let doc =
            if *read { of.doc } else { "0: it is where no probe can read, as floating-point numbers are" };
        Some(Arg { ctype: Box::leak(ctype.clone().into_boxed_str()), doc, ..*of })
    };
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.entry(args).or_insert_with_key(|args| Box::leak(args.iter().filter_map(row).collect()))
}

/// The number of a row.
fn number(specs: &mut Vec<Spec>, spec: Spec) -> u16 {
    let known = specs.iter().position(|known| *known == spec).unwrap_or_else(|| {
        specs.push(spec);
        specs.len() - 1
    });
    u16::try_from(known).unwrap_or(u16::MAX)
}

/// What is added to an address in the file for where it is in memory.
fn in_memory(module: &Module, image: &Image) -> Option<u64> {
    let (start, offset) = module.mapped;
    Some(start.wrapping_sub(image.address(offset)?))
}

fn none(base: &str, pid: u32, pattern: &Pattern, modules: &[(Module, Arc<Image>)]) -> OfProcess {
    let notes = || modules.iter().flat_map(|(_, image)| &image.notes);
    let base = base.trim_end_matches('*');
    let of_provider: Vec<&str> =
        notes().filter(|note| note.provider == base).map(|note| note.name.as_str()).collect();
    if of_provider.is_empty() {
        let providers = notes().map(|note| note.provider.as_str());
        let help = match nearest(base, providers.clone()) {
            Some(near) => format!("did you mean `{near}{pid}`?"),
            None if let Some(elsewhere) = elsewhere::find(base) => {
                format!("{}: {}", elsewhere.reason, elsewhere.instead)
            }
            None => {
                let mut providers: Vec<&str> = providers.collect();
                providers.sort_unstable();
                providers.dedup();
                match providers.is_empty() {
                    true => "neither it nor its libraries bring probes along; pid$target has their functions"
                        .to_owned(),
                    false => format!("it has {}", providers.join(", ")),
                }
            }
        };
        return OfProcess::new(Tag::D_PDESC_ZERO, format!("process {pid} has no provider `{base}`"), help);
    }
    let help = match nearest(&pattern.name, of_provider) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("`tracer -l -P {base}{pid}` lists its probes"),
    };
    OfProcess::new(Tag::D_PDESC_ZERO, format!("`{pattern}` matches no probe"), help)
}
