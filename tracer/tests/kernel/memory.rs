//! Memory that is copied: from the traced process, within the kernel, and to the traced process; memory of a clause's own.

use anyhow::{Context as _, Result, ensure};
use probes_common::abi::fault;

use crate::harness::{Family, Report, observe, skip, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "memory",
    tests: &[
        ("what_a_process_writes_is_copied_in", copied_in),
        ("what_is_copied_out_arrives", copied_out),
        ("scratch_memory_is_the_clauses_own", scratch),
        ("nothing_is_written_elsewhere", elsewhere),
        ("sizes_and_subscripts_that_cannot_be_are_faults", sizes),
        ("a_chill_takes_its_time", chilled),
    ],
    workloads: &[("memory_writes", writes), ("memory_reads", reads)],
};

const NUMBERS: [u32; 4] = [0x0102_0304, 7, 0xffff_ffff, 42];

/// Writes numbers, and a string without an end.
fn writes(_: &[String]) -> Result<Report> {
    // On the stack: what is not in memory yet cannot be read by a probe.
    let (numbers, text) = (std::hint::black_box(NUMBERS), std::hint::black_box(*b"textmore\0"));
    // SAFETY: both buffers have that many bytes.
    unsafe {
        libc::pwrite(-1, numbers.as_ptr().cast(), size_of_val(&numbers), 1);
        libc::pwrite(-1, text.as_ptr().cast(), 4, 2);
    }
    Ok(Report::default().with("calls", 2))
}

fn copied_in() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::pwrite64:entry /pid == $1 && arg3 == 1/ {
            this->p = (unsigned int *)copyin(arg1, arg2);
            printf("%x %d %u %d\n", this->p[0], this->p[1], this->p[2], *(this->p + 3));
            this->q = alloca(16);
            copyinto(arg1 + 4, 8, this->q);
            bcopy(this->p, (void *)((uintptr_t)this->q + 8), 4);
            printf("%d %x\n", *(int *)this->q, *((unsigned int *)this->q + 2));
        }
        syscall::pwrite64:entry /pid == $1 && arg3 == 2/ {
            printf("%s %s\n", copyinstr(arg1, arg2), stringof(copyin(arg1, 9)));
        }
        syscall::pwrite64:entry /pid == $1 && arg3 == 2/ { printf("%s\n", stringof(copyin(arg1, 4))); }
        ERROR { printf("fault %d %x\n", arg4, arg5); }"#;
    let seen = observe(PROGRAM, "memory_writes", &[])?;
    let [a, b, c, d] = NUMBERS;
    let truth = [
        format!("{a:x} {b} {c} {d}"),
        format!("{b} {a:x}"),
        "text textmore".to_owned(),
        // In the scratch memory in which the clause before had more of it.
        "text".to_owned(),
    ];
    ensure!(seen.output.lines() == truth, "{seen:?}");
    Ok(())
}

/// Hands buffers to calls that do not look at them, for the tracer to write to.
fn reads(_: &[String]) -> Result<Report> {
    let mut numbers = [4242_u64, 0];
    let mut text = *b"................";
    // SAFETY: the call refuses the descriptor before it looks at the buffer.
    unsafe {
        libc::pread(-1, numbers.as_mut_ptr().cast(), 8, 1);
        libc::pread(-1, text.as_mut_ptr().cast(), 16, 2);
    }
    Ok(Report::default()
        .with("number", numbers[1])
        .with("text", String::from_utf8_lossy(&text).replace('\0', "!")))
}

fn copied_out() -> Result<()> {
    const PROGRAM: &str = r#"
        #pragma D option destructive
        syscall::pread64:entry /pid == $1 && arg3 == 1/ {
            this->p = (uint64_t *)alloca(8);
            bcopy(copyin(arg1, 8), this->p, 8);
            copyout(this->p, arg1 + 8, 8);
        }
        syscall::pread64:entry /pid == $1 && arg3 == 2/ {
            copyoutstr("whole", arg1, 16);
            copyoutstr("cut short", arg1 + 8, 3);
        }
        ERROR { printf("fault %d %x\n", arg4, arg5); }"#;
    let trial = tracer(&["-w", "-n", "BEGIN { copyoutstr(\"\", 0, 1); } BEGIN { exit(0); }"])?;
    if trial.stderr.contains("this kernel lets no program write to the memory of processes") {
        ensure!(trial.status.code() == Some(1), "{trial:?}");
        return skip("this kernel grants nobody bpf_probe_write_user");
    }
    let seen = observe(PROGRAM, "memory_reads", &[])?;
    ensure!(seen.output.lines().is_empty(), "{seen:?}");
    ensure!(seen.report.number("number")? == 4242, "{seen:?}");
    ensure!(seen.report.text("text")? == "whole!..cut.....", "{seen:?}");
    Ok(())
}

fn scratch() -> Result<()> {
    // Each clause has all of it; what does not fit is a fault.
    const PROGRAM: &str = r#"int n;
        #pragma D option scratchsize=8k
        BEGIN { n = 8192; this->p = alloca(n); printf("all\n"); }
        BEGIN { this->p = alloca(5000); this->q = alloca(5000); printf("never\n"); }
        BEGIN { n = -1; this->p = alloca(n); printf("never\n"); }
        BEGIN { this->x = (uintptr_t)alloca(1); this->y = (uintptr_t)alloca(1); printf("%d %d\n", this->y - this->x, this->x % 8); }
        BEGIN { exit(0); }
        ERROR { printf("%d %d\n", arg1, arg4); }"#;
    let output = tracer(&["-q", "-n", PROGRAM])?.success()?;
    let none = fault::NOSCRATCH;
    let truth = ["all".to_owned(), format!("4 {none}"), format!("5 {none}"), "8 0".to_owned()];
    ensure!(output.lines() == truth, "{output:?}");
    ensure!(output.stderr.matches("): out of scratch space in action #").count() == 2, "{output:?}");
    Ok(())
}

fn elsewhere() -> Result<()> {
    const PROGRAM: &str = r#"
        BEGIN { this->p = alloca(8); bcopy((void *)curthread, (void *)curthread, 8); printf("never\n"); }
        BEGIN { this->p = alloca(8); bcopy((void *)curthread, (void *)((uintptr_t)this->p - 8000), 8); printf("never\n"); }
        BEGIN { this->p = alloca(8); bcopy((void *)8, this->p, 8); printf("never\n"); }
        BEGIN { exit(0); }
        ERROR { printf("%d %d\n", arg1, arg4); }"#;
    let output = tracer(&["-q", "-n", PROGRAM])?.success()?;
    let bad = fault::BADADDR;
    ensure!(output.lines() == [format!("3 {bad}"), format!("4 {bad}"), format!("5 {bad}")], "{output:?}");
    Ok(())
}

fn sizes() -> Result<()> {
    const PROGRAM: &str = r#"int n; int some[4];
        BEGIN { n = -1; this->p = copyin(0, n); printf("never\n"); }
        BEGIN { n = 100000; this->p = alloca(8); bcopy(this->p, this->p, n); printf("never\n"); }
        BEGIN { n = 4; some[n] = 1; printf("never\n"); }
        BEGIN { n = -1; trace(some[n]); }
        BEGIN { exit(0); }
        ERROR { printf("%d %d\n", arg4, arg5); }"#;
    let output = tracer(&["-q", "-n", PROGRAM])?.success()?;
    let (size, index) = (fault::BADSIZE, fault::BADINDEX);
    let truth = [format!("{size} -1"), format!("{size} 100000"), format!("{index} 4"), format!("{index} -1")];
    ensure!(output.lines() == truth, "{output:?}");
    for words in ["invalid size (0x186a0) in action #", "index out of bounds (-1) in action #"] {
        ensure!(output.stderr.contains(words), "{output:?}");
    }
    Ok(())
}

fn chilled() -> Result<()> {
    // The call that is chilled lasts longer, and one that would last too long is not.
    const PROGRAM: &str = r#"
        #pragma D option destructive
        syscall::pwrite64:entry /pid == $1 && arg3 == 1/ { self->t = timestamp; chill(20000000); }
        syscall::pwrite64:return /self->t/ { printf("%d\n", timestamp - self->t); self->t = 0; }
        syscall::pwrite64:entry /pid == $1 && arg3 == 2/ { chill(600000000); }
        ERROR { printf("%d\n", arg4); }"#;
    let seen = observe(PROGRAM, "memory_writes", &[])?;
    let lines = seen.output.lines();
    let took: u64 = lines.first().context("nothing")?.parse()?;
    ensure!(took >= 20_000_000, "{seen:?}");
    ensure!(lines[1..] == [fault::ILLOP.to_string()], "{seen:?}");
    Ok(())
}
