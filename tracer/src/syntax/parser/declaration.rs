//! Declarations: variables, types, `inline`, `translator`.
//!
//! Invariant: a typedef's name is known as a type from its declaration on.

use std::slice;

use super::super::ast::*;
use super::declarator::Naming;
use super::*;

impl Parser<'_> {
    /// A declaration at the outermost level, its `;` included.
    pub(super) fn declared(&mut self) -> Parsed<ItemKind> {
        match self.peek() {
            Tok::Word(Word::Inline) => self.inline(),
            Tok::Word(Word::Translator) => self.translator(),
            Tok::Word(Word::Provider) => self.provider(),
            _ => {
                let declaration = self.declaration(false)?;
                if !self.passes_body(&declaration.declarators) {
                    self.ends_declaration()?;
                }
                if declaration.storage == Some(Storage::Typedef) {
                    let names =
                        declaration.declarators.iter().filter_map(|declarator| declarator.name.as_ref());
                    self.typedefs.extend(names.map(|name| name.name.clone()));
                }
                Ok(ItemKind::Declaration(declaration))
            }
        }
    }

    /// Passes the body of a function that a header defines, which D has no use for; says whether there was one.
    fn passes_body(&mut self, declarators: &[Declarator]) -> bool {
        let function =
            matches!(declarators, [one] if matches!(one.derived.first(), Some(Derived::Function { .. })));
        if !function || !self.at(Mark::LBrace) || self.lexer.included == 0 {
            return false;
        }
        let level = self.braces;
        self.bump();
        while self.braces > level && *self.peek() != Tok::End {
            self.bump();
        }
        true
    }

    fn ends_declaration(&mut self) -> Parsed<()> {
        let help = match *self.peek() {
            Tok::Mark(Mark::Assign) => {
                "a declaration gives no value: assign it in `BEGIN { name = value; }`, or use `inline`"
            }
            Tok::Mark(Mark::LBrace | Mark::Slash) => {
                "two names are taken as a type and a variable: separate probe descriptions by `,`"
            }
            _ => "a declaration is `type name;` or `type name, name;`",
        };
        self.expect(Mark::Semi, help).map(|_| ())
    }

    /// A declaration without its `;`. Members can have sizes in bits, and no storage class.
    pub(super) fn declaration(&mut self, member: bool) -> Parsed<Declaration> {
        let start = self.here();
        let (storage, base) = self.specifiers(!member)?;
        let mut height = self.height;
        let mut declarators = Vec::new();
        while !self.at(Mark::Semi) {
            let begin = self.here();
            let anonymous_bits = member && self.at(Mark::Colon);
            let (name, derived) =
                if anonymous_bits { (None, Vec::new()) } else { self.declarator(Naming::Must)? };
            height = height.max(self.height);
            let bits = if member && self.eat(Mark::Colon) {
                let bits = self.conditional()?;
                height = height.max(self.height);
                Some(bits)
            } else {
                None
            };
            declarators.push(Declarator { name, derived, bits, span: self.span_from(begin) });
            if !self.eat(Mark::Comma) {
                break;
            }
        }
        let span = self.span_from(start);
        let defines = matches!(base.kind, BaseKind::Record(_) | BaseKind::Enum(_));
        // Headers have members without a name, which D has not.
        if declarators.is_empty() && member && !(defines && self.lexer.included > 0) {
            return Err(self.expected("a member's name", "write `type name;` for each member"));
        }
        if declarators.is_empty() && !defines {
            let words = &self.lexer.text[base.span.range()];
            let message = format!("`{words}` is taken as the type, and no name follows");
            self.problem(
                Diagnostic::error(Tag::D_DECL_USELESS, span, message)
                    .label("declares nothing")
                    .help("a declaration is `type name;`, like `int x;` or `self string s;`"),
            );
            return Err(Failed);
        }
        self.height = height;
        Ok(Declaration { storage, base, declarators, span })
    }

    fn inline(&mut self) -> Parsed<ItemKind> {
        const FORM: &str = "write `inline type name = value;`";
        self.bump();
        let start = self.here();
        let (storage, base) = self.specifiers(true)?;
        if storage.is_some() && self.lexer.included == 0 {
            self.problem(
                Diagnostic::error(Tag::D_DECL_BADCLASS, start, "an inline has no storage class")
                    .label("not allowed here")
                    .help(FORM),
            );
            return Err(Failed);
        }
        let begin = self.here();
        let (name, derived) = self.declarator(Naming::Must)?;
        let declarator = Declarator { name, derived, bits: None, span: self.span_from(begin) };
        let declares = self.lexer.included > 0
            && matches!(declarator.derived.first(), Some(Derived::Function { .. }))
            && (self.passes_body(slice::from_ref(&declarator)) || self.eat(Mark::Semi));
        if declares {
            let (declarators, span) = (vec![declarator], self.span_from(start));
            return Ok(ItemKind::Declaration(Declaration { storage, base, declarators, span }));
        }
        self.expect(Mark::Assign, FORM)?;
        let value = *self.assigned()?;
        self.expect(Mark::Semi, FORM)?;
        Ok(ItemKind::Inline(Inline { base, declarator, value }))
    }

    fn translator(&mut self) -> Parsed<ItemKind> {
        const FORM: &str = "write `translator output < input *name > { member = value; };`";
        self.bump();
        let output = self.type_name()?;
        self.expect(Mark::Lt, FORM)?;
        let input = self.param()?;
        self.expect(Mark::Gt, FORM)?;
        let open = self.expect(Mark::LBrace, FORM)?;
        let level = self.braces;
        let mut members = Vec::new();
        while !matches!(self.peek(), Tok::Mark(Mark::RBrace) | Tok::End) && !self.hopeless() {
            match self.translation() {
                Ok(member) => members.push(member),
                Err(Failed) => self.recover(level),
            }
        }
        self.close(Mark::RBrace, open)?;
        self.expect(Mark::Semi, FORM)?;
        Ok(ItemKind::Translator(Translator { output, input, members }))
    }

    /// `provider name { probe name(types); probe name(types) : (types); };`, or the name alone: a provider without probes.
    fn provider(&mut self) -> Parsed<ItemKind> {
        const FORM: &str = "write `provider name { probe name(types); };`";
        self.bump();
        let name = self.provided("a provider's name", FORM)?;
        if self.eat(Mark::Semi) {
            return Ok(ItemKind::Provider(Provider { name, probes: Vec::new() }));
        }
        let open = self.expect(Mark::LBrace, FORM)?;
        let mut probes = Vec::new();
        while !matches!(self.peek(), Tok::Mark(Mark::RBrace) | Tok::End) {
            if !self.at_word(Word::Probe) {
                return Err(self.expected("`probe`", FORM));
            }
            self.bump();
            let name = self.provided("a probe's name", FORM)?;
            let native = self.prototype(FORM)?;
            let translated = if self.eat(Mark::Colon) { Some(self.prototype(FORM)?) } else { None };
            self.expect(Mark::Semi, FORM)?;
            probes.push(ProbeDecl { name, native, translated });
        }
        self.close(Mark::RBrace, open)?;
        self.expect(Mark::Semi, FORM)?;
        Ok(ItemKind::Provider(Provider { name, probes }))
    }

    /// The name of what a declaration provides, which no module scopes.
    fn provided(&mut self, what: &str, form: &str) -> Parsed<Ident> {
        if let Tok::Symbol(..) = self.peek() {
            let span = self.bump().span;
            let message = format!("{what} has no ` in it");
            self.problem(
                Diagnostic::error(Tag::D_PROV_BADNAME, span, message).label("not a name").help(form),
            );
            return Err(Failed);
        }
        self.ident(what, form)
    }

    /// The parameters of a probe in its declaration.
    fn prototype(&mut self, form: &str) -> Parsed<Vec<Param>> {
        let open = self.expect(Mark::LParen, form)?;
        let (params, variadic) = self.params(Mark::RParen, open)?;
        if variadic {
            let span = self.span_from(open);
            self.problem(
                Diagnostic::error(Tag::D_DECL_PROTO_VARARGS, span, "a probe has a fixed number of arguments")
                    .label("not allowed here")
                    .help("name the type of each argument"),
            );
            return Err(Failed);
        }
        Ok(params)
    }

    /// `member = value;`
    fn translation(&mut self) -> Parsed<(Ident, Expr)> {
        const FORM: &str = "a translator's members are given as `member = value;`";
        let name = self.member("a member's name", FORM)?;
        self.expect(Mark::Assign, FORM)?;
        let value = *self.assigned()?;
        self.expect(Mark::Semi, FORM)?;
        Ok((name, value))
    }
}
