//! The programs that are compared, and runs of them.

use std::fs::File;
use std::io::{PipeReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Program;
use super::statistics::{Reading, reading};
use crate::shell::{capture, find};

/// The tracer or bpftrace.
#[derive(Debug, Clone)]
pub(super) struct Tool {
    path: PathBuf,
    ours: bool,
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
    /// The tracer, and bpftrace where it is installed and has the tracefs that it needs.
    pub(super) fn all(tracer: PathBuf) -> Result<Vec<Tool>> {
        ensure!(tracer.is_file(), "there is no {}", tracer.display());
        let mut bpftrace = find("bpftrace").map(|path| Tool { path, ours: false });
        if bpftrace.is_some()
            && let Err(error) = mount_tracefs()
        {
            eprintln!("tracefs cannot be mounted ({error}): bpftrace is left out");
            bpftrace = None;
        }
        Ok(std::iter::once(Tool { path: tracer, ours: true }).chain(bpftrace).collect())
    }

    pub(super) fn is_ours(&self) -> bool {
        self.ours
    }

    pub(super) fn name(&self) -> &'static str {
        if self.ours { "tracer" } else { "bpftrace" }
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
        command.args([if self.ours { "-n" } else { "-e" }, text]).stdin(Stdio::null());
        if text.contains("$1") {
            command.arg(pid.to_string());
        }
        command
    }

    /// A run that ends by itself.
    pub(super) fn whole_run(&self, program: &Program) -> Result<WholeRun> {
        let text = if self.ours { program.d } else { program.bpftrace };
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

    /// Starts a program for the loop and waits until its probes are on; lines go to the file.
    pub(super) fn start(&self, program: &Program, pid: u32, file: Option<&Path>) -> Result<Running> {
        self.start_text(if self.ours { program.d } else { program.bpftrace }, pid, file)
    }

    /// Starts a program. That it is ready it says itself: the tracer in BEGIN, which runs when all is attached; bpftrace
    /// by a timer's line, which is printed when all is attached.
    pub(super) fn start_text(&self, text: &str, pid: u32, file: Option<&Path>) -> Result<Running> {
        let ready = if self.ours {
            r#"BEGIN { printf("ready\n"); }"#
        } else {
            r#"interval:ms:100 /!@ready/ { @ready = 1; printf("ready\n"); }"#
        };
        let mut command = self.command(&format!("{text} {ready}"), pid);
        if self.ours {
            command.arg("-q");
        }
        let (reader, writer) = std::io::pipe()?;
        match file {
            Some(path) => command.stdout(File::create(path)?).stderr(Stdio::null()),
            None => command.stdout(writer).stderr(Stdio::null()),
        };
        let child = command.spawn().with_context(|| format!("cannot start {}", self.path.display()))?;
        drop(command);
        let mut running = Running { child: Some(child), reader };
        running.wait_until_ready(file)?;
        Ok(running)
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

/// A program that traces the loop.
pub(super) struct Running {
    child: Option<Child>,
    reader: PipeReader,
}

impl Running {
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
    pub(super) fn reading(&self) -> Result<Reading> {
        reading(self.child.as_ref().map_or(0, Child::id))
    }

    /// Ends it, as kill(1) does (SIGINT is ignored by what a shell starts behind it); gives what it wrote that did not go to a file.
    pub(super) fn interrupt(mut self) -> Result<String> {
        let child = self.child.take().context("it runs once")?;
        // SAFETY: our own child, not waited for yet.
        unsafe { libc::kill(child.id() as libc::pid_t, libc::SIGTERM) };
        let mut said = Vec::new();
        self.reader.read_to_end(&mut said)?;
        let (status, _) = wait(child)?;
        ensure!(status == 0, "it failed: {}", String::from_utf8_lossy(&said));
        Ok(String::from_utf8_lossy(&said).into_owned())
    }
}

impl Drop for Running {
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
