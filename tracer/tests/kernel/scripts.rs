//! The scripts of `scripts/`: each compiles, runs on its workload to the end, and says what its sample says.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Result, ensure};

use crate::harness::run::Output;
use crate::harness::{Family, skip, tracer};

pub(crate) const FAMILY: Family = Family {
    name: "scripts",
    tests: &[
        ("signals_tells_what_becomes_of_each", signals),
        ("pipes_tells_who_moves_how_much", pipes),
        ("sockets_tells_the_calls_and_their_ends", sockets),
        ("tcp_tells_segments_and_states", tcp),
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
    fs::write(place("sh"), script.workload)?;
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

fn every_script_is_tested() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts");
    let Ok(entries) = fs::read_dir(folder) else { return skip("the sources are not here") };
    let tested = [SIGNALS, PIPES, SOCKETS, TCP].map(|script| script.name);
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
