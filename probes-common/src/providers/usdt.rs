//! Probes that programs bring along (USDT): their places and where their arguments are is written in notes of the program's
//! file. One trampoline serves them all; the cookie of an attachment says which probe it is, and by which row of [`SPECS`] its
//! arguments are found.

use crate::probe::{Arg, Attach, Program};
use crate::record;
use crate::schema::Described;

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

record! {
    /// The arguments of a probe of a program.
    pub struct UserProbe as "user_probe" {
        /// The first argument.
        0 arg0: i64 as "int64_t";
        /// The second argument.
        1 arg1: i64 as "int64_t";
        /// The third argument.
        2 arg2: i64 as "int64_t";
        /// The fourth argument.
        3 arg3: i64 as "int64_t";
        /// The fifth argument.
        4 arg4: i64 as "int64_t";
        /// The sixth argument.
        5 arg5: i64 as "int64_t";
        /// The seventh argument.
        6 arg6: i64 as "int64_t";
        /// The eighth argument.
        7 arg7: i64 as "int64_t";
        /// The ninth argument.
        8 arg8: i64 as "int64_t";
        /// The tenth argument.
        9 arg9: i64 as "int64_t";
        /// The eleventh argument.
        10 arg10: i64 as "int64_t";
        /// The twelfth argument.
        11 arg11: i64 as "int64_t";
    }
}

/// Any of them.
pub const USDT: Program =
    Program { name: "usdt", attach: Attach::Uprobe, family: true, record: &UserProbe::DEF, needs: &[] };

/// The arguments of a probe that has the most; others have the first of them.
pub const ARGS: &[Arg] = &[
    Arg { ctype: "int64_t", field: "arg0", doc: "first argument" },
    Arg { ctype: "int64_t", field: "arg1", doc: "second argument" },
    Arg { ctype: "int64_t", field: "arg2", doc: "third argument" },
    Arg { ctype: "int64_t", field: "arg3", doc: "fourth argument" },
    Arg { ctype: "int64_t", field: "arg4", doc: "fifth argument" },
    Arg { ctype: "int64_t", field: "arg5", doc: "sixth argument" },
    Arg { ctype: "int64_t", field: "arg6", doc: "seventh argument" },
    Arg { ctype: "int64_t", field: "arg7", doc: "eighth argument" },
    Arg { ctype: "int64_t", field: "arg8", doc: "ninth argument" },
    Arg { ctype: "int64_t", field: "arg9", doc: "tenth argument" },
    Arg { ctype: "int64_t", field: "arg10", doc: "eleventh argument" },
    Arg { ctype: "int64_t", field: "arg11", doc: "twelfth argument" },
];
