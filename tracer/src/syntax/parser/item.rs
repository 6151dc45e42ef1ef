//! The outermost level: probe descriptions, predicates, clauses; which text is a declaration.
//!
//! Invariant: here the lexer stands behind the last consumed token, so that a probe description can be read
//! from the raw text, where `-`, `*`, `?`, `:`, `[` and digits have meanings of their own.

use super::super::ast::*;
use super::super::lexer::{begins_name, continues_name};
use super::*;

/// The actions' place, as a help line shows it.
const CLAUSE: &str = "actions stand between braces after a probe description: `BEGIN { trace(1); }`";

impl Parser<'_> {
    pub(super) fn program(&mut self) -> Vec<Item> {
        let mut items = Vec::new();
        loop {
            self.rewind();
            self.lexer.skip_trivia();
            if self.lexer.rest().is_empty() || self.hopeless() {
                return items;
            }
            // Behind a header's assertion.
            if self.lexer.included > 0 && self.lexer.peek() == Some(';') {
                self.bump();
                continue;
            }
            let start = Span::new(self.lexer.source, self.lexer.pos as u32, self.lexer.pos as u32);
            let begun = self.lexer.pos;
            self.braces = 0;
            let declaration = self.begins_declaration();
            let kind = if declaration { self.declared().map(Some) } else { self.clause() };
            match kind {
                Ok(kind) => items.extend(kind.map(|kind| Item { kind, span: self.span_from(start) })),
                Err(Failed) => {
                    self.recover(0);
                    // What a structure that could not be parsed was to declare.
                    if declaration && matches!(self.peek(), Tok::Ident(_)) && self.ends_declarator() {
                        self.recover(0);
                    }
                    self.eat(Mark::RBrace);
                    self.rewind();
                    if self.lexer.pos == begun {
                        self.bump();
                    }
                }
            }
        }
    }

    /// Whether what follows a name shows it to be a declared one.
    fn ends_declarator(&mut self) -> bool {
        matches!(self.peek_at(1), Tok::Mark(Mark::Semi | Mark::Comma | Mark::LBracket))
    }

    /// Whether the raw text is a call, which should stand in braces.
    fn begins_call(&self) -> bool {
        let after = self.lexer.rest().trim_start_matches(continues_name);
        self.lexer.rest().starts_with(begins_name) && after.trim_start().starts_with('(')
    }

    /// Whether the raw text is a declaration rather than a probe description.
    fn begins_declaration(&self) -> bool {
        let rest = self.lexer.rest();
        if !rest.starts_with(|c| begins_name(c) || c == '`') {
            return false;
        }
        let name_end = rest.find(|c| !(continues_name(c) || c == '`')).unwrap_or(rest.len());
        let (name, after) = rest.split_at(name_end);
        let desc = &rest[..desc_length(rest)];
        if desc.contains(':') {
            return false;
        }
        let follows = |text: &str| text.trim_start().chars().next();
        match Word::find(name) {
            Some(
                Word::Struct | Word::Union | Word::Enum | Word::Translator | Word::Inline | Word::Provider,
            ) => desc.len() == name.len() || desc[name.len()..].starts_with('*'),
            Some(word) if word.begins_type() || word.is_storage() => {
                !matches!(follows(&rest[desc.len()..]), None | Some('{' | '/'))
            }
            Some(_) => false,
            None if desc.len() > name.len() => {
                desc[name.len()..].starts_with('*') && follows(&rest[desc.len()..]) == Some(';')
            }
            // `foo_t x`, `foo_t *x`; but `BEGIN END {` is two descriptions without a comma.
            None => match follows(after) {
                Some('*') => true,
                Some('(') => is_type_name(name),
                Some(c) if begins_name(c) => {
                    let second = after.trim_start();
                    let second = &second[desc_length(second)..];
                    // Functions are declared with types that are known; `BEGIN trace(1)` lacks its braces.
                    matches!(follows(second), Some(';' | ',' | '[' | '='))
                        || follows(second) == Some('(') && self.typedefs.contains(name)
                        || is_type_name(name)
                }
                _ => false,
            },
        }
    }

    /// A clause; `None` where it is passed whole but has no description that could be read.
    fn clause(&mut self) -> Parsed<Option<ItemKind>> {
        let mut probes = Vec::new();
        let head = self.clause_head(&mut probes);
        let (predicate, failed) = match head {
            Ok(predicate) => (predicate, false),
            Err(Failed) => {
                // The actions may be right, or wrong in ways of their own.
                while !matches!(self.peek(), Tok::End | Tok::Mark(Mark::LBrace | Mark::Semi | Mark::RBrace)) {
                    self.bump();
                }
                if !self.at(Mark::LBrace) {
                    return Err(Failed);
                }
                (None, true)
            }
        };
        if predicate.is_none() && !failed && *self.peek() == Tok::End && self.last != DescPart::File {
            return Ok(Some(ItemKind::Clause(Clause { probes, predicate, body: None })));
        }
        let help = match predicate {
            Some(_) => "after a predicate stand actions in braces; `{}` is DTrace's default action",
            None => CLAUSE,
        };
        let open = self.expect(Mark::LBrace, help)?;
        let body = self.body(open);
        let clause = Clause { probes, predicate, body: Some(body) };
        Ok((!clause.probes.is_empty()).then_some(ItemKind::Clause(clause)))
    }

    /// The descriptions and the predicate.
    fn clause_head(&mut self, probes: &mut Vec<ProbeDesc>) -> Parsed<Option<Expr>> {
        loop {
            probes.push(self.description()?);
            self.lexer.skip_trivia();
            if self.lexer.peek() != Some(',') {
                break;
            }
            self.bump();
        }
        match self.lexer.peek() {
            Some('/') => {
                let open = self.bump().span;
                self.predicate(open).map(|predicate| Some(*predicate))
            }
            None | Some('{') => Ok(None),
            Some('(' | '=' | '+' | '-' | ';') => Err(self.expected("`{` or `/`", CLAUSE)),
            Some('@' | '$' | '"') => Err(self.expected("`{` or `/`", CLAUSE)),
            Some(_) if self.begins_call() => Err(self.expected("`{` or `/`", CLAUSE)),
            Some(_) => {
                let help = "several probe descriptions are separated by `,`; none of them holds a blank";
                Err(self.expected("`{`, `/` or `,`", help))
            }
        }
    }

    fn predicate(&mut self, open: Span) -> Parsed<Box<Expr>> {
        self.in_predicate = true;
        let predicate = self.expr();
        self.in_predicate = false;
        let predicate = predicate?;
        self.close(Mark::Slash, open)?;
        Ok(predicate)
    }

    /// One probe description, from the raw text.
    fn description(&mut self) -> Parsed<ProbeDesc> {
        self.rewind();
        self.lexer.skip_trivia();
        let start = self.lexer.pos;
        let length = desc_length(self.lexer.rest());
        let text = &self.lexer.text[start..start + length];
        if length == 0 {
            let help = match self.lexer.peek() {
                Some('{') => "say which probe: `BEGIN { ... }`, `syscall::read:entry { ... }`",
                Some('/') => {
                    "a predicate follows a probe description: `syscall:::entry /pid == $target/ { ... }`"
                }
                Some('}') => "there is one `}` too many before this",
                Some(';') => "no `;` follows a clause's `}`: leave it out",
                Some('@' | '$' | '"' | '(') => CLAUSE,
                _ => "a program is made of clauses, `probe /predicate/ { actions }`, and declarations",
            };
            return Err(self.expected("a probe description or a declaration", help));
        }
        self.lexer.pos += length;
        self.lexer.fresh = false;
        self.end = self.lexer.pos as u32;
        let span = self.lexer.span_from(start);
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return match text.parse() {
                Ok(id) => Ok(ProbeDesc { kind: ProbeDescKind::Id(id), span }),
                Err(_) => {
                    self.problem(
                        Diagnostic::error(Tag::D_PDESC_INVAL, span, format!("there is no probe {text}"))
                            .label("not a probe's id")
                            .help("-l lists the probes with their ids"),
                    );
                    Err(Failed)
                }
            };
        }
        self.parts(text, span).map(|kind| ProbeDesc { kind, span })
    }

    /// A description's parts: the last written one is the one that the option names.
    fn parts(&mut self, text: &str, span: Span) -> Parsed<ProbeDescKind> {
        let mut at = span.start;
        let mut written: Vec<Ident> = text
            .split(':')
            .map(|part| {
                let end = at + part.len() as u32;
                let part = Ident { name: part.to_owned(), span: Span::new(span.source, at, end) };
                at = end + 1;
                part
            })
            .collect();
        let (last, form) = match self.last {
            DescPart::Provider => (0, "provider"),
            DescPart::Module => (1, "provider:module"),
            DescPart::Function => (2, "provider:module:function"),
            DescPart::Name | DescPart::File => (3, "provider:module:function:name"),
        };
        if written.len() > last + 1 {
            self.problem(
                Diagnostic::error(Tag::D_PDESC_INVAL, span, format!("`{text}` has too many parts"))
                    .label(format!("{} parts", written.len()))
                    .help(format!(
                        "a probe description is at most `{form}`; write `?` for a `:` inside a part"
                    )),
            );
            return Err(Failed);
        }
        let empty = |at: u32| Ident { name: String::new(), span: Span::new(span.source, at, at) };
        let mut parts = vec![empty(span.start); last + 1 - written.len()];
        parts.append(&mut written);
        parts.resize(4, empty(span.end));
        let mut parts = parts.into_iter();
        let mut part = || parts.next().unwrap_or_else(|| empty(span.end));
        Ok(ProbeDescKind::Parts { provider: part(), module: part(), function: part(), name: part() })
    }
}

/// How much of the text is one probe description. Brackets of a glob may hold a `^`.
fn desc_length(text: &str) -> usize {
    let mut before = ' ';
    let ends = |(_, c): &(usize, char)| {
        let part = continues_name(*c)
            || matches!(c, '-' | '$' | ':' | '.' | '?' | '*' | '[' | ']' | '!' | '\\' | '`')
            || (*c == '^' && before == '[');
        before = *c;
        !part
    };
    text.char_indices().find(ends).map_or(text.len(), |(end, _)| end)
}
