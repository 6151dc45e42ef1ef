//! Starts the tracer, with a time limit, and keeps what it said.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::{Report, Workload, patience};

/// How long one run of the tracer may take, before [`patience`].
const LIMIT: Duration = Duration::from_secs(20);

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
    child: Child,
    lines: Receiver<String>,
    stdout: String,
    stderr: Option<JoinHandle<String>>,
    deadline: Instant,
}

impl Tracer {
    /// Starts the tracer and does not wait. Whoever needs to know that its probes are there has it print a line in BEGIN and
    /// calls [`Tracer::wait_for`].
    pub(crate) fn start(arguments: &[&str]) -> Result<Self> {
        Self::spawn(command(arguments))
    }

    /// As [`Tracer::start`], for a command that [`command`] made and its caller changed.
    pub(crate) fn spawn(mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let stdout = BufReader::new(child.stdout.take().context("stdout is a pipe")?);
        let mut stderr = child.stderr.take().context("stderr is a pipe")?;
        let (sender, lines) = channel();
        spawn(move || {
            for line in stdout.split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let stderr = Some(spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        }));
        Ok(Self { child, lines, stdout: String::new(), stderr, deadline: Instant::now() + patience(LIMIT) })
    }

    /// The tracer's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line of the standard output that contains `text`, and returns it.
    pub(crate) fn wait_for(&mut self, text: &str) -> Result<String> {
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                let _ = self.child.kill();
                let ended = self.child.wait()?;
                let stdout = std::mem::take(&mut self.stdout);
                bail!("the tracer did not print {text:?} but ended, {ended}: {stdout}{}", self.complaint());
            };
            self.keep(&line);
            if line.contains(text) {
                return Ok(line);
            }
        }
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
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            while let Ok(line) = self.lines.try_recv() {
                self.keep(&line);
            }
            if Instant::now() > self.deadline {
                self.child.kill()?;
                self.child.wait()?;
                let stdout = std::mem::take(&mut self.stdout);
                bail!("the tracer did not end in time; it printed: {stdout}{}", self.complaint());
            }
            sleep(Duration::from_millis(5));
        };
        // A process that the tracer left behind may still hold the pipes: what it writes is not the tracer's.
        while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(1)) {
            self.keep(&line);
        }
        let stdout = std::mem::take(&mut self.stdout);
        Ok(Output { stdout, stderr: self.complaint(), status })
    }

    fn keep(&mut self, line: &str) {
        self.stdout.push_str(line);
        self.stdout.push('\n');
    }

    /// What the tracer, which has ended, wrote to its standard error.
    fn complaint(&mut self) -> String {
        self.stderr.take().and_then(|reader| reader.join().ok()).unwrap_or_default()
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
