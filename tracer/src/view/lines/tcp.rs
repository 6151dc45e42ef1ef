//! TCP connections as lines. The end whose event it is stands on the left, and numbers are relative to each side's first.

use std::collections::HashMap;

use super::Spans;
use crate::event::{Connection, Endpoint, Segment, Tcp};
use crate::view::plural;

const SYN: u8 = 2;
const ACK: u8 = 16;

/// The sequence number that each side counts from, by sender and receiver.
#[derive(Default)]
pub(super) struct Numbers(HashMap<(Endpoint, Endpoint), u32>);

impl Numbers {
    pub(super) fn say(&mut self, tcp: &Tcp) -> Spans {
        let connection = tcp.connection();
        match tcp {
            Tcp::StateChange { old, new, .. } => {
                let ends = ends(connection, "--");
                Spans::plain(format!("{ends}  {old} => ")).then_verb(new.to_string())
            }
            Tcp::Send { segment, .. } => {
                let (local, remote) = (&connection.local, &connection.remote);
                Spans::plain(ends(connection, "->") + "  ")
                    .then_verb(segment.flags.names().join(" "))
                    .then(self.numbers(segment, local, remote))
            }
            Tcp::Receive { segment, .. } => {
                let (local, remote) = (&connection.local, &connection.remote);
                Spans::plain(ends(connection, "<-") + "  ")
                    .then_verb(segment.flags.names().join(" "))
                    .then(self.numbers(segment, remote, local))
            }
            Tcp::ConnectRequest(_) => {
                Spans::plain(ends(connection, "->") + "  ").then_verb("asks to connect")
            }
            Tcp::ConnectEstablished(_) => {
                Spans::plain(ends(connection, "->") + "  ").then_verb("is connected")
            }
            Tcp::ConnectRefused(_) => Spans::plain(ends(connection, "->") + "  ").trouble("is refused"),
            Tcp::AcceptEstablished(_) => {
                Spans::plain(ends(connection, "<-") + "  ").then_verb("has a connection")
            }
            Tcp::AcceptRefused(_) => {
                Spans::plain(ends(connection, "<-") + "  ").trouble("refuses: nobody listens")
            }
        }
    }

    fn numbers(&mut self, segment: &Segment, from: &Endpoint, to: &Endpoint) -> String {
        let Segment { flags, seq, ack, bytes, window } = segment;
        let way = (from.clone(), to.clone());
        if flags.0 & SYN != 0 {
            self.0.insert(way.clone(), *seq);
        }
        // Of a connection that was there before, the first number seen is 1.
        let first = *self.0.entry(way).or_insert(seq.wrapping_sub(1));
        let mut text = format!(" seq {}", seq.wrapping_sub(first));
        if flags.0 & ACK != 0 {
            let back = (to.clone(), from.clone());
            let first = *self.0.entry(back).or_insert(ack.wrapping_sub(1));
            text += &format!(" ack {}", ack.wrapping_sub(first));
        }
        if *bytes > 0 {
            text += &format!(", {}", plural(u64::from(*bytes), "byte"));
        }
        text + &format!(", win {window}")
    }
}

/// Both ends; the ports alone where both are at the same address.
fn ends(connection: &Connection, arrow: &str) -> String {
    let Connection { local, remote, .. } = connection;
    if local.address == remote.address {
        let port = |port: u16| if port == 0 { ":*".to_owned() } else { format!(":{port}") };
        return format!("{} {arrow} {}", port(local.port), port(remote.port));
    }
    if remote.port == 0 {
        return local.to_string();
    }
    format!("{local} {arrow} {remote}")
}
