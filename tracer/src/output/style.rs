//! How a run is shown: what the options say about it, and where it goes. Options may change while tracing (setopt).

use std::cmp::Ordering;

use crate::check::Options;
use crate::check::options::Encoding;

/// How a run is shown.
#[derive(Debug, Clone, Default)]
pub struct Style {
    /// Only what the program prints.
    pub quiet: bool,
    /// Indented by entry and return.
    pub flow: bool,
    /// Drops say of what kind they are.
    pub tags: bool,
    /// What traced programs choose is escaped.
    pub terminal: bool,
    /// The terminal is known for having no blocks.
    pub primitive: bool,
    /// What differs from run to run, as the CPU does, is left out.
    pub repeatable: bool,
    /// Bytes are shown as such, even when they are text.
    pub raw: bool,
    /// In which order the rows of aggregations come.
    pub sort: Sort,
    /// How bars are drawn.
    pub bars: Bars,
}

/// In which order the rows of aggregations come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sort {
    /// By key, then by value; else by value, then by key.
    pub by_key: bool,
    /// Which part of the key comes first; those behind it follow, then those before it.
    pub key: usize,
    /// Which of several aggregations comes first; the others follow in their order.
    pub value: usize,
    /// Backwards.
    pub reverse: bool,
}

/// How bars are drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bars {
    /// A bar beside the key instead of a number.
    pub beside: bool,
    /// A histogram in one line.
    pub packed: bool,
    /// The longest takes nearly all of the room.
    pub zoomed: bool,
    /// Bars of positive counts are made of blocks.
    pub blocks: bool,
    /// Packed histograms are made of blocks.
    pub packed_blocks: bool,
}

impl Style {
    /// As the options say, on a terminal or not. `primitive`: the terminal is known for having no blocks.
    pub fn new(options: &Options, terminal: bool, primitive: bool) -> Style {
        Style {
            quiet: options.quiet,
            flow: options.flowindent,
            tags: options.droptags,
            terminal,
            primitive,
            repeatable: false,
            raw: options.rawbytes,
            sort: Sort {
                by_key: options.aggsortkey,
                key: options.aggsortkeypos as usize,
                value: options.aggsortpos as usize,
                reverse: options.aggsortrev,
            },
            bars: Bars {
                beside: options.agghist,
                packed: options.aggpack,
                zoomed: options.aggzoom,
                blocks: options.encoding == Encoding::Utf8,
                packed_blocks: match options.encoding {
                    Encoding::Unset => !primitive,
                    encoding => encoding == Encoding::Utf8,
                },
            },
        }
    }

    /// The same place with other options.
    pub fn changed(&self, options: &Options) -> Style {
        Style { repeatable: self.repeatable, ..Style::new(options, self.terminal, self.primitive) }
    }
}

impl Sort {
    /// An order, turned round where that is asked for.
    pub fn turned(self, order: Ordering) -> Ordering {
        if self.reverse { order.reverse() } else { order }
    }
}

/// Whether the terminal of that name (TERM) is known for having no blocks.
pub fn is_primitive(terminal: &str) -> bool {
    matches!(terminal, "sun" | "sun-color" | "dumb")
}
