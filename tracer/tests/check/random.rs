//! Random programs, right and wrong: the checker refuses or accepts, never panics, and what it accepts compiles.

use libtest_mimic::Failed;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Runs `check` on random programs.
pub(crate) fn run(check: impl Fn(&str) -> Result<(), String>) -> Result<(), Failed> {
    let config = Config { cases: 400, max_shrink_iters: 500, failure_persistence: None, ..Config::default() };
    // The same programs each time, unless others are asked for.
    let mut runner = match std::env::var_os("RANDOM") {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let checked = runner.run(&program(), |text| check(&text).map_err(TestCaseError::fail));
    checked.map_err(|error| error.to_string().into())
}

/// Probes, with numbers and strings that only they have.
const PROBES: &[(&str, &[&str], &[&str])] = &[
    ("syscall::read:entry", &["args[0]", "*(int *)arg1", "(int)*(char *)arg1"], &["copyinstr(arg1)"]),
    ("syscall::*a*:return", &["args[1]", "errno"], &["probefunc"]),
    ("proc:::signal-send", &["args[1]->pr_pid", "args[2]"], &["args[1]->pr_fname", "args[1]->pr_psargs"]),
    (
        "tcp:::state-change",
        &["args[3]->tcps_state", "args[3]->tcps_lport"],
        &["args[3]->tcps_raddr", "args[3]->tcps_laddr", "tcp_state_string[args[3]->tcps_state]"],
    ),
    ("tick-1s, BEGIN", &["arg0"], &["probename"]),
];

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-7",
    "300",
    "0xffffffff",
    "0x8000000000000000",
    "'a'",
    "pid",
    "uid",
    "timestamp",
    "cpu",
    "arg1",
    "x",
    "c",
    "self->x",
    "this->x",
    "SIGKILL",
    "$1",
    "rand()",
    "sizeof (int)",
    "*p",
    "p[2]",
    "(p - p)",
    "(uint64_t)curthread",
    "x++",
    "--self->x",
    "c--",
    "r.x",
    "this->r.low",
    "self->r.in.y",
    "rs[pid].high++",
    "--q->in.x",
    "q->next->in.y",
    "(*q).x",
    "(r = this->r).x",
    "(pid ? r : *q).low",
    "m[1][x]",
    "this->m[c]--",
    "(this->m[x++] += 3)",
    "(*p++ = 4)",
    "(q = q->next)->x",
    "*(&r.in.x)",
    "*&r.x",
    "(&m[1][x] - m[0])",
    "e",
    "(e = GREEN)",
    "sizeof (r.text)",
    "offsetof(struct node, in)",
    "!q",
    "(q == NULL)",
    "(p < m[1])",
    "(f == 0)",
    "r.text[x]",
    "'ab'",
];

const TEXTS: &[&str] = &[
    "\"\"",
    "\"text\"",
    "\"127.0.0.1\"",
    "\"a text that is longer than the name of a thread\"",
    "execname",
    "probefunc",
    "probename",
    "probeprov",
    "s",
    "self->s",
    "this->s",
    "$$1",
    "copyinstr(arg0, 20)",
    "r.text",
    "q->text",
    "stringof(q->text)",
    "(string)&r.text[x]",
    "ss[c]",
    "self->r.name",
    "(self->r.name = execname)",
    "(rs[1].name = probename)",
];

/// What is wrong nearly everywhere.
const WRONG: &[&str] = &[
    "nosuch",
    "args[9]",
    "@g",
    "args",
    "self->nosuch",
    "(1 = 2)",
    "trace(1)",
    "1.5",
    "`jiffies",
    "args[1]",
    "&x",
    "(void)1",
    "r",
    "m",
    "&r",
    "r.nosuch",
    "q->low.x",
    "&r.low",
    "*f",
    "struct node",
];

/// Structures of one type.
const WHOLE: &[&str] = &["r", "this->r", "self->r", "rs[x]", "*q", "q[1]", "(c ? r : this->r)", "*q->next"];
/// Places of numbers that are parts of others.
const PARTS: &[&str] =
    &["r.x", "this->r.high", "self->r.in.y", "rs[c].low", "q->x", "*p", "m[x][1]", "this->m[c]", "q->in.x"];
const ARITHMETIC: &[&str] = &["+", "-", "*", "/", "%", "<<", ">>", "&", "^", "|"];
const COMPARE: &[&str] = &["<", "<=", ">", ">=", "==", "!="];
const LOGICAL: &[&str] = &["&&", "^^", "||"];
const UNARY: &[&str] = &["-", "~", "!", "+", "(int)", "(uint8_t)", "(int64_t)", "sizeof "];
const ASSIGN: &[&str] = &["=", "=", "+=", "<<=", "/=", "^="];
const AGGREGATING: &[&str] = &["sum", "sum", "sum", "sum", "sum", "quantize"];

type Text = BoxedStrategy<String>;

/// A number and a string, each of at most so many levels, at the probe of that row.
fn values(probe: usize, depth: u32) -> (Text, Text) {
    let (_, numbers, texts) = PROBES[probe];
    let leaf = |all: &'static [&'static str], here: &'static [&'static str]| {
        prop_oneof![60 => select(all), 20 => select(here), 1 => select(WRONG)].prop_map(str::to_owned).boxed()
    };
    let (plain_number, plain_text) = (leaf(NUMBERS, numbers), leaf(TEXTS, texts));
    let Some(depth) = depth.checked_sub(1) else { return (plain_number, plain_text) };
    let (n, s) = values(probe, depth);
    let number = prop_oneof![
        4 => plain_number,
        4 => (n.clone(), select(ARITHMETIC), n.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        2 => (n.clone(), select(COMPARE), n.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        3 => (s.clone(), select(COMPARE), s.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        2 => (n.clone(), select(LOGICAL), n.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        2 => (select(UNARY), n.clone()).prop_map(|(op, a)| format!("{op}({a})")),
        1 => (n.clone(), n.clone(), n.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
        1 => (select(ASSIGN), n.clone()).prop_map(|(op, a)| format!("(x {op} {a})")),
        1 => (n.clone(), n.clone()).prop_map(|(a, b)| format!("({a}, {b})")),
        1 => n.clone().prop_map(|k| format!("a[{k}]")),
        1 => s.clone().prop_map(|k| format!("self->a[{k}]")),
        1 => (n.clone(), s.clone(), n.clone()).prop_map(|(k, l, v)| format!("(pairs[{k}, {l}] = {v})")),
        1 => s.clone().prop_map(|a| format!("strlen({a})")),
        1 => n.clone().prop_map(|a| format!("progenyof({a})")),
    ];
    let text = prop_oneof![
        6 => plain_text,
        1 => (n.clone(), s.clone(), s.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
        1 => s.clone().prop_map(|a| format!("(self->s = {a})")),
        1 => (n.clone(), s.clone()).prop_map(|(a, b)| format!("({a}, {b})")),
        1 => n.clone().prop_map(|k| format!("names[{k}]")),
        1 => (n.clone(), s.clone()).prop_map(|(k, a)| format!("(names[{k}] = {a})")),
        1 => s.prop_map(|a| format!("stringof({a})")),
        1 => n.prop_map(|a| format!("copyinstr({a})")),
    ];
    (number.boxed(), text.boxed())
}

fn statement(probe: usize) -> Text {
    let (n, s) = values(probe, 3);
    let places = select(&["x", "c", "self->x", "this->x", "fresh", "self->fresh"][..]);
    let strings = select(&["s", "self->s", "this->s"][..]);
    prop_oneof![
        3 => (places, select(ASSIGN), n.clone()).prop_map(|(p, op, a)| format!("{p} {op} {a};")),
        2 => (strings, s.clone()).prop_map(|(p, a)| format!("{p} = {a};")),
        1 => (n.clone(), n.clone()).prop_map(|(k, v)| format!("a[{k}] = {v};")),
        1 => (s.clone(), n.clone()).prop_map(|(k, v)| format!("self->a[{k}] += {v};")),
        1 => (n.clone(), s.clone()).prop_map(|(k, v)| format!("new[{k}, {v}] = {v};")),
        1 => n.clone().prop_map(|a| format!("trace({a});")),
        1 => s.clone().prop_map(|a| format!("trace({a});")),
        1 => (n.clone(), s.clone()).prop_map(|(a, b)| format!("printf(\"%d %s\\n\", {a}, {b});")),
        1 => (n.clone(), n.clone()).prop_map(|(a, b)| format!("printf(\"%*x %p\\n\", {a}, {b}, p);")),
        2 => (n.clone(), s.clone(), select(AGGREGATING), n.clone())
            .prop_map(|(k, l, f, v)| format!("@g[{k}, {l}] = {f}({v});")),
        1 => s.clone().prop_map(|k| format!("@n[{k}] = count(); printa(\"%s %@d\", @n);")),
        1 => n.clone().prop_map(|v| format!("@l = lquantize({v}, 0, 100, 10);")),
        1 => n.clone().prop_map(|v| format!("@n[\"\"] = count(); trunc(@n, {v});")),
        1 => n.clone().prop_map(|v| format!("exit({v});")),
        2 => (select(WHOLE), select(WHOLE)).prop_map(|(a, b)| format!("{a} = {b};")),
        1 => select(WHOLE).prop_map(|a| format!("trace({a});")),
        2 => (select(PARTS), select(ASSIGN), n.clone()).prop_map(|(p, op, a)| format!("{p} {op} {a};")),
        2 => (n.clone(), n.clone()).prop_map(|(k, v)| format!("m[{k}][{v}] = this->m[{v}];")),
        1 => n.clone().prop_map(|k| format!("q = (struct node *)({k}); trace(q->in);")),
        1 => n.prop_map(|v| format!("{v};")),
        1 => s.prop_map(|v| format!("{v};")),
    ]
    .boxed()
}

fn clause() -> impl Strategy<Value = String> {
    (0..PROBES.len()).prop_flat_map(|probe| {
        let predicate = prop::option::of(values(probe, 3).0);
        let statements = prop::collection::vec(statement(probe), 0..3);
        (predicate, statements).prop_map(move |(predicate, statements)| {
            let predicate = predicate.map_or(String::new(), |predicate| format!("/{predicate}/"));
            format!("{} {predicate} {{ {} }}\n", PROBES[probe].0, statements.join(" "))
        })
    })
}

fn program() -> impl Strategy<Value = String> {
    prop::collection::vec(clause(), 1..3).prop_map(|clauses| DECLARATIONS.to_owned() + &clauses.join(""))
}

const DECLARATIONS: &str = "int64_t x; string s; char c; int *p; self int x; self string s; this int x; this string s;\n\
     struct node { struct node *next; int x; unsigned int low : 3, high : 9; struct { char x; long y; } in; char text[12];\n\
     string name; };\n\
     struct node r; this struct node r; self struct node r; struct node rs[int]; struct node *q; int m[2][3]; this short m[5];\n\
     string ss[2]; enum color { RED, GREEN = 7 } e; int (*f)(void);\n\
     int a[int]; self uint64_t a[string]; string names[int]; int pairs[int, string];\n";
