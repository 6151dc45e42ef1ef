//! The kernel's own types, symbols and tracepoints in D programs, by what D's built-in variables and the workload say of the same.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::harness::{Family, Report, observe, skip, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "kernel_types",
    tests: &[
        ("members_of_curthread_are_what_builtins_say", members),
        ("sizes_and_offsets_are_constants", sizes),
        ("a_bad_kernel_pointer_is_a_fault", fault),
        ("functions_of_the_kernel_have_addresses", functions),
        ("variables_of_the_kernel_are_read", variables),
        ("raw_tracepoints_fire_as_often_as_the_workload_says", tracepoints),
        ("arguments_of_tracepoints_are_typed", arguments),
        ("constants_of_the_kernels_enumerations_have_names", enumerators),
        ("well_known_variables_have_their_types", well_known),
        ("a_tracepoint_is_found_by_its_name_alone", bare_names),
        ("types_of_modules_are_found", modules),
        ("what_cannot_be_had_is_refused", refusals),
        ("sdt_probes_are_the_same_by_subsystem", events),
    ],
    workloads: &[("kernel_types_work", work)],
};

/// How many calls the workload makes.
const CALLS: u64 = 25;

fn work(_: &[String]) -> Result<Report> {
    for _ in 0..CALLS {
        // SAFETY: a descriptor that nobody has.
        unsafe { libc::lseek(-1, 77, libc::SEEK_SET) };
    }
    Ok(Report::default().with("comm", fs::read_to_string("/proc/self/comm")?.trim()))
}

fn members() -> Result<()> {
    const PROGRAM: &str = r#"
        int seen;
        syscall::lseek:entry /pid == $1 && arg1 == 77 && !seen/ {
            seen = 1;
            printf("%d %d %d\n", curthread->pid == tid, curthread->tgid == pid, curthread->real_parent->tgid == ppid);
            printf("%s %d\n", stringof(curthread->comm), stringof(curthread->comm) == execname);
            printf("%d %d\n", curthread->mm->mmap_base != 0, curthread->group_leader == curthread);
            this->task = (struct task_struct *)curthread;
            printf("%s %d\n", this->task->comm, this->task->cred->uid.val == uid);
            printf("%d\n", &curthread->pid == (pid_t *)((uint64_t)curthread + offsetof(struct task_struct, pid)));
            self->task = curthread; }
        syscall::lseek:return /self->task/ { printf("%d\n", self->task->pid == tid); exit(0); }"#;
    let seen = observe(PROGRAM, "kernel_types_work", &[])?;
    let comm = seen.report.text("comm")?;
    let truth = ["1 1 1", &format!("{comm} 1"), "1 1", &format!("{comm} 1"), "1", "1"];
    ensure!(seen.output.lines() == truth, "{seen:?}");
    Ok(())
}

fn sizes() -> Result<()> {
    let program = r#"BEGIN {
        printf("%d\n", sizeof (struct list_head)); printf("%d\n", sizeof (union sigval)); printf("%d\n", sizeof (atomic_t));
        printf("%d\n", offsetof(struct list_head, prev)); printf("%d\n", sizeof (struct task_struct) > 1000);
        printf("%d\n", sizeof (struct vmlinux`list_head)); printf("%d\n", sizeof (curthread->comm)); printf("%d\n", (enum pid_type)2 == 2); exit(0); }"#;
    let run = tracer(&["-q", "-n", program])?;
    ensure!(run.lines() == ["16", "8", "4", "8", "1", "16", "16", "1"], "{run:?}");
    Ok(())
}

fn fault() -> Result<()> {
    let program =
        "BEGIN { trace(((struct task_struct *)8)->pid); } ERROR { printf(\"%d\\n\", arg4 == 1); exit(0); }";
    let run = tracer(&["-q", "-n", program])?;
    ensure!(run.lines().contains(&"1") && run.stderr.contains("invalid address"), "{run:?}");
    Ok(())
}

/// The address of a symbol in /proc/kallsyms.
fn address(name: &str) -> Result<Option<u64>> {
    let text = fs::read_to_string("/proc/kallsyms")?;
    let line = text.lines().find(|line| line.split_ascii_whitespace().skip(2).eq([name]));
    line.map(|line| u64::from_str_radix(&line[..16], 16).context("an address")).transpose()
}

fn functions() -> Result<()> {
    let truth = address("vfs_read")?.context("every kernel has it")?;
    let run = tracer(&[
        "-q",
        "-n",
        "BEGIN { printf(\"%x %d\\n\", (uint64_t)&`vfs_read, `vfs_read == &vmlinux`vfs_read); exit(0); }",
    ])?;
    ensure!(run.lines() == [format!("{truth:x} 1")], "{run:?}");
    Ok(())
}

fn variables() -> Result<()> {
    let program = "ulong_t start; BEGIN { start = `jiffies; } tick-100ms /`jiffies > start + 5/ { printf(\"grew\\n\"); exit(0); }";
    let run = tracer(&["-q", "-n", program])?;
    ensure!(run.lines() == ["grew"], "{run:?}");
    let program = "BEGIN { printf(\"%d %s\\n\", `init_task.pid, stringof(`init_task.comm)); exit(0); }";
    let run = tracer(&["-q", "-n", program])?;
    match address("init_task")? {
        Some(_) => ensure!(run.lines() == ["0 swapper/0"], "{run:?}"),
        None => ensure!(run.stderr.contains("CONFIG_KALLSYMS_ALL"), "{run:?}"),
    }
    Ok(())
}

fn tracepoints() -> Result<()> {
    const PROGRAM: &str = r#"
        rawtp:::sys_enter /pid == $1 && arg1 == 8/ { @["enter"] = count(); }
        rawtp:::sys_exit /pid == $1 && (int)arg1 == -9/ { @["exit"] = count(); }
        rawtp:::sched_process_exit /pid == $1/ { printa("%s %@d\n", @); exit(0); }"#;
    let seen = observe(PROGRAM, "kernel_types_work", &[])?;
    let lines = seen.output.lines();
    ensure!(lines.contains(&format!("enter {CALLS}").as_str()), "{seen:?}");
    ensure!(lines.contains(&format!("exit {CALLS}").as_str()), "{seen:?}");
    Ok(())
}

fn arguments() -> Result<()> {
    const PROGRAM: &str = r#"
        rawtp:::sys_enter /pid == $1 && args[1] == 8 && args[0]->si == 77/ { printf("%d %d\n", (int)args[0]->di, args[0]->dx); }
        rawtp:::sched_process_exit /pid == $1 && args[0]->tgid == pid/ { printf("%s\n", args[0]->comm); exit(0); }"#;
    let seen = observe(PROGRAM, "kernel_types_work", &[])?;
    let comm = seen.report.text("comm")?;
    let mut truth = vec!["-1 0"; CALLS as usize];
    truth.push(comm);
    ensure!(seen.output.lines() == truth, "{seen:?}");
    Ok(())
}

fn events() -> Result<()> {
    if !fs::exists("/sys/kernel/tracing/events")? {
        return skip("tracefs is not mounted");
    }
    const PROGRAM: &str = r#"
        sdt:raw_syscalls::sys_enter, rawtp:::sys_enter /pid == $1 && args[1] == 8/ { @[probeprov, probemod, probename] = count(); }
        sdt:sched::sched_process_exit /pid == $1/ { printa("%s %s %s %@d\n", @); exit(0); }"#;
    let seen = observe(PROGRAM, "kernel_types_work", &[])?;
    let mut lines = seen.output.lines();
    lines.sort_unstable();
    let truth = [format!("rawtp vmlinux sys_enter {CALLS}"), format!("sdt raw_syscalls sys_enter {CALLS}")];
    ensure!(lines == truth, "{seen:?}");
    Ok(())
}

fn enumerators() -> Result<()> {
    // A variable of that name comes first, and so does what D itself knows.
    let program = r#"BEGIN { printf("%d %d %d\n", TCP_ESTABLISHED, PIDTYPE_TGID, PIDTYPE_PGID - PIDTYPE_TGID); exit(0); }"#;
    let run = tracer(&["-q", "-n", program])?;
    ensure!(run.lines() == ["1 1 1"], "{run:?}");
    let run = tracer(&[
        "-q",
        "-n",
        "int PIDTYPE_PGID; BEGIN { PIDTYPE_PGID = 77; trace(PIDTYPE_PGID); exit(0); }",
    ])?;
    ensure!(run.lines() == ["77"], "{run:?}");
    Ok(())
}

fn well_known() -> Result<()> {
    let program = r#"BEGIN {
        printf("%s\n", stringof(`linux_banner)); printf("%d\n", `max_pfn > 1000 && `nr_cpu_ids > 0);
        printf("%d\n", (uint64_t)&`init_task == (uint64_t)&vmlinux`init_task && (&`init_task)->pid == 0);
        printf("%s %d\n", `init_task.comm, sizeof (`init_task) == sizeof (struct task_struct)); exit(0); }"#;
    let run = tracer(&["-q", "-n", program])?;
    if address("max_pfn")?.is_none() {
        ensure!(run.stderr.contains("CONFIG_KALLSYMS_ALL"), "{run:?}");
        return skip("this kernel tells of functions only");
    }
    let banner = fs::read_to_string("/proc/version")?;
    ensure!(run.lines() == [banner.trim(), "1", "1", "swapper/0 1"], "{run:?}");
    Ok(())
}

fn bare_names() -> Result<()> {
    let program =
        "sched_switch { @[probemod, probename] = count(); seen = 1; } tick-10ms /seen/ { exit(0); }";
    let run = tracer(&["-q", "-n", program])?.success()?;
    let module = if fs::exists("/sys/kernel/tracing/events")? { "sched" } else { "vmlinux" };
    let row: Vec<&str> = run.lines()[0].split_whitespace().collect();
    ensure!(row[..2] == [module, "sched_switch"] && row[2].parse::<u64>()? > 0, "{run:?}");
    let run = tracer(&["-l", "-n", "exit"])?.success()?;
    ensure!(
        run.lines().len() == 2,
        "tracepoints and functions are looked at where nothing else matches: {run:?}"
    );
    Ok(())
}

fn modules() -> Result<()> {
    if !fs::exists("/sys/kernel/btf/tun")? {
        return skip("module tun is not loaded");
    }
    let program = r#"BEGIN {
        printf("%d %d\n", sizeof (struct tun`tun_struct), sizeof (struct tun_struct) == sizeof (struct tun`tun_struct));
        printf("%d\n", ((struct tun`task_struct *)curthread)->pid == tid); exit(0); }"#;
    let run = tracer(&["-q", "-n", program])?.success()?;
    let (size, same) = run.lines()[0].split_once(' ').context("two numbers")?;
    ensure!(size.parse::<u32>()? > 100 && same == "1" && run.lines()[1] == "1", "{run:?}");
    let run = tracer(&["-lv", "-n", "fbt:tun:tun_chr_open:entry"])?.success()?;
    ensure!(run.stdout.contains("args[0]: struct inode *"), "{run:?}");
    let program = "fbt:tun:tun_chr_open:return { printf(\"%s %d\\n\", probemod, args[1]); }
        fbt:tun:tun_chr_open:entry { printf(\"%s %a\\n\", stringof(args[1]->f_path.dentry->d_name.name), caller); exit(0); }";
    let run = tracer(&["-q", "-n", program, "-c", "cat /dev/net/tun"])?;
    ensure!(run.lines().first().is_some_and(|line| line.starts_with("tun vmlinux`misc_open+")), "{run:?}");
    Ok(())
}

fn refusals() -> Result<()> {
    for (program, tag, word) in [
        ("BEGIN { trace(curthread->pidd); }", "D_TYPE_MEMBER", "did you mean `pid`?"),
        ("BEGIN { trace(curthread.pid); }", "D_OP_SOU", "write `->`"),
        ("BEGIN { trace(sizeof (struct tsk_struct)); }", "D_SIZEOF_TYPE", "did you mean `task_struct`?"),
        ("BEGIN { trace(`vfs_raed); }", "D_IDENT_UNDEF", "did you mean `vfs_read`?"),
        ("BEGIN { trace(`runqueues); }", "D_SYM_BADREF", "of each CPU"),
        ("rawtp:::sched_switch { trace(args[7]); }", "D_ARGS_IDX", "args[7]"),
        (
            "BEGIN { trace(sizeof (struct no_such`task_struct)); }",
            "D_TYPE_ERR",
            "there is no module `no_such`",
        ),
        ("BEGIN { trace(sizeof (struct vmlinux`tsk_struct)); }", "D_TYPE_ERR", "has no type `tsk_struct`"),
        ("sched_swich { }", "D_PDESC_ZERO", "did you mean `sched_switch`?"),
        ("rawtp:::sched_swich { }", "D_PDESC_ZERO", "did you mean `rawtp:::sched_switch`?"),
    ] {
        let run = tracer(&["-n", program])?;
        ensure!(run.status.code() == Some(1), "{program}: {run:?}");
        ensure!(
            run.stderr.contains(&format!("error[{tag}]")) && run.stderr.contains(word),
            "{program}: {run:?}"
        );
    }
    Ok(())
}
