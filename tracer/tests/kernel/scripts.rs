//! The scripts of `scripts/`: each compiles, runs on its workload to the end, and says what its sample says.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use anyhow::{Result, ensure};

use crate::harness::run::Output;
use crate::harness::{Family, emulated, skip, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "scripts",
    tests: &[
        ("signals_tells_what_becomes_of_each", signals),
        ("pipes_tells_who_moves_how_much", pipes),
        ("sockets_tells_the_calls_and_their_ends", sockets),
        ("tcp_tells_segments_and_states", tcp),
        ("opens_tells_descriptors_and_errors", opens),
        ("execs_tells_programs_and_their_ends", execs),
        ("syscalls_tells_who_calls_and_what_takes_long", syscalls),
        ("failures_tells_calls_that_fail_and_no_others", failures),
        ("sigmatrix_counts_each_pair", sigmatrix),
        ("piperate_tells_bytes_and_waits_by_tenths", piperate),
        ("tcplife_tells_each_end_of_each_connection", tcplife),
        ("files_tells_bytes_by_file", files),
        ("waits_tells_running_from_waiting", waits),
        ("threads_tells_their_lives", threads),
        ("rundelay_tells_queues_and_slices", rundelay),
        ("hot_tells_functions_and_stacks", hot),
        ("sched_tells_who_runs_and_who_waits", sched),
        ("io_tells_requests_with_their_files", io),
        ("udp_tells_datagrams_and_their_owners", udp),
        ("every_script_is_tested", every_script_is_tested),
    ],
    workloads: &[],
};

/// A script with its workload, which needs these programs.
struct Script {
    name: &'static str,
    text: &'static str,
    workload: &'static str,
    needs: &'static [&'static str],
}

macro_rules! script {
    ($name:literal, $($needs:literal),*) => {
        Script {
            name: $name,
            text: include_str!(concat!("../../../scripts/", $name, ".d")),
            workload: include_str!(concat!("../../../scripts/", $name, ".sh")),
            needs: &[$($needs),*],
        }
    };
}

const SIGNALS: Script = script!("signals", "sh", "sleep");
const PIPES: Script = script!("pipes", "sh", "dd", "sleep", "cat", "yes", "head");
const SOCKETS: Script = script!("sockets", "sh", "perl");
const TCP: Script = script!("tcp", "sh", "perl");
const OPENS: Script = script!("opens", "sh", "cat", "rm");
const EXECS: Script = script!("execs", "sh");
const SYSCALLS: Script = script!("syscalls", "sh", "dd", "cat", "sleep");
const FAILURES: Script = script!("failures", "sh", "cat", "mkdir", "rmdir", "ls");
const SIGMATRIX: Script = script!("sigmatrix", "sh", "sleep", "yes", "head");
const PIPERATE: Script = script!("piperate", "sh", "dd", "sleep", "cat");
const TCPLIFE: Script = script!("tcplife", "sh", "perl");
const FILES: Script = script!("files", "sh", "dd", "head", "rm");
const WAITS: Script = script!("waits", "sh", "dd", "sleep", "cat");
const THREADS: Script = script!("threads", "sh", "perl");
const RUNDELAY: Script = script!("rundelay", "sh", "awk", "sleep");
const HOT: Script = script!("hot", "sh", "perl", "dd");
const SCHED: Script = script!("sched", "sh", "sleep", "cat");
const IO: Script = script!("io", "sh", "dd", "rm");
const UDP: Script = script!("udp", "sh", "perl");
const ALL: [Script; 19] = [
    SIGNALS, PIPES, SOCKETS, TCP, OPENS, EXECS, SYSCALLS, FAILURES, SIGMATRIX, PIPERATE, TCPLIFE, FILES,
    WAITS, THREADS, RUNDELAY, HOT, SCHED, IO, UDP,
];

/// Runs a script on its workload. They lie in files of their own, as they may be run where nothing but this binary is.
fn run(script: &Script) -> Result<Output> {
    let path = std::env::var("PATH").unwrap_or_default();
    let there = |program: &str| std::env::split_paths(&path).any(|place| place.join(program).exists());
    if let Some(missing) = script.needs.iter().find(|program| !there(program)) {
        return skip(format!("the workload needs {missing}"));
    }
    let folder = format!("/tmp/tracer-test-scripts-{}-{}", std::process::id(), script.name);
    fs::create_dir_all(&folder)?;
    let place = |end: &str| format!("{folder}/{}.{end}", script.name);
    fs::write(place("d"), script.text)?;
    // What computes millions does so for minutes on an emulated machine: a tenth is much there.
    let scale = if emulated() { "00000; " } else { "000000; " };
    fs::write(place("sh"), script.workload.replace("000000; ", scale))?;
    fs::set_permissions(place("sh"), fs::Permissions::from_mode(0o755))?;
    let compiled = tracer(&["-e", "-s", &place("d"), "-c", &place("sh")])?.success()?;
    ensure!(compiled.stdout.is_empty() && compiled.stderr.is_empty(), "{compiled:#?}");
    let output = tracer(&["-s", &place("d"), "-c", &place("sh")]);
    fs::remove_dir_all(&folder)?;
    let output = output?.success()?;
    // A shell tells there, too, by which signals its children end.
    ensure!(!output.stderr.contains("tracer: "), "{output:#?}");
    Ok(output)
}

/// For each row of words a line that holds them all, in this order.
fn expect(output: &Output, rows: &[&[&str]]) -> Result<()> {
    for row in rows {
        let holds = |line: &&str| {
            row.iter().try_fold(*line, |rest, word| rest.split_once(word).map(|(_, after)| after)).is_some()
        };
        ensure!(output.lines().iter().any(holds), "no line with {row:?} in:\n{}", output.stdout);
    }
    Ok(())
}

fn signals() -> Result<()> {
    let output = run(&SIGNALS)?;
    expect(
        &output,
        &[
            &["EVENT", "SIGNAL", "FROM", "TO", "OUTCOME"],
            &["send", "10", "queued"],
            &["handle", "10", "handler runs"],
            &["send", "12", "ignored"],
            &["send", "15", "queued"],
            &["ends by", "15"],
            &["ends by", "9"],
            &["FROM", "TO", "SIGNAL", "COUNT"],
        ],
    )
}

fn pipes() -> Result<()> {
    let output = run(&PIPES)?;
    // 64 blocks of 4096 bytes.
    expect(
        &output,
        &[
            &["creates pipe", "65536 bytes"],
            &["writes to pipe", "which nobody reads any more"],
            &["PIPE", "WRITER", "BYTES"],
            &[" dd ", "262144"],
            &[" cat ", "262144"],
            &["for data"],
            &["for room"],
            &["Distribution"],
        ],
    )
}

fn sockets() -> Result<()> {
    let output = run(&SOCKETS)?;
    expect(
        &output,
        &[
            &["connects to 127.0.0.1:", "yes"],
            &["accepts 127.0.0.1:"],
            &["connects to 127.0.0.1:1: no"],
            &["connects to /nowhere/log: no"],
            &["perl", "listen", "1"],
            &["perl", "connect", "3"],
            &["perl", "write", "21"],
            // ENOENT and ECONNREFUSED.
            &["perl", "connect", " 2 ", " 1"],
            &["perl", "connect", "111", " 1"],
            &["Distribution"],
        ],
    )
}

fn tcp() -> Result<()> {
    let output = run(&TCP)?;
    expect(
        &output,
        &[
            &["state-closed -> state-listen"],
            &["send", "S seq", "0 bytes"],
            &["receive S. seq"],
            &["state-syn-sent -> state-established"],
            &["send", "P. seq", "15 bytes"],
            &["receive P. seq", "22 bytes"],
            &["state-fin-wait-2 -> state-time-wait"],
            &["is refused by 127.0.0.1:"],
        ],
    )
}

fn opens() -> Result<()> {
    let output = run(&OPENS)?;
    expect(
        &output,
        &[
            &["PROCESS", "PID", "MODE", "FD", "ERROR", "PATH"],
            &["opens.sh", " w ", " - ", "/tmp/opens."],
            &["cat", " r ", "-1 ENOENT ", "/tmp/opens.missing"],
            &["cat", " r ", "-1 ENOTDIR", "/etc/passwd/name"],
            &["opens.sh", " w ", "-1 EISDIR", "/etc"],
            &["cat", "ENOTDIR", " 1"],
        ],
    )
}

fn execs() -> Result<()> {
    let output = run(&EXECS)?;
    expect(
        &output,
        &[
            &["MICROS", "PID", "PPID", "WHAT"],
            &["  /bin/true one"],
            &["    /bin/true two"],
            &["  /bin/true three"],
            &["/nowhere/program: error 2"],
            &["sh ends: status 7"],
            &["sh ends: signal 15"],
            &["execs.sh ends: status 0"],
            &["Distribution"],
        ],
    )
}

fn syscalls() -> Result<()> {
    let output = run(&SYSCALLS)?;
    expect(
        &output,
        &[
            &["PROGRAM", "CALLS", "FAILED", "MICROSECONDS"],
            &["what took longest"],
            &["nanosleep", "10"],
            &["syscalls.sh", "wait4"],
            &["Distribution"],
        ],
    )?;
    // Each block is read and written.
    let row = output.lines().into_iter().find(|line| line.starts_with("dd "));
    let calls: Option<u32> = row.and_then(|row| row.split_whitespace().nth(1)?.parse().ok());
    ensure!(calls.is_some_and(|calls| (4000..6000).contains(&calls)), "{output:#?}");
    Ok(())
}

fn failures() -> Result<()> {
    let output = run(&FAILURES)?;
    expect(
        &output,
        &[
            &["cat", "openat(\"/nowhere/file\") fails with error 2"],
            &["mkdir", "mkdir(\"/tmp\") fails with error 17"],
            &["rmdir", "rmdir(\"/nowhere/folder\") fails with error 2"],
            &["failures.sh", "execve(\"/nowhere/program\") fails with error 2"],
            &["CALL", "ERROR", "COUNT"],
            &["mkdir", "17", " 1"],
        ],
    )?;
    ensure!(!output.stdout.contains("/etc/passwd"), "that one did not fail: {}", output.stdout);
    Ok(())
}

fn sigmatrix() -> Result<()> {
    let output = run(&SIGMATRIX)?;
    expect(
        &output,
        &[
            &["FROM", "TO", "INT", "KILL", "TERM", "USR1", "PIPE", "CHLD", "ALL"],
            &["sh ", "sh ", "1     0     0     3     0", "4"],
            &["sigmatrix.sh ", "sleep ", "0     1     1     0     0     0     2"],
            &["yes ", "yes ", "0     0     0     0     1     0     1"],
        ],
    )
}

fn piperate() -> Result<()> {
    let output = run(&PIPERATE)?;
    expect(
        &output,
        &[
            &["TENTH", "PIPE", "PROCESS", "BYTES", "WRITES", "WAITED"],
            &["     2"],
            &["dd ", "1000000"],
            &["piperate.sh", "28"],
            &["Distribution"],
        ],
    )
}

fn tcplife() -> Result<()> {
    let output = run(&TCPLIFE)?;
    expect(
        &output,
        &[
            &["PROCESS", "HERE", "THERE", "MICROS", "SENT", "RECEIVED", "END"],
            &["perl", "server", "->", " 10        3"],
            &["perl", "client", "->", " 3       10"],
            &["perl", "server", "->", " 100000        7"],
            &["perl", "client", "->", " 7   100000"],
            &["perl", "client", "->", " 2        0  reset"],
            &["perl", "client", "->", " 0        0  never was"],
            &["never was", " 1"],
            &["reset", " 2"],
        ],
    )
}

fn files() -> Result<()> {
    let output = run(&FILES)?;
    expect(
        &output,
        &[
            &["PROGRAM", "HAS", "BYTES", "CALLS", "LEAST", "MOST", "FILE"],
            &["dd", "read", "65536     16   4096   4096  /dev/zero"],
            &["dd", "written", "65536     16   4096   4096  /tmp/files."],
            &["dd", "read", "65536    128    512    512  /tmp/files."],
            &["dd", "written", "65536    128    512    512  /tmp/files.", ".copy"],
            &["head", "read", "/tmp/files.", ".copy"],
        ],
    )
}

fn waits() -> Result<()> {
    let output = run(&WAITS)?;
    expect(&output, &[&["CALL", "COUNT", "RAN", "WAITED"]])?;
    let row = |call: &str| -> Option<Vec<u64>> {
        let row = output.lines().into_iter().find(|line| line.starts_with(call))?;
        Some(row.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect())
    };
    // Two sleeps of a tenth of a second; 200 reads of a million zeros, and one that waits for the late line, if it is not late itself.
    let slept = row("clock_nanosleep ").or_else(|| row("nanosleep "));
    ensure!(slept.is_some_and(|row| row[0] == 2 && row[2] >= 200_000 && row[1] < row[2]), "{output:#?}");
    ensure!(row("read ").is_some_and(|row| row[0] > 200 && row[1] > 1000), "{output:#?}");
    Ok(())
}

fn threads() -> Result<()> {
    let trial = std::process::Command::new("perl").args(["-Mthreads", "-e", "1"]).output();
    if !trial.is_ok_and(|trial| trial.status.success()) {
        return skip("the workload needs a perl with threads");
    }
    let output = run(&THREADS)?;
    expect(
        &output,
        &[
            &["MICROS", "PROGRAM", "PID", "THREAD", "WHAT"],
            &["perl", "begins thread"],
            &["perl", "begins process"],
            &["perl", "ends after", "calls: it lived", "microseconds and ran"],
            &["PROGRAM", "THREADS", "COUNT", "CALLS", "MEAN LIFE"],
            &["true", "first", " 1 "],
            &["perl", "others", " 2 "],
        ],
    )
}

fn rundelay() -> Result<()> {
    let output = run(&RUNDELAY)?;
    expect(
        &output,
        &[
            &["microseconds in the queue"],
            &["microseconds on the CPU"],
            &["Distribution"],
            &["PROGRAM", "LEAVES", "TIMES"],
            &["awk", "for another"],
            &["sleep", "to wait"],
        ],
    )
}

fn hot() -> Result<()> {
    let output = run(&HOT)?;
    expect(
        &output,
        &[&["PROGRAM", "FUNCTION", "SAMPLES"], &["perl", "perl", "`"], &["dd", "vmlinux`"], &["-"]],
    )?;
    ensure!(output.stdout.contains("\n-\nperl\n"), "{output:#?}");
    Ok(())
}

fn sched() -> Result<()> {
    let output = run(&SCHED)?;
    expect(
        &output,
        &[
            &["PROGRAM", "ON CPU", "PREEMPTED", "RAN us"],
            &["sleep "],
            &["cat "],
            &["LONGEST SLEEP"],
            &["at a time on a CPU:"],
            &["in the queue of a CPU:"],
            &["CPU 0"],
            &["Distribution"],
        ],
    )
}

fn io() -> Result<()> {
    let directory = std::env::var("TRACER_TEST_DISK").unwrap_or_else(|_| "/tmp".to_owned());
    let device = fs::metadata(&directory)?.dev();
    let device = format!("/sys/dev/block/{}:{}", libc::major(device), libc::minor(device));
    let Ok(device) = fs::canonicalize(device) else { return skip("no file system on a block device here") };
    let device = device.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let file = format!("{directory}/tracer-io-sample");
    let output = run(&IO)?;
    expect(
        &output,
        &[
            &["DEVICE", "PROGRAM", "BYTES", "TIME us", "FILE"],
            &[&device, "dd", "W", &file],
            &[&device, "dd", "R", &file],
            &["from start to done:"],
        ],
    )?;
    // In what pieces is the file system's choice.
    let cells = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let written =
        output.lines().into_iter().map(cells).filter(|row| row.len() == 6 && row[2] == "W" && row[5] == file);
    let bytes: u64 = written.map(|row| row[3].parse::<u64>()).sum::<Result<_, _>>()?;
    ensure!(bytes == 4 * 65536 + 8 * 4096, "{bytes} bytes written: {output:?}");
    Ok(())
}

fn udp() -> Result<()> {
    let output = run(&UDP)?;
    expect(
        &output,
        &[
            &["perl", "send", "127.0.0.1:", "-> 127.0.0.1:", ", 5 bytes"],
            &["perl", "receive", ", 800 bytes"],
            &["perl", "receive", "6", "1632"],
            &["perl", "send", "6", "1632"],
            &["lo UDP"],
        ],
    )
}

fn every_script_is_tested() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts");
    let Ok(entries) = fs::read_dir(folder) else { return skip("the sources are not here") };
    let tested = ALL.map(|script| script.name);
    for path in entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "d"))
    {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        ensure!(tested.contains(&&*name), "{name} has no test here");
        ensure!(path.with_extension("txt").exists(), "{name} has no sample of what it says");
        let mode = fs::metadata(path.with_extension("sh"))?.permissions().mode();
        ensure!(mode & 0o111 != 0, "the workload of {name} cannot be run");
    }
    Ok(())
}
