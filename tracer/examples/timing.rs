//! How long a D script takes to compile and to be linked for this kernel, in milliseconds, the median of several: `timing SCRIPT`.
//! Used by `cargo xtask bench`.

use std::time::Instant;

use tracer::check::{Macros, Options};
use tracer::diagnostic::Sources;
use tracer::kernel::Target;
use tracer::link::MOST_INSNS;
use tracer::provider::Catalog;
use tracer::syntax::DescPart;
use tracer::{Input, compile, link_for};

/// How often it is measured.
const TIMES: usize = 9;

fn main() {
    let path = std::env::args().nth(1).expect("usage: timing SCRIPT");
    let text = std::fs::read_to_string(path).expect("the script can be read");
    let target = Target::describe().expect("this kernel describes itself");
    let mut times: Vec<_> = (0..TIMES)
        .map(|_| {
            let mut catalog = Catalog::new(&target);
            let mut sources = Sources::default();
            let inputs = [Input { source: sources.add("script", text.clone()), last: DescPart::Name }];
            let (options, macros) = (Options::default(), Macros::here(Vec::new()));
            let start = Instant::now();
            let compiled = compile(&mut sources, &inputs, &mut catalog, &target, &options, &macros);
            let compiled = compiled.unwrap_or_else(|problems| panic!("{}", problems.render(&sources, false)));
            link_for(&compiled, &target, None, MOST_INSNS).expect("it can be linked");
            start.elapsed()
        })
        .collect();
    times.sort();
    println!("{:.3}", times[TIMES / 2].as_secs_f64() * 1e3);
}
