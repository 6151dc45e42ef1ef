//! What people and programs see of a run.

pub mod aggregation;
pub mod datum;
pub mod escape;
pub mod json;
pub mod names;
pub mod order;
pub mod packet;
pub mod printf;
pub mod quantize;
pub mod shell;
pub mod stack;
pub mod style;
pub mod table;
pub mod text;
pub mod typed;
pub mod value;

use std::io;

use crate::check::Options;
use value::Event;

/// Where text goes.
pub trait Sink: io::Write {
    /// Empties it, where it is a file.
    fn truncate(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for std::fs::File {
    fn truncate(&mut self) -> io::Result<()> {
        self.set_len(0)
    }
}

/// One way to show a run. What it writes reaches its reader with the next flush.
pub trait Output {
    /// Shows an event.
    fn event(&mut self, event: &Event) -> io::Result<()>;

    /// An option has changed.
    fn configure(&mut self, options: &Options);

    /// Hands everything over; called after each batch of events.
    fn flush(&mut self) -> io::Result<()>;
}
