//! From text to an untyped tree: lexer and parser.
//!
//! Invariant: total. Every text gives a tree and a list of diagnostics, in time linear in its length.

pub mod ast;
pub mod format;

/// The height that no tree exceeds: what is nested more deeply is refused.
pub const HEIGHT: usize = 512;
