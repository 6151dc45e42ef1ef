//! The program as a whole: which clauses run on which trampolines, and the image that comes of it.
//!
//! Programs are numbered in the order of their first use. Enabled probes are numbered as DTrace numbers them: ERROR's
//! clauses first, then probe by probe, of each its clauses in the order of the text.

use std::cell::OnceCell;
use std::collections::HashSet;

use probes_common::abi::{MAX_PROGRAMS, SLOT_SIZE};
use probes_common::probe::{Arg, Attach};

use super::alone;
use super::clause::{self, Compiled, Part};
use super::data::Data;
use super::layout::FIRST_EPID;
use super::names::Names;
use super::release;
use super::storage::Storage;
use super::thread;
use super::{ClauseImage, Error, Image, Options, Probes, ProgramImage};
use crate::check::typed::{Clause, Program};
use crate::provider::{ProbeId, ProbeInfo};

/// The most clauses of one trampoline whose predicates are asked before there is a slot: every firing asks them all.
const ASKED_BEFORE: usize = 8;

/// What a clause function is compiled for: probes of one trampoline with the same arguments.
pub(super) struct Unit<'a> {
    /// Its probes, in the order of their ids; never empty.
    pub(super) probes: Vec<(ProbeId, &'a ProbeInfo)>,
}

impl<'a> Unit<'a> {
    /// One of its probes: trampoline, its copy and arguments are those of all.
    pub(super) fn info(&self) -> &'a ProbeInfo {
        self.probes[0].1
    }

    /// Where `args[n]` of its probes is.
    pub(super) fn arg(&self, index: u8) -> Option<&'static Arg> {
        self.info().args.get(usize::from(index))
    }

    fn hosts(&self, probe: &ProbeInfo) -> bool {
        same_program(self.info(), probe) && self.info().args == probe.args
    }
}

fn same_program(a: &ProbeInfo, b: &ProbeInfo) -> bool {
    a.program.name == b.program.name && a.instance == b.instance
}

/// See [`super::lower`].
pub(super) fn lower(program: &Program, probes: &dyn Probes, options: &Options) -> Result<Image, Error> {
    let storage = Storage::new(program, options)?;
    let mut data = Data::default();
    let mut image =
        Image { slot_size: storage.own, locals: (SLOT_SIZE as u32, storage.cleared()), ..Image::default() };
    let (mut units, mut functions) = (Vec::new(), HashSet::new());
    for (index, clause) in program.clauses.iter().enumerate() {
        for unit in units_of(clause, probes) {
            units.push((index, host(&mut image.programs, unit.info(), probes), unit));
        }
    }
    if image.programs.len() > MAX_PROGRAMS as usize {
        return Err(Error::Programs { count: image.programs.len(), limit: MAX_PROGRAMS });
    }
    units.sort_by_key(|(_, host, unit)| (unit.info().program.attach != Attach::Called, *host));
    let names = Names::new(units.iter().map(|(_, host, unit)| (*host as u32, unit)));
    let given = units.iter().any(|(_, _, unit)| thread::gives_thread(unit));
    let own_frames = OnceCell::new();
    let places = units.iter().map(|(index, host, unit)| (*index, *host, unit.info().program.attach));
    let alone = &alone::alone(program, places);
    let context =
        clause::Context { program, storage: &storage, options, names: &names, given, own_frames, alone };
    for (index, host, unit) in &units {
        let epid = image.layouts.len() as u32 + FIRST_EPID;
        let name = format!("clause_{epid}");
        let from = clause::Source { context: &context, unit, index: *index, epid };
        let spans = &mut image.spans;
        let compiled = clause::compile(name, from, Part::Whole, &mut data, spans)?;
        let Compiled { pieces, layouts, wants, needs, slot_size, light } = compiled;
        image.supports.extend(needs);
        let companions = units.iter().filter(|(_, other, _)| other == host).count();
        let gated = match companions <= ASKED_BEFORE {
            true => clause::gated(from, light, &mut data, spans)?,
            false => None,
        };
        image.layouts.extend(layouts);
        image.slot_size = image.slot_size.max(slot_size);
        let host = &mut image.programs[*host];
        attach(host, unit, &mut functions, probes);
        host.wants |= wants;
        let discriminators = discriminators(unit, &host.hosted);
        host.clauses.push(ClauseImage { epid, pieces, discriminators, light, gated });
    }
    image.programs.extend(release::threads(program, &storage, options)?);
    image.data.extend(storage.section());
    image.data.extend(data.into_sections());
    image.maps = storage.maps;
    image.aggregations = storage.aggregations;
    Ok(image)
}

/// The units of a clause, in the order of their first probes.
fn units_of<'a>(clause: &Clause, probes: &'a dyn Probes) -> Vec<Unit<'a>> {
    let mut units: Vec<Unit<'a>> = Vec::new();
    for &id in &clause.probes {
        let info = probes.probe(id);
        match units.iter_mut().find(|unit| unit.hosts(info)) {
            Some(unit) => unit.probes.push((id, info)),
            None => units.push(Unit { probes: vec![(id, info)] }),
        }
    }
    units
}

/// The index of the probe's trampoline, which is added if it is not there.
fn host(programs: &mut Vec<ProgramImage>, probe: &ProbeInfo, probes: &dyn Probes) -> usize {
    let known = programs
        .iter()
        .position(|host| host.program.name == probe.program.name && host.instance == probe.instance);
    known.unwrap_or_else(|| {
        let (program, instance) = (probe.program, probe.instance);
        let hosted = if program.family { probes.hosted(program, instance) } else { Vec::new() };
        let (functions, clauses) = (Vec::new(), Vec::new());
        programs.push(ProgramImage { program, instance, wants: 0, hosted, functions, clauses });
        programs.len() - 1
    })
}

/// Notes what the trampoline of a unit of functions is attached to, each once.
fn attach(host: &mut ProgramImage, unit: &Unit, known: &mut HashSet<ProbeId>, probes: &dyn Probes) {
    if let Attach::Function { .. } = host.program.attach {
        let new = unit.probes.iter().filter(|(id, _)| known.insert(*id));
        host.functions.extend(new.map(|(id, _)| probes.function(*id)));
    }
}

/// The discriminators of a unit, where they are not all that there are.
fn discriminators(unit: &Unit, hosted: &[u16]) -> Option<Vec<u16>> {
    if !unit.info().program.family || unit.probes.len() == hosted.len() {
        return None;
    }
    let mut discriminators: Vec<u16> = unit.probes.iter().map(|(_, probe)| probe.discriminator).collect();
    discriminators.sort_unstable();
    discriminators.dedup();
    Some(discriminators)
}
