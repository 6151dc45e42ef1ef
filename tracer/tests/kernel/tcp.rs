//! The tcp provider, on the loopback: states, segments and handshakes against what the workload itself did, what its sockets
//! report (TCP_INFO) and what /proc/net/tcp shows.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use anyhow::{Context, Result, ensure};

use crate::harness::{Family, Observation, Report, Tracer, observe, skip, until};

pub(crate) const FAMILY: Family = Family {
    name: "tcp",
    tests: &[
        ("states_of_an_active_close", states_of_an_active_close),
        ("states_of_a_half_close_over_ipv6", states_of_a_half_close_over_ipv6),
        ("segments_are_those_that_the_sockets_count", segments_are_those_that_the_sockets_count),
        ("headers_follow_one_another", headers_follow_one_another),
        ("handshakes_are_told_with_their_segments", handshakes_are_told_with_their_segments),
        ("a_refused_connection_is_told_at_both_ends", a_refused_connection_is_told_at_both_ends),
        ("each_end_has_its_own_owner", each_end_has_its_own_owner),
        ("a_connection_that_was_before_has_its_owner", a_connection_that_was_before_has_its_owner),
        ("the_connection_is_as_tcp_info_says", the_connection_is_as_tcp_info_says),
    ],
    workloads: &[
        ("tcp_active_close", active_close),
        ("tcp_half_close", half_close),
        ("tcp_transfer", transfer),
        ("tcp_refused", refused),
        ("tcp_two_processes", two_processes),
    ],
};

const STATES: &str = r#"
    tcp:::state-change {
        printf("%d %d %d %d %d\n", args[3]->tcps_lport, args[3]->tcps_rport, args[5]->tcps_state, args[3]->tcps_state,
            args[1]->cs_pid == $1);
    }"#;

/// The states that an end of a connection went through, with the one that it began in.
fn path(seen: &Observation, local: i64, remote: i64) -> Result<Vec<i64>> {
    let mut path = Vec::new();
    for line in rows(seen)? {
        let [lport, rport, old, new, owned] = line[..] else { continue };
        let this = match (lport, rport, old, new) {
            // The local port of a connect is chosen after SYN_SENT.
            (0, rport, _, 2) => rport == remote,
            // Older kernels fill in the remote end of a sock that is made for a SYN after SYN_RECV.
            (lport, 0, 10, 3) => lport == local && remote != 0,
            (lport, rport, ..) => (lport, rport) == (local, remote),
        };
        if !this {
            continue;
        }
        ensure!(owned == 1, "{old} -> {new} is not the workload's: {seen:?}");
        match path.last() {
            None => path.extend([old, new]),
            Some(&last) => {
                ensure!(last == old, "{path:?} does not lead to {old} -> {new}: {seen:?}");
                path.push(new);
            }
        }
    }
    Ok(path)
}

/// The numbers in each line of the output.
fn rows(seen: &Observation) -> Result<Vec<Vec<i64>>> {
    let lines = seen.output.lines().into_iter();
    lines
        .map(|line| {
            let numbers: Result<Vec<i64>, _> = line.split_whitespace().map(str::parse).collect();
            numbers.with_context(|| format!("not all numbers: {line:?}"))
        })
        .collect()
}

fn states_of_an_active_close() -> Result<()> {
    let seen = observe(STATES, "tcp_active_close", &[])?;
    let (server, client) = (seen.report.number("server")?, seen.report.number("client")?);
    ensure!(seen.report.text("afterwards")? == "06", "not in TIME_WAIT by /proc/net/tcp: {seen:?}");
    ensure!(path(&seen, client, server)? == [7, 2, 1, 4, 5, 6], "{seen:?}");
    ensure!(path(&seen, server, client)? == [10, 3, 1, 8, 9, 7], "{seen:?}");
    ensure!(path(&seen, server, 0)? == [7, 10, 7], "{seen:?}");
    Ok(())
}

/// The client closes first; the server some time after it.
fn active_close(_: &[String]) -> Result<Report> {
    let (listener, client, server) = pair((Ipv4Addr::LOCALHOST, 0).into())?;
    let ports = ports(&client)?;
    drop(client);
    until("the client is in FIN_WAIT2", || {
        Ok(listed_state(ports.1, ports.0)?.is_some_and(|state| state == "05"))
    })?;
    drop(server);
    until("the server's end is gone", || Ok(listed_state(ports.0, ports.1)?.is_none()))?;
    drop(listener);
    let afterwards = listed_state(ports.1, ports.0)?.unwrap_or_default();
    Ok(Report::default().with("server", ports.0).with("client", ports.1).with("afterwards", afterwards))
}

fn states_of_a_half_close_over_ipv6() -> Result<()> {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        return skip("no IPv6 on the loopback");
    }
    let seen = observe(STATES, "tcp_half_close", &[])?;
    let (server, client) = (seen.report.number("server")?, seen.report.number("client")?);
    ensure!(path(&seen, client, server)? == [7, 2, 1, 4, 5, 6], "{seen:?}");
    ensure!(path(&seen, server, client)? == [10, 3, 1, 8, 9, 7], "{seen:?}");
    Ok(())
}

/// The client shuts its side down and keeps the socket until the server has closed.
fn half_close(_: &[String]) -> Result<Report> {
    let (_listener, mut client, mut server) = pair((Ipv6Addr::LOCALHOST, 0).into())?;
    let ports = ports(&client)?;
    client.shutdown(Shutdown::Write)?;
    server.read_to_end(&mut Vec::new())?;
    server.write_all(b"goodbye")?;
    drop(server);
    let mut text = String::new();
    client.read_to_string(&mut text)?;
    ensure!(text == "goodbye", "{text:?}");
    until("the server's end is gone", || Ok(listed_state(ports.0, ports.1)?.is_none()))?;
    Ok(Report::default().with("server", ports.0).with("client", ports.1))
}

fn segments_are_those_that_the_sockets_count() -> Result<()> {
    let program = r#"
        tcp:::send, tcp:::receive /args[1]->cs_pid == $1 && !(args[4]->tcp_flags & TH_RST)/ {
            @segments[probename, args[3]->tcps_lport] = sum(args[0]->pkt_segs);
            @bytes[probename, args[3]->tcps_lport] = sum(args[4]->tcp_length);
        }
        END { printa("segments %s %d %@d\n", @segments); printa("bytes %s %d %@d\n", @bytes); }"#;
    let seen = observe(program, "tcp_transfer", &["300000"])?;
    let found: BTreeMap<String, i64> = seen
        .output
        .lines()
        .iter()
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, number)| Ok((name.to_owned(), number.parse()?)))
        .collect::<Result<_>>()?;
    let number = |name: String| found.get(&name).copied().unwrap_or(0);
    for end in ["client", "server"] {
        let port = seen.report.number(end)?;
        for (probe, counter) in [("send", "segs_out"), ("receive", "segs_in")] {
            // The SYN and ACK of the server is sent before its socket is made, which does not count it.
            let early = i64::from((end, probe) == ("server", "send"));
            let truth = seen.report.number(&format!("{end}_{counter}"))? + early;
            let told = number(format!("segments {probe} {port}"));
            ensure!(told == truth, "{end} {probe}: {told} segments, TCP_INFO says {truth}: {seen:?}");
        }
    }
    // What was sent twice is counted twice, here and there.
    for (sender, receiver) in [("client", "server"), ("server", "client")] {
        let (from, to) = (seen.report.number(sender)?, seen.report.number(receiver)?);
        let truth = seen.report.number(&format!("{sender}_bytes_sent"))?;
        for told in [number(format!("bytes send {from}")), number(format!("bytes receive {to}"))] {
            ensure!(told == truth, "{told} bytes from {sender}, TCP_INFO says {truth}: {seen:?}");
        }
    }
    Ok(())
}

fn headers_follow_one_another() -> Result<()> {
    let program = r#"
        tcp:::send /args[1]->cs_pid == $1 && args[3]->tcps_active && !(args[4]->tcp_flags & TH_RST)/ {
            printf("%u %d %x %u %u %d %d\n", args[4]->tcp_seq, args[4]->tcp_length, args[4]->tcp_flags,
                args[3]->tcps_iss, args[3]->tcps_irs, args[4]->tcp_offset + args[4]->tcp_length,
                args[2]->ip_plength);
        }"#;
    let seen = observe(program, "tcp_transfer", &["100000"])?;
    let (mut first, mut next) = (None, None);
    for line in seen.output.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [seq, length, flags, iss, _, inside, outside] = words[..] else { continue };
        let (seq, length): (u32, u32) = (seq.parse()?, length.parse()?);
        let syn = u32::from_str_radix(flags, 16)? & 2 != 0;
        ensure!(syn == next.is_none(), "the SYN comes first, and once: {seen:?}");
        let end = seq.wrapping_add(length).wrapping_add(u32::from(syn));
        if next.is_some_and(|next: u32| next.wrapping_sub(end) < 1 << 31 && next != seq) {
            continue; // sent again
        }
        ensure!(next.is_none_or(|next| next == seq), "{line}: expected {next:?}: {seen:?}");
        ensure!(inside == outside, "{line}: header and payload are not the packet's: {seen:?}");
        ensure!(iss.parse::<u32>()? == *first.get_or_insert(seq), "{line}: not the initial number: {seen:?}");
        next = Some(end);
    }
    ensure!(next.is_some(), "nothing was sent: {seen:?}");
    Ok(())
}

fn handshakes_are_told_with_their_segments() -> Result<()> {
    let program = r#"
        tcp:::connect-request, tcp:::connect-established, tcp:::accept-established /args[1]->cs_pid == $1/ {
            printf("%s %d %d %d %d %s %s %d\n", probename, args[3]->tcps_lport, args[4]->tcp_sport, args[4]->tcp_dport,
                args[4]->tcp_flags, args[2]->ip_saddr, args[3]->tcps_raddr, args[3]->tcps_active);
        }"#;
    let seen = observe(program, "tcp_active_close", &[])?;
    let (server, client) = (seen.report.number("server")?, seen.report.number("client")?);
    let home = "127.0.0.1 127.0.0.1";
    let mut expected = [
        format!("connect-request {client} {client} {server} 2 {home} 1"),
        format!("connect-established {client} {server} {client} 18 {home} 1"),
        format!("accept-established {server} {client} {server} 16 {home} 0"),
    ];
    let mut lines = seen.output.lines();
    lines.sort_unstable();
    expected.sort_unstable();
    ensure!(lines == expected, "{seen:?}");
    Ok(())
}

fn a_refused_connection_is_told_at_both_ends() -> Result<()> {
    let program = r#"
        tcp:::connect-refused /args[1]->cs_pid == $1/ {
            printf("%s %d %d %d\n", probename, args[3]->tcps_lport, args[4]->tcp_sport, args[4]->tcp_flags);
        }
        tcp:::accept-refused {
            printf("%s %d %d %d\n", probename, args[4]->tcp_dport, args[4]->tcp_sport, args[4]->tcp_flags);
        }"#;
    let seen = observe(program, "tcp_refused", &[])?;
    let port = seen.report.number("port")?;
    ensure!(seen.report.number("errno")? == i64::from(libc::ECONNREFUSED), "{seen:?}");
    let lines = seen.output.lines();
    let client = lines.iter().find_map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        (words[0] == "connect-refused" && words[2] == port.to_string()).then(|| words[1].to_owned())
    });
    let client = client.with_context(|| format!("connect-refused did not fire: {seen:?}"))?;
    for probe in ["connect-refused", "accept-refused"] {
        let expected = format!("{probe} {client} {port} 20");
        let count = lines.iter().filter(|line| **line == expected).count();
        ensure!(count == 1, "{count} times {expected:?}: {seen:?}");
    }
    Ok(())
}

fn refused(_: &[String]) -> Result<Report> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let error = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).err().context("it was not refused")?;
    Ok(Report::default().with("port", port).with("errno", error.raw_os_error().unwrap_or(0)))
}

fn each_end_has_its_own_owner() -> Result<()> {
    let program = r#"
        tcp:::send, tcp:::receive, tcp:::state-change /args[1]->cs_pid && $1/ {
            @[args[3]->tcps_lport, args[1]->cs_pid] = count();
        }
        END { printa("%d %d %@d\n", @); }"#;
    let seen = observe(program, "tcp_two_processes", &[])?;
    let (server, client) = (seen.report.number("server")?, seen.report.number("client")?);
    let child = seen.report.number("child")?;
    let mut owners: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for row in rows(&seen)? {
        owners.entry(row[0]).or_default().push(row[1]);
    }
    ensure!(owners.get(&client) == Some(&vec![child]), "client {client} of {child}: {owners:?}");
    ensure!(
        owners.get(&server) == Some(&vec![seen.pid.into()]),
        "server {server} of {}: {owners:?}",
        seen.pid
    );
    Ok(())
}

/// A server, and a client that is its child.
fn two_processes(_: &[String]) -> Result<Report> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    // SAFETY: the workload has one thread; the child makes system calls only, and ends by _exit.
    let child = unsafe { libc::fork() };
    if child == 0 {
        drop(listener);
        let done = TcpStream::connect(address).and_then(|mut stream| {
            stream.write_all(b"hello")?;
            stream.shutdown(Shutdown::Write)?;
            stream.read_to_end(&mut Vec::new())
        });
        // SAFETY: ends this process.
        unsafe { libc::_exit(done.is_err().into()) };
    }
    let (mut server, client) = listener.accept()?;
    server.read_to_end(&mut Vec::new())?;
    drop(server);
    let mut status = 0;
    // SAFETY: `status` can be written; the child is ours.
    unsafe { libc::waitpid(child, &mut status, 0) };
    ensure!(status == 0, "the client ended with {status}");
    Ok(Report::default().with("server", address.port()).with("client", client.port()).with("child", child))
}

fn a_connection_that_was_before_has_its_owner() -> Result<()> {
    let (_listener, mut client, mut server) = pair((Ipv4Addr::LOCALHOST, 0).into())?;
    let (there, here) = ports(&client)?;
    let program = format!(
        r#"BEGIN {{ printf("ready\n"); }}
        tcp:::receive /args[3]->tcps_lport == {here} && args[4]->tcp_length == 7/ {{
            printf("owner %d %d %d\n", args[1]->cs_pid, args[3]->tcps_rport, args[3]->tcps_state);
            exit(0);
        }}"#
    );
    let mut tracer = Tracer::start(&["-q", "-n", &program])?;
    tracer.wait_for("ready")?;
    server.write_all(b"7 bytes")?;
    client.read_exact(&mut [0; 7])?;
    let output = tracer.finish()?.success()?;
    let expected = format!("owner {} {there} 1", std::process::id());
    ensure!(output.stdout.contains(&expected), "not {expected:?}: {output:?}");
    Ok(())
}

fn the_connection_is_as_tcp_info_says() -> Result<()> {
    let program = r#"
        tcp:::state-change /args[1]->cs_pid == $1 && args[3]->tcps_active && args[3]->tcps_state == TCP_STATE_CLOSED/ {
            printf("%d %d %d %d %d %d %d\n", args[3]->tcps_mss, args[3]->tcps_rto, args[3]->tcps_cwnd_segs,
                args[3]->tcps_cwnd, args[3]->tcps_rtt, args[3]->tcps_snd_ws, args[3]->tcps_rcv_ws);
        }"#;
    let seen = observe(program, "tcp_transfer", &["100000"])?;
    let rows = rows(&seen)?;
    ensure!(rows.len() == 1, "{seen:?}");
    let names = ["mss", "rto", "cwnd", "cwnd_bytes", "rtt", "snd_ws", "rcv_ws"];
    for (name, told) in names.iter().zip(&rows[0]) {
        let truth = seen.report.number(name)?;
        ensure!(*told == truth, "{name}: {told}, TCP_INFO says {truth}: {seen:?}");
    }
    Ok(())
}

/// The client sends so many bytes, the server four; then both wait until all is acknowledged, and the client resets.
fn transfer(arguments: &[String]) -> Result<Report> {
    let bytes: usize = arguments[0].parse()?;
    let (_listener, mut client, mut server) = pair((Ipv4Addr::LOCALHOST, 0).into())?;
    let ports = ports(&client)?;
    let reader = std::thread::spawn(move || -> std::io::Result<TcpStream> {
        server.read_exact(&mut vec![0; bytes])?;
        server.write_all(b"done")?;
        Ok(server)
    });
    client.write_all(&vec![b'x'; bytes])?;
    client.read_exact(&mut [0; 4])?;
    let server = reader.join().expect("it does not panic")?;
    // Acknowledgements are late.
    until("all is acknowledged", || {
        Ok(TcpInfo::of(&client)?.unacknowledged() + TcpInfo::of(&server)?.unacknowledged() == 0)
    })?;
    let (here, there) = (TcpInfo::of(&client)?, TcpInfo::of(&server)?);
    let report = Report::default()
        .with("server", ports.0)
        .with("client", ports.1)
        .with("client_segs_out", here.word(136))
        .with("client_segs_in", here.word(140))
        .with("server_segs_out", there.word(136))
        .with("server_segs_in", there.word(140))
        .with("client_bytes_sent", here.word(200))
        .with("server_bytes_sent", there.word(200))
        .with("mss", here.word(16))
        .with("rto", here.word(8) / 1000)
        .with("cwnd", here.word(80))
        .with("cwnd_bytes", here.word(80) * here.word(16))
        .with("rtt", here.word(68))
        .with("snd_ws", here.0[6] & 15)
        .with("rcv_ws", here.0[6] >> 4);
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    // SAFETY: the option's value is a linger of that size.
    let set = unsafe {
        let size = size_of_val(&linger) as libc::socklen_t;
        let value = (&raw const linger).cast();
        libc::setsockopt(client.as_raw_fd(), libc::SOL_SOCKET, libc::SO_LINGER, value, size)
    };
    ensure!(set == 0, "{}", std::io::Error::last_os_error());
    drop(client);
    Ok(report)
}

/// struct tcp_info of include/uapi/linux/tcp.h.
struct TcpInfo([u8; 232]);

impl TcpInfo {
    fn of(stream: &TcpStream) -> Result<Self> {
        let mut bytes = [0; 232];
        let mut size = 232;
        // SAFETY: `bytes` can be written for `size` bytes.
        let got = unsafe {
            let to = bytes.as_mut_ptr().cast();
            libc::getsockopt(stream.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, to, &mut size)
        };
        ensure!(got == 0 && size >= 208, "TCP_INFO: {}", std::io::Error::last_os_error());
        Ok(Self(bytes))
    }

    fn unacknowledged(&self) -> u32 {
        self.word(24)
    }

    fn word(&self, at: usize) -> u32 {
        u32::from_ne_bytes(self.0[at..at + 4].try_into().expect("four bytes"))
    }
}

/// A listener, a client that is connected to it, and the server's end.
fn pair(at: SocketAddr) -> Result<(TcpListener, TcpStream, TcpStream)> {
    let listener = TcpListener::bind(at)?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    Ok((listener, client, server))
}

/// The ports of the server and of the client.
fn ports(client: &TcpStream) -> Result<(u16, u16)> {
    Ok((client.peer_addr()?.port(), client.local_addr()?.port()))
}

/// The state that /proc/net/tcp and tcp6 show of the connection between these ports.
fn listed_state(local: u16, remote: u16) -> Result<Option<String>> {
    let [four, six] = ["/proc/net/tcp", "/proc/net/tcp6"].map(std::fs::read_to_string);
    let text = four? + &six.unwrap_or_default();
    let (local, remote) = (format!(":{local:04X}"), format!(":{remote:04X}"));
    Ok(text.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (words[1].ends_with(&local) && words[2].ends_with(&remote)).then(|| words[3].to_owned())
    }))
}
