//! The consumer: what the kernel hands out becomes events, in order.
//!
//! Invariant: every message is turned into exactly one event or counted as a drop by the kernel side; the program's
//! consumer-side actions (printa, clear, trunc, normalize, exit) happen when their message is read.

mod aggregate;
mod decode;
mod drops;
pub mod map;
mod misses;

use std::collections::HashMap;
use std::io;

use aya::maps::{MapData, RingBuf};

use crate::check::typed::AggregationId;
use crate::lower::layout::{ActionAt, ActionKind, AggregationAt, Layout};
use crate::output::Output;
use crate::output::value::{Event, Firing, Printout, Recorded, Value};
use crate::provider::{Catalog, ProbeId};
use aggregate::Aggregations;
use decode::{Decoder, Message};
use drops::Drops;
use map::Objects;

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
    /// The catalog.
    pub catalog: &'a Catalog,
    /// Number of possible CPUs.
    pub cpus: u32,
}

/// Reads what a session's programs hand out.
pub struct Consumer {
    ring: RingBuf<MapData>,
    decoder: Decoder,
    aggregations: Aggregations,
    drops: Drops,
    /// The status of the last exit() that was read.
    pub exit: Option<i32>,
}

impl Consumer {
    /// Takes the ring out of the session's maps.
    pub fn new(objects: &mut Objects, description: Description<'_>) -> io::Result<Consumer> {
        let ring = objects.take("RING").ok_or_else(|| io::Error::other("no map RING"))?;
        Ok(Consumer {
            ring: RingBuf::try_from(ring).map_err(io::Error::other)?,
            decoder: Decoder::new(description.layouts, description.probes, description.catalog),
            aggregations: Aggregations::new(description.aggregations, description.cpus),
            drops: Drops::new(description.programs),
            exit: None,
        })
    }

    /// The ring's descriptor, readable when the watermark is reached.
    pub fn ring(&self) -> &RingBuf<MapData> {
        &self.ring
    }

    /// Shows what is in the ring, [`BATCH`] messages at the most; says whether there may be more. Who asks has other
    /// things to look after, and the ring may fill as fast as it is read.
    pub fn drain(&mut self, objects: &Objects, output: &mut dyn Output) -> io::Result<bool> {
        let Consumer { ring, decoder, aggregations, exit, .. } = self;
        for _ in 0..BATCH {
            let Some(message) = ring.next() else { return Ok(false) };
            let event = match decoder.message(&message) {
                Some(Message::Fault(fault)) => Event::Fault(fault),
                Some(Message::Record { header, layout, bytes }) => {
                    let mut reader = Reader { objects, decoder, aggregations, exit };
                    let actions = layout
                        .actions
                        .iter()
                        .map(|action| reader.act(action, bytes))
                        .collect::<io::Result<Vec<_>>>()?;
                    Event::Firing(Firing {
                        probe: decoder.probe(header.probe),
                        epid: header.epid,
                        cpu: header.cpu,
                        time: header.time,
                        actions,
                    })
                }
                None => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "a message that no clause sends"));
                }
            };
            output.event(&event)?;
        }
        Ok(true)
    }

    /// Shows what has been lost since the last call.
    pub fn report_drops(&mut self, objects: &Objects, output: &mut dyn Output) -> io::Result<()> {
        self.drops.poll(objects)?.into_iter().try_for_each(|notice| output.event(&Event::Drop(notice)))
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

/// Carries out the actions of one message.
struct Reader<'a> {
    objects: &'a Objects,
    decoder: &'a Decoder,
    aggregations: &'a mut Aggregations,
    exit: &'a mut Option<i32>,
}

impl Reader<'_> {
    fn act(&mut self, action: &ActionAt, bytes: &[u8]) -> io::Result<Recorded> {
        let mut values = action.fields.iter().map(|&field| self.decoder.value(bytes, field));
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
