//! The life of a program: BEGIN before all, END after all, the ways to end, what is lost, and who goes on in between.

use std::fs::File;
use std::io::Write;

use anyhow::{Context, Result, ensure};

use crate::harness::{Family, Report, Tracer, Workload, tracer, truth, workload};

pub(crate) const FAMILY: Family = Family {
    name: "life",
    tests: &[
        ("begin_is_first_and_end_is_last", begin_is_first_and_end_is_last),
        ("exit_ends_everything_at_once", exit_ends_everything_at_once),
        ("interrupting_runs_end_and_prints_aggregations", interrupting_runs_end_and_prints_aggregations),
        ("command_starts_after_the_probes", command_starts_after_the_probes),
        ("the_end_of_a_process_ends_the_run", the_end_of_a_process_ends_the_run),
        ("an_error_ends_one_clause_only", an_error_ends_one_clause_only),
        ("tracers_do_not_disturb_each_other", tracers_do_not_disturb_each_other),
        ("what_is_lost_is_counted", what_is_lost_is_counted),
        ("nothing_is_attached_by_e", nothing_is_attached_by_e),
    ],
    workloads: &[("life-write", write)],
};

fn begin_is_first_and_end_is_last() -> Result<()> {
    let output = tracer(&[
        "-qn",
        r#"END { printf("end\n"); } tick-1ms { printf("tick\n"); n++; } tick-1ms /n > 3/ { exit(3); } BEGIN { printf("begin\n"); }"#,
    ])?;
    let lines = output.lines();
    ensure!(output.status.code() == Some(3), "{output:?}");
    ensure!(lines.first() == Some(&"begin") && lines.last() == Some(&"end"), "{output:?}");
    ensure!(lines.iter().filter(|line| **line == "tick").count() >= 4, "{output:?}");
    Ok(())
}

fn exit_ends_everything_at_once() -> Result<()> {
    let output = tracer(&[
        "-qn",
        r#"BEGIN { printf("one\n"); exit(0); } BEGIN { printf("two\n"); } tick-1ms { printf("tick\n"); }"#,
    ])?;
    let lines = output.lines();
    // As in DTrace, the clause that calls exit() is run to its end, and what stands behind it at the same probe may be too.
    ensure!(lines.first() == Some(&"one") && !lines.contains(&"tick"), "{output:?}");
    Ok(())
}

fn interrupting_runs_end_and_prints_aggregations() -> Result<()> {
    let mut running = Tracer::start(&[
        "-qn",
        r#"BEGIN { printf("ready\n"); @["key"] = sum(40); @["key"] = sum(2); } END { printf("end\n"); }"#,
    ])?;
    running.wait_for("ready")?;
    let output = running.interrupt()?.success()?;
    let lines = output.lines();
    ensure!(lines.contains(&"end"), "{output:?}");
    let last = lines.last().context("some output")?;
    ensure!(last.split_whitespace().eq(["key", "42"]), "{output:?}");
    Ok(())
}

fn command_starts_after_the_probes() -> Result<()> {
    let (command, report) = workload::command("life-write", &["250", "7"])?;
    let program = "syscall::write:entry /pid == $target && arg2 == 7/ { @ = count(); }";
    let output = tracer(&["-qn", program, "-c", &command])?.success()?;
    ensure!(output.number()? == truth(&report)?.number("writes")?, "{output:?}");
    Ok(())
}

fn the_end_of_a_process_ends_the_run() -> Result<()> {
    let mut workload = Workload::start("life-write", &["250", "7"])?;
    let pid = workload.pid().to_string();
    let program = r#"BEGIN { printf("ready %d\n", $target); } syscall::write:entry /pid == $target && arg2 == 7/ { n++; } END { printf("%d\n", n); }"#;
    let mut running = Tracer::start(&["-qn", program, "-p", &pid])?;
    let ready = running.wait_for("ready")?;
    ensure!(ready == format!("ready {pid}"));
    workload.go()?;
    let (report, _) = workload.finish()?;
    let output = running.finish()?.success()?;
    ensure!(
        output.lines().last().context("some output")?.parse::<i64>()? == report.number("writes")?,
        "{output:?}"
    );
    Ok(())
}

fn an_error_ends_one_clause_only() -> Result<()> {
    let output = tracer(&[
        "-qn",
        r#"ERROR { printf("error %d at %x\n", arg4, arg5); }
           BEGIN { trace(*(int *)16); printf("not reached\n"); }
           BEGIN { zero = 0; trace(1 / zero); printf("not reached\n"); }
           BEGIN { printf("next\n"); exit(0); }"#,
    ])?;
    // DTRACEFLT_BADADDR is 1, DTRACEFLT_DIVZERO 4.
    let lines = output.lines();
    ensure!(lines.first() == Some(&"error 1 at 10") && lines.last() == Some(&"next"), "{output:?}");
    ensure!(lines.get(1).is_some_and(|line| line.starts_with("error 4")) && lines.len() == 3, "{output:?}");
    ensure!(output.stderr.contains("BEGIN") && output.stderr.contains("0x10"), "{output:?}");
    Ok(())
}

fn tracers_do_not_disturb_each_other() -> Result<()> {
    let mut workload = Workload::start("life-write", &["500", "7"])?;
    let pid = workload.pid().to_string();
    let program = r#"BEGIN { printf("ready\n"); } syscall::write:entry /pid == $1 && arg2 == 7/ { n++; } END { printf("%d\n", n); }"#;
    let mut running = (0..3).map(|_| Tracer::start(&["-qn", program, &pid])).collect::<Result<Vec<_>>>()?;
    for one in &mut running {
        one.wait_for("ready")?;
    }
    workload.go()?;
    let (report, _) = workload.finish()?;
    for one in running {
        let output = one.interrupt()?.success()?;
        ensure!(output.lines().last() == Some(&report.text("writes")?), "{output:?}");
    }
    Ok(())
}

fn what_is_lost_is_counted() -> Result<()> {
    let (command, report) = workload::command("life-write", &["50000", "7"])?;
    let program = r#"syscall::write:entry /pid == $target && arg2 == 7/ { printf("%d aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", arg2); }"#;
    let output = tracer(&["-x", "bufsize=16k", "-qn", program, "-c", &command])?.success()?;
    let lost: i64 = output
        .stderr
        .lines()
        .filter(|line| line.contains(" drop"))
        .filter_map(|line| line.split_whitespace().find_map(|word| word.parse::<i64>().ok()))
        .sum();
    let came = i64::try_from(output.lines().len())?;
    ensure!(came + lost == truth(&report)?.number("writes")?, "{came} came, {lost} lost: {}", output.stderr);
    Ok(())
}

fn nothing_is_attached_by_e() -> Result<()> {
    let output = tracer(&["-e", "-n", r#"BEGIN { printf("began\n"); exit(1); }"#])?.success()?;
    ensure!(!output.stdout.contains("began"), "{output:?}");
    Ok(())
}

/// Writes to /dev/null: how often, how many bytes each time.
fn write(arguments: &[String]) -> Result<Report> {
    let (count, size): (u32, usize) = (arguments[0].parse()?, arguments[1].parse()?);
    let mut file = File::create("/dev/null")?;
    let bytes = vec![b'x'; size];
    for _ in 0..count {
        file.write_all(&bytes)?;
    }
    Ok(Report::default().with("writes", count))
}
