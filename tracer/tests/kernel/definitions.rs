//! What a program defines for itself: inlines, with parameters or without, translators, and macro arguments, at work.

use anyhow::{Result, ensure};

use crate::expressions::prints;
use crate::harness::{Family, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "definitions",
    tests: &[
        ("inlines_stand_for_their_values", inlines),
        ("options_choose_what_a_statement_does", chosen),
        ("arguments_stand_wherever_parameters_do", parameters),
        ("translators_make_the_members_that_are_asked_for", translators),
        ("the_kernels_structures_are_translated_without_a_translator_of_the_programs", standard),
        ("predicates_may_ask_for_what_their_actions_make", order),
        ("macro_arguments_are_numbers_names_and_strings", arguments),
        ("descriptions_are_globs_lists_and_ids", descriptions),
    ],
    workloads: &[],
};

fn inlines() -> Result<()> {
    const PROGRAM: &str = r#"
        #pragma D attributes Stable/Stable/Common LIMIT
        #pragma D binding "1.0" LIMIT
        inline int LIMIT = 3; inline int64_t BIG = LIMIT * (1LL << 40); inline string NAME = execname;
        inline uint8_t SMALL = 0x1ff; inline void *NOTHING = 0; inline int *where = (int *)arg0;
        BEGIN /NAME == "tracer" && LIMIT == 3/ { printf("%d %d %s %d %d\n", LIMIT, BIG / LIMIT >> 40, NAME, SMALL, NOTHING == 0); exit(0); }"#;
    prints(PROGRAM, &[], &["3 1 tracer 255 1".to_owned()])
}

/// As scripts do that are wrapped in a shell's: an inline for each option, and `1` for nothing to do.
fn chosen() -> Result<()> {
    const PROGRAM: &str = r#"
        inline int OPT_time = 0; inline int OPT_name = 1; inline int OPT_count = 2; inline int FILTER = -1;
        BEGIN { OPT_time ? printf("%d ", timestamp) : 1; OPT_name ? printf("%s", probename) : 1;
                OPT_count == 2 && !OPT_time ? printf(" %d", $1) : printf("no"); $1 ? 1 : printf("never");
                printf("\n");
                OPT_count ? @counts[probename] = count() : 1; OPT_time ? @never = count() : 1;
                OPT_name > 1 ? 1 : FILTER ? trace("filtered\n") : trace("all\n");
                (OPT_name == 1 && probename == "BEGIN") ? x = 5 : 1; OPT_time ? y = 1 : 1; y = "text";
                printf("%d %s\n", x, y); exit(0); }
        END { OPT_count ? printa("%s %@d\n", @counts) : printa("%@d\n", @counts); OPT_time ? printa(@never) : 1; }"#;
    prints(PROGRAM, &["7"], &["BEGIN 7", "filtered", "5 text", "BEGIN 1"].map(str::to_owned))
}

fn parameters() -> Result<()> {
    const PROGRAM: &str = r#"
        inline int total[int x, int y] = x + y; inline int twice[int x] = total[x, x];
        inline string kind[int n] = n == 0 ? "none" : n == 1 ? "one" : "many"; inline int same[string a, string b] = a == b;
        inline uint8_t low[int x] = x; int n;
        BEGIN { printf("%d %d %s %s\n", total[1, 2], twice[total[2, 3]], kind[0], kind[twice[1]]); n = 5;
                printf("%d %d %d\n", same["a", kind[1]], same[kind[1], "one"], low[0x102]);
                printf("%d %d\n", twice[n++], n); @[kind[n]] = sum(twice[n]); exit(0); }
        END { printa("%s %@d\n", @); }"#;
    prints(PROGRAM, &[], &["3 10 none many", "0 1 2", "11 7", "many 14"].map(str::to_owned))
}

fn translators() -> Result<()> {
    const PROGRAM: &str = r#"
        struct raw { int a; long b[4]; char name[8]; struct raw *next; };
        struct point { int x; int y; string label; int64_t sum; };
        translator struct point < struct raw *R > { x = R->a; y = R->b[1]; label = R->name; sum = R->a / R->b[3]; };
        translator struct point < int N > { x = N; y = N * 2; };
        struct raw raws[2]; struct point kept;
        inline struct point *here = xlate <struct point *>(&raws[0]); inline struct point there[int n] = xlate <struct point>(n + 1);
        BEGIN { raws[0].a = 7; raws[0].b[1] = -2; raws[0].name[0] = 'f'; raws[1].a = 9; raws[0].next = &raws[1]; raws[0].b[3] = 2; }
        BEGIN { this->p = xlate <struct point *>(&raws[0])->x; printf("%d %d\n", this->p, here->y); }
        BEGIN { printf("%d %d %s %d\n", xlate <struct point *>(&raws[0])->x, xlate <struct point *>(&raws[0])->y,
                       xlate <struct point *>(&raws[0])->label, xlate <struct point *>(&raws[0])->sum); }
        BEGIN { printf("%d %d\n", xlate <struct point *>(raws[0].next)->x, there[4].y); kept = xlate <struct point>(20); }
        BEGIN { printf("%d %d\n", kept.x, kept.y); printf("never %d\n", xlate <struct point *>(&raws[1])->sum); }
        BEGIN { exit(0); }
        ERROR { printf("fault %d\n", arg4 == DTRACEFLT_DIVZERO); }"#;
    let output = tracer(&["-qn", PROGRAM])?.success()?;
    ensure!(output.lines() == ["7 -2", "7 -2 f 3", "9 10", "fault 1"], "{output:?}");
    Ok(())
}

/// A predicate may ask for a variable that only its actions make, and an inline of a variable is that variable.
fn order() -> Result<()> {
    let program = r#"int total; inline int alias = total;
        BEGIN /!seen/ { seen = 1; alias = 5; alias++; }
        BEGIN /seen++ == 1/ { printf("%d %d\n", seen, total); exit(0); }"#;
    let output = tracer(&["-qn", program])?.success()?;
    ensure!(output.lines() == ["2 6"], "{output:?}");
    Ok(())
}

fn standard() -> Result<()> {
    const PROGRAM: &str = r#"
        inline psinfo_t *process = xlate <psinfo_t *>(curthread);
        BEGIN {
            printf("%d %d %d\n", process->pr_pid == pid, process->pr_ppid == ppid, process->pr_uid == uid);
            printf("%d %d\n", stringof(process->pr_fname) == execname, process->pr_pgid == curpsinfo->pr_pgid);
            printf("%d %c\n", xlate <lwpsinfo_t>(curthread).pr_lwpid == tid, xlate <lwpsinfo_t>(curthread).pr_sname);
            this->file = curthread->files->fdt->fd[0];
            printf("%d\n", xlate <fileinfo_t>(this->file).fi_pathname == fds[0].fi_pathname);
            printf("%s\n", xlate <fileinfo_t>((struct file *)NULL).fi_name);
            printf("%d %d\n", xlate <ipinfo_t *>((struct iphdr *)NULL)->ip_ver, lgrp == curcpu->cpu_lgrp);
            exit(0);
        }"#;
    let expected = ["1 1 1", "1 1", "1 R", "1", "<none>", "4 1"];
    prints(PROGRAM, &[], &expected.map(str::to_owned))
}

fn arguments() -> Result<()> {
    let program = r#"BEGIN /$2 == execname && $$2 == "execname" && $1 == 16 && $$1 == "0x10"/ {
        printf("%s %d %s %d\n", $2, $3, $$4, $pid == pid); exit($5); }"#;
    let output = tracer(&["-qn", program, "0x10", "execname", "\"x\"", "four", "5"]);
    // A quoted argument is a string, which `%d` does not print.
    let complaint = output?.stderr;
    ensure!(complaint.contains("D_PRINTF_ARG_TYPE"), "{complaint}");
    let output = tracer(&["-qn", program, "0x10", "execname", "3", "four", "5"])?;
    ensure!(output.lines() == ["tracer 3 four 1"] && output.status.code() == Some(5), "{output:?}");
    let output = tracer(&[
        "-q",
        "-x",
        "defaultargs",
        "-x",
        "argref",
        "-n",
        "BEGIN { printf(\"[%d] [%s]\\n\", $7, $$8); exit(0); }",
        "1",
    ])?;
    ensure!(output.lines() == ["[0] []"], "{output:?}");
    let program = "BEGIN { self->$1 = 3; printf(\"%d %d %d\\n\", self->here, curpsinfo->$2 == pid, sizeof($3)); exit(0); }";
    let output = tracer(&["-qn", program, "here", "pr_pid", "short"])?;
    ensure!(output.lines() == ["3 1 2"], "{output:?}");
    let output =
        tracer(&["-qn", "BEGIN { printf(\"%d %s\\n\", $target, $$target); exit(0); }", "-c", "sleep 5"])?;
    let words: Vec<&str> = output.stdout.split_whitespace().collect();
    ensure!(words.len() == 2 && words[0] == words[1] && words[0].parse::<u32>().is_ok(), "{output:?}");
    Ok(())
}

fn descriptions() -> Result<()> {
    for (arguments, expected) in [
        (
            vec![
                "-qn",
                "BEGI? { @ = count(); } BEGIN,1,:::BEGIN { @ = count(); exit(0); } END { printa(\"%@d\", @); }",
            ],
            "2",
        ),
        (vec!["-q", "-P", "dtrace /probename == \"BEGIN\"/ { trace(\"p\"); exit(0); }"], "p"),
        (vec!["-q", "-i", "1 { trace(\"i\"); exit(0); }"], "i"),
        (vec!["-qn", "dtrace::: /id == 1 || id == 2/ { trace(probename); exit(0); }"], "BEGINEND"),
    ] {
        let output = tracer(&arguments)?.success()?;
        ensure!(output.stdout.trim() == expected, "{arguments:?}: {output:?}");
    }
    let output =
        tracer(&["-l", "-n", "syscall::getp[gp]id:entry,syscall::getsi*:return,BEGIN"])?.success()?;
    let functions: Vec<&str> =
        output.lines()[1..].iter().filter_map(|line| line.split_whitespace().nth(3)).collect();
    ensure!(functions.contains(&"getppid") && functions.contains(&"getpgid"), "{output:?}");
    ensure!(functions.contains(&"getsid") && !functions.contains(&"getpid"), "{output:?}");
    Ok(())
}
