//! Whether a function keeps the rules of the IR.
//!
//! Invariant: the passes after it may rely on every rule here, and need not be able to fail.

use super::flow::Liveness;
use super::{Base, Error, Function, Memory, Op, UnaryOp};

fn malformed(function: &Function, problem: String) -> Error {
    Error::Malformed { function: function.name.clone(), problem }
}

/// Rules of single instructions: operands that exist, labels placed once, at most five arguments.
pub(super) fn check_shape(function: &Function) -> Result<(), Error> {
    let fail = |problem| Err(malformed(function, problem));
    if function.params.len() > 5 {
        return fail("it has more than five parameters".into());
    }
    let mut placed = vec![0; function.labels as usize];
    for insn in &function.insns {
        if let Op::Label(label) = insn.op {
            placed[label.0 as usize] += 1;
        }
    }
    for insn in &function.insns {
        match &insn.op {
            Op::Label(label) | Op::Jump(label) | Op::Branch { target: label, .. }
                if placed[label.0 as usize] != 1 =>
            {
                return fail(format!("{label:?} is placed {} times", placed[label.0 as usize]));
            }
            Op::Call { args, .. } if args.len() > 5 => {
                return fail("a call has more than five arguments".into());
            }
            Op::Unary { op: op @ UnaryOp::Extend { bits, .. }, .. } if ![8, 16, 32].contains(bits) => {
                return fail(format!("there is no {op:?}"));
            }
            Op::Unary { op: op @ UnaryOp::BigEndian { bits }, .. } if ![16, 32, 64].contains(bits) => {
                return fail(format!("there is no {op:?}"));
            }
            Op::Load { size, from: memory, .. } | Op::Store { size, to: memory, .. } => {
                check_slot(function, memory, size.bytes())?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// An access to a stack slot stays inside it.
fn check_slot(function: &Function, memory: &Memory, bytes: u32) -> Result<(), Error> {
    let Base::Stack(slot) = memory.base else { return Ok(()) };
    let size = i64::from(function.slots[slot.0 as usize]);
    let offset = i64::from(memory.offset);
    if offset < 0 || offset + i64::from(bytes) > size {
        return Err(malformed(function, format!("{bytes} bytes at {offset} are outside {slot:?}")));
    }
    Ok(())
}

/// Rules of paths: every one returns, and none reads a register before it is assigned. Unreachable code is gone.
pub(super) fn check_paths(function: &Function) -> Result<(), Error> {
    if !matches!(function.insns.last().map(|insn| &insn.op), Some(Op::Return(_) | Op::Jump(_))) {
        return Err(malformed(function, "it does not return at its end".into()));
    }
    let entry = Liveness::of(function).entry;
    match entry.into_iter().find(|reg| !function.params.contains(reg)) {
        Some(reg) => Err(malformed(function, format!("{reg:?} may be read before it is assigned"))),
        None => Ok(()),
    }
}
