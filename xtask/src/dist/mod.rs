//! `cargo xtask dist`: what is given to others, in `target/dist/`: the tracer as one file that needs nothing on the target, linked
//! statically, and the same as a Debian package, with its pages of the manual, completions and scripts.

mod clean;
mod deb;
mod notices;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::shell::{capture, cargo, cargo_home, root, run};
pub(crate) use clean::test;
use deb::File;

/// Options of `cargo xtask dist`.
#[derive(clap::Args)]
pub(crate) struct Options {}

/// What was made.
pub(crate) struct Made {
    /// The program.
    pub(crate) program: PathBuf,
    /// The package.
    pub(crate) package: PathBuf,
}

/// Makes both and says where they are.
pub(crate) fn main(_: &Options) -> Result<()> {
    let made = make()?;
    for path in [made.program, made.package] {
        let bytes = fs::read(&path)?;
        println!("{:x}  {} ({} KiB)", Sha256::digest(&bytes), path.display(), bytes.len().div_ceil(1024));
    }
    Ok(())
}

/// Makes both.
pub(crate) fn make() -> Result<Made> {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        other => bail!("the tracer is not made for {other} yet"),
    };
    let version = env!("CARGO_PKG_VERSION");
    let directory = root().join("target/dist");
    fs::create_dir_all(&directory)?;
    let program = directory.join(format!("tracer-{version}-linux-{}", std::env::consts::ARCH));
    fs::copy(build()?, &program)?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    let files = files(&program, &pages(&directory.join("pages"))?)?;
    let control = format!(
        "Package: tracer\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: The tracer contributors\n\
         Section: utils\nPriority: optional\nDescription: DTrace for Linux\n \
         Runs D programs in the kernel, by eBPF. The probes speak of signals, pipes,\n \
         sockets, TCP, processes and system calls. Needs Linux 6.1 or later with BTF,\n \
         and nothing else: no compiler, no headers, no libraries.\n"
    );
    let package = directory.join(format!("tracer_{version}_{architecture}.deb"));
    fs::write(&package, deb::write(&control, &files, time())?)?;
    Ok(Made { program, package })
}

/// Builds the program, linked statically; paths of this machine are mapped away.
fn build() -> Result<PathBuf> {
    let target = target();
    let mut flags = vec!["-Ctarget-feature=+crt-static".to_owned()];
    for (from, to) in [(Some(root()), "/tracer"), (cargo_home(), "/cargo")] {
        flags.extend(from.map(|from| format!("--remap-path-prefix={}={to}", from.display())));
    }
    run(cargo()
        .args(["build", "--quiet", "--release", "--package", "tracer", "--target-dir", "target/static"])
        .args(["--target", &target])
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f")))?;
    Ok(root().join(format!("target/static/{target}/release/tracer")))
}

fn target() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// Has the pages of the manual and the completions written, from the definition of the command line.
fn pages(directory: &Path) -> Result<PathBuf> {
    if directory.exists() {
        fs::remove_dir_all(directory)?;
    }
    run(cargo().args(["run", "--quiet", "--package", "tracer", "--example", "pages", "--"]).arg(directory))?;
    Ok(directory.to_owned())
}

/// The package's files.
fn files(program: &Path, pages: &Path) -> Result<Vec<File>> {
    let mut files = vec![File { path: "usr/bin/tracer".into(), mode: 0o755, bytes: fs::read(program)? }];
    let completions = [
        ("bash/tracer.bash", "usr/share/bash-completion/completions/tracer"),
        ("zsh/_tracer", "usr/share/zsh/vendor-completions/_tracer"),
        ("fish/tracer.fish", "usr/share/fish/vendor_completions.d/tracer.fish"),
    ];
    for (from, to) in completions {
        files.push(File { path: to.into(), mode: 0o644, bytes: fs::read(pages.join(from))? });
    }
    for page in list(&pages.join("man"))? {
        let bytes = deb::compress(&fs::read(&page)?)?;
        files.push(File { path: format!("usr/share/man/man8/{}.gz", name(&page)?), mode: 0o644, bytes });
    }
    for (from, to) in [("scripts", "usr/share/tracer/scripts"), ("docs", "usr/share/doc/tracer")] {
        for path in list(&root().join(from))? {
            let executable = path.metadata()?.permissions().mode() & 0o100 != 0;
            let mode = if executable { 0o755 } else { 0o644 };
            files.push(File { path: format!("{to}/{}", name(&path)?), mode, bytes: fs::read(&path)? });
        }
    }
    let copyright = notices::text(&target())?.into_bytes();
    files.push(File { path: "usr/share/doc/tracer/copyright".into(), mode: 0o644, bytes: copyright });
    Ok(files)
}

/// The files of a directory, by name.
fn list(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory).with_context(|| directory.display().to_string())?;
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|path| path.is_file());
    files.sort();
    Ok(files)
}

fn name(path: &Path) -> Result<&str> {
    path.file_name().and_then(|name| name.to_str()).with_context(|| path.display().to_string())
}

/// The time that the package's files have: SOURCE_DATE_EPOCH, else that of the last commit, so that the same source gives the same
/// package.
fn time() -> u64 {
    let given = std::env::var("SOURCE_DATE_EPOCH").ok();
    let last = || capture(Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(root())).ok();
    given.or_else(last).and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}
