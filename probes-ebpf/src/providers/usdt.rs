//! Probes that programs bring along: one trampoline, told by a table where the arguments of each are.

use aya_ebpf::helpers::generated::{bpf_get_current_task_btf, bpf_task_pt_regs};
use aya_ebpf::macros::map;
use aya_ebpf::maps::Array;
use probes_common::providers::usdt::{NO_REGISTER, Operand, Spec, UserProbe, sort};

use crate::firing::{Wants, bit, programs};
use crate::kernel;
use crate::user::{self, called};

/// Where arguments are, by the row that a cookie names.
#[map]
static USDT_SPECS: Array<Spec> = Array::with_max_entries(1, 0);

programs! {
    family usdt in "uprobe", |program| {
        if let Some((cookie, task)) = called(program.program.ctx)
            && let Some(taken) = program.wanted_of(cookie.discriminator.into(), task)
            && let Some(spec) = USDT_SPECS.get_ptr(cookie.spec.into())
        {
            taken.fire(|record, wants| arguments(record, wants, spec));
        }
    };
}

/// Finds the arguments that are wanted.
#[inline(always)]
fn arguments(record: &mut UserProbe, wants: Wants, spec: *const Spec) {
    // SAFETY: helpers that take the current task, as they know it, and nothing.
    let registers = unsafe { bpf_task_pt_regs(bpf_get_current_task_btf()) } as u64;
    macro_rules! find {
        ($($field:ident = $number:literal),*) => { $(
            if wants.field(bit!(UserProbe, $field)) {
                // SAFETY: a value of the map, which nobody writes any more.
                record.$field = unsafe { operand(&raw const (*spec).args[$number], registers) };
            }
        )* };
    }
    find!(
        arg0 = 0,
        arg1 = 1,
        arg2 = 2,
        arg3 = 3,
        arg4 = 4,
        arg5 = 5,
        arg6 = 6,
        arg7 = 7,
        arg8 = 8,
        arg9 = 9,
        arg10 = 10,
        arg11 = 11
    );
}

/// The value of an argument; 0 where it cannot be read.
///
/// # Safety
/// `operand` can be read.
#[inline(never)]
unsafe fn operand(operand: *const Operand, registers: u64) -> i64 {
    // SAFETY: the caller's promise.
    let Operand { offset, sort, scale, bytes, signed, base, index } = unsafe { *operand };
    let mut value = offset as u64;
    if sort != sort::CONSTANT {
        // A register's offset; another of pt_regs is not read.
        if base != NO_REGISTER {
            value = value.wrapping_add(kernel::read(registers, base.into()));
        }
        if index != NO_REGISTER {
            value = value.wrapping_add(kernel::read::<u64>(registers, index.into()) << (scale & 3));
        }
    }
    if sort == sort::MEMORY {
        value = match bytes {
            1 => user::read::<u8>(value).into(),
            2 => user::read::<u16>(value).into(),
            4 => user::read::<u32>(value).into(),
            _ => user::read(value),
        };
    }
    let unused = (64 - 8 * u32::from(bytes)) & 63;
    let top = value << unused;
    if signed != 0 { top as i64 >> unused } else { (top >> unused) as i64 }
}
