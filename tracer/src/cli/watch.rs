//! `tracer watch`: what happens, a line an event with names for every number, and at the end what it came to.

use std::io::{self, IsTerminal as _, Write};

use anyhow::{Result, anyhow};

use super::args::{Color, Watch, Whom};
use super::stdout::Stdout;
use super::usage::Usage;
use super::{say, trace};
use crate::check::{Macros, Options};
use crate::diagnostic::{Sources, nearest};
use crate::event::{Family, Reader, Text};
use crate::kernel::{Target, process, syscalls};
use crate::output::json::Json;
use crate::output::names::Names;
use crate::output::style::Style as Shown;
use crate::output::value::{self, Table, Value};
use crate::output::{Output, text};
use crate::provider::Catalog;
use crate::session::{Follow, Session};
use crate::syntax::DescPart;
use crate::view::Style;
use crate::view::lines::Lines;
use crate::view::summary::Summary;
use crate::{Input, compile};

/// Runs the command; gives the exit status.
pub(super) fn run(watch: &Watch) -> Result<i32> {
    let families = families(&watch.families)?;
    let target = Target::probe()?;
    let whom = watch.command.clone().map(Whom::Command).or(watch.pid.map(Whom::Process));
    let followed = whom.iter().map(trace::follow).collect::<Result<Vec<_>, _>>()?;
    let (mut session, names) = start(&families, &followed, &target)?;
    let mut output = Watching::new(watch, names);
    match session.run(&followed, &mut output) {
        Err(error) if error.reader_gone() => return Ok(0),
        status => status?,
    };
    output.sum_up()?;
    if let [Follow::Command(child)] = &followed[..]
        && let Some(status) = child.status()
        && !status.success()
    {
        say(&format!("the command {}", ended(status)));
    }
    Ok(0)
}

/// Loads the families' programs, about those who are followed and all that they fork; gives the names of the probes for an
/// [`event::Reader`](crate::event::Reader).
pub(super) fn start(families: &[Family], followed: &[Follow], target: &Target) -> Result<(Session, Names)> {
    let mut catalog = Catalog::new(target);
    let mut sources = Sources::default();
    let inputs: Vec<Input> = families
        .iter()
        .map(|family| Input { source: sources.add(family.name(), family.program()), last: DescPart::Name })
        .collect();
    let root = followed.first().map(Follow::pid);
    let options = Options { scope: root.is_some(), switchrate: 50_000_000, ..Options::default() };
    // Only the program of pipes asks for it.
    let arguments = families.contains(&Family::Pipe).then(|| own_pipe().to_string());
    let macros = Macros { target: root, ..Macros::here(arguments.into_iter().collect()) };
    let compiled = compile(&mut sources, &inputs, &mut catalog, target, &options, &macros)
        .map_err(|problems| anyhow!("{}", problems.render(&sources, false)))?;
    let mut session = crate::start(&compiled, &catalog, target, false)?;
    if let Some(root) = root {
        session.scope(root)?;
    }
    let names = Names::new(&catalog, compiled.probes());
    Ok((session, names))
}

/// The families that were asked for, each once; all where none was.
fn families(names: &[String]) -> Result<Vec<Family>> {
    let mut families = Vec::new();
    for name in names {
        let known = Family::ALL.into_iter().find(|family| family.name() == name);
        let family = known.ok_or_else(|| {
            let all = Family::ALL.map(Family::name);
            let help = match nearest(name, all) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}; a command to watch is given with -c", all.join(", ")),
            };
            Usage::new(format!("there is no family of events `{name}`"), Some(&help))
        })?;
        families.push(family);
    }
    if families.is_empty() {
        families = Family::ALL.to_vec();
    }
    families.sort_unstable();
    families.dedup();
    Ok(families)
}

/// The number of the pipe that the output goes into, 0 where it goes elsewhere.
fn own_pipe() -> u64 {
    // SAFETY: the kernel fills in a stat; one of zeros is a value.
    unsafe {
        let mut status: libc::stat = std::mem::zeroed();
        let done = libc::fstat(libc::STDOUT_FILENO, &raw mut status) == 0;
        if done && status.st_mode & libc::S_IFMT == libc::S_IFIFO { status.st_ino } else { 0 }
    }
}

fn ended(status: std::process::ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with status {code}"),
        (None, Some(signal)) => {
            let name = syscalls::signal_name(signal).unwrap_or_else(|| signal.to_string().into());
            format!("was ended by {name}")
        }
        (None, None) => "ended".to_owned(),
    }
}

/// Shows events as they come and adds them up.
struct Watching {
    reader: Reader,
    out: Stdout,
    form: Form,
}

enum Form {
    Text { lines: Lines, summary: Box<Summary>, buffer: String },
    Json(Json),
}

impl Watching {
    fn new(watch: &Watch, names: Names) -> Watching {
        let form = if watch.json {
            Form::Json(Json::new(Box::new(Stdout::new()), names.clone(), Shown::default()))
        } else {
            let lines = Lines::new(style(watch.color), process::clock(libc::CLOCK_MONOTONIC));
            let buffer = lines.heading();
            Form::Text { lines, summary: Box::default(), buffer }
        };
        Watching { reader: Reader::new(names), out: Stdout::new(), form }
    }

    /// The tables at the end.
    fn sum_up(&self) -> Result<()> {
        let Form::Text { summary, .. } = &self.form else { return Ok(()) };
        Ok(super::show(&summary.render(process::clock(libc::CLOCK_MONOTONIC)))?)
    }
}

impl Output for Watching {
    fn event(&mut self, event: &value::Event) -> io::Result<()> {
        if let value::Event::Firing(firing) = event {
            let read = self.reader.event(firing);
            let event = read.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            match &mut self.form {
                Form::Text { lines, summary, buffer } => {
                    summary.add(&event);
                    buffer.push_str(&lines.line(&event));
                }
                Form::Json(json) => json.line(&event.line())?,
            }
            return Ok(());
        }
        if let value::Event::Aggregations(counts) = event
            && counts.tables.iter().all(|table| table.rows.is_empty())
        {
            return Ok(());
        }
        if let Form::Json(json) = &mut self.form {
            return json.event(event);
        }
        let message = match event {
            value::Event::Drop(notice) => text::dropped(notice),
            value::Event::Disorder(disorder) => text::disordered(disorder),
            value::Event::Aggregations(counts) => {
                counts.tables.iter().map(untold).collect::<Vec<_>>().join("; ")
            }
            // The families' programs have nothing that can fault.
            value::Event::Firing(_)
            | value::Event::Fault(_)
            | value::Event::Interrupted
            | value::Event::Ended => return Ok(()),
        };
        self.flush()?;
        say(&message);
        Ok(())
    }

    fn configure(&mut self, _: &Options) {}

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.form {
            Form::Text { buffer, .. } => {
                self.out.write_all(buffer.as_bytes())?;
                buffer.clear();
                self.out.flush()
            }
            Form::Json(json) => json.flush(),
        }
    }
}

/// The calls that the family's program only counts.
fn untold(table: &Table) -> String {
    let calls = table.rows.iter().map(|row| match row.key.first() {
        Some(Value::Str(call)) => format!("{} {}", row.words[0], Text(call.clone())),
        _ => row.words[0].to_string(),
    });
    let calls = calls.collect::<Vec<_>>().join(", ");
    format!("calls that are not shown and may have moved bytes of a {}: {calls}", table.name)
}

fn style(color: Color) -> Style {
    let color = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        }
    };
    Style { width: 120, unicode: true, color }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_compiles_for_a_system_with_every_probe() {
        let target = Target::fixture();
        for family in Family::ALL {
            let mut catalog = Catalog::new(&target);
            let mut sources = Sources::default();
            let input = Input { source: sources.add(family.name(), family.program()), last: DescPart::Name };
            let arguments = if family == Family::Pipe { vec!["0".to_owned()] } else { Vec::new() };
            let macros = Macros { target: Some(1), ..Macros::here(arguments) };
            let compiled =
                compile(&mut sources, &[input], &mut catalog, &target, &Options::default(), &macros);
            assert!(compiled.is_ok(), "{}", compiled.unwrap_err().render(&sources, false));
        }
    }

    #[test]
    fn families_are_each_once_and_all_where_none_is_named() {
        let names =
            |names: &[&str]| families(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(names(&[]).unwrap(), Family::ALL);
        assert_eq!(names(&["tcp", "signal", "tcp"]).unwrap(), [Family::Signal, Family::Tcp]);
        assert!(names(&["tpc"]).unwrap_err().to_string().contains("did you mean `tcp`?"));
    }
}
