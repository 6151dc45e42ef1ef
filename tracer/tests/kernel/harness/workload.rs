//! The programs that the tests trace: functions of this binary, run in a process of their own. A workload waits until it is told
//! to go, so that its process id is known before it does anything, and reports what it did, which is the truth to compare with.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::process::{Ended, LIMIT, Process};
use super::{Family, patience, until};

/// A workload: gets its arguments, returns what it did.
pub(crate) type Body = fn(&[String]) -> Result<Report>;

/// What a workload says that it did: names and values.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Report(BTreeMap<String, String>);

impl Report {
    /// Adds one fact.
    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.0.insert(name.to_owned(), value.to_string());
        self
    }

    /// The fact called `name`.
    pub(crate) fn text(&self, name: &str) -> Result<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("the workload reported no {name}: {self:?}"))
    }

    /// The fact called `name`, which is a number.
    pub(crate) fn number(&self, name: &str) -> Result<i64> {
        let text = self.text(name)?;
        text.parse().with_context(|| format!("{name} is not a number: {text}"))
    }

    fn read(text: &str) -> Self {
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        Self(lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

/// The command line of a workload, for the tracer's `-c`, and the file that it will leave its report in: see [`truth`].
pub(crate) fn command(name: &str, arguments: &[&str]) -> Result<(String, String)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let report = format!("/tmp/tracer-test-{}-{number}", std::process::id());
    let program = std::env::current_exe()?;
    let line = format!("{} --workload {report} {name} {}", program.display(), arguments.join(" "));
    Ok((line.trim_end().to_owned(), report))
}

/// Reads, and removes, the report of a workload that was started by [`command`].
pub(crate) fn truth(report: &str) -> Result<Report> {
    let text = std::fs::read_to_string(report).context("the workload left no report")?;
    std::fs::remove_file(report)?;
    Ok(Report::read(&text))
}

/// The name of the file that the workloads are run from.
pub(crate) fn program_file() -> Result<String> {
    let path = std::env::current_exe()?;
    Ok(path.file_name().context("a program has a file")?.to_string_lossy().into_owned())
}

/// A workload that has been started by the test itself.
pub(crate) struct Workload {
    process: Process,
}

impl Workload {
    /// Starts the workload `name`, which then waits for [`Workload::go`].
    pub(crate) fn start(name: &str, arguments: &[&str]) -> Result<Self> {
        let child = Command::new(std::env::current_exe()?)
            .args(["--workload", "-", name])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(Self { process: Process::of(child)? })
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Lets it begin.
    pub(crate) fn go(&mut self) -> Result<()> {
        self.process.child().stdin.take().context("it has begun already")?.write_all(b"\n")?;
        Ok(())
    }

    /// Waits for its end: what it reports, and how waitpid says that it ended.
    pub(crate) fn finish(mut self) -> Result<(Report, ExitStatus)> {
        if self.process.child().stdin.is_some() {
            self.go()?;
        }
        let Ended { stdout, status, late, .. } = self.process.end()?;
        ensure!(!late, "the workload did not end in time; it reported: {stdout}");
        Ok((Report::read(&stdout), status))
    }
}

/// Waits until a thread sleeps in that system call. [`proc(5)`] shows no call of one that runs.
///
/// [`proc(5)`]: https://man7.org/linux/man-pages/man5/proc_pid_syscall.5.html
pub(crate) fn until_asleep(thread: libc::pid_t, call: libc::c_long) -> Result<()> {
    let path = format!("/proc/{thread}/syscall");
    until("a thread sleeps", || Ok(std::fs::read_to_string(&path)?.starts_with(&format!("{call} "))))
}

/// Computes until this thread has had that much time of a CPU, however long that takes.
pub(crate) fn compute(time: Duration) {
    let end = thread_time() + time;
    while thread_time() < end {
        std::hint::black_box((0..100_000_u64).fold(0, |sum: u64, n| sum.wrapping_mul(31).wrapping_add(n)));
    }
}

/// The time of a CPU that this thread has had.
pub(crate) fn thread_time() -> Duration {
    clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// What a clock shows.
pub(crate) fn clock(which: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a place for a time.
    unsafe { libc::clock_gettime(which, &raw mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The process of a workload: `arguments` are where to report (`-`: wait for a line on the standard input, report on the standard
/// output), its name, its own arguments.
pub(crate) fn main(families: &[Family], arguments: &[String]) -> ExitCode {
    let limit = patience(LIMIT).as_secs();
    // SAFETY: alarm takes an integer. It ends a workload whose test has gone.
    unsafe { libc::alarm(u32::try_from(limit).unwrap_or(u32::MAX)) };
    match perform(families, arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("workload {arguments:?}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(families: &[Family], arguments: &[String]) -> Result<()> {
    let [place, name, rest @ ..] = arguments else { bail!("--workload REPORT NAME ARGUMENT...") };
    let body = families.iter().flat_map(|family| family.workloads).find(|(known, _)| known == name);
    let (_, body) = body.with_context(|| format!("there is no workload {name}"))?;
    if place == "-" {
        BufReader::new(std::io::stdin()).read_line(&mut String::new())?;
    }
    let report = body(rest)?;
    let text: String = report.0.iter().map(|(name, value)| format!("{name} {value}\n")).collect();
    if place == "-" {
        std::io::stdout().write_all(text.as_bytes())?;
    } else {
        std::fs::write(place, text)?;
    }
    Ok(())
}
