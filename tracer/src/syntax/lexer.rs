//! From text to tokens, one at a time, since what `/`, `:`, `-` or `*` begin depends on the parser's place.
//!
//! Invariants: each call moves forward or gives [`Tok::End`]; each token's span is its text exactly; what
//! is no token is reported and skipped. Control lines (`#`) are met, and kept aside, between tokens.

use super::ast::{MacroArg, Pragma};
use super::extension::respelled;
use super::token::{Mark, Tok, Token, Word};
use crate::diagnostic::{Diagnostic, LineMark, SourceId, Span, Tag};

pub(super) struct Lexer<'a> {
    pub(super) source: SourceId,
    pub(super) text: &'a str,
    pub(super) pos: usize,
    /// Whether only blanks and comments stand between the line's beginning and `pos`.
    pub(super) fresh: bool,
    /// How many files, each included by the one before, the preprocessor took the text from that is read.
    pub(super) included: u32,
    pub(super) found: Found,
}

/// What the lexer finds besides tokens.
#[derive(Default)]
pub(super) struct Found {
    pub(super) problems: Vec<Diagnostic>,
    pub(super) pragmas: Vec<Pragma>,
    pub(super) marks: Vec<LineMark>,
}

/// A place to go back to.
#[derive(Clone, Copy)]
pub(super) struct Checkpoint {
    pub(super) pos: usize,
    problems: usize,
    pragmas: usize,
    marks: usize,
    included: u32,
}

pub(crate) fn begins_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

pub(crate) fn continues_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Whether a text has a name's form.
pub(crate) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(begins_name) && chars.all(continues_name)
}

impl<'a> Lexer<'a> {
    pub(super) fn new(source: SourceId, text: &'a str) -> Self {
        Lexer { source, text, pos: 0, fresh: true, included: 0, found: Found::default() }
    }

    fn checkpoint(&self) -> Checkpoint {
        let found = &self.found;
        Checkpoint {
            pos: self.pos,
            problems: found.problems.len(),
            pragmas: found.pragmas.len(),
            marks: found.marks.len(),
            included: self.included,
        }
    }

    /// Forgets what was read since the checkpoint.
    pub(super) fn rewind(&mut self, to: Checkpoint) {
        self.pos = to.pos;
        self.fresh = false;
        self.included = to.included;
        self.found.problems.truncate(to.problems);
        self.found.pragmas.truncate(to.pragmas);
        self.found.marks.truncate(to.marks);
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.pos..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn span_from(&self, start: usize) -> Span {
        Span::new(self.source, start as u32, self.pos as u32)
    }

    pub(super) fn problem(&mut self, diagnostic: Diagnostic) {
        self.found.problems.push(diagnostic);
    }

    /// Passes the characters for which `wanted` holds, and gives them.
    pub(super) fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.pos += end;
        &rest[..end]
    }

    /// Passes blanks, comments and control lines, and of a header what D does without.
    pub(super) fn skip_trivia(&mut self) {
        while let Some(c) = self.peek() {
            let rest = self.rest();
            if c == '\n' {
                self.pos += 1;
                self.fresh = true;
            } else if c.is_ascii_whitespace() || c == '\x0b' {
                self.pos += 1;
            } else if rest.starts_with("\\\n") {
                self.pos += 2;
            } else if rest.starts_with("//") {
                self.take(|c| c != '\n');
            } else if let Some(comment) = rest.strip_prefix("/*") {
                self.skip_comment(comment);
            } else if c == '#' && self.fresh {
                self.control_line();
            } else if self.included == 0 || !self.skip_extension() {
                break;
            }
        }
    }

    fn skip_comment(&mut self, inside: &str) {
        let start = self.pos;
        match inside.find("*/") {
            Some(end) => {
                self.pos += 2 + end + 2;
                if let Some(second) = inside[..end].find("/*") {
                    let at = (start + 2 + second) as u32;
                    let span = Span::new(self.source, at, at + 2);
                    let message = "a comment begins inside another one: comments do not nest";
                    let opening = Span::new(self.source, start as u32, start as u32 + 2);
                    self.problem(
                        Diagnostic::error(Tag::D_SYNTAX, span, message)
                            .label("begins here again")
                            .related(opening, "the comment begins here")
                            .help("close the first with `*/`, or leave this `/*` out"),
                    );
                }
            }
            None => {
                self.pos = self.text.len();
                let opening = Span::new(self.source, start as u32, start as u32 + 2);
                self.problem(
                    Diagnostic::error(Tag::D_SYNTAX, opening, "this comment is not closed")
                        .label("begins here")
                        .help("close it with `*/`; a predicate that begins with `*` needs a blank: `/ *p /`"),
                );
            }
        }
    }

    /// The next token, and the place before it to come back to.
    pub(super) fn next(&mut self) -> (Checkpoint, Token) {
        loop {
            self.skip_trivia();
            self.fresh = false;
            let before = self.checkpoint();
            if let Some(tok) = self.token() {
                let span = self.span_from(before.pos);
                return (before, Token { tok, span });
            }
        }
    }

    /// The token at this place; `None` where there is none and something was skipped.
    fn token(&mut self) -> Option<Tok> {
        let Some(c) = self.peek() else { return Some(Tok::End) };
        Some(match c {
            c if begins_name(c) || c == '`' => return self.name(),
            '0'..='9' => self.number(),
            '.' if self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(),
            '"' => self.string(),
            '\'' => self.character(),
            '$' => return self.macro_argument(),
            '@' => {
                self.pos += 1;
                let named = self.peek().is_some_and(begins_name);
                Tok::Agg(if named { self.take(continues_name).to_owned() } else { String::new() })
            }
            _ => match Mark::find(self.rest()) {
                Some(mark) => {
                    self.pos += mark.text().len();
                    Tok::Mark(mark)
                }
                None => {
                    self.skip_strange();
                    return None;
                }
            },
        })
    }

    /// A name, a keyword, or a symbol with a back quote.
    fn name(&mut self) -> Option<Tok> {
        let start = self.pos;
        let Some(module) = self.module() else {
            let name = self.take(continues_name);
            let word = Word::find(name).or_else(|| respelled(name).filter(|_| self.included > 0));
            return Some(word.map_or_else(|| Tok::Ident(name.to_owned()), Tok::Word));
        };
        self.pos = start + module.len() + 1;
        let name = if self.peek().is_some_and(begins_name) { self.take(continues_name) } else { "" };
        if name.is_empty() {
            let span = self.span_from(start);
            self.problem(
                Diagnostic::error(Tag::D_SYNTAX, span, "a back quote without a symbol's name after it")
                    .label("what symbol?")
                    .help("write `` `name `` or `` module`name ``, without blanks"),
            );
        }
        let module = (!module.is_empty()).then(|| module.to_owned());
        Some(Tok::Symbol(module, name.to_owned()))
    }

    /// What stands before the last back quote of a symbol's name: `` vmlinux`x ``, `` a.out`x ``, `` pid$target`libc.so.6`x ``.
    fn module(&self) -> Option<&'a str> {
        let rest = self.rest();
        let part = |c: char| continues_name(c) || matches!(c, '.' | '$' | '`');
        let end = rest.find(|c: char| !part(c)).unwrap_or(rest.len());
        rest[..end].rfind('`').map(|split| &rest[..split])
    }

    fn macro_argument(&mut self) -> Option<Tok> {
        let start = self.pos;
        self.pos += 1;
        let string = self.peek() == Some('$');
        self.pos += usize::from(string);
        let number = self.peek().is_some_and(|c| c.is_ascii_digit());
        let name = self.take(|c| if number { c.is_ascii_digit() } else { continues_name(c) }).to_owned();
        if name.is_empty() {
            let span = self.span_from(start);
            self.problem(
                Diagnostic::error(Tag::D_SYNTAX, span, "a `$` without a name or number after it")
                    .label("which macro variable?")
                    .help("write `$target`, `$pid`, `$1`, or `$$1` for the argument as a string"),
            );
        }
        Some(Tok::Macro(MacroArg { name, string }))
    }

    /// Passes characters that begin no token, and reports the first of them.
    fn skip_strange(&mut self) {
        let start = self.pos;
        let first = self.peek().unwrap_or(' ');
        let strange = |c: char| !(c.is_ascii_graphic() || c.is_ascii_whitespace()) || matches!(c, '#' | '\\');
        self.pos += first.len_utf8();
        self.take(|c| strange(c) && !is_quote(c));
        let span = self.span_from(start);
        let help = match first {
            '#' => "a `#` begins a line: `#pragma D option quiet`; comments are `/* ... */` or `// ...`",
            '\\' => "a `\\` stands at a line's end, or in a string or character constant",
            c if is_quote(c) => "replace it by a straight quote: `\"` around strings, `'` around characters",
            _ => "remove it; only strings and comments may hold such characters",
        };
        self.problem(
            Diagnostic::error(Tag::D_SYNTAX, span, format!("`{first}` has no meaning here"))
                .label("not part of D")
                .help(help),
        );
    }
}

/// Quotation marks that word processors and web pages make of straight ones.
fn is_quote(c: char) -> bool {
    matches!(c, '‘' | '’' | '‚' | '“' | '”' | '„' | '«' | '»' | '´')
}
