//! A run as JSON, one object a line, documented in docs/json.md and docs/events.schema.json.
//!
//! Invariant: nothing is lost. Integers are exact, strings that are not UTF-8 are given by their bytes, and errors and
//! drops are in the stream in their place.

mod safe;

use std::io::{self, Write};

use probes_common::abi::{Drop, fault};
use serde::{Serialize, Serializer};

use safe::Safe;

use super::Output;
use super::aggregation::{self, Summary};
use super::names::Names;
use super::printf;
use super::quantize::Bucket;
use super::shell;
use super::style::{Sort, Style};
use super::text::fault_name;
use super::typed::{self, Shown};
use super::value::{Event, FaultNotice, Firing, Frame, Lost, Printout, Recorded, Row, Table, Value};
use crate::check::Options;
use crate::check::typed::{Function, Piece};
use crate::provider::ProbeId;

/// The JSON output.
pub struct Json {
    out: Box<dyn Write>,
    names: Names,
    style: Style,
    buffer: Vec<u8>,
}

impl Json {
    /// Writes to `out`, in the style's order.
    pub fn new(out: Box<dyn Write>, names: Names, style: Style) -> Json {
        Json { out, names, style, buffer: Vec::new() }
    }

    /// Writes any serializable object as a line: the typed events of views and recordings.
    pub fn line(&mut self, object: &impl Serialize) -> io::Result<()> {
        object.serialize(&mut serde_json::Serializer::with_formatter(&mut self.buffer, Safe))?;
        self.buffer.push(b'\n');
        Ok(())
    }
}

impl Output for Json {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Firing(firing) => {
                let line = Line::record(firing, &self.names, &self.style);
                self.line(&line)?;
                for action in &firing.actions {
                    match action {
                        Recorded::System(command) => {
                            self.flush()?;
                            shell::run(command, shell::Stdout::Error)?;
                        }
                        Recorded::Setopt { options, .. } => self.configure(options),
                        _ => {}
                    }
                }
                Ok(())
            }
            Event::Aggregations(printout) => {
                let sort = self.style.sort;
                let mut tables = printout.tables.iter();
                tables.try_for_each(|table| self.line(&Line::Aggregation(Aggregation::new(table, sort))))
            }
            Event::Drop(notice) => notice.by.iter().try_for_each(|Lost { probe, count, total }| {
                let kind = drop_name(notice.kind);
                self.line(&Line::Drop { kind, cpu: notice.cpu, probe, count: *count, total: *total })
            }),
            Event::Disorder(notice) => {
                self.line(&Line::Disorder { count: notice.count, total: notice.total })
            }
            Event::Interrupted | Event::Ended => Ok(()),
            Event::Fault(notice) => {
                let line = Line::error(notice, &self.names);
                self.line(&line)
            }
        }
    }

    fn configure(&mut self, options: &Options) {
        self.style = self.style.changed(options);
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        self.out.flush()
    }
}

/// A string as JSON has it, whatever its bytes are.
pub fn text(text: &[u8]) -> impl Serialize + use<> {
    Datum::text(text)
}

/// One line.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Record {
        time: u64,
        cpu: u32,
        probe: Probe,
        epid: u32,
        actions: Vec<Action>,
    },
    Aggregation(Aggregation),
    Drop {
        kind: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        cpu: Option<u32>,
        probe: &'a str,
        count: u64,
        total: u64,
    },
    Disorder {
        count: u64,
        total: u64,
    },
    Error(Fault),
}

#[derive(Serialize)]
struct Probe {
    id: u32,
    provider: String,
    module: String,
    function: String,
    name: String,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Action {
    Trace {
        value: Datum,
    },
    Print {
        ctype: String,
        value: Datum,
    },
    Printf {
        text: Datum,
        values: Vec<Datum>,
    },
    Printa {
        text: Option<Datum>,
        aggregations: Vec<Aggregation>,
    },
    Exit {
        status: i32,
    },
    Tracemem {
        value: Datum,
    },
    Pcap {
        kind: u32,
        length: u32,
        value: Datum,
    },
    System {
        command: Datum,
    },
    Freopen {
        path: Option<Datum>,
    },
    Ftruncate,
    Setopt {
        name: String,
        value: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        refused: Option<&'static str>,
    },
}

#[derive(Serialize)]
struct Aggregation {
    name: String,
    function: &'static str,
    normal: i64,
    rows: Vec<AggregationRow>,
}

#[derive(Serialize)]
struct AggregationRow {
    key: Vec<Datum>,
    #[serde(flatten)]
    value: AggregationValue,
}

#[derive(Serialize)]
#[serde(untagged)]
enum AggregationValue {
    Scalar { value: i64 },
    Average { value: i64, count: u64, sum: i64 },
    Deviation { value: u64, count: u64, sum: i64, squares: u128 },
    Histogram { buckets: Vec<BucketLine> },
}

#[derive(Serialize)]
struct BucketLine {
    min: Option<i64>,
    max: Option<i64>,
    count: i64,
}

#[derive(Serialize)]
struct Fault {
    time: u64,
    cpu: u32,
    probe: Probe,
    epid: u32,
    action: u32,
    offset: u32,
    fault: &'static str,
    code: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<u64>,
}

/// A value. Strings that are not UTF-8 are an object with their bytes in hexadecimal.
#[derive(Serialize)]
#[serde(untagged)]
enum Datum {
    Signed(i64),
    Unsigned(u64),
    Real(f64),
    Text(String),
    Bytes { bytes: String },
    Stack(Vec<FrameLine>),
    Symbol(FrameLine),
    List(Vec<Datum>),
    Members(Members),
}

/// A structure or union: an object.
struct Members(Vec<(&'static str, Datum)>);

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// An address with what is known of it.
#[derive(Serialize)]
struct FrameLine {
    address: u64,
    symbol: Option<String>,
    offset: u64,
    module: Option<String>,
}

impl From<&Frame> for FrameLine {
    fn from(frame: &Frame) -> FrameLine {
        let Frame { address, symbol, offset, module } = frame.clone();
        FrameLine { address, symbol, offset, module }
    }
}

impl Line<'_> {
    fn record(firing: &Firing, names: &Names, style: &Style) -> Line<'static> {
        Line::Record {
            time: firing.time,
            cpu: firing.cpu,
            probe: Probe::new(firing.probe, names),
            epid: firing.epid,
            actions: firing.actions.iter().filter_map(|action| Action::new(action, style)).collect(),
        }
    }

    fn error(notice: &FaultNotice, names: &Names) -> Line<'static> {
        let addressed = matches!(
            notice.fault,
            fault::BADADDR | fault::BADALIGN | fault::KPRIV | fault::UPRIV | fault::BADSTACK
        );
        Line::Error(Fault {
            time: notice.time,
            cpu: notice.cpu,
            probe: Probe::new(notice.probe, names),
            epid: notice.epid,
            action: notice.action,
            offset: notice.offset,
            fault: fault_name(notice.fault),
            code: notice.fault,
            address: addressed.then_some(notice.value),
        })
    }
}

impl Probe {
    fn new(id: ProbeId, names: &Names) -> Probe {
        let super::names::Name { provider, module, function, name } = names.get(id);
        Probe { id: id.0, provider, module, function, name }
    }
}

impl Action {
    /// None for an action that shows nothing.
    fn new(recorded: &Recorded, style: &Style) -> Option<Action> {
        Some(match recorded {
            Recorded::Trace(value) => Action::Trace { value: value.into() },
            Recorded::Print(shape, value) => {
                let value = Datum::typed(typed::shown(shape, value));
                Action::Print { ctype: shape.name.clone(), value }
            }
            Recorded::Printf(format, values) => {
                let mut text = Vec::new();
                printf::print(&mut text, format, values, false);
                Action::Printf { text: Datum::text(&text), values: values.iter().map(Datum::from).collect() }
            }
            Recorded::Printa(printout) => Action::Printa {
                text: printout.format.as_ref().map(|_| formatted(printout, style)),
                aggregations: printout
                    .tables
                    .iter()
                    .map(|table| Aggregation::new(table, style.sort))
                    .collect(),
            },
            Recorded::Exit(status) => Action::Exit { status: *status },
            Recorded::Memory(bytes) => Action::Tracemem { value: Datum::bytes(bytes) },
            Recorded::Packet(packet) => {
                Action::Pcap { kind: packet.link, length: packet.length, value: Datum::bytes(&packet.bytes) }
            }
            Recorded::System(command) => Action::System { command: Datum::text(command) },
            Recorded::Freopen(path) => Action::Freopen { path: path.as_deref().map(Datum::text) },
            Recorded::Ftruncate => Action::Ftruncate,
            Recorded::Setopt { name, value, refused, .. } => {
                Action::Setopt { name: name.clone(), value: value.clone(), refused: *refused }
            }
            Recorded::Silent => return None,
        })
    }
}

fn formatted(printout: &Printout, style: &Style) -> Datum {
    let mut text = Vec::new();
    aggregation::print(&mut text, printout, style);
    Datum::text(&text)
}

impl Aggregation {
    fn new(table: &Table, sort: Sort) -> Aggregation {
        Aggregation {
            name: table.name.clone(),
            function: table.function.name(),
            normal: table.normal,
            rows: aggregation::sorted(table, sort)
                .into_iter()
                .map(|row| AggregationRow::new(table, row))
                .collect(),
        }
    }
}

impl AggregationRow {
    fn new(table: &Table, row: &Row) -> AggregationRow {
        let value = match (aggregation::summary(table.function, &row.words, table.normal), table.function) {
            (Summary::Scalar(value), Function::Avg) => {
                AggregationValue::Average { value, count: row.words[0], sum: row.words[1] as i64 }
            }
            (Summary::Scalar(value), Function::Stddev) => AggregationValue::Deviation {
                value: value as u64,
                count: row.words[0],
                sum: row.words[1] as i64,
                squares: u128::from(row.words[3]) << 64 | u128::from(row.words[2]),
            },
            (Summary::Scalar(value), _) => AggregationValue::Scalar { value },
            (Summary::Histogram(buckets), _) => {
                let used = buckets.into_iter().filter(|bucket| bucket.count != 0);
                let line = |Bucket { min, max, count, .. }| BucketLine { min, max, count };
                AggregationValue::Histogram { buckets: used.map(line).collect() }
            }
        };
        AggregationRow { key: row.key.iter().map(Datum::from).collect(), value }
    }
}

impl Datum {
    fn text(text: &[u8]) -> Datum {
        match std::str::from_utf8(text) {
            Ok(text) => Datum::Text(text.to_owned()),
            Err(_) => Datum::bytes(text),
        }
    }

    /// What print() shows.
    fn typed(shown: Shown) -> Datum {
        match shown {
            Shown::One(value) => Datum::from(&value),
            Shown::Characters(text) => Datum::text(&text),
            Shown::Constant(name) => Datum::Text(name.to_owned()),
            Shown::Elements(element, all) => {
                let elements = all.iter().map(|bytes| Datum::typed(typed::within(element, None, bytes)));
                Datum::List(elements.collect())
            }
            Shown::Members(parts) => Datum::Members(Members(parts.into_iter().flat_map(member).collect())),
        }
    }

    fn bytes(bytes: &[u8]) -> Datum {
        Datum::Bytes { bytes: bytes.iter().map(|byte| format!("{byte:02x}")).collect() }
    }
}

/// A member with its name; the members of an anonymous one as if they were outside.
fn member((part, bytes): (&Piece, &[u8])) -> Vec<(&'static str, Datum)> {
    let value = Datum::typed(typed::within(&part.shape, part.bits, bytes));
    match (part.name, value) {
        (Some(name), value) => vec![(name, value)],
        (None, Datum::Members(inner)) => inner.0,
        (None, _) => Vec::new(),
    }
}

impl From<&Value> for Datum {
    fn from(value: &Value) -> Datum {
        match value {
            Value::Int { value, signed: true, .. } => Datum::Signed(*value),
            Value::Int { value, signed: false, .. } => Datum::Unsigned(*value as u64),
            Value::Str(text) => Datum::text(text),
            Value::Float(bits) => Datum::Real(f64::from_bits(*bits)),
            Value::Bytes(bytes) => Datum::bytes(bytes),
            Value::Stack { frames, .. } => Datum::Stack(frames.iter().map(FrameLine::from).collect()),
            Value::Symbol { frame, .. } => Datum::Symbol(frame.into()),
        }
    }
}

fn drop_name(kind: Drop) -> &'static str {
    match kind {
        Drop::Ring => "principal",
        Drop::Slot => "nesting",
        Drop::Aggregation => "aggregation",
        Drop::Dynamic => "dynamic",
        Drop::Recursion => "recursion",
        Drop::Support => "support",
        Drop::Compat => "compat",
        Drop::Speculation => "speculation",
        Drop::Unavailable => "unavailable",
    }
}

#[cfg(test)]
mod tests;
