//! Generated integer expressions: compiled and run, they are worth what they mean.

use probes_common::abi::{Fault, HEADER_SIZE, SLOT_FAULT, fault, outcome};
use proptest::prelude::*;

use super::eval::{State, wrap};
use super::machine::{Machine, PID};
use super::support::*;
use crate::check::typed::*;
use crate::lower::layout::FIRST_EPID;

const TYPES: [IntType; 8] = [
    IntType { bytes: 1, signed: true, name: "int8_t" },
    IntType { bytes: 1, signed: false, name: "uint8_t" },
    IntType { bytes: 2, signed: true, name: "int16_t" },
    IntType { bytes: 2, signed: false, name: "uint16_t" },
    INT,
    IntType { bytes: 4, signed: false, name: "uint32_t" },
    LONG,
    ULONG,
];
/// The types that C computes in: the last four.
const PROMOTED: usize = 4;

/// Makes expressions of a stream of choices, so that a shorter stream of smaller numbers is a smaller expression.
struct Maker<'a> {
    choices: std::slice::Iter<'a, u32>,
}

impl Maker<'_> {
    /// One of `count`; the first when the stream has ended.
    fn choose(&mut self, count: usize) -> usize {
        self.choices.next().map_or(0, |choice| *choice as usize % count)
    }

    fn promoted(&mut self) -> IntType {
        TYPES[PROMOTED + self.choose(TYPES.len() - PROMOTED)]
    }

    fn constant(&mut self) -> i64 {
        let edges = [0, 1, -1, 2, 7, 63, 127, -128, 255, 1 << 15, i64::from(i32::MAX), i64::from(i32::MIN)];
        match self.choose(4) {
            0 => edges[self.choose(edges.len())],
            1 => i64::MIN.wrapping_add(self.choose(3) as i64 - 1),
            2 => self.choose(1 << 31) as i64,
            _ => (self.choose(1 << 32) as i64) << 32 | self.choose(1 << 32) as i64,
        }
    }

    /// An expression of the type.
    fn make(&mut self, ty: IntType, depth: u32) -> Expr {
        let made = self.make_any(ty, depth);
        match made.ty == int_type(ty) {
            true => made,
            false => cast(made, int_type(ty)),
        }
    }

    fn pair(&mut self, depth: u32) -> (Expr, Expr) {
        let ty = self.promoted();
        (self.make(ty, depth), self.make(ty, depth))
    }

    fn boxed(&mut self, ty: IntType, depth: u32) -> Box<Expr> {
        Box::new(self.make(ty, depth))
    }

    /// A condition: mostly `&&`, `||` and `!` over each other, down to comparisons of built-ins.
    fn condition(&mut self, depth: u32) -> Expr {
        let deeper = depth.saturating_sub(1);
        match self.choose(if depth == 0 { 2 } else { 8 }) {
            0 => {
                let ty = self.promoted();
                self.make(ty, deeper)
            }
            1 => compare(CompareOp::Gt, self.builtin(), int(PID as i64)),
            2 => expr(ExprKind::Not(Box::new(self.condition(deeper))), int_type(INT)),
            3..=5 => logical(LogicalOp::And, self.condition(deeper), self.condition(deeper)),
            _ => logical(LogicalOp::Or, self.condition(deeper), self.condition(deeper)),
        }
    }

    /// The process or thread: PID or one more.
    fn builtin(&mut self) -> Expr {
        let builtin = [Builtin::Pid, Builtin::Tid][self.choose(2)];
        expr(ExprKind::Builtin(builtin), int_type(INT))
    }

    /// An expression of the type or of another.
    fn make_any(&mut self, ty: IntType, depth: u32) -> Expr {
        let global = self.choose(TYPES.len());
        let (place, place_type) = (Place::Global(global), TYPES[global]);
        // What C computes in when it is asked for `ty`.
        let wide = if ty.bytes < 4 { self.promoted() } else { ty };
        let deeper = depth.saturating_sub(1);
        match self.choose(if depth == 0 { 3 } else { 16 }) {
            0 => expr(ExprKind::Int(wrap(self.constant().into(), &int_type(ty)) as i64), int_type(ty)),
            1 => load(place, int_type(place_type)),
            2 => self.builtin(),
            3 => {
                let op = [UnaryOp::Neg, UnaryOp::BitNot][self.choose(2)];
                expr(ExprKind::Unary(op, self.boxed(wide, deeper)), int_type(wide))
            }
            4..=7 => {
                const OPS: [BinaryOp; 10] = [
                    BinaryOp::Add,
                    BinaryOp::Sub,
                    BinaryOp::Mul,
                    BinaryOp::Div,
                    BinaryOp::Rem,
                    BinaryOp::And,
                    BinaryOp::Or,
                    BinaryOp::Xor,
                    BinaryOp::Shl,
                    BinaryOp::Shr,
                ];
                let op = OPS[self.choose(OPS.len())];
                let count = if matches!(op, BinaryOp::Shl | BinaryOp::Shr) { self.promoted() } else { wide };
                binary(op, self.make(wide, deeper), self.make(count, deeper))
            }
            8 => {
                const OPS: [CompareOp; 6] = [
                    CompareOp::Eq,
                    CompareOp::Ne,
                    CompareOp::Lt,
                    CompareOp::Le,
                    CompareOp::Gt,
                    CompareOp::Ge,
                ];
                let op = OPS[self.choose(OPS.len())];
                let (left, right) = self.pair(deeper);
                compare(op, left, right)
            }
            9 | 10 => self.condition(depth),
            11 => logical(LogicalOp::Xor, self.condition(deeper), self.condition(deeper)),
            12 => {
                let condition = Box::new(self.condition(deeper));
                let kind =
                    ExprKind::Conditional(condition, self.boxed(wide, deeper), self.boxed(wide, deeper));
                expr(kind, int_type(wide))
            }
            13 => assign(place, self.make(place_type, deeper)),
            14 => expr(ExprKind::PostAdd(place, [1, -1][self.choose(2)]), int_type(place_type)),
            _ => {
                let first = self.promoted();
                expr(ExprKind::Comma(self.boxed(first, deeper), self.boxed(ty, deeper)), int_type(ty))
            }
        }
    }
}

/// Compiles `trace(value)`, or `/predicate/ { trace(value) }`, runs it, and compares with what it means.
fn check(value: Expr, predicate: Option<Expr>, starts: &[i64]) -> Result<(), TestCaseError> {
    let globals: Vec<Variable> = TYPES.iter().map(|ty| variable(ty.name, int_type(*ty))).collect();
    let values =
        globals.iter().zip(starts).map(|(global, start)| wrap((*start).into(), &global.ty)).collect();
    let mut state = State { globals: globals.clone(), values };
    let mut program = program(vec![clause(&[BEGIN], predicate.clone(), vec![trace(value.clone())])]);
    program.globals = globals;
    let image = compile(&program);
    let mut machine = Machine::new(&image);
    *machine.section(".data.globals") = state.values.iter().map(|value| *value as u64).collect();
    let ended = machine.run(&image.programs[0].clauses[0]);

    let taken = predicate.as_ref().map_or(Ok(1), |predicate| state.eval(predicate));
    let meant = taken.map(|taken| (taken != 0).then(|| state.eval(&value)));
    match meant {
        Ok(None) => {
            prop_assert_eq!(ended.outcome, outcome::NEXT);
            prop_assert!(ended.messages.is_empty());
        }
        Ok(Some(Ok(meant))) => {
            prop_assert_eq!(ended.outcome, outcome::NEXT);
            let field = image.layouts[0].actions[0].fields[0];
            let mut word = [0; 8];
            let bytes = field.repr.size() as usize;
            word[..bytes].copy_from_slice(&ended.messages[0][field.offset as usize..][..bytes]);
            prop_assert_eq!(wrap(i64::from_le_bytes(word).into(), &value.ty), meant);
            prop_assert!(field.offset as usize >= HEADER_SIZE);
        }
        // A fault of the predicate is in action 0, one of the value in action 1.
        Err(_) | Ok(Some(Err(_))) => {
            prop_assert_eq!(ended.outcome, outcome::FAULT);
            prop_assert!(ended.messages.is_empty());
            let word = |offset| machine.get(SLOT_FAULT + offset);
            prop_assert_eq!(word(std::mem::offset_of!(Fault, fault)), fault::DIVZERO);
            prop_assert_eq!(word(std::mem::offset_of!(Fault, epid)), u64::from(FIRST_EPID));
            prop_assert_eq!(word(std::mem::offset_of!(Fault, action)), u64::from(meant.is_ok()));
        }
    }
    let globals: Vec<u64> = state.values.iter().map(|value| *value as u64).collect();
    prop_assert_eq!(machine.section(".data.globals"), &globals);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn expressions_are_worth_what_they_mean(
        choices in prop::collection::vec(any::<u32>(), 0..200),
        starts in prop::collection::vec(any::<i64>(), 8),
        filtered: bool,
    ) {
        let mut maker = Maker { choices: choices.iter() };
        let predicate = filtered.then(|| maker.condition(4));
        let ty = TYPES[maker.choose(TYPES.len())];
        let value = maker.make(ty, 4);
        check(value.clone(), predicate, &starts).map_err(|e| TestCaseError::fail(format!("{e}\n{value:?}")))?;
    }
}

#[test]
fn the_least_number_divided_by_minus_one_wraps() {
    for (ty, least) in [(INT, i64::from(i32::MIN)), (LONG, i64::MIN)] {
        let global = TYPES.iter().position(|known| *known == ty).expect("a type of the table");
        let mut starts = [-1; 8];
        starts[global] = least;
        for op in [BinaryOp::Div, BinaryOp::Rem] {
            let minus_one = cast(load(Place::Global(0), int_type(TYPES[0])), int_type(ty));
            let quotient = binary(op, load(Place::Global(global), int_type(ty)), minus_one);
            check(quotient, None, &starts).expect("as it means");
        }
    }
}
