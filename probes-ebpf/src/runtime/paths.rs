//! basename() and dirname(), as POSIX has them.

use super::job::{Job, Step, routines};

/// Goes through a path once, component by component.
#[repr(C)]
struct Components {
    at: u64,
    /// Where the last component begins and ends.
    start: u64,
    end: u64,
    /// Where the one before it ends; 0 where there is none.
    before: u64,
    /// Whether the byte before was part of a component.
    inside: u64,
}

impl Step for Components {
    #[inline(always)]
    fn step(job: &mut Job<Self>) -> bool {
        let at = job.state().at;
        let byte = job.first(at);
        if byte == 0 {
            return true;
        }
        let state = job.state();
        if byte == b'/' {
            state.inside = 0;
        } else {
            if state.inside == 0 {
                (state.before, state.start, state.inside) = (state.end, at, 1);
            }
            state.end = at + 1;
        }
        state.at = at + 1;
        false
    }
}

/// Copies a part of the first string.
#[repr(C)]
struct Cut {
    from: u64,
    end: u64,
    to: u64,
}

impl Step for Cut {
    #[inline(always)]
    fn step(job: &mut Job<Self>) -> bool {
        let Cut { from, end, to } = *job.state();
        if from >= end || job.is_full(to) {
            return true;
        }
        let byte = job.first(from);
        job.put(to, byte);
        *job.state() = Cut { from: from + 1, end, to: to + 1 };
        false
    }
}

routines! {
    /// basename(), and with a first number that is not 0 dirname().
    string_path(call) {
        let directory = call.numbers()[0] != 0;
        let mut job = call.job(Components { at: 0, start: 0, end: 0, before: 0, inside: 0 });
        let &mut Components { start, end, before, .. } = job.run();
        let (from, end) = if directory { (0, before) } else { (start, end) };
        if end == 0 {
            let rooted = job.first(0) == b'/';
            job.put(0, if rooted { b'/' } else { b'.' });
            return 0;
        }
        call.job(Cut { from, end, to: 0 }).run();
        0
    }
}

#[cfg(test)]
mod tests {
    use super::super::job::testing::{run, strings};
    use super::string_path;

    /// POSIX's two, by their description.
    fn naive(path: &str, directory: bool) -> String {
        let only_slashes = !path.is_empty() && path.bytes().all(|byte| byte == b'/');
        if path.is_empty() || only_slashes {
            return if only_slashes { "/" } else { "." }.to_owned();
        }
        let path = path.trim_end_matches('/');
        match (path.rfind('/'), directory) {
            (None, false) => path.to_owned(),
            (None, true) => ".".to_owned(),
            (Some(at), false) => path[at + 1..].to_owned(),
            (Some(at), true) => {
                let rest = path[..at].trim_end_matches('/');
                if rest.is_empty() { "/".to_owned() } else { rest.to_owned() }
            }
        }
    }

    #[test]
    fn names_and_directories_are_those_of_posix() {
        for path in strings("ab/", 6) {
            assert_eq!(run(string_path, &path, "", [0, 0]).1, naive(&path, false), "{path:?}");
            assert_eq!(run(string_path, &path, "", [1, 0]).1, naive(&path, true), "{path:?}");
        }
    }
}
