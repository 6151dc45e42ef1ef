//! The language at work in the kernel: variables of each kind, strings, aggregations, clauses in their order. Its values were
//! tested against a model before; here they are those of a workload.

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt as _;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::harness::process::{LIMIT, Watchdog};
use crate::harness::run::command;
use crate::harness::{Family, Report, observe, patience, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "language",
    tests: &[
        ("integers_are_those_of_c", integers_are_those_of_c),
        ("printf_writes_as_c_does", printf_writes_as_c_does),
        ("aggregations_are_as_the_sums_by_hand", aggregations_are_as_the_sums_by_hand),
        ("distributions_have_every_value_in_its_bucket", distributions_have_every_value_in_its_bucket),
        ("strings_are_read_from_the_caller_and_compared", strings_are_read_from_the_caller_and_compared),
        ("thread_variables_join_entry_and_return", thread_variables_join_entry_and_return),
        ("associative_arrays_remember_and_forget", associative_arrays_remember_and_forget),
        (
            "clauses_run_in_order_where_their_predicates_hold",
            clauses_run_in_order_where_their_predicates_hold,
        ),
        ("aggregations_are_cleared_and_cut", aggregations_are_cleared_and_cut),
        ("arguments_of_the_command_line_are_macros", arguments_of_the_command_line_are_macros),
        ("many_clauses_are_one_program", many_clauses_are_one_program),
        ("bytes_outside_utf_8_are_kept", bytes_outside_utf_8_are_kept),
    ],
    workloads: &[("seeks", seeks), ("opens", opens), ("naps", naps)],
};

/// Runs what needs no workload: a BEGIN clause with these statements.
fn begin(statements: &str) -> Result<String> {
    let program = format!("BEGIN {{ {statements} exit(0); }}");
    Ok(tracer(&["-qn", &program])?.success()?.stdout)
}

fn bytes_outside_utf_8_are_kept() -> Result<()> {
    let program =
        b"/* caf\xe9 */ BEGIN { printf(\"\xe9 %s %s %d\\n\", \"\xff\xc3\", $$1, strlen(\"\xe9\xe8\")); exit(0); }";
    let arguments = [program, &b"\xfc"[..]].map(OsStr::from_bytes);
    let mut tracer = command(&["-qn"]);
    let tracer = tracer.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let _watchdog = Watchdog::over(&tracer, patience(LIMIT))?;
    let output = tracer.wait_with_output()?;
    ensure!(output.stdout == b"\xe9 \xff\xc3 \xfc 2\n\n", "{output:?}");
    Ok(())
}

fn integers_are_those_of_c() -> Result<()> {
    // The operands come from variables, so that nothing is known before it runs.
    let text = begin(
        r#"a = -7; b = 2; this->c = (char)200; this->u = (unsigned char)200; big = 1LL << 40;
           printf("%d %d %d %d %d\n", a / b, a % b, a >> 1, a * b, a - b);
           printf("%d %d %d\n", this->c, this->u, (int)(big + 5));
           printf("%d %d %d %d\n", a < b, (unsigned int)a < b, a ? 1 : 2, !a);
           printf("%d %d %d\n", a & 0xf, a | 1, a ^ b);"#,
    )?;
    let (a, b) = (-7_i64, 2_i64);
    let expected = [
        format!("{} {} {} {} {}", a / b, a % b, a >> 1, a * b, a - b),
        format!("{} {} {}", 200_u8.cast_signed(), 200_u8, 5),
        "1 0 1 0".to_owned(),
        format!("{} {} {}", a & 0xf, a | 1, a ^ b),
    ];
    ensure!(text.trim_end().lines().eq(expected.iter()), "{text}, expected {expected:#?}");
    Ok(())
}

fn printf_writes_as_c_does() -> Result<()> {
    let text = begin(
        r#"n = 42; printf("%d|%5d|%-5d|%05d|%x|%#x|%o|%c|%s|%-4s|%4s|%%\n", n, n, n, n, n, n, n, 65, "ab", "ab", "ab");"#,
    )?;
    ensure!(text.trim_end() == "42|   42|42   |00042|2a|0x2a|52|A|ab|ab  |  ab|%", "{text}");
    Ok(())
}

fn aggregations_are_as_the_sums_by_hand() -> Result<()> {
    let seen = observe(
        r#"syscall::lseek:entry /pid == $1/ {
               @count = count(); @sum = sum(arg1); @min = min(arg1); @max = max(arg1); @avg = avg(arg1); @odd[arg1 & 1] = count(); }
           END { printa("count %@d\n", @count); printa("sum %@d\n", @sum); printa("min %@d\n", @min); printa("max %@d\n", @max);
                 printa("avg %@d\n", @avg); printa("odd %d %@d\n", @odd); }"#,
        "seeks",
        &["500"],
    )?;
    let lines = seen.output.lines();
    for name in ["count", "sum", "min", "max", "avg", "odd 0", "odd 1"] {
        let expected =
            format!("{name} {}", seen.report.text(name.trim_end_matches(" 0").trim_end_matches(" 1"))?);
        ensure!(lines.contains(&expected.as_str()), "no {expected:?}: {seen:?}");
    }
    Ok(())
}

fn distributions_have_every_value_in_its_bucket() -> Result<()> {
    let seen = observe("syscall::lseek:entry /pid == $1/ { @ = quantize(arg1); }", "seeks", &["300"])?;
    let mut truth = BTreeMap::new();
    for value in offsets(300) {
        let bucket = if value == 0 { 0 } else { 1_i64 << value.ilog2() };
        *truth.entry(bucket).or_insert(0) += 1;
    }
    let rows = seen.output.lines().into_iter().filter_map(|line| {
        let (value, bar) = line.split_once('|')?;
        let count: i64 = bar.split_whitespace().last()?.parse().ok()?;
        Some((value.trim().parse::<i64>().ok()?, count))
    });
    let told: BTreeMap<_, _> = rows.filter(|(_, count)| *count > 0).collect();
    ensure!(told == truth, "{told:?}, in truth {truth:?}");
    Ok(())
}

fn strings_are_read_from_the_caller_and_compared() -> Result<()> {
    let seen = observe(
        r#"syscall::openat:entry /pid == $1/ { @[copyinstr(arg1)] = count(); self->path = copyinstr(arg1); }
           syscall::openat:return /self->path == "/dev/null/x" && errno == 20/ { same++; }
           syscall::openat:return /pid == $1/ { self->path = 0; }
           END { printf("same %d\n", same); }"#,
        "opens",
        &["3", "4", "5"],
    )?;
    let counted: BTreeMap<_, _> = seen
        .output
        .lines()
        .into_iter()
        .filter_map(|line| line.trim().split_once(char::is_whitespace))
        .collect();
    let counted: BTreeMap<_, _> = counted.into_iter().map(|(path, count)| (path, count.trim())).collect();
    let truth = [("/no/such/file", "3"), ("/dev/null/x", "4"), ("/dev/null", "5"), ("same", "4")];
    ensure!(counted == BTreeMap::from(truth), "{counted:?}");
    Ok(())
}

fn thread_variables_join_entry_and_return() -> Result<()> {
    let seen = observe(
        r#"syscall::clock_nanosleep:entry /pid == $1/ { self->since = timestamp; }
           syscall::clock_nanosleep:return /self->since/ {
               @shortest = min(timestamp - self->since); @count = count(); self->since = 0; }
           END { printa("%@d ", @shortest); printa("%@d\n", @count); }"#,
        "naps",
        &["4", "5", "20"],
    )?;
    let (shortest, count) = seen.output.stdout.trim().split_once(' ').context("two numbers")?;
    ensure!(count.parse::<i64>()? == seen.report.number("naps")?, "{seen:?}");
    ensure!(shortest.parse::<i64>()? >= 20_000_000, "{seen:?}");
    Ok(())
}

fn associative_arrays_remember_and_forget() -> Result<()> {
    let seen = observe(
        r#"syscall::lseek:entry /pid == $1/ { seen[arg1, "offset"]++; }
           syscall::lseek:entry /pid == $1 && seen[arg1, "offset"] == 2/ { twice++; seen[arg1, "offset"] = 0; }
           syscall::lseek:entry /pid == $1 && seen[arg1, "offset"] == 0/ { forgotten++; }
           END { printf("%d %d\n", twice, forgotten); }"#,
        "seeks",
        &["400"],
    )?;
    // Offsets come round after PERIOD of them.
    let twice = offsets(400).skip(PERIOD).take(PERIOD).count() + offsets(400).skip(3 * PERIOD).count();
    ensure!(seen.output.stdout.trim() == format!("{twice} {twice}"), "{twice} in truth: {seen:?}");
    Ok(())
}

fn clauses_run_in_order_where_their_predicates_hold() -> Result<()> {
    let text = tracer(&[
        "-qn",
        r#"BEGIN { this->x = 1; printf("a%d ", this->x); } BEGIN /this->x == 2/ { printf("never "); }
           BEGIN /this->x == 1/ { this->x = 5; printf("b "); } BEGIN { printf("c%d\n", this->x); exit(0); }"#,
    ])?
    .success()?
    .stdout;
    ensure!(text.trim() == "a1 b c5", "{text}");
    Ok(())
}

fn aggregations_are_cleared_and_cut() -> Result<()> {
    let output = tracer(&[
        "-qn",
        r#"BEGIN { @c["x"] = sum(7); clear(@c); @n["y"] = sum(4000); normalize(@n, 1000);
                   @t["one"] = sum(1); @t["two"] = sum(2); @t["three"] = sum(3); trunc(@t, 2); }
           tick-200ms { exit(0); }"#,
    ])?
    .success()?;
    let rows: Vec<Vec<_>> = output.lines().iter().map(|line| line.split_whitespace().collect()).collect();
    ensure!(rows == [vec!["x", "0"], vec!["y", "4"], vec!["two", "2"], vec!["three", "3"]], "{output:?}");
    Ok(())
}

fn arguments_of_the_command_line_are_macros() -> Result<()> {
    let output =
        tracer(&["-qn", r#"BEGIN { printf("%d %s %s\n", $1 + 1, $$1, $$2); exit($3); }"#, "41", "two", "9"])?;
    ensure!(output.stdout.trim() == "42 41 two" && output.status.code() == Some(9), "{output:?}");
    Ok(())
}

fn many_clauses_are_one_program() -> Result<()> {
    // More than one program can hold.
    let clauses: String = (0..600)
        .map(|i| format!("syscall::lseek:entry /pid == $1 && arg1 != {i}000000/ {{ n++; }}\n"))
        .collect();
    let seen = observe(&format!("{clauses} END {{ printf(\"%d\\n\", n); }}"), "seeks", &["10"])?;
    ensure!(seen.output.number()? == 6000 - i64::from(offsets(10).any(|offset| offset == 0)), "{seen:?}");
    Ok(())
}

/// After how many offsets they come round.
const PERIOD: usize = 128;

/// What the workload `seeks` seeks to.
fn offsets(count: usize) -> impl Iterator<Item = i64> {
    (0_i64..).map(|i| i % 128 * 37 + 1).take(count)
}

/// Calls lseek so often.
fn seeks(arguments: &[String]) -> Result<Report> {
    let count = arguments[0].parse()?;
    for offset in offsets(count) {
        // SAFETY: lseek takes integers; there is no such descriptor.
        unsafe { libc::lseek(-1, offset, libc::SEEK_SET) };
    }
    let (sum, odd) = (offsets(count).sum::<i64>(), offsets(count).filter(|offset| offset & 1 == 1).count());
    ensure!(odd * 2 == count, "as many odd as even");
    Ok(Report::default()
        .with("count", count)
        .with("sum", sum)
        .with("min", offsets(count).min().unwrap_or_default())
        .with("max", offsets(count).max().unwrap_or_default())
        .with("avg", sum / i64::try_from(count)?)
        .with("odd", odd))
}

/// Opens what does not exist, what is under no directory, and /dev/null, so often each.
fn opens(arguments: &[String]) -> Result<Report> {
    for (path, count) in ["/no/such/file", "/dev/null/x", "/dev/null"].into_iter().zip(arguments) {
        let path = CString::new(path)?;
        for _ in 0..count.parse()? {
            // SAFETY: the path ends with a zero byte; the descriptor is closed and used for nothing else.
            unsafe {
                let fd = libc::open(path.as_ptr(), libc::O_RDONLY);
                if fd >= 0 {
                    libc::close(fd);
                }
            }
        }
    }
    Ok(Report::default())
}

/// So many threads sleep so often for so many milliseconds.
fn naps(arguments: &[String]) -> Result<Report> {
    let numbers = arguments.iter().map(|word| word.parse::<u64>()).collect::<Result<Vec<_>, _>>()?;
    let [threads, naps, milliseconds] = numbers[..] else { anyhow::bail!("three numbers") };
    let nap = Duration::from_millis(milliseconds);
    let sleep = move || (0..naps).for_each(|_| std::thread::sleep(nap));
    let sleepers: Vec<_> = (0..threads).map(|_| std::thread::spawn(sleep)).collect();
    sleepers.into_iter().for_each(|sleeper| sleeper.join().expect("sleeping does not panic"));
    Ok(Report::default().with("naps", threads * naps))
}
