//! One line of a picture: cells of a character and its paint.
//!
//! Invariant: every character takes one column, and nothing is drawn beyond the width.

use std::fmt::Write as _;

use super::Style;

/// What a cell is painted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Paint {
    /// As the terminal is.
    #[default]
    Plain,
    /// Less important.
    Dim,
    /// Important.
    Bold,
    /// A beginning.
    Green,
    /// Data.
    Blue,
    /// An end.
    Magenta,
    /// A failure.
    Red,
    /// A state.
    Yellow,
    /// A segment.
    Cyan,
}

impl Paint {
    /// Its ANSI sequence (ECMA-48, SGR).
    fn sequence(self) -> &'static str {
        match self {
            Paint::Plain => "\x1b[0m",
            Paint::Dim => "\x1b[2m",
            Paint::Bold => "\x1b[1m",
            Paint::Green => "\x1b[1;32m",
            Paint::Blue => "\x1b[1;34m",
            Paint::Magenta => "\x1b[1;35m",
            Paint::Red => "\x1b[1;31m",
            Paint::Yellow => "\x1b[1;33m",
            Paint::Cyan => "\x1b[1;36m",
        }
    }

    /// The text painted so, where the terminal shows colours.
    pub(super) fn on(self, text: &str, style: &Style) -> String {
        if style.color && self != Paint::Plain && !text.is_empty() {
            format!("{}{text}{}", self.sequence(), Paint::Plain.sequence())
        } else {
            text.to_owned()
        }
    }
}

/// What plain ASCII has for the characters that pictures are drawn with.
const ASCII: &[(char, char)] = &[
    ('─', '-'),
    ('━', '='),
    ('│', '|'),
    ('┃', '|'),
    ('┊', ':'),
    ('╎', ':'),
    ('┄', '-'),
    ('⋮', ':'),
    ('├', '|'),
    ('┤', '|'),
    ('┠', '|'),
    ('┨', '|'),
    ('┝', '|'),
    ('┥', '|'),
    ('┣', '|'),
    ('┫', '|'),
    ('┼', '+'),
    ('┬', '+'),
    ('┌', '+'),
    ('┐', '+'),
    ('└', '+'),
    ('┘', '+'),
    ('┏', '.'),
    ('┓', '.'),
    ('┗', '\''),
    ('┛', '\''),
    ('╭', '.'),
    ('╮', '.'),
    ('╰', '\''),
    ('╯', '\''),
    ('▶', '>'),
    ('◀', '<'),
    ('✗', 'x'),
    ('…', '~'),
    ('µ', 'u'),
];

/// One line.
#[derive(Debug, Clone)]
pub(super) struct Canvas {
    cells: Vec<(char, Paint)>,
}

impl Canvas {
    /// A blank line.
    pub(super) fn new(width: usize) -> Canvas {
        Canvas { cells: vec![(' ', Paint::Plain); width] }
    }

    /// The character in a column.
    pub(super) fn at(&self, x: usize) -> char {
        self.cells.get(x).map_or(' ', |cell| cell.0)
    }

    /// Puts a character.
    pub(super) fn put(&mut self, x: usize, c: char, paint: Paint) {
        if let Some(cell) = self.cells.get_mut(x) {
            *cell = (c, paint);
        }
    }

    /// Puts a text that begins at a column.
    pub(super) fn text(&mut self, x: usize, text: &str, paint: Paint) {
        text.chars().enumerate().for_each(|(index, c)| self.put(x + index, c, paint));
    }

    /// Puts a text that ends before a column.
    pub(super) fn text_before(&mut self, x: usize, text: &str, paint: Paint) {
        self.text(x.saturating_sub(text.chars().count()), text, paint);
    }

    /// Puts a text in the middle of `width` columns from `x`.
    pub(super) fn text_within(&mut self, x: usize, width: usize, text: &str, paint: Paint) {
        self.text(x + width.saturating_sub(text.chars().count()) / 2, text, paint);
    }

    /// The line, without trailing blanks.
    pub(super) fn finish(&self, style: &Style) -> String {
        let length = self.cells.iter().rposition(|cell| cell.0 != ' ').map_or(0, |last| last + 1);
        let mut line = String::new();
        let mut current = Paint::Plain;
        for &(c, paint) in &self.cells[..length] {
            if style.color && paint != current && c != ' ' {
                if current != Paint::Plain {
                    line.push_str(Paint::Plain.sequence());
                }
                if paint != Paint::Plain {
                    line.push_str(paint.sequence());
                }
                current = paint;
            }
            line.push(if style.unicode { c } else { plain(c) });
        }
        if current != Paint::Plain {
            line.push_str(Paint::Plain.sequence());
        }
        line.push('\n');
        line
    }
}

fn plain(c: char) -> char {
    match ASCII.iter().find(|(drawn, _)| *drawn == c) {
        Some(&(_, plain)) => plain,
        None if c.is_ascii() => c,
        None => '?',
    }
}

/// The text in at most `width` columns.
pub(super) fn fit(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    if width > 0 {
        write!(short, "…").expect("a string takes all");
    }
    short
}
