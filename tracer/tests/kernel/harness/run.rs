//! Starts the tracer and keeps what it said.

use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::process::{Ended, Process};
use super::{Report, Workload};

/// What a run of the tracer left.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) status: ExitStatus,
}

impl Output {
    /// This output, if the exit status is 0; an error that shows all of it otherwise.
    pub(crate) fn success(self) -> Result<Self> {
        ensure!(self.status.success(), "the tracer failed: {self:#?}");
        Ok(self)
    }

    /// The lines of the standard output that are not empty.
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.stdout.lines().filter(|line| !line.trim().is_empty()).collect()
    }

    /// The number that is all of the standard output.
    pub(crate) fn number(&self) -> Result<i64> {
        self.stdout.trim().parse().with_context(|| format!("not one number: {self:#?}"))
    }
}

/// Runs the tracer with `arguments` to its end.
pub(crate) fn tracer(arguments: &[&str]) -> Result<Output> {
    Tracer::start(arguments)?.finish()
}

/// The command that runs the tracer with `arguments`.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let program = std::env::var("TRACER_BIN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_tracer").to_owned());
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// A tracer that is running.
pub(crate) struct Tracer {
    process: Process,
}

impl Tracer {
    /// Starts the tracer and does not wait. Whoever needs to know that its probes are there has it print a line in BEGIN and
    /// calls [`Tracer::wait_for`].
    pub(crate) fn start(arguments: &[&str]) -> Result<Self> {
        Self::spawn(command(arguments))
    }

    /// As [`Tracer::start`], for a command that [`command`] made and its caller changed.
    pub(crate) fn spawn(mut command: Command) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self { process: Process::of(child)? })
    }

    /// The tracer's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Waits for a line of the standard output that contains `text`, and returns it.
    pub(crate) fn wait_for(&mut self, text: &str) -> Result<String> {
        while let Some(line) = self.process.line() {
            if line.contains(text) {
                return Ok(line);
            }
        }
        bail!("the tracer ended before it printed {text:?}: {:#?}", self.process.end()?)
    }

    /// Asks the tracer to end, as Ctrl-C does, and waits until it has.
    pub(crate) fn interrupt(self) -> Result<Output> {
        self.signal(libc::SIGINT)
    }

    /// Sends a signal to the tracer and waits until it has ended.
    pub(crate) fn signal(self, signal: i32) -> Result<Output> {
        let pid = i32::try_from(self.pid())?;
        // SAFETY: kill takes two integers; the process is our child, not waited for yet, so that the id is still its own.
        unsafe { libc::kill(pid, signal) };
        self.finish()
    }

    /// Waits until the tracer has ended by itself.
    pub(crate) fn finish(mut self) -> Result<Output> {
        let Ended { stdout, stderr, status, late } = self.process.end()?;
        ensure!(!late, "the tracer did not end in time; it printed: {stdout}{stderr}");
        Ok(Output { stdout, stderr, status })
    }
}

/// What the tracer saw of a workload, and the truth about it.
#[derive(Debug)]
pub(crate) struct Observation {
    /// What the tracer printed, but for the line that said that it was ready.
    pub(crate) output: Output,
    /// What the workload says that it did.
    pub(crate) report: Report,
    /// The workload's process id.
    pub(crate) pid: u32,
}

/// Runs `program` quietly while the workload `name` does its work; `$1` in the program is the workload's process id. The tracer
/// is interrupted when the workload has ended, unless the program calls exit() before.
pub(crate) fn observe(program: &str, name: &str, arguments: &[&str]) -> Result<Observation> {
    const READY: &str = "the-probes-are-ready";
    let mut workload = Workload::start(name, arguments)?;
    let pid = workload.pid();
    let program = format!("BEGIN {{ printf(\"{READY}\\n\"); }}\n{program}");
    let mut tracer = Tracer::start(&["-q", "-n", &program, &pid.to_string()])?;
    tracer.wait_for(READY)?;
    workload.go()?;
    let (report, ended) = workload.finish()?;
    let mut output = tracer.interrupt()?.success()?;
    ensure!(ended.success(), "the workload ended with {ended}; the tracer said: {output:#?}");
    output.stdout = output.stdout.replacen(&format!("{READY}\n"), "", 1);
    Ok(Observation { output, report, pid })
}
