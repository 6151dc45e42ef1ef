//! Tests of code generation: typed programs built by hand, as the checker would make them.

mod behaviour;
mod eval;
mod golden;
mod machine;
mod property;
mod support;
