//! What a few functions compile to, to be read.

use crate::bpf::{self, disassemble};
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

#[test]
fn a_spilled_pointer_is_stored_whole_and_aligned() {
    let mut b = Builder::new("spill", 1);
    let pointers: Vec<VReg> = (0..5).map(|field| b.load(Size::B8, (b.param(0), 8 * field))).collect();
    b.helper_void(5, &[]);
    let mut sum = b.constant(0);
    for pointer in pointers {
        let value = b.load(Size::B4, (pointer, 0));
        sum = b.add(sum, value);
    }
    b.ret(sum);
    insta::assert_snapshot!(compiled(b), @"
     0: r6 = *(u64 *)(r1 +0)
     1: r7 = *(u64 *)(r1 +8)
     2: r8 = *(u64 *)(r1 +16)
     3: r9 = *(u64 *)(r1 +24)
     4: r0 = *(u64 *)(r1 +32)
     5: *(u64 *)(r10 -8) = r0
     6: call bpf_ktime_get_ns#5
     7: r0 = *(u32 *)(r6 +0)
     8: r5 = *(u32 *)(r7 +0)
     9: r0 += r5
    10: r5 = *(u32 *)(r8 +0)
    11: r0 += r5
    12: r5 = *(u32 *)(r9 +0)
    13: r0 += r5
    14: r5 = *(u64 *)(r10 -8)
    15: r5 = *(u32 *)(r5 +0)
    16: r0 += r5
    17: exit
    ");
}

#[test]
fn arguments_change_places_by_way_of_r0() {
    let mut b = Builder::new("swap", 2);
    let result = b.call("f", &[b.param(1).into(), b.param(0).into(), 7.into()]);
    b.ret(result);
    insta::assert_snapshot!(compiled(b), @"
    0: r0 = r1
    1: r1 = r2
    2: r2 = r0
    3: r3 = 7
    4: call f
    5: exit
    ");
}

#[test]
fn instructions_remember_where_they_come_from_and_what_they_need() {
    let mut b = Builder::new("origin", 1);
    b.set_at(Some(At(10)));
    let map = b.map_addr("m");
    b.set_at(Some(At(20)));
    let global = b.data_addr(".data.globals", 16);
    let result = b.call("update", &[map.into(), global.into()]);
    b.set_at(Some(At(30)));
    b.ret(result);
    let code = compile(b.finish()).expect("it compiles");
    assert_eq!(code.lines, [(0, At(10)), (2, At(20)), (5, At(30))]);
    let relocation = |offset, kind, symbol: &str, addend| {
        let symbol = symbol.to_string();
        bpf::Relocation { offset, kind, symbol, addend }
    };
    let expected = [
        relocation(0, bpf::RelocationKind::Map, "m", 0),
        relocation(2, bpf::RelocationKind::Data, ".data.globals", 16),
        relocation(4, bpf::RelocationKind::Call, "update", 0),
    ];
    assert_eq!(code.relocations, expected);
    assert_eq!((code.insns[2].imm, code.insns[4].imm), (16, -1));
    assert_eq!(code.bytes().len(), 8 * code.insns.len());
}
