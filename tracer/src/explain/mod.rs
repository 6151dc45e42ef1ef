//! What a name means: text made from the tables that the compiler works with, so that it is true of this tracer.
//!
//! `reference` makes the language reference of docs/ from the same tables.

mod processes;
mod reference;

use std::fmt::Write as _;

use crate::check::standing::Standing;
use crate::check::{builtins, constants, functions, options};
use crate::diagnostic::{Tag, nearest};
use crate::provider::{self, Catalog, Pattern, ProbeId};

pub use reference::reference;

/// What is known of a name, or the nearest names where it is none.
pub fn explain(name: &str, catalog: &mut Catalog) -> Result<String, Unknown> {
    let parts = [tag(name), builtin(name), argument(name), function(name), constant(name), option(name)];
    let mut text: String = parts.into_iter().flatten().collect();
    for more in [processes::explain(name), probes(name, catalog)].into_iter().flatten() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&more);
    }
    if text.is_empty() { Err(Unknown { name: name.to_owned(), near: near(name, catalog) }) } else { Ok(text) }
}

/// A name that is nothing.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{name}` is no probe, variable, function, constant, option or diagnostic{}",
    near.as_ref().map_or_else(|| "\n  help: `tracer -l` lists the probes, `tracer explain --reference` all else".to_owned(),
        |near| format!("\n  help: did you mean `{near}`?"))
)]
pub struct Unknown {
    name: String,
    near: Option<String>,
}

fn near(name: &str, catalog: &Catalog) -> Option<String> {
    if name.contains(':') {
        return catalog.explain(&Pattern::parse(name)?).nearest;
    }
    let mut tags = Tag::ALL.iter().map(|tag| tag.name());
    if name.starts_with("D_") {
        return nearest(name, tags.clone())
            .or_else(|| tags.find(|tag| tag.starts_with(name)))
            .map(str::to_owned);
    }
    let names = builtins::TABLE.iter().map(|row| row.name);
    let names = names.chain(functions::TABLE.iter().map(|row| row.name)).chain(constants::names());
    let names = names.chain(options::TABLE.iter().map(|row| row.name)).chain(tags);
    nearest(name, names).map(str::to_owned)
}

fn tag(name: &str) -> Option<String> {
    let tag = Tag::ALL.iter().find(|tag| tag.name().eq_ignore_ascii_case(name))?;
    Some(format!("{}: a diagnostic: {}\n", tag.name(), tag.means()))
}

fn builtin(name: &str) -> Option<String> {
    let row = builtins::find(name)?;
    let (declaration, standing) = (row.ty().declaration(name), standing(row.standing));
    Some(format!("{name}: a built-in variable\n  {declaration}\n  {}\n  {standing}\n", row.doc))
}

/// `args` and `arg0` to `arg9`, which are not in the table since they are the probe's.
fn argument(name: &str) -> Option<String> {
    ARGUMENTS
        .iter()
        .find(|(known, ..)| *known == name || *known == "arg0" && is_number(name))
        .map(|(_, declaration, doc)| format!("{name}: a built-in variable\n  {declaration}\n  {doc}\n"))
}

fn is_number(name: &str) -> bool {
    name.strip_prefix("arg").is_some_and(|digit| digit.len() == 1 && digit.as_bytes()[0].is_ascii_digit())
}

/// What depends on the probe: name, declaration, meaning.
const ARGUMENTS: &[(&str, &str, &str)] = &[
    ("args", "args[N]", "argument N of the probe, of its own type; `tracer explain PROBE` shows them"),
    ("arg0", "int64_t arg0 to arg9", "an argument of the probe as an integer, 0 where the probe has fewer"),
];

fn function(name: &str) -> Option<String> {
    let row = functions::find(name)?;
    let article = if row.role.word().starts_with('a') { "an" } else { "a" };
    let (word, standing) = (row.role.word(), standing(row.standing));
    Some(format!("{name}: {article} {word}\n  {}\n  {}\n  {standing}\n", row.prototype, row.doc))
}

fn standing(standing: Standing) -> String {
    format!("stability {}, since version {}", standing.attributes, standing.since)
}

fn constant(name: &str) -> Option<String> {
    let (value, ty) = constants::find(name)?;
    Some(format!("{name}: a constant\n  {} {name} = {value}\n", ty.name))
}

fn option(name: &str) -> Option<String> {
    let name = name.strip_prefix("-x").map_or(name, str::trim);
    let row = options::TABLE.iter().find(|row| row.name == name)?;
    let effect = if row.has_effect() { "" } else { ", accepted without effect" };
    Some(format!("{name}: an option{effect}\n  -x {}\n  {}\n", row.usage(), row.doc))
}

/// The probes of a description or of a provider; without those that are made of every system call, of
/// which the first stands for all.
fn probes(name: &str, catalog: &mut Catalog) -> Option<String> {
    let description = if name.contains(':') { name.to_owned() } else { format!("{name}:::") };
    let pattern = Pattern::parse(&description)?;
    let ids: Vec<ProbeId> = catalog.matching(&pattern);
    if !name.contains(':') && !catalog.has_provider(name) {
        return None;
    }
    if ids.is_empty() {
        return None;
    }
    const SHOWN: usize = 40;
    let mut text = provider::explain(catalog, &ids[..ids.len().min(SHOWN)]);
    if ids.len() > SHOWN {
        writeln!(text, "and {} more: `tracer -l -n '{description}'` lists them", ids.len() - SHOWN)
            .expect("a string grows");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Target;

    fn explained(name: &str) -> Result<String, Unknown> {
        explain(name, &mut Catalog::new(&Target::fixture()))
    }

    #[test]
    fn each_kind_of_name_is_explained_from_its_table() {
        for (name, meant) in [
            ("D_PROTO_LEN", "a diagnostic"),
            ("execname", "a built-in variable\n  string execname"),
            ("arg3", "a built-in variable\n  int64_t arg0"),
            ("strjoin", "a subroutine\n  string strjoin(string a, string b)"),
            ("count", "an aggregating function"),
            ("SIGKILL", "a constant\n  int SIGKILL = 9"),
            ("strsize", "an option\n  -x strsize=SIZE"),
            ("proc:::signal-send", "args[2]"),
            ("tcp", "state-change"),
            ("pid", "a provider: functions of a process"),
            ("pid$target", "pid$target:MODULE:FUNCTION:return"),
            ("pid1234", "arg1  what it returns"),
            ("usdt", "PROVIDER$target:MODULE:FUNCTION:PROBE"),
        ] {
            let text = explained(name).unwrap_or_else(|error| panic!("{error}"));
            assert!(text.contains(meant), "{name}: {text}");
        }
    }

    #[test]
    fn the_nearest_name_is_proposed() {
        let error = explained("execnam").expect_err("it is no name").to_string();
        assert!(error.ends_with("did you mean `execname`?"), "{error}");
    }
}
