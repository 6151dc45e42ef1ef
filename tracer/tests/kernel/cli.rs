//! The command line where it meets the system: the command of -c and the process of -p, signals, output that goes elsewhere or
//! nowhere, JSON, and a system that does not let us trace.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::harness::process::{LIMIT, Watchdog};
use crate::harness::run::{Output, command};
use crate::harness::{Family, Report, Tracer, Workload, patience, skip, tracer, truth, until, workload};

pub(crate) const FAMILY: Family = Family {
    name: "cli",
    tests: &[
        ("exit_gives_the_status", exit_gives_the_status),
        ("command_runs_as_the_invoking_user", command_runs_as_the_invoking_user),
        ("interrupt_is_passed_on", interrupt_is_passed_on),
        ("command_is_ended_with_the_tracing", command_is_ended_with_the_tracing),
        ("command_that_cannot_run_is_told_before_begin", command_that_cannot_run_is_told_before_begin),
        ("process_that_is_gone_is_told_before_begin", process_that_is_gone_is_told_before_begin),
        ("every_ending_signal_prints_aggregations", every_ending_signal_prints_aggregations),
        ("output_is_appended_to_a_file", output_is_appended_to_a_file),
        ("output_that_cannot_be_is_told_before_begin", output_that_cannot_be_is_told_before_begin),
        ("a_reader_who_goes_away_ends_it_quietly", a_reader_who_goes_away_ends_it_quietly),
        ("what_was_matched_is_told_unless_quiet", what_was_matched_is_told_unless_quiet),
        ("several_processes_are_followed_to_their_ends", several_processes_are_followed_to_their_ends),
        ("messages_begin_with_the_name_it_was_called_by", messages_begin_with_the_name_it_was_called_by),
        ("what_differs_from_run_to_run_can_be_left_out", what_differs_from_run_to_run_can_be_left_out),
        ("json_lines_follow_the_schema", json_lines_follow_the_schema),
        ("a_command_in_a_pid_namespace_is_the_target", pid_namespace),
        ("missing_capabilities_are_named", missing_capabilities_are_named),
        ("what_needs_no_capabilities_works_without", what_needs_no_capabilities_works_without),
    ],
    workloads: &[("cli-wait", wait), ("cli-namespace", namespace)],
};

fn several_processes_are_followed_to_their_ends() -> Result<()> {
    const PROGRAM: &str = r#"
        BEGIN { printf("%d\n", $target); }
        proc:::exit /pid == $target || execname == "sleep" && ppid == $pid/ { n++; }
        END { printf("%d\n", n); }"#;
    let workload = Workload::start("add", &["1", "1"])?;
    let pid = workload.pid().to_string();
    let mut running =
        Tracer::start(&["-q", "-n", PROGRAM, "-p", &pid, "-c", "sleep 0.1", "-c", "sleep 0.2"])?;
    running.wait_for(&pid)?;
    workload.finish()?;
    let output = running.finish()?.success()?;
    ensure!(output.lines() == [pid.as_str(), "3"], "the first is $target, and all are followed: {output:?}");
    Ok(())
}

fn messages_begin_with_the_name_it_was_called_by() -> Result<()> {
    let mut command = command(&["-n", "BEGIN { exit(0); }"]);
    command.arg0("/usr/sbin/dtrace");
    let output = Tracer::spawn(command)?.finish()?.success()?;
    ensure!(output.stderr == "dtrace: description 'BEGIN ' matched 1 probe\n", "{output:?}");
    Ok(())
}

fn what_differs_from_run_to_run_can_be_left_out() -> Result<()> {
    for (flag, truth) in [
        (
            "-w",
            "                   FUNCTION:NAME\n                          :BEGIN           1\n\n".to_owned(),
        ),
        ("-F", format!("{:41}\n{:41}           1\n\n", "FUNCTION", "| :BEGIN")),
    ] {
        let mut command = command(&[flag, "-n", "BEGIN { trace(1); exit(0); }"]);
        command.env("_DTRACE_TESTING", "1");
        let output = Tracer::spawn(command)?.finish()?.success()?;
        ensure!(output.stdout == truth, "{flag}: {output:?}");
    }
    Ok(())
}

fn exit_gives_the_status() -> Result<()> {
    for status in [0, 1, 7, 255] {
        let output = tracer(&["-qn", &format!("BEGIN {{ exit({status}); }}")])?;
        ensure!(output.status.code() == Some(status) && output.stderr.is_empty(), "{output:?}");
    }
    Ok(())
}

/// A user whom no system has, with a group of another number.
const SOMEBODY: (&str, &str) = ("54321", "54322");

fn command_runs_as_the_invoking_user() -> Result<()> {
    let mut command = command(&["-qn", r#"BEGIN { printf("target %d\n", $target); }"#, "-c", "sleep 30"]);
    command.envs([("SUDO_UID", SOMEBODY.0), ("SUDO_GID", SOMEBODY.1), ("SUDO_USER", "nobody-at-all")]);
    let mut running = Tracer::spawn(command)?;
    let target = target(&running.wait_for("target")?)?;
    until("the command runs", || Ok(fs::read_to_string(format!("/proc/{target}/comm"))? == "sleep\n"))?;
    let status = fs::read_to_string(format!("/proc/{target}/status"))?;
    let ids = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    ensure!(ids("Uid:") == [SOMEBODY.0; 4] && ids("Gid:") == [SOMEBODY.1; 4], "{status}");
    ensure!(ids("Groups:") == [SOMEBODY.1], "{status}");
    running.interrupt()?.success()?;
    Ok(())
}

fn interrupt_is_passed_on() -> Result<()> {
    let (command, report) = workload::command("cli-wait", &[])?;
    let mut running =
        Tracer::start(&["-qn", r#"BEGIN { printf("target %d\n", $target); }"#, "-c", &command])?;
    let target = target(&running.wait_for("target")?)?;
    until("the command waits", || blocks(target, libc::SIGINT))?;
    running.interrupt()?.success()?;
    expect_signal(&report, libc::SIGINT)
}

fn command_is_ended_with_the_tracing() -> Result<()> {
    let (command, report) = workload::command("cli-wait", &[])?;
    // By then it has blocked the signals and looks for them.
    let program = "syscall::rt_sigtimedwait:entry /pid == $target/ { exit(0); }";
    tracer(&["-qn", program, "-c", &command])?.success()?;
    expect_signal(&report, libc::SIGTERM)
}

fn command_that_cannot_run_is_told_before_begin() -> Result<()> {
    let output = tracer(&["-qn", r#"BEGIN { printf("begin\n"); exit(0); }"#, "-c", "no-such-program"])?;
    refused(&output, 1, "`no-such-program` cannot be run")
}

fn process_that_is_gone_is_told_before_begin() -> Result<()> {
    let workload = Workload::start("add", &["1", "1"])?;
    let pid = workload.pid().to_string();
    workload.finish()?;
    let output = tracer(&["-qn", r#"BEGIN { printf("begin\n"); exit(0); }"#, "-p", &pid])?;
    refused(&output, 1, "No such process")
}

fn every_ending_signal_prints_aggregations() -> Result<()> {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        let program = r#"BEGIN { printf("ready\n"); @ = sum(42); } END { printf("end\n"); }"#;
        let mut running = Tracer::start(&["-qn", program])?;
        running.wait_for("ready")?;
        let output = running.signal(signal)?.success()?;
        let lines: Vec<&str> = output.lines().iter().map(|line| line.trim()).collect();
        ensure!(lines == ["ready", "end", "42"], "signal {signal}: {output:?}");
    }
    Ok(())
}

fn output_is_appended_to_a_file() -> Result<()> {
    let path = format!("/tmp/tracer-test-output-{}", std::process::id());
    for word in ["first", "second"] {
        let program = format!("BEGIN {{ printf(\"{word}\\n\"); exit(0); }}");
        let output = tracer(&["-q", "-o", &path, "-n", &program])?.success()?;
        ensure!(output.stdout.is_empty(), "{output:?}");
    }
    let text = fs::read_to_string(&path)?;
    fs::remove_file(&path)?;
    ensure!(text == "first\n\nsecond\n\n", "{text}");
    Ok(())
}

fn output_that_cannot_be_is_told_before_begin() -> Result<()> {
    let report = format!("/tmp/tracer-test-nowhere-{}/file", std::process::id());
    let output = tracer(&["-o", &report, "-n", "BEGIN { exit(0); }"])?;
    refused(&output, 1, "cannot be opened: No such file or directory")?;
    ensure!(!output.stderr.contains("matched"), "{output:?}");
    // A full disk shows only when it is written to.
    let output = tracer(&["-q", "-o", "/dev/full", "-n", r#"BEGIN { printf("text\n"); exit(0); }"#])?;
    refused(&output, 1, "No space left on device")
}

fn a_reader_who_goes_away_ends_it_quietly() -> Result<()> {
    let commands: [&[&str]; 3] = [
        &["-qn", r#"tick-1ms { printf("tick\n"); }"#],
        &["-l"],
        &["--json", "-qn", "tick-1ms { trace(1); }"],
    ];
    for arguments in commands {
        let mut child = command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let _watchdog = Watchdog::over(&child, patience(LIMIT))?;
        let mut line = String::new();
        BufReader::with_capacity(16, child.stdout.take().context("it is a pipe")?).read_line(&mut line)?;
        let mut complaint = String::new();
        child.stderr.take().context("it is a pipe")?.read_to_string(&mut complaint)?;
        let status = child.wait()?;
        ensure!(!line.is_empty() && status.success(), "{arguments:?}: {status}, {line}{complaint}");
        ensure!(complaint.is_empty(), "{arguments:?}: {complaint}");
    }
    Ok(())
}

fn what_was_matched_is_told_unless_quiet() -> Result<()> {
    let output = tracer(&["-n", "BEGIN, END { }", "-n", "BEGIN { exit(0); }"])?.success()?;
    let told: Vec<&str> = output.stderr.lines().collect();
    let expected = [
        "tracer: description 'BEGIN, END ' matched 2 probes",
        "tracer: description 'BEGIN ' matched 1 probe",
    ];
    ensure!(told == expected, "{output:?}");
    ensure!(output.stdout.starts_with("CPU     ID                    FUNCTION:NAME\n"), "{output:?}");
    let output = tracer(&["-qn", "BEGIN { exit(0); }"])?.success()?;
    ensure!(output.stdout.trim().is_empty() && output.stderr.is_empty(), "{output:?}");
    Ok(())
}

const SCHEMA: &str = include_str!("../../../docs/events.schema.json");

fn json_lines_follow_the_schema() -> Result<()> {
    let program = r#"
        BEGIN { printf("%d %s\n", 1, "a\"b"); trace(pid); trace(execname); print(*curthread->cred); }
        BEGIN { trace(*(int *)16); }
        BEGIN { @counts["key", 1] = count(); @sizes = quantize(100); @shares = avg(3); @steps = lquantize(7, 0, 10, 2); }
        BEGIN { printa("%@d\n", @counts); exit(4); }"#;
    let output = tracer(&["--json", "-qn", program])?;
    ensure!(output.status.code() == Some(4), "{output:?}");
    let schema: Value = serde_json::from_str(SCHEMA)?;
    let mut seen = Vec::new();
    for line in output.lines() {
        let line: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
        seen.push(follow(&schema, &line)?);
    }
    let count = |name: &str| seen.iter().filter(|kind| *kind == name).count();
    ensure!(count("record") == 2, "{output:?}");
    // `counts` has been printed already.
    ensure!(count("error") == 1 && count("aggregation") == 3, "{output:?}");
    Ok(())
}

/// The type of a line that has the members that the schema demands of that type, and no others.
fn follow(schema: &Value, line: &Value) -> Result<String> {
    let kind = line["type"].as_str().with_context(|| format!("no type: {line}"))?;
    let definitions = schema["$defs"].as_object().context("the schema has definitions")?;
    let of_kind = |rules: &&Value| rules["properties"]["type"]["const"] == kind;
    let rules = definitions.values().find(of_kind).with_context(|| format!("no such type: {line}"))?;
    let members = line.as_object().context("a line is an object")?;
    for name in rules["required"].as_array().context("some are required")? {
        ensure!(members.contains_key(name.as_str().unwrap_or_default()), "{name} is missing: {line}");
    }
    let strange = members.keys().find(|name| rules["properties"].get(name.as_str()).is_none());
    ensure!(strange.is_none(), "{strange:?} is not in the schema: {line}");
    Ok(kind.to_owned())
}

fn missing_capabilities_are_named() -> Result<()> {
    let program = r#"BEGIN { printf("begin\n"); exit(0); }"#;
    let output = without_capabilities(&["-qn", program])?;
    refused(&output, 1, "missing capabilities: CAP_BPF and CAP_PERFMON")?;
    ensure!(output.stderr.contains("help: "), "{output:?}");
    let output = without_capabilities(&["-qn", program, "-c", "sh -c 'echo started'"])?;
    refused(&output, 1, "missing capabilities")?;
    let output = without_capabilities(&["demo", "--ascii"])?;
    ensure!(output.status.code() == Some(1) && output.stderr.contains("missing capabilities"), "{output:?}");
    ensure!(output.stdout.starts_with("A stored sample") && output.stdout.contains("SYN"), "{output:?}");
    Ok(())
}

fn what_needs_no_capabilities_works_without() -> Result<()> {
    without_capabilities(&["-en", "syscall:::entry { @[execname] = count(); }"])?.success()?;
    let output = without_capabilities(&["-lP", "tcp"])?.success()?;
    ensure!(output.lines().len() > 5 && output.stdout.contains("connect-refused"), "{output:?}");
    let output = without_capabilities(&["-n", "BEGIN { trace(execnam); }"])?;
    refused(&output, 1, "did you mean `execname`?")
}

fn pid_namespace() -> Result<()> {
    let (report, status) = Workload::start("cli-namespace", &[])?.finish()?;
    ensure!(status.success(), "{status}");
    if let Ok(reason) = report.text("skip") {
        return skip(reason);
    }
    ensure!(report.text("command")? == "0 true 250", "{report:?}");
    Ok(())
}

/// Runs the tracer as the first process of a PID namespace, as in a container: with a command, and with -p.
fn namespace(_: &[String]) -> Result<Report> {
    // SAFETY: it changes this process only, which is a workload's own; strings that end in zero.
    let apart = unsafe {
        let none = std::ptr::null();
        libc::unshare(libc::CLONE_NEWNS) == 0
            && libc::mount(none, c"/".as_ptr(), none, libc::MS_REC | libc::MS_PRIVATE, none.cast()) == 0
    };
    if !apart {
        return Ok(
            Report::default().with("skip", format!("no namespaces: {}", std::io::Error::last_os_error()))
        );
    }
    let (line, report) = workload::command("life-write", &["250", "7"])?;
    let program = r#"BEGIN /pid == $pid/ { own = 1; } syscall::write:entry /pid == $target && arg2 == 7/ { n++; }
        END { printf("%s %d", own ? "true" : "false", n); }"#;
    let run = |arguments: &[&str]| -> Result<String> {
        // SAFETY: children of this process are made in a new namespace from now on.
        ensure!(unsafe { libc::unshare(libc::CLONE_NEWPID) } == 0, "{}", std::io::Error::last_os_error());
        let mut command: Command = command(arguments);
        // SAFETY: a system call that may be made between fork and exec, with strings that end in zero.
        unsafe {
            command.pre_exec(|| {
                let none = std::ptr::null();
                match libc::mount(c"proc".as_ptr(), c"/proc".as_ptr(), c"proc".as_ptr(), 0, none) {
                    0 => Ok(()),
                    _ => Err(std::io::Error::last_os_error()),
                }
            });
        }
        let output = command.output()?;
        let text = [output.stdout, output.stderr].concat();
        Ok(format!("{} {}", output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).trim()))
    };
    let seen = Report::default().with("command", run(&["-qn", program, "-c", &line])?);
    std::fs::remove_file(report)?;
    Ok(seen)
}

/// Runs the tracer as a root who has given up, for good, what tracing needs.
fn without_capabilities(arguments: &[&str]) -> Result<Output> {
    const CAP_SYS_ADMIN: libc::c_ulong = 21;
    const CAP_PERFMON: libc::c_ulong = 38;
    const CAP_BPF: libc::c_ulong = 39;
    let mut command: Command = command(arguments);
    // SAFETY: prctl is a system call, which may be made between fork and exec; it changes the new process only.
    unsafe {
        command.pre_exec(|| {
            for capability in [CAP_SYS_ADMIN, CAP_PERFMON, CAP_BPF] {
                if libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 {
                    return Err(std::io::Error::last_os_error());
                }
            }
            Ok(())
        });
    }
    Tracer::spawn(command)?.finish()
}

/// The tracer ended with this status and these words on its standard error, before it printed anything else.
fn refused(output: &Output, status: i32, words: &str) -> Result<()> {
    ensure!(output.status.code() == Some(status) && output.stdout.is_empty(), "{output:?}");
    ensure!(output.stderr.contains(words), "not {words:?}, but {output:?}");
    ensure!(!output.stderr.contains("os error") && !output.stderr.contains("panicked"), "{output:?}");
    Ok(())
}

/// The number at the end of `target 123`.
fn target(line: &str) -> Result<u32> {
    line.trim().rsplit(' ').next().context("a number")?.parse().with_context(|| line.to_owned())
}

/// Whether a process blocks a signal: then it looks for it.
fn blocks(pid: u32, signal: i32) -> Result<bool> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let mask =
        status.lines().find_map(|line| line.strip_prefix("SigBlk:")).context("a mask of blocked signals")?;
    Ok(u64::from_str_radix(mask.trim(), 16)? & 1 << (signal - 1) != 0)
}

/// The report of `cli-wait` names this signal.
fn expect_signal(report: &str, signal: i32) -> Result<()> {
    until("the command reports", || Ok(fs::metadata(report).is_ok_and(|file| file.len() > 0)))?;
    let report = truth(report)?;
    ensure!(report.number("signal")? == i64::from(signal), "{report:?}");
    Ok(())
}

/// Waits for one of the signals that end things, and reports which.
fn wait(_: &[String]) -> Result<Report> {
    // SAFETY: the set is initialized by sigemptyset; a timespec of zeros is a value.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            libc::sigaddset(&raw mut set, signal);
        }
        libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        // While sigtimedwait sleeps, /proc shows the signals as not blocked: so it does not sleep.
        let at_once: libc::timespec = std::mem::zeroed();
        let signal = loop {
            match libc::sigtimedwait(&raw const set, std::ptr::null_mut(), &raw const at_once) {
                -1 => sleep(Duration::from_millis(2)),
                signal => break signal,
            }
        };
        Ok(Report::default().with("signal", signal))
    }
}
