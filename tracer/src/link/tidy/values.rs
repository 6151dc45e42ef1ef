//! What registers and words of the stack are known to hold, and what follows: numbers in place of loads and calculations, branches that
//! are decided, memory of the stack by the frame pointer.
//!
//! Invariant: what may point into the stack is [`Value::Stack`] or [`Value::Somewhere`], unless it was put into other memory, and
//! taken out of that again: then it is a number to the verifier, too.

use std::rc::Rc;

use super::super::function::Target;
use super::blocks::{Blocks, End, Node};
use super::calls::{Call, is_atomic};
use super::{Known, live};
use crate::bpf::Insn;
use crate::bpf::insn::{FRAME, MEM, X, alu, atomic, class, jmp, size};

/// What is known of a word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Nothing, but that it does not point into the stack.
    Unknown,
    /// Nothing.
    Somewhere,
    Number(i64),
    /// So many bytes from the frame pointer.
    Stack(i64),
    /// So many bytes behind the beginning of a map, or behind a byte of a section.
    Object(Rc<Target>, i64),
}

/// Words of a stack frame.
const WORDS: usize = 64;

/// What all registers and the words of the stack hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    registers: [Value; 11],
    /// From the frame pointer down.
    words: Rc<[Value; WORDS]>,
}

impl State {
    fn first() -> State {
        let mut registers = [const { Value::Unknown }; 11];
        registers[usize::from(FRAME)] = Value::Stack(0);
        State { registers, words: Rc::new([const { Value::Unknown }; WORDS]) }
    }

    pub(super) fn register(&self, register: u8) -> &Value {
        &self.registers[usize::from(register)]
    }

    /// What is known where two ways meet; says whether that is less than before.
    fn meet(&mut self, other: &State) -> bool {
        let mut less = meet(&mut self.registers, &other.registers);
        if !Rc::ptr_eq(&self.words, &other.words) && self.words != other.words {
            less |= meet(&mut Rc::make_mut(&mut self.words)[..], &other.words[..]);
        }
        less
    }
}

fn meet(ours: &mut [Value], theirs: &[Value]) -> bool {
    let mut less = false;
    for (ours, theirs) in ours.iter_mut().zip(theirs).filter(|(ours, theirs)| *ours != *theirs) {
        let met = if ours.may_point() || theirs.may_point() { Value::Somewhere } else { Value::Unknown };
        less |= *ours != met;
        *ours = met;
    }
    less
}

impl Value {
    /// Whether it may point into the stack.
    pub(super) fn may_point(&self) -> bool {
        matches!(self, Value::Stack(_) | Value::Somewhere)
    }

    fn number(&self) -> Option<i64> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// What a memory access is relative to: register and offset.
pub(super) fn access(insn: &Insn) -> Option<(u8, i64)> {
    match insn.opcode & 7 {
        class::LDX => Some((insn.src, insn.offset.into())),
        class::ST | class::STX => Some((insn.dst, insn.offset.into())),
        _ => None,
    }
}

/// Bytes of a memory access.
pub(super) fn bytes(insn: &Insn) -> u32 {
    match insn.opcode & 0x18 {
        size::W => 4,
        size::H => 2,
        size::B => 1,
        _ => 8,
    }
}

/// The word of the stack that a byte of it belongs to, counted from the frame pointer down.
fn word_of(offset: i64) -> Option<usize> {
    usize::try_from((-1 - offset).div_euclid(8)).ok().filter(|word| *word < WORDS)
}

/// What an instruction changes.
pub(super) fn step(state: &mut State, node: &Node, known: &Known) {
    let insn = &node.insn;
    let dst = usize::from(insn.dst);
    match insn.opcode & 7 {
        class::ALU | class::ALU64 => state.registers[dst] = calculate(state, insn),
        class::LD => {
            state.registers[dst] = match &node.target {
                Some(target) => Value::Object(target.clone(), 0),
                None => Value::Number(i64::from(node.high) << 32 | i64::from(insn.imm as u32)),
            };
        }
        class::LDX => state.registers[dst] = load(state, insn, known),
        class::ST | class::STX => store(state, insn),
        _ => {
            let call = Call::of(insn, state, known);
            let written = (0..WORDS).filter(|word| call.writes >> word & 1 != 0);
            written.for_each(|word| Rc::make_mut(&mut state.words)[word] = Value::Somewhere);
            // r0 to r5
            state.registers[..6].fill(Value::Unknown);
        }
    }
}

/// The result of an arithmetic instruction.
fn calculate(state: &State, insn: &Insn) -> Value {
    let wide = insn.opcode & 7 == class::ALU64;
    let left = state.register(insn.dst);
    let right = match insn.opcode & X {
        0 => &Value::Number(insn.imm.into()),
        _ => state.register(insn.src),
    };
    let operation = insn.opcode & 0xf0;
    if wide && operation == alu::MOV && insn.offset == 0 {
        return right.clone();
    }
    match (left, right) {
        (Value::Stack(offset), Value::Number(number)) if wide && operation == alu::ADD => {
            return Value::Stack(offset + number);
        }
        (Value::Object(target, offset), Value::Number(number)) if wide && operation == alu::ADD => {
            return Value::Object(target.clone(), offset + number);
        }
        _ => {}
    }
    let pointer = left.may_point() && operation != alu::MOV || right.may_point();
    let unknown = if pointer { Value::Somewhere } else { Value::Unknown };
    let numbers = match operation {
        alu::MOV => right.number().map(|right| (0, right)),
        _ => left.number().zip(right.number()),
    };
    let result = numbers.and_then(|(left, right)| arithmetic(operation, left, right, wide));
    if insn.offset != 0 { unknown } else { result.map_or(unknown, Value::Number) }
}

fn arithmetic(operation: u8, left: i64, right: i64, wide: bool) -> Option<i64> {
    let bits = if wide { 63 } else { 31 };
    let count = (right & bits) as u32;
    let (left, right) = if wide { (left, right) } else { (left & 0xffff_ffff, right & 0xffff_ffff) };
    let result = match operation {
        alu::MOV => right,
        alu::ADD => left.wrapping_add(right),
        alu::SUB => left.wrapping_sub(right),
        alu::MUL => left.wrapping_mul(right),
        alu::AND => left & right,
        alu::OR => left | right,
        alu::XOR => left ^ right,
        alu::LSH => left << count,
        alu::RSH => (left as u64 >> count) as i64,
        alu::ARSH if wide => left >> count,
        _ => return None,
    };
    Some(if wide { result } else { result & 0xffff_ffff })
}

/// What a load finds in a constant section or in a word of the stack.
fn load(state: &State, insn: &Insn, known: &Known) -> Value {
    let Some((base, offset)) = access(insn) else { return Value::Somewhere };
    let plain = insn.opcode & 0xe0 == MEM;
    match state.register(base) {
        Value::Object(target, at) if plain => {
            let Target::Data(section, from) = &**target else { return Value::Unknown };
            let start = usize::try_from(i64::from(*from) + at + offset).ok();
            let found =
                start.and_then(|start| known.constant.get(section)?.get(start..start + bytes(insn) as usize));
            let number =
                |bytes: &[u8]| bytes.iter().rev().fold(0_i64, |number, byte| number << 8 | i64::from(*byte));
            found.map_or(Value::Unknown, |bytes| Value::Number(number(bytes)))
        }
        Value::Stack(at) => match word_of(at + offset) {
            Some(word) if plain && bytes(insn) == 8 && (at + offset) % 8 == 0 => state.words[word].clone(),
            // Part of a word that points into the stack is a number.
            _ => Value::Unknown,
        },
        Value::Somewhere => Value::Somewhere,
        _ => Value::Unknown,
    }
}

fn store(state: &mut State, insn: &Insn) {
    let Some((base, offset)) = access(insn) else { return };
    let stored = match insn.opcode & 7 {
        class::ST => Value::Number(insn.imm.into()),
        _ => state.register(insn.src).clone(),
    };
    match *state.register(base) {
        Value::Stack(at) => {
            let whole = !is_atomic(insn) && bytes(insn) == 8 && (at + offset) % 8 == 0;
            let first = word_of(at + offset);
            let last = word_of(at + offset + i64::from(bytes(insn)) - 1);
            for word in [first, last].into_iter().flatten() {
                Rc::make_mut(&mut state.words)[word] = if whole { stored.clone() } else { Value::Somewhere };
            }
        }
        Value::Somewhere => Rc::make_mut(&mut state.words).fill(Value::Somewhere),
        _ => {}
    }
    if is_atomic(insn) && insn.imm & atomic::FETCH != 0 {
        let pointer = state.register(base).may_point();
        let before = if pointer { Value::Somewhere } else { Value::Unknown };
        let to = if insn.imm == atomic::CMPXCHG { 0 } else { insn.src };
        state.registers[usize::from(to)] = before;
    }
}

/// Whether a branch is taken, where that is known.
fn decided(state: &State, insn: &Insn) -> Option<bool> {
    let wide = insn.opcode & 7 == class::JMP;
    let left = state.register(insn.dst).number()?;
    let right = match insn.opcode & X {
        0 => insn.imm.into(),
        _ => state.register(insn.src).number()?,
    };
    let (left, right) = match wide {
        true => (left, right),
        false => (i64::from(left as i32), i64::from(right as i32)),
    };
    let unsigned = |number: i64| if wide { number as u64 } else { u64::from(number as u32) };
    let (low, high) = (unsigned(left), unsigned(right));
    Some(match insn.opcode & 0xf0 {
        jmp::JEQ => left == right,
        jmp::JNE => left != right,
        jmp::JGT => low > high,
        jmp::JGE => low >= high,
        jmp::JLT => low < high,
        jmp::JLE => low <= high,
        jmp::JSET => low & high != 0,
        jmp::JSGT => left > right,
        jmp::JSGE => left >= right,
        jmp::JSLT => left < right,
        jmp::JSLE => left <= right,
        _ => return None,
    })
}

/// What is known at the beginning of each block; `None` for one that is never come to.
pub(super) fn states(blocks: &Blocks, known: &Known) -> Vec<Option<State>> {
    let mut states: Vec<Option<State>> = vec![None; blocks.0.len()];
    states[0] = Some(State::first());
    let mut waiting = vec![0];
    while let Some(at) = waiting.pop() {
        let Some(mut state) = states[at].clone() else { continue };
        let block = &blocks.0[at];
        block.nodes.iter().for_each(|node| step(&mut state, node, known));
        for next in leads(&block.end, &state) {
            let changed = match &mut states[next] {
                Some(before) => before.meet(&state),
                none => {
                    *none = Some(state.clone());
                    true
                }
            };
            if changed {
                waiting.push(next);
            }
        }
    }
    states
}

/// Where a block leads, as far as is known at its end.
fn leads(end: &End, state: &State) -> Vec<usize> {
    match *end {
        End::Branch { insn, yes, no } => match decided(state, &insn) {
            Some(taken) => vec![if taken { yes } else { no }],
            None => vec![yes, no],
        },
        ref end => end.successors().collect(),
    }
}

/// Puts numbers where they are known, and decides branches.
pub(super) fn fold(blocks: &mut Blocks, known: &Known) {
    let states = states(blocks, known);
    let before = blocks.clone();
    for (block, state) in blocks.0.iter_mut().zip(states) {
        let Some(mut state) = state else { continue };
        let mut copies = live::Copies::default();
        for node in &mut block.nodes {
            by_frame(node, &state);
            copies.replace(node);
            step(&mut state, node, known);
            if matches!(node.insn.opcode & 7, class::ALU | class::ALU64 | class::LDX)
                && let Value::Number(number) = *state.register(node.insn.dst)
            {
                *node = Node::number(node.insn.dst, number, node.line);
            }
            copies.follow(node);
        }
        if let [next] = leads(&block.end, &state)[..] {
            block.end = End::Go(next);
        }
        // Behind a value that was chosen by where it came from, the question which it is.
        for _ in 0..before.0.len() {
            let End::Go(next) = block.end else { break };
            let asks = &before.0[next];
            let [decided] = leads(&asks.end, &state)[..] else { break };
            if !asks.nodes.is_empty() {
                break;
            }
            block.end = End::Go(decided);
        }
    }
}

/// Memory of the stack by the frame pointer.
fn by_frame(node: &mut Node, state: &State) {
    let Some((base, offset)) = access(&node.insn) else { return };
    if let Value::Stack(at) = state.register(base)
        && let Ok(offset) = i16::try_from(at + offset)
    {
        node.insn.offset = offset;
        match node.insn.opcode & 7 {
            class::LDX => node.insn.src = FRAME,
            _ => node.insn.dst = FRAME,
        }
    }
}

/// The words of the stack that these bytes are of; `None` where they are of no frame.
pub(super) fn words(offset: i64, bytes: u32) -> Option<u64> {
    let (last, first) = (word_of(offset)?, word_of(offset + i64::from(bytes.max(1)) - 1)?);
    Some((first..=last).fold(0, |words, word| words | 1 << word))
}
