//! Golden tests of the checker: each `.d` beside what came of it, the typed program in `accepted/`, the diagnostics in
//! `refused/`; what is accepted must compile, too. `BLESS=1` writes what comes instead of comparing.
//!
//! A line `/* with: target=7 zdefs arg=x */` in a program says under which command line it is checked.

mod random;
mod show;
mod tags;

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use tracer::check::{Checked, Library, Macros, Options, check, standard};
use tracer::diagnostic::{Problems, Sources};
use tracer::kernel::target::Target;
use tracer::lower;
use tracer::provider::Catalog;
use tracer::syntax::{DescPart, parse_as, parse_with};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for kind in [Kind::Accepted, Kind::Refused] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check").join(kind.folder());
        for path in programs(&folder) {
            let name =
                format!("{}/{}", kind.folder(), path.file_stem().unwrap_or_default().to_string_lossy());
            trials.push(Trial::test(name, move || run(&path, kind)));
        }
    }
    for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check/tags"), "txt") {
        let name = format!("tags/{}", path.file_stem().unwrap_or_default().to_string_lossy());
        trials.push(Trial::test(name, move || tags::run(&path)));
    }
    trials.push(Trial::test("every_tag_of_the_checker_has_a_test", every_tag_has_a_test));
    trials.push(Trial::test("random_programs_are_checked_and_compiled", random_programs));
    trials.push(Trial::test("the_highest_expression_is_checked", highest_expression));
    libtest_mimic::run(&arguments, trials).exit();
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Accepted,
    Refused,
}

impl Kind {
    fn folder(self) -> &'static str {
        match self {
            Kind::Accepted => "accepted",
            Kind::Refused => "refused",
        }
    }
}

fn programs(folder: &Path) -> Vec<PathBuf> {
    files(folder, "d")
}

/// The files of a folder and of those inside that end so, sorted.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let below = |path: PathBuf| if path.is_dir() { files(&path, end) } else { vec![path] };
    let mut files: Vec<PathBuf> = entries
        .flat_map(below)
        .filter(|path| path.extension().is_some_and(|extension| extension == end))
        .collect();
    files.sort();
    files
}

fn run(path: &Path, kind: Kind) -> Result<(), Failed> {
    let text = fs::read_to_string(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (got, accepted) = outcome(&name, &text);
    if accepted != (kind == Kind::Accepted) {
        return Err(format!("it is in {}, but:\n{got}", kind.folder()).into());
    }
    let golden = path.with_extension("txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(golden, got)?;
        return Ok(());
    }
    let wanted = fs::read_to_string(&golden).unwrap_or_default();
    if got != wanted {
        return Err(format!("not as in {}:\n{got}", golden.display()).into());
    }
    Ok(())
}

/// What comes of a program, and whether it is accepted.
fn outcome(name: &str, text: &str) -> (String, bool) {
    let line = text.lines().find_map(|line| line.strip_prefix("/* with: ")?.strip_suffix(" */"));
    let line = line.unwrap_or_default();
    outcome_of(Checkable { name, text, options: line, last: DescPart::Name })
}

/// A program and under which command line it is checked.
struct Checkable<'a> {
    name: &'a str,
    text: &'a str,
    options: &'a str,
    last: DescPart,
}

fn outcome_of(Checkable { name, text, options, last }: Checkable) -> (String, bool) {
    let (options, macros) = command_line(options);
    let mut sources = Sources::default();
    let source = sources.add(name, text);
    let (program, problems) = parse_with(source, text, last, &macros.arguments);
    let own = standard::named_in(&[text]).into_iter().map(|own| {
        let (program, _) = parse_as(sources.add(own.name, own.text), own.text, DescPart::File);
        Library { name: own.name.to_owned(), program, own: true }
    });
    let own: Vec<_> = own.collect();
    let mut found = Problems::from(problems);
    let target = Target::fixture();
    let mut catalog = Catalog::new(&target);
    match check(&own, &[program], &mut catalog, &options, &macros) {
        Ok(Checked { program, warnings, .. }) if !found.has_errors() => {
            let options = lower::Options { offsets: target.offsets, ..lower::Options::default() };
            if let Err(error) = lower::lower(&program, &catalog, &options) {
                return (format!("accepted, but not compiled: {error}\n"), false);
            }
            found.extend(warnings);
            let warnings =
                if found.is_empty() { String::new() } else { found.render(&sources, false) + "\n" };
            (show::program(&program, &catalog) + &warnings, true)
        }
        Ok(_) => (found.render(&sources, false) + "\n", false),
        Err(more) => {
            found.extend(more.into_sorted());
            (found.render(&sources, false) + "\n", false)
        }
    }
}

fn command_line(line: &str) -> (Options, Macros) {
    let mut options = Options::default();
    let ids = vec![
        ("pid", 1000),
        ("ppid", 1),
        ("uid", 0),
        ("euid", 0),
        ("gid", 0),
        ("egid", 0),
        ("pgid", 7),
        ("sid", 7),
    ];
    let mut macros = Macros { ids, ..Macros::default() };
    for word in line.split_whitespace() {
        match word.split_once('=') {
            Some(("target", pid)) => macros.target = pid.parse().ok(),
            Some(("arg", text)) => macros.arguments.push(text.to_owned()),
            other => {
                let (name, value) = other.map_or((word, None), |(name, value)| (name, Some(value)));
                options.set(name, value).expect("the options of a test exist");
            }
        }
    }
    (options, macros)
}

/// Tags of what only a running kernel shows: the fixture has no functions of one.
const OF_A_KERNEL: [&str; 1] = ["D_ARGS_TYPE"];

/// Whatever tag the checker's sources name occurs in a golden file.
fn every_tag_has_a_test() -> Result<(), Failed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = String::new();
    for folder in ["accepted", "refused"] {
        for path in programs(&root.join("tests/check").join(folder)) {
            seen += &fs::read_to_string(path.with_extension("txt"))?;
        }
    }
    for path in files(&root.join("tests/check/tags"), "txt") {
        let tags = fs::read_to_string(path)?;
        let tags = tags.split("=== ").filter_map(|block| block.split_whitespace().next());
        tags.for_each(|tag| seen += &format!("[{tag}]"));
    }
    let mut missing = Vec::new();
    for path in files(&root.join("src/check"), "rs") {
        let text = fs::read_to_string(path)?;
        for part in text.split("Tag::").skip(1) {
            let tag: String = part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            let named = [format!("[{tag}]"), format!("call it {tag}\n")];
            let shown = named.iter().any(|name| seen.contains(name)) || OF_A_KERNEL.contains(&tag.as_str());
            if !shown && !missing.contains(&tag) {
                missing.push(tag);
            }
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(format!("no test shows {}", missing.join(", ")).into()) }
}

fn random_programs() -> Result<(), Failed> {
    let accepted = std::cell::Cell::new(0);
    random::run(|text| {
        let (got, good) = outcome("random.d", &("/* with: arg=5 */\n".to_owned() + text));
        accepted.set(accepted.get() + u32::from(good));
        if got.contains("not compiled") { Err(got) } else { Ok(()) }
    })?;
    // A generator of nothing but mistakes would show little.
    if accepted.get() < 40 { Err(format!("only {} were accepted", accepted.get()).into()) } else { Ok(()) }
}

/// As high as the parser allows, in every way that the tree can grow, on a stack as large as the main thread's.
fn highest_expression() -> Result<(), Failed> {
    let deep =
        |open: &str, close: &str, count: usize| format!("{}1{}", open.repeat(count), close.repeat(count));
    let shapes = [
        "1+".repeat(500) + "1",
        deep("(", ")", 120),
        deep("- ", "", 120),
        deep("1+(", ")", 60),
        deep("x[", "]", 60),
    ];
    let check =
        move || shapes.map(|shape| outcome("high.d", &format!("BEGIN {{ x[1] = 1; trace({shape}); }}")));
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(check)?;
    let outcomes = thread.join().map_err(|_| "it panicked")?;
    match outcomes.into_iter().find(|(_, accepted)| !accepted) {
        None => Ok(()),
        Some((got, _)) => Err(got.into()),
    }
}
