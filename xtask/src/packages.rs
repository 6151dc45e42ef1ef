//! Debian packages that the commands need: installed through apt where there is apt, else named, so that a person can install
//! what corresponds to them.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell::{as_root, capture, find, run};

/// Whether this is a system with apt.
pub(crate) fn has_apt() -> bool {
    find("apt-get").is_some() && find("dpkg-query").is_some()
}

/// Whether apt could install all of `packages`; the lists of what there is are fetched if they do not have them.
pub(crate) fn are_available(packages: &[&str]) -> bool {
    let known = || packages.iter().all(|package| is_known(package));
    has_apt() && (known() || update().is_ok() && known())
}

/// Installs those of `packages` that are missing.
pub(crate) fn ensure(packages: &[&str]) -> Result<()> {
    if !has_apt() {
        bail!("there is no apt here: please install what corresponds to Debian's {}", packages.join(", "));
    }
    let missing: Vec<_> = packages.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    const INSTALL: [&str; 5] = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"];
    with_lists(|| run(as_root("env").arg("DEBIAN_FRONTEND=noninteractive").args(INSTALL).args(&missing)))
        .with_context(|| format!("please install {}", missing.join(", ")))
}

/// Does what needs apt's lists. They may be missing, or out of date: an archive drops a version when it gets the next. So if it
/// fails, they are fetched, and it is tried again.
pub(crate) fn with_lists<T>(attempt: impl Fn() -> Result<T>) -> Result<T> {
    attempt().or_else(|_| {
        update()?;
        attempt()
    })
}

fn update() -> Result<()> {
    run(as_root("apt-get").args(["update", "-qq"]))
}

fn is_known(package: &str) -> bool {
    let policy = capture(Command::new("apt-cache").args(["policy", package])).unwrap_or_default();
    policy.lines().any(|line| line.trim_start().starts_with("Candidate:") && !line.contains("(none)"))
}

fn is_installed(package: &str) -> bool {
    let status = capture(Command::new("dpkg-query").args(["-W", "-f", "${Status}", package]));
    status.is_ok_and(|status| status.ends_with("ok installed"))
}
