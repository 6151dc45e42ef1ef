//! What a few functions compile to, to be read.

use crate::bpf::disassemble;
use crate::ir::*;

fn compiled(builder: Builder) -> String {
    disassemble(&compile(builder.finish()).expect("it compiles"))
}

#[test]
fn a_clause_that_counts() {
    let mut b = Builder::new("clause", 2);
    let slot = b.param(0);
    let pid = b.helper(14, &[]);
    let pid = b.binary(BinaryOp::Lshr, pid, 32);
    let go = b.label();
    b.branch(Condition::Eq, pid, 4711, go);
    b.ret(0);
    b.place(go);
    let key = b.stack_slot(8);
    b.store(Size::B8, (key, 0), pid);
    let (map, key) = (b.map_addr("counts"), b.stack_addr(key, 0));
    let value = b.helper(1, &[map.into(), key.into()]);
    let fresh = b.label();
    b.branch(Condition::Eq, value, 0, fresh);
    b.atomic_add(Width::W64, (value, 0), 1);
    b.ret(0);
    b.place(fresh);
    b.store(Size::B4, (slot, 0), 5);
    b.ret(2);
    insta::assert_snapshot!(compiled(b), @"
     0: r6 = r1
     1: call bpf_get_current_pid_tgid#14
     2: r0 >>= 32
     3: if r0 == 4711 goto +2
     4: r0 = 0
     5: exit
     6: *(u64 *)(r10 -8) = r0
     7: r1 = map[counts]
     9: r2 = r10
    10: r2 += -8
    11: call bpf_map_lookup_elem#1
    12: if r0 == 0 goto +4
    13: r5 = 1
    14: lock *(u64 *)(r0 +0) += r5
    15: r0 = 0
    16: exit
    17: *(u32 *)(r6 +0) = 5
    18: r0 = 2
    19: exit
    ");
}

#[test]
fn signed_division_by_a_constant() {
    let mut b = Builder::new("divide", 2);
    let quotient = b.binary(BinaryOp::Sdiv, b.param(0), 10);
    let rest = b.binary(BinaryOp::Smod, b.param(1), 8);
    let sum = b.add(quotient, rest);
    b.ret(sum);
    insta::assert_snapshot!(compiled(b), @"
     0: r0 = r1
     1: r5 = r0
     2: r5 s>>= 63
     3: r0 ^= r5
     4: r0 -= r5
     5: r0 /= 10
     6: r0 ^= r5
     7: r0 -= r5
     8: r5 = r2
     9: r5 s>>= 63
    10: r2 ^= r5
    11: r2 -= r5
    12: r2 &= 7
    13: r2 ^= r5
    14: r2 -= r5
    15: r0 += r2
    16: exit
    ");
}

#[test]
fn constants_fold_and_branches_with_them() {
    let mut b = Builder::new("fold", 2);
    let seven = b.constant(7);
    let product = b.binary(BinaryOp::Mul, seven, 6);
    let (yes, done) = (b.label(), b.label());
    let result = b.vreg();
    b.branch(Condition::Eq, product, 42, yes);
    b.set(result, 1);
    b.jump(done);
    b.place(yes);
    b.binary_to(result, BinaryOp::Mul, b.param(0), 16);
    b.place(done);
    b.ret(result);
    insta::assert_snapshot!(compiled(b), @"
    0: r0 = r1
    1: r0 <<= 4
    2: exit
    ");
}

#[test]
fn an_address_is_part_of_the_access() {
    let mut b = Builder::new("address", 2);
    let field = b.add(b.param(0), 100);
    let field = b.add(field, 20);
    let value = b.load_signed(Size::B4, (field, 4));
    let value = b.extend(32, true, value);
    let global = b.data_addr(".data.globals", 24);
    b.store(Size::B8, (global, 0), value);
    b.call_void("emit", &[b.param(0).into(), 0x1_0000_0000i64.into()]);
    b.ret(0);
    insta::assert_snapshot!(compiled(b), @"
     0: r0 = *(u32 *)(r1 +124)
     1: r0 <<= 32
     2: r0 s>>= 32
     3: r5 = &.data.globals +24
     5: *(u64 *)(r5 +0) = r0
     6: r2 = 0x100000000 ll
     8: call emit
     9: r0 = 0
    10: exit
    ");
}
