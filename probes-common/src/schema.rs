//! Descriptions of records: one declaration gives the Rust struct, its D type, its documentation and its want bits.

/// What a field holds and how D sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An integer of 1, 2, 4 or 8 bytes.
    Int {
        /// Size in bytes.
        bytes: u8,
        /// Whether it is signed.
        signed: bool,
    },
    /// A zero-padded string of at most so many bytes, the terminating zero included; a `string` in D.
    Str(u16),
    /// An [`Ip`] address in binary; a `string` in D.
    Ip,
    /// A struct inside the record; D sees a pointer to it.
    Struct(&'static StructDef),
}

/// A struct that D programs can name and look into.
#[derive(Debug, PartialEq, Eq)]
pub struct StructDef {
    /// Its name in D, such as `psinfo_t`.
    pub name: &'static str,
    /// What it describes.
    pub doc: &'static str,
    /// Its size in bytes.
    pub size: usize,
    /// Its fields, in order of their offsets.
    pub fields: &'static [Field],
}

impl StructDef {
    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The want bit of the field at that offset, for the trampolines: they name fields by `offset_of!`.
    pub const fn bit_at(&self, offset: usize) -> u8 {
        let mut index = 0;
        while index < self.fields.len() {
            if self.fields[index].offset == offset {
                return self.fields[index].bit;
            }
            index += 1;
        }
        panic!("no field at that offset")
    }
}

/// One field of a struct.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in D.
    pub name: &'static str,
    /// Its type as D prints it, such as `pid_t`.
    pub ctype: &'static str,
    /// What it holds, with units.
    pub doc: &'static str,
    /// Its offset in bytes.
    pub offset: usize,
    /// What it holds.
    pub kind: Kind,
    /// The want bit that asks for it: of a struct field, the bit at which its own fields' bits begin.
    pub bit: u8,
}

/// An Internet address as 16 bytes, IPv4 as `::ffff:a.b.c.d`; all zero where there is none.
#[repr(C, align(8))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ip(pub [u8; 16]);

/// A struct with a description.
pub trait Described {
    /// The description.
    const DEF: StructDef;
}

/// The types that a field can have.
pub trait FieldKind {
    /// How D sees it.
    const KIND: Kind;
}

macro_rules! int_kinds {
    ($($ty:ty, $bytes:literal, $signed:literal;)*) => {
        $(impl FieldKind for $ty {
            const KIND: Kind = Kind::Int { bytes: $bytes, signed: $signed };
        })*
    };
}

int_kinds! {
    i8, 1, true; i16, 2, true; i32, 4, true; i64, 8, true;
    u8, 1, false; u16, 2, false; u32, 4, false; u64, 8, false;
}

impl<const N: usize> FieldKind for [u8; N] {
    const KIND: Kind = Kind::Str(N as u16);
}

impl FieldKind for Ip {
    const KIND: Kind = Kind::Ip;
}

/// Declares a record or a part of one: `BIT name: RustType as "D type";`, the documentation above each field.
///
/// A field's bit is relative to where the struct stands; fields that are fetched together share one. All-zero bytes
/// are a valid value of every such struct.
#[macro_export]
macro_rules! record {
    ($(
        $(#[doc = $doc:literal])*
        pub struct $name:ident as $dname:literal {
            $( $(#[doc = $fdoc:literal])* $bit:literal $field:ident: $ty:ty as $ctype:literal; )*
        }
    )*) => { $(
        $(#[doc = $doc])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug)]
        pub struct $name { $( $(#[doc = $fdoc])* pub $field: $ty, )* }

        impl $crate::schema::Described for $name {
            const DEF: $crate::schema::StructDef = $crate::schema::StructDef {
                name: $dname,
                doc: concat!($($doc),*),
                size: core::mem::size_of::<$name>(),
                fields: &[ $( $crate::schema::Field {
                    name: stringify!($field),
                    ctype: $ctype,
                    doc: concat!($($fdoc),*),
                    offset: core::mem::offset_of!($name, $field),
                    kind: <$ty as $crate::schema::FieldKind>::KIND,
                    bit: $bit,
                } ),* ],
            };
        }

        impl $crate::schema::FieldKind for $name {
            const KIND: $crate::schema::Kind =
                $crate::schema::Kind::Struct(&<$name as $crate::schema::Described>::DEF);
        }
    )* };
}
