//! tracer: a DTrace for Linux. This page is the whole pipeline:
//!
//! text → [`syntax`] → tree → [`check`] → typed program → [`lower`], by [`ir`] and [`bpf`] → image → [`link`] → programs →
//! [`session`] → kernel → [`consume`] → events → [`output`].
//!
//! [`compile`] and [`link_for`] are pure functions of (source, options, [`kernel::Target`]); only `session` and
//! `consume` touch the kernel.

pub mod bpf;
pub mod called;
pub mod check;
pub mod cli;
pub mod consume;
pub mod declare;
pub mod describe;
pub mod diagnostic;
pub mod event;
pub mod explain;
pub mod ir;
pub mod kernel;
pub mod link;
pub mod lower;
pub mod output;
pub mod provider;
pub mod session;
pub mod stability;
pub mod syntax;
pub mod user;
pub mod view;

use check::options::Policy;
use check::{Macros, Options};
use diagnostic::{Diagnostic, Problems, SourceId, Sources, Tag};
use kernel::Target;
use kernel::currents::Currents;
use lower::Image;
use probes_common::abi::{ANY_CPU, Scope};
use probes_common::probe::Attach;
use probes_common::providers::sched;
use probes_common::providers::usdt::SPECS;
use provider::stability::Description;
use provider::{Catalog, ProbeId};
use session::{Session, SessionError};
use stability::{Attributes, STABLE};
use syntax::DescPart;

/// The trampolines, built by `cargo xtask probes`.
static PROBES: &[u8] = aya::include_bytes_aligned!("../probes.bpf.o");

/// A compiled program.
#[derive(Debug)]
pub struct Compiled {
    /// What is to be linked.
    pub image: Image,
    /// The options as the program's pragmas left them.
    pub options: Options,
    /// What its author should know.
    pub warnings: Vec<Diagnostic>,
    /// What each source matched.
    pub stages: Vec<Stage>,
    /// The probes of each clause.
    pub clauses: Vec<Vec<ProbeId>>,
}

/// A program text to compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input {
    /// The text.
    pub source: SourceId,
    /// Which part its probe descriptions end with.
    pub last: DescPart,
}

/// A D library to read before the programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibraryInput {
    /// Its file's name, by which others depend on it.
    pub name: String,
    /// The text.
    pub source: SourceId,
}

/// What a source matched.
#[derive(Debug, Clone)]
pub struct Stage {
    /// The source.
    pub source: SourceId,
    /// Enablings: for each clause the number of its probes, together.
    pub probes: usize,
    /// The descriptions of its clauses.
    pub descriptions: Vec<Description>,
    /// The least attributes of its clauses.
    pub statements: Attributes,
}

impl Compiled {
    /// The enabled probes, each once, by id.
    pub fn probes(&self) -> Vec<ProbeId> {
        let mut probes = self.clauses.concat();
        probes.sort_unstable();
        probes.dedup();
        probes
    }

    /// Whether any of them is in a program of a process.
    pub fn is_in_programs(&self) -> bool {
        let in_program = |attach| matches!(attach, Attach::Uprobe | Attach::Uretprobe);
        self.image.programs.iter().any(|program| in_program(program.program.attach))
    }
}

/// Compiles the sources, which run together, or says everything that is wrong with them.
pub fn compile(
    sources: &mut Sources,
    inputs: &[Input],
    catalog: &mut Catalog,
    target: &Target,
    options: &Options,
    macros: &Macros,
) -> Result<Compiled, Problems> {
    compile_with(sources, &[], inputs, catalog, target, options, macros)
}

/// [`compile`], with libraries that are read before.
pub fn compile_with(
    sources: &mut Sources,
    libraries: &[LibraryInput],
    inputs: &[Input],
    catalog: &mut Catalog,
    target: &Target,
    options: &Options,
    macros: &Macros,
) -> Result<Compiled, Problems> {
    let checked = checked(sources, libraries, inputs, catalog, options, macros)?;
    let cpus = if checked.program.keeps.topology { target.cpus } else { 0 };
    let settings = lower::Options {
        aggsize: checked.options.aggsize,
        dynvarsize: checked.options.dynvarsize,
        speculations: checked.options.nspec,
        offsets: target.offsets,
        addresses: target.addresses.clone(),
        wall_offset: target.wall_offset,
        cpus: target.cpus,
        topology: target.topology.rows(cpus),
    };
    let image = lower::lower(&checked.program, catalog, &settings).map_err(|error| {
        let diagnostic = match &error {
            lower::Error::Clause { span, .. } => Diagnostic::error(Tag::D_LIMIT, *span, error.to_string()),
            _ => Diagnostic::placeless(Tag::D_LIMIT, error.to_string()),
        };
        Problems::from(vec![diagnostic])
    })?;
    let stages = inputs
        .iter()
        .map(|&Input { source, .. }| {
            let clauses = checked.program.clauses.iter().filter(|clause| clause.span.source == source);
            Stage {
                source,
                probes: clauses.clone().map(|clause| clause.probes.len()).sum(),
                descriptions: clauses.clone().flat_map(|clause| clause.descriptions.clone()).collect(),
                statements: clauses.fold(STABLE, |least, clause| least.min(clause.attributes)),
            }
        })
        .collect();
    let clauses = checked.program.clauses.into_iter().map(|clause| clause.probes).collect();
    Ok(Compiled { image, options: checked.options, warnings: checked.warnings, stages, clauses })
}

/// The probes of the sources' clauses, each once, by id: more than a program may have.
pub fn matched(
    sources: &mut Sources,
    libraries: &[LibraryInput],
    inputs: &[Input],
    catalog: &mut Catalog,
    options: &Options,
    macros: &Macros,
) -> Result<Vec<ProbeId>, Problems> {
    let checked = checked(sources, libraries, inputs, catalog, options, macros)?;
    let clauses = checked.program.clauses.into_iter();
    let mut probes: Vec<ProbeId> = clauses.flat_map(|clause| clause.probes).collect();
    probes.sort_unstable();
    probes.dedup();
    Ok(probes)
}

/// Parses and checks the sources.
fn checked(
    sources: &mut Sources,
    libraries: &[LibraryInput],
    inputs: &[Input],
    catalog: &mut Catalog,
    options: &Options,
    macros: &Macros,
) -> Result<check::Checked, Problems> {
    let own = own_libraries(sources, libraries, inputs);
    let mut problems = Problems::default();
    let mut parse = |source: SourceId, last| {
        let text = sources.get(source).map_or("", |source| &source.text);
        let (tree, found) = syntax::parse_with(source, text, last, &macros.arguments);
        sources.set_marks(source, tree.marks.clone());
        problems.extend(found);
        tree
    };
    let own = own.iter().map(|library| (library, true));
    let libraries: Vec<_> = own
        .chain(libraries.iter().map(|library| (library, false)))
        .map(|(LibraryInput { name, source }, own)| check::Library {
            name: name.clone(),
            program: parse(*source, DescPart::File),
            own,
        })
        .collect();
    let trees: Vec<_> = inputs.iter().map(|input| parse(input.source, input.last)).collect();
    if problems.has_errors() {
        return Err(problems);
    }
    let mut checked = check::check(&libraries, &trees, catalog, options, macros)?;
    checked.warnings.splice(0..0, problems.into_sorted());
    Ok(checked)
}

/// The libraries of our own that the sources may use.
fn own_libraries(sources: &mut Sources, libraries: &[LibraryInput], inputs: &[Input]) -> Vec<LibraryInput> {
    let given = libraries.iter().map(|library| library.source).chain(inputs.iter().map(|input| input.source));
    let texts: Vec<_> = given.filter_map(|id| sources.get(id)).map(|source| source.text.as_str()).collect();
    let named = check::standard::named_in(&texts);
    let mut add = |own: &check::standard::Standard| LibraryInput {
        name: own.name.to_owned(),
        source: sources.add(own.name, own.text),
    };
    named.into_iter().map(&mut add).collect()
}

/// Links a compiled program with the probes for a kernel and loads it. The kernel follows so many instructions of a program and no
/// more, over all ways through it: where clauses are too many for that, they are shared out among more programs.
pub fn start(
    compiled: &Compiled,
    catalog: &Catalog,
    target: &Target,
    verbose: bool,
) -> Result<Session, SessionError> {
    let lengths = compiled.image.programs.iter().map(|program| {
        let pieces = program.clauses.iter().flat_map(|clause| &clause.pieces);
        pieces.map(|code| code.insns.len()).sum::<usize>()
    });
    let mut most = lengths.max().unwrap_or(0).min(link::MOST_INSNS);
    let currents = currents(compiled, target);
    let sites = catalog.sites(&compiled.probes());
    loop {
        let mut linked = link_for(compiled, target, currents.clone(), most)?;
        let specs = linked.maps.iter_mut().find(|map| map.symbol == SPECS);
        specs.into_iter().for_each(|map| map.max_entries = sites.specs.len().max(1) as u32);
        let description = describe::description(compiled, catalog, target);
        match Session::start(&linked, description, &sites, verbose) {
            Err(SessionError::Large { .. }) if most > 1 => most /= 4,
            session => return session,
        }
    }
}

/// How the programs read the current thread; BEGIN alone need not.
fn currents(compiled: &Compiled, target: &Target) -> Option<Currents> {
    let attached =
        |program: &lower::ProgramImage| !matches!(program.program.attach, Attach::TestRun | Attach::Called);
    let types = target.types.as_ref().filter(|_| compiled.image.programs.iter().any(attached))?;
    Currents::find(target.machine, &target.release, types.kernel(), target.cpus)
}

/// Links a compiled program with the probes for a kernel, in programs of so many instructions of clauses at most.
pub fn link_for(
    compiled: &Compiled,
    target: &Target,
    currents: Option<Currents>,
    most: usize,
) -> Result<link::Output, link::LinkError> {
    let page = u64::from(target.page_size);
    let ring_size = compiled.options.bufsize.clamp(page, 1 << 30).next_power_of_two();
    let scope = Scope {
        cpus: target.cpus,
        own_pid: target.own_pid,
        watermark: ring_size / 8,
        wall_offset: target.wall_offset,
        tick: target.tick,
        following: compiled.options.scope.into(),
        cpu: compiled.options.cpu.unwrap_or(ANY_CPU),
        fill: (compiled.options.bufpolicy == Policy::Fill).into(),
        speculations: compiled.options.nspec,
        speculation_size: compiled.options.specsize,
        tick_handler: tick_handler(&compiled.image, target),
    };
    let ring_size = ring_size as u32;
    let constants = link::Constants { offsets: target.offsets, scope, ring_size, currents, most };
    link::link(PROBES, &compiled.image, &constants)
}

/// Where what the kernel's clock calls at each tick is (kernel/time/tick-sched.c): 0 where no program asks. Until Linux 6.8 the second
/// name is that of another function.
fn tick_handler(image: &lower::Image, target: &Target) -> u64 {
    if !image.programs.iter().any(|program| *program.program == sched::TICK) {
        return 0;
    }
    let find = |name: &&str| target.addresses.find(None, name).ok();
    ["tick_sched_timer", "tick_nohz_handler"].iter().find_map(find).map_or(0, |address| address.at)
}
