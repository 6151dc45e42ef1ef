//! The tools that are compared, and runs of them.

use std::fs::File;
use std::io::{PipeReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use aya::Ebpf;

use super::clauses::Clause;
use super::statistics::{Reading, reading};
use super::{Program, handwritten};
use crate::shell::{capture, find};

/// The tracer, bpftrace, or programs written by hand.
#[derive(Debug, Clone)]
pub(super) struct Tool {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tracer,
    Bpftrace,
    Handwritten,
}

/// A run from start to end.
pub(super) struct WholeRun {
    pub(super) time: Duration,
    /// To the first byte on either of its outputs.
    pub(super) first: Duration,
    /// On processors, in user space and in the kernel.
    pub(super) processor: Duration,
    pub(super) peak_kb: i64,
}

impl Tool {
    /// The tracer; bpftrace, where it is installed and has the tracefs that it needs; the programs written by hand, where they can
    /// be built.
    pub(super) fn all(tracer: PathBuf) -> Result<Vec<Tool>> {
        ensure!(tracer.is_file(), "there is no {}", tracer.display());
        let mut tools = vec![Tool { path: tracer, kind: Kind::Tracer }];
        match find("bpftrace").map(|path| mount_tracefs().map(|()| path)) {
            Some(Ok(path)) => tools.push(Tool { path, kind: Kind::Bpftrace }),
            Some(Err(error)) => eprintln!("tracefs cannot be mounted ({error}): bpftrace is left out"),
            None => eprintln!("bpftrace is not installed: it is left out"),
        }
        match handwritten::build() {
            Ok(path) => tools.push(Tool { path, kind: Kind::Handwritten }),
            Err(error) => {
                eprintln!("the programs written by hand cannot be built ({error:#}): they are left out")
            }
        }
        Ok(tools)
    }

    pub(super) fn is_ours(&self) -> bool {
        self.kind == Kind::Tracer
    }

    pub(super) fn is_handwritten(&self) -> bool {
        self.kind == Kind::Handwritten
    }

    /// Whether its programs are on raw tracepoints.
    pub(super) fn is_raw(&self) -> bool {
        self.kind != Kind::Bpftrace
    }

    pub(super) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Tracer => "tracer",
            Kind::Bpftrace => "bpftrace",
            Kind::Handwritten => "by hand",
        }
    }

    /// Bytes of the file and of the libraries that it loads.
    pub(super) fn size(&self) -> Result<u64> {
        // A static program makes ldd fail: it has none.
        let libraries = capture(Command::new("ldd").arg(&self.path)).unwrap_or_default();
        let libraries = libraries.split_whitespace().filter(|word| word.starts_with('/')).map(Path::new);
        std::iter::once(self.path.as_path())
            .chain(libraries)
            .map(|path| Ok(std::fs::metadata(path)?.len()))
            .sum()
    }

    fn command(&self, text: &str, pid: u32) -> Command {
        let mut command = Command::new(&self.path);
        command.args([if self.is_ours() { "-n" } else { "-e" }, text]).stdin(Stdio::null());
        if text.contains("$1") {
            command.arg(pid.to_string());
        }
        command
    }

    /// A run that ends by itself.
    pub(super) fn whole_run(&self, program: &Program) -> Result<WholeRun> {
        let text = if self.is_ours() { program.d } else { program.bpftrace };
        let (mut reader, writer) = std::io::pipe()?;
        let mut command = self.command(text, std::process::id());
        command.stdout(writer.try_clone()?).stderr(writer);
        let start = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {}", self.path.display()))?;
        // The command has copies of the pipe's end.
        drop(command);
        let mut said = vec![0; 1];
        reader.read_exact(&mut said).context("it said nothing")?;
        let first = start.elapsed();
        reader.read_to_end(&mut said)?;
        let (status, usage) = wait(child)?;
        let time = start.elapsed();
        ensure!(status == 0, "{} failed: {}", self.name(), String::from_utf8_lossy(&said));
        let spent = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
        let processor = spent(usage.ru_utime) + spent(usage.ru_stime);
        Ok(WholeRun { time, first, processor, peak_kb: usage.ru_maxrss })
    }

    /// Runs a script of D to its end, and says how long that took.
    pub(super) fn run_script(&self, script: &Path) -> Result<Duration> {
        let mut command = Command::new(&self.path);
        command.args(["-q", "-s"]).arg(script).stdin(Stdio::null()).stdout(Stdio::null());
        let start = Instant::now();
        let status = command.status().with_context(|| format!("cannot start {}", self.path.display()))?;
        ensure!(status.success(), "{} failed", self.name());
        Ok(start.elapsed())
    }

    /// Starts a clause for the loop and waits until its probes are on.
    pub(super) fn trace(&self, clause: &Clause, pid: u32) -> Result<Running> {
        match self.kind {
            Kind::Tracer => self.start_text(clause.d, pid, None),
            Kind::Bpftrace => self.start_text(clause.bpftrace, pid, None),
            Kind::Handwritten => Ok(Running::Here(Box::new(handwritten::start(&self.path, clause, pid)?))),
        }
    }

    /// Starts a program for the loop and waits until its probes are on; lines go to the file.
    pub(super) fn start(&self, program: &Program, pid: u32, file: Option<&Path>) -> Result<Running> {
        self.start_text(if self.is_ours() { program.d } else { program.bpftrace }, pid, file)
    }

    /// Starts a program. That it is ready it says itself: the tracer in BEGIN, which runs when all is attached; bpftrace
    /// by a timer's line, which is printed when all is attached, some times, since one may be lost.
    pub(super) fn start_text(&self, text: &str, pid: u32, file: Option<&Path>) -> Result<Running> {
        let ready = if self.is_ours() {
            r#"BEGIN { printf("ready\n"); }"#
        } else {
            r#"interval:ms:100 /@ready < 5/ { @ready++; printf("ready\n"); }"#
        };
        let mut command = self.command(&format!("{text} {ready}"), pid);
        if self.is_ours() {
            command.arg("-q");
        }
        let (reader, writer) = std::io::pipe()?;
        match file {
            Some(path) => command.stdout(File::create(path)?).stderr(Stdio::null()),
            None => command.stdout(writer).stderr(Stdio::null()),
        };
        let child = command.spawn().with_context(|| format!("cannot start {}", self.path.display()))?;
        drop(command);
        let mut process = Process { child: Some(child), reader };
        process.wait_until_ready(file)?;
        Ok(Running::Process(process))
    }
}

/// Mounts tracefs where it is not.
fn mount_tracefs() -> std::io::Result<()> {
    let place = c"/sys/kernel/tracing";
    if Path::new("/sys/kernel/tracing/events").exists() {
        return Ok(());
    }
    let kind = c"tracefs";
    // SAFETY: strings that live as long as the call, and no data.
    match unsafe { libc::mount(kind.as_ptr(), place.as_ptr(), kind.as_ptr(), 0, std::ptr::null()) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// What traces the loop.
pub(super) enum Running {
    /// A program.
    Process(Process),
    /// Programs of the kernel that this process holds.
    Here(Box<Ebpf>),
}

impl Running {
    /// The statistics of its programs.
    pub(super) fn reading(&self) -> Result<Reading> {
        match self {
            Running::Process(process) => process.reading(),
            Running::Here(_) => reading(std::process::id()),
        }
    }

    /// Ends it; gives what it has counted, or what it wrote that did not go to a file.
    pub(super) fn interrupt(self) -> Result<String> {
        match self {
            Running::Process(process) => process.interrupt(),
            Running::Here(mut loaded) => Ok(handwritten::counted(&mut loaded)?.to_string()),
        }
    }
}

/// A program that traces the loop.
pub(super) struct Process {
    child: Option<Child>,
    reader: PipeReader,
}

impl Process {
    fn wait_until_ready(&mut self, file: Option<&Path>) -> Result<()> {
        let start = Instant::now();
        let mut said = Vec::new();
        while !said.windows(5).any(|word| word == b"ready") {
            match file {
                Some(path) => said = std::fs::read(path)?,
                None => {
                    let mut byte = [0];
                    self.reader.read_exact(&mut byte).context("it ended before it was ready")?;
                    said.push(byte[0]);
                }
            }
            ensure!(start.elapsed() < Duration::from_secs(60), "it was not ready in a minute");
        }
        Ok(())
    }

    /// The statistics of its programs.
    fn reading(&self) -> Result<Reading> {
        reading(self.child.as_ref().map_or(0, Child::id))
    }

    /// Ends it, as kill(1) does (SIGINT is ignored by what a shell starts behind it), again each second, since bpftrace sleeps over
    /// a signal that comes at the wrong moment; gives what it wrote that did not go to a file.
    fn interrupt(mut self) -> Result<String> {
        let child = self.child.take().context("it runs once")?;
        let (mut said, ended) = (Vec::new(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let signals = scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    // SAFETY: our own child, not waited for yet.
                    unsafe { libc::kill(child.id() as libc::pid_t, libc::SIGTERM) };
                    std::thread::park_timeout(Duration::from_secs(1));
                }
            });
            let read = self.reader.read_to_end(&mut said);
            ended.store(true, Ordering::Relaxed);
            signals.thread().unpark();
            read
        })?;
        let (status, _) = wait(child)?;
        ensure!(status == 0, "it failed: {}", String::from_utf8_lossy(&said));
        Ok(String::from_utf8_lossy(&said).into_owned())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended: then there is nothing to end.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits for the end; gives the status and what was used (the most memory that was resident, in kB, among it).
fn wait(child: Child) -> Result<(i32, libc::rusage)> {
    let mut status = 0;
    // SAFETY: a rusage of zeros is a value; the child is ours and nobody else waits for it.
    let (waited, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        (libc::wait4(child.id() as libc::pid_t, &raw mut status, 0, &raw mut usage), usage)
    };
    ensure!(waited > 0, "wait4: {}", std::io::Error::last_os_error());
    Ok((status, usage))
}
