//! The parser: its state, how it looks ahead, how it fails and recovers. The grammar is in the submodules.
//!
//! Invariants: an `Err` has been reported already; every loop consumes a token or ends; nesting is counted in
//! `depth` and the height of the expression just parsed is in `height`, so no tree overflows the stack.

mod declaration;
mod declarator;
mod expression;
mod item;
mod specifiers;
mod statement;
mod tagged;
mod types;

pub(super) use expression::UNARY;

use super::ast::{Ident, MacroArg, Program, TypeName};
use super::lexer::{Checkpoint, Lexer, is_name};
use super::token::{Mark, Tok, Token, Word};
use super::{HEIGHT, MOST_PROBLEMS, NESTING, is_type_name};
use crate::diagnostic::{Diagnostic, SourceId, Span, Tag};
use std::collections::{HashSet, VecDeque};

/// Which part of a probe description the last of its parts is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DescPart {
    /// `-P`: `provider`
    Provider,
    /// `-m`: `provider:module`
    Module,
    /// `-f`: `provider:module:function`
    Function,
    /// `-n`: `provider:module:function:name`
    #[default]
    Name,
    /// `-s`: as with `-n`, but a description is followed by a predicate or actions
    File,
}

/// Parses a program text.
pub fn parse(source: SourceId, text: &str) -> (Program, Vec<Diagnostic>) {
    parse_as(source, text, DescPart::Name)
}

/// Parses a program text whose probe descriptions end with another part than the name, as after `-P`.
pub fn parse_as(source: SourceId, text: &str, last: DescPart) -> (Program, Vec<Diagnostic>) {
    parse_with(source, text, last, &[])
}

/// [`parse_as`], with macro arguments: one that is a name stands for it behind `->` and `.`, and where it is a type's.
pub fn parse_with(
    source: SourceId,
    text: &str,
    last: DescPart,
    arguments: &[String],
) -> (Program, Vec<Diagnostic>) {
    // Spans count in u32: what lies beyond is cut off, and told.
    let whole = text.len() < u32::MAX as usize;
    let mut parser = Parser::new(source, if whole { text } else { "" }, last);
    parser.arguments = arguments;
    if !whole {
        let start = Span::new(source, 0, 0);
        parser.problems.push(
            Diagnostic::error(Tag::D_LIMIT, start, "a program text of four gigabytes or more")
                .help("split it into several files"),
        );
    }
    let items = parser.program();
    let Parser { lexer, mut problems, named: arguments, .. } = parser;
    problems.extend(lexer.found.problems);
    problems.sort_by_key(|problem| problem.span);
    problems.truncate(MOST_PROBLEMS);
    (Program { items, pragmas: lexer.found.pragmas, marks: lexer.found.marks, arguments }, problems)
}

/// Parses a type that stands alone, as `struct point *`; none where it is none.
pub fn parse_type(source: SourceId, text: &str) -> Option<TypeName> {
    let mut parser = Parser::new(source, text, DescPart::Name);
    let ty = parser.type_name().ok()?;
    (*parser.peek() == Tok::End && parser.problems.is_empty()).then_some(ty)
}

/// Something was wrong, and has been reported.
struct Failed;

type Parsed<T> = Result<T, Failed>;

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// Tokens read and not yet consumed, each with the lexer's state before it.
    ahead: VecDeque<(Checkpoint, Token)>,
    /// Where the last consumed token ends.
    end: u32,
    last: DescPart,
    /// The number of braces open at the last consumed token.
    braces: usize,
    depth: usize,
    height: usize,
    /// Whether a `/` before a `{` ends the expression.
    in_predicate: bool,
    /// Whether something has been found to be missing at the end of the program.
    at_end: bool,
    typedefs: HashSet<String>,
    /// The macro arguments.
    arguments: &'a [String],
    /// Those that stood for names.
    named: Vec<usize>,
    /// Whether the last consumed token is followed by a member's name.
    before_member: bool,
    problems: Vec<Diagnostic>,
}

impl<'a> Parser<'a> {
    fn new(source: SourceId, text: &'a str, last: DescPart) -> Parser<'a> {
        Parser {
            lexer: Lexer::new(source, text),
            ahead: VecDeque::new(),
            end: 0,
            last,
            braces: 0,
            depth: 0,
            height: 0,
            in_predicate: false,
            at_end: false,
            typedefs: HashSet::new(),
            arguments: &[],
            named: Vec::new(),
            before_member: false,
            problems: Vec::new(),
        }
    }
}

impl Parser<'_> {
    fn fill(&mut self, count: usize) {
        while self.ahead.len() < count {
            let (before, mut token) = self.lexer.next();
            let last = self.ahead.back();
            if let Some(name) = self
                .argument(&token.tok, last.map_or(self.before_member, |(_, last)| last.tok.before_member()))
            {
                token.tok = name;
            }
            self.ahead.push_back((before, token));
        }
    }

    /// What stands in a macro argument's place, where it is a member's name or a type's.
    fn argument(&mut self, tok: &Tok, member: bool) -> Option<Tok> {
        let Tok::Macro(MacroArg { name, string: false }) = tok else { return None };
        let number = name.parse::<usize>().ok()?.checked_sub(1)?;
        let word = self.arguments.get(number).filter(|text| is_name(text))?;
        let tok = match Word::find(word) {
            Some(keyword) if member || keyword.begins_type() => Tok::Word(keyword),
            None if member || self.names_type(word) => Tok::Ident(word.clone()),
            _ => return None,
        };
        self.named.push(number);
        Some(tok)
    }

    /// The next token.
    fn peek(&mut self) -> &Tok {
        self.peek_at(0)
    }

    /// The token after `skip` others.
    fn peek_at(&mut self, skip: usize) -> &Tok {
        self.fill(skip + 1);
        &self.ahead[skip].1.tok
    }

    /// The next token's place.
    fn here(&mut self) -> Span {
        self.fill(1);
        self.ahead[0].1.span
    }

    /// Consumes the next token; the end of the program stays.
    fn bump(&mut self) -> Token {
        self.fill(1);
        let token = match self.ahead.front() {
            Some((_, token)) if token.tok == Tok::End => token.clone(),
            _ => self.ahead.pop_front().expect("filled above").1,
        };
        match token.tok {
            Tok::End => return token,
            Tok::Mark(Mark::LBrace) => self.braces += 1,
            Tok::Mark(Mark::RBrace) => self.braces = self.braces.saturating_sub(1),
            _ => {}
        }
        self.end = token.span.end;
        self.before_member = token.tok.before_member();
        token
    }

    /// Gives back what was read ahead: the lexer stands behind the last consumed token.
    fn rewind(&mut self) {
        if let Some((before, _)) = self.ahead.front() {
            self.lexer.rewind(*before);
        }
        self.ahead.clear();
    }

    fn at(&mut self, mark: Mark) -> bool {
        *self.peek() == Tok::Mark(mark)
    }

    fn at_word(&mut self, word: Word) -> bool {
        *self.peek() == Tok::Word(word)
    }

    /// Consumes this mark if it is next.
    fn eat(&mut self, mark: Mark) -> bool {
        let found = self.at(mark);
        if found {
            self.bump();
        }
        found
    }

    /// The text from `start` to the last consumed token.
    fn span_from(&self, start: Span) -> Span {
        Span { end: self.end.max(start.start), ..start }
    }

    /// Reports, unless the same place was the last thing reported: one mistake, one diagnostic. What is missing at
    /// the end of the program is told once, and not at all where a quote or comment that is not closed reaches it.
    fn problem(&mut self, diagnostic: Diagnostic) {
        if *self.peek() == Tok::End {
            let end = self.lexer.text.trim_end().len();
            let swallowed = |problem: &Diagnostic| problem.span.is_some_and(|span| span.range().end >= end);
            if self.at_end || self.lexer.found.problems.iter().any(swallowed) {
                return;
            }
            self.at_end = true;
        }
        let place = |problem: &Diagnostic| problem.span.map(|span| span.start);
        if self.problems.last().is_none_or(|last| place(last) != place(&diagnostic)) {
            self.problems.push(diagnostic);
        }
    }

    /// Reports that something else was expected at the next token.
    fn expected(&mut self, what: &str, help: impl Into<String>) -> Failed {
        let span = self.here();
        let found = self.peek().to_string();
        self.problem(
            Diagnostic::error(Tag::D_SYNTAX, span, format!("expected {what}, found {found}"))
                .label(format!("expected {what}"))
                .help(help),
        );
        Failed
    }

    /// Consumes this mark, which must be next.
    fn expect(&mut self, mark: Mark, help: &str) -> Parsed<Span> {
        if self.at(mark) {
            Ok(self.bump().span)
        } else {
            Err(self.expected(&format!("`{}`", mark.text()), help))
        }
    }

    /// Consumes the bracket that closes `open`.
    fn close(&mut self, mark: Mark, open: Span) -> Parsed<()> {
        if self.eat(mark) {
            return Ok(());
        }
        let span = self.here();
        let found = self.peek().to_string();
        let (opened, mark) = (&self.lexer.text[open.range()], mark.text());
        let problem = Diagnostic::error(Tag::D_SYNTAX, span, format!("expected `{mark}`, found {found}"))
            .label(format!("expected `{mark}`"))
            .related(open, "opened here")
            .help(format!("close the `{opened}` with `{mark}`, or remove what is too much before this"));
        self.problem(problem);
        Err(Failed)
    }

    /// A name that can be declared.
    fn ident(&mut self, what: &str, help: &str) -> Parsed<Ident> {
        match self.peek() {
            Tok::Ident(_) => {
                let token = self.bump();
                let Tok::Ident(name) = token.tok else { unreachable!("seen above") };
                Ok(Ident { name, span: token.span })
            }
            Tok::Word(word) => {
                let help = format!("`{}` is a word of the language: choose another name", word.text());
                Err(self.expected(what, help))
            }
            _ => Err(self.expected(what, help)),
        }
    }

    /// A member's or tag's name: keywords of D can be names in C.
    fn member(&mut self, what: &str, help: &str) -> Parsed<Ident> {
        if let Tok::Word(word) = *self.peek() {
            let span = self.bump().span;
            return Ok(Ident { name: word.text().to_owned(), span });
        }
        self.ident(what, help)
    }

    /// Whether a bare name is taken as a type's.
    fn names_type(&self, name: &str) -> bool {
        is_type_name(name) || self.typedefs.contains(name)
    }

    /// Parses what is nested, one level down.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= NESTING {
            let here = self.here();
            return Err(self.too_deep(here));
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    /// Counts one level above the subtrees just parsed, the highest of which is `below` high.
    fn grow(&mut self, below: usize, span: Span) -> Parsed<()> {
        self.height = below + 1;
        if self.height > HEIGHT { Err(self.too_deep(span)) } else { Ok(()) }
    }

    fn too_deep(&mut self, span: Span) -> Failed {
        self.problem(
            Diagnostic::error(Tag::D_EXPR_DEPTH, span, "this is nested too deeply, or too long a chain")
                .label("too deep")
                .help(format!(
                    "at most {NESTING} brackets inside each other and {HEIGHT} operators in a chain: \
                     split it, using `this->` variables"
                )),
        );
        Failed
    }

    /// Skips to the end of what could not be parsed, where `level` braces are open around it: past a `;`, past
    /// the `}` of braces of its own, or up to the `}` of those around. What is no token in the skipped text is
    /// not worth a word.
    fn recover(&mut self, level: usize) {
        let known = self.lexer.found.problems.len();
        loop {
            let outside = self.braces <= level;
            match self.peek() {
                Tok::End => break,
                Tok::Mark(Mark::RBrace) if outside => break,
                Tok::Mark(Mark::Semi) if outside => {
                    self.bump();
                    break;
                }
                _ => {
                    let closing = self.at(Mark::RBrace);
                    self.bump();
                    if closing && self.braces <= level {
                        self.eat(Mark::Semi);
                        break;
                    }
                }
            }
        }
        self.lexer.found.problems.truncate(known);
    }

    /// Whether so much is wrong that going on would help nobody.
    fn hopeless(&self) -> bool {
        self.problems.len() >= MOST_PROBLEMS
    }
}
