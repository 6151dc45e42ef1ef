//! Providers that DTrace has on other systems only: why Linux has none of the kind, and what to look at instead.

/// Providers of another system.
pub(super) struct Elsewhere {
    names: &'static [&'static str],
    /// Why they are not here.
    pub(super) reason: &'static str,
    /// What to look at instead.
    pub(super) instead: &'static str,
}

const fn row(names: &'static [&'static str], reason: &'static str, instead: &'static str) -> Elsewhere {
    Elsewhere { names, reason, instead }
}

const TABLE: &[Elsewhere] = &[
    row(
        &["vfs", "fsinfo"],
        "Linux does not tell of what its file systems are asked for, but by functions",
        "syscall::read:entry and its like with fds[arg0] tell of files; fbt::vfs_read:entry is the function",
    ),
    row(
        &["dtmalloc"],
        "Linux's allocations have no malloc types",
        "sdt:kmem::kmalloc fires for each, and its stack() says for whom",
    ),
    row(
        &["priv"],
        "this is FreeBSD's privileges, which Linux does not have",
        "fbt::cap_capable:entry is where a capability is asked for",
    ),
    row(
        &["mac", "mac_framework"],
        "this is FreeBSD's framework for access control, which Linux does not have",
        "fbt::security_*:entry are where Linux's security modules are asked",
    ),
    row(
        &["audit"],
        "this is FreeBSD's auditing, which Linux does not have",
        "syscall::: fires for each system call",
    ),
    row(
        &["callout_execute"],
        "these are FreeBSD's callouts, which Linux does not have",
        "sdt:timer::timer_expire_entry and timer_expire_exit fire for timers",
    ),
    row(
        &["nfscl"],
        "this is FreeBSD's NFS client",
        "sdt:nfs::: and sdt:nfs4::: are Linux's, where its modules are loaded",
    ),
    row(
        &["nfsv3", "nfsv4"],
        "this is illumos' NFS server",
        "sdt:nfsd::: is Linux's, where its module is loaded",
    ),
    row(&["smb"], "this is illumos' SMB server", "sdt:cifs::: is Linux's client, where its module is loaded"),
    row(
        &["iscsi"],
        "this is illumos' iSCSI target",
        "sdt:iscsi::: is Linux's initiator, where its module is loaded",
    ),
    row(&["zfs"], "ZFS is no part of Linux", "sdt:zfs::: is there where its module is loaded"),
    row(
        &["kinst"],
        "between a function's entry and its return Linux has no place of the kernel to stop at",
        "fbt:::entry and fbt:::return are there; pid$target has offsets in functions of processes",
    ),
    row(
        &["plockstat"],
        "Linux's C library has no such probes",
        "pid$target::pthread_mutex_lock:entry and return are its functions; lockstat::: is about locks of the kernel",
    ),
    row(
        &["objc"],
        "Linux has no Objective-C runtime that tells of its methods",
        "pid$target has the functions of the program and of its libraries",
    ),
    row(&["mach_trap"], "Linux is not built on Mach", "syscall::: fires for each system call"),
    row(&["etw"], "this is Windows' event tracing", "`tracer -l -P sdt` lists the events of Linux"),
];

/// The row of a provider.
pub(super) fn find(provider: &str) -> Option<&'static Elsewhere> {
    TABLE.iter().find(|row| row.names.contains(&provider))
}

#[cfg(test)]
mod tests {
    use super::TABLE;
    use crate::kernel::Target;
    use crate::provider::Catalog;

    #[test]
    fn what_is_elsewhere_is_not_here() {
        let catalog = Catalog::new(&Target::fixture());
        for name in TABLE.iter().flat_map(|row| row.names) {
            assert!(!catalog.offers(name), "{name}");
        }
    }
}
