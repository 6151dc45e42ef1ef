//! Kernel tests: each starts a workload of its own, traces only that, and compares what the tracer says with what the workload
//! itself, waitpid or /proc say. The same binary, linked statically, is run on this kernel and in virtual machines on others.
//!
//! One file a family; a file adds itself to `FAMILIES`. The workloads are functions of the same files: the binary runs itself
//! again with `--workload`, so that nothing else has to be there.

use std::process::ExitCode;

use harness::Family;

mod actions;
mod aggregations;
mod buffers;
mod builtins;
mod clauses;
mod cli;
mod conditions;
mod counts;
mod current;
mod datagram;
mod declare;
mod definitions;
mod endings;
mod environment;
mod expressions;
mod faults;
mod fbt;
mod generated;
mod harness;
mod io;
mod kernel_types;
mod language;
mod life;
mod load;
mod lockstat;
mod long;
mod losses;
mod memory;
mod options;
mod pipe;
mod proc;
mod programs;
mod sched;
mod scripts;
mod socket;
mod speculation;
mod stability;
mod stacks;
mod strings;
mod syscall;
mod tcp;
mod threads;
mod types;
mod usdt;
mod user;
mod variables;
mod volume;
mod watch;
mod watch_edges;

const FAMILIES: &[Family] = &[
    actions::FAMILY,
    aggregations::FAMILY,
    buffers::FAMILY,
    builtins::FAMILY,
    clauses::FAMILY,
    cli::FAMILY,
    conditions::FAMILY,
    counts::FAMILY,
    datagram::FAMILY,
    definitions::FAMILY,
    endings::FAMILY,
    current::FAMILY,
    declare::FAMILY,
    environment::FAMILY,
    expressions::FAMILY,
    faults::FAMILY,
    fbt::FAMILY,
    generated::FAMILY,
    io::FAMILY,
    kernel_types::FAMILY,
    language::FAMILY,
    life::FAMILY,
    load::FAMILY,
    lockstat::FAMILY,
    long::FAMILY,
    losses::FAMILY,
    memory::FAMILY,
    options::FAMILY,
    stability::FAMILY,
    pipe::FAMILY,
    proc::FAMILY,
    programs::FAMILY,
    sched::FAMILY,
    scripts::FAMILY,
    socket::FAMILY,
    strings::FAMILY,
    speculation::FAMILY,
    stacks::FAMILY,
    syscall::FAMILY,
    tcp::FAMILY,
    types::FAMILY,
    usdt::FAMILY,
    user::FAMILY,
    threads::FAMILY,
    variables::FAMILY,
    watch::FAMILY,
    watch_edges::FAMILY,
    volume::FAMILY,
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|first| first == "--workload") {
        return harness::workload::main(FAMILIES, &arguments[2..]);
    }
    let trials = FAMILIES.iter().flat_map(harness::trials).collect();
    let conclusion = libtest_mimic::run(&libtest_mimic::Arguments::from_args(), trials);
    print!("slowest:\n{}", harness::slowest());
    conclusion.exit_code()
}
