//! What calls read and write of the stack.

use super::super::function::Target;
use super::Known;
use super::values::{State, Value, words};
use crate::bpf::Insn;
use crate::bpf::insn::{ATOMIC, class};

/// All words of the stack.
pub(super) const ALL: u64 = u64::MAX;

/// Helpers without arguments: the time, the CPU, ids, the current thread.
const TELLING: [i32; 6] = [5, 8, 14, 15, 35, 158];
/// bpf_map_lookup_elem and so on: a map, a key, perhaps a value.
const LOOKUP: i32 = 1;
const UPDATE: i32 = 2;
const DELETE: i32 = 3;
/// bpf_get_current_comm, bpf_probe_read_user to bpf_probe_read_kernel_str: memory that is written, and its size.
const WRITING: [i32; 5] = [16, 112, 113, 114, 115];

/// A call of a helper, of a function of the program or of the kernel.
pub(super) struct Call {
    /// The registers of its arguments, a bit each.
    pub(super) arguments: u16,
    /// Words of the stack that it may read, and that it may write to.
    pub(super) reads: u64,
    pub(super) writes: u64,
    /// Whether all that it does is to give a value.
    pub(super) only_tells: bool,
}

/// Whether the instruction changes memory atomically.
pub(super) fn is_atomic(insn: &Insn) -> bool {
    insn.opcode & 7 == class::STX && insn.opcode & 0xe0 == ATOMIC
}

impl Call {
    /// The call that an instruction is.
    pub(super) fn of(insn: &Insn, state: &State, known: &Known) -> Call {
        let helper = if insn.src == 0 { insn.imm } else { -1 };
        let last = match helper {
            LOOKUP | DELETE => 2,
            UPDATE => 4,
            _ if TELLING.contains(&helper) => 0,
            _ => 5,
        };
        let mut call = Call {
            arguments: 0,
            reads: 0,
            writes: 0,
            only_tells: TELLING.contains(&helper) || helper == LOOKUP,
        };
        let sizes = match state.register(1) {
            Value::Object(map, 0) => match &**map {
                Target::Map(map) => known.maps.get(map),
                _ => None,
            },
            _ => None,
        };
        for argument in 1..=last {
            call.arguments |= 1 << argument;
            let value = state.register(argument);
            if !value.may_point() {
                continue;
            }
            let within = |size: Option<u32>| match (value, size) {
                (Value::Stack(at), Some(size)) => words(*at, size).unwrap_or(ALL),
                _ => ALL,
            };
            match (helper, argument) {
                (LOOKUP | UPDATE | DELETE, 2) => call.reads |= within(sizes.map(|sizes| sizes.0)),
                (UPDATE, 3) => call.reads |= within(sizes.map(|sizes| sizes.1)),
                (_, 1) if WRITING.contains(&helper) => {
                    let size = match state.register(2) {
                        Value::Number(size) => u32::try_from(*size).ok(),
                        _ => None,
                    };
                    call.writes |= within(size);
                }
                _ => (call.reads, call.writes) = (ALL, ALL),
            }
        }
        call
    }
}
