//! Probes that programs bring along (USDT): their places and where their arguments are is written in notes of the program's
//! file. One trampoline serves them all; the cookie of an attachment says which probe it is, and by which row of [`SPECS`] its
//! arguments are found.

use crate::probe::{Attach, Program};
use crate::schema::Described;
use crate::table::words;

/// The map of where arguments are: a [`Spec`] for each place of a probe, filled in by the tracer.
pub const SPECS: &str = "USDT_SPECS";

/// Arguments of a probe at most, as <sys/sdt.h> has it.
pub const MOST_ARGS: usize = 12;

/// Where the arguments of a probe are, at one of its places.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spec {
    /// Each argument's place.
    pub args: [Operand; MOST_ARGS],
}

/// Where an argument is.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operand {
    /// The constant, or what is added to the registers for an address.
    pub offset: i64,
    /// One of [`sort`].
    pub sort: u8,
    /// By how many bits the index is shifted to the left.
    pub scale: u8,
    /// Bytes of the value.
    pub bytes: u8,
    /// 1 for a signed value.
    pub signed: u8,
    /// Where `struct pt_regs` has the register; [`NO_REGISTER`] for none.
    pub base: u16,
    /// The same for the register that is scaled.
    pub index: u16,
}

/// What an [`Operand`] is.
pub mod sort {
    /// A constant.
    pub const CONSTANT: u8 = 0;
    /// A register.
    pub const REGISTER: u8 = 1;
    /// Memory of the process.
    pub const MEMORY: u8 = 2;
}

/// Where there is no register.
pub const NO_REGISTER: u16 = u16::MAX;

words! {
    /// The arguments of a probe of a program.
    pub struct UserProbe as "user_probe", ARGS: [i64 as "int64_t"; 12]
}

/// Any of them.
pub const USDT: Program =
    Program { name: "usdt", attach: Attach::Uprobe, family: true, record: &UserProbe::DEF, needs: &[] };
