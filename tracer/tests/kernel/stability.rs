//! Stability and versions where the kernel has a part in them: its types, its probes, its processes.

use anyhow::{Context as _, Result, ensure};

use crate::harness::{Family, tracer, workload};

pub(crate) const FAMILY: Family = Family {
    name: "stability",
    tests: &[
        ("the_report_stands_before_the_output", report),
        ("the_report_goes_where_the_output_goes", report_in_file),
        ("what_is_the_kernels_is_private", kernels),
        ("the_kernels_provider_has_its_attributes_listed", listed),
        ("tracing_begins_at_the_place_that_evaltime_names", evaltime),
        ("a_program_depends_on_what_is_here", depends),
    ],
    workloads: &[("nothing", |_| Ok(workload::Report::default()))],
};

/// The three lines of a report.
fn lines(name: &str, data: &str, class: &str) -> String {
    format!("\t\tIdentifier Names: {name}\n\t\tData Semantics:   {data}\n\t\tDependency Class: {class}\n")
}

fn report() -> Result<()> {
    let run = tracer(&["-q", "-v", "-n", "dtrace:::BEGIN { printf(\"%d\", curthread != 0); exit(0); }"])?
        .success()?;
    let wanted = format!(
        "\nStability attributes for description dtrace:::BEGIN :\n\n\tMinimum Probe Description Attributes\n{}\n\tMinimum Statement Attributes\n{}\n1",
        lines("Stable", "Stable", "Common"),
        lines("Stable", "Private", "Common")
    );
    ensure!(run.stdout.trim_end() == wanted, "{run:?}");
    Ok(())
}

fn report_in_file() -> Result<()> {
    let file = format!("/tmp/tracer-stability-{}", std::process::id());
    let run = tracer(&["-q", "-v", "-o", &file, "-n", "syscall:::entry { exit(0); }"])?.success();
    let text = std::fs::read_to_string(&file).context("the output");
    std::fs::remove_file(&file)?;
    ensure!(run?.stdout.is_empty());
    ensure!(text?.contains(&lines("Evolving", "Evolving", "Common")));
    Ok(())
}

fn kernels() -> Result<()> {
    let with = |amin: &str, program: &str| tracer(&["-e", "-x", &format!("amin={amin}"), "-n", program]);
    for (least, program, what) in [
        (
            "Evolving/Evolving/Common",
            "dtrace:::BEGIN { trace(curthread->pid); }",
            "scalar curthread (Stable/Private/Common)",
        ),
        (
            "Unstable/Unstable/Common",
            "dtrace:::BEGIN { trace(((struct task_struct *)0)->pid); }",
            "type struct task_struct * (Private/Private/Unknown)",
        ),
        (
            "Stable/Private/Common",
            "dtrace:::BEGIN { trace((uint64_t)&`vfs_read); }",
            "external symbol vfs_read (Private/Private/Unknown)",
        ),
        (
            "Evolving/Evolving/Common",
            "syscall::read:entry { trace(arg0); }",
            "probe description (Private/Private/ISA)",
        ),
    ] {
        let run = with(least, program)?;
        let message = format!("error[D_ATTR_MIN]: attributes for {what} are less than predefined minimum");
        ensure!(run.status.code() == Some(1) && run.stderr.contains(&message), "{program}: {run:?}");
    }
    with("Stable/Private/Common", "dtrace:::BEGIN { trace(curthread->pid); }")?.success()?;
    with("Evolving/Evolving/ISA", "proc:::exit { trace(curpsinfo->pr_pid); }")?.success()?;
    Ok(())
}

fn listed() -> Result<()> {
    let run = tracer(&["-lv", "-n", "proc:::exit"])?.success()?;
    for part in [
        format!("\n\tProbe Description Attributes\n{}", lines("Private", "Private", "Unknown")),
        format!("\n\tArgument Attributes\n{}", lines("Evolving", "Evolving", "ISA")),
        "\n\tArgument Types\n\t\targs[0]: int\n".to_owned(),
    ] {
        ensure!(run.stdout.contains(&part), "{part}: {run:?}");
    }
    Ok(())
}

/// What a process does before its main function: the C library asks for its thread's own memory by arch_prctl.
fn evaltime() -> Result<()> {
    const PROGRAM: &str = "
        BEGIN { n = 0; e = 0; }
        syscall::arch_prctl:entry /pid == $target/ { n++; }
        syscall::execve:return /pid == $target/ { e++; }
        syscall::exit_group:entry /pid == $target/ { printf(\"%d %d\", e > 0, n > 0); }";
    for (place, wanted) in [("exec", "1 1"), ("preinit", "0"), ("postinit", "0 0"), ("main", "0 0")] {
        let (command, _) = workload::command("nothing", &[])?;
        let run =
            tracer(&["-q", "-x", &format!("evaltime={place}"), "-c", &command, "-n", PROGRAM])?.success()?;
        ensure!(run.stdout.trim().starts_with(wanted), "{place}: {run:?}");
    }
    let run = tracer(&["-q", "-x", "evaltime=main", "-c", "/nosuch", "-n", "BEGIN { }"])?;
    ensure!(run.status.code() == Some(1), "{run:?}");
    Ok(())
}

fn depends() -> Result<()> {
    let with = |what: &str| {
        let file = format!("/tmp/tracer-depends-{}.d", std::process::id());
        std::fs::write(&file, format!("#pragma D depends_on {what}\nBEGIN {{ exit(0); }}\n"))?;
        let run = tracer(&["-q", "-s", &file]);
        std::fs::remove_file(&file)?;
        run
    };
    for what in ["provider syscall", "provider rawtp", "provider sdt", "provider pid", "module vmlinux"] {
        with(what)?.success()?;
    }
    for what in ["provider nosuch", "module nosuch", "library nosuch.d"] {
        let run = with(what)?;
        ensure!(run.status.code() == Some(1) && run.stderr.contains("D_PRAGMA_DEPEND"), "{what}: {run:?}");
    }
    Ok(())
}
