//! Tests of liveness: across branches, around loops, through holes.

use crate::ir::flow::{Liveness, time_of};
use crate::ir::*;

/// Whether the register's value is needed just before an instruction.
fn is_live_before(function: &Function, reg: VReg, index: usize) -> bool {
    let ranges = Liveness::of(function).ranges(function);
    ranges[reg.0 as usize].iter().any(|range| range.contains(&time_of(index)))
}

#[test]
fn a_value_lives_through_the_arm_that_does_not_read_it() {
    let mut b = Builder::new("arms", 2);
    let (other, done) = (b.label(), b.label());
    let x = b.add(b.param(0), 1); // 0
    b.branch(Condition::Eq, b.param(1), 0, other); // 1
    let y = b.add(x, 2); // 2
    b.ret(y); // 3
    b.place(other); // 4
    let z = b.constant(3); // 5
    b.jump(done); // 6
    b.place(done); // 7
    let sum = b.add(x, z); // 8
    b.ret(sum);
    let function = b.finish();
    assert!(is_live_before(&function, x, 2));
    assert!(!is_live_before(&function, x, 3), "one arm has read it for the last time");
    assert!(is_live_before(&function, x, 5), "the other has not");
    assert!(!is_live_before(&function, b_param(&function, 0), 1));
    assert!(is_live_before(&function, b_param(&function, 1), 0));
}

#[test]
fn what_a_loop_reads_lives_until_its_end() {
    let mut b = Builder::new("loop", 1);
    let again = b.label();
    let limit = b.add(b.param(0), 10); // 0
    let i = b.constant(0); // 1
    b.place(again); // 2
    b.helper_void(5, &[]); // 3
    b.binary_to(i, BinaryOp::Add, i, 1); // 4
    b.branch(Condition::Lt, i, limit, again); // 5
    b.ret(i); // 6
    let function = b.finish();
    for index in 2..=5 {
        assert!(is_live_before(&function, limit, index), "before {index}");
        assert!(is_live_before(&function, i, index), "before {index}");
    }
    assert!(!is_live_before(&function, limit, 6));
}

#[test]
fn a_variable_does_not_live_between_its_last_use_and_its_next_assignment() {
    let mut b = Builder::new("hole", 1);
    let x = b.load(Size::B8, (b.param(0), 0)); // 0
    b.store(Size::B8, (b.param(0), 8), x); // 1
    b.helper_void(5, &[]); // 2
    b.set(x, 1); // 3
    b.ret(x); // 4
    let function = b.finish();
    assert!(is_live_before(&function, x, 1));
    assert!(!is_live_before(&function, x, 2));
    assert!(!is_live_before(&function, x, 3));
    assert!(is_live_before(&function, x, 4));
}

fn b_param(function: &Function, index: usize) -> VReg {
    function.params[index]
}
