//! The sockets of TCP and UDP as /proc shows them: what was before the tracer, and whose it is.
//!
//! /proc/PID/net/tcp and udp have every socket of a network namespace, without its owner; /proc/PID/fd has the owner, by the
//! socket's inode.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use probes_common::connections::{Connection, Ends, Owner};
use probes_common::names::tcp_state;
use probes_common::schema::Ip;

use super::process::{self, Process};

/// What the maps of the kernel side are to be filled with.
#[derive(Debug, Default)]
pub struct Rows {
    /// For the map SEEDS: the owners of TCP sockets, by inode.
    pub owners: Vec<(u64, Owner)>,
    /// For the map CONNECTIONS.
    pub connections: Vec<(Ends, Connection)>,
    /// For the map DATAGRAMS.
    pub datagrams: Vec<(Ends, Connection)>,
}

/// A line of /proc/PID/net/tcp or its like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line {
    local: (Ip, u16),
    remote: (Ip, u16),
    state: u32,
    inode: u64,
}

/// The sockets that exist now. What cannot be read is left out: the process has ended.
pub fn rows() -> Rows {
    let processes = process::list().unwrap_or_default();
    let mut namespaces = HashSet::new();
    let (mut lines, mut datagrams) = (Vec::new(), Vec::new());
    for process in &processes {
        let Some(netns) = namespace(process.pid) else { continue };
        if namespaces.insert(netns) {
            let of = |file| {
                let text = fs::read_to_string(format!("/proc/{}/net/{file}", process.pid));
                let lines = text.unwrap_or_default();
                lines.lines().filter_map(parse).map(|line| (netns, line)).collect::<Vec<_>>()
            };
            lines.extend(["tcp", "tcp6"].into_iter().flat_map(of));
            datagrams.extend(["udp", "udp6"].into_iter().flat_map(of));
        }
    }
    let mut owners = HashMap::new();
    for process in &processes {
        for inode in sockets(process.pid) {
            owners.entry(inode).or_insert_with(|| owner(process));
        }
    }
    Rows { datagrams: join_datagrams(&datagrams, &owners), ..join(&lines, &owners) }
}

/// UDP sockets that have a port, with their owners.
fn join_datagrams(lines: &[(u32, Line)], owners: &HashMap<u64, Owner>) -> Vec<(Ends, Connection)> {
    let owned = lines.iter().filter_map(|(netns, line)| Some((*netns, line, *owners.get(&line.inode)?)));
    let row = |(netns, line, owner): (u32, &Line, Owner)| {
        let ends = if line.remote.1 == 0 { alone(netns, line) } else { both(netns, line) };
        (ends, Connection { owner, ..Connection::default() })
    };
    owned.map(row).collect()
}

fn both(netns: u32, line: &Line) -> Ends {
    Ends {
        local: line.local.0,
        remote: line.remote.0,
        netns,
        local_port: line.local.1,
        remote_port: line.remote.1,
    }
}

/// The local end, without an address where it takes any.
fn alone(netns: u32, line: &Line) -> Ends {
    let local = if is_unspecified(line.local.0) { NONE } else { line.local.0 };
    Ends { local, remote: NONE, remote_port: 0, ..both(netns, line) }
}

fn join(lines: &[(u32, Line)], owners: &HashMap<u64, Owner>) -> Rows {
    let listening: HashSet<(u32, u16)> = lines
        .iter()
        .filter(|(_, line)| line.state == tcp_state::LISTEN)
        .map(|(netns, line)| (*netns, line.local.1))
        .collect();
    let mut rows = Rows::default();
    for (netns, line) in lines {
        // A handshake under way is known by the socket that listens.
        if line.state == tcp_state::SYN_RECV {
            continue;
        }
        // Nobody says who opened a connection; where its port is listened on, it was not this end.
        let active = u32::from(!listening.contains(&(*netns, line.local.1)));
        let owner = Owner { active, ..owners.get(&line.inode).copied().unwrap_or_default() };
        if owner.pid != 0 {
            rows.owners.push((line.inode, owner));
        }
        let ends = if line.state == tcp_state::LISTEN { alone(*netns, line) } else { both(*netns, line) };
        // Without an inode it is closed: the kernel keeps the last two of its states without a `sock`.
        let detached = line.inode == 0 && matches!(line.state, tcp_state::FIN_WAIT2 | tcp_state::TIME_WAIT);
        let connection =
            Connection { owner, state: line.state, detached: detached.into(), ..Connection::default() };
        rows.connections.push((ends, connection));
    }
    rows
}

const NONE: Ip = Ip([0; 16]);

fn is_unspecified(ip: Ip) -> bool {
    std::net::Ipv6Addr::from(ip.0).to_canonical().is_unspecified()
}

fn owner(process: &Process) -> Owner {
    let mut comm = [0; 16];
    let length = process.comm.len().min(15);
    comm[..length].copy_from_slice(&process.comm.as_bytes()[..length]);
    Owner { pid: process.pid, uid: process.uid, comm, active: 0, entered: 0 }
}

/// The number of a process's network namespace.
fn namespace(pid: u32) -> Option<u32> {
    bracketed(&fs::read_link(format!("/proc/{pid}/ns/net")).ok()?, "net:")
}

/// The inodes of the sockets that a process has open.
fn sockets(pid: u32) -> impl Iterator<Item = u64> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten();
    entries.filter_map(|entry| bracketed(&fs::read_link(entry.ok()?.path()).ok()?, "socket:"))
}

/// The number in `prefix[number]`.
fn bracketed<T: std::str::FromStr>(link: &Path, prefix: &str) -> Option<T> {
    link.to_str()?.strip_prefix(prefix)?.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// The headline is none: its second word is no address.
fn parse(line: &str) -> Option<Line> {
    let mut words = line.split_ascii_whitespace().skip(1);
    let local = address(words.next()?)?;
    let remote = address(words.next()?)?;
    let state = u32::from_str_radix(words.next()?, 16).ok()?;
    let inode = words.nth(5)?.parse().ok()?;
    Some(Line { local, remote, state, inode })
}

/// An address and port: words of memory as numbers, in hexadecimal (tcp4_seq_show, net/ipv4/tcp_ipv4.c).
fn address(text: &str) -> Option<(Ip, u16)> {
    let (address, port) = text.split_once(':')?;
    let mut ip = [0; 16];
    let (start, words) = match address.len() {
        8 => (12, 1),
        32 => (0, 4),
        _ => return None,
    };
    if words == 1 {
        ip[10..12].fill(0xff);
    }
    for word in 0..words {
        let number = u32::from_str_radix(address.get(word * 8..word * 8 + 8)?, 16).ok()?;
        ip[start + word * 4..][..4].copy_from_slice(&number.to_ne_bytes());
    }
    Some((Ip(ip), u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};

    use super::*;

    fn ip(text: &str) -> Ip {
        let address: std::net::IpAddr = text.parse().expect("an address");
        Ip(match address {
            std::net::IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
            std::net::IpAddr::V6(v6) => v6.octets(),
        })
    }

    #[test]
    fn lines_are_read() {
        assert_eq!(
            parse("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt"),
            None
        );
        let line = " 1: 0100007F:C992 0200007F:9A43 06 00000000:00000000 03:000005E6 00000000     0        0 77 3 00";
        let line = parse(line).expect("a line");
        assert_eq!(line.local, (ip("127.0.0.1"), 0xc992));
        assert_eq!(line.remote, (ip("127.0.0.2"), 0x9a43));
        assert_eq!((line.state, line.inode), (tcp_state::TIME_WAIT, 77));
        let six = "00000000000000000000000001000000:0016";
        assert_eq!(address(six), Some((ip("::1"), 22)));
    }

    #[test]
    fn a_port_that_is_listened_on_did_not_open() {
        let line = |local: (&str, u16), remote: (&str, u16), state, inode| Line {
            local: (ip(local.0), local.1),
            remote: (ip(remote.0), remote.1),
            state,
            inode,
        };
        let lines = [
            (1, line(("0.0.0.0", 80), ("0.0.0.0", 0), tcp_state::LISTEN, 5)),
            (1, line(("10.0.0.1", 80), ("10.0.0.2", 999), tcp_state::ESTABLISHED, 6)),
            (1, line(("10.0.0.1", 999), ("10.0.0.3", 80), tcp_state::ESTABLISHED, 7)),
            (1, line(("10.0.0.1", 998), ("10.0.0.3", 80), tcp_state::FIN_WAIT2, 0)),
        ];
        let owners = HashMap::from([(6, Owner { pid: 42, ..Owner::default() })]);
        let rows = join(&lines, &owners);
        assert_eq!(rows.owners, [(6, Owner { pid: 42, ..Owner::default() })]);
        assert_eq!(rows.connections[0].0.local, NONE);
        let active: Vec<u32> = rows.connections.iter().map(|(_, it)| it.owner.active).collect();
        assert_eq!(active, [0, 0, 1, 1]);
        assert_eq!(rows.connections[3].1.detached, 1);
    }

    #[test]
    fn own_sockets_are_found() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens");
        let from = stream.local_addr().expect("it is bound").port();
        let rows = rows();
        let find = |port| rows.connections.iter().find(|(ends, _)| ends.local_port == port);
        let (ends, listening) = find(port).expect("it listens");
        assert_eq!((ends.remote_port, listening.state), (0, tcp_state::LISTEN));
        let (ends, connection) = find(from).expect("it is connected");
        assert_eq!((ends.remote_port, connection.state), (port, tcp_state::ESTABLISHED));
        assert_eq!((connection.owner.pid, connection.owner.active), (std::process::id(), 1));
    }

    #[test]
    fn own_datagram_sockets_are_found_by_their_port() {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a port is free");
        let port = socket.local_addr().expect("it is bound").port();
        let rows = rows();
        let (ends, known) =
            rows.datagrams.iter().find(|(ends, _)| ends.local_port == port).expect("it is bound");
        assert_eq!((ends.local, ends.remote_port, known.owner.pid), (NONE, 0, std::process::id()));
    }
}
