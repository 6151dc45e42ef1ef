//! Tests of the whole way from IR to instructions.

mod golden;
