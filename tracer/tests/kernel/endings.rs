//! How a run ends when it is not asked to: killed, its output full or closed, its terminal gone, its reader stuck, the traced
//! process dead in the middle. Whatever was gathered is shown where it can be, and nothing stays behind in the kernel.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::harness::process::{LIMIT, Watchdog};
use crate::harness::run::command;
use crate::harness::workload::{self, until_asleep};
use crate::harness::{Family, Report, Tracer, Workload, patience, skip, tracer, until};

pub(crate) const FAMILY: Family = Family {
    name: "endings",
    tests: &[
        ("a_killed_tracer_leaves_nothing_behind", killed),
        ("a_full_disk_is_an_error_that_keeps_what_was_written", full_disk),
        ("a_closed_terminal_ends_the_run", closed_terminal),
        ("a_closed_terminal_does_not_keep_aggregations_from_a_file", closed_terminal_with_file),
        ("a_resized_terminal_changes_nothing", resized_terminal),
        ("a_second_interrupt_changes_nothing_where_the_first_is_heard", interrupted_twice),
        ("a_second_interrupt_ends_a_run_whose_reader_is_stuck", stuck_reader),
        ("a_process_killed_in_its_calls_ends_the_run", killed_process),
        ("a_command_whose_interpreter_is_missing_is_told", missing_interpreter),
        ("commands_that_never_ran_do_not_keep_the_tracer", never_ran),
        ("a_stopped_command_ends_with_the_tracer", stopped_command),
        ("the_command_begins_with_its_exec", begins_with_exec),
        ("exit_keeps_its_status_where_its_message_has_no_room", status_without_message),
    ],
    workloads: &[("endings-disk", disk), ("endings-calls", calls), ("endings-stop", stop)],
};

/// linux/bpf.h: commands that open what has an id.
const BY_ID: [(&str, libc::c_long); 3] = [("prog_id", 13), ("map_id", 14), ("link_id", 30)];

fn killed() -> Result<()> {
    let program = r#"BEGIN { printf("ready\n"); } tcp:::state-change, syscall::write:entry, proc:::exec, pipe:::read
        { @[execname] = count(); self->x = timestamp; a[pid] = 1; } profile-97hz { @p = count(); } tick-10ms { n++; }"#;
    let mut running = Tracer::start(&["-qn", program])?;
    running.wait_for("ready")?;
    let held = held(running.pid())?;
    let count = |kind| held.iter().filter(|(other, _)| *other == kind).count();
    ensure!(count("prog_id") >= 6 && count("map_id") >= 6 && count("link_id") >= 4, "{held:?}");
    ensure!(held.iter().all(|&(kind, id)| exists(kind, id)), "{held:?}");
    let output = running.signal(libc::SIGKILL)?;
    ensure!(output.status.signal() == Some(libc::SIGKILL), "{output:?}");
    // The kernel frees when all CPUs have left the programs.
    until("the kernel has taken everything back", || Ok(!held.iter().any(|&(kind, id)| exists(kind, id))))
        .with_context(|| format!("{held:?}"))
}

/// The ids of what a process has of bpf(2).
fn held(pid: u32) -> Result<Vec<(&'static str, u32)>> {
    let mut ids = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fdinfo"))? {
        let text = fs::read_to_string(entry?.path())?;
        for (kind, _) in BY_ID {
            let found =
                text.lines().find_map(|line| line.strip_prefix(kind)?.strip_prefix(':')?.trim().parse().ok());
            ids.extend(found.map(|id| (kind, id)));
        }
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

fn exists(kind: &str, id: u32) -> bool {
    let command = BY_ID.iter().find(|(name, _)| *name == kind).map_or(-1, |(_, command)| *command);
    let attr = [id, 0, 0];
    // SAFETY: the beginning of union bpf_attr for these commands; a descriptor that comes is new.
    unsafe {
        let descriptor = libc::syscall(libc::SYS_bpf, command, attr.as_ptr(), size_of_val(&attr));
        descriptor >= 0 && libc::close(descriptor as i32) == 0
    }
}

fn full_disk() -> Result<()> {
    for (json, last) in [(false, "line 0123456789"), (true, "}")] {
        let (report, status) =
            Workload::start("endings-disk", &[if json { "--json" } else { "-v" }])?.finish()?;
        ensure!(status.success(), "{status}");
        if let Ok(reason) = report.text("skip") {
            return skip(reason);
        }
        ensure!(report.number("status")? == 1, "{report:?}");
        ensure!(
            report.text("complaint")?.contains("writing the output: No space left on device"),
            "{report:?}"
        );
        // The disk is full of whole lines, and of the part of one for which there was room.
        ensure!(report.number("bytes")? == DISK as i64 && report.number("lines")? > 100, "{report:?}");
        ensure!(report.text("whole")?.ends_with(last), "{report:?}");
    }
    Ok(())
}

/// Bytes of the small disk.
const DISK: usize = 64 << 10;

/// Runs the tracer with a disk of its own to write to, in a mount namespace that ends with it.
fn disk(arguments: &[String]) -> Result<Report> {
    let directory = format!("/tmp/tracer-test-disk-{}", std::process::id());
    fs::create_dir(&directory)?;
    let place = CString::new(directory.clone())?;
    let size = CString::new(format!("size={DISK}"))?;
    // SAFETY: strings that end in zero; the namespace is this process's own.
    let mounted = unsafe {
        libc::unshare(libc::CLONE_NEWNS) == 0
            && libc::mount(
                std::ptr::null(),
                c"/".as_ptr(),
                std::ptr::null(),
                libc::MS_REC | libc::MS_PRIVATE,
                std::ptr::null(),
            ) == 0
            && libc::mount(c"tmpfs".as_ptr(), place.as_ptr(), c"tmpfs".as_ptr(), 0, size.as_ptr().cast()) == 0
    };
    if !mounted {
        fs::remove_dir(&directory)?;
        return Ok(Report::default().with("skip", format!("no mounts here: {}", io::Error::last_os_error())));
    }
    let path = format!("{directory}/out");
    // 25 clauses a millisecond: the disk is full within a second.
    let program = [r#"tick-1ms { printf("line 0123456789\n"); }"#; 25].join("\n");
    let output = tracer(&[&arguments[0], "-q", "-o", &path, "-n", &program])?;
    let text = fs::read_to_string(&path)?;
    let (whole, _) = text.rsplit_once('\n').context("there are lines")?;
    Ok(Report::default()
        .with("status", output.status.code().unwrap_or(-1))
        .with("complaint", output.stderr.lines().last().unwrap_or_default())
        .with("bytes", text.len())
        .with("lines", text.lines().count())
        .with("whole", whole.lines().last().unwrap_or_default()))
}

/// A pseudo-terminal: the end of the person, and that of the program.
fn terminal() -> Result<(OwnedFd, OwnedFd)> {
    let (mut person, mut program) = (0, 0);
    let none = std::ptr::null_mut();
    // SAFETY: two integers to write to; the descriptors are new.
    unsafe {
        if libc::openpty(&raw mut person, &raw mut program, none, none.cast(), none.cast()) != 0 {
            return skip(format!("no terminals here: {}", io::Error::last_os_error()));
        }
        libc::fcntl(person, libc::F_SETFD, libc::FD_CLOEXEC);
        Ok((OwnedFd::from_raw_fd(person), OwnedFd::from_raw_fd(program)))
    }
}

/// A tracer that is not the harness's, which bounds its time.
struct Running {
    child: Child,
    watchdog: Watchdog,
}

impl Running {
    fn spawn(command: &mut Command) -> Result<Running> {
        let child = command.spawn()?;
        Ok(Running { watchdog: Watchdog::over(&child, patience(LIMIT))?, child })
    }

    /// How it ended.
    fn ended(&mut self) -> Result<ExitStatus> {
        let status = self.child.wait()?;
        ensure!(!self.watchdog.has_bitten(), "the tracer did not end");
        Ok(status)
    }
}

/// Starts the tracer on a terminal; where it is the process's own, closing it sends SIGHUP.
fn on_terminal(arguments: &[&str], own: bool) -> Result<(Running, File)> {
    let (person, program) = terminal()?;
    let end = || -> Result<Stdio> { Ok(program.try_clone()?.into()) };
    let mut command: Command = command(arguments);
    command.stdin(end()?).stdout(end()?).stderr(end()?);
    if own {
        // SAFETY: system calls that may be made between fork and exec.
        unsafe {
            command.pre_exec(|| {
                libc::setsid();
                libc::ioctl(0, libc::TIOCSCTTY, 0);
                Ok(())
            });
        }
    }
    Ok((Running::spawn(&mut command)?, File::from(person)))
}

const READY: &str = r#"BEGIN { printf("ready\n"); @["gathered"] = sum(42); } tick-5ms { printf("tick\n"); } END { printf("end\n"); }"#;

fn closed_terminal() -> Result<()> {
    for own in [true, false] {
        let (mut running, mut person) = on_terminal(&["-qn", READY], own)?;
        read_until(&mut person, "ready")?;
        drop(person);
        let status = running.ended()?;
        ensure!(status.success(), "own {own}: {status}");
    }
    Ok(())
}

fn closed_terminal_with_file() -> Result<()> {
    let path = format!("/tmp/tracer-test-closed-{}", std::process::id());
    let _ = fs::remove_file(&path);
    let (mut running, person) = on_terminal(&["-q", "-o", &path, "-n", READY], true)?;
    until("the run begins", || Ok(fs::read_to_string(&path).is_ok_and(|text| text.contains("ready"))))?;
    drop(person);
    let status = running.ended()?;
    let text = fs::read_to_string(&path)?;
    fs::remove_file(&path)?;
    let last: Vec<_> = text.lines().last().unwrap_or_default().split_whitespace().collect();
    ensure!(status.success() && last == ["gathered", "42"] && text.contains("\nend\n"), "{status}: {text}");
    Ok(())
}

fn resized_terminal() -> Result<()> {
    let (mut running, mut person) = on_terminal(&["-qn", READY], true)?;
    read_until(&mut person, "ready")?;
    for columns in [20, 200, 1, 80] {
        let size = libc::winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: a winsize to read.
        ensure!(unsafe { libc::ioctl(person.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) } == 0);
        read_until(&mut person, "tick")?;
    }
    // As the person types it.
    person.write_all(b"\x03")?;
    let rest = read_until(&mut person, "42")?;
    ensure!(rest.contains("end") && rest.contains("gathered"), "{rest}");
    let status = running.ended()?;
    ensure!(status.success(), "{status}");
    Ok(())
}

fn interrupted_twice() -> Result<()> {
    let mut running = Tracer::start(&["-qn", READY])?;
    running.wait_for("ready")?;
    let pid = i32::try_from(running.pid())?;
    for _ in 0..2 {
        // SAFETY: integers; our own child.
        unsafe { libc::kill(pid, libc::SIGINT) };
    }
    let output = running.interrupt()?.success()?;
    let last: Vec<_> = output.lines().last().context("some output")?.split_whitespace().collect();
    ensure!(last == ["gathered", "42"] && output.stdout.contains("\nend\n"), "{output:?}");
    ensure!(output.stderr.is_empty(), "{output:?}");
    Ok(())
}

fn stuck_reader() -> Result<()> {
    // 64 KiB fit into a pipe: then the tracer waits for its reader.
    let program = r#"tick-1ms { printf("%s\n", "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"); }"#;
    let many = [program; 8].join("\n");
    let mut running = Running::spawn(command(&["-qn", &many]).stdout(Stdio::piped()).stderr(Stdio::null()))?;
    let pid = i32::try_from(running.child.id())?;
    // It sleeps in write(2) when the pipe is full, and only then.
    until_asleep(pid, libc::SYS_write)?;
    for _ in 0..2 {
        // SAFETY: integers; our own child.
        unsafe { libc::kill(pid, libc::SIGINT) };
        // Two that are sent before the first is heard would be one.
        until("the signal is heard", || Ok(!pending(pid, libc::SIGINT)?))?;
    }
    let status = running.ended()?;
    ensure!(status.code() == Some(128 + libc::SIGINT), "{status}");
    Ok(())
}

/// Whether a signal waits to be taken by a process.
fn pending(pid: i32, signal: i32) -> Result<bool> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let set = status.lines().find_map(|line| line.strip_prefix("ShdPnd:")).context("a set of signals")?;
    Ok(u64::from_str_radix(set.trim(), 16)? & 1 << (signal - 1) != 0)
}

fn killed_process() -> Result<()> {
    let program = r#"
        syscall:::entry, syscall:::return /pid == $target/ { @[probefunc] = count(); self->at = timestamp; }
        syscall::statx:entry /pid == $target/ { printf("%s\n", copyinstr(arg1)); }
        pipe:::read, pipe:::write, pipe:::block, socket::connect:entry /pid == $target/ { @times[probename, execname] = quantize(timestamp - self->at); }
        proc:::exit, proc:::lwp-exit /pid == $target/ { printf("exit\n"); }
        BEGIN { printf("ready\n"); } END { printf("end\n"); }"#;
    for delay in [1, 7, 23] {
        let mut workload = Workload::start("endings-calls", &[])?;
        let pid = workload.pid();
        let mut running = Tracer::start(&["-qn", program, "-p", &pid.to_string()])?;
        running.wait_for("ready")?;
        workload.go()?;
        sleep(Duration::from_millis(delay));
        // SAFETY: integers; our own child, not waited for yet.
        unsafe { libc::kill(i32::try_from(pid)?, libc::SIGKILL) };
        let output = running.finish()?.success()?;
        let (_, status) = workload.finish()?;
        ensure!(status.signal() == Some(libc::SIGKILL), "{status}");
        ensure!(output.stdout.contains("\nexit\n") && output.stdout.contains("\nend\n"), "{output:?}");
    }
    Ok(())
}

/// Threads that make calls without end.
fn calls(_: &[String]) -> Result<Report> {
    let work = || -> Result<()> {
        loop {
            let (mut read, mut write) = io::pipe()?;
            write.write_all(b"0123456789")?;
            read.read_exact(&mut [0; 10])?;
            let _ = fs::exists("/etc/passwd")?;
            let _ = std::net::TcpStream::connect(("127.0.0.1", 1));
        }
    };
    let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(work)).collect();
    for thread in threads {
        thread.join().expect("it does not panic")?;
    }
    Ok(Report::default())
}

fn missing_interpreter() -> Result<()> {
    let path = format!("/tmp/tracer-test-script-{}", std::process::id());
    fs::write(&path, "#!/no/such/interpreter\n")?;
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let output = tracer(&["-qn", "END { trace(1); }", "-c", &path]);
    fs::remove_file(&path)?;
    let output = output?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    ensure!(output.stderr.contains("cannot be run: No such file or directory"), "{output:?}");
    Ok(())
}

fn never_ran() -> Result<()> {
    let each = ["-c", "true"];
    let output = tracer(&[&["-qn", "BEGIN { exit(3); }"], &each[..], &each, &each].concat())?;
    ensure!(output.status.code() == Some(3), "{output:?}");
    Ok(())
}

/// What the child that becomes the command does for that has been done before tracing begins.
fn begins_with_exec() -> Result<()> {
    let program = "syscall:::entry /pid == $target && !seen++/ { printf(\"%s\\n\", probefunc); }";
    let output = tracer(&["-qn", program, "-c", "true"])?.success()?;
    ensure!(output.lines() == ["execve"], "{output:?}");
    Ok(())
}

fn stopped_command() -> Result<()> {
    let (command, _) = workload::command("endings-stop", &[])?;
    let program = r#"syscall::kill:entry /pid == $target/ { printf("%d", pid); exit(0); }"#;
    let stopped = tracer(&["-qn", program, "-c", &command])?.number()?;
    let path = format!("/proc/{stopped}/stat");
    // It may still be there for whoever is to reap it.
    until(
        "the command has ended",
        || Ok(fs::read_to_string(&path).map_or(true, |stat| stat.contains(") Z "))),
    )
}

/// Stops, and never goes on by itself.
fn stop(_: &[String]) -> Result<Report> {
    // SAFETY: integers; this very process.
    unsafe { libc::kill(libc::getpid(), libc::SIGSTOP) };
    std::thread::sleep(Duration::MAX);
    Ok(Report::default())
}

fn status_without_message() -> Result<()> {
    let program = "BEGIN { x = strjoin(execname, execname); trace(x); trace(x); exit(9); }";
    let output = tracer(&["-b", "4k", "-x", "strsize=4k", "-qn", program])?;
    ensure!(output.status.code() == Some(9) && output.stderr.contains("1 drop"), "{output:?}");
    Ok(())
}

/// Reads from the terminal until it has shown that, or nobody writes to it any more.
fn read_until(person: &mut File, text: &str) -> Result<String> {
    let mut seen = String::new();
    let mut bytes = [0; 4096];
    while !seen.contains(text) {
        let count = person.read(&mut bytes).with_context(|| format!("no {text:?} in {seen:?}"))?;
        seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    Ok(seen)
}
