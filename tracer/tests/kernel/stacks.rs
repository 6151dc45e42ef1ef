//! Call stacks and symbols: of a workload whose call chain is known to the byte, and of the kernel as /proc/kallsyms has it.

#![cfg(target_arch = "x86_64")]

use std::arch::global_asm;
use std::fs::{self, File};
use std::os::fd::AsRawFd as _;

use anyhow::{Context, Result, ensure};

use crate::harness::{Family, Report, observe, skip, tracer, truth, workload};

pub(crate) const FAMILY: Family = Family {
    name: "stacks",
    tests: &[
        ("a_user_stack_is_the_call_chain", a_user_stack_is_the_call_chain),
        ("a_stack_of_a_process_that_has_ended_has_names", a_stack_of_a_process_that_has_ended_has_names),
        ("stacks_are_keys", stacks_are_keys),
        ("what_stands_beside_a_stack_in_a_key_is_used_again", keys_beside_stacks),
        ("histograms_by_both_stacks_load", histograms_by_both_stacks_load),
        ("many_deep_stacks_are_keys_without_collisions", many_deep_stacks_are_keys_without_collisions),
        ("options_give_frames_and_indent", options_give_frames_and_indent),
        ("printf_writes_stacks_at_the_margin", printf_writes_stacks_at_the_margin),
        ("a_kernel_stack_is_the_kernels_alone", a_kernel_stack_is_the_kernels_alone),
        ("kernel_symbols_are_those_of_kallsyms", kernel_symbols_are_those_of_kallsyms),
        ("user_symbols_have_their_module_and_offset", user_symbols_have_their_module_and_offset),
        ("addresses_are_aggregated_by_their_symbols", addresses_are_aggregated_by_their_symbols),
        ("callers_depths_and_registers", callers_depths_and_registers),
        ("registers_by_their_numbers", registers_by_their_numbers),
        ("callers_and_depths_are_values", callers_and_depths_are_values),
        ("a_tick_has_the_stack_that_it_interrupts", a_tick_has_the_stack_that_it_interrupts),
        ("json_has_stacks_as_arrays", json_has_stacks_as_arrays),
    ],
    workloads: &[("calls", calls), ("chains", chains)],
};

// stacks_outer calls stacks_middle calls stacks_inner, which makes the system call: each keeps its frame pointer, and each says
// how far behind its beginning the address is that the stack shows.
global_asm!(
    ".text",
    ".globl stacks_inner",
    ".type stacks_inner,@function",
    "stacks_inner:",
    "push rbp",
    "mov rbp, rsp",
    "mov eax, 8",
    "syscall",
    "2: pop rbp",
    "ret",
    ".size stacks_inner, . - stacks_inner",
    ".globl stacks_middle",
    ".type stacks_middle,@function",
    "stacks_middle:",
    "push rbp",
    "mov rbp, rsp",
    "nop",
    "call stacks_inner",
    "3: pop rbp",
    "ret",
    ".size stacks_middle, . - stacks_middle",
    ".globl stacks_outer",
    ".type stacks_outer,@function",
    "stacks_outer:",
    "push rbp",
    "mov rbp, rsp",
    "call stacks_middle",
    "4: pop rbp",
    "ret",
    ".size stacks_outer, . - stacks_outer",
    // Calls stacks_outer from as deep as the fourth argument says.
    ".globl stacks_deep",
    ".type stacks_deep,@function",
    "stacks_deep:",
    "push rbp",
    "mov rbp, rsp",
    "test ecx, ecx",
    "jz 5f",
    "dec ecx",
    "call stacks_deep",
    "pop rbp",
    "ret",
    "5: call stacks_outer",
    "pop rbp",
    "ret",
    ".size stacks_deep, . - stacks_deep",
    ".section .rodata",
    ".globl stacks_offsets",
    "stacks_offsets: .quad 2b - stacks_inner, 3b - stacks_middle, 4b - stacks_outer",
    ".text",
);

unsafe extern "C" {
    fn stacks_inner();
    fn stacks_middle();
    fn stacks_outer(descriptor: i32, offset: i64, whence: i32) -> i64;
    fn stacks_deep(descriptor: i32, offset: i64, whence: i32, depth: u32) -> i64;
    static stacks_offsets: [u64; 3];
}

/// lseek(2) to 77 so many times, by way of the call chain; or to the addresses that `address` names.
fn calls(arguments: &[String]) -> Result<Report> {
    let file = File::open("/dev/null")?;
    let count: u32 = arguments[0].parse()?;
    let (inner, middle) = (stacks_inner as *const () as i64, stacks_middle as *const () as i64);
    for _ in 0..count {
        for offset in [77, inner, inner + 3, middle + 1] {
            // SAFETY: a system call on a descriptor that is open; /dev/null takes every offset.
            unsafe { stacks_outer(file.as_raw_fd(), offset, libc::SEEK_SET) };
        }
    }
    Ok(Report::default())
}

/// A system call at each depth up to so many.
fn chains(arguments: &[String]) -> Result<Report> {
    let file = File::open("/dev/null")?;
    for depth in 0..arguments[0].parse()? {
        // SAFETY: as above.
        unsafe { stacks_deep(file.as_raw_fd(), 77, libc::SEEK_SET, depth) };
    }
    Ok(Report::default())
}

/// The name of this program's file.
fn module() -> Result<String> {
    let path = std::env::current_exe()?;
    Ok(path.file_name().context("a file")?.to_string_lossy().into_owned())
}

/// The chain as dtrace shows it.
fn chain(indent: usize) -> Result<String> {
    let module = module()?;
    // SAFETY: made above and never written.
    let offsets = unsafe { stacks_offsets };
    let names = ["stacks_inner", "stacks_middle", "stacks_outer"];
    let frame = |(name, offset)| format!("{:indent$}{module}`{name}+{offset:#x}\n", "");
    Ok(names.into_iter().zip(offsets).map(frame).collect())
}

fn a_user_stack_is_the_call_chain() -> Result<()> {
    let seen = observe("syscall::lseek:entry /pid == $1 && arg1 == 77/ { ustack(3); }", "calls", &["2"])?;
    let once = format!("\n{}", chain(14)?);
    ensure!(seen.output.stdout.trim() == format!("{once}{once}").trim(), "{seen:?}");
    Ok(())
}

fn a_stack_of_a_process_that_has_ended_has_names() -> Result<()> {
    let (command, report) = workload::command("calls", &["1"])?;
    let program = "syscall::lseek:entry /pid == $target && arg1 == 77/ { @[ustack(3)] = count(); }";
    let output = tracer(&["-q", "-n", program, "-c", &command])?.success()?;
    truth(&report)?;
    ensure!(output.stdout == format!("\n\n{}{:17}\n", chain(14)?, 1), "{output:?}");
    Ok(())
}

fn keys_beside_stacks() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::lseek:entry /pid == $1 && arg1 == 77/ {
            @a[ustack(2), tid, execname, stack(2)] = count(); @b[tid, ustack(3)] = count(); @c[ustack(4)] = count();
            @d[ufunc(ucaller), stackdepth] = count(); @e[pid, execname] = count(); }
        END { printa("%@d\n", @a); printa("%@d\n", @b); printa("%@d\n", @c); printa("%@d\n", @d); printa("%@d\n", @e); }"#;
    let seen = observe(PROGRAM, "calls", &["25"])?;
    ensure!(seen.output.lines() == ["25"; 5], "{seen:?}");
    Ok(())
}

fn stacks_are_keys() -> Result<()> {
    let seen = observe(
        "syscall::lseek:entry /pid == $1 && arg1 == 77/ { @[probefunc, ustack(3), stack(2)] = count(); }
         END { printa(\"%s %-2k%*k%@d\\n\", @); }"
            .replace("%*k", "%k")
            .as_str(),
        "calls",
        &["25"],
    )?;
    // The interrupt has a line of its own.
    let text = seen.output.stdout.trim_start();
    ensure!(text.starts_with(&format!("lseek \n{}", chain(2)?)) && text.ends_with("\n25\n\n"), "{seen:?}");
    ensure!(text.matches("lseek \n").count() == 1, "one key is one row: {seen:?}");
    Ok(())
}

/// The verifier follows each bucket of a histogram: what reads the stacks comes before. (They are empty where the kernel tells of
/// the thread that comes before it is there.)
fn histograms_by_both_stacks_load() -> Result<()> {
    const PROGRAM: &str = "
        sched:::off-cpu /pid == $target/ { self->off = timestamp; }
        sched:::on-cpu /self->off && timestamp - self->off > 1000/ {
            @off[stack(), ustack()] = quantize(timestamp - self->off);
            @steps[stack(), ustack(), execname] = lquantize(timestamp - self->off, 0, 1000, 1); self->off = 0; }";
    let output = tracer(&["-qn", PROGRAM, "-c", "sleep 0.1"])?.success()?;
    let histograms = output.stdout.matches("Distribution").count();
    ensure!(output.stderr.is_empty() && histograms >= 2, "{output:?}");
    Ok(())
}

fn many_deep_stacks_are_keys_without_collisions() -> Result<()> {
    let seen = observe(
        "syscall::lseek:entry /pid == $1 && arg1 == 77/ { @[ustack(100)] = count(); }",
        "chains",
        &["90"],
    )?;
    let text = &seen.output.stdout;
    let rows = text.matches("`stacks_inner+").count();
    ensure!(rows == 90, "{rows} stacks of 90: {text}");
    let deep = text.matches("`stacks_deep+").count();
    ensure!(deep == (1..=90).sum::<usize>(), "{deep} frames of stacks_deep");
    Ok(())
}

fn options_give_frames_and_indent() -> Result<()> {
    let program = "#pragma D option ustackframes=3\n#pragma D option stackindent=4
        syscall::lseek:entry /pid == $1 && arg1 == 77/ { ustack(); }";
    let seen = observe(program, "calls", &["1"])?;
    let chain = chain(4)?;
    ensure!(seen.output.stdout.trim_matches('\n') == chain.trim_matches('\n'), "{seen:?}");
    Ok(())
}

fn printf_writes_stacks_at_the_margin() -> Result<()> {
    let seen = observe(
        "syscall::lseek:entry /pid == $1 && arg1 == 77/ { printf(\"a%kb%-3kc%A\", ustack(3), ustack(3), arg1); }",
        "calls",
        &["1"],
    )?;
    ensure!(seen.output.stdout.trim() == format!("a\n{}b\n{}c0x4d", chain(0)?, chain(3)?), "{seen:?}");
    Ok(())
}

fn a_kernel_stack_is_the_kernels_alone() -> Result<()> {
    let seen = observe("syscall::lseek:entry /pid == $1 && arg1 == 77/ { stack(); }", "calls", &["1"])?;
    let lines = seen.output.lines();
    let names: Vec<&str> = lines
        .iter()
        .map(|line| line.trim().trim_start_matches("vmlinux`").split('+').next().unwrap_or_default())
        .collect();
    ensure!(names.iter().any(|name| name.contains("do_syscall_64")), "{names:?}");
    ensure!(names.last().is_some_and(|name| name.starts_with("entry_SYSCALL_64")), "{names:?}");
    ensure!(!names.iter().any(|name| name.contains("bpf")), "what recording took is shown: {names:?}");
    Ok(())
}

/// A function of the kernel and its address, by /proc/kallsyms.
fn kernel_function(name: &str) -> Result<u64> {
    let symbols = fs::read_to_string("/proc/kallsyms")?;
    let line = symbols.lines().find(|line| line.split_whitespace().nth(2) == Some(name));
    let address = line.and_then(|line| line.split_whitespace().next()).context("no such symbol")?;
    Ok(u64::from_str_radix(address, 16)?)
}

fn kernel_symbols_are_those_of_kallsyms() -> Result<()> {
    let address = kernel_function("ksys_read")?;
    let program = format!(
        "BEGIN {{ printf(\"%a|%a|%a|\", {address:#x}, {:#x}, 0x10); sym({:#x}); func({address:#x}); mod({address:#x}); exit(0); }}",
        address + 4,
        address + 4
    );
    let text = tracer(&["-qn", &program])?.success()?.stdout;
    let counted = format!(
        "BEGIN {{ @[{:#x}] = count(); printa(\"%a %@d\", @); printf(\" %T\", 0LL); exit(0); }}",
        address + 4
    );
    let text_of_key = tracer(&["-qn", &counted])?.success()?.stdout;
    ensure!(text_of_key.starts_with("vmlinux`ksys_read+0x4 1 "), "{text_of_key:?}");
    ensure!(text_of_key.contains(" 1970 ") || text_of_key.contains(" 1969 "), "{text_of_key:?}");
    let name = "vmlinux`ksys_read";
    let expected = format!("{name}|{name}+0x4|0x10|  {name:<50}  {name:<50}  {:<50}", "vmlinux");
    ensure!(text.trim_end_matches('\n') == expected, "{text:?}, expected {expected:?}");
    Ok(())
}

fn user_symbols_have_their_module_and_offset() -> Result<()> {
    let seen = observe(
        "syscall::lseek:entry /pid == $1 && arg1 != 77/ { usym(arg1); ufunc(arg1); umod(arg1); uaddr(arg1); printf(\"\\n\"); }
         END { uaddr(0x10); }",
        "calls",
        &["1"],
    )?;
    let module = module()?;
    let line = |name: &str, offset: &str| {
        let name = format!("{module}`{name}");
        format!("  {name:<50}  {name:<50}  {module:<50}  {:<50}\n", format!("{name}{offset}"))
    };
    let expected =
        [line("stacks_inner", ""), line("stacks_inner", "+0x3"), line("stacks_middle", "+0x1")].concat();
    // The interrupt has a line of its own, before whatever was not shown yet.
    let text = seen.output.stdout.replace("\n\n", "\n");
    let rest = text.trim_start_matches('\n').strip_prefix(&*expected);
    ensure!(rest.is_some_and(|rest| rest.trim() == "0x10"), "{seen:?}, expected {expected}");
    Ok(())
}

fn addresses_are_aggregated_by_their_symbols() -> Result<()> {
    let seen = observe(
        "syscall::lseek:entry /pid == $1 && arg1 != 77/ { @f[usym(arg1)] = count(); @a[uaddr(arg1)] = count(); @m[umod(arg1)] = sum(1); }
         END { printa(\"%A %@d\\n\", @f); printa(\"%A %@d\\n\", @a); printa(\"%A %@d\\n\", @m); }",
        "calls",
        &["10"],
    )?;
    let module = module()?;
    let expected = [
        format!("{module}`stacks_middle 10"),
        format!("{module}`stacks_inner 20"),
        format!("{module}`stacks_inner 10"),
        format!("{module}`stacks_inner+0x3 10"),
        format!("{module}`stacks_middle+0x1 10"),
        format!("{module} 30"),
    ];
    ensure!(seen.output.lines() == expected, "{seen:?}, expected {expected:#?}");
    Ok(())
}

fn callers_depths_and_registers() -> Result<()> {
    let seen = observe(
        "syscall::lseek:entry /pid == $1 && arg1 == 77 && uregs[R_RSI] == 77 && ucaller == uregs[R_RIP] + 0/ { wrong++; }
         syscall::lseek:entry /pid == $1 && arg1 == 77 && ustackdepth > 2/ {
             printf(\"%A %A %d %d|%a|%d\\n\", uregs[R_RIP], ucaller, uregs[R_RDX], uregs[R_RSI], caller, stackdepth);
             stack(); @[sym(caller), caller, stackdepth] = count(); }
         END { printf(\"wrong %d\", wrong); }",
        "calls",
        &["1"],
    )?;
    let lines = seen.output.lines();
    let chain = chain(0)?;
    let frames: Vec<&str> = chain.lines().collect();
    let (first, rest) = lines[0].split_once('|').context("the process's half")?;
    ensure!(first == format!("{} {} 0 77", frames[0], frames[1]), "{seen:?}");
    let (caller, depth) = rest.split_once('|').context("the kernel's half")?;
    let kernel: Vec<&str> =
        lines[1..].iter().take_while(|line| line.contains("vmlinux`")).map(|line| line.trim()).collect();
    ensure!(caller == kernel[0], "caller {caller} is the first of {kernel:?}");
    ensure!(depth.parse::<usize>()? == kernel.len(), "{depth} frames of {kernel:?}");
    ensure!(seen.output.stdout.contains("wrong 0"), "{seen:?}");
    let name = caller.split('+').next().unwrap_or_default();
    let row = lines.iter().any(|line| line.trim().starts_with(name) && line.trim().ends_with(" 1"));
    ensure!(row, "no row of {name}: {seen:?}");
    Ok(())
}

fn callers_and_depths_are_values() -> Result<()> {
    const PROGRAM: &str = r#"
        uintptr_t from;
        syscall::lseek:entry /pid == $1 && arg1 == 77 && stackdepth < 20 && caller != 0/ {
            this->depth = stackdepth; from = caller; self->depth = stackdepth; @[stackdepth - 1, caller] = count();
            printf("%d %a %d %d\n", this->depth, from, caller == from, caller > (uintptr_t)&`vfs_read && 0); stack(); }
        syscall::lseek:return /self->depth/ { printf("%d\n", self->depth > 0 && stackdepth > 0); self->depth = 0; }
        END { printa("%d %a %@d\n", @); }"#;
    let seen = observe(PROGRAM, "calls", &["1"])?;
    let lines = seen.output.lines();
    let (depth, rest) = lines[0].split_once(' ').context("a depth")?;
    let (caller, rest) = rest.split_once(' ').context("a caller")?;
    ensure!(rest == "1 0", "{seen:?}");
    let stack: Vec<&str> =
        lines[1..].iter().take_while(|line| line.starts_with(' ')).map(|line| line.trim()).collect();
    ensure!(stack.first() == Some(&caller) && depth.parse() == Ok(stack.len()), "{seen:?}");
    ensure!(lines[1 + stack.len()] == "1", "{seen:?}");
    ensure!(lines.contains(&format!("{} {caller} 1", stack.len() - 1).as_str()), "{seen:?}");
    Ok(())
}

fn a_tick_has_the_stack_that_it_interrupts() -> Result<()> {
    let program = "profile-997 /arg0 != 0 && stackdepth > 2/ {
        printf(\"%d %a %a\\n\", stackdepth, arg0, caller); stack(); exit(0); }";
    let run = tracer(&["-qn", program, "-c", "cat /proc/self/smaps /proc/kallsyms"])?;
    let begin =
        run.stdout.find(" vmlinux`").and_then(|at| run.stdout[..at].rfind('\n')).map_or(0, |at| at + 1);
    let lines: Vec<&str> = run.stdout[begin..].lines().filter(|line| !line.is_empty()).collect();
    let first: Vec<&str> = lines.first().map_or(Vec::new(), |line| line.split(' ').collect());
    let &[depth, interrupted, caller] = first.as_slice() else {
        return skip("no tick found the kernel at work");
    };
    let stack: Vec<&str> =
        lines[1..].iter().take_while(|line| line.starts_with("     ")).map(|line| line.trim()).collect();
    ensure!(stack[..2] == [interrupted, caller] && depth.parse() == Ok(stack.len()), "{lines:#?}");
    Ok(())
}

fn json_has_stacks_as_arrays() -> Result<()> {
    let (command, report) = workload::command("calls", &["1"])?;
    let program = "syscall::lseek:entry /pid == $target && arg1 == 77/ { ustack(2); uaddr(arg1); }";
    let output = tracer(&["-o", "/proc/self/fd/1", "--json", "-n", program, "-c", &command])?.success()?;
    truth(&report)?;
    let line = output.lines().into_iter().find(|line| line.contains("\"record\"")).context("a record")?;
    let record: serde_json::Value = serde_json::from_str(line)?;
    let stack = &record["actions"][0]["value"];
    // SAFETY: made above and never written.
    let offsets = unsafe { stacks_offsets };
    for (index, name) in ["stacks_inner", "stacks_middle"].into_iter().enumerate() {
        ensure!(stack[index]["symbol"] == name && stack[index]["offset"] == offsets[index], "{line}");
        ensure!(stack[index]["module"] == module()? && stack[index]["address"].is_u64(), "{line}");
    }
    let unknown = serde_json::json!({ "address": 77, "symbol": null, "offset": 0, "module": null });
    ensure!(record["actions"][1]["value"] == unknown, "{line}");
    Ok(())
}

/// The saved ones are the system call's; a number that no register has is told of where it is come to.
fn registers_by_their_numbers() -> Result<()> {
    let seen = observe(
        "syscall::lseek:entry /pid == $1 && arg1 == 77/ {
             printf(\"%d %d %d\\n\", uregs[13], uregs[R_ESI], uregs[19] == uregs[R_RSP]);
             printf(\"%d %d %d\\n\", uregs[R_GS], uregs[R_TRAPNO], uregs[20] == uregs[R_SS]); }
         syscall::lseek:entry /pid == $1 && arg1 == 77/ { trace(uregs[1000]); }
         ERROR { printf(\"fault %d\\n\", arg4); }",
        "calls",
        &["1"],
    )?;
    ensure!(seen.output.lines() == ["77 77 1", "0 0 1", "fault 3"], "{seen:?}");
    Ok(())
}
