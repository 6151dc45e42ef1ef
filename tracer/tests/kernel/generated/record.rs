//! The structures of generated programs: declared in D, laid out by this crate's own compiler, read and written byte by byte.

use std::mem::{offset_of, size_of};

use super::program::{INT, LONG, Type};

/// The declarations. A bit-field lies in the bytes that [`FIELDS`] names.
pub(super) const DECLARED: &str = "
enum colour { RED = 3, GREEN, BLUE = -2 };
struct inner { char c; uint16_t h; int a[4]; };
union word { uint64_t whole; uint32_t halves[2]; unsigned char bytes[8]; short s; };
struct record {
    int n; unsigned int u3 : 3; int s5 : 5; unsigned int u20 : 20; char c; enum colour e;
    struct inner in; struct inner ins[2]; union word w; int64_t l;
};
struct view { short half; unsigned char low; string label; };
translator struct view < int64_t n > { half = n / 2; low = n & 0xffff; label = n < 0 ? \"minus\" : \"plus\"; };
inline int64_t mix[int64_t a, int64_t b] = a * 31 + b;
inline int larger[int a, int b] = a > b ? a : b;
inline string joined[string s, int n] = strjoin(s, lltostr((int64_t)n));
";

/// The constants of `enum colour`.
pub(super) const ENUMERATORS: [(&str, i64); 3] = [("RED", 3), ("GREEN", 4), ("BLUE", -2)];

#[repr(C)]
struct Inner {
    c: i8,
    h: u16,
    a: [i32; 4],
}

#[repr(C)]
struct Record {
    n: i32,
    bits: u32,
    c: i8,
    e: i32,
    inner: Inner,
    ins: [Inner; 2],
    w: u64,
    l: i64,
}

/// How long a record is.
pub(super) const SIZE: usize = size_of::<Record>();

/// A scalar of a record: its path before and after a subscript, its type, its first byte and, of a bit-field, its first bit
/// and how many it has; of elements how many there are, a power of 2, and how far they are apart.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) path: (&'static str, &'static str),
    pub(super) ty: Type,
    at: usize,
    bits: Option<(u32, u32)>,
    pub(super) elements: Option<(usize, usize)>,
}

const fn field(path: &'static str, ty: Type, at: usize) -> Field {
    Field { path: (path, ""), ty, at, bits: None, elements: None }
}

const fn bits(path: &'static str, ty: Type, first: u32, count: u32) -> Field {
    Field { path: (path, ""), ty, at: offset_of!(Record, bits), bits: Some((first, count)), elements: None }
}

const fn elements(
    path: (&'static str, &'static str),
    ty: Type,
    at: usize,
    count: usize,
    stride: usize,
) -> Field {
    Field { path, ty, at, bits: None, elements: Some((count, stride)) }
}

const CHAR: Type = Type::Int { bytes: 1, signed: true };
const BYTE: Type = Type::Int { bytes: 1, signed: false };
const SHORT: Type = Type::Int { bytes: 2, signed: true };
const HALF: Type = Type::Int { bytes: 2, signed: false };
const WORD: Type = Type::Int { bytes: 4, signed: false };
const ULONG: Type = Type::Int { bytes: 8, signed: false };

/// What a bit-field's type counts for: C makes an int of each that fits.
pub(super) const FIELDS: &[Field] = &[
    field("n", INT, offset_of!(Record, n)),
    bits("u3", INT, 0, 3),
    bits("s5", INT, 3, 5),
    bits("u20", INT, 8, 20),
    field("c", CHAR, offset_of!(Record, c)),
    field("e", INT, offset_of!(Record, e)),
    field("in.c", CHAR, offset_of!(Record, inner)),
    field("in.h", HALF, offset_of!(Record, inner) + offset_of!(Inner, h)),
    elements(("in.a[", "]"), INT, offset_of!(Record, inner) + offset_of!(Inner, a), 4, 4),
    elements(("ins[", "].c"), CHAR, offset_of!(Record, ins), 2, size_of::<Inner>()),
    elements(("ins[", "].h"), HALF, offset_of!(Record, ins) + offset_of!(Inner, h), 2, size_of::<Inner>()),
    elements(
        ("ins[", "].a[3]"),
        INT,
        offset_of!(Record, ins) + offset_of!(Inner, a) + 12,
        2,
        size_of::<Inner>(),
    ),
    elements(
        ("ins[1].a[", "]"),
        INT,
        offset_of!(Record, ins) + size_of::<Inner>() + offset_of!(Inner, a),
        4,
        4,
    ),
    field("w.whole", ULONG, offset_of!(Record, w)),
    elements(("w.halves[", "]"), WORD, offset_of!(Record, w), 2, 4),
    elements(("w.bytes[", "]"), BYTE, offset_of!(Record, w), 8, 1),
    field("w.s", SHORT, offset_of!(Record, w)),
    field("l", LONG, offset_of!(Record, l)),
];

/// What pointers that are computed lead to, in memory that begins where a record does: from `this->p`, a `struct record *`,
/// `this->q`, an `unsigned char *`, and `this->h`, a `short *`, which all point to its beginning.
pub(super) const POINTED: &[Field] = &[
    elements(("this->q[", "]"), BYTE, 0, 64, 1),
    elements(("(*(this->q + ", "))"), BYTE, 0, 64, 1),
    elements(("(*(this->h + ", "))"), SHORT, 0, 32, 2),
    elements(("this->h[1 + ", "]"), SHORT, 2, 16, 2),
];

impl Field {
    /// Whether it is one of [`POINTED`], whose paths are whole.
    pub(super) fn is_pointed(&self) -> bool {
        self.path.0.contains("this->")
    }

    fn first(&self, index: usize) -> usize {
        self.at + self.elements.map_or(0, |(_, stride)| index * stride)
    }

    fn size(&self) -> usize {
        let Type::Int { bytes, .. } = self.ty else { panic!("fields are numbers") };
        bytes.into()
    }

    /// The value of the element of that index, not yet extended by its sign; a bit-field's is.
    pub(super) fn read(&self, record: &[u8], index: usize) -> i128 {
        let first = self.first(index);
        let word = record[first..first + self.size()]
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | i128::from(*byte));
        match self.bits {
            None => word,
            Some((first, count)) => {
                let unused = 128 - count;
                let field = (word >> first) << unused;
                if self.path.0.starts_with('s') { field >> unused } else { (field as u128 >> unused) as i128 }
            }
        }
    }

    /// Stores as much of a value as has room.
    pub(super) fn write(&self, record: &mut [u8], index: usize, value: i128) {
        let word = match self.bits {
            None => value,
            Some((first, count)) => {
                let mask = ((1 << count) - 1) << first;
                let whole = Field { bits: None, ..*self }.read(record, index);
                whole & !mask | value << first & mask
            }
        };
        let first = self.first(index);
        record[first..first + self.size()].copy_from_slice(&word.to_le_bytes()[..self.size()]);
    }
}
