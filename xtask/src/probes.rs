//! `cargo xtask probes`: builds probes-ebpf for the kernel's machine into `tracer/probes.bpf.o`, which is checked in, so that
//! building the tracer takes stable Rust alone.
//!
//! The object is relocatable and has undefined symbols: the clauses that its trampolines call, which the tracer's own linker
//! supplies. Beside it lies `probes.bpf.hash`, what it was made from; `--check` says whether that is still so. Paths of the
//! machine that builds are mapped away, so that everyone with the same toolchain gets the same bytes, and `--check` says whether
//! they do. Nothing in the object describes its types: the tracer's linker writes what the kernel wants to know of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::packages;
use crate::shell::{capture, cargo, cargo_home, find, root, run};

/// Options of `cargo xtask probes`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Change nothing: fail when the checked-in object is not made from the sources that are here, or when building them with
    /// the toolchain that it was made with gives another one
    #[arg(long)]
    check: bool,
}

const LINKER_VERSION: &str = "0.13.0";
const TARGET: &str = "bpfel-unknown-none";

/// v3 of the instruction set is what Linux 6.1 has. The linker's default order of expanding memcpy makes zeroing a struct fail
/// ("A call to built-in function 'memset' is not supported").
const RUSTFLAGS: &[&str] = &["-Ctarget-cpu=v3", "-Clink-arg=--disable-expand-memcpy-in-order"];

/// Runs the command.
pub(crate) fn main(options: &Options) -> Result<()> {
    if !options.check {
        return build();
    }
    check()?;
    match rebuild()? {
        Rebuilt::Same => println!("tracer/probes.bpf.o is up to date, and what building gives"),
        Rebuilt::Other => bail!("{OTHER}"),
        Rebuilt::Elsewhere(why) => println!("tracer/probes.bpf.o is up to date; not built again: {why}"),
    }
    Ok(())
}

/// What is wrong when building gives something else.
pub(crate) const OTHER: &str = "tracer/probes.bpf.o is not what building its sources gives: run `cargo xtask probes` and check in what it changes";

/// Fails when the checked-in object was made from other sources, or is not the one that was made from them.
pub(crate) fn check() -> Result<()> {
    let recorded = fs::read_to_string(hash_path())
        .context("the probes have not been built: run `cargo xtask probes`")?;
    if recorded.split_once(TOOLCHAIN).map(|(made_from, _)| made_from) != Some(manifest()?.as_str()) {
        bail!("tracer/probes.bpf.o is stale: run `cargo xtask probes` and check in what it changes");
    }
    Ok(())
}

/// What building the sources again gives.
pub(crate) enum Rebuilt {
    /// The object that is checked in.
    Same,
    /// Another one.
    Other,
    /// The toolchain that the object was made with is not here, so that they cannot be compared: why.
    Elsewhere(String),
}

/// Builds the object beside its place and compares.
pub(crate) fn rebuild() -> Result<Rebuilt> {
    let toolchain = match Toolchain::ensure() {
        Ok(toolchain) => toolchain,
        Err(error) => return Ok(Rebuilt::Elsewhere(format!("they cannot be built here: {error:#}"))),
    };
    let recorded = fs::read_to_string(hash_path())?;
    let made_with = recorded.split_once(TOOLCHAIN).map_or("", |(_, made_with)| made_with).trim();
    if made_with != toolchain.version()? {
        return Ok(Rebuilt::Elsewhere(format!("they were made by {made_with}")));
    }
    let same = fs::read(compile(&toolchain)?)? == fs::read(object_path())?;
    Ok(if same { Rebuilt::Same } else { Rebuilt::Other })
}

/// Builds the object into its place, with its hash.
pub(crate) fn build() -> Result<()> {
    let toolchain = Toolchain::ensure()?;
    fs::copy(compile(&toolchain)?, object_path())?;
    fs::write(hash_path(), format!("{}{TOOLCHAIN}{}\n", manifest()?, toolchain.version()?))?;
    println!("tracer/probes.bpf.o: {} bytes", fs::metadata(object_path())?.len());
    Ok(())
}

/// Builds the object; gives its place.
fn compile(toolchain: &Toolchain) -> Result<PathBuf> {
    let built = compile_package(toolchain, "probes-ebpf")?.join("probes");
    let stripped = root().join("target/bpf/probes.bpf.o");
    run(toolchain.objcopy().arg("--strip-debug").arg(&built).arg(&stripped))?;
    Ok(stripped)
}

/// Builds a package for the kernel's machine; gives the directory of what it makes.
pub(crate) fn compile_package(toolchain: &Toolchain, package: &str) -> Result<PathBuf> {
    let target_dir = root().join("target/bpf");
    run(toolchain
        .cargo()
        .args(["build", "--quiet", "--package", package, "--profile", "probes", "-Zbuild-std=core"])
        .args(["--target", TARGET])
        .arg("--target-dir")
        .arg(&target_dir)
        .env("CARGO_ENCODED_RUSTFLAGS", rustflags()?.join("\x1f")))?;
    Ok(target_dir.join(TARGET).join("probes"))
}

/// The compiler and linker to build with.
pub(crate) enum Toolchain {
    /// Debian's rustc, whose LLVM is the packaged one that our linker is built against.
    Debian,
    /// rustup's nightly, with the sources of core.
    Nightly,
}

impl Toolchain {
    /// Chooses a toolchain and installs what it lacks.
    pub(crate) fn ensure() -> Result<Self> {
        const DEBIAN: [&str; 4] = ["rustc-web", "rust-web-src", "llvm-22-dev", "libpolly-22-dev"];
        if packages::are_available(&DEBIAN) {
            packages::ensure(&DEBIAN)?;
            if find("bpf-linker").is_none() {
                let args = ["install", "bpf-linker", "--version", LINKER_VERSION, "--locked"];
                run(cargo()
                    .args(args)
                    .args(["--no-default-features", "--features", "llvm-22"])
                    .env("LLVM_PREFIX", "/usr/lib/llvm-22"))?;
            }
            return Ok(Self::Debian);
        }
        if find("bpf-linker").is_none() {
            bail!(
                "bpf-linker is missing: install version {LINKER_VERSION} or later from \
                 https://github.com/aya-rs/bpf-linker/releases (it has to match the LLVM of nightly Rust)"
            );
        }
        let args = ["toolchain", "install", "nightly", "--profile", "minimal", "--component", "rust-src"];
        run(Command::new("rustup").args(args))?;
        Ok(Self::Nightly)
    }

    fn cargo(&self) -> Command {
        match self {
            Self::Debian => {
                let mut command = cargo();
                command.envs([("RUSTC", "/usr/bin/rustc"), ("RUSTC_BOOTSTRAP", "1")]);
                command
            }
            Self::Nightly => {
                let mut command = Command::new("rustup");
                command.args(["run", "nightly", "cargo"]).current_dir(root());
                // Set by the rustup that runs us, for its own toolchain.
                command.env_remove("RUSTC").env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
                command
            }
        }
    }

    /// The compiler and the linker.
    fn version(&self) -> Result<String> {
        let compiler = match self {
            Self::Debian => capture(Command::new("/usr/bin/rustc").arg("--version"))?,
            Self::Nightly => capture(Command::new("rustup").args(["run", "nightly", "rustc", "--version"]))?,
        };
        Ok(format!("{}, {}", compiler.trim(), capture(Command::new("bpf-linker").arg("--version"))?.trim()))
    }

    fn objcopy(&self) -> Command {
        match self {
            Self::Debian => Command::new("/usr/lib/llvm-22/bin/llvm-objcopy"),
            Self::Nightly => Command::new("llvm-objcopy"),
        }
    }
}

fn rustflags() -> Result<Vec<String>> {
    let mut flags: Vec<String> = RUSTFLAGS.iter().map(|&flag| flag.to_owned()).collect();
    let linker = find("bpf-linker").context("bpf-linker is missing")?;
    flags.push(format!("-Clinker={}", linker.display()));
    let sysroot = capture(Command::new("/usr/bin/rustc").args(["--print", "sysroot"])).unwrap_or_default();
    let core = Path::new(sysroot.trim()).join("lib/rustlib/src/rust");
    for (from, to) in [(Some(root()), ""), (registry(), "/registry"), (Some(core), "/rust")] {
        if let Some(from) = from {
            flags.push(format!("--remap-path-prefix={}={to}", from.display()));
        }
    }
    Ok(flags)
}

/// The directory that holds the sources of crates from crates.io.
fn registry() -> Option<PathBuf> {
    let sources = cargo_home()?.join("registry/src");
    fs::read_dir(sources).ok()?.filter_map(|entry| Some(entry.ok()?.path())).find(|path| path.is_dir())
}

fn object_path() -> PathBuf {
    root().join("tracer/probes.bpf.o")
}

fn hash_path() -> PathBuf {
    root().join("tracer/probes.bpf.hash")
}

/// Begins the last line of `probes.bpf.hash`.
const TOOLCHAIN: &str = "made by ";

/// How `probes.bpf.hash` begins when it is right: the hash of the sources and that of the object.
fn manifest() -> Result<String> {
    let object =
        fs::read(object_path()).context("tracer/probes.bpf.o is missing: run `cargo xtask probes`")?;
    Ok(format!("sources {}\nobject  {:x}\n", hash_sources()?, Sha256::digest(object)))
}

/// A hash of everything that the object is made from: our sources, the flags and the profile, the versions of aya's crates for the
/// kernel's side.
fn hash_sources() -> Result<String> {
    let mut files = Vec::new();
    for directory in ["probes-common", "probes-ebpf"] {
        collect_files(&root().join(directory), &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let name = file.strip_prefix(root())?.to_string_lossy().into_owned();
        let text = fs::read(&file)?;
        hash.update(format!("{name} {}\n", text.len()));
        hash.update(text);
    }
    hash.update(RUSTFLAGS.join("\n"));
    hash.update(profile()?);
    hash.update(locked_versions("aya-ebpf")?.join("\n"));
    Ok(format!("{:x}", hash.finalize()))
}

fn collect_files(directory: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect_files(&path, into)?;
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "toml") {
            into.push(path);
        }
    }
    Ok(())
}

/// The lines of the workspace's manifest that say how the object is optimized.
fn profile() -> Result<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml"))?;
    let section = manifest.split_once("[profile.probes]").context("Cargo.toml has no [profile.probes]")?.1;
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    Ok(lines.filter(|line| line.contains(" = ")).collect::<Vec<_>>().join("\n"))
}

/// `name version` of the packages in Cargo.lock whose names begin with `prefix`.
fn locked_versions(prefix: &str) -> Result<Vec<String>> {
    let lock = fs::read_to_string(root().join("Cargo.lock"))?;
    let field = |block: &str, key: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    Ok(lock
        .split("[[package]]")
        .filter_map(|block| Some((field(block, "name")?, field(block, "version")?)))
        .filter(|(name, _)| name.starts_with(prefix))
        .map(|(name, version)| format!("{name} {version}"))
        .collect())
}
