//! A run as text, laid out as dtrace lays it out.
//!
//! Invariant: what the program prints goes to `out`, what is said about the run (errors, drops) to `err`, and
//! everything printed before a message is handed over before the message.

use std::io::{self, Write};

use probes_common::abi::{Drop, fault};

use super::aggregation;
use super::datum;
use super::names::Names;
use super::printf;
use super::value::{Disorder, DropNotice, Event, FaultNotice, Firing, Recorded};
use super::{Output, escape};

/// The text output.
pub struct Text {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    names: Names,
    quiet: bool,
    terminal: bool,
    headed: bool,
    ending: bool,
    buffer: Vec<u8>,
}

impl Text {
    /// Writes to `out`, messages to `err`. Quiet: only what actions print. Terminal: what traced programs choose is
    /// escaped.
    pub fn new(out: Box<dyn Write>, err: Box<dyn Write>, names: Names, quiet: bool, terminal: bool) -> Text {
        Text { out, err, names, quiet, terminal, headed: false, ending: false, buffer: Vec::new() }
    }

    fn firing(&mut self, firing: &Firing) {
        if !self.quiet {
            self.heading();
            let name = self.names.get(firing.probe);
            let name = format!("{}:{}", name.function, name.name);
            let line = format!("{:3} {:6} {name:>32} ", firing.cpu, firing.probe.0);
            self.buffer.extend_from_slice(line.as_bytes());
        }
        for action in &firing.actions {
            match action {
                Recorded::Trace(value) if self.quiet => datum::bare(&mut self.buffer, value, self.terminal),
                Recorded::Trace(value) => {
                    datum::column(&mut self.buffer, value, datum::TRACE_WIDTH, self.terminal);
                }
                Recorded::Printf(format, values) => {
                    printf::print(&mut self.buffer, format, values, self.terminal);
                }
                Recorded::Printa(printout) => {
                    if printout.format.is_none() {
                        self.buffer.push(b'\n');
                    }
                    aggregation::print(&mut self.buffer, printout, self.terminal);
                }
                Recorded::Exit(_) | Recorded::Silent => {}
            }
        }
        if !self.quiet {
            self.buffer.push(b'\n');
        }
    }

    fn heading(&mut self) {
        if !self.headed {
            self.headed = true;
            let heading = format!("{:>3} {:>6} {:>32}\n", "CPU", "ID", "FUNCTION:NAME");
            self.buffer.extend_from_slice(heading.as_bytes());
        }
    }

    fn message(&mut self, message: &str) -> io::Result<()> {
        self.flush()?;
        // Who does not want to hear it (a terminal that was closed) still gets the output.
        let _ = writeln!(self.err, "tracer: {message}").and_then(|()| self.err.flush());
        Ok(())
    }
}

impl Output for Text {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Firing(firing) => self.firing(firing),
            Event::Aggregations(printout) => {
                // One blank line between the firings and all that is printed at the end.
                if !std::mem::replace(&mut self.ending, true) {
                    self.buffer.push(b'\n');
                }
                aggregation::print(&mut self.buffer, printout, self.terminal);
            }
            Event::Drop(notice) => self.message(&dropped(notice))?,
            Event::Fault(notice) => self.message(&faulted(notice, &self.names))?,
            Event::Disorder(notice) => self.message(&disordered(notice))?,
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        self.out.flush()
    }
}

/// `description 'BEGIN' matched 1 probe`: what a run begins with, unless it is quiet. `what` is `description` or
/// `script`.
pub fn matched(what: &str, text: &str, probes: usize) -> String {
    format!("{what} '{}' matched {probes} probe{}", escape::printable(text.as_bytes()), plural(probes as u64))
}

/// What was lost, in words.
pub fn dropped(notice: &DropNotice) -> String {
    let DropNotice { kind, probe, count, .. } = notice;
    let s = plural(*count);
    match kind {
        Drop::Ring => format!("{count} drop{s} at {probe}"),
        Drop::Slot => format!("{count} drop{s} at {probe}: too many firings at once on one CPU"),
        Drop::Aggregation => format!("{count} aggregation drop{s} at {probe}"),
        Drop::Dynamic => format!("{count} dynamic variable drop{s} at {probe}"),
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

/// What went wrong in a clause, in words.
pub fn faulted(notice: &FaultNotice, names: &Names) -> String {
    let value = match notice.fault {
        fault::BADADDR | fault::BADALIGN | fault::BADSTACK => format!(" (0x{:x})", notice.value),
        _ => String::new(),
    };
    let place = match notice.action {
        0 => "predicate".to_owned(),
        action => format!("action #{action}"),
    };
    format!(
        "error on enabled probe ID {} (ID {}: {}): {}{value} in {place} at DIF offset {}",
        notice.epid,
        notice.probe.0,
        names.get(notice.probe),
        fault_name(notice.fault),
        notice.offset
    )
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
    use crate::output::value::{Printout, Row, Table, Value};
    use crate::provider::ProbeId;
    use crate::syntax::format::Format;

    /// What both streams got, in order.
    #[derive(Clone, Default)]
    struct Shared(Rc<RefCell<Vec<u8>>>);

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
        let mut text = Text::new(Box::new(shared.clone()), Box::new(shared.clone()), names, quiet, true);
        events.iter().for_each(|event| text.event(event).unwrap());
        text.flush().unwrap();
        String::from_utf8(shared.0.take()).unwrap()
    }

    fn firing(probe: u32, actions: Vec<Recorded>) -> Event {
        Event::Firing(Firing { probe: ProbeId(probe), epid: 1, cpu: 0, time: 5, actions })
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
            Event::Drop(DropNotice {
                kind: Drop::Ring,
                probe: "syscall:::entry".to_owned(),
                count: 12,
                total: 12,
            }),
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

    #[test]
    fn messages_in_words() {
        let drop = |kind, count| dropped(&DropNotice { kind, probe: "p".to_owned(), count, total: count });
        assert_eq!(drop(Drop::Ring, 1), "1 drop at p");
        assert_eq!(
            disordered(&Disorder { count: 1, total: 4 }),
            "1 record came too late to be shown in the order of time, and was shown after later ones"
        );
        assert_eq!(drop(Drop::Dynamic, 2), "2 dynamic variable drops at p");
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
            "error on enabled probe ID 3 (ID 44: syscall:vmlinux:write:entry): divide-by-zero in predicate at DIF offset 4"
        );
    }
}
