//! A function in pieces does what it does whole, wherever it is cut and whichever way it goes.

use super::interpreter::run_on;
use crate::ir::split::pieces;
use crate::ir::*;

/// Where the digits are written and where pieces go on, behind the input.
const WRITTEN: i32 = 8;
const RESUME: i32 = 16;

enum Step {
    /// Writes a digit behind those before.
    Digit(i64),
    /// Goes one way where that bit of the input is set, else the other.
    If(i64, Vec<Step>, Vec<Step>),
    End(i64),
}

fn build(b: &mut Builder, steps: &[Step], cut: bool) {
    let input = b.param(0);
    for step in steps {
        if cut {
            b.cut();
        }
        match step {
            Step::Digit(digit) => {
                let before = b.load(Size::B8, (input, WRITTEN));
                let moved = b.binary(BinaryOp::Mul, before, 10);
                let after = b.add(moved, *digit);
                b.store(Size::B8, (input, WRITTEN), after);
            }
            Step::If(bit, yes, no) => {
                let (other, done) = (b.label(), b.label());
                let word = b.load(Size::B8, (input, 0));
                let bit = b.binary(BinaryOp::And, word, 1 << bit);
                b.branch(Condition::Eq, bit, 0, other);
                build(b, yes, cut);
                b.jump(done);
                b.place(other);
                build(b, no, cut);
                b.place(done);
            }
            Step::End(outcome) => {
                b.ret(*outcome);
                let behind = b.label();
                b.place(behind);
            }
        }
    }
}

fn function(steps: &[Step], cut: bool) -> Function {
    let mut b = Builder::new("f", 1);
    build(&mut b, steps, cut);
    b.ret(0);
    b.finish()
}

/// What the functions write, called one after the other until one gives something else than 0, and that.
fn outcome(functions: &[Function], input: u64) -> (u64, u64) {
    let mut memory = [input, 0, 0].map(u64::to_le_bytes).concat();
    let word = |memory: &[u8], at: i32| u64::from_le_bytes(memory[at as usize..][..8].try_into().unwrap());
    let mut given = 0;
    for function in functions {
        let gives = run_on(function, &mut memory);
        assert!(given == 0 || gives == 0, "what follows the end does nothing");
        given |= gives;
    }
    assert_eq!(word(&memory, RESUME), 0, "nothing is left to go on with");
    (word(&memory, WRITTEN), given)
}

#[test]
fn pieces_do_what_the_whole_does() {
    use Step::{Digit, End, If};
    let inner = || If(1, vec![Digit(3), Digit(4)], vec![If(2, vec![Digit(5), End(2), Digit(6)], vec![])]);
    let steps = [
        Digit(1),
        If(0, vec![Digit(2), inner(), Digit(7)], vec![Digit(8), inner()]),
        If(3, vec![End(1)], vec![Digit(9)]),
        Digit(1),
    ];
    let whole = [function(&steps, false)];
    let cut = pieces(function(&steps, true), RESUME);
    assert!(cut.len() > 10, "{}", cut.len());
    let optimized: Vec<Function> = cut
        .iter()
        .cloned()
        .map(|mut piece| {
            jumps::simplify_jumps(&mut piece);
            check::check_paths(&piece).expect("nothing but the parameter lives across a cut");
            optimize(&mut piece);
            piece
        })
        .collect();
    for input in 0..16 {
        assert_eq!(outcome(&cut, input), outcome(&whole, input), "for {input}");
        assert_eq!(outcome(&optimized, input), outcome(&whole, input), "for {input}, optimized");
    }
}

#[test]
fn what_lives_across_a_cut_is_a_mistake() {
    let mut b = Builder::new("f", 1);
    let word = b.load(Size::B8, (b.param(0), 0));
    b.cut();
    b.ret(word);
    assert!(matches!(compile_pieces(b.finish(), RESUME), Err(Error::Malformed { .. })));
}
