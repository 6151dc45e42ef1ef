//! Bytes from the kernel to values: messages and keys, by the layouts of the code generator.

use std::collections::HashMap;
use std::io;
use std::rc::Rc;

use probes_common::abi::{EPID_FAULT, Fault, HEADER_SIZE, Header};
use probes_common::schema::Described;

use super::map::{self, Objects};
use super::symbols::Symbolizer;
use crate::check::typed::{ProbePart, Shows, Stack, Symbol};
use crate::lower::layout::{FIRST_EPID, FieldAt, Layout, Repr, stacks_map};
use crate::output::value::{FaultNotice, Table, Value, double};
use crate::provider::{Catalog, ProbeId};
use crate::syntax::format::Format;

/// The id of dtrace:::BEGIN, always.
const BEGIN: ProbeId = ProbeId(1);

/// A message taken apart, its values still in place.
pub(super) enum Message<'a> {
    /// A clause recorded something.
    Record {
        /// Its header.
        header: Header,
        /// What lies where in `bytes`.
        layout: &'a Rc<Layout>,
    },
    /// A clause faulted.
    Fault(FaultNotice),
}

/// Where a value comes from.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    /// The session's maps: stacks in keys are in one of them.
    pub(super) objects: &'a Objects,
    /// When it was recorded, nanoseconds of the monotonic clock; for a key, which has no time, the largest number.
    pub(super) time: u64,
}

/// What decoding needs to know of the program.
pub(super) struct Decoder {
    /// The layouts, by epid.
    pub(super) layouts: Vec<Rc<Layout>>,
    /// The probe of each `program << 16 | discriminator`.
    pub(super) probes: HashMap<u32, ProbeId>,
    /// Names of the probes in use.
    pub(super) names: HashMap<ProbeId, [String; 4]>,
    /// Names of addresses.
    pub(super) symbolizer: Symbolizer,
}

impl Decoder {
    /// For these layouts and probes.
    pub(super) fn new(
        layouts: Vec<Layout>,
        probes: HashMap<u32, ProbeId>,
        catalog: &Catalog,
        symbolizer: Symbolizer,
    ) -> Decoder {
        let names = probes
            .values()
            .filter_map(|&id| {
                let info = catalog.get(id)?;
                let parts = [&info.provider, &info.module, &info.function, &info.name];
                Some((id, parts.map(|part| part.to_string())))
            })
            .collect();
        Decoder { layouts: layouts.into_iter().map(Rc::new).collect(), probes, names, symbolizer }
    }

    /// The probe of a number from the kernel. Numbers of probes that no clause named do not occur.
    pub(super) fn probe(&self, number: u32) -> ProbeId {
        self.probes.get(&number).copied().unwrap_or(ProbeId(0))
    }

    /// Whether that is the number of BEGIN.
    pub(super) fn is_begin(&self, number: u32) -> bool {
        self.probe(number) == BEGIN
    }

    /// On which CPU.
    pub(super) fn cpu(&self, message: &[u8]) -> u32 {
        header(message).map_or(0, |header| header.cpu)
    }

    /// As [`Decoder::value`], strings as the bytes that they lie in.
    pub(super) fn raw(&self, bytes: &[u8], field: FieldAt, at: At<'_>) -> Value {
        match field.repr {
            Repr::Str(size) => Value::Bytes(bytes[field.offset as usize..][..size as usize].to_vec()),
            _ => self.value(bytes, field, at),
        }
    }

    /// Takes a message apart; `None` for one that no layout describes.
    pub(super) fn message<'a>(&'a self, bytes: &'a [u8]) -> Option<Message<'a>> {
        let header = header(bytes)?;
        if header.epid == EPID_FAULT {
            return self.fault(&header, &bytes[HEADER_SIZE..]).map(Message::Fault);
        }
        let layout = self.layouts.get(header.epid.checked_sub(FIRST_EPID)? as usize)?;
        (bytes.len() >= layout.size as usize).then_some(Message::Record { header, layout })
    }

    fn fault(&self, header: &Header, body: &[u8]) -> Option<FaultNotice> {
        let word = |name: &str| {
            let offset = Fault::DEF.field(name)?.offset;
            Some(u64::from_le_bytes(body.get(offset..offset + 8)?.try_into().ok()?))
        };
        Some(FaultNotice {
            probe: self.probe(word("probe")? as u32),
            epid: word("epid")? as u32,
            action: word("action")? as u32,
            offset: word("offset")? as u32,
            fault: word("fault")?,
            value: word("value")?,
            cpu: header.cpu,
            time: header.time,
        })
    }

    /// The value of a field in a message or key that is at least as long as its layout says.
    pub(super) fn value(&self, bytes: &[u8], field: FieldAt, at: At<'_>) -> Value {
        let bytes = &bytes[field.offset as usize..][..field.repr.size() as usize];
        match field.repr {
            Repr::Int { bytes: size, signed } => {
                Value::Int { value: integer(bytes, signed), bytes: size, signed }
            }
            Repr::Str(_) => {
                let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
                Value::Str(bytes[..end].to_vec())
            }
            Repr::Float(_) => Value::Float(double(bytes).to_bits()),
            Repr::Bytes(_) => Value::Bytes(bytes.to_vec()),
            Repr::Ip => Value::Str(address(bytes).into_bytes()),
            Repr::Probe(part) => {
                let probe = self.probe(integer(bytes, false) as u32);
                let index = match part {
                    ProbePart::Provider => 0,
                    ProbePart::Module => 1,
                    ProbePart::Function => 2,
                    ProbePart::Name => 3,
                };
                Value::Str(
                    self.names.get(&probe).map(|names| names[index].clone()).unwrap_or_default().into_bytes(),
                )
            }
            Repr::Stack(stack) => self.stack(stack, &words(bytes), at),
            Repr::StackKey(stack) => {
                let key = words(bytes);
                let hash = &bytes[bytes.len() - 8..];
                let mut frames = kept_stack(at.objects, stack, hash).unwrap_or_default();
                frames.insert(0, if stack.user { key[0] } else { 0 });
                self.stack(stack, &frames, at)
            }
            Repr::Symbol(symbol) => match words(bytes)[..] {
                [pid, address] => self.symbolizer.symbol(symbol, pid as u32, address, at.time),
                [address] => self.symbolizer.symbol(symbol, 0, address, at.time),
                _ => unreachable!("one word or two"),
            },
        }
    }

    /// Numbers in keys that a format shows by their symbols, as `%a` does.
    pub(super) fn name_keys(&self, format: &Format, table: &mut Table) {
        let parts = format.conversions().filter(|conversion| !conversion.aggregation);
        let named = parts.enumerate().filter(|(_, conversion)| conversion.letter == "a");
        for (part, _) in named {
            for row in &mut table.rows {
                if let Some(value) = row.key.get_mut(part)
                    && let Value::Int { value: address, .. } = *value
                {
                    let symbol = Symbol { user: false, shows: Shows::Address };
                    *value = self.symbolizer.symbol(symbol, 0, address as u64, u64::MAX);
                }
            }
        }
    }

    /// A stack of these words: for a process's, its id first; for the kernel's, how many come before it. Zeros end it.
    fn stack(&self, stack: Stack, words: &[u64], at: At<'_>) -> Value {
        let (&first, words) = words.split_first().unwrap_or((&0, &[]));
        let words = if stack.user { words } else { &words[(first as usize).min(words.len())..] };
        let end = words.iter().position(|&word| word == 0).unwrap_or(words.len());
        match stack.user {
            true => self.symbolizer.user_stack(first as u32, &words[..end], at.time),
            false => self.symbolizer.kernel_stack(&words[..end.min(stack.frames as usize)]),
        }
    }
}

/// The addresses of the stack that a key has the hash of.
fn kept_stack(objects: &Objects, stack: Stack, hash: &[u8]) -> Option<Vec<u64>> {
    let count = stack.frames;
    let map = objects.get(&stacks_map(count)).and_then(map::descriptor)?;
    let frames: io::Result<Option<Vec<u8>>> = map::lookup(map, hash, count as usize * 8);
    frames.ok().flatten().map(|bytes| words(&bytes))
}

/// Little-endian words.
fn words(bytes: &[u8]) -> Vec<u64> {
    bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes"))).collect()
}

/// The header of a message.
pub(super) fn header(bytes: &[u8]) -> Option<Header> {
    if bytes.len() < HEADER_SIZE {
        return None;
    }
    // SAFETY: Header is repr(C) of integers, any bytes of its size are a value, and the read need not be aligned.
    Some(unsafe { bytes.as_ptr().cast::<Header>().read_unaligned() })
}

/// A little-endian integer of 1 to 8 bytes.
fn integer(bytes: &[u8], signed: bool) -> i64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    let unused = 64 - 8 * bytes.len() as u32;
    let value = i64::from_le_bytes(word) << unused;
    if signed { value >> unused } else { ((value as u64) >> unused) as i64 }
}

/// An address as people write it; empty where there is none.
fn address(bytes: &[u8]) -> String {
    let bytes: [u8; 16] = bytes.try_into().expect("an address has 16 bytes");
    if bytes == [0; 16] {
        return String::new();
    }
    let v6 = std::net::Ipv6Addr::from(bytes);
    v6.to_ipv4_mapped().map_or_else(|| v6.to_string(), |v4| v4.to_string())
}

#[cfg(test)]
impl Decoder {
    /// For these layouts, without names.
    pub(super) fn bare(layouts: Vec<Layout>) -> Decoder {
        let layouts = layouts.into_iter().map(Rc::new).collect();
        Decoder {
            layouts,
            probes: HashMap::new(),
            names: HashMap::new(),
            symbolizer: Symbolizer::new(false, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_keep_their_sign() {
        assert_eq!(integer(&[0xff], true), -1);
        assert_eq!(integer(&[0xff], false), 255);
        assert_eq!(integer(&(-2_i64).to_le_bytes(), true), -2);
        assert_eq!(integer(&u64::MAX.to_le_bytes(), false) as u64, u64::MAX);
    }

    #[test]
    fn addresses_read_as_people_write_them() {
        let mut v4 = [0; 16];
        v4[10..12].fill(0xff);
        v4[12..].copy_from_slice(&[127, 0, 0, 1]);
        assert_eq!(address(&v4), "127.0.0.1");
        let mut v6 = [0; 16];
        v6[15] = 1;
        assert_eq!(address(&v6), "::1");
    }
}
