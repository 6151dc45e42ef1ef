//! Tests of the whole way from IR to instructions.

mod errors;
mod golden;
mod interpreter;
mod kernel;
mod liveness;
mod pieces;
pub(crate) mod random;
