//! The socket provider: calls in their order with what they were given and what came of them, against what the workload did.

use std::fs::File;
use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::harness::workload::until_asleep;
use crate::harness::{Family, Report, observe, skip};

pub(crate) const FAMILY: Family = Family {
    name: "socket",
    tests: &[
        ("a_connection_is_told_call_by_call", a_connection_is_told_call_by_call),
        ("datagrams_have_addresses", datagrams_have_addresses),
        ("unix_sockets_have_paths", unix_sockets_have_paths),
        ("bytes_are_counted_on_sockets_only", bytes_are_counted_on_sockets_only),
        ("failures_have_an_errno_and_waits_a_latency", failures_have_an_errno_and_waits_a_latency),
        ("options_are_told", options_are_told),
        ("pairs_have_two_descriptors", pairs_have_two_descriptors),
    ],
    workloads: &[
        ("socket_connection", connection),
        ("socket_datagrams", datagrams),
        ("socket_unix", unix),
        ("socket_bytes", bytes),
        ("socket_failures", failures),
        ("socket_options", options),
        ("socket_pairs", pairs),
    ],
};

fn a_connection_is_told_call_by_call() -> Result<()> {
    let program = r#"
        socket::socket:return, socket::bind:return, socket::listen:return, socket::connect:return,
        socket::accept*:return, socket::shutdown:return /pid == $1/ {
            printf("%s fd %d family %d type %d protocol %d local %s:%d remote %s:%d result %d\n",
                probefunc == "accept4" ? "accept" : probefunc, args[0]->so_fd, args[0]->so_family, args[0]->so_type,
                args[0]->so_protocol, args[0]->so_laddr, args[0]->so_lport, args[0]->so_raddr, args[0]->so_rport, args[2]);
        }
        socket::connect:entry /pid == $1/ {
            printf("to %s:%d family %d\n", args[1]->sc_addr, args[1]->sc_port, args[1]->sc_family);
        }
        socket::close:entry /pid == $1 && args[0]->so_family == AF_INET/ { printf("close %d\n", args[1]->sc_fd); }
        socket::listen:entry /pid == $1/ { printf("backlog %d\n", args[1]->sc_backlog); }
        socket::shutdown:entry /pid == $1/ { printf("how %d\n", args[1]->sc_flags); }"#;
    let seen = observe(program, "socket_connection", &[])?;
    let number = |name| seen.report.number(name);
    let (listener, client, accepted) = (number("listener")?, number("client")?, number("accepted")?);
    let (here, there) = (number("client_port")?, number("server_port")?);
    let tcp = "family 2 type 1 protocol 6";
    let home = "127.0.0.1";
    let expected = [
        format!("bind fd {listener} {tcp} local {home}:{there} remote :0 result 0"),
        format!("backlog {}", number("backlog")?),
        format!("listen fd {listener} {tcp} local {home}:{there} remote :0 result 0"),
        format!("to {home}:{there} family 2"),
        format!("connect fd {client} {tcp} local {home}:{here} remote {home}:{there} result 0"),
        format!("accept fd {accepted} {tcp} local {home}:{there} remote {home}:{here} result {accepted}"),
        "how 1".to_owned(),
        format!("shutdown fd {client} {tcp} local {home}:{here} remote {home}:{there} result 0"),
        format!("close {accepted}"),
        format!("close {client}"),
        format!("close {listener}"),
    ];
    let made: Vec<&str> =
        seen.output.lines().into_iter().filter(|line| line.starts_with("socket ")).collect();
    ensure!(made.len() == 2, "{seen:?}");
    for fd in [listener, client] {
        ensure!(made.iter().any(|line| line.starts_with(&format!("socket fd {fd} {tcp}"))), "{fd}: {seen:?}");
    }
    let rest: Vec<&str> =
        seen.output.lines().into_iter().filter(|line| !line.starts_with("socket ")).collect();
    ensure!(rest == expected, "expected {expected:#?}, not {rest:#?}");
    Ok(())
}

fn connection(_: &[String]) -> Result<Report> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (accepted, _) = listener.accept()?;
    client.shutdown(std::net::Shutdown::Write)?;
    let report = Report::default()
        .with("listener", listener.as_raw_fd())
        .with("client", client.as_raw_fd())
        .with("accepted", accepted.as_raw_fd())
        .with("client_port", client.local_addr()?.port())
        .with("server_port", listener.local_addr()?.port())
        // What the standard library asks for.
        .with("backlog", 128);
    drop(accepted);
    drop(client);
    drop(listener);
    Ok(report)
}

fn datagrams_have_addresses() -> Result<()> {
    if UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        return skip("no IPv6 on the loopback");
    }
    let program = r#"
        socket::send*:entry /pid == $1/ {
            printf("%s %s %d %d\n", probefunc, args[1]->sc_addr, args[1]->sc_port, args[1]->sc_bytes);
        }
        socket::recv*:return /pid == $1/ {
            printf("%s %s %d %d\n", probefunc, args[1]->sc_addr, args[1]->sc_port, args[2]);
        }"#;
    let seen = observe(program, "socket_datagrams", &[])?;
    let (from, to) = (seen.report.number("from")?, seen.report.number("to")?);
    let expected = [
        format!("sendto ::1 {to} 5"),
        format!("recvfrom ::1 {from} 5"),
        "send  0 6".to_owned(),
        "recv  0 6".to_owned(),
    ];
    ensure!(seen.output.lines() == expected, "{seen:?}");
    Ok(())
}

fn datagrams(_: &[String]) -> Result<Report> {
    let (one, other) =
        (UdpSocket::bind((Ipv6Addr::LOCALHOST, 0))?, UdpSocket::bind((Ipv6Addr::LOCALHOST, 0))?);
    one.send_to(b"hello", other.local_addr()?)?;
    other.recv_from(&mut [0; 16])?;
    one.connect(other.local_addr()?)?;
    other.connect(one.local_addr()?)?;
    one.send(b"hello!")?;
    other.recv(&mut [0; 16])?;
    Ok(Report::default().with("from", one.local_addr()?.port()).with("to", other.local_addr()?.port()))
}

fn unix_sockets_have_paths() -> Result<()> {
    let program = r#"
        socket::bind:entry /pid == $1/ { printf("bind %s %d\n", args[1]->sc_path, args[1]->sc_family); }
        socket::connect:return /pid == $1/ { printf("connect %s %s\n", args[1]->sc_path, args[0]->so_rpath); }
        socket::accept*:return /pid == $1/ { printf("accept %s\n", args[0]->so_path); }"#;
    let seen = observe(program, "socket_unix", &[])?;
    let mut expected = Vec::new();
    for name in ["abstract", "path"] {
        let path = seen.report.text(name)?;
        expected.extend([
            format!("bind {path} 1"),
            format!("connect {path} {path}"),
            format!("accept {path}"),
        ]);
    }
    ensure!(seen.output.lines() == expected, "{seen:?}");
    Ok(())
}

fn unix(_: &[String]) -> Result<Report> {
    let name = format!("tracer-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name)?;
    let listener = UnixListener::bind_addr(&address)?;
    let _client = UnixStream::connect_addr(&address)?;
    listener.accept()?;
    let path = format!("/tmp/{name}.socket");
    let listener = UnixListener::bind(&path)?;
    let done = UnixStream::connect(&path).and_then(|client| listener.accept().map(|_| client));
    std::fs::remove_file(&path)?;
    done?;
    Ok(Report::default().with("abstract", format!("@{name}")).with("path", path))
}

fn bytes_are_counted_on_sockets_only() -> Result<()> {
    let program = r#"
        socket::read:return, socket::write:return, socket::readv:return, socket::writev:return
        /pid == $1 && args[2] > 0/ {
            @[probefunc] = sum(args[2]);
            @asked[probefunc] = sum(args[1]->sc_bytes);
        }
        END { printa("%s %@d\n", @); printa("%s_asked %@d\n", @asked); }"#;
    let seen = observe(program, "socket_bytes", &[])?;
    for name in ["read", "write", "readv", "writev"] {
        for kind in ["", "_asked"] {
            let line = format!("{name}{kind} {}", seen.report.number(&format!("{name}{kind}"))?);
            ensure!(seen.output.lines().contains(&line.as_str()), "not {line:?}: {seen:?}");
        }
    }
    Ok(())
}

/// Moves bytes by each call, over a socket and over a file.
fn bytes(_: &[String]) -> Result<Report> {
    let (one, other) = UnixStream::pair()?;
    let mut null = File::create("/dev/null")?;
    let (from, to) = (one.as_raw_fd(), other.as_raw_fd());
    let mut room = [0u8; 64];
    for _ in 0..10 {
        null.write_all(&[0; 1000])?;
        File::open("/proc/self/stat")?.read_exact(&mut [0; 8])?;
        // The standard library sends and receives; the calls meant here are write and read.
        // SAFETY: the buffers are as long as is said.
        let (written, read) = unsafe {
            (
                libc::write(from, c"0123456789".as_ptr().cast(), 10),
                libc::read(to, room.as_mut_ptr().cast(), room.len()),
            )
        };
        ensure!((written, read) == (10, 10), "{written} {read}");
    }
    for _ in 0..5 {
        let written = (&one).write_vectored(&[IoSlice::new(b"abc"), IoSlice::new(b"defg")])?;
        let (mut first, mut second) = ([0; 2], [0; 30]);
        let read =
            (&other).read_vectored(&mut [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)])?;
        ensure!((written, read) == (7, 7), "{written} {read}");
    }
    Ok(Report::default()
        .with("write", 100)
        .with("write_asked", 100)
        .with("read", 100)
        .with("read_asked", 640)
        .with("writev", 35)
        .with("writev_asked", 35)
        .with("readv", 35)
        .with("readv_asked", 160))
}

fn failures_have_an_errno_and_waits_a_latency() -> Result<()> {
    let program = r#"
        socket::connect:return /pid == $1 && args[2] < 0/ { printf("errno %d %d\n", args[3], errno); }
        socket::recv:return /pid == $1 && args[2] > 0/ { printf("waited %d\n", args[4]); }"#;
    let seen = observe(program, "socket_failures", &[])?;
    let lines = seen.output.lines();
    let refused = libc::ECONNREFUSED;
    ensure!(lines.first() == Some(&format!("errno {refused} {refused}").as_str()), "{seen:?}");
    let waited = lines.iter().find_map(|line| line.strip_prefix("waited ")).context("no wait")?;
    let waited = Duration::from_nanos(waited.parse()?);
    let truth = Duration::from_nanos(seen.report.number("waited")?.try_into()?);
    ensure!(waited <= truth && waited >= LATE, "{waited:?} of {truth:?}");
    Ok(())
}

/// How long the writer lets the reader wait that sleeps already.
const LATE: Duration = Duration::from_millis(10);

fn failures(_: &[String]) -> Result<Report> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    ensure!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err(), "it was not refused");
    let (mut one, mut other) = UnixStream::pair()?;
    let reader = std::process::id() as libc::pid_t;
    let writer = std::thread::spawn(move || -> Result<UnixStream> {
        until_asleep(reader, libc::SYS_recvfrom)?;
        std::thread::sleep(LATE);
        other.write_all(b"late")?;
        Ok(other)
    });
    let begin = Instant::now();
    one.read_exact(&mut [0; 4])?;
    let waited = begin.elapsed();
    writer.join().expect("it does not panic")?;
    Ok(Report::default().with("waited", waited.as_nanos()))
}

fn options_are_told() -> Result<()> {
    let program = r#"
        socket::setsockopt:entry, socket::getsockopt:return
        /pid == $1 && args[1]->sc_level == IPPROTO_TCP && args[1]->sc_option == TCP_NODELAY/ {
            printf("%s %d %d\n", probefunc, args[0]->so_fd, args[1]->sc_value);
        }"#;
    let seen = observe(program, "socket_options", &[])?;
    let fd = seen.report.number("fd")?;
    let expected = [format!("getsockopt {fd} 0"), format!("setsockopt {fd} 1"), format!("getsockopt {fd} 1")];
    ensure!(seen.output.lines() == expected, "{seen:?}");
    Ok(())
}

fn options(_: &[String]) -> Result<Report> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    ensure!(!client.nodelay()?, "Nagle's algorithm is on at first");
    client.set_nodelay(true)?;
    ensure!(client.nodelay()?, "it is off now");
    Ok(Report::default().with("fd", client.as_raw_fd()))
}

fn pairs_have_two_descriptors() -> Result<()> {
    let program = r#"
        socket::socketpair:return /pid == $1/ {
            printf("%d %d %d\n", args[1]->sc_fd, args[1]->sc_fd2, args[0]->so_family);
        }"#;
    let seen = observe(program, "socket_pairs", &[])?;
    let expected = format!("{} {} 1", seen.report.number("one")?, seen.report.number("other")?);
    ensure!(seen.output.lines() == [expected], "{seen:?}");
    Ok(())
}

fn pairs(_: &[String]) -> Result<Report> {
    let (one, other) = UnixStream::pair()?;
    Ok(Report::default().with("one", one.as_raw_fd()).with("other", other.as_raw_fd()))
}
