//! Generated programs: what the checker accepts, the kernel loads, and it does what the program means.
//!
//! A seed makes a program (`make`), which is D (`program`) and has a meaning (`mean`), said without the compiler. The seeds are the
//! same each time; TRACER_TEST_SEED asks for others, and a failure names its own.

use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, bail, ensure};

use crate::harness::{Family, emulated, tracer};

mod make;
mod mean;
mod program;

pub(crate) const FAMILY: Family = Family {
    name: "generated",
    tests: &[
        ("programs_load_and_do_what_they_mean", small),
        ("large_programs_load_and_do_what_they_mean", large),
        ("programs_with_long_strings_do_what_they_mean", long_strings),
    ],
    workloads: &[],
};

fn small() -> Result<()> {
    run(&make::Size { clauses: 6, statements: 4, depth: 3 }, 1000, &[])
}

fn large() -> Result<()> {
    run(&make::Size { clauses: 16, statements: 5, depth: 3 }, 2000, &[])
}

fn long_strings() -> Result<()> {
    run(&make::Size { clauses: 6, statements: 4, depth: 3 }, 3000, &["-x", "strsize=400"])
}

/// Programs of consecutive seeds: as many on every machine, but for one that is emulated.
fn run(size: &make::Size, first: u64, options: &[&str]) -> Result<()> {
    let asked = std::env::var("TRACER_TEST_SEED").ok();
    let seed = asked.map_or(Ok(first), |seed| seed.parse()).context("TRACER_TEST_SEED is a number")?;
    let count = if emulated() { 5 } else { 40 };
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
    let output = tracer(&arguments)?;
    ensure!(output.status.code() == Some(0), "{}: {}", output.status, output.stderr);
    let truth = mean::output(program);
    let (mut seen, mut meant) = (Output::of(&output.stdout), Output::of(&truth));
    seen.aggregated.sort();
    meant.aggregated.sort();
    for (seen, meant) in seen.printed.iter().zip(&meant.printed) {
        ensure!(seen == meant, "printed `{seen}`, not `{meant}`");
    }
    ensure!(seen == meant, "{seen:#?}\nnot\n{meant:#?}");
    Ok(())
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
        let (aggregated, printed) = lines.partition(|line| line.starts_with(program::ELEMENT));
        Output { printed, aggregated }
    }
}
