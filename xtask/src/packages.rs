//! Debian packages that the commands need: installed through apt where there is apt, else named, so that a person can install
//! what corresponds to them.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell::{as_root, capture, find, run};

/// Whether this is a system with apt.
pub(crate) fn has_apt() -> bool {
    find("apt-get").is_some() && find("dpkg-query").is_some()
}

/// Whether apt could install `package`.
pub(crate) fn is_available(package: &str) -> bool {
    let policy = capture(Command::new("apt-cache").args(["policy", package])).unwrap_or_default();
    policy.lines().any(|line| line.trim_start().starts_with("Candidate:") && !line.contains("(none)"))
}

/// Installs those of `packages` that are missing.
pub(crate) fn ensure(packages: &[&str]) -> Result<()> {
    if !has_apt() {
        bail!("there is no apt here: please install what corresponds to Debian's {}", packages.join(", "));
    }
    let missing: Vec<_> = packages.iter().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !missing.iter().all(|package| is_available(package)) {
        update()?;
    }
    run(as_root("env")
        .args([
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            "install",
            "-y",
            "-qq",
            "--no-install-recommends",
        ])
        .args(&missing))
    .with_context(|| format!("please install {missing:?}"))
}

/// Fetches the lists of what there is.
pub(crate) fn update() -> Result<()> {
    run(as_root("apt-get").args(["update", "-qq"]))
}

fn is_installed(package: &str) -> bool {
    let status = capture(Command::new("dpkg-query").args(["-W", "-f", "${Status}", package]));
    status.is_ok_and(|status| status.ends_with("ok installed"))
}
