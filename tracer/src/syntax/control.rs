//! Control lines: `#pragma`, `#line`, `#!`, and what the C preprocessor leaves.
//!
//! Invariant: a control line is one line; it never changes what the tokens around it mean.

use super::ast::{Ident, Pragma, PragmaKind};
use super::lexer::Lexer;
use crate::diagnostic::{Diagnostic, LineMark, Span, Tag, nearest};

/// What each pragma of D looks like.
const FORMS: &[(&str, &str)] = &[
    ("option", "#pragma D option NAME, or #pragma D option NAME=VALUE"),
    ("attributes", "#pragma D attributes NAME/DATA/CLASS IDENTIFIER, or ... provider NAME PART"),
    ("binding", "#pragma D binding \"VERSION\" IDENTIFIER"),
    ("depends_on", "#pragma D depends_on library|module|provider NAME"),
];

/// The numbers after a file's name where the preprocessor begins to include it, and comes back from one.
const ENTERED: &str = "1";
const LEFT: &str = "2";

impl Lexer<'_> {
    /// Reads the line whose `#` is next, up to its newline.
    pub(super) fn control_line(&mut self) {
        let start = self.pos;
        self.pos += 1;
        if self.peek() == Some('!') {
            self.take(|c| c != '\n');
            return;
        }
        let words = self.words();
        let span = self.span_from(start);
        let texts: Vec<&str> = words.iter().map(|word| word.name.as_str()).collect();
        match texts[..] {
            [] | ["ident", ..] | ["pragma", "ident" | "STDC", ..] | ["pragma", "D", "ident", ..] => {}
            ["line", ..] => self.line_mark(&words[1..], span),
            ["pragma", "line", ..] => self.line_mark(&words[2..], span),
            ["pragma", "D", "line", ..] => self.line_mark(&words[3..], span),
            [number, ..] if is_number(number) => self.line_mark(&words, span),
            ["error", ..] => self.refuse(&texts[1..], span),
            ["pragma", "error", ..] => self.refuse(&texts[2..], span),
            ["pragma", "D", "error", ..] => self.refuse(&texts[3..], span),
            ["pragma", "D", ..] => self.pragma(&words[2..], span),
            ["pragma", ..] => self.problem(unknown_pragma(&texts[1..], span)),
            [name, ..] => {
                let needs_cpp = matches!(
                    name,
                    "define" | "undef" | "include" | "if" | "ifdef" | "ifndef" | "elif" | "else" | "endif"
                );
                let help = if needs_cpp {
                    "give the option -C to run the C preprocessor first"
                } else {
                    "control lines are `#pragma D ...`, `#line` and `#error`; comments are `/* */` and `//`"
                };
                let message = format!("`#{name}` is no control line of D");
                let problem = Diagnostic::error(Tag::D_PRAGCTL_INVAL, span, message);
                self.problem(problem.label("unknown").help(help));
            }
        }
    }

    /// The words up to the end of the line. Quotes hold a word together and are dropped.
    fn words(&mut self) -> Vec<Ident> {
        let mut words = Vec::new();
        loop {
            self.take(|c| c != '\n' && c.is_whitespace());
            let rest = self.rest();
            if rest.is_empty() || rest.starts_with('\n') || rest.starts_with("//") {
                return words;
            }
            let start = self.pos;
            let name = match rest.strip_prefix('"') {
                Some(inside) if inside.split('\n').next().is_some_and(|line| line.contains('"')) => {
                    self.pos += 1;
                    let inside = self.take(|c| c != '"');
                    self.pos += 1;
                    inside
                }
                _ => self.take(|c| !c.is_whitespace()),
            };
            words.push(Ident { name: name.to_owned(), span: self.span_from(start) });
        }
    }

    /// `LINE`, `LINE "FILE"`, and the numbers that the C preprocessor writes after these.
    fn line_mark(&mut self, words: &[Ident], span: Span) {
        let (number, file, flags) = match words {
            [number] => (number, None, &[][..]),
            [number, file, flags @ ..] if self.is_quoted(file) => (number, Some(&file.name), flags),
            _ => return self.wrong_line(span),
        };
        if !is_number(&number.name) || !flags.iter().all(|flag| is_number(&flag.name)) {
            return self.wrong_line(span);
        }
        for flag in flags {
            match flag.name.as_str() {
                ENTERED => self.included += 1,
                LEFT => self.included = self.included.saturating_sub(1),
                _ => {}
            }
        }
        let rest = self.rest();
        let next = rest.find('\n').map_or(self.text.len(), |newline| self.pos + newline + 1);
        self.found.marks.push(LineMark {
            start: next as u32,
            line: number.name.parse().unwrap_or(1),
            file: file.filter(|file| !file.is_empty()).cloned(),
        });
    }

    fn wrong_line(&mut self, span: Span) {
        self.problem(
            Diagnostic::error(
                Tag::D_PRAGMA_MALFORM,
                span,
                "#line takes a line's number, and then a file in quotes",
            )
            .label("wrong form")
            .help("write `#line 10` or `#line 10 \"file.d\"`"),
        );
    }

    /// Whether a word was written in quotes.
    fn is_quoted(&self, word: &Ident) -> bool {
        self.text[word.span.range()].starts_with('"')
    }

    fn refuse(&mut self, words: &[&str], span: Span) {
        let text = words.join(" ");
        let message = if text.is_empty() { "the program refuses itself" } else { &text };
        self.problem(
            Diagnostic::error(Tag::D_PRAGERR, span, message)
                .label("asked for here")
                .help("the program's author says that it cannot be used like this"),
        );
        self.found.pragmas.push(Pragma { kind: PragmaKind::Error(text), span });
    }

    /// `#pragma D`, of which `words` are the rest.
    fn pragma(&mut self, words: &[Ident], span: Span) {
        let texts: Vec<&str> = words.iter().map(|word| word.name.as_str()).collect();
        let kind = match (&texts[..], words) {
            (["option", option], [_, word])
                if !option.ends_with(';') && !option.starts_with('=') && !self.is_quoted(word) =>
            {
                let (name, value) = match option.split_once('=') {
                    Some((name, value)) => (name, Some(value)),
                    None => (*option, None),
                };
                let at = |offset: usize, text: &str| {
                    let start = word.span.start + offset as u32;
                    let span = Span::new(word.span.source, start, start + text.len() as u32);
                    Ident { name: text.to_owned(), span }
                };
                let value = value.map(|value| at(name.len() + 1, value));
                PragmaKind::Option { name: at(0, name), value }
            }
            (["attributes", _, _, ..], [_, stability, target @ ..]) => {
                PragmaKind::Attributes { stability: stability.clone(), target: target.to_vec() }
            }
            (["binding", _, _], [_, version, name]) if self.is_quoted(version) => {
                PragmaKind::Binding { version: version.clone(), name: name.clone() }
            }
            (["depends_on", _, _], [_, class, name]) => {
                if !["library", "module", "provider"].contains(&class.name.as_str()) {
                    let message = format!("a program does not depend on a `{}`", class.name);
                    self.problem(
                        Diagnostic::error(Tag::D_PRAGMA_INVAL, class.span, message)
                            .label("unknown class")
                            .help("it depends on a library, a module or a provider"),
                    );
                    return;
                }
                PragmaKind::DependsOn { class: class.clone(), name: name.clone() }
            }
            _ => {
                self.problem(wrong_pragma(&texts, span));
                return;
            }
        };
        self.found.pragmas.push(Pragma { kind, span });
    }
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_digit())
}

fn names() -> impl Iterator<Item = &'static str> {
    FORMS.iter().map(|&(name, _)| name)
}

fn wrong_pragma(texts: &[&str], span: Span) -> Diagnostic {
    let Some(name) = texts.first() else {
        return Diagnostic::error(Tag::D_PRAGMA_MALFORM, span, "a pragma without a name")
            .label("what pragma?")
            .help(FORMS[0].1);
    };
    match FORMS.iter().find(|(known, _)| known == name) {
        Some((_, form)) if texts.last().is_some_and(|word| word.ends_with(';')) => {
            let tag = if *name == "option" { Tag::D_PRAGMA_OPTSET } else { Tag::D_PRAGMA_MALFORM };
            Diagnostic::error(tag, span, "a pragma ends with its line, not with a `;`")
                .label("ends in `;`")
                .help(format!("remove the `;`: {form}"))
        }
        Some((name, form)) => {
            let message = format!("the pragma `{name}` is not of the right form");
            Diagnostic::error(Tag::D_PRAGMA_MALFORM, span, message).label("wrong form").help(*form)
        }
        None => {
            let problem =
                Diagnostic::error(Tag::D_PRAGMA_INVAL, span, format!("there is no pragma `{name}` in D"));
            let known =
                problem.label("unknown pragma").help("pragmas are option, attributes, binding, depends_on");
            known.did_you_mean(name, names())
        }
    }
}

fn unknown_pragma(texts: &[&str], span: Span) -> Diagnostic {
    let name = texts.first().copied().unwrap_or("");
    let help = match nearest(name, names()) {
        Some(near) => format!("a `D` is missing: `#pragma D {near} ...`"),
        None => "D's pragmas begin with `#pragma D`".to_owned(),
    };
    // As C has it: a pragma that is not known is one for somebody else.
    Diagnostic::warning(Tag::D_PRAGMA_INVAL, span, format!("`#pragma {name}` is not known, and left out"))
        .label("unknown pragma")
        .help(help)
}
