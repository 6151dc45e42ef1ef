//! Names, types and rules: the untyped tree becomes a typed program, or diagnostics.
//!
//! Invariants: total, whatever the tree, and all that is wrong is told in one run. Tables say what exists
//! ([`builtins`], [`functions`], [`constants`], [`options`], [`types`]); the other files say how it goes together.

mod action;
mod address;
mod aggregation;
mod assignment;
mod attributes;
pub mod builtins;
mod call;
mod chosen;
mod clause;
mod composite;
mod conform;
pub mod constants;
pub mod ctype;
mod current;
mod declaration;
mod definition;
mod effects;
mod expr;
mod fold;
mod format;
pub mod functions;
mod inline;
mod kernel;
mod keys;
mod library;
mod llquantize;
mod macros;
mod member;
mod modules;
mod names;
mod operators;
mod option_error;
mod option_table;
pub mod options;
mod place;
mod pragma;
mod probe;
mod program;
mod prototype;
mod provider;
pub mod recorded;
pub mod shape;
mod speculation;
mod spelling;
pub mod standard;
pub mod standing;
mod symbol;
mod target;
mod traced;
mod translator;
pub mod typed;
mod typenames;
pub mod types;
mod unassigned;
mod unsupported;
mod valueless;
mod values;
mod variables;
mod walk;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::diagnostic::{Diagnostic, Problems, Severity, Span, Tag};
use crate::provider::Catalog;
use crate::syntax::ast;

pub use library::Library;
pub use macros::Macros;
pub use options::Options;

/// A program that may be compiled.
#[derive(Debug)]
pub struct Checked {
    /// The program.
    pub program: typed::Program,
    /// The options as the program's pragmas left them.
    pub options: Options,
    /// What its author should know.
    pub warnings: Vec<Diagnostic>,
}

/// Checks program texts that run together, in order: they share their variables and aggregations. The libraries are read
/// before them.
pub fn check(
    libraries: &[Library],
    programs: &[ast::Program],
    catalog: &mut Catalog,
    options: &Options,
    macros: &Macros,
) -> Result<Checked, Problems> {
    let types = catalog.types().cloned();
    let kernel = types.as_ref().map(|types| kernel::KernelTypes::new(types.kernel().clone()));
    let modules = types.zip(kernel.clone()).map(|(types, kernel)| modules::ModuleTypes::new(types, kernel));
    let modules = modules.map(Rc::new);
    let traced = Rc::new(program::ProgramTypes::new(catalog.programs().clone()));
    let asks = programs.iter().flat_map(|program| &program.items).any(probe::asks_of_process);
    let mut checker = Checker {
        traced: traced.clone(),
        catalog,
        macros,
        options: options.clone(),
        found: Vec::new(),
        variables: variables::Variables::default(),
        aggregations: aggregation::Aggregations::default(),
        types: typenames::TypeNames::new(kernel.clone(), modules.clone(), traced, asks),
        kernel,
        modules,
        declared: programs.iter().flat_map(|program| &program.items).filter_map(provider::declared).collect(),
        provided: HashMap::new(),
        libraries: Vec::new(),
        in_library: false,
        own: attributes::Own::default(),
        externals: HashMap::new(),
        translators: Vec::new(),
        parameters: HashMap::new(),
        used_arguments: programs.iter().flat_map(|program| program.arguments.iter().copied()).collect(),
        keeps: typed::Keeps::default(),
        clause: probe::Matched::default(),
    };
    // The options are those of the whole; what else a pragma asks for may be what a library gives.
    let option = |pragma: &&ast::Pragma| matches!(pragma.kind, ast::PragmaKind::Option { .. });
    let pragmas = || programs.iter().flat_map(|program| &program.pragmas);
    pragmas().filter(option).for_each(|pragma| checker.pragma(pragma));
    checker.in_library = true;
    checker.read_libraries(libraries);
    checker.in_library = false;
    pragmas().filter(|pragma| !option(pragma)).for_each(|pragma| checker.pragma(pragma));
    let clauses =
        programs.iter().flat_map(|program| &program.items).filter_map(|item| checker.item(item)).collect();
    pragmas().for_each(|pragma| checker.pragma_used(pragma));
    if !programs.iter().any(|program| program.items.iter().any(is_clause)) && !checker.options.empty {
        let diagnostic =
            Diagnostic::placeless(Tag::D_EMPTY, "the program has no clause, so there is nothing to trace");
        checker
            .found
            .push(diagnostic.help("a clause is a probe and what to do there: `BEGIN { trace(1); }`"));
    }
    checker.finish(clauses)
}

fn is_clause(item: &ast::Item) -> bool {
    matches!(item.kind, ast::ItemKind::Clause(_))
}

/// A diagnostic has been made: there is nothing to go on with.
#[derive(Debug, Clone, Copy)]
struct Refused;

/// What all parts of the check share.
struct Checker<'a> {
    catalog: &'a mut Catalog,
    macros: &'a Macros,
    options: Options,
    found: Vec<Diagnostic>,
    variables: variables::Variables,
    aggregations: aggregation::Aggregations,
    /// What type names mean.
    types: typenames::TypeNames,
    /// The types of traced programs.
    traced: Rc<program::ProgramTypes>,
    /// The kernel's types, where they are known.
    kernel: Option<Rc<kernel::KernelTypes>>,
    /// Those of its modules.
    modules: Option<Rc<modules::ModuleTypes>>,
    /// The names of the providers that the programs declare.
    declared: Vec<String>,
    /// What they declare: the types that the clauses of each probe see.
    provided: HashMap<String, HashMap<String, Vec<ctype::Type>>>,
    /// The D libraries that have been read.
    libraries: Vec<String>,
    /// Whether one is being read.
    in_library: bool,
    /// The stability and the versions of the program's own names.
    own: attributes::Own,
    /// What is declared to be defined elsewhere.
    externals: HashMap<String, (ctype::Type, Span)>,
    /// The translators, in the order of their definition.
    translators: Vec<Rc<translator::Translator>>,
    /// The parameters of the inline that is being expanded.
    parameters: inline::Parameters,
    /// The macro arguments that were used, by their numbers from 0.
    used_arguments: HashSet<usize>,
    /// What the subroutines that were called need.
    keeps: typed::Keeps,
    /// The probes of the clause at hand.
    clause: probe::Matched,
}

impl Checker<'_> {
    /// Records what is wrong.
    fn refuse(&mut self, diagnostic: Diagnostic) -> Refused {
        self.found.push(diagnostic);
        Refused
    }

    fn finish(mut self, clauses: Vec<typed::Clause>) -> Result<Checked, Problems> {
        self.check_arguments_used();
        let aggregations = self.finish_aggregations();
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        for diagnostic in std::mem::take(&mut self.found) {
            match diagnostic.severity {
                Severity::Error => problems.push(diagnostic),
                Severity::Warning => warnings.push(diagnostic),
            }
        }
        // As in dtrace, only a program that is right otherwise is asked for its leave.
        if problems.iter().any(|problem: &Diagnostic| problem.code != Tag::D_DESTRUCTIVE) {
            problems.retain(|problem| problem.code != Tag::D_DESTRUCTIVE);
        }
        if !problems.is_empty() {
            problems.extend(warnings);
            return Err(Problems::from(problems));
        }
        let variables::Variables { globals, locals, dynamics, .. } = self.variables;
        let (characters, buffer) = (self.options.strsize as u32, self.options.string_buffer());
        let strings = (characters + 1 < buffer).then_some((characters, buffer));
        let keeps = typed::Keeps { strings, ..self.keeps };
        let mut program = typed::Program { clauses, globals, locals, dynamics, aggregations, keeps };
        conform::conform(&mut program);
        let warnings = Problems::from(warnings).into_sorted();
        Ok(Checked { program, options: self.options, warnings })
    }
}

/// The verb before a count.
fn are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

/// `1 argument`, `2 arguments`
fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
