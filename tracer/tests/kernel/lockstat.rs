//! The lockstat provider: waits for a pipe's mutex and for a file's semaphore that the workload brings about, and spin locks that the
//! whole machine waits for while the tracer records as fast as it can.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;

use anyhow::{Result, ensure};

use crate::harness::{Family, Report, emulated, observe, tracer};

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

/// Does one thing again and again, and in another thread another, until they have slept ten times: there is nothing that they
/// could wait for but each other.
fn while_another(other: impl Fn() + Sync, mut one: impl FnMut() -> Result<()>) -> Result<Report> {
    let (ended, slept) = (AtomicBool::new(false), AtomicI64::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            let before = sleeps();
            while !ended.load(Ordering::Relaxed) {
                other();
                slept.store(sleeps() - before, Ordering::Relaxed);
            }
        });
        let before = sleeps();
        let result = (|| {
            while slept.load(Ordering::Relaxed) + sleeps() - before < 10 {
                one()?;
            }
            Ok(Report::default())
        })();
        ended.store(true, Ordering::Relaxed);
        result
    })
}

/// How often this thread has gone to sleep.
fn sleeps() -> i64 {
    // SAFETY: zeros are a value of it, and getrusage fills it in.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage);
        usage.ru_nvcsw
    }
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

/// Writes to a file from two threads; it is in memory, so that nobody waits for a disk.
fn file(_: &[String]) -> Result<Report> {
    // SAFETY: a string that ends in zero; the descriptor is new.
    let file = unsafe {
        let descriptor = libc::memfd_create(c"lockstat".as_ptr(), 0);
        ensure!(descriptor >= 0, "memfd_create: {}", std::io::Error::last_os_error());
        File::from_raw_fd(descriptor)
    };
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

/// Makes system calls in two threads.
fn both(_: &[String]) -> Result<Report> {
    let calls = if emulated() { 20_000 } else { 1_000_000 };
    let call = || {
        for _ in 0..calls {
            // SAFETY: no arguments.
            unsafe { libc::getppid() };
        }
    };
    thread::scope(|scope| {
        scope.spawn(call);
        call();
    });
    Ok(Report::default())
}
