//! Actions that dump memory, steer the output, or change the system.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;

use anyhow::{Result, ensure};

use crate::harness::{Family, Report, Tracer, Workload, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "actions",
    tests: &[
        ("tracemem_is_a_table_of_bytes", tracemem_is_a_table_of_bytes),
        ("system_runs_in_its_turn", system_runs_in_its_turn),
        ("freopen_prints_to_a_file_and_back", freopen_prints_to_a_file_and_back),
        ("ftruncate_empties_the_file", ftruncate_empties_the_file),
        ("setopt_sets_quiet_and_stackindent", setopt_sets_quiet_and_stackindent),
        ("raise_sends_a_signal_to_the_current_process", raise_sends_a_signal_to_the_current_process),
        ("stop_stops_the_current_process", stop_stops_the_current_process),
        ("what_is_destructive_needs_leave", what_is_destructive_needs_leave),
    ],
    workloads: &[("nap", nap)],
};

/// Sleeps a little, twice, and says how often it got to.
fn nap(_: &[String]) -> Result<Report> {
    for _ in 0..2 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    Ok(Report::default().with("naps", 2))
}

/// A name for a file that nobody else has.
fn path(name: &str) -> String {
    format!("/tmp/tracer-test-{}-{name}", std::process::id())
}

fn tracemem_is_a_table_of_bytes() -> Result<()> {
    let program =
        "BEGIN { bytes = 0x0a42434445464748; more = 0x61; tracemem(&bytes, 8); tracemem(&bytes, 8, 3);
        tracemem(&bytes, 8, -1); exit(0); }";
    let text = tracer(&["-qn", program])?.success()?.stdout;
    let head = "\n             0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f  0123456789abcdef\n";
    let all = "         0: 48 47 46 45 44 43 42 0a                          HGFEDCB.\n";
    let some = "         0: 48 47 46                                         HGF\n";
    ensure!(text == format!("{head}{all}{head}{some}{head}{all}\n"), "{text}");
    Ok(())
}

fn system_runs_in_its_turn() -> Result<()> {
    let program = "BEGIN { printf(\"one\\n\"); system(\"echo two %d %s\", 2, execname); printf(\"three\\n\"); exit(0); }";
    let text = tracer(&["-wqn", program])?.success()?.stdout;
    ensure!(text == "one\ntwo 2 tracer\nthree\n\n", "{text:?}");
    Ok(())
}

fn freopen_prints_to_a_file_and_back() -> Result<()> {
    let file = path("freopen");
    let program = format!(
        "BEGIN {{ printf(\"a\\n\"); freopen(\"%s.%d\", \"{file}\", 7); printf(\"b\\n\"); freopen(\"\"); printf(\"c\\n\");
            freopen(\"/no/such/directory/x\"); printf(\"d\\n\"); exit(0); }}"
    );
    let output = tracer(&["-wqn", &program])?.success()?;
    let written = fs::read_to_string(format!("{file}.7"))?;
    fs::remove_file(format!("{file}.7"))?;
    ensure!(output.stdout == "a\nc\nd\n\n" && written == "b\n", "{output:?}, in the file {written:?}");
    ensure!(output.stderr.contains("freopen(\"/no/such/directory/x\")"), "{output:?}");
    Ok(())
}

fn ftruncate_empties_the_file() -> Result<()> {
    let file = path("ftruncate");
    let program = format!(
        "BEGIN {{ freopen(\"{file}\"); printf(\"before\\n\"); ftruncate(); printf(\"after\\n\"); exit(0); }}"
    );
    tracer(&["-wqn", &program])?.success()?;
    let written = fs::read_to_string(&file)?;
    fs::remove_file(&file)?;
    ensure!(written == "after\n\n", "{written:?}");
    let file = path("output");
    tracer(&[
        "-qo",
        &file,
        "-n",
        "BEGIN { printf(\"before\\n\"); ftruncate(); printf(\"after\\n\"); exit(0); }",
    ])?
    .success()?;
    let written = fs::read_to_string(&file)?;
    fs::remove_file(&file)?;
    ensure!(written == "after\n\n", "{written:?}");
    Ok(())
}

fn setopt_sets_quiet_and_stackindent() -> Result<()> {
    let program = "BEGIN { setopt(\"quiet\"); printf(\"a\"); } BEGIN { printf(\"b\"); setopt(\"quiet\", \"no\"); } BEGIN { exit(0); }";
    let text = tracer(&["-n", program])?.success()?.stdout;
    let lines: Vec<&str> = text.lines().collect();
    ensure!(lines.len() == 4 && lines[1].ends_with(":BEGIN ab") && lines[2].ends_with(":BEGIN "), "{text:?}");
    let program = "BEGIN { setopt(\"stackindent\", \"3\"); stack(1); exit(0); }";
    let text = tracer(&["-qn", program])?.success()?.stdout;
    ensure!(text.starts_with("\n   ") && !text.starts_with("\n    "), "{text:?}");
    Ok(())
}

/// A tracer that does something to the workload `nap` at its first sleep.
fn at_its_sleep(action: &str, workload: &Workload) -> Result<Tracer> {
    let program = format!(
        "BEGIN {{ printf(\"ready\\n\"); }}
         syscall::clock_nanosleep:entry /pid == $1 && !done++/ {{ {action}; printf(\"done\\n\"); }}"
    );
    let mut tracer = Tracer::start(&["-wqn", &program, &workload.pid().to_string()])?;
    tracer.wait_for("ready")?;
    Ok(tracer)
}

fn raise_sends_a_signal_to_the_current_process() -> Result<()> {
    let mut workload = Workload::start("nap", &[])?;
    let mut tracer = at_its_sleep("raise(SIGKILL)", &workload)?;
    workload.go()?;
    tracer.wait_for("done")?;
    let (_, status) = workload.finish()?;
    tracer.interrupt()?.success()?;
    ensure!(status.signal() == Some(libc::SIGKILL), "{status}");
    Ok(())
}

fn stop_stops_the_current_process() -> Result<()> {
    let mut workload = Workload::start("nap", &[])?;
    let mut tracer = at_its_sleep("stop()", &workload)?;
    workload.go()?;
    tracer.wait_for("done")?;
    let stat = || fs::read_to_string(format!("/proc/{}/stat", workload.pid()));
    let stopped = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        stat().is_ok_and(|stat| stat.contains(") T "))
    });
    // SAFETY: kill takes two integers; the process is our child, not waited for yet.
    unsafe { libc::kill(i32::try_from(workload.pid())?, libc::SIGCONT) };
    let (report, status) = workload.finish()?;
    tracer.interrupt()?.success()?;
    ensure!(stopped && status.success() && report.number("naps")? == 2, "{stopped} {status} {report:?}");
    Ok(())
}

fn what_is_destructive_needs_leave() -> Result<()> {
    for action in ["system(\"true\")", "freopen(\"x\")", "raise(9)", "stop()"] {
        let output = tracer(&["-qn", &format!("BEGIN {{ {action}; exit(0); }}")])?;
        ensure!(output.status.code() == Some(1) && output.stderr.contains("D_DESTRUCTIVE"), "{output:?}");
    }
    Ok(())
}
