//! The consumer: what the kernel hands out becomes events, in order.
//!
//! Invariant: every message is turned into exactly one event or counted as a drop by the kernel side; the program's
//! consumer-side actions (printa, clear, trunc, normalize, exit) happen when their message is read.

mod aggregate;
mod decode;
mod drops;
mod flow;
pub mod map;
mod misses;
mod near;
mod order;
mod stage;
mod symbols;

use std::collections::HashMap;
use std::io;
use std::rc::Rc;

use aya::maps::{MapData, RingBuf};
use probes_common::abi::Header;

use crate::check::Options;
use crate::check::options::OptionError;
use crate::check::typed::AggregationId;
use crate::kernel::process::clock;
use crate::lower::layout::{ActionAt, ActionKind, AggregationAt, Layout};
use crate::output::packet::Packet;
use crate::output::value::{Disorder, Event, Firing, Flow, Printout, Recorded, Table, Value};
use crate::output::{Output, printf};
use crate::provider::{Catalog, ProbeId};
use aggregate::Aggregations;
use decode::{Decoder, Message};
use drops::Drops;
use flow::{Flows, Record};
use map::Objects;
use order::Order;
pub use order::WINDOW;
use stage::Stage;
use symbols::Symbolizer;

/// The most messages that are read in one go.
const BATCH: usize = 1 << 14;

/// What the compiler says about a program's output.
pub struct Description<'a> {
    /// The messages, by epid.
    pub layouts: Vec<Layout>,
    /// The aggregations.
    pub aggregations: Vec<AggregationAt>,
    /// The probe of each `program << 16 | discriminator`.
    pub probes: HashMap<u32, ProbeId>,
    /// Names of the programs, by number, for drops.
    pub programs: Vec<String>,
    /// The same by the programs' symbols.
    pub symbols: HashMap<String, String>,
    /// The catalog.
    pub catalog: &'a Catalog,
    /// Number of possible CPUs.
    pub cpus: u32,
    /// The options that the run begins with.
    pub options: Options,
}

/// Reads what a session's programs hand out.
pub struct Consumer {
    ring: RingBuf<MapData>,
    stage: Stage,
    reader: Reader,
    drops: Drops,
    /// `None` where the order does not matter.
    order: Option<Order>,
    late: u64,
    ended: bool,
}

impl Consumer {
    /// Takes the ring out of the session's maps.
    pub fn new(objects: &mut Objects, description: Description<'_>) -> io::Result<Consumer> {
        let ring = objects.take("RING").ok_or_else(|| io::Error::other("no map RING"))?;
        let indent = description.options.stackindent as usize;
        let symbolizer = Symbolizer::new(names_processes(&description), indent);
        let decoder = Decoder::new(description.layouts, description.probes, description.catalog, symbolizer);
        let order = description.options.temporal.then(Order::default);
        Ok(Consumer {
            ring: RingBuf::try_from(ring).map_err(io::Error::other)?,
            stage: Stage::new(&description.options, &decoder.layouts),
            reader: Reader {
                decoder,
                aggregations: Aggregations::new(description.aggregations, description.cpus),
                flows: Flows::default(),
                options: description.options,
                exit: None,
                time: 0,
            },
            drops: Drops::new(description.programs, description.symbols),
            order,
            late: 0,
            ended: false,
        })
    }

    /// The ring's descriptor, readable when the watermark is reached.
    pub fn ring(&self) -> &RingBuf<MapData> {
        &self.ring
    }

    /// The options as they are now.
    pub fn options(&self) -> &Options {
        &self.reader.options
    }

    /// The status of the last exit() that was read.
    pub fn exit(&self) -> Option<i32> {
        self.reader.exit
    }

    /// Changes an option while tracing, as setopt() asks.
    pub fn set_option(
        &mut self,
        name: &str,
        value: Option<&str>,
        output: &mut dyn Output,
    ) -> Result<(), OptionError> {
        self.reader.options.set_running(name, value)?;
        output.configure(&self.reader.options);
        Ok(())
    }

    /// Nothing fires any more but END.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Shows what is in the ring, [`BATCH`] messages at the most, as far as it is its turn; says whether there may be more.
    /// Who asks has other things to look after, and the ring may fill as fast as it is read.
    pub fn drain(&mut self, objects: &Objects, output: &mut dyn Output) -> io::Result<bool> {
        if self.stage.fills() && !self.ended {
            return Ok(false);
        }
        let Consumer { ring, stage, reader, order, .. } = self;
        reader.decoder.symbolizer.catch_up();
        let mut more = true;
        if let Some(order) = order {
            let now = clock(libc::CLOCK_MONOTONIC);
            for _ in 0..BATCH {
                let Some(message) = ring.next() else {
                    // Whatever comes now was not sent when we looked at the clock.
                    order.complete(now.saturating_sub(WINDOW));
                    more = false;
                    break;
                };
                let header = decode::header(&message).ok_or_else(unknown)?;
                order.push(header.time, &message);
                if reader.decoder.is_begin(header.probe) {
                    // No probe fires before BEGIN has ended.
                    order.complete(header.time);
                }
            }
            order.release(|message| reader.hand_on(message, stage, objects, output))?;
        } else {
            for _ in 0..BATCH {
                let Some(message) = ring.next() else {
                    more = false;
                    break;
                };
                reader.hand_on(&message, stage, objects, output)?;
            }
        }
        self.show_stage(false, objects, output)?;
        Ok(more)
    }

    /// Whether messages wait for earlier ones, for [`WINDOW`] nanoseconds at the most.
    pub fn holds(&self) -> bool {
        self.order.as_ref().is_some_and(Order::holds)
    }

    /// Shows the messages that still wait, when none can come any more.
    pub fn finish(&mut self, objects: &Objects, output: &mut dyn Output) -> io::Result<()> {
        let Consumer { stage, reader, order, .. } = self;
        if let Some(order) = order {
            order.complete(u64::MAX);
            order.release(|message| reader.hand_on(message, stage, objects, output))?;
        }
        self.show_stage(true, objects, output)
    }

    fn show_stage(&mut self, last: bool, objects: &Objects, output: &mut dyn Output) -> io::Result<()> {
        let messages = self.stage.take(last);
        for (index, message) in messages.iter().enumerate() {
            let next = self.reader.options.flowindent.then(|| &messages[index + 1..]);
            self.reader.show(message, next, objects, output)?;
        }
        Ok(())
    }

    /// Shows what has been lost, or could not be put in order, since the last call.
    pub fn report_drops(&mut self, objects: &Objects, output: &mut dyn Output) -> io::Result<()> {
        self.drops.poll(objects)?.into_iter().try_for_each(|notice| output.event(&Event::Drop(notice)))?;
        let total = self.order.as_ref().map_or(0, Order::late);
        let count = total - self.late;
        self.late = total;
        if count > 0 { output.event(&Event::Disorder(Disorder { count, total })) } else { Ok(()) }
    }

    /// Shows the aggregations that no printa has printed: the end of a run.
    pub fn report_aggregations(&mut self, objects: &Objects, output: &mut dyn Output) -> io::Result<()> {
        self.reader.aggregations.advance(u64::MAX);
        let mut ids = self.reader.aggregations.unprinted();
        if self.reader.options.aggsortrev {
            ids.reverse();
        }
        for id in ids {
            let table = self.reader.table(id, false, objects)?;
            if !table.rows.is_empty() {
                output.event(&Event::Aggregations(Printout { format: None, tables: vec![table] }))?;
            }
        }
        Ok(())
    }
}

/// Whether addresses of processes are to be shown by name.
fn names_processes(description: &Description<'_>) -> bool {
    let recorded =
        description.layouts.iter().flat_map(|layout| &layout.actions).flat_map(|action| &action.fields);
    let keys = description.aggregations.iter().flat_map(|aggregation| &aggregation.keys);
    recorded.chain(keys).any(|field| field.repr.names_process())
}

/// Shows messages and carries out their actions.
struct Reader {
    decoder: Decoder,
    aggregations: Aggregations,
    flows: Flows,
    options: Options,
    exit: Option<i32>,
    /// When the message at hand was sent.
    time: u64,
}

fn unknown() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a message that no clause sends")
}

impl Reader {
    /// Shows a message, or has it wait where what comes next, or later, decides about it.
    fn hand_on(
        &mut self,
        message: &[u8],
        stage: &mut Stage,
        objects: &Objects,
        output: &mut dyn Output,
    ) -> io::Result<()> {
        if stage.is_direct() && !self.options.flowindent {
            return self.show(message, None, objects, output);
        }
        stage.put(&self.decoder, message);
        Ok(())
    }

    /// Shows one message; `behind` are those that come next, where it is to be indented.
    fn show(
        &mut self,
        message: &[u8],
        behind: Option<&[Vec<u8>]>,
        objects: &Objects,
        output: &mut dyn Output,
    ) -> io::Result<()> {
        let (header, layout) = match self.decoder.message(message) {
            Some(Message::Fault(fault)) => return output.event(&Event::Fault(fault)),
            Some(Message::Record { header, layout, .. }) => (header, Rc::clone(layout)),
            None => return Err(unknown()),
        };
        self.time = header.time;
        self.aggregations.advance(header.time);
        let flow = behind.map(|behind| self.flow(&header, behind));
        let recorded: io::Result<Vec<Recorded>> =
            layout.actions.iter().map(|action| self.act(action, message, objects)).collect();
        let firing = Firing {
            probe: self.decoder.probe(header.probe),
            epid: header.epid,
            cpu: header.cpu,
            time: header.time,
            flow,
            actions: recorded?,
        };
        output.event(&Event::Firing(firing))
    }

    fn flow(&mut self, header: &Header, behind: &[Vec<u8>]) -> Flow {
        let record = |header: &Header| Record { epid: header.epid, probe: header.probe };
        let next = behind.iter().find_map(|message| match self.decoder.message(message) {
            Some(Message::Record { header: next, .. }) if next.cpu == header.cpu => Some(record(&next)),
            _ => None,
        });
        let names = self.decoder.names.get(&self.decoder.probe(header.probe));
        let [provider, .., name] = names.cloned().unwrap_or_default();
        self.flows.step(header.cpu, record(header), next, &provider, &name)
    }

    fn act(&mut self, action: &ActionAt, bytes: &[u8], objects: &Objects) -> io::Result<Recorded> {
        let at = decode::At { objects, time: self.time };
        let mut values = action.fields.iter().map(|&field| self.decoder.value(bytes, field, at));
        let number = |value: Option<Value>| match value {
            Some(Value::Int { value, .. }) => Some(value),
            _ => None,
        };
        Ok(match &action.kind {
            ActionKind::Trace => match action.fields.first() {
                Some(&field) if self.options.rawbytes => Recorded::Trace(self.decoder.raw(bytes, field, at)),
                Some(&field) => Recorded::Trace(self.decoder.value(bytes, field, at)),
                None => Recorded::Silent,
            },
            ActionKind::Print(shape) => match values.next() {
                Some(value) => Recorded::Print(Rc::clone(shape), value),
                None => Recorded::Silent,
            },
            ActionKind::Speculate | ActionKind::Commit | ActionKind::Discard => Recorded::Silent,
            ActionKind::Printf(format) => Recorded::Printf(format.clone(), values.collect()),
            ActionKind::Printa(format, ids) => {
                let format = format.clone();
                drop(values);
                let tables = ids.iter().map(|&id| self.table(id, format.is_some(), objects));
                let mut tables = tables.collect::<io::Result<Vec<Table>>>()?;
                if let Some(format) = &format {
                    tables.iter_mut().for_each(|table| self.decoder.name_keys(format, table));
                }
                for (&id, table) in ids.iter().zip(&tables) {
                    if !table.rows.is_empty() {
                        self.aggregations.mark_printed(id);
                    }
                }
                Recorded::Printa(Printout { format, tables })
            }
            ActionKind::Clear(id) => {
                drop(values);
                self.aggregations.clear(objects, *id)?;
                Recorded::Silent
            }
            ActionKind::Trunc(id) => {
                let n = number(values.next());
                drop(values);
                self.aggregations.trunc(objects, &self.decoder, *id, n)?;
                Recorded::Silent
            }
            ActionKind::Normalize(id) => {
                let n = number(values.next());
                drop(values);
                self.aggregations.normalize(*id, n.unwrap_or(1));
                Recorded::Silent
            }
            ActionKind::Denormalize(id) => {
                drop(values);
                self.aggregations.normalize(*id, 1);
                Recorded::Silent
            }
            ActionKind::Tracemem => {
                let (bytes, size) = (values.next(), number(values.next()));
                let Some(Value::Bytes(mut bytes)) = bytes else { return Ok(Recorded::Silent) };
                // As dtrace: a size that makes no sense is that of all.
                if let Some(size) = size.and_then(|size| usize::try_from(size).ok()) {
                    bytes.truncate(size);
                }
                Recorded::Memory(bytes)
            }
            ActionKind::Pcap => {
                let (bytes, length) = (values.next(), number(values.next()));
                let link = number(values.next()).unwrap_or(0) as u32;
                let Some(Value::Bytes(mut bytes)) = bytes else { return Ok(Recorded::Silent) };
                let (most, length) = (bytes.len() as u32, length.unwrap_or(0) as u32);
                bytes.truncate(length as usize);
                Recorded::Packet(Packet { link, length, most, bytes })
            }
            ActionKind::System(format) => Recorded::System(printf::text(format, &values.collect::<Vec<_>>())),
            ActionKind::Freopen(format) => {
                let values: Vec<Value> = values.collect();
                Recorded::Freopen(format.as_ref().map(|format| printf::text(format, &values)))
            }
            ActionKind::Ftruncate => Recorded::Ftruncate,
            ActionKind::Setopt(name, value) => {
                let refused = self.options.set_running(name, Some(value)).err().map(|error| error.reason());
                self.decoder.symbolizer.indent.set(self.options.stackindent as usize);
                let (name, value) = (name.clone(), value.clone());
                Recorded::Setopt { name, value, refused, options: Rc::new(self.options.clone()) }
            }
            ActionKind::Exit => {
                let status = number(values.next()).unwrap_or(0) as i32;
                drop(values);
                self.exit = Some(status);
                Recorded::Exit(status)
            }
        })
    }

    /// An aggregation as it is now; by a format, or in columns, in which strings may be shown as bytes.
    fn table(&mut self, id: AggregationId, formatted: bool, objects: &Objects) -> io::Result<Table> {
        let raw = self.options.rawbytes && !formatted;
        self.aggregations.table(objects, &self.decoder, id, raw)
    }
}
