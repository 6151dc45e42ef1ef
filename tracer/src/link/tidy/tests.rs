//! That what is left means the same, and that what can be left out is.

use proptest::prelude::*;

use super::*;
use crate::bpf::Insn;
use crate::bpf::insn::{FRAME, alu, jmp, size};
use crate::ir;
use crate::ir::tests::random::{self, INPUT_SIZE, Machine, is_beyond_rbpf, run_in_rbpf};
use crate::link::function::Target;

const CONSTANTS: &str = ".rodata";

fn known(bytes: &[u8]) -> Known {
    Known {
        constant: BTreeMap::from([(CONSTANTS.to_owned(), bytes.to_vec())]),
        maps: BTreeMap::from([("map".to_owned(), (8, 8))]),
    }
}

/// What is left of instructions, of which those at these places refer to something.
fn tidied(insns: Vec<Insn>, references: Vec<(usize, Target)>) -> Vec<Insn> {
    tidy(Function::new("f".into(), insns, references), &known(&[7, 0, 0, 0, 1])).insns
}

fn constant(offset: u32) -> Target {
    Target::Data(CONSTANTS.into(), offset)
}

fn give(value: i32) -> [Insn; 2] {
    [Insn::alu_imm(alu::MOV, 0, value), Insn::exit()]
}

fn jump(insn: Insn, offset: i16) -> Insn {
    Insn { offset, ..insn }
}

#[test]
fn what_a_constant_decides_is_decided() {
    let [low, high] = Insn::load_imm64(1, 0);
    let load = Insn::load(size::W, 1, 1, 0);
    let asks = jump(Insn::branch_imm(jmp::JEQ, 1, 7), 2);
    let insns = [&[low, high, load, asks], &give(1)[..], &give(2)].concat();
    assert_eq!(tidied(insns.clone(), vec![(0, constant(0))]), give(2));
    assert_eq!(tidied(insns.clone(), vec![(0, constant(1))]), give(1));
    // That of a map may change.
    assert_eq!(tidied(insns.clone(), vec![(0, Target::Data(".data".into(), 0))]), insns);
}

#[test]
fn an_answer_that_is_asked_for_leads_where_it_leads() {
    let answer = |value| Insn::alu_imm(alu::MOV, 0, value);
    let insns = vec![
        jump(Insn::branch_imm(jmp::JEQ, 1, 110), 2),
        answer(0),
        jump(Insn::jump(), 1),
        answer(1),
        jump(Insn::branch_imm(jmp::JNE, 0, 0), 1),
        Insn::exit(),
        answer(5),
        Insn::exit(),
    ];
    let expected = [&[jump(Insn::branch_imm(jmp::JEQ, 1, 110), 2)], &give(0)[..], &give(5)].concat();
    assert_eq!(tidied(insns, Vec::new()), expected);
}

#[test]
fn words_of_the_stack_are_written_where_they_are_read() {
    let store = |offset| Insn::store_imm(size::DW, FRAME, offset, 1);
    let [low, high] = Insn::load_imm64(1, 0);
    let key = [Insn::alu_reg(alu::MOV, 2, FRAME), Insn::alu_imm(alu::ADD, 2, -16)];
    let look_up = Insn::call_helper(1);
    let insns =
        [&[store(-8), store(-16), store(-24)], &key[..], &[low, high, look_up, Insn::exit()]].concat();
    let left = [&[store(-16)], &key[..], &[low, high, look_up, Insn::exit()]].concat();
    assert_eq!(tidied(insns.clone(), vec![(5, Target::Map("map".into()))]), left);
    // Of a helper that is not known it is not known what it reads.
    let mut other = insns;
    other[7] = Insn::call_helper(2000);
    assert_eq!(tidied(other.clone(), vec![(5, Target::Map("map".into()))]), other);
}

#[test]
fn a_pointer_into_the_stack_is_followed_through_the_stack() {
    let insns = vec![
        Insn::store_imm(size::DW, FRAME, -8, 3),
        Insn::store_imm(size::DW, FRAME, -32, 4),
        Insn::alu_reg(alu::MOV, 6, FRAME),
        Insn::alu_imm(alu::ADD, 6, -24),
        Insn::store_reg(size::DW, FRAME, -16, 6),
        Insn::alu_imm(alu::MOV, 6, 0),
        Insn::load(size::DW, 1, FRAME, -16),
        Insn::load(size::DW, 0, 1, 16),
        Insn::exit(),
    ];
    assert_eq!(tidied(insns, Vec::new()), give(3));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn programs_compute_the_same_whether_their_input_is_constant_or_not(
        program in random::program(Machine::Rbpf),
        input in prop::collection::vec(any::<u8>(), INPUT_SIZE as usize),
        is_constant: bool,
    ) {
        let code = ir::compile(random::build(&program, Machine::Rbpf)).expect("it compiles");
        let section = if is_constant { constant(0) } else { Target::Data(".data".into(), 0) };
        let insns = [&Insn::load_imm64(1, 0), code.insns.as_slice()].concat();
        let function = Function::new("random".into(), insns, vec![(0, section)]);
        let tidied = tidy(function.clone(), &known(&input));
        let run = |function: &Function| {
            let mut insns = function.insns.clone();
            for (at, _) in &function.references {
                insns[*at..][..2].copy_from_slice(&Insn::load_imm64(1, input.as_ptr() as i64));
            }
            let bytes: Vec<u8> = insns.iter().flat_map(|insn| insn.encode()).collect();
            run_in_rbpf(&bytes, &input)
        };
        prop_assume!(![&function, &tidied].iter().any(|function| function.insns.iter().any(is_beyond_rbpf)));
        let text = |function: &Function| function.insns.iter().map(|insn| format!("{insn}\n")).collect::<String>();
        prop_assert_eq!(run(&tidied), run(&function), "{}\n{}", text(&function), text(&tidied));
    }
}
