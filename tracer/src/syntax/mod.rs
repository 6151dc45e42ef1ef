//! From text to an untyped tree, and back: lexer, parser, printer.
//!
//! Invariant: total. Every text gives a tree and a list of diagnostics in order of place, in time linear in
//! its length; what could not be parsed stands in the tree as [`ast::ExprKind::Error`] or is left out, and
//! then a diagnostic says so. Nothing here knows a name, a type or the system.

pub mod ast;
mod children;
mod control;
mod extension;
pub mod format;
mod lexer;
mod literal;
mod parser;
mod print;
mod token;

pub(crate) use lexer::is_name;

pub use parser::{DescPart, parse, parse_as, parse_type, parse_with};
pub use print::{print, print_expr, print_type};

/// The height that no expression exceeds: one that is higher is refused.
pub const HEIGHT: usize = 512;

/// How deeply brackets, braces and prefixes can be nested.
pub const NESTING: usize = 128;

/// The most diagnostics that one text gives.
pub const MOST_PROBLEMS: usize = 50;

/// Whether a name is taken as a type's where only that decides, as in `(name)-1` or `sizeof (name)`: it ends
/// in `_t` or is one of the kernel's and BSD's short names. A program's own typedefs come besides.
pub fn is_type_name(name: &str) -> bool {
    const SHORT: &[&str] = &[
        "__be16", "__be32", "__be64", "__le16", "__le32", "__le64", "__s16", "__s32", "__s64", "__s8",
        "__u16", "__u32", "__u64", "__u8", "bool", "s16", "s32", "s64", "s8", "u16", "u32", "u64", "u8",
        "u_char", "u_int", "u_long", "u_short", "uchar", "uint", "ulong", "unchar", "ushort",
    ];
    (name.ends_with("_t") && name.len() > 2) || SHORT.binary_search(&name).is_ok()
}
