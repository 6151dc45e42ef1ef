//! What is lost for want of room: each kind is counted, told in words on the standard error, and in JSON with the probe that lost it.

use std::ffi::c_void;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{io, mem, ptr, slice};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::harness::run::Output;
use crate::harness::{Family, Observation, Report, emulated, observe, skip, tracer, truth, workload};

pub(crate) const FAMILY: Family = Family {
    name: "losses",
    tests: &[
        ("a_full_ring_is_counted", ring),
        ("a_full_aggregation_is_counted", aggregation),
        ("a_full_stack_table_is_counted", stacks),
        ("full_dynamic_variables_are_counted", dynamic),
        ("what_end_says_finds_room", end),
        ("records_are_in_the_order_of_time", order),
        ("full_memories_of_sockets_are_counted", owners),
        ("a_firing_within_a_firing_of_the_same_probe_is_counted", recursion),
        ("tracers_that_come_and_go_lose_no_events_of_others", others),
    ],
    workloads: &[
        ("losses-calls", calls),
        ("losses-places", places),
        ("losses-both", both),
        ("losses-sockets", sockets),
        ("losses-pages", pages),
    ],
};

/// Makes calls that carry a number that goes up.
fn calls(arguments: &[String]) -> Result<Report> {
    let count: u64 = arguments[0].parse()?;
    for number in 0..count {
        // SAFETY: getppid ignores what it is given.
        unsafe { libc::syscall(libc::SYS_getppid, number, 0x7ace) };
    }
    Ok(Report::default().with("calls", count))
}

const CALLS: u64 = 20_000;

/// Makes the same calls, each from a place of its own, so that no two have the same stack.
fn places(arguments: &[String]) -> Result<Report> {
    /// `mov eax, SYS_getppid; syscall; ret`
    const CALL: [u8; 8] = [0xb8, libc::SYS_getppid as u8, 0, 0, 0, 0x0f, 0x05, 0xc3];
    let count: u64 = arguments[0].parse()?;
    let length = CALL.len() * usize::try_from(count)?;
    let (rights, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: new memory, wherever the kernel likes.
    let memory = unsafe { libc::mmap(ptr::null_mut(), length, rights, flags, -1, 0) };
    ensure!(memory != libc::MAP_FAILED, "mmap: {}", io::Error::last_os_error());
    // SAFETY: `length` bytes, ours, writable.
    unsafe { slice::from_raw_parts_mut(memory.cast(), length) }
        .copy_from_slice(&CALL.repeat(length / CALL.len()));
    // SAFETY: the same memory, to which no reference is left.
    let status = unsafe { libc::mprotect(memory, length, libc::PROT_READ | libc::PROT_EXEC) };
    ensure!(status == 0, "mprotect: {}", io::Error::last_os_error());
    for number in 0..count {
        let at = memory.wrapping_byte_add(CALL.len() * usize::try_from(number)?);
        // SAFETY: there is the code of a function that changes no more than the calling convention lets it.
        let call = unsafe { mem::transmute::<*mut c_void, extern "C" fn(u64, u64) -> u64>(at) };
        call(number, 0x7ace);
    }
    Ok(Report::default().with("calls", count))
}

/// Runs the program with the calls as its command, as text and as JSON, and checks in both that `kept` (what the output shows) and
/// what was lost make all of the calls. Losses are of that kind: its words and its name in JSON.
fn account(
    options: &[&str],
    program: &str,
    (words, kind): (&str, &str),
    kept: fn(&Output) -> Result<u64>,
) -> Result<()> {
    account_of("losses-calls", options, program, (words, kind), kept)
}

/// [`account`], of another workload.
fn account_of(
    workload: &str,
    options: &[&str],
    program: &str,
    (words, kind): (&str, &str),
    kept: fn(&Output) -> Result<u64>,
) -> Result<()> {
    for json in [false, true] {
        let (command, report) = workload::command(workload, &[&CALLS.to_string()])?;
        let program = program.replace("CALL", "syscall::getppid:entry /pid == $target && arg1 == 0x7ace/");
        let format: &[&str] = if json { &["--json"] } else { &[] };
        let output =
            tracer(&[format, options, &["-q", "-n", &program, "-c", &command]].concat())?.success()?;
        let sent = u64::try_from(truth(&report)?.number("calls")?)?;
        let lost = if json { lost_json(&output, kind)? } else { lost_text(&output, words)? };
        let kept = if json { sent - lost } else { kept(&output)? };
        ensure!(
            lost > 0 && kept > 0 && kept + lost == sent,
            "{kept} kept, {lost} lost of {sent}: {}",
            output.stderr
        );
    }
    Ok(())
}

fn lost_text(output: &Output, words: &str) -> Result<u64> {
    let mut lost = 0;
    for line in output.stderr.lines() {
        let rest = line.strip_prefix("tracer: ").with_context(|| line.to_owned())?;
        let (count, rest) = rest.split_once(' ').with_context(|| line.to_owned())?;
        let what = rest.split(" on CPU ").next().unwrap_or(rest);
        ensure!(what == format!("{words}s") || what == words, "{line}");
        lost += count.parse::<u64>()?;
    }
    Ok(lost)
}

/// The sum of the lines of drops, which have to agree with their own totals.
fn lost_json(output: &Output, kind: &str) -> Result<u64> {
    let mut lost = 0;
    for line in output.lines() {
        let line: Value = serde_json::from_str(line)?;
        if line["type"] == "drop" {
            ensure!(line["kind"] == kind && line["probe"] == "syscall:::entry", "{line}");
            lost += line["count"].as_u64().context("a number")?;
            ensure!(line["total"].as_u64() == Some(lost), "{line}: {lost}");
        }
    }
    ensure!(output.stderr.is_empty(), "{output:?}");
    Ok(lost)
}

fn ring() -> Result<()> {
    let program = r#"CALL { printf("%d aaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", arg0); }"#;
    account(&["-b", "4k"], program, ("drop", "principal"), |output| Ok(output.lines().len() as u64))
}

fn aggregation() -> Result<()> {
    account(
        &["-x", "aggsize=4k"],
        "CALL { @[arg0] = count(); }",
        ("aggregation drop", "aggregation"),
        |output| Ok(output.lines().len() as u64),
    )
}

fn stacks() -> Result<()> {
    account_of(
        "losses-places",
        &["-x", "aggsize=4k"],
        "CALL { @[ustack(1)] = count(); }",
        ("aggregation drop", "aggregation"),
        |output| Ok(output.lines().iter().filter_map(|line| line.trim().parse::<u64>().ok()).sum()),
    )
}

fn dynamic() -> Result<()> {
    // What found no room is 0 afterwards.
    let program = r#"int64_t kept; CALL { a[arg0] = 1; kept += a[arg0]; } END { printf("%d\n", kept); }"#;
    account(&["-x", "dynvarsize=8k"], program, ("dynamic variable drop", "dynamic"), |output| {
        Ok(u64::try_from(output.number()?)?)
    })
}

fn end() -> Result<()> {
    let (command, report) = workload::command("losses-calls", &[&CALLS.to_string()])?;
    let program = r#"syscall::getppid:entry /pid == $target/ { printf("%d aaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", arg0); }
        END { printf("the end\n"); }"#;
    let output = tracer(&["-b", "4k", "-qn", program, "-c", &command])?.success()?;
    truth(&report)?;
    ensure!(output.lines().last() == Some(&"the end"), "{:?}", output.lines().last());
    Ok(())
}

fn order() -> Result<()> {
    // Two threads on their CPUs, interrupted by clocks: without sorting, some records are overtaken.
    let program = "syscall::getppid:entry /pid == $target/ { trace(arg0); } profile-997hz, tick-1ms { trace(timestamp); }";
    for (options, sorted) in [(&[] as &[&str], true), (&["-x", "temporal=no"], false)] {
        let (command, report) = workload::command("losses-both", &["20000"])?;
        let arguments = [&["--json", "-b", "64m"], options, &["-qn", program, "-c", &command]].concat();
        let output = tracer(&arguments)?.success()?;
        let sent = u64::try_from(truth(&report)?.number("calls")?)?;
        let (mut last, mut overtaken, mut calls, mut disorder) = (0, 0, 0, 0);
        for line in output.lines() {
            let line: Value = serde_json::from_str(line)?;
            let number = |name: &str| line[name].as_u64().with_context(|| line.to_string());
            if line["type"] == "disorder" {
                disorder += number("count")?;
                continue;
            }
            let time = number("time")?;
            overtaken += u64::from(time < last);
            last = last.max(time);
            calls += u64::from(line["probe"]["function"] == "getppid");
        }
        eprintln!("# sorted {sorted}: {overtaken} overtaken of {calls}");
        ensure!(calls == sent, "{calls} of {sent}: {}", output.stderr);
        // What could not be put in order was told.
        ensure!(!sorted || overtaken == disorder, "{overtaken} overtaken, {disorder} told");
        ensure!(sorted || disorder == 0, "{disorder}");
    }
    Ok(())
}

/// Makes calls in two threads.
fn both(arguments: &[String]) -> Result<Report> {
    let threads =
        [0; 2].map(|_| arguments.to_vec()).map(|arguments| std::thread::spawn(move || calls(&arguments)));
    for thread in threads {
        thread.join().expect("it does not panic")?;
    }
    Ok(Report::default().with("calls", 2 * arguments[0].parse::<u64>()?))
}

fn others() -> Result<()> {
    let count = if emulated() { "50000" } else { "1000000" };
    let mine = "syscall::getppid:entry, syscall::getppid:return, rawtp:::sys_enter
        /pid == $1 && (probename != \"sys_enter\" || arg1 == SYS_getppid)/ { @[probename] = count(); }";
    let mine = mine.replace("SYS_getppid", &libc::SYS_getppid.to_string());
    let program = "syscall::getppid:entry, syscall::getppid:return, rawtp:::sys_enter { @ = count(); } tick-2ms { exit(0); }";
    let over = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| -> Result<Observation> {
        // As many as there is time for, and one at least.
        let others = scope.spawn(|| -> Result<()> {
            loop {
                tracer(&["-qn", program])?.success()?;
                if over.load(Ordering::Relaxed) {
                    return Ok(());
                }
            }
        });
        let seen = observe(&mine, "losses-both", &[count]);
        over.store(true, Ordering::Relaxed);
        others.join().expect("it does not panic")?;
        seen
    })?;
    let sent = seen.report.text("calls")?;
    let counts: Vec<&str> = seen.output.stdout.split_whitespace().skip(1).step_by(2).collect();
    ensure!(counts == [sent, sent, sent], "{sent} sent: {seen:?}");
    Ok(())
}

/// Where the pages lie that are read into.
const PAGES: usize = 0x7ace_0000_0000;

/// A clause that reads a bad address makes a page fault: the event that it is a clause of. The kernel does not run a program
/// within itself, and counts.
fn recursion() -> Result<()> {
    let (command, report) = workload::command("losses-pages", &["50"])?;
    let program = r#"rawtp:::page_fault_kernel /pid == $target && arg0 >> 32 == 0x7ace/ { @ = count(); copyin(16, 1); }"#;
    let output = tracer(&["--json", "-qn", program, "-c", &command])?.success()?;
    let pages = u64::try_from(truth(&report)?.number("pages")?)?;
    let (mut fired, mut faults, mut missed) = (0, 0, 0);
    for line in output.lines() {
        let line: Value = serde_json::from_str(line)?;
        match line["type"].as_str() {
            Some("aggregation") => fired += line["rows"][0]["value"].as_u64().context("a number")?,
            Some("error") => faults += 1,
            Some("drop") => {
                ensure!(line["kind"] == "recursion", "{line}");
                ensure!(line["probe"] == "rawtp:vmlinux::page_fault_kernel", "{line}");
                missed += line["count"].as_u64().context("a number")?;
            }
            _ => {}
        }
    }
    // Until Linux 6.4 a copy that fails tries its end once more, and fails again (arch/x86/lib/copy_user_64.S).
    ensure!(
        (fired, faults) == (pages, pages) && (missed == pages || missed == 2 * pages),
        "{fired}, {faults}, {missed} of {pages}: {output:?}"
    );
    Ok(())
}

/// Has the kernel write to so many pages that are not there yet.
fn pages(arguments: &[String]) -> Result<Report> {
    const PAGE: usize = 4096;
    let count: usize = arguments[0].parse()?;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
    let rights = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: new memory at a place where there is none.
    let memory = unsafe { libc::mmap(PAGES as *mut libc::c_void, count * PAGE, rights, flags, -1, 0) };
    ensure!(memory as usize == PAGES, "mmap: {}", std::io::Error::last_os_error());
    // SAFETY: it is all ours. One page of the kernel's own size would be filled in at once.
    unsafe { libc::madvise(memory, count * PAGE, libc::MADV_NOHUGEPAGE) };
    let zeros = std::fs::File::open("/dev/zero")?;
    for page in 0..count {
        // SAFETY: one byte within the memory.
        let read = unsafe { libc::read(zeros.as_raw_fd(), memory.byte_add(page * PAGE), 1) };
        ensure!(read == 1, "read: {}", std::io::Error::last_os_error());
    }
    Ok(Report::default().with("pages", count))
}

/// Owners of so many sockets, and so many ends of connections, are remembered.
const OWNERS: u64 = 1 << 14;

fn owners() -> Result<()> {
    let (command, report) = workload::command("losses-sockets", &["8500"])?;
    let program = "tcp:::connect-established, tcp:::accept-established { @ = count(); }";
    let output = tracer(&["--json", "-qn", program, "-c", &command])?.success()?;
    let report = truth(&report)?;
    if let Ok(reason) = report.text("skip") {
        return skip(reason);
    }
    let sockets = u64::try_from(report.number("sockets")?)?;
    let (mut owners, mut connections) = (0, 0);
    for line in output.lines() {
        let line: Value = serde_json::from_str(line)?;
        if line["kind"] == "support" {
            let lost = match line["probe"].as_str() {
                Some("support:::owners") => &mut owners,
                Some("support:::connections") => &mut connections,
                _ => bail!("{line}"),
            };
            *lost += line["count"].as_u64().context("a number")?;
        }
    }
    // A socket without an owner is tried again whenever a process uses it; others on this machine have sockets, too.
    ensure!(owners >= sockets - OWNERS, "{owners} of {sockets}: {output:?}");
    // A connection that made room for another is missed when it is closed.
    ensure!(connections > 0 && connections < sockets, "{connections} of {sockets}: {output:?}");
    Ok(())
}

/// Opens so many connections to itself and keeps them all.
fn sockets(arguments: &[String]) -> Result<Report> {
    let count: u64 = arguments[0].parse()?;
    let needed = 2 * count + 100;
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a limit to write to, and one to read.
    let allowed = unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        limit = libc::rlimit { rlim_cur: needed, rlim_max: needed.max(limit.rlim_max) };
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) == 0
    };
    if !allowed {
        let error = std::io::Error::last_os_error();
        return Ok(Report::default().with("skip", format!("no {needed} open files here: {error}")));
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut kept = Vec::new();
    for _ in 0..count {
        kept.push(TcpStream::connect(listener.local_addr()?)?);
        kept.push(listener.accept()?.0);
    }
    Ok(Report::default().with("sockets", kept.len()))
}
