//! A run as JSON, one object a line, documented in docs/json.md and docs/events.schema.json.
//!
//! Invariant: nothing is lost: errors and drops are in the stream in their place. A line is written from the event as it
//! lies, without a copy of its parts: millions of them may come.

mod datum;
mod probes;
mod safe;

use std::borrow::Cow;
use std::io::{self, Write};

use probes_common::abi::{Drop, fault};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use datum::Datum;
use probes::Probes;

use super::Output;
use super::aggregation::{self, Summary};
use super::names::Names;
use super::printf;
use super::quantize::Bucket;
use super::shell;
use super::style::{Sort, Style};
use super::text::fault_name;
use super::value::{Event, FaultNotice, Firing, Lost, Printout, Recorded, Row, Table, Value};
use crate::check::Options;
use crate::check::typed::Function;

/// The JSON output.
pub struct Json {
    out: Box<dyn Write>,
    probes: Probes,
    style: Style,
    buffer: Vec<u8>,
}

impl Json {
    /// Writes to `out`, in the style's order.
    pub fn new(out: Box<dyn Write>, names: Names, style: Style) -> Json {
        Json { out, probes: Probes::new(names), style, buffer: Vec::new() }
    }

    /// Writes any serializable object as a line: the typed events of views and recordings.
    pub fn line(&mut self, object: &impl Serialize) -> io::Result<()> {
        write(&mut self.buffer, object)
    }
}

impl Output for Json {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Firing(firing) => {
                let probe = self.probes.get(firing.probe)?;
                write(&mut self.buffer, &Line::record(firing, probe, &self.style))?;
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
                let probe = self.probes.get(notice.probe)?;
                write(&mut self.buffer, &Line::error(notice, probe))
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

fn write(buffer: &mut Vec<u8>, object: &impl Serialize) -> io::Result<()> {
    safe::write(buffer, object)?;
    buffer.push(b'\n');
    Ok(())
}

/// A string as JSON has it, whatever its bytes are.
pub fn text(text: &[u8]) -> impl Serialize {
    Datum::from(text)
}

/// One line.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Record {
        time: u64,
        cpu: u32,
        probe: &'a RawValue,
        epid: u32,
        actions: Actions<'a>,
    },
    Aggregation(Aggregation<'a>),
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
    Error(Fault<'a>),
}

/// What a firing recorded, but for what shows nothing.
struct Actions<'a>(&'a [Recorded], &'a Style);

impl Serialize for Actions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Actions(recorded, style) = self;
        serializer.collect_seq(recorded.iter().filter_map(|action| Action::new(action, style)))
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Action<'a> {
    Trace {
        value: Datum<'a>,
    },
    Print {
        ctype: &'a str,
        value: Datum<'a>,
    },
    Printf {
        text: Datum<'a>,
        #[serde(serialize_with = "datum::list")]
        values: &'a [Value],
    },
    Printa {
        text: Option<Datum<'a>>,
        aggregations: Vec<Aggregation<'a>>,
    },
    Exit {
        status: i32,
    },
    Tracemem {
        value: Datum<'a>,
    },
    Pcap {
        kind: u32,
        length: u32,
        value: Datum<'a>,
    },
    System {
        command: Datum<'a>,
    },
    Freopen {
        path: Option<Datum<'a>>,
    },
    Ftruncate,
    Setopt {
        name: &'a str,
        value: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        refused: Option<&'static str>,
    },
}

#[derive(Serialize)]
struct Aggregation<'a> {
    name: &'a str,
    function: &'static str,
    normal: i64,
    rows: Vec<AggregationRow<'a>>,
}

#[derive(Serialize)]
struct AggregationRow<'a> {
    #[serde(serialize_with = "datum::list")]
    key: &'a [Value],
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
struct Fault<'a> {
    time: u64,
    cpu: u32,
    probe: &'a RawValue,
    epid: u32,
    action: u32,
    offset: u32,
    fault: &'static str,
    code: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<u64>,
}

impl<'a> Line<'a> {
    fn record(firing: &'a Firing, probe: &'a RawValue, style: &'a Style) -> Line<'a> {
        Line::Record {
            time: firing.time,
            cpu: firing.cpu,
            probe,
            epid: firing.epid,
            actions: Actions(&firing.actions, style),
        }
    }

    fn error(notice: &FaultNotice, probe: &'a RawValue) -> Line<'a> {
        let addressed = matches!(
            notice.fault,
            fault::BADADDR | fault::BADALIGN | fault::KPRIV | fault::UPRIV | fault::BADSTACK
        );
        Line::Error(Fault {
            time: notice.time,
            cpu: notice.cpu,
            probe,
            epid: notice.epid,
            action: notice.action,
            offset: notice.offset,
            fault: fault_name(notice.fault),
            code: notice.fault,
            address: addressed.then_some(notice.value),
        })
    }
}

impl<'a> Action<'a> {
    /// None for an action that shows nothing.
    fn new(recorded: &'a Recorded, style: &Style) -> Option<Action<'a>> {
        Some(match recorded {
            Recorded::Trace(value) => Action::Trace { value: value.into() },
            Recorded::Print(shape, value) => {
                Action::Print { ctype: &shape.name, value: Datum::typed(shape, value) }
            }
            Recorded::Printf(format, values) => {
                let text = printf::text(format, values);
                Action::Printf { text: Datum::Text(Cow::Owned(text)), values }
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
            Recorded::Memory(bytes) => Action::Tracemem { value: Datum::Bytes(bytes) },
            Recorded::Packet(packet) => {
                Action::Pcap { kind: packet.link, length: packet.length, value: Datum::Bytes(&packet.bytes) }
            }
            Recorded::System(command) => Action::System { command: command.as_slice().into() },
            Recorded::Freopen(path) => Action::Freopen { path: path.as_deref().map(Datum::from) },
            Recorded::Ftruncate => Action::Ftruncate,
            Recorded::Setopt { name, value, refused, .. } => {
                Action::Setopt { name, value, refused: *refused }
            }
            Recorded::Silent => return None,
        })
    }
}

fn formatted(printout: &Printout, style: &Style) -> Datum<'static> {
    let mut text = Vec::new();
    aggregation::print(&mut text, printout, style);
    Datum::Text(Cow::Owned(text))
}

impl<'a> Aggregation<'a> {
    fn new(table: &'a Table, sort: Sort) -> Aggregation<'a> {
        Aggregation {
            name: &table.name,
            function: table.function.name(),
            normal: table.normal,
            rows: aggregation::sorted(table, sort)
                .into_iter()
                .map(|row| AggregationRow::new(table, row))
                .collect(),
        }
    }
}

impl<'a> AggregationRow<'a> {
    fn new(table: &Table, row: &'a Row) -> AggregationRow<'a> {
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
        AggregationRow { key: &row.key, value }
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
