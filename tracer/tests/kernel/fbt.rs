//! Functions of the kernel, by what a workload says of the system calls that lead to them. Where the kernel has no kprobes, the tests
//! are of what is said instead.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;

use anyhow::{Context, Result, ensure};

use crate::harness::{Family, Report, observe, skip, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "fbt",
    tests: &[
        ("a_kernel_without_kprobes_is_named_as_the_reason", reason),
        ("entries_and_returns_are_those_of_the_workload", counts),
        ("arguments_are_typed_and_as_wide_as_their_types", arguments),
        ("several_functions_are_told_apart", several),
        ("a_description_without_a_provider_finds_a_function", open),
        ("stack_and_caller_begin_with_who_called", stacks),
        ("entry_and_return_indent", flow),
        ("functions_are_listed_with_their_types", listing),
        ("every_function_can_be_enabled_at_once", all),
        ("what_is_wrong_is_refused", refusals),
    ],
    workloads: &[("fbt_work", work)],
};

/// How many writes the workload makes, and of how many bytes each.
const WRITES: u64 = 40;
const BYTES: usize = 13;

/// Writes to /dev/null, and an open(2) that fails.
fn work(_: &[String]) -> Result<Report> {
    let mut file = OpenOptions::new().append(true).open("/dev/null")?;
    for _ in 0..WRITES {
        file.write_all(&[0; BYTES])?;
    }
    ensure!(File::open("/nothing/here").is_err());
    Ok(Report::default().with("comm", fs::read_to_string("/proc/self/comm")?.trim()))
}

/// Whether the kernel has kprobes.
fn traceable() -> Result<bool> {
    Ok(fs::exists("/sys/bus/event_source/devices/kprobe")?)
}

fn traced() -> Result<()> {
    if traceable()? { Ok(()) } else { skip("this kernel has no kprobes") }
}

fn reason() -> Result<()> {
    if traceable()? {
        return skip("this kernel has kprobes");
    }
    for program in ["fbt::vfs_read:entry", "vfs_read:return", "fbt:::entry"] {
        let run = tracer(&["-n", program])?;
        ensure!(
            run.status.code() == Some(1) && run.stderr.contains("error[D_PDESC_ZERO]"),
            "{program}: {run:?}"
        );
        ensure!(run.stderr.contains("help: this kernel is built without kprobes"), "{program}: {run:?}");
    }
    let run = tracer(&["-l"])?.success()?;
    ensure!(run.lines().iter().all(|line| !line.contains(" fbt ")), "what cannot be had is listed");
    Ok(())
}

fn counts() -> Result<()> {
    traced()?;
    const PROGRAM: &str = r#"
        fbt:vmlinux:vfs_write:entry /pid == $1 && arg2 == 13/ { @[probeprov, probemod, probefunc, probename] = count(); self->in = timestamp; }
        fbt:vmlinux:vfs_write:return /pid == $1 && self->in/ {
            @[probeprov, probemod, probefunc, probename] = count(); @sum = sum(arg1); @same = sum(args[1]); @place = sum(arg0);
            self->in = 0; }
        END { printa("%s %s %s %s %@d\n", @); printa("%@d ", @sum); printa("%@d ", @same); printa("%@d\n", @place); }"#;
    let seen = observe(PROGRAM, "fbt_work", &[])?;
    let bytes = WRITES * BYTES as u64;
    let mut lines = seen.output.lines();
    lines.sort_unstable();
    let truth = [
        format!("{bytes} {bytes} 0"),
        format!("fbt vmlinux vfs_write entry {WRITES}"),
        format!("fbt vmlinux vfs_write return {WRITES}"),
    ];
    ensure!(lines == truth, "{seen:?}");
    Ok(())
}

fn arguments() -> Result<()> {
    traced()?;
    // Of an `int` that is passed in a register the upper half is anything.
    const PROGRAM: &str = r#"
        fbt::do_sys_openat2:entry /pid == $1 && copyinstr(arg1) == "/nothing/here"/ {
            printf("%d %d %d\n", arg0, args[0], args[2]->mode); self->opens = 1; }
        fbt::do_sys_openat2:return /self->opens/ { printf("%d %d\n", arg1, args[1]); self->opens = 0; }
        fbt::vfs_write:entry /pid == $1 && args[2] == 13 && !seen/ {
            seen = 1;
            printf("%d %d %s\n", args[0]->f_flags & 02000, *args[3], stringof(args[0]->f_path.dentry->d_name.name)); }"#;
    let seen = observe(&format!("int seen; {PROGRAM}"), "fbt_work", &[])?;
    ensure!(seen.output.lines() == ["1024 0 null", "-100 -100 0", "-2 -2"], "{seen:?}");
    Ok(())
}

fn several() -> Result<()> {
    traced()?;
    const PROGRAM: &str = r#"
        fbt::vfs_write:entry, fbt::do_sys_open*:entry, fbt::vfs_fstat*:entry /pid == $1/ { @[probefunc] = count(); }
        fbt::vfs_write:entry /pid == $1 && arg2 == 13/ { @wrote = count(); }
        END { printa("%s %@d\n", @); printa("wrote %@d\n", @wrote); }"#;
    let seen = observe(PROGRAM, "fbt_work", &[])?;
    let lines = seen.output.lines();
    let number = |name: &str| -> Option<u64> {
        lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    };
    ensure!(number("wrote") == Some(WRITES), "{seen:?}");
    ensure!(number("vfs_write") >= Some(WRITES) && number("do_sys_openat2") >= Some(2), "{seen:?}");
    Ok(())
}

fn open() -> Result<()> {
    traced()?;
    let program = "vfs_write:entry /pid == $1 && arg2 == 13/ { @ = count(); } END { printa(\"%@d\\n\", @); }";
    let seen = observe(program, "fbt_work", &[])?;
    ensure!(seen.output.lines() == [WRITES.to_string()], "{seen:?}");
    Ok(())
}

fn stacks() -> Result<()> {
    traced()?;
    const PROGRAM: &str = r#"
        fbt::vfs_write:entry /pid == $1 && arg2 == 13/ { @[caller, stackdepth] = count(); }
        fbt::vfs_write:entry /pid == $1 && arg2 == 13 && !seen/ { seen = 1; printf("%a %d\n", caller, stackdepth); stack(); }
        fbt::vfs_write:return /pid == $1 && arg1 == 13 && !back/ { back = 1; printf("%a\n", caller); stack(2); }"#;
    let seen = observe(&format!("int seen, back; {PROGRAM}"), "fbt_work", &[])?;
    let lines = seen.output.lines();
    let (caller, depth) = lines[0].split_once(' ').context("a caller and a depth")?;
    ensure!(caller.starts_with("vmlinux`ksys_write+"), "{seen:?}");
    let stack: Vec<&str> =
        lines[1..].iter().take_while(|line| line.starts_with(' ')).map(|line| line.trim()).collect();
    ensure!(stack[0] == caller && depth.parse() == Ok(stack.len()), "{seen:?}");
    let back = &lines[1 + stack.len()..];
    ensure!(back[0].starts_with("vmlinux`ksys_write+") && back[1].trim() == back[0], "{seen:?}");
    Ok(())
}

fn flow() -> Result<()> {
    traced()?;
    let program = "fbt::ksys_write:entry, fbt::vfs_write:entry, fbt::vfs_write:return, fbt::ksys_write:return /pid == $target/ { }";
    let (command, _) = crate::harness::workload::command("fbt_work", &[])?;
    let run = tracer(&["-F", "-n", program, "-c", &command])?.success()?;
    let lines = run.lines();
    let names: Vec<&str> = lines.iter().filter_map(|line| line.get(3..)).map(str::trim_end).collect();
    let call = ["  -> ksys_write", "    -> vfs_write", "    <- vfs_write", "  <- ksys_write"];
    let calls = names.windows(4).filter(|four| *four == call).count();
    ensure!(calls as u64 >= WRITES, "{calls} calls: {:?}", &names[..8.min(names.len())]);
    Ok(())
}

fn listing() -> Result<()> {
    traced()?;
    let run = tracer(&["-l"])?.success()?;
    let functions =
        run.lines().iter().filter(|line| line.contains(" fbt ") && line.ends_with(" entry")).count();
    ensure!(functions > 10_000, "{functions} functions");
    let run = tracer(&["-l", "-n", "fbt::vfs_write:"])?.success()?;
    let lines = run.lines();
    ensure!(lines.len() == 3 && lines[2].ends_with("vfs_write return"), "{run:?}");
    let id = lines[1].split_whitespace().next().context("an id")?;
    ensure!(tracer(&["-l", "-i", id])?.success()?.lines()[1] == lines[1], "id {id}");
    let run = tracer(&["-lv", "-n", "fbt::vfs_write:"])?.success()?;
    for part in ["args[0]: struct file *", "args[2]: size_t", "args[1]: ssize_t", "Data Semantics:   Private"]
    {
        ensure!(run.stdout.contains(part), "{part}: {run:?}");
    }
    ensure!(!run.stdout.contains("args[4]"), "it has four arguments: {run:?}");
    Ok(())
}

fn all() -> Result<()> {
    traced()?;
    let run = tracer(&["-qn", "fbt:::entry /pid == $pid && 0/ { } tick-1s { exit(0); }"])?;
    if run.stderr.contains("without CONFIG_FPROBE") {
        ensure!(run.status.code() == Some(1), "{run:?}");
        return skip("this kernel takes a probe for each function");
    }
    run.success().map(drop)
}

fn refusals() -> Result<()> {
    traced()?;
    for (program, tag, word) in [
        ("fbt::vfs_wriet:entry { }", "D_PDESC_ZERO", "did you mean `fbt::vfs_write:entry`?"),
        ("fbt::vfs_write:entry { trace(args[4]); }", "D_ARGS_IDX", "args[3] loff_t *"),
        ("fbt::vfs_write:entry { trace(args[0]->f_flag); }", "D_TYPE_MEMBER", "did you mean `f_flags`?"),
        ("fbt::fput:return { trace(args[1]); }", "D_ARGS_IDX", "returns nothing"),
        (
            "fbt::vfs_write:entry, fbt::do_sys_openat2:entry { trace(args[0]); }",
            "D_ARGS_MULTI",
            "give these probes a clause each",
        ),
    ] {
        let run = tracer(&["-n", program])?;
        ensure!(run.status.code() == Some(1), "{program}: {run:?}");
        let told = run.stderr.contains(&format!("error[{tag}]")) && run.stderr.contains(word);
        ensure!(told, "{program}: {run:?}");
    }
    Ok(())
}
