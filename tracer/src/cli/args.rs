//! The command line: DTrace's at the top level, everything new as a subcommand.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::diagnostic::text_of;
use crate::syntax::DescPart;

/// What to type for a first look, and what it shows.
pub const EXAMPLES: &[(&str, &str)] = &[
    ("tracer -n 'syscall:::entry { @[execname] = count(); }'", "who makes system calls (Ctrl-C ends it)"),
    (
        "tracer -n 'proc:::signal-send { printf(\"%s -> %d: %d\\n\", execname, args[1]->pr_pid, args[2]); }'",
        "",
    ),
    ("tracer -s script.d -c 'ls -l'", "a script, for as long as a command runs"),
    ("tracer explain tcp", "a provider's probes and their arguments"),
    ("tracer demo", "one TCP connection, drawn"),
];

/// What a program looks like.
pub const PROGRAM: &str = "A PROGRAM is `probe /predicate/ { actions }`, as often as needed. A probe is \
    provider:module:function:name; parts left empty, and *, stand for any.";

/// The exit statuses.
pub const EXIT_STATUS: &str = "0 done, 1 failed, 2 used wrongly, or what the program gives to exit().";

fn after_help() -> String {
    let lines: String = EXAMPLES
        .iter()
        .map(|(command, what)| format!("  {command:<57} {what}").trim_end().to_owned() + "\n")
        .collect();
    format!("{PROGRAM}\n\nExit status: {EXIT_STATUS}\n\nExamples:\n{}", lines.trim_end())
}

/// A DTrace for Linux: runs D programs in the kernel, by eBPF.
#[derive(Debug, Parser)]
#[command(
    name = "tracer",
    version,
    disable_version_flag = true,
    disable_help_flag = true,
    args_conflicts_with_subcommands = true,
    args_override_self = true,
    after_help = after_help()
)]
pub struct Cli {
    /// A job of its own.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// DTrace's options.
    #[command(flatten)]
    pub trace: Trace,
}

/// What DTrace has no option for.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Trace a TCP connection of its own, live, and draw it
    Demo(Demo),
    /// Show signals, pipes, sockets, TCP and processes: a line an event, and sums at the end
    Watch(Watch),
    /// Say what a probe, a variable, a function, an option or a diagnostic's tag means
    Explain(Explain),
}

/// `tracer explain`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    tracer explain D_PROTO_LEN             a diagnostic's tag\n  \
    tracer explain proc:::signal-send      a probe; `tcp` is all of a provider's\n  \
    tracer explain strjoin strsize         a subroutine, an option")]
pub struct Explain {
    /// A probe or provider, or the name of anything that D has
    #[arg(value_name = "NAME", required_unless_present = "reference")]
    pub names: Vec<String>,
    /// Print the whole language reference, in Markdown
    #[arg(long)]
    pub reference: bool,
    /// Its help.
    #[command(flatten)]
    pub help: Help,
}

/// `tracer watch`.
#[derive(Debug, Args)]
#[command(
    after_help = "With -p and -c only what that process, its threads and all that it forks do is shown.\n\n\
    Examples:\n  \
    tracer watch signal                    every signal of the system, until Ctrl-C\n  \
    tracer watch pipe proc -c 'sh -c \"ls | wc\"'   how a pipeline works\n  \
    tracer watch tcp -p 4242               the connections of a server\n  \
    tracer watch --json -c ./a.out         everything, an object a line"
)]
pub struct Watch {
    /// signal, pipe, socket, tcp, proc: what to watch; all of them where none is named
    #[arg(value_name = "FAMILY")]
    pub families: Vec<String>,
    /// Watch a command and what it forks, as the user who called sudo, until it ends
    #[arg(short = 'c', value_name = "COMMAND", conflicts_with = "pid")]
    pub command: Option<String>,
    /// Watch a process, its descendants and what they fork, until it ends
    #[arg(short = 'p', value_name = "PID", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub pid: Option<u32>,
    /// Print one JSON object a line (docs/json.md), without sums
    #[arg(long)]
    pub json: bool,
    /// Use colours: auto is for a terminal, where NO_COLOR is not set
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Its help.
    #[command(flatten)]
    pub help: Help,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// `tracer demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Draw with ASCII characters only
    #[arg(long)]
    pub ascii: bool,
    /// Show the stored sample instead of tracing
    #[arg(long)]
    pub sample: bool,
    /// Play the traced connection on that port: for the demonstration's own use
    #[arg(long, hide = true, value_name = "PORT")]
    pub play: Option<u16>,
    /// Its help.
    #[command(flatten)]
    pub help: Help,
}

/// What every subcommand has; of the main job `-h` is DTrace's.
#[derive(Debug, Args)]
pub struct Help {
    /// Print this help
    #[arg(short = 'h', long, action = clap::ArgAction::Help)]
    pub help: Option<bool>,
}

/// DTrace's options, for the main job.
#[derive(Debug, Args)]
pub struct Trace {
    /// Enable probes by name: a description, or a whole clause or program
    #[arg(short = 'n', value_name = "PROGRAM", value_parser = text(), help_heading = "What to trace")]
    pub name: Vec<String>,
    /// Enable the probes of a provider, with an optional predicate and actions
    #[arg(short = 'P', value_name = "PROVIDER", value_parser = text(), help_heading = "What to trace")]
    pub provider: Vec<String>,
    /// Enable the probes of a module
    #[arg(short = 'm', value_name = "MODULE", value_parser = text(), help_heading = "What to trace")]
    pub module: Vec<String>,
    /// Enable the probes of a function
    #[arg(short = 'f', value_name = "FUNCTION", value_parser = text(), help_heading = "What to trace")]
    pub function: Vec<String>,
    /// Enable a probe by its id
    #[arg(short = 'i', value_name = "ID", value_parser = text(), help_heading = "What to trace")]
    pub id: Vec<String>,
    /// Run a script; `-` reads it from standard input
    #[arg(short = 's', value_name = "FILE", help_heading = "What to trace")]
    pub script: Vec<PathBuf>,
    /// Trace while a command runs, as the user who called sudo; $target is its process, of several the first
    #[arg(short = 'c', value_name = "COMMAND", help_heading = "Whom to follow")]
    pub command: Vec<String>,
    /// Trace while a process lives; $target is that process, of several the first
    #[arg(short = 'p', value_name = "PID", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Whom to follow")]
    pub pid: Vec<u32>,
    /// List the probes that match, instead of tracing
    #[arg(short = 'l', help_heading = "Instead of tracing")]
    pub list: bool,
    /// Compile, say what is wrong, and stop; needs no privileges
    #[arg(short = 'e', help_heading = "Instead of tracing")]
    pub compile_only: bool,
    /// Make a C header with a macro for each probe that the script declares
    #[arg(short = 'h', help_heading = "Instead of tracing")]
    pub header: bool,
    /// Make an object with what the macros of such a header refer to
    #[arg(short = 'G', help_heading = "Instead of tracing")]
    pub object: bool,
    /// Print only what the program prints
    #[arg(short = 'q', help_heading = "Output")]
    pub quiet: bool,
    /// Indent the output by entries and returns: -x flowindent
    #[arg(short = 'F', help_heading = "Output")]
    pub flow: bool,
    /// Append the output to a file
    #[arg(short = 'o', value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Set an option; `-x strsize=512`
    #[arg(short = 'x', value_name = "OPTION[=VALUE]", help_heading = "Settings")]
    pub options: Vec<String>,
    /// Read the D libraries (*.d) of a directory before the program
    #[arg(short = 'L', value_name = "DIRECTORY", help_heading = "Settings")]
    pub libraries: Vec<PathBuf>,
    /// Size of the buffer, with k, m or g behind it: -x bufsize
    #[arg(short = 'b', value_name = "SIZE", help_heading = "Settings")]
    pub buffer: Option<String>,
    /// Report stability: with -l the probes' and their arguments, else the programs'; and how probes are attached
    #[arg(short = 'v', help_heading = "Output")]
    pub verbose: bool,
    /// Show the compiled program, then trace; with -e only show it
    #[arg(short = 'S', help_heading = "Output")]
    pub show_code: bool,
    /// Allow destructive actions
    #[arg(short = 'w', help_heading = "Settings")]
    pub destructive: bool,
    /// A description that matches no probe is no error
    #[arg(short = 'Z', help_heading = "Settings")]
    pub allow_none: bool,
    /// Run the C preprocessor over each program
    #[arg(short = 'C', help_heading = "The C preprocessor")]
    pub preprocess: bool,
    /// Define a name for it
    #[arg(short = 'D', value_name = "NAME[=VALUE]", help_heading = "The C preprocessor")]
    pub define: Vec<String>,
    /// Undefine a name for it
    #[arg(short = 'U', value_name = "NAME", help_heading = "The C preprocessor")]
    pub undefine: Vec<String>,
    /// Have it look for included files in a directory
    #[arg(short = 'I', value_name = "DIRECTORY", help_heading = "The C preprocessor")]
    pub include: Vec<String>,
    /// Have it name each file that it includes, on standard error
    #[arg(short = 'H', help_heading = "The C preprocessor")]
    pub headers: bool,
    /// Print one JSON object a line (docs/json.md)
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// How strictly C is taken (a, c, s or t): without effect, the language is always ISO C's
    #[arg(short = 'X', value_name = "DEGREE", value_parser = ["a", "c", "s", "t"], hide = true)]
    pub conformance: Option<String>,
    /// Print the version
    #[arg(short = 'V', long = "version")]
    pub version: bool,
    /// Print this help
    #[arg(long, action = clap::ArgAction::Help)]
    pub help: Option<bool>,
    /// $1, $2 and so on
    #[arg(value_name = "ARGUMENT", value_parser = text())]
    pub arguments: Vec<String>,
}

/// What may hold any bytes, as a D program and its arguments may.
fn text() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new().map(|given| text_of(given.into_vec()))
}

/// One program text of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// D text whose descriptions end with that part.
    Inline(DescPart, String),
    /// A script's path.
    Script(PathBuf),
    /// A probe's id and what follows it.
    Id(String),
}

/// A process that a run of the main job follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// It is to be started.
    Command(String),
    /// It is there.
    Process(u32),
}

/// The command line, and of the main job what comes in the order in which it was given.
#[derive(Debug)]
pub struct Parsed {
    /// All that was given.
    pub cli: Cli,
    /// The program texts.
    pub texts: Vec<Text>,
    /// Whom to follow.
    pub whom: Vec<Whom>,
}

/// Reads the command line.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Parsed, clap::Error> {
    // -64 asks for the data model that there is.
    let arguments = arguments.into_iter().filter(|argument| argument != "-64");
    let matches = Cli::command().try_get_matches_from(arguments)?;
    let cli = Cli::from_arg_matches(&matches)?;
    let texts = texts(&cli.trace, &matches);
    let (commands, processes) = (cli.trace.command.iter().cloned(), cli.trace.pid.iter().copied());
    let whom = in_order(
        &matches,
        [("command", commands.map(Whom::Command).collect()), ("pid", processes.map(Whom::Process).collect())],
    );
    Ok(Parsed { cli, texts, whom })
}

/// What several options have given, in the order of the command line.
fn in_order<T>(matches: &ArgMatches, given: impl IntoIterator<Item = (&'static str, Vec<T>)>) -> Vec<T> {
    let mut all: Vec<(usize, T)> = Vec::new();
    for (id, values) in given {
        all.extend(matches.indices_of(id).into_iter().flatten().zip(values));
    }
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, value)| value).collect()
}

fn texts(trace: &Trace, matches: &ArgMatches) -> Vec<Text> {
    let parts = [
        ("name", &trace.name, DescPart::Name),
        ("provider", &trace.provider, DescPart::Provider),
        ("module", &trace.module, DescPart::Module),
        ("function", &trace.function, DescPart::Function),
    ];
    let inline = parts.map(|(id, values, last)| {
        (id, values.iter().map(|value| Text::Inline(last, value.clone())).collect())
    });
    let ids = trace.id.iter().map(|id| Text::Id(id.clone())).collect();
    let scripts = trace.script.iter().map(|path| Text::Script(path.clone())).collect();
    in_order(matches, inline.into_iter().chain([("id", ids), ("script", scripts)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Parsed {
        let words = shlex::split(line).expect("quotes are closed");
        parse(words.into_iter().map(OsString::from)).expect("a good command line")
    }

    #[test]
    fn programs_come_in_the_order_given() {
        let Parsed { texts, .. } = read("tracer -P 'tcp/pid==1/{}' -n BEGIN -f read -s a.d -i 3");
        let expected = [
            Text::Inline(DescPart::Provider, "tcp/pid==1/{}".into()),
            Text::Inline(DescPart::Name, "BEGIN".into()),
            Text::Inline(DescPart::Function, "read".into()),
            Text::Script("a.d".into()),
            Text::Id("3".into()),
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn a_macro_argument_may_be_called_like_a_subcommand() {
        let Parsed { cli, .. } = read("tracer -n BEGIN demo");
        assert!(cli.command.is_none());
        assert_eq!(cli.trace.arguments, ["demo"]);
        assert!(read("tracer demo").cli.command.is_some());
    }

    #[test]
    fn several_processes_are_followed_in_the_order_given() {
        let Parsed { whom, .. } = read("tracer -n BEGIN -p 7 -c 'sleep 1' -p 9");
        assert_eq!(whom, [Whom::Process(7), Whom::Command("sleep 1".into()), Whom::Process(9)]);
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
