//! The language reference, docs/reference.md: every name that D has here, from the compiler's tables.

use std::fmt::Write as _;

use probes_common::probe::{Arg, Probe};
use probes_common::providers::{PROVIDERS, profile, syscall};
use probes_common::schema::{Kind, StructDef};

use super::ARGUMENTS;
use crate::check::functions::Role;
use crate::check::standing::Standing;
use crate::check::{builtins, functions, options};
use crate::diagnostic::Tag;
use crate::provider::stability::{self, Parts};

/// The reference as Markdown.
pub fn reference() -> String {
    let mut page = Page(INTRODUCTION.to_owned());
    page.providers();
    page.builtins();
    page.functions("Actions", |role| matches!(role, Role::Action(_) | Role::Recorded(_)));
    page.functions("Subroutines", |role| matches!(role, Role::Subroutine(..)));
    page.functions("Aggregating functions", |role| matches!(role, Role::Aggregating(_)));
    page.options();
    page.tags();
    page.0
}

const INTRODUCTION: &str = "# Language reference\n\n\
    Made by `tracer explain --reference` from the tables that the compiler works with; a test keeps it true. `tracer explain NAME`\n\
    shows one entry. Which probes a kernel has, and what their arguments are there, `tracer explain PROBE` says.\n";

struct Page(String);

impl Page {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// A table with its heading; `|` in a cell is no border.
    fn table(&mut self, heading: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        self.line("");
        self.line(&format!("| {} |", heading.join(" | ")));
        self.line(&format!("|{}", "---|".repeat(heading.len())));
        for row in rows {
            let cells: Vec<_> =
                row.iter().map(|cell| cell.trim().replace('|', "\\|").replace('\n', " ")).collect();
            self.line(&format!("| {} |", cells.join(" | ")));
        }
    }

    fn providers(&mut self) {
        self.line("\n## Probes");
        let mut types: Vec<&StructDef> = Vec::new();
        for probes in PROVIDERS {
            let Some(first) = probes.first() else { continue };
            self.line(&format!("\n### {}", first.provider));
            let rows = probes
                .iter()
                .map(|probe| vec![code(&name(probe)), arguments(probe.args), probe.doc.to_owned()]);
            self.table(&["Probe", "args[0], args[1], ...", "When it fires"], rows);
            for probe in *probes {
                probe.program.record.fields.iter().for_each(|field| remember(&mut types, field.kind));
            }
        }
        self.line("\n### syscall");
        let rows = syscall::PROBES.iter();
        let rows = rows.map(|probe| vec![code(&format!("NAME:{}", probe.name)), arguments(probe.args)]);
        self.table(&["Probe", "args"], rows);
        self.line("\n### profile");
        let rows = ["profile-RATE, on each CPU", "tick-RATE, on one"].into_iter().zip(profile::PROBES);
        self.table(
            &["Probe", "args"],
            rows.map(|(name, probe)| vec![name.to_owned(), arguments(probe.args)]),
        );
        self.line("\n### Stability\n");
        self.line("Of the providers' names, of the parts of their probes' names, and of the arguments:");
        let rows = stability::TABLE.iter().map(|(provider, parts)| {
            let Parts { provider: own, module, function, name, args } = parts;
            let attributes = [own, module, function, name, args].map(ToString::to_string);
            [code(provider)].into_iter().chain(attributes).collect()
        });
        self.table(&["Provider", "provider", "module", "function", "name", "args"], rows);
        self.line("\n## Types of arguments");
        for row in builtins::TABLE {
            if let builtins::Kind::Record(def) = row.ty {
                remember(&mut types, Kind::Struct(def));
            }
        }
        for def in types {
            self.line(&format!("\n### {}\n\n{}", def.name, def.doc.trim()));
            let rows = def
                .fields
                .iter()
                .map(|field| vec![code(field.name), code(field.ctype), field.doc.to_owned()]);
            self.table(&["Member", "Type", ""], rows);
        }
    }

    fn builtins(&mut self) {
        self.line("\n## Built-in variables");
        let arguments =
            ARGUMENTS.iter().map(|(_, declaration, doc)| cells(declaration, doc, Standing::USUAL));
        let rows =
            builtins::TABLE.iter().map(|row| cells(&row.ty().declaration(row.name), row.doc, row.standing));
        self.table(&["Variable", "", "Stability", "Since"], arguments.chain(rows));
    }

    fn functions(&mut self, title: &str, belongs: impl Fn(Role) -> bool) {
        self.line(&format!("\n## {title}"));
        let rows = functions::TABLE.iter().filter(|row| belongs(row.role));
        let rows = rows.map(|row| cells(row.prototype, row.doc, row.standing));
        self.table(&["Call", "", "Stability", "Since"], rows);
    }

    fn options(&mut self) {
        self.line("\n## Options");
        let known = |effect| options::TABLE.iter().filter(move |row| row.has_effect() == effect);
        self.table(&["-x", ""], known(true).map(|row| vec![code(&row.usage()), row.doc.to_owned()]));
        self.line("\nAccepted without effect, as -v says:");
        self.table(&["-x", "because"], known(false).map(|row| vec![code(row.name), row.doc.to_owned()]));
    }

    fn tags(&mut self) {
        self.line("\n## Diagnostics");
        let rows = Tag::ALL.iter().map(|tag| vec![code(tag.name()), tag.means().to_owned()]);
        self.table(&["Tag", ""], rows);
    }
}

/// A name with what is known of it.
fn cells(name: &str, doc: &str, standing: Standing) -> Vec<String> {
    vec![code(name), doc.to_owned(), standing.attributes.to_string(), standing.since.to_string()]
}

fn name(probe: &Probe) -> String {
    match probe.function {
        "" => format!("{}:::{}", probe.provider, probe.name),
        function => format!("{}::{function}:{}", probe.provider, probe.name),
    }
}

fn arguments(args: &[Arg]) -> String {
    let mut text = String::new();
    for arg in args {
        let separator = if text.is_empty() { "" } else { "; " };
        let doc = if arg.doc.is_empty() { String::new() } else { format!(" {}", arg.doc) };
        write!(text, "{separator}{}{doc}", code(arg.ctype)).expect("a string grows");
    }
    text
}

fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

/// Notes a type, and those that it points to, once.
fn remember(types: &mut Vec<&'static StructDef>, kind: Kind) {
    let Kind::Struct(def) = kind else { return };
    if types.iter().any(|known| known.name == def.name) {
        return;
    }
    types.push(def);
    def.fields.iter().for_each(|field| remember(types, field.kind));
}

#[cfg(test)]
mod tests {
    use super::reference;

    #[test]
    fn the_page_in_docs_is_what_the_tables_say() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference.md");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path, reference()).expect("docs can be written to");
        }
        let page = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            page == reference(),
            "docs/reference.md is stale: `BLESS=1 cargo test --lib explain` writes it"
        );
    }
}
