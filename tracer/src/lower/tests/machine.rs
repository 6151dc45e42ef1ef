//! Runs a compiled clause in rbpf: slot, sections and the helpers that need no kernel.

use std::cell::RefCell;
use std::collections::HashMap;

use probes_common::abi::{SLOT_RECORD, SLOT_SIZE};
use rbpf::EbpfVmRaw;

use crate::bpf::{Insn, RelocationKind};
use crate::ir::Size;
use crate::lower::{ClauseImage, Image};

/// Helpers are numbered as in the kernel; the routines of the probes object come after these.
const ROUTINES: [(&str, rbpf::ebpf::Helper); 4] = [
    ("emit", emit),
    ("drop_count", nothing),
    ("string_compare", string_compare),
    ("string_length", string_length),
];
const FIRST_ROUTINE: u32 = 1000;

/// What the current process is called here.
pub(super) const COMM: [u8; 16] = *b"bash\0\0\0\0\0\0\0\0\0\0\0\0";
/// Its process and thread ids.
pub(super) const PID: u64 = 1234;
pub(super) const TID: u64 = 1235;
/// The time.
pub(super) const NOW: u64 = 1_000_000_007;

thread_local! {
    /// The messages sent, as offset in the slot and length.
    static SENT: RefCell<Vec<(u64, u64)>> = const { RefCell::new(Vec::new()) };
}

/// A slot and the sections of an image.
pub(super) struct Machine {
    slot: Vec<u64>,
    sections: HashMap<String, Vec<u64>>,
}

/// How a clause ended.
#[derive(Debug, PartialEq)]
pub(super) struct Ended {
    /// What it returned.
    pub(super) outcome: u64,
    /// The messages that it sent.
    pub(super) messages: Vec<Vec<u8>>,
}

impl Machine {
    pub(super) fn new(image: &Image) -> Machine {
        let words = |bytes: &[u8]| {
            let word = |chunk: &[u8]| {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                u64::from_le_bytes(word)
            };
            bytes.chunks(8).map(word).collect::<Vec<_>>()
        };
        let mut sections: HashMap<_, _> =
            image.data.iter().map(|section| (section.name.clone(), words(&section.bytes))).collect();
        sections.insert(".data.state".into(), vec![1]);
        Machine { slot: vec![0; image.slot_size.div_ceil(8) as usize], sections }
    }

    /// The words of a section.
    pub(super) fn section(&mut self, name: &str) -> &mut Vec<u64> {
        self.sections.entry(name.to_owned()).or_default()
    }

    /// Writes a word into the slot, at an offset that is a multiple of 8.
    pub(super) fn set(&mut self, offset: usize, value: u64) {
        self.slot[offset / 8] = value;
    }

    /// Writes into the record.
    pub(super) fn set_record(&mut self, offset: usize, value: u64) {
        self.set(SLOT_RECORD + offset, value);
    }

    /// A word of the slot.
    pub(super) fn get(&self, offset: usize) -> u64 {
        self.slot[offset / 8]
    }

    /// Runs the clause, which is not so long that it is in pieces.
    pub(super) fn run(&mut self, clause: &ClauseImage) -> Ended {
        let [piece] = clause.pieces.as_slice() else { panic!("one piece") };
        let mut code = piece.insns.clone();
        for relocation in &piece.relocations {
            let at = relocation.offset as usize;
            match relocation.kind {
                RelocationKind::Call => {
                    let number = ROUTINES.iter().position(|(name, _)| *name == relocation.symbol);
                    code[at].src = 0;
                    code[at].imm = (FIRST_ROUTINE + number.expect("a known routine") as u32) as i32;
                }
                RelocationKind::Data => {
                    let section = &self.sections[&relocation.symbol];
                    let address = section.as_ptr() as u64 + relocation.addend as u64;
                    code[at].src = 0;
                    code[at].imm = address as u32 as i32;
                    code[at + 1].imm = (address >> 32) as u32 as i32;
                }
                RelocationKind::Map => panic!("maps need a kernel"),
            }
        }
        spell_out(&mut code);
        let program: Vec<u8> = code.iter().flat_map(|insn| insn.encode()).collect();
        let mut vm = EbpfVmRaw::new(Some(&program)).expect("rbpf takes it");
        for section in self.sections.values() {
            let start = section.as_ptr() as u64;
            vm.register_allowed_memory(start..start + 8 * section.len() as u64);
        }
        for (index, (_, routine)) in ROUTINES.iter().enumerate() {
            vm.register_helper(FIRST_ROUTINE + index as u32, *routine).expect("a free number");
        }
        let helpers: [(u32, rbpf::ebpf::Helper); 5] =
            [(5, ktime), (8, cpu), (14, pid_tgid), (16, comm), (113, read_kernel)];
        for (number, helper) in helpers {
            vm.register_helper(number, helper).expect("a free number");
        }
        SENT.take();
        // SAFETY: any words are bytes, of which there are eight times as many.
        let memory = unsafe {
            std::slice::from_raw_parts_mut(
                self.slot.as_mut_ptr().cast::<u8>(),
                self.slot.len() * Size::B8.bytes() as usize,
            )
        };
        let outcome = vm.execute_program(memory).expect("it runs");
        let message = |(at, len): (u64, u64)| memory[at as usize..][..len as usize].to_vec();
        let messages = SENT.take().into_iter().map(message).collect();
        Ended { outcome, messages }
    }
}

/// Where the `this->` words begin, or the message where there are none.
pub(super) const AFTER_SLOT: usize = SLOT_SIZE;

/// What rbpf 0.4 does not do, or not as the kernel does, is spelled out behind the end, with a register that is saved
/// meanwhile: it knows no atomic additions, extends the immediates of unsigned comparisons with zeros, and cannot negate the
/// least number.
fn spell_out(code: &mut Vec<Insn>) {
    const SAVED: i16 = -504;
    const UNSIGNED: [u8; 6] = [0x15, 0x25, 0x35, 0x55, 0xa5, 0xb5];
    let insn = |opcode, dst, src, offset| Insn { opcode, dst, src, offset, imm: 0 };
    let (save, restore) = (|spare| insn(0x7b, 10, spare, SAVED), |spare| insn(0x79, spare, 10, SAVED));
    let mut at = 0;
    let end = code.len();
    while at < end {
        let Insn { opcode, dst, src, offset, imm } = code[at];
        let spare = (0..3).find(|spare| *spare != dst && *spare != src).expect("one of three");
        let begin = code.len();
        let back = |to: usize, from: usize| insn(0x05, 0, 0, (to as i64 - from as i64 - 1) as i16);
        if opcode == 0xdb {
            code.extend([save(spare), insn(0x79, spare, dst, offset), insn(0x0f, spare, src, 0)]);
            code.extend([insn(0x7b, dst, spare, offset), restore(spare), back(at + 1, begin + 5)]);
        } else if UNSIGNED.contains(&opcode) && imm < 0 {
            let target = (at as i64 + 1 + i64::from(offset)) as usize;
            code.extend([
                save(spare),
                Insn { imm, ..insn(0xb7, spare, 0, 0) },
                insn(opcode | 8, dst, spare, 2),
            ]);
            code.extend([restore(spare), back(at + 1, begin + 4), restore(spare), back(target, begin + 6)]);
        }
        if opcode == 0x87 {
            code.extend([save(spare), insn(0xb7, spare, 0, 0), insn(0x1f, spare, dst, 0)]);
            code.extend([insn(0xbf, dst, spare, 0), restore(spare), back(at + 1, begin + 5)]);
        }
        if code.len() > begin {
            code[at] = back(begin, at);
        }
        at += if opcode == 0x18 { 2 } else { 1 };
    }
}

fn emit(_slot: u64, at: u64, len: u64, _epid: u64, _: u64) -> u64 {
    SENT.with_borrow_mut(|sent| sent.push((at, len)));
    0
}

fn nothing(_: u64, _: u64, _: u64, _: u64, _: u64) -> u64 {
    0
}

/// The bytes that a routine was given.
fn bytes<'a>(address: u64, words: u64) -> &'a [u8] {
    // SAFETY: the clause gives buffers of the slot or of a section, which outlive the call.
    unsafe { std::slice::from_raw_parts(address as *const u8, words as usize * 8) }
}

fn string_compare(a: u64, b: u64, words: u64, _: u64, _: u64) -> u64 {
    bytes(a, words).cmp(bytes(b, words)) as i64 as u64
}

fn string_length(text: u64, words: u64, _: u64, _: u64, _: u64) -> u64 {
    bytes(text, words).iter().take_while(|&&byte| byte != 0).count() as u64
}

fn ktime(_: u64, _: u64, _: u64, _: u64, _: u64) -> u64 {
    NOW
}

fn cpu(_: u64, _: u64, _: u64, _: u64, _: u64) -> u64 {
    3
}

fn pid_tgid(_: u64, _: u64, _: u64, _: u64, _: u64) -> u64 {
    PID << 32 | TID
}

fn comm(to: u64, size: u64, _: u64, _: u64, _: u64) -> u64 {
    assert_eq!(size, 16);
    // SAFETY: the clause gives 16 bytes of its stack.
    unsafe { (to as *mut [u8; 16]).write_unaligned(COMM) };
    0
}

/// Reads any address but those of the first page.
fn read_kernel(to: u64, size: u64, from: u64, _: u64, _: u64) -> u64 {
    if from < 4096 {
        return -14_i64 as u64;
    }
    // SAFETY: the tests read from buffers of theirs.
    unsafe { std::ptr::copy(from as *const u8, to as *mut u8, size as usize) };
    0
}
