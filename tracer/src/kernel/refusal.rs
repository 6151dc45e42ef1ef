//! Why tracing is not possible here, and how to make it so: the judgement of the facts.

use std::fmt;

use super::features::{Facts, Lockdown, Release};

/// The oldest kernel that the probes are made for.
pub const OLDEST: Release = Release(6, 1);

/// Tracing is not possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is missing.
    pub what: String,
    /// Why it is needed or not there.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "this system does not allow tracing: {}\n  why:  {}\n  help: {}",
            self.what, self.why, self.remedy
        )
    }
}

impl std::error::Error for Refusal {}

/// Whether these facts allow tracing; where several things are missing, the one to mend first.
pub fn judge(facts: &Facts) -> Result<(), Refusal> {
    match RULES.iter().find_map(|rule| rule(facts)) {
        Some(refusal) => Err(refusal),
        None => Ok(()),
    }
}

/// In this order: what no privilege can mend, then privileges, then what keeps privileges from having effect.
const RULES: &[fn(&Facts) -> Option<Refusal>] =
    &[release, no_bpf, btf, user_namespace, capabilities, lockdown, refused_although_privileged];

fn refusal(what: impl Into<String>, why: impl Into<String>, remedy: impl Into<String>) -> Option<Refusal> {
    Some(Refusal { what: what.into(), why: why.into(), remedy: remedy.into() })
}

fn release(facts: &Facts) -> Option<Refusal> {
    if Release::parse(&facts.release).is_none_or(|release| release >= OLDEST) {
        return None;
    }
    refusal(
        format!("the kernel is Linux {}", facts.release),
        format!("the probes need features of Linux {OLDEST}"),
        format!("boot Linux {OLDEST} or later; a distribution's backports kernel often is"),
    )
}

fn no_bpf(facts: &Facts) -> Option<Refusal> {
    if facts.load_error != Some(libc::ENOSYS) || facts.seccomp {
        return None;
    }
    refusal(
        "the kernel has no bpf(2)",
        "it was built without CONFIG_BPF_SYSCALL, and probes are BPF programs",
        "boot a kernel with CONFIG_BPF_SYSCALL=y, as all distributions' kernels have",
    )
}

fn btf(facts: &Facts) -> Option<Refusal> {
    if facts.btf {
        return None;
    }
    refusal(
        "the kernel does not publish its types (no /sys/kernel/btf/vmlinux)",
        "the probes find the kernel's fields by its BTF, which is built with CONFIG_DEBUG_INFO_BTF; or /sys is not mounted",
        "mount -t sysfs sysfs /sys, or boot a kernel with CONFIG_DEBUG_INFO_BTF=y, as Debian's, Ubuntu's and Fedora's have",
    )
}

fn user_namespace(facts: &Facts) -> Option<Refusal> {
    if facts.first_userns || facts.load_error.is_none() {
        return None;
    }
    refusal(
        "this is not the first user namespace",
        "root of a rootless container or of `unshare -U` has no say over the whole kernel, which tracing looks at",
        "run it on the host, or in a container of the host's root: `sudo podman run --privileged --pid=host ...`",
    )
}

fn capabilities(facts: &Facts) -> Option<Refusal> {
    let has = |name| facts.capabilities.has("CAP_SYS_ADMIN") || facts.capabilities.has(name);
    let missing: Vec<&str> = ["CAP_BPF", "CAP_PERFMON"].into_iter().filter(|name| !has(name)).collect();
    if missing.is_empty() {
        return None;
    }
    let why = "loading programs into the kernel needs CAP_BPF, letting them read its memory CAP_PERFMON";
    let within_reach = facts.bounding.has("CAP_SYS_ADMIN")
        || ["CAP_BPF", "CAP_PERFMON"].into_iter().all(|name| facts.bounding.has(name));
    let remedy = match (within_reach, facts.container) {
        (true, _) => {
            "run it as root: `sudo tracer ...`; or let it be run by anyone: \
             `sudo setcap cap_bpf,cap_perfmon=ep $(command -v tracer)`"
        }
        (false, true) => {
            "start the container with --privileged, or with --cap-add BPF --cap-add PERFMON, and with --pid=host"
        }
        (false, false) => {
            "even root cannot get them in this session, whose bounding set (capabilities(7)) leaves them out: \
             run it from another login, or grant them (systemd: CapabilityBoundingSet=)"
        }
    };
    refusal(format!("missing {}: {}", plural(&missing), missing.join(" and ")), why, remedy)
}

fn plural(missing: &[&str]) -> &'static str {
    if missing.len() == 1 { "capability" } else { "capabilities" }
}

fn lockdown(facts: &Facts) -> Option<Refusal> {
    if facts.lockdown != Lockdown::Confidentiality {
        return None;
    }
    refusal(
        "the kernel is locked down (lockdown=confidentiality)",
        "in this mode nobody, not even root, may read the kernel's memory, which probes do",
        "boot with lockdown=integrity or without lockdown on the kernel's command line (see /proc/cmdline), \
         which may mean turning Secure Boot off",
    )
}

fn refused_although_privileged(facts: &Facts) -> Option<Refusal> {
    let error = std::io::Error::from_raw_os_error(facts.load_error?);
    if facts.seccomp {
        return refusal(
            format!("a seccomp filter forbids bpf(2): {error}"),
            "the capabilities are there, but whoever started this process (a container, a service manager) filters its \
             system calls",
            "start the container with --security-opt seccomp=unconfined or --privileged, or allow bpf and \
             perf_event_open in the filter (systemd: SystemCallFilter=)",
        );
    }
    refusal(
        format!("the kernel refuses to load a program: {error}"),
        "the capabilities are there, so a security module (SELinux, AppArmor) or a limit is in the way",
        "look at the end of `dmesg` and at the audit log for a denial, and allow bpf there",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::features::Capabilities;

    fn good() -> Facts {
        Facts {
            release: "6.12.9-amd64".to_owned(),
            capabilities: Capabilities(1 << 38 | 1 << 39),
            bounding: Capabilities(!0),
            seccomp: false,
            first_userns: true,
            container: false,
            lockdown: Lockdown::Integrity,
            btf: true,
            load_error: None,
            perf_event_paranoid: Some(2),
            kprobes: false,
            uprobes: false,
            tracefs: None,
        }
    }

    #[test]
    fn the_least_that_is_needed_is_enough() {
        assert_eq!(judge(&good()), Ok(()));
        assert_eq!(judge(&Facts { capabilities: Capabilities(1 << 21), ..good() }), Ok(()));
        // A filter that lets bpf(2) through is none of our business.
        assert_eq!(judge(&Facts { seccomp: true, container: true, ..good() }), Ok(()));
    }

    #[test]
    fn each_reason_is_told_with_its_remedy() {
        let denied = Some(libc::EPERM);
        let none = Capabilities(0);
        let cases: &[(Facts, &str, &str)] = &[
            (Facts { release: "5.15.0".into(), ..good() }, "Linux 5.15.0", "Linux 6.1 or later"),
            (Facts { load_error: Some(libc::ENOSYS), ..good() }, "no bpf(2)", "CONFIG_BPF_SYSCALL=y"),
            (Facts { btf: false, ..good() }, "does not publish its types", "CONFIG_DEBUG_INFO_BTF=y"),
            (
                Facts { first_userns: false, load_error: denied, ..good() },
                "first user namespace",
                "on the host",
            ),
            (
                Facts { capabilities: none, load_error: denied, ..good() },
                "CAP_BPF and CAP_PERFMON",
                "sudo tracer",
            ),
            (
                Facts { capabilities: Capabilities(1 << 39), ..good() },
                "missing capability: CAP_PERFMON",
                "setcap",
            ),
            (
                Facts { capabilities: none, bounding: none, container: true, ..good() },
                "missing capabilities",
                "--cap-add BPF",
            ),
            (Facts { capabilities: none, container: true, ..good() }, "missing capabilities", "sudo tracer"),
            (Facts { capabilities: none, bounding: none, ..good() }, "missing capabilities", "bounding set"),
            (
                Facts { lockdown: Lockdown::Confidentiality, ..good() },
                "lockdown=confidentiality",
                "lockdown=integrity",
            ),
            (Facts { seccomp: true, load_error: denied, ..good() }, "seccomp filter", "seccomp=unconfined"),
            (Facts { load_error: Some(libc::EACCES), ..good() }, "refuses to load", "audit log"),
        ];
        for (facts, what, remedy) in cases {
            let refusal = judge(facts).expect_err(what);
            assert!(refusal.what.contains(what), "{refusal}");
            assert!(refusal.remedy.contains(remedy), "{refusal}");
            let shown = refusal.to_string();
            assert!(shown.contains(&refusal.why) && shown.contains("help: "), "{shown}");
        }
    }
}
