//! Declarators: pointers, arrays, functions and their parameters, around a name or none.
//!
//! Invariant: when a function here returns a type, `self.height` is the greatest height of the expressions in
//! it, at least 1.

use super::super::ast::*;
use super::*;

/// Whether a declarator has a name.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Naming {
    Must,
    May,
    MustNot,
}

impl Parser<'_> {
    /// A name, and what stands around it: the derivations from the name outwards.
    pub(super) fn declarator(&mut self, naming: Naming) -> Parsed<(Option<Ident>, Vec<Derived>)> {
        let start = self.here();
        let mut pointers = Vec::new();
        while self.eat(Mark::Star) {
            let mut quals = Quals::default();
            self.qualifiers(&mut quals);
            pointers.push(Derived::Pointer(quals));
        }
        let mut height = 1;
        if naming != Naming::MustNot {
            self.unscoped()?;
        }
        let groups = self.at(Mark::LParen) && self.groups(naming);
        let included = self.lexer.included > 0;
        let (name, mut derived) = match self.peek() {
            _ if groups => {
                let open = self.bump().span;
                let inner = self.nested(|parser| parser.declarator(naming))?;
                height = self.height;
                self.close(Mark::RParen, open)?;
                inner
            }
            Tok::Ident(_) if naming != Naming::MustNot => (Some(self.ident("a name", "")?), Vec::new()),
            Tok::Word(_) if naming != Naming::MustNot && included => {
                (Some(self.member("a name", "")?), Vec::new())
            }
            Tok::Word(_) if naming == Naming::Must => (Some(self.ident("a name", "")?), Vec::new()),
            _ if naming == Naming::Must => {
                return Err(self
                    .expected("a name", "a declaration is `type name;`, like `int x;` or `self string s;`"));
            }
            _ => (None, Vec::new()),
        };
        loop {
            let suffix = match self.peek() {
                Tok::Mark(Mark::LBracket) => self.nested(Self::array)?,
                Tok::Mark(Mark::LParen) => self.nested(Self::function)?,
                _ => break,
            };
            derived.push(suffix);
            height = height.max(self.height);
        }
        pointers.reverse();
        derived.append(&mut pointers);
        let span = self.span_from(start);
        // A type's chain of derivations is as much a tree as an expression.
        self.grow(height + derived.len(), span)?;
        Ok((name, derived))
    }

    /// Refuses a back quote in a name that is declared.
    pub(super) fn unscoped(&mut self) -> Parsed<()> {
        if !matches!(self.peek(), Tok::Symbol(..)) {
            return Ok(());
        }
        let span = self.here();
        self.problem(
            Diagnostic::error(
                Tag::D_DECL_SCOPE,
                span,
                "a name with a back quote is the kernel's: it cannot be declared",
            )
            .label("not a name of the program's own")
            .help("leave the back quote out, and what stands before it"),
        );
        Err(Failed)
    }

    /// Whether the `(` that is next groups a declarator, rather than opening parameters.
    fn groups(&mut self, naming: Naming) -> bool {
        match self.peek_at(1) {
            _ if naming == Naming::Must => true,
            Tok::Mark(mark) => matches!(mark, Mark::Star | Mark::LParen | Mark::LBracket),
            Tok::Ident(name) if naming == Naming::May => {
                let name = name.clone();
                !self.names_type(&name)
            }
            _ => false,
        }
    }

    /// `[size]` or `[key types]`
    fn array(&mut self) -> Parsed<Derived> {
        let open = self.bump().span;
        self.height = 1;
        if self.eat(Mark::RBracket) {
            return Ok(Derived::Array(None));
        }
        if self.at_word(Word::Restrict) && self.lexer.included > 0 {
            self.bump();
        }
        if self.keys_ahead() {
            let (keys, _) = self.params(Mark::RBracket, open)?;
            return Ok(Derived::Assoc(keys));
        }
        let size = self.conditional()?;
        self.close(Mark::RBracket, open)?;
        let none = matches!(&size.kind, ExprKind::Int(number) if number.value == 0);
        // How headers wrote an array without a size before C had them.
        Ok(Derived::Array(Some(size).filter(|_| !none || self.lexer.included == 0)))
    }

    /// `(parameters)`
    fn function(&mut self) -> Parsed<Derived> {
        let open = self.bump().span;
        let (mut params, variadic) = self.params(Mark::RParen, open)?;
        let void = |param: &Param| {
            param.name.is_none() && param.ty.derived.is_empty() && param.ty.base.kind == BaseKind::Void
        };
        if params.len() == 1 && void(&params[0]) && !variadic {
            params.clear();
        }
        Ok(Derived::Function { params, variadic })
    }

    pub(super) fn params(&mut self, close: Mark, open: Span) -> Parsed<(Vec<Param>, bool)> {
        let mut params = Vec::new();
        let mut variadic = false;
        let mut height = 1;
        while !self.at(close) {
            if self.at(Mark::Ellipsis) {
                let span = self.bump().span;
                if close == Mark::RBracket {
                    self.problem(
                        Diagnostic::error(
                            Tag::D_DECL_PROTO_VARARGS,
                            span,
                            "a key has a fixed number of parts",
                        )
                        .label("not allowed here")
                        .help("name the type of each part: `int a[int, string]`"),
                    );
                    return Err(Failed);
                }
                variadic = true;
                break;
            }
            params.push(self.nested(Self::param)?);
            height = height.max(self.height);
            if !self.eat(Mark::Comma) {
                break;
            }
        }
        self.close(close, open)?;
        self.height = height;
        Ok((params, variadic))
    }
}
