//! Probes that DTrace has elsewhere and that cannot be had from Linux, why, and what to look at instead.

use super::{Pattern, is_glob, matches};

/// What cannot be had.
pub(super) struct Absent {
    provider: &'static str,
    /// The probes' names; none for all of the provider's that are not there.
    names: &'static [&'static str],
    /// Why.
    pub(super) reason: &'static str,
    /// What to do instead.
    pub(super) instead: &'static str,
}

const TABLE: &[Absent] = &[
    Absent {
        provider: "sched",
        names: &[
            "cpucaps-sleep",
            "cpucaps-wakeup",
            "schedctl-nopreempt",
            "schedctl-preempt",
            "schedctl-yield",
        ],
        reason: "Linux's scheduler has nothing of this kind",
        instead: "sched:::preempt fires when a thread has to leave its CPU, or yields it",
    },
    Absent {
        provider: "io",
        names: &["wait-start", "wait-done"],
        reason: "Linux does not tell for which request a thread waits",
        instead: "sched:::sleep fires when it begins to wait, io:::done when a request is done",
    },
    Absent {
        provider: "lockstat",
        names: &[
            "adaptive-acquire",
            "adaptive-release",
            "rw-acquire",
            "rw-release",
            "spin-acquire",
            "spin-release",
            "rw-upgrade",
            "rw-downgrade",
        ],
        reason: "Linux takes and gives back a lock that is free by a few instructions in place, of which it tells nothing",
        instead: "adaptive-block, adaptive-spin, rw-block, rw-spin and spin-spin fire for locks that were waited for",
    },
    Absent {
        provider: "lockstat",
        names: &["thread-spin"],
        reason: "Linux has no locks of this kind",
        instead: "lockstat:::spin-spin fires for spin locks",
    },
    Absent {
        provider: "sysinfo",
        names: &["rawch", "canch", "outch", "rcvint", "xmtint", "mdmint"],
        reason: "Linux does not tell what a terminal's driver reads and writes",
        instead: "sysinfo:::readch and writech fire for reads and writes, fds[arg0].fi_pathname tells of which file",
    },
    Absent {
        provider: "sysinfo",
        names: &["namei", "ufsiget", "ufsdirblk", "ufsipage", "ufsinopage"],
        reason: "Linux does not tell when it looks up a path",
        instead: "syscall::open*:entry and its like show paths",
    },
    Absent {
        provider: "sysinfo",
        names: &["lread", "lwrite", "phread", "phwrite", "bawrite", "procovf", "trap", "intrblk"],
        reason: "Linux does not tell of this moment",
        instead: "sysinfo:::bread and bwrite fire for requests, vminfo::: for page faults",
    },
    Absent {
        provider: "vminfo",
        names: &[
            "zfod",
            "cow_fault",
            "anonpgin",
            "anonpgout",
            "anonfree",
            "execpgin",
            "execpgout",
            "execfree",
            "fspgin",
            "fspgout",
            "fsfree",
        ],
        reason: "Linux does not tell what a page is for where it is brought in or given back",
        instead: "vminfo:::as_fault and prot_fault fire for page faults, pgpgin and pgpgout for pages of block devices",
    },
    Absent {
        provider: "vminfo",
        names: &[
            "pgswapin",
            "pgswapout",
            "swapin",
            "swapout",
            "pgrec",
            "pgfrec",
            "dfree",
            "rev",
            "softlock",
            "hat_fault",
        ],
        reason: "Linux does not tell of this moment",
        instead: "vminfo:::scan and pgrrun fire when it looks for pages to take back",
    },
    Absent {
        provider: "sdt",
        names: &["interrupt-start", "interrupt-complete"],
        reason: "Linux tells of interrupts by tracepoints of other names",
        instead: "sdt:irq::irq_handler_entry and irq_handler_exit fire for interrupts of devices",
    },
    Absent {
        provider: "mib",
        names: &[],
        reason: "Linux does not tell where it adds to its counter of that name",
        instead: "tcp:::, udp::: and ip::: fire for each segment, datagram and packet; `tracer -l -P mib` lists the counters that are here",
    },
];

/// The row that explains why a description matches nothing.
pub(super) fn find(pattern: &Pattern) -> Option<&'static Absent> {
    let named = |row: &&Absent| {
        !is_glob(&pattern.provider)
            && pattern.provider == row.provider
            && (row.names.is_empty() || row.names.iter().any(|name| matches(&pattern.name, name)))
    };
    TABLE.iter().find(named)
}

#[cfg(test)]
mod tests {
    use super::TABLE;
    use crate::kernel::Target;
    use crate::provider::Catalog;

    #[test]
    fn what_cannot_be_had_is_no_probe() {
        let catalog = Catalog::new(&Target::fixture());
        for row in TABLE.iter().filter(|row| !row.names.is_empty()) {
            let same = |name: &str| row.names.contains(&name);
            let there =
                |probe: &&crate::provider::ProbeInfo| probe.provider == row.provider && same(&probe.name);
            assert!(!catalog.probes().any(|probe| there(&probe)), "{}", row.provider);
        }
    }
}
