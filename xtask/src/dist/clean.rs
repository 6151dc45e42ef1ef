//! The test of what `dist` makes: it is installed and run in a clean root. The file alone has a root with nothing else in it; the
//! package a minimal Debian, made once by debootstrap in `target/dist/`, over which each check lays a layer of its own, in a
//! mount namespace that ends with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::Made;
use crate::packages;
use crate::shell::{as_root, capture, find, root, run};
use crate::tally::Stage;

/// Where a check runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a root that has the program and nothing else; `program ARGUMENTS` runs it.
    Empty,
    /// In a root that has the program, /proc and /sys.
    Bare,
    /// In a minimal Debian with the package installed.
    Debian,
    /// Here, the program that it needs installed; the package's files are unpacked in the current directory.
    Here(&'static str, &'static str),
}

/// Shell scripts that fail when what they check does not hold.
const CHECKS: &[(&str, Place, &str)] = &[
    (
        "the_file_needs_nothing",
        Place::Empty,
        "program --version | grep -q '^tracer [0-9]'; program --help | grep -q Examples",
    ),
    (
        "the_file_traces",
        Place::Bare,
        r#"test "$(program -qn 'BEGIN { printf("%d", 6 * 7); exit(0); }')" = 42"#,
    ),
    (
        "the_package_is_whole",
        Place::Debian,
        "dpkg -V tracer; dpkg -s tracer | grep -q '^Status: install ok installed'",
    ),
    (
        "the_package_traces",
        Place::Debian,
        r#"test "$(tracer -qn 'BEGIN { printf("%s", execname); exit(0); }')" = tracer"#,
    ),
    ("the_package_lists_probes", Place::Debian, "tracer -l | grep -q 'tcp.*connect-request'"),
    (
        "the_package_runs_a_command",
        Place::Debian,
        r#"test "$(tracer -qn 'syscall::getppid:entry /pid == $target/ { trace(1); }' -c 'perl -e getppid')" = 1"#,
    ),
    (
        "the_packages_scripts_run",
        Place::Debian,
        "cd /usr/share/tracer/scripts; tracer -s signals.d -c ./signals.sh > /tmp/out; grep -q 'handler runs' /tmp/out",
    ),
    (
        "the_package_can_be_removed",
        Place::Debian,
        "dpkg -P tracer; test -z \"$(find / -xdev -path /var -prune -o -path /tmp -prune -o -name '*tracer*' -print)\"",
    ),
    (
        "bash_completes",
        Place::Debian,
        "bash -ec '. /usr/share/bash-completion/completions/tracer; COMP_WORDS=(tracer --js); COMP_CWORD=1; \
         _tracer tracer --js tracer; test \"${COMPREPLY[*]}\" = --json; \
         COMP_WORDS=(tracer watch so); COMP_CWORD=2; _tracer tracer so watch; test \"${COMPREPLY[*]}\" = socket; \
         COMP_WORDS=(tracer -x bufs); COMP_CWORD=2; _tracer tracer bufs -x; test \"${COMPREPLY[*]}\" = bufsize'",
    ),
    (
        "zsh_reads_its_completions",
        Place::Here("zsh", "zsh"),
        "zsh -n usr/share/zsh/vendor-completions/_tracer",
    ),
    (
        "fish_completes",
        Place::Here("fish", "fish"),
        "fish -c 'source usr/share/fish/vendor_completions.d/tracer.fish; complete -C \"tracer --js\"; \
         complete -C \"tracer watch so\"; complete -C \"tracer -x bufs\"' | tr '\n' ' ' | grep -q '^--json.*socket.*bufsize'",
    ),
    (
        "the_manual_reads_well",
        Place::Here("groff", "groff-base"),
        "for page in usr/share/man/man8/*.gz; do zcat $page | groff -man -ww -Tutf8 2> complaints > page; \
         test ! -s complaints; test -s page; done; zcat usr/share/man/man8/tracer.8.gz | grep -q EXAMPLES",
    ),
    (
        "no_path_of_the_builder_is_inside",
        Place::Here("grep", "grep"),
        "! grep -qaF \"$BUILDER\" usr/bin/tracer",
    ),
];

/// Makes the distribution and checks it; those checks whose names contain `filter`.
pub(crate) fn test(filter: Option<&str>) -> Result<Stage> {
    let made = super::make()?;
    let mut stage = Stage::default();
    for (name, place, script) in
        CHECKS.iter().filter(|(name, ..)| filter.is_none_or(|text| name.contains(text)))
    {
        let outcome = match obstacle(*place) {
            Some(reason) => {
                println!("test {name} ... ignored, {reason}");
                stage.skips.push(format!("{name}: {reason}"));
                continue;
            }
            None => check(&made, *place, script),
        };
        match &outcome {
            Ok(()) => println!("test {name} ... ok"),
            Err(error) => println!("test {name} ... FAILED\n{error:#}"),
        }
        stage.passed += u64::from(outcome.is_ok());
        stage.failed += u64::from(outcome.is_err());
    }
    Ok(stage)
}

/// Why a check cannot run here, if so.
fn obstacle(place: Place) -> Option<String> {
    if let Place::Here(program, package) = place {
        let there = find(program).is_some() || packages::ensure(&[package]).is_ok();
        return (!there).then(|| format!("needs {program}"));
    }
    if capture(as_root("unshare").args(["--mount", "true"])).is_err() {
        return Some("needs root, to make a root directory of its own".to_owned());
    }
    if place == Place::Debian {
        return base().err().map(|error| format!("no minimal Debian: {error:#}"));
    }
    None
}

fn check(made: &Made, place: Place, script: &str) -> Result<()> {
    let mut command = match place {
        Place::Here(..) => return check_here(made, script),
        _ => as_root("unshare"),
    };
    let (setup, enter) = match place {
        Place::Debian => (
            "mount -t overlay overlay -o lowerdir=$BASE,upperdir=upper,workdir=work root\n\
             mount -t proc proc root/proc; mount --rbind /sys root/sys; mount --rbind /dev root/dev; mount -t tmpfs tmpfs root/tmp\n\
             cp $PACKAGE root/tmp/package.deb\n\
             chroot root dpkg -i /tmp/package.deb > /dev/null",
            "chroot root sh -euc \"$SCRIPT\"",
        ),
        Place::Bare => (
            "cp $PROGRAM root/program; mkdir root/proc root/sys\n\
             mount -t proc proc root/proc; mount --rbind /sys root/sys; mount --make-rslave root/sys",
            "program() { chroot root /program \"$@\"; }; eval \"$SCRIPT\"",
        ),
        _ => ("cp $PROGRAM root/program", "program() { chroot root /program \"$@\"; }; eval \"$SCRIPT\""),
    };
    let area = area()?;
    let script = [
        ("BASE", base_path()?.display().to_string()),
        ("PACKAGE", made.package.display().to_string()),
        ("PROGRAM", made.program.display().to_string()),
        ("SCRIPT", script.to_owned()),
    ]
    .map(|(name, value)| format!("{name}='{}'\n", value.replace('\'', r"'\''")))
    .concat()
        + &format!(
            "mount -t tmpfs tmpfs '{}'; cd '{}'; mkdir root upper work\n{setup}\n{enter}\n",
            area.display(),
            area.display()
        );
    command.args(["--mount", "--propagation", "private", "sh", "-euc", &script]);
    command.env("LC_ALL", "C").env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    finish(&mut command)
}

/// Unpacks the package and runs the script among its files.
fn check_here(made: &Made, script: &str) -> Result<()> {
    let area = area()?;
    fs::remove_dir_all(&area)?;
    fs::create_dir_all(&area)?;
    ensure!(find("dpkg-deb").is_some(), "needs dpkg-deb");
    capture(Command::new("dpkg-deb").arg("-x").arg(&made.package).arg(&area))?;
    let mut command = Command::new("sh");
    command.args(["-euc", script]).current_dir(&area).env("BUILDER", root());
    finish(&mut command)
}

fn finish(command: &mut Command) -> Result<()> {
    let output = command.stdin(std::process::Stdio::null()).output()?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        bail!("{}\n{}", output.status, String::from_utf8_lossy(&said).trim_end());
    }
    Ok(())
}

/// The directory that a check may do with as it likes.
fn area() -> Result<PathBuf> {
    let area = root().join("target/dist/area");
    fs::create_dir_all(&area)?;
    Ok(area)
}

/// Debian's release that this system is, or comes nearest to.
fn base_path() -> Result<PathBuf> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let debian = release.lines().any(|line| line == "ID=debian");
    let name = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let name = name.filter(|_| debian).unwrap_or("bookworm");
    Ok(root().join(format!("target/dist/base-{name}")))
}

/// The minimal Debian, made where it is not there yet.
fn base() -> Result<PathBuf> {
    let base = base_path()?;
    if !base.exists() {
        packages::ensure(&["debootstrap"])?;
        let partial = root().join("target/dist/partial");
        let release =
            base.file_name().and_then(|name| name.to_str()?.strip_prefix("base-")).context("a name")?;
        run(as_root("rm").arg("-rf").arg(&partial))?;
        make_base(release, &partial)?;
        run(as_root("mv").arg(&partial).arg(&base))?;
    }
    Ok(base)
}

fn make_base(release: &str, directory: &Path) -> Result<()> {
    let archive =
        std::env::var("DEBIAN_MIRROR").unwrap_or_else(|_| "http://deb.debian.org/debian".to_owned());
    println!("debootstrap {release}, once");
    capture(as_root("debootstrap").args(["--variant=minbase", release]).arg(directory).arg(archive)).map(drop)
}
