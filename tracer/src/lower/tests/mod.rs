//! Tests of code generation: typed programs built by hand, as the checker would make them.

mod golden;
mod support;
