//! From what the programs of the families record to events.

use super::fields::Fields;
use super::{Event, What, life, pipe, signal, socket, tcp};
use crate::output::names::{Name, Names};
use crate::output::value::Firing;

/// A record of another shape than the families' programs make: a fault of this program.
#[derive(Debug, thiserror::Error)]
#[error("a record of probe {0} has another shape than expected")]
pub struct Unreadable(String);

/// Reads records.
#[derive(Debug)]
pub struct Reader {
    names: Names,
}

impl Reader {
    /// For probes of these names.
    pub fn new(names: Names) -> Reader {
        Reader { names }
    }

    /// The event of a record.
    pub fn event(&self, firing: &Firing) -> Result<Event, Unreadable> {
        let name = self.names.get(firing.probe);
        read(name, firing).ok_or_else(|| Unreadable(name.to_string()))
    }
}

fn read(probe: &Name, firing: &Firing) -> Option<Event> {
    let mut fields = Fields::new(&firing.actions);
    let fields = &mut fields;
    let mut process = fields.process()?;
    let name = probe.name.as_str();
    let what = match probe.provider.as_str() {
        "proc" if name.starts_with("signal-") => What::Signal(signal::read(name, &mut process, fields)?),
        "proc" => What::Life(life::read(name, fields)?),
        "syscall" => What::Wait(life::read_wait(fields)?),
        "pipe" => What::Pipe(pipe::read(name, fields)?),
        "socket" => What::Socket(socket::read(&probe.function, fields)?),
        "tcp" => What::Tcp(tcp::read(name, fields)?),
        _ => return None,
    };
    Some(Event { time: firing.time, cpu: firing.cpu, process, what })
}
