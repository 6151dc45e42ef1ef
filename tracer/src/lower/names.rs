//! Parts of probes' names as numbers.
//!
//! Invariant: within a program, equal names have equal numbers: those of the first probe, in the order of the text, that
//! is called so. So they can be keys: what an entry stored under its probefunc, the return finds.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::program::Unit;
use crate::check::typed::ProbePart;
use crate::provider::{Instance, ProbeInfo};

/// The names of all probes of a program.
pub(super) struct Names<'a> {
    /// All probes with their numbers, in the order of the text.
    probes: Vec<(u32, &'a ProbeInfo)>,
    /// The numbers of the trampolines.
    hosts: HashMap<(&'static str, Option<Instance>), u32>,
    /// For each part the number of each name, made when it is first asked for.
    numbers: [OnceCell<HashMap<String, u32>>; 4],
}

impl<'a> Names<'a> {
    /// The names of the probes of these units, each with the number of its trampoline.
    pub(super) fn new<'u>(units: impl Iterator<Item = (u32, &'u Unit<'a>)>) -> Names<'a>
    where
        'a: 'u,
    {
        let mut names = Names { probes: Vec::new(), hosts: HashMap::new(), numbers: Default::default() };
        for (host, unit) in units {
            names.hosts.insert((unit.info().program.name, unit.info().instance), host);
            let number = |probe: &ProbeInfo| host << 16 | u32::from(probe.discriminator);
            names.probes.extend(unit.probes.iter().map(|(_, probe)| (number(probe), *probe)));
        }
        names
    }

    /// All of them.
    pub(super) fn probes(&self) -> impl Iterator<Item = &ProbeInfo> {
        self.probes.iter().map(|probe| probe.1)
    }

    /// `program << 16 | discriminator` of the probe.
    pub(super) fn own_number(&self, probe: &ProbeInfo) -> u32 {
        self.hosts[&(probe.program.name, probe.instance)] << 16 | u32::from(probe.discriminator)
    }

    /// The number of this part of the probe's name.
    pub(super) fn number(&self, part: ProbePart, probe: &ProbeInfo) -> u32 {
        let index = match part {
            ProbePart::Provider => 0,
            ProbePart::Module => 1,
            ProbePart::Function => 2,
            ProbePart::Name => 3,
        };
        let numbers = self.numbers[index].get_or_init(|| {
            let mut numbers = HashMap::new();
            for (number, probe) in &self.probes {
                numbers.entry(part_of(probe, part).to_owned()).or_insert(*number);
            }
            numbers
        });
        numbers[part_of(probe, part)]
    }
}

/// A part of a probe's name.
pub(super) fn part_of(probe: &ProbeInfo, part: ProbePart) -> &str {
    match part {
        ProbePart::Provider => &probe.provider,
        ProbePart::Module => &probe.module,
        ProbePart::Function => &probe.function,
        ProbePart::Name => &probe.name,
    }
}
