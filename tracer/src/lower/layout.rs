//! Where things lie in what the kernel hands out: messages in the ring, keys and values of aggregations.
//!
//! The code generator writes these while it lays the memory out; the consumer decodes by them. Nothing else knows.

use std::rc::Rc;

use probes_common::abi::OWN_FRAMES;

use super::near::Near;
use crate::check::typed::{Aggregation, AggregationId, ProbePart, Shape, Stack, Symbol};
use crate::diagnostic::Span;
use crate::syntax::format::Format;

/// How a value lies in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repr {
    /// A little-endian integer.
    Int {
        /// 1, 2, 4 or 8.
        bytes: u8,
        /// Whether it is signed.
        signed: bool,
    },
    /// A zero-padded string in so many bytes.
    Str(u32),
    /// A floating-point number of 4, 8 or 16 bytes, as C's `float`, `double` and `long double`.
    Float(u8),
    /// So many bytes of memory as they were: a structure or an array. What they mean, the action's kind says.
    Bytes(u32),
    /// 16 bytes of [`probes_common::schema::Ip`].
    Ip,
    /// A u32, `program << 16 | discriminator`, that stands for a part of that probe's name.
    Probe(ProbePart),
    /// A call stack: for a process's a word with its id, for the kernel's one that says how many addresses come before it; then
    /// [`stack_words`] addresses, zeros behind them.
    Stack(Stack),
    /// A call stack as a part of a key: for a process's, a word with its id; then the word under which the map
    /// [`stacks_map`] has the addresses.
    StackKey(Stack),
    /// An address to be shown by its symbol: for a process's, a word with its id before it.
    Symbol(Symbol),
}

/// How many addresses are taken of a stack: those of the kernel's may begin behind our own.
pub fn stack_words(stack: Stack) -> u32 {
    if stack.user { stack.frames } else { stack.frames + OWN_FRAMES as u32 }
}

/// Symbol of the map that keeps stacks of so many addresses: a hash with a word as key.
pub fn stacks_map(frames: u32) -> String {
    format!("stacks_{frames}")
}

/// Symbol of the map for keys that come where the kernel has no memory at hand for another of a hash's elements. It keeps
/// one or a few for each CPU and gets more when interrupts are allowed again (bpf_mem_refill in kernel/bpf/memalloc.c):
/// too late for a second new key of one interrupt, of one change of threads. A map for all aggregations of such keys and
/// values, each key behind the word [`AggregationAt::number`].
pub fn spare_map(key_size: u32, value_size: u32) -> String {
    format!("spare_{key_size}_{value_size}")
}

impl Repr {
    /// Whether several of its values can be shown alike.
    pub fn is_shown_by_name(self) -> bool {
        matches!(self, Repr::Stack(_) | Repr::StackKey(_) | Repr::Symbol(_))
    }

    /// Whether it has addresses of the kernel that are shown by name.
    pub fn names_kernel(self) -> bool {
        self.is_shown_by_name() && !self.names_process()
    }

    /// Whether it has addresses of a process.
    pub fn names_process(self) -> bool {
        match self {
            Repr::Stack(stack) | Repr::StackKey(stack) => stack.user,
            Repr::Symbol(symbol) => symbol.user,
            _ => false,
        }
    }

    /// Size in bytes.
    pub fn size(self) -> u32 {
        match self {
            Repr::Int { bytes, .. } | Repr::Float(bytes) => u32::from(bytes),
            Repr::Str(size) | Repr::Bytes(size) => size,
            Repr::Ip => 16,
            Repr::Probe(_) => 4,
            Repr::Stack(stack) => 8 * (1 + stack_words(stack)),
            Repr::StackKey(Stack { user, .. }) | Repr::Symbol(Symbol { user, .. }) => {
                8 * (u32::from(user) + 1)
            }
        }
    }
}

/// A value at an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldAt {
    /// Bytes from the beginning of the message (its header included) or of the key.
    pub offset: u32,
    /// How it lies there.
    pub repr: Repr,
}

/// One action of a clause with the values it recorded.
#[derive(Debug, Clone)]
pub struct ActionAt {
    /// What to do with them.
    pub kind: ActionKind,
    /// The values, in order.
    pub fields: Vec<FieldAt>,
}

/// What the consumer does on receiving an action.
#[derive(Debug, Clone)]
pub enum ActionKind {
    /// Print the value in default form.
    Trace,
    /// Print the value with its type.
    Print(Rc<Shape>),
    /// Format the values.
    Printf(Rc<Format>),
    /// Print aggregations.
    Printa(Option<Rc<Format>>, Vec<AggregationId>),
    /// Set an aggregation's values to zero, keep its keys.
    Clear(AggregationId),
    /// Remove an aggregation's keys: all, or all but the largest (smallest, when negative) n in the one field.
    Trunc(AggregationId),
    /// Divide what is printed by the one field.
    Normalize(AggregationId),
    /// Divide no more.
    Denormalize(AggregationId),
    /// End with the status in the one field.
    Exit,
    /// What follows is recorded in a speculation.
    Speculate,
    /// Print what was recorded in the speculation whose tag is the one field; 0 for none.
    Commit,
    /// Forget it.
    Discard,
    /// Show the bytes in the first field as a table: all, or as many as the second says.
    Tracemem,
    /// Show or write the packet in the first field, of which the second says how many bytes it has, the third what it begins with.
    Pcap,
    /// Run a command.
    System(Rc<Format>),
    /// Print to this file; none for where the output went first.
    Freopen(Option<Rc<Format>>),
    /// Empty the file that is printed to.
    Ftruncate,
    /// Set an option.
    Setopt(String, String),
}

/// The first enabled probe id of a program. DTrace's own is before it: the clause of ERROR that tells of faults.
pub const FIRST_EPID: u32 = 2;

/// The message of one enabled probe: a clause on a program, or where it has `if`, a part of that.
#[derive(Debug, Clone)]
pub struct Layout {
    /// Its enabled probe id: the index in a program's layouts and [`FIRST_EPID`].
    pub epid: u32,
    /// Index of the clause in the typed program.
    pub clause: usize,
    /// Size of the whole message in bytes, the header included.
    pub size: u32,
    /// Whether it belongs to a speculation, whose tag is the word behind the header.
    pub speculative: bool,
    /// The actions in order; empty for the default action.
    pub actions: Vec<ActionAt>,
    /// For each instruction that can fault: its index and the action (from 1) and place it belongs to.
    pub faults: Vec<(u32, u32, Span)>,
}

impl ActionKind {
    /// Whether it is about a speculation only, and shows nothing.
    pub fn is_about_speculation(&self) -> bool {
        matches!(self, ActionKind::Speculate | ActionKind::Commit | ActionKind::Discard)
    }
}

/// An aggregation's maps.
#[derive(Debug, Clone)]
pub struct AggregationAt {
    /// The aggregation.
    pub aggregation: Aggregation,
    /// Its place among the program's.
    pub number: u32,
    /// Symbol of the map: an array with one element, the CPUs' values side by side, where there is no key, a per-CPU hash where
    /// there is. The hash has a [`spare_map`] beside it, and a key's value is what both have.
    pub map: String,
    /// The parts of the key, each at a multiple of 8.
    pub keys: Vec<FieldAt>,
    /// Size of the key in bytes.
    pub key_size: u32,
    /// Size of a CPU's value in bytes; at its beginning lies what [`value_words`] says.
    pub value_size: u32,
    /// Where keys are that need not be looked up in the map.
    pub near: Option<Near>,
}

/// How many u64 words a value of that function has, all CPUs' to be merged word by word:
/// count: `[n]`; sum: `[calls, sum]`; avg: `[calls, sum]`; min, max: `[calls, value]` (a CPU with no calls has no say);
/// stddev: `[calls, sum, lower and upper half of the sum of squares]`; quantize: `[calls, bucket 0..126]`;
/// lquantize: `[calls, below, bucket 0..levels-1, above]`; llquantize: `[calls, below, buckets of negative values, around
/// zero, buckets of positive values, above]`.
pub fn value_words(function: crate::check::typed::Function) -> u32 {
    use crate::check::typed::Function;
    match function {
        Function::Count => 1,
        Function::Sum | Function::Avg | Function::Min | Function::Max => 2,
        Function::Stddev => 4,
        Function::Quantize => 1 + 127,
        Function::Lquantize { low, high, step } => 1 + 2 + lquantize_levels(low, high, step),
        Function::Llquantize { .. } => {
            1 + 3 + 2 * magnitudes(function).map(|magnitude| magnitude.steps).sum::<u32>()
        }
    }
}

/// How many buckets lie between the bounds.
pub fn lquantize_levels(low: i64, high: i64, step: u64) -> u32 {
    ((high as i128 - low as i128) as u128 / step as u128) as u32
}

/// A magnitude of llquantize: its buckets, which are multiples of their width; the first may be cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Magnitude {
    /// Where its first bucket begins: a power of the factor.
    pub from: i128,
    /// Where the next magnitude begins.
    pub to: i128,
    /// Width of each bucket.
    pub width: i128,
    /// How many buckets it has.
    pub steps: u32,
}

/// The magnitudes of llquantize, from the lowest to the highest; none for other functions.
pub fn magnitudes(function: crate::check::typed::Function) -> impl Iterator<Item = Magnitude> {
    use crate::check::typed::Function;
    let (factor, low, high, steps) = match function {
        Function::Llquantize { factor, low, high, steps } => {
            (i128::from(factor), low, high, i128::from(steps))
        }
        _ => (1, 1, 0, 1),
    };
    // The checker has made sure that the highest magnitude fits in 64 bits; a factor has 16.
    (low..=high).map(move |power| {
        let from = factor.pow(power.into());
        let to = from * factor;
        let width = (to / steps).max(1);
        Magnitude { from, to, width, steps: (to / width - from / width) as u32 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::typed::Function;

    #[test]
    fn magnitudes_are_divided_evenly() {
        let all: Vec<Magnitude> =
            magnitudes(Function::Llquantize { factor: 10, low: 0, high: 2, steps: 20 }).collect();
        let magnitude = |from, to, width, steps| Magnitude { from, to, width, steps };
        // Below 20 there are no 20 whole numbers: each is a bucket.
        assert_eq!(all, [magnitude(1, 10, 1, 9), magnitude(10, 100, 5, 18), magnitude(100, 1000, 50, 18)]);
        let widest = Function::Llquantize { factor: 2, low: 62, high: 63, steps: 2 };
        assert_eq!(magnitudes(widest).last().map(|last| last.to), Some(1 << 64));
        assert_eq!(value_words(widest), 1 + 3 + 2 * 2);
        let few: Vec<Magnitude> =
            magnitudes(Function::Llquantize { factor: 10, low: 0, high: 0, steps: 5 }).collect();
        assert_eq!(few, [magnitude(1, 10, 2, 5)]);
        assert_eq!(magnitudes(Function::Count).count(), 0);
    }
}
