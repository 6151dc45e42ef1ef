//! Variables of every scope, by what a workload did: how long each lives, who shares it, what an unset one holds.

use anyhow::{Context, Result, ensure};

use crate::expressions::prints;
use crate::harness::{Family, Report, observe};

pub(crate) const FAMILY: Family = Family {
    name: "variables",
    tests: &[
        ("globals_keep_their_type_and_value", globals),
        ("clause_locals_live_for_a_firing", locals),
        ("thread_locals_are_of_each_thread", threads),
        ("arrays_have_keys_of_several_types", arrays),
        ("increments_give_the_value_before_or_after", increments),
        ("strings_of_the_traced_program_are_kept", paths),
    ],
    workloads: &[("variables_threads", run_threads), ("variables_paths", open_paths)],
};

fn globals() -> Result<()> {
    const PROGRAM: &str = r#"
        uint8_t small; int64_t big; string text;
        BEGIN { printf("%d %d [%s]\n", small, big, text); small = 255; big = 1LL << 40; text = "kept"; }
        BEGIN { small++; big *= 3; printf("%d %d %s\n", small, big, text); }
        BEGIN { exit(0); }
        END { big -= 1; printf("%d\n", big); }"#;
    let big = 3_i64 << 40;
    prints(PROGRAM, &[], &["0 0 []".into(), format!("0 {big} kept"), (big - 1).to_string()])
}

fn locals() -> Result<()> {
    const PROGRAM: &str = r#"
        this int64_t n;
        syscall::lseek:entry /pid == $1/ { before = this->n; this->n = arg1; this->text = "some"; }
        syscall::lseek:entry /pid == $1 && this->n > 1/ { this->n++; }
        syscall::lseek:entry /pid == $1/ { printf("%d %d %s\n", before, this->n, this->text); }"#;
    let seen = observe(PROGRAM, "variables_threads", &["1", "3"])?;
    ensure!(seen.output.lines() == ["0 0 some", "0 1 some", "0 3 some"], "{seen:?}");
    Ok(())
}

fn threads() -> Result<()> {
    // Each thread sums up its own offsets; what is set at entry is there at return, once.
    const PROGRAM: &str = r#"
        self int64_t sum, seen;
        syscall::lseek:entry /pid == $1/ { self->offset = arg1; self->sum += arg1; self->calls++; self->set = 1; }
        syscall::lseek:return /self->set && pid == $1/ { self->set = 0; self->seen += self->offset; }
        syscall::lseek:return /self->set && pid == $1/ { printf("still set\n"); }
        syscall::getppid:entry /pid == $1/ { printf("%d %d %d %d\n", tid, self->calls, self->sum, self->seen); self->sum = 0; }
        syscall::getppid:return /pid == $1 && self->sum/ { printf("not freed\n"); }"#;
    let seen = observe(PROGRAM, "variables_threads", &["5", "100"])?;
    let mut lines = seen.output.lines();
    lines.sort_unstable();
    let mut truth: Vec<_> = seen.report.text("threads")?.split("; ").collect();
    truth.sort_unstable();
    ensure!(lines == truth, "{seen:?}");
    Ok(())
}

/// So many threads at once; each seeks to 0, 1, 2, and so on, and calls getppid at its end.
fn run_threads(arguments: &[String]) -> Result<Report> {
    let [threads, calls] = arguments else { anyhow::bail!("how many threads, how many calls?") };
    let (threads, calls): (usize, i64) = (threads.parse()?, calls.parse()?);
    let handles: Vec<_> = (0..threads).map(|_| std::thread::spawn(move || seek(calls))).collect();
    let lines = handles.into_iter().map(|handle| handle.join().ok().context("a thread panicked"));
    Ok(Report::default().with("threads", lines.collect::<Result<Vec<_>>>()?.join("; ")))
}

fn seek(calls: i64) -> String {
    for offset in 0..calls {
        // SAFETY: integers; no descriptor has that number.
        unsafe { libc::lseek(-1, offset, libc::SEEK_SET) };
    }
    // SAFETY: no arguments.
    let tid = unsafe { (libc::getppid(), libc::gettid()).1 };
    let sum: i64 = (0..calls).sum();
    format!("{tid} {calls} {sum} {sum}")
}

fn arrays() -> Result<()> {
    const PROGRAM: &str = r#"
        BEGIN { a[1, "one", 'c'] = 10; a[1, "two", 'c'] = 20; a[2, "one", 'c'] = 30; s[execname, -1] = "text"; }
        BEGIN { a[1, "one", 'c']++; a[2, "one", 'c'] -= 100; a[3, "three", 'c']--; }
        BEGIN { printf("%d %d %d %d %d\n", a[1, "one", 'c'], a[1, "two", 'c'], a[2, "one", 'c'], a[3, "three", 'c'], a[9, "", 0]); }
        BEGIN { x = 1; k = "one"; printf("%d %s %d\n", a[x, k, 99], s["tracer", -1], s["tracer", 0] == NULL); }
        BEGIN { a[1, "two", 'c'] = 0; printf("%d\n", a[1, "two", 'c']); a[1, "two", 'c'] += 5; printf("%d\n", a[1, "two", 'c']); }
        BEGIN { exit(0); }"#;
    let expected = ["11 20 -70 -1 0", "11 text 1", "0", "5"].map(str::to_owned);
    prints(PROGRAM, &[], &expected)
}

fn increments() -> Result<()> {
    const STEPS: &str = "printf(\"%d %d %d %d %d\\n\", V++, ++V, V--, --V, V);";
    for place in ["g", "this->v", "self->v", "a[1, \"k\"]"] {
        let program = format!("BEGIN {{ {place} = 7; {} exit(0); }}", STEPS.replace('V', place));
        let mut v = 7;
        let mut values = Vec::new();
        for (before, after) in [(1, 0), (1, 1), (-1, 0), (-1, -1)] {
            values.push(v + after);
            v += before;
        }
        values.push(v);
        let line: Vec<String> = values.iter().map(i32::to_string).collect();
        prints(&program, &[], &[line.join(" ")])?;
    }
    Ok(())
}

fn paths() -> Result<()> {
    // The path is read when the call returns: by then the kernel has read it too, so that it is in memory.
    const PROGRAM: &str = r#"
        syscall::openat:entry /pid == $1/ { self->path = arg1; }
        syscall::openat:return /self->path && pid == $1/ { this->path = copyinstr(self->path); result[this->path] = (int)arg1; }
        syscall::openat:return /self->path && this->path == "/nonexistent/file"/ { printf("%s %d\n", this->path, errno); }
        syscall::openat:return /self->path && this->path == $$2/ { @[this->path, copyinstr(self->path, 4)] = count(); }
        syscall::openat:return /self->path/ { self->path = 0; }
        END { printf("%d %d\n", result["/nonexistent/file"], result["/never"]); printa("%s %s %@d\n", @); }"#;
    let program = PROGRAM.replace("$$2", "\"/etc/passwd\"");
    let seen = observe(&program, "variables_paths", &["/nonexistent/file", "/etc/passwd"])?;
    let errno = seen.report.number("/nonexistent/file")?;
    ensure!(seen.report.number("/etc/passwd")? == 0, "{seen:?}");
    let truth = [format!("/nonexistent/file {errno}"), "-1 0".into(), "/etc/passwd /etc 1".into()];
    ensure!(seen.output.lines() == truth, "{seen:?}");
    Ok(())
}

/// Opens each path and reports the error of each.
fn open_paths(arguments: &[String]) -> Result<Report> {
    let mut report = Report::default();
    for path in arguments {
        let error = std::fs::File::open(path).err().and_then(|error| error.raw_os_error()).unwrap_or(0);
        report = report.with(path, error);
    }
    Ok(report)
}
