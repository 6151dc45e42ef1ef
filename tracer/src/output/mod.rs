//! What people and programs see of a run.

pub mod value;

use std::io;

use value::Event;

/// One way to show a run. What it writes reaches its reader with the next flush.
pub trait Output {
    /// Shows an event.
    fn event(&mut self, event: &Event) -> io::Result<()>;

    /// Hands everything over; called after each batch of events.
    fn flush(&mut self) -> io::Result<()>;
}
