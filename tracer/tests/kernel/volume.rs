//! Ten million events through every path: what was delivered and what was dropped make together what the workload sent, and what
//! was delivered is in order and whole.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::harness::process::{LIMIT, Watchdog};
use crate::harness::run::command;
use crate::harness::{Family, Report, Workload, emulated, skip};

pub(crate) const FAMILY: Family = Family {
    name: "volume",
    tests: &[
        ("ten_million_events_as_text", text),
        ("ten_million_events_as_json", json),
        ("ten_million_events_in_100000_keys", keys),
        ("ten_million_events_in_more_keys_than_there_is_room_for", too_many_keys),
    ],
    workloads: &[("volume-calls", calls)],
};

/// How many calls each of the two threads makes.
const CALLS: u64 = 5_000_000;

/// Two threads count up, each number told to the kernel in a call: the number and the thread.
fn calls(_: &[String]) -> Result<Report> {
    let work = |thread: u64| {
        for number in 0..CALLS {
            // SAFETY: getppid ignores what it is given.
            unsafe { libc::syscall(libc::SYS_getppid, number, thread) };
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| work(0));
        scope.spawn(|| work(1));
    });
    Ok(Report::default().with("calls", 2 * CALLS))
}

/// A tracer and its workload, the probes there and the workload let go.
struct Run {
    tracer: Child,
    workload: Workload,
    start: Instant,
}

/// Traces the workload; `each` gets every line that the tracer prints on its standard output. Returns what was sent and what the
/// tracer complained about.
fn trace(options: &[&str], program: &str, mut each: impl FnMut(&str) -> Result<()>) -> Result<(u64, String)> {
    if emulated() {
        return skip("the machine is emulated: ten million events would take an hour");
    }
    let workload = Workload::start("volume-calls", &[])?;
    let pid = workload.pid().to_string();
    let program = format!("BEGIN {{ printf(\"ready\\n\"); }} {}", program.replace("MINE", "pid == $target"));
    let tracer = command(&[options, &["-q", "-n", &program, "-p", &pid]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let watchdog = Watchdog::over(&tracer, LIMIT)?;
    let mut run = Run { tracer, workload, start: Instant::now() };
    let mut complaints = run.tracer.stderr.take().context("it is a pipe")?;
    let complaints = std::thread::spawn(move || {
        let mut text = String::new();
        complaints.read_to_string(&mut text).map(|_| text)
    });
    let mut lines = BufReader::with_capacity(1 << 20, run.tracer.stdout.take().context("it is a pipe")?);
    let mut line = String::new();
    let mut outcome = Ok(());
    while outcome.is_ok() && lines.read_line(&mut line)? > 0 {
        if line.contains("ready") {
            run.workload.go()?;
        } else if !line.trim().is_empty() {
            outcome = each(line.trim_end());
        }
        line.clear();
    }
    drop(lines);
    if outcome.is_err() {
        run.tracer.kill()?;
    }
    let status = run.tracer.wait()?;
    let (report, ended) = run.workload.finish()?;
    let complaints = complaints.join().expect("it does not panic")?;
    outcome?;
    ensure!(!watchdog.has_bitten(), "it takes longer than {LIMIT:?}: {complaints}");
    ensure!(status.success() && ended.success(), "{status}, {ended}: {complaints}");
    eprintln!(" {:.1} s", run.start.elapsed().as_secs_f64());
    Ok((u64::try_from(report.number("calls")?)?, complaints))
}

/// How many drops the text messages tell of.
fn dropped(complaints: &str, kind: &str) -> Result<u64> {
    let mut sum = 0;
    for line in complaints.lines() {
        let words = line.strip_prefix("tracer: ").with_context(|| format!("not a message: {line}"))?;
        let (count, rest) = words.split_once(' ').context("a number")?;
        let (what, cpu) = rest.split_once(" on CPU ").with_context(|| line.to_owned())?;
        ensure!(what.trim_end_matches('s') == kind && cpu.parse::<u32>().is_ok(), "{line}");
        sum += count.parse::<u64>()?;
    }
    Ok(sum)
}

/// The numbers of each thread come in order, each at most once.
#[derive(Default)]
struct Sequence {
    next: [u64; 2],
    delivered: u64,
}

impl Sequence {
    fn take(&mut self, thread: u64, number: u64) -> Result<()> {
        let next = &mut self.next[usize::try_from(thread)?];
        ensure!(number >= *next && number < CALLS, "thread {thread}: {number} after {}", *next as i64 - 1);
        *next = number + 1;
        self.delivered += 1;
        Ok(())
    }
}

fn text() -> Result<()> {
    let mut seen = Sequence::default();
    let program = r#"syscall::getppid:entry /MINE/ { printf("%d %d\n", arg1, arg0); }"#;
    let (sent, complaints) = trace(&[], program, |line| {
        let (thread, number) = line.split_once(' ').with_context(|| line.to_owned())?;
        seen.take(thread.parse()?, number.parse()?)
    })?;
    let lost = dropped(&complaints, "drop")?;
    eprintln!(" text: {} delivered, {lost} dropped", seen.delivered);
    ensure!(seen.delivered > 0 && seen.delivered + lost == sent, "{} + {lost} of {sent}", seen.delivered);
    Ok(())
}

fn json() -> Result<()> {
    let (mut seen, mut lost, mut last) = (Sequence::default(), 0, 0);
    let program = "syscall::getppid:entry /MINE/ { trace(arg1); trace(arg0); }";
    let (sent, complaints) = trace(&["--json"], program, |line| {
        let line: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
        let number = |value: &Value| value.as_u64().with_context(|| line.to_string());
        if line["type"] == "drop" {
            ensure!(line["kind"] == "principal" && line["probe"] == "syscall:::entry", "{line}");
            lost += number(&line["count"])?;
            ensure!(number(&line["total"])? == lost, "{line}: {lost}");
            return Ok(());
        }
        ensure!(line["type"] == "record", "{line}");
        let time = number(&line["time"])?;
        ensure!(time >= last, "{line} after {last}");
        last = time;
        seen.take(number(&line["actions"][0]["value"])?, number(&line["actions"][1]["value"])?)
    })?;
    eprintln!(" json: {} delivered, {lost} dropped", seen.delivered);
    ensure!(complaints.is_empty(), "{complaints}");
    ensure!(seen.delivered > 0 && seen.delivered + lost == sent, "{} + {lost} of {sent}", seen.delivered);
    Ok(())
}

/// The keys and their counts that are printed at the end.
fn count_by_key(options: &[&str], program: &str) -> Result<(u64, Vec<u64>, String)> {
    let mut counts = Vec::new();
    let (sent, complaints) = trace(options, program, |line| {
        let (_, count) = line.trim().split_once(' ').with_context(|| line.to_owned())?;
        counts.push(count.trim().parse()?);
        Ok(())
    })?;
    Ok((sent, counts, complaints))
}

fn keys() -> Result<()> {
    let program = "syscall::getppid:entry /MINE/ { @[arg0 % 100000] = count(); }";
    let (sent, counts, complaints) = count_by_key(&["-x", "aggsize=64m"], program)?;
    ensure!(complaints.is_empty(), "{complaints}");
    ensure!(counts.len() == 100_000, "{} keys", counts.len());
    ensure!(counts.iter().all(|&count| count == sent / 100_000), "{:?}", &counts[..10]);
    Ok(())
}

fn too_many_keys() -> Result<()> {
    let program = "syscall::getppid:entry /MINE/ { @[arg0 % 100000] = count(); }";
    let (sent, counts, complaints) = count_by_key(&["-x", "aggsize=256k"], program)?;
    let lost = dropped(&complaints, "aggregation drop")?;
    let kept: u64 = counts.iter().sum();
    eprintln!(" keys: {} with {kept}, {lost} dropped", counts.len());
    ensure!(lost > 0 && kept > 0 && kept + lost == sent, "{kept} + {lost} of {sent}");
    Ok(())
}
