//! Inlining: what a trampoline calls from one place becomes part of it, and what is marked so wherever it is called.
//!
//! A call costs little and a return much, where the processor's speculation of returns is guarded (Zen's "safe RET" takes some
//! 8 ns), which is as much as all that a simple clause does. Invariant: the function means the same; what is not
//! understood stays a call.

use std::collections::BTreeMap;

use super::function::{Function, Linkage, Target};
use crate::bpf::{At, Insn};

/// The most instructions that a function grows to: jumps reach 32767 of them.
const LONGEST: usize = 16_000;
/// The most bytes of a frame, and of all frames under way together (MAX_BPF_STACK in include/linux/filter.h, 6.1); kernels from
/// 6.13 on count each frame by itself on x86-64.
const FRAME: i32 = 512;

const CALL: u8 = 0x85;
const EXIT: u8 = 0x95;
const JUMP: u8 = 0x05;
const MOVE: u8 = 0xbf;
const ADD_IMM: u8 = 0x07;
const LOAD_IMM_64: u8 = 0x18;
const STORE: u8 = 0x7b;
const LOAD: u8 = 0x79;
const FRAME_POINTER: u8 = 10;

/// The function with all that it alone calls, once, in its body.
pub(super) fn inline(root: &str, functions: &BTreeMap<String, Function>) -> Function {
    let calls = calls(root, functions);
    let mut depths = BTreeMap::new();
    depth(root, functions, &mut depths);
    flatten(&functions[root], &Program { functions, calls, depths })
}

/// What is to be known of the functions that a root reaches: how often each is called, and the stack that a call of it takes.
struct Program<'a> {
    functions: &'a BTreeMap<String, Function>,
    calls: BTreeMap<String, usize>,
    depths: BTreeMap<String, i32>,
}

/// Notes the bytes of stack that a call of the function takes with all that it calls, and gives them.
fn depth(name: &str, functions: &BTreeMap<String, Function>, depths: &mut BTreeMap<String, i32>) -> i32 {
    if let Some(depth) = depths.get(name) {
        return *depth;
    }
    let function = &functions[name];
    let below = callees(function).map(|callee| depth(callee, functions, depths)).max();
    let depth = own_depth(function) + below.unwrap_or(0);
    depths.insert(name.to_owned(), depth);
    depth
}

/// A frame as the kernel counts it (check_max_stack_depth in kernel/bpf/verifier.c, 6.1).
fn own_depth(function: &Function) -> i32 {
    frame(function).map_or(FRAME, |bytes| (bytes.max(1) + 31) & !31)
}

/// The functions to which a function refers.
fn callees(function: &Function) -> impl Iterator<Item = &String> {
    function.references.iter().filter_map(|(_, target)| match target {
        Target::Function(name) => Some(name),
        _ => None,
    })
}

/// How often each function is referred to in what the root reaches; other references than calls count as many.
fn calls(root: &str, functions: &BTreeMap<String, Function>) -> BTreeMap<String, usize> {
    let mut calls: BTreeMap<String, usize> = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(name) = waiting.pop() {
        for (at, target) in &functions[&name].references {
            let Target::Function(callee) = target else { continue };
            let known = calls.entry(callee.clone()).or_insert(0);
            if *known == 0 {
                waiting.push(callee.clone());
            }
            *known += if functions[&name].insns[*at].opcode == CALL { 1 } else { 2 };
        }
    }
    calls
}

/// The function with those in the places that call them which are marked to stand there.
pub(super) fn expand(function: &Function, functions: &BTreeMap<String, Function>) -> Function {
    let mut expanded = function.clone();
    for (at, target) in function.references.iter().rev() {
        let Target::Function(name) = target else { continue };
        let callee = &functions[name];
        if callee.linkage == Linkage::Inline
            && let Some(merged) = insert(&expanded, *at, callee, 0)
        {
            expanded = merged;
        }
    }
    expanded
}

fn flatten(function: &Function, program: &Program<'_>) -> Function {
    let mut flat = function.clone();
    // bpf_tail_call wants the frames above it to be small.
    if callees(function).any(|name| name == "slot_hand") {
        return flat;
    }
    // What is inlined side by side shares the memory below the function's own.
    let Some(own) = frame(function) else { return flat };
    // From the end, so that the places before stay where they are.
    for (at, target) in function.references.iter().rev() {
        let Target::Function(name) = target else { continue };
        let callee = &program.functions[name];
        if program.calls[name] != 1 || callee.linkage == Linkage::Global {
            continue;
        }
        // A frame that has grown is below all that is still called: where that is too deep, the callee's own body may do.
        let merged = [&flatten(callee, program), callee]
            .into_iter()
            .filter_map(|callee| insert(&flat, *at, callee, own))
            .find(|merged| program.has_stack(merged));
        flat = merged.unwrap_or(flat);
    }
    flat
}

impl Program<'_> {
    /// Whether there is stack enough for the function with what it still calls.
    fn has_stack(&self, function: &Function) -> bool {
        let below = callees(function).map(|name| self.depths[name]).max();
        own_depth(function) + below.unwrap_or(0) <= FRAME
    }
}

/// The caller with the callee's body in place of the call at `at`, the callee's frame lying below byte `own` of the caller's.
fn insert(caller: &Function, at: usize, callee: &Function, own: i32) -> Option<Function> {
    let live = live_after(caller, at);
    let kept: Vec<u8> = (6..=9).filter(|&reg| live >> reg & 1 != 0 && writes(callee, reg)).collect();
    let below = own + frame(callee)?;
    if below + 8 * kept.len() as i32 > FRAME || caller.insns.len() + callee.insns.len() > LONGEST {
        return None;
    }
    let place = |index: usize| -(below + 8 * (index as i32 + 1)) as i16;
    let before = kept.iter().enumerate().map(|(index, &reg)| Insn {
        opcode: STORE,
        dst: FRAME_POINTER,
        src: reg,
        offset: place(index),
        imm: 0,
    });
    let after = kept.iter().enumerate().map(|(index, &reg)| Insn {
        opcode: LOAD,
        dst: reg,
        src: FRAME_POINTER,
        offset: place(index),
        imm: 0,
    });
    let body = callee.insns.len();
    // The last exit is left out: what follows it is what comes next.
    let falls = callee.insns[body - 1].opcode == EXIT;
    let kept_body = if falls { body - 1 } else { body };
    let end = kept_body;
    let mut code: Vec<Insn> = before.collect();
    let start = code.len();
    for (index, insn) in callee.insns[..kept_body].iter().enumerate() {
        let data = index > 0 && callee.insns[index - 1].opcode == LOAD_IMM_64;
        code.push(if data { *insn } else { lowered(callee, index, own, end)? });
    }
    // Jumps to the exit that was left out lead to the end, which is where it was.
    code.extend(after);
    let grown = code.len() as i32 - 1;

    let mut merged = Function { insns: Vec::new(), references: Vec::new(), ..caller.clone() };
    for (index, insn) in caller.insns.iter().enumerate() {
        if index == at {
            merged.insns.extend(&code);
            continue;
        }
        let mut insn = *insn;
        let data = index > 0 && caller.insns[index - 1].opcode == LOAD_IMM_64;
        if let Some(target) = (!data).then(|| target(index, &insn)).flatten() {
            let crosses = |low: usize, high: usize| low <= at && at < high;
            let shift = match (crosses(index + 1, target), crosses(target, index)) {
                (true, _) => grown,
                (_, true) => -grown,
                _ => 0,
            };
            insn.offset = i16::try_from(i32::from(insn.offset) + shift).ok()?;
        }
        merged.insns.push(insn);
    }
    let moved = |(place, target): &(usize, Target)| {
        let place = if *place > at { (*place as i32 + grown) as usize } else { *place };
        (place, target.clone())
    };
    let others = caller.references.iter().filter(|(place, _)| *place != at).map(moved);
    let inlined = callee.references.iter().map(|(place, target)| (at + start + place, target.clone()));
    merged.references = others.chain(inlined).collect();
    merged.references.sort_by_key(|(place, _)| *place);
    let moved = |(place, line): &(u32, At)| {
        (if *place as usize > at { (*place as i32 + grown) as u32 } else { *place }, *line)
    };
    let inlined = callee.lines.iter().map(|(place, line)| ((at + start) as u32 + place, *line));
    merged.lines = caller.lines.iter().map(moved).chain(inlined).collect();
    merged.lines.sort_by_key(|(place, _)| *place);
    Some(merged)
}

/// The callee's instruction as it stands in the caller: its frame `own` bytes lower, its exits jumps to `end`.
fn lowered(callee: &Function, index: usize, own: i32, end: usize) -> Option<Insn> {
    let mut insn = callee.insns[index];
    if insn.opcode == EXIT {
        let offset = i16::try_from(end - index - 1).ok()?;
        return Some(Insn { opcode: JUMP, dst: 0, src: 0, offset, imm: 0 });
    }
    if access(&insn).is_some_and(|base| base == FRAME_POINTER) {
        insn.offset = i16::try_from(i32::from(insn.offset) - own).ok()?;
    } else if index > 0 && takes_frame(&callee.insns[index - 1]) {
        insn.imm -= own;
    }
    Some(insn)
}

/// Whether the instruction copies the frame pointer.
fn takes_frame(insn: &Insn) -> bool {
    insn.opcode == MOVE && insn.src == FRAME_POINTER
}

/// The base register of a memory access.
fn access(insn: &Insn) -> Option<u8> {
    match insn.opcode & 7 {
        // LDX
        1 => Some(insn.src),
        // ST, STX and atomic operations
        2 | 3 => Some(insn.dst),
        _ => None,
    }
}

/// The bytes that a function uses of its frame; `None` where it takes its address in a way that is not understood.
fn frame(function: &Function) -> Option<i32> {
    let mut size = 0;
    let mut data = false;
    for (index, insn) in function.insns.iter().enumerate() {
        if std::mem::take(&mut data) {
            continue;
        }
        data = insn.opcode == LOAD_IMM_64;
        if let Some(base) = access(insn) {
            if base == FRAME_POINTER {
                size = size.max(-i32::from(insn.offset));
            } else if insn.offset < 0 && insn.opcode & 7 != 1 {
                // Below something else: that may be a piece of the frame.
                return None;
            }
            if insn.opcode & 7 == 3 && insn.src == FRAME_POINTER {
                return None;
            }
        } else if takes_frame(insn) {
            let next = function.insns.get(index + 1)?;
            if next.opcode != ADD_IMM || next.dst != insn.dst || next.imm >= 0 {
                return None;
            }
            size = size.max(-next.imm);
        }
    }
    Some((size + 7) & !7)
}

/// Where a jump leads.
fn target(index: usize, insn: &Insn) -> Option<usize> {
    let jumps = matches!(insn.opcode & 7, 5 | 6) && !matches!(insn.opcode, CALL | EXIT);
    jumps.then(|| (index as i64 + 1 + i64::from(insn.offset)) as usize)
}

fn writes(function: &Function, register: u8) -> bool {
    function.insns.iter().any(|insn| effect(insn).1 >> register & 1 != 0)
}

/// The registers that an instruction reads and those that it writes, as bits.
fn effect(insn: &Insn) -> (u16, u16) {
    let (dst, src) = (1_u16 << insn.dst, 1_u16 << insn.src);
    match insn.opcode & 7 {
        // Loads: of a constant, from memory.
        0 => (0, dst),
        1 => (src, dst),
        2 => (dst, 0),
        // Atomic operations with a result write it to the source or to r0.
        3 if insn.opcode & 0xe0 == 0xc0 => {
            let compares = insn.imm & 0xf0 == 0xf0;
            let fetches = insn.imm & 1 != 0;
            let result = if compares { 1 } else { src };
            (dst | src | u16::from(compares), if fetches { result } else { 0 })
        }
        3 => (dst | src, 0),
        5 | 6 => match insn.opcode {
            // Arguments are read, r0 to r5 are lost.
            CALL => (0b11_1110, 0b11_1111),
            EXIT => (1, 0),
            // Unconditional.
            0x05 | 0x06 => (0, 0),
            _ if insn.opcode & 8 != 0 => (dst | src, 0),
            _ => (dst, 0),
        },
        // Arithmetic: moves only write.
        _ => {
            let operand = if insn.opcode & 8 != 0 { src } else { 0 };
            let moves = insn.opcode & 0xf0 == 0xb0;
            (if moves { operand } else { dst | operand }, dst)
        }
    }
}

/// The registers whose values are read after the instruction at `at`, as bits.
fn live_after(function: &Function, at: usize) -> u16 {
    let count = function.insns.len();
    let mut live = vec![0_u16; count + 1];
    let mut after = vec![0_u16; count];
    loop {
        let mut changed = false;
        for index in (0..count).rev() {
            let insn = &function.insns[index];
            let data = index > 0 && function.insns[index - 1].opcode == LOAD_IMM_64;
            let (jump, next) = match target(index, insn).filter(|_| !data) {
                Some(target) => (live[target], matches!(insn.opcode, 0x05 | 0x06)),
                None => (0, insn.opcode == EXIT),
            };
            let out = jump | if next { 0 } else { live[index + 1] };
            let (reads, writes) = if data { (0, 0) } else { effect(insn) };
            let before = out & !writes | reads;
            changed |= after[index] != out || live[index] != before;
            (after[index], live[index]) = (out, before);
        }
        if !changed {
            return after[at];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insn(opcode: u8, dst: u8, src: u8, offset: i16, imm: i32) -> Insn {
        Insn { opcode, dst, src, offset, imm }
    }

    fn function(name: &str, insns: Vec<Insn>, calls: &[(usize, &str)]) -> (String, Function) {
        let references = calls.iter().map(|(at, name)| (*at, Target::Function((*name).to_owned()))).collect();
        (name.to_owned(), Function::new(name.to_owned(), insns, references))
    }

    const MOVE_IMM: u8 = 0xb7;
    const JEQ: u8 = 0x15;

    #[test]
    fn the_body_takes_the_place_of_the_call_and_jumps_still_lead_where_they_did() {
        let exit = insn(EXIT, 0, 0, 0, 0);
        let caller = vec![
            insn(MOVE_IMM, 6, 0, 0, 5),
            insn(STORE, 10, 6, -8, 0),
            insn(JEQ, 6, 0, 1, 0),
            insn(CALL, 0, 1, 0, -1),
            insn(MOVE, 0, 6, 0, 0),
            exit,
        ];
        let callee = vec![
            insn(MOVE_IMM, 6, 0, 0, 1),
            insn(MOVE, 2, 10, 0, 0),
            insn(ADD_IMM, 2, 0, 0, -16),
            insn(JEQ, 1, 0, 1, 0),
            exit,
            insn(STORE, 10, 6, -16, 0),
            exit,
        ];
        let functions = BTreeMap::from([function("a", caller, &[(3, "b")]), function("b", callee, &[])]);
        let flat = inline("a", &functions);
        let expected = vec![
            insn(MOVE_IMM, 6, 0, 0, 5),
            insn(STORE, 10, 6, -8, 0),
            insn(JEQ, 6, 0, 8, 0),
            insn(STORE, 10, 6, -32, 0),
            insn(MOVE_IMM, 6, 0, 0, 1),
            insn(MOVE, 2, 10, 0, 0),
            insn(ADD_IMM, 2, 0, 0, -24),
            insn(JEQ, 1, 0, 1, 0),
            insn(JUMP, 0, 0, 1, 0),
            insn(STORE, 10, 6, -24, 0),
            insn(LOAD, 6, 10, -32, 0),
            insn(MOVE, 0, 6, 0, 0),
            exit,
        ];
        assert_eq!(flat.insns, expected);
        assert!(flat.references.is_empty());
    }

    #[test]
    fn what_is_called_twice_stays_a_call() {
        let call = insn(CALL, 0, 1, 0, -1);
        let exit = insn(EXIT, 0, 0, 0, 0);
        let caller = vec![call, call, exit];
        let callee = vec![insn(MOVE_IMM, 0, 0, 0, 0), exit];
        let functions = BTreeMap::from([
            function("a", caller.clone(), &[(0, "b"), (1, "b")]),
            function("b", callee, &[]),
        ]);
        assert_eq!(inline("a", &functions).insns, caller);
    }

    #[test]
    fn a_frame_does_not_grow_where_what_is_called_below_it_would_have_no_room() {
        let call = insn(CALL, 0, 1, 0, -1);
        let exit = insn(EXIT, 0, 0, 0, 0);
        let with_frame = |bytes: i16, calls: usize| {
            let store = insn(STORE, 10, 1, -bytes, 0);
            [vec![store], vec![call; calls], vec![exit]].concat()
        };
        let inlined = |once: i16| {
            let functions = BTreeMap::from([
                function("a", with_frame(160, 3), &[(1, "once"), (2, "twice"), (3, "twice")]),
                function("once", with_frame(once, 0), &[]),
                function("twice", with_frame(160, 0), &[]),
            ]);
            !inline("a", &functions)
                .references
                .iter()
                .any(|(_, target)| *target == Target::Function("once".to_owned()))
        };
        assert!(inlined(160), "three frames of 160 bytes are 480");
        assert!(!inlined(200), "160 and 200 in one frame, and 160 below it, are more than 512");
    }
}
