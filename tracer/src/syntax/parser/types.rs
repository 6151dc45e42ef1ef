//! Types in the place of values: names of types, parameters, and where a bracket holds a type.
//!
//! Invariant: when a function here returns a type, `self.height` is the greatest height of the expressions in
//! it, at least 1.

use super::super::ast::*;
use super::declarator::Naming;
use super::*;

impl Parser<'_> {
    /// Whether a type stands after `at` tokens, behind a `(`. A bare name is a type where its spelling says so,
    /// where `*)` follows, or, in a cast, where an operand follows its `)` that could not follow a value.
    pub(super) fn type_at(&mut self, at: usize, cast: bool) -> bool {
        let known = match self.peek_at(at) {
            Tok::Word(word) => return word.begins_type(),
            Tok::Ident(name) | Tok::Symbol(_, name) => {
                let name = name.clone();
                self.names_type(&name)
            }
            _ => return false,
        };
        let mut next = at + 1;
        while matches!(self.peek_at(next), Tok::Mark(Mark::Star)) {
            next += 1;
        }
        let stars = next > at + 1;
        match self.peek_at(next) {
            Tok::Mark(Mark::RParen) if stars || known => true,
            Tok::Mark(Mark::RParen) => {
                cast && match self.peek_at(next + 1) {
                    Tok::Word(word) => word.begins_expression(),
                    Tok::Mark(mark) => matches!(mark, Mark::LParen | Mark::Not | Mark::Tilde),
                    Tok::End => false,
                    _ => true,
                }
            }
            Tok::Word(Word::Const | Word::Volatile | Word::Restrict | Word::Userland) => true,
            Tok::Mark(Mark::LBracket) => known && !cast,
            // A pointer to a function or an array: `name (*)...`
            Tok::Mark(Mark::LParen) => {
                *self.peek_at(next + 1) == Tok::Mark(Mark::Star)
                    && *self.peek_at(next + 2) == Tok::Mark(Mark::RParen)
            }
            _ => false,
        }
    }

    /// Whether brackets after a declared name hold an associative array's key types.
    pub(super) fn keys_ahead(&mut self) -> bool {
        let known = match self.peek() {
            Tok::Word(Word::Thread | Word::Clause) => return false,
            Tok::Word(word) => return word.begins_type() || word.is_storage(),
            Tok::Mark(Mark::Ellipsis) => return true,
            Tok::Ident(name) | Tok::Symbol(_, name) => {
                let name = name.clone();
                self.names_type(&name)
            }
            _ => return false,
        };
        let mut next = 1;
        while matches!(self.peek_at(next), Tok::Mark(Mark::Star)) {
            next += 1;
        }
        match self.peek_at(next) {
            Tok::Mark(Mark::RBracket) => known || next > 1,
            Tok::Mark(Mark::Comma) => true,
            Tok::Ident(_) => known || next == 1,
            _ => false,
        }
    }

    /// A type without a name.
    pub(super) fn type_name(&mut self) -> Parsed<TypeName> {
        let start = self.here();
        let (_, base) = self.specifiers(false)?;
        let below = self.height;
        let (_, derived) = self.declarator(Naming::MustNot)?;
        self.height = self.height.max(below);
        Ok(TypeName { base, derived, span: self.span_from(start) })
    }

    /// A type, perhaps with a name.
    pub(super) fn param(&mut self) -> Parsed<Param> {
        let start = self.here();
        let (storage, base) = self.specifiers(true)?;
        if !matches!(storage, None | Some(Storage::Register)) {
            self.problem(
                Diagnostic::error(Tag::D_DECL_PARMCLASS, start, "a parameter has no storage class")
                    .label("not allowed here")
                    .help("leave the word out"),
            );
            return Err(Failed);
        }
        let below = self.height;
        let (name, derived) = self.declarator(Naming::May)?;
        self.height = self.height.max(below);
        Ok(Param { ty: TypeName { base, derived, span: self.span_from(start) }, name })
    }
}
