//! What `-l` and `-lv` print, in DTrace's form, and what `explain` says of probes.

use std::fmt::Write;

use probes_common::probe::Arg;
use probes_common::schema::{Kind, StructDef};

use super::stability::{Described, Parts};
use super::{Catalog, Pattern, ProbeId, ProbeInfo, attach, describe};

/// The rows of `-l`, below their heading, in DTrace's columns.
pub fn list(catalog: &Catalog, ids: &[ProbeId]) -> String {
    let mut text = heading();
    for (id, probe) in known(catalog, ids) {
        text.push_str(&row(id, probe));
    }
    text
}

/// The rows of `-lv`: below each probe how stable it is, and the types of its arguments.
pub fn list_verbose(catalog: &Catalog, ids: &[ProbeId]) -> String {
    let mut text = heading();
    for (id, probe) in known(catalog, ids) {
        text.push_str(&row(id, probe));
        text.extend(described(probe).map(|described| probe_info(catalog, probe, described)));
    }
    text
}

/// How stable a probe is that all four parts of its name describe.
fn described(probe: &ProbeInfo) -> Option<Described> {
    Parts::of(&probe.provider).described(&Pattern::of(probe), false)
}

/// What stands below a probe or a description that stands for it.
pub fn probe_info(catalog: &Catalog, probe: &ProbeInfo, described: Described) -> String {
    let Described { description, args } = described;
    let (description, args) = (description.report(), args.report());
    format!(
        "\n\tProbe Description Attributes\n{description}\n\tArgument Attributes\n{args}\n\tArgument Types\n{}\n",
        types_of_arguments(catalog, probe, |_| String::new())
    )
}

/// A line for each argument with its type, and what else there is to say.
fn types_of_arguments(catalog: &Catalog, probe: &ProbeInfo, more: impl Fn(&Arg) -> String) -> String {
    let (known, args) = (catalog.argument_types(probe).unwrap_or_default(), catalog.arguments(probe));
    let ctype = |i: usize| known.get(i).map_or(args[i].ctype, String::as_str);
    let width = (0..args.len()).map(|i| ctype(i).len()).max().unwrap_or(0);
    let line = |(i, arg)| {
        let line = format!("\t\targs[{i}]: {:width$}  {}", ctype(i), more(arg));
        line.trim_end().to_owned() + "\n"
    };
    if args.is_empty() { "\t\tNone\n".to_owned() } else { args.iter().enumerate().map(line).collect() }
}

/// All that is known of probes: when they fire, what they hang on and their arguments; at the end the types that the
/// arguments point to.
pub fn explain(catalog: &Catalog, ids: &[ProbeId]) -> String {
    let mut text = heading();
    let mut types: Vec<&StructDef> = Vec::new();
    for (id, probe) in known(catalog, ids) {
        text.push_str(&row(id, probe));
        put(
            &mut text,
            format_args!(
                "\n\t{}\n\n\tAttachment\n\t\t{}\n",
                probe.doc,
                describe(attach(probe.program.attach, probe.instance))
            ),
        );
        for support in probe.program.needs {
            put(&mut text, format_args!("\t\tbeside it: {}\n", describe(support.attach)));
        }
        if let Some(Described { description, args }) = described(probe) {
            put(&mut text, format_args!("\n\tStability\n\t\t{description}, of its arguments {args}\n"));
        }
        text.push_str("\n\tArgument Types\n");
        text.push_str(&types_of_arguments(catalog, probe, |arg| arg.doc.to_owned()));
        for arg in catalog.arguments(probe) {
            if let Some(Kind::Struct(def)) = probe.program.record.field(arg.field).map(|field| field.kind) {
                remember(&mut types, def);
            }
        }
        text.push('\n');
    }
    for def in types {
        text.push_str(&declare(def));
    }
    text
}

/// Notes a type, and those that it points to, once.
fn remember(types: &mut Vec<&'static StructDef>, def: &'static StructDef) {
    if types.iter().any(|known| known.name == def.name) {
        return;
    }
    types.push(def);
    for field in def.fields {
        if let Kind::Struct(inner) = field.kind {
            remember(types, inner);
        }
    }
}

/// A type as a declaration with a comment for each member.
fn declare(def: &StructDef) -> String {
    let width = def.fields.iter().map(|field| member(field.ctype, field.name).len()).max().unwrap_or(0);
    let mut text = format!("{}: {}\n", def.name, def.doc.trim());
    for field in def.fields {
        put(
            &mut text,
            format_args!("\t{:width$}  /* {} */\n", member(field.ctype, field.name), field.doc.trim()),
        );
    }
    text.push('\n');
    text
}

/// A member as C declares it: `pid_t pr_pid;`, `char pr_fname[16];`.
fn member(ctype: &str, name: &str) -> String {
    match ctype.split_once('[') {
        Some((element, size)) => format!("{element} {name}[{size};"),
        None if ctype.ends_with('*') => format!("{ctype}{name};"),
        None => format!("{ctype} {name};"),
    }
}

fn heading() -> String {
    columns("ID", "PROVIDER", "MODULE", "FUNCTION", "NAME")
}

fn row(id: ProbeId, probe: &ProbeInfo) -> String {
    let name = match probe.lacks {
        Some(attach) => format!("{} (unavailable: this kernel has no {})", probe.name, describe(attach)),
        None => probe.name.to_string(),
    };
    columns(&id.0.to_string(), &probe.provider, &probe.module, &probe.function, &name)
}

fn columns(id: &str, provider: &str, module: &str, function: &str, name: &str) -> String {
    format!("{id:>5} {provider:>10} {module:>17} {function:>33} {name}\n")
}

fn known<'a>(catalog: &'a Catalog, ids: &[ProbeId]) -> impl Iterator<Item = (ProbeId, &'a ProbeInfo)> {
    ids.iter().filter_map(|&id| Some((id, catalog.get(id)?)))
}

fn put(text: &mut String, args: std::fmt::Arguments<'_>) {
    text.write_fmt(args).expect("writing to a string never fails");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Target;
    use crate::kernel::tracepoints::Tracepoints;
    use crate::provider::Pattern;

    fn catalog() -> (Catalog, Vec<ProbeId>) {
        let target =
            Target { tracepoints: Tracepoints::AllBut(["signal_generate"].into()), ..Target::fixture() };
        let catalog = Catalog::new(&target);
        let ids = ["BEGIN", "proc:::signal-send", "syscall::openat:return"]
            .iter()
            .flat_map(|text| {
                catalog.all(&Pattern::parse(text).expect("it is a description")).collect::<Vec<_>>()
            })
            .collect();
        (catalog, ids)
    }

    #[test]
    fn columns_are_those_of_dtrace() {
        let (catalog, ids) = catalog();
        let text = list(&catalog, &ids);
        let mut lines = text.lines();
        assert_eq!(
            lines.next(),
            Some("   ID   PROVIDER            MODULE                          FUNCTION NAME")
        );
        assert_eq!(
            lines.next(),
            Some("    1     dtrace                                                     BEGIN")
        );
        let unavailable = lines.next().expect("the second probe");
        assert!(
            unavailable
                .ends_with("signal-send (unavailable: this kernel has no raw tracepoint signal_generate)")
        );
        assert!(lines.next().expect("the third probe").ends_with("            openat return"));
        assert_eq!(lines.next(), None);
    }

    #[test]
    fn verbose_lists_are_dtraces() {
        let (catalog, ids) = catalog();
        let text = list_verbose(&catalog, &ids[..1]);
        let (_, below) = text.split_once("BEGIN\n").expect("the probe's row");
        let stable =
            "\t\tIdentifier Names: Stable\n\t\tData Semantics:   Stable\n\t\tDependency Class: Common\n";
        assert_eq!(
            below,
            format!(
                "\n\tProbe Description Attributes\n{stable}\n\tArgument Attributes\n{stable}\n\tArgument Types\n\t\tNone\n\n"
            )
        );
        let text = list_verbose(&catalog, &ids[1..2]);
        assert!(
            text.contains("\n\t\targs[0]: lwpsinfo_t *\n\t\targs[1]: psinfo_t *\n\t\targs[2]: int\n"),
            "{text}"
        );
    }

    #[test]
    fn an_explanation_tells_arguments_attachment_and_types() {
        let (catalog, ids) = catalog();
        let text = explain(&catalog, &ids);
        for part in [
            "\tAttachment\n\t\traw tracepoint sys_exit\n",
            "\tArgument Types\n\t\tNone\n",
            "\tStability\n\t\tPrivate/Private/Unknown, of its arguments Private/Private/ISA\n",
            "\t\targs[1]: psinfo_t *    the process that the signal is for\n",
            "psinfo_t: A process.\n\tpid_t pr_pid;",
            "char pr_fname[16];",
        ] {
            assert!(text.contains(part), "{part:?} is missing in:\n{text}");
        }
        assert_eq!(text.matches("psinfo_t: A process.").count(), 1);
    }
}
