//! The syscall and profile providers: calls against what the workload called and got, samples against its CPU time.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::harness::workload::compute;
use crate::harness::{Family, Report, observe, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "syscall",
    tests: &[
        ("calls_are_counted_by_name", calls_are_counted_by_name),
        ("arguments_and_results_are_those_of_the_call", arguments_and_results),
        ("ticks_come_at_their_rate", ticks_come_at_their_rate),
        ("samples_follow_the_cpu_time", samples_follow_the_cpu_time),
    ],
    workloads: &[("syscall_calls", calls), ("syscall_spin", spin)],
};

fn calls_are_counted_by_name() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall:::entry /pid == $1/ { @entry[probefunc] = count(); }
        syscall::get*:return /pid == $1/ { @back[probefunc] = count(); }
        END { printa("entry %s %@d\n", @entry); printa("return %s %@d\n", @back); }"#;
    let seen = observe(PROGRAM, "syscall_calls", &["1000"])?;
    let lines = seen.output.lines();
    for expected in ["entry getppid 1000", "return getppid 1000", "entry lseek 3"] {
        ensure!(lines.contains(&expected), "no {expected:?}: {seen:?}");
    }
    let others = lines.iter().any(|line| line.starts_with("return ") && !line.starts_with("return get"));
    ensure!(!others, "{seen:?}");
    Ok(())
}

fn arguments_and_results() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::lseek:entry /pid == $1/ { printf("lseek %d %d %d\n", (int)arg0, arg1, arg2); }
        syscall::lseek:return /pid == $1/ { printf("gives %d %d errno %d\n", (int)arg0, (int)arg1, errno); }"#;
    let seen = observe(PROGRAM, "syscall_calls", &["1"])?;
    let truth: Vec<_> = seen.report.text("truth")?.split("; ").collect();
    ensure!(seen.output.lines() == truth, "{truth:#?} {seen:?}");
    Ok(())
}

/// Calls getppid so often, and lseek three times.
fn calls(arguments: &[String]) -> Result<Report> {
    let times: u32 = arguments.first().context("how often?")?.parse()?;
    let file = std::fs::File::open("/proc/self/exe")?;
    let fd = std::os::fd::AsRawFd::as_raw_fd(&file);
    let mut truth = Vec::new();
    for _ in 0..times {
        // SAFETY: no arguments.
        unsafe { libc::getppid() };
    }
    for (fd, offset, whence) in [(fd, 1 << 20, libc::SEEK_SET), (fd, 5, libc::SEEK_CUR), (-1, 0, 0)] {
        // SAFETY: integers.
        let result = unsafe { libc::lseek(fd, offset, whence) };
        let error = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
        let errno = if result < 0 { error } else { 0 };
        truth.push(format!("lseek {fd} {offset} {whence}; gives {result} {result} errno {errno}"));
    }
    Ok(Report::default().with("truth", truth.join("; ")))
}

fn ticks_come_at_their_rate() -> Result<()> {
    let start = Instant::now();
    let output = tracer(&["-q", "-n", "int n; tick-50ms { n++; } tick-50ms /n == 20/ { exit(n); }"])?;
    let taken = start.elapsed();
    ensure!(output.status.code() == Some(20), "{output:?}");
    ensure!(taken >= Duration::from_millis(950), "20 ticks of 50 ms in {taken:?}");
    Ok(())
}

fn samples_follow_the_cpu_time() -> Result<()> {
    const PROGRAM: &str = r#"
        profile-199 /pid == $1/ { @all = count(); }
        profile-199 /pid == $1 && arg1 != 0 && arg0 == 0/ { @user = count(); }
        END { printa("all %@d\n", @all); printa("user %@d\n", @user); }"#;
    let seen = observe(PROGRAM, "syscall_spin", &[])?;
    let lines = seen.output.lines();
    let count = |word: &str| -> Result<i64> {
        let text = lines.iter().find_map(|line| line.strip_prefix(word)).context("no such line")?;
        Ok(text.trim().parse()?)
    };
    let (all, user) = (count("all")?, count("user")?);
    let expected = seen.report.number("milliseconds")? * 199 / 1000;
    // A busy machine, an emulated one above all, loses ticks of its clock.
    ensure!(all <= expected * 13 / 10 + 5 && all >= expected / 4, "{expected} expected: {seen:?}");
    ensure!(user * 2 > all, "it was in user code nearly always: {seen:?}");
    Ok(())
}

/// Computes for a second of a CPU's time, and reports how much it had.
fn spin(_: &[String]) -> Result<Report> {
    compute(Duration::from_secs(1));
    // SAFETY: zeros are a value of it, and getrusage fills it in.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    let milliseconds = |time: libc::timeval| time.tv_sec * 1000 + time.tv_usec / 1000;
    Ok(Report::default().with("milliseconds", milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime)))
}
