//! Call stacks and addresses with names: their raw addresses are recorded, and the tracer finds the names.
//!
//! A stack in a message lies there whole. In an aggregation's key, which has little room, it is the hash of its
//! addresses, under which a map of the session, `stacks_N`, keeps them.
//!
//! At a tracepoint the kernel's stack begins with frames of the tracer's own; the clause finds how many they are. At a function's
//! entry it begins with that function. Both are left out, so that a stack, its depth and the caller are one another's.
//!
//! Invariant: what lies in memory is padded with zeros, so that equal stacks are equal bytes.

use probes_common::abi::{Drop, OWN_FRAMES};
use probes_common::probe::Attach;

use super::clause::{self, Clause};
use super::data::STRINGS;
use super::helper;
use super::layout::{stack_words, stacks_map};
use super::memory::shift;
use crate::check::recorded::MAX_FRAMES;
use crate::check::typed::{Builtin, Expr, ExprKind, Stack, Symbol};
use crate::ir::{BinaryOp, Condition, Label, Memory, Operand, Size, VReg};
use crate::kernel::addresses::Addresses;
use crate::provider::{ProbeInfo, attach};

/// BPF_F_USER_STACK
const USER_STACK: i64 = 1 << 8;
/// BPF_NOEXIST
const NO_EXIST: i64 = 1;

/// Where a stack of the kernel's begins among the frames that the kernel gives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    /// Behind our own.
    BehindOwn,
    /// With the first, or behind as many.
    At(u32),
}

fn start(probe: &ProbeInfo) -> Start {
    match attach(probe.program.attach, probe.instance) {
        Attach::RawTracepoint(_) | Attach::NamedTracepoint | Attach::TestRun | Attach::Called => {
            Start::BehindOwn
        }
        // At a place in a program the kernel's stack is empty.
        Attach::Profile
        | Attach::Tick
        | Attach::Counter
        | Attach::MajorFaults
        | Attach::Uprobe
        | Attach::Uretprobe
        | Attach::Function { returns: true } => Start::At(0),
        Attach::Function { returns: false } => Start::At(1),
    }
}

/// The table by which a clause knows its own frames (`stack_own`): a power of two of addresses; none where the kernel hides them.
/// `probes` are all that the program names.
fn own_frames<'a>(addresses: &Addresses, probes: impl Iterator<Item = &'a ProbeInfo>) -> Vec<u64> {
    let traced: Vec<String> = probes
        .filter_map(|probe| match attach(probe.program.attach, probe.instance) {
            Attach::RawTracepoint(name) => Some(format!("__traceiter_{name}")),
            _ => None,
        })
        .collect();
    const CALLERS: [&str; 5] =
        ["bpf_trace_run", "__bpf_trace_", "bpf_prog_test_run", "__bpf_prog_test_run", "bpf_test_run"];
    let calls = |name: &str| {
        CALLERS.iter().any(|start| name.starts_with(start)) || traced.iter().any(|of| of == name)
    };
    let mut table = addresses.runs(calls);
    if !table.is_empty() {
        table.resize((table.len() + 1).next_power_of_two(), u64::MAX);
    }
    table
}

impl Clause<'_> {
    /// Writes a stack into a message: for the process's, its id and then the addresses; for the kernel's, how many of the addresses
    /// behind come before it.
    pub(super) fn record_stack(&mut self, stack: Stack, to: Memory) {
        let frames = shift(to, 8);
        if stack.user {
            self.store_pid(to);
            self.take_stack(stack, frames);
        } else {
            let own = self.take_stack(stack, frames);
            self.b.store(Size::B8, to, own);
        }
    }

    /// Writes an address into a message or a key: for the process's, its id first.
    pub(super) fn record_symbol(&mut self, value: &Expr, symbol: Symbol, to: Memory) {
        let ExprKind::Symbol(address) = &value.kind else {
            unreachable!("a symbol is recorded from an address")
        };
        let address = self.int(address);
        match symbol.user {
            true => {
                self.store_pid(to);
                self.b.store(Size::B8, shift(to, 8), address);
            }
            false => self.b.store(Size::B8, to, address),
        }
    }

    /// The hash under which a stack's addresses are kept; goes to `failed` when there is no room for them.
    pub(super) fn keep_stack(&mut self, stack: Stack, failed: Label) -> VReg {
        let at = self.temporary(stack_words(stack) * 8);
        let own = self.take_stack(stack, at);
        let bytes = self.b.binary(BinaryOp::Shl, own, 3);
        let offset = self.b.add(bytes, i64::from(at.offset));
        let hash =
            self.b.call("stack_hash", &[self.slot.into(), offset.into(), Operand::Imm(stack.frames.into())]);
        let key = self.word();
        self.b.store(Size::B8, (key, 0), hash);
        let symbol = stacks_map(stack.frames);
        let kept = self.b.label();
        let (map, address) = (self.b.map_addr(symbol.as_str()), self.b.stack_addr(key, 0));
        let found = self.b.helper(helper::MAP_LOOKUP_ELEM, &[map.into(), address.into()]);
        self.b.branch(Condition::Ne, found, 0, kept);
        let (map, address) = (self.b.map_addr(symbol.as_str()), self.b.stack_addr(key, 0));
        let frames = self.b.add(self.slot, offset);
        let args = [map.into(), address.into(), frames.into(), Operand::Imm(NO_EXIST)];
        let status = self.b.helper(helper::MAP_UPDATE_ELEM, &args);
        self.b.branch(Condition::Eq, status, 0, kept);
        self.b.branch(Condition::Eq, status, EEXIST, kept);
        self.count_drop(Drop::Aggregation);
        self.b.jump(failed);
        self.b.place(kept);
        self.b.load(Size::B8, (key, 0))
    }

    /// Where the function that fires was called from: at a probe that interrupts, from where the function was that it interrupted.
    pub(super) fn caller(&mut self) -> Operand {
        let interrupts = matches!(
            self.unit.info().program.attach,
            Attach::Profile | Attach::Tick | Attach::Counter | Attach::MajorFaults
        );
        let frames = if interrupts { 2 } else { 1 };
        let stack = Stack { user: false, frames };
        let at = self.temporary(stack_words(stack) * 8);
        let own = self.take_stack(stack, at);
        let bytes = self.b.binary(BinaryOp::Shl, own, 3);
        let frame = self.b.add(self.slot, bytes);
        self.b.load(Size::B8, (frame, at.offset + 8 * (frames as i32 - 1))).into()
    }

    /// How many frames the kernel's stack has.
    pub(super) fn depth(&mut self) -> Operand {
        let size = MAX_FRAMES * 8;
        let at = self.temporary(size);
        self.clear(at, size.min(OWN_FRAMES as u32 * 8));
        let bytes = self.get_stack(false, at, size);
        let own = self.own_frames(at);
        let frames = self.b.binary(BinaryOp::Ashr, bytes, 3);
        let depth = self.b.binary(BinaryOp::Sub, frames, own);
        let there = self.b.label();
        self.b.branch(Condition::Sge, depth, 0, there);
        self.b.set(depth, 0);
        self.b.place(there);
        depth.into()
    }

    /// The second frame of the process's stack; 0 where there is none.
    pub(super) fn user_caller(&mut self) -> Operand {
        if self.is_at_entry() {
            return self.return_address().into();
        }
        let at = self.temporary(16);
        self.clear(at, 16);
        self.get_stack(true, at, 16);
        self.b.load(Size::B8, shift(at, 8)).into()
    }

    /// How many frames the process's stack has.
    pub(super) fn user_depth(&mut self) -> Operand {
        let size = MAX_FRAMES * 8;
        let at = self.temporary(size);
        let bytes = self.get_stack(true, at, size);
        let depth = self.b.binary(BinaryOp::Lshr, bytes, 3);
        let there = self.b.label();
        self.b.branch(Condition::Sge, bytes, 0, there);
        self.b.set(depth, 0);
        self.b.place(there);
        depth.into()
    }

    /// A register with which the process came into the kernel.
    pub(super) fn user_register(&mut self, offset: u16) -> Operand {
        if self.is_given() {
            return Operand::Imm(0);
        }
        let task = self.b.helper(helper::GET_CURRENT_TASK_BTF, &[]);
        let registers = self.b.helper(helper::TASK_PT_REGS, &[task.into()]);
        let from = self.b.add(registers, i64::from(offset));
        let word = self.word();
        let to = self.b.stack_addr(word, 0);
        self.b.helper_void(helper::PROBE_READ_KERNEL, &[to.into(), Operand::Imm(8), from.into()]);
        self.b.load(Size::B8, (word, 0)).into()
    }

    /// The id of the current process, as a word.
    pub(super) fn store_pid(&mut self, to: Memory) {
        let pid = self.builtin(Builtin::Pid);
        self.b.store(Size::B8, to, pid);
    }

    /// The addresses of a stack, the innermost first, zeros behind them; gives how many of them come before it.
    fn take_stack(&mut self, stack: Stack, to: Memory) -> Operand {
        let size = stack_words(stack) * 8;
        self.clear(to, size);
        self.get_stack(stack.user, to, size);
        if stack.user && size > 8 && self.is_at_entry() {
            self.put_caller(to, size);
        }
        if stack.user { Operand::Imm(0) } else { self.own_frames(to) }
    }

    /// How many of a stack's first frames are our own: a number that the verifier knows to be small.
    fn own_frames(&mut self, stack: Memory) -> Operand {
        let clause::Context { own_frames: table, options, names, .. } = self.context;
        let table = table.get_or_init(|| own_frames(&options.addresses, names.probes()));
        if start(self.unit.info()) != Start::BehindOwn || table.is_empty() {
            return Operand::Imm(0);
        }
        let words = table.len() as i64;
        let bytes: Vec<u8> = table.iter().flat_map(|word| word.to_le_bytes()).collect();
        let table = self.data.bytes(&bytes);
        let table = self.b.data_addr(STRINGS, table as i32);
        let offset = Operand::Imm(stack.offset.into());
        let own = self.b.call("stack_own", &[self.slot.into(), offset, table.into(), Operand::Imm(words)]);
        // Never taken: it tells the verifier the range.
        let few = self.b.label();
        self.b.branch(Condition::Le, own, OWN_FRAMES as i64, few);
        self.b.set(own, 0);
        self.b.place(few);
        own.into()
    }

    /// Fills memory with the addresses of a stack; gives how many bytes were written, negative where there is no stack.
    pub(super) fn get_stack(&mut self, user: bool, to: Memory, size: u32) -> VReg {
        if self.is_given() {
            return self.b.constant(0);
        }
        let (context, to) = (self.ctx, self.address(to));
        let flags = match start(self.unit.info()) {
            _ if user => USER_STACK,
            // BPF_F_SKIP_FIELD_MASK
            Start::At(skipped) => skipped.into(),
            Start::BehindOwn => 0,
        };
        let args = [context.into(), to.into(), Operand::Imm(size.into()), Operand::Imm(flags)];
        self.b.helper(helper::GET_STACK, &args)
    }
}

/// -EEXIST: another CPU has kept the stack since it was looked up.
const EEXIST: i64 = -17;
