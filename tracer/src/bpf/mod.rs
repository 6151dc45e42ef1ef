//! eBPF instructions as the kernel takes them, functions made of them, and their text.
//!
//! Invariant: nothing here knows where the instructions come from; `ir` makes them, `link` joins them.

mod disassemble;
mod helper;
pub mod insn;

pub use disassemble::disassemble;
pub use helper::helper_name;
pub use insn::Insn;

/// Where in the source an instruction comes from: opaque here, carried to [`Code::lines`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct At(pub u32);

/// What the linker has to fill in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RelocationKind {
    /// A 64-bit immediate that names a map (R_BPF_64_64).
    Map,
    /// A 64-bit immediate that is the address of a byte of a data section (R_BPF_64_64). The addend also stands in the
    /// first immediate.
    Data,
    /// A call of a function (R_BPF_64_32). The immediate is -1 until then.
    Call,
}

/// An instruction that needs the linker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Relocation {
    /// Which instruction, counted in eight bytes.
    pub offset: u32,
    /// What is wanted.
    pub kind: RelocationKind,
    /// Of which symbol.
    pub symbol: String,
    /// Bytes to add to the symbol's address.
    pub addend: i64,
}

/// A compiled function.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Code {
    /// Its symbol.
    pub name: String,
    /// Its instructions.
    pub insns: Vec<Insn>,
    /// What the linker fills in, by offset.
    pub relocations: Vec<Relocation>,
    /// From which instruction on which source position holds, by offset.
    pub lines: Vec<(u32, At)>,
    /// Bytes of stack that it uses.
    pub frame: u32,
}

impl Code {
    /// The bytes of all instructions.
    pub fn bytes(&self) -> Vec<u8> {
        self.insns.iter().flat_map(|insn| insn.encode()).collect()
    }
}
