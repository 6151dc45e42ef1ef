//! The `tracer` command.

fn main() -> std::process::ExitCode {
    tracer::cli::main(std::env::args_os())
}
