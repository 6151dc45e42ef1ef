//! What every kernel test uses: families of tests, skipping with a reason, time limits. `run` starts the tracer, `workload` the
//! programs that it traces, and `process` sees to it that each of them ends. A test that cannot run says why and counts as skipped; it
//! never counts as passed.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use libtest_mimic::{Completion, Failed, Trial};

pub(crate) mod process;
pub(crate) mod run;
pub(crate) mod workload;

pub(crate) use run::{Observation, Tracer, observe, tracer};
pub(crate) use workload::{Report, Workload, truth};

/// The tests of one file, and the programs that they trace. Names are unique over all families.
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) tests: &'static [(&'static str, Body)],
    pub(crate) workloads: &'static [(&'static str, workload::Body)],
}

/// A test: passes with `Ok`, is skipped with a [`Skip`] as its error, fails with any other or by panicking.
pub(crate) type Body = fn() -> anyhow::Result<()>;

/// Why a test cannot run here.
#[derive(Debug)]
pub(crate) struct Skip(pub(crate) String);

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Skip {}

/// Ends the test as skipped: `return skip("no IPv6 here")`.
pub(crate) fn skip<T>(reason: impl Into<String>) -> anyhow::Result<T> {
    Err(Skip(reason.into()).into())
}

/// A family's tests as libtest-mimic wants them.
pub(crate) fn trials(family: &'static Family) -> impl Iterator<Item = Trial> {
    family.tests.iter().map(move |&(name, body)| {
        Trial::ignorable_test(format!("{}::{name}", family.name), move || {
            let start = Instant::now();
            let result = privileges().and_then(|()| attempt(family, name, body));
            took(format!("{}::{name}", family.name), start.elapsed());
            match result {
                Ok(()) => Ok(Completion::Completed),
                Err(error) => match error.downcast_ref::<Skip>() {
                    Some(skip) => Ok(Completion::ignored_with(skip)),
                    None => Err(Failed::from(format!("{error:#}"))),
                },
            }
        })
    })
}

/// What the tests took that have run.
static TIMES: Mutex<Vec<(Duration, String)>> = Mutex::new(Vec::new());

/// How many tests are named by [`slowest`].
const NAMED: usize = 10;

fn took(name: String, time: Duration) {
    TIMES.lock().unwrap_or_else(PoisonError::into_inner).push((time, name));
}

/// The tests that took longest, a line each with its seconds.
pub(crate) fn slowest() -> String {
    let mut times = TIMES.lock().unwrap_or_else(PoisonError::into_inner);
    times.sort_by(|a, b| b.cmp(a));
    let named = times.iter().take(NAMED);
    named.map(|(time, name)| format!("{:8.1} s {name}\n", time.as_secs_f64())).collect()
}

/// Runs a test, and once more where it fails, saying so: the machine is shared, and a kernel whose tracepoints another
/// tracer is just leaving can lose an event. What is wrong fails twice.
fn attempt(family: &Family, name: &str, body: fn() -> anyhow::Result<()>) -> anyhow::Result<()> {
    match body() {
        Err(error) if !error.is::<Skip>() => {
            eprintln!("AGAIN {}::{name}: {error:#}", family.name);
            body()
        }
        result => result,
    }
}

/// Whether this machine is emulated, and slow.
pub(crate) fn emulated() -> bool {
    std::env::var_os("TRACER_TEST_PATIENCE").is_some()
}

/// `limit`, or longer where TRACER_TEST_PATIENCE says that this machine is slower (one without hardware virtualization is).
pub(crate) fn patience(limit: Duration) -> Duration {
    let factor = std::env::var("TRACER_TEST_PATIENCE").ok().and_then(|factor| factor.parse().ok());
    limit * factor.unwrap_or(1)
}

/// Waits until that is so, as long as a process may take.
pub(crate) fn until(what: &str, mut done: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let deadline = Instant::now() + patience(process::LIMIT);
    while !done()? {
        anyhow::ensure!(Instant::now() <= deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Skips where the kernel would not let us trace.
fn privileges() -> anyhow::Result<()> {
    const NEEDED: [(u32, &str); 3] = [(21, "CAP_SYS_ADMIN"), (38, "CAP_PERFMON"), (39, "CAP_BPF")];
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap_or_default();
    let held = u64::from_str_radix(line.trim(), 16)?;
    match NEEDED.iter().find(|(bit, _)| held & 1 << bit == 0) {
        Some((_, name)) => skip(format!("needs {name}: run as root")),
        None => Ok(()),
    }
}
