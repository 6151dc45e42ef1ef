//! C's types: their names, sizes and signs, the integer promotions, and how a type is shown to the user.
//!
//! Invariant: sizes are those of the LP64 data model. Two integer types of one size and sign behave alike; their names
//! differ for messages only.

use probes_common::schema::{Field, Kind};

use super::typed::{Expr, ExprKind, IntType, Place, ProbePart, Text, Type};
use crate::syntax::ast::{IntLit, IntWidth, Radix, Sign};

/// `int`: what comparisons give and what smaller integers become.
pub const INT: IntType = IntType { bytes: 4, signed: true, name: "int" };
/// `unsigned int`
pub const UINT: IntType = IntType { bytes: 4, signed: false, name: "unsigned int" };
/// `long`
pub const LONG: IntType = IntType { bytes: 8, signed: true, name: "long" };
/// `unsigned long`
pub const ULONG: IntType = IntType { bytes: 8, signed: false, name: "unsigned long" };
/// `int64_t`
pub const INT64: IntType = IntType { bytes: 8, signed: true, name: "int64_t" };
/// `uint64_t`
pub const UINT64: IntType = IntType { bytes: 8, signed: false, name: "uint64_t" };

/// Bytes that hold any Internet address as text.
pub const IP_TEXT: u32 = 48;
/// Bytes that hold any part of a probe's name as text.
pub const PROBE_TEXT: u32 = 64;

/// Whether D itself has a type of this name, and not the kernel alone.
pub fn is_of_the_language(name: &str) -> bool {
    let kernel =
        ["u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "unchar", "uchar", "ushort", "uint", "ulong"];
    let plain = kernel.contains(&name) || name.starts_with('_') || name == "bool";
    !plain && named(name).is_some()
}

/// The integer types that have a name of one word: name, size in bytes, whether signed.
pub const NAMED: &[(&str, u8, bool)] = &[
    ("int8_t", 1, true),
    ("int16_t", 2, true),
    ("int32_t", 4, true),
    ("int64_t", 8, true),
    ("intptr_t", 8, true),
    ("uint8_t", 1, false),
    ("uint16_t", 2, false),
    ("uint32_t", 4, false),
    ("uint64_t", 8, false),
    ("uintptr_t", 8, false),
    ("uchar_t", 1, false),
    ("ushort_t", 2, false),
    ("uint_t", 4, false),
    ("ulong_t", 8, false),
    ("longlong_t", 8, true),
    ("u_longlong_t", 8, false),
    ("u_char", 1, false),
    ("u_short", 2, false),
    ("u_int", 4, false),
    ("u_long", 8, false),
    ("uchar", 1, false),
    ("ushort", 2, false),
    ("uint", 4, false),
    ("ulong", 8, false),
    ("u_int8_t", 1, false),
    ("u_int16_t", 2, false),
    ("u_int32_t", 4, false),
    ("u_int64_t", 8, false),
    ("u8", 1, false),
    ("u16", 2, false),
    ("u32", 4, false),
    ("u64", 8, false),
    ("unchar", 1, false),
    ("__u8", 1, false),
    ("__u16", 2, false),
    ("__u32", 4, false),
    ("__u64", 8, false),
    ("__s8", 1, true),
    ("__s16", 2, true),
    ("__s32", 4, true),
    ("__s64", 8, true),
    ("__be16", 2, false),
    ("__be32", 4, false),
    ("__be64", 8, false),
    ("__le16", 2, false),
    ("__le32", 4, false),
    ("__le64", 8, false),
    ("s8", 1, true),
    ("s16", 2, true),
    ("s32", 4, true),
    ("s64", 8, true),
    ("bool", 1, false),
    ("_Bool", 1, false),
    ("boolean_t", 4, true),
    ("size_t", 8, false),
    ("ssize_t", 8, true),
    ("ptrdiff_t", 8, true),
    ("off_t", 8, true),
    ("offset_t", 8, true),
    ("loff_t", 8, true),
    ("pid_t", 4, true),
    ("id_t", 4, true),
    ("taskid_t", 4, true),
    ("projid_t", 4, true),
    ("dprojid_t", 4, true),
    ("zoneid_t", 4, true),
    ("poolid_t", 4, true),
    ("uid_t", 4, false),
    ("gid_t", 4, false),
    ("mode_t", 4, false),
    ("dev_t", 4, false),
    ("ino_t", 8, false),
    ("nlink_t", 4, false),
    ("major_t", 4, false),
    ("minor_t", 4, false),
    ("time_t", 8, true),
    ("clock_t", 8, true),
    ("clockid_t", 4, true),
    ("suseconds_t", 8, true),
    ("hrtime_t", 8, true),
    ("processorid_t", 4, true),
    ("psetid_t", 4, true),
    ("chipid_t", 4, true),
    ("lgrp_id_t", 4, true),
    ("zone_t", 4, true),
    ("socklen_t", 4, false),
    ("sa_family_t", 2, false),
    ("in_port_t", 2, false),
    ("in_addr_t", 4, false),
    ("ipaddr_t", 4, false),
    ("netstackid_t", 8, false),
    ("void_ip_t", 8, false),
    ("pc_t", 8, false),
    // Of macOS: an address and a size in a process.
    ("user_addr_t", 8, false),
    ("user_size_t", 8, false),
    ("greg_t", 8, true),
];

/// The integer type with this name of one word.
pub fn named(name: &str) -> Option<IntType> {
    let &(name, bytes, signed) = NAMED.iter().find(|row| row.0 == name)?;
    Some(IntType { bytes, signed, name })
}

/// `char` to `unsigned long long`. Plain `char` is signed, as on x86_64.
pub fn spelled(width: IntWidth, sign: Option<Sign>) -> IntType {
    let signed = sign != Some(Sign::Unsigned);
    let (bytes, name) = match (width, signed) {
        (IntWidth::Char, true) => (1, "char"),
        (IntWidth::Char, false) => (1, "unsigned char"),
        (IntWidth::Short, true) => (2, "short"),
        (IntWidth::Short, false) => (2, "unsigned short"),
        (IntWidth::Int, true) => (4, "int"),
        (IntWidth::Int, false) => (4, "unsigned int"),
        (IntWidth::Long, true) => (8, "long"),
        (IntWidth::Long, false) => (8, "unsigned long"),
        (IntWidth::LongLong, true) => (8, "long long"),
        (IntWidth::LongLong, false) => (8, "unsigned long long"),
    };
    IntType { bytes, signed, name }
}

/// The integer type that the probe tables spell like this, or the plain one of that size and sign.
pub fn by_spelling(ctype: &str, bytes: u8, signed: bool) -> IntType {
    let words = [INT, UINT, LONG, ULONG].into_iter().find(|ty| ty.name == ctype);
    match words.or_else(|| named(ctype)) {
        Some(ty) if ty.bytes == bytes && ty.signed == signed => ty,
        _ => plain(bytes, signed),
    }
}

/// The integer type of that size and sign, with the name that the standard headers give it.
pub fn plain(bytes: u8, signed: bool) -> IntType {
    let name = match (bytes, signed) {
        (1, true) => "int8_t",
        (1, false) => "uint8_t",
        (2, true) => "int16_t",
        (2, false) => "uint16_t",
        (4, true) => "int",
        (4, false) => "unsigned int",
        (_, true) => "int64_t",
        (_, false) => "uint64_t",
    };
    IntType { bytes, signed, name }
}

/// The type of an integer constant: the first of C's list for its base and suffix that holds it.
pub fn of_literal(literal: &IntLit) -> IntType {
    let wide = literal.longs > 0;
    let maybe_unsigned = literal.unsigned || literal.radix != Radix::Decimal;
    let candidates = [
        (INT, !literal.unsigned && !wide, i32::MAX as u64),
        (UINT, maybe_unsigned && !wide, u64::from(u32::MAX)),
        (LONG, !literal.unsigned, i64::MAX as u64),
        (ULONG, true, u64::MAX),
    ];
    let fits = |&&(_, allowed, most): &&(IntType, bool, u64)| allowed && literal.value <= most;
    candidates.iter().find(fits).map_or(ULONG, |row| row.0)
}

/// The integer promotions: what is smaller than an int becomes one.
pub fn promoted(ty: IntType) -> IntType {
    if ty.bytes < 4 { INT } else { ty }
}

/// The usual arithmetic conversions: the type in which an operator works on operands of these two.
pub fn common(a: IntType, b: IntType) -> IntType {
    let (a, b) = (promoted(a), promoted(b));
    match a.bytes.cmp(&b.bytes) {
        std::cmp::Ordering::Greater => a,
        std::cmp::Ordering::Less => b,
        std::cmp::Ordering::Equal if a == b => a,
        std::cmp::Ordering::Equal if a.signed == b.signed => standard(a.bytes, a.signed),
        std::cmp::Ordering::Equal => standard(a.bytes, false),
    }
}

/// `int`, `unsigned int`, `long` or `unsigned long`.
fn standard(bytes: u8, signed: bool) -> IntType {
    match (bytes, signed) {
        (8, true) => LONG,
        (8, false) => ULONG,
        (_, true) => INT,
        (_, false) => UINT,
    }
}

/// The value as a type of that size and sign holds it.
pub fn wrap(value: i64, ty: IntType) -> i64 {
    let shift = 64 - 8 * u32::from(ty.bytes.min(8));
    if ty.signed { (value << shift) >> shift } else { (((value as u64) << shift) >> shift) as i64 }
}

/// Bytes that a string of this form takes as text, the terminating zero included.
pub fn text_size(text: Text) -> u32 {
    match text {
        Text::Buffer(size) => size,
        Text::Ip => IP_TEXT,
        Text::Probe(_) => PROBE_TEXT,
    }
}

/// The type of a field of the probe tables as D programs see it.
pub fn of_kind(ctype: &str, kind: Kind) -> Type {
    match kind {
        Kind::Int { bytes: 8, .. } if ctype.ends_with('*') => Type::Pointer(Box::new(pointee(ctype))),
        Kind::Int { bytes, signed } => Type::Int(by_spelling(ctype, bytes, signed)),
        Kind::Str(size) => Type::String(Text::Buffer(u32::from(size))),
        Kind::Ip => Type::String(Text::Ip),
        Kind::Struct(def) => Type::Pointer(Box::new(Type::Struct(def))),
    }
}

/// What a pointer of the probe tables points to, where it is an integer with a known name.
fn pointee(ctype: &str) -> Type {
    let base = ctype.trim_end_matches('*').trim().trim_start_matches("const ");
    match base {
        "char" => Type::Int(spelled(IntWidth::Char, None)),
        "int" => Type::Int(INT),
        base => named(base).map_or(Type::Void, Type::Int),
    }
}

/// The type of a struct's field.
pub fn of_field(field: &Field) -> Type {
    of_kind(field.ctype, field.kind)
}

impl Type {
    /// `int`
    pub const INT: Type = Type::Int(INT);

    /// The integer type, where it is one or an enumeration.
    pub fn as_int(&self) -> Option<IntType> {
        match self {
            Type::Int(ty) => Some(*ty),
            Type::Enum(of) => Some(of.int),
            _ => None,
        }
    }

    /// The form of the string, where it is one.
    pub fn as_text(&self) -> Option<Text> {
        match self {
            Type::String(text) => Some(*text),
            _ => None,
        }
    }

    /// Whether it is a number or a pointer to something in memory: what can be true or false.
    pub fn is_scalar(&self) -> bool {
        self.as_int().is_some() || self.is_address()
    }

    /// Whether it is a pointer to something in memory, not into a probe's record.
    pub fn is_address(&self) -> bool {
        matches!(self, Type::Pointer(to) if !matches!(**to, Type::Struct(_)))
    }

    /// Whether it points into a probe's record: good for `->` only.
    pub fn is_record(&self) -> bool {
        matches!(self, Type::Pointer(to) if matches!(**to, Type::Struct(_)))
    }

    /// Size in bytes; none for `void`, functions, and what is only declared.
    pub fn size(&self) -> Option<u32> {
        match self {
            Type::Void | Type::Function(_) => None,
            Type::Int(ty) => Some(u32::from(ty.bytes)),
            Type::Enum(of) => Some(u32::from(of.int.bytes)),
            Type::Float(ty) => Some(ty.bytes()),
            Type::String(text) => Some(text_size(*text)),
            Type::Pointer(_) => Some(8),
            Type::Array(of, count) => of.size()?.checked_mul(*count),
            Type::Composite(of) => Some(of.body()?.size),
            Type::Struct(def) => Some(def.size as u32),
            Type::Stack(_) | Type::Symbol(_) => None,
        }
    }

    /// Alignment in bytes; 1 for what has none.
    pub fn align(&self) -> u32 {
        match self {
            Type::Array(of, _) => of.align(),
            Type::Composite(of) => of.body().map_or(1, |body| body.align),
            Type::Int(_) | Type::Enum(_) | Type::Float(_) | Type::Pointer(_) => self.size().unwrap_or(1),
            Type::Void
            | Type::Function(_)
            | Type::String(_)
            | Type::Struct(_)
            | Type::Stack(_)
            | Type::Symbol(_) => 1,
        }
    }

    /// Whether it is the same type by another name: two integers of one size and sign are.
    pub fn same(&self, other: &Type) -> bool {
        match (self, other) {
            (Type::Int(a), Type::Int(b)) => (a.bytes, a.signed) == (b.bytes, b.signed),
            (Type::Pointer(a), Type::Pointer(b)) => a.same(b),
            (Type::Array(a, n), Type::Array(b, m)) => n == m && a.same(b),
            (a, b) => a == b,
        }
    }

    /// Whether it is a structure that a traced program defines, or leads to one.
    pub fn is_of_program(&self) -> bool {
        match self {
            Type::Composite(of) => of.is_of_program(),
            Type::Array(of, _) | Type::Pointer(of) => of.is_of_program(),
            _ => false,
        }
    }

    /// Whether it is held as bytes in memory rather than as a number or a string.
    pub fn is_aggregate(&self) -> bool {
        matches!(self, Type::Array(..) | Type::Composite(_))
    }

    /// Whether it is an array of characters, or, of unknown length, a pointer to some: what can be read as a string.
    pub fn is_characters(&self) -> bool {
        match self {
            Type::Array(of, _) | Type::Pointer(of) => matches!(**of, Type::Int(IntType { bytes: 1, .. })),
            _ => false,
        }
    }
}

impl ProbePart {
    /// The built-in variable that gives it.
    pub fn name(self) -> &'static str {
        match self {
            ProbePart::Provider => "probeprov",
            ProbePart::Module => "probemod",
            ProbePart::Function => "probefunc",
            ProbePart::Name => "probename",
        }
    }
}

impl Expr {
    /// Whether this address may be one of the current process's memory: it was said to be, was found there, or leads to a
    /// structure of a traced program, of which copyin() may have brought one here.
    pub fn leads_to_process(&self) -> bool {
        let found_there = |place: &Place| match place.whole() {
            Place::Memory(address) => address.leads_to_process(),
            _ => false,
        };
        let to_its_structure = matches!(&self.ty, Type::Pointer(to) if to.is_of_program());
        to_its_structure
            || match &self.kind {
                ExprKind::OfProcess(_) => true,
                ExprKind::Load(place) | ExprKind::AddressOf(place) => found_there(place),
                ExprKind::Cast(of) | ExprKind::Binary(_, of, _) | ExprKind::Comma(_, of) => {
                    of.leads_to_process()
                }
                ExprKind::Conditional(_, yes, no) => yes.leads_to_process() || no.leads_to_process(),
                _ => false,
            }
    }

    /// The same value in another type; unchanged, but for the type's name, where nothing has to be done.
    pub fn converted(self, ty: &Type) -> Expr {
        if self.ty == *ty {
            return self;
        }
        let span = self.span;
        match (&self.ty, ty, &self.kind) {
            (Type::Int(to), Type::Int(from), _) if (to.bytes, to.signed) == (from.bytes, from.signed) => {
                Expr { ty: ty.clone(), ..self }
            }
            (Type::Int(_), Type::Int(to), &ExprKind::Int(value)) => {
                Expr { kind: ExprKind::Int(wrap(value, *to)), ty: ty.clone(), span }
            }
            (Type::Pointer(_), Type::Pointer(_), _) => Expr { ty: ty.clone(), ..self },
            (_, Type::String(Text::Buffer(size)), ExprKind::Str(bytes)) if bytes.len() < *size as usize => {
                Expr { ty: ty.clone(), ..self }
            }
            _ => Expr { kind: ExprKind::Cast(Box::new(self)), ty: ty.clone(), span },
        }
    }

    /// The same value as an integer type.
    pub fn to_int(self, ty: IntType) -> Expr {
        self.converted(&Type::Int(ty))
    }

    /// What decides: an integer, a pointer being one.
    pub fn condition(self) -> Expr {
        if matches!(self.ty, Type::Pointer(_)) { self.to_int(ULONG) } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(value: u64, radix: Radix, unsigned: bool, longs: u8) -> &'static str {
        of_literal(&IntLit { value, radix, unsigned, longs }).name
    }

    #[test]
    fn constants_have_the_types_that_c_gives_them() {
        assert_eq!(literal(0x7fff_ffff, Radix::Decimal, false, 0), "int");
        assert_eq!(literal(0x8000_0000, Radix::Decimal, false, 0), "long");
        assert_eq!(literal(0x8000_0000, Radix::Hex, false, 0), "unsigned int");
        assert_eq!(literal(1, Radix::Decimal, true, 0), "unsigned int");
        assert_eq!(literal(1, Radix::Decimal, false, 2), "long");
        assert_eq!(literal(1, Radix::Octal, true, 1), "unsigned long");
        assert_eq!(literal(u64::MAX, Radix::Hex, false, 0), "unsigned long");
    }

    #[test]
    fn operands_meet_in_the_type_that_c_chooses() {
        let int = |name| named(name).unwrap();
        assert_eq!(common(int("int8_t"), int("uint16_t")).name, "int");
        assert_eq!(common(int("pid_t"), int("uid_t")).name, "unsigned int");
        assert_eq!(common(int("uint32_t"), int("int64_t")).name, "int64_t");
        assert_eq!(common(int("uint64_t"), int("int64_t")).name, "unsigned long");
        assert_eq!(common(int("uint64_t"), int("uint64_t")).name, "uint64_t");
    }

    #[test]
    fn values_wrap_to_their_size_and_sign() {
        assert_eq!(wrap(0x1_ff, plain(1, true)), -1);
        assert_eq!(wrap(-1, plain(2, false)), 0xffff);
        assert_eq!(wrap(i64::MIN, plain(8, false)), i64::MIN);
    }

    #[test]
    fn no_name_stands_twice() {
        let mut names: Vec<&str> = NAMED.iter().map(|row| row.0).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), NAMED.len());
    }
}
