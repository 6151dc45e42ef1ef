//! The parser from outside: every file of `tests/syntax` with its tree and its diagnostics, generated trees
//! that must survive printing and parsing, and texts of all kinds that must not bring it down.

mod syntax {
    pub(crate) mod generate;
}

use proptest::prelude::*;
use std::fmt::Debug;
use std::time::{Duration, Instant};
use tracer::diagnostic::{Problems, SourceId, Sources};
use tracer::syntax::{DescPart, ast::*, parse, parse_as, print};

/// A tree without the places of its nodes.
fn shape(tree: &impl Debug) -> String {
    let text = format!("{tree:?}");
    let mut parts = text.split("Span {");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |shape, part| shape + part.split_once('}').map_or("", |(_, rest)| rest))
}

/// What a file gives: the tree as text again, and what is wrong.
fn outcome(name: &str, text: &str) -> String {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    let (program, problems) = parse(id, text);
    sources.set_marks(id, program.marks.clone());
    let problems = Problems::from(problems).render(&sources, false);
    format!("{}\n--------\n{problems}", print(&program))
}

#[test]
fn files_give_their_trees_and_diagnostics() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/syntax");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter(|name| name.ends_with(".d"))
        .collect();
    names.sort();
    assert!(names.len() > 10);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for name in names {
            let text = std::fs::read_to_string(format!("{folder}/{name}")).unwrap();
            insta::assert_snapshot!(name.trim_end_matches(".d"), outcome(&name, &text));
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_is_parsed_again(program in syntax::generate::program()) {
        let text = print(&program);
        let (again, problems) = parse(SourceId(0), &text);
        prop_assert!(problems.is_empty(), "{problems:?}\n{text}");
        prop_assert_eq!(shape(&again), shape(&program), "{}", text);
    }

    #[test]
    fn any_text_is_survived(text in any::<String>()) {
        survive(&text)?;
    }

    #[test]
    fn any_tokens_are_survived(tokens in syntax::generate::tokens()) {
        survive(&tokens)?;
        survive(&format!("BEGIN {{ {tokens} }}"))?;
        survive(&format!("BEGIN / {tokens} / {{ {tokens} }} struct x {{ {tokens} }};"))?;
    }
}

/// Parses; whatever comes out must be printable, renderable and in order, with every span inside the text.
fn survive(text: &str) -> Result<(), TestCaseError> {
    let mut sources = Sources::default();
    let id = sources.add("text", text);
    let (program, problems) = parse(id, text);
    let starts: Vec<_> = problems.iter().filter_map(|problem| problem.span).map(|span| span.start).collect();
    prop_assert!(starts.is_sorted());
    for span in problems.iter().filter_map(|problem| problem.span) {
        prop_assert!(text.get(span.range()).is_some(), "{span:?}");
    }
    prop_assert!(problems.iter().all(|problem| problem.help.is_some()), "{problems:?}");
    // A tree without a diagnostic is one that can be printed and parsed.
    if problems.is_empty() {
        let printed = print(&program);
        let (again, problems) = parse(id, &printed);
        prop_assert!(problems.is_empty(), "{problems:?}\n{text}\n{printed}");
        prop_assert_eq!(shape(&again.items), shape(&program.items), "{}\n{}", text, printed);
    }
    Problems::from(problems).render(&sources, true);
    Ok(())
}

/// Texts that nest, or chain, `count` deep.
fn towers(count: usize) -> Vec<String> {
    let around = |open: &str, inside: &str, close: &str| {
        format!("BEGIN {{ x = {}{inside}{}; }}", open.repeat(count), close.repeat(count))
    };
    let full = "a = a ? a : a || a ^^ a && a | a ^ a & a == a < a << a + a * ";
    vec![
        around("(", "1", ")"),
        around("-", "1", ""),
        around("!*", "p", ""),
        around("(int)", "1", ""),
        around("a[", "1", "]"),
        around("f(", "1", ")"),
        around("@a[", "1", "]"),
        around("sizeof (int[", "1", "])"),
        around("xlate<int[", "1", "]>(1)"),
        around("a ? ", "1", " : 0"),
        around("1 ? 2 : ", "1", ""),
        around("a = ", "1", ""),
        around("1 + ", "1", ""),
        around("1, ", "1", ""),
        around("", "x", "->x"),
        around("", "x", "++"),
        around("", "x", "[1]"),
        around(&format!("{full}("), "1", ")"),
        around(&format!("{full}f("), "1", ")"),
        format!("BEGIN {{ {} x; {} }}", "if (1) {".repeat(count), "}".repeat(count)),
        format!("BEGIN {{ {} x; }}", "if (1) x; else ".repeat(count)),
        format!("BEGIN {{ {} x; }}", "if (1) ".repeat(count)),
        format!("{} int x; {};", "struct {".repeat(count), "} y;".repeat(count)),
        format!("int {}x;", "*".repeat(count)),
        format!("int x{};", "[1]".repeat(count)),
        format!("int {}x{};", "(".repeat(count), ")".repeat(count)),
        format!("int x{}{};", "(int ".repeat(count), ")".repeat(count)),
        format!("int x{}int{};", "[int ".repeat(count), "]".repeat(count)),
        "{".repeat(count),
        "BEGIN {".repeat(count),
        "(".repeat(count),
        "}".repeat(count),
        "/*".repeat(count),
        "\"".repeat(count),
        "§\n".repeat(count),
        "#pragma\n".repeat(count),
        "x;".repeat(count),
        "a:b:c:d:".repeat(count),
        format!("BEGIN {{ {} }}", "(a".repeat(count)),
        format!("BEGIN {{ {} }}", "(a *".repeat(count)),
        format!("BEGIN {{ {} }}", "f(;".repeat(count)),
    ]
}

/// Trees that are too high are refused, on the small stack of a test's thread and without optimization.
#[test]
fn depth_is_bounded() {
    for text in towers(20_000) {
        let (program, problems) = parse(SourceId(0), &text);
        assert!(!problems.is_empty(), "{}", &text[..60]);
        print(&program);
    }
    // Printing may add a pair of parentheses a level.
    for text in towers(40) {
        survive(&text).unwrap();
    }
}

#[test]
fn depth_that_people_write_is_accepted() {
    let cases = [
        format!("BEGIN {{ x = {}1{}; }}", "(".repeat(100), ")".repeat(100)),
        format!("BEGIN / {} 0 / {{}}", "pid == 1 || ".repeat(500)),
        format!("BEGIN {{ x = {} 0; }}", "e == 1 ? \"A\" : ".repeat(500)),
        format!("BEGIN {{ {} x; }}", "if (1) x; else ".repeat(100)),
    ];
    for text in cases {
        let (_, problems) = parse(SourceId(0), &text);
        assert!(problems.is_empty(), "{problems:?}");
    }
}

#[test]
fn time_is_linear() {
    let time = |count: usize| -> Duration {
        let clauses =
            "syscall::read:entry / pid == $target / { @a[execname, arg0] = sum(arg2 + 1); x = 1; }\n";
        let text = clauses.repeat(count);
        let start = Instant::now();
        let (program, problems) = parse(SourceId(0), &text);
        assert_eq!((program.items.len(), problems.len()), (count, 0));
        start.elapsed()
    };
    time(500);
    let (small, large) = (time(500), time(5000));
    assert!(large < small * 40 + Duration::from_millis(50), "{small:?} for 500, {large:?} for 5000");
    // Errors, too, and what needs looking ahead.
    for text in towers(50_000) {
        let start = Instant::now();
        parse(SourceId(0), &text);
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}: {}", start.elapsed(), &text[..60]);
    }
}

fn parts(text: &str, last: DescPart) -> Option<[String; 4]> {
    let (program, problems) = parse_as(SourceId(0), text, last);
    let [Item { kind: ItemKind::Clause(clause), .. }] = &program.items[..] else { return None };
    match (&clause.probes[0].kind, problems.is_empty()) {
        (ProbeDescKind::Parts { provider, module, function, name }, true) => {
            Some([provider, module, function, name].map(|part| part.name.clone()))
        }
        _ => None,
    }
}

#[test]
fn descriptions_end_with_the_part_that_the_option_names() {
    let four = |a: &str, b: &str, c: &str, d: &str| Some([a, b, c, d].map(str::to_owned));
    assert_eq!(parts("BEGIN", DescPart::Name), four("", "", "", "BEGIN"));
    assert_eq!(parts("a:b", DescPart::Name), four("", "", "a", "b"));
    assert_eq!(parts("a:b:c:d {}", DescPart::Name), four("a", "b", "c", "d"));
    assert_eq!(parts("syscall::: {}", DescPart::Name), four("syscall", "", "", ""));
    assert_eq!(parts("syscall /pid == 1/ {}", DescPart::Provider), four("syscall", "", "", ""));
    assert_eq!(parts("a:b", DescPart::Module), four("a", "b", "", ""));
    assert_eq!(parts("b", DescPart::Module), four("", "b", "", ""));
    assert_eq!(parts("read {}", DescPart::Function), four("", "", "read", ""));
    assert_eq!(parts("a::read {}", DescPart::Function), four("a", "", "read", ""));
    assert_eq!(parts("a:b", DescPart::Provider), None);
    assert_eq!(parts("a:b:c:d:e", DescPart::Name), None);
}
