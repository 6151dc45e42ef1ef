//! Generated programs: what the checker accepts, the kernel loads, and it does what the program means.
//!
//! A seed makes a program (`make`), which is D (`program`) and has a meaning (`mean`), said without the compiler. The seeds are the
//! same each time; TRACER_TEST_SEED asks for others, and a failure names its own.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, bail, ensure};

use crate::harness::{Family, Report, emulated, tracer, truth, workload};

mod aggregate;
mod format;
mod make;
mod mean;
mod program;
mod record;
mod shrink;
mod text;
mod types;
mod value;

pub(crate) const FAMILY: Family = Family {
    name: "generated",
    tests: &[
        ("programs_load_and_do_what_they_mean", small),
        ("large_programs_load_and_do_what_they_mean", large),
        ("programs_about_a_process_load_and_do_what_they_mean", process),
        ("programs_with_long_strings_do_what_they_mean", long_strings),
    ],
    workloads: &[("generated_write", write)],
};

fn small() -> Result<()> {
    run(&make::Size { clauses: 6, statements: 4, depth: 3, workload: false }, 1000, &[])
}

fn large() -> Result<()> {
    run(&make::Size { clauses: 16, statements: 5, depth: 3, workload: false }, 2000, &[])
}

fn long_strings() -> Result<()> {
    run(&make::Size { clauses: 6, statements: 4, depth: 3, workload: false }, 3000, &["-x", "strsize=400"])
}

fn process() -> Result<()> {
    run(&make::Size { clauses: 8, statements: 4, depth: 3, workload: true }, 4000, &[])
}

/// What the workload writes, a text first, and how much of it each time.
const WRITTEN: [u8; 128] = {
    let text = b"/what the process writes";
    let mut bytes = [0; 128];
    let mut at = 0;
    while at < 128 {
        bytes[at] = if at < text.len() { text[at] } else { (at as u8).wrapping_mul(73) & !(1 << (at % 8)) };
        at += 1;
    }
    bytes[text.len()] = 0;
    bytes
};
const LENGTHS: [usize; 3] = [0, 100, 128];

/// Writes to no file.
fn write(_: &[String]) -> Result<Report> {
    let bytes = WRITTEN.to_vec();
    for length in LENGTHS {
        // SAFETY: the vector is as long as any of the lengths.
        let written = unsafe { libc::write(-1, bytes.as_ptr().cast(), length) };
        ensure!(written == -1, "wrote {written} bytes to no file");
    }
    Ok(Report::default())
}

/// Programs of consecutive seeds: as many on every machine, but for one that is emulated; more where somebody asks for a seed.
fn run(size: &make::Size, first: u64, options: &[&str]) -> Result<()> {
    let asked = std::env::var("TRACER_TEST_SEED").ok();
    let count = match &asked {
        Some(_) => 60,
        None if emulated() => 5,
        None => 25,
    };
    let seed = asked.map_or(Ok(first), |seed| seed.parse()).context("TRACER_TEST_SEED is a number")?;
    for seed in seed..seed + count {
        let mut program = make::program(seed, size);
        if let Err(mut error) = check(&program, options) {
            shrink(&mut program, options, &mut error);
            bail!("seed {seed}: {error}\nof\n{program}");
        }
    }
    Ok(())
}

/// Leaves out of a program what it fails without, many clauses at first, as far as there is time.
fn shrink(program: &mut program::Program, options: &[&str], error: &mut Error) {
    let time = if std::env::var_os("TRACER_TEST_SEED").is_some() { 60 } else { 5 };
    let end = Instant::now() + Duration::from_secs(time);
    let (mut many, mut part) = (program.clauses.len() / 2, 0);
    while Instant::now() < end {
        let smaller = if many > 1 { program.without_clauses(part, many) } else { program.without(part) };
        match smaller.map(|smaller| (check(&smaller, options), smaller)) {
            Some((Err(other), smaller)) => (*program, *error) = (smaller, other),
            Some((Ok(()), _)) => part += many.max(1),
            None if many <= 1 => break,
            None => (many, part) = (many / 2, 0),
        }
    }
}

fn check(program: &program::Program, options: &[&str]) -> Result<()> {
    let text = program.to_string();
    let mut arguments = vec!["-q"];
    arguments.extend(options);
    arguments.extend(["-n", &text]);
    let workload = workload::command("generated_write", &[])?;
    if program.has_workload() {
        arguments.extend(["-c", &workload.0]);
    }
    let output = tracer(&arguments)?;
    ensure!(output.status.code() == Some(0), "{}: {}", output.status, output.stderr);
    if program.has_workload() {
        truth(&workload.1)?;
    }
    let truth = mean::output(program);
    let seen = undrawn(&output.stdout);
    let (mut seen, mut meant) = (Output::of(&seen), Output::of(&truth));
    seen.aggregated.sort();
    meant.aggregated.sort();
    for (seen, meant) in seen.printed.iter().zip(&meant.printed) {
        ensure!(seen == meant, "printed `{seen}`, not `{meant}`");
    }
    ensure!(seen == meant, "{seen:#?}\nnot\n{meant:#?}");
    Ok(())
}

/// The output with tables brought to the line of their element, in the order of the buckets' labels, and without what is empty.
fn undrawn(text: &str) -> String {
    let mut lines = Vec::new();
    let mut buckets = BTreeSet::new();
    for line in text.lines().filter(|line| !line.is_empty()).rev() {
        match line.split_once('|') {
            Some((bucket, count)) if !line.starts_with(text::ELEMENT) => {
                let count = count.trim_start_matches('@').trim();
                if count != "0" {
                    buckets.insert(format!("{}: {count}; ", bucket.trim()));
                }
            }
            _ if line.trim_start().starts_with("value  ---") => {}
            _ if line.ends_with(" = ") && line.starts_with(text::ELEMENT) => {
                lines.push(format!("{line}{}", std::mem::take(&mut buckets).into_iter().collect::<String>()));
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines.reverse();
    lines.join("\n")
}

/// The lines of a run: those that clauses print come in order, the elements of aggregations in any.
#[derive(Debug, PartialEq)]
struct Output<'a> {
    printed: Vec<&'a str>,
    aggregated: Vec<&'a str>,
}

impl<'a> Output<'a> {
    fn of(text: &'a str) -> Self {
        let lines = text.lines().filter(|line| !line.is_empty());
        let (aggregated, printed) = lines.partition(|line| line.starts_with(text::ELEMENT));
        Output { printed, aggregated }
    }
}
