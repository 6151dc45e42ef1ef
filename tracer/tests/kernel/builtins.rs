//! Built-in variables that tell of the thread and of its process.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::harness::{Family, Report, observe, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "builtins",
    tests: &[
        ("vtimestamp_counts_what_the_thread_has_run", virtual_time),
        ("execargs_are_those_of_the_program", arguments),
        ("what_linux_has_not_is_constant", constants),
    ],
    workloads: &[("builtins_work", work)],
};

/// The time that this thread has run, in nanoseconds.
fn thread_time() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a place for a time.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn mark(number: i64) {
    // SAFETY: the call refuses the descriptor before anything else.
    unsafe { libc::pread(-1, std::ptr::null_mut(), 0, number) };
}

/// Sleeps and works between marks, and says how long it ran.
fn work(_: &[String]) -> Result<Report> {
    // The first mark may cost more: what is not in the cache yet.
    mark(0);
    let before = thread_time();
    mark(1);
    std::thread::sleep(Duration::from_millis(150));
    let until = Instant::now() + Duration::from_millis(80);
    while Instant::now() < until {
        std::hint::black_box(0);
    }
    std::thread::sleep(Duration::from_millis(50));
    mark(2);
    Ok(Report::default().with("ran", thread_time() - before))
}

fn virtual_time() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::pread64:entry /pid == $1 && arg3 == 1/ { self->v = vtimestamp; self->t = timestamp; }
        syscall::pread64:entry /pid == $1 && arg3 == 2/ { printf("%d %d\n", vtimestamp - self->v, timestamp - self->t); }"#;
    let seen = observe(PROGRAM, "builtins_work", &[])?;
    let line = seen.output.lines().first().copied().context("nothing")?.to_owned();
    let (ran, passed) = line.split_once(' ').context("two numbers")?;
    let (ran, passed) = (ran.parse::<i64>()?, passed.parse::<i64>()?);
    let truth = seen.report.number("ran")?;
    ensure!(
        (ran - truth).abs() < 10_000_000 + truth / 10,
        "ran {ran}, and by its own clock {truth}: {seen:?}"
    );
    ensure!(passed > ran + 190_000_000, "{passed} passed, {ran} ran");
    Ok(())
}

fn arguments() -> Result<()> {
    const PROGRAM: &str =
        r#"syscall::execve:return, syscall::exit_group:entry /pid == $target/ { printf("%s|", execargs); }"#;
    let output = tracer(&["-q", "-n", PROGRAM, "-c", "/bin/echo -n one two"])?.success()?;
    ensure!(output.stdout.contains("/bin/echo -n one two|"), "{output:?}");
    Ok(())
}

fn constants() -> Result<()> {
    let program = r#"BEGIN { printf("%s %d %d\n", zonename, jid, ipl); exit(0); }"#;
    let output = tracer(&["-q", "-n", program])?.success()?;
    ensure!(output.lines() == ["global 0 0"], "{output:?}");
    Ok(())
}
