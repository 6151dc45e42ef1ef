//! Probes that programs bring along.

#![cfg(target_arch = "x86_64")]

use std::arch::global_asm;

use anyhow::{Result, ensure};

use crate::harness::workload::{self, program_file};
use crate::harness::{Family, Report, observe, tracer, truth};

pub(crate) const FAMILY: Family = Family {
    name: "usdt",
    tests: &[
        ("a_probe_of_a_program_has_typed_arguments", a_probe_of_a_program_has_typed_arguments),
        ("a_semaphore_counts_its_tracers", a_semaphore_counts_its_tracers),
        ("providers_of_programs_are_found_by_globs", providers_of_programs_are_found_by_globs),
        ("providers_of_all_processes_are_found_by_globs", providers_of_all_processes_are_found_by_globs),
    ],
    workloads: &[("user-fires", fires)],
};

global_asm!(
    ".text",
    // user_fire(int, const char *, long *, long): a probe, and what its semaphore is.
    ".globl user_fire",
    ".type user_fire,@function",
    "user_fire:",
    "4: nop",
    "movzx eax, word ptr [rip + user_semaphore]",
    "ret",
    ".size user_fire, . - user_fire",
    // The same probe at another place, its arguments elsewhere.
    ".globl user_fire_again",
    ".type user_fire_again,@function",
    "user_fire_again:",
    "5: nop",
    "ret",
    ".size user_fire_again, . - user_fire_again",
    ".data",
    ".balign 2",
    "user_semaphore: .2byte 0",
    ".balign 4",
    "user_number: .4byte 0x89abcdef",
    ".section .stapsdt.base,\"a\",@progbits",
    "_user_stapsdt_base: .space 1",
    ".section .note.stapsdt,\"\",@note",
    ".balign 4",
    ".4byte 8, 7f - 6f, 3",
    ".asciz \"stapsdt\"",
    "6: .8byte 4b, _user_stapsdt_base, user_semaphore",
    ".asciz \"tested\"",
    ".asciz \"work__done\"",
    ".asciz \"-4@%edi 8@%rsi 8@(%rdx) -8@8(%rdx,%rcx,8) -2@$-5 1@%dil 4@user_number(%rip) 4@%edi\"",
    "7: .balign 4",
    ".4byte 8, 9f - 8f, 3",
    ".asciz \"stapsdt\"",
    "8: .8byte 5b, _user_stapsdt_base, user_semaphore",
    ".asciz \"tested\"",
    ".asciz \"work__done\"",
    ".asciz \"-4@%esi 8@%rdi\"",
    "9: .balign 4",
    ".text",
);

unsafe extern "C" {
    fn user_fire(number: i32, text: *const u8, words: *const i64, index: i64) -> u32;
    fn user_fire_again(text: *const u8, number: i32);
}

fn a_probe_of_a_program_has_typed_arguments() -> Result<()> {
    let program = "tested$1:a.out:user_fire:work-done { printf(\"%s:%s:%s:%s \", probeprov, probemod, probefunc, probename); \
        printf(\"%d %s %d %d %d %d %x %u\\n\", arg0, copyinstr(arg1), arg2, args[3], arg4, arg5, arg6, arg7); } \
        tested$1::user_fire_again:work__done { printf(\"%d %s\\n\", arg0, copyinstr(arg1)); }";
    let seen = observe(program, "user-fires", &[])?;
    // The program may be written a.out; the probe has the name of its file.
    let name = format!("tested{}:{}:user_fire:work-done", seen.pid, program_file()?);
    let expected =
        [format!("{name} -2 some text 1000 -3000 -5 254 89abcdef 4294967294"), "-7 again".to_owned()];
    ensure!(seen.output.lines() == expected, "{seen:?}");
    Ok(())
}

fn a_semaphore_counts_its_tracers() -> Result<()> {
    let seen = observe("tested$1::user_fire:work-done { @ = count(); }", "user-fires", &[])?;
    ensure!(seen.report.number("semaphore")? == 1, "{seen:?}");
    let seen = observe("pid$1::user_fire:entry { @ = count(); }", "user-fires", &[])?;
    ensure!(seen.report.number("semaphore")? == 0, "{seen:?}");
    Ok(())
}

fn providers_of_programs_are_found_by_globs() -> Result<()> {
    let (command, report) = workload::command("user-fires", &[])?;
    let program = "test*::user_*:work-* { @[probefunc] = count(); } END { printa(\"%s %@d\\n\", @); }";
    let output = tracer(&["-q", "-n", program, "-c", &command])?.success()?;
    let mut lines = output.lines();
    lines.sort_unstable();
    ensure!(lines == ["user_fire 1", "user_fire_again 1"], "{output:?}");
    truth(&report).map(drop)
}

fn providers_of_all_processes_are_found_by_globs() -> Result<()> {
    // Where no process is followed. Others may run the same program at the same time.
    let program = "tested*:::work-done /pid == $1/ { @[probeprov, probefunc] = count(); } END { printa(\"%s %s %@d\\n\", @); }";
    let seen = observe(program, "user-fires", &[])?;
    let mut lines = seen.output.lines();
    lines.sort_unstable();
    let line = |function| format!("tested{} {function} 1", seen.pid);
    ensure!(lines == [line("user_fire"), line("user_fire_again")], "{seen:?}");
    Ok(())
}

/// Comes to both places of its probe; says what the semaphore was.
pub(crate) fn fires(_: &[String]) -> Result<Report> {
    let words: [i64; 3] = [1000, -2000, -3000];
    // SAFETY: the functions that stand above; the texts end in zero.
    let semaphore = unsafe {
        let semaphore = user_fire(-2, c"some text".as_ptr().cast(), words.as_ptr(), 1);
        user_fire_again(c"again".as_ptr().cast(), -7);
        semaphore
    };
    Ok(Report::default().with("semaphore", semaphore))
}
