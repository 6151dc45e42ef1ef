//! Types as C writes them: specifiers, declarators, parameters; and where a bracket holds a type.
//!
//! Invariant: when a function here returns a type, `self.height` is the greatest height of the expressions in
//! it, at least 1.

use super::super::ast::*;
use super::expression::symbol;
use super::*;

/// Whether a declarator has a name.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Naming {
    Must,
    May,
    MustNot,
}

/// The words of a type that can stand in any order.
#[derive(Default)]
struct Words {
    sign: Option<Sign>,
    short: bool,
    longs: u8,
    /// `char`, `int`, `void`, `float`, `double` or `string`
    main: Option<Word>,
    /// Whether a word came twice, or two that exclude each other.
    clash: bool,
    any: bool,
}

impl Words {
    /// Takes a word in; false if it is none of a type's.
    fn take(&mut self, word: Word) -> bool {
        match word {
            Word::Signed | Word::Unsigned => {
                self.clash |= self.sign.is_some();
                self.sign = Some(if word == Word::Signed { Sign::Signed } else { Sign::Unsigned });
            }
            Word::Short => {
                self.clash |= self.short;
                self.short = true;
            }
            Word::Long => {
                self.clash |= self.longs == 2;
                self.longs = 2.min(self.longs + 1);
            }
            Word::Char | Word::Int | Word::Void | Word::Float | Word::Double | Word::String => {
                self.clash |= self.main.is_some();
                self.main = Some(word);
            }
            _ => return false,
        }
        self.any = true;
        true
    }

    /// The type that the words make together.
    fn kind(&self) -> Option<BaseKind> {
        let int = |width| Some(BaseKind::Int { width, sign: self.sign });
        if self.clash {
            return None;
        }
        match (self.main, self.short, self.longs) {
            (Some(Word::Int) | None, true, 0) => int(IntWidth::Short),
            (Some(Word::Int) | None, false, 0) => int(IntWidth::Int),
            (Some(Word::Int) | None, false, 1) => int(IntWidth::Long),
            (Some(Word::Int) | None, false, 2) => int(IntWidth::LongLong),
            (Some(Word::Char), false, 0) => int(IntWidth::Char),
            _ if self.sign.is_some() => None,
            (Some(Word::Void), false, 0) => Some(BaseKind::Void),
            (Some(Word::String), false, 0) => Some(BaseKind::String),
            (Some(Word::Float), false, 0) => Some(BaseKind::Float),
            (Some(Word::Double), false, 0) => Some(BaseKind::Double),
            (Some(Word::Double), false, 1) => Some(BaseKind::LongDouble),
            _ => None,
        }
    }

    /// What is wrong with the words, `other` telling whether a structure's or a name's type stands among them: the
    /// tag, and what the words in question go with.
    fn wrong(&self, other: bool) -> (Tag, &'static str) {
        let sized = self.short || self.longs > 0;
        let real = matches!(self.main, Some(Word::Float | Word::Double));
        let no_integer = other || real || self.main == Some(Word::String);
        match self.main {
            Some(Word::Char) if sized => (Tag::D_DECL_CHARATTR, "`short` and `long` do not go with `char`"),
            Some(Word::Void) if sized || self.sign.is_some() => {
                (Tag::D_DECL_VOIDATTR, "no other word goes with `void`")
            }
            _ if no_integer && self.sign.is_some() => {
                (Tag::D_DECL_SIGNINT, "`signed` and `unsigned` go with integers only")
            }
            _ if no_integer && self.longs > 0 && !real => {
                (Tag::D_DECL_LONGINT, "`long` goes with integers and `double` only")
            }
            _ => (Tag::D_DECL_COMBO, "these words do not make a type together"),
        }
    }
}

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
    fn keys_ahead(&mut self) -> bool {
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

    /// What stands before declarators: a type, qualifiers, and where allowed a storage class, in any order.
    pub(super) fn specifiers(&mut self, storage_allowed: bool) -> Parsed<(Option<Storage>, BaseType)> {
        const TYPE: &str = "a type is like `int`, `uint64_t`, `string`, `struct name`, with `*` for pointers";
        let mut start = self.here();
        let mut storage = None;
        let mut quals = Quals::default();
        let mut words = Words::default();
        let mut kind = None;
        let mut height = 1;
        loop {
            self.fill(1);
            let included = self.lexer.included > 0;
            match *self.peek() {
                Tok::Word(word) if word.is_storage() && storage_allowed => {
                    let span = self.bump().span;
                    if storage.replace(storage_class(word)).is_some() {
                        self.problem(
                            Diagnostic::error(Tag::D_DECL_CLASS, span, "a second storage class")
                                .label("one too many")
                                .help(
                                    "a declaration has one of `self`, `this`, `typedef`, `extern`, `static`",
                                ),
                        );
                        return Err(Failed);
                    }
                    start = self.here();
                }
                Tok::Word(Word::Const | Word::Volatile | Word::Restrict | Word::Userland) => {
                    self.qualifiers(&mut quals);
                }
                // A header's function.
                Tok::Word(Word::Inline) if storage_allowed && included => {
                    self.bump();
                }
                Tok::Word(Word::Struct | Word::Union) if words.main.is_none() && kind.is_none() => {
                    kind = Some(BaseKind::Record(self.nested(Self::record)?));
                    height = height.max(self.height);
                }
                Tok::Word(Word::Enum) if words.main.is_none() && kind.is_none() => {
                    kind = Some(BaseKind::Enum(self.enumeration()?));
                    height = height.max(self.height);
                }
                Tok::Word(word) if words.take(word) => {
                    words.clash |= kind.is_some() && words.main == Some(word);
                    self.bump();
                }
                Tok::Word(word) if word.begins_type() && (words.any || kind.is_some()) => {
                    words.clash = true;
                    let span = self.here();
                    return Err(self.no_type(&words, kind.is_some(), span));
                }
                Tok::Ident(_) | Tok::Symbol(..) if !words.any && kind.is_none() => {
                    kind = Some(self.named_type());
                }
                // `unsigned name_t x`
                Tok::Ident(ref name) if words.main.is_none() && kind.is_none() => {
                    let name = name.clone();
                    if !(self.names_type(&name) && matches!(self.peek_at(1), Tok::Ident(_))) {
                        break;
                    }
                    kind = Some(self.named_type());
                }
                _ => break,
            }
        }
        let span = self.span_from(start);
        self.height = height;
        let kind = match kind {
            Some(_) if words.any => return Err(self.no_type(&words, true, span)),
            Some(kind) => kind,
            None if words.any => match words.kind() {
                Some(kind) => kind,
                None => return Err(self.no_type(&words, false, span)),
            },
            None => return Err(self.expected("a type", TYPE)),
        };
        Ok((storage, BaseType { kind, quals, span }))
    }

    fn no_type(&mut self, words: &Words, other: bool, span: Span) -> Failed {
        let (tag, message) = words.wrong(other);
        self.problem(
            Diagnostic::error(tag, span, message)
                .label("no such type")
                .help("integers are `signed` or `unsigned` `char`, `short`, `int`, `long`, `long long`"),
        );
        Failed
    }

    fn qualifiers(&mut self, quals: &mut Quals) {
        loop {
            match *self.peek() {
                Tok::Word(Word::Const) => quals.constant = true,
                Tok::Word(Word::Volatile) => quals.volatile = true,
                Tok::Word(Word::Restrict) => quals.restrict = true,
                Tok::Word(Word::Userland) => quals.userland = true,
                _ => return,
            }
            self.bump();
        }
    }

    fn named_type(&mut self) -> BaseKind {
        let Token { tok, span } = self.bump();
        let (module, name) = match tok {
            Tok::Symbol(module, name) => symbol(module, name, span),
            Tok::Ident(name) => (None, Ident { name, span }),
            _ => (None, Ident { name: String::new(), span }),
        };
        BaseKind::Named { module, name }
    }

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

    fn record(&mut self) -> Parsed<Record> {
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

    fn enumeration(&mut self) -> Parsed<Enum> {
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
    fn unscoped(&mut self) -> Parsed<()> {
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

fn storage_class(word: Word) -> Storage {
    match word {
        Word::Thread => Storage::Thread,
        Word::Clause => Storage::Clause,
        Word::Typedef => Storage::Typedef,
        Word::Static => Storage::Static,
        Word::Auto => Storage::Auto,
        Word::Register => Storage::Register,
        _ => Storage::Extern,
    }
}
