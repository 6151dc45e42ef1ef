//! Variables of threads, by threads that meet, that end, and that have ids which others had.

use std::sync::Barrier;

use anyhow::{Context, Result, ensure};

use crate::harness::{Family, Report, observe, skip, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "threads",
    tests: &[
        ("more_threads_than_seats_have_their_variables", meetings),
        ("what_a_thread_leaves_is_freed", leavings),
        ("an_id_that_is_used_again_is_another_thread", ids),
        ("each_cpu_has_an_idle_thread_of_its_own", idle),
    ],
    workloads: &[("threads_meet", meet), ("threads_leave", leave), ("threads_follow", follow)],
};

/// A call that nothing else in the workload makes.
fn seek(offset: i64) {
    // SAFETY: integers; no descriptor has that number.
    unsafe { libc::lseek(-1, offset, libc::SEEK_SET) };
}

fn meetings() -> Result<()> {
    // So much is room for 128 seats of numbers, and for 128 of strings.
    for size in ["64k", "512k"] {
        let program = format!(
            r#"#pragma D option dynvarsize={size}
            self int calls; self int sum; self string text;
            syscall::lseek:entry /pid == $1/ {{
                self->calls++; self->sum += arg1; self->text = strjoin("t", lltostr(tid));
            }}
            syscall::getppid:entry /pid == $1/ {{
                printf("%d %d %d %s\n", tid, self->calls, self->sum, self->text);
                self->calls = 0; self->sum = 0; self->text = NULL;
            }}
            syscall::getppid:return /pid == $1 && (self->calls || self->sum || self->text != NULL)/ {{
                printf("not freed\n");
            }}"#
        );
        let seen = observe(&program, "threads_meet", &["150"])?;
        let mut lines = seen.output.lines();
        lines.sort_unstable();
        let mut truth: Vec<_> = seen.report.text("threads")?.split("; ").collect();
        truth.sort_unstable();
        ensure!(lines == truth && seen.output.stderr.is_empty(), "{seen:?}");
    }
    Ok(())
}

/// So many threads seek, wait until all have, seek again, and call getppid.
fn meet(arguments: &[String]) -> Result<Report> {
    let count: usize = arguments[0].parse()?;
    let all = Barrier::new(count);
    let one = || {
        seek(1);
        all.wait();
        seek(2);
        all.wait();
        // SAFETY: no arguments.
        let tid = unsafe { (libc::getppid(), libc::gettid()).1 };
        format!("{tid} 2 3 t{tid}")
    };
    let lines: Result<Vec<String>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().ok().context("a thread panicked")).collect()
    });
    Ok(Report::default().with("threads", lines?.join("; ")))
}

fn leavings() -> Result<()> {
    // There is room for 1,920 values. The last that a thread does is to leave its CPU.
    const PROGRAM: &str = r#"
        #pragma D option dynvarsize=64k
        int calls; int found; self int left; self int late;
        syscall::lseek:entry /pid == $1/ { calls++; found += self->left + self->late; self->left = 1; }
        sched:::off-cpu /pid == $1/ { self->late = 1; }
        sched:::on-cpu /pid == $1/ { self->late = 0; }
        END { printf("%d %d\n", calls, found); }"#;
    let seen = observe(PROGRAM, "threads_leave", &["3000"])?;
    ensure!(seen.output.lines() == ["3000 0"] && seen.output.stderr.is_empty(), "{seen:?}");
    Ok(())
}

/// So many threads, one after the other, seek.
fn leave(arguments: &[String]) -> Result<Report> {
    for number in 0..arguments[0].parse::<u32>()? {
        std::thread::spawn(|| seek(0)).join().ok().context("a thread panicked")?;
        if number % 100 == 0 {
            // Threads are freed when the kernel has waited for all CPUs, as this call does.
            // SAFETY: integers.
            unsafe { libc::syscall(libc::SYS_membarrier, libc::MEMBARRIER_CMD_GLOBAL, 0) };
        }
    }
    Ok(Report::default())
}

fn ids() -> Result<()> {
    const PROGRAM: &str = r#"
        self int scalar; self int array[int];
        syscall::lseek:entry /ppid == $1/ {
            printf("%d %d %d\n", arg1, self->scalar, self->array[1]);
            self->scalar = arg1; self->array[1] = arg1;
        }
        syscall::exit_group:entry /ppid == $1/ { self->scalar = 9; }"#;
    let seen = observe(PROGRAM, "threads_follow", &[])?;
    if seen.report.number("followed")? == 0 {
        return skip("process ids cannot be chosen here");
    }
    ensure!(seen.output.lines() == ["7 0 0", "8 0 0"], "{seen:?}");
    Ok(())
}

/// Two processes with the same id, one after the other, seek to 7 and to 8.
fn follow(_: &[String]) -> Result<Report> {
    let first = child(None, 7)?;
    let second = child(Some(first), 8);
    Ok(Report::default().with("followed", u32::from(second.is_ok_and(|second| second == first))))
}

/// A process, of that id if one is wanted, that seeks and ends; waits for it.
fn child(id: Option<libc::pid_t>, offset: i64) -> Result<libc::pid_t> {
    // include/uapi/linux/sched.h: the signal at the end is the fifth word, where ids are and how many the ninth and tenth.
    let mut arguments = [0_u64; 11];
    arguments[4] = libc::SIGCHLD as u64;
    if let Some(id) = &id {
        (arguments[8], arguments[9]) = (std::ptr::from_ref(id) as u64, 1);
    }
    // SAFETY: a struct clone_args without flags: as fork. The child makes two system calls.
    let made = unsafe {
        let made = libc::syscall(libc::SYS_clone3, arguments.as_ptr(), size_of_val(&arguments));
        if made == 0 {
            seek(offset);
            libc::_exit(0);
        }
        made as libc::pid_t
    };
    ensure!(made > 0, "clone3: {}", std::io::Error::last_os_error());
    // SAFETY: our own child, not waited for yet.
    let waited = unsafe { libc::waitpid(made, std::ptr::null_mut(), 0) };
    ensure!(waited == made, "waitpid: {}", std::io::Error::last_os_error());
    Ok(made)
}

fn idle() -> Result<()> {
    const PROGRAM: &str = r#"
        int times; self int at;
        sched:::off-cpu /tid == 0/ { self->at = cpu + 1; }
        sched:::on-cpu /tid == 0 && self->at/ {
            @[self->at == cpu + 1 ? "own" : "other"] = count(); self->at = 0; times++;
        }
        tick-100ms /times > 100/ { exit(0); }
        tick-10s { exit(0); }
        END { printa("%s\n", @); }"#;
    let output = tracer(&["-qn", PROGRAM])?.success()?;
    if output.stdout.trim().is_empty() {
        return skip("no CPU was idle in ten seconds");
    }
    ensure!(output.lines() == ["own"], "{output:?}");
    Ok(())
}
