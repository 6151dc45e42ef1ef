//! The main job: compile the program texts, load them, and show what they say until it ends.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;
use std::rc::Rc;

use anyhow::{Result, anyhow, bail};

use super::args::{Text, Trace, Whom};
use super::preprocess::preprocess;
use super::stdout::Stdout;
use super::usage::Usage;
use super::{complain, say, show};
use crate::bpf::At;
use crate::check::options::Evaluation;
use crate::check::{Macros, Options};
use crate::diagnostic::{Diagnostic, Problems, SourceId, Sources, Span, Tag, text_of};
use crate::kernel::{Target, numbers, symbols};
use crate::link::LinkError;
use crate::output::json::Json;
use crate::output::style::{Style, is_primitive};
use crate::output::text::{Text as TextOutput, matched};
use crate::output::{Output, Sink, names::Names};
use crate::provider::{self, Catalog, Followed, Prepare, ProbeId};
use crate::session::{Child, Follow, SessionError, reason};
use crate::syntax::DescPart;
use crate::{Compiled, Input, LibraryInput, Stage, compile_with, describe, matched as matched_by, start};

/// The environment variable that leaves out what differs from run to run, as in Oracle's DTrace.
const REPEATABLE: &str = "_DTRACE_TESTING";

/// Runs the job; gives the exit status.
pub(super) fn run(trace: &Trace, texts: &[Text], whom: &[Whom]) -> Result<i32> {
    let options = options(trace)?;
    let target = Target::describe()?;
    let mut catalog = Catalog::new(&target);
    if trace.list && texts.is_empty() {
        catalog.add_all();
        if let Some(target) = whom.first() {
            catalog_follows(&mut catalog, Some(&follow(target)?));
            catalog.add_followed();
        }
        let ids: Vec<ProbeId> = catalog.ids().collect();
        return list(&catalog, &ids, trace.verbose);
    }
    if texts.is_empty() {
        return Err(Usage::nothing_to_trace(&trace.arguments).into());
    }
    let followed = whom.iter().map(follow).collect::<Result<Vec<_>, _>>()?;
    catalog_follows(&mut catalog, followed.first());
    let mut sources = Sources::default();
    let inputs = texts
        .iter()
        .map(|text| read(text, &mut catalog, &options, &mut sources))
        .collect::<Result<Vec<_>>>()?;
    let macros = macros(trace, &followed);
    let libraries = libraries(&options, &mut sources)?;
    if trace.list {
        let find = |options: &Options, sources: &mut Sources| {
            matched_by(sources, &libraries, &inputs, &mut catalog, options, &macros)
        };
        let Some(ids) = listed(&options, &mut sources, find) else { return Ok(1) };
        return list(&catalog, &ids, trace.verbose);
    }
    let compiled =
        match compile_with(&mut sources, &libraries, &inputs, &mut catalog, &target, &options, &macros) {
            Ok(compiled) => compiled,
            Err(problems) => {
                complain_of(problems, &sources);
                return Ok(1);
            }
        };
    // As in dtrace, what a program can do without is told to those who ask.
    let remark = |text: &str| {
        if trace.verbose {
            say(text)
        }
    };
    for warning in compiled.warnings.iter().filter(|_| trace.verbose) {
        complain(&(crate::diagnostic::render(warning, &sources, io::stderr().is_terminal()) + "\n"));
    }
    if compiled.options.verbose {
        show(&describe::code(&compiled.image))?;
    }
    if trace.compile_only {
        if trace.verbose {
            show(&stability(&compiled, &catalog, &sources, false))?;
        }
        return Ok(0);
    }
    Target::ensure_granted()?;
    if !numbers::are_first() {
        remark(
            "this is not the first PID namespace: process ids are the host's, not those that ps shows here",
        );
    }
    for follow in &followed {
        match (follow, compiled.options.evaltime) {
            (Follow::Process(pid), _) => ensure_alive(*pid)?,
            (Follow::Command(child), Some(to)) => child.bring(to)?,
            // As with dtrace, what comes before main is not seen of functions.
            (Follow::Command(child), None) if compiled.is_in_programs() => child.bring(Evaluation::Main)?,
            (Follow::Command(_), None) => {}
        }
    }
    let report = if trace.verbose { stability(&compiled, &catalog, &sources, true) } else { String::new() };
    let mut output = output(trace, &compiled, &catalog, &report)?;
    let mut session = match start(&compiled, &catalog, &target, trace.verbose) {
        Err(SessionError::Refused { reason, at: Some(At(place)), log, .. }) => {
            let place = compiled.image.spans[place as usize];
            let refusal = refusal(&reason, place);
            complain(
                &(crate::diagnostic::render(&refusal, &sources, io::stderr().is_terminal()) + "\n" + &log),
            );
            return Ok(1);
        }
        Err(error @ (SessionError::Large { .. } | SessionError::Link(LinkError::Long(_)))) => {
            let refusal = Diagnostic::placeless(Tag::D_LIMIT, error.to_string())
                .help("make several clauses of a long one, or share them out among several runs of tracer");
            complain(&(crate::diagnostic::render(&refusal, &sources, io::stderr().is_terminal()) + "\n"));
            return Ok(1);
        }
        session => session?,
    };
    if compiled.options.scope {
        if followed.is_empty() {
            return Err(Usage::new(
                "option `scope` is about a process, and there is none",
                Some("name one with -p, or run one with -c"),
            )
            .into());
        }
        followed.iter().try_for_each(|follow| session.scope(follow.pid()))?;
    }
    if describe::names_kernel(&compiled.image) && symbols::are_hidden() {
        remark(
            "the kernel hides its symbols: addresses have no names; `sysctl kernel.kptr_restrict=1` shows them",
        );
    }
    if let [first, ..] = session.untraced() {
        let count = session.untraced().len();
        remark(&format!("{count} functions cannot be traced here, {first} among them"));
    }
    if let Some(bytes) = session.lowered().filter(|_| !compiled.options.quietresize) {
        say(&format!("buffer size lowered to {}", with_unit(bytes)));
    }
    if let count @ 1.. = session.refused() {
        remark(&format!("places left out, as the kernel does not probe the instructions there: {count}"));
    }
    if !compiled.options.quiet {
        announce(&compiled, &sources);
        if compiled.options.destructive {
            say("allowing destructive actions");
        }
    }
    if trace.verbose {
        complain(&describe::programs(&compiled.image));
        compiled.options.notes().for_each(|note| remark(&note));
    }
    match session.run(&followed, &mut *output) {
        Err(error) if error.reader_gone() => Ok(0),
        status => Ok(status?),
    }
}

/// The probes that `find` finds. As in dtrace a description that matches none is told, and no error: there is nothing to list of it.
fn listed(
    options: &Options,
    sources: &mut Sources,
    mut find: impl FnMut(&Options, &mut Sources) -> Result<Vec<ProbeId>, Problems>,
) -> Option<Vec<ProbeId>> {
    let found = match find(options, sources) {
        Err(problems) if problems.are_about_probes() => {
            let again = find(&Options { zdefs: true, ..options.clone() }, sources);
            complain_of(problems, sources);
            again
        }
        found => found,
    };
    found.map_err(|problems| complain_of(problems, sources)).ok()
}

/// Tells what is wrong with a program.
fn complain_of(problems: Problems, sources: &Sources) {
    complain(&(problems.without_warnings().render(sources, io::stderr().is_terminal()) + "\n"));
}

/// The options of the command line: -x and the letters that stand for one.
pub(super) fn options(trace: &Trace) -> Result<Options> {
    let mut options = Options::default();
    options.set_by_environment(|name| std::env::var(name).ok());
    let mut set = |name: &str, value: Option<&str>| -> Result<()> {
        let set = options.set(name, value).map(drop);
        set.map_err(|error| {
            let help = error.help().map(|help| format!("\n  help: {help}")).unwrap_or_default();
            anyhow!("failed to set -x {name}: {error}{help}")
        })
    };
    for option in &trace.options {
        match option.split_once('=') {
            Some((name, value)) => set(name, Some(value))?,
            None => set(option, None)?,
        }
    }
    for directory in &trace.libraries {
        set("libdir", directory.to_str())?;
    }
    if let Some(size) = &trace.buffer {
        set("bufsize", Some(size))?;
    }
    let lists = [(&trace.define, "define"), (&trace.undefine, "undef"), (&trace.include, "incdir")];
    for (values, name) in lists {
        values.iter().try_for_each(|value| set(name, Some(value)))?;
    }
    for (given, name) in [
        (trace.preprocess, "cpp"),
        (trace.headers, "cpphdrs"),
        (trace.quiet, "quiet"),
        (trace.flow, "flowindent"),
        (trace.destructive, "destructive"),
        (trace.allow_none, "zdefs"),
        (trace.show_code, "verbose"),
        // Only what runs can destroy anything.
        (trace.compile_only || trace.list, "destructive"),
    ] {
        if given {
            set(name, None)?;
        }
    }
    Ok(options)
}

/// A number of bytes as options take it: `4k`, `16m`.
fn with_unit(bytes: u32) -> String {
    match bytes.trailing_zeros() {
        20.. => format!("{}m", bytes >> 20),
        10.. => format!("{}k", bytes >> 10),
        _ => format!("{bytes} bytes"),
    }
}

/// Follows a process. A command is parked at once, so that the program can name its process.
pub(super) fn follow(whom: &Whom) -> Result<Follow, SessionError> {
    match whom {
        Whom::Command(command) => Ok(Follow::Command(Rc::new(Child::park(command)?))),
        Whom::Process(pid) => {
            ensure_alive(*pid)?;
            if !numbers::are_first() {
                return Err(SessionError::Namespace(*pid));
            }
            Ok(Follow::Process(*pid))
        }
    }
}

/// Lets descriptions name what is in the program of the process that `$target` is.
fn catalog_follows(catalog: &mut Catalog, target: Option<&Follow>) {
    let Some(target) = target else { return };
    let (pid, process, prepare): (u32, u32, Prepare) = match target {
        Follow::Process(pid) => (*pid, *pid, Rc::new(|| Ok(()))),
        Follow::Command(child) => {
            let process = child.process();
            let (pid, child) = (child.pid, Rc::clone(child));
            (
                pid,
                process,
                Rc::new(move || child.bring(Evaluation::Preinit).map_err(|error| error.to_string())),
            )
        }
    };
    catalog.follow(Followed { pid, process, prepare });
}

fn ensure_alive(pid: u32) -> Result<(), SessionError> {
    if Path::new("/proc").join(pid.to_string()).exists() {
        return Ok(());
    }
    Err(SessionError::Process { pid, error: io::Error::from_raw_os_error(libc::ESRCH) })
}

/// Adds the D libraries to the sources: those of each directory by their names.
fn libraries(options: &Options, sources: &mut Sources) -> Result<Vec<LibraryInput>> {
    let mut libraries = Vec::new();
    let directories = if options.nolibs { &[][..] } else { &options.libdirs };
    for directory in directories {
        let unreadable = |error: io::Error| {
            anyhow!("the libraries in `{}` cannot be read: {}", directory.display(), reason(&error))
        };
        let entries = std::fs::read_dir(directory).map_err(unreadable)?;
        let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>();
        let mut paths = paths.map_err(unreadable)?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "d") && path.is_file());
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let text = std::fs::read(&path).map(text_of).map_err(|error| {
                anyhow!("the library `{}` cannot be read: {}", path.display(), reason(&error))
            })?;
            libraries.push(LibraryInput { name, source: sources.add(path.display().to_string(), text) });
        }
    }
    Ok(libraries)
}

/// Adds a text to the sources.
fn read(text: &Text, catalog: &mut Catalog, options: &Options, sources: &mut Sources) -> Result<Input> {
    let (name, text, last) = match text {
        Text::Inline(last, text) => (numbered(option(*last), sources), text.clone(), *last),
        Text::Id(text) => {
            let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            let id = text[..end].parse().map_err(|_| {
                let help = "`tracer -l` lists the probes with their ids";
                Usage::new(format!("-i takes a probe's id, not `{text}`"), Some(help))
            })?;
            if catalog.by_id(ProbeId(id)).is_none() {
                bail!("there is no probe with id {id}\n  help: `tracer -l` lists the probes with their ids");
            }
            (numbered("-i", sources), text.clone(), DescPart::Name)
        }
        Text::Script(path) => {
            let (name, text) = script(path)?;
            (name, text, DescPart::File)
        }
    };
    let text = if options.cpp { preprocess(&name, &text, options)? } else { text };
    Ok(Input { source: sources.add(name, text), last })
}

/// A script's name and its text; `-` is the standard input.
pub(super) fn script(path: &Path) -> Result<(String, String)> {
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        io::stdin().read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    let name = if path.as_os_str() == "-" { "standard input".into() } else { path.display().to_string() };
    read.map_err(|error| anyhow!("the script `{name}` cannot be read: {}", reason(&error)))?;
    Ok((name, text_of(bytes)))
}

/// The name of a text that an option gives; from the second one on it is counted.
fn numbered(option: &str, sources: &Sources) -> String {
    let name = |count: u32| if count == 1 { option.to_owned() } else { format!("{option} #{count}") };
    let taken =
        |name: &String| (0..).map_while(|id| sources.get(SourceId(id))).any(|source| source.name == *name);
    (1..).map(name).find(|name| !taken(name)).unwrap_or_default()
}

/// The option that gives descriptions ending with that part.
fn option(last: DescPart) -> &'static str {
    match last {
        DescPart::Provider => "-P",
        DescPart::Module => "-m",
        DescPart::Function => "-f",
        DescPart::Name | DescPart::File => "-n",
    }
}

fn macros(trace: &Trace, followed: &[Follow]) -> Macros {
    let script = trace.script.first().map_or_else(|| "tracer".to_owned(), |path| path.display().to_string());
    Macros { target: followed.first().map(Follow::pid), script, ..Macros::here(trace.arguments.clone()) }
}

fn list(catalog: &Catalog, ids: &[ProbeId], verbose: bool) -> Result<i32> {
    let text = if verbose { provider::list_verbose(catalog, ids) } else { provider::list(catalog, ids) };
    show(&text)?;
    Ok(0)
}

/// DTrace's word on what each text matched, on standard error.
fn announce(compiled: &Compiled, sources: &Sources) {
    for stage in &compiled.stages {
        if let Some((kind, name)) = title(stage, sources) {
            say(&matched(kind, name, stage.probes));
        }
    }
}

/// What DTrace calls a text: a script by its file, a description by itself.
fn title<'a>(stage: &Stage, sources: &'a Sources) -> Option<(&'static str, &'a str)> {
    let source = sources.get(stage.source)?;
    Some(match source.name.starts_with('-') {
        true => ("description", description_of(&source.text)),
        false => ("script", &source.name),
    })
}

/// The reports on how stable the texts are.
fn stability(compiled: &Compiled, catalog: &Catalog, sources: &Sources, runs: bool) -> String {
    let report = |stage| {
        let (kind, name) = title(stage, sources)?;
        Some(describe::stability(&format!("{kind} {name}"), stage, catalog, runs))
    };
    compiled.stages.iter().filter_map(report).collect()
}

/// The probe descriptions that a text begins with, as DTrace quotes them: blanks behind them included.
fn description_of(text: &str) -> &str {
    let end = text.find(['/', '{', ';']).unwrap_or(text.len());
    &text[..end]
}

/// Where the run is shown, below the report on it.
fn output(trace: &Trace, compiled: &Compiled, catalog: &Catalog, report: &str) -> Result<Box<dyn Output>> {
    let names = Names::new(catalog, compiled.probes());
    let (mut out, terminal): (Box<dyn Sink>, bool) = match &trace.output {
        Some(path) => {
            let file = OpenOptions::new().append(true).create(true).open(path);
            let file = file.map_err(|error| {
                anyhow!("the output file `{}` cannot be opened: {}", path.display(), reason(&error))
            })?;
            (Box::new(file), false)
        }
        None => {
            let out = Stdout::new();
            let terminal = out.is_terminal();
            (Box::new(out), terminal)
        }
    };
    let primitive = is_primitive(&std::env::var("TERM").unwrap_or_default());
    let repeatable = std::env::var_os(REPEATABLE).is_some();
    let style = Style { repeatable, ..Style::new(&compiled.options, terminal && !trace.json, primitive) };
    if !trace.json {
        out.write_all(report.as_bytes())?;
    }
    Ok(if trace.json {
        Box::new(Json::new(out, names, style))
    } else {
        Box::new(TextOutput::new(out, Box::new(io::stderr()), names, style))
    })
}

/// What to say when the kernel does not take what the compiler made of a place of the program.
fn refusal(reason: &str, place: Span) -> Diagnostic {
    if reason.contains("bpf_probe_write_user") {
        let message = "this kernel lets no program write to the memory of processes";
        return Diagnostic::error(Tag::D_VERIFIER, place, message).help(
            "it is locked down (kernel_lockdown(7)), or built without; leave copyout() and copyoutstr() out",
        );
    }
    Diagnostic::error(Tag::D_VERIFIER, place, format!("the kernel refuses this: {reason}"))
        .help("this is a fault of tracer, not of your program; please report it with the output of -v")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_ends_before_its_predicate() {
        assert_eq!(description_of("syscall:::entry / pid == 1 / { }"), "syscall:::entry ");
        assert_eq!(description_of("BEGIN"), "BEGIN");
    }
}
