//! A lazy reader of BTF, the kernel's description of its own types.
//!
//! Nothing is turned into structures up front: one linear pass notes where each type begins, and a name table is
//! built for a kind of type when the first name of that kind is asked for. Resolving a hundred field offsets of a
//! vmlinux of 5.5 MB so takes about two milliseconds, half of it the pass.
//!
//! Invariant: every read is bounds-checked and every walk along type references has a limit, so that no input,
//! however malformed, makes this module panic, loop or recurse without end.
//!
//! The format is that of Linux 6.18, Documentation/bpf/btf.rst; section numbers below are of that document.

mod described;
mod field;
mod names;
mod shape;
mod source;
mod types;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::{Arc, OnceLock};

pub use described::Described;
pub use field::FieldAt;
pub use shape::{MemberAt, Shape};
pub use types::{Kind, Param, Prototype, TypeId};

use names::NameIndex;
use source::Source;
use types::{KINDS, RawType};

/// Where the kernel publishes its own BTF and that of each module (Documentation/ABI/testing/sysfs-kernel-btf).
pub const DIRECTORY: &str = "/sys/kernel/btf";
/// Its own.
pub const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

/// The most references (typedef, const, array, ...) followed in a row; real chains are shorter than ten.
const MAX_CHAIN: usize = 64;

/// Why BTF could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BtfError {
    /// The file could not be opened or read.
    #[error(
        "cannot read the kernel's BTF at {VMLINUX}: {0}; a kernel built with CONFIG_DEBUG_INFO_BTF=y has it"
    )]
    Read(#[from] std::io::Error),
    /// The bytes are not BTF that this reader knows.
    #[error("the BTF data are malformed: {0}; they should begin as the kernel's {VMLINUX} does")]
    Malformed(&'static str),
}

/// The types of one BTF blob. That of a module goes on where the kernel's ends (Documentation/bpf/btf.rst, 4.1): the numbers of
/// its types and the places of its strings follow those of its *base*, to which it refers.
pub struct Btf {
    source: Source,
    base: Option<Arc<Btf>>,
    /// Where the strings begin in the blob, and how many bytes of them there are.
    strings: (usize, usize),
    /// Where each type begins in the blob, from the id [`Btf::first`] on.
    offsets: Vec<u32>,
    /// How many types of each kind there are: the size of the name tables.
    counts: [u32; KINDS],
    names: [OnceLock<NameIndex>; KINDS],
}

impl Btf {
    /// The running kernel's BTF: mapped where the kernel allows it (6.16), read otherwise.
    pub fn load() -> Result<Btf, BtfError> {
        Btf::index(Source::open(VMLINUX)?, None)
    }

    /// The BTF of the running kernel's module of that name.
    pub fn load_module(name: &str, base: Arc<Btf>) -> Result<Btf, BtfError> {
        Btf::index(Source::open(&format!("{DIRECTORY}/{name}"))?, Some(base))
    }

    /// Reads the header of `bytes` and notes where each type begins.
    pub fn parse(bytes: Vec<u8>) -> Result<Btf, BtfError> {
        Btf::index(Source::from(bytes), None)
    }

    fn index(source: Source, base: Option<Arc<Btf>>) -> Result<Btf, BtfError> {
        // struct btf_header (2.1): u16 magic, u8 version, u8 flags, u32 hdr_len, type_off, type_len, str_off, str_len.
        let bytes: &[u8] = &source;
        let word = |at: usize| read_u32(bytes, at).ok_or(BtfError::Malformed("the header is cut short"));
        match word(0)? & 0x00ff_ffff {
            0x01_eb9f => {}
            low if low & 0xffff == 0xeb9f => return Err(BtfError::Malformed("its version is not 1")),
            low if low & 0xffff == 0x9feb => return Err(BtfError::Malformed("it is big-endian")),
            _ => return Err(BtfError::Malformed("the magic number is missing")),
        }
        let header = word(4)? as usize;
        let section = |offset: u32, len: u32, what: &'static str| {
            let begin = header.checked_add(offset as usize).ok_or(BtfError::Malformed(what))?;
            match begin.checked_add(len as usize) {
                Some(end) if end <= bytes.len() => Ok((begin, end)),
                _ => Err(BtfError::Malformed(what)),
            }
        };
        let (types, types_end) = section(word(8)?, word(12)?, "the types end beyond the data")?;
        let (strings, strings_end) = section(word(16)?, word(20)?, "the strings end beyond the data")?;
        u32::try_from(bytes.len()).map_err(|_| BtfError::Malformed("it is larger than 4 GB"))?;

        // A type takes 27 bytes on average in a vmlinux; a guess that is off costs one more allocation.
        let mut offsets = Vec::with_capacity((types_end - types) / 24);
        let mut counts = [0; KINDS];
        let mut at = types;
        while at < types_end {
            let info = read_u32(bytes, at + 4).ok_or(BtfError::Malformed("a type is cut short"))?;
            let kind = Kind::of_info(info).ok_or(BtfError::Malformed("a type is of an unknown kind"))?;
            let end = at + 12 + kind.extra_len((info & 0xffff) as usize);
            if end > types_end {
                return Err(BtfError::Malformed("a type ends beyond the types"));
            }
            offsets.push(at as u32);
            counts[kind as usize] += 1;
            at = end;
        }
        let strings = (strings, strings_end - strings);
        Ok(Btf { source, base, strings, offsets, counts, names: [const { OnceLock::new() }; KINDS] })
    }

    /// What it goes on from.
    pub fn base(&self) -> Option<&Arc<Btf>> {
        self.base.as_ref()
    }

    /// The number of its first type.
    pub fn first(&self) -> u32 {
        1 + self.base.as_ref().map_or(0, |base| base.len() as u32)
    }

    /// How many types there are, without those of the base.
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Whether there is no type at all.
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// The type called `name` of the kind `kind`, not looking at the base; where a kernel has several of that name, the first.
    pub fn find(&self, kind: Kind, name: &str) -> Option<TypeId> {
        self.find_all(kind, name).next()
    }

    /// The same for one name of a kind whose others nobody asks for: without a table, in a pass.
    pub fn find_alone(&self, kind: Kind, name: &str) -> Option<TypeId> {
        self.ids()
            .find(|&id| self.raw(id).is_some_and(|raw| raw.kind == kind && self.is_name(raw.name, name)))
    }

    /// All types of that kind and name: files of the kernel may declare different structures of one name.
    pub fn find_all(&self, kind: Kind, name: &str) -> impl Iterator<Item = TypeId> {
        self.names[kind as usize].get_or_init(|| NameIndex::build(self, kind)).find(self, name)
    }

    /// The names of all types of a kind that begin with `prefix`, in the order of the blob.
    pub fn names_with_prefix(&self, kind: Kind, prefix: &str) -> impl Iterator<Item = (&str, TypeId)> {
        self.ids().filter_map(move |id| {
            let raw = self.raw(id).filter(|raw| raw.kind == kind)?;
            let bytes = self.string_at(raw.name)?;
            bytes.starts_with(prefix.as_bytes()).then(|| Some((self.name_at(raw.name)?, id)))?
        })
    }

    /// The kind of a type.
    pub fn kind(&self, id: TypeId) -> Option<Kind> {
        self.raw(id).map(|raw| raw.kind)
    }

    /// The name of a type; an anonymous one has none.
    pub fn name(&self, id: TypeId) -> Option<&str> {
        self.name_at(self.raw(id)?.name).filter(|name| !name.is_empty())
    }

    /// The size of a type in bytes.
    pub fn size_of(&self, id: TypeId) -> Option<u32> {
        let mut id = id;
        let mut count: u32 = 1;
        for _ in 0..MAX_CHAIN {
            let raw = self.raw(self.resolve(id)?)?;
            let unit = match raw.kind {
                Kind::Array => {
                    // struct btf_array (2.2.3): type, index_type, nelems.
                    count = count.checked_mul(raw.word(2)?)?;
                    id = TypeId(raw.word(0)?);
                    continue;
                }
                Kind::Ptr => 8,
                kind if kind.is_sized() => raw.value,
                _ => return None,
            };
            return count.checked_mul(unit);
        }
        None
    }

    /// The value of the constant `variant` of the enumeration `name`, or of an anonymous one where `name` is empty.
    pub fn enum_value(&self, name: &str, variant: &str) -> Option<i64> {
        if name.is_empty() {
            return self.ids().find_map(|id| self.variant(id, variant));
        }
        let plain = self.find_all(Kind::Enum, name);
        plain.chain(self.find_all(Kind::Enum64, name)).find_map(|id| self.variant(id, variant))
    }

    fn variant(&self, id: TypeId, variant: &str) -> Option<i64> {
        let raw = self.raw(id)?;
        // struct btf_enum (2.2.6): name_off, val; struct btf_enum64 (2.2.19): name_off, val_lo32, val_hi32.
        let words = match raw.kind {
            Kind::Enum => 2,
            Kind::Enum64 => 3,
            _ => return None,
        };
        let at = (0..raw.count)
            .map(|i| i * words)
            .find(|&at| raw.word(at).is_some_and(|s| self.is_name(s, variant)))?;
        let low = raw.word(at + 1)?;
        Some(match raw.kind {
            Kind::Enum64 => (u64::from(raw.word(at + 2)?) << 32 | u64::from(low)) as i64,
            _ if raw.flag => i64::from(low as i32),
            _ => i64::from(low),
        })
    }

    /// The enumeration that has the constant `variant`, and its value; of several the first.
    pub fn enumerator(&self, variant: &str) -> Option<(TypeId, i64)> {
        self.ids().find_map(|id| Some((id, self.variant(id, variant)?)))
    }

    /// The parameters of the function that the typedef `name` (`btf_trace_NAME`) points to.
    pub fn func_proto_params(&self, name: &str) -> Option<Vec<Param<'_>>> {
        let pointer = self.raw(self.resolve(self.find(Kind::Typedef, name)?)?)?;
        match pointer.kind {
            Kind::Ptr => self.params(&self.raw(self.resolve(TypeId(pointer.value))?)?),
            _ => self.params(&pointer),
        }
    }

    /// What the function of that name takes and gives.
    pub fn function(&self, name: &str) -> Option<Prototype<'_>> {
        let proto = self.raw(TypeId(self.raw(self.find(Kind::Func, name)?)?.value))?;
        Some(Prototype { params: self.params(&proto)?, result: TypeId(proto.value) })
    }

    fn params(&self, proto: &RawType<'_>) -> Option<Vec<Param<'_>>> {
        if proto.kind != Kind::FuncProto {
            return None;
        }
        // struct btf_param (2.2.13): name_off, type. A last one of type 0 stands for "...".
        let param =
            |i| Some(Param { name: self.name_at(proto.word(2 * i)?)?, ty: TypeId(proto.word(2 * i + 1)?) });
        (0..proto.count).map(param).collect()
    }

    /// How far behind the beginning of each CPU's memory its variable of that name lies.
    pub fn per_cpu(&self, name: &str) -> Option<u32> {
        let section = self.raw(self.find_alone(Kind::Datasec, ".data..percpu")?)?;
        // struct btf_var_secinfo (2.2.15): type, offset, size.
        let named = |i: &usize| {
            let variable = section.word(3 * i).and_then(|id| self.raw(TypeId(id)));
            variable.is_some_and(|variable| self.is_name(variable.name, name))
        };
        section.word(3 * (0..section.count).find(named)? + 1)
    }

    /// The type behind typedefs, const, volatile, restrict and tags.
    pub fn resolve(&self, mut id: TypeId) -> Option<TypeId> {
        for _ in 0..MAX_CHAIN {
            let raw = self.raw(id)?;
            if !raw.kind.is_modifier() {
                return Some(id);
            }
            id = TypeId(raw.value);
        }
        None
    }

    fn ids(&self) -> impl Iterator<Item = TypeId> + use<> {
        let first = self.first();
        (first..first + self.offsets.len() as u32).map(TypeId)
    }

    /// The types of a kind: of each other one word is looked at.
    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = TypeId> {
        let bytes: &[u8] = &self.source;
        let is = move |at: u32| read_u32(bytes, at as usize + 4).and_then(Kind::of_info) == Some(kind);
        let ids = (self.first()..).zip(&self.offsets);
        ids.filter(move |(_, at)| is(**at)).map(|(id, _)| TypeId(id))
    }

    fn raw(&self, id: TypeId) -> Option<RawType<'_>> {
        match (id.0.checked_sub(self.first()), &self.base) {
            (Some(index), _) => {
                let at = *self.offsets.get(index as usize)? as usize;
                RawType::read(self.source.get(at..)?)
            }
            (None, Some(base)) => base.raw(id),
            (None, None) => None,
        }
    }

    /// Whether the string at `offset` is `name`: compared in place, since most differ in their first bytes.
    fn is_name(&self, offset: u32, name: &str) -> bool {
        let rest = self.string_at(offset).unwrap_or_default();
        rest.get(..name.len()) == Some(name.as_bytes()) && rest.get(name.len()) == Some(&0)
    }

    fn name_at(&self, offset: u32) -> Option<&str> {
        let rest = self.string_at(offset)?;
        std::str::from_utf8(rest.split(|&byte| byte == 0).next()?).ok()
    }

    /// The strings from `offset` on.
    fn string_at(&self, offset: u32) -> Option<&[u8]> {
        let (begin, len) = self.strings;
        let before = self.base.as_ref().map_or(0, |base| base.strings.1);
        let Some(offset) = (offset as usize).checked_sub(before) else {
            return self.base.as_ref()?.string_at(offset);
        };
        (offset < len).then(|| self.source.get(begin + offset..begin + len))?
    }
}

impl std::fmt::Debug for Btf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Btf").field("types", &self.len()).finish_non_exhaustive()
    }
}

/// The little-endian word at `at`.
fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    let &[a, b, c, d, ..] = bytes.get(at..)? else { return None };
    Some(u32::from_le_bytes([a, b, c, d]))
}
