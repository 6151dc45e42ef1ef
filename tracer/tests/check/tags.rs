//! Which tag a mistake has: `tags/*.txt` hold small programs, each behind a line `=== TAG options`, where `OK` is for those
//! that are accepted. The first error of each must have that tag.
//!
//! Options are those of a `/* with: */` line; `file` is for programs that are read from a file, as with -s.

use std::fs;
use std::path::Path;

use libtest_mimic::Failed;
use tracer::syntax::DescPart;

use crate::{Checkable, outcome_of};

/// All programs of one file.
pub(crate) fn run(path: &Path) -> Result<(), Failed> {
    let text = fs::read_to_string(path)?;
    let mut wrong = Vec::new();
    for block in text.split("=== ").skip(1) {
        let (head, program) = block.split_once('\n').ok_or("a program follows the tag")?;
        let (wanted, options) = head.split_once(' ').unwrap_or((head, ""));
        let last = if options.contains("file") { DescPart::File } else { DescPart::Name };
        let options = options.replace("file", "");
        let (got, accepted) =
            outcome_of(Checkable { name: "tags.d", text: program, options: &options, last });
        let found = got.lines().find_map(|line| line.strip_prefix("error[")?.split(']').next());
        let right = if wanted == "OK" { accepted } else { found == Some(wanted) };
        if !right {
            wrong.push(format!("{wanted} is wanted for\n{program}but what comes is\n{got}"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}
