//! Random programs: what they compute must not depend on who runs them.
//!
//! A program assigns to more variables than there are registers, in straight code, branches, loops and around calls,
//! and returns a digest of them all.

use proptest::prelude::*;

use super::interpreter::{self, mix};
use crate::bpf;
use crate::bpf::insn::{class, jmp};
use crate::ir::*;

/// Variables of a program; more than machine registers, so that some are spilled.
const VARS: u8 = 14;
/// Bytes of input.
pub(crate) const INPUT_SIZE: u32 = 96;
/// Bytes of the stack slot that programs write.
const SLOT_SIZE: u32 = 32;
/// Bytes of the stack slot that only atomics write. It begins with input, never with a constant: before Linux commit
/// 179ee84a8911 ("bpf: Fix incorrect pruning due to atomic fetch precision tracking", 2026) the verifier may take a
/// known value that an exchange fetches from the stack for known on other paths, too.
const ATOMIC_SIZE: u32 = 16;
/// The helper that programs call in the kernel.
const KTIME_GET_NS: u32 = 5;
/// The number of the first helper that programs call in rbpf; the kernel has none such.
const FIRST_HELPER: u32 = 1000;
/// The helpers that programs call in rbpf, by how many arguments they take: what the other registers hold is nothing
/// to them.
const MIX: [rbpf::Helper; 6] = [
    |_, _, _, _, _| mix(0, 0, 0, 0, 0),
    |a, _, _, _, _| mix(a, 0, 0, 0, 0),
    |a, b, _, _, _| mix(a, b, 0, 0, 0),
    |a, b, c, _, _| mix(a, b, c, 0, 0),
    |a, b, c, d, _| mix(a, b, c, d, 0),
    mix,
];

#[derive(Clone, Copy, Debug)]
pub(crate) enum Value {
    Var(u8),
    Num(i64),
}

#[derive(Clone, Debug)]
pub(crate) enum Stmt {
    Set(u8, Value),
    Unary(u8, UnaryOp, Value),
    Binary(u8, BinaryOp, Value, Value),
    Compare(u8, Condition, Value, Value),
    Input(u8, Size, bool, u32),
    Store(Size, u32, Value),
    /// Through a pointer in a register, displaced by so much.
    StoreThrough(Size, u32, i32, Value),
    Load(u8, Size, bool, u32),
    Call(u8, Vec<Value>),
    If(Condition, Width, Value, Value, Vec<Stmt>, Vec<Stmt>),
    Repeat(u8, Vec<Stmt>),
    AtomicAdd(Width, u32, Value),
    Exchange(u8, Width, u32, Value),
    CompareExchange(u8, Width, u32, Value, Value),
}

/// Which statements programs are made of.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Machine {
    /// No atomics; helpers may be called with any arguments.
    Rbpf,
    /// Everything; the helper takes no arguments, and its result is not read.
    Kernel,
}

fn num() -> impl Strategy<Value = i64> {
    prop_oneof![
        -10i64..70,
        (0u32..64).prop_map(|bit| 1i64 << bit),
        any::<i32>().prop_map(i64::from),
        any::<u32>().prop_map(i64::from),
        any::<i64>(),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![3 => (0..VARS).prop_map(Value::Var), 1 => num().prop_map(Value::Num)]
}

fn unary_op() -> impl Strategy<Value = UnaryOp> {
    let bits = prop_oneof![Just(8u8), Just(16), Just(32)];
    prop_oneof![
        Just(UnaryOp::Neg),
        Just(UnaryOp::Not),
        (bits, any::<bool>()).prop_map(|(bits, signed)| UnaryOp::Extend { bits, signed }),
        prop_oneof![Just(16u8), Just(32), Just(64)].prop_map(|bits| UnaryOp::BigEndian { bits }),
    ]
}

fn binary_op() -> impl Strategy<Value = BinaryOp> {
    use BinaryOp::*;
    prop::sample::select(vec![Add, Sub, Mul, Div, Mod, Sdiv, Smod, And, Or, Xor, Shl, Lshr, Ashr])
}

fn condition() -> impl Strategy<Value = Condition> {
    use Condition::*;
    prop::sample::select(vec![Eq, Ne, Gt, Ge, Lt, Le, Sgt, Sge, Slt, Sle, Set])
}

fn width() -> impl Strategy<Value = Width> {
    prop_oneof![Just(Width::W32), Just(Width::W64)]
}

/// A size, and an offset below `end` aligned to it.
fn access(end: u32) -> impl Strategy<Value = (Size, u32)> {
    let size = prop::sample::select(vec![Size::B1, Size::B2, Size::B4, Size::B8]);
    (size, 0..end).prop_map(|(size, offset)| (size, offset / size.bytes() * size.bytes()))
}

fn leaf(machine: Machine) -> BoxedStrategy<Stmt> {
    let var = || 0..VARS;
    let word = || (0..ATOMIC_SIZE / 8).prop_map(|word| word * 8);
    let plain = prop_oneof![
        1 => (var(), value()).prop_map(|(dst, src)| Stmt::Set(dst, src)),
        3 => (var(), unary_op(), value()).prop_map(|(dst, op, src)| Stmt::Unary(dst, op, src)),
        9 => (var(), binary_op(), value(), value()).prop_map(|(dst, op, a, b)| Stmt::Binary(dst, op, a, b)),
        2 => (var(), condition(), value(), value()).prop_map(|(dst, c, a, b)| Stmt::Compare(dst, c, a, b)),
        2 => (var(), access(INPUT_SIZE), any::<bool>())
            .prop_map(|(dst, (size, at), signed)| Stmt::Input(dst, size, signed, at)),
        2 => (access(SLOT_SIZE), value()).prop_map(|((size, at), value)| Stmt::Store(size, at, value)),
        1 => (access(SLOT_SIZE), prop_oneof![-64i32..64, 40_000..80_000], value())
            .prop_map(|((size, at), by, value)| Stmt::StoreThrough(size, at, by, value)),
        2 => (var(), access(SLOT_SIZE), any::<bool>())
            .prop_map(|(dst, (size, at), signed)| Stmt::Load(dst, size, signed, at)),
        2 => (var(), prop::collection::vec(value(), 0..=5)).prop_map(|(dst, args)| Stmt::Call(dst, args)),
    ];
    let atomic = prop_oneof![
        (width(), word(), value()).prop_map(|(width, at, value)| Stmt::AtomicAdd(width, at, value)),
        (var(), width(), word(), value()).prop_map(|(dst, width, at, v)| Stmt::Exchange(dst, width, at, v)),
        (var(), width(), word(), value(), value())
            .prop_map(|(dst, width, at, old, new)| Stmt::CompareExchange(dst, width, at, old, new)),
    ];
    match machine {
        Machine::Rbpf => plain.boxed(),
        Machine::Kernel => prop_oneof![6 => plain, 1 => atomic].boxed(),
    }
}

/// A program for a machine. The verifier walks every path of a loop, so in the kernel loops are of straight code.
pub(crate) fn program(machine: Machine) -> impl Strategy<Value = Vec<Stmt>> {
    let (most, straight) = match machine {
        Machine::Rbpf => (30, None),
        Machine::Kernel => (16, Some(leaf(machine))),
    };
    let stmt = leaf(machine).prop_recursive(3, 40, 6, move |inner| {
        let body = || prop::collection::vec(inner.clone(), 0..6);
        let looped = prop::collection::vec(straight.clone().unwrap_or(inner.clone()), 0..6);
        prop_oneof![
            3 => (condition(), width(), value(), value(), body(), body())
                .prop_map(|(c, width, a, b, yes, no)| Stmt::If(c, width, a, b, yes, no)),
            1 => (1u8..4, looped).prop_map(|(count, body)| Stmt::Repeat(count, body)),
        ]
    });
    prop::collection::vec(stmt, 1..most)
}

/// The function of a program.
pub(crate) fn build(program: &[Stmt], machine: Machine) -> Function {
    let mut b = Builder::new("random", 1);
    let slot = b.stack_slot(SLOT_SIZE);
    (0..SLOT_SIZE as i32 / 8).for_each(|word| b.store(Size::B8, (slot, word * 8), 0));
    let atomic_slot = b.stack_slot(ATOMIC_SIZE);
    let atomic_words = (0..ATOMIC_SIZE as i32 / 8).map(|word| word * 8);
    for word in atomic_words.clone() {
        let input = b.load(Size::B8, (b.param(0), word));
        b.store(Size::B8, (atomic_slot, word), input);
    }
    let vars = (0..VARS).map(|var| b.load(Size::B8, (b.param(0), i32::from(var) % 12 * 8))).collect();
    let mut made = Made { b, vars, slot, atomic_slot, machine };
    made.stmts(program);
    let Made { mut b, mut vars, .. } = made;
    vars.extend(atomic_words.map(|word| b.load(Size::B8, (atomic_slot, word))));
    let mut digest = b.constant(0);
    for var in vars {
        let scaled = b.binary(BinaryOp::Mul, digest, 31);
        digest = b.add(scaled, var);
    }
    let high = b.binary(BinaryOp::Lshr, digest, 32);
    let digest = b.binary(BinaryOp::Xor, digest, high);
    b.ret(digest);
    b.finish()
}

struct Made {
    b: Builder,
    vars: Vec<VReg>,
    slot: StackSlot,
    atomic_slot: StackSlot,
    machine: Machine,
}

impl Made {
    fn var(&self, var: u8) -> VReg {
        self.vars[usize::from(var)]
    }

    fn operand(&self, value: Value) -> Operand {
        match value {
            Value::Var(var) => self.var(var).into(),
            Value::Num(num) => num.into(),
        }
    }

    fn at(&self, offset: u32) -> Memory {
        (self.slot, offset as i32).into()
    }

    fn atomic_at(&self, offset: u32) -> Memory {
        (self.atomic_slot, offset as i32).into()
    }

    fn stmts(&mut self, stmts: &[Stmt]) {
        stmts.iter().for_each(|stmt| self.stmt(stmt));
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match *stmt {
            Stmt::Set(dst, src) => self.b.set(self.var(dst), self.operand(src)),
            Stmt::Unary(dst, op, src) => {
                let (dst, mut src) = (self.var(dst), self.operand(src));
                if op == UnaryOp::Neg {
                    // rbpf panics at the negation of i64::MIN.
                    src = self.b.binary(BinaryOp::Or, src, 1).into();
                }
                self.b.push(Op::Unary { op, dst, src });
            }
            Stmt::Binary(dst, op, a, b) => {
                self.b.binary_to(self.var(dst), op, self.operand(a), self.operand(b));
            }
            Stmt::Compare(dst, condition, a, b) => {
                let result = self.b.compare(condition, self.operand(a), self.operand(b));
                self.b.set(self.var(dst), result);
            }
            Stmt::Input(dst, size, signed, at) => {
                let from = (self.b.param(0), at as i32).into();
                self.b.push(Op::Load { dst: self.var(dst), size, signed, from });
            }
            Stmt::Store(size, at, value) => self.b.store(size, self.at(at), self.operand(value)),
            Stmt::StoreThrough(size, at, by, value) => {
                let pointer = self.b.stack_addr(self.slot, at as i32);
                let displaced = self.b.add(pointer, i64::from(by));
                self.b.store(size, (displaced, -by), self.operand(value));
            }
            Stmt::Load(dst, size, signed, at) => {
                self.b.push(Op::Load { dst: self.var(dst), size, signed, from: self.at(at) });
            }
            Stmt::Call(dst, ref args) => {
                let args: Vec<Operand> = args.iter().map(|arg| self.operand(*arg)).collect();
                match self.machine {
                    Machine::Rbpf => {
                        let result = self.b.helper(FIRST_HELPER + args.len() as u32, &args);
                        self.b.set(self.var(dst), result);
                    }
                    Machine::Kernel => self.b.helper_void(KTIME_GET_NS, &[]),
                }
            }
            Stmt::If(condition, width, a, b, ref yes, ref no) => {
                let (then, done) = (self.b.label(), self.b.label());
                let (left, right) = (self.operand(a), self.operand(b));
                self.b.push(Op::Branch { condition, width, left, right, target: then });
                self.stmts(no);
                self.b.jump(done);
                self.b.place(then);
                self.stmts(yes);
                self.b.place(done);
            }
            Stmt::Repeat(count, ref body) => {
                let (again, counter) = (self.b.label(), self.b.constant(0));
                self.b.place(again);
                self.stmts(body);
                self.b.binary_to(counter, BinaryOp::Add, counter, 1);
                self.b.branch(Condition::Lt, counter, i64::from(count), again);
            }
            Stmt::AtomicAdd(width, at, value) => {
                self.b.atomic_add(width, self.atomic_at(at), self.operand(value));
            }
            Stmt::Exchange(dst, width, at, value) => {
                let old = self.b.exchange(width, self.atomic_at(at), self.operand(value));
                self.b.set(self.var(dst), old);
            }
            Stmt::CompareExchange(dst, width, at, expected, value) => {
                let (expected, value) = (self.operand(expected), self.operand(value));
                let old = self.b.compare_exchange(width, self.atomic_at(at), expected, value);
                self.b.set(self.var(dst), old);
            }
        }
    }
}

/// Whether rbpf 0.4 gets an instruction wrong: it extends the immediates of unsigned 64-bit comparisons with zeros,
/// where the standard and the kernel extend them with their signs.
pub(crate) fn is_beyond_rbpf(insn: &bpf::Insn) -> bool {
    let unsigned = [jmp::JEQ, jmp::JNE, jmp::JGT, jmp::JGE, jmp::JLT, jmp::JLE];
    let compares = unsigned.iter().any(|op| insn.opcode == class::JMP | op);
    compares && insn.imm < 0
}

/// Runs instructions in rbpf, with `input` behind r1.
pub(crate) fn run_in_rbpf(bytes: &[u8], input: &[u8]) -> u64 {
    let mut memory = input.to_vec();
    let mut vm = rbpf::EbpfVmRaw::new(Some(bytes)).expect("rbpf accepts the instructions");
    for (id, helper) in (FIRST_HELPER..).zip(MIX) {
        vm.register_helper(id, helper).expect("the helper is registered");
    }
    vm.register_allowed_memory(input.as_ptr_range().start as u64..input.as_ptr_range().end as u64);
    vm.execute_program(&mut memory).expect("the program runs")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn compiled_programs_compute_what_the_ir_means(
        program in program(Machine::Rbpf),
        input in prop::collection::vec(any::<u8>(), INPUT_SIZE as usize),
    ) {
        let function = build(&program, Machine::Rbpf);
        let meant = interpreter::run(&function, &input);
        let code = compile(function).expect("it compiles");
        prop_assume!(!code.insns.iter().any(is_beyond_rbpf));
        prop_assert_eq!(run_in_rbpf(&code.bytes(), &input), meant, "{}", bpf::disassemble(&code));
    }

    #[test]
    fn decoding_undoes_encoding(
        (opcode, dst, src) in (any::<u8>(), 0u8..16, 0u8..16),
        (offset, imm) in (any::<i16>(), any::<i32>()),
    ) {
        let insn = bpf::Insn { opcode, dst, src, offset, imm };
        prop_assert_eq!(bpf::Insn::decode(insn.encode()), insn);
        prop_assert!(!insn.to_string().is_empty());
    }
}
