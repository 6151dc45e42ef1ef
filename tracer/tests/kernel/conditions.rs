//! `if` and `else` inside clauses: what runs, what is recorded and printed, and what a fault or exit() in a branch ends.
//! DTrace makes a clause of each run of statements between conditions; what is printed is as if this were so.

use anyhow::{Result, ensure};

use crate::expressions::prints;
use crate::harness::{Family, Report, observe, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "conditions",
    tests: &[
        ("branches_run_by_their_conditions", branches),
        ("each_run_of_statements_is_a_line", lines),
        ("a_fault_ends_the_clause_but_keeps_what_was_recorded", faults),
        ("exit_ends_the_clause_behind_its_branch", exits),
        ("end_and_error_go_on_after_exit", goes_on),
        ("events_are_sorted_by_their_arguments", events),
    ],
    workloads: &[("conditions_seeks", seeks)],
};

fn branches() -> Result<()> {
    const PROGRAM: &str = r#"
        int n, z;
        BEGIN { if (n) { printf("no\n"); } else if (n == 0 && !z) { n = 2; self->x = 5; } else n = 3;
                if (n == 2) if (self->x == 5) { printf("inner %d\n", n); } else printf("dangling\n");
                if (n > 1 || 1 / z) { this->s = "short"; } else this->s = "long";
                if (execname == "tracer") printf("%s\n", this->s);
                if (timestamp) { self->x = 0; } else ;
                printf("%d %d\n", n, self->x); }
        BEGIN /n == 2/ { if (self->x) printf("not this\n"); else { printf("second\n"); @c[n ? "a" : "b"] = count(); } }
        BEGIN { if (0) { exit(1); } else { exit(0); } }
        END { printa("%s %@d\n", @c); }"#;
    prints(PROGRAM, &[], &["inner 2", "short", "2 0", "second", "a 1"].map(str::to_owned))
}

fn lines() -> Result<()> {
    let program = r#"BEGIN { trace(1); x = 1; if (x) { trace(2); trace("b"); } else { trace(3); } y = 2; if (y > 5) { trace(4); } }
                     BEGIN { if (x) { y = 3; } else { } } BEGIN { if (x) { if (y == 3) { trace(5); } trace(6); } exit(0); }"#;
    let output = tracer(&["-n", program])?.success()?;
    let said: Vec<String> = output.lines()[1..]
        .iter()
        .map(|line| line.split_whitespace().skip(2).collect::<Vec<_>>().join(" "))
        .collect();
    ensure!(said == [":BEGIN 1", ":BEGIN 2 b", ":BEGIN 5", ":BEGIN 6", ":BEGIN"], "{output:?}");
    Ok(())
}

fn faults() -> Result<()> {
    const PROGRAM: &str = r#"
        int z;
        BEGIN { printf("first\n"); if (!z) { printf("kept\n"); x = 1; if (x) { printf("lost\n"); y = 5 / z; } printf("never\n"); } }
        BEGIN { printf("goes on %d\n", x); if (7 % z) { printf("neither\n"); } else printf("nor\n"); }
        BEGIN { exit(0); }
        ERROR { if (arg4 == DTRACEFLT_DIVZERO) { printf("fault in action %d\n", arg2); } else printf("what?\n"); }"#;
    let truth = ["first", "kept", "fault in action 2", "goes on 1", "fault in action 1"];
    let output = tracer(&["-qn", PROGRAM])?.success()?;
    ensure!(output.lines() == truth, "{output:?}");
    Ok(())
}

fn exits() -> Result<()> {
    const PROGRAM: &str = r#"
        BEGIN { if (1) { printf("a\n"); exit(3); printf("b\n"); } printf("c\n"); }
        BEGIN { printf("d\n"); }
        END { printf("end\n"); }"#;
    let output = tracer(&["-qn", PROGRAM])?;
    ensure!(output.status.code() == Some(3) && output.lines() == ["a", "b", "end"], "{output:?}");
    Ok(())
}

fn goes_on() -> Result<()> {
    const PROGRAM: &str = r#"
        BEGIN { x = *(int *)8; }
        BEGIN { printf("not reached\n"); }
        ERROR { if (arg4) { printf("one\n"); exit(2); } printf("two\n"); }
        ERROR { printf("three\n"); }
        END { if (1) { exit(4); } printf("four\n"); }
        END { printf("five\n"); }"#;
    let output = tracer(&["-qn", PROGRAM])?;
    ensure!(output.lines() == ["one", "two", "three", "four", "five"], "{output:?}");
    ensure!(output.status.code().is_some_and(|code| code == 2 || code == 4), "{output:?}");
    Ok(())
}

fn events() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::lseek:entry /pid == $1/ {
            total++;
            if (arg1 < 10) { small++; self->kind = 1; }
            else if (arg1 < 100) { medium++; self->kind = 2; if (arg1 == 50) printf("fifty\n"); }
            else { large++; @large = max(arg1); }
        }
        syscall::lseek:return /pid == $1/ { if (self->kind) { @kinds[self->kind] = count(); self->kind = 0; } else none++; }
        END { printf("%d %d %d %d %d\n", total, small, medium, large, none); printa("%d %@d\n", @kinds); printa("%@d\n", @large); }"#;
    let seen = observe(PROGRAM, "conditions_seeks", &["150"])?;
    ensure!(seen.output.lines() == ["fifty", "150 10 90 50 50", "1 10", "2 90", "149"], "{seen:?}");
    Ok(())
}

/// Seeks to 0, 1, 2 and so on.
fn seeks(arguments: &[String]) -> Result<Report> {
    for offset in 0..arguments[0].parse()? {
        // SAFETY: integers; no descriptor has that number.
        unsafe { libc::lseek(-1, offset, libc::SEEK_SET) };
    }
    Ok(Report::default())
}
