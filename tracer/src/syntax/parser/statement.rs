//! Clause bodies: statements, `if`, and filling aggregations.
//!
//! Invariant: a statement that cannot be parsed leaves an error expression, so that its clause is not taken
//! for an empty one.

use super::super::ast::*;
use super::*;

impl Parser<'_> {
    /// Statements up to the `}` that closes `open`, or to the end. A statement's `;` may be missing before `}`.
    pub(super) fn body(&mut self, open: Span) -> Vec<Stmt> {
        let mut body = Vec::new();
        let level = self.braces;
        loop {
            if self.hopeless() {
                return body;
            }
            match self.peek() {
                Tok::Mark(Mark::RBrace) => {
                    self.bump();
                    return body;
                }
                Tok::Mark(Mark::Semi) => {
                    self.bump();
                }
                Tok::End => {
                    self.problem(
                        Diagnostic::error(Tag::D_SYNTAX, open, "this `{` is not closed")
                            .label("opened here")
                            .help("close the actions with `}`"),
                    );
                    return body;
                }
                _ => {
                    let start = self.here();
                    let statement = self.nested(Self::statement);
                    let kind = statement.unwrap_or_else(|Failed| {
                        let span = self.span_from(start);
                        self.recover(level);
                        StmtKind::Expr(Expr { kind: ExprKind::Error, span })
                    });
                    body.push(Stmt { kind, span: self.span_from(start) });
                }
            }
        }
    }

    fn statement(&mut self) -> Parsed<StmtKind> {
        let kind = match *self.peek() {
            Tok::Word(Word::If) => return self.condition(),
            Tok::Word(word) if !word.begins_expression() => return Err(self.misplaced(word)),
            _ => {
                let expr = *self.expr()?;
                self.evaluated(expr)?
            }
        };
        self.ends_statement()?;
        Ok(kind)
    }

    /// A `;`, consumed, or a `}`, left; at the end of the program `body` says what is missing.
    fn ends_statement(&mut self) -> Parsed<()> {
        if self.at(Mark::RBrace) || self.eat(Mark::Semi) || *self.peek() == Tok::End {
            return Ok(());
        }
        let help = match *self.peek() {
            Tok::Mark(Mark::LBrace) => "a clause cannot begin inside another: is a `}` missing before this?",
            Tok::Mark(Mark::RParen | Mark::RBracket) => {
                "there is one bracket too many, or one was never opened"
            }
            _ => "statements are separated by `;`",
        };
        Err(self.expected("`;` or `}`", help))
    }

    fn condition(&mut self) -> Parsed<StmtKind> {
        const FORM: &str = "write `if (condition) statement else statement`";
        self.bump();
        let open = self.expect(Mark::LParen, FORM)?;
        let cond = *self.expr()?;
        self.close(Mark::RParen, open)?;
        let then = self.branch()?;
        let otherwise = if self.at_word(Word::Else) {
            self.bump();
            self.branch()?
        } else {
            Vec::new()
        };
        Ok(StmtKind::If { cond, then, otherwise })
    }

    /// What `if` or `else` governs: statements in braces, or one.
    fn branch(&mut self) -> Parsed<Vec<Stmt>> {
        if self.at(Mark::LBrace) {
            let open = self.bump().span;
            return Ok(self.body(open));
        }
        if self.eat(Mark::Semi) {
            return Ok(Vec::new());
        }
        let start = self.here();
        let kind = self.nested(Self::statement)?;
        Ok(vec![Stmt { kind, span: self.span_from(start) }])
    }

    /// A statement that is an expression, or `@a[keys] = func(args)`.
    fn evaluated(&mut self, expr: Expr) -> Parsed<StmtKind> {
        let ExprKind::Assign { op: None, place, value } = expr.kind else { return Ok(StmtKind::Expr(expr)) };
        let ExprKind::Agg(agg) = place.kind else {
            let kind = ExprKind::Assign { op: None, place, value };
            return Ok(StmtKind::Expr(Expr { kind, span: expr.span }));
        };
        match value.kind {
            ExprKind::Call { func, args } => Ok(StmtKind::Aggregate { agg, func, args }),
            ExprKind::Var(Scope::Global, name) => {
                let message = format!("`{}` is used without a call", name.name);
                let help = format!("write `@{} = {}()`", agg.name, name.name);
                self.problem(
                    Diagnostic::error(Tag::D_AGG_FUNC, value.span, message).label("no `()`").help(help),
                );
                Err(Failed)
            }
            _ => Err(self.not_aggregating(value.span)),
        }
    }

    /// Reports that an aggregation is given a plain value.
    fn not_aggregating(&mut self, span: Span) -> Failed {
        self.problem(
            Diagnostic::error(
                Tag::D_AGG_FUNC,
                span,
                "an aggregation takes the result of an aggregating function",
            )
            .label("no aggregating function")
            .help("write `@a[key] = count();` or `sum(x)`, `max(x)`, ..."),
        );
        Failed
    }

    /// Reports a keyword that begins no statement of D, by what its user may want.
    fn misplaced(&mut self, word: Word) -> Failed {
        let help = match word {
            Word::For | Word::While | Word::Do | Word::Break | Word::Continue | Word::Goto => {
                "D has no loops: an action must end; use several clauses, or an aggregation"
            }
            Word::Switch | Word::Case | Word::Default => {
                "D has no `switch`: use `if`, `?:`, or several clauses"
            }
            Word::Return => "a clause ends at its `}`: use `if`, or a predicate",
            Word::Else => "an `else` follows its `if (...) statement` directly",
            word if word.begins_type() || word.is_storage() => {
                "declare variables outside of clauses, or leave the declaration out: assigning declares"
            }
            _ => "this word begins no statement",
        };
        let failed = self.expected("a statement", help);
        // The semicolons of `for (;;)` end no statement.
        self.bump();
        if self.at(Mark::LParen) {
            self.skip_brackets();
        }
        failed
    }

    /// Skips from the `(` that is next to its `)`, or to what cannot be between them.
    fn skip_brackets(&mut self) {
        let mut open = 0usize;
        while !matches!(self.peek(), Tok::End | Tok::Mark(Mark::LBrace | Mark::RBrace)) {
            match self.bump().tok {
                Tok::Mark(Mark::LParen) => open += 1,
                Tok::Mark(Mark::RParen) => open -= 1,
                _ => {}
            }
            if open == 0 {
                return;
            }
        }
    }
}
