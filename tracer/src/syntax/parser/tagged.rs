//! Types with a tag: structures, unions, enumerations.
//!
//! Invariant: when a function here returns a type, `self.height` is the greatest height of the expressions in
//! it, at least 1.

use super::super::ast::*;
use super::expression::symbol;
use super::*;

impl Parser<'_> {
    /// A tag after `struct`, `union` or `enum`, if there is one.
    fn tag(&mut self) -> Parsed<(Option<Ident>, Option<Ident>)> {
        Ok(match self.peek() {
            Tok::Symbol(..) => {
                let Token { tok, span } = self.bump();
                let Tok::Symbol(module, name) = tok else { return Err(Failed) };
                let (module, name) = symbol(module, name, span);
                (module, Some(name))
            }
            Tok::Mark(Mark::LBrace) => (None, None),
            _ => (None, Some(self.member("a tag or `{`", "write `struct name`, or the members in braces")?)),
        })
    }

    pub(super) fn record(&mut self) -> Parsed<Record> {
        let union = self.bump().tok == Tok::Word(Word::Union);
        let (module, tag) = self.tag()?;
        let mut height = 1;
        let members = if self.at(Mark::LBrace) {
            let open = self.bump().span;
            let mut members = Vec::new();
            if self.at(Mark::RBrace) && self.lexer.included == 0 {
                return Err(self.expected("a member", "a structure has members: `struct name { int x; }`"));
            }
            while !matches!(self.peek(), Tok::Mark(Mark::RBrace) | Tok::End) {
                members.push(self.declaration(true)?);
                height = height.max(self.height);
                self.expect(Mark::Semi, "each member ends with `;`: `int x; char *name;`")?;
            }
            self.close(Mark::RBrace, open)?;
            Some(members)
        } else {
            None
        };
        self.grow(height, tag.as_ref().map_or(Span::default(), |tag| tag.span))?;
        Ok(Record { union, module, tag, members })
    }

    pub(super) fn enumeration(&mut self) -> Parsed<Enum> {
        self.bump();
        let wide = self.lexer.included > 0;
        let (module, tag) = self.tag()?;
        let mut height = 1;
        let values = if self.at(Mark::LBrace) {
            let open = self.bump().span;
            let mut values = Vec::new();
            if self.at(Mark::RBrace) {
                return Err(self.expected("an enumerator", "write `enum name { A, B = 2 }`"));
            }
            while !matches!(self.peek(), Tok::Mark(Mark::RBrace) | Tok::End) {
                self.unscoped()?;
                let name = self.ident("an enumerator's name", "write `enum name { A, B = 2 }`")?;
                let value = if self.eat(Mark::Assign) { Some(*self.conditional()?) } else { None };
                height = if value.is_some() { height.max(self.height) } else { height };
                values.push((name, value));
                if !self.eat(Mark::Comma) {
                    break;
                }
                // A comma behind the last is C's of today, not D's.
                if self.at(Mark::RBrace) && self.lexer.included == 0 {
                    return Err(self.expected("an enumerator", "leave out the last comma"));
                }
            }
            self.close(Mark::RBrace, open)?;
            Some(values)
        } else {
            None
        };
        self.height = height;
        Ok(Enum { module, tag, values, wide })
    }
}
