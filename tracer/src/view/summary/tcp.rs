//! TCP connections: what went over them, and the states that each end was in.

use std::collections::HashMap;

use probes_common::names::tcp_state;

use super::Sheet;
use crate::event::number::TcpState;
use crate::event::{Connection, Endpoint, Process, Segment, Tcp, Text};
use crate::view::duration;
use crate::view::lines::name;

/// The ends, in the order in which they were seen.
///
/// A socket is known by its number from its first state to its last; segments, which may come before there is a socket and after
/// there was one, find their end by its addresses. Both can be used again by the next connection.
#[derive(Default)]
pub(super) struct Connections {
    ends: Vec<End>,
    by_number: HashMap<u64, usize>,
    /// States of sockets that have not got both addresses yet, by number.
    early: HashMap<u64, Vec<(TcpState, u64)>>,
    /// The last end with these addresses.
    by_address: HashMap<(Endpoint, Endpoint), usize>,
}

/// What [`Connections::early`] finds.
enum Early {
    /// The event waits for the socket's addresses.
    Waits,
    /// These states come first; mostly none.
    States(Vec<(TcpState, u64)>),
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
        let early = match self.early(time, tcp) {
            Early::Waits => return,
            Early::States(states) => states,
        };
        let index = self.index(tcp, !early.is_empty());
        let end = &mut self.ends[index];
        if end.local.port == 0 {
            end.local = connection.local.clone();
        }
        // A connection that is being accepted is its listener's at first.
        if owner.pid != 0 {
            end.owner = owner.clone();
        }
        let known = !early.is_empty() || matches!(tcp, Tcp::StateChange { .. });
        end.states.extend(early);
        match tcp {
            Tcp::StateChange { new, .. } => end.states.push((*new, time)),
            Tcp::Send { segment, .. } => end.sent.add(segment),
            Tcp::Receive { segment, .. } => end.received.add(segment),
            _ => {}
        }
        let over = end.is_over();
        if is_whole(connection) {
            self.by_address.insert((connection.local.clone(), connection.remote.clone()), index);
        }
        if over {
            self.by_number.remove(&connection.connection);
        } else if known {
            self.by_number.insert(connection.connection, index);
        }
    }

    /// The states of before that come with an event: of a socket that has got its addresses, or goes without.
    fn early(&mut self, time: u64, tcp: &Tcp) -> Early {
        let connection = tcp.connection();
        let number = connection.connection;
        let Tcp::StateChange { old, new, .. } = tcp else {
            let states = if is_whole(connection) { self.early.remove(&number) } else { None };
            return Early::States(states.unwrap_or_default());
        };
        if old.0 == tcp_state::CLOSE {
            self.early.remove(&number);
        }
        let listens = new.0 == tcp_state::LISTEN || (old.0 == tcp_state::LISTEN && new.0 == tcp_state::CLOSE);
        if is_whole(connection) || listens || new.0 == tcp_state::CLOSE {
            return Early::States(self.early.remove(&number).unwrap_or_default());
        }
        self.early.entry(number).or_default().push((*new, time));
        Early::Waits
    }

    /// The end that an event is about, a new one where there is none. `begins` says that its socket has just got its addresses.
    fn index(&mut self, tcp: &Tcp, begins: bool) -> usize {
        let connection = tcp.connection();
        let numbered = || self.by_number.get(&connection.connection).copied();
        let addressed =
            || self.by_address.get(&(connection.local.clone(), connection.remote.clone())).copied();
        let going_on = || addressed().filter(|&at| !self.ends[at].is_over());
        let found = match tcp {
            _ if begins => going_on(),
            Tcp::StateChange { old, .. } if old.0 == tcp_state::CLOSE => None,
            Tcp::StateChange { .. } => numbered().or_else(going_on),
            Tcp::Receive { segment, .. } if segment.asks_to_connect() => going_on(),
            _ => addressed(),
        };
        found.unwrap_or_else(|| {
            self.ends.push(End::new(connection));
            self.ends.len() - 1
        })
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

/// Whether both ends of a connection are known.
fn is_whole(connection: &Connection) -> bool {
    connection.local.port != 0 && connection.remote.port != 0
}

/// How long a connection stays in TIME_WAIT: `TCP_TIMEWAIT_LEN` of include/net/tcp.h. The end of it cannot be seen.
const TIME_WAIT: u64 = 60_000_000_000;

impl End {
    fn new(connection: &Connection) -> End {
        End {
            owner: Process { pid: 0, execname: Text::default() },
            local: connection.local.clone(),
            remote: connection.remote.clone(),
            sent: Traffic::default(),
            received: Traffic::default(),
            states: Vec::new(),
        }
    }

    fn state(&self) -> Option<u32> {
        self.states.last().map(|(state, _)| state.0)
    }

    /// Whether its socket is no more: the next with its addresses is another.
    fn is_over(&self) -> bool {
        matches!(self.state(), Some(tcp_state::CLOSE | tcp_state::TIME_WAIT))
    }

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

    /// A row a state, with the time until the next one; of one that lasts it is more than that until the end.
    fn states(&self, end: u64) -> Vec<Vec<String>> {
        let until = self.states.iter().skip(1).map(|(_, next)| Some(*next)).chain([None]);
        let row = |((state, since), until): (&(TcpState, u64), Option<u64>)| {
            let so_far = end.saturating_sub(*since);
            let time = match (until, state.0) {
                (Some(until), _) => duration(until.saturating_sub(*since)),
                (None, tcp_state::CLOSE) => String::new(),
                (None, tcp_state::TIME_WAIT) if so_far > TIME_WAIT => duration(TIME_WAIT),
                (None, _) => format!("> {}", duration(so_far)),
            };
            let mut row = self.names();
            row.extend([state.to_string(), time]);
            row
        };
        self.states.iter().zip(until).map(row).collect()
    }
}
