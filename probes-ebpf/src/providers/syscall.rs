//! The syscall provider.
//!
//! The numbers of 32-bit calls are those of other 64-bit calls, so they are passed over, and counted where a clause
//! wants their number.

use probes_common::abi::Drop;
use probes_common::providers::syscall::{SyscallEntry, SyscallReturn};

use crate::constants::offset;
use crate::firing::{Context, Family, Taken, Wants, bit, programs};
use crate::kernel::Current;

/// The highest error number that a call can return (include/linux/err.h).
const MAX_ERRNO: i64 = 4095;

programs! {
    // sys_enter(struct pt_regs *regs, long id)
    family syscall_entry in "raw_tp/sys_enter", |program| {
        if let Some(taken) = program.wanted(program.program.ctx.arg(1) as u32) && passes(program, taken) {
            let ctx = program.program.ctx;
            taken.fire(|record, wants| entry(record, wants, taken.task, ctx));
        }
    };
    // sys_exit(struct pt_regs *regs, long ret)
    family syscall_return in "raw_tp/sys_exit", |program| {
        let task = Current::get();
        let number = match task.registers(program.program.ctx).at(offset!(regs_orig_ax)) as u32 {
            RESTORED => RT_SIGRETURN,
            number => number,
        };
        if let Some(taken) = program.wanted_of(number, task) && passes(program, taken) {
            let result = program.program.ctx.arg(1) as i64;
            taken.fire(|record: &mut SyscallReturn, _| {
                let failed = (-MAX_ERRNO..0).contains(&result);
                record.result = if failed { -1 } else { result };
                record.result2 = record.result;
                record.errno = if failed { -result as i32 } else { 0 };
                record.pad = 0;
            });
        }
    };
}

/// rt_sigreturn(2) restores all registers, and says by this that there is no call to restart
/// (arch/x86/kernel/signal_64.c, 6.1).
const RESTORED: u32 = u32::MAX;
/// Its number.
const RT_SIGRETURN: u32 = 15;

#[inline(always)]
fn passes(program: Family, taken: Taken) -> bool {
    let compat = taken.task.in_compat_call();
    if compat {
        program.program.drop(Drop::Compat);
    }
    !compat
}

#[inline(always)]
fn entry(record: &mut SyscallEntry, wants: Wants, task: Current, ctx: Context) {
    if wants.0 == 0 {
        return;
    }
    let registers = task.registers(ctx);
    macro_rules! take {
        ($($field:ident from $register:ident),*) => { $(
            if wants.field(bit!(SyscallEntry, $field)) {
                record.$field = registers.at(offset!($register));
            }
        )* };
    }
    take!(arg0 from regs_di, arg1 from regs_si, arg2 from regs_dx, arg3 from regs_r10, arg4 from regs_r8, arg5 from regs_r9);
}
