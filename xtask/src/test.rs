//! `cargo xtask test`: everything that shows that the tracer works, from fast to real. Stages run one after another, the virtual
//! machines side by side; a stage that fails does not keep the others from running.

use std::io::{BufRead, BufReader, IsTerminal};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::probes::Rebuilt;
use crate::shell::{as_root, capture, cargo, describe, find, is_root, root, run};
use crate::tally::{self, Stage};
use crate::vm::{self, KERNELS, Kernel, Programs};
use crate::{dist, probes};

/// Options of `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Run these stages only
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Of the virtual machines, run this kernel's only (6.1, 6.12)
    #[arg(long, value_name = "VERSION")]
    kernel: Option<String>,
    /// Run only the tests whose names contain this; leaves out the checks of format, lints and probes
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Probes, format, lints; unit, golden and command-line tests
    Unit,
    /// Kernel tests on the kernel that is running
    Kernel,
    /// Kernel tests in virtual machines
    Vm,
    /// What `cargo xtask dist` makes, installed and run in a clean root
    Dist,
}

/// Runs the command. The last line that it prints is the counts.
pub(crate) fn main(options: &Options) -> Result<()> {
    let kernels = chosen_kernels(options)?;
    let wanted = |part| options.only.is_none_or(|only| only == part);
    let mut stages = Vec::new();
    if wanted(Part::Unit) {
        if options.filter.is_none() {
            stages.push(timed("probes are fresh", check_probes));
            stages.push(timed("format", || cargo_check("format", "rustfmt", &["fmt", "--all", "--check"])));
            let clippy = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"];
            stages.push(timed("lints", || cargo_check("lints", "clippy", &clippy)));
        }
        stages.push(timed("unit", || test_units(options)));
    }
    if wanted(Part::Kernel) && options.kernel.is_none() {
        stages.push(timed(&format!("kernel {}", release()), || test_here(options)));
    }
    if wanted(Part::Vm) {
        stages.extend(test_in_machines(options, &kernels));
    }
    if wanted(Part::Dist) && options.kernel.is_none() {
        stages.push(timed("dist", || dist::test(options.filter.as_deref())));
    }
    println!("{}", tally::render(&stages));
    // The counts have to stay the last line: nothing more is said about the failure.
    std::process::exit(i32::from(stages.iter().any(|stage| stage.failed > 0)));
}

fn chosen_kernels(options: &Options) -> Result<Vec<&'static Kernel>> {
    let Some(version) = &options.kernel else { return Ok(KERNELS.iter().collect()) };
    let Some(kernel) = KERNELS.iter().find(|kernel| kernel.version == version) else {
        bail!("there is no kernel {version}: choose one of {:?}", KERNELS.map(|kernel| kernel.version));
    };
    Ok(vec![kernel])
}

/// Runs a stage; where it cannot run to its end, that is a failure.
fn timed(name: &str, stage: impl FnOnce() -> Result<Stage>) -> Stage {
    println!("\n== {name}");
    let start = Instant::now();
    let mut stage = stage().unwrap_or_else(|error| {
        println!("error: {error:#}");
        Stage::check(name, false)
    });
    stage.name = name.to_owned();
    stage.took = start.elapsed();
    stage
}

/// Fails when the checked-in object is stale or not what building it gives.
fn check_probes() -> Result<Stage> {
    let mut skipped = None;
    let fresh = probes::check().and_then(|()| match probes::rebuild()? {
        Rebuilt::Same => Ok(()),
        Rebuilt::Other => bail!("{}", probes::OTHER),
        Rebuilt::Elsewhere(why) => {
            skipped = Some(format!("building them again: {why}"));
            Ok(())
        }
    });
    if let Err(error) = &fresh {
        println!("error: {error:#}");
    }
    let mut stage = Stage::check("", fresh.is_ok());
    stage.skips.extend(skipped);
    Ok(stage)
}

/// Runs cargo with a component of the toolchain that may not be there yet.
fn cargo_check(name: &str, component: &str, arguments: &[&str]) -> Result<Stage> {
    if find("rustup").is_some() && capture(cargo().args([arguments[0], "--version"])).is_err() {
        run(Command::new("rustup").args(["component", "add", component]))?;
    }
    Ok(Stage::check(name, run(cargo().args(arguments)).is_ok()))
}

/// Where random tests begin: the same in every run, so that what fails is of the change that is tested.
const RANDOM_SEED: (&str, &str) = ("PROPTEST_RNG_SEED", "20");

/// All tests but the kernel tests.
fn test_units(options: &Options) -> Result<Stage> {
    let mut command = cargo();
    if std::env::var_os(RANDOM_SEED.0).is_none() {
        command.env(RANDOM_SEED.0, RANDOM_SEED.1);
    }
    command.args(["test", "--workspace", "--no-fail-fast", "--quiet", "--lib", "--bins"]);
    for name in integration_tests()?.iter().filter(|name| *name != "kernel") {
        command.args(["--test", name]);
    }
    // --quiet is cargo's; the harness's own would not name what it skips.
    command.args(["--", "--format=pretty"]).args(&options.filter);
    let (text, succeeded) = stream(&mut command)?;
    Ok(Stage::tests("unit", &text, succeeded))
}

/// The names of the workspace's integration tests.
fn integration_tests() -> Result<Vec<String>> {
    let metadata = capture(cargo().args(["metadata", "--no-deps", "--format-version=1"]))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let targets = list(&metadata["packages"]).into_iter().flat_map(|package| list(&package["targets"]));
    let tests = targets.filter(|target| list(&target["kind"]).iter().any(|kind| kind == "test"));
    Ok(tests.filter_map(|target| Some(target["name"].as_str()?.to_owned())).collect())
}

/// Builds the tracer and the kernel tests: for this machine as everyone builds them, for machines that have nothing linked
/// statically. (Here that would not do: glibc, when it is static, cannot look up users and groups.)
fn build_programs(linked_statically: bool) -> Result<Programs> {
    let mut command = cargo();
    command.args(["test", "--no-run", "--quiet", "--package", "tracer", "--test", "kernel"]);
    command.arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit());
    if linked_statically {
        let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        command.args(["--profile", "vm", "--target-dir", "target/static", "--target", &target]);
        command.env("RUSTFLAGS", "-Ctarget-feature=+crt-static");
    }
    let messages = capture(&mut command)?;
    let find = |name: &str| {
        let messages =
            messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let mut named = messages.filter(|message| message["target"]["name"] == name);
        let path = named.find_map(|message| Some(PathBuf::from(message["executable"].as_str()?)));
        path.with_context(|| format!("cargo did not say where it put {name}"))
    };
    Ok(Programs { tracer: find("tracer")?, tests: find("kernel")? })
}

/// The version of the kernel that is running.
fn release() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    release.trim().split('-').next().unwrap_or_default().to_owned()
}

/// The kernel tests on the kernel that is running, as root if that can be had: without, they skip themselves.
fn test_here(options: &Options) -> Result<Stage> {
    let programs = build_programs(false)?;
    let may_ask = std::io::stdin().is_terminal();
    let sudo =
        || capture(Command::new("sudo").args(["-n", "true"])).is_ok() || may_ask && find("sudo").is_some();
    let mut command = if is_root() || sudo() { as_root("env") } else { Command::new("env") };
    command.arg(format!("TRACER_BIN={}", programs.tracer.display())).arg(&programs.tests);
    command.args(harness_arguments(options)).current_dir(root());
    let (text, succeeded) = stream(&mut command)?;
    Ok(Stage::tests("", &text, succeeded))
}

/// The kernel tests on other kernels, all machines at the same time.
fn test_in_machines(options: &Options, kernels: &[&'static Kernel]) -> Vec<Stage> {
    let name = |kernel: &Kernel| format!("kernel {} in QEMU", kernel.version);
    if let Some(obstacle) = vm::obstacle() {
        return kernels.iter().map(|kernel| Stage::skipped(&name(kernel), &obstacle)).collect();
    }
    println!("\n== kernel tests in QEMU");
    let programs = match build_programs(true) {
        Ok(programs) => programs,
        Err(error) => {
            println!("error: {error:#}");
            return kernels.iter().map(|kernel| Stage::check(&name(kernel), false)).collect();
        }
    };
    // One after another: apt and dpkg have their locks.
    let images: Vec<_> = vm::install().map_or_else(
        |error| kernels.iter().map(|_| Err(anyhow::anyhow!("{error:#}"))).collect(),
        |()| kernels.iter().map(|kernel| kernel.fetch()).collect(),
    );
    let arguments = harness_arguments(options);
    let test = |kernel: &Kernel, image: Result<PathBuf>| {
        timed(&name(kernel), || {
            let (console, status) = kernel.test(&image?, &programs, &arguments)?;
            println!("-- kernel {}\n{console}", kernel.version);
            Ok(Stage::tests("", &console, status == 0))
        })
    };
    std::thread::scope(|scope| {
        let started: Vec<_> = kernels
            .iter()
            .zip(images)
            .map(|(kernel, image)| scope.spawn(move || test(kernel, image)))
            .collect();
        started.into_iter().map(|machine| machine.join().expect("a stage does not panic")).collect()
    })
}

fn harness_arguments(options: &Options) -> Vec<String> {
    let fixed = ["--color=never", "--test-threads=1"].map(str::to_owned);
    fixed.into_iter().chain(options.filter.clone()).collect()
}

/// Runs a command, shows its standard output as it comes, and returns it, and whether the command succeeded.
fn stream(command: &mut Command) -> Result<(String, bool)> {
    println!("$ {}", describe(command));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut text = String::new();
    for line in BufReader::new(child.stdout.take().context("stdout is a pipe")?).lines() {
        let line = line?;
        println!("{line}");
        text += &line;
        text.push('\n');
    }
    Ok((text, child.wait()?.success()))
}
