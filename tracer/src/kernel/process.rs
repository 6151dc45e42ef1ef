//! The processes of the system as /proc shows them, and the clocks.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its process id.
    pub pid: u32,
    /// Its parent's.
    pub ppid: u32,
    /// Its real user.
    pub uid: u32,
    /// Its name, at most 15 bytes; the process may have put anything into it.
    pub comm: String,
}

/// All processes, by process id. Those that end meanwhile are left out.
pub fn list() -> io::Result<Vec<Process>> {
    let mut processes: Vec<Process> = fs::read_dir("/proc")?
        .filter_map(|entry| read(entry.ok()?.file_name().to_str()?.parse().ok()?))
        .collect();
    processes.sort_unstable_by_key(|process| process.pid);
    Ok(processes)
}

/// The process `pid`, if there is one.
pub fn read(pid: u32) -> Option<Process> {
    parse_status(pid, &String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/status")).ok()?))
}

/// The arguments of a process, separated by spaces, as psinfo_t's pr_psargs has them; empty for a kernel thread.
pub fn psargs(pid: u32) -> Option<String> {
    Some(join_args(&fs::read(format!("/proc/{pid}/cmdline")).ok()?))
}

/// `root` and all its descendants among `processes`: what progenyof(root) is true for.
pub fn progeny(processes: &[Process], root: u32) -> BTreeSet<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for process in processes {
        children.entry(process.ppid).or_default().push(process.pid);
    }
    let mut found = BTreeSet::from([root]);
    let mut open = vec![root];
    while let Some(pid) = open.pop() {
        open.extend(children.get(&pid).into_iter().flatten().filter(|&&child| found.insert(child)));
    }
    found
}

/// `CLOCK_REALTIME - CLOCK_MONOTONIC` in nanoseconds: added to a firing's time it gives walltimestamp.
///
/// Of several readings the one between whose ends the least time passed.
pub fn wall_offset() -> u64 {
    let reading = || {
        let (before, wall, after) =
            (clock(libc::CLOCK_MONOTONIC), clock(libc::CLOCK_REALTIME), clock(libc::CLOCK_MONOTONIC));
        (after - before, wall.wrapping_sub(before + (after - before) / 2))
    };
    (0..5).map(|_| reading()).min().map_or(0, |(_, offset)| offset)
}

/// Nanoseconds between two ticks of the kernel's clock, which is what its coarse clocks resolve.
pub fn tick() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: as for `clock`.
    unsafe { libc::clock_getres(libc::CLOCK_MONOTONIC_COARSE, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// What a clock shows, in nanoseconds.
pub fn clock(id: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec to write to. The clocks asked for exist on every Linux, so it is filled in.
    unsafe { libc::clock_gettime(id, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Reads the text of /proc/PID/status (proc(5)).
fn parse_status(pid: u32, status: &str) -> Option<Process> {
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(":\t"));
    Some(Process {
        pid,
        ppid: field("PPid")?.parse().ok()?,
        uid: field("Uid")?.split('\t').next()?.parse().ok()?,
        // The kernel escapes these two (fs/proc/array.c, proc_task_name).
        comm: field("Name")?.replace("\\n", "\n").replace("\\\\", "\\"),
    })
}

fn join_args(cmdline: &[u8]) -> String {
    let end = cmdline.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    String::from_utf8_lossy(&cmdline[..end]).replace('\0', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, ppid: u32) -> Process {
        Process { pid, ppid, uid: 0, comm: String::new() }
    }

    #[test]
    fn status_is_read() {
        let status = "Name:\ta\\n b\nState:\tS (sleeping)\nPid:\t12\nPPid:\t7\nUid:\t1000\t0\t0\t0\n";
        let expected = Process { pid: 12, ppid: 7, uid: 1000, comm: "a\n b".to_owned() };
        assert_eq!(parse_status(12, status), Some(expected));
        assert_eq!(parse_status(12, "Name:\tx\n"), None);
    }

    #[test]
    fn arguments_are_joined() {
        assert_eq!(join_args(b"ls\0-l\0/tmp\0"), "ls -l /tmp");
        assert_eq!(join_args(b""), "");
        assert_eq!(join_args(b"title set by setproctitle\0\0\0"), "title set by setproctitle");
    }

    #[test]
    fn progeny_is_transitive_and_ends_in_cycles() {
        let all = [process(1, 0), process(2, 1), process(3, 2), process(4, 1), process(5, 6), process(6, 5)];
        assert_eq!(progeny(&all, 2), BTreeSet::from([2, 3]));
        assert_eq!(progeny(&all, 5), BTreeSet::from([5, 6]));
        assert_eq!(progeny(&all, 99), BTreeSet::from([99]));
    }

    #[test]
    fn this_process_is_in_the_list() {
        let own = std::process::id();
        let all = list().expect("/proc is mounted");
        let this = all.iter().find(|process| process.pid == own).expect("it runs");
        assert_eq!(this.ppid, std::os::unix::process::parent_id());
        assert!(progeny(&all, this.ppid).contains(&own));
        assert!(psargs(own).expect("it runs").contains(&std::env::args().next().expect("it has a name")));
    }

    #[test]
    fn the_kernel_ticks_100_to_1000_times_a_second() {
        assert!((1_000_000..=10_000_000).contains(&tick()), "{}", tick());
    }

    #[test]
    fn the_wall_offset_leads_to_the_wall_time() {
        let now = std::time::UNIX_EPOCH.elapsed().expect("it is after 1970").as_nanos() as u64;
        let shown = clock(libc::CLOCK_MONOTONIC) + wall_offset();
        assert!(shown.abs_diff(now) < 1_000_000_000, "{shown} {now}");
    }
}
