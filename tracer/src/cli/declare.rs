//! -h and -G: from the `provider` declarations of scripts, what a program that brings probes along is built with.

use std::fs::{self, File};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};

use super::args::{Text, Trace};
use super::complain;
use super::preprocess::preprocess;
use super::trace::{options, script};
use super::usage::Usage;
use crate::declare::{Provider, header, object, providers, rules};
use crate::diagnostic::{Problems, Sources};
use crate::session::reason;
use crate::syntax::ast::ItemKind;
use crate::syntax::{DescPart, parse_as};

/// Makes the header or the object of each script; gives the exit status.
pub(super) fn run(trace: &Trace, texts: &[Text]) -> Result<i32> {
    let scripts: Vec<&Path> = texts
        .iter()
        .filter_map(|text| match text {
            Text::Script(path) => Some(path.as_path()),
            _ => None,
        })
        .collect();
    let option = if trace.header { "-h" } else { "-G" };
    if scripts.is_empty() || scripts.len() < texts.len() {
        let help = format!("write `tracer {option} -s FILE`");
        return Err(Usage::new(format!("{option} takes what scripts declare"), Some(&help)).into());
    }
    // What is linked has its probes already; what is missing would be told by the linker too late.
    for path in &trace.arguments {
        File::open(path)
            .map_err(|error| anyhow!("the object `{path}` cannot be opened: {}", reason(&error)))?;
    }
    for path in scripts {
        let Some(providers) = declared(trace, path)? else { return Ok(1) };
        if providers.is_empty() {
            bail!(
                "`{}` declares no provider\n  help: write `provider name {{ probe name(types); }};`",
                path.display()
            );
        }
        let made = if trace.header { header(&providers).into_bytes() } else { object(&providers)? };
        let place =
            trace.output.clone().unwrap_or_else(|| beside(path, if trace.header { "h" } else { "o" }));
        fs::write(&place, made).map_err(|error| {
            anyhow!("the file `{}` cannot be written: {}", place.display(), reason(&error))
        })?;
    }
    Ok(0)
}

/// The providers of a script; `None` where it is wrong, which has been told.
fn declared(trace: &Trace, path: &Path) -> Result<Option<Vec<Provider>>> {
    let options = options(trace)?;
    let (name, text) = script(path)?;
    let text = if options.cpp { preprocess(&name, &text, &options)? } else { text };
    let mut sources = Sources::default();
    let source = sources.add(name, text.clone());
    let (program, found) = parse_as(source, &text, DescPart::File);
    sources.set_marks(source, program.marks.clone());
    let mut problems = Problems::from(found);
    let items = program.items.iter();
    problems.extend(items.flat_map(|item| match &item.kind {
        ItemKind::Provider(provider) => rules(provider),
        _ => Vec::new(),
    }));
    if problems.has_errors() {
        complain(&(problems.without_warnings().render(&sources, std::io::stderr().is_terminal()) + "\n"));
        return Ok(None);
    }
    Ok(Some(providers(&program)))
}

/// The file of that kind that is made of a script: in the current directory, as DTrace has it.
fn beside(script: &Path, kind: &str) -> PathBuf {
    Path::new(script.file_stem().unwrap_or_default()).with_extension(kind)
}
