//! json(): an element of a JSON text, by a path such as `a.b[2].c`.
//!
//! The text is read once, from its beginning to the end of the element. What the element is, is not checked further than is
//! needed to find its end; strings are given without their quotes and as they are written.

use super::job::{Job, Step, routines};

#[repr(C)]
struct Scan {
    /// Where in the text.
    at: u64,
    /// Where in the path.
    path: u64,
    mode: u64,
    /// How deep inside of what is skipped or copied.
    depth: u64,
    /// In a string; 2 behind its backslash.
    quoted: u64,
    /// How many elements of an array are to be skipped.
    skip: u64,
    /// Where in the path the member's name is compared, and whether it is the same so far.
    name: u64,
    same: u64,
    /// Bytes of the result.
    to: u64,
    /// Whether the element was found to its end.
    found: u64,
}

/// Before a value that the path leads through, or to.
const VALUE: u64 = 0;
/// In the path's number of an element.
const ELEMENT: u64 = 1;
/// Before a member's name.
const NAME: u64 = 2;
/// In a member's name.
const NAMED: u64 = 3;
/// Between a member's name and its value.
const COLON: u64 = 4;
/// In an element of an array that is skipped.
const SKIP_ELEMENT: u64 = 5;
/// In a member that is skipped.
const SKIP_MEMBER: u64 = 6;
/// In the string, the object or array, the number or word that is wanted.
const STRING: u64 = 7;
const NESTED: u64 = 8;
const WORD: u64 = 9;

#[inline(always)]
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

impl Step for Scan {
    #[inline(always)]
    fn step(job: &mut Job<Self>) -> bool {
        let (at, path, mode) = (job.state().at, job.state().path, job.state().mode);
        if mode == ELEMENT {
            return Scan::element(job, path);
        }
        let byte = job.first(at);
        if mode == WORD {
            if byte == 0 || is_blank(byte) || matches!(byte, b',' | b'}' | b']') {
                job.state().found = 1;
                return true;
            }
            return Scan::copy(job, byte);
        }
        if byte == 0 {
            return true;
        }
        if matches!(mode, SKIP_ELEMENT | SKIP_MEMBER | NESTED) {
            return Scan::inside(job, mode, byte);
        }
        if mode == STRING || mode == NAMED {
            return Scan::string(job, mode, byte);
        }
        if mode == VALUE {
            return Scan::value(job, path, byte);
        }
        // What comes is a mark.
        job.state().at = at + 1;
        if is_blank(byte) {
            return false;
        }
        if mode == NAME {
            job.state().mode = NAMED;
            job.state().name = path;
            job.state().same = 1;
            return byte != b'"';
        }
        let state = job.state();
        if state.same != 0 {
            state.path = state.name;
            state.mode = VALUE;
        } else {
            state.mode = SKIP_MEMBER;
        }
        byte != b':'
    }
}

impl Scan {
    /// A byte of the path's `[n]`.
    #[inline(always)]
    fn element(job: &mut Job<Self>, path: u64) -> bool {
        let digit = u64::from(job.second(path));
        let state = job.state();
        state.path = path + 1;
        if digit == u64::from(b']') {
            state.mode = if state.skip == 0 { VALUE } else { SKIP_ELEMENT };
            return false;
        }
        let value = digit.wrapping_sub(u64::from(b'0'));
        state.skip = state.skip.wrapping_mul(10).wrapping_add(value);
        value > 9
    }

    /// The first byte of a value, or a blank before it.
    #[inline(always)]
    fn value(job: &mut Job<Self>, path: u64, byte: u8) -> bool {
        if is_blank(byte) {
            job.state().at += 1;
            return false;
        }
        let wanted = job.second(path);
        let state = job.state();
        if wanted == 0 {
            state.mode = match byte {
                b'"' => STRING,
                b'{' | b'[' => NESTED,
                _ => WORD,
            };
            state.at += u64::from(byte == b'"');
            return matches!(byte, b',' | b'}' | b']');
        }
        state.at += 1;
        if wanted == b'[' {
            (state.mode, state.skip, state.path) = (ELEMENT, 0, path + 1);
            return byte != b'[';
        }
        state.mode = NAME;
        state.path = path + u64::from(wanted == b'.');
        byte != b'{'
    }

    /// A byte of a string that is wanted or of a member's name.
    #[inline(always)]
    fn string(job: &mut Job<Self>, mode: u64, byte: u8) -> bool {
        let (quoted, name) = (job.state().quoted, job.state().name);
        if byte == b'"' && quoted != 2 {
            let ended = job.second(name);
            let state = job.state();
            state.at += 1;
            if mode == STRING {
                state.found = 1;
                return true;
            }
            state.mode = COLON;
            state.same &= u64::from(matches!(ended, 0 | b'.' | b'['));
            return false;
        }
        job.state().quoted = if byte == b'\\' && quoted != 2 { 2 } else { 0 };
        if mode == STRING {
            return Scan::copy(job, byte);
        }
        let expected = job.second(name);
        let state = job.state();
        state.same &= u64::from(expected == byte && !matches!(byte, b'.' | b'['));
        state.name += 1;
        state.at += 1;
        false
    }

    /// A byte of something nested: copied, or skipped up to the comma behind it.
    #[inline(always)]
    fn inside(job: &mut Job<Self>, mode: u64, byte: u8) -> bool {
        let quoted = job.state().quoted;
        let state = job.state();
        if quoted != 0 {
            state.quoted = if quoted == 2 {
                1
            } else if byte == b'\\' {
                2
            } else {
                u64::from(byte != b'"')
            };
        } else if byte == b'"' {
            state.quoted = 1;
        } else if matches!(byte, b'{' | b'[') {
            state.depth += 1;
        } else if matches!(byte, b'}' | b']') {
            if mode != NESTED && state.depth == 0 {
                return true;
            }
            state.depth = state.depth.wrapping_sub(1);
            if mode == NESTED && state.depth == 0 {
                state.found = 1;
                Scan::copy(job, byte);
                return true;
            }
        } else if byte == b',' && mode != NESTED && state.depth == 0 {
            state.at += 1;
            if mode == SKIP_MEMBER {
                state.mode = NAME;
            } else {
                state.skip = state.skip.wrapping_sub(1);
                state.mode = if state.skip == 0 { VALUE } else { SKIP_ELEMENT };
            }
            return false;
        }
        if mode == NESTED {
            return Scan::copy(job, byte);
        }
        job.state().at += 1;
        false
    }

    /// Goes on behind a byte that belongs to the result. What does not fit is cut, and its end looked for no more.
    #[inline(always)]
    fn copy(job: &mut Job<Self>, byte: u8) -> bool {
        let to = job.state().to;
        job.put(to, byte);
        let full = job.is_full(to);
        let state = job.state();
        state.to = to + 1;
        state.at += 1;
        state.found |= u64::from(full);
        full
    }
}

/// Takes back what was written.
#[repr(C)]
struct Erase(u64);

impl Step for Erase {
    #[inline(always)]
    fn step(job: &mut Job<Self>) -> bool {
        let at = job.state().0;
        let ended = job.written(at) == 0;
        job.put(at, 0);
        job.state().0 = at + 1;
        ended
    }
}

routines! {
    /// json(): the element of the first string that the second leads to. Gives 1, or 0 where there is none.
    string_json(call) {
        let scan =
            Scan { at: 0, path: 0, mode: VALUE, depth: 0, quoted: 0, skip: 0, name: 0, same: 0, to: 0, found: 0 };
        if call.job(scan).run().found != 0 {
            return 1;
        }
        call.job(Erase(0)).run();
        0
    }
}

#[cfg(test)]
mod tests {
    use super::super::job::testing::run_sized;
    use super::string_json;

    fn json(text: &str, path: &str) -> String {
        run_sized(string_json, 256, text.as_bytes(), path.as_bytes(), [0; 2]).1
    }

    #[test]
    fn elements_are_found_by_their_paths() {
        const TEXT: &str = r#" { "a" : 1, "ab":"two, \"2\"", "n":{"x":[10, [20,21] ,{"y":null}], "e":{}},
            "z[": 5, "t":true ,"last":-1.5e3}"#;
        for (path, truth) in [
            ("a", "1"),
            ("ab", r#"two, \"2\""#),
            ("n.x[0]", "10"),
            ("n.x[1]", "[20,21]"),
            ("n.x[1][1]", "21"),
            ("n.x[2].y", "null"),
            ("n.x[2]", r#"{"y":null}"#),
            ("n.e", "{}"),
            ("t", "true"),
            ("last", "-1.5e3"),
            ("b", ""),
            ("n.x[3]", ""),
            ("n.x[x]", ""),
            ("a.b", ""),
            ("n.e.f", ""),
            ("a[0]", ""),
            ("aa", ""),
        ] {
            assert_eq!(json(TEXT, path), truth, "{path}");
        }
        assert_eq!(json("[1,2,3]", "[2]"), "3");
        assert_eq!(json("[]", "[0]"), "");
        assert_eq!(json("[\"]\",\"b\"]", "[1]"), "b");
        assert_eq!(json("{}", "a"), "");
        assert_eq!(json("", "a"), "");
    }

    #[test]
    fn what_has_no_end_is_not_found() {
        assert_eq!(json(r#"{"a":"bc"#, "a"), "");
        assert_eq!(json(r#"{"a":[1,2"#, "a"), "");
        assert_eq!(json(r#"{"a" 1}"#, "a"), "");
    }

    #[test]
    fn what_is_long_is_cut() {
        let text = format!("{{\"a\":\"{}\"}}", "x".repeat(100));
        assert_eq!(run_sized(string_json, 256, text.as_bytes(), b"a", [0; 2]).1, "x".repeat(100));
    }
}
