//! What this kernel and these privileges grant: facts, read from the system and not yet judged.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{btf, trial};

/// A kernel's version, from `uname -r`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release(pub u32, pub u32);

/// A set of capabilities, as in /proc/PID/status (capabilities(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities(pub u64);

/// The capabilities that matter here (include/uapi/linux/capability.h).
pub const CAPABILITIES: &[(&str, u32)] = &[
    ("CAP_SYS_PTRACE", 19),
    ("CAP_SYS_ADMIN", 21),
    ("CAP_SYS_RESOURCE", 24),
    ("CAP_SYSLOG", 34),
    ("CAP_PERFMON", 38),
    ("CAP_BPF", 39),
];

/// How far the kernel is locked down (kernel_lockdown(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lockdown {
    /// Not at all.
    None,
    /// Nobody may change the running kernel; programs may still read its memory.
    Integrity,
    /// Nobody may read its memory either: no tracing.
    Confidentiality,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The kernel's release, `6.18.44`.
    pub release: String,
    /// The effective capabilities of this process.
    pub capabilities: Capabilities,
    /// The capabilities that it, or a program that it runs, could get: the bounding set.
    pub bounding: Capabilities,
    /// Whether a seccomp filter looks at its system calls.
    pub seccomp: bool,
    /// Whether it is in the first user namespace; capabilities of another one do not count for tracing.
    pub first_userns: bool,
    /// Whether it seems to be in a container.
    pub container: bool,
    /// The kernel's lockdown.
    pub lockdown: Lockdown,
    /// Whether the kernel publishes its BTF.
    pub btf: bool,
    /// The error with which the kernel refused to load a program, if it did.
    pub load_error: Option<i32>,
    /// kernel.perf_event_paranoid, where there are perf events.
    pub perf_event_paranoid: Option<i32>,
    /// Whether there are kprobes.
    pub kprobes: bool,
    /// Whether there are uprobes.
    pub uprobes: bool,
    /// Where tracefs is mounted; it is not needed.
    pub tracefs: Option<PathBuf>,
}

impl Facts {
    /// Reads them from the system.
    pub fn read() -> Facts {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let exists = |path: &str| Path::new(path).exists();
        let status = text("/proc/self/status");
        let sources = "/sys/bus/event_source/devices";
        Facts {
            release: text("/proc/sys/kernel/osrelease").trim().to_owned(),
            capabilities: parse_capabilities(&status, "CapEff"),
            bounding: parse_capabilities(&status, "CapBnd"),
            seccomp: status_field(&status, "Seccomp") == Some("2"),
            first_userns: is_first_userns(&text("/proc/self/uid_map")),
            container: exists("/.dockerenv")
                || exists("/run/.containerenv")
                || exists("/run/systemd/container"),
            lockdown: parse_lockdown(&text("/sys/kernel/security/lockdown")),
            btf: exists(btf::VMLINUX),
            load_error: trial::raw_tracepoint().err().map(|error| error.raw_os_error().unwrap_or(libc::EIO)),
            perf_event_paranoid: text("/proc/sys/kernel/perf_event_paranoid").trim().parse().ok(),
            kprobes: exists(&format!("{sources}/kprobe")),
            uprobes: exists(&format!("{sources}/uprobe")),
            tracefs: parse_tracefs(&text("/proc/self/mounts")),
        }
    }
}

/// Whether programs can be attached to the entries of kernel functions (fentry), or why not.
pub fn fentry(btf: &btf::Btf) -> io::Result<()> {
    trial::fentry(btf)
}

impl Release {
    /// The first two numbers of a release.
    pub fn parse(release: &str) -> Option<Release> {
        let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
        Some(Release(numbers.next()?.ok()?, numbers.next()?.ok()?))
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl Capabilities {
    /// Whether the capability of that name, one of [`CAPABILITIES`], is among them.
    pub fn has(self, name: &str) -> bool {
        CAPABILITIES.iter().any(|&(known, bit)| known == name && self.0 >> bit & 1 != 0)
    }
}

fn status_field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

fn parse_capabilities(status: &str, set: &str) -> Capabilities {
    Capabilities(status_field(status, set).and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(0))
}

/// The first user namespace maps all ids to themselves (user_namespaces(7)).
fn is_first_userns(uid_map: &str) -> bool {
    uid_map.is_empty() || uid_map.split_whitespace().eq(["0", "0", "4294967295"])
}

/// The file holds `[none] integrity confidentiality`, the current one in brackets; without securityfs there is none.
fn parse_lockdown(text: &str) -> Lockdown {
    match text.split(['[', ']']).nth(1) {
        Some("confidentiality") => Lockdown::Confidentiality,
        Some("integrity") => Lockdown::Integrity,
        _ => Lockdown::None,
    }
}

/// The mount point of tracefs in /proc/self/mounts: device, directory, type; a space in a directory is `\040`.
fn parse_tracefs(mounts: &str) -> Option<PathBuf> {
    let mut fields = mounts.lines().map(|line| line.split(' '));
    fields.find_map(|mut line| {
        let directory = line.nth(1)?;
        (line.next()? == "tracefs").then(|| directory.replace("\\040", " ").into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_by_number() {
        assert_eq!(Release::parse("6.18.44-fc"), Some(Release(6, 18)));
        assert_eq!(Release::parse("6.1-rc3"), Some(Release(6, 1)));
        assert!(Release(6, 9) < Release(6, 12) && Release(5, 19) < Release(6, 1));
        assert_eq!(Release::parse("linux"), None);
    }

    #[test]
    fn files_are_read() {
        let status = "Name:\tx\nCapPrm:\t0\nCapEff:\t000000c000000000\nSeccomp:\t2\nSeccomp_filters:\t1\n";
        let capabilities = parse_capabilities(status, "CapEff");
        assert!(
            capabilities.has("CAP_BPF")
                && capabilities.has("CAP_PERFMON")
                && !capabilities.has("CAP_SYS_ADMIN")
        );
        assert_eq!(status_field(status, "Seccomp"), Some("2"));
        assert_eq!(parse_capabilities("", "CapEff"), Capabilities(0));

        assert!(is_first_userns("         0          0 4294967295\n"));
        assert!(!is_first_userns("         0       1000          1\n"));

        assert_eq!(parse_lockdown("none integrity [confidentiality]\n"), Lockdown::Confidentiality);
        assert_eq!(parse_lockdown("none [integrity] confidentiality\n"), Lockdown::Integrity);
        assert_eq!(parse_lockdown("[none] integrity confidentiality\n"), Lockdown::None);
        assert_eq!(parse_lockdown(""), Lockdown::None);

        let mounts = "proc /proc proc rw 0 0\ntracefs /a\\040b tracefs rw 0 0\n";
        assert_eq!(parse_tracefs(mounts), Some(PathBuf::from("/a b")));
        assert_eq!(parse_tracefs("proc /proc proc rw 0 0\n\n"), None);
    }

    #[test]
    fn this_system_is_described() {
        let facts = Facts::read();
        assert!(Release::parse(&facts.release).is_some(), "{facts:?}");
        assert_eq!(facts.btf, btf::Btf::load().is_ok());
        // Whoever may do everything in the first user namespace of an unlocked kernel may load programs.
        if facts.capabilities.has("CAP_SYS_ADMIN") && facts.first_userns && !facts.seccomp {
            assert_eq!(facts.load_error, None);
        }
    }
}
