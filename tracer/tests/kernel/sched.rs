//! The sched provider: sleeps and preemptions as the kernel counts them for a thread, wake-ups, who comes after whom, queues,
//! and the time between on-cpu and off-cpu as /proc has it.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::harness::workload::{clock, compute, until_asleep};
use crate::harness::{Family, Report, observe, skip, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "sched",
    tests: &[
        ("a_thread_leaves_its_cpu_as_often_as_the_kernel_counts", switches_are_counted),
        ("time_between_on_cpu_and_off_cpu_is_run_time", run_time_adds_up),
        ("on_cpu_is_about_the_thread_that_comes", on_cpu_is_about_its_thread),
        ("each_sleep_ends_with_a_wakeup_by_another", wakeups_are_told),
        ("off_cpu_says_who_comes_next", off_cpu_says_who_comes_next),
        ("a_thread_goes_from_queue_to_cpu", queues_lead_to_cpus),
        ("a_priority_that_is_lent_is_told", priorities_are_lent),
        ("what_this_kernel_does_not_tell_is_said", the_missing_is_said),
    ],
    workloads: &[("sched_mixed", mixed), ("sched_pair", pair), ("sched_lend", lend)],
};

/// Clauses for the part of a workload that counts, where `on` is set: both ends are calls of getpgrp(2), which nothing else makes.
fn window(clauses: &str) -> String {
    format!(
        "int on; syscall::getpgrp:return /tid == $1/ {{ on = 1; }}
        {clauses}
        syscall::getpgrp:entry /tid == $1 && on/ {{ on = 0; exit(0); }}"
    )
}

/// One end of the window.
fn mark() {
    // SAFETY: no arguments.
    unsafe { libc::getpgrp() };
}

/// How often this thread has left its CPU of its own will, and otherwise.
fn switches() -> (i64, i64) {
    // SAFETY: all-zero bytes are a value; the call fills it in.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage);
        usage
    };
    (usage.ru_nvcsw, usage.ru_nivcsw)
}

/// Gives this thread that real-time priority.
fn urgent(priority: i32) -> std::io::Result<()> {
    let parameters = libc::sched_param { sched_priority: priority };
    // SAFETY: the parameters are read.
    match unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameters) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// Nanoseconds that this thread has run.
fn run_time() -> Result<i64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    text.split(' ').next().unwrap_or_default().parse().context("schedstat")
}

/// Puts this thread on one CPU.
fn pin(cpu: usize) -> Result<()> {
    // SAFETY: all-zero bytes are an empty set; the call reads it.
    let status = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set)
    };
    ensure!(status == 0, "sched_setaffinity: {}", std::io::Error::last_os_error());
    Ok(())
}

/// How often [`mixed`] sleeps, and how long each time.
const SLEEPS: u32 = 20;
const SLEEP: Duration = Duration::from_millis(2);

/// Sleeps, computes and yields. What it counts of itself inside of the window is what is seen of it there or less, as it can be
/// taken from its CPU at any moment; what it counts outside is that or more. It may be urgent.
fn mixed(arguments: &[String]) -> Result<Report> {
    if arguments == ["urgent"] {
        // Where it may not, nothing else changes.
        let _ = urgent(1);
    }
    let (outer, start) = ((switches(), run_time()?), clock(libc::CLOCK_MONOTONIC));
    mark();
    let inner = (switches(), run_time()?);
    for _ in 0..SLEEPS {
        std::thread::sleep(SLEEP);
        compute(Duration::from_millis(3));
        std::thread::yield_now();
    }
    let inside = (switches(), run_time()?);
    mark();
    let outside = (switches(), run_time()?);
    let passed = clock(libc::CLOCK_MONOTONIC) - start;
    let report = |report: Report, which: &str, before: ((i64, i64), i64), after: ((i64, i64), i64)| {
        report
            .with(&format!("slept_{which}"), after.0.0 - before.0.0)
            .with(&format!("taken_{which}"), after.0.1 - before.0.1)
            .with(&format!("ran_{which}"), after.1 - before.1)
    };
    let inner = report(Report::default(), "least", inner, inside);
    Ok(report(inner, "most", outer, outside).with("passed", passed.as_nanos()))
}

fn switches_are_counted() -> Result<()> {
    const PROGRAM: &str = r#"
        sched:::sleep /on && tid == $1/ { slept++; }
        sched:::preempt /on && tid == $1/ { taken++; }
        sched:::off-cpu /on && tid == $1/ { off++; if (curlwpsinfo->pr_state == SSLEEP) { sleeping++; } }
        sched:::on-cpu /on && tid == $1/ { back++; }
        END { printf("%d %d %d %d %d", slept, taken, off, back, sleeping); }"#;
    let seen = observe(&window(PROGRAM), "sched_mixed", &[])?;
    let line = seen.output.lines().join("");
    let numbers: Vec<i64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
    let [slept, taken, off, back, sleeping] = numbers[..] else { bail!("{seen:?}") };
    ensure!(slept >= SLEEPS.into(), "{seen:?}");
    for (name, told) in [("slept", slept), ("taken", taken)] {
        let [least, most] = ["least", "most"].map(|which| seen.report.number(&format!("{name}_{which}")));
        ensure!((least?..=most?).contains(&told), "{name}: {seen:?}");
    }
    ensure!((off, back, sleeping) == (slept + taken, slept + taken, slept), "{seen:?}");
    Ok(())
}

/// By the clock and by vtimestamp. The kernel's own count leaves out what interrupts took, and what a machine that is a guest had to
/// wait for its host.
fn run_time_adds_up() -> Result<()> {
    const PROGRAM: &str = r#"
        int64_t wall, ran;
        syscall::getpgrp:return, sched:::on-cpu /on && tid == $1/ { self->begin = timestamp; self->had = vtimestamp; }
        syscall::getpgrp:entry, sched:::off-cpu /self->begin && tid == $1/ {
            wall += timestamp - self->begin; ran += vtimestamp - self->had; self->begin = 0;
        }
        END { printf("%d %d", wall, ran); }"#;
    let seen = observe(&window(PROGRAM), "sched_mixed", &[])?;
    let (least, passed) = (seen.report.number("ran_least")?, seen.report.number("passed")?);
    let asleep = (SLEEP * SLEEPS).as_nanos() as i64;
    let line = seen.output.lines().join("");
    for told in line.split(' ') {
        let told: i64 = told.parse()?;
        // Who sleeps does not run. What a thread had before tracing began is known up to the last tick.
        ensure!((least * 9 / 10..passed - asleep + 10_000_000).contains(&told), "{told}: {seen:?}");
    }
    Ok(())
}

fn on_cpu_is_about_its_thread() -> Result<()> {
    const PROGRAM: &str = r#"
        sched:::on-cpu /pid == $1/ {
            printf("%d %d %d %d %s %d %d %s\n", tid, ppid, uid, gid, execname, curpsinfo->pr_pid, curlwpsinfo->pr_lwpid,
                curpsinfo->pr_fname);
        }"#;
    let seen = observe(PROGRAM, "sched_mixed", &[])?;
    let comm = fs::read_to_string("/proc/self/comm")?;
    let comm = comm.trim_end();
    let lines = seen.output.lines();
    ensure!(lines.len() >= 20, "{seen:?}");
    let first = lines[0].split(' ').next().unwrap_or_default();
    // SAFETY: no preconditions.
    let (uid, gid) = unsafe { (libc::getuid(), libc::getgid()) };
    let expected = format!("{first} {} {uid} {gid} {comm} {first} {first} {comm}", std::process::id());
    ensure!(lines.iter().all(|line| **line == expected), "{expected} {seen:?}");
    Ok(())
}

/// Two processes that hand a byte to and fro, on one CPU; the first counts its sleeps. They have a real-time priority, if they
/// may, so that no other comes between them.
fn pair(_: &[String]) -> Result<Report> {
    pin(0)?;
    let _ = urgent(1);
    let (mut here, mut there) = UnixStream::pair()?;
    // SAFETY: a workload has one thread; the child calls nothing that another thread could hold.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let mut byte = [0];
        while there.read_exact(&mut byte).is_ok() && there.write_all(&byte).is_ok() && byte != [1] {}
        // SAFETY: _exit ends the child.
        unsafe { libc::_exit(0) };
    }
    let mut turn = |byte: u8| here.write_all(&[byte]).and_then(|()| here.read_exact(&mut [0]));
    let before = switches().0;
    mark();
    for _ in 0..500 {
        turn(0)?;
    }
    mark();
    let slept = switches().0 - before;
    turn(1)?;
    // SAFETY: waits for the child, and writes nothing.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    Ok(Report::default().with("slept", slept).with("child", child))
}

fn wakeups_are_told() -> Result<()> {
    const PROGRAM: &str = r#"
        sched:::wakeup /on && args[0]->pr_lwpid == $1/ {
            printf("%d %d %s\n", ppid == args[1]->pr_pid ? pid : 0, args[1]->pr_pid, args[1]->pr_fname);
        }"#;
    let seen = observe(&window(PROGRAM), "sched_pair", &[])?;
    let comm = fs::read_to_string("/proc/self/comm")?;
    let lines = seen.output.lines();
    ensure!(lines.len() as i64 == seen.report.number("slept")?, "{seen:?}");
    let (mut words, child) = (lines[0].split(' '), seen.report.text("child")?);
    let (first, parent) = (words.next(), words.next().unwrap_or_default());
    ensure!(first == Some(child), "{seen:?}");
    let expected = format!("{child} {parent} {}", comm.trim_end());
    // Now and then something else wakes it: a timer that checks its memory, a signal.
    let by_child = lines.iter().filter(|line| ***line == expected).count();
    ensure!(by_child * 10 >= lines.len() * 9, "{seen:?}");
    Ok(())
}

fn off_cpu_says_who_comes_next() -> Result<()> {
    const PROGRAM: &str = r#"
        sched:::off-cpu /cpu == 0 && progenyof($1)/ { printf("off %d\n", args[0]->pr_lwpid); }
        sched:::off-cpu /cpu == 0 && progenyof($1) && args[1]->pr_ppid == $1/ { printf("kin %s\n", args[1]->pr_psargs); }
        sched:::on-cpu /cpu == 0 && progenyof($1)/ { printf("on %d\n", tid); }"#;
    let seen = observe(PROGRAM, "sched_pair", &[])?;
    let child = seen.report.text("child")?;
    let lines = seen.output.lines();
    let (next, on) = (format!("off {child}"), format!("on {child}"));
    let mut told = 0;
    let mut plain = lines.iter().filter(|line| !line.starts_with("kin")).peekable();
    while let Some(line) = plain.next() {
        if **line == next {
            told += 1;
            ensure!(plain.peek().is_some_and(|line| ***line == on), "another comes than was told: {seen:?}");
        }
    }
    ensure!(told >= 10, "the other came next {told} times of 500: {seen:?}");
    // As much of them as psinfo_t has room for: where this program lies may be a long path.
    let program: String = std::env::current_exe()?.display().to_string().chars().take(79).collect();
    let began = format!("kin {program}");
    let kin = lines.iter().filter(|line| line.starts_with(&began)).count();
    ensure!(kin >= told, "{told} came next, {kin} with their arguments: {seen:?}");
    Ok(())
}

/// A thread that comes to a CPU was taken from that CPU's queue, in which it had been put by a wake-up, a switch or a move. It is
/// urgent: where threads take turns by their share, there are kernels whose sched_switch names one and which then run another.
fn queues_lead_to_cpus() -> Result<()> {
    const PROGRAM: &str = r#"
        sched:::enqueue /args[0]->pr_lwpid == $1/ { printf("enqueue %d\n", args[2]->cpu_id); }
        sched:::dequeue /args[0]->pr_lwpid == $1 && args[1]->pr_pid == $1/ { printf("dequeue %d\n", args[2]->cpu_id); }
        sched:::on-cpu /tid == $1/ { printf("on %d\n", curcpu->cpu_id); }"#;
    let seen = observe(PROGRAM, "sched_mixed", &["urgent"])?;
    let lines = seen.output.lines();
    // The first switch may have begun before the probes were there.
    let start = lines.iter().position(|line| line.starts_with("enqueue")).context("nothing is enqueued")?;
    let mut queue = None;
    let mut taken = None;
    let mut arrived = 0;
    for line in &lines[start..] {
        let (word, cpu) = line.split_once(' ').context("a word and a CPU")?;
        match word {
            "enqueue" => {
                ensure!(queue.is_none(), "twice in a queue: {line} {seen:?}");
                queue = Some(cpu);
            }
            "dequeue" => {
                ensure!(queue == Some(cpu), "taken from another queue: {line} {seen:?}");
                (queue, taken) = (None, Some(cpu));
            }
            _ => {
                ensure!(taken == Some(cpu), "on another CPU: {line} {seen:?}");
                arrived += 1;
            }
        }
    }
    ensure!(arrived >= 20, "{seen:?}");
    Ok(())
}

/// What a mutex with priority inheritance needs of libc.
fn check(status: libc::c_int) -> Result<()> {
    ensure!(status == 0, "{}", std::io::Error::from_raw_os_error(status));
    Ok(())
}

/// A thread that holds a mutex is waited for by one of real-time priority 10.
fn lend(_: &[String]) -> Result<Report> {
    struct Shared(std::cell::UnsafeCell<libc::pthread_mutex_t>);
    // SAFETY: a mutex is there to be shared.
    unsafe impl Sync for Shared {}
    static SHARED: Shared = Shared(std::cell::UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));
    let mutex = SHARED.0.get();
    // SAFETY: calls on a mutex that lives as long as the process, and on attributes of ours.
    unsafe {
        let mut attributes: libc::pthread_mutexattr_t = std::mem::zeroed();
        check(libc::pthread_mutexattr_init(&raw mut attributes))?;
        check(libc::pthread_mutexattr_setprotocol(&raw mut attributes, libc::PTHREAD_PRIO_INHERIT))?;
        check(libc::pthread_mutex_init(mutex, &raw const attributes))?;
        check(libc::pthread_mutex_lock(mutex))?;
    }
    let (tell, waits) = std::sync::mpsc::channel();
    let waiter = std::thread::spawn(move || -> std::io::Result<()> {
        urgent(10)?;
        // SAFETY: as above.
        unsafe {
            let _ = tell.send(libc::gettid());
            libc::pthread_mutex_lock(SHARED.0.get());
            libc::pthread_mutex_unlock(SHARED.0.get());
        }
        Ok(())
    });
    // It tells nothing where it cannot be urgent.
    if let Ok(thread) = waits.recv() {
        until_asleep(thread, libc::SYS_futex)?;
    }
    // SAFETY: this thread holds it.
    check(unsafe { libc::pthread_mutex_unlock(mutex) })?;
    match waiter.join() {
        Ok(Err(error)) => Ok(Report::default().with("skip", format!("no real-time priority here: {error}"))),
        _ => Ok(Report::default()),
    }
}

fn priorities_are_lent() -> Result<()> {
    const PROGRAM: &str = r#"
        sched:::change-pri /args[0]->pr_lwpid == $1/ { printf("%d %d\n", args[0]->pr_pri, args[2]); }"#;
    let seen = observe(PROGRAM, "sched_lend", &[])?;
    if let Ok(reason) = seen.report.text("skip") {
        return skip(reason);
    }
    let told = seen.output.lines();
    let changes: Vec<_> =
        told.iter().filter(|line| line.split_once(' ').is_some_and(|(old, new)| old != new)).collect();
    // A real-time priority of 10 is 99 - 10 as the scheduler counts.
    ensure!(changes == [&"120 89", &"89 120"], "{seen:?}");
    Ok(())
}

/// remain-cpu and surrender: there, or refused with the reason.
fn the_missing_is_said() -> Result<()> {
    for (name, tracepoint) in [("remain-cpu", "sched_exit_tp"), ("surrender", "sched_set_need_resched_tp")] {
        let probe = format!("sched:::{name}");
        let listed = tracer(&["-l", "-n", &format!("rawtp:::{tracepoint}")])?.stdout.contains(tracepoint);
        let output = tracer(&["-e", "-n", &probe])?;
        if listed {
            ensure!(output.status.success(), "{output:?}");
        } else {
            ensure!(!output.status.success() && output.stderr.contains(tracepoint), "{output:?}");
        }
    }
    Ok(())
}
