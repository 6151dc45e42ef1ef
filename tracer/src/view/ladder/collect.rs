//! The ladder of one connection, from events.

use std::collections::HashMap;

use super::{End, Ladder, Segment, Side, Step};
use crate::event::{Detail, Event, Process, SocketCall, Tcp, What};

/// Gathers the connections to a server's port. Calls belong to the side whose process makes them, which the connection
/// itself tells, maybe later.
#[derive(Debug)]
pub struct Collector {
    port: u16,
    address: String,
    client_port: u16,
    sides: HashMap<u32, Side>,
    ends: [Option<Process>; 2],
    calls: Vec<(u64, u32, SocketCall)>,
    steps: Vec<Step>,
}

impl Collector {
    /// For the server at that port.
    pub fn new(port: u16) -> Collector {
        Collector {
            port,
            address: String::new(),
            client_port: 0,
            sides: HashMap::new(),
            ends: [None, None],
            calls: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// Takes what is of the connection.
    pub fn add(&mut self, event: &Event) {
        match &event.what {
            What::Tcp(tcp) => self.tcp(event.time, &event.process, tcp),
            What::Socket(call) if call.family.0 == libc::AF_INET || call.family.0 == libc::AF_INET6 => {
                self.calls.push((event.time, event.process.pid, call.clone()));
            }
            _ => {}
        }
    }

    /// The picture's material.
    pub fn ladder(mut self) -> Ladder {
        for (time, pid, call) in std::mem::take(&mut self.calls) {
            if let Some(&side) = self.sides.get(&pid) {
                self.steps.extend(steps(time, side, &call));
            }
        }
        let [client, server] = self.ends.map(|process| match process {
            Some(Process { pid, execname }) => (String::from_utf8_lossy(&execname.0).into_owned(), pid),
            None => (String::new(), 0),
        });
        let end =
            |(name, pid): (String, u32), port| End { name, pid, address: format!("{}:{port}", self.address) };
        Ladder { client: end(client, self.client_port), server: end(server, self.port), steps: self.steps }
    }

    fn tcp(&mut self, time: u64, process: &Process, tcp: &Tcp) {
        let connection = tcp.connection();
        let (local, remote) = (connection.local.port, connection.remote.port);
        let side = match self.port {
            port if port == local => Side::Server,
            port if port == remote => Side::Client,
            _ => return,
        };
        if process.pid != 0 {
            self.sides.insert(process.pid, side);
            self.ends[side as usize] = Some(process.clone());
        }
        if remote != 0 {
            self.client_port = if side == Side::Client { local } else { remote };
            self.address.clone_from(&connection.remote.address);
        }
        match tcp {
            Tcp::StateChange { old, new, .. } => {
                let (old, new) = (old.to_string(), new.to_string());
                self.steps.push(Step::State { time_ns: time, side, old, new });
            }
            Tcp::Send { segment, .. } => self.segment(time, side, segment, false),
            Tcp::Receive { segment, .. } => self.segment(time, side.other(), segment, true),
            _ => {}
        }
    }

    /// A segment is one step: its arrival completes the oldest like it that is under way.
    fn segment(&mut self, time: u64, from: Side, segment: &crate::event::Segment, arrived: bool) {
        let segment = Segment {
            sent_ns: time,
            received_ns: None,
            from,
            flags: segment.flags.0,
            seq: segment.seq,
            ack: segment.ack,
            len: segment.bytes,
            window: segment.window,
        };
        let same = |other: &Segment| {
            (other.from, other.flags, other.seq, other.ack, other.len)
                == (segment.from, segment.flags, segment.seq, segment.ack, segment.len)
        };
        let under_way = self.steps.iter_mut().find_map(|step| match step {
            Step::Segment(other) if other.received_ns.is_none() && same(other) => Some(other),
            _ => None,
        });
        match under_way {
            Some(other) if arrived => other.received_ns = Some(time),
            _ => self.steps.push(Step::Segment(segment)),
        }
    }
}

/// A call that ended then: its beginning, of one that may wait or that ends something, and its result.
fn steps(time: u64, side: Side, call: &SocketCall) -> Vec<Step> {
    let name = &call.function;
    let step = |time_ns, args, result| Step::Call { time_ns, side, name: name.clone(), args, result };
    let args = match (name.as_str(), &call.address) {
        ("connect", Some(address)) => address.to_string(),
        ("close", _) => call.fd.to_string(),
        _ => String::new(),
    };
    let mut steps = Vec::new();
    if matches!(name.as_str(), "connect" | "accept" | "accept4" | "close") {
        steps.push(step(time.saturating_sub(call.latency), args, None));
    }
    if name != "close" {
        let result = match (call.error, &call.detail) {
            (Some(error), _) => format!("-1 {error}"),
            (None, Detail::Pair { fd2, .. }) => format!("{} and {fd2}", call.fd),
            (None, _) => call.result.to_string(),
        };
        steps.push(step(time, String::new(), Some(result)));
    }
    steps
}
