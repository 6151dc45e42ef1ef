//! The test of the tests: every function, built-in variable, aggregating function and option that has an effect stands in the D of
//! a kernel test.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tracer::check::{builtins, functions, options};

/// The words of all files of the kernel tests and of their scripts.
fn words(directory: &Path, words: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).expect("the directory is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            self::words(&path, words);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let parts = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            words.extend(parts.map(str::to_owned));
        }
    }
}

#[test]
fn every_name_of_the_tables_is_used_by_a_kernel_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut used = BTreeSet::new();
    words(&root.join("tests/kernel"), &mut used);
    words(&root.join("../scripts"), &mut used);
    // What is decided before the kernel is asked stands on the pages of the command line.
    words(&root.join("tests/cli"), &mut used);
    let functions = functions::TABLE.iter().map(|row| row.name);
    let variables = builtins::TABLE.iter().map(|row| row.name);
    let options = options::TABLE.iter().filter(|row| row.has_effect()).map(|row| row.name);
    let missing: Vec<_> =
        functions.chain(variables).chain(options).filter(|name| !used.contains(*name)).collect();
    assert!(missing.is_empty(), "no kernel test uses {}", missing.join(", "));
}
