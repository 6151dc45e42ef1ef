//! strtok(): the next piece of a string between delimiters.

use super::job::{Job, Step, routines};

/// The delimiters as a set of bytes.
#[repr(C)]
struct Delimiters {
    set: [u64; 4],
    at: u64,
}

impl Step for Delimiters {
    #[inline(always)]
    fn step(job: &mut Job<Self>) -> bool {
        let at = job.state().at;
        let byte = job.second(at);
        if byte == 0 {
            return true;
        }
        let state = job.state();
        state.set[usize::from(byte >> 6)] |= 1 << (byte & 63);
        state.at = at + 1;
        false
    }
}

/// Skips delimiters, then copies up to the next.
#[repr(C)]
struct Token {
    set: [u64; 4],
    at: u64,
    to: u64,
}

impl Step for Token {
    #[inline(always)]
    fn step(job: &mut Job<Self>) -> bool {
        let (at, to) = (job.state().at, job.state().to);
        let byte = job.first(at);
        if byte == 0 {
            return true;
        }
        job.state().at = at + 1;
        if job.state().set[usize::from(byte >> 6)] >> (byte & 63) & 1 != 0 {
            // The delimiter behind a piece belongs to it.
            return to > 0;
        }
        job.put(to, byte);
        job.state().to = to + 1;
        false
    }
}

routines! {
    /// strtok(): the piece of the first string that begins at or after the place that is the first number, delimited by any
    /// byte of the second string. Gives where the next may begin.
    string_token(call) {
        let at = call.numbers()[0] as u64;
        let set = call.job(Delimiters { set: [0; 4], at: 0 }).run().set;
        call.job(Token { set, at, to: 0 }).run().at as i64
    }
}

#[cfg(test)]
mod tests {
    use super::super::job::testing::{run, strings};
    use super::string_token;

    #[test]
    fn pieces_are_those_between_delimiters() {
        for text in strings("a,;", 5) {
            for delimiters in ["", ",", ";,", "x"] {
                let truth: Vec<&str> =
                    text.split(|c| delimiters.contains(c)).filter(|piece| !piece.is_empty()).collect();
                let (mut at, mut pieces) = (0, Vec::new());
                loop {
                    let (next, piece) = run(string_token, &text, delimiters, [at, 0]);
                    if piece.is_empty() {
                        break;
                    }
                    pieces.push(piece);
                    at = next;
                }
                assert_eq!(pieces, truth, "{text:?} {delimiters:?}");
            }
        }
    }
}
