//! Built-in variables that tell of the thread and of its process.

use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use tracer::kernel::Target;

use crate::harness::workload::{compute, thread_time};
use crate::harness::{Family, Report, observe, tracer as run};

pub(crate) const FAMILY: Family = Family {
    name: "builtins",
    tests: &[
        ("vtimestamp_counts_what_the_thread_has_run", virtual_time),
        ("execargs_are_those_of_the_program", arguments),
        ("what_linux_has_not_is_constant", constants),
        ("curcpu_tells_where_the_cpu_is", cpu),
        ("d_path_is_the_path_that_the_process_sees", path),
        ("locks_tell_who_has_them", locks),
        ("locks_of_readers_and_writers_tell_who_has_them", locks_of_readers_and_writers),
    ],
    workloads: &[("builtins_work", work), ("builtins_lists", lists)],
};

fn mark(number: i64) {
    // SAFETY: the call refuses the descriptor before anything else.
    unsafe { libc::pread(-1, std::ptr::null_mut(), 0, number) };
}

/// How long `work` sleeps.
const SLEEP: Duration = Duration::from_millis(200);

/// Sleeps and works between marks, and says how long it ran.
fn work(_: &[String]) -> Result<Report> {
    // The first mark may cost more: what is not in the cache yet.
    mark(0);
    let before = thread_time();
    mark(1);
    std::thread::sleep(SLEEP / 2);
    compute(Duration::from_millis(80));
    std::thread::sleep(SLEEP / 2);
    mark(2);
    Ok(Report::default().with("ran", (thread_time() - before).as_nanos()))
}

fn virtual_time() -> Result<()> {
    const PROGRAM: &str = r#"
        syscall::pread64:entry /pid == $1 && arg3 == 1/ { self->v = vtimestamp; self->t = timestamp; }
        syscall::pread64:entry /pid == $1 && arg3 == 2/ { printf("%d %d\n", vtimestamp - self->v, timestamp - self->t); }"#;
    let seen = observe(PROGRAM, "builtins_work", &[])?;
    let line = seen.output.lines().first().copied().context("nothing")?.to_owned();
    let (ran, passed) = line.split_once(' ').context("two numbers")?;
    let (ran, passed) = (ran.parse::<i64>()?, passed.parse::<i64>()?);
    let truth = seen.report.number("ran")?;
    // The thread's own clock leaves out interrupts, and what a machine that is a guest had to wait for its host.
    ensure!(ran > truth - 10_000_000, "ran {ran}, and by its own clock {truth}: {seen:?}");
    ensure!(ran < passed - SLEEP.as_nanos() as i64 + 10_000_000, "{passed} passed, {ran} ran");
    Ok(())
}

fn arguments() -> Result<()> {
    const PROGRAM: &str =
        r#"syscall::execve:return, syscall::exit_group:entry /pid == $target/ { printf("%s|", execargs); }"#;
    let output = run(&["-q", "-n", PROGRAM, "-c", "/bin/echo -n one two"])?.success()?;
    ensure!(output.stdout.contains("/bin/echo -n one two|"), "{output:?}");
    Ok(())
}

fn cpu() -> Result<()> {
    let program = r#"BEGIN { printf("%d %d %d %d %d\n", cpu, curcpu->cpu_id, curcpu->cpu_pset, curcpu->cpu_chip, curcpu->cpu_lgrp); exit(0); }"#;
    let output = run(&["-q", "-n", program])?.success()?;
    let numbers: Vec<u32> = output.stdout.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [cpu, id, set, chip, node] = numbers[..] else { bail!("{output:?}") };
    let directory = format!("/sys/devices/system/cpu/cpu{cpu}");
    let truth = std::fs::read_to_string(format!("{directory}/topology/physical_package_id"))?;
    ensure!((id, set) == (cpu, 0) && truth.trim() == chip.to_string(), "{output:?}, chip {truth}");
    let nodes = Path::new("/sys/devices/system/node").exists();
    ensure!(!nodes || Path::new(&format!("{directory}/node{node}")).exists(), "{output:?}");
    Ok(())
}

/// Where a member of a kernel's structure lies.
fn offset(structure: &str, member: &str) -> Result<u32> {
    let target = Target::describe().map_err(|refusal| anyhow!("{refusal:?}"))?;
    let types = target.types.context("no types")?;
    let btf = types.kernel();
    Ok(btf.field(structure, member).with_context(|| format!("no {structure}.{member}"))?.offset)
}

/// D for what a pointer in a structure of the kernel leads to.
fn follow(base: &str, structure: &str, member: &str) -> Result<String> {
    Ok(format!("*(uintptr_t *)({base} + {})", offset(structure, member)?))
}

fn path() -> Result<()> {
    let fs = follow("(uintptr_t)curthread", "task_struct", "fs")?;
    let place = offset("fs_struct", "pwd")?;
    let program = format!(
        "syscall::exit_group:entry /pid == $target/ {{ printf(\"%s %d\\n\", d_path((void *)({fs} + {place})), d_path((void *)({fs} + {place})) == cwd); }}"
    );
    let directory = std::env::temp_dir().join(format!("tracer-path-{}", std::process::id()));
    std::fs::create_dir_all(directory.join("inner"))?;
    let truth = directory.canonicalize()?;
    let command = format!("sh -c 'cd {}/inner/..; exit 0'", directory.display());
    let output = run(&["-q", "-n", &program, "-c", &command]);
    std::fs::remove_dir_all(&directory)?;
    let output = output?.success()?;
    ensure!(output.stdout.contains(&format!("{} 1\n", truth.display())), "{output:?}");
    let output =
        run(&["-q", "-n", "BEGIN { trace(d_path((void *)8)); } ERROR { printf(\"%d\", arg4); exit(0); }"])?;
    ensure!(output.success()?.stdout.trim() == "1", "a bad address");
    Ok(())
}

/// Lists a directory again and again, whose descriptor is known twice, for half a second of a CPU's time.
fn lists(_: &[String]) -> Result<Report> {
    let directory = std::fs::File::open("/proc")?;
    let descriptor = directory.as_raw_fd();
    // The kernel locks a file's position where more than one may use it.
    let other = directory.try_clone()?;
    let until = thread_time() + Duration::from_millis(500);
    let mut buffer = vec![0_u8; 1 << 16];
    mark(descriptor.into());
    while thread_time() < until {
        // SAFETY: the buffer has that many bytes.
        unsafe {
            libc::syscall(libc::SYS_getdents64, descriptor, buffer.as_mut_ptr(), buffer.len());
            libc::lseek(descriptor, 0, libc::SEEK_SET);
        }
    }
    mark(-1);
    drop(other);
    Ok(Report::default())
}

fn locks() -> Result<()> {
    // The address of the file by way of the table of descriptors; its lock is had in the kernel, and never outside.
    let files = follow("(uintptr_t)curthread", "task_struct", "files")?;
    let table = follow(&files, "files_struct", "fdt")?;
    let file = format!("*(uintptr_t *)({} + arg3 * 8)", follow(&table, "fdtable", "fd")?);
    let (position, inode) = (offset("file", "f_pos_lock")?, offset("file", "f_inode")?);
    let semaphore = offset("inode", "i_rwsem")?;
    let program = format!(
        r#"void *lock; struct rw_semaphore *sem;
        syscall::pread64:entry /pid == $1 && arg3 < 1000/ {{
            lock = (void *)({file} + {position}); sem = (struct rw_semaphore *)(*(uintptr_t *)({file} + {inode}) + {semaphore});
            printf("%d %d %d\n", mutex_owned(lock), mutex_type_adaptive(lock), mutex_type_spin(lock));
        }}
        syscall::pread64:entry /pid == $1 && arg3 > 1000/ {{ lock = 0; }}
        profile-997 /pid == $1 && lock && mutex_owned(lock)/ {{
            owned++; right += (uintptr_t)mutex_owner(lock) == (uintptr_t)curthread; kernel += arg0 != 0;
            reading += rw_read_held(sem); writing += rw_write_held(sem) + rw_iswriter(sem);
        }}
        profile-997 /pid == $1 && lock && arg1 && mutex_owned(lock)/ {{ wrong++; }}
        END {{ printf("%d %d %d %d %d %d\n", owned, owned - right, owned - kernel, wrong, reading, writing); }}"#
    );
    let program = format!("int owned, right, kernel, wrong, reading, writing;\n{program}");
    let seen = observe(&program, "builtins_lists", &[])?;
    let lines = seen.output.lines();
    ensure!(lines.first() == Some(&"0 1 0"), "{seen:?}");
    let numbers: Vec<i64> =
        lines[1].split_whitespace().map(str::parse).collect::<Result<_, _>>().context("numbers")?;
    let [owned, wrong_owner, outside, in_user, reading, writing] = numbers[..] else { bail!("{seen:?}") };
    ensure!(owned > 10 && wrong_owner == 0 && outside == 0 && in_user == 0, "{seen:?}");
    ensure!(reading > 0 && writing == 0, "{seen:?}");
    Ok(())
}

fn locks_of_readers_and_writers() -> Result<()> {
    // Free, two readers, a writer who waits for them, a writer, as include/asm-generic/qrwlock.h has it.
    let states = [("0", "000"), ("0x400", "100"), ("0x500", "101"), ("0xff", "011")];
    let asks = states.map(|(word, _)| {
        format!("*this->word = {word}; printf(\"%d%d%d\\n\", rw_read_held(this->lock), rw_write_held(this->lock), rw_iswriter(this->lock));")
    });
    let program = format!(
        "BEGIN {{ this->word = (uint32_t *)alloca(8); this->lock = (rwlock_t *)this->word; {} exit(0); }}",
        asks.concat()
    );
    let output = run(&["-q", "-n", &program])?.success()?;
    ensure!(output.lines() == states.map(|state| state.1), "{output:?}");
    Ok(())
}

fn constants() -> Result<()> {
    let program = r#"BEGIN { printf("%s %d %s %d\n", zonename, jid, jailname, ipl); exit(0); }"#;
    let output = run(&["-q", "-n", program])?.success()?;
    ensure!(output.lines() == ["global 0 0 0"], "{output:?}");
    Ok(())
}
