//! Freeing what a thread leaves behind: its thread-local variables, when it ends.
//!
//! A clause of our own on a trampoline of its own, the last of all, so that the program's clauses at the end of a
//! thread still find them. Elements of `self->a[key]` stay: nothing lists the keys of one thread.

use probes_common::abi::outcome;
use probes_common::providers::dtrace::THREAD_END;

use super::storage::{DynamicAt, Storage};
use super::{ClauseImage, Error, ProgramImage, helper};
use crate::check::typed::Program;
use crate::diagnostic::Span;
use crate::ir::{self, Builder, Operand, Size};

/// The trampoline that frees them; none where the program has no such variables.
pub(super) fn thread_end(program: &Program, storage: &Storage) -> Result<Option<ProgramImage>, Error> {
    let dynamics = program.dynamics.iter().zip(&storage.dynamics);
    let own: Vec<&DynamicAt> = dynamics
        .filter(|(variable, _)| variable.thread_local && variable.keys.is_empty())
        .map(|(_, at)| at)
        .collect();
    if own.is_empty() {
        return Ok(None);
    }
    let mut builder = Builder::new("clause_thread_end", 2);
    let key = builder.stack_slot(16);
    let both = builder.helper(helper::GET_CURRENT_PID_TGID, &[]);
    let thread = builder.extend(32, false, both);
    builder.store(Size::B8, (key, 8), thread);
    for at in own {
        let start = match at.number {
            Some(number) => {
                builder.store(Size::B8, (key, 0), i64::from(number));
                0
            }
            None => 8,
        };
        let (map, key) = (builder.map_addr(at.map.as_str()), builder.stack_addr(key, start));
        builder.helper_void(helper::MAP_DELETE_ELEM, &[map.into(), key.into()]);
    }
    builder.ret(Operand::Imm(outcome::NEXT as i64));
    let pieces = ir::compile_pieces(builder.finish(), storage.resume as i32)
        .map_err(|error| Error::Clause { error, span: Span::default() })?;
    let clause = ClauseImage { epid: 0, pieces, discriminators: None, light: true, gated: None };
    let program = &THREAD_END;
    let (hosted, functions) = (Vec::new(), Vec::new());
    Ok(Some(ProgramImage { program, instance: None, wants: 0, hosted, functions, clauses: vec![clause] }))
}
