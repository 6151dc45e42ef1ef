//! -C: the C preprocessor goes over each program text first. What it leaves says by its line marks where each line comes from,
//! so that diagnostics name the user's own lines.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, anyhow, bail};

use crate::check::Options;
use crate::diagnostic::{bytes_of, text_of};
use crate::session::reason;

/// What DTrace on Linux tells the preprocessor besides C's names. Without `__GNUC__` the C library's headers leave out
/// `__attribute__` and the like, which D has no words for.
const DEFINED: [&str; 8] = [
    "-D__linux",
    "-D__Linux",
    "-D__unix",
    "-D__SVR4",
    "-D__SUNW_D=1",
    "-D__SUNW_D_64",
    "-D__SUNW_D_VERSION=0x0010d000",
    "-U__GNUC__",
];

/// The text as the preprocessor leaves it. A first line `#!` is none of its business.
pub(super) fn preprocess(name: &str, text: &str, options: &Options) -> Result<String> {
    let program = options.cpppath.as_deref().unwrap_or("cpp");
    let mut command = Command::new(program);
    command.args(DEFINED).args(&options.cppargs);
    if options.cpphdrs {
        command.arg("-H");
    }
    let mut child = command.arg("-").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(|error| {
        anyhow!(
            "the C preprocessor `{program}` cannot be run: {}\n  help: install it (Debian: apt-get install cpp), or name another with -x cpppath=PATH",
            reason(&error)
        )
    })?;
    let mut input = child.stdin.take().context("the preprocessor reads a pipe")?;
    let marked = format!("#line 1 \"{name}\"\n{}", without_interpreter(text));
    // Written beside it, since it may answer before it has read all.
    let writer = std::thread::spawn(move || input.write_all(&bytes_of(&marked)));
    let output = child.wait_with_output().context("waiting for the C preprocessor")?;
    // Whether it wanted all of the text, its status says.
    drop(writer.join());
    if !output.status.success() {
        bail!("the C preprocessor refuses `{name}`: {}", output.status);
    }
    Ok(text_of(output.stdout))
}

/// The text with an empty first line in place of `#!`.
fn without_interpreter(text: &str) -> &str {
    match text.strip_prefix("#!") {
        Some(rest) => rest.find('\n').map_or("", |end| &rest[end..]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::without_interpreter;

    #[test]
    fn lines_keep_their_numbers() {
        assert_eq!(without_interpreter("#!/usr/sbin/dtrace -Cs\nBEGIN"), "\nBEGIN");
        assert_eq!(without_interpreter("BEGIN"), "BEGIN");
    }
}
