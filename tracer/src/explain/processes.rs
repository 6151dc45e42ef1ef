//! The providers whose probes are in programs of processes: what there is depends on the process, so they are in no table of
//! probes, and are described by what all their probes share.

use std::fmt::Write as _;

use probes_common::probe::Arg;
use probes_common::providers::{pid, usdt};

/// A provider.
struct Provider {
    name: &'static str,
    doc: &'static str,
    probes: &'static [Probe],
}

/// What its descriptions look like, when such a probe fires, and its arguments.
struct Probe {
    form: &'static str,
    doc: &'static str,
    args: &'static [Arg],
}

const PROVIDERS: &[Provider] = &[
    Provider {
        name: "pid",
        doc: "functions of a process, by their symbols; $target is the process of -p or -c, or write its number: pid1234",
        probes: &[
            Probe {
                form: "pid$target:MODULE:FUNCTION:entry",
                doc: "Fires when the function is called. args[] have the function's own types where debugging information tells of them.",
                args: pid::ENTRY_ARGS,
            },
            Probe {
                form: "pid$target:MODULE:FUNCTION:return",
                doc: "Fires when the function has returned.",
                args: pid::RETURN_ARGS,
            },
            Probe {
                form: "pid$target:MODULE:FUNCTION:OFFSET",
                doc: "Fires before the instruction there, the offset being hexadecimal; `-` for the function makes it an address.",
                args: pid::ENTRY_ARGS,
            },
        ],
    },
    Provider {
        name: "usdt",
        doc: "probes that programs bring along (USDT); PROVIDER is the program's own name for them, `usdt` is none",
        probes: &[Probe {
            form: "PROVIDER$target:MODULE:FUNCTION:PROBE",
            doc: "Fires where the program has put it; it has as many arguments as the program passes.",
            args: usdt::ARGS,
        }],
    },
];

/// What a provider of that name has, also where it is written with its process.
pub(super) fn explain(name: &str) -> Option<String> {
    let base = name.strip_suffix("$target").unwrap_or(name.trim_end_matches(|c: char| c.is_ascii_digit()));
    let provider = PROVIDERS.iter().find(|provider| provider.name == base)?;
    let mut text = format!("{}: a provider: {}\n", provider.name, provider.doc);
    for Probe { form, doc, args } in provider.probes {
        put(&mut text, format_args!("\n  {form}\n    {doc}\n"));
        for (number, arg) in args.iter().enumerate() {
            put(&mut text, format_args!("    arg{number}  {}\n", arg.doc));
        }
    }
    Some(text)
}

fn put(text: &mut String, args: std::fmt::Arguments<'_>) {
    text.write_fmt(args).expect("a string grows");
}
