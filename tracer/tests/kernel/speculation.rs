//! Speculation: what is committed is printed at its commit, what is discarded is not, and what finds no room is counted.

use anyhow::{Result, ensure};

use crate::expressions::prints;
use crate::harness::{Family, observe, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "speculation",
    tests: &[
        ("committed_records_come_at_their_commit", committed),
        ("discarded_records_do_not_come", discarded),
        ("speculations_of_many_threads_do_not_mix", threads),
        ("a_speculation_that_is_not_in_use_records_nothing", unused),
        ("what_finds_no_room_is_counted", room),
        ("a_speculate_alone_records_its_probe", alone),
        ("a_number_beyond_nspec_is_a_fault", number),
        ("a_speculation_lasts_to_the_end_of_its_block", blocks),
    ],
    workloads: &[],
};

fn lines(expected: &[&str]) -> Vec<String> {
    expected.iter().map(|&line| line.to_owned()).collect()
}

fn committed() -> Result<()> {
    const PROGRAM: &str = r#"
        BEGIN { self->s = speculation(); printf("got %d\n", self->s); }
        BEGIN { speculate(self->s); printf("first\n"); }
        BEGIN { printf("between\n"); }
        BEGIN { speculate(self->s); printf("second %d\n", self->s); }
        BEGIN { commit(self->s); }
        BEGIN { printf("after\n"); exit(0); }"#;
    prints(PROGRAM, &[], &lines(&["got 1", "between", "first", "second 1", "after"]))
}

fn discarded() -> Result<()> {
    const PROGRAM: &str = r#"
        BEGIN { this->a = speculation(); speculate(this->a); printf("never\n"); }
        BEGIN { this->b = speculation(); speculate(this->b); printf("kept\n"); }
        BEGIN { discard(this->a); printf("discarded\n"); }
        BEGIN { this->c = speculation(); printf("again %d\n", this->c); }
        BEGIN { speculate(this->c); printf("new\n"); }
        BEGIN { commit(this->c); }
        BEGIN { commit(this->b); }
        BEGIN { speculate(this->b); printf("too late\n"); }
        BEGIN { commit(this->b); }
        BEGIN { this->open = speculation(); speculate(this->open); printf("still open at the end\n"); }
        BEGIN { exit(0); }"#;
    prints(PROGRAM, &["-x", "nspec=2"], &lines(&["discarded", "again 1", "new", "kept"]))
}

/// Every second call of each thread is committed, with its thread's records and no other's.
fn threads() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::lseek:entry /pid == $1/ { self->s = speculation(); self->n = arg1; }
        syscall::lseek:entry /self->s/ { speculate(self->s); printf("%d %d a\n", tid, arg1); }
        syscall::lseek:return /self->s/ { speculate(self->s); printf("%d %d b\n", tid, self->n); }
        syscall::lseek:return /self->s && self->n % 2/ { commit(self->s); self->s = 0; }
        syscall::lseek:return /self->s/ { discard(self->s); self->s = 0; }"#;
    let program = format!("#pragma D option nspec=8\n#pragma D option bufsize=16m\n{PROGRAM}");
    let seen = observe(&program, "busy_threads", &["4", "2000"])?;
    let mut count = 0;
    for pair in seen.output.lines().chunks(2) {
        let [first, second] = pair else { anyhow::bail!("a record without its other: {pair:?}") };
        let (call, ended) = (first.strip_suffix(" a"), second.strip_suffix(" b"));
        ensure!(call.is_some() && call == ended, "{first:?} is followed by {second:?}");
        let offset: u32 = call.unwrap_or_default().split(' ').nth(1).unwrap_or_default().parse()?;
        ensure!(offset % 2 == 1, "a discarded record: {first}");
        count += 1;
    }
    ensure!(count == 4 * 1000, "{count} committed: {}", seen.output.stderr);
    ensure!(seen.output.stderr.is_empty(), "{}", seen.output.stderr);
    Ok(())
}

fn unused() -> Result<()> {
    const PROGRAM: &str = r#"
        BEGIN { speculate(0); printf("none\n"); x = 7; }
        BEGIN { commit(0); }
        BEGIN { discard(1); printf("x %d\n", x); }
        BEGIN { commit(1); x = 8; }
        BEGIN { printf("x %d\n", x); exit(0); }"#;
    prints(PROGRAM, &[], &lines(&["x 7", "x 8"]))
}

fn room() -> Result<()> {
    // The message: a header of 24 bytes, the tag of 8, a number of 8.
    const PROGRAM: &str = r#"
        BEGIN { s = speculation(); t = speculation(); u = speculation(); printf("%d %d %d\n", s, t, u); }
        BEGIN { speculate(s); printf("%d\n", (uint64_t)1); } BEGIN { speculate(s); printf("%d\n", (uint64_t)2); }
        BEGIN { speculate(s); printf("%d\n", (uint64_t)3); } BEGIN { speculate(t); printf("%d\n", (uint64_t)4); }
        BEGIN { commit(s); } BEGIN { commit(t); } BEGIN { exit(0); }"#;
    let output = tracer(&["-q", "-x", "nspec=2", "-x", "specsize=80", "-n", PROGRAM])?.success()?;
    ensure!(output.lines() == ["1 2 0", "1", "2", "4"], "{output:?}");
    let said: Vec<&str> = output.stderr.lines().collect();
    let expected =
        ["tracer: 1 speculative drop", "tracer: 1 failed speculation (no speculative buffer available)"];
    ensure!(said == expected, "{output:?}");
    Ok(())
}

fn alone() -> Result<()> {
    const PROGRAM: &str =
        "BEGIN { s = speculation(); } BEGIN { speculate(s); } BEGIN { commit(s); } BEGIN { exit(0); }";
    let output = tracer(&["-n", PROGRAM])?.success()?;
    let fired = output.lines().iter().filter(|line| line.contains(":BEGIN")).count();
    // The speculated line and that of exit().
    ensure!(fired == 2, "{output:?}");
    Ok(())
}

fn number() -> Result<()> {
    const PROGRAM: &str = "BEGIN { speculate(2); trace(1); } BEGIN { commit(-1); } BEGIN { exit(0); }";
    let output = tracer(&["-q", "-n", PROGRAM])?.success()?;
    let faults = output.stderr.matches("illegal operation in action #1").count();
    ensure!(faults == 2, "{output:?}");
    Ok(())
}

fn blocks() -> Result<()> {
    const PROGRAM: &str = r#"
        BEGIN { s = speculation(); }
        BEGIN { speculate(s); printf("a\n"); if (s == 1) { printf("b\n"); } else { printf("not\n"); } printf("c\n"); }
        BEGIN { if (s == 1) { speculate(s); printf("d\n"); } printf("now\n"); }
        BEGIN { speculate(s); printf("e\n"); commit(s); }
        BEGIN { exit(0); }"#;
    prints(PROGRAM, &[], &lines(&["now", "a", "b", "c", "d", "e"]))
}
