//! The test of the map: a module of the library imports what stands before it in the flow of data, never what stands behind it.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules at the top, each after all that it may import.
const LAYERS: [&str; 21] = [
    "called",
    "stability",
    "diagnostic",
    "syntax",
    "bpf",
    "kernel",
    "user",
    "provider",
    "check",
    "ir",
    "lower",
    "link",
    "output",
    "consume",
    "session",
    "event",
    "view",
    "declare",
    "describe",
    "explain",
    "cli",
];

/// The source files below, but for tests.
fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    if path.file_stem().is_some_and(|name| name == "tests") {
        return;
    }
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("it is a directory").flatten() {
            sources(&entry.path(), found);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        found.push(path.to_owned());
    }
}

/// The modules that the text names by `crate::`, outside of comments and before its own tests.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let uses = lines.flat_map(|line| line.split("crate::").skip(1));
    uses.filter_map(|rest| rest.split(|c: char| !c.is_ascii_lowercase() && c != '_').next())
}

#[test]
fn imports_go_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let library = fs::read_to_string(root.join("lib.rs")).expect("it is text");
    let modules = library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    for module in modules {
        assert!(LAYERS.contains(&module), "`{module}` has no place among the layers");
    }
    for (layer, above) in LAYERS.iter().zip(1..) {
        let mut files = Vec::new();
        sources(&root.join(layer), &mut files);
        let file = root.join(layer).with_extension("rs");
        files.extend(file.exists().then_some(file));
        assert!(!files.is_empty(), "there is no module `{layer}`");
        for file in files {
            let text = fs::read_to_string(&file).expect("it is text");
            for module in named(&text) {
                assert!(!LAYERS[above..].contains(&module), "{} imports {module}", file.display());
            }
        }
    }
}
