//! What stands before declarators: the words of a type, qualifiers, a storage class.
//!
//! Invariant: when a function here returns a type, `self.height` is the greatest height of the expressions in
//! it, at least 1.

use super::super::ast::*;
use super::expression::symbol;
use super::*;

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

    pub(super) fn qualifiers(&mut self, quals: &mut Quals) {
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
