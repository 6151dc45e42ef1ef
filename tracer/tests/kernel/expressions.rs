//! Expressions: computed in the kernel, compared with what this program computes with the same types; strings; which probes a
//! clause is for, which clauses run, and what exit() does.

use anyhow::{Context, Result, ensure};

use crate::harness::workload::clock;
use crate::harness::{Family, Report, emulated, observe, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "expressions",
    tests: &[
        ("numbers_are_those_of_c", numbers),
        ("constants_are_those_of_c", constants),
        ("strings_are_compared_as_bytes", strings),
        ("the_builtins_tell_who_fires", builtins),
        ("the_time_is_that_of_the_clock", times),
        ("probes_are_those_that_the_globs_match", clauses),
        ("macros_are_the_arguments", macros),
        ("exit_ends_the_firing_and_gives_the_status", exit),
        ("many_clauses_load", many_clauses),
        ("more_clauses_and_maps_than_one_program_holds", very_many_clauses),
        ("five_thousand_clauses_are_one_firing", thousands_of_clauses),
        ("a_fault_in_a_later_part_fires_error_and_goes_on", fault_in_a_later_part),
        ("a_long_clause_loads", a_long_clause),
    ],
    workloads: &[("expressions_calls", calls), ("expressions_clocks", clocks)],
};

/// Runs a program that ends by itself and prints what is expected.
pub(super) fn prints(program: &str, arguments: &[&str], expected: &[String]) -> Result<()> {
    let output = tracer(&[&["-q", "-n", program], arguments].concat())?.success()?;
    ensure!(output.lines() == expected, "expected {expected:#?} of\n{program}\nnot {output:#?}");
    ensure!(output.stderr.is_empty(), "{output:#?}");
    Ok(())
}

/// Pairs of a D expression and its value, as a program in clauses of a few statements each.
fn compute(declarations: &str, rows: &[(&str, i128)]) -> Result<()> {
    let mut program = declarations.to_owned();
    for some in rows.chunks(8) {
        let prints: String =
            some.iter().map(|(text, _)| format!("printf(\"%s %d\\n\", \"{text}\", {text});\n")).collect();
        program.push_str(&format!("BEGIN {{ {prints} }}\n"));
    }
    program.push_str("BEGIN { exit(0); }");
    let expected: Vec<String> = rows.iter().map(|(text, value)| format!("{text} {value}")).collect();
    prints(&program, &[], &expected)
}

/// Variables keep the compiler from computing anything itself.
fn numbers() -> Result<()> {
    const DECLARATIONS: &str = "int8_t c; uint8_t uc; int16_t s; uint16_t us; int i; unsigned u; int64_t l; uint64_t ul; int z;
        BEGIN { c = -100; uc = 200; s = -30000; us = 60000; i = -7; u = 3000000000; l = -5000000000; ul = -1; z = 3; }\n";
    let (c, uc, s, us) = (-100_i8, 200_u8, -30000_i16, 60000_u16);
    let (i, u, l, ul, z) = (-7_i32, 3_000_000_000_u32, -5_000_000_000_i64, u64::MAX, 3_i32);
    // The integer promotions: what is narrower than int becomes one.
    let (ci, uci, si, usi) = (i32::from(c), i32::from(uc), i32::from(s), i32::from(us));
    compute(
        DECLARATIONS,
        &[
            ("c + uc", (ci + uci).into()),
            ("uc * uc", (uci * uci).into()),
            ("us * us", usi.wrapping_mul(usi).into()),
            ("s - us", (si - usi).into()),
            ("-uc", (-uci).into()),
            ("~us", (!usi).into()),
            ("!c", 0),
            ("i / z", (i / z).into()),
            ("i % z", (i % z).into()),
            ("l / i", (l / i64::from(i)).into()),
            ("l % z", (l % i64::from(z)).into()),
            ("ul / z", (ul / 3).into()),
            ("i / u", ((i as u32) / u).into()),
            ("i % u", ((i as u32) % u).into()),
            ("u + u", u.wrapping_add(u).into()),
            ("i * u", (i as u32).wrapping_mul(u).into()),
            ("i + l", (i64::from(i) + l).into()),
            ("u - l", (i64::from(u) - l).into()),
            ("ul + i", ul.wrapping_add(i as u64).into()),
            ("i >> 1", (i >> 1).into()),
            ("u >> 31", (u >> 31).into()),
            ("l >> 33", (l >> 33).into()),
            ("ul >> 63", (ul >> 63).into()),
            ("z << 30", (z << 30).into()),
            ("z << uc - 199", (z << 1).into()),
            ("uc << 24", (uci << 24).into()),
            ("i & u", ((i as u32) & u).into()),
            ("c | us", (ci | usi).into()),
            ("l ^ u", (l ^ i64::from(u)).into()),
            ("i < u", i128::from((i as u32) < u)),
            ("i < ul", i128::from((i as u64) < ul)),
            ("l < u", i128::from(l < i64::from(u))),
            ("c < uc", i128::from(ci < uci)),
            ("ul == i", i128::from(ul == i as u64)),
            ("ul > l", i128::from(ul > l as u64)),
            ("i != z && l <= i", 1),
            ("!i || z >= 4", 0),
            ("i && z ^^ 1", 0),
            ("(int8_t)us", (us as i8).into()),
            ("(uint8_t)i", (i as u8).into()),
            ("(unsigned short)l", (l as u16).into()),
            ("(int)ul", (ul as i32).into()),
            ("(uint64_t)c", (c as u64).into()),
            ("(int64_t)u", i64::from(u).into()),
            ("(int)(u + u) / 2", (u.wrapping_add(u) as i32 / 2).into()),
            ("c + c", (ci + ci).into()),
            ("c + c < -128", 1),
            ("sizeof (c + c) + sizeof (c + uc)", 8),
            ("z ? c : u", (ci as u32).into()),
            ("z > 3 ? i : l", l.into()),
            ("sizeof (us) + sizeof (int64_t)", 10),
            ("(z, i)", i.into()),
            ("uc = us + 1", (us.wrapping_add(1) as u8).into()),
            ("c -= 100", (c.wrapping_sub(100)).into()),
            ("c++ + ++c", (i32::from(56_i8) + i32::from(58_i8)).into()),
            ("i <<= 2", (i << 2).into()),
            ("z--", 3),
            ("z", 2),
        ],
    )
}

fn constants() -> Result<()> {
    compute(
        "",
        &[
            ("0x7fffffff + 1", i32::MIN.into()),
            ("2147483648", 1 << 31),
            ("-7 / 2", (-7 / 2).into()),
            ("-7 % 2", (-7 % 2).into()),
            ("-1 < 1U", 0),
            ("-1L < 1U", 1),
            ("1U - 2", u32::MAX.into()),
            ("1ULL << 63", 1 << 63),
            ("017 + 'a'", (15 + 97).into()),
            ("5 ^ 3 | 8 & 12", (5 ^ 3 | 8 & 12).into()),
            ("1 + 2 * 3 << 1", ((1 + 2 * 3) << 1).into()),
            ("sizeof (long)", 8),
        ],
    )
}

fn strings() -> Result<()> {
    // Literals, variables and built-ins have buffers of different sizes.
    const PROGRAM: &str = r#"
        string never;
        BEGIN { s = "abcdefgh"; t = "abcdefgh"; this->u = "abcdefghi"; e = ""; self->v = "abc"; w["k", 1] = "abcdefghi"; }
        BEGIN { printf("%d%d%d%d\n", s == t, s == "abcdefgh", s != "abcdefgH", "abcdefg" == s); }
        BEGIN { printf("%c%c%d\n", *s, *"A", s[1] == 'b'); }
        BEGIN { printf("%d%d%d%d\n", s < this->u, this->u > t, self->v >= "abc", self->v <= "abb"); }
        BEGIN { printf("%d%d%d\n", e == "", never == e, s == e); }
        BEGIN { printf("%d%d%d\n", w["k", 1] == this->u, w["k", 2] == "", w["l", 1] == never); }
        BEGIN { printf("%s %s\n", s == "no" ? "yes" : this->u, s == t ? self->v : "long enough to matter"); }
        BEGIN { printf("%d%d%d\n", probename == "BEGIN", "END" != probename, probeprov < "e"); }
        BEGIN { s = this->u; t = s; s = "short"; printf("%s %s\n", s, t); }
        BEGIN { self->v = 0; w["k", 1] = 0; printf("%d%d\n", self->v == NULL, w["k", 1] == NULL); }
        BEGIN { exit(0); }"#;
    let expected = ["1110", "aA1", "1110", "110", "111", "abcdefghi abc", "111", "short abcdefghi", "11"]
        .map(str::to_owned);
    prints(PROGRAM, &[], &expected)
}

fn builtins() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::lseek:entry /pid == $1/
        { printf("%d %d %d %d %d %s %s:%s:%s %d", pid, tid, ppid, uid, gid, execname, probeprov, probefunc, probename, (int)arg1);
          printf(" %d\n", cpu); }"#;
    let seen = observe(PROGRAM, "expressions_calls", &[])?;
    let report = &seen.report;
    let mut expected = String::new();
    for fact in ["pid", "tid", "ppid", "uid", "gid", "comm"] {
        expected.push_str(report.text(fact)?);
        expected.push(' ');
    }
    let lines = seen.output.lines();
    let offsets: Vec<_> = lines
        .iter()
        .map(|line| line.strip_prefix(&format!("{expected}syscall:lseek:entry ")).context("another line"))
        .collect::<Result<_>>()
        .with_context(|| format!("expected {expected}: {seen:?}"))?;
    let offsets: Vec<_> = offsets.iter().filter_map(|rest| rest.split_once(' ')).collect();
    ensure!(offsets.iter().map(|(offset, _)| *offset).eq(["-3", "0", "3"]), "{seen:?}");
    let cpus: i64 = std::thread::available_parallelism()?.get().max(1024) as i64;
    let numbers = offsets.iter().map(|(_, cpu)| cpu.parse::<i64>());
    ensure!(numbers.flatten().filter(|cpu| *cpu < cpus).count() == 3, "{seen:?}");
    Ok(())
}

/// Seeks to -3, 0 and 3 and tells who it is.
fn calls(_: &[String]) -> Result<Report> {
    for offset in [-3, 0, 3] {
        // SAFETY: integers; no descriptor has that number.
        unsafe { libc::lseek(-1, offset, libc::SEEK_SET) };
    }
    // SAFETY: no arguments.
    let (tid, ppid, uid, gid) = unsafe { (libc::gettid(), libc::getppid(), libc::getuid(), libc::getgid()) };
    let comm = std::fs::read_to_string("/proc/thread-self/comm")?;
    let report = Report::default().with("pid", std::process::id()).with("tid", tid).with("ppid", ppid);
    Ok(report.with("uid", uid).with("gid", gid).with("comm", comm.trim()))
}

fn times() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::lseek:entry /pid == $1/ { printf("%d %d %d\n", timestamp, walltimestamp, timestamp - timestamp); }"#;
    let seen = observe(PROGRAM, "expressions_clocks", &[])?;
    let lines = seen.output.lines();
    ensure!(lines.len() == 2, "{seen:?}");
    for (line, turn) in lines.iter().zip(0..) {
        let numbers: Vec<i64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        let within = |clock: &str, told: i64, leeway: i64| -> Result<bool> {
            let [before, after] =
                ["before", "after"].map(|when| seen.report.number(&format!("{clock}_{when}_{turn}")));
            Ok((before? - leeway..=after? + leeway).contains(&told))
        };
        ensure!(within("time", numbers[0], 0)?, "{seen:?}");
        // The clock may be set by a little while the tracer runs.
        ensure!(within("wall", numbers[1], 100_000_000)?, "{seen:?}");
        ensure!(numbers[2] == 0, "one firing has one time: {seen:?}");
    }
    Ok(())
}

/// Seeks twice, and reads the clocks before and after it.
fn clocks(_: &[String]) -> Result<Report> {
    let read = |report: Report, when: &str, turn: u32| {
        [("time", libc::CLOCK_MONOTONIC), ("wall", libc::CLOCK_REALTIME)]
            .into_iter()
            .fold(report, |report, (name, which)| {
                report.with(&format!("{name}_{when}_{turn}"), clock(which).as_nanos())
            })
    };
    let mut report = Report::default();
    for turn in 0..2 {
        report = read(report, "before", turn);
        // SAFETY: integers; no descriptor has that number.
        unsafe { libc::lseek(-1, 0, libc::SEEK_SET) };
        report = read(report, "after", turn);
    }
    Ok(report)
}

fn clauses() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::lseek:entry, syscall::getg?d:entry, syscall::get[a-t]id:return /pid == $1/ { printf("%s %s\n", probefunc, probename); }
        syscall::lseek:entry /pid == $1 && (int)arg1 > 0/ { printf("positive\n"); }
        syscall::lseek:entry /pid == $1 && (int)arg1 <= 0/ { printf("not positive\n"); }
        syscall::lseek:entry /pid == $1/ { printf("last\n"); }"#;
    let seen = observe(PROGRAM, "expressions_calls", &[])?;
    let lines = seen.output.lines();
    let seeks: Vec<_> = lines.iter().filter(|line| !line.contains("id ")).copied().collect();
    let not = ["lseek entry", "not positive", "last"];
    let truth = [not, not, ["lseek entry", "positive", "last"]].concat();
    ensure!(seeks == truth, "{seen:?}");
    ensure!(lines.iter().filter(|line| **line == "getgid entry").count() == 1, "{seen:?}");
    ensure!(!lines.contains(&"getuid return"), "{seen:?}");
    Ok(())
}

fn macros() -> Result<()> {
    let program = r#"BEGIN { printf("%s %d %d %d %d\n", $$1, $2, $2 + 0x10, $ppid, $uid); exit(0); }"#;
    // SAFETY: no arguments.
    let uid = unsafe { libc::getuid() };
    prints(program, &["a word", "42"], &[format!("a word 42 58 {} {uid}", std::process::id())])?;
    let program = "BEGIN { printf(\"%d\\n\", $target); exit(0); }";
    let output = tracer(&["-q", "-n", program, "-p", &std::process::id().to_string()])?.success()?;
    ensure!(output.lines() == [std::process::id().to_string()], "{output:?}");
    Ok(())
}

fn exit() -> Result<()> {
    let run = |program: &str| -> Result<(crate::harness::run::Output, Option<i32>)> {
        let output = tracer(&["-q", "-n", program])?;
        let code = output.status.code();
        Ok((output, code))
    };
    let (output, code) = run(r#"BEGIN { printf("1 "); exit(7); printf("2 "); } BEGIN { printf("3 "); }
        tick-1ms { printf("4 "); } END { printf("end "); } END { printf("end\n"); }"#)?;
    ensure!(code == Some(7) && output.lines() == ["1 2 end end"], "{output:?}");
    let (output, code) = run("tick-10ms { exit(3); } END { exit(9); }")?;
    ensure!(code == Some(9), "{output:?}");
    // A clause that faults sends nothing, but its exit() has ended the run.
    let (output, code) = run("int z; BEGIN { exit(4); z = 1 / z; } END { printf(\"end\\n\"); }")?;
    ensure!(code == Some(0) && output.lines() == ["end"], "{output:?}");
    Ok(())
}

fn many_clauses() -> Result<()> {
    const COUNT: usize = 60;
    let mut program = "int64_t total;\n".to_owned();
    for n in 0..COUNT {
        program.push_str(&format!(
            "syscall::lseek:entry /pid == $1 && (int)arg1 >= {n} - 3/
             {{ @[{n} % 7, probefunc] = count(); n{n}++; self->a{} = n{n}; this->n = self->a{0}; total += this->n; }}\n",
            n % 5
        ));
    }
    program.push_str("END { printf(\"sum %d\\n\", total); printa(\"%d %s %@d\\n\", @); }");
    let seen = observe(&program, "expressions_calls", &[])?;
    // -3 passes the first clause, 0 the first four, 3 the first seven; the first counts up to 3, and so on.
    let passes = [-3_i64, 0, 3].map(|offset| offset + 4);
    let counted: i64 = passes.iter().sum();
    let lines = seen.output.lines();
    let total: i64 = lines[1..].iter().filter_map(|line| line.rsplit_once(' ')?.1.parse::<i64>().ok()).sum();
    ensure!(total == counted, "{counted} expected: {seen:?}");
    let sum: i64 =
        (0..7).map(|n| passes.iter().filter(|pass| **pass > n).count() as i64).map(|k| k * (k + 1) / 2).sum();
    ensure!(lines[0] == format!("sum {sum}"), "{sum} expected: {seen:?}");
    Ok(())
}

fn very_many_clauses() -> Result<()> {
    // The kernel takes 256 functions and 64 maps a program.
    const COUNT: usize = 300;
    let clause = |n| {
        format!(
            "syscall::lseek:entry /pid == $1/ {{ @a{}[execname] = count(); in_order += seen == {n}; seen = {n} + 1; }}\n",
            n % 80
        )
    };
    let mut program: String =
        std::iter::once("int seen, in_order;\n".to_owned()).chain((0..COUNT).map(clause)).collect();
    program.push_str(
        "syscall::lseek:entry /pid == $1/ { printf(\"%d in order\\n\", in_order); in_order = 0; seen = 0; }",
    );
    let seen = observe(&program, "expressions_calls", &[])?;
    let lines = seen.output.lines();
    let order = format!("{COUNT} in order");
    ensure!(lines.iter().filter(|line| **line == order).count() == 3, "{seen:?}");
    let total: usize = lines.iter().filter_map(|line| line.rsplit_once(' ')?.1.parse::<usize>().ok()).sum();
    ensure!(total == 3 * COUNT, "{} expected: {seen:?}", 3 * COUNT);
    Ok(())
}

/// `this->` goes from the first clause to the last, over all the programs that they are spread over.
fn thousands_of_clauses() -> Result<()> {
    // The kernel of an emulated machine takes minutes for as many.
    let count: usize = if emulated() { 1500 } else { 5000 };
    let on = "syscall::exit_group:entry /pid == $target/";
    let mut program = format!("{on} {{ this->sum = 1000; }}\n");
    program.extend((1..=count).map(|n| format!("{on} {{ this->sum += {n}; @[{n} % 10] = count(); }}\n")));
    program.push_str(&format!("{on} {{ printf(\"%d\\n\", this->sum); }}"));
    let script = std::env::temp_dir().join(format!("tracer-{}.d", std::process::id()));
    std::fs::write(&script, program)?;
    let output = tracer(&["-q", "-s", &script.to_string_lossy(), "-c", "true"]);
    std::fs::remove_file(&script)?;
    let output = output?.success()?;
    let lines = output.lines();
    let sum = (1000 + count * (count + 1) / 2).to_string();
    ensure!(lines.iter().filter(|line| **line == sum).count() == 1, "{output:?}");
    let counts = lines.iter().filter_map(|line| line.trim().rsplit_once(' ')?.1.parse::<usize>().ok());
    ensure!(counts.sum::<usize>() == count, "{output:?}");
    Ok(())
}

fn fault_in_a_later_part() -> Result<()> {
    let mut program = "BEGIN { this->n = 0; }\n".to_owned();
    program.extend((0..600).map(|n| match n {
        400 => "BEGIN { this->n += 1 / (this->n - 400); }\n",
        _ => "BEGIN { this->n++; }\n",
    }));
    program.push_str("BEGIN { printf(\"%d\\n\", this->n); exit(0); }\n");
    program.push_str("BEGIN { printf(\"too late\"); }\nERROR { printf(\"fault %d in %d\\n\", arg4, arg1); }");
    let output = tracer(&["-q", "-n", &program])?.success()?;
    ensure!(output.lines() == ["fault 4 in 404", "599"], "{output:?}");
    Ok(())
}

fn a_long_clause() -> Result<()> {
    const COUNT: usize = 120;
    let statements: String =
        (0..COUNT).map(|n| format!("printf(\"{n} %d %s\\n\", (int)arg1 + {n}, probefunc);\n")).collect();
    let program = format!("syscall::lseek:entry /pid == $1/ {{ {statements} }}");
    let seen = observe(&program, "expressions_calls", &[])?;
    let truth: Vec<String> = [-3_i64, 0, 3]
        .iter()
        .flat_map(|offset| (0..COUNT as i64).map(move |n| format!("{n} {} lseek", offset + n)))
        .collect();
    ensure!(seen.output.lines() == truth, "{seen:?}");
    Ok(())
}
