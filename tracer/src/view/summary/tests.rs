//! Tables of stored events.

use super::*;
use crate::event::samples;

#[test]
fn every_table() {
    let mut summary = Summary::default();
    samples::events().iter().for_each(|event| summary.add(event));
    let text = summary.render(samples::START + 1_000_000_000);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn nothing_comes_to_nothing() {
    assert_eq!(Summary::default().render(5), "");
}

#[test]
fn bytes_find_their_readers_also_when_a_write_is_told_late() {
    let mut summary = Summary::default();
    let transfer = |pid, write, bytes| samples::transfer(pid, write, bytes);
    // The reader has got 10 bytes of a write that ends only then; a second writer's 5 are not read.
    let events = [transfer(2, false, 10), transfer(1, true, 16), transfer(2, false, 6), transfer(3, true, 5)];
    events.iter().for_each(|event| summary.add(event));
    let text = summary.render(0);
    let words: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(words.contains(&vec!["77", "p1", "1", "p2", "2", "16"]), "{text}");
    assert!(words.contains(&vec!["77", "p3", "3", "nobody", "seen", "5"]), "{text}");
}

#[test]
fn each_connection_is_one_row_an_end_also_where_addresses_are_used_again() {
    use crate::event::number::{TcpFlags, TcpState};
    use crate::event::{Connection, Endpoint, Process, Segment, Tcp, Text, What};
    let mut summary = Summary::default();
    let mut time = samples::START;
    let mut add = |number: u64, ends: [u16; 2], what: Option<(u32, u32)>| {
        let endpoint = |port| Endpoint { address: if port == 0 { "" } else { "127.0.0.1" }.to_owned(), port };
        let [local, remote] = ends.map(endpoint);
        let connection = Connection { connection: number, local, remote };
        let segment = Segment { flags: TcpFlags(2), seq: 0, ack: 0, bytes: 0, window: 1 };
        let tcp = match what {
            Some((old, new)) => Tcp::StateChange { connection, old: TcpState(old), new: TcpState(new) },
            None => Tcp::Receive { connection, segment },
        };
        time += 1000;
        let process = Process { pid: 1, execname: Text::from("server") };
        summary.add(&Event { time, cpu: 0, process, what: What::Tcp(tcp) });
    };
    add(1, [80, 0], Some((7, 10)));
    for _ in 0..2 {
        // A SYN comes to the listener; its socket has a peer only later, as on Linux 6.1.
        add(1, [80, 4000], None);
        add(1, [80, 4000], None);
        add(2, [80, 0], Some((10, 3)));
        add(2, [80, 4000], Some((3, 1)));
        add(2, [80, 4000], Some((1, 7)));
    }
    // Nothing has come of this one.
    add(3, [0, 81], Some((7, 2)));
    add(3, [0, 81], Some((2, 7)));
    let text = summary.render(time);
    let rows = |remote: &str| text.lines().filter(|line| line.contains(remote)).count();
    // Two connections, each a row of traffic and three of states.
    assert_eq!(rows(" 127.0.0.1:4000 "), 2 * (1 + 3), "{text}");
    assert_eq!(rows(" 127.0.0.1:81 "), 1 + 2, "{text}");
    assert!(
        text.lines().filter(|line| line.ends_with("0           0         2               0")).count() == 2,
        "{text}"
    );
}
