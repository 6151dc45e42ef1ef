//! Lines of every kind, compared with stored ones and with the schema in docs.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value as Tree;

use super::*;
use crate::check::typed::Shows;
use crate::lower::layout::value_words;
use crate::output::packet::Packet;
use crate::output::style::Style;
use crate::output::value::{Disorder, DropNotice, Frame, Lost};
use crate::provider::ProbeId;
use crate::syntax::format::Format;

const SCHEMA: &str = include_str!("../../../../docs/events.schema.json");
const MANUAL: &str = include_str!("../../../../docs/json.md");

#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn table(function: Function, set: &[(usize, i64)]) -> Table {
    let mut words = vec![0; value_words(function) as usize];
    set.iter().for_each(|&(index, word)| words[index] = word as u64);
    let key = vec![Value::Str(b"cat".to_vec()), Value::Int { value: 7, bytes: 4, signed: true }];
    Table { name: "a".to_owned(), function, normal: 2, rows: vec![Row { key, words }] }
}

fn events() -> Vec<Event> {
    let signed = |value| Value::Int { value, bytes: 8, signed: true };
    let unsigned = |value: u64| Value::Int { value: value as i64, bytes: 8, signed: false };
    let format = |text: &str| Rc::new(Format::parse(text.as_bytes()).unwrap());
    let printa =
        |text: &str| Printout { format: Some(format(text)), tables: vec![table(Function::Count, &[(0, 8)])] };
    let frame = |symbol: Option<&str>, offset| Frame {
        address: 0xffff_ffff_8100_0000,
        symbol: symbol.map(str::to_owned),
        offset,
        module: symbol.map(|_| "vmlinux".to_owned()),
    };
    let actions = vec![
        Recorded::Trace(signed(i64::MIN)),
        Recorded::Trace(unsigned(u64::MAX)),
        Recorded::Trace(Value::Str("a\n\"é".into())),
        Recorded::Trace(Value::Str(b"\xff\0a".to_vec())),
        Recorded::Trace(Value::Stack {
            pid: 7,
            frames: vec![frame(Some("main"), 4), frame(None, 0)],
            indent: 14,
        }),
        Recorded::Trace(Value::Symbol { pid: 0, frame: frame(Some("do_exit"), 0), shows: Shows::Function }),
        Recorded::Printf(format("%d bytes\n"), vec![signed(9_007_199_254_740_993)]),
        Recorded::Printa(printa("%s %@d\n")),
        Recorded::Printa(Printout { format: None, tables: vec![table(Function::Min, &[(0, 1), (1, -4)])] }),
        Recorded::Silent,
        Recorded::Memory(vec![0, 0xff]),
        Recorded::Packet(Packet { link: 12, length: 60, most: 2, bytes: vec![0x45, 0] }),
        Recorded::System(b"true".to_vec()),
        Recorded::Freopen(Some(b"/tmp/x".to_vec())),
        Recorded::Freopen(None),
        Recorded::Ftruncate,
        Recorded::Setopt {
            name: "quiet".to_owned(),
            value: "1".to_owned(),
            refused: None,
            options: Rc::new(Options { quiet: true, ..Options::default() }),
        },
        Recorded::Setopt {
            name: "bufsize".to_owned(),
            value: "1m".to_owned(),
            refused: Some("Operation illegal when tracing is active"),
            options: Rc::new(Options { quiet: true, ..Options::default() }),
        },
        Recorded::Exit(3),
    ];
    let aggregation = |table| Event::Aggregations(Printout { format: None, tables: vec![table] });
    let fault = |fault, value| {
        Event::Fault(FaultNotice {
            probe: ProbeId(1),
            epid: 1,
            action: 2,
            offset: 12,
            fault,
            value,
            cpu: 1,
            time: 7,
        })
    };
    let llquantize = Function::Llquantize { factor: 10, low: 0, high: 1, steps: 10 };
    let lost = |probe: &str, total| Lost { probe: probe.to_owned(), count: 1, total };
    let lquantize = Function::Lquantize { low: 0, high: 20, step: 10 };
    vec![
        Event::Firing(Firing { probe: ProbeId(1), epid: 1, cpu: 0, time: 5, flow: None, actions: vec![] }),
        Event::Firing(Firing { probe: ProbeId(44), epid: 2, cpu: 3, time: u64::MAX, flow: None, actions }),
        aggregation(table(Function::Avg, &[(0, 4), (1, 400)])),
        aggregation(table(Function::Quantize, &[(0, 3), (61, 1), (64, 1), (67, 1)])),
        aggregation(table(lquantize, &[(0, 2), (1, 1), (4, 1)])),
        aggregation(table(Function::Stddev, &[(0, 2), (1, -8), (2, 32), (3, 1)])),
        aggregation(table(llquantize, &[(0, 2), (1, 1), (2, 1)])),
        Event::Drop(DropNotice {
            kind: Drop::Ring,
            cpu: Some(1),
            by: vec![lost("syscall:::entry", 12), lost("proc:::exec", 1)],
        }),
        Event::Drop(DropNotice { kind: Drop::Unavailable, cpu: None, by: vec![lost("proc:::exec", 3)] }),
        Event::Interrupted,
        Event::Ended,
        Event::Disorder(Disorder { count: 2, total: 3 }),
        fault(fault::BADADDR, 0xffff_ffff_ffff_f000),
        fault(fault::DIVZERO, 0),
    ]
}

fn lines() -> String {
    let names = Names::of(&[(1, "dtrace:::BEGIN"), (44, "syscall:vmlinux:write:entry")]);
    let shared = Shared::default();
    let mut json = Json::new(Box::new(shared.clone()), names, Style::default());
    events().iter().for_each(|event| json.event(event).unwrap());
    json.flush().unwrap();
    String::from_utf8(shared.0.take()).unwrap()
}

#[test]
fn lines_of_every_kind() {
    insta::assert_snapshot!(lines());
}

#[test]
fn every_line_follows_the_schema() {
    lines().lines().for_each(|line| check(line).unwrap());
}

#[test]
fn every_typed_event_follows_the_schema() {
    for event in crate::event::samples::events() {
        check(&serde_json::to_string(&event.line()).unwrap()).unwrap();
    }
}

#[test]
fn every_example_of_the_manual_follows_the_schema() {
    let examples: Vec<&str> = MANUAL.lines().filter(|line| line.starts_with("{\"type\"")).collect();
    assert!(examples.len() >= 6, "{examples:?}");
    examples.into_iter().for_each(|line| check(line).unwrap());
}

#[test]
fn the_schema_knows_every_kind_of_drop() {
    for kind in [
        Drop::Ring,
        Drop::Slot,
        Drop::Aggregation,
        Drop::Dynamic,
        Drop::Support,
        Drop::Compat,
        Drop::Speculation,
        Drop::Unavailable,
        Drop::Recursion,
    ] {
        let kind = drop_name(kind);
        check(&format!(r#"{{"type":"drop","kind":"{kind}","probe":"p","count":1,"total":1}}"#)).unwrap();
    }
}

#[test]
fn the_schema_refuses_what_is_wrong() {
    for wrong in [
        r#"{"type":"record"}"#,
        r#"{"type":"surprise"}"#,
        r#"{"type":"drop","kind":"lost","probe":"p","count":1,"total":1}"#,
        r#"{"type":"aggregation","name":"a","function":"median","normal":1,"rows":[]}"#,
        r#"{"type":"drop","kind":"principal","probe":"p","count":"1","total":1}"#,
        r#"{"type":"drop","kind":"principal","probe":"p","count":1,"total":1,"more":2}"#,
        r#"{"type":"event","time":1,"cpu":0,"pid":1,"execname":"sh","provider":"proc","name":"lwp-create","thread":2,"more":1}"#,
        r#"{"type":"event","time":1,"cpu":0,"pid":1,"execname":"sh","provider":"proc","name":"exec-failure","path":"x","error":2}"#,
        r#"{"type":"aggregation","name":"a","function":"count","normal":1,"rows":[{"key":[],"value":"x"}]}"#,
    ] {
        assert!(check(wrong).is_err(), "{wrong}");
    }
}

/// Whether a line follows the schema, and why not.
fn check(line: &str) -> Result<(), String> {
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.add_resource("schema.json", serde_json::from_str(SCHEMA).unwrap()).unwrap();
    let schema = compiler.compile("schema.json", &mut schemas).unwrap();
    let tree: Tree = serde_json::from_str(line).unwrap();
    schemas.validate(&tree, schema).map_err(|problem| format!("{line}: {problem:#}"))
}
