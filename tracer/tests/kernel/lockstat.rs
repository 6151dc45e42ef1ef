//! The lockstat provider: waits for a pipe's mutex and for a file's semaphore that the workload brings about, and spin locks that the
//! whole machine waits for while the tracer records as fast as it can.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::harness::{Family, Report, observe, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "lockstat",
    tests: &[
        ("waits_for_a_mutex_are_told", mutex),
        ("waits_for_a_semaphore_say_who_waits", semaphore),
        ("recording_waits_for_spin_locks_does_not_hang", spin_locks),
    ],
    workloads: &[("lockstat_pipe", pipe), ("lockstat_file", file), ("lockstat_both", both)],
};

fn mutex() -> Result<()> {
    const PROGRAM: &str = r#"
        lockstat:::adaptive-block, lockstat:::adaptive-spin /pid == $1/ {
            @waits = count(); @time = sum(args[1]); @locks[args[0], arg0 == (uintptr_t)args[0]] = count();
        }
        lockstat:::adaptive-acquire-error /pid == $1/ { @errors = count(); }
        sysinfo:::mutex_adenters /pid == $1/ { @entered = sum(arg0); }
        END { printa("waits %@d\n", @waits); printa("time %@d\n", @time); printa("entered %@d\n", @entered);
            printa("errors %@d\n", @errors); printa("lock %x %d %@d\n", @locks); }"#;
    let seen = observe(PROGRAM, "lockstat_pipe", &[])?;
    let lines = seen.output.lines();
    let number = |word: &str| -> i64 {
        lines.iter().find_map(|line| line.strip_prefix(word)?.trim().parse().ok()).unwrap_or(0)
    };
    ensure!(number("waits") > 0 && number("waits") + number("errors") == number("entered"), "{seen:?}");
    ensure!(number("time") > 0, "{seen:?}");
    let locks: Vec<Vec<&str>> =
        lines.iter().filter(|line| line.starts_with("lock ")).map(|line| line.split(' ').collect()).collect();
    ensure!(locks.iter().all(|words| words[1].starts_with("ff") && words[2] == "1"), "{seen:?}");
    Ok(())
}

/// Writes to a pipe and reads from it as much as it holds, while another thread asks how much is in it.
fn pipe(_: &[String]) -> Result<Report> {
    const SIZE: usize = 1 << 20;
    let (mut reader, mut writer) = std::io::pipe()?;
    let end = reader.as_raw_fd();
    // SAFETY: a pipe's size.
    ensure!(unsafe { libc::fcntl(end, libc::F_SETPIPE_SZ, SIZE as libc::c_int) } >= SIZE as i32);
    while_another(
        move || {
            let mut waiting: libc::c_int = 0;
            // SAFETY: the number of bytes is put into the integer.
            unsafe { libc::ioctl(end, libc::FIONREAD, &raw mut waiting) };
        },
        || {
            let mut buffer = vec![1; SIZE];
            writer.write_all(&buffer)?;
            Ok(reader.read_exact(&mut buffer)?)
        },
    )
}

/// Does one thing again and again for a second, and in another thread another.
fn while_another(other: impl Fn() + Sync, mut one: impl FnMut() -> Result<()>) -> Result<Report> {
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                other();
            }
        });
        let start = Instant::now();
        let result = (|| {
            while start.elapsed() < Duration::from_secs(1) {
                one()?;
            }
            Ok(Report::default())
        })();
        ended.store(true, Ordering::Relaxed);
        result
    })
}

fn semaphore() -> Result<()> {
    const PROGRAM: &str = r#"
        lockstat:::rw-block /pid == $1 && args[2] == RW_WRITER/ { @writers = count(); @longest = max(args[1]); }
        sysinfo:::rw_wrfails /pid == $1/ { @fails = sum(arg0); }
        END { printa("%@d ", @writers); printa("%@d ", @fails); printa("%@d\n", @longest); }"#;
    let seen = observe(PROGRAM, "lockstat_file", &[])?;
    let numbers: Vec<i64> =
        seen.output.stdout.split_whitespace().map_while(|word| word.parse().ok()).collect();
    let &[writers, fails, longest] = numbers.as_slice() else { anyhow::bail!("{seen:?}") };
    ensure!(writers > 0 && fails >= writers, "{seen:?}");
    // A writer holds the semaphore while it copies 8 MB.
    ensure!(longest > 50_000, "{seen:?}");
    Ok(())
}

/// Writes to a file from two threads.
fn file(_: &[String]) -> Result<Report> {
    let path = std::env::temp_dir().join(format!("lockstat-{}", std::process::id()));
    let file = File::create(&path).context("a file to write to")?;
    std::fs::remove_file(path)?;
    let data = vec![1; 8 << 20];
    while_another(|| drop(file.write_all_at(&data, 0)), || Ok(file.write_all_at(&data, 0)?))
}

fn spin_locks() -> Result<()> {
    // Each recording takes the ring's lock, for which the CPUs wait, and is told of.
    const PROGRAM: &str = r#"
        lockstat:::spin-spin, lockstat:::rw-spin { @[probename] = count(); @t = max(args[1]); n[cpu]++; printf("%d\n", args[1]); }
        syscall:::entry /pid == $target/ { printf("%s %d\n", probefunc, tid); @c[tid] = count(); self->n++; }
        END { printf("ended\n"); }"#;
    let (command, _) = crate::harness::workload::command("lockstat_both", &[])?;
    let output = tracer(&["-q", "-n", PROGRAM, "-c", &command])?;
    let output = output.success()?;
    ensure!(output.lines().contains(&"ended"), "{}", output.stderr);
    Ok(())
}

/// Makes system calls in two threads for two seconds.
fn both(_: &[String]) -> Result<Report> {
    let call = || {
        // SAFETY: no arguments.
        unsafe { libc::getppid() };
    };
    for _ in 0..2 {
        while_another(call, || {
            call();
            Ok(())
        })?;
    }
    Ok(Report::default())
}
