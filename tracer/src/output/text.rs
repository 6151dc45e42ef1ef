//! A run as text, laid out as dtrace lays it out.
//!
//! Invariant: what the program prints goes to `out`, what is said about the run (errors, drops) to `err`, and
//! everything printed before a message is handed over before the message.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;

use probes_common::abi::{Drop, fault};

use super::aggregation;
use super::datum;
use super::names::{Name, Names};
use super::printf;
use super::style::Style;
use super::value::{Disorder, DropNotice, Event, FaultNotice, Firing, FlowKind, Recorded};
use super::{Output, Sink, escape, shell, typed};
use crate::called;
use crate::check::Options;
use crate::kernel::process::wall_offset;

/// The text output.
pub struct Text {
    out: Box<dyn Sink>,
    err: Box<dyn Write>,
    names: Names,
    style: Style,
    headed: bool,
    buffer: Vec<u8>,
    /// The file that freopen() asked for.
    redirected: Option<File>,
}

impl Text {
    /// Writes to `out`, messages to `err`.
    pub fn new(out: Box<dyn Sink>, err: Box<dyn Write>, names: Names, style: Style) -> Text {
        Text { out, err, names, style, headed: false, buffer: Vec::new(), redirected: None }
    }

    fn firing(&mut self, firing: &Firing) -> io::Result<()> {
        self.heading();
        let name = self.names.get(firing.probe);
        match firing.flow.filter(|_| self.style.flow) {
            Some(flow) => {
                let name = format!("{:indent$}{}", "", indented(flow.kind, name), indent = flow.indent);
                let cpu = self.column(format_args!("{:3} ", firing.cpu));
                write!(self.buffer, "{cpu}{name:<41} ")?;
            }
            None if self.style.quiet => {}
            None => {
                let name = format!("{}:{}", name.function, name.name);
                let columns = self.column(format_args!("{:3} {:6} ", firing.cpu, firing.probe.0));
                write!(self.buffer, "{columns}{name:>32} ")?;
            }
        }
        for action in &firing.actions {
            let Text { buffer, style, redirected, .. } = &mut *self;
            match action {
                Recorded::Trace(value) => datum::traced(buffer, value, style),
                Recorded::Print(shape, value) => typed::print(buffer, shape, value, style),
                Recorded::Printf(format, values) => printf::print(buffer, format, values, style.terminal),
                Recorded::Printa(printout) => {
                    if printout.format.is_none() {
                        buffer.push(b'\n');
                    }
                    aggregation::print(buffer, printout, style);
                }
                Recorded::Memory(bytes) => datum::dump(buffer, bytes),
                Recorded::Packet(packet) => match redirected {
                    Some(file) => {
                        if buffer.is_empty() && file.metadata()?.len() == 0 {
                            buffer.extend(packet.header());
                        }
                        buffer.extend(packet.record(firing.time + wall_offset()));
                    }
                    None => datum::dump(buffer, &packet.bytes),
                },
                Recorded::System(command) => {
                    self.flush()?;
                    shell::run(command, shell::Stdout::Inherited)?;
                }
                Recorded::Freopen(path) => self.redirect(path.as_deref(), firing)?,
                Recorded::Ftruncate => {
                    self.flush()?;
                    if let Some(file) = &self.redirected {
                        file.set_len(0)?;
                    } else {
                        self.out.truncate()?;
                    }
                }
                Recorded::Setopt { name, value, refused, options } => {
                    if let Some(reason) = refused {
                        let what = format!("couldn't set option \"{name}\" to \"{value}\": {reason}");
                        self.failed(firing, &what)?;
                    }
                    self.configure(options);
                }
                Recorded::Exit(_) | Recorded::Silent => {}
            }
        }
        if !self.style.quiet {
            self.buffer.push(b'\n');
        }
        Ok(())
    }

    /// What an action of the tracer's own could not do, as dtrace has it.
    fn failed(&mut self, firing: &Firing, what: &str) -> io::Result<()> {
        let Firing { epid, probe, .. } = firing;
        let name = self.names.get(*probe);
        self.message(&format!("error on enabled probe ID {epid} (ID {}: {name}): {what}", probe.0))
    }

    /// Prints to a file from now on, behind what is there; to where the output went first without one. Where it cannot
    /// be opened, all stays as it is.
    fn redirect(&mut self, path: Option<&[u8]>, firing: &Firing) -> io::Result<()> {
        self.flush()?;
        let Some(path) = path.filter(|path| !path.is_empty()) else {
            self.redirected = None;
            return Ok(());
        };
        match OpenOptions::new().append(true).create(true).open(OsStr::from_bytes(path)) {
            Ok(file) => self.redirected = Some(file),
            Err(error) => {
                let path = escape::printable(path);
                self.failed(firing, &format!("couldn't freopen() \"{path}\": {}", reason(&error)))?;
            }
        }
        Ok(())
    }

    fn heading(&mut self) {
        if std::mem::replace(&mut self.headed, true) {
            return;
        }
        if self.style.flow {
            let cpu = self.column(format_args!("CPU "));
            self.buffer.extend_from_slice(format!("{cpu}{:<41}\n", "FUNCTION").as_bytes());
        } else if !self.style.quiet {
            let columns = self.column(format_args!("{:>3} {:>6} ", "CPU", "ID"));
            self.buffer.extend_from_slice(format!("{columns}{:>32}\n", "FUNCTION:NAME").as_bytes());
        }
    }

    /// A column whose contents differ from run to run.
    fn column(&self, text: fmt::Arguments) -> String {
        if self.style.repeatable { String::new() } else { text.to_string() }
    }

    fn message(&mut self, message: &str) -> io::Result<()> {
        self.flush()?;
        // Who does not want to hear it (a terminal that was closed) still gets the output.
        let _ = writeln!(self.err, "{}: {message}", called::name()).and_then(|()| self.err.flush());
        Ok(())
    }
}

/// A probe between entries and returns: those by the function alone, others by their whole name.
fn indented(kind: FlowKind, name: &Name) -> String {
    let Name { function, name, .. } = name;
    match kind {
        FlowKind::Entry { syscall: false } => format!(" -> {function}"),
        FlowKind::Entry { syscall: true } => format!(" => {function}"),
        FlowKind::Return { syscall: false } => format!(" <- {function}"),
        FlowKind::Return { syscall: true } => format!(" <= {function}"),
        FlowKind::Inside => format!("| {function}:{name}"),
    }
}

impl Output for Text {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Firing(firing) => self.firing(firing)?,
            Event::Aggregations(printout) => aggregation::print(&mut self.buffer, printout, &self.style),
            // A line of its own for the `^C` of the terminal, and a blank line before what is left to say: as in dtrace
            // whether there is a terminal, and something to say, or not.
            Event::Interrupted if self.style.repeatable => {}
            Event::Interrupted | Event::Ended => self.buffer.push(b'\n'),
            Event::Drop(notice) => {
                let tag =
                    if self.style.tags { format!("[{}] ", drop_tag(notice.kind)) } else { String::new() };
                self.message(&(tag + &dropped(notice)))?;
            }
            Event::Fault(notice) => self.message(&faulted(notice, &self.names))?,
            Event::Disorder(notice) => self.message(&disordered(notice))?,
        }
        Ok(())
    }

    fn configure(&mut self, options: &Options) {
        self.style = self.style.changed(options);
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.redirected {
            Some(file) => file.write_all(&self.buffer)?,
            None => self.out.write_all(&self.buffer)?,
        }
        self.buffer.clear();
        self.out.flush()
    }
}

/// `description 'BEGIN' matched 1 probe`: what a run begins with, unless it is quiet. `what` is `description` or
/// `script`.
pub fn matched(what: &str, text: &str, probes: usize) -> String {
    format!("{what} '{}' matched {probes} probe{}", escape::printable(text.as_bytes()), plural(probes as u64))
}

/// What was lost, in DTrace's words; what DTrace does not lose, by the probe.
pub fn dropped(notice: &DropNotice) -> String {
    let count = notice.count();
    let (s, cpu) = (plural(count), notice.cpu.unwrap_or(0));
    let probe = notice.by.first().map_or("", |lost| lost.probe.as_str());
    match notice.kind {
        Drop::Ring => format!("{count} drop{s} on CPU {cpu}"),
        Drop::Aggregation => format!("{count} aggregation drop{s} on CPU {cpu}"),
        Drop::Dynamic => format!("{count} dynamic variable drop{s}"),
        Drop::Speculation => format!("{count} speculative drop{s}"),
        Drop::Unavailable => format!("{count} failed speculation{s} (no speculative buffer available)"),
        Drop::Slot => format!("{count} drop{s} at {probe}: too many firings at once on one CPU"),
        Drop::Recursion => {
            format!("{count} missed firing{s} at {probe}: it was under way already on the CPU (recursion)")
        }
        Drop::Support => format!("{count} drop{s} at {probe}: no room to remember calls and owners"),
        Drop::Compat => format!("{count} 32-bit system call{s} passed over at {probe}"),
    }
}

/// What is out of order, in words.
pub fn disordered(notice: &Disorder) -> String {
    let count = notice.count;
    let (s, were) = if count == 1 { ("", "was") } else { ("s", "were") };
    format!(
        "{count} record{s} came too late to be shown in the order of time, and {were} shown after later ones"
    )
}

/// DTrace's tag for a kind of drop, or one in its way.
fn drop_tag(kind: Drop) -> &'static str {
    match kind {
        Drop::Ring => "DTRACEDROP_PRINCIPAL",
        Drop::Aggregation => "DTRACEDROP_AGGREGATION",
        Drop::Dynamic => "DTRACEDROP_DYNAMIC",
        Drop::Speculation => "DTRACEDROP_SPEC",
        Drop::Unavailable => "DTRACEDROP_SPECUNAVAIL",
        Drop::Slot => "DTRACEDROP_NESTING",
        Drop::Recursion => "DTRACEDROP_RECURSION",
        Drop::Support => "DTRACEDROP_SUPPORT",
        Drop::Compat => "DTRACEDROP_COMPAT",
    }
}

/// What went wrong in a clause, in words.
pub fn faulted(notice: &FaultNotice, names: &Names) -> String {
    let value = match notice.fault {
        fault::BADADDR | fault::BADALIGN | fault::BADSTACK | fault::BADSIZE => {
            format!(" (0x{:x})", notice.value)
        }
        fault::BADINDEX => format!(" ({})", notice.value as i64),
        _ => String::new(),
    };
    let place = match notice.action {
        0 => "predicate".to_owned(),
        action => format!("action #{action}"),
    };
    format!(
        "error on enabled probe ID {} (ID {}: {}): {}{value} in {place} at BPF pc {}",
        notice.epid,
        notice.probe.0,
        names.get(notice.probe),
        fault_name(notice.fault),
        notice.offset
    )
}

/// The system's words for an error, without its number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// DTrace's words for a kind of fault.
pub fn fault_name(number: u64) -> &'static str {
    match number {
        fault::BADADDR => "invalid address",
        fault::BADALIGN => "invalid alignment",
        fault::ILLOP => "illegal operation",
        fault::DIVZERO => "divide-by-zero",
        fault::NOSCRATCH => "out of scratch space",
        fault::KPRIV => "invalid kernel access",
        fault::UPRIV => "invalid user access",
        fault::TUPOFLOW => "tuple stack overflow",
        fault::BADSTACK => "bad stack",
        fault::BADSIZE => "invalid size",
        fault::BADINDEX => "index out of bounds",
        _ => "unknown fault",
    }
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;
    use crate::check::typed::Function;
    use crate::output::value::{Flow, Lost, Printout, Row, Table, Value};
    use crate::provider::ProbeId;
    use crate::syntax::format::Format;

    /// What both streams got, in order.
    #[derive(Clone, Default)]
    struct Shared(Rc<RefCell<Vec<u8>>>);

    impl Sink for Shared {}

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn show(quiet: bool, events: &[Event]) -> String {
        let names = Names::of(&[(1, "dtrace:::BEGIN"), (44, "syscall:vmlinux:write:entry")]);
        let shared = Shared::default();
        let style = Style { quiet, terminal: true, ..Style::default() };
        let mut text = Text::new(Box::new(shared.clone()), Box::new(shared.clone()), names, style);
        events.iter().for_each(|event| text.event(event).unwrap());
        text.flush().unwrap();
        String::from_utf8(shared.0.take()).unwrap()
    }

    fn firing(probe: u32, actions: Vec<Recorded>) -> Event {
        Event::Firing(Firing { probe: ProbeId(probe), epid: 1, cpu: 0, time: 5, flow: None, actions })
    }

    fn count(name: &str, n: u64) -> Printout {
        let rows = vec![Row { key: vec![Value::Str(b"cat".to_vec())], words: vec![n] }];
        Printout {
            format: None,
            tables: vec![Table { name: name.to_owned(), function: Function::Count, normal: 1, rows }],
        }
    }

    fn int(value: i64, bytes: u8, signed: bool) -> Recorded {
        Recorded::Trace(Value::Int { value, bytes, signed })
    }

    fn run() -> Vec<Event> {
        let format = Rc::new(Format::parse(b"pid %d\n").unwrap());
        let string = Recorded::Trace(Value::Str(b"a\tb".to_vec()));
        vec![
            firing(1, vec![]),
            firing(
                44,
                vec![int(3, 4, true), int(-1, 8, true), int(65535, 2, false), int(7, 1, true), string],
            ),
            firing(
                44,
                vec![Recorded::Printf(format, vec![Value::Int { value: 12, bytes: 4, signed: true }])],
            ),
            firing(44, vec![Recorded::Printa(count("p", 1)), Recorded::Silent]),
            Event::Drop(drop_of(Drop::Ring, 12)),
            Event::Fault(FaultNotice {
                probe: ProbeId(1),
                epid: 1,
                action: 1,
                offset: 12,
                fault: fault::BADADDR,
                value: 0,
                cpu: 0,
                time: 9,
            }),
            firing(1, vec![Recorded::Exit(0)]),
            Event::Ended,
            Event::Aggregations(count("a", 2)),
            Event::Aggregations(count("b", 3)),
        ]
    }

    #[test]
    fn a_run() {
        insta::assert_snapshot!(show(false, &run()));
    }

    #[test]
    fn a_quiet_run() {
        insta::assert_snapshot!(show(true, &run()));
    }

    #[test]
    fn the_default_line_is_that_of_dtrace() {
        let expected =
            "CPU     ID                    FUNCTION:NAME\n  0      1                           :BEGIN \n";
        assert_eq!(show(false, &[firing(1, vec![])]), expected);
    }

    fn drop_of(kind: Drop, count: u64) -> DropNotice {
        let lost = |probe: &str, count| Lost { probe: probe.to_owned(), count, total: count };
        DropNotice { kind, cpu: Some(3), by: vec![lost("p", count - 1), lost("q", 1)] }
    }

    #[test]
    fn entries_and_returns_are_indented_as_in_dtrace() {
        let flow = |kind, indent, probe| {
            let flow = Some(Flow { kind, indent });
            Event::Firing(Firing { probe: ProbeId(probe), epid: 1, cpu: 0, time: 5, flow, actions: vec![] })
        };
        let names = Names::of(&[
            (1, "dtrace:::BEGIN"),
            (44, "syscall:vmlinux:read:entry"),
            (45, "fbt:vmlinux:f:entry"),
        ]);
        let shared = Shared::default();
        let style = Style { flow: true, ..Style::default() };
        let mut text = Text::new(Box::new(shared.clone()), Box::new(shared.clone()), names, style);
        let events = [
            flow(FlowKind::Inside, 0, 1),
            flow(FlowKind::Entry { syscall: true }, 0, 44),
            flow(FlowKind::Inside, 2, 44),
            flow(FlowKind::Entry { syscall: false }, 2, 45),
            flow(FlowKind::Return { syscall: false }, 2, 45),
            flow(FlowKind::Return { syscall: true }, 0, 44),
        ];
        events.iter().for_each(|event| text.event(event).unwrap());
        text.flush().unwrap();
        insta::assert_snapshot!(String::from_utf8(shared.0.take()).unwrap());
    }

    #[test]
    fn messages_in_words() {
        let drop = |kind, count| dropped(&drop_of(kind, count));
        assert_eq!(drop(Drop::Ring, 1), "1 drop on CPU 3");
        assert_eq!(drop(Drop::Aggregation, 5), "5 aggregation drops on CPU 3");
        assert_eq!(drop(Drop::Dynamic, 2), "2 dynamic variable drops");
        assert_eq!(drop(Drop::Speculation, 1), "1 speculative drop");
        assert_eq!(drop(Drop::Unavailable, 2), "2 failed speculations (no speculative buffer available)");
        assert_eq!(drop_tag(Drop::Unavailable), "DTRACEDROP_SPECUNAVAIL");
        assert_eq!(
            disordered(&Disorder { count: 1, total: 4 }),
            "1 record came too late to be shown in the order of time, and was shown after later ones"
        );
        assert_eq!(matched("description", "BEGIN", 1), "description 'BEGIN' matched 1 probe");
        assert_eq!(matched("script", "./a.d", 2), "script './a.d' matched 2 probes");
        let notice = FaultNotice {
            probe: ProbeId(44),
            epid: 3,
            action: 0,
            offset: 4,
            fault: fault::DIVZERO,
            value: 0,
            cpu: 1,
            time: 0,
        };
        let names = Names::of(&[(44, "syscall:vmlinux:write:entry")]);
        assert_eq!(
            faulted(&notice, &names),
            "error on enabled probe ID 3 (ID 44: syscall:vmlinux:write:entry): divide-by-zero in predicate at BPF pc 4"
        );
    }
}
