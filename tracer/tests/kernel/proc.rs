//! The proc provider: signals against what the workload's handlers and waits saw, the life of processes against fork, waitpid
//! and /proc.

use std::ffi::CString;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use crate::harness::{Family, Observation, Report, observe, until};

pub(crate) const FAMILY: Family = Family {
    name: "proc",
    tests: &[
        ("signals_are_sent_handled_discarded_and_cleared", signals_are_told),
        ("faults_are_told_with_kind_and_address", faults_are_told),
        ("a_child_ends_as_waitpid_says", a_child_ends_as_waitpid_says),
        ("programs_run_or_do_not", programs_run_or_do_not),
        ("threads_and_their_process_end", threads_and_their_process_end),
        ("arguments_of_another_process_are_its_own", arguments_of_another_process),
        ("arguments_of_a_process_that_was_before_are_known", arguments_of_a_process_before),
    ],
    workloads: &[
        ("proc_signals", signals),
        ("proc_faults", faults),
        ("proc_children", children),
        ("proc_programs", programs),
        ("proc_threads", threads),
        ("proc_other", other),
        ("proc_pause", pause),
        ("proc_nothing", |_| Ok(Report::default())),
    ],
};

/// Compares the lines of the output that begin with `word` with the workload's list of that name.
fn compare(seen: &Observation, word: &str) -> Result<()> {
    let lines = seen.output.lines().into_iter();
    let told: Vec<&str> = lines.filter(|line| line.split(' ').next() == Some(word)).collect();
    let truth: Vec<&str> = seen.report.text(word)?.split("; ").filter(|line| !line.is_empty()).collect();
    ensure!(told == truth, "told: {told:#?}\ntruth: {truth:#?}\n{seen:?}");
    Ok(())
}

fn signals_are_told() -> Result<()> {
    const PROGRAM: &str = r#"
        proc:::signal-send /pid == $1 && args[1]->pr_pid == $1/ {
            printf("send %d code %d value %d from %d uid %d result %d\n", args[2], args[3]->si_code, args[3]->si_value,
                args[3]->si_pid, args[3]->si_uid, args[4]);
        }
        proc:::signal-discard /pid == $1 && args[1]->pr_pid == $1/ { printf("discard %d\n", args[2]); }
        proc:::signal-handle /pid == $1/ { printf("handle %d by %d\n", args[0], args[2]); }
        proc:::signal-clear /pid == $1/ { printf("clear %d\n", args[0]); }"#;
    let seen = observe(PROGRAM, "proc_signals", &[])?;
    ["send", "discard", "handle", "clear"].iter().try_for_each(|word| compare(&seen, word))
}

fn faults_are_told() -> Result<()> {
    const PROGRAM: &str = r#"
        proc:::fault /progenyof($1) && args[0] == FLTBOUNDS/ { printf("fault %d at %x\n", args[1]->si_signo, args[1]->si_addr); }
        proc:::fault /progenyof($1) && args[0] == FLTILL/ { printf("fault %d at %d\n", args[1]->si_signo, args[1]->si_addr != 0); }"#;
    let seen = observe(PROGRAM, "proc_faults", &[])?;
    compare(&seen, "fault")
}

/// Children that end by faults, and one that only gets such a signal from another.
fn faults(_: &[String]) -> Result<Report> {
    let wrong = std::ptr::without_provenance_mut::<u8>(0x1230);
    // SAFETY: these end the child by a signal: that is what they are for.
    let bodies: [fn(*mut u8); 3] = [
        |wrong| unsafe { wrong.write_volatile(1) },
        |_| unsafe { std::arch::asm!("ud2") },
        |_| unsafe { libc::_exit(libc::raise(libc::SIGSEGV)) },
    ];
    let mut ends = Vec::new();
    for body in bodies {
        let child = fork(|| {
            // SAFETY: the standard library's handler would come first, and fault again.
            unsafe { libc::signal(libc::SIGSEGV, libc::SIG_DFL) };
            body(wrong);
            0
        })?;
        ends.push(wait(child)?);
    }
    let signals: Vec<i32> = ends.iter().map(|status| libc::WTERMSIG(*status)).collect();
    ensure!(signals == [libc::SIGSEGV, libc::SIGILL, libc::SIGSEGV], "{ends:?}");
    Ok(Report::default().with("fault", "fault 11 at 1230; fault 4 at 1"))
}

static HANDLED: AtomicU32 = AtomicU32::new(0);

extern "C" fn handler(_: libc::c_int) {
    HANDLED.fetch_add(1, Ordering::Relaxed);
}

/// Three signals to a handler, one that is ignored, two of the same that wait, and one with a value that is waited for.
fn signals(_: &[String]) -> Result<Report> {
    let queued = libc::SIGRTMIN();
    // SAFETY: getuid has no preconditions.
    let (pid, uid) = (std::process::id(), unsafe { libc::getuid() });
    let handler_at = handler as extern "C" fn(libc::c_int) as usize;
    let me = i32::try_from(pid)?;
    let mut taken = 0;
    let value;
    // SAFETY: system calls on this process; the structures live as long as the calls.
    unsafe {
        libc::signal(libc::SIGUSR1, handler_at);
        libc::signal(libc::SIGUSR2, libc::SIG_IGN);
        for _ in 0..3 {
            libc::kill(me, libc::SIGUSR1);
        }
        libc::kill(me, libc::SIGUSR2);
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGHUP);
        libc::sigaddset(&raw mut set, queued);
        libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        libc::kill(me, libc::SIGHUP);
        libc::kill(me, libc::SIGHUP);
        libc::sigqueue(me, queued, libc::sigval { sival_ptr: 4711 as *mut _ });
        let mut info: libc::siginfo_t = std::mem::zeroed();
        taken += i32::from(libc::sigwaitinfo(&raw const set, &raw mut info) == libc::SIGHUP);
        taken += i32::from(libc::sigwaitinfo(&raw const set, &raw mut info) == queued);
        value = info.si_value().sival_ptr as usize;
    }
    ensure!(HANDLED.load(Ordering::Relaxed) == 3 && taken == 2 && value == 4711, "signals went astray");
    let send = |signal: i32, code: i32, value: usize, result: i32| {
        format!("send {signal} code {code} value {value} from {pid} uid {uid} result {result}")
    };
    let usr1 = send(libc::SIGUSR1, 0, 0, 0);
    let sent = [
        usr1.clone(),
        usr1.clone(),
        usr1,
        send(libc::SIGUSR2, 0, 0, 1),
        send(libc::SIGHUP, 0, 0, 0),
        send(libc::SIGHUP, 0, 0, 2),
        send(queued, -1, value, 0),
    ];
    let handled = format!("handle {} by {handler_at}", libc::SIGUSR1);
    Ok(Report::default()
        .with("send", sent.join("; "))
        .with("handle", vec![handled; 3].join("; "))
        .with("discard", format!("discard {}", libc::SIGUSR2))
        .with("clear", format!("clear {}; clear {queued}", libc::SIGHUP)))
}

fn a_child_ends_as_waitpid_says() -> Result<()> {
    const PROGRAM: &str = r#"
        proc:::create /pid == $1/ { printf("create %d of %d\n", args[0]->pr_pid, args[0]->pr_ppid); }
        proc:::start /ppid == $1/ { printf("start %d\n", pid); }
        proc:::exit /ppid == $1/ { printf("exit %d reason %d status %d\n", pid, args[0], args[1]); }
        proc:::signal-send /args[1]->pr_pid == $1 && args[2] == SIGCHLD/ {
            printf("chld %d code %d status %d\n", args[3]->si_pid, args[3]->si_code, args[3]->si_status);
        }"#;
    let seen = observe(PROGRAM, "proc_children", &[])?;
    ["create", "start", "exit", "chld"].iter().try_for_each(|word| compare(&seen, word))
}

/// Makes a child that does what `body` does and ends with what it returns.
fn fork(body: impl FnOnce() -> i32) -> Result<i32> {
    // SAFETY: a workload has one thread; the child calls nothing that another thread could hold.
    match unsafe { libc::fork() } {
        -1 => bail!("fork: {}", std::io::Error::last_os_error()),
        // SAFETY: _exit ends the child.
        0 => unsafe { libc::_exit(body()) },
        child => Ok(child),
    }
}

fn wait(child: i32) -> Result<i32> {
    let mut status = 0;
    // SAFETY: `status` is an integer of ours.
    let ended = unsafe { libc::waitpid(child, &raw mut status, 0) };
    ensure!(ended == child, "waitpid: {}", std::io::Error::last_os_error());
    Ok(status)
}

/// Children that end by themselves, by a signal, and by a fault of their own.
fn children(_: &[String]) -> Result<Report> {
    let (mut create, mut start, mut exit, mut chld) = (vec![], vec![], vec![], vec![]);
    let bodies: [fn() -> i32; 4] = [
        || 0,
        || 7,
        // SAFETY: pause has no arguments.
        || unsafe { libc::pause() },
        // SAFETY: none; that is what it is for.
        || unsafe { std::ptr::without_provenance::<i32>(16).read_volatile() },
    ];
    for (index, body) in bodies.into_iter().enumerate() {
        let child = fork(body)?;
        if index == 2 {
            sleep(Duration::from_millis(20));
            // SAFETY: kill takes integers; the child has not been waited for.
            unsafe { libc::kill(child, libc::SIGTERM) };
        }
        let status = wait(child)?;
        let (reason, code) = match status {
            _ if libc::WIFEXITED(status) => (1, libc::WEXITSTATUS(status)),
            _ if libc::WCOREDUMP(status) => (3, libc::WTERMSIG(status)),
            _ => (2, libc::WTERMSIG(status)),
        };
        create.push(format!("create {child} of {}", std::process::id()));
        start.push(format!("start {child}"));
        exit.push(format!("exit {child} reason {reason} status {code}"));
        chld.push(format!("chld {child} code {reason} status {code}"));
    }
    Ok(Report::default()
        .with("create", create.join("; "))
        .with("start", start.join("; "))
        .with("exit", exit.join("; "))
        .with("chld", chld.join("; ")))
}

fn programs_run_or_do_not() -> Result<()> {
    const PROGRAM: &str = r#"
        proc:::exec /ppid == $1/ { printf("exec %d %s\n", pid, args[0]); }
        proc:::exec-failure /ppid == $1/ { printf("failure %d %d\n", pid, args[0]); }
        proc:::exec-success /ppid == $1/ { printf("success %d %s %s\n", pid, args[0], execname); }"#;
    let seen = observe(PROGRAM, "proc_programs", &[])?;
    ["exec", "failure", "success"].iter().try_for_each(|word| compare(&seen, word))
}

/// Runs a program by its absolute path in place of this one; comes back where that fails.
fn exec(path: &CString, arguments: &[CString]) -> i32 {
    let mut pointers: Vec<_> = arguments.iter().map(|text| text.as_ptr()).collect();
    pointers.push(std::ptr::null());
    // SAFETY: strings that end in zero, an array that ends in null.
    unsafe { libc::execv(path.as_ptr(), pointers.as_ptr()) };
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// The command line of this binary with another workload, which reports nowhere.
fn again(name: &str, rest: &[&str]) -> Result<(CString, Vec<CString>)> {
    let path = CString::new(std::env::current_exe()?.into_os_string().into_encoded_bytes())?;
    let first = ["kernel tests", "--workload", "/dev/null", name];
    let words = first.iter().chain(rest).map(|&word| CString::new(word)).collect::<Result<_, _>>()?;
    Ok((path, words))
}

/// One child runs this binary again, one a program that is not there, one a file that may not be run.
fn programs(_: &[String]) -> Result<Report> {
    let (me, words) = again("proc_nothing", &[])?;
    let text = me.to_string_lossy().into_owned();
    let name = text.rsplit('/').next().unwrap_or_default();
    let comm = &name[..name.len().min(15)];
    let (gone, data) = (CString::new("/nowhere/to/be/found")?, CString::new("/proc/self/status")?);
    let ran = fork(|| exec(&me, &words))?;
    ensure!(wait(ran)? == 0, "the program failed");
    let missing = fork(|| exec(&gone, &words))?;
    let enoent = libc::WEXITSTATUS(wait(missing)?);
    let forbidden = fork(|| exec(&data, &words))?;
    let eacces = libc::WEXITSTATUS(wait(forbidden)?);
    let exec =
        format!("exec {ran} {text}; exec {missing} /nowhere/to/be/found; exec {forbidden} /proc/self/status");
    Ok(Report::default()
        .with("exec", exec)
        .with("failure", format!("failure {missing} {enoent}; failure {forbidden} {eacces}"))
        .with("success", format!("success {ran} {text} {comm}")))
}

fn threads_and_their_process_end() -> Result<()> {
    const PROGRAM: &str = r#"
        proc:::lwp-create /pid == $1/ { printf("made %d\n", args[0]->pr_lwpid); }
        proc:::lwp-start /pid == $1/ { printf("began\n"); }
        proc:::lwp-exit /pid == $1/ { printf("ended\n"); }
        proc:::exit /pid == $1/ { printf("exit %d\n", args[1]); }"#;
    let seen = observe(PROGRAM, "proc_threads", &[])?;
    let lines = seen.output.lines();
    let count = |word: &str| lines.iter().filter(|line| line.starts_with(word)).count();
    ensure!(count("began") == 5, "{seen:?}");
    // The main thread, too; and the process but once. A thread is joined before the kernel says that it has ended, so that the
    // process may have done so first.
    ensure!(count("ended") == 6 && count("exit") == 1 && lines.contains(&"exit 0"), "{seen:?}");
    let mut made: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix("made ")).collect();
    made.sort_unstable();
    ensure!(made.join(" ") == seen.report.text("threads")?, "{seen:?}");
    Ok(())
}

fn threads(_: &[String]) -> Result<Report> {
    // SAFETY: gettid has no arguments.
    let spawned: Vec<_> = (0..5).map(|_| std::thread::spawn(|| unsafe { libc::gettid() })).collect();
    let mut ids: Vec<_> =
        spawned.into_iter().filter_map(|thread| Some(thread.join().ok()?.to_string())).collect();
    ids.sort_unstable();
    Ok(Report::default().with("threads", ids.join(" ")))
}

fn arguments_of_another_process() -> Result<()> {
    const PROGRAM: &str = r#"
        proc:::signal-send /pid == $1 && args[2] == SIGTERM/ {
            printf("%d %s of %d: %s\n", args[1]->pr_pid, args[1]->pr_fname, args[1]->pr_ppid, args[1]->pr_psargs);
        }"#;
    let seen = observe(PROGRAM, "proc_other", &[])?;
    ensure!(seen.output.lines() == [seen.report.text("line")?], "{seen:?}");
    Ok(())
}

/// Starts another program with arguments of its own, and sends it a signal when it has them.
fn other(_: &[String]) -> Result<Report> {
    let rest = "some more words, so many that they do not fit into eighty bytes";
    let (me, words) = again("proc_pause", &[rest])?;
    let child = fork(|| exec(&me, &words))?;
    let expected = format!("kernel tests --workload /dev/null proc_pause {rest}");
    let path = format!("/proc/{child}/cmdline");
    until("the program has its arguments", || {
        Ok(std::fs::read_to_string(&path)?.replace('\0', " ").trim_end() == expected)
    })?;
    // /proc has the new arguments a little before exec has ended; the program then sleeps.
    until("the program pauses", || {
        Ok(std::fs::read_to_string(format!("/proc/{child}/stat"))?.contains(") S "))
    })?;
    let comm = std::fs::read_to_string(format!("/proc/{child}/comm"))?;
    // SAFETY: kill takes integers; the child has not been waited for.
    unsafe { libc::kill(child, libc::SIGTERM) };
    wait(child)?;
    let line = format!("{child} {} of {}: {}", comm.trim_end(), std::process::id(), &expected[..79]);
    Ok(Report::default().with("line", line))
}

fn pause(_: &[String]) -> Result<Report> {
    // SAFETY: pause has no arguments.
    unsafe { libc::pause() };
    Ok(Report::default())
}

/// The workload's end is a signal to this process, which runs its program since before the tracer does.
fn arguments_of_a_process_before() -> Result<()> {
    const PROGRAM: &str = r#"
        proc:::signal-send /pid == $1 && args[2] == SIGCHLD/ { printf("%d %s\n", args[1]->pr_pid, args[1]->pr_psargs); }"#;
    let seen = observe(PROGRAM, "proc_nothing", &[])?;
    let arguments = std::fs::read_to_string("/proc/self/cmdline")?.replace('\0', " ");
    let mut line = format!("{} {}", std::process::id(), arguments.trim_end());
    line.truncate(line.find(' ').unwrap_or_default() + 1 + 79);
    ensure!(seen.output.lines() == [line.trim_end()], "{line} {seen:?}");
    Ok(())
}
