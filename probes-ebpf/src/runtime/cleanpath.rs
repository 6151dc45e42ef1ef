//! cleanpath(): a path without `//`, `/./` and `/../`, by its text alone.

use super::job::{Job, Step, routines};

/// Goes through the path, a slash with what follows it at a turn; a component that `..` takes back, a byte at a turn.
#[repr(C)]
struct Clean {
    at: u64,
    to: u64,
    /// A component is being taken back.
    back: u64,
}

impl Step for Clean {
    #[inline(always)]
    fn step(job: &mut Job<Self>) -> bool {
        let Clean { at, to, back } = *job.state();
        if back != 0 {
            return Clean::take_back(job, at, to);
        }
        let byte = job.first(at);
        if byte == 0 || job.is_full(to) {
            return true;
        }
        if byte == b'/' {
            match (job.first(at + 1), job.first(at + 2), job.first(at + 3)) {
                (b'/', ..) => {
                    job.state().at = at + 1;
                    return false;
                }
                (b'.', b'/', _) => {
                    job.state().at = at + 2;
                    return false;
                }
                (b'.', b'.', b'/' | 0) => {
                    *job.state() = Clean { at: at + 3, to, back: 1 };
                    return false;
                }
                _ => {}
            }
        }
        job.put(to, byte);
        *job.state() = Clean { at: at + 1, to: to + 1, back: 0 };
        false
    }
}

impl Clean {
    #[inline(always)]
    fn take_back(job: &mut Job<Self>, at: u64, to: u64) -> bool {
        let last = to.wrapping_sub(1);
        if to != 0 && job.written(last) != b'/' {
            job.put(last, 0);
            job.state().to = last;
            return false;
        }
        // A slash stays when nothing follows; else the one that follows takes its place.
        let place = if to == 0 { 0 } else { last };
        let ended = job.first(at) == 0;
        job.put(place, if ended { b'/' } else { 0 });
        *job.state() = Clean { at, to: place, back: 0 };
        ended
    }
}

routines! {
    /// cleanpath() of the first string.
    string_cleanpath(call) {
        call.job(Clean { at: 0, to: 0, back: 0 }).run();
        0
    }
}

#[cfg(test)]
mod tests {
    use super::super::job::testing::{run, strings};
    use super::string_cleanpath;

    /// By components: of an absolute path, what is left when `.` and empty ones go and `..` takes its parent along. A
    /// slash at the end stays, and so does `/.` there, which leads nowhere further.
    fn naive(path: &str) -> String {
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let mut kept: Vec<&str> = Vec::new();
        let mut trailing = false;
        for (index, part) in parts.iter().enumerate() {
            let last = index + 1 == parts.len();
            match *part {
                "." if !last => {}
                "" => trailing = last,
                ".." => {
                    kept.pop();
                    trailing = last;
                }
                part => kept.push(part),
            }
        }
        format!("/{}{}", kept.join("/"), if trailing && !kept.is_empty() { "/" } else { "" })
    }

    #[test]
    fn what_leads_nowhere_is_left_out() {
        for path in strings("a./", 7).iter().filter(|path| path.starts_with('/')) {
            assert_eq!(run(string_cleanpath, path, "", [0; 2]).1, naive(path), "{path:?}");
        }
        assert_eq!(run(string_cleanpath, "a/../b", "", [0; 2]).1, "/b");
        assert_eq!(run(string_cleanpath, "a//b/./c", "", [0; 2]).1, "a/b/c");
        assert_eq!(run(string_cleanpath, "", "", [0; 2]).1, "");
        assert_eq!(run(string_cleanpath, "/usr/../lib/x/../../y..z", "", [0; 2]).1, "/y..z");
    }
}
