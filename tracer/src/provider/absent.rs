//! Probes that DTrace has elsewhere and that cannot be had from Linux, why, and what to look at instead.

use super::{Pattern, is_glob, matches};

/// What cannot be had.
pub(super) struct Absent {
    provider: &'static str,
    /// The probes' names; none for all of the provider's.
    names: &'static [&'static str],
    /// Why.
    pub(super) reason: &'static str,
    /// What to do instead.
    pub(super) instead: &'static str,
}

const TABLE: &[Absent] = &[
    Absent {
        provider: "sched",
        names: &["tick"],
        reason: "Linux has no tracepoint at the tick of its clock",
        instead: "profile:::profile-97 fires at a rate on every CPU",
    },
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
        names: &[],
        reason: "Linux tells of locks that are waited for only, spin locks among them that recording itself takes",
        instead: "rawtp:::contention_begin and rawtp:::contention_end have the lock's address",
    },
    Absent {
        provider: "sysinfo",
        names: &[],
        reason: "Linux has no probes where it counts",
        instead: "syscall::read:return, sched:::off-cpu and proc:::create fire at what it counts",
    },
    Absent {
        provider: "vminfo",
        names: &[],
        reason: "Linux has no probes where it counts",
        instead: "io:::start fires when pages are read or written",
    },
    Absent {
        provider: "mib",
        names: &[],
        reason: "Linux has no probes where it counts",
        instead: "tcp:::, udp::: and ip::: fire for each segment, datagram and packet",
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
        for row in TABLE {
            let same = |name: &str| row.names.is_empty() || row.names.contains(&name);
            let there =
                |probe: &&crate::provider::ProbeInfo| probe.provider == row.provider && same(&probe.name);
            assert!(!catalog.probes().any(|probe| there(&probe)), "{}", row.provider);
        }
    }
}
