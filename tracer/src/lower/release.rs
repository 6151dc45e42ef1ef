//! Freeing what a thread leaves behind: its thread-local variables, when it ends.
//!
//! A clause of our own on two trampolines of its own, the last of all. At the end of a thread the program's clauses have run
//! before it; what they assign after that, as the thread is switched away for the last time, is freed with the thread itself.
//! Elements of `self->a[key]` stay, since nothing lists the keys of one thread; no other thread finds them.

use probes_common::abi::outcome;
use probes_common::offsets::ABSENT;
use probes_common::providers::dtrace::{THREAD_END, THREAD_FREE};

use super::seats::Sought;
use super::storage::{Storage, variable_size};
use super::{ClauseImage, Error, Options, ProgramImage, helper};
use crate::check::typed::{Dynamic, Program};
use crate::diagnostic::Span;
use crate::ir::{self, BinaryOp, Builder, Function, Operand, Size, VReg};

/// The trampolines that free them; none where the program has no such variables.
pub(super) fn threads(
    program: &Program,
    storage: &Storage,
    options: &Options,
) -> Result<Vec<ProgramImage>, Error> {
    if !program.dynamics.iter().any(Dynamic::is_own) {
        return Ok(Vec::new());
    }
    let code = code(program, storage, options);
    let pieces = ir::compile_pieces(code, storage.resume as i32)
        .map_err(|error| Error::Clause { error, span: Span::default() })?;
    let image = |program| {
        let pieces = pieces.clone();
        let clause = ClauseImage { epid: 0, pieces, discriminators: None, light: true, gated: None };
        let (hosted, functions) = (Vec::new(), Vec::new());
        ProgramImage { program, instance: None, wants: 0, hosted, functions, clauses: vec![clause] }
    };
    Ok([&THREAD_END, &THREAD_FREE].map(image).into())
}

/// Frees the variables of the thread that the tracepoint's first argument is.
fn code(program: &Program, storage: &Storage, options: &Options) -> Function {
    let mut b = Builder::new("clause_thread_end", 2);
    let key = b.stack_slot(16);
    let task = b.load(Size::B8, (b.param(1), 0));
    let tid = word(&mut b, task, options.offsets.task_pid);
    let began = word(&mut b, task, options.offsets.task_start_boottime);
    let high = b.binary(BinaryOp::Shl, began, 32);
    let thread = b.binary(BinaryOp::Or, high, tid);
    b.store(Size::B8, (key, 8), thread);
    for (variable, at) in program.dynamics.iter().zip(&storage.dynamics) {
        if variable.is_own() {
            let seat = at.seats.map(|seats| (seats.of(&mut b, thread), thread));
            // Before the thread comes the variable's number, where it shares its map.
            let start = if at.number.is_some() { 0 } else { 8 };
            b.store(Size::B8, (key, 0), i64::from(at.number.unwrap_or(0)));
            let size = variable_size(&variable.ty);
            Sought { map: &at.map, key: (key, start).into(), size, seat }.remove(&mut b);
        }
    }
    b.ret(Operand::Imm(outcome::NEXT as i64));
    b.finish()
}

/// The low 32 bits of a field of a thread; 0 where this kernel has none such.
fn word(b: &mut Builder, task: VReg, offset: u32) -> VReg {
    let word = b.stack_slot(8);
    b.store(Size::B8, (word, 0), 0);
    if offset != ABSENT {
        let (from, to) = (b.add(task, i64::from(offset)), b.stack_addr(word, 0));
        b.helper_void(helper::PROBE_READ_KERNEL, &[to.into(), Operand::Imm(4), from.into()]);
    }
    b.load(Size::B8, (word, 0))
}
