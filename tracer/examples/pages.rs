//! Writes what shells and man(1) know of the tracer, from the definition of its command line: `pages DIRECTORY`. The command's
//! page and those of its subcommands go to `man/`, completions to `bash/`, `zsh/` and `fish/`. Used by `cargo xtask dist`.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, CommandFactory as _, ValueHint};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use probes_common::providers::{MADE, PROVIDERS};
use tracer::check::{builtins, functions, options};
use tracer::cli::args::{Cli, EXAMPLES, EXIT_STATUS, PROGRAM};
use tracer::event::Family;

/// The section of the manual: commands for administrators.
const SECTION: &str = "8";

fn main() -> io::Result<()> {
    let directory = std::env::args_os().nth(1).map(PathBuf::from);
    let directory = directory.ok_or_else(|| io::Error::other("usage: pages DIRECTORY"))?;
    for (shell, name) in [(Shell::Bash, "bash"), (Shell::Zsh, "zsh"), (Shell::Fish, "fish")] {
        let place = directory.join(name);
        fs::create_dir_all(&place)?;
        let file = clap_complete::generate_to(shell, &mut completed(), "tracer", place)?;
        if shell == Shell::Fish {
            fs::OpenOptions::new().append(true).open(file)?.write_all(fish_words(&completed()).as_bytes())?;
        }
    }
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let place = directory.join("man");
    fs::create_dir_all(&place)?;
    fs::write(place.join(format!("tracer.{SECTION}")), page(&command)?)?;
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        let name = format!("tracer-{}", subcommand.get_name());
        fs::write(place.join(format!("{name}.{SECTION}")), subpage(subcommand)?)?;
    }
    Ok(())
}

/// The command line with the words that can stand for a value: shells complete them, the tracer itself has more to say of others.
fn completed() -> Command {
    let words = |mut words: Vec<&'static str>| {
        words.sort_unstable();
        words.dedup();
        move |arg: Arg| arg.value_parser(PossibleValuesParser::new(words))
    };
    let program = |arg: Arg| arg.value_hint(ValueHint::CommandString);
    let tables = PROVIDERS.iter().chain(MADE).copied();
    let providers: Vec<&str> = tables.flatten().map(|probe| probe.provider).collect();
    let language =
        builtins::TABLE.iter().map(|row| row.name).chain(functions::TABLE.iter().map(|row| row.name));
    let options: Vec<&str> = options::TABLE.iter().map(|row| row.name).collect();
    let known = language.chain(providers.iter().copied()).chain(options.iter().copied()).collect();
    Cli::command()
        .mut_arg("provider", words(providers))
        .mut_arg("options", words(options))
        .mut_arg("command", program)
        .mut_subcommand("watch", |watch| {
            let families = Family::ALL.map(Family::name).to_vec();
            watch.mut_arg("families", words(families)).mut_arg("command", program)
        })
        .mut_subcommand("explain", |explain| explain.mut_arg("names", words(known)))
}

/// What clap_complete leaves out for fish: words without an option, and values of the options that stand before a subcommand (its
/// condition for these fails on an option that has no value yet).
fn fish_words(command: &Command) -> String {
    let names: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
    let line = |condition: String, arg: &Arg| {
        let words: Vec<String> =
            arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
        let option = arg.get_short().map_or_else(String::new, |short| format!(" -s {short} -r"));
        format!("complete -c tracer -n '{condition}'{option} -f -a '{}'\n", words.join(" "))
    };
    let has_words = |arg: &&Arg| {
        !arg.is_hide_set() && arg.get_action().takes_values() && !arg.get_possible_values().is_empty()
    };
    let mut text = String::new();
    for arg in command.get_arguments().filter(has_words) {
        text += &line(format!("not __fish_seen_subcommand_from {}", names.join(" ")), arg);
    }
    for subcommand in command.get_subcommands() {
        for arg in subcommand.get_arguments().filter(has_words).filter(|arg| arg.is_positional()) {
            text += &line(format!("__fish_seen_subcommand_from {}", subcommand.get_name()), arg);
        }
    }
    text
}

fn man(command: Command) -> Man {
    Man::new(command)
        .section(SECTION)
        .manual("System Administration")
        .source(concat!("tracer ", env!("CARGO_PKG_VERSION")))
}

/// The page of a subcommand. Its synopsis is not clap_mangen's, which leaves out what options take.
fn subpage(command: &Command) -> io::Result<String> {
    let mut page = Vec::new();
    man(command.clone()).render(&mut page)?;
    let page = String::from_utf8(page).map_err(io::Error::other)?;
    let (before, after) = page.split_once(".SH SYNOPSIS\n").unwrap_or((&page, ""));
    let (_, after) = after.split_once('\n').unwrap_or_default();
    let options = command.get_arguments().filter(|arg| !arg.is_hide_set() && !arg.is_positional());
    let options = options.map(|arg| format!(" [{arg}]"));
    let words: String = options.chain(command.get_positionals().map(|arg| format!(" {arg}"))).collect();
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]).text([bold(command.get_bin_name().unwrap_or_default()), roman(words)]);
    Ok(format!("{before}{}{after}", roff.to_roff()))
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
