//! From what the programs of the families record to events.

use std::collections::HashMap;

use super::fields::Fields;
use super::{Event, Text, What, life, pipe, signal, socket, tcp};
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
    /// The paths of programs that processes are trying to run, by process id.
    attempts: HashMap<u32, Text>,
}

impl Reader {
    /// For probes of these names.
    pub fn new(names: Names) -> Reader {
        Reader { names, attempts: HashMap::new() }
    }

    /// The event of a record; none for one that only prepares another.
    pub fn event(&mut self, firing: &Firing) -> Result<Option<Event>, Unreadable> {
        let name = self.names.get(firing.probe);
        let mut fields = Fields::new(&firing.actions);
        self.read(&name, firing, &mut fields).ok_or_else(|| Unreadable(name.to_string()))
    }

    fn read(&mut self, probe: &Name, firing: &Firing, fields: &mut Fields<'_>) -> Option<Option<Event>> {
        let mut process = fields.process()?;
        let name = probe.name.as_str();
        let what = match probe.provider.as_str() {
            "proc" if name.starts_with("signal-") => What::Signal(signal::read(name, &mut process, fields)?),
            "proc" if name == "exec" => {
                self.attempts.insert(process.pid, fields.text()?);
                return Some(None);
            }
            "proc" => What::Life(life::read(name, process.pid, &mut self.attempts, fields)?),
            "pipe" => What::Pipe(pipe::read(name, fields)?),
            "socket" => What::Socket(socket::read(&probe.function, fields)?),
            "tcp" => What::Tcp(tcp::read(name, fields)?),
            _ => return None,
        };
        Some(Some(Event { time: firing.time, cpu: firing.cpu, process, what }))
    }
}
