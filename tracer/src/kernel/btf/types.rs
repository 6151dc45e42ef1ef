//! The shape of one type in the blob: its kind, and the words that follow its head.

use super::{Btf, MAX_CHAIN, read_u32};

/// The number of a type in its blob. 0 is `void`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub u32);

/// One parameter of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// Its name; empty where the kernel does not say, as for tracepoints.
    pub name: &'a str,
    /// Its type.
    pub ty: TypeId,
}

/// What a function takes and gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prototype<'a> {
    /// Its parameters; a last one of type 0 stands for "...".
    pub params: Vec<Param<'a>>,
    /// What it returns; type 0 is nothing.
    pub result: TypeId,
}

/// The kinds of types (Documentation/bpf/btf.rst, 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the format's own names")]
pub enum Kind {
    Int = 1,
    Ptr,
    Array,
    Struct,
    Union,
    Enum,
    Fwd,
    Typedef,
    Volatile,
    Const,
    Restrict,
    Func,
    FuncProto,
    Var,
    Datasec,
    Float,
    DeclTag,
    TypeTag,
    Enum64,
}

/// One more than the greatest kind.
pub(super) const KINDS: usize = Kind::Enum64 as usize + 1;

const ALL: [Kind; KINDS - 1] = [
    Kind::Int,
    Kind::Ptr,
    Kind::Array,
    Kind::Struct,
    Kind::Union,
    Kind::Enum,
    Kind::Fwd,
    Kind::Typedef,
    Kind::Volatile,
    Kind::Const,
    Kind::Restrict,
    Kind::Func,
    Kind::FuncProto,
    Kind::Var,
    Kind::Datasec,
    Kind::Float,
    Kind::DeclTag,
    Kind::TypeTag,
    Kind::Enum64,
];

impl Kind {
    /// The kind in bits 24 to 28 of a type's `info` word.
    pub(super) fn of_info(info: u32) -> Option<Kind> {
        ALL.get(((info >> 24 & 0x1f) as usize).checked_sub(1)?).copied()
    }

    /// How many bytes follow the twelve of the head, for a type with `count` members.
    pub(super) fn extra_len(self, count: usize) -> usize {
        match self {
            Kind::Int | Kind::Var | Kind::DeclTag => 4,
            Kind::Array => 12,
            Kind::Struct | Kind::Union | Kind::Datasec | Kind::Enum64 => 12 * count,
            Kind::Enum | Kind::FuncProto => 8 * count,
            _ => 0,
        }
    }

    /// Whether the type only qualifies or names another one.
    pub(super) fn is_modifier(self) -> bool {
        matches!(self, Kind::Typedef | Kind::Volatile | Kind::Const | Kind::Restrict | Kind::TypeTag)
    }

    /// Whether the head's last word is a size in bytes, rather than a type.
    pub(super) fn is_sized(self) -> bool {
        matches!(
            self,
            Kind::Int | Kind::Struct | Kind::Union | Kind::Enum | Kind::Enum64 | Kind::Float | Kind::Datasec
        )
    }
}

/// A type as it lies in the blob.
pub(super) struct RawType<'a> {
    pub(super) kind: Kind,
    /// Where its name is among the strings.
    pub(super) name: u32,
    /// How many members, variants or parameters it has.
    pub(super) count: usize,
    /// `kind_flag`: bit-field encoding of a structure's members, signedness of an enumeration.
    pub(super) flag: bool,
    /// Its size, or the type it refers to.
    pub(super) value: u32,
    extra: &'a [u8],
}

impl<'a> RawType<'a> {
    /// The type at the beginning of `bytes`: struct btf_type (2.2): name_off, info, size or type.
    pub(super) fn read(bytes: &'a [u8]) -> Option<RawType<'a>> {
        let info = read_u32(bytes, 4)?;
        let kind = Kind::of_info(info)?;
        let count = (info & 0xffff) as usize;
        let extra = bytes.get(12..12 + kind.extra_len(count))?;
        Some(RawType {
            kind,
            name: read_u32(bytes, 0)?,
            count,
            flag: info >> 31 != 0,
            value: read_u32(bytes, 8)?,
            extra,
        })
    }

    /// The word number `index` after the head.
    pub(super) fn word(&self, index: usize) -> Option<u32> {
        read_u32(self.extra, index.checked_mul(4)?)
    }
}

impl Btf {
    /// The type as C writes it: `struct task_struct *`, `const char *`, `unsigned int`.
    pub fn display(&self, mut id: TypeId) -> String {
        let (mut constant, mut stars, mut dimensions) = ("", String::new(), String::new());
        for _ in 0..MAX_CHAIN {
            let raw = self.raw(id);
            let word = |at| raw.as_ref().and_then(|raw| raw.word(at)).unwrap_or(0);
            id = TypeId(raw.as_ref().map_or(0, |raw| raw.value));
            let keyword = match raw.as_ref().map(|raw| raw.kind) {
                // Only what a pointer points to is shown as const, not the pointer.
                Some(Kind::Ptr) => {
                    stars.push('*');
                    constant = "";
                    continue;
                }
                Some(Kind::Const) => {
                    constant = "const ";
                    continue;
                }
                Some(Kind::Volatile | Kind::Restrict | Kind::TypeTag) => continue,
                Some(Kind::Array) => {
                    dimensions.push_str(&format!("[{}]", word(2)));
                    id = TypeId(word(0));
                    continue;
                }
                Some(Kind::FuncProto) => return format!("void ({stars})()"),
                Some(Kind::Struct) => "struct ",
                Some(Kind::Union) => "union ",
                Some(Kind::Fwd) => match raw.as_ref().is_some_and(|raw| raw.flag) {
                    true => "union ",
                    false => "struct ",
                },
                Some(Kind::Enum | Kind::Enum64) => "enum ",
                _ => "",
            };
            let name = match &raw {
                Some(raw) => self.name_at(raw.name).filter(|name| !name.is_empty()).unwrap_or("<anonymous>"),
                None => "void",
            };
            let space = if stars.is_empty() && dimensions.is_empty() { "" } else { " " };
            return format!("{constant}{keyword}{name}{space}{stars}{dimensions}");
        }
        "?".to_owned()
    }
}
