//! The tokens of D: what the lexer gives and the parser takes.
//!
//! Invariant: the tables below are the only lists of D's words and marks.

use super::ast::{FloatLit, IntLit, MacroArg};
use crate::diagnostic::Span;
use std::fmt;

/// A token and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) tok: Tok,
    pub(super) span: Span,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tok {
    Ident(String),
    /// `` module`name `` or `` `name ``
    Symbol(Option<String>, String),
    Word(Word),
    Mark(Mark),
    Int(IntLit),
    Float(FloatLit),
    Char(u64),
    Str(Vec<u8>),
    Macro(MacroArg),
    /// `@name`, or `@` alone with an empty name
    Agg(String),
    End,
}

macro_rules! spelled {
    ($(#[$meta:meta])* $type:ident { $($text:literal $name:ident,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum $type { $($name,)* }

        impl $type {
            /// Each with its spelling, in the order of the table.
            pub(super) const ALL: &'static [(&'static str, $type)] = &[$(($text, $type::$name),)*];

            pub(super) fn text(self) -> &'static str {
                match self { $($type::$name => $text,)* }
            }
        }
    };
}

spelled! {
    /// The reserved words. Some have no use in the grammar; like DTrace, we keep them from being names.
    Word {
        "auto" Auto, "break" Break, "case" Case, "char" Char, "const" Const, "continue" Continue,
        "counter" Counter, "default" Default, "do" Do, "double" Double, "else" Else, "enum" Enum,
        "extern" Extern, "float" Float, "for" For, "goto" Goto, "if" If, "import" Import,
        "inline" Inline, "int" Int, "long" Long, "offsetof" Offsetof, "probe" Probe,
        "provider" Provider, "register" Register, "restrict" Restrict, "return" Return, "self" Thread, "short" Short,
        "signed" Signed, "sizeof" Sizeof, "static" Static, "string" String, "stringof" Stringof,
        "struct" Struct, "switch" Switch, "this" Clause, "translator" Translator,
        "typedef" Typedef, "union" Union, "unsigned" Unsigned, "userland" Userland, "void" Void,
        "volatile" Volatile, "while" While, "xlate" Xlate,
    }
}

spelled! {
    /// The marks, longer ones before those that they begin with.
    Mark {
        "<<=" ShlAssign, ">>=" ShrAssign, "..." Ellipsis,
        "+=" AddAssign, "-=" SubAssign, "*=" MulAssign, "/=" DivAssign, "%=" RemAssign,
        "&=" AndAssign, "|=" OrAssign, "^=" XorAssign,
        "++" Inc, "--" Dec, "->" Arrow, "<<" Shl, ">>" Shr, "<=" Le, ">=" Ge, "==" Eq, "!=" Ne,
        "&&" LogAnd, "||" LogOr, "^^" LogXor,
        "{" LBrace, "}" RBrace, "(" LParen, ")" RParen, "[" LBracket, "]" RBracket,
        ";" Semi, "," Comma, "." Dot, "?" Question, ":" Colon, "=" Assign,
        "+" Plus, "-" Minus, "*" Star, "/" Slash, "%" Percent,
        "&" And, "|" Or, "^" Xor, "~" Tilde, "!" Not, "<" Lt, ">" Gt,
    }
}

impl Tok {
    /// Whether a member's name follows it.
    pub(super) fn before_member(&self) -> bool {
        matches!(self, Tok::Mark(Mark::Arrow | Mark::Dot))
    }
}

impl Word {
    pub(super) fn find(text: &str) -> Option<Word> {
        Word::ALL.iter().find(|(spelling, _)| *spelling == text).map(|&(_, word)| word)
    }

    /// Whether a type can begin with it (storage classes excluded).
    pub(super) fn begins_type(self) -> bool {
        use Word::*;
        matches!(
            self,
            Char | Const
                | Double
                | Enum
                | Float
                | Int
                | Long
                | Restrict
                | Short
                | Signed
                | String
                | Struct
                | Union
                | Unsigned
                | Userland
                | Void
                | Volatile
        )
    }

    /// Whether an expression can begin with it.
    pub(super) fn begins_expression(self) -> bool {
        use Word::*;
        matches!(self, Thread | Clause | Sizeof | Stringof | Offsetof | Xlate)
    }

    /// Whether it stands before a declaration's type.
    pub(super) fn is_storage(self) -> bool {
        use Word::*;
        matches!(self, Auto | Clause | Extern | Register | Static | Thread | Typedef)
    }
}

impl Mark {
    /// The longest mark at the beginning of `text`.
    pub(super) fn find(text: &str) -> Option<Mark> {
        Mark::ALL.iter().find(|(spelling, _)| text.starts_with(spelling)).map(|&(_, mark)| mark)
    }
}

/// As an error message names it.
impl fmt::Display for Tok {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tok::Ident(name) => write!(f, "`{name}`"),
            Tok::Symbol(module, name) => write!(f, "`{}`{name}`", module.as_deref().unwrap_or("")),
            Tok::Word(word) => write!(f, "the keyword `{}`", word.text()),
            Tok::Mark(mark) => write!(f, "`{}`", mark.text()),
            Tok::Int(_) | Tok::Float(_) => f.write_str("a number"),
            Tok::Char(_) => f.write_str("a character constant"),
            Tok::Str(_) => f.write_str("a string"),
            Tok::Macro(MacroArg { name, string }) => write!(f, "`${}{name}`", if *string { "$" } else { "" }),
            Tok::Agg(name) => write!(f, "the aggregation `@{name}`"),
            Tok::End => f.write_str("the end of the program"),
        }
    }
}
