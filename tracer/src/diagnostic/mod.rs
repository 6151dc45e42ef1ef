//! What is wrong with a user's text, and where.
//!
//! A [`Diagnostic`] carries DTrace's tag, the place, what was found, and what to do; the rest of the program
//! makes them, and only [`render`] turns them into text.
//!
//! Invariant: a [`Span`] lies within the text of its [`Source`], on character boundaries. Diagnostics hold
//! raw text; whatever could disturb a terminal is escaped in [`render`], once.

mod bytes;
mod nearest;
mod render;
mod tag;

pub(crate) use bytes::push_bytes;
pub use bytes::{bytes_of, text_of};
pub use nearest::nearest;
pub use render::{escape, render};
pub use tag::Tag;

use std::ops::Range;

/// Which of several program texts: each `-n` and each `-s` is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SourceId(pub u32);

/// One program text and the name under which it is shown.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// A path, or what stands for one: `-n #1`.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// Where a preprocessor says that the text came from, in order of place.
    pub marks: Vec<LineMark>,
}

/// A preprocessor's `# LINE "FILE"`: the text from `start` on is that file's, from that line on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineMark {
    /// The byte offset at which the following line begins.
    pub start: u32,
    /// The number of that line in the original file.
    pub line: u32,
    /// The original file; `None`: as before.
    pub file: Option<String>,
}

/// All texts of a run.
#[derive(Debug, Clone, Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// Adds a text; its id is good for this set only.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        self.0.push(Source { name: name.into(), text: text.into(), marks: Vec::new() });
        SourceId(self.0.len() as u32 - 1)
    }

    /// The text with this id; `None` for an id of another set.
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.0.get(id.0 as usize)
    }

    /// Records what the parser found of a preprocessor's line marks.
    pub fn set_marks(&mut self, id: SourceId, marks: Vec<LineMark>) {
        if let Some(source) = self.0.get_mut(id.0 as usize) {
            source.marks = marks;
        }
    }

    /// The text that a span covers; empty where the span is not of this set.
    pub fn text(&self, span: Span) -> &str {
        self.get(span.source).and_then(|source| source.text.get(span.range())).unwrap_or("")
    }

    /// The name and the line (from 1) at which a span begins, as the user knows them.
    pub fn place(&self, span: Span) -> Option<(&str, u32)> {
        self.get(span.source).map(|source| source.place(span.start))
    }
}

impl Source {
    /// The name and the line (from 1) of a byte offset, by the line marks where there are any.
    pub fn place(&self, offset: u32) -> (&str, u32) {
        let seen = self.marks.partition_point(|mark| mark.start <= offset);
        let (start, line) = match seen.checked_sub(1) {
            Some(last) => (self.marks[last].start, self.marks[last].line),
            None => (0, 1),
        };
        let name = self.marks[..seen].iter().rev().find_map(|mark| mark.file.as_deref());
        let upto = (offset as usize).min(self.text.len());
        let between = self.text.as_bytes().get(start as usize..upto).unwrap_or(&[]);
        let lines = between.iter().filter(|&&byte| byte == b'\n').count() as u32;
        (name.unwrap_or(&self.name), line.saturating_add(lines))
    }
}

/// A stretch of a source's text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// The text.
    pub source: SourceId,
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Span {
    /// The span of `start..end` in `source`.
    pub fn new(source: SourceId, start: u32, end: u32) -> Self {
        Span { source, start, end }
    }

    /// The smallest span that covers both (of the same source).
    pub fn to(self, other: Span) -> Span {
        Span { source: self.source, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// As a range of bytes.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The program is refused.
    Error,
    /// The program runs, but not as its author may think.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// DTrace's name for it.
    pub code: Tag,
    /// Refused, or only doubtful.
    pub severity: Severity,
    /// Where; `None` for what has no place in a text.
    pub span: Option<Span>,
    /// What is wrong, in the user's terms.
    pub message: String,
    /// A few words to stand beside the marked text; may be empty.
    pub label: String,
    /// Other places that have to do with it, with a few words for each.
    pub related: Vec<(Span, String)>,
    /// What to do.
    pub help: Option<String>,
    /// Where it is about what a clause means: the clause, and which of its steps met it.
    pub clause: Option<(Span, u8)>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: Tag, span: Span, message: impl Into<String>) -> Self {
        Diagnostic {
            code,
            severity: Severity::Error,
            span: Some(span),
            message: message.into(),
            label: String::new(),
            related: Vec::new(),
            help: None,
            clause: None,
        }
    }

    /// A warning at a place.
    pub fn warning(code: Tag, span: Span, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// An error that has no place in a text: an option, a file, the kernel.
    pub fn placeless(code: Tag, message: impl Into<String>) -> Self {
        Diagnostic { span: None, ..Self::error(code, Span::default(), message) }
    }

    /// With words beside the marked text.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// With another place that has to do with it.
    pub fn related(mut self, span: Span, words: impl Into<String>) -> Self {
        self.related.push((span, words.into()));
        self
    }

    /// With the place where it began, where that is known.
    pub fn since(self, span: Option<Span>, words: &str) -> Self {
        match span {
            Some(span) => self.related(span, words),
            None => self,
        }
    }

    /// With what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With the nearest of the names that would have been right, where one is near; else unchanged.
    pub fn did_you_mean<'a>(self, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(name, candidates) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self,
        }
    }
}

/// The diagnostics of a run, in order of place.
#[derive(Debug, Clone, Default)]
pub struct Problems(Vec<Diagnostic>);

impl Problems {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds many.
    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        self.0.extend(diagnostics);
    }

    /// Whether nothing at all was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the program is refused.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Those for which the program is refused.
    pub fn without_warnings(mut self) -> Self {
        self.0.retain(|diagnostic| diagnostic.severity == Severity::Error);
        self
    }

    /// Whether all that is wrong is that probes are not there.
    pub fn are_about_probes(&self) -> bool {
        let mut errors = self.0.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
        errors.all(|error| error.code == Tag::D_PDESC_ZERO)
    }

    /// All of them, as DTrace would meet them: first what it sees while it reads the text, then clause by clause, each in
    /// its steps; among those in order of place. Those without a place come last.
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        let place = |span: Span| (span.source, span.start);
        self.0.sort_by_key(|diagnostic| {
            let clause = diagnostic.clause.map(|(span, step)| (place(span), step));
            (diagnostic.span.is_none(), clause, diagnostic.span.map(place))
        });
        self.0
    }

    /// All of them as text, one blank line between.
    pub fn render(self, sources: &Sources, color: bool) -> String {
        let texts: Vec<String> =
            self.into_sorted().iter().map(|diagnostic| render(diagnostic, sources, color)).collect();
        texts.join("\n\n")
    }
}

impl From<Vec<Diagnostic>> for Problems {
    fn from(list: Vec<Diagnostic>) -> Self {
        Problems(list)
    }
}
