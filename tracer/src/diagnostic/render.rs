//! The only renderer of diagnostics.
//!
//! Invariant: nothing from a user's text or a traced program reaches the result unescaped; without colour
//! the result is free of escape sequences.

use super::bytes::byte_of;
use super::{Diagnostic, Severity, Sources, Span};
use annotate_snippets::{Annotation, AnnotationKind, Level, Renderer, Snippet};
use std::borrow::Cow;
use std::ops::Range;

/// A diagnostic as text of several lines, without a newline at the end: title, marked lines, help.
pub fn render(diagnostic: &Diagnostic, sources: &Sources, color: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(escape(&diagnostic.message)).id(diagnostic.code.shown());
    let mut excerpts: Vec<Excerpt> = Vec::new();
    let primary = diagnostic.span.map(|span| (span, AnnotationKind::Primary, diagnostic.label.as_str()));
    let related =
        diagnostic.related.iter().map(|(span, words)| (*span, AnnotationKind::Context, words.as_str()));
    for (span, kind, label) in primary.into_iter().chain(related) {
        let mark = (span, kind, escape(label).into_owned());
        match excerpts.iter_mut().find(|excerpt| excerpt.joins(sources, span)) {
            Some(excerpt) => excerpt.marks.push(mark),
            None => excerpts.push(Excerpt { marks: vec![mark] }),
        }
    }
    let cuts: Vec<Cut> = excerpts.iter().filter_map(|excerpt| excerpt.cut(sources)).collect();
    let help = diagnostic.help.as_deref().map(|help| Level::HELP.message(escape(help)));
    let elsewhere = diagnostic.code.elsewhere();
    let elsewhere = elsewhere.map(|name| Level::NOTE.message(format!("illumos and FreeBSD call it {name}")));
    let group = title.elements(cuts.iter().map(Cut::snippet)).elements(help).elements(elsewhere);
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

/// Places that are shown in one piece of text.
struct Excerpt {
    marks: Vec<(Span, AnnotationKind, String)>,
}

/// The lines of an excerpt, cut out of their text, with the marks counted from the first of them.
struct Cut {
    name: String,
    line: usize,
    text: String,
    marks: Vec<(Range<usize>, AnnotationKind, String)>,
}

/// A span over more lines than these is shown by its first ones.
const MOST_LINES: usize = 8;

/// Places further apart than so many bytes are shown apart.
const NEAR: u32 = 10_000;

impl Excerpt {
    /// Whether a place can be shown in the same piece: the same text, near, and lines counted in one way.
    fn joins(&self, sources: &Sources, span: Span) -> bool {
        let plain = sources.get(span.source).is_some_and(|source| source.marks.is_empty());
        let near = |&(other, _, _): &(Span, _, _)| {
            other.source == span.source && other.start.abs_diff(span.start) < NEAR
        };
        plain && self.marks.iter().all(near)
    }

    fn cut(&self, sources: &Sources) -> Option<Cut> {
        let source = sources.get(self.marks.first()?.0.source)?;
        let text = &source.text;
        let spans: Vec<Range<usize>> = self.marks.iter().map(|(span, _, _)| shown(text, *span)).collect();
        let first = spans.iter().map(|span| span.start).min()?;
        let first = text[..first].rfind('\n').map_or(0, |newline| newline + 1);
        // A mark may end on a newline or at the end of the text.
        let last = spans.iter().map(|span| span.end).max()?;
        let last = text[last..].find('\n').map_or(text.len(), |newline| last + newline);
        let (name, line) = source.place(first as u32);
        let place = |span: Range<usize>| span.start - first..span.end - first;
        let marks = spans.into_iter().zip(&self.marks);
        Some(Cut {
            name: escape(name).into_owned(),
            line: line as usize,
            text: tame(&text[first..last]),
            marks: marks.map(|(span, (_, kind, label))| (place(span), *kind, label.clone())).collect(),
        })
    }
}

impl Cut {
    fn snippet(&self) -> Snippet<'_, Annotation<'_>> {
        let marks = self.marks.iter().map(|(span, kind, label)| {
            let mark = kind.span(span.clone());
            if label.is_empty() { mark } else { mark.label(label) }
        });
        Snippet::source(&self.text).path(&self.name).line_start(self.line).annotations(marks)
    }
}

/// The part of a span that is shown: its first lines, between character boundaries.
fn shown(text: &str, span: Span) -> Range<usize> {
    let start = floor(text, span.start as usize);
    let end = floor(text, span.end as usize).max(start);
    let breaks = text[start..end].match_indices('\n').nth(MOST_LINES - 1);
    start..breaks.map_or(end, |(newline, _)| start + newline)
}

/// The nearest character boundary at or before `offset`.
fn floor(text: &str, offset: usize) -> usize {
    let offset = offset.min(text.len());
    (0..=offset).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// Replaces, by something of the same length, the characters that the snippet renderer lets pass although
/// a terminal acts on them, C1 controls, direction marks, line separators, and those that stand for bytes.
fn tame(text: &str) -> String {
    let mut tamed = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{80}'..='\u{9f}' => tamed.push('¿'),
            '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => tamed.push('\u{fffd}'),
            c => match byte_of(c) {
                Some(byte) => tamed.push_str(&format!("\\x{byte:02x}")),
                None => tamed.push(c),
            },
        }
    }
    tamed
}

/// The text with every character that a terminal acts on written as an escape; a newline is one of them. So is one that stands for a byte.
pub fn escape(text: &str) -> Cow<'_, str> {
    let acts = |c: char| {
        c.is_control()
            || byte_of(c).is_some()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match byte_of(c) {
            Some(byte) => safe.push_str(&format!("\\x{byte:02x}")),
            None if acts(c) => safe.extend(c.escape_default()),
            None => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{LineMark, SourceId, Tag};

    fn at(text: &str, start: u32, end: u32) -> (Sources, Diagnostic) {
        let mut sources = Sources::default();
        let id = sources.add("a.d", text);
        let span = Span::new(id, start, end);
        (sources, Diagnostic::error(Tag::D_SYNTAX, span, "wrong").label("here").help("mend it"))
    }

    #[test]
    fn shows_title_place_mark_and_help() {
        let (sources, diagnostic) = at("BEGIN\n{\n\ttrace(1;\n}\n", 16, 17);
        insta::assert_snapshot!(render(&diagnostic, &sources, false));
    }

    #[test]
    fn shows_related_places_together() {
        let text = format!("BEGIN\n{{\n\tx = 1;\n{}\tx = \"a\";\n}}\n", "\ty = 2;\n".repeat(9));
        let place = text.find("x = \"a\"").unwrap() as u32;
        let (sources, diagnostic) = at(&text, place, place + 1);
        let diagnostic = diagnostic.related(Span::new(SourceId(0), 9, 10), "an int since here");
        insta::assert_snapshot!(render(&diagnostic, &sources, false));
    }

    #[test]
    fn follows_line_marks() {
        let (mut sources, diagnostic) = at("# 40 \"real.d\"\nBEGIN {\n}", 22, 23);
        sources.set_marks(SourceId(0), vec![LineMark { start: 14, line: 40, file: Some("real.d".into()) }]);
        assert!(render(&diagnostic, &sources, false).contains("real.d:41"));
    }

    #[test]
    fn escapes_everything() {
        let (sources, mut diagnostic) = at("\x1b[31m\u{9b}31m \u{202e}x\r\x07", 0, 3);
        diagnostic.message = "\x1b]0;title\x07\nsecond".into();
        diagnostic.label = "\x1b[1m".into();
        diagnostic.help = Some("\u{9b}1m".into());
        let text = render(&diagnostic, &sources, false);
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        assert!(!text.contains('\u{202e}'));
        assert!(text.starts_with("error[D_SYNTAX]: \\u{1b}]0;title\\u{7}\\nsecond\n"), "{text}");
    }

    #[test]
    fn survives_any_span() {
        for (start, end) in [(0, 0), (5, 2), (1, 2), (90, 99), (0, 99), (3, 4)] {
            let (sources, diagnostic) = at("é\nüö", start, end);
            assert!(render(&diagnostic, &sources, true).contains("wrong"));
        }
        let (sources, mut diagnostic) = at("", 0, 0);
        assert!(render(&diagnostic, &sources, false).contains("wrong"));
        diagnostic.span = None;
        assert!(render(&diagnostic, &sources, false).contains("mend it"));
    }
}
