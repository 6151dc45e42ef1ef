//! The udp and ip providers: datagrams between two processes, with their ports, sizes and owners; the headers of packets against
//! the options that the workload has set.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;

use anyhow::{Result, ensure};

use crate::harness::{Family, Report, observe, skip};

pub(crate) const FAMILY: Family = Family {
    name: "datagram",
    tests: &[
        ("datagrams_belong_to_who_sends_and_who_receives_them", datagrams_have_owners),
        ("a_socket_that_was_before_is_known", a_socket_before),
        ("connected_sockets_say_both_ends", both_ends),
        ("headers_are_as_the_socket_was_told", headers),
        ("segments_have_their_owner_in_ip_too", segments),
        ("pcap_shows_packets_and_writes_capture_files", captured),
    ],
    workloads: &[
        ("datagram_pair", pair),
        ("datagram_to", to),
        ("datagram_connected", connected),
        ("datagram_hops", hops),
        ("datagram_segments", stream),
    ],
};

/// A process asks, and this one answers, in datagrams of different sizes.
fn pair(_: &[String]) -> Result<Report> {
    let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let client = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let (here, there) = (server.local_addr()?, client.local_addr()?.port());
    // SAFETY: a workload has one thread; the child calls nothing that another thread could hold.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let turn =
            |size: usize| client.send_to(&[1; 1000][..size], here).and_then(|_| client.recv(&mut [0; 1000]));
        let failed = (1..=4).any(|turns| turn(100 * turns).is_err());
        // SAFETY: _exit ends the child.
        unsafe { libc::_exit(failed.into()) };
    }
    let (me, port) = (std::process::id(), here.port());
    let mut lines = Vec::new();
    for _ in 0..4 {
        let (size, from) = server.recv_from(&mut [0; 1000])?;
        ensure!(from.port() == there, "from a stranger");
        server.send_to(&[2; 1000][..size + 1], from)?;
        let length = size + 8;
        lines.push(format!("send {child} {there} {port} {length}"));
        lines.push(format!("receive {me} {there} {port} {length}"));
        lines.push(format!("send {me} {port} {there} {}", length + 1));
        lines.push(format!("receive {child} {port} {there} {}", length + 1));
    }
    // SAFETY: waits for the child, and writes nothing.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    Ok(Report::default().with("lines", lines.join("; ")))
}

fn captured() -> Result<()> {
    let path = std::env::temp_dir().join(format!("tracer-test-{}.pcap", std::process::id()));
    let program = format!(
        r#"#pragma D option destructive
        #pragma D option pcapsize=64
        ip:::send /pid == $1 && args[4]->ipv4_protocol == IPPROTO_UDP/ {{
            pcap(args[0]->pkt_addr, PCAP_IP); freopen("{path}"); pcap((struct sk_buff *)args[0]->pkt_addr, PCAP_IP); freopen("");
        }}"#,
        path = path.display()
    );
    let seen = observe(&program, "datagram_pair", &[])?;
    let file = std::fs::read(&path)?;
    std::fs::remove_file(&path)?;
    let word = |at: usize| u32::from_ne_bytes([file[at], file[at + 1], file[at + 2], file[at + 3]]);
    ensure!(word(0) == 0xa1b2_c3d4 && word(16) == 64 && word(20) == 12, "{:?}", &file[..24]);
    // The answers: 64 bytes of each, the first of them an IP header, the last the payload.
    let mut at = 24;
    for turn in 1..=4 {
        let (kept, whole) = (word(at + 8), word(at + 12));
        ensure!((kept, whole) == (64, 100 * turn + 1 + 28), "packet {turn}: {kept} of {whole}: {seen:?}");
        let packet = &file[at + 16..at + 16 + 64];
        ensure!(packet[0] == 0x45 && packet[12..20] == [127, 0, 0, 1, 127, 0, 0, 1], "{packet:?}");
        ensure!(packet[28..].iter().all(|&byte| byte == 2), "{packet:?}");
        at += 16 + 64;
    }
    ensure!(at == file.len(), "{} bytes", file.len());
    let shown = seen.output.lines().iter().filter(|line| line.trim_start().starts_with("0: 45 00")).count();
    ensure!(shown == 4, "{seen:?}");
    Ok(())
}

fn datagrams_have_owners() -> Result<()> {
    const PROGRAM: &str = r#"
        int right;
        proc:::create /pid == $1/ { child = args[0]->pr_pid; }
        udp:::send,udp:::receive /args[1]->cs_pid == $1 || child && args[1]->cs_pid == child/ {
            printf("%s %d %d %d %d\n", probename, args[1]->cs_pid, args[4]->udp_sport, args[4]->udp_dport,
                args[4]->udp_length);
            right += args[2]->ip_saddr == "127.0.0.1" && args[2]->ip_daddr == "127.0.0.1" && args[2]->ip_ver == 4
                && args[2]->ip_plength == args[4]->udp_length && args[3]->udps_lport == (probename == "send" ?
                args[4]->udp_sport : args[4]->udp_dport) && args[3]->udps_addr == args[1]->cs_addr;
        }
        END { printf("right %d\n", right); }"#;
    let seen = observe(PROGRAM, "datagram_pair", &[])?;
    let truth = format!("{}; right 16", seen.report.text("lines")?);
    ensure!(seen.output.lines().join("; ") == truth, "truth {truth} {seen:?}");
    Ok(())
}

/// Sends a datagram of so many bytes to that port.
fn to(arguments: &[String]) -> Result<Report> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.send_to(&[3; 77], (Ipv4Addr::LOCALHOST, arguments[0].parse()?))?;
    Ok(Report::default().with("port", socket.local_addr()?.port()))
}

/// This process has the socket, since before the tracer is started.
fn a_socket_before() -> Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let port = socket.local_addr()?.port();
    let program = format!(
        r#"udp:::receive /args[4]->udp_dport == {port} && args[1]->cs_pid != $1/ {{
            printf("%d %s %d %d\n", args[1]->cs_pid, args[1]->cs_comm, args[4]->udp_sport, args[4]->udp_length);
        }}"#
    );
    let seen = observe(&program, "datagram_to", &[&port.to_string()])?;
    let comm = std::fs::read_to_string("/proc/self/comm")?;
    let from = seen.report.number("port")?;
    let expected = format!("{} {} {from} 85", std::process::id(), comm.trim_end());
    ensure!(seen.output.lines() == [expected.as_str()], "{expected} {seen:?}");
    Ok(())
}

/// Two connected sockets of IPv6; one byte goes over.
fn connected(_: &[String]) -> Result<Report> {
    let any = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
    let (Ok(first), Ok(second)) = (UdpSocket::bind(any), UdpSocket::bind(any)) else {
        return Ok(Report::default().with("skip", "no IPv6 here"));
    };
    first.connect(second.local_addr()?)?;
    second.connect(first.local_addr()?)?;
    first.send(b"x")?;
    second.recv(&mut [0])?;
    let (from, to) = (first.local_addr()?.port(), second.local_addr()?.port());
    Ok(Report::default().with("lines", format!("send ::1 {from} ::1 {to}; receive ::1 {to} ::1 {from}")))
}

fn both_ends() -> Result<()> {
    const PROGRAM: &str = r#"
        udp:::send,udp:::receive /args[1]->cs_pid == $1/ {
            printf("%s %s %d %s %d\n", probename, args[3]->udps_laddr, args[3]->udps_lport, args[3]->udps_raddr,
                args[3]->udps_rport);
        }"#;
    let seen = observe(PROGRAM, "datagram_connected", &[])?;
    if let Ok(reason) = seen.report.text("skip") {
        return skip(reason);
    }
    ensure!(seen.output.lines().join("; ") == seen.report.text("lines")?, "{seen:?}");
    Ok(())
}

/// Sends a datagram of 100 bytes by each version of the protocol, with numbers of hops and types of service of its own.
fn hops(_: &[String]) -> Result<Report> {
    let set = |socket: &UdpSocket, level: i32, option: i32, value: i32| {
        let (value, size) = (&raw const value, size_of::<i32>() as u32);
        // SAFETY: the value is read.
        let status = unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, value.cast(), size) };
        ensure!(status == 0, "setsockopt: {}", std::io::Error::last_os_error());
        Ok(())
    };
    let four = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    four.set_ttl(77)?;
    set(&four, libc::IPPROTO_IP, libc::IP_TOS, 0x28)?;
    four.send_to(&[4; 100], four.local_addr()?)?;
    // Who receives it may be a thread of the kernel, later.
    four.recv(&mut [0; 100])?;
    let Ok(six) = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)) else {
        return Ok(Report::default().with("skip", "no IPv6 here"));
    };
    set(&six, libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS, 55)?;
    set(&six, libc::IPPROTO_IPV6, libc::IPV6_TCLASS, 0x28)?;
    six.send_to(&[6; 100], six.local_addr()?)?;
    six.recv(&mut [0; 100])?;
    Ok(Report::default())
}

fn headers() -> Result<()> {
    const PROGRAM: &str = r#"
        ip:::send,ip:::receive /args[1]->cs_pid == $1 && args[2]->ip_ver == 4/ {
            printf("%s %s %d %d %d %d %x %d %d %s %s %s %d\n", probename, args[3]->if_name, args[3]->if_local,
                args[4]->ipv4_ver, args[4]->ipv4_ihl, args[4]->ipv4_length, args[4]->ipv4_tos, args[4]->ipv4_ttl,
                args[4]->ipv4_protocol, args[4]->ipv4_protostr, args[4]->ipv4_saddr, inet_ntoa(&args[4]->ipv4_dst),
                args[5]->ipv6_ver);
        }
        ip:::send,ip:::receive /args[1]->cs_pid == $1 && args[5] != NULL/ {
            printf("%s %s %d %d %d %x %d %d %s %s %s %d\n", probename, args[3]->if_name, args[3]->if_local,
                args[5]->ipv6_ver, args[5]->ipv6_plen, args[5]->ipv6_tclass, args[5]->ipv6_hlim, args[5]->ipv6_nexthdr,
                args[5]->ipv6_nextstr, args[5]->ipv6_saddr, inet_ntoa6(args[5]->ipv6_dst), args[4]->ipv4_ver);
        }
        ip:::send,ip:::receive
        /args[1]->cs_pid == $1 && ((args[4] == NULL) == !args[5] || !arg4 != (arg5 != 0) || !args[2] || args[3] == 0)/ {
            printf("%d: %d %d %d\n", args[2]->ip_ver, args[4] == NULL, args[5] == NULL, args[2] == NULL);
        }"#;
    let seen = observe(PROGRAM, "datagram_hops", &[])?;
    if let Ok(reason) = seen.report.text("skip") {
        return skip(reason);
    }
    let four = "lo 1 4 20 128 28 77 17 UDP 127.0.0.1 127.0.0.1 0";
    let six = "lo 1 6 108 28 55 17 UDP ::1 ::1 0";
    let expected = [four, six].map(|line| [format!("send {line}"), format!("receive {line}")]).concat();
    ensure!(seen.output.lines() == expected, "{expected:?} {seen:?}");
    Ok(())
}

/// A connection to this process itself.
fn stream(_: &[String]) -> Result<Report> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let _connection = TcpStream::connect(listener.local_addr()?)?;
    let _accepted = listener.accept()?;
    Ok(Report::default())
}

fn segments() -> Result<()> {
    const PROGRAM: &str = r#"
        ip:::send,ip:::receive /args[1]->cs_pid == $1 && args[4]->ipv4_protocol == IPPROTO_TCP/ { @ip[probename] = count(); }
        tcp:::send,tcp:::receive /args[1]->cs_pid == $1/ { @tcp[probename] = count(); }
        END { printa("%s %@d %@d\n", @ip, @tcp); }"#;
    let seen = observe(PROGRAM, "datagram_segments", &[])?;
    let lines = seen.output.lines();
    let rows: Vec<Vec<&str>> = lines.iter().map(|line| line.split(' ').collect()).collect();
    let same =
        |row: &Vec<&str>| row.len() == 3 && row[1] == row[2] && row[1].parse::<u32>().is_ok_and(|n| n >= 3);
    ensure!(rows.len() == 2 && rows.iter().all(same), "{seen:?}");
    Ok(())
}
