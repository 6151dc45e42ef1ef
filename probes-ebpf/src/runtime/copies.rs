//! Strings made of strings: strjoin(), substr(), tolower(), toupper(), and the length that they need.

use super::job::{Job, Step, routines};

/// Copies the first string, then the second.
#[repr(C)]
struct Join {
    /// Where in the one or the other.
    from: u64,
    to: u64,
    /// 1 when the first has ended.
    second: u64,
}

impl Step for Join {
    #[inline(always)]
    fn step(job: &mut Job<Self>) -> bool {
        let Join { from, to, second } = *job.state();
        let byte = if second == 0 { job.first(from) } else { job.second(from) };
        if byte == 0 {
            *job.state() = Join { from: 0, to, second: 1 };
            return second != 0;
        }
        job.put(to, byte);
        *job.state() = Join { from: from + 1, to: to + 1, second };
        job.is_full(to)
    }
}

routines! {
    /// strjoin(): the first string and the second behind it.
    string_join(call) {
        call.job(Join { from: 0, to: 0, second: 0 }).run();
        0
    }
}

/// Finds the end of the first string.
#[repr(C)]
struct Length(u64);

impl Step for Length {
    #[inline(always)]
    fn step(job: &mut Job<Self>) -> bool {
        let at = job.state().0;
        let ended = job.first(at) == 0;
        if !ended {
            job.state().0 = at + 1;
        }
        ended
    }
}

/// Copies a part of the first string.
#[repr(C)]
struct Part {
    from: u64,
    to: u64,
    left: i64,
}

impl Step for Part {
    #[inline(always)]
    fn step(job: &mut Job<Self>) -> bool {
        let Part { from, to, left } = *job.state();
        let byte = job.first(from);
        if byte == 0 || left <= 0 || job.is_full(to) {
            return true;
        }
        job.put(to, byte);
        *job.state() = Part { from: from + 1, to: to + 1, left: left - 1 };
        false
    }
}

routines! {
    /// substr(): so many bytes (the second number) of the first string from an index (the first number). A negative index
    /// counts from the end; one before the beginning loses what lies before it. A negative number of bytes leaves so many at
    /// the end.
    string_part(call) {
        let [mut index, mut left] = call.numbers();
        let length = call.job(Length(0)).run().0 as i64;
        if index < 0 {
            index = index.wrapping_add(length);
            if index < 0 && index.wrapping_add(left) > 0 {
                left = left.wrapping_add(index);
                index = 0;
            }
        }
        if index >= length || index < 0 {
            return 0;
        }
        if left < 0 {
            left = left.wrapping_add(length - index);
        }
        call.job(Part { from: index as u64, to: 0, left }).run();
        0
    }
}

/// Copies the first string with its letters changed: those from `from` on by the alphabet's length have bit 5 flipped.
#[repr(C)]
struct Letters {
    at: u64,
    from: u64,
}

impl Step for Letters {
    #[inline(always)]
    fn step(job: &mut Job<Self>) -> bool {
        let Letters { at, from } = *job.state();
        let byte = u64::from(job.first(at));
        if byte == 0 || job.is_full(at) {
            return true;
        }
        let changed = if byte.wrapping_sub(from) < 26 { byte ^ 0x20 } else { byte };
        job.put(at, changed as u8);
        job.state().at = at + 1;
        false
    }
}

routines! {
    /// tolower(), toupper(): the first number is the first of the letters to be changed, `A` or `a`.
    string_letters(call) {
        let from = call.numbers()[0] as u64;
        call.job(Letters { at: 0, from }).run();
        0
    }
}

#[cfg(test)]
mod tests {
    use super::super::job::testing::{run, run_sized, strings};
    use super::*;

    #[test]
    fn joins() {
        assert_eq!(run(string_join, "abc", "de", [0; 2]).1, "abcde");
        assert_eq!(run(string_join, "", "de", [0; 2]).1, "de");
        assert_eq!(run(string_join, "abc", "", [0; 2]).1, "abc");
        let (long, more) = ("a".repeat(5), "b".repeat(6));
        assert_eq!(run_sized(string_join, 8, long.as_bytes(), more.as_bytes(), [0; 2]).1, "aaaaabb");
    }

    /// What DTrace's manuals say of substr().
    fn naive(text: &str, mut index: i64, length: Option<i64>) -> String {
        let size = text.len() as i64;
        let mut left = length.unwrap_or(i64::from(u32::MAX));
        if index < 0 {
            index += size;
            if index < 0 && index + left > 0 {
                left += index;
                index = 0;
            }
        }
        if index < 0 || index >= size {
            return String::new();
        }
        let end = if left < 0 { size + left } else { (index + left).min(size) };
        text.get(index as usize..end.max(index) as usize).unwrap_or_default().to_owned()
    }

    #[test]
    fn parts_are_those_of_the_manual() {
        for text in ["", "a", "abcdef"] {
            for index in -9..9 {
                for length in -9..9 {
                    let (_, part) = run(string_part, text, "", [index, length]);
                    assert_eq!(part, naive(text, index, Some(length)), "{text} {index} {length}");
                }
                let (_, part) = run(string_part, text, "", [index, i64::from(u32::MAX)]);
                assert_eq!(part, naive(text, index, None), "{text} {index}");
            }
        }
        assert_eq!(run(string_part, "abcdef", "", [i64::MIN, i64::MAX]).1, "abcde");
        assert_eq!(run(string_part, "abcdef", "", [2, i64::MIN]).1, "");
    }

    #[test]
    fn letters_change() {
        let text = "aZ@[`{mM09~\u{e9}";
        assert_eq!(run(string_letters, text, "", [i64::from(b'A'), 0]).1, text.to_ascii_lowercase());
        assert_eq!(run(string_letters, text, "", [i64::from(b'a'), 0]).1, text.to_ascii_uppercase());
        for text in strings("aZ", 4) {
            assert_eq!(run(string_letters, &text, "", [i64::from(b'a'), 0]).1, text.to_uppercase());
        }
    }
}
