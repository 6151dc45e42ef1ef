//! How long programs take to become programs of the kernel, and that the time grows as they do.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::announce;
use super::table::Table;
use super::tool::Tool;
use crate::shell::{capture, cargo, root, run};

/// Lines of the script that is compiled, and clauses of those that are loaded, too.
const LINES: usize = 300;
const CLAUSES: [usize; 3] = [1250, 2500, 5000];

/// Measures; builds what tells the times where it is the first run.
pub(super) fn measure(tool: &Tool, table: &mut Table, first: bool) -> Result<()> {
    let timing = root().join("target/release/examples/timing");
    if first {
        run(cargo().args(["build", "--quiet", "--release", "--package", "tracer", "--example", "timing"]))?;
    }
    let path = root().join("target/bench.d");
    announce(&format!("{LINES} lines: compile and link"))?;
    std::fs::write(&path, lines())?;
    table.add(&format!("{LINES} lines: compile and link, ms"), tool, compile(&timing, &path)?);
    for count in CLAUSES {
        announce(&format!("{count} clauses: compile, load and run"))?;
        std::fs::write(&path, clauses(count))?;
        table.add(
            &format!("{count} clauses on one probe: compile and link, ms"),
            tool,
            compile(&timing, &path)?,
        );
        let took = tool.run_script(&path)?;
        table.add("  the whole run, ms", tool, took.as_secs_f64() * 1e3);
    }
    std::fs::remove_file(path)?;
    Ok(())
}

/// Milliseconds.
fn compile(timing: &Path, script: &Path) -> Result<f64> {
    let text = capture(Command::new(timing).arg(script))?;
    text.trim().parse().with_context(|| format!("{} said {text}", timing.display()))
}

/// A script of so many lines, of what scripts consist of.
fn lines() -> String {
    let clause = [
        "syscall::read:entry, syscall::write:entry",
        "/execname == \"sh\" && pid != $pid/",
        "{",
        "\tself->t = timestamp;",
        "\tthis->size = arg2 > 4096 ? 4096 : arg2;",
        "\t@total = sum(this->size);",
        "\t@sizes[execname, probefunc] = quantize(this->size);",
        "\t@calls[pid, tid] = count();",
        "\tprintf(\"%s %d %s\\n\", execname, pid, probefunc);",
        "}\n",
    ];
    const { assert!(LINES.is_multiple_of(10)) }
    clause.join("\n").repeat(LINES / clause.len())
}

/// So many clauses of one probe; BEGIN ends the run.
fn clauses(count: usize) -> String {
    let mut script = String::new();
    for number in 0..count {
        let _ = writeln!(
            script,
            "syscall::getppid:entry /pid == 1/ {{ this->n = {number}; @[this->n % 7] = sum(this->n); }}"
        );
    }
    script.push_str("BEGIN { exit(0); }\n");
    script
}
