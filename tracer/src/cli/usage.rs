//! What was wrong with the command line, and what was meant.

use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory as _};

use super::args::{Cli, Trace};
use super::{FAILED, USED_WRONGLY};
use crate::diagnostic::nearest;

/// The command line was used wrongly: exit status 2, or 1 where it is so in dtrace.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(super) struct Usage {
    what: String,
    /// What the tracer exits with.
    pub(super) status: u8,
}

impl Usage {
    /// What is wrong, and what to do.
    pub(super) fn new(what: impl Into<String>, help: Option<&str>) -> Usage {
        let help = help.map(|help| format!("\n  help: {help}")).unwrap_or_default();
        Usage { what: what.into() + &help, status: USED_WRONGLY }
    }

    /// The same, as the failure of what is otherwise right.
    fn failed(self) -> Usage {
        Usage { status: FAILED, ..self }
    }

    /// Several of the options that ask for something else than tracing.
    pub(super) fn of_modes(trace: &Trace) -> Option<Usage> {
        let modes =
            [trace.header, trace.object, trace.list, trace.version].into_iter().filter(|&mode| mode).count();
        let what = "only one of the [-GhlV] options can be specified at a time";
        (modes > 1).then(|| Usage::new(what, Some("leave the others out")))
    }

    /// Neither a program nor a command of our own.
    pub(super) fn nothing_to_trace(words: &[String]) -> Usage {
        let Some(word) = words.first() else {
            let usage = Usage::new(
                "no probes specified: there is nothing to trace",
                Some(
                    "give a program with -n, a script with -s, or probes with -P, -m, -f or -i; \
                     `tracer -l` lists the probes, `tracer --help` the options",
                ),
            );
            // With no argument at all dtrace shows how it is used.
            return if std::env::args_os().len() > 1 { usage.failed() } else { usage };
        };
        let command = Cli::command();
        let meant = nearest(word, command.get_subcommands().map(Command::get_name));
        if Path::new(word).is_file() {
            Usage::new("there is nothing to trace", Some(&format!("did you mean `tracer -s {word}`?")))
        } else if let Some(meant) = meant {
            Usage::new(
                format!("there is no command `{word}`"),
                Some(&format!("did you mean `tracer {meant}`?")),
            )
        } else if word.contains([':', '{', '/']) {
            Usage::new("there is nothing to trace", Some("give the program with -n: `tracer -n 'PROGRAM'`"))
        } else {
            let help = "`tracer --help` lists the commands and options; a program is given with -n, a script with -s";
            Usage::new(format!("there is no command `{word}`"), Some(help))
        }
    }
}

/// What the parser of the command line found; `None` for what is no mistake: --help.
pub(super) fn explain(error: &clap::Error) -> Option<Usage> {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(" "),
        _ => String::new(),
    };
    // `-p <PID>`
    let argument = context(ContextKind::InvalidArg);
    let option = argument.split(' ').next().unwrap_or_default();
    let value = context(ContextKind::InvalidValue);
    Some(match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => return None,
        ErrorKind::UnknownArgument => unknown(option),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation if value.is_empty() => {
            Usage::new(format!("option {option} needs a value"), Some(&format!("write `{argument}`")))
        }
        ErrorKind::ValueValidation if option == "-p" => {
            Usage::new(format!("invalid pid: {value}"), takes(option).as_deref()).failed()
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let help = takes(option);
            Usage::new(format!("option {option} does not take `{value}`"), help.as_deref())
        }
        ErrorKind::ArgumentConflict => {
            let prior = context(ContextKind::PriorArg);
            let prior = prior.split(' ').next().unwrap_or_default();
            Usage::new(format!("{option} and {prior} exclude each other"), Some("leave one of them out"))
        }
        ErrorKind::InvalidUtf8 => Usage::new(
            "an argument is not UTF-8 text",
            Some("write the bytes of a string as \\x escapes in the program"),
        ),
        _ => Usage::new(
            error.kind().as_str().unwrap_or("the command line is wrong"),
            Some("see `tracer --help`"),
        ),
    })
}

/// DTrace's options that are not here: what they ask for, and why not.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("-A", "tracing of the boot", "the kernel has no tracer before its programs can be loaded"),
    ("-a", "tracing of the boot", "the kernel has no tracer before its programs can be loaded"),
    ("-3", "the 32-bit data model", "D programs have the kernel's model, which is of 64 bits"),
];

fn unknown(option: &str) -> Usage {
    let known =
        |name: &str| option.len() >= name.len() && option.starts_with(name) && !option.starts_with("--");
    if let Some((name, what, why)) = ELSEWHERE.iter().find(|(name, ..)| known(name)) {
        return Usage::new(
            format!("DTrace's option {name}, {what}, cannot be had: {why}"),
            Some("leave it out"),
        );
    }
    let command = Cli::command();
    let long = command.get_arguments().filter_map(Arg::get_long);
    let near = option.strip_prefix("--").and_then(|name| nearest(name, long.chain(["help"])));
    let help = match near {
        Some(near) => format!("did you mean `--{near}`?"),
        None => {
            "`tracer --help` lists the options; an argument that begins with `-` stands after `--`".to_owned()
        }
    };
    Usage::new(format!("there is no option {option}"), Some(&help))
}

/// What the option is for, as --help says it.
fn takes(option: &str) -> Option<String> {
    let command = Cli::command();
    let is = |arg: &&Arg| arg.get_short().is_some_and(|short| option == format!("-{short}"));
    let arg = command.get_arguments().find(is)?;
    Some(format!("{option} {}: {}", arg.get_value_names()?.first()?, arg.get_help()?))
}
