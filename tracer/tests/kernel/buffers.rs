//! Buffers by their policies, what is lost in them, the options that say when and where, and the forms of output.

use anyhow::{Context, Result, ensure};

use crate::harness::{Family, Report, Tracer, observe, tracer, truth, workload};

pub(crate) const FAMILY: Family = Family {
    name: "buffers",
    tests: &[
        ("a_buffer_that_is_filled_ends_tracing", fill),
        ("a_ring_keeps_the_newest", ring),
        ("drops_are_told_by_cpu_and_make_the_whole", drops),
        ("aggregation_drops_are_told_by_cpu", aggregation_drops),
        ("dynamic_variable_drops_are_told", dynamic_drops),
        ("probes_fire_on_one_cpu", one_cpu),
        ("a_slow_rate_holds_output_back", rates),
        ("entries_and_returns_are_indented", flow),
        ("a_run_ends_with_a_blank_line", ending),
        ("strings_are_shown_as_bytes", raw),
    ],
    workloads: &[("buffers_seeks", seeks), ("buffers_spread", spread)],
};

/// Seeks to 0, 1, 2, and so on.
fn seeks(arguments: &[String]) -> Result<Report> {
    let count: i64 = arguments[0].parse()?;
    for offset in 0..count {
        // SAFETY: integers; no descriptor has that number.
        unsafe { libc::lseek(-1, offset, libc::SEEK_SET) };
    }
    Ok(Report::default().with("calls", count))
}

/// Seeks so often on each of the first two CPUs.
fn spread(arguments: &[String]) -> Result<Report> {
    let count: i64 = arguments[0].parse()?;
    for cpu in 0..2 {
        // SAFETY: all zeros are a set, written to within it; the call reads as much as it is told.
        unsafe {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            libc::CPU_SET(cpu, &mut set);
            libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set);
            for _ in 0..count {
                libc::lseek(-1, 0, libc::SEEK_SET);
            }
        }
    }
    Ok(Report::default())
}

const NUMBERS: &str = r#"syscall::lseek:entry /pid == $1/ { printf("%d\n", arg1); }"#;

/// Traces the seeks of a command, with those options.
fn traced(options: &[&str], program: &str, count: &str) -> Result<crate::harness::run::Output> {
    let (command, report) = workload::command("buffers_seeks", &[count])?;
    let output = tracer(&[options, &["-c", &command, "-n", program]].concat())?.success()?;
    // Of a command that outlives the tracing there may be none yet.
    let _ = truth(&report);
    Ok(output)
}

fn numbers(output: &crate::harness::run::Output) -> Result<Vec<u64>> {
    output.lines().into_iter().map(|line| line.parse().with_context(|| format!("{line:?}"))).collect()
}

fn fill() -> Result<()> {
    let program = NUMBERS.replace("$1", "$target");
    let output = traced(&["-q", "-x", "bufpolicy=fill", "-b", "8k"], &program, "5000")?;
    let shown = numbers(&output)?;
    // A message takes 40 bytes of 8192.
    ensure!((150..=8192 / 40).contains(&shown.len()), "{} shown", shown.len());
    ensure!(shown.iter().copied().eq(0..shown.len() as u64), "not the first: {shown:?}");
    ensure!(output.stderr.is_empty(), "{:?}", output.stderr);
    Ok(())
}

fn ring() -> Result<()> {
    let program = NUMBERS.replace("$1", "$target") + r#" END { printf("4999\n"); }"#;
    let output = traced(&["-q", "-x", "bufpolicy=ring", "-b", "8k"], &program, "5000")?;
    let mut shown = numbers(&output)?;
    ensure!(shown.pop() == Some(4999), "END says something: {shown:?}");
    let lost: u64 = lost(&output.stderr, "drop").iter().map(|(_, count)| count).sum();
    // What the kernel's ring had no room for is counted; of the rest, each CPU's newest are kept.
    ensure!(shown.last() == Some(&4999) || lost > 0, "not the newest: {shown:?}");
    ensure!(shown.len() <= 2 * 8192 / 32 && shown.len() > 100, "{} shown", shown.len());
    ensure!(shown.is_sorted(), "{shown:?}");
    Ok(())
}

/// The CPU and the number of each notice of that kind.
fn lost(stderr: &str, kind: &str) -> Vec<(u32, u64)> {
    let notices = stderr.lines().filter_map(|line| {
        let (count, rest) = line.strip_prefix("tracer: ")?.split_once(' ')?;
        let cpu = rest.strip_prefix(kind)?.trim_start_matches('s').strip_prefix(" on CPU ")?;
        Some((cpu.parse().ok()?, count.parse().ok()?))
    });
    notices.collect()
}

fn drops() -> Result<()> {
    let program = format!("#pragma D option switchrate=10s\n#pragma D option bufsize=4k\n{NUMBERS}");
    let seen = observe(&program, "buffers_seeks", &["200000"])?;
    let lost = lost(&seen.output.stderr, "drop");
    let told: u64 = lost.iter().map(|(_, count)| count).sum();
    let shown = numbers(&seen.output)?.len() as u64;
    ensure!(told > 0 && told + shown == 200_000, "{told} lost, {shown} shown: {}", seen.output.stderr);
    ensure!(lost.len() == seen.output.stderr.lines().count(), "{}", seen.output.stderr);
    Ok(())
}

fn aggregation_drops() -> Result<()> {
    const PROGRAM: &str = r#"
        #pragma D option aggsize=1k
        syscall::lseek:entry /pid == $1/ { @all = count(); @[arg1] = count(); }
        END { printa("%@d\n", @all); printa("%d %@d\n", @); }"#;
    let seen = observe(PROGRAM, "buffers_seeks", &["1000"])?;
    let told: u64 = lost(&seen.output.stderr, "aggregation drop").iter().map(|(_, count)| count).sum();
    let shown = seen.output.lines().len() as u64 - 1;
    ensure!(shown >= 16 && told + shown == 1000, "{seen:?}");
    Ok(())
}

fn dynamic_drops() -> Result<()> {
    const PROGRAM: &str = r#"
        #pragma D option dynvarsize=1k
        syscall::lseek:entry /pid == $1/ { a[arg1] = arg1 + 1; }
        syscall::lseek:entry /pid == $1 && a[arg1]/ { @ = count(); }
        END { printa("%@d\n", @); }"#;
    let seen = observe(PROGRAM, "buffers_seeks", &["1000"])?;
    let kept = seen.output.number()? as u64;
    let notices = seen.output.stderr.lines().filter_map(|line| {
        line.strip_prefix("tracer: ")?.strip_suffix(" dynamic variable drops")?.parse::<u64>().ok()
    });
    let told: u64 = notices.sum();
    ensure!(kept >= 16 && told + kept == 1000, "{seen:?}");
    Ok(())
}

fn one_cpu() -> Result<()> {
    const PROGRAM: &str = r#"
        #pragma D option cpu=1
        syscall::lseek:entry /pid == $1/ { @[cpu] = count(); }
        profile-97 { @p[cpu] = count(); } tick-5ms { @t[cpu] = count(); }
        END { printa("%d %@d\n", @); printa("p %d\n", @p); printa("t %d\n", @t); }"#;
    // SAFETY: no pointers.
    if unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) } < 2 {
        return crate::harness::skip("needs two CPUs");
    }
    let seen = observe(PROGRAM, "buffers_spread", &["300000"])?;
    ensure!(seen.output.lines() == ["1 300000", "p 1", "t 1"], "{seen:?}");
    Ok(())
}

fn rates() -> Result<()> {
    let mut slow = Tracer::start(&[
        "-q",
        "-x",
        "switchrate=1s",
        "-n",
        r#"BEGIN { printf("begin\n"); } tick-100ms { printf("tick %d\n", timestamp); }"#,
    ])?;
    slow.wait_for("begin")?;
    let mut late = 0;
    // Of what is shown together, the first has waited longest.
    for _ in 0..15 {
        let tick = slow.wait_for("tick")?;
        let then: u64 = tick.split(' ').nth(1).context("a time")?.parse()?;
        let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the pointer is to a live timespec.
        unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
        late = late.max((now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64).saturating_sub(then));
    }
    ensure!(late > 300_000_000, "shown {late} ns after it happened");
    slow.interrupt()?.success().map(drop)
}

fn flow() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::lseek:entry /pid == $target/ { trace(arg1); } syscall::lseek:entry /pid == $target/ { }
        syscall::lseek:return /pid == $target/ { } syscall::lseek:return /pid == $target/ { trace("done"); }"#;
    let output = traced(&["-F"], PROGRAM, "1")?;
    let lines: Vec<&str> = output.lines().into_iter().map(|line| line.get(3..).unwrap_or(line)).collect();
    let expected = [
        format!(" {:<41}", "FUNCTION"),
        format!(" {:<41}  {:>19}", " => lseek", 0),
        format!(" {:<41} ", "  | lseek:entry"),
        format!(" {:<41} ", "  | lseek:return"),
        format!(" {:<41}   {:<33}", " <= lseek", "done"),
    ];
    ensure!(lines == expected, "{lines:#?} is not {expected:#?}");
    Ok(())
}

fn ending() -> Result<()> {
    let output = tracer(&["-q", "-n", r#"BEGIN { printf("x\n"); @ = count(); exit(0); }"#])?.success()?;
    ensure!(output.stdout == "x\n\n                1\n", "{output:?}");
    let output = tracer(&["-q", "-n", "BEGIN { exit(0); }"])?.success()?;
    ensure!(output.stdout == "\n", "{output:?}");
    let mut running = Tracer::start(&["-q", "-n", r#"BEGIN { printf("x\n"); }"#])?;
    running.wait_for("x")?;
    let output = running.interrupt()?.success()?;
    // The interrupt has a line of its own, as in dtrace whether it comes from a terminal or not.
    ensure!(output.stdout == "x\n\n\n", "{output:?}");
    Ok(())
}

fn raw() -> Result<()> {
    let program = r#"BEGIN { trace("ab"); @["cd"] = count(); exit(0); }"#;
    let output = tracer(&["-x", "rawbytes", "-x", "strsize=16", "-n", program])?.success()?;
    let heading = "             0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f  0123456789abcdef";
    ensure!(output.stdout.matches(heading).count() == 2, "{output:?}");
    ensure!(output.stdout.contains("         0: 61 62 00"), "{output:?}");
    ensure!(output.stdout.contains("         0: 63 64 00"), "{output:?}");
    Ok(())
}
