//! What the linker makes for each trampoline: its dispatcher with the clauses, its gate and constants; a copy of it where it
//! is for one instance of its probe; and the parts that follow where the clauses are too many for one program.

use super::function::{Function, Target};
use super::linker::{Linker, PartAt};
use super::{LinkError, dispatch, locks, split};
use crate::bpf::Code;
use crate::lower::{ClauseImage, MapDef, ProgramImage};
use probes_common::probe::Attach;

/// Programs that may follow one another in a firing (MAX_TAIL_CALL_CNT in include/linux/bpf.h, 6.1).
const MAX_PARTS: usize = 33;

/// What the linker defines for each trampoline, by the beginning of the name.
const DEFINED: [&str; 3] = ["gate_", "takes_", "clauses_"];

impl Linker {
    /// Adds a trampoline with its dispatchers, gate, clauses and constants; gives its symbol.
    pub(super) fn program(
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
            self.add(dispatch::gate(&symbol, image));
        }
        let predicates = image.clauses.iter().filter_map(|clause| Some(&clause.gated.as_ref()?.predicate));
        let asked = predicates.map(|code| Function::from_code(code.clone()));
        asked.chain([dispatch::takes(&symbol, &image.clauses)]).for_each(|function| self.add(function));
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
            functions.into_iter().for_each(|function| self.add(function));
        }
        if last > 0 {
            const PROG_ARRAY: u32 = 3;
            let (kind, max_entries) = (PROG_ARRAY, last as u32);
            self.maps.push(MapDef { symbol: map, kind, key_size: 4, value_size: 4, max_entries, flags: 0 });
        }
        Ok(last == 0)
    }
}

/// The clauses of a trampoline, piece by piece, as a dispatcher takes them. Of the only one `takes_NAME` has asked the predicate,
/// `gate_NAME` the discriminator.
fn entries_of(program: &ProgramImage) -> Vec<dispatch::Entry<'_>> {
    match program.clauses.as_slice() {
        [clause] => {
            let pieces = clause.gated.as_ref().map_or(&clause.pieces, |gated| &gated.rest);
            pieces.iter().map(|code| entry(clause, code, None)).collect()
        }
        clauses => clauses.iter().flat_map(entries).collect(),
    }
}

/// The pieces of a clause.
pub(super) fn entries(clause: &ClauseImage) -> impl Iterator<Item = dispatch::Entry<'_>> {
    clause.pieces.iter().map(|code| entry(clause, code, clause.discriminators.as_deref()))
}

fn entry<'a>(clause: &ClauseImage, code: &Code, discriminators: Option<&'a [u16]>) -> dispatch::Entry<'a> {
    let (function, frame, light) = (Function::from_code(code.clone()), code.frame, clause.light);
    dispatch::Entry { function, frame, discriminators, light }
}
