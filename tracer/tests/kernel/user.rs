//! Probes in programs of processes that the provider pid makes.

#![cfg(target_arch = "x86_64")]

use std::arch::global_asm;
use std::fs;
use std::hint::black_box;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::harness::workload::{self, program_file};
use crate::harness::{Family, Report, Tracer, Workload, observe, skip, tracer, truth};
use crate::usdt;

pub(crate) const FAMILY: Family = Family {
    name: "user",
    tests: &[
        (
            "an_entry_has_ten_arguments_and_a_return_the_value",
            an_entry_has_ten_arguments_and_a_return_the_value,
        ),
        ("names_are_those_of_the_process_and_its_file", names_are_those_of_the_process_and_its_file),
        ("a_function_is_called_as_dtrace_calls_it", a_function_is_called_as_dtrace_calls_it),
        ("every_instruction_of_a_function_has_a_probe", every_instruction_of_a_function_has_a_probe),
        ("an_offset_and_an_address_are_one_place", an_offset_and_an_address_are_one_place),
        ("the_command_is_traced_from_its_first_call", the_command_is_traced_from_its_first_call),
        (
            "libraries_of_the_command_are_traced_from_their_first_call",
            libraries_of_the_command_are_traced_from_their_first_call,
        ),
        ("returns_in_the_dynamic_linker_do_no_harm", returns_in_the_dynamic_linker_do_no_harm),
        ("a_string_that_nobody_has_read_is_copied", a_string_that_nobody_has_read_is_copied),
        ("registers_and_symbols_are_those_of_the_function", registers_and_symbols_are_those_of_the_function),
        ("the_caller_is_there_before_there_is_a_frame", the_caller_is_there_before_there_is_a_frame),
        ("all_threads_are_traced_and_no_child", all_threads_are_traced_and_no_child),
        ("a_process_that_execs_goes_on", a_process_that_execs_goes_on),
        ("a_process_that_stops_itself_goes_on", a_process_that_stops_itself_goes_on),
        ("nothing_is_left_of_a_tracer_that_is_killed", nothing_is_left_of_a_tracer_that_is_killed),
        ("what_is_not_there_is_told", what_is_not_there_is_told),
        ("lists_are_of_the_process", lists_are_of_the_process),
        (
            "a_function_that_is_chosen_when_loaded_has_probes",
            a_function_that_is_chosen_when_loaded_has_probes,
        ),
    ],
    workloads: &[
        ("user-calls", calls),
        ("user-steps", steps),
        ("user-strings", strings),
        ("user-threads", threads),
        ("user-exec", exec),
        ("user-code", code),
        ("user-chosen", chosen),
    ],
};

global_asm!(
    ".text",
    // Five instructions, at 0, 1, 4, 9 and 10.
    ".globl user_steps",
    ".type user_steps,@function",
    "user_steps:",
    "push rbp",
    "mov rbp, rsp",
    "mov eax, 7",
    "pop rbp",
    "ret",
    ".size user_steps, . - user_steps",
    // Other names for it, and two that a glob does not mean: a part that a compiler splits off, and what has no length.
    ".globl __user_steps",
    ".type __user_steps,@function",
    ".set __user_steps, user_steps",
    ".size __user_steps, 11",
    ".type user_steps.cold,@function",
    "user_steps.cold: ret",
    ".size user_steps.cold, 1",
    ".globl user_steps_plain",
    ".type user_steps_plain,@function",
    "user_steps_plain: ret",
    // Without a frame; its caller has one.
    ".globl user_leaf",
    ".type user_leaf,@function",
    "user_leaf:",
    "mov eax, 7",
    "ret",
    ".size user_leaf, . - user_leaf",
    ".globl user_caller",
    ".type user_caller,@function",
    "user_caller:",
    "push rbp",
    "mov rbp, rsp",
    "call user_leaf",
    "pop rbp",
    "ret",
    ".size user_caller, . - user_caller",
    // Twice its argument, by one of two bodies, the other of which gives nothing.
    ".globl user_chosen",
    ".type user_chosen,@gnu_indirect_function",
    "user_chosen:",
    "lea rdx, [rip + 2f]",
    "lea rax, [rip + 3f]",
    "test esp, esp",
    "cmovz rax, rdx",
    "ret",
    ".size user_chosen, . - user_chosen",
    "2: xor eax, eax",
    "ret",
    "3: lea eax, [rdi + rdi]",
    "ret",
    ".text",
);

unsafe extern "C" {
    fn user_steps() -> u32;
    fn user_caller() -> u32;
    fn user_chosen(number: u64) -> u64;
}

/// Adds its arguments, seven and later of which are on the stack.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn user_sum(
    a: u64,
    b: u64,
    c: u64,
    d: u64,
    e: u64,
    f: u64,
    g: u64,
    h: u64,
    i: u64,
    j: u64,
) -> u64 {
    black_box(a + b + c + d + e + f + g + h + i + j)
}

/// Looks at no byte of the text.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn user_text(text: *const u8) -> u64 {
    black_box(text as u64)
}

fn an_entry_has_ten_arguments_and_a_return_the_value() -> Result<()> {
    let arguments: Vec<String> = (0..10).map(|number| format!("arg{number}")).collect();
    let program = format!(
        "pid$1::user_sum:entry {{ printf(\"{}\\n\", {}); }} pid$1:a.out:user_sum:return {{ printf(\"%d %d\\n\", arg0, arg1); }}",
        ["%d"; 10].join(" "),
        arguments.join(", ")
    );
    let seen = observe(&program, "user-calls", &["2"])?;
    let line = |call: u64| {
        let words = (1..=9).map(|number| number * 10).chain([call]);
        words.map(|word| word.to_string()).collect::<Vec<_>>().join(" ")
    };
    let expected = [line(0), "0 450".into(), line(1), "0 451".into()];
    ensure!(seen.output.lines() == expected, "{seen:?}");
    Ok(())
}

fn names_are_those_of_the_process_and_its_file() -> Result<()> {
    let program = "pid$1::user_steps:entry, pid$1::user_steps:return, pid$1::user_steps:4 \
        { @[probeprov, probemod, probefunc, probename] = count(); } \
        pid$1::user_steps: { @all[probename] = count(); } END { printa(\"%s %s %s %s %@d\\n\", @); trunc(@all); }";
    let seen = observe(program, "user-steps", &["3"])?;
    let mut lines = seen.output.lines();
    lines.sort_unstable();
    let file = program_file()?;
    let expected = ["4", "entry", "return"].map(|name| format!("pid{} {file} user_steps {name} 3", seen.pid));
    ensure!(lines == expected, "{seen:?}");
    Ok(())
}

fn a_function_is_called_as_dtrace_calls_it() -> Result<()> {
    let program = "pid$1:a.out:__user_steps:entry { printf(\"%s\\n\", probefunc); ustack(1); }";
    let seen = observe(program, "user-steps", &["1"])?;
    let lines: Vec<&str> = seen.output.lines().iter().map(|line| line.trim()).collect();
    ensure!(lines == ["user_steps", &format!("{}`user_steps", program_file()?)], "{seen:?}");
    let (command, _) = workload::command("user-steps", &["1"])?;
    let listed = |function: &str| -> Result<Vec<String>> {
        let description = format!("pid$target:a.out:{function}:entry");
        let output = tracer(&["-l", "-n", &description, "-c", &command])?.success()?;
        let words = output.lines().into_iter().skip(1).filter_map(|line| line.split_whitespace().nth(3));
        Ok(words.map(str::to_owned).collect())
    };
    ensure!(listed("user_st*")? == ["user_steps"], "{:?}", listed("user_st*"));
    ensure!(listed("__user_st*")? == ["__user_steps"], "{:?}", listed("__user_st*"));
    ensure!(listed("user_st*.cold")? == ["user_steps.cold"], "{:?}", listed("user_st*.cold"));
    ensure!(listed("user_steps_plain")? == ["user_steps_plain"], "{:?}", listed("user_steps_plain"));
    Ok(())
}

fn every_instruction_of_a_function_has_a_probe() -> Result<()> {
    let seen = observe("pid$1::user_steps:[0-9a-f]* { printf(\"%s \", probename); }", "user-steps", &["2"])?;
    // `entry` begins with a digit of that base, too.
    let names: Vec<_> = seen.output.stdout.split_whitespace().collect();
    ensure!(names == ["entry", "0", "1", "4", "9", "a"].repeat(2), "{seen:?}");
    Ok(())
}

fn an_offset_and_an_address_are_one_place() -> Result<()> {
    let mut workload = Workload::start("user-steps", &["1"])?;
    let pid = workload.pid();
    let image = tracer::user::Image::read(&std::env::current_exe()?)?;
    let address = image.symbol("user_steps").context("the function has a symbol")? + 9;
    let program = format!(
        "BEGIN {{ printf(\"go\\n\"); }} \
        pid{pid}::user_steps:09 {{ printf(\"%s %d %d\\n\", probename, uregs[R_RAX], uregs[R_RBP] == uregs[R_RSP]); }} \
        pid{pid}::-:{address:x} {{ printf(\"%s %d\\n\", probefunc, probename == \"{address:x}\"); }}"
    );
    let mut tracer = Tracer::start(&["-q", "-n", &program])?;
    tracer.wait_for("go")?;
    workload.go()?;
    workload.finish()?;
    let output = tracer.interrupt()?.success()?;
    let mut lines = output.lines();
    lines.sort_unstable();
    ensure!(lines == ["9 7 1", "go", "user_steps 1"], "{output:?}");
    Ok(())
}

fn the_command_is_traced_from_its_first_call() -> Result<()> {
    let (command, report) = workload::command("user-calls", &["5"])?;
    let program = "pid$target:a.out:_start:entry, pid$target:a.out:main:entry { printf(\"%s %d\\n\", probefunc, pid == $target); } \
        pid$target::user_sum:entry { @ = count(); } END { printa(\"%@d\\n\", @); }";
    let output = tracer(&["-q", "-n", program, "-c", &command])?.success()?;
    ensure!(output.lines() == ["main 1", "5"], "{output:?}");
    ensure!(truth(&report)?.number("calls")? == 5);
    Ok(())
}

/// A program with libraries, on most systems.
const LS: &str = "/bin/ls";

/// Whether a program has a dynamic linker, the name of which stands in its beginning.
fn is_linked(program: &str) -> bool {
    let linked = |bytes: Vec<u8>| bytes[..4096.min(bytes.len())].windows(9).any(|some| some == b"/ld-linux");
    fs::read(program).is_ok_and(linked)
}

fn libraries_of_the_command_are_traced_from_their_first_call() -> Result<()> {
    if !is_linked(LS) {
        return skip("needs a program with libraries, /bin/ls");
    }
    // The C library calls its own when it is started, before there is a main.
    let program = "pid$target:libc:__libc_start_main:entry { this->main = arg0; self->begun = 1; } \
        pid$target:libc.so:exit:entry { printf(\"%s %d %d\\n\", probemod, self->begun, arg0); }";
    let command = format!("{LS} -d /");
    let output = tracer(&["-q", "-x", "evaltime=preinit", "-n", program, "-c", &command])?.success()?;
    ensure!(output.stdout.contains("libc.so.6 1 0\n"), "{output:?}");
    // Unless it is told otherwise it begins with main, as dtrace does.
    let output = tracer(&["-q", "-n", program, "-c", &command])?.success()?;
    ensure!(output.stdout.contains("libc.so.6 0 0\n"), "{output:?}");
    Ok(())
}

fn returns_in_the_dynamic_linker_do_no_harm() -> Result<()> {
    if !is_linked(LS) {
        return skip("needs a program with libraries, /bin/ls");
    }
    let program = "pid$target:ld-linux*::return { @ = count(); } proc:::exit /pid == $target/ { printf(\"%d\\n\", arg0); } \
        END { printa(\"%@d\\n\", @); }";
    let output = tracer(&["-q", "-n", program, "-c", &format!("{LS} -d /")])?.success()?;
    // CLD_EXITED: it has not been killed.
    let lines = output.lines();
    ensure!(lines.len() == 3 && lines.contains(&"/") && lines.contains(&"1"), "{output:?}");
    Ok(())
}

fn a_string_that_nobody_has_read_is_copied() -> Result<()> {
    let (command, report) = workload::command("user-strings", &[])?;
    let program = "pid$target::user_text:entry { printf(\"%s\\n\", copyinstr(arg0)); }";
    let output = tracer(&["-q", "-n", program, "-c", &command])?.success()?;
    ensure!(output.lines() == ["a text in a page of its own"] && output.stderr.is_empty(), "{output:?}");
    truth(&report).map(drop)
}

fn registers_and_symbols_are_those_of_the_function() -> Result<()> {
    let program = "pid$1::user_sum:entry { printf(\"%d \", uregs[R_RDI] == arg0 && uregs[R_R9] == arg5); \
        printf(\"%A %a\\n\", uregs[R_RIP], uregs[R_RIP]); ufunc(uregs[R_RIP]); usym(uregs[R_RIP]); umod(uregs[R_RIP]); \
        ustack(1); }";
    let seen = observe(program, "user-calls", &["1"])?;
    ensure!(seen.output.stdout.trim_start().starts_with("1 "), "{seen:?}");
    ensure!(seen.output.stdout.matches("`user_sum").count() >= 3, "{seen:?}");
    Ok(())
}

fn the_caller_is_there_before_there_is_a_frame() -> Result<()> {
    let program = "pid$1::user_leaf:entry { printf(\"%A\\n\", ucaller); ustack(2); @[ustack(2)] = count(); } \
        pid$1::user_caller:entry { @outer[ustack(3)] = count(); }";
    let seen = observe(program, "user-steps", &["2"])?;
    let lines = seen.output.lines();
    let with = |text: &str| lines.iter().filter(|line| line.trim().ends_with(text)).count();
    ensure!(
        with("`user_leaf") == 3 && with("`user_caller+0x9") == 5 && with("`user_caller") == 1,
        "{seen:?}"
    );
    // Behind the function's address comes its caller, which is a Rust function.
    let outer = lines.iter().position(|line| line.ends_with("`user_caller")).context("the outer stack")?;
    ensure!(lines[outer + 1].contains("steps"), "{seen:?}");
    Ok(())
}

fn all_threads_are_traced_and_no_child() -> Result<()> {
    let program = "pid$1::user_sum:entry { @[pid == $1] = count(); @threads[tid] = count(); } \
        END { printa(\"%d %@d\\n\", @); printa(\"thread %@d\\n\", @threads); }";
    let seen = observe(program, "user-threads", &["4", "25"])?;
    ensure!(seen.report.number("child")? == 0);
    let expected = ["1 100", "thread 25", "thread 25", "thread 25", "thread 25"];
    ensure!(seen.output.lines() == expected, "{seen:?}");
    Ok(())
}

fn a_process_that_execs_goes_on() -> Result<()> {
    let program = "pid$1::user_sum:entry { @ = count(); } proc:::exec-success /pid == $1/ { exec = 1; } \
        END { printf(\"%d\", exec); printa(\" %@d\\n\", @); }";
    let seen = observe(program, "user-exec", &[])?;
    // The file is the same after the exec, and so are its places.
    ensure!(seen.report.number("calls")? == 3 && seen.output.lines() == ["1 5"], "{seen:?}");
    Ok(())
}

fn a_process_that_stops_itself_goes_on() -> Result<()> {
    let (command, report) = workload::command("user-calls", &["2"])?;
    let program = "pid$target::user_sum:entry /!n++/ { stop(); system(\"kill -CONT %d\", pid); } \
        pid$target::user_sum:return { printf(\"%d\\n\", arg1); }";
    let output = tracer(&["-q", "-w", "-n", program, "-c", &command])?.success()?;
    ensure!(output.lines() == ["450", "451"], "{output:?}");
    truth(&report).map(drop)
}

fn nothing_is_left_of_a_tracer_that_is_killed() -> Result<()> {
    let mut workload = Workload::start("user-code", &[])?;
    let program = format!(
        "BEGIN {{ printf(\"go\\n\"); }} pid{0}::user_steps: {{ @ = count(); }} tested{0}:::work-done {{ @d = count(); }}",
        workload.pid()
    );
    let mut tracer = Tracer::start(&["-q", "-n", &program])?;
    tracer.wait_for("go")?;
    tracer.signal(libc::SIGKILL)?;
    workload.go()?;
    let (report, ended) = workload.finish()?;
    ensure!(ended.success() && report.text("code")? == "55 48 89 e5 b8", "{report:?}");
    ensure!(report.number("semaphore")? == 0, "{report:?}");
    Ok(())
}

fn what_is_not_there_is_told() -> Result<()> {
    let mut workload = Workload::start("user-steps", &["1"])?;
    let pid = workload.pid().to_string();
    let cases = [
        ("pid$target:libnone:f:entry", "D_PDESC_ZERO"),
        ("pid$target::user_stepz:entry", "did you mean `user_steps`?"),
        ("pid$target::user_stepz:entry", "D_PDESC_ZERO"),
        ("pid$target:a.out:user_stepz:entry", "D_PROC_FUNC"),
        ("pid$target:a.out:user_stepz*:entry", "D_PDESC_ZERO"),
        ("pid$target::user_steps:2", "D_PROC_OFF"),
        ("pid$target::user_steps:b", "D_PROC_OFF"),
        ("pid$target::user_steps:leave", "D_PROC_NAME"),
        ("pid$target::_start:return", "D_PROC_FUNC"),
        ("pid$target:a.out:-:0", "D_PROC_NAME"),
        ("pid$target::-:entry", "D_PROC_NAME"),
        ("pid$target::-:*", "D_PROC_NAME"),
        ("pid$pid::main:entry", "D_PROC_DYN"),
        ("testet$target:::work-done", "D_PDESC_ZERO"),
        ("tested$target:::work-dome", "did you mean `work-done`?"),
        ("pid4999999:::entry", "D_PROC_GRAB"),
        ("pid0:::entry", "D_PROC_BADPID"),
        ("pid:::entry", "D_PDESC_ZERO"),
    ];
    for (description, expected) in cases {
        let output = tracer(&["-e", "-n", description, "-p", &pid])?;
        ensure!(output.status.code() == Some(1), "{description}: {output:?}");
        ensure!(output.stderr.contains(expected), "{description}: {output:?}");
    }
    workload.go()?;
    workload.finish().map(drop)
}

fn a_function_that_is_chosen_when_loaded_has_probes() -> Result<()> {
    let program = "pid$1:a.out:user_chosen:entry { @[probefunc, arg0] = count(); } pid$1::user_chosen:return { @[probefunc, arg1] = count(); } \
        END { printa(\"%s %d %@d\\n\", @); }";
    let seen = observe(program, "user-chosen", &["21"])?;
    let mut lines = seen.output.lines();
    lines.sort_unstable();
    ensure!(lines == ["user_chosen 21 1", "user_chosen 42 1"], "{seen:?}");
    let pid = std::process::id().to_string();
    let output = tracer(&["-e", "-n", "pid$target:a.out:user_chosen:1", "-p", &pid])?;
    ensure!(output.status.code() == Some(1) && output.stderr.contains("D_PROC_OFF"), "{output:?}");
    Ok(())
}

fn lists_are_of_the_process() -> Result<()> {
    let file = program_file()?;
    let (command, report) = workload::command("user-fires", &[])?;
    let output = tracer(&["-l", "-n", "pid$target::user_st*:entry", "-P", "tested$target", "-c", &command])?;
    let rows: Vec<Vec<&str>> =
        output.lines().iter().skip(1).map(|line| line.split_whitespace().skip(2).collect()).collect();
    let expected = [
        vec![file.as_str(), "user_steps", "entry"],
        vec![file.as_str(), "user_fire", "work-done"],
        vec![file.as_str(), "user_fire_again", "work-done"],
    ];
    ensure!(output.status.success() && rows == expected, "{output:?}");
    // Alone, it adds what the process brings along to what the kernel has.
    let output = tracer(&["-l", "-c", &command])?;
    let ours = |line: &&&str| line.contains(" tested") && line.ends_with("work-done");
    ensure!(
        output.status.success() && output.lines().iter().filter(ours).count() == 2,
        "{:?}",
        output.stderr
    );
    ensure!(output.lines().iter().any(|line| line.ends_with("BEGIN")), "{:?}", output.stderr);
    // It has not been let run.
    ensure!(!fs::exists(report)?);
    Ok(())
}

/// Calls user_sum so many times, with 10, 20 and so on, and with the number of the call as the last argument.
fn calls(arguments: &[String]) -> Result<Report> {
    let count: u64 = arguments[0].parse()?;
    let sum = |call| user_sum(10, 20, 30, 40, 50, 60, 70, 80, 90, call);
    let right = (0..count).all(|call| black_box(sum(call)) == 450 + call);
    ensure!(right, "a sum is wrong");
    Ok(Report::default().with("calls", count))
}

/// Calls user_steps so many times.
fn steps(arguments: &[String]) -> Result<Report> {
    let count: u32 = arguments[0].parse()?;
    // SAFETY: the functions that stand above.
    let right = (0..count).all(|_| unsafe { user_steps() == 7 && user_caller() == 7 });
    ensure!(right, "user_steps is broken");
    Ok(Report::default())
}

/// Passes a text that it does not look at: in the middle of pages that nothing else is in.
fn strings(_: &[String]) -> Result<Report> {
    const PAGE: usize = 4096;
    const TEXT: &[u8] = b"a text in a page of its own\0";
    #[repr(align(4096))]
    struct Pages([u8; 33 * PAGE]);
    static PAGES: Pages = Pages({
        let mut bytes = [b' '; 33 * PAGE];
        let mut index = 0;
        while index < TEXT.len() {
            bytes[16 * PAGE + index] = TEXT[index];
            index += 1;
        }
        bytes
    });
    let text = black_box(&PAGES).0.as_ptr().wrapping_add(16 * PAGE);
    Ok(Report::default().with("text", user_text(text)))
}

/// Calls user_sum from so many threads, so many times each, and once from a child.
fn threads(arguments: &[String]) -> Result<Report> {
    let [threads, count] = [&arguments[0], &arguments[1]].map(|word| word.parse::<u64>());
    let (threads, count) = (threads?, count?);
    // SAFETY: the child only calls functions that are safe after fork.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let sum = user_sum(1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
        // SAFETY: ends the child.
        unsafe { libc::_exit(i32::from(sum != 10)) };
    }
    let mut status = 0;
    // SAFETY: our own child.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    let call = |call| _ = black_box(user_sum(1, 2, 3, 4, 5, 6, 7, 8, 9, call));
    let run = move || (0..count).for_each(call);
    let running: Vec<_> = (0..threads).map(|_| std::thread::spawn(run)).collect();
    running
        .into_iter()
        .try_for_each(|thread| thread.join().map_err(|_| anyhow::anyhow!("a thread panicked")))?;
    Ok(Report::default().with("child", status))
}

/// Calls user_sum twice, and three times after an exec of itself.
fn exec(_: &[String]) -> Result<Report> {
    calls(&["2".to_owned()])?;
    // It waits for a line, which is there at once.
    let error = Command::new(std::env::current_exe()?)
        .args(["--workload", "-", "user-calls", "3"])
        .stdin(std::process::Stdio::from(fs::File::open("/dev/null")?))
        .exec();
    Err(error).context("the exec")
}

/// The beginning of user_steps in memory, and the semaphore.
fn code(_: &[String]) -> Result<Report> {
    let start = user_steps as *const () as *const u8;
    // SAFETY: the code of the function, which is longer.
    let byte = |at| unsafe { start.add(at).read_volatile() };
    let bytes: Vec<String> = (0..5).map(|at| format!("{:02x}", byte(at))).collect();
    let report = usdt::fires(&[])?;
    Ok(Report::default().with("code", bytes.join(" ")).with("semaphore", report.number("semaphore")?))
}

/// Calls what is chosen when it is loaded.
fn chosen(arguments: &[String]) -> Result<Report> {
    let number = arguments[0].parse()?;
    // SAFETY: a function of this file, which takes a number and gives one.
    let twice = unsafe { user_chosen(number) };
    ensure!(twice == 2 * number, "{twice}");
    Ok(Report::default())
}
