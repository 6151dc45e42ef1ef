//! The only renderer of diagnostics.
//!
//! Invariant: nothing from a user's text or a traced program reaches the result unescaped; without colour
//! the result is free of escape sequences.

use super::{Diagnostic, Severity, Sources, Span};
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::borrow::Cow;

/// A diagnostic as text of several lines, without a newline at the end: title, marked lines, help.
pub fn render(diagnostic: &Diagnostic, sources: &Sources, color: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(escape(&diagnostic.message)).id(diagnostic.code.name());
    let snippet = diagnostic.span.and_then(|span| Excerpt::cut(sources, span));
    let related = diagnostic
        .related
        .iter()
        .filter_map(|(span, words)| Some((Excerpt::cut(sources, *span)?, escape(words))));
    let related: Vec<_> = related.collect();
    let help = diagnostic.help.as_deref().map(|help| Level::HELP.message(escape(help)));
    let group = match &snippet {
        Some(excerpt) => title.element(excerpt.snippet(AnnotationKind::Primary, &escape(&diagnostic.label))),
        None => title.elements(Vec::<Snippet<'_, annotate_snippets::Annotation<'_>>>::new()),
    };
    let related = related.iter().map(|(excerpt, words)| excerpt.snippet(AnnotationKind::Context, words));
    let group = group.elements(related).elements(help);
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

/// The lines that a span touches, cut out of their text.
struct Excerpt {
    name: String,
    line: usize,
    text: String,
    start: usize,
    end: usize,
}

/// A span over more lines than these is shown by its first ones.
const MOST_LINES: usize = 8;

impl Excerpt {
    fn cut(sources: &Sources, span: Span) -> Option<Self> {
        let source = sources.get(span.source)?;
        let text = &source.text;
        let start = floor(text, span.start as usize);
        let end = floor(text, span.end as usize).max(start);
        let first = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        // The annotated end may stand on a newline or at the end of the text.
        let mut last = text[end..].find('\n').map_or(text.len(), |newline| end + newline);
        let breaks = text[start..last].match_indices('\n').nth(MOST_LINES - 1);
        if let Some((newline, _)) = breaks {
            last = start + newline;
        }
        let (name, line) = source.place(first as u32);
        Some(Excerpt {
            name: escape(name).into_owned(),
            line: line as usize,
            text: tame(&text[first..last]),
            start: start - first,
            end: end.min(last) - first,
        })
    }

    fn snippet(&self, kind: AnnotationKind, label: &str) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
        let mark = kind.span(self.start..self.end);
        let mark = if label.is_empty() { mark } else { mark.label(label.to_owned()) };
        Snippet::source(&self.text).path(&self.name).line_start(self.line).annotation(mark)
    }
}

/// The nearest character boundary at or before `offset`.
fn floor(text: &str, offset: usize) -> usize {
    let offset = offset.min(text.len());
    (0..=offset).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// Replaces, by something of the same length, the characters that the snippet renderer lets pass although
/// a terminal acts on them: C1 controls, direction marks, line separators.
fn tame(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{80}'..='\u{9f}' => '¿',
            '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// The text with every character that a terminal acts on written as an escape; a newline is one of them.
pub fn escape(text: &str) -> Cow<'_, str> {
    let acts = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if acts(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
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
