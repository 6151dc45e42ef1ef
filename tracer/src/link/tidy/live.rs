//! What is asked for later, and the removal of what is not; and copies, of which the original does as well.

use super::Known;
use super::blocks::{Blocks, End, Node};
use super::calls::{ALL, Call, is_atomic};
use super::values::{State, Value, access, bytes, states, step, words};
use crate::bpf::Insn;
use crate::bpf::insn::{FRAME, X, alu, class};

/// Registers and words of the stack, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Live {
    registers: u16,
    words: u64,
}

/// What an instruction has to do with them.
struct Effect {
    /// What it asks for.
    reads: Live,
    /// What it overwrites.
    writes: Live,
    /// Whether it may be left out where nobody asks for `gives`.
    idle: bool,
    /// What it is for.
    gives: Live,
    /// Whether it reads memory, or calls what may, that is not known to be the stack.
    elsewhere: bool,
    /// Whether it puts an address in the stack where it is not followed: from there it may be read by who reads elsewhere.
    escapes: bool,
}

/// Removes what nobody asks for; says whether anything was.
pub(super) fn remove_dead(blocks: &mut Blocks, known: &Known) -> bool {
    let states = states(blocks, known);
    let effects: Vec<Vec<Effect>> =
        blocks.0.iter().zip(states).map(|(block, state)| effects(&block.nodes, state, known)).collect();
    let escaped = effects.iter().flatten().any(|effect| effect.escapes);
    let mut live = vec![Live::default(); blocks.0.len()];
    let mut changed = true;
    while changed {
        changed = false;
        for at in (0..blocks.0.len()).rev() {
            let mut now = after(&blocks.0[at].end, &live);
            effects[at].iter().rev().for_each(|effect| now.before(effect, escaped));
            changed |= live[at] != now;
            live[at] = now;
        }
    }
    let mut removed = false;
    for (block, effects) in blocks.0.iter_mut().zip(&effects) {
        let mut now = after(&block.end, &live);
        let mut kept = Vec::new();
        // Of a block that is never come to there are none.
        for (node, effect) in std::mem::take(&mut block.nodes).into_iter().zip(effects).rev() {
            if effect.idle && !now.asks_for(effect.gives) {
                removed = true;
                continue;
            }
            now.before(effect, escaped);
            kept.push(node);
        }
        kept.reverse();
        block.nodes = kept;
    }
    removed
}

/// What the instructions of a block do.
fn effects(nodes: &[Node], state: Option<State>, known: &Known) -> Vec<Effect> {
    let Some(mut state) = state else { return Vec::new() };
    let of = |node: &Node| {
        let effect = Effect::of(&node.insn, &state, known);
        step(&mut state, node, known);
        effect
    };
    nodes.iter().map(of).collect()
}

fn bit(register: u8) -> u16 {
    1 << register
}

impl Effect {
    fn of(insn: &Insn, state: &State, known: &Known) -> Effect {
        let (mut reads, mut writes) = (Live::default(), Live::default());
        let (mut idle, mut elsewhere, mut escapes) = (true, false, false);
        let source = if insn.opcode & X != 0 { bit(insn.src) } else { 0 };
        let place = place(insn, state);
        match insn.opcode & 7 {
            class::ALU | class::ALU64 => {
                writes.registers = bit(insn.dst);
                reads.registers = match insn.opcode & 0xf0 {
                    alu::MOV => source,
                    alu::NEG | alu::END => bit(insn.dst),
                    _ => bit(insn.dst) | source,
                };
            }
            class::LD => writes.registers = bit(insn.dst),
            class::LDX => {
                writes.registers = bit(insn.dst);
                let unknown = if state.register(insn.src).may_point() { ALL } else { 0 };
                reads = Live { registers: bit(insn.src), words: place.unwrap_or(unknown) };
                elsewhere = place.is_none();
            }
            class::ST | class::STX => {
                let stores = insn.opcode & 7 == class::STX;
                reads.registers = bit(insn.dst) | if stores { bit(insn.src) } else { 0 };
                let pointer = |register| state.register(register).may_point();
                escapes = stores && pointer(insn.src) && place.is_none();
                if is_atomic(insn) {
                    // A comparison is with r0.
                    reads.registers |= 1;
                    reads.words = place.unwrap_or(if pointer(insn.dst) { ALL } else { 0 });
                }
                idle = place.is_some() && !is_atomic(insn);
                let gives = Live { registers: 0, words: place.unwrap_or(0) };
                // A word that is only written to in part keeps the rest.
                if idle && bytes(insn) == 8 && gives.words.is_power_of_two() {
                    writes.words = gives.words;
                }
                return Effect { reads, writes, idle, gives, elsewhere, escapes };
            }
            _ => {
                let call = Call::of(insn, state, known);
                reads = Live { registers: call.arguments, words: call.reads };
                // r0 to r5
                writes.registers = 0x3f;
                idle = call.only_tells;
                elsewhere = !idle;
                return Effect {
                    reads,
                    writes,
                    idle,
                    gives: Live { registers: 1, words: 0 },
                    elsewhere,
                    escapes,
                };
            }
        }
        Effect { reads, writes, idle, gives: writes, elsewhere, escapes }
    }
}

impl Live {
    fn asks_for(self, given: Live) -> bool {
        self.registers & given.registers != 0 || self.words & given.words != 0
    }

    /// What is asked for before an instruction.
    fn before(&mut self, effect: &Effect, escaped: bool) {
        self.registers = self.registers & !effect.writes.registers | effect.reads.registers;
        self.words = self.words & !effect.writes.words | effect.reads.words;
        if escaped && effect.elsewhere {
            self.words = ALL;
        }
    }
}

/// What is asked for behind a block.
fn after(end: &End, live: &[Live]) -> Live {
    let mut now = Live::default();
    for next in end.successors() {
        now.registers |= live[next].registers;
        now.words |= live[next].words;
    }
    match end {
        End::Exit => now.registers |= 1,
        End::Branch { insn, .. } => {
            now.registers |= bit(insn.dst) | if insn.opcode & X != 0 { bit(insn.src) } else { 0 };
        }
        End::Go(_) => {}
    }
    now
}

/// The words of the stack that an instruction accesses; `None` where it accesses other memory, or it is not known which.
fn place(insn: &Insn, state: &State) -> Option<u64> {
    let (base, offset) = access(insn)?;
    match state.register(base) {
        Value::Stack(at) => words(at + offset, bytes(insn)),
        _ => None,
    }
}

/// Which registers hold the same as others, within a block.
#[derive(Default)]
pub(super) struct Copies {
    /// Copy and original.
    pairs: Vec<(u8, u8)>,
}

impl Copies {
    fn original(&self, register: u8) -> u8 {
        self.pairs.iter().find(|(copy, _)| *copy == register).map_or(register, |(_, original)| *original)
    }

    /// Has an instruction read the originals.
    pub(super) fn replace(&self, node: &mut Node) {
        let insn = &mut node.insn;
        match insn.opcode & 7 {
            class::ALU | class::ALU64 if insn.opcode & X != 0 && insn.opcode & 0xf0 != alu::END => {
                insn.src = self.original(insn.src);
            }
            class::LDX => insn.src = self.original(insn.src),
            class::ST => insn.dst = self.original(insn.dst),
            // What an atomic operation fetches comes into its source.
            class::STX => {
                insn.dst = self.original(insn.dst);
                if !is_atomic(insn) {
                    insn.src = self.original(insn.src);
                }
            }
            _ => {}
        }
    }

    /// What is a copy behind the instruction.
    pub(super) fn follow(&mut self, node: &Node) {
        let insn = &node.insn;
        let changed = |register: u8| match insn.opcode & 7 {
            class::ALU | class::ALU64 | class::LD | class::LDX => register == insn.dst,
            class::STX if is_atomic(insn) => register == insn.src || register == 0,
            class::JMP => register <= 5,
            _ => false,
        };
        self.pairs.retain(|(copy, original)| !changed(*copy) && !changed(*original));
        if insn.opcode == (class::ALU64 | alu::MOV | X)
            && insn.offset == 0
            && insn.src != insn.dst
            && insn.src != FRAME
        {
            self.pairs.push((insn.dst, insn.src));
        }
    }
}
