//! Moving bytes: addresses, copies and zeros of sizes known when compiling.

use super::clause::Clause;
use super::data::ZEROS;
use super::helper;
use crate::ir::{Base, Builder, Memory, Operand, Size, VReg};

/// Copies of more bytes than this call a helper.
const UNROLLED_COPY: u32 = 128;
/// So does writing more zeros than this.
const UNROLLED_ZEROS: u32 = 512;

/// The memory `bytes` further on.
pub(super) fn shift(memory: Memory, bytes: u32) -> Memory {
    Memory { base: memory.base, offset: memory.offset + bytes as i32 }
}

/// The address in a register.
pub(super) fn address(b: &mut Builder, memory: Memory) -> VReg {
    match memory.base {
        Base::Reg(base) if memory.offset == 0 => base,
        Base::Reg(base) => b.add(base, i64::from(memory.offset)),
        Base::Stack(slot) => b.stack_addr(slot, memory.offset),
    }
}

/// The loads and stores that cover `size` bytes: their offsets and sizes.
pub(super) fn pieces(size: u32) -> impl Iterator<Item = (u32, Size)> {
    let mut offset = 0;
    std::iter::from_fn(move || {
        let piece =
            [Size::B8, Size::B4, Size::B2, Size::B1].into_iter().find(|p| p.bytes() <= size - offset)?;
        offset += piece.bytes();
        Some((offset - piece.bytes(), piece))
    })
}

impl Clause<'_> {
    /// The address in a register.
    pub(super) fn address(&mut self, memory: Memory) -> VReg {
        address(&mut self.b, memory)
    }

    /// Copies `size` bytes.
    pub(super) fn copy(&mut self, to: Memory, from: Memory, size: u32) {
        if size > UNROLLED_COPY {
            let (to, from) = (self.address(to), self.address(from));
            let args: [Operand; 3] = [to.into(), Operand::Imm(size.into()), from.into()];
            return self.b.helper_void(helper::PROBE_READ_KERNEL, &args);
        }
        for (offset, piece) in pieces(size) {
            let value = self.b.load(piece, shift(from, offset));
            self.b.store(piece, shift(to, offset), value);
        }
    }

    /// Writes zeros.
    pub(super) fn clear(&mut self, to: Memory, size: u32) {
        if size > UNROLLED_ZEROS {
            self.data.want_zeros(size);
            let zeros = self.b.data_addr(ZEROS, 0);
            return self.copy(to, (zeros, 0).into(), size);
        }
        for (offset, piece) in pieces(size) {
            self.b.store(piece, shift(to, offset), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_every_byte_once() {
        for size in 0..70 {
            let mut end = 0;
            for (offset, piece) in pieces(size) {
                assert_eq!(offset, end);
                assert_eq!(offset % piece.bytes(), 0);
                end += piece.bytes();
            }
            assert_eq!(end, size);
        }
    }
}
