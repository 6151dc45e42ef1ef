//! The consumer: what the kernel hands out becomes events, in order.
//!
//! Invariant: every message is turned into exactly one event or counted as a drop by the kernel side; the program's
//! consumer-side actions (printa, clear, trunc, normalize, exit) happen when it is their message's turn.

mod aggregate;
mod decode;
mod drops;
pub mod map;
mod misses;
mod order;
mod symbols;

use std::collections::HashMap;
use std::io;

use aya::maps::{MapData, RingBuf};

use crate::check::typed::AggregationId;
use crate::kernel::process::clock;
use crate::lower::layout::{ActionAt, ActionKind, AggregationAt, Layout};
use crate::output::Output;
use crate::output::value::{Disorder, Event, Firing, Printout, Recorded, Value};
use crate::provider::{Catalog, ProbeId};
use aggregate::Aggregations;
use decode::{Decoder, Message};
use drops::Drops;
use map::Objects;
use order::Order;
pub use order::WINDOW;
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
    /// Blanks before each frame of a stack.
    pub stackindent: usize,
    /// The catalog.
    pub catalog: &'a Catalog,
    /// Number of possible CPUs.
    pub cpus: u32,
    /// Whether messages are put in the order of their times; else they come as they lie in the ring.
    pub temporal: bool,
}

/// Reads what a session's programs hand out.
pub struct Consumer {
    ring: RingBuf<MapData>,
    decoder: Decoder,
    aggregations: Aggregations,
    drops: Drops,
    /// `None` where the order does not matter.
    order: Option<Order>,
    late: u64,
    /// The status of the last exit() that was read.
    pub exit: Option<i32>,
}

impl Consumer {
    /// Takes the ring out of the session's maps.
    pub fn new(objects: &mut Objects, description: Description<'_>) -> io::Result<Consumer> {
        let ring = objects.take("RING").ok_or_else(|| io::Error::other("no map RING"))?;
        let symbolizer = Symbolizer::new(names_processes(&description), description.stackindent);
        Ok(Consumer {
            ring: RingBuf::try_from(ring).map_err(io::Error::other)?,
            decoder: Decoder::new(description.layouts, description.probes, description.catalog, symbolizer),
            aggregations: Aggregations::new(description.aggregations, description.cpus),
            drops: Drops::new(description.programs),
            order: description.temporal.then(Order::default),
            late: 0,
            exit: None,
        })
    }

    /// The ring's descriptor, readable when the watermark is reached.
    pub fn ring(&self) -> &RingBuf<MapData> {
        &self.ring
    }

    /// Shows what is in the ring, [`BATCH`] messages at the most, as far as it is its turn; says whether there may be more.
    /// Who asks has other things to look after, and the ring may fill as fast as it is read.
    pub fn drain(&mut self, objects: &Objects, output: &mut dyn Output) -> io::Result<bool> {
        let Consumer { ring, decoder, aggregations, order, exit, .. } = self;
        decoder.symbolizer.catch_up();
        let mut reader = Reader { objects, decoder, aggregations, exit, time: 0 };
        let Some(order) = order else {
            for _ in 0..BATCH {
                let Some(message) = ring.next() else { return Ok(false) };
                output.event(&reader.read(&message)?)?;
            }
            return Ok(true);
        };
        let now = clock(libc::CLOCK_MONOTONIC);
        let mut more = true;
        for _ in 0..BATCH {
            let Some(message) = ring.next() else {
                // Whatever comes now was not sent when we looked at the clock.
                order.complete(now.saturating_sub(WINDOW));
                more = false;
                break;
            };
            let header = decode::header(&message).ok_or_else(unknown)?;
            order.push(header.time, &message);
            if decoder.is_begin(header.probe) {
                // No probe fires before BEGIN has ended.
                order.complete(header.time);
            }
        }
        order.release(|message| output.event(&reader.read(message)?))?;
        Ok(more)
    }

    /// Shows the messages that still wait for earlier ones, when none can come any more.
    pub fn finish(&mut self, objects: &Objects, output: &mut dyn Output) -> io::Result<()> {
        let Consumer { decoder, aggregations, order, exit, .. } = self;
        let Some(order) = order else { return Ok(()) };
        let mut reader = Reader { objects, decoder, aggregations, exit, time: 0 };
        order.complete(u64::MAX);
        order.release(|message| output.event(&reader.read(message)?))
    }

    /// Whether messages wait for earlier ones, for [`WINDOW`] nanoseconds at the most.
    pub fn holds(&self) -> bool {
        self.order.as_ref().is_some_and(Order::holds)
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
    pub fn report_aggregations(&self, objects: &Objects, output: &mut dyn Output) -> io::Result<()> {
        for id in self.aggregations.unprinted() {
            let table = self.aggregations.table(objects, &self.decoder, id)?;
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

/// Carries out the actions of one message.
struct Reader<'a> {
    objects: &'a Objects,
    decoder: &'a Decoder,
    aggregations: &'a mut Aggregations,
    exit: &'a mut Option<i32>,
    /// When the message at hand was sent.
    time: u64,
}

fn unknown() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a message that no clause sends")
}

impl Reader<'_> {
    /// The event that a message tells of.
    fn read(&mut self, message: &[u8]) -> io::Result<Event> {
        let decoder = self.decoder;
        Ok(match decoder.message(message).ok_or_else(unknown)? {
            Message::Fault(fault) => Event::Fault(fault),
            Message::Record { header, layout, bytes } => {
                self.time = header.time;
                let actions = layout.actions.iter().map(|action| self.act(action, bytes));
                Event::Firing(Firing {
                    actions: actions.collect::<io::Result<_>>()?,
                    probe: decoder.probe(header.probe),
                    epid: header.epid,
                    cpu: header.cpu,
                    time: header.time,
                })
            }
        })
    }

    fn act(&mut self, action: &ActionAt, bytes: &[u8]) -> io::Result<Recorded> {
        let at = decode::At { objects: self.objects, time: self.time };
        let mut values = action.fields.iter().map(|&field| self.decoder.value(bytes, field, at));
        let number = |value: Option<Value>| match value {
            Some(Value::Int { value, .. }) => Some(value),
            _ => None,
        };
        Ok(match &action.kind {
            ActionKind::Trace => match values.next() {
                Some(value) => Recorded::Trace(value),
                None => Recorded::Silent,
            },
            ActionKind::Printf(format) => Recorded::Printf(format.clone(), values.collect()),
            ActionKind::Printa(format, ids) => {
                let format = format.clone();
                drop(values);
                Recorded::Printa(Printout { format, tables: self.tables(ids)? })
            }
            ActionKind::Clear(id) => {
                drop(values);
                self.aggregations.clear(self.objects, *id)?;
                Recorded::Silent
            }
            ActionKind::Trunc(id) => {
                let n = number(values.next());
                drop(values);
                self.aggregations.trunc(self.objects, self.decoder, *id, n)?;
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
            ActionKind::Exit => {
                let status = number(values.next()).unwrap_or(0) as i32;
                drop(values);
                *self.exit = Some(status);
                Recorded::Exit(status)
            }
        })
    }

    fn tables(&mut self, ids: &[AggregationId]) -> io::Result<Vec<crate::output::value::Table>> {
        ids.iter()
            .map(|&id| {
                self.aggregations.mark_printed(id);
                self.aggregations.table(self.objects, self.decoder, id)
            })
            .collect()
    }
}
