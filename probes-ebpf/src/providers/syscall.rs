//! The syscall provider.
//!
//! The numbers of 32-bit calls are those of other 64-bit calls, so they are passed over, and counted where a clause
//! wants their number.

use probes_common::abi::Drop;
use probes_common::providers::syscall::{SyscallEntry, SyscallReturn};

use crate::constants::offset;
use crate::firing::{Family, Wants, bit, programs};
use crate::kernel::{self, read};

/// The highest error number that a call can return (include/linux/err.h).
const MAX_ERRNO: i64 = 4095;

programs! {
    // sys_enter(struct pt_regs *regs, long id)
    family syscall_entry in "raw_tp/sys_enter", |program| {
        let number = program.program.ctx.arg(1) as u32;
        if takes(program, number) {
            let regs = program.program.ctx.arg(0);
            program.fire(number, |record, wants| entry(record, wants, regs));
        }
    };
    // sys_exit(struct pt_regs *regs, long ret)
    family syscall_return in "raw_tp/sys_exit", |program| {
        let number = match read::<u64>(program.program.ctx.arg(0), offset!(regs_orig_ax)) as u32 {
            RESTORED => RT_SIGRETURN,
            number => number,
        };
        if takes(program, number) {
            let result = program.program.ctx.arg(1) as i64;
            program.fire(number, |record: &mut SyscallReturn, _| {
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
fn takes(program: Family, number: u32) -> bool {
    if !program.wanted(number) {
        return false;
    }
    let compat = kernel::in_compat_call();
    if compat {
        program.program.drop(Drop::Compat);
    }
    !compat
}

#[inline(always)]
fn entry(record: &mut SyscallEntry, wants: Wants, regs: u64) {
    macro_rules! take {
        ($($field:ident from $register:ident),*) => { $(
            if wants.field(bit!(SyscallEntry, $field)) {
                record.$field = read(regs, offset!($register));
            }
        )* };
    }
    take!(arg0 from regs_di, arg1 from regs_si, arg2 from regs_dx, arg3 from regs_r10, arg4 from regs_r8, arg5 from regs_r9);
}
