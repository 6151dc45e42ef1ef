//! From the records of `connection.d` to the steps of a ladder.

use std::io;

use probes_common::names::TCP_STATES;

use crate::kernel::syscalls::errno_name;
use crate::output::names::{Name, Names};
use crate::output::value::{Event, Firing, Recorded, Value};
use crate::output::{Output, text};
use crate::view::ladder::{End, Ladder, Segment, Side, Step};

/// Gathers the steps of the connection with that server port.
pub(super) struct Collector {
    names: Names,
    port: u16,
    client_port: u16,
    client: (String, u32),
    server: (String, u32),
    steps: Vec<Step>,
}

impl Collector {
    pub(super) fn new(names: Names, port: u16) -> Collector {
        let nobody = || (String::new(), 0);
        Collector { names, port, client_port: 0, client: nobody(), server: nobody(), steps: Vec::new() }
    }

    /// The picture's material.
    pub(super) fn ladder(self) -> Ladder {
        let end = |(name, pid): (String, u32), port| End { name, pid, address: format!("127.0.0.1:{port}") };
        Ladder {
            client: end(self.client, self.client_port),
            server: end(self.server, self.port),
            steps: self.steps,
        }
    }

    fn firing(&mut self, firing: &Firing) -> Option<()> {
        let Name { provider, function, name, .. } = self.names.get(firing.probe);
        let mut fields = Fields(firing.actions.iter());
        let time = firing.time;
        match (provider.as_str(), name.as_str()) {
            ("tcp", "state-change") => {
                let side = self.side(fields.number()? as u16);
                let mut state = || Some(TCP_STATES.get(fields.number()? as usize)?.to_string());
                let (old, new) = (state()?, state()?);
                self.steps.push(Step::State { time_ns: time, side, old, new });
            }
            ("tcp", direction) => {
                let source = fields.number()? as u16;
                let destination = fields.number()? as u16;
                let from = self.side(source);
                self.client_port = if from == Side::Client { source } else { destination };
                let segment = Segment {
                    sent_ns: time,
                    received_ns: None,
                    from,
                    flags: fields.number()? as u8,
                    seq: fields.number()? as u32,
                    ack: fields.number()? as u32,
                    len: fields.number()? as u32,
                    window: fields.number()? as u16,
                };
                self.segment(segment, direction == "receive");
            }
            ("socket", edge) => {
                let process = (fields.text()?, fields.number()? as u32);
                let side = if process.0 == "server" { Side::Server } else { Side::Client };
                let (args, result) = match edge {
                    "entry" => (arguments(&function, &mut fields)?, None),
                    _ => (String::new(), Some(outcome(&mut fields)?)),
                };
                match side {
                    Side::Client => self.client = process,
                    Side::Server => self.server = process,
                }
                let name = function;
                self.steps.push(Step::Call { time_ns: time, side, name, args, result });
            }
            _ => return None,
        }
        Some(())
    }

    fn side(&self, port: u16) -> Side {
        if port == self.port { Side::Server } else { Side::Client }
    }

    /// A segment is one step: its arrival completes the oldest like it that is under way.
    fn segment(&mut self, segment: Segment, arrived: bool) {
        let same = |other: &Segment| {
            (other.from, other.flags, other.seq, other.ack, other.len)
                == (segment.from, segment.flags, segment.seq, segment.ack, segment.len)
        };
        let under_way = self.steps.iter_mut().find_map(|step| match step {
            Step::Segment(other) if other.received_ns.is_none() && same(other) => Some(other),
            _ => None,
        });
        match under_way {
            Some(other) if arrived => other.received_ns = Some(segment.sent_ns),
            _ => self.steps.push(Step::Segment(segment)),
        }
    }
}

impl Output for Collector {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Firing(firing) => {
                let understood = self.firing(firing);
                understood
                    .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a record of another shape"))
            }
            Event::Drop(notice) => {
                eprintln!("tracer: {}", text::dropped(notice));
                Ok(())
            }
            Event::Fault(notice) => {
                eprintln!("tracer: {}", text::faulted(notice, &self.names));
                Ok(())
            }
            // The drawing has an order of its own.
            Event::Aggregations(_) | Event::Disorder(_) => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What an entry was given, as a picture has room for it.
fn arguments(function: &str, fields: &mut Fields<'_>) -> Option<String> {
    let descriptor = fields.number()?;
    let (address, port) = (fields.text()?, fields.number()?);
    Some(match function {
        "connect" => format!("{address}:{port}"),
        "close" => descriptor.to_string(),
        _ => String::new(),
    })
}

/// What a call gave back: its result, or its error's name.
fn outcome(fields: &mut Fields<'_>) -> Option<String> {
    let (result, errno) = (fields.number()?, fields.number()?);
    Some(match errno_name(errno as i32) {
        Some(name) if errno != 0 => format!("-1 {name}"),
        _ => result.to_string(),
    })
}

/// The traced values of a record, one after another.
struct Fields<'a>(std::slice::Iter<'a, Recorded>);

impl Fields<'_> {
    fn number(&mut self) -> Option<i64> {
        match self.0.next()? {
            Recorded::Trace(Value::Int { value, .. }) => Some(*value),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<String> {
        match self.0.next()? {
            Recorded::Trace(Value::Str(bytes)) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        }
    }
}
