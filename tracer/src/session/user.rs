//! The user who called sudo, as whom -c's command runs: number, group and supplementary groups.
//!
//! The groups are those of the ancestor from which sudo was called, else those that /etc/group gives. Neither needs the name
//! service of the C library, which a statically linked program does not have.

use std::fs;

/// A user to become.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Supplementary groups, never empty.
    pub(super) groups: Vec<u32>,
}

/// The user who called sudo; `None` when nobody did or it was root.
pub(super) fn invoking() -> Option<User> {
    // SAFETY: no arguments, no failure.
    if unsafe { libc::geteuid() } != 0 {
        return None;
    }
    let number = |name| std::env::var(name).ok()?.parse::<u32>().ok();
    let (uid, gid) = (number("SUDO_UID")?, number("SUDO_GID")?);
    if uid == 0 {
        return None;
    }
    let status = |pid: u32| fs::read_to_string(format!("/proc/{pid}/status")).ok();
    let groups = of_ancestor(uid, std::process::id(), status).unwrap_or_else(|| {
        let name = std::env::var("SUDO_USER").unwrap_or_default();
        in_file(&name, gid, &fs::read_to_string("/etc/group").unwrap_or_default())
    });
    Some(User { uid, gid, groups })
}

/// The groups of the nearest ancestor that is that user's, by the text of /proc/PID/status (proc(5)).
fn of_ancestor(uid: u32, mut pid: u32, status: impl Fn(u32) -> Option<String>) -> Option<Vec<u32>> {
    while pid > 1 {
        let text = status(pid)?;
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        if field("Uid:")?.split_whitespace().next()?.parse() == Ok(uid) {
            let groups = field("Groups:")?.split_whitespace().map(str::parse).collect::<Result<Vec<_>, _>>();
            return groups.ok().filter(|groups| !groups.is_empty());
        }
        pid = field("PPid:")?.trim().parse().ok()?;
    }
    None
}

/// The groups of a user by the text of group(5), his own first.
fn in_file(name: &str, gid: u32, text: &str) -> Vec<u32> {
    let rows = text.lines().filter_map(|line| {
        let [_, _, number, members] = line.split(':').collect::<Vec<_>>()[..] else { return None };
        let member = !name.is_empty() && members.split(',').any(|member| member == name);
        if member { number.parse::<u32>().ok() } else { None }
    });
    let mut groups = vec![gid];
    groups.extend(rows.filter(|&group| group != gid));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_those_of_whoever_called_sudo() {
        let status = |pid| {
            let (parent, uid, groups) = match pid {
                40 => (30, 0, "0 "),
                30 => (20, 0, "0 "),
                20 => (1, 1000, "4 27 1000 "),
                _ => return None,
            };
            Some(format!("Name:\tx\nPPid:\t{parent}\nUid:\t{uid}\t0\t0\t0\nGroups:\t{groups}\n"))
        };
        assert_eq!(of_ancestor(1000, 40, status), Some(vec![4, 27, 1000]));
        assert_eq!(of_ancestor(1001, 40, status), None);
    }

    #[test]
    fn groups_are_found_in_the_file() {
        let text = "root:x:0:\nadm:x:4:syslog,ann\nsudo:x:27:ann\nann:x:1000:ann\nbroken\nbob:x:1001:anna\n";
        assert_eq!(in_file("ann", 1000, text), [1000, 4, 27]);
        assert_eq!(in_file("nobody", 65534, text), [65534]);
        assert_eq!(in_file("", 7, text), [7]);
    }
}
