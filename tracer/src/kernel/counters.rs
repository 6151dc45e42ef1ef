//! The events that perf counts, by the names that DTrace's cpc provider has for them: those of perf, with `_` for `-`.
//!
//! Names and numbers are those of include/uapi/linux/perf_event.h, Linux 6.18.

use std::fs;

use super::sys;

/// An event that can be counted.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// Its names; the first is the one that is shown.
    pub names: &'static [&'static str],
    /// `perf_event_attr.type`.
    pub kind: u32,
    /// `perf_event_attr.config`.
    pub config: u64,
}

const HARDWARE: u32 = 0;
const SOFTWARE: u32 = 1;
const HW_CACHE: u32 = 3;

macro_rules! events {
    ($( $kind:ident { $( $config:literal: $($name:literal)+; )* } )*) => {
        /// All of them.
        pub static EVENTS: &[Event] = &[
            $( $( Event { names: &[$($name),+], kind: $kind, config: $config }, )* )*
        ];
    };
}

events! {
    SOFTWARE {
        0: "cpu_clock" "perf_count_sw_cpu_clock";
        1: "task_clock" "perf_count_sw_task_clock";
        2: "page_faults" "faults" "perf_count_sw_page_faults";
        3: "context_switches" "cs" "perf_count_sw_context_switches";
        4: "cpu_migrations" "migrations" "perf_count_sw_cpu_migrations";
        5: "minor_faults" "perf_count_sw_page_faults_min";
        6: "major_faults" "perf_count_sw_page_faults_maj";
        7: "alignment_faults";
        8: "emulation_faults";
        11: "cgroup_switches" "perf_count_sw_cgroup_switches";
    }
    HARDWARE {
        0: "cycles" "cpu_cycles" "perf_count_hw_cpu_cycles";
        1: "instructions" "perf_count_hw_instructions";
        2: "cache_references" "perf_count_hw_cache_references";
        3: "cache_misses" "perf_count_hw_cache_misses";
        4: "branches" "branch_instructions" "perf_count_hw_branch_instructions";
        5: "branch_misses" "perf_count_hw_branch_misses";
        6: "bus_cycles" "perf_count_hw_bus_cycles";
        7: "stalled_cycles_frontend" "idle_cycles_frontend" "perf_count_hw_stalled_cycles_frontend";
        8: "stalled_cycles_backend" "idle_cycles_backend" "perf_count_hw_stalled_cycles_backend";
        9: "ref_cycles" "perf_count_hw_ref_cpu_cycles";
    }
    // The cache, what is done to it (0 load, 1 store, 2 prefetch) << 8, whether it misses << 16.
    HW_CACHE {
        0x00000: "l1_dcache_loads" "perf_count_hw_cache_l1d";
        0x10000: "l1_dcache_load_misses";
        0x00100: "l1_dcache_stores";
        0x10100: "l1_dcache_store_misses";
        0x00200: "l1_dcache_prefetches";
        0x10200: "l1_dcache_prefetch_misses";
        0x00001: "l1_icache_loads" "perf_count_hw_cache_l1i";
        0x10001: "l1_icache_load_misses";
        0x00201: "l1_icache_prefetches";
        0x10201: "l1_icache_prefetch_misses";
        0x00002: "llc_loads" "perf_count_hw_cache_ll";
        0x10002: "llc_load_misses";
        0x00102: "llc_stores";
        0x10102: "llc_store_misses";
        0x00202: "llc_prefetches";
        0x10202: "llc_prefetch_misses";
        0x00003: "dtlb_loads" "perf_count_hw_cache_dtlb";
        0x10003: "dtlb_load_misses";
        0x00103: "dtlb_stores";
        0x10103: "dtlb_store_misses";
        0x00203: "dtlb_prefetches";
        0x10203: "dtlb_prefetch_misses";
        0x00004: "itlb_loads" "perf_count_hw_cache_itlb";
        0x10004: "itlb_load_misses";
        0x00005: "branch_loads" "perf_count_hw_cache_bpu";
        0x10005: "branch_load_misses";
        0x00006: "node_loads" "perf_count_hw_cache_node";
        0x10006: "node_load_misses";
        0x00106: "node_stores";
        0x10106: "node_store_misses";
        0x00206: "node_prefetches";
        0x10206: "node_prefetch_misses";
    }
}

/// The page faults that have waited for a device.
pub static MAJOR_FAULTS: Event = Event { names: &["major_faults"], kind: SOFTWARE, config: 6 };

/// Whether the processor is at user code, at the kernel's, or at either when an event counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Either.
    All,
    /// User code.
    User,
    /// The kernel.
    Kernel,
}

/// Who knows which events can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counters {
    /// The running kernel: it is asked for each.
    Here,
    /// A made-up system: those that need no processor's help.
    Software,
}

impl Counters {
    /// Those that can be counted: those of the kernel always, those of the processor where it has a unit that counts.
    pub fn available(self) -> impl Iterator<Item = &'static Event> {
        let unit = self == Counters::Here && has_unit();
        EVENTS
            .iter()
            .filter(move |event| event.kind == SOFTWARE || unit && sys::can_count(event.kind, event.config))
    }
}

/// Whether the kernel knows a unit of the processor that counts.
fn has_unit() -> bool {
    let devices = fs::read_dir("/sys/bus/event_source/devices").into_iter().flatten().flatten();
    devices.into_iter().any(|device| device.file_name().as_encoded_bytes().starts_with(b"cpu"))
}

/// The event of that name.
pub fn find(name: &str) -> Option<&'static Event> {
    EVENTS.iter().find(|event| event.names.contains(&name))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Counters, EVENTS};

    #[test]
    fn an_event_has_one_row_and_a_name_one_event() {
        let mut seen = HashSet::new();
        for event in EVENTS {
            assert!(seen.insert((event.kind, event.config)), "{}", event.names[0]);
        }
        let mut names = HashSet::new();
        assert!(
            EVENTS.iter().flat_map(|event| event.names).all(|name| names.insert(name) && !name.contains('-'))
        );
    }

    #[test]
    fn the_kernels_own_events_are_always_there() {
        let names: Vec<&str> = Counters::Here.available().map(|event| event.names[0]).collect();
        assert!(["cpu_clock", "page_faults", "context_switches"].iter().all(|name| names.contains(name)));
    }
}
