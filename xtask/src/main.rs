//! `cargo xtask`: set up, build the probes, run, test, kernel matrix, bench.
fn main() {}
