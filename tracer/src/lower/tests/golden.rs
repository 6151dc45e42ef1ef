//! The code of a few typical clauses, so that what each costs is seen.

use std::rc::Rc;

use super::support::*;
use crate::check::typed::*;
use crate::syntax::format::Format;

fn count_by(probes: &[crate::provider::ProbeId], predicate: Option<Expr>, keys: Vec<Expr>) -> Program {
    let types = keys.iter().map(|key| key.ty.clone()).collect();
    let count = Stmt::Aggregate { aggregation: 0, keys, value: None, weight: None, span: span() };
    let mut program = program(vec![clause(probes, predicate, vec![count])]);
    program.aggregations.push(Aggregation { name: "".into(), function: Function::Count, keys: types });
    program
}

#[test]
fn default_action() {
    let image = compile(&program(vec![clause(&[BEGIN], None, vec![])]));
    insta::assert_snapshot!(show(&image));
}

#[test]
fn count_without_key() {
    insta::assert_snapshot!(show(&compile(&count_by(&ENTRIES, None, vec![]))));
}

#[test]
fn count_by_execname_where_pid() {
    let predicate = compare(CompareOp::Eq, pid(), int(1234));
    insta::assert_snapshot!(show(&compile(&count_by(&ENTRIES, Some(predicate), vec![execname()]))));
}

#[test]
fn printf_of_pid_and_execname() {
    let format = Rc::new(Format { pieces: vec![] });
    let printf = Stmt::Action(Action::Printf(format, vec![pid(), execname()]), span());
    let predicate = compare_text(CompareOp::Eq, execname(), string("bash"));
    let image = compile(&program(vec![clause(&[READ_ENTRY], Some(predicate), vec![printf])]));
    insta::assert_snapshot!(show(&image));
}

#[test]
fn latency_by_thread() {
    let start = || Place::Dynamic(0, vec![]);
    let now = || expr(ExprKind::Builtin(Builtin::Timestamp), int_type(ULONG));
    let begun = clause(&[READ_ENTRY], None, vec![Stmt::Expr(assign(start(), now()))]);
    let elapsed = binary(BinaryOp::Sub, now(), load(start(), int_type(ULONG)));
    let quantize = Stmt::Aggregate {
        aggregation: 0,
        keys: vec![],
        value: Some(cast(elapsed, int_type(LONG))),
        weight: None,
        span: span(),
    };
    let forget = Stmt::Expr(assign(start(), expr(ExprKind::Int(0), int_type(ULONG))));
    let ended = clause(&[READ_RETURN], Some(load(start(), int_type(ULONG))), vec![quantize, forget]);
    let mut program = program(vec![begun, ended]);
    program.dynamics.push(Dynamic {
        name: "self->start".into(),
        thread_local: true,
        keys: vec![],
        ty: int_type(ULONG),
    });
    program.aggregations.push(Aggregation { name: "".into(), function: Function::Quantize, keys: vec![] });
    insta::assert_snapshot!(show(&compile(&program)));
}

#[test]
fn faults_share_their_exit() {
    let read = trace(copyinstr(arg(0), 32));
    let divide = trace(binary(BinaryOp::Div, long(100), arg(2)));
    let image = compile(&program(vec![clause(&[READ_ENTRY], None, vec![read, divide])]));
    insta::assert_snapshot!(show(&image));
}
