//! Where the CPUs are: the chip and the NUMA node of each, from sysfs.

use std::fs;

/// Who knows where the CPUs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    /// The running kernel: it is asked when somebody wants to know.
    Here,
    /// A made-up system: one chip, one node.
    Flat,
}

impl Topology {
    /// The chip and the node of so many CPUs; 0 where that is not known.
    pub fn rows(self, cpus: u32) -> Vec<[i32; 2]> {
        match self {
            Topology::Here => (0..cpus).map(|cpu| [chip(cpu), node(cpu)]).collect(),
            Topology::Flat => vec![[0, 0]; cpus as usize],
        }
    }
}

fn chip(cpu: u32) -> i32 {
    let path = format!("/sys/devices/system/cpu/cpu{cpu}/topology/physical_package_id");
    fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// A CPU's directory has a link named `nodeN`.
fn node(cpu: u32) -> i32 {
    let entries = fs::read_dir(format!("/sys/devices/system/cpu/cpu{cpu}")).into_iter().flatten().flatten();
    let number = |name: &str| name.strip_prefix("node")?.parse().ok();
    entries.filter_map(|entry| number(entry.file_name().to_str()?)).next().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Topology;

    #[test]
    fn every_cpu_has_a_row() {
        assert_eq!(Topology::Flat.rows(3), [[0, 0]; 3]);
        let rows = Topology::Here.rows(1);
        assert!(rows.len() == 1 && rows[0].iter().all(|&number| number >= 0));
    }
}
