//! `tracer watch`: each family's lines, sums and JSON against what a workload itself did; whom it follows, and how it ends.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::harness::run::Output;
use crate::harness::workload::command;
use crate::harness::{Family, Report, Tracer, Workload, tracer, truth};

pub(crate) const FAMILY: Family = Family {
    name: "watch",
    tests: &[
        ("watch_follows_forks_and_nobody_else", forks_are_followed),
        ("watch_of_a_process_follows_what_it_forks", a_process_is_followed),
        ("watch_sums_are_those_of_the_workload", sums_are_true),
        ("watch_lines_say_who_did_what_to_whom", lines_are_clear),
        ("watch_json_follows_the_schema", json_follows_the_schema),
        ("watch_lets_nothing_reach_the_terminal_unescaped", nothing_is_unescaped),
        ("watch_is_ended_by_control_c_and_sums_up", control_c_sums_up),
        ("watch_explains_what_it_cannot_do", refusals_are_explained),
        ("d_programs_can_have_the_scope", d_programs_have_a_scope),
    ],
    workloads: &[
        ("watch_all", all),
        ("watch_tree", tree),
        ("watch_signal_itself", signal_itself),
        ("watch_evil", evil),
    ],
};

/// Runs `tracer watch` over a workload; gives what it printed and what the workload did.
fn watch(arguments: &[&str], workload: &str) -> Result<(Output, Report)> {
    let (line, report) = command(workload, &[])?;
    let output = tracer(&[&["watch"], arguments, &["-c", &line]].concat())?.success()?;
    ensure!(output.stderr.is_empty(), "{output:?}");
    Ok((output, truth(&report)?))
}

/// The rows of the table with that title, in cells.
pub(crate) fn rows<'a>(text: &'a str, title: &str) -> Vec<Vec<&'a str>> {
    let lines = text.lines().skip_while(|line| *line != title).skip(2).take_while(|line| !line.is_empty());
    lines.map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()).collect()
}

/// The process id at the end of `name pid`.
fn pid(cell: &str) -> &str {
    cell.rsplit(' ').next().unwrap_or_default()
}

pub(crate) fn events(output: &Output) -> Result<Vec<Value>> {
    output.lines().iter().map(|line| serde_json::from_str(line).with_context(|| (*line).to_owned())).collect()
}

fn forks_are_followed() -> Result<()> {
    let bystander = Workload::start("watch_signal_itself", &["2000"])?;
    let stranger = u64::from(bystander.pid());
    let finished = std::thread::spawn(|| bystander.finish());
    let (output, report) = watch(&["signal", "--json"], "watch_tree")?;
    let strange = finished.join().expect("the thread does not panic")?.0.number("signals")?;
    ensure!(strange == 2000, "the bystander sent {strange} signals");
    let mut senders: Vec<u64> = events(&output)?
        .iter()
        .filter(|event| event["name"] == "signal-send" && event["signal"] == "SIGURG")
        .filter_map(|event| event["pid"].as_u64())
        .collect();
    ensure!(!senders.contains(&stranger), "{output:?}");
    senders.sort_unstable();
    let mut tree: Vec<u64> = report.text("tree")?.split(' ').filter_map(|pid| pid.parse().ok()).collect();
    tree.sort_unstable();
    ensure!(senders == tree, "{senders:?} {tree:?} {output:?}");
    Ok(())
}

/// The workload is there before the tracer; its children are not.
fn a_process_is_followed() -> Result<()> {
    let mut workload = Workload::start("watch_tree", &[])?;
    let mut tracer = Tracer::start(&["watch", "signal", "-p", &workload.pid().to_string()])?;
    tracer.wait_for("EVENT")?;
    workload.go()?;
    let (report, ended) = workload.finish()?;
    ensure!(ended.success(), "{ended}");
    // It ends with the process.
    let output = tracer.finish()?.success()?;
    let rows = rows(&output.stdout, "Signals");
    let mut senders: Vec<&str> =
        rows.iter().filter(|row| row[0] == "SIGURG").map(|row| pid(row[1])).collect();
    senders.sort_unstable();
    let mut tree: Vec<&str> = report.text("tree")?.split(' ').collect();
    tree.sort_unstable();
    ensure!(senders == tree, "{tree:?} {output:?}");
    Ok(())
}

/// A process, its child and its grandchild send themselves a signal each.
fn tree(_: &[String]) -> Result<Report> {
    let mut ends = [0; 2];
    // SAFETY: two elements.
    ensure!(unsafe { libc::pipe(ends.as_mut_ptr()) } == 0, "there is no pipe");
    let say = || {
        kill(own(), libc::SIGURG);
        let text = format!("{} ", own());
        // SAFETY: the bytes of a live string.
        unsafe { libc::write(ends[1], text.as_ptr().cast(), text.len()) };
    };
    wait(fork(|| {
        wait(fork(|| {
            say();
            0
        }));
        say();
        0
    }));
    say();
    let mut buffer = [0_u8; 256];
    // SAFETY: a live buffer.
    let length = unsafe { libc::read(ends[0], buffer.as_mut_ptr().cast(), buffer.len()) };
    let tree = String::from_utf8_lossy(&buffer[..usize::try_from(length)?]).trim().to_owned();
    Ok(Report::default().with("tree", tree))
}

fn signal_itself(arguments: &[String]) -> Result<Report> {
    let count: u32 = arguments[0].parse()?;
    for _ in 0..count {
        kill(own(), libc::SIGURG);
        std::thread::sleep(Duration::from_micros(200));
    }
    Ok(Report::default().with("signals", count))
}

fn sums_are_true() -> Result<()> {
    let (output, report) = watch(&[], "watch_all")?;
    let text = output.stdout.as_str();
    let me = report.text("pid")?;

    let signals = rows(text, "Signals");
    let outcome = |signal: &str, to: &str, became: &str, count: &str| {
        signals
            .iter()
            .any(|row| (row[0], pid(row[1]), pid(row[2]), row[3], row[4]) == (signal, me, to, became, count))
    };
    ensure!(outcome("SIGUSR1", me, "handler ran", "3"), "{signals:#?}");
    ensure!(outcome("SIGUSR2", me, "ignored", "2"), "{signals:#?}");
    ensure!(outcome("SIGHUP", me, "taken by sigwait", "1"), "{signals:#?}");
    ensure!(outcome("SIGHUP", me, "merged with one waiting", "1"), "{signals:#?}");
    ensure!(outcome("SIGTERM", report.text("killed")?, "ended it", "1"), "{signals:#?}");

    let ends = rows(text, "Processes");
    let end = |name: &str| -> Result<&str> {
        let process = report.text(name)?;
        let row = ends.iter().find(|row| pid(row[0]) == process);
        Ok(row.with_context(|| format!("no process {process}: {ends:#?}"))?[2])
    };
    ensure!(
        (end("killed")?, end("failed")?, end("reader")?) == ("SIGTERM", "status 7", "status 0"),
        "{ends:#?}"
    );

    let reader = report.text("reader")?;
    let moved = rows(text, "Pipes: from whom to whom");
    let flow = moved.iter().find(|row| pid(row[1]) == me && pid(row[2]) == reader);
    ensure!(flow.is_some_and(|row| row[3] == "5000"), "{moved:#?}");
    let used = rows(text, "Pipes: how they are used");
    let write = used.iter().find(|row| pid(row[1]) == me && row[2] == "write").context("nobody writes")?;
    // Calls, errors, bytes, smallest, mean, largest: the last write finds no reader.
    ensure!(write[3..9] == ["6", "1", "5000", "1000", "1000", "1000"], "{used:#?}");

    let client = report.text("client")?;
    let calls = rows(text, "Socket calls");
    let call = |process: &str, function: &str, error: &str| {
        let is = |row: &&Vec<&str>| pid(row[0]) == process && row[1] == function && row[2] == error;
        calls.iter().find(is).map(|row| (row[3], row[4]))
    };
    ensure!(call(me, "connect", "ECONNREFUSED") == Some(("1", "0")), "{calls:#?}");
    ensure!(call(me, "accept4", "-") == Some(("1", "0")), "{calls:#?}");
    ensure!(call(client, "connect", "-") == Some(("1", "0")), "{calls:#?}");
    ensure!(
        call(client, "write", "-").or(call(client, "sendto", "-")).or(call(client, "send", "-"))
            == Some(("5", "500")),
        "{calls:#?}"
    );

    let port = format!("127.0.0.1:{}", report.text("port")?);
    let connections = rows(text, "TCP connections, each end by itself");
    let bytes = |process: &str, column: usize| {
        let is = |row: &&Vec<&str>| pid(row[0]) == process && row[column] == port && row[2] != "*";
        connections.iter().find(is).map(|row| (row[4], row[6]))
    };
    ensure!(bytes(client, 2) == Some(("500", "7")), "{connections:#?}");
    ensure!(bytes(me, 1) == Some(("7", "500")), "{connections:#?}");
    let states = rows(text, "TCP states");
    let path: Vec<&str> =
        states.iter().filter(|row| pid(row[0]) == client && row[2] == port).map(|row| row[3]).collect();
    ensure!(path.starts_with(&["SYN_SENT", "ESTABLISHED"]), "{states:#?}");
    Ok(())
}

fn lines_are_clear() -> Result<()> {
    let (output, report) = watch(&["signal", "proc", "pipe", "socket", "tcp"], "watch_all")?;
    let lines = output.lines();
    let (me, reader) = (report.text("pid")?, report.text("reader")?);
    let (killed, port) = (report.text("killed")?, report.text("port")?);
    let said = |who: &str, what: &[&str]| {
        let who = format!(" {who} ");
        lines.iter().any(|line| line.contains(&who) && what.iter().all(|part| line.contains(part)))
    };
    for (who, what) in [
        (me, &["SIGUSR1 -> itself"][..]),
        (me, &["SIGUSR1 from itself: its handler runs"]),
        (me, &["SIGUSR2 -> itself: ignored"]),
        (me, &["SIGHUP -> itself: blocked, it waits"]),
        (me, &["SIGHUP: taken by sigwait"]),
        (me, &["SIGTERM -> ", killed]),
        (killed, &["SIGTERM from ", me, ": ends it, as there is no handler"]),
        (killed, &["ends, by SIGTERM"]),
        (report.text("failed")?, &["cannot run /no/such", "ENOENT"]),
        (report.text("failed")?, &["ends, status 7"]),
        (me, &["reaps ", killed, ", by SIGTERM  waited "]),
        (me, &["reaps ", report.text("failed")?, ", status 7  waited "]),
        (me, &["makes pipe "]),
        (me, &["writes 1000 -> pipe "]),
        (me, &["writes -> pipe ", "EPIPE, nobody reads it any more"]),
        (reader, &["reads 1000 <- pipe "]),
        (me, &["connect(", "127.0.0.1:1) = -1 ECONNREFUSED"]),
        (me, &["accept4(", " <- 127.0.0.1:"]),
        (report.text("client")?, &[&format!(":{port}  SYN_SENT => ESTABLISHED")]),
        (report.text("client")?, &[&format!("-> :{port}  PSH ACK seq 1 ack 1, 100 bytes")]),
        (me, &[&format!(":{port} <- "), "has a connection"]),
        (me, &["is refused"]),
    ] {
        ensure!(said(who, what), "nobody says that {who} {what:?}: {output:#?}");
    }
    Ok(())
}

pub(crate) fn follow_the_schema(lines: &[Value]) -> Result<()> {
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    let schema = serde_json::from_str(include_str!("../../../docs/events.schema.json"))?;
    compiler.add_resource("schema.json", schema).map_err(|error| anyhow::anyhow!("{error}"))?;
    let schema = compiler.compile("schema.json", &mut schemas).map_err(|error| anyhow::anyhow!("{error}"))?;
    for line in lines {
        schemas.validate(line, schema).map_err(|error| anyhow::anyhow!("{line}: {error:#}"))?;
    }
    Ok(())
}

fn json_follows_the_schema() -> Result<()> {
    let (output, report) = watch(&["--json"], "watch_all")?;
    let events = events(&output)?;
    follow_the_schema(&events)?;
    let count = |provider: &str, name: &str| {
        let me = report.number("pid").ok();
        let is = |event: &&Value| {
            event["provider"] == provider && event["name"] == name && event["pid"].as_i64() == me
        };
        events.iter().filter(is).count()
    };
    ensure!(count("proc", "create") == 4, "{output:?}");
    ensure!(count("pipe", "write") == 6 && count("pipe", "create") == 1, "{output:?}");
    ensure!(count("proc", "signal-clear") == 1 && count("tcp", "connect-refused") == 1, "{output:?}");
    let in_order = events.is_sorted_by_key(|event| event["time"].as_u64());
    ensure!(in_order, "{output:?}");
    Ok(())
}

/// What the tracer is to see, of every family.
fn all(_: &[String]) -> Result<Report> {
    let me = own();
    // SAFETY: plain calls with live arguments; the handler does nothing.
    unsafe {
        libc::signal(libc::SIGUSR1, handler as *const () as libc::sighandler_t);
        libc::signal(libc::SIGUSR2, libc::SIG_IGN);
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        (0..3).for_each(|_| kill(me, libc::SIGUSR1));
        (0..2).for_each(|_| kill(me, libc::SIGUSR2));
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigaddset(&raw mut set, libc::SIGHUP);
        libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        (0..2).for_each(|_| kill(me, libc::SIGHUP));
        let mut taken = 0;
        libc::sigwait(&raw const set, &raw mut taken);
        ensure!(taken == libc::SIGHUP, "signal {taken} was taken");
    }
    let killed = fork(|| {
        // SAFETY: no arguments.
        unsafe { libc::pause() };
        0
    });
    kill(killed, libc::SIGTERM);
    wait(killed);
    let failed = fork(|| {
        // SAFETY: strings that end in zero.
        unsafe { libc::execl(c"/no/such".as_ptr(), c"such".as_ptr(), std::ptr::null::<libc::c_char>()) };
        7
    });
    wait(failed);

    let mut ends = [0; 2];
    let block = [b'x'; 1000];
    // SAFETY: live buffers; the descriptors are our own.
    let reader = unsafe {
        ensure!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) == 0, "there is no pipe");
        let reader = fork(|| {
            libc::close(ends[1]);
            let mut buffer = [0_u8; 1000];
            (0..5).for_each(|_| assert!(libc::read(ends[0], buffer.as_mut_ptr().cast(), 1000) == 1000));
            0
        });
        libc::close(ends[0]);
        for _ in 0..5 {
            ensure!(libc::write(ends[1], block.as_ptr().cast(), 1000) == 1000, "a write was cut");
        }
        wait(reader);
        ensure!(libc::write(ends[1], block.as_ptr().cast(), 1000) == -1, "somebody reads");
        reader
    };

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let client = fork(|| {
        let Ok(mut stream) = TcpStream::connect(address) else { return 1 };
        let sent = (0..5).all(|_| {
            std::thread::sleep(Duration::from_millis(5));
            stream.write_all(&block[..100]).is_ok()
        });
        let done = sent && stream.read_exact(&mut [0; 7]).is_ok();
        i32::from(!done)
    });
    let (mut stream, _) = listener.accept()?;
    stream.read_exact(&mut [0; 500])?;
    stream.write_all(b"thanks!")?;
    wait(client);
    drop(stream);
    ensure!(TcpStream::connect("127.0.0.1:1").is_err(), "somebody listens at port 1");
    // What is acknowledged last is under way.
    std::thread::sleep(Duration::from_millis(20));
    Ok(Report::default()
        .with("pid", me)
        .with("killed", killed)
        .with("failed", failed)
        .with("reader", reader)
        .with("client", client)
        .with("port", address.port()))
}

pub(crate) extern "C" fn handler(_: libc::c_int) {}

fn nothing_is_unescaped() -> Result<()> {
    let (output, _) = watch(&["--color=never"], "watch_evil")?;
    let bad = output.stdout.chars().find(|c| c.is_control() && *c != '\n');
    ensure!(bad.is_none(), "{bad:?}: {output:?}");
    ensure!(output.stdout.contains("\\x1b[2Jx\\n"), "{output:?}");
    ensure!(output.stdout.contains("cannot run /no/\\x1b[31m"), "{output:?}");
    let (output, _) = watch(&["--color=always", "proc"], "watch_evil")?;
    // Colours are ours; clearing the screen and red of that kind are not.
    ensure!(output.stdout.contains("\x1b[") && !output.stdout.contains("\x1b[2J"), "{output:?}");
    ensure!(!output.stdout.contains("\x1b[31m"), "{output:?}");
    let (output, _) = watch(&["--json", "proc"], "watch_evil")?;
    let bad = output.stdout.chars().find(|c| (c.is_control() || *c == '\u{202e}') && *c != '\n');
    ensure!(bad.is_none() && output.stdout.contains(r"\u009b2J\u202e"), "{bad:?}: {output:?}");
    Ok(())
}

/// A name and paths with what a terminal would act on.
fn evil(_: &[String]) -> Result<Report> {
    // SAFETY: strings that end in zero.
    unsafe {
        libc::prctl(libc::PR_SET_NAME, c"\x1b[2Jx\n".as_ptr());
        kill(own(), libc::SIGURG);
        let path = c"/no/\x1b[31m\u{9b}2J\u{202e}";
        libc::execl(path.as_ptr(), path.as_ptr(), std::ptr::null::<libc::c_char>());
    }
    let refused = std::os::unix::net::UnixStream::connect("/no/\x1b[2J");
    ensure!(refused.is_err(), "there is such a socket");
    Ok(Report::default())
}

fn control_c_sums_up() -> Result<()> {
    let workload = Workload::start("watch_signal_itself", &["20"])?;
    let me = workload.pid().to_string();
    let mut tracer = Tracer::start(&["watch", "signal"])?;
    tracer.wait_for("EVENT")?;
    workload.finish()?;
    // What has happened is shown before the end.
    tracer.wait_for("SIGURG")?;
    let output = tracer.interrupt()?.success()?;
    let signals = rows(&output.stdout, "Signals");
    let row = signals.iter().find(|row| row[0] == "SIGURG" && pid(row[1]) == me);
    ensure!(row.is_some_and(|row| row[3..] == ["ignored", "20"]), "{output:?}");
    Ok(())
}

fn refusals_are_explained() -> Result<()> {
    let refused = |arguments: &[&str], status: i32, words: &[&str]| -> Result<()> {
        let output = tracer(&[&["watch"], arguments].concat())?;
        ensure!(output.status.code() == Some(status), "{output:?}");
        ensure!(words.iter().all(|word| output.stderr.contains(word)), "{output:?}");
        Ok(())
    };
    refused(&["singal"], 2, &["there is no family of events `singal`", "did you mean `signal`?"])?;
    refused(&["zzz"], 2, &["there are signal, pipe, socket, tcp, proc"])?;
    refused(&["-p", "4194999"], 1, &["process 4194999 cannot be followed: No such process"])?;
    refused(&["-c", "/no/such/program"], 1, &["cannot be run"])?;
    refused(&["-c", "true", "-p", "1"], 2, &["exclude each other"])?;
    let output = tracer(&["watch", "proc", "-c", "sh -c 'exit 3'"])?.success()?;
    ensure!(output.stderr.contains("the command exited with status 3"), "{output:?}");
    Ok(())
}

fn d_programs_have_a_scope() -> Result<()> {
    let mut bystander = Command::new("sh").args(["-c", "while :; do kill -0 $$; done"]).spawn()?;
    let (line, report) = command("watch_tree", &[])?;
    let program = "syscall::kill:entry { @[pid] = count(); }";
    let output = tracer(&["-q", "-x", "scope=tree", "-n", program, "-c", &line]);
    bystander.kill()?;
    bystander.wait()?;
    let output = output?.success()?;
    let mut counts: Vec<(&str, &str)> =
        output.lines().iter().filter_map(|line| line.trim().split_once(char::is_whitespace)).collect();
    counts.iter_mut().for_each(|(_, count)| *count = count.trim());
    counts.sort_unstable();
    let report = truth(&report)?;
    let mut tree: Vec<(&str, &str)> = report.text("tree")?.split(' ').map(|pid| (pid, "1")).collect();
    tree.sort_unstable();
    ensure!(counts == tree, "{tree:?} {output:?}");
    Ok(())
}

pub(crate) fn own() -> libc::pid_t {
    // SAFETY: no arguments.
    unsafe { libc::getpid() }
}

pub(crate) fn kill(pid: libc::pid_t, signal: i32) {
    // SAFETY: integers; the process is ourselves or our child, not waited for yet.
    unsafe { libc::kill(pid, signal) };
}

/// Runs `body` in a child; its value is the exit status.
pub(crate) fn fork(body: impl FnOnce() -> i32) -> libc::pid_t {
    // SAFETY: workloads have one thread, so that the child may do as it likes; _exit does not return.
    unsafe {
        match libc::fork() {
            0 => libc::_exit(body()),
            pid => pid,
        }
    }
}

pub(crate) fn wait(pid: libc::pid_t) {
    // SAFETY: our own child; the status is not wanted.
    unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
}
