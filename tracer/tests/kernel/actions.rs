//! Actions that dump memory, steer the output, or change the system.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;

use anyhow::{Result, ensure};

use crate::harness::{Family, Report, Tracer, Workload, tracer, until};

pub(crate) const FAMILY: Family = Family {
    name: "actions",
    tests: &[
        ("tracemem_is_a_table_of_bytes", tracemem_is_a_table_of_bytes),
        ("print_shows_values_with_their_types", print_shows_values_with_their_types),
        ("print_is_an_object_in_json", print_is_an_object_in_json),
        ("system_runs_in_its_turn", system_runs_in_its_turn),
        ("freopen_prints_to_a_file_and_back", freopen_prints_to_a_file_and_back),
        ("ftruncate_empties_the_file", ftruncate_empties_the_file),
        ("setopt_sets_quiet_and_stackindent", setopt_sets_quiet_and_stackindent),
        ("raise_sends_a_signal_to_the_current_process", raise_sends_a_signal_to_the_current_process),
        ("stop_stops_the_current_process", stop_stops_the_current_process),
        ("what_is_destructive_needs_leave", what_is_destructive_needs_leave),
    ],
    workloads: &[("nap", nap)],
};

/// Sleeps a little, twice, and says how often it got to.
fn nap(_: &[String]) -> Result<Report> {
    for _ in 0..2 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    Ok(Report::default().with("naps", 2))
}

/// A name for a file that nobody else has.
fn path(name: &str) -> String {
    format!("/tmp/tracer-test-{}-{name}", std::process::id())
}

fn tracemem_is_a_table_of_bytes() -> Result<()> {
    let program =
        "uint64_t bytes[2]; BEGIN { bytes[0] = 0x0a42434445464748; bytes[1] = 0x61; tracemem(bytes, 8);
        tracemem(&bytes[0], 8, 3); tracemem(bytes, 8, -1); printm(8, memref(&bytes[0], 3)); exit(0); }";
    let text = tracer(&["-qn", program])?.success()?.stdout;
    let head = "\n             0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f  0123456789abcdef\n";
    let all = "         0: 48 47 46 45 44 43 42 0a                          HGFEDCB.\n";
    let some = "         0: 48 47 46                                         HGF\n";
    ensure!(text == format!("{head}{all}{head}{some}{head}{all}{head}{some}\n"), "{text}");
    Ok(())
}

/// A structure of the program's own, filled and printed with `rest`.
fn printing(rest: &str) -> String {
    format!(
        r#"enum colour {{ RED, BLUE = 7 }};
        struct point {{ short x; short y; }};
        struct shape {{ int64_t id; char name[8]; enum colour colour; unsigned low : 3; int high : 5;
            struct point corners[2]; union {{ int whole; char first; }} u; uint8_t raw[3]; void *next; }};
        struct shape s;
        BEGIN {{
            s.id = 42; s.name[0] = 'h'; s.name[1] = 'i'; s.colour = 7; s.low = 5; s.high = -1;
            s.corners[0].x = 1; s.corners[1].y = -2; s.u.whole = 0x41; s.raw[1] = 0xff; {rest}
        }}"#
    )
}

fn print_shows_values_with_their_types() -> Result<()> {
    let program = printing(
        "print(s); print((int64_t)42); print((int)-1); print(\"text\"); print(s.colour); print((char)65);
        print((void *)0x1234); print(s.corners[1]); print(s.raw); exit(0);",
    );
    let text = tracer(&["-qn", &program])?.success()?.stdout;
    let expected = r#"struct shape {
    int64_t id = 0x2a
    char [8] name = [ "hi" ]
    enum colour colour = BLUE
    unsigned int low :3 = 0x5
    int high :5 = 0x1f
    struct point [2] corners = [
        struct point {
            short x = 0x1
            short y = 0
        },
        struct point {
            short x = 0
            short y = 0xfffe
        }
    ]
    union u = {
        int whole = 0x41
        char first = 'A'
    }
    uint8_t [3] raw = [ 0, 0xff, 0 ]
    void *next = 0
}
int64_t 0x2a
int 0xffffffff
string "text"
enum colour BLUE
char 'A'
void * 0x1234
struct point {
    short x = 0
    short y = 0xfffe
}
uint8_t [3] [ 0, 0xff, 0 ]

"#;
    ensure!(text == expected, "{text}");
    // What a pointer of the kernel leads to.
    let text = tracer(&[
        "-qn",
        "BEGIN { print(curthread->pid); print(curthread->thread_pid->numbers[0]); exit(0); }",
    ])?
    .success()?
    .stdout;
    let begins = text.starts_with("pid_t 0x") && text.contains("\nstruct upid {\n    int nr = 0x");
    ensure!(begins && text.contains("\n    struct pid_namespace *ns = 0xffff"), "{text}");
    Ok(())
}

fn print_is_an_object_in_json() -> Result<()> {
    let program = printing("print(s); exit(0);");
    let text = tracer(&["--json", "-qn", &program])?.success()?.stdout;
    let expected = r#"{"type":"print","ctype":"struct shape","value":{"id":42,"name":"hi","colour":"BLUE","low":5,"high":-1,"corners":[{"x":1,"y":0},{"x":0,"y":-2}],"u":{"whole":65,"first":65},"raw":[0,255,0],"next":0}}"#;
    ensure!(text.contains(expected), "{text}");
    Ok(())
}

fn system_runs_in_its_turn() -> Result<()> {
    let program = "BEGIN { printf(\"one\\n\"); system(\"echo two %d %s\", 2, execname); printf(\"three\\n\"); exit(0); }";
    let text = tracer(&["-wqn", program])?.success()?.stdout;
    ensure!(text == "one\ntwo 2 tracer\nthree\n\n", "{text:?}");
    Ok(())
}

fn freopen_prints_to_a_file_and_back() -> Result<()> {
    let file = path("freopen");
    let program = format!(
        "BEGIN {{ printf(\"a\\n\"); freopen(\"%s.%d\", \"{file}\", 7); printf(\"b\\n\"); freopen(\"\"); printf(\"c\\n\");
            freopen(\"/no/such/directory/x\"); printf(\"d\\n\"); exit(0); }}"
    );
    let output = tracer(&["-wqn", &program])?.success()?;
    let written = fs::read_to_string(format!("{file}.7"))?;
    fs::remove_file(format!("{file}.7"))?;
    ensure!(output.stdout == "a\nc\nd\n\n" && written == "b\n", "{output:?}, in the file {written:?}");
    let told = "couldn't freopen() \"/no/such/directory/x\": No such file or directory";
    ensure!(output.stderr.contains(told), "{output:?}");
    Ok(())
}

fn ftruncate_empties_the_file() -> Result<()> {
    let file = path("ftruncate");
    let program = format!(
        "BEGIN {{ freopen(\"{file}\"); printf(\"before\\n\"); ftruncate(); printf(\"after\\n\"); exit(0); }}"
    );
    tracer(&["-wqn", &program])?.success()?;
    let written = fs::read_to_string(&file)?;
    fs::remove_file(&file)?;
    ensure!(written == "after\n\n", "{written:?}");
    let file = path("output");
    tracer(&[
        "-qo",
        &file,
        "-n",
        "BEGIN { printf(\"before\\n\"); ftruncate(); printf(\"after\\n\"); exit(0); }",
    ])?
    .success()?;
    let written = fs::read_to_string(&file)?;
    fs::remove_file(&file)?;
    ensure!(written == "after\n\n", "{written:?}");
    Ok(())
}

fn setopt_sets_quiet_and_stackindent() -> Result<()> {
    let program = "BEGIN { setopt(\"quiet\"); printf(\"a\"); } BEGIN { printf(\"b\"); setopt(\"quiet\", \"no\"); } BEGIN { exit(0); }";
    let text = tracer(&["-n", program])?.success()?.stdout;
    let lines: Vec<&str> = text.lines().collect();
    ensure!(lines.len() == 4 && lines[1].ends_with(":BEGIN ab") && lines[2].ends_with(":BEGIN "), "{text:?}");
    let program = "BEGIN { setopt(\"stackindent\", \"3\"); stack(1); exit(0); }";
    let text = tracer(&["-qn", program])?.success()?.stdout;
    ensure!(text.starts_with("\n   ") && !text.starts_with("\n    "), "{text:?}");
    Ok(())
}

/// A tracer that does something to the workload `nap` at its first sleep.
fn at_its_sleep(action: &str, workload: &Workload) -> Result<Tracer> {
    let program = format!(
        "BEGIN {{ printf(\"ready\\n\"); }}
         syscall::clock_nanosleep:entry /pid == $1 && !done++/ {{ {action}; printf(\"done\\n\"); }}"
    );
    let mut tracer = Tracer::start(&["-wqn", &program, &workload.pid().to_string()])?;
    tracer.wait_for("ready")?;
    Ok(tracer)
}

fn raise_sends_a_signal_to_the_current_process() -> Result<()> {
    let mut workload = Workload::start("nap", &[])?;
    let mut tracer = at_its_sleep("raise(SIGKILL)", &workload)?;
    workload.go()?;
    tracer.wait_for("done")?;
    let (_, status) = workload.finish()?;
    tracer.interrupt()?.success()?;
    ensure!(status.signal() == Some(libc::SIGKILL), "{status}");
    Ok(())
}

fn stop_stops_the_current_process() -> Result<()> {
    let mut workload = Workload::start("nap", &[])?;
    let mut tracer = at_its_sleep("stop()", &workload)?;
    workload.go()?;
    tracer.wait_for("done")?;
    let stat = format!("/proc/{}/stat", workload.pid());
    until("the process is stopped", || Ok(fs::read_to_string(&stat)?.contains(") T ")))?;
    // SAFETY: kill takes two integers; the process is our child, not waited for yet.
    unsafe { libc::kill(i32::try_from(workload.pid())?, libc::SIGCONT) };
    let (report, status) = workload.finish()?;
    tracer.interrupt()?.success()?;
    ensure!(status.success() && report.number("naps")? == 2, "{status} {report:?}");
    Ok(())
}

fn what_is_destructive_needs_leave() -> Result<()> {
    for action in ["system(\"true\")", "freopen(\"x\")", "raise(9)", "stop()"] {
        let output = tracer(&["-qn", &format!("BEGIN {{ {action}; exit(0); }}")])?;
        ensure!(output.status.code() == Some(1) && output.stderr.contains("D_DESTRUCTIVE"), "{output:?}");
    }
    Ok(())
}
