//! Pictures from typed events: pure functions from what happened to text.

mod canvas;
pub mod ladder;
pub mod lines;
mod pending;
pub mod summary;

use crate::event::number::Errno;

/// How a picture is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal; pictures are made for 80 to 120.
    pub width: usize,
    /// Whether the terminal shows lines and arrows; plain ASCII otherwise.
    pub unicode: bool,
    /// Whether it shows colours.
    pub color: bool,
}

/// A length of time, in the unit that suits it.
pub(crate) fn duration(nanoseconds: u64) -> String {
    let value = nanoseconds as f64;
    match nanoseconds {
        0..1_000_000 => format!("{:.1} µs", value / 1e3),
        1_000_000..1_000_000_000 => format!("{:.3} ms", value / 1e6),
        _ => format!("{:.3} s", value / 1e9),
    }
}

/// So many of what has this name.
fn plural(count: u64, name: &str) -> String {
    if count == 1 { format!("1 {name}") } else { format!("{count} {name}s") }
}

/// What is to be said of an error that no program sees: the call begins again behind a signal's handler, or ends with EINTR
/// (ERESTARTSYS and its like of include/linux/errno.h).
fn interrupted(error: Errno) -> &'static str {
    if matches!(error.0, 512..=514 | 516) { ", a signal interrupts it" } else { "" }
}
