//! Counting tests. A stage is one step of `cargo xtask test`; what its program prints in the format of Rust's test harnesses is
//! counted, every skip and every failure with its reason. A program that fails without saying which test failed, or gives no result, is one failure.

use std::time::Duration;

/// What became of one stage.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Stage {
    pub(crate) name: String,
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// What was skipped, as `name: reason`.
    pub(crate) skips: Vec<String>,
    /// What failed, as `name: reason`.
    pub(crate) failures: Vec<String>,
    pub(crate) took: Duration,
}

impl Stage {
    /// A stage that could not run.
    pub(crate) fn skipped(name: &str, reason: &str) -> Self {
        Self { name: name.to_owned(), skips: vec![format!("all of it: {reason}")], ..Self::default() }
    }

    /// A stage that is one check.
    pub(crate) fn check(name: &str, succeeded: bool) -> Self {
        Self {
            name: name.to_owned(),
            passed: succeeded.into(),
            failed: (!succeeded).into(),
            ..Self::default()
        }
    }

    /// A stage whose program ran tests and printed `text`.
    pub(crate) fn tests(name: &str, text: &str, succeeded: bool) -> Self {
        let mut stage = Self { name: name.to_owned(), ..Self::default() };
        let mut ended = false;
        for line in text.lines() {
            if let Some((passed, failed)) = read_result(line) {
                stage.passed += passed;
                stage.failed += failed;
                ended = true;
            }
            stage.skips.extend(read_skip(line));
        }
        stage.failures = read_failures(text);
        if !(succeeded && ended) && stage.failed == 0 {
            stage.failed = 1;
        }
        stage
    }
}

/// `test result: ok. 5 passed; 1 failed; ...`
fn read_result(line: &str) -> Option<(u64, u64)> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |word: &str| {
        let part = counts.split("; ").find_map(|part| part.strip_suffix(word))?;
        part.trim().parse().ok()
    };
    Some((count("passed")?, count("failed")?))
}

/// `test NAME ... ignored, REASON` as std's harness has it, `test NAME ... ignored (REASON)` as libtest-mimic has it.
fn read_skip(line: &str) -> Option<String> {
    let (name, outcome) = line.strip_prefix("test ")?.split_once(" ... ignored")?;
    let reason = outcome.trim_start_matches(", ").trim_start_matches(" (").trim_end_matches(')');
    let reason = if reason.is_empty() { "no reason given" } else { reason };
    Some(format!("{}: {reason}", name.trim_end()))
}

/// The paragraphs that begin with `---- NAME ----` or `---- NAME stdout ----`, cut where they get long.
fn read_failures(text: &str) -> Vec<String> {
    const LONGEST: usize = 600;
    let mut failures: Vec<String> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let heading = line.strip_prefix("---- ").and_then(|line| line.strip_suffix(" ----"));
        if let Some(name) = heading {
            failures.push(format!("{}:", name.trim_end_matches(" stdout")));
            inside = true;
        } else if line == "failures:" || line.starts_with("test result: ") {
            inside = false;
        } else if let Some(failure) = failures.last_mut().filter(|_| inside && !line.is_empty()) {
            let room = LONGEST.saturating_sub(failure.chars().count());
            failure.extend(std::iter::once(' ').chain(line.chars()).take(room));
        }
    }
    failures
}

/// The table of stages, the skips, the failures, and the line of counts that is the last.
pub(crate) fn render(stages: &[Stage]) -> String {
    let mut text =
        format!("\n{:24}{:>8}{:>8}{:>9}{:>9}\n", "stage", "passed", "failed", "skipped", "seconds");
    for Stage { name, passed, failed, skips, took, .. } in stages {
        text += &format!("{name:24}{passed:>8}{failed:>8}{:>9}{:>9.1}\n", skips.len(), took.as_secs_f64());
    }
    text.push('\n');
    for stage in stages {
        text.extend(stage.skips.iter().map(|skip| format!("SKIP {}: {skip}\n", stage.name)));
    }
    for stage in stages {
        text.extend(stage.failures.iter().map(|failure| format!("FAIL {}: {failure}\n", stage.name)));
    }
    let sum = |count: fn(&Stage) -> u64| stages.iter().map(count).sum::<u64>();
    let skipped: usize = stages.iter().map(|stage| stage.skips.len()).sum();
    text + &format!(
        "{} passed, {} failed, {skipped} skipped",
        sum(|stage| stage.passed),
        sum(|stage| stage.failed)
    )
}

#[cfg(test)]
mod tests {
    use super::{Stage, render};

    const TEXT: &str = "\
running 3 tests
test a::b ... ok
test a::c       ... ignored (no IPv6 here)
test d ... ignored, later

failures:

---- e::f stdout ----

thread 'e::f' panicked at e.rs:1:2:
it was 1


failures:
    e::f

test result: FAILED. 1 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.02s
test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    #[test]
    fn results_and_skips_are_counted() {
        let stage = Stage::tests("unit", TEXT, false);
        assert_eq!((stage.passed, stage.failed), (5, 1));
        assert_eq!(stage.skips, ["a::c: no IPv6 here", "d: later"]);
        assert_eq!(stage.failures, ["e::f: thread 'e::f' panicked at e.rs:1:2: it was 1"]);
    }

    #[test]
    fn a_program_that_fails_without_a_word_is_a_failure() {
        assert_eq!(Stage::tests("unit", "", false).failed, 1);
        assert_eq!(Stage::tests("unit", "", true).failed, 1);
    }

    #[test]
    fn the_counts_come_last() {
        let text = render(&[Stage::tests("unit", TEXT, false), Stage::skipped("vm", "no apt here")]);
        assert_eq!(text.lines().last(), Some("5 passed, 1 failed, 3 skipped"));
        assert!(text.contains("SKIP vm: all of it: no apt here\n"));
    }
}
