//! A [`Target`]: everything that the compiler may know about the system it compiles for.
//!
//! Up to the finished object, compiling is a pure function of the source, the options and a target; a target can be
//! made up.

use std::fs;
use std::sync::Arc;

use probes_common::offsets::Offsets;

use super::addresses::Addresses;
use super::arch::{Machine, X86_64};
use super::btf::Btf;
use super::counters::Counters;
use super::features::Facts;
use super::functions::Functions;
use super::modules::{Modules, Types};
use super::refusal::{Refusal, judge};
use super::topology::Topology;
use super::tracepoints::Tracepoints;
use super::{offsets, process};

/// A system to compile for.
#[derive(Clone, Debug)]
pub struct Target {
    /// The processor's part.
    pub machine: &'static Machine,
    /// The kernel's release, `6.18.44`.
    pub release: String,
    /// Where the fields are that the probes read.
    pub offsets: Offsets,
    /// The raw tracepoints.
    pub tracepoints: Tracepoints,
    /// The functions that can be traced.
    pub functions: Functions,
    /// The events that can be counted.
    pub counters: Counters,
    /// The loaded modules.
    pub modules: Modules,
    /// Where the kernel's symbols are.
    pub addresses: Addresses,
    /// The kernel's types; a made-up system has none.
    pub types: Option<Types>,
    /// Number of possible CPUs: per-CPU maps have a value for each.
    pub cpus: u32,
    /// Where the CPUs are.
    pub topology: Topology,
    /// Bytes of a page.
    pub page_size: u32,
    /// `CLOCK_REALTIME - CLOCK_MONOTONIC` in nanoseconds.
    pub wall_offset: u64,
    /// Nanoseconds between two ticks of the kernel's clock: a jiffy.
    pub tick: u64,
    /// The tracer's own process id.
    pub own_pid: u32,
}

impl Target {
    /// This system, or why it cannot be traced.
    pub fn probe() -> Result<Target, Refusal> {
        Target::ensure_granted()?;
        Target::describe()
    }

    /// Fails where this system cannot be traced with these privileges, and says why.
    pub fn ensure_granted() -> Result<(), Refusal> {
        judge(&Facts::read())
    }

    /// This system, whether or not the privileges allow tracing it: enough to compile for it and to list its probes.
    pub fn describe() -> Result<Target, Refusal> {
        let btf = Btf::load().map_err(|error| Refusal {
            what: "the kernel's types cannot be read".to_owned(),
            why: error.to_string(),
            remedy: "boot a kernel with CONFIG_DEBUG_INFO_BTF=y, and mount sysfs at /sys".to_owned(),
        })?;
        let btf = Arc::new(btf);
        let text = |path| fs::read_to_string(path).unwrap_or_default();
        Ok(Target {
            machine: Machine::host(),
            release: text("/proc/sys/kernel/osrelease").trim().to_owned(),
            offsets: offsets::resolve(&btf),
            tracepoints: Tracepoints::Declared(Arc::clone(&btf)),
            functions: Functions::default(),
            counters: Counters::Here,
            modules: Modules::Here,
            addresses: Addresses::default(),
            types: Some(Types::new(btf)),
            cpus: count_cpus(&text("/sys/devices/system/cpu/possible")).unwrap_or_else(configured_cpus),
            topology: Topology::Here,
            page_size: sysconf(libc::_SC_PAGESIZE),
            wall_offset: process::wall_offset(),
            tick: process::tick(),
            own_pid: std::process::id(),
        })
    }

    /// A made-up system with all tracepoints and 4 CPUs, on which every field is somewhere: for tests that need no
    /// kernel and no privileges.
    pub fn fixture() -> Target {
        Target {
            machine: &X86_64,
            release: "6.12.0-fixture".to_owned(),
            offsets: offsets::from_words(std::array::from_fn(|i| 8 * i as u32)),
            tracepoints: Tracepoints::AllBut([].into()),
            functions: Functions::these("vfs_read\nvfs_write\ntcp_sendmsg\ntcp_v4_rcv\n"),
            counters: Counters::Software,
            modules: Modules::These([].into()),
            addresses: Addresses::parse(
                "ffffffff81400000 T vfs_read\nffffffff82a05000 D jiffies\n0000000000000000 D hidden\n",
            ),
            types: None,
            cpus: 4,
            topology: Topology::Flat,
            page_size: 4096,
            wall_offset: 1_700_000_000_000_000_000,
            tick: 4_000_000,
            own_pid: 1000,
        }
    }
}

/// How many CPUs a list such as `0-3,8` reaches to: per-CPU values are indexed by CPU number.
fn count_cpus(list: &str) -> Option<u32> {
    list.trim().rsplit([',', '-']).next()?.parse::<u32>().ok()?.checked_add(1)
}

fn configured_cpus() -> u32 {
    sysconf(libc::_SC_NPROCESSORS_CONF)
}

fn sysconf(name: libc::c_int) -> u32 {
    // SAFETY: sysconf(3) only reads its argument.
    let value = unsafe { libc::sysconf(name) };
    u32::try_from(value).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpus_are_counted_to_the_last() {
        assert_eq!(count_cpus("0-3\n"), Some(4));
        assert_eq!(count_cpus("0\n"), Some(1));
        assert_eq!(count_cpus("0-3,8-127\n"), Some(128));
        assert_eq!(count_cpus(""), None);
        assert_eq!(count_cpus("0-4294967295"), None);
    }

    #[test]
    fn this_system_is_found() {
        let target = match Target::describe() {
            Ok(target) => target,
            Err(refusal) => return eprintln!("skipped: {refusal}"),
        };
        assert!(target.cpus >= 1 && target.page_size >= 4096);
        assert!(target.tracepoints.has("sys_enter") && !target.tracepoints.has("no_such_thing"));
        assert!(target.release.starts_with(|c: char| c.is_ascii_digit()));
    }
}
