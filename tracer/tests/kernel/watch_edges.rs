//! `tracer watch` where it is easily wrong: signals that no process sends, processes with other numbers, numbers that depend on
//! others, what is moved past reads and writes.

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::harness::process::{LIMIT, Watchdog};
use crate::harness::run::Output;
use crate::harness::run::command as harness_command;
use crate::harness::workload::command;
use crate::harness::{Family, Report, Tracer, Workload, emulated, patience, skip, tracer, truth};
use crate::watch::{events, follow_the_schema, fork, handler, kill, own, rows, wait};

pub(crate) const FAMILY: Family = Family {
    name: "watch-edges",
    tests: &[
        ("watch_sees_signals_that_the_kernel_sends_while_the_tracer_runs", signals_by_the_kernel),
        ("watch_knows_senders_by_their_own_numbers_in_a_pid_namespace", senders_in_a_namespace),
        ("watch_shows_what_comes_with_a_signal", what_comes_with_a_signal),
        ("watch_tells_which_thread_handles_a_signal", handling_threads),
        ("watch_counts_signals_that_are_taken_unseen", taken_unseen),
        ("watch_names_addresses_and_options_of_sockets", addresses_and_options),
        ("watch_counts_what_it_does_not_show", other_calls_are_counted),
        ("watch_tells_one_listener_from_another", listeners_are_told_apart),
        ("watch_says_what_it_lost", losses_are_told),
        ("watch_ends_quietly_with_its_reader", readers_who_go),
        ("watch_of_a_full_disk_is_an_error", full_disk),
        ("watch_sums_up_at_every_ending_signal", ending_signals),
    ],
    workloads: &[
        ("watch_timer", timer),
        ("watch_namespace", namespace),
        ("watch_values", values),
        ("watch_thread", thread_handles),
        ("watch_signalfd", signalfd),
        ("watch_options", options),
        ("watch_splice", splice),
        ("watch_listeners", listeners),
        ("watch_burst", burst),
    ],
};

/// Watches a workload; gives what was printed and what the workload did.
fn watch(arguments: &[&str], workload: &str) -> Result<(Output, Report)> {
    let (line, report) = command(workload, &[])?;
    let output = tracer(&[&["watch"], arguments, &["-c", &line]].concat())?.success()?;
    Ok((output, truth(&report)?))
}

/// Confines this process, and what it starts from now on, to the first CPU that it may use; gives those of before.
fn confine() -> Result<libc::cpu_set_t> {
    // SAFETY: live sets of the size given.
    unsafe {
        let (mut before, mut one): (libc::cpu_set_t, libc::cpu_set_t) =
            (std::mem::zeroed(), std::mem::zeroed());
        let size = size_of::<libc::cpu_set_t>();
        ensure!(libc::sched_getaffinity(0, size, &raw mut before) == 0, "the CPUs are unknown");
        let first = (0..libc::CPU_SETSIZE as usize).find(|&cpu| libc::CPU_ISSET(cpu, &before));
        libc::CPU_SET(first.context("there is no CPU")?, &mut one);
        ensure!(libc::sched_setaffinity(0, size, &raw const one) == 0, "this CPU cannot be had");
        Ok(before)
    }
}

fn signals_by_the_kernel() -> Result<()> {
    // The tracer and the workload share a CPU, so that timers run out while the tracer is current.
    let before = confine()?;
    let watched = watch(&["signal", "pipe", "--json"], "watch_timer");
    // SAFETY: the set that was there before.
    unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const before) };
    let (output, report) = watched?;
    let events = events(&output)?;
    let count = |name: &str, outcome: Option<&str>| {
        let is = |event: &&Value| {
            event["name"] == name && event["signal"] == "SIGUSR1" && event["outcome"].as_str() == outcome
        };
        events.iter().filter(is).count() as i64
    };
    let ran = report.number("ran")?;
    // One that comes while the handler runs is blocked until then.
    let sent = count("signal-send", Some("queued")) + count("signal-send", Some("blocked"));
    let handled = count("signal-handle", None);
    ensure!((sent, handled) == (ran, ran), "{sent} sent, {handled} handled, {ran} handlers ran");
    Ok(())
}

/// Computes while a timer runs out again and again, and a child writes, so that the tracer has something to do.
fn timer(_: &[String]) -> Result<Report> {
    static RAN: AtomicI64 = AtomicI64::new(0);
    extern "C" fn count(_: libc::c_int) {
        RAN.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: live arguments; the handler only adds.
    unsafe {
        let writer = fork(|| {
            let (mut ends, mut byte) = ([0; 2], 0_u8);
            libc::pipe(ends.as_mut_ptr());
            loop {
                libc::write(ends[1], (&raw const byte).cast(), 1);
                libc::read(ends[0], (&raw mut byte).cast(), 1);
                libc::usleep(50);
            }
        });
        libc::signal(libc::SIGUSR1, count as *const () as libc::sighandler_t);
        let mut event: libc::sigevent = std::mem::zeroed();
        event.sigev_signo = libc::SIGUSR1;
        event.sigev_notify = libc::SIGEV_SIGNAL;
        let mut timer: libc::timer_t = std::mem::zeroed();
        ensure!(
            libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer) == 0,
            "there is no timer"
        );
        let every = libc::timespec { tv_sec: 0, tv_nsec: 200_000 };
        let mut times = libc::itimerspec { it_interval: every, it_value: every };
        libc::timer_settime(timer, 0, &raw const times, std::ptr::null_mut());
        let enough = if emulated() { 500 } else { 2000 };
        while RAN.load(Ordering::Relaxed) < enough {
            std::hint::spin_loop();
        }
        kill(writer, libc::SIGKILL);
        wait(writer);
        times.it_value = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        libc::timer_settime(timer, 0, &raw const times, std::ptr::null_mut());
    }
    Ok(Report::default().with("ran", RAN.load(Ordering::Relaxed)))
}

fn senders_in_a_namespace() -> Result<()> {
    let (output, report) = watch(&["signal", "proc"], "watch_namespace")?;
    if report.text("namespace")? == "none" {
        return skip("PID namespaces cannot be made here");
    }
    let lines = output.lines();
    let said = |words: &[&str]| lines.iter().any(|line| words.iter().all(|word| line.contains(word)));
    ensure!(said(&[" inner ", "SIGUSR1 -> outer "]), "{output:?}");
    ensure!(said(&[" outer ", "SIGUSR1 from inner ", ": its handler runs"]), "{output:?}");
    // Whose number that of the namespace is, nobody says.
    ensure!(said(&[" outer ", "hears of its child 2  waited"]), "{output:?}");
    ensure!(said(&["reaps outer ", "status 0"]), "{output:?}");
    Ok(())
}

/// In a new PID namespace a process is sent a signal by its child.
fn namespace(_: &[String]) -> Result<Report> {
    // SAFETY: a flag; the children that follow are in the new namespace.
    if unsafe { libc::unshare(libc::CLONE_NEWPID) } != 0 {
        return Ok(Report::default().with("namespace", "none"));
    }
    let outer = fork(|| {
        // SAFETY: strings that end in zero; live sets. The signal is blocked until it is waited for.
        unsafe {
            libc::prctl(libc::PR_SET_NAME, c"outer".as_ptr());
            libc::signal(libc::SIGUSR1, handler as *const () as libc::sighandler_t);
            let (mut set, mut none): (libc::sigset_t, libc::sigset_t) =
                (std::mem::zeroed(), std::mem::zeroed());
            libc::sigaddset(&raw mut set, libc::SIGUSR1);
            libc::sigprocmask(libc::SIG_BLOCK, &raw const set, &raw mut none);
            let inner = fork(|| {
                libc::prctl(libc::PR_SET_NAME, c"inner".as_ptr());
                kill(libc::getppid(), libc::SIGUSR1);
                0
            });
            libc::sigsuspend(&raw const none);
            wait(inner);
        }
        0
    });
    wait(outer);
    Ok(Report::default().with("namespace", "new"))
}

fn what_comes_with_a_signal() -> Result<()> {
    let (output, report) = watch(&["signal"], "watch_values")?;
    let (me, child) = (report.text("pid")?, report.text("child")?);
    let lines = output.lines();
    let said = |who: &str, words: &[&str]| {
        let who = format!(" {who} ");
        lines.iter().any(|line| line.contains(&who) && words.iter().all(|word| line.contains(word)))
    };
    ensure!(said(me, &["SIGRTMIN+3 -> itself, by sigqueue with -42"]), "{output:?}");
    ensure!(said("kernel", &["SIGSEGV -> ", child, ", for a fault at 0x10 (SEGV_MAPERR)"]), "{output:?}");
    ensure!(said(child, &["SIGCHLD -> ", me, ", CLD_"]), "{output:?}");
    let (output, _) = watch(&["signal", "--json"], "watch_values")?;
    let events = events(&output)?;
    follow_the_schema(&events)?;
    let value = |event: &Value| event["value"].as_u64().map(|value| value as i32);
    ensure!(
        events.iter().any(|event| value(event) == Some(-42) && event["code"] == "SI_QUEUE"),
        "{output:?}"
    );
    Ok(())
}

/// A value by sigqueue, and a child that touches what is not there.
fn values(_: &[String]) -> Result<Report> {
    // SAFETY: plain calls with live arguments.
    unsafe {
        let signal = libc::SIGRTMIN() + 3;
        libc::signal(signal, handler as *const () as libc::sighandler_t);
        let value = libc::sigval { sival_ptr: (-42_i32 as u32 as usize) as *mut libc::c_void };
        ensure!(libc::sigqueue(own(), signal, value) == 0, "the signal is not queued");
    }
    // SAFETY: it is not: the child ends here.
    let child = fork(|| unsafe { std::ptr::with_exposed_provenance::<i32>(0x10).read_volatile() });
    wait(child);
    Ok(Report::default().with("pid", own()).with("child", child))
}

fn handling_threads() -> Result<()> {
    let (output, report) = watch(&["signal", "--json"], "watch_thread")?;
    let events = events(&output)?;
    let threads = |signal: &str| -> Vec<i64> {
        let is = |event: &&Value| event["name"] == "signal-handle" && event["signal"] == signal;
        events.iter().filter(is).filter_map(|event| event["thread"].as_i64()).collect()
    };
    let (first, second) = (report.number("first")?, report.number("second")?);
    ensure!(threads("SIGUSR1") == [second], "{:?} handled SIGUSR1, not {second}", threads("SIGUSR1"));
    ensure!(threads("SIGUSR2") == [first], "{:?} handled SIGUSR2, not {first}", threads("SIGUSR2"));
    // In words, each by its own sending.
    let (output, report) = watch(&["signal"], "watch_thread")?;
    let handled = format!("SIGUSR1 from itself: its handler runs in thread {} ", report.number("second")?);
    ensure!(output.stdout.contains(&handled), "{handled} is not in {}", output.stdout);
    for signal in ["SIGUSR1", "SIGUSR2"] {
        let outcomes = outcomes(&output, signal);
        ensure!(outcomes == ["handler ran 1"], "{signal}: {outcomes:?}");
    }
    Ok(())
}

/// What became of a signal, and how often, by the table.
fn outcomes(output: &Output, signal: &str) -> Vec<String> {
    let rows = rows(&output.stdout, "Signals");
    rows.iter().filter(|row| row[0] == signal).map(|row| row[3..].join(" ")).collect()
}

/// Sends a signal to its second thread, and one to itself that the second thread blocks.
fn thread_handles(_: &[String]) -> Result<Report> {
    static HANDLED: AtomicBool = AtomicBool::new(false);
    extern "C" fn handle(signal: libc::c_int) {
        HANDLED.fetch_or(signal == libc::SIGUSR1, Ordering::Relaxed);
    }
    for signal in [libc::SIGUSR1, libc::SIGUSR2] {
        // SAFETY: the handler only sets a flag.
        unsafe { libc::signal(signal, handle as *const () as libc::sighandler_t) };
    }
    let (tell, told) = std::sync::mpsc::channel();
    let second = std::thread::spawn(move || {
        block(libc::SIGUSR2);
        // SAFETY: calls without arguments.
        tell.send(unsafe { (libc::pthread_self(), libc::gettid()) }).expect("the first thread listens");
        while !HANDLED.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    let (handle, number) = told.recv()?;
    kill(own(), libc::SIGUSR2);
    // SAFETY: a thread that waits for this.
    unsafe { libc::pthread_kill(handle, libc::SIGUSR1) };
    second.join().expect("it only waits");
    Ok(Report::default().with("first", own()).with("second", number))
}

fn taken_unseen() -> Result<()> {
    let (output, _) = watch(&["signal"], "watch_signalfd")?;
    let outcomes = outcomes(&output, "SIGUSR1");
    ensure!(outcomes == ["blocked, waits 1", "gone unseen 2"], "{outcomes:?}");
    Ok(())
}

/// Sends itself three signals; the first two it reads from a descriptor.
fn signalfd(_: &[String]) -> Result<Report> {
    let set = block(libc::SIGUSR1);
    // SAFETY: a live set, and a live structure of the size given.
    unsafe {
        let descriptor = libc::signalfd(-1, &raw const set, 0);
        let mut read: libc::signalfd_siginfo = std::mem::zeroed();
        for _ in 0..2 {
            kill(own(), libc::SIGUSR1);
            let size = libc::read(descriptor, (&raw mut read).cast(), size_of_val(&read));
            ensure!(size == size_of_val(&read) as isize, "no signal could be read");
        }
    }
    kill(own(), libc::SIGUSR1);
    Ok(Report::default())
}

/// Blocks a signal in this thread.
fn block(signal: i32) -> libc::sigset_t {
    // SAFETY: a live set.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, signal);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        set
    }
}

fn addresses_and_options() -> Result<()> {
    let (output, _) = watch(&["socket"], "watch_options")?;
    for call in [
        "setsockopt(FD, IPPROTO_IPV6, IPV6_V6ONLY = 1) = 0",
        "bind(FD, [::]:0) = 0",
        "setsockopt(FD, IPPROTO_IP, IP_TTL = 7) = 0",
        // A structure has no number; nor has what failed a value.
        "setsockopt(FD, SOL_SOCKET, SO_RCVTIMEO) = 0",
        "setsockopt(FD, SOL_SOCKET, SO_TYPE) = -1 ENOPROTOOPT",
        "bind(FD, AF_NETLINK) = 0",
    ] {
        let (name, rest) = call.split_once("FD").context("each has a descriptor")?;
        let is = |line: &&str| {
            line.split_once(name)
                .is_some_and(|(_, line)| line.trim_start_matches(char::is_numeric).starts_with(rest))
        };
        ensure!(output.lines().iter().any(is), "no {call}: {output:?}");
    }
    Ok(())
}

/// Sockets with addresses and options of several sorts.
fn options(_: &[String]) -> Result<Report> {
    let set = |socket: i32, level: i32, option: i32, value: &[i32]| {
        let length = size_of_val(value) as libc::socklen_t;
        // SAFETY: a live value of that length.
        unsafe { libc::setsockopt(socket, level, option, value.as_ptr().cast(), length) }
    };
    // SAFETY: integers, and live addresses of the sizes given; the sockets are closed with the process.
    unsafe {
        let six = libc::socket(libc::AF_INET6, libc::SOCK_DGRAM, 0);
        ensure!(set(six, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, &[1]) == 0, "there is no IPv6");
        let mut any: libc::sockaddr_in6 = std::mem::zeroed();
        any.sin6_family = libc::AF_INET6 as libc::sa_family_t;
        libc::bind(six, (&raw const any).cast(), size_of_val(&any) as libc::socklen_t);
        let four = UdpSocket::bind("127.0.0.1:0")?;
        set(four.as_raw_fd(), libc::IPPROTO_IP, libc::IP_TTL, &[7]);
        set(four.as_raw_fd(), libc::SOL_SOCKET, libc::SO_RCVTIMEO, &[3, 0, 0, 0]);
        set(four.as_raw_fd(), libc::SOL_SOCKET, libc::SO_TYPE, &[3]);
        let netlink = libc::socket(libc::AF_NETLINK, libc::SOCK_RAW, 0);
        let mut address: libc::sockaddr_nl = std::mem::zeroed();
        address.nl_family = libc::AF_NETLINK as libc::sa_family_t;
        libc::bind(netlink, (&raw const address).cast(), size_of_val(&address) as libc::socklen_t);
    }
    Ok(Report::default())
}

fn other_calls_are_counted() -> Result<()> {
    let (output, _) = watch(&["pipe"], "watch_splice")?;
    let notice = "tracer: calls that are not shown and may have moved bytes of a pipe: 2 splice\n";
    ensure!(output.stderr == notice, "{output:?}");
    let moved = rows(&output.stdout, "Pipes: from whom to whom");
    ensure!(moved.iter().any(|row| row[2..] == ["nobody seen", "300"]), "{output:?}");
    let (output, _) = watch(&["pipe", "--json"], "watch_splice")?;
    let events = events(&output)?;
    follow_the_schema(&events)?;
    let counts = events.iter().find(|line| line["type"] == "aggregation").context("nothing is counted")?;
    ensure!(counts["name"] == "pipe" && counts["rows"][0]["value"] == 2, "{output:?}");
    Ok(())
}

/// Bytes into a pipe by write, and out of it by splice.
fn splice(_: &[String]) -> Result<Report> {
    let mut ends = [0; 2];
    let nowhere = std::fs::OpenOptions::new().write(true).open("/dev/null")?;
    // SAFETY: live buffers and descriptors.
    unsafe {
        ensure!(libc::pipe(ends.as_mut_ptr()) == 0, "there is no pipe");
        ensure!(libc::write(ends[1], [b'x'; 300].as_ptr().cast(), 300) == 300, "a write was cut");
        for length in [100, 200] {
            let (from, to) = (std::ptr::null_mut(), std::ptr::null_mut());
            let moved = libc::splice(ends[0], from, nowhere.as_raw_fd(), to, length, 0);
            ensure!(moved == length as isize, "{moved} moved");
        }
    }
    Ok(Report::default())
}

fn listeners_are_told_apart() -> Result<()> {
    let (output, report) = watch(&["tcp"], "watch_listeners")?;
    let states = rows(&output.stdout, "TCP states");
    let of = |port: &str| -> Vec<&str> {
        let port = format!(":{port}");
        states.iter().filter(|row| row[1].ends_with(&port) && row[2] == "*").map(|row| row[3]).collect()
    };
    // Two sockets listen at one port, one after the other; a third was given its port as it began to listen.
    ensure!(of(report.text("shared")?) == ["LISTEN", "CLOSED", "LISTEN", "CLOSED"], "{output:?}");
    ensure!(of(report.text("given")?) == ["LISTEN", "CLOSED"], "{output:?}");
    Ok(())
}

/// Sockets that listen.
fn listeners(_: &[String]) -> Result<Report> {
    let first = TcpListener::bind("127.0.0.1:0")?;
    let shared = first.local_addr()?;
    drop(first);
    drop(TcpListener::bind(shared)?);
    // SAFETY: integers; the descriptor becomes the listener's.
    let third = unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0);
        ensure!(libc::listen(socket, 1) == 0, "it does not listen");
        <TcpListener as std::os::fd::FromRawFd>::from_raw_fd(socket)
    };
    Ok(Report::default().with("shared", shared.port()).with("given", third.local_addr()?.port()))
}

fn losses_are_told() -> Result<()> {
    const SENT: u64 = 50_000;
    for json in [false, true] {
        let mut workload = Workload::start("watch_burst", &[&SENT.to_string()])?;
        let pid = workload.pid().to_string();
        let format: &[&str] = if json { &["--json"] } else { &[] };
        let mut tracer = Tracer::start(&[&["watch", "signal", "-p", &pid], format].concat())?;
        until_it_watches(&mut tracer, workload.pid())?;
        // While it stands still nobody empties the buffer.
        kill(tracer.pid() as libc::pid_t, libc::SIGSTOP);
        workload.go()?;
        workload.finish()?;
        kill(tracer.pid() as libc::pid_t, libc::SIGCONT);
        let output = tracer.finish()?.success()?;
        let (shown, lost) = if json {
            let lines = events(&output)?;
            follow_the_schema(&lines)?;
            let drops = lines.iter().filter(|line| line["type"] == "drop");
            let sends =
                lines.iter().filter(|line| line["name"] == "signal-send" && line["signal"] == "SIGURG");
            (sends.count() as u64, drops.filter_map(|line| line["count"].as_u64()).sum::<u64>())
        } else {
            let signals = rows(&output.stdout, "Signals");
            let row = signals.iter().find(|row| row[0] == "SIGURG").context("no signals")?;
            let drops = output.stderr.lines().filter(|line| line.contains(" drop"));
            let counts = drops.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
            (row[4].parse()?, counts.sum())
        };
        // The process's end is told to its parent by a signal, too.
        ensure!(
            lost > 0 && (SENT..=SENT + 1).contains(&(shown + lost)),
            "{shown} shown, {lost} lost: {}",
            output.stderr
        );
    }
    Ok(())
}

/// Sends itself so many signals, as fast as it can.
fn burst(arguments: &[String]) -> Result<Report> {
    let count: u32 = arguments[0].parse()?;
    (0..count).for_each(|_| kill(own(), libc::SIGURG));
    Ok(Report::default().with("signals", count))
}

/// Waits until the tracer tells of the workload's signals.
fn until_it_watches(tracer: &mut Tracer, workload: u32) -> Result<()> {
    let watches = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !watches.load(Ordering::Relaxed) {
                kill(workload as libc::pid_t, libc::SIGWINCH);
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let told = tracer.wait_for("SIGWINCH");
        watches.store(true, Ordering::Relaxed);
        told.map(drop)
    })
}

/// Forks for some seconds, and ends by itself, should nobody end it: a signal may be ignored from before.
const FORKS: &str = "sh -c 'i=0; while [ $i -lt 2000 ]; do /bin/true; i=$((i+1)); done'";

fn readers_who_go() -> Result<()> {
    for format in [&[][..], &["--json"]] {
        let arguments = [&["watch", "proc", "-c", FORKS], format].concat();
        let mut tracer = harness_command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let _watchdog = Watchdog::over(&tracer, patience(LIMIT))?;
        let mut line = String::new();
        BufReader::new(tracer.stdout.take().context("it is a pipe")?).read_line(&mut line)?;
        let output = tracer.wait_with_output()?;
        ensure!(output.status.success() && output.stderr.is_empty() && !line.is_empty(), "{output:?}");
    }
    Ok(())
}

fn full_disk() -> Result<()> {
    for format in [&[][..], &["--json"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full")?;
        let arguments = [&["watch", "proc", "-c", "true"], format].concat();
        let tracer = harness_command(&arguments).stdout(full).stderr(Stdio::piped()).spawn()?;
        let _watchdog = Watchdog::over(&tracer, patience(LIMIT))?;
        let output = tracer.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.code() == Some(1), "{output:?}");
        ensure!(said == "tracer: writing the output: No space left on device\n", "{said}");
    }
    Ok(())
}

fn ending_signals() -> Result<()> {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        let mut tracer = Tracer::start(&["watch", "proc", "-c", FORKS])?;
        tracer.wait_for("reaps")?;
        let output = tracer.signal(signal)?.success()?;
        let processes = rows(&output.stdout, "Processes");
        ensure!(processes.len() > 1 && processes.iter().all(|row| row.len() == 8), "{signal}: {output:?}");
    }
    Ok(())
}
