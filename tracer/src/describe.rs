//! Compiled programs described: for the consumer, and for those who want to see the code (-S).

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::bpf;
use crate::consume::Description;
use crate::kernel::Target;
use crate::lower::{Image, ProgramImage};
use crate::output::table;
use crate::provider::stability as probes;
use crate::provider::{self, Catalog, Pattern, ProbeId};
use crate::stability::{Attributes, STABLE};
use crate::{Compiled, Stage};

/// What the consumer has to know of the program.
pub fn description<'a>(compiled: &Compiled, catalog: &'a Catalog, target: &Target) -> Description<'a> {
    Description {
        layouts: compiled.image.layouts.clone(),
        aggregations: compiled.image.aggregations.clone(),
        probes: numbers(&compiled.image, catalog),
        programs: compiled.image.programs.iter().map(|program| name(program, catalog)).collect(),
        symbols: compiled
            .image
            .programs
            .iter()
            .map(|program| (program.symbol(), name(program, catalog)))
            .collect(),
        catalog,
        cpus: target.cpus,
        options: compiled.options.clone(),
    }
}

/// Whether the program shows addresses of the kernel by name.
pub fn names_kernel(image: &Image) -> bool {
    let recorded = image.layouts.iter().flat_map(|layout| &layout.actions).flat_map(|action| &action.fields);
    let keys = image.aggregations.iter().flat_map(|aggregation| &aggregation.keys);
    recorded.chain(keys).any(|field| field.repr.names_kernel())
}

/// What a trampoline's drops are reported under: its probe, or of a family `syscall:::entry` and the like.
fn name(program: &ProgramImage, catalog: &Catalog) -> String {
    let mut hosted = catalog.probes().filter(|probe| probe.program.name == program.program.name);
    let probe = match program.instance {
        Some(_) => hosted.find(|probe| probe.instance == program.instance),
        None => hosted.next(),
    };
    match probe {
        Some(probe) if program.instance.is_some() => probe.to_string(),
        Some(probe) => format!("{}:::{}", probe.provider, probe.name),
        None => program.program.name.to_owned(),
    }
}

/// The probe of each number that the programs can send: `program << 16 | discriminator`.
fn numbers(image: &Image, catalog: &Catalog) -> HashMap<u32, ProbeId> {
    let mut numbers = HashMap::new();
    for (program, number) in image.programs.iter().zip(0_u32..) {
        let hosted = catalog.ids().filter_map(|id| Some((id, catalog.get(id)?)));
        for (id, probe) in hosted {
            if probe.program.name == program.program.name && probe.instance == program.instance {
                numbers.insert(number << 16 | u32::from(probe.discriminator), id);
            }
        }
    }
    numbers
}

/// DTrace's report on how stable a text is (-v), which `title` calls `script FILE` or `description TEXT`. Where it is not
/// run, its descriptions follow.
pub fn stability(title: &str, stage: &Stage, catalog: &Catalog, runs: bool) -> String {
    let descriptions = stage.descriptions.iter();
    let least = descriptions.clone().map(|description| description.attributes()).reduce(Attributes::min);
    let mut text = format!(
        "\nStability attributes for {title}:\n\n\tMinimum Probe Description Attributes\n{}\n\tMinimum Statement Attributes\n{}",
        least.unwrap_or(STABLE).report(),
        stage.statements.report()
    );
    if runs {
        text.push('\n');
        return text;
    }
    for probes::Description { pattern, described, probe, .. } in descriptions {
        let Pattern { provider, module, function, name } = pattern;
        let _ = writeln!(text, "\n{provider}:{module}:{function}:{name}");
        let known = described.zip(probe.and_then(|id| catalog.get(id)));
        text.extend(known.map(|(described, probe)| provider::probe_info(catalog, probe, described)));
    }
    text
}

/// How each trampoline is attached and what it calls, as a table (-v).
pub fn programs(image: &Image) -> String {
    let rows: Vec<Vec<String>> = image
        .programs
        .iter()
        .map(|program| {
            let pieces = program.clauses.iter().flat_map(|clause| &clause.pieces);
            let instructions: usize = pieces.map(|code| code.insns.len()).sum();
            vec![
                program.program.name.to_owned(),
                provider::describe(program.program.attach),
                program.program.needs.len().to_string(),
                program.clauses.len().to_string(),
                instructions.to_string(),
            ]
        })
        .collect();
    table::render(&["PROGRAM", "HANGS ON", "SUPPORTS", "CLAUSES", "INSTRUCTIONS"], &rows)
}

/// The code of every clause, as the verifier would print it.
pub fn code(image: &Image) -> String {
    let mut text = String::new();
    for program in &image.programs {
        for code in program.clauses.iter().flat_map(|clause| &clause.pieces) {
            let _ = writeln!(text, "{}: {} instructions", code.name, code.insns.len());
            text.push_str(&bpf::disassemble(code));
            text.push('\n');
        }
    }
    text
}
