//! TCP connections: what went over them, and the states that each end was in.

use std::collections::HashMap;

use probes_common::names::tcp_state;

use super::Sheet;
use crate::event::number::TcpState;
use crate::event::{Connection, Endpoint, Process, Segment, Tcp};
use crate::view::duration;
use crate::view::lines::name;

/// The ends, in the order in which they were seen.
#[derive(Default)]
pub(super) struct Connections {
    ends: Vec<End>,
    by_address: HashMap<(Endpoint, Endpoint), usize>,
    /// States of sockets that have not got both addresses yet, by the connection's number.
    early: HashMap<u64, Vec<(TcpState, u64)>>,
}

/// One end of a connection.
struct End {
    owner: Process,
    local: Endpoint,
    remote: Endpoint,
    sent: Traffic,
    received: Traffic,
    states: Vec<(TcpState, u64)>,
}

#[derive(Default)]
struct Traffic {
    segments: u64,
    bytes: u64,
}

impl Traffic {
    fn add(&mut self, segment: &Segment) {
        self.segments += 1;
        self.bytes += u64::from(segment.bytes);
    }
}

impl Connections {
    pub(super) fn add(&mut self, time: u64, owner: &Process, tcp: &Tcp) {
        let connection = tcp.connection();
        let listens = |state: &TcpState| state.0 == tcp_state::LISTEN;
        let whole = connection.local.port != 0 && connection.remote.port != 0;
        if let Tcp::StateChange { old, new, .. } = tcp
            && !whole
            && !listens(new)
            && !(listens(old) && new.0 == tcp_state::CLOSE)
        {
            self.early.entry(connection.connection).or_default().push((*new, time));
            return;
        }
        let early = if whole { self.early.remove(&connection.connection) } else { None };
        let end = self.end(connection);
        end.states.extend(early.unwrap_or_default());
        // A connection that is being accepted is its listener's at first.
        if owner.pid != 0 {
            end.owner = owner.clone();
        }
        match tcp {
            Tcp::StateChange { new, .. } => end.states.push((*new, time)),
            Tcp::Send { segment, .. } => end.sent.add(segment),
            Tcp::Receive { segment, .. } => end.received.add(segment),
            _ => {}
        }
    }

    fn end(&mut self, Connection { local, remote, .. }: &Connection) -> &mut End {
        let index = *self.by_address.entry((local.clone(), remote.clone())).or_insert(self.ends.len());
        if index == self.ends.len() {
            self.ends.push(End {
                owner: Process { pid: 0, execname: crate::event::Text::default() },
                local: local.clone(),
                remote: remote.clone(),
                sent: Traffic::default(),
                received: Traffic::default(),
                states: Vec::new(),
            });
        }
        &mut self.ends[index]
    }

    pub(super) fn sheets(&self, end: u64) -> [Sheet; 2] {
        [
            Sheet {
                title: "TCP connections, each end by itself",
                words: &["OWNER", "LOCAL", "REMOTE"],
                numbers: &["SENT", "BYTES SENT", "RECEIVED", "BYTES RECEIVED"],
                rows: self.ends.iter().map(End::traffic).collect(),
            },
            Sheet {
                title: "TCP states",
                words: &["OWNER", "LOCAL", "REMOTE", "STATE"],
                numbers: &["FOR"],
                rows: self.ends.iter().flat_map(|connection| connection.states(end)).collect(),
            },
        ]
    }
}

impl End {
    fn names(&self) -> Vec<String> {
        vec![name(&self.owner), self.local.to_string(), self.remote.to_string()]
    }

    fn traffic(&self) -> Vec<String> {
        let mut row = self.names();
        row.extend(
            [&self.sent, &self.received]
                .iter()
                .flat_map(|traffic| [traffic.segments.to_string(), traffic.bytes.to_string()]),
        );
        row
    }

    /// A row a state, with the time until the next one, or until the end.
    fn states(&self, end: u64) -> Vec<Vec<String>> {
        let until = self.states.iter().skip(1).map(|(_, since)| *since).chain([end]);
        let row = |((state, since), until): (&(TcpState, u64), u64)| {
            let mut row = self.names();
            row.push(state.to_string());
            row.push(match state.0 {
                tcp_state::CLOSE => String::new(),
                _ => duration(until.saturating_sub(*since)),
            });
            row
        };
        self.states.iter().zip(until).map(row).collect()
    }
}
