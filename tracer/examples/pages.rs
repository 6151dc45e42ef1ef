//! Writes what shells and man(1) know of the tracer, from the definition of its command line: `pages DIRECTORY`. The command's
//! page and those of its subcommands go to `man/`, completions to `bash/`, `zsh/` and `fish/`. Used by `cargo xtask dist`.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use tracer::cli::args::{Cli, EXAMPLES, EXIT_STATUS, PROGRAM};

/// The section of the manual: commands for administrators.
const SECTION: &str = "8";

fn main() -> io::Result<()> {
    let directory = std::env::args_os().nth(1).map(PathBuf::from);
    let directory = directory.ok_or_else(|| io::Error::other("usage: pages DIRECTORY"))?;
    for (shell, name) in [(Shell::Bash, "bash"), (Shell::Zsh, "zsh"), (Shell::Fish, "fish")] {
        let place = directory.join(name);
        fs::create_dir_all(&place)?;
        clap_complete::generate_to(shell, &mut Cli::command(), "tracer", place)?;
    }
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let place = directory.join("man");
    fs::create_dir_all(&place)?;
    fs::write(place.join(format!("tracer.{SECTION}")), page(&command)?)?;
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        let name = format!("tracer-{}", subcommand.get_name());
        man(subcommand.clone()).render(&mut fs::File::create(place.join(format!("{name}.{SECTION}")))?)?;
    }
    Ok(())
}

fn man(command: Command) -> Man {
    Man::new(command)
        .section(SECTION)
        .manual("System Administration")
        .source(concat!("tracer ", env!("CARGO_PKG_VERSION")))
}

/// The page of the command itself.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    let man = man(command.clone());
    let mut bytes = Vec::new();
    man.render_title(&mut bytes)?;
    man.render_name_section(&mut bytes)?;
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]).control("nf", []);
    let usage = command.clone().render_usage().to_string();
    roff.text(
        usage
            .trim_start_matches("Usage: ")
            .lines()
            .map(|line| roman(line.trim().to_owned() + "\n"))
            .collect::<Vec<_>>(),
    );
    roff.control("fi", []).control("SH", ["DESCRIPTION"]);
    roff.text([roman(format!("{}.", command.get_about().map(ToString::to_string).unwrap_or_default()))]);
    roff.control("PP", []).text([roman(PROGRAM)]);
    roff.to_writer(&mut bytes)?;
    man.render_options_section(&mut bytes)?;
    man.render_subcommands_section(&mut bytes)?;
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]).text([roman(EXIT_STATUS)]);
    roff.control("SH", ["FILES"]).control("TP", []).text([roman("/usr/share/tracer/scripts")]);
    roff.text([roman("D scripts, each (.d) with its workload (.sh) and a sample of what it prints (.txt).")]);
    roff.control("SH", ["EXAMPLES"]);
    for (example, what) in EXAMPLES {
        roff.control("TP", []).text([bold(*example)]).text([roman(*what)]);
    }
    roff.control("SH", ["SEE ALSO"])
        .text([roman("bpf(2), capabilities(7), tracefs in the kernel's documentation")]);
    roff.to_writer(&mut bytes)?;
    man.render_version_section(&mut bytes)?;
    bytes.flush()?;
    Ok(bytes)
}
