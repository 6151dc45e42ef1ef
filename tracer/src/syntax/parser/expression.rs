//! Expressions, by precedence climbing.
//!
//! Invariant: when a function here returns an expression, `self.height` is that expression's height.

use super::super::ast::*;
use super::*;

/// How tightly the operators bind; those of assignment and `?:` group from the right.
const COMMA: u8 = 1;
const ASSIGN: u8 = 2;
const COND: u8 = 3;

/// What a mark does between two operands.
enum Infix {
    Binary(BinOp),
    Assign(Option<BinOp>),
    Cond,
}

/// The operator that a mark is between operands, and how tightly it binds.
fn infix(mark: Mark) -> Option<(Infix, u8)> {
    use BinOp::*;
    let assign = |op| (Infix::Assign(Some(op)), ASSIGN);
    Some(match mark {
        Mark::Assign => (Infix::Assign(None), ASSIGN),
        Mark::AddAssign => assign(Add),
        Mark::SubAssign => assign(Sub),
        Mark::MulAssign => assign(Mul),
        Mark::DivAssign => assign(Div),
        Mark::RemAssign => assign(Rem),
        Mark::ShlAssign => assign(Shl),
        Mark::ShrAssign => assign(Shr),
        Mark::AndAssign => assign(And),
        Mark::OrAssign => assign(Or),
        Mark::XorAssign => assign(Xor),
        Mark::Question => (Infix::Cond, COND),
        _ => {
            let op = match mark {
                Mark::Comma => Comma,
                Mark::LogOr => LogOr,
                Mark::LogXor => LogXor,
                Mark::LogAnd => LogAnd,
                Mark::Or => Or,
                Mark::Xor => Xor,
                Mark::And => And,
                Mark::Eq => Eq,
                Mark::Ne => Ne,
                Mark::Lt => Lt,
                Mark::Le => Le,
                Mark::Gt => Gt,
                Mark::Ge => Ge,
                Mark::Shl => Shl,
                Mark::Shr => Shr,
                Mark::Plus => Add,
                Mark::Minus => Sub,
                Mark::Star => Mul,
                Mark::Slash => Div,
                Mark::Percent => Rem,
                _ => return None,
            };
            (Infix::Binary(op), op.level())
        }
    })
}

impl BinOp {
    /// How tightly it binds: a higher one before a lower one. 2 and 3 are assignment and `?:`.
    pub(crate) fn level(self) -> u8 {
        use BinOp::*;
        match self {
            Comma => COMMA,
            LogOr => 4,
            LogXor => 5,
            LogAnd => 6,
            Or => 7,
            Xor => 8,
            And => 9,
            Eq | Ne => 10,
            Lt | Le | Gt | Ge => 11,
            Shl | Shr => 12,
            Add | Sub => 13,
            Mul | Div | Rem => 14,
        }
    }
}

/// What binds more tightly than all operators between operands.
pub(crate) const UNARY: u8 = 15;

impl Parser<'_> {
    /// A whole expression, commas included.
    pub(super) fn expr(&mut self) -> Parsed<Box<Expr>> {
        self.climb(COMMA)
    }

    /// An expression without a comma: an argument, a key, what is assigned.
    pub(super) fn assigned(&mut self) -> Parsed<Box<Expr>> {
        self.climb(ASSIGN)
    }

    /// An expression without assignment: a constant in a declaration.
    pub(super) fn conditional(&mut self) -> Parsed<Box<Expr>> {
        self.climb(COND)
    }

    fn climb(&mut self, min: u8) -> Parsed<Box<Expr>> {
        self.nested(|parser| {
            let start = parser.here();
            let left = parser.unary()?;
            parser.climb_from(left, start, min)
        })
    }

    fn climb_from(&mut self, mut left: Box<Expr>, start: Span, min: u8) -> Parsed<Box<Expr>> {
        // What is assigned to is one operand, and without brackets no cast.
        let cast = matches!(left.kind, ExprKind::Cast { .. }) && left.span.start == start.start;
        let mut operand = !cast;
        loop {
            let Tok::Mark(mark) = *self.peek() else { return Ok(left) };
            let Some((operator, level)) = infix(mark) else { return Ok(left) };
            if level < min || (mark == Mark::Slash && self.ends_predicate()) {
                return Ok(left);
            }
            let below = self.height;
            let sign = self.bump().span;
            let kind = match operator {
                Infix::Binary(op) => {
                    let right = self.operand(level + 1, op)?;
                    ExprKind::Binary { op, left, right }
                }
                Infix::Assign(op) => {
                    if !operand {
                        return Err(self.not_assignable(left.span, sign));
                    }
                    let value = self.climb(ASSIGN)?;
                    ExprKind::Assign { op, place: left, value }
                }
                Infix::Cond => self.alternatives(left, start)?,
            };
            let span = self.span_from(start);
            self.grow(below.max(self.height), span)?;
            left = Box::new(Expr { kind, span });
            operand = false;
        }
    }

    fn not_assignable(&mut self, left: Span, sign: Span) -> Failed {
        self.problem(
            Diagnostic::error(Tag::D_SYNTAX, sign, "nothing can be assigned to what is computed")
                .label("not expected here")
                .related(left, "this is no variable, member or element")
                .help("compare with `==`, or put the assignment in brackets: `a + (b = c)`"),
        );
        Failed
    }

    /// What follows `cond ?`. A chain of them is a list of cases, however long: it is read in a loop.
    fn alternatives(&mut self, cond: Box<Expr>, start: Span) -> Parsed<ExprKind> {
        let mut cases = Vec::new();
        let mut case = (cond, start);
        let mut height = self.height;
        let last = loop {
            let then = self.expr()?;
            height = height.max(self.height);
            self.expect(Mark::Colon, "write `condition ? value : other value`")?;
            let start = self.here();
            let otherwise = self.climb(COND + 1)?;
            height = height.max(self.height);
            cases.push((case, then));
            if !self.eat(Mark::Question) {
                break otherwise;
            }
            case = (otherwise, start);
        };
        let end = self.span_from(start);
        self.grow(height + cases.len() - 1, end)?;
        self.height -= 1;
        let whole = cases.into_iter().rev().fold(last, |otherwise, ((cond, start), then)| {
            let kind = ExprKind::Cond { cond, then, otherwise };
            Box::new(Expr { kind, span: start.to(end) })
        });
        Ok(whole.kind)
    }

    /// An operator's right operand.
    fn operand(&mut self, min: u8, op: BinOp) -> Parsed<Box<Expr>> {
        // `a / { ...`: the end of a predicate that was never begun.
        if op == BinOp::Div && self.at(Mark::LBrace) {
            return Err(
                self.expected("an expression", "a predicate stands between two slashes: `/pid == 1/`")
            );
        }
        self.climb(min)
    }

    /// Whether the `/` that is next ends the predicate: nothing can be divided by what follows.
    fn ends_predicate(&mut self) -> bool {
        self.in_predicate && matches!(self.peek_at(1), Tok::End | Tok::Mark(Mark::LBrace | Mark::Semi))
    }

    fn unary(&mut self) -> Parsed<Box<Expr>> {
        let start = self.here();
        let op = match *self.peek() {
            Tok::Mark(Mark::Plus) => UnOp::Plus,
            Tok::Mark(Mark::Minus) => UnOp::Neg,
            Tok::Mark(Mark::Not) => UnOp::Not,
            Tok::Mark(Mark::Tilde) => UnOp::BitNot,
            Tok::Mark(Mark::Star) => UnOp::Deref,
            Tok::Mark(Mark::And) => UnOp::Addr,
            Tok::Mark(Mark::Inc) => UnOp::PreInc,
            Tok::Mark(Mark::Dec) => UnOp::PreDec,
            Tok::Word(Word::Stringof) => UnOp::Stringof,
            Tok::Word(Word::Sizeof) => UnOp::Sizeof,
            _ => return self.cast_or_postfix(start),
        };
        self.bump();
        if op == UnOp::Sizeof && self.at(Mark::LParen) && self.type_at(1, false) {
            let ty = self.bracketed_type()?;
            let span = self.span_from(start);
            self.grow(self.height, span)?;
            return Ok(Box::new(Expr { kind: ExprKind::SizeofType(ty), span }));
        }
        let expr = self.nested(Self::unary)?;
        let span = self.span_from(start);
        self.grow(self.height, span)?;
        Ok(Box::new(Expr { kind: ExprKind::Unary { op, expr }, span }))
    }

    fn cast_or_postfix(&mut self, start: Span) -> Parsed<Box<Expr>> {
        if !(self.at(Mark::LParen) && self.type_at(1, true)) {
            let primary = self.primary()?;
            return self.postfix(primary, start);
        }
        let ty = self.bracketed_type()?;
        let below = self.height;
        let expr = self.nested(Self::unary)?;
        let span = self.span_from(start);
        self.grow(below.max(self.height), span)?;
        Ok(Box::new(Expr { kind: ExprKind::Cast { ty, expr }, span }))
    }

    /// `(type)`
    fn bracketed_type(&mut self) -> Parsed<TypeName> {
        let open = self.bump().span;
        let ty = self.nested(Self::type_name)?;
        self.close(Mark::RParen, open)?;
        Ok(ty)
    }

    fn primary(&mut self) -> Parsed<Box<Expr>> {
        let start = self.here();
        self.height = 1;
        let kind = match self.peek() {
            Tok::Mark(Mark::LParen) => {
                let open = self.bump().span;
                let inner = self.expr()?;
                self.close(Mark::RParen, open)?;
                return Ok(inner);
            }
            Tok::Word(Word::Thread) => self.scoped(Scope::Thread)?,
            Tok::Word(Word::Clause) => self.scoped(Scope::Clause)?,
            Tok::Word(Word::Offsetof) => self.offsetof()?,
            Tok::Word(Word::Xlate) => self.xlate()?,
            Tok::Agg(_) => ExprKind::Agg(self.agg_ref()?),
            Tok::Word(word) => {
                let word = *word;
                return Err(self.word_as_value(word));
            }
            Tok::Mark(_) | Tok::End => {
                let help =
                    "an expression is a variable, a constant, a call, or several with operators between";
                return Err(self.expected("an expression", help));
            }
            _ => {
                let Token { tok, span } = self.bump();
                match tok {
                    Tok::Ident(name) if self.at(Mark::LParen) => self.call(Ident { name, span })?,
                    Tok::Ident(name) => ExprKind::Var(Scope::Global, Ident { name, span }),
                    Tok::Symbol(module, name) => {
                        let (module, name) = symbol(module, name, span);
                        ExprKind::Symbol { module, name }
                    }
                    Tok::Int(int) => ExprKind::Int(int),
                    Tok::Float(float) => ExprKind::Float(float),
                    Tok::Char(value) => ExprKind::Char(value),
                    Tok::Str(bytes) => ExprKind::Str(bytes),
                    Tok::Macro(argument) => ExprKind::Macro(argument),
                    Tok::Mark(_) | Tok::Word(_) | Tok::Agg(_) | Tok::End => ExprKind::Error,
                }
            }
        };
        Ok(Box::new(Expr { kind, span: self.span_from(start) }))
    }

    /// Subscripts, members and `++` after an operand.
    fn postfix(&mut self, mut expr: Box<Expr>, start: Span) -> Parsed<Box<Expr>> {
        loop {
            let below = self.height;
            let kind = match *self.peek() {
                Tok::Mark(Mark::LBracket) => {
                    let open = self.here();
                    let keys = self.list(Mark::RBracket, open)?;
                    if keys.is_empty() {
                        return Err(self.no_key(open));
                    }
                    ExprKind::Index { base: expr, keys }
                }
                Tok::Mark(mark @ (Mark::Dot | Mark::Arrow)) => {
                    self.bump();
                    let member =
                        self.member("a member's name", "write `structure.member` or `pointer->member`")?;
                    ExprKind::Member { base: expr, arrow: mark == Mark::Arrow, member }
                }
                Tok::Mark(Mark::Inc) => {
                    self.bump();
                    ExprKind::Unary { op: UnOp::PostInc, expr }
                }
                Tok::Mark(Mark::Dec) => {
                    self.bump();
                    ExprKind::Unary { op: UnOp::PostDec, expr }
                }
                Tok::Mark(Mark::LParen) => {
                    let span = expr.span;
                    self.problem(
                        Diagnostic::error(Tag::D_FUNC_IDENT, span, "only a function's name can be called")
                            .label("not a function's name")
                            .help("write `function(arguments)`; if this is a type that should be cast to, declare it"),
                    );
                    return Err(Failed);
                }
                _ => return Ok(expr),
            };
            let span = self.span_from(start);
            self.grow(below.max(self.height), span)?;
            expr = Box::new(Expr { kind, span });
        }
    }

    /// Reports brackets with nothing between them.
    fn no_key(&mut self, open: Span) -> Failed {
        let span = self.span_from(open);
        self.problem(
            Diagnostic::error(Tag::D_SYNTAX, span, "a subscript without a key")
                .label("nothing between the brackets")
                .help("write the key or index: `a[pid]`, `@a[execname, pid]`, `args[0]`"),
        );
        Failed
    }

    /// Expressions between the bracket that is next and `close`, separated by commas. Leaves the greatest
    /// height among them, at least 1.
    fn list(&mut self, close: Mark, open: Span) -> Parsed<Vec<Expr>> {
        self.bump();
        let mut list = Vec::new();
        let mut height = 1;
        if !self.at(close) {
            loop {
                list.push(*self.assigned()?);
                height = height.max(self.height);
                if !self.eat(Mark::Comma) {
                    break;
                }
            }
        }
        self.close(close, open)?;
        self.height = height;
        Ok(list)
    }

    fn call(&mut self, func: Ident) -> Parsed<ExprKind> {
        let open = self.here();
        let args = self.list(Mark::RParen, open)?;
        let span = self.span_from(func.span);
        self.grow(self.height, span)?;
        Ok(ExprKind::Call { func, args })
    }

    /// `@name[keys]`
    fn agg_ref(&mut self) -> Parsed<AggRef> {
        let Token { tok, span: start } = self.bump();
        let name = if let Tok::Agg(name) = tok { name } else { String::new() };
        self.height = 1;
        let mut keys = Vec::new();
        if self.at(Mark::LBracket) {
            let open = self.here();
            keys = self.list(Mark::RBracket, open)?;
            if keys.is_empty() {
                return Err(self.no_key(open));
            }
            let span = self.span_from(start);
            self.grow(self.height, span)?;
        }
        if self.at(Mark::LBracket) {
            let span = self.here();
            self.problem(
                Diagnostic::error(Tag::D_AGG_MDIM, span, "an aggregation has one pair of brackets only")
                    .label("a second pair")
                    .help(format!("write the keys with commas: `@{name}[key, other key]`")),
            );
            return Err(Failed);
        }
        Ok(AggRef { name, keys, span: self.span_from(start) })
    }

    /// `self->name`, `this->name`
    fn scoped(&mut self, scope: Scope) -> Parsed<ExprKind> {
        let word = self.bump();
        let help = match scope {
            Scope::Thread => "a thread's own variables are written `self->name`",
            _ => "a clause's own variables are written `this->name`",
        };
        if !self.at(Mark::Arrow) {
            let message = format!("`{}` has no value of its own", &self.lexer.text[word.span.range()]);
            self.problem(
                Diagnostic::error(Tag::D_IDENT_BADREF, word.span, message)
                    .label("no `->` after it")
                    .help(help),
            );
            return Err(Failed);
        }
        self.bump();
        let name = self.member("a variable's name", help)?;
        let span = word.span.to(name.span);
        Ok(ExprKind::Var(scope, Ident { name: name.name, span }))
    }

    fn offsetof(&mut self) -> Parsed<ExprKind> {
        const FORM: &str = "write `offsetof(struct name, member)`";
        self.bump();
        let open = self.expect(Mark::LParen, FORM)?;
        let ty = self.nested(Self::type_name)?;
        self.expect(Mark::Comma, FORM)?;
        let member = self.member("a member's name", FORM)?;
        self.close(Mark::RParen, open)?;
        let span = self.span_from(open);
        self.grow(self.height, span)?;
        Ok(ExprKind::Offsetof { ty, member })
    }

    fn xlate(&mut self) -> Parsed<ExprKind> {
        const FORM: &str = "write `xlate<type>(expression)`";
        self.bump();
        self.expect(Mark::Lt, FORM)?;
        let ty = self.nested(Self::type_name)?;
        let below = self.height;
        self.expect(Mark::Gt, FORM)?;
        let open = self.expect(Mark::LParen, FORM)?;
        let expr = self.expr()?;
        self.close(Mark::RParen, open)?;
        let span = self.span_from(open);
        self.grow(below.max(self.height), span)?;
        Ok(ExprKind::Xlate { ty, expr })
    }

    /// Reports a keyword where a value is needed.
    fn word_as_value(&mut self, word: Word) -> Failed {
        let help = if word.begins_type() {
            "a type stands in a cast, `(int)x`, in `sizeof (int)`, or in a declaration outside of clauses"
        } else if word == Word::If {
            "`if` is a statement; inside an expression write `condition ? value : other value`"
        } else {
            "this word of the language is no value; choose another name for a variable"
        };
        self.expected("an expression", help)
    }
}

/// A symbol's two names with their places.
pub(super) fn symbol(module: Option<String>, name: String, span: Span) -> (Option<Ident>, Ident) {
    let split = span.end - name.len() as u32;
    let name = Ident { name, span: Span { start: split, ..span } };
    let module = module.map(|module| Ident { name: module, span: Span { end: split - 1, ..span } });
    (module, name)
}
