//! The fbt provider: functions of the kernel, where they are entered and where they return. Which one fires, and how wide its
//! arguments are, is in the cookie that the kernel keeps for each.

use core::ffi::c_void;

use aya_ebpf::bindings::pt_regs;
use aya_ebpf::helpers::generated::bpf_get_attach_cookie;
use probes_common::providers::fbt::{Cookie, FunctionEntry, FunctionReturn};

use crate::firing::{Context, Wants, bit, programs};
use crate::kernel;

programs! {
    family fbt_entry in "kprobe", |program| {
        let cookie = cookie(program.program.ctx);
        if let Some(taken) = program.wanted(cookie.discriminator()) {
            let registers = program.program.ctx.registers();
            taken.fire(|record, wants| entry(record, wants, registers, cookie));
        }
    };
    family fbt_return in "kprobe", |program| {
        let cookie = cookie(program.program.ctx);
        if let Some(taken) = program.wanted(cookie.discriminator()) {
            let registers = program.program.ctx.registers();
            taken.fire(|record: &mut FunctionReturn, wants| {
                record.offset = 0;
                if wants.field(bit!(FunctionReturn, value)) {
                    record.value = cookie.value(1, registers.rax);
                }
            });
        }
    };
}

#[inline(always)]
fn cookie(ctx: Context) -> Cookie {
    // SAFETY: the helper takes what the kernel gave the program.
    Cookie(unsafe { bpf_get_attach_cookie(ctx.0.cast::<c_void>()) })
}

/// The arguments that are wanted: six in registers, what follows above the return address on the stack (System V ABI, AMD64).
#[inline(always)]
fn entry(record: &mut FunctionEntry, wants: Wants, registers: &pt_regs, cookie: Cookie) {
    macro_rules! take {
        ($($field:ident = $number:literal from $word:expr),*) => { $(
            if wants.field(bit!(FunctionEntry, $field)) {
                record.$field = cookie.value($number, $word);
            }
        )* };
    }
    let pushed = |number: u32| kernel::read(registers.rsp, 8 + 8 * number);
    take!(
        arg0 = 0 from registers.rdi,
        arg1 = 1 from registers.rsi,
        arg2 = 2 from registers.rdx,
        arg3 = 3 from registers.rcx,
        arg4 = 4 from registers.r8,
        arg5 = 5 from registers.r9,
        arg6 = 6 from pushed(0),
        arg7 = 7 from pushed(1),
        arg8 = 8 from pushed(2),
        arg9 = 9 from pushed(3)
    );
}
