//! The providers of counts: cpc against what the kernel counted of the workload, sysinfo, vminfo and mib against what it did.

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use tracer::kernel::Target;

use crate::harness::{Family, Observation, Report, observe, tracer, workload};

pub(crate) const FAMILY: Family = Family {
    name: "counts",
    tests: &[
        ("page_faults_are_those_that_the_kernel_counted", page_faults),
        ("a_counter_counts_in_user_code_or_in_the_kernel", modes),
        ("each_so_many_events_make_a_firing", each_so_many),
        ("calls_that_read_and_write_tell_how_much", calls_tell_how_much),
        ("processes_and_switches_are_counted", processes_and_switches),
        ("connections_are_counted", connections_are_counted),
        ("the_clock_ticks_for_who_runs", the_clock_ticks),
    ],
    workloads: &[
        ("counts_touch", touch),
        ("counts_compute", compute),
        ("counts_copy", copy),
        ("counts_processes", processes),
        ("counts_connect", connect),
    ],
};

/// The number behind a word at a line's beginning; 0 where there is no such line, as an aggregation that has nothing prints none.
fn count(seen: &Observation, word: &str) -> Result<i64> {
    let found = seen.output.stdout.lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
    found.map_or(Ok(0), |number| number.parse().with_context(|| format!("{word}: {seen:?}")))
}

fn page_faults() -> Result<()> {
    const PROGRAM: &str = r#"
        cpc:::page_faults-all-1 /pid == $1/ { @all = count(); }
        cpc:::minor_faults-all-1 /pid == $1/ { @minor = count(); }
        vminfo:::as_fault /pid == $1/ { @touched = sum(arg0); }
        END { printa("all %@d\n", @all); printa("minor %@d\n", @minor); printa("touched %@d\n", @touched); }"#;
    let seen = observe(PROGRAM, "counts_touch", &["500"])?;
    let faults = seen.report.number("faults")?;
    ensure!(faults >= 500, "{seen:?}");
    for word in ["all", "minor", "touched"] {
        let counted = count(&seen, word)?;
        // Some come before the workload begins to count, and after.
        ensure!(counted >= 500 && counted < faults + 300, "{word}: {seen:?}");
    }
    Ok(())
}

/// Touches so many pages that are not there, and reports the page faults of that time.
fn touch(arguments: &[String]) -> Result<Report> {
    const PAGE: usize = 4096;
    let pages: usize = arguments[0].parse()?;
    let before = minor_faults();
    // SAFETY: memory of its own, in pages of the usual size, that is touched inside of its bounds and never given back.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let size = pages * PAGE;
        let at = libc::mmap(std::ptr::null_mut(), size, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        ensure!(at != libc::MAP_FAILED);
        libc::madvise(at, size, libc::MADV_NOHUGEPAGE);
        for page in 0..pages {
            at.cast::<u8>().add(page * PAGE).write_volatile(1);
        }
    }
    Ok(Report::default().with("faults", minor_faults() - before))
}

fn minor_faults() -> i64 {
    // SAFETY: zeros are a value of it, and getrusage fills it in.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage.ru_minflt
    }
}

fn modes() -> Result<()> {
    const PROGRAM: &str = r#"
        cpc:::cpu_clock-user-2000000 /pid == $1/ { @user = count(); }
        cpc:::cpu_clock-user-2000000 /pid == $1 && (arg0 != 0 || arg1 == 0)/ { @wrong = count(); }
        cpc:::cpu_clock-kernel-2000000 /pid == $1 && (arg0 == 0 || arg1 != 0)/ { @wrong = count(); }
        END { printa("user %@d\n", @user); printa("wrong %@d\n", @wrong); }"#;
    let seen = observe(PROGRAM, "counts_compute", &[])?;
    ensure!(count(&seen, "wrong")? == 0, "{seen:?}");
    // Half a second makes 250; a busy machine loses some.
    ensure!((10..=300).contains(&count(&seen, "user")?), "{seen:?}");
    Ok(())
}

/// Computes for half a second of a CPU's time.
fn compute(_: &[String]) -> Result<Report> {
    workload::compute(Duration::from_millis(500));
    Ok(Report::default())
}

fn each_so_many() -> Result<()> {
    // Both count the same events on each CPU, so each hundredth is there a hundred times less, but for a rest.
    const PROGRAM: &str = r#"
        cpc:::context_switches-all-1 { @each[cpu] = count(); }
        cpc:::context_switches-all-100 { @hundreds[cpu] = count(); }
        tick-1s { exit(0); }
        END { printa("%d %@d %@d\n", @each, @hundreds); }"#;
    let output = tracer(&["-q", "-n", PROGRAM])?.success()?;
    ensure!(!output.lines().is_empty(), "{output:?}");
    for line in output.lines() {
        let numbers: Vec<i64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        ensure!((numbers[1] / 100 - numbers[2]).abs() <= 1, "{output:?}");
    }
    Ok(())
}

fn calls_tell_how_much() -> Result<()> {
    const PROGRAM: &str = r#"
        sysinfo:::sysread /pid == $1/ { self->reads = 1; }
        sysinfo:::readch /pid == $1 && self->reads && arg0 == 4321/ { @read = sum(arg0); @reads = count(); }
        sysinfo:::writech /pid == $1 && arg0 == 1234/ { @written = sum(arg0); @writes = count(); }
        END { printa("read %@d\n", @read); printa("reads %@d\n", @reads);
            printa("written %@d\n", @written); printa("writes %@d\n", @writes); }"#;
    let seen = observe(PROGRAM, "counts_copy", &[])?;
    let told = ["read", "reads", "written", "writes"].map(|word| count(&seen, word).unwrap_or(-1));
    ensure!(told == [7 * 4321, 7, 3 * 1234, 3], "{seen:?}");
    Ok(())
}

/// Reads 4321 bytes seven times, in two ways, and writes 1234 three times.
fn copy(_: &[String]) -> Result<Report> {
    let zeros = File::open("/dev/zero")?;
    let mut buffer = [0; 4321];
    for _ in 0..4 {
        zeros.read_exact_at(&mut buffer, 0)?;
    }
    for _ in 0..3 {
        std::io::Read::read_exact(&mut &zeros, &mut buffer)?;
    }
    let null = File::create("/dev/null")?;
    for _ in 0..3 {
        std::io::Write::write_all(&mut &null, &buffer[..1234])?;
    }
    Ok(Report::default())
}

fn processes_and_switches() -> Result<()> {
    const PROGRAM: &str = r#"
        sysinfo:::sysfork /pid == $1/ { @forks = count(); }
        sysinfo:::sysvfork /pid == $1/ { @vforks = count(); }
        sysinfo:::nthreads /pid == $1/ { @threads = count(); }
        sysinfo:::sysexec /ppid == $1/ { @execs = count(); }
        sysinfo:::pswitch /pid == $1/ { @switches = count(); }
        END { printa("forks %@d\n", @forks); printa("vforks %@d\n", @vforks); printa("threads %@d\n", @threads);
            printa("execs %@d\n", @execs); printa("switches %@d\n", @switches); }"#;
    let seen = observe(PROGRAM, "counts_processes", &[])?;
    ensure!(count(&seen, "forks")? == 3, "{seen:?}");
    ensure!(count(&seen, "threads")? == 3 + count(&seen, "vforks")? + 2, "{seen:?}");
    ensure!(count(&seen, "vforks")? == count(&seen, "execs")?, "{seen:?}");
    ensure!(count(&seen, "execs")? <= 4 && count(&seen, "switches")? >= 10, "{seen:?}");
    Ok(())
}

/// Forks three times, makes two threads, sleeps ten times, and runs itself four times, where the C library does that by vfork(2).
fn processes(_: &[String]) -> Result<Report> {
    for _ in 0..3 {
        // SAFETY: the child ends at once.
        unsafe {
            match libc::fork() {
                0 => libc::_exit(0),
                child => libc::waitpid(child, std::ptr::null_mut(), 0),
            }
        };
    }
    for _ in 0..2 {
        std::thread::spawn(|| ()).join().map_err(|_| anyhow::anyhow!("a thread panicked"))?;
    }
    for _ in 0..10 {
        std::thread::sleep(Duration::from_millis(2));
    }
    for _ in 0..4 {
        // What it says of its arguments does not matter.
        Command::new(std::env::current_exe()?).arg("--list").output()?;
    }
    Ok(Report::default())
}

fn connections_are_counted() -> Result<()> {
    const PROGRAM: &str = r#"
        mib:::tcpActiveOpens /pid == $1/ { @active = sum(arg0); }
        mib:::tcpAttemptFails /pid == $1/ { @failed = sum(arg0); }
        mib:::tcpPassiveOpens, mib:::tcpOutRsts /pid == $1/ { @own[probename] = sum(arg0); }
        mib:::tcpPassiveOpens, mib:::tcpOutRsts { @all[probename] = sum(arg0); }
        END { printa("active %@d\n", @active); printa("failed %@d\n", @failed); printa("own-%s %@d\n", @own);
            printa("all-%s %@d\n", @all); }"#;
    let seen = observe(PROGRAM, "counts_connect", &[])?;
    ensure!(count(&seen, "active")? == 6, "{seen:?}");
    ensure!(count(&seen, "failed")? == 2, "{seen:?}");
    // On the loopback device the answer is made in the thread that asks, but for those that the softirq's own thread makes.
    let sure = |name: &str, most: i64| -> Result<bool> {
        Ok(count(&seen, &format!("own-{name}"))? <= most && count(&seen, &format!("all-{name}"))? >= most)
    };
    ensure!(sure("tcpPassiveOpens", 4)?, "{seen:?}");
    // Linux 6.1 tells of those only that a socket sends, not of those that a closed port does.
    let old = Target::describe().is_ok_and(|kernel| kernel.release.starts_with("6.1."));
    ensure!(old || sure("tcpOutRsts", 2)?, "{seen:?}");
    Ok(())
}

/// Makes four connections, and asks for two that are refused.
fn connect(_: &[String]) -> Result<Report> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    for _ in 0..4 {
        let stream = TcpStream::connect(address)?;
        drop(listener.accept()?);
        drop(stream);
    }
    drop(listener);
    for _ in 0..2 {
        ensure!(TcpStream::connect(address).is_err());
    }
    Ok(Report::default())
}

fn the_clock_ticks() -> Result<()> {
    const PROGRAM: &str = r#"
        sched:::tick /pid == $1/ { @ticks = count(); }
        sched:::tick /pid == $1 && (args[0]->pr_lwpid != tid || args[1]->pr_pid != pid)/ { @wrong = count(); }
        END { printa("ticks %@d\n", @ticks); printa("wrong %@d\n", @wrong); }"#;
    let seen = observe(PROGRAM, "counts_compute", &[])?;
    // Kernels tick 100 to 1000 times a second.
    ensure!((5..=600).contains(&count(&seen, "ticks")?) && count(&seen, "wrong")? == 0, "{seen:?}");
    Ok(())
}
