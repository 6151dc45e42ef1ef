//! Values and events in a form that no output format shapes: what the consumer makes and every output prints.
//!
//! [`Event`] is the schema of everything that a run says: its JSON form (one object a line) is documented in
//! docs/json.md and produced by `output::json` alone.

use std::rc::Rc;

use super::packet::Packet;
use crate::check::Options;
use crate::check::typed::{Function, Shape, Shows};
use crate::provider::ProbeId;
use crate::syntax::format::Format;

/// A value from the kernel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// An integer: the value sign- or zero-extended, the size in bytes of its type, whether the type is signed.
    Int {
        /// Its value; an unsigned 64-bit one wraps.
        value: i64,
        /// 1, 2, 4 or 8.
        bytes: u8,
        /// Whether it is signed.
        signed: bool,
    },
    /// A string, without its terminating zero; any bytes.
    Str(Vec<u8>),
    /// A floating-point number: the bits of a double.
    Float(u64),
    /// Memory as it was: a structure or an array.
    Bytes(Vec<u8>),
    /// A call stack, the innermost frame first.
    Stack {
        /// The process; 0 for the kernel's stack.
        pid: u32,
        /// Its frames.
        frames: Vec<Frame>,
        /// Blanks before each when it is printed, as the option stackindent said when it was read.
        indent: usize,
    },
    /// An address that is shown by its symbol.
    Symbol {
        /// The process; 0 for an address of the kernel.
        pid: u32,
        /// What was found.
        frame: Frame,
        /// What is shown of it.
        shows: Shows,
    },
}

/// An address of code or data, with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Frame {
    /// The address.
    pub address: u64,
    /// The symbol that it belongs to.
    pub symbol: Option<String>,
    /// How far behind the symbol's beginning it lies.
    pub offset: u64,
    /// The module, or the file that is mapped there.
    pub module: Option<String>,
}

impl Frame {
    /// As dtrace shows an address: ``module`symbol+0xoffset``, what is not known left out.
    pub fn show(&self, shows: Shows) -> String {
        let Frame { address, symbol, offset, module } = self;
        match (module, symbol, shows) {
            (Some(module), _, Shows::Module) => module.clone(),
            (Some(module), Some(symbol), Shows::Address) if *offset > 0 => {
                format!("{module}`{symbol}+{offset:#x}")
            }
            (None, Some(symbol), Shows::Address) if *offset > 0 => format!("{symbol}+{offset:#x}"),
            (Some(module), Some(symbol), _) => format!("{module}`{symbol}"),
            (None, Some(symbol), Shows::Address | Shows::Function) => symbol.clone(),
            (Some(module), None, _) => format!("{module}`{address:#x}"),
            (None, ..) => format!("{address:#x}"),
        }
    }
}

/// What a run says, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A clause fired and recorded something, or had nothing but its probe's line to say.
    Firing(Firing),
    /// printa, or the aggregations at the end.
    Aggregations(Printout),
    /// Something was lost.
    Drop(DropNotice),
    /// A clause faulted.
    Fault(FaultNotice),
    /// Something could not be shown in the order of time.
    Disorder(Disorder),
    /// A signal asks for the end.
    Interrupted,
    /// Nothing more is recorded: what follows is what is left to say.
    Ended,
}

/// One firing of one clause.
#[derive(Debug, Clone, PartialEq)]
pub struct Firing {
    /// The probe.
    pub probe: ProbeId,
    /// Enabled probe id.
    pub epid: u32,
    /// The CPU.
    pub cpu: u32,
    /// Nanoseconds, monotonic.
    pub time: u64,
    /// Where it stands between entries and returns, where that is asked for.
    pub flow: Option<Flow>,
    /// What it recorded; empty for the default action.
    pub actions: Vec<Recorded>,
}

/// Where a firing stands between entries and returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// What it is.
    pub kind: FlowKind,
    /// Characters by which it is indented.
    pub indent: usize,
}

/// What a firing is, as far as entries and returns go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowKind {
    /// The first record of an entry; of a system call's.
    Entry {
        /// Whether it is a system call's.
        syscall: bool,
    },
    /// The last record of a return.
    Return {
        /// Whether it is a system call's.
        syscall: bool,
    },
    /// Anything else.
    Inside,
}

/// What one action recorded.
#[derive(Debug, Clone, PartialEq)]
pub enum Recorded {
    /// trace(value)
    Trace(Value),
    /// print(value)
    Print(Rc<Shape>, Value),
    /// printf
    Printf(Rc<Format>, Vec<Value>),
    /// printa: taken when the message was read.
    Printa(Printout),
    /// exit(status)
    Exit(i32),
    /// tracemem: what is shown.
    Memory(Vec<u8>),
    /// pcap
    Packet(Packet),
    /// system: the command.
    System(Vec<u8>),
    /// freopen: the file; none for where the output went first.
    Freopen(Option<Vec<u8>>),
    /// ftruncate()
    Ftruncate,
    /// setopt
    Setopt {
        /// The option.
        name: String,
        /// What it is set to.
        value: String,
        /// Why it was not.
        refused: Option<&'static str>,
        /// All options as they are now.
        options: Rc<Options>,
    },
    /// An action without output: clear, trunc, normalize, denormalize.
    Silent,
}

/// Aggregations to print together.
#[derive(Debug, Clone, PartialEq)]
pub struct Printout {
    /// The format; none for the default layout.
    pub format: Option<Rc<Format>>,
    /// The aggregations; several are joined by key.
    pub tables: Vec<Table>,
}

/// A snapshot of an aggregation.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Name without `@`.
    pub name: String,
    /// The function.
    pub function: Function,
    /// What values are divided by when printed; 1 for not at all.
    pub normal: i64,
    /// The rows, unsorted.
    pub rows: Vec<Row>,
}

/// One key with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The key.
    pub key: Vec<Value>,
    /// The value, merged over all CPUs, in the words of `lower::layout::value_words`.
    pub words: Vec<u64>,
}

/// Something was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropNotice {
    /// What kind.
    pub kind: probes_common::abi::Drop,
    /// The CPU, where drops of that kind are counted by CPU.
    pub cpu: Option<u32>,
    /// The programs or probes that lost it, such as `syscall:::entry`; never empty.
    pub by: Vec<Lost>,
}

/// What one program or probe lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The program or probe.
    pub probe: String,
    /// How many since the last notice.
    pub count: u64,
    /// How many in all.
    pub total: u64,
}

/// Firings that are shown after later ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disorder {
    /// How many since the last notice.
    pub count: u64,
    /// How many in all.
    pub total: u64,
}

impl DropNotice {
    /// How many were lost since the last notice.
    pub fn count(&self) -> u64 {
        self.by.iter().map(|lost| lost.count).sum()
    }
}

/// A clause faulted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultNotice {
    /// The probe.
    pub probe: ProbeId,
    /// Enabled probe id of the clause.
    pub epid: u32,
    /// The action in it, from 1.
    pub action: u32,
    /// The instruction in it.
    pub offset: u32,
    /// DTRACEFLT_*.
    pub fault: u64,
    /// The address or value.
    pub value: u64,
    /// The CPU.
    pub cpu: u32,
    /// Nanoseconds, monotonic.
    pub time: u64,
}

/// The value that a bucket of quantize stands for: 0 at 63, powers of two above, their negatives below.
pub fn quantize_value(bucket: usize) -> i64 {
    match bucket {
        63 => 0,
        64.. => 1_i64 << (bucket - 64).min(62),
        _ => -(1_i64 << (62 - bucket).min(62)),
    }
}

/// A floating-point number of 4, 8 or 16 bytes; of the last, the ten of x86's extended format count.
pub fn double(bytes: &[u8]) -> f64 {
    match *bytes {
        [a, b, c, d] => f32::from_le_bytes([a, b, c, d]).into(),
        [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
        [ref mantissa @ .., low, high, _, _, _, _, _, _] if mantissa.len() == 8 => {
            let exponent = i32::from(u16::from_le_bytes([low, high & 0x7f])) - 16383 - 63;
            // In two steps: the power alone may be too small for a double where the number is not.
            let magnitude =
                mantissa.iter().rev().fold(0_u64, |word, &byte| word << 8 | u64::from(byte)) as f64;
            let half = exponent / 2;
            let value = magnitude * 2_f64.powi(half) * 2_f64.powi(exponent - half);
            if high & 0x80 == 0 { value } else { -value }
        }
        _ => f64::NAN,
    }
}
