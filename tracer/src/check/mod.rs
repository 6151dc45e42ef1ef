//! Names, types and rules: the untyped tree becomes a typed program, or diagnostics.

pub mod typed;
