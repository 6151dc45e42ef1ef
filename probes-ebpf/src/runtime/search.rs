//! Finding strings and characters in strings: index(), rindex(), strstr(), strchr(), strrchr().

use super::job::{Job, Step, routines};

/// Looks for the second string in the first, forward or backward.
#[repr(C)]
struct Search {
    /// Where it may begin.
    at: u64,
    /// How many of its bytes are there.
    same: u64,
    /// The last place to look at.
    last: u64,
    /// 1 or -1.
    by: u64,
    /// Whether it was found, at `at`.
    found: u64,
}

impl Step for Search {
    #[inline(always)]
    fn step(job: &mut Job<Self>) -> bool {
        let (at, same) = (job.state().at, job.state().same);
        let wanted = job.second(same);
        if wanted == 0 {
            job.state().found = 1;
            return true;
        }
        if job.first(at.wrapping_add(same)) == wanted {
            job.state().same = same + 1;
            return false;
        }
        job.state().same = 0;
        job.state().at = at.wrapping_add(job.state().by);
        at == job.state().last
    }
}

/// The lengths of both strings.
#[repr(C)]
struct Lengths {
    first: u64,
    second: u64,
}

impl Step for Lengths {
    #[inline(always)]
    fn step(job: &mut Job<Self>) -> bool {
        let Lengths { first, second } = *job.state();
        let (more, more_second) = (job.first(first) != 0, job.second(second) != 0);
        job.state().first = first + u64::from(more);
        job.state().second = second + u64::from(more_second);
        !more && !more_second
    }
}

/// No position was given.
const NOWHERE: i64 = i64::MIN;

routines! {
    /// index(), and with a second number that is not 0 rindex(): where the second string begins in the first, at or after (at
    /// or before) the position that is the first number; -1 where it does not. As in Perl, an empty string is found at the
    /// nearest place inside.
    string_index(call) {
        let [position, backward] = call.numbers();
        let (length, wanted) = {
            let mut job = call.job(Lengths { first: 0, second: 0 });
            let lengths = job.run();
            (lengths.first as i64, lengths.second)
        };
        if wanted == 0 && length == 0 {
            return 0;
        }
        let given = position != NOWHERE;
        let search = if backward != 0 {
            if given && position < 0 {
                return if wanted == 0 { 0 } else { -1 };
            }
            let at = if given && position < length { position } else { length };
            Search { at: at as u64, same: 0, last: 0, by: u64::MAX, found: 0 }
        } else {
            let at = if given && position > 0 { position } else { 0 };
            if at >= length {
                return if wanted == 0 { length } else { -1 };
            }
            Search { at: at as u64, same: 0, last: length as u64 - 1, by: 1, found: 0 }
        };
        let mut job = call.job(search);
        let end = job.run();
        if end.found != 0 { end.at as i64 } else { -1 }
    }
}

/// Looks for a byte in the first string.
#[repr(C)]
struct Find {
    at: u64,
    wanted: u64,
    /// Whether the last is wanted.
    last: u64,
    found: u64,
}

/// It was not found.
const NOT: u64 = u64::MAX;

impl Step for Find {
    #[inline(always)]
    fn step(job: &mut Job<Self>) -> bool {
        let Find { at, wanted, last, .. } = *job.state();
        let byte = u64::from(job.first(at));
        if byte == wanted {
            job.state().found = at;
            if last == 0 {
                return true;
            }
        }
        job.state().at = at + 1;
        byte == 0
    }
}

routines! {
    /// Where the byte that is the first number is in the first string: the first, or with a second number that is not 0 the
    /// last; -1 where it is not. A zero is found at the end.
    string_find(call) {
        let [wanted, last] = call.numbers();
        let find = Find { at: 0, wanted: wanted as u64 & 0xff, last: last as u64, found: NOT };
        call.job(find).run().found as i64
    }
}

#[cfg(test)]
mod tests {
    use super::super::job::testing::{run, run_sized, strings};
    use super::*;

    /// Perl's index and rindex.
    fn naive(text: &str, wanted: &str, position: Option<i64>, backward: bool) -> i64 {
        let length = text.len() as i64;
        let found = |at: i64| text[at as usize..].starts_with(wanted);
        if backward {
            let from = position.unwrap_or(length).min(length);
            if from < 0 {
                return if wanted.is_empty() { 0 } else { -1 };
            }
            (0..=from).rev().find(|&at| found(at)).unwrap_or(-1)
        } else {
            let from = position.unwrap_or(0).max(0);
            if from > length {
                return if wanted.is_empty() { length } else { -1 };
            }
            (from..=length).find(|&at| found(at)).unwrap_or(-1)
        }
    }

    #[test]
    fn positions_are_those_of_perl() {
        for text in strings("ab", 5) {
            for wanted in strings("ab", 3) {
                for position in [None, Some(-2), Some(-1), Some(0), Some(1), Some(3), Some(5), Some(9)] {
                    for backward in [false, true] {
                        let numbers = [position.unwrap_or(NOWHERE), i64::from(backward)];
                        let (at, _) = run(string_index, &text, &wanted, numbers);
                        let truth = naive(&text, &wanted, position, backward);
                        assert_eq!(at, truth, "{text:?} {wanted:?} {position:?} {backward}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_longest_search_ends() {
        let (text, wanted) = ("a".repeat(4000), "a".repeat(2000) + "b");
        let (at, _) = run_sized(string_index, 4096, text.as_bytes(), wanted.as_bytes(), [NOWHERE, 0]);
        assert_eq!(at, -1);
    }

    #[test]
    fn bytes_are_found() {
        for text in strings("ab", 4) {
            for byte in ['a', 'b', 'c'] {
                let place = |at: Option<usize>| at.map_or(-1, |at| at as i64);
                let number = i64::from(u32::from(byte));
                assert_eq!(run(string_find, &text, "", [number, 0]).0, place(text.find(byte)));
                assert_eq!(run(string_find, &text, "", [number, 1]).0, place(text.rfind(byte)));
            }
            assert_eq!(run(string_find, &text, "", [0, 0]).0, text.len() as i64);
        }
    }
}
