//! The current process as D sees it: curpsinfo, curlwpsinfo, fds[], cwd and root, in whatever probe, by what /proc shows.

use std::fs::{self, File};
use std::os::fd::AsRawFd;

use anyhow::{Context, Result, ensure};

use crate::harness::{Family, Report, observe};

pub(crate) const FAMILY: Family = Family {
    name: "current",
    tests: &[
        ("curpsinfo_is_as_proc_shows_it", process),
        ("curlwpsinfo_is_that_of_the_thread", thread),
        ("fds_and_directories_are_named", files),
        ("what_has_no_path_says_so", nameless),
    ],
    workloads: &[("current_work", work)],
};

/// The members of a process, each with what the workload reads in /proc.
const MEMBERS: &[(&str, &str)] = &[
    ("pr_pid", "%d"),
    ("pr_ppid", "%d"),
    ("pr_pgid", "%d"),
    ("pr_sid", "%d"),
    ("pr_uid", "%d"),
    ("pr_euid", "%d"),
    ("pr_gid", "%d"),
    ("pr_egid", "%d"),
    ("pr_nlwp", "%d"),
    ("pr_fname", "%s"),
    ("pr_psargs", "%s"),
    ("pr_argc", "%d"),
    ("pr_size", "%d"),
    ("pr_ttydev", "%d"),
    ("pr_dmodel", "%d"),
    ("pr_flag", "%d"),
];

fn process() -> Result<()> {
    let prints: String = MEMBERS
        .iter()
        .map(|(member, form)| format!("printf(\"{member}={form}\\n\", curpsinfo->{member}); "))
        .collect();
    let program = format!(
        "syscall::lseek:entry /pid == $1 && arg1 == 5 && curpsinfo->pr_pid == $1/ {{ {prints}
           printf(\"rss=%d time=%d\\n\", curpsinfo->pr_rssize > 0, curpsinfo->pr_time > 0); }}"
    );
    let seen = observe(&program, "current_work", &["a", "b c"])?;
    for (member, _) in MEMBERS {
        let line = format!("{member}={}", seen.report.text(member)?);
        ensure!(seen.output.lines().contains(&line.as_str()), "{line}: {seen:?}");
    }
    ensure!(seen.output.lines().contains(&"rss=1 time=1"), "{seen:?}");
    Ok(())
}

fn thread() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::lseek:entry /pid == $1 && arg1 == 5 && tid != $1/ {
            printf("%d %d %c %d %s %s %d\n", curlwpsinfo->pr_lwpid == tid, curlwpsinfo->pr_state, curlwpsinfo->pr_sname,
                curlwpsinfo->pr_syscall, curlwpsinfo->pr_clname, curlwpsinfo->pr_name, curlwpsinfo->pr_onpro == cpu);
            printf("%d %d\n", curlwpsinfo->pr_nice, curpsinfo->pr_pid == $1); }"#;
    let seen = observe(PROGRAM, "current_work", &[])?;
    let truth = format!("1 2 R {} TS second 1", libc::SYS_lseek);
    ensure!(seen.output.lines() == [truth.as_str(), "0 1"], "{seen:?}");
    Ok(())
}

fn files() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::lseek:entry /pid == $1 && tid == $1 && arg1 == 5/ {
            printf("path=%s\n", fds[arg0].fi_pathname); printf("name=%s\n", fds[arg0].fi_name);
            printf("directory=%s\n", fds[arg0].fi_dirname); printf("system=%s\n", fds[arg0].fi_fs);
            printf("offset=%d\n", fds[arg0].fi_offset); printf("flags=%d\n", fds[arg0].fi_oflags & (O_ACCMODE | O_APPEND));
            printf("cwd=%s\n", cwd); printf("root=%s\n", root); printf("mount=%s\n", fds[arg0].fi_mount);
            @[fds[arg0].fi_name == "status", fds[arg0].fi_pathname != cwd] = count(); }
        END { printa("%d %d %@d\n", @); }"#;
    let seen = observe(PROGRAM, "current_work", &[])?;
    let lines = seen.output.lines();
    for (name, value) in
        [("name", "status"), ("system", "proc"), ("offset", "3"), ("root", "/"), ("mount", "/proc")]
    {
        let line = format!("{name}={value}");
        ensure!(lines.contains(&line.as_str()), "{line}: {seen:?}");
    }
    for name in ["path", "directory", "cwd", "flags"] {
        let line = format!("{name}={}", seen.report.text(name)?);
        ensure!(lines.contains(&line.as_str()), "{line}: {seen:?}");
    }
    ensure!(lines.contains(&"1 1 1"), "{seen:?}");
    Ok(())
}

fn nameless() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::lseek:entry /pid == $1 && tid == $1 && arg1 == 6/ {
            printf("%s %s %s\n", fds[arg0].fi_pathname, fds[arg0].fi_name, fds[arg0].fi_fs); }
        syscall::lseek:entry /pid == $1 && tid == $1 && arg1 == 7/ {
            printf("%s %s %d\n", fds[arg0].fi_pathname, fds[arg0].fi_fs, fds[arg0].fi_offset); }"#;
    let seen = observe(PROGRAM, "current_work", &[])?;
    ensure!(seen.output.lines() == ["<unknown> <unknown> pipefs", "<none> <none> 0"], "{seen:?}");
    Ok(())
}

/// Says what /proc shows of it, and seeks: to 5 in a file and, in a second thread, in none; to 6 in a pipe; to 7 in none.
fn work(_: &[String]) -> Result<Report> {
    std::env::set_current_dir("/proc/self/task")?;
    let file = File::open("../status")?;
    let mut report = proc_report()?;
    report = report.with("cwd", fs::read_link("/proc/self/cwd")?.display().to_string());
    let path = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
    report = report.with("path", path.display().to_string());
    report = report.with("directory", path.parent().context("it has one")?.display().to_string());
    let (pipe, _writer) = std::io::pipe()?;
    // SAFETY: integers, and descriptors that are open.
    unsafe {
        report = report.with("flags", libc::fcntl(file.as_raw_fd(), libc::F_GETFL) & libc::O_ACCMODE);
        libc::lseek(file.as_raw_fd(), 3, libc::SEEK_SET);
        libc::lseek(file.as_raw_fd(), 5, libc::SEEK_SET);
        libc::lseek(pipe.as_raw_fd(), 6, libc::SEEK_SET);
        libc::lseek(-1, 7, libc::SEEK_SET);
    }
    let second = std::thread::Builder::new().name("second".into());
    // SAFETY: integers.
    let second = second.spawn(|| unsafe { libc::lseek(-1, 5, libc::SEEK_SET) })?;
    second.join().ok().context("the thread panicked")?;
    Ok(report)
}

fn proc_report() -> Result<Report> {
    let status = fs::read_to_string("/proc/self/status")?;
    let field = |name: &str, index: usize| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().nth(index)).context("no such line").map(str::to_owned)
    };
    let stat = fs::read_to_string("/proc/self/stat")?;
    let numbers: Vec<&str> = stat.rsplit_once(')').context("it has a name")?.1.split_whitespace().collect();
    let arguments = fs::read("/proc/self/cmdline")?;
    let words: Vec<String> =
        arguments.split(|&byte| byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    let psargs = words[..words.len() - 1].join(" ");
    Ok(Report::default()
        .with("pr_pid", std::process::id())
        .with("pr_ppid", field("PPid:", 0)?)
        .with("pr_pgid", numbers[2])
        .with("pr_sid", numbers[3])
        .with("pr_uid", field("Uid:", 0)?)
        .with("pr_euid", field("Uid:", 1)?)
        .with("pr_gid", field("Gid:", 0)?)
        .with("pr_egid", field("Gid:", 1)?)
        .with("pr_nlwp", field("Threads:", 0)?)
        .with("pr_fname", field("Name:", 0)?)
        .with("pr_psargs", &psargs[..psargs.len().min(79)])
        .with("pr_argc", words.len() - 1)
        .with("pr_size", field("VmSize:", 0)?)
        .with("pr_ttydev", numbers[4])
        .with("pr_dmodel", 2)
        .with("pr_flag", 0))
}
