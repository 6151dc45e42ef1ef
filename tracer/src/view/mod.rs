//! Pictures from typed events: pure functions from what happened to text.

mod canvas;
pub mod ladder;

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
