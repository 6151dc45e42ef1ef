//! `cargo xtask bench`: what tracing costs, measured beside bpftrace where that is installed, and beside programs written by hand
//! with aya where they can be built, in one run.
//!
//! Invariants: the tools take turns, so that what else the machine does meets both; every figure is a median of as many
//! runs as the options say (but for the one that takes bpftrace half a minute); the traced events are those of a loop of our own,
//! and nothing of other processes is printed. What has been measured is printed also when it ends early.

use std::io::{BufRead, BufReader};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

mod clauses;
mod compiling;
mod handwritten;
mod statistics;
mod table;
mod tool;
mod workload;

use crate::shell::{is_root, root, run};
use table::Table;
use tool::Tool;
use workload::Loop;

/// Options of `cargo xtask bench`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How often everything is measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// System calls that the loop makes for one measurement
    #[arg(long, default_value_t = 2_000_000, value_parser = clap::value_parser!(u64).range(1000..))]
    events: u64,
    /// Measure this tracer instead of a release build
    #[arg(long)]
    tracer: Option<std::path::PathBuf>,
    /// Measure one part only
    #[arg(long)]
    only: Option<Part>,
    /// Of the typical clauses measure those whose names contain this
    #[arg(long)]
    clause: Option<String>,
    /// Print a line of JSON a row
    #[arg(long)]
    json: bool,
    /// Be the loop
    #[arg(long = "loop", hide = true)]
    workload: bool,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Whole runs
    Startup,
    /// What an event costs
    Events,
    /// Lines to a file
    Printf,
    /// Long programs
    Compiling,
}

/// A program for the tools: what is measured, D, bpftrace's language. `$1` is the process id of the loop.
struct Program {
    name: &'static str,
    d: &'static str,
    bpftrace: &'static str,
}

const NOTHING: Program =
    Program { name: "BEGIN { exit(0); }", d: "BEGIN { exit(0); }", bpftrace: "BEGIN { exit(); }" };

/// bpftrace handles the exit when all is attached.
const ALL_CALLS: Program = Program {
    name: "syscall:::entry on and off",
    d: "syscall:::entry /pid == $1/ { @ = count(); } tick-1ms { exit(0); }",
    bpftrace: "tracepoint:syscalls:sys_enter_* /pid == $1/ { @ = count(); } interval:ms:1 { exit(); }",
};

const PRINTF: Program = Program {
    name: "printf(\"%d %s\\n\", pid, execname)",
    d: r#"syscall::getppid:entry /pid == $1/ { printf("%d %s\n", pid, execname); }"#,
    bpftrace: r#"tracepoint:syscalls:sys_enter_getppid /pid == $1/ { printf("%d %s\n", pid, comm); }"#,
};

/// The part of the system calls that are made for lines: bpftrace prints them in minutes otherwise.
const PRINTF_SHARE: u64 = 4;

/// Events a second at which nothing should be dropped.
const STEADY: u64 = 200_000;

/// Runs the command.
pub(crate) fn main(options: &Options) -> Result<()> {
    if options.workload {
        return workload::serve();
    }
    if !is_root() {
        bail!("the kernel's statistics are for root: run `sudo cargo xtask bench`");
    }
    if options.tracer.is_none() {
        run(crate::shell::cargo().args(["build", "--quiet", "--release", "--package", "tracer"]))?;
    }
    let ours = options.tracer.clone().unwrap_or_else(|| root().join("target/release/tracer"));
    let tools = Tool::all(ours)?;
    let mut table = Table::new(&tools);
    for tool in programs(&tools) {
        table.add("size with its libraries, MB", tool, tool.size()? as f64 / 1e6);
    }
    stop_on_interrupt();
    let measured = (1..=options.runs).try_for_each(|number| {
        eprintln!("run {number} of {}", options.runs);
        let wanted = |part| options.only.is_none_or(|only| only == part);
        if wanted(Part::Startup) {
            startup(&tools, &mut table, number == 1)?;
        }
        if wanted(Part::Events) {
            clauses::measure(options, &tools, &mut table)?;
        }
        if wanted(Part::Printf) {
            printf(options, &tools, &mut table)?;
        }
        if wanted(Part::Compiling) {
            compiling::measure(&tools[0], &mut table, number == 1)?;
        }
        Ok(())
    });
    match options.json {
        true => table.print_json(),
        false => table.print(options.runs, options.events),
    }
    measured
}

/// Whether an interrupt has asked for the end.
static STOPPED: AtomicBool = AtomicBool::new(false);

/// From now on SIGINT and SIGTERM end the measuring before the next figure.
fn stop_on_interrupt() {
    extern "C" fn stop(_: libc::c_int) {
        STOPPED.store(true, Ordering::Relaxed);
    }
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // SAFETY: the handler does nothing but store a flag.
        unsafe { libc::signal(signal, stop as extern "C" fn(libc::c_int) as libc::sighandler_t) };
    }
}

/// Says what is measured next, or ends the measuring.
fn announce(what: &str) -> Result<()> {
    if STOPPED.load(Ordering::Relaxed) {
        bail!("interrupted: the table shows what was measured before");
    }
    eprintln!("  {what}");
    Ok(())
}

/// The tools that are programs of their own.
fn programs(tools: &[Tool]) -> impl Iterator<Item = &Tool> {
    tools.iter().filter(|tool| !tool.is_handwritten())
}

/// Whole runs: time, time to the first output, time on a processor (which other work disturbs less), memory. bpftrace takes half
/// a minute for all system calls, so that it does so in the first run only.
fn startup(tools: &[Tool], table: &mut Table, first: bool) -> Result<()> {
    for (program, always) in [(&NOTHING, true), (&ALL_CALLS, first)] {
        for tool in programs(tools).filter(|tool| always || tool.is_ours()) {
            announce(&format!("{}: {}", tool.name(), program.name))?;
            let whole = tool.whole_run(program)?;
            table.add(&format!("{}, ms", program.name), tool, whole.time.as_secs_f64() * 1e3);
            table.add("  to the first output, ms", tool, whole.first.as_secs_f64() * 1e3);
            table.add("  of the processor's time, ms", tool, whole.processor.as_secs_f64() * 1e3);
            table.add("  peak memory, MB", tool, whole.peak_kb as f64 / 1e3);
        }
    }
    Ok(())
}

/// Lines to a file, as fast as the loop can and at a steady rate.
fn printf(options: &Options, tools: &[Tool], table: &mut Table) -> Result<()> {
    let mut workload = Loop::start()?;
    let path = root().join("target/bench.out");
    let line = format!("{} xtask", workload.pid());
    for (rate, label) in [(0, "as fast as the loop can"), (STEADY, "200,000 a second")] {
        let count = options.events / PRINTF_SHARE;
        for tool in programs(tools) {
            announce(&format!("{}: {}, {label}", tool.name(), PRINTF.name))?;
            let running = tool.start(&PRINTF, workload.pid(), Some(&path))?;
            let start = Instant::now();
            workload.run(count, rate)?;
            let took = settle(&path, start)?;
            running.interrupt()?;
            let lines = BufReader::new(std::fs::File::open(&path)?).lines();
            let delivered = lines.map_while(Result::ok).filter(|read| *read == line).count() as f64;
            table.add(
                &format!("{}, {label}: thousands a second", PRINTF.name),
                tool,
                delivered / took.as_secs_f64() / 1e3,
            );
            table.add("  delivered of expected, %", tool, 100.0 * delivered / count as f64);
        }
    }
    std::fs::remove_file(path)?;
    Ok(())
}

/// How long after `start` the file grew for the last time.
fn settle(path: &std::path::Path, start: Instant) -> Result<Duration> {
    let (mut size, mut grown) = (0, Instant::now());
    while grown.elapsed() < Duration::from_millis(500) {
        let now = std::fs::metadata(path)?.len();
        if now > size {
            (size, grown) = (now, Instant::now());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(grown - start)
}
