//! Tests of refusals: each rule of the IR, and each limit of the machine.

use crate::ir::*;

fn refusal(b: Builder) -> Error {
    compile(b.finish()).expect_err("it is refused")
}

fn is_malformed(error: &Error, about: &str) -> bool {
    matches!(error, Error::Malformed { problem, .. } if problem.contains(about))
}

#[test]
fn too_much_stack() {
    let mut b = Builder::new("f", 1);
    let slot = b.stack_slot(200);
    let address = b.stack_addr(slot, 0);
    b.helper_void(16, &[address.into(), 16.into()]);
    b.ret(0);
    assert_eq!(refusal(b), Error::Frame { function: "f".into(), need: 200, limit: FRAME_LIMIT });
}

#[test]
fn too_many_values_across_a_call() {
    let mut b = Builder::new("f", 1);
    let values: Vec<VReg> = (0..40).map(|word| b.load(Size::B8, (b.param(0), word * 8))).collect();
    b.helper_void(5, &[]);
    let mut sum = b.constant(0);
    for value in values {
        sum = b.add(sum, value);
    }
    b.ret(sum);
    assert!(matches!(refusal(b), Error::Frame { need: 288, .. }), "40 values, 4 of them in registers");
}

#[test]
fn a_jump_that_is_too_far() {
    let mut b = Builder::new("f", 1);
    let end = b.label();
    b.branch(Condition::Eq, b.param(0), 0, end);
    (0..40_000).for_each(|_| b.store(Size::B8, (b.param(0), 0), 1));
    b.place(end);
    b.ret(0);
    assert_eq!(refusal(b), Error::TooFar { function: "f".into() });
}

#[test]
fn a_path_that_does_not_return() {
    let mut b = Builder::new("f", 1);
    let end = b.label();
    b.branch(Condition::Eq, b.param(0), 0, end);
    b.ret(0);
    b.place(end);
    assert!(is_malformed(&refusal(b), "does not return"));
}

#[test]
fn a_register_that_one_path_does_not_assign() {
    let mut b = Builder::new("f", 1);
    let (x, end) = (b.vreg(), b.label());
    b.branch(Condition::Eq, b.param(0), 0, end);
    b.set(x, 1);
    b.place(end);
    b.ret(x);
    assert!(is_malformed(&refusal(b), "before it is assigned"));
}

#[test]
fn a_label_that_is_not_placed() {
    let mut b = Builder::new("f", 1);
    let nowhere = b.label();
    b.jump(nowhere);
    assert!(is_malformed(&refusal(b), "placed 0 times"));
}

#[test]
fn an_access_outside_a_slot() {
    let mut b = Builder::new("f", 1);
    let slot = b.stack_slot(8);
    b.store(Size::B8, (slot, 4), 0);
    b.ret(0);
    assert!(is_malformed(&refusal(b), "outside"));
}

#[test]
fn too_many_arguments() {
    let mut b = Builder::new("f", 1);
    b.helper_void(5, &[0.into(); 6]);
    b.ret(0);
    assert!(is_malformed(&refusal(b), "five arguments"));
}
