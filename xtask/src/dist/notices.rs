//! The package's copyright file: our licences, and the licence and notices of everything that is linked into the program, as those
//! licences ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::shell::{capture, cargo, root};

/// The text of the file, for a program built for that target.
pub(super) fn text(target: &str) -> Result<String> {
    let read = |name: &str| fs::read_to_string(root().join(name)).with_context(|| name.to_owned());
    let mut text = format!(
        "tracer is licensed under either of the MIT license and the Apache License, Version 2.0, at your option.\n\n{}\n\
         On Debian systems the Apache License is found in /usr/share/common-licenses/Apache-2.0.\n\n\
         The program is linked statically with the GNU C library (LGPL-2.1-or-later, see\n\
         /usr/share/common-licenses/LGPL-2.1), whose source is Debian's package glibc. With tracer's source, `cargo build\n\
         --release --package tracer` links it with any other version of that library.\n\n\
         It contains these libraries:\n\n",
        read("LICENSE-MIT")?
    );
    // Many have the same text to the letter.
    let mut notices: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for library in libraries(target)? {
        text += &format!("  {} {}: {}\n", library.name, library.version, library.license);
        for notice in library.notices {
            notices.entry(notice).or_default().push(library.name.clone());
        }
    }
    for (notice, names) in notices {
        text += &format!("\n---- {} ----\n\n{}\n", names.join(", "), notice.trim_end());
    }
    Ok(text)
}

struct Library {
    name: String,
    version: String,
    license: String,
    notices: Vec<String>,
}

/// What the tracer's program is linked with, by name.
fn libraries(target: &str) -> Result<Vec<Library>> {
    let metadata = capture(cargo().args(["metadata", "--format-version=1", "--filter-platform", target]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let linked = linked(&metadata).context("cargo metadata has not what it should have")?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let mut libraries = Vec::new();
    for package in packages {
        let text = |field: &str| package[field].as_str().unwrap_or_default().to_owned();
        if !linked.contains(&text("id")) || package["source"].is_null() {
            continue;
        }
        let directory = Path::new(package["manifest_path"].as_str().unwrap_or_default()).parent();
        libraries.push(Library {
            name: text("name"),
            version: text("version"),
            license: text("license"),
            notices: notices(directory.context("a manifest lies in a directory")?)?,
        });
    }
    libraries.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(libraries)
}

/// The packages that tracer depends on, but for building and testing: their ids.
fn linked(metadata: &Value) -> Option<BTreeSet<String>> {
    let packages = metadata["packages"].as_array()?;
    let tracer =
        packages.iter().find(|package| package["name"] == "tracer" && package["source"].is_null())?;
    let mut waiting = vec![tracer["id"].as_str()?.to_owned()];
    let mut linked = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        let node = metadata["resolve"]["nodes"].as_array()?.iter().find(|node| node["id"] == *id)?;
        for dependency in node["deps"].as_array()? {
            let normal = dependency["dep_kinds"].as_array()?.iter().any(|kind| kind["kind"].is_null());
            let id = dependency["pkg"].as_str()?.to_owned();
            if normal && linked.insert(id.clone()) {
                waiting.push(id);
            }
        }
    }
    Some(linked)
}

/// The files of a library that tell its licence; the Apache License, which is the same everywhere, is left out.
fn notices(directory: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        let tells = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"]
            .iter()
            .any(|word| name.starts_with(word));
        if tells && path.is_file() {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let apache = text.contains("TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION");
            if !apache {
                found.push(text.replace("\r\n", "\n"));
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_linked_is_named_and_what_tests_is_not() {
        let libraries = libraries("x86_64-unknown-linux-gnu").expect("cargo metadata runs");
        let named = |name| libraries.iter().any(|library| library.name == name);
        assert!(named("aya") && named("clap_builder") && named("libc"));
        assert!(!named("insta") && !named("proptest"));
        assert!(libraries.iter().all(|library| !library.license.is_empty()));
        // Linking with these would bind the whole program.
        let binding =
            |license: &str| license.contains("GPL") && !license.contains(" OR ") || license.contains("CDDL");
        assert!(libraries.iter().all(|library| !binding(&library.license)));
    }
}
