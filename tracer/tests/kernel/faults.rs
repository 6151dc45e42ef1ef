//! Faults at run time: the clause stops, its record is discarded, ERROR fires with DTrace's arguments, the message names probe,
//! clause and action, and tracing goes on.

use anyhow::{Context, Result, ensure};
use probes_common::abi::fault;

use crate::harness::{Family, Report, observe, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "faults",
    tests: &[
        ("an_error_clause_with_too_much_is_refused", an_error_clause_with_too_much_is_refused),
        ("a_division_by_zero_stops_the_clause", division),
        ("a_bad_address_is_named", address),
        ("a_predicate_can_fault", predicate),
        ("error_fires_as_itself", error),
        ("the_traced_program_notices_nothing", goes_on),
    ],
    workloads: &[("faults_calls", calls)],
};

fn division() -> Result<()> {
    for (expression, name) in [("1 / z", "quotient"), ("1 % z", "rest"), ("n /= z", "assignment")] {
        let program = format!(
            "int z, n; BEGIN {{ printf(\"never\\n\"); x = 1; y = {expression}; z = 9; }}
             BEGIN {{ printf(\"%d %d\\n\", x, z); exit(0); }}
             ERROR {{ printf(\"%d %d %d %d\\n\", arg1, arg2, arg4, arg5); }}"
        );
        let output = tracer(&["-q", "-n", &program])?.success()?;
        // What was assigned before stays; the record with the printf is gone.
        let truth = [format!("3 3 {} 0", fault::DIVZERO), "1 0".to_owned()];
        ensure!(output.lines() == truth, "{name}: {output:?}");
        ensure!(
            output.stderr.starts_with(
                "tracer: error on enabled probe ID 3 (ID 1: dtrace:::BEGIN): divide-by-zero in action #3 at BPF pc "
            ),
            "{name}: {output:?}"
        );
    }
    Ok(())
}

/// Opens a good path and bad addresses.
fn calls(_: &[String]) -> Result<Report> {
    let path = c"/etc/passwd";
    for address in [path.as_ptr() as usize, 0, 0x10, path.as_ptr() as usize] {
        // SAFETY: the kernel refuses a path at an address that is not mapped.
        unsafe { libc::syscall(libc::SYS_faccessat, libc::AT_FDCWD, address, libc::F_OK) };
    }
    Ok(Report::default().with("calls", 4))
}

fn address() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::faccessat:return /pid == $1/ { n++; }
        syscall::faccessat:entry /pid == $1/ { self->path = arg1; self->called = 1; }
        syscall::faccessat:return /pid == $1 && self->called/ { printf("%d ", n); printf("%s\n", copyinstr(self->path)); }
        ERROR { printf("%d bad %d %x %d %s\n", n, arg4, arg5, arg2, probename); }
        END { printf("calls %d\n", n); }"#;
    let seen = observe(PROGRAM, "faults_calls", &[])?;
    let bad = fault::BADADDR;
    let truth = [
        "1 /etc/passwd".to_owned(),
        format!("2 bad {bad} 0 2 ERROR"),
        format!("3 bad {bad} 10 2 ERROR"),
        "4 /etc/passwd".to_owned(),
        format!("calls {}", seen.report.number("calls")?),
    ];
    ensure!(seen.output.lines() == truth, "expected {truth:#?}: {seen:?}");
    let complaints: Vec<_> = seen.output.stderr.lines().collect();
    ensure!(complaints.len() == 2, "{seen:?}");
    for (complaint, address) in complaints.iter().zip(["(0x0)", "(0x10)"]) {
        let id = complaint.split_once(": syscall:vmlinux:faccessat:return").context("no probe")?.0;
        ensure!(
            id.starts_with("tracer: error on enabled probe ID 5 (ID "),
            "2 is ERROR's clause, 3 BEGIN's and 4 the first of return: {seen:?}"
        );
        ensure!(
            complaint.contains(&format!("): invalid address {address} in action #2 at BPF pc ")),
            "{seen:?}"
        );
    }
    Ok(())
}

fn predicate() -> Result<()> {
    let program = r#"int z; BEGIN /1 / z/ { printf("never\n"); } BEGIN { printf("next\n"); exit(0); } ERROR { printf("%d\n", arg2); }"#;
    let output = tracer(&["-q", "-n", program])?.success()?;
    ensure!(output.lines() == ["0", "next"], "{output:?}");
    ensure!(output.stderr.contains("divide-by-zero in predicate at BPF pc"), "{output:?}");
    Ok(())
}

fn error() -> Result<()> {
    // A fault of ERROR itself ends ERROR's clause and nothing else; exit() in it ends the run after its other clauses.
    const PROGRAM: &str = r#"
        int z;
        BEGIN { trace(1 / z); }
        BEGIN { trace("second"); }
        BEGIN { trace(*(int *)8); }
        BEGIN { trace("never"); }
        ERROR { trace(probename); trace(1 / z); }
        ERROR /arg1 == 7/ { trace(probeprov); exit(5); }
        ERROR /arg1 == 7/ { trace("last"); }"#;
    let output = tracer(&["-n", PROGRAM])?;
    ensure!(output.status.code() == Some(5), "{output:?}");
    let rows: Vec<Vec<_>> =
        output.lines()[1..].iter().map(|line| line.split_whitespace().skip(1).collect()).collect();
    let truth = [["1", ":BEGIN", "second"], ["3", ":ERROR", "dtrace"], ["3", ":ERROR", "last"]];
    ensure!(rows == truth, "{output:?}");
    Ok(())
}

fn goes_on() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::faccessat:entry /pid == $1/ { trace(*(int *)arg2); }
        syscall::faccessat:entry /pid == $1/ { @ = count(); }
        ERROR { @errors = count(); }
        END { printa("%@d\n", @); printa("%@d\n", @errors); }"#;
    let seen = observe(PROGRAM, "faults_calls", &[])?;
    ensure!(seen.report.number("calls")? == 4, "{seen:?}");
    ensure!(seen.output.lines() == ["4", "4"], "{seen:?}");
    Ok(())
}

/// What the verifier cannot follow is a limit that the program's author is told of, not the verifier's words.
fn an_error_clause_with_too_much_is_refused() -> Result<()> {
    let actions: String = (0..120).map(|number| format!("@a{number} = count(); ")).collect();
    let program = format!("BEGIN {{ trace(*(int *)1); }} ERROR {{ {actions} exit(0); }}");
    let output = tracer(&["-q", "-n", &program])?;
    ensure!(output.stderr.starts_with("error[D_LIMIT]: "), "{output:?}");
    ensure!(output.stderr.contains("make several clauses of a long one"), "{output:?}");
    // As many in a clause of another probe, and in one expression, are none too many.
    let few = "BEGIN { trace(*(int *)1); } ERROR { @a = count(); @b = sum(arg4); exit(0); }";
    tracer(&["-q", "-n", few])?.success()?;
    let (set, sum): (String, Vec<String>) =
        (0..120).map(|number| (format!("m{number}[1] = 1; "), format!("m{number}[1]"))).unzip();
    let program = format!("BEGIN {{ {set} }} BEGIN {{ trace({}); exit(0); }}", sum.join(" + "));
    let output = tracer(&["-q", "-n", &program])?.success()?;
    ensure!(output.stdout.trim() == "120", "{output:?}");
    Ok(())
}
