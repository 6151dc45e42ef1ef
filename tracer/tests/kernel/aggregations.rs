//! Aggregations against the same values counted here: every function, every kind of key, every way to print and change them.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use crate::expressions::prints;
use crate::harness::{Family, Report, Tracer, observe, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "aggregations",
    tests: &[
        ("functions_agree_with_their_definitions", functions),
        ("quantize_counts_powers_of_two", quantize),
        ("lquantize_counts_steps", lquantize),
        ("keys_are_tuples_of_several_types", keys),
        ("threads_are_added_up", threads),
        ("printa_joins_and_sorts", printa),
        ("normalize_trunc_and_clear", change),
        ("stddev_and_llquantize_agree_with_their_definitions", deviations),
        ("what_is_cleared_after_printing_is_printed_once", exactly_once),
        ("clear_makes_nothing_of_what_has_counted_nothing", cleared),
        ("keys_that_were_cut_are_shown_when_they_count_again", cut),
        ("more_keys_than_have_places_are_counted_once", many_keys),
        ("rows_are_sorted_as_options_say", sorted),
        ("bars_stand_beside_keys_and_in_one_line", drawn),
        ("what_is_not_printed_is_printed_at_the_end", unprinted),
        ("new_keys_of_one_interrupt_are_all_kept", keys_of_an_interrupt),
        ("keys_of_kilobytes_are_kept_whole", long_keys),
        ("one_clause_fills_many_histograms", many_histograms),
    ],
    workloads: &[
        ("aggregations_values", values),
        ("busy_threads", busy_threads),
        ("aggregations_many", many),
    ],
};

/// What the workload passes to lseek as its offset.
const VALUES: [i64; 14] = [0, 1, -1, 2, 3, 4, 1000, -1000, 1023, 1024, -5, 10, 1 << 40, -(1 << 40)];

fn values(_: &[String]) -> Result<Report> {
    for offset in VALUES {
        // SAFETY: integers; no descriptor has that number.
        unsafe { libc::lseek(-1, offset, libc::SEEK_SET) };
    }
    Ok(Report::default().with("calls", VALUES.len()))
}

fn functions() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::lseek:entry /pid == $1/ { this->v = (int64_t)arg1;
            @c = count(); @s = sum(this->v); @a = avg(this->v); @l = min(this->v); @h = max(this->v);
            @sk[this->v < 0] = sum(this->v); @hk[this->v < 0] = max(this->v); @lk[this->v < 0] = min(this->v); }
        END { printa("%@d\n", @c); printa("%@d\n", @s); printa("%@d\n", @a); printa("%@d\n", @l); printa("%@d\n", @h);
            printa("%d %@d\n", @sk); printa("%d %@d\n", @hk); printa("%d %@d\n", @lk); }"#;
    let seen = observe(PROGRAM, "aggregations_values", &[])?;
    let sum: i64 = VALUES.iter().sum();
    let count = VALUES.len() as i64;
    ensure!(seen.report.number("calls")? == count, "{seen:?}");
    let low = VALUES.iter().min().context("values")?;
    let high = VALUES.iter().max().context("values")?;
    let mut truth = [count, sum, sum / count, *low, *high].map(|value| value.to_string()).to_vec();
    let of = |negative: bool| VALUES.iter().copied().filter(move |value| (*value < 0) == negative);
    let ways: [fn(&mut dyn Iterator<Item = i64>) -> i64; 3] =
        [|some| some.sum(), |some| some.max().unwrap_or_default(), |some| some.min().unwrap_or_default()];
    for way in ways {
        let mut rows = [true, false].map(|negative| (way(&mut of(negative)), i32::from(negative)));
        rows.sort_unstable();
        truth.extend(rows.map(|(value, key)| format!("{key} {value}")));
    }
    ensure!(seen.output.lines() == truth, "expected {truth:#?}: {seen:?}");
    Ok(())
}

/// The rows of a distribution: what stands at their left, and the count; those that are 0 left out.
fn rows(text: &str) -> BTreeMap<String, i64> {
    let lines = text.lines().filter_map(|line| line.split_once('|'));
    let rows = lines.filter_map(|(value, rest)| {
        let count = rest.trim_start_matches('@').trim().parse().ok()?;
        Some((value.trim().to_owned(), count))
    });
    rows.filter(|(_, count)| *count != 0).collect()
}

fn counted(bucket: impl Fn(i64) -> String) -> BTreeMap<String, i64> {
    let mut rows = BTreeMap::new();
    for value in VALUES {
        *rows.entry(bucket(value)).or_default() += 1;
    }
    rows
}

fn quantize() -> Result<()> {
    const PROGRAM: &str =
        "syscall::lseek:entry /pid == $1/ { @ = quantize((int64_t)arg1); @two[execname] = quantize((int64_t)arg1, 2); }
         END { printa(@); trunc(@); printf(\"second\"); printa(@two); }";
    let seen = observe(PROGRAM, "aggregations_values", &[])?;
    let truth = counted(|value| match value.unsigned_abs() {
        0 => "0".into(),
        size => (value.signum() << size.ilog2()).to_string(),
    });
    let (one, two) = seen.output.stdout.split_once("second").context("two distributions")?;
    ensure!(rows(one) == truth, "expected {truth:?}: {seen:?}");
    let doubled = truth.into_iter().map(|(value, count)| (value, count * 2)).collect();
    ensure!(rows(two) == doubled, "expected {doubled:?}: {seen:?}");
    Ok(())
}

fn lquantize() -> Result<()> {
    const PROGRAM: &str =
        "syscall::lseek:entry /pid == $1/ { @ = lquantize((int64_t)arg1, -5, 10, 3); } END { printa(@); }";
    let seen = observe(PROGRAM, "aggregations_values", &[])?;
    let truth = counted(|value| match value {
        ..-5 => "< -5".into(),
        10.. => ">= 10".into(),
        _ => (-5 + (value + 5) / 3 * 3).to_string(),
    });
    let seen_rows = rows(&seen.output.stdout);
    ensure!(seen_rows == truth, "expected {truth:?}: {seen:?}");
    Ok(())
}

fn keys() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::lseek:entry, syscall::lseek:return /pid == $1/
            { @[probefunc, probename, execname, pid, -1, "a string"] = count(); }
        END { printa("%s %s %s %d %d %s %@d\n", @); }"#;
    let seen = observe(PROGRAM, "aggregations_values", &[])?;
    let comm = std::fs::read_to_string("/proc/self/comm")?;
    let mut lines = seen.output.lines();
    lines.sort_unstable();
    let row = |name| format!("lseek {name} {} {} -1 a string {}", comm.trim(), seen.pid, VALUES.len());
    ensure!(lines == [row("entry"), row("return")], "{comm} {seen:?}");
    Ok(())
}

fn threads() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::lseek:entry /pid == $1/ { @all = count(); @sum = sum(arg1); @each[tid] = count(); @few[arg1 % 7] = count(); }
        END { printa("all %@d\n", @all); printa("sum %@d\n", @sum); printa("each %@d\n", @each); printa("few %d %@d\n", @few); }"#;
    let seen = observe(PROGRAM, "busy_threads", &["4", "5000"])?;
    let mut lines = seen.output.lines();
    let mut truth = vec![format!("all {}", 4 * 5000), format!("sum {}", 4 * (0..5000).sum::<i64>())];
    truth.extend(std::iter::repeat_n("each 5000".to_owned(), 4));
    truth
        .extend((0..7).map(|rest| format!("few {rest} {}", 4 * (0..5000).filter(|n| n % 7 == rest).count())));
    lines.sort_unstable();
    truth.sort_unstable();
    ensure!(lines == truth, "{seen:?}");
    ensure!(seen.output.stderr.is_empty(), "{seen:?}");
    Ok(())
}

/// So many threads, each of which seeks to 0, 1, 2, and so on.
fn busy_threads(arguments: &[String]) -> Result<Report> {
    let [threads, calls] = arguments else { anyhow::bail!("how many threads, how many calls?") };
    let (threads, calls): (usize, i64) = (threads.parse()?, calls.parse()?);
    let seek = move || {
        for offset in 0..calls {
            // SAFETY: integers; no descriptor has that number.
            unsafe { libc::lseek(-1, offset, libc::SEEK_SET) };
        }
    };
    let handles: Vec<_> = (0..threads).map(|_| std::thread::spawn(seek)).collect();
    handles.into_iter().try_for_each(|handle| handle.join()).ok().context("a thread panicked")?;
    Ok(Report::default())
}

fn printa() -> Result<()> {
    const PROGRAM: &str = r#"
        BEGIN { @a["x", 1] = sum(5); @b["x", 1] = sum(-50); @a["y", 2] = sum(-7); @b["z", 3] = sum(30); @a["w", 2] = sum(5); }
        BEGIN { printa("%-3s|%3d|%@5d|%@d|\n", @a, @b); printa("%s %@u\n", @a); exit(0); }"#;
    // By the first's value, the smallest first, then by the second's; one that has no such key counts as 0.
    let rows = ["y  |  2|   -7|0|", "z  |  3|    0|30|", "x  |  1|    5|-50|", "w  |  2|    5|0|"];
    let unsigned = ["y 18446744073709551609", "w 5", "x 5"];
    let expected: Vec<String> = rows.iter().chain(&unsigned).map(|&row| row.to_owned()).collect();
    prints(PROGRAM, &[], &expected)
}

fn change() -> Result<()> {
    // What BEGIN does to the aggregation is done in user space, some time later: what is added after it waits until it shows.
    const PROGRAM: &str = r#"
        BEGIN { @["a"] = sum(1000); @["b"] = sum(-3000); @["c"] = sum(7000); }
        BEGIN { normalize(@, 1000); printa("n %s %@d\n", @); denormalize(@); trunc(@, 2); printa("t %s %@d\n", @); }
        BEGIN { clear(@); printa("c %s %@d\n", @); printf("cleared\n"); }
        syscall::lseek:entry /pid == $1/ { @["c"] = sum(3); }
        syscall::lseek:return /pid == $1/ { printa("s %s %@d\n", @); trunc(@); printa("gone %s %@d\n", @); exit(0); }"#;
    let mut running = Tracer::start(&["-q", "-n", PROGRAM, &std::process::id().to_string()])?;
    running.wait_for("cleared")?;
    // SAFETY: integers; no descriptor has that number.
    unsafe { libc::lseek(-1, 0, libc::SEEK_SET) };
    let output = running.finish()?.success()?;
    let expected =
        ["n b -3", "n a 1", "n c 7", "t a 1000", "t c 7000", "c a 0", "c c 0", "cleared", "s a 0", "s c 3"];
    ensure!(output.lines() == expected, "{output:#?}");
    Ok(())
}

fn deviations() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::lseek:entry /pid == $1/ { this->v = (int64_t)arg1;
            @d = stddev(this->v); @k[this->v < 0] = stddev(this->v); @l = llquantize(this->v, 10, 0, 3, 10); }
        END { printa("%@d\n", @d); printa("%d %@d\n", @k); normalize(@d, 1000); printa("%@d\n", @d); printa(@l); }"#;
    let seen = observe(PROGRAM, "aggregations_values", &[])?;
    let deviation = |values: &[i64], normal: i128| {
        let count = values.len() as i128;
        let squares: i128 = values.iter().map(|&value| i128::from(value) * i128::from(value)).sum();
        let mean = values.iter().map(|&value| i128::from(value)).sum::<i128>() / normal / count;
        // As in dtrace, which divides the sum of the squares once.
        (squares / normal / count - mean * mean).isqrt()
    };
    let of = |negative: bool| -> Vec<i64> {
        VALUES.iter().copied().filter(|value| (*value < 0) == negative).collect()
    };
    let mut keyed = [(deviation(&of(true), 1), 1), (deviation(&of(false), 1), 0)];
    keyed.sort_unstable();
    let mut truth = vec![deviation(&VALUES, 1).to_string()];
    truth.extend(keyed.map(|(value, key)| format!("{key} {value}")));
    truth.push(deviation(&VALUES, 1000).to_string());
    ensure!(
        seen.output.lines().get(..4).is_some_and(|lines| *lines == truth),
        "expected {truth:?}: {seen:?}"
    );
    let buckets = counted(|value| match value {
        ..=-10_000 => "<= -10000".into(),
        0 => "0".into(),
        10_000.. => ">= 10000".into(),
        _ => {
            let magnitude = 10_i64.pow(value.unsigned_abs().ilog10());
            (value / magnitude * magnitude).to_string()
        }
    });
    ensure!(rows(&seen.output.stdout) == buckets, "expected {buckets:?}: {seen:?}");
    Ok(())
}

/// Each call is in one printout, however they and the ticks fall together; as is each key that was truncated.
fn exactly_once() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::lseek:entry /pid == $1/ { @n = count(); @s = sum(arg1); @k[arg1 % 10] = count(); }
        tick-10ms { more = ticks++ < 50; } END { more = 1; }
        tick-10ms, END /more/ { printa("n %@d\n", @n); clear(@n); printa("s %@d\n", @s); trunc(@s); }
        tick-10ms, END /more/ { printa("k %@d\n", @k); } tick-10ms, END /more/ { trunc(@k); }"#;
    let seen = observe(PROGRAM, "busy_threads", &["2", "100000"])?;
    let total = |name: &str| -> Result<i64> {
        let values = seen.output.lines().into_iter().filter_map(|line| line.strip_prefix(name));
        Ok(values.map(str::parse::<i64>).collect::<Result<Vec<_>, _>>()?.into_iter().sum())
    };
    ensure!(total("n ")? == 2 * 100_000, "{} calls", total("n ")?);
    ensure!(total("s ")? == 2 * (0..100_000_i64).sum::<i64>(), "sum {}", total("s ")?);
    // A key that is counted by both threads at the very moment of its removal may miss those two.
    let removals = seen.output.lines().iter().filter(|line| line.starts_with("k ")).count() as i64;
    let keyed = total("k ")?;
    ensure!((2 * 100_000 - 2 * removals..=2 * 100_000).contains(&keyed), "{keyed} calls by key");
    Ok(())
}

fn cleared() -> Result<()> {
    const PROGRAM: &str = r#"
        BEGIN /$1/ { @ = count(); @q = quantize(1); }
        BEGIN { printa("%@d\n", @); clear(@); clear(@q); printa("%@d\n", @); printa("%@d\n", @q); printf("end\n"); exit(0); }"#;
    prints(PROGRAM, &["0"], &["end".to_owned()])?;
    let output = tracer(&["-qn", PROGRAM, "1"])?.success()?;
    let first: Vec<_> = output.stdout.split_whitespace().take(3).collect();
    ensure!(first == ["1", "0", "value"], "{output:?}");
    Ok(())
}

fn cut() -> Result<()> {
    // The keys are cut in user space, some time after BEGIN: they count again when that shows.
    let program = r#"BEGIN { @[1] = count(); @[2] = count(); @[3] = count(); trunc(@); printf("cut\n"); }
        syscall::lseek:entry /pid == $1/ { @[2] = count(); }"#;
    let mut running = Tracer::start(&["-qn", program, &std::process::id().to_string()])?;
    running.wait_for("cut")?;
    for _ in 0..3 {
        // SAFETY: integers; no descriptor has that number.
        unsafe { libc::lseek(-1, 0, libc::SEEK_SET) };
    }
    let output = running.interrupt()?.success()?;
    ensure!(output.stdout.split_whitespace().eq(["cut", "2", "3"]), "{output:?}");
    Ok(())
}

/// Several times as many keys as the places near a CPU, cleared while they count; and few, cut while they do.
fn many_keys() -> Result<()> {
    const KEYS: i64 = 1000;
    const ROUNDS: i64 = 40;
    let program = "syscall::lseek:entry /pid == $1/ { @[arg1] = count(); @sums[arg1 % 7] = sum(arg1); }
        tick-5ms /n++ < 30/ { printa(\"%d %@d\\n\", @); clear(@); printa(\"sum %d %@d\\n\", @sums); trunc(@sums); }
        END { printa(\"%d %@d\\n\", @); printa(\"sum %d %@d\\n\", @sums); }";
    let seen = observe(program, "aggregations_many", &[&KEYS.to_string(), &ROUNDS.to_string()])?;
    let (mut counts, mut sums) = (BTreeMap::<i64, i64>::new(), BTreeMap::<i64, i64>::new());
    for line in seen.output.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [key, count] => *counts.entry(key.parse()?).or_default() += count.parse::<i64>()?,
            ["sum", key, sum] => *sums.entry(key.parse()?).or_default() += sum.parse::<i64>()?,
            _ => {}
        }
    }
    ensure!(counts.len() == KEYS as usize && counts.values().all(|&count| count == ROUNDS), "{counts:?}");
    for (rest, sum) in sums {
        let expected: i64 = (0..KEYS).filter(|key| key % 7 == rest).map(|key| key * ROUNDS).sum();
        ensure!(sum == expected, "of {rest}: {sum}, not {expected}");
    }
    Ok(())
}

/// Passes to lseek so many offsets, so many times.
fn many(arguments: &[String]) -> Result<Report> {
    let (keys, rounds): (i64, i64) = (arguments[0].parse()?, arguments[1].parse()?);
    for offset in (0..rounds).flat_map(|_| 0..keys) {
        // SAFETY: integers; no descriptor has that number.
        unsafe { libc::lseek(-1, offset, libc::SEEK_SET) };
    }
    Ok(Report::default().with("calls", keys * rounds))
}

fn sorted() -> Result<()> {
    const PROGRAM: &str = r#"
        BEGIN { @a[1, -2] = sum(5); @a[-1, 3] = sum(7); @a[2, 1] = sum(6); @b[2, 1] = sum(1); @b[1, -2] = sum(9); @b[-1, 3] = sum(4); }
        BEGIN { @c[(char)'b'] = sum(1); @c[(char)'a'] = sum(1); @u[(uint64_t)-1] = sum(1); @u[1] = sum(1); }
        BEGIN { printa("%d %d %@d %@d\n", @a, @b); printa("%c\n", @c); printa("%u\n", @u); exit(0); }"#;
    let rows = ["1 -2 5 9", "2 1 6 1", "-1 3 7 4"];
    let check = |options: &[&str], order: [usize; 3]| {
        let options: Vec<&str> = options.iter().flat_map(|&option| ["-x", option]).collect();
        let mut expected = order.map(|row| rows[row].to_owned()).to_vec();
        let mut rest = ["a", "b", "1", "18446744073709551615"];
        if options.contains(&"aggsortrev") {
            rest = ["b", "a", "18446744073709551615", "1"];
        }
        expected.extend(rest.map(str::to_owned));
        prints(PROGRAM, &options, &expected)
    };
    check(&[], [0, 1, 2])?;
    check(&["aggsortrev"], [2, 1, 0])?;
    check(&["aggsortkey"], [2, 0, 1])?;
    check(&["aggsortkey", "aggsortkeypos=1"], [0, 1, 2])?;
    check(&["aggsortkey", "aggsortkeypos=1", "aggsortrev"], [2, 1, 0])?;
    check(&["aggsortpos=1"], [1, 2, 0])
}

fn drawn() -> Result<()> {
    const PROGRAM: &str = r#"BEGIN { @c["a"] = sum(3); @c["b"] = sum(1); @q["x"] = quantize(1); @q["y"] = quantize(4); exit(0); }"#;
    let options = ["-q", "-x", "agghist", "-x", "aggpack", "-x", "encoding=ascii", "-n", PROGRAM];
    let output = tracer(&options)?.success()?;
    let expected = [
        "",
        "",
        "              key  ------------- Distribution ------------- count    ",
        "                b |@@@@@@@@@@                               1        ",
        "                a |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@           3        ",
        "",
        "              key  min .-----. max  | count",
        "                x    0 : X   :    8 | 1",
    ];
    let lines: Vec<&str> = output.stdout.lines().collect();
    ensure!(lines.len() == 9 && lines[..7] == expected[..7], "{output:#?}");
    ensure!(
        lines[7].contains(" x    0 : X   : 8    | 1") && lines[8].contains(" y    0 :   X : 8    | 1"),
        "{output:#?}"
    );
    Ok(())
}

fn unprinted() -> Result<()> {
    let output = tracer(&[
        "-q",
        "-n",
        "BEGIN { @[\"k\", 1] = count(); @p = count(); printa(\"p %@d\\n\", @p); exit(0); }",
    ])?;
    let output = output.success()?;
    let words: Vec<_> = output.stdout.split_whitespace().collect();
    ensure!(words == ["p", "1", "k", "1", "1"], "{output:?}");
    Ok(())
}

/// The kernel has one element at hand for a hash's CPU where interrupts are off, as in profile's probes.
fn keys_of_an_interrupt() -> Result<()> {
    const PROGRAM: &str = r#"
        profile-500 { @ = count();
            @n["a"] = count(); @n["b"] = count(); @n["c"] = count(); @n["d"] = count();
            @h["a", 1] = max(1); @h["b", 2] = max(2); @h["c", 3] = max(3); }
        tick-300ms { exit(0); }
        END { printa("%@d\n", @); printa("%s %@d\n", @n); printa("%s%d %@d\n", @h); }"#;
    let output = tracer(&["-qn", PROGRAM])?.success()?;
    ensure!(output.stderr.is_empty(), "{output:?}");
    let lines = output.lines();
    let mut truth = ["a", "b", "c", "d"].map(|key| format!("{key} {}", lines[0])).to_vec();
    truth.extend(["a1 1", "b2 2", "c3 3"].map(String::from));
    ensure!(lines[1..] == truth && lines[0] != "0", "{output:?}");
    Ok(())
}

fn long_keys() -> Result<()> {
    const PROGRAM: &str = r#"
        #pragma D option strsize=2k
        int a[string, string, int, char, string];
        BEGIN { s = strjoin($$1, "x"); t = strjoin("x", $$1);
            a[s, t, 1, 'c', execname] = 7; @[s, t, 3] = sum(5); @[t, s, 3] = sum(6); @[s, t, 3] = sum(1);
            printf("%d %d\n", a[s, t, 1, 'c', execname], a[t, s, 1, 'c', execname]);
            printa("%s %s %d %@d\n", @); exit(0); }"#;
    let long = "0123456789".repeat(150);
    let output = tracer(&["-qn", PROGRAM, &long])?.success()?;
    let rows = [format!("{long}x x{long} 3 6"), format!("x{long} {long}x 3 6")];
    ensure!(output.lines() == ["7 0", &rows[0], &rows[1]], "{output:?}");
    Ok(())
}

/// Each of them has 128 ways through it: the verifier must not follow all their combinations.
fn many_histograms() -> Result<()> {
    let fill = |n: u32| {
        let (a, b) = (format!("@q{n}[execname, {n}] = quantize(arg1 + {n});"), "lquantize(arg1, 0, 100, 10)");
        format!(
            "{a} @l{n}[probefunc] = {b}; @h{n} = llquantize(arg1 + {n}, 10, 0, 6, 20); @s{n} = stddev(arg1);"
        )
    };
    let print = |n: u32| format!("printa(@q{n}); trunc(@l{n}); trunc(@h{n}); trunc(@s{n});");
    let (fill, print): (String, String) = ((0..12).map(fill).collect(), (0..12).map(print).collect());
    let program = format!("syscall::lseek:entry /pid == $1/ {{ {fill} }} END {{ {print} }}");
    let seen = observe(&program, "aggregations_values", &[])?;
    let counted: i64 =
        seen.output.stdout.split("Distribution").map(|one| rows(one).values().sum::<i64>()).sum();
    ensure!(counted == 12 * VALUES.len() as i64, "{seen:?}");
    Ok(())
}
