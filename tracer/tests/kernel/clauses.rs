//! What compiled clauses compute in the kernel: every way in which the compiler uses maps, helpers and routines passes
//! the verifier and gives what D says.

use anyhow::{Result, ensure};

use crate::harness::{Family, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "clauses",
    tests: &[
        ("integers", || check(INTEGERS)),
        ("strings", || check(STRINGS)),
        ("variables", || check(VARIABLES)),
        ("aggregations", || check(AGGREGATIONS)),
        ("builtins", || check(BUILTINS)),
        ("faults", || check(FAULTS)),
        ("long_strings", long_strings),
        ("many_clauses", many_clauses),
        ("many_clauses_have_long_keys", many_with_long_keys),
        ("names_have_no_tails", names_have_no_tails),
    ],
    workloads: &[],
};

/// D for the body of BEGIN, and the words that it prints.
type Case = (&'static str, &'static str);

const INTEGERS: &[Case] = &[
    (r#"printf("%d %d %d", -7 / 2, -7 % 3, 7 / -2)"#, "-3 -1 -3"),
    (r#"printf("%d %u", (char)200, (unsigned char)-56)"#, "-56 200"),
    (r#"x = 10; printf("%d %d", x++ + ++x, x)"#, "22 12"),
    (r#"x = 5; z = 0; y = x > 3 ? x * 2 : x / z; printf("%d", y)"#, "10"),
    (r#"printf("%d", 1 ^^ 0); printf(" %d", (1 && 0) || !0)"#, "1 1"),
    (r#"x = (uint64_t)1 << 63; printf("%u %d", x / 3, x > 0)"#, "3074457345618258602 1"),
    (r#"x = -1; printf("%d %d", x < 1, x < (unsigned int)1)"#, "1 0"),
];

const STRINGS: &[Case] = &[
    (r#"s = "abc"; x = 2; printf("%d %c %d %c", s[1], s[x], s[3], "xyz"[2])"#, "98 c 0 z"),
    (r#"x = "hello"; y = x; printf("%s %d %d", y, strlen(y), x == y)"#, "hello 5 1"),
    (r#"printf("%d %d %d", "abc" < "abd", "b" > "abc", "" == "")"#, "1 1 1"),
    (r#"this->s = "one"; this->t = this->s; printf("%s %d", this->t, this->t != "two")"#, "one 1"),
    (r#"printf("%s", pid > 0 ? "yes" : "no, and longer")"#, "yes"),
    (r#"x = probename; printf("%s %d %s", x, x == "BEGIN", probeprov)"#, "BEGIN 1 dtrace"),
    (r#"printf("%d %d", execname == "tracer", execname < "u")"#, "1 1"),
    (r#"x = execname; printf("%d %d", x == execname, execname != x)"#, "1 0"),
];

const VARIABLES: &[Case] = &[
    (r#"self->a = 5; self->a += 2; printf("%d ", self->a); self->a = 0; printf("%d", self->a)"#, "7 0"),
    (
        r#"a["x", 3] = 7; a[execname, pid] = 9; printf("%d %d %d", a["x", 3], a["y", 3], a[execname, pid])"#,
        "7 0 9",
    ),
    (r#"a[1] = 1; a[2] = 2; a[1] += a[2]; a[a[1]]++; printf("%d %d", a[1]--, a[3])"#, "3 1"),
    (r#"self->s = "abc"; s[1] = "def"; printf("%s %s %d", self->s, s[1], s[2] == NULL)"#, "abc def 1"),
    (r#"self->s = "abc"; self->s = ""; printf("[%s]", self->s)"#, "[]"),
    (r#"self->m[probename, 1] = 4; printf("%d %d", self->m["BEGIN", 1], self->m["END", 1])"#, "4 0"),
    (r#"this->x = 3; this->y = this->x * 2; printf("%d", this->y)"#, "6"),
    (r#"pid == 0 ? (self->z = 1) : (self->z = 2); printf("%d", self->z)"#, "2"),
];

const AGGREGATIONS: &[Case] = &[
    (r#"@ = count(); @ = count(); printa("%@d", @)"#, "2"),
    (r#"@a["k", 1] = sum(3); @a["k", 1] = sum(-4); printa("%s %d %@d", @a)"#, "k 1 -1"),
    (r#"@ = avg(10); @ = avg(21); printa("%@d", @)"#, "15"),
    (r#"@a = min(5); @a = min(-3); @b = max(-7); @b = max(-9); printa("%@d %@d", @a, @b)"#, "-3 -7"),
    (r#"@[execname] = count(); printa("%s %@d", @)"#, "tracer 1"),
    (r#"@[probename] = count(); printa("%s %@d", @)"#, "BEGIN 1"),
    (r#"this->s = "key"; @[this->s] = count(); @["key"] = count(); printa("%s %@d", @)"#, "key 2"),
    (
        r#"@ = quantize(1000); @l = lquantize(5, 0, 10, 1); @k["a"] = quantize(-1); trunc(@); trunc(@l); trunc(@k); trace("x")"#,
        "x",
    ),
];

const BUILTINS: &[Case] = &[
    (r#"printf("%d %d", pid == $pid, tid == pid)"#, "1 1"),
    (r#"printf("%d %d", ppid == $ppid, uid == $uid && gid == $gid)"#, "1 1"),
    (r#"printf("%d %d %d", progenyof($ppid), progenyof(pid), progenyof(1 << 30))"#, "1 1 0"),
    (r#"printf("%d %d", timestamp > 0, walltimestamp > timestamp)"#, "1 1"),
    (r#"printf("%d %d %d %d", epid, id, errno, curthread != 0)"#, "3 1 0 1"),
    (r#"this->r = rand(); this->c = cpu; printf("%d", this->c >= 0)"#, "1"),
];

const FAULTS: &[Case] = &[
    (r#"trace(*(int *)8)"#, "fault 1 in 1 at 8"),
    (r#"x = 0; trace(5 / x)"#, "fault 4 in 2 at 0"),
    (r#"x = 0; @[5 % x] = count()"#, "fault 4 in 2 at 0"),
    (r#"trace(copyinstr(16))"#, "fault 1 in 1 at 16"),
    (r#"printf("%d %s", 1, copyinstr(24, 5))"#, "fault 1 in 2 at 24"),
];

/// Runs each case and compares what it prints, white space aside.
fn check(cases: &[Case]) -> Result<()> {
    let mut wrong = Vec::new();
    for (body, meant) in cases {
        let program = format!(
            "BEGIN {{ {body}; }} BEGIN {{ exit(0); }} ERROR {{ printf(\"fault %d in %d at %d\", arg4, arg2, arg5); }}"
        );
        let output = tracer(&["-q", "-n", &program])?;
        let said = output.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        if said != *meant || !output.status.success() {
            wrong.push(format!(
                "{body}\n  gave `{said}`, not `{meant}`; {}, {}",
                output.status, output.stderr
            ));
        }
    }
    ensure!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    Ok(())
}

/// Strings of more than are copied by single instructions.
fn long_strings() -> Result<()> {
    let text = "0123456789".repeat(60);
    let program = format!(
        "BEGIN {{ x = \"{text}\"; self->x = x; y[1] = self->x; printf(\"%s %d %d\", y[1], strlen(y[1]), y[1] == x); exit(0); }}"
    );
    let output = tracer(&["-q", "-x", "strsize=1024", "-n", &program])?.success()?;
    ensure!(output.stdout.trim() == format!("{text} 600 1"), "{output:?}");
    Ok(())
}

/// A program's name is equal to itself whatever the process was called before: here the long name of this test.
fn names_have_no_tails() -> Result<()> {
    let program = r#"proc:::signal-send /args[1]->pr_pid == $target && args[2] == 10/ {
        printf("%s %d %d\n", args[1]->pr_fname, args[1]->pr_fname == "sh", strlen(args[1]->pr_fname));
    }"#;
    let command = "sh -c 'kill -USR1 $$'";
    let output = tracer(&["-q", "-n", program, "-c", command])?;
    ensure!(output.lines() == ["sh 1 2"], "{output:?}");
    Ok(())
}

/// So many clauses on one probe that the verifier must not follow every way through them.
fn many_clauses() -> Result<()> {
    let mut program: String =
        (0..200).map(|i| format!("BEGIN /pid != -{i}/ {{ n++; this->x = n; }} ")).collect();
    program.push_str("BEGIN { printf(\"%d %d\", n, this->x); exit(0); }");
    let output = tracer(&["-q", "-n", &program])?.success()?;
    ensure!(output.stdout.trim() == "200 200", "{output:?}");
    Ok(())
}

/// Clauses in more than one group, whose keys are too long for the stack; one of them faults, and ERROR has such a key, too.
fn many_with_long_keys() -> Result<()> {
    let clauses: String =
        (0..70).map(|i| format!("BEGIN {{ @[{}, 1, 2, 3, 4, 5] = count(); }} ", i % 2)).collect();
    let program = format!(
        "{clauses} BEGIN {{ trace(*(int *)0); }} ERROR {{ @[2, 1, 2, 3, 4, 5] = count(); }} BEGIN {{ exit(0); }}
        END {{ printa(\"%d %d %d %d %d %d: %@d\\n\", @); }}"
    );
    let output = tracer(&["-q", "-n", &program])?;
    ensure!(output.lines() == ["2 1 2 3 4 5: 1", "0 1 2 3 4 5: 35", "1 1 2 3 4 5: 35"], "{output:?}");
    Ok(())
}
