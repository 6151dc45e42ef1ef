//! The pid provider: functions of processes.
//!
//! Invariant: a probe's process is the one that its attachment's cookie names. The kernel stops whoever runs the same file there,
//! as a child that was forked, and some kernels tell all threads of all of them.

use aya_ebpf::bindings::pt_regs;
use probes_common::providers::pid::{UserCall, UserReturn};

use crate::firing::{Wants, bit, programs};
use crate::user::{self, called};

programs! {
    family pid_entry in "uprobe", |program| {
        if let Some((cookie, task)) = called(program.program.ctx)
            && let Some(taken) = program.wanted_of(cookie.discriminator.into(), task)
        {
            let registers = program.program.ctx.registers();
            taken.fire(|record, wants| entry(record, wants, registers));
        }
    };
    family pid_return in "uprobe", |program| {
        if let Some((cookie, task)) = called(program.program.ctx)
            && let Some(taken) = program.wanted_of(cookie.discriminator.into(), task)
        {
            let registers = program.program.ctx.registers();
            taken.fire(|record: &mut UserReturn, _| {
                record.offset = 0;
                record.value = registers.rax;
            });
        }
    };
}

/// The arguments of the function that has just been called: six in registers, the others above the address that it returns to
/// (System V ABI, AMD64).
#[inline(always)]
fn entry(record: &mut UserCall, wants: Wants, registers: &pt_regs) {
    macro_rules! take {
        ($($field:ident from $word:expr),*) => { $(
            if wants.field(bit!(UserCall, $field)) {
                record.$field = $word;
            }
        )* };
    }
    let pushed = |number: u64| user::read(registers.rsp + 8 + 8 * number);
    take!(
        arg0 from registers.rdi,
        arg1 from registers.rsi,
        arg2 from registers.rdx,
        arg3 from registers.rcx,
        arg4 from registers.r8,
        arg5 from registers.r9,
        arg6 from pushed(0),
        arg7 from pushed(1),
        arg8 from pushed(2),
        arg9 from pushed(3)
    );
}
