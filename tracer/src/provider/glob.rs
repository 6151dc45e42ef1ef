//! D's globs: `*` any text, `?` any one character, `[a-z]` one of a set, `[!a-z]` one not in it, `\` before a character
//! that stands for itself. An empty glob matches anything.

/// Whether `glob` matches the whole of `text`.
pub fn matches(glob: &str, text: &str) -> bool {
    glob.is_empty() || glob == text || (is_glob(glob) && search(glob, text))
}

/// Whether `glob` holds a character with a special meaning.
pub fn is_glob(glob: &str) -> bool {
    glob.contains(['*', '?', '[', '\\'])
}

/// Matches piece by piece. Only the last `*` is ever tried again with more text: what an earlier one could take in
/// addition, the last one can take as well. So the time is at most the product of the lengths.
fn search(glob: &str, text: &str) -> bool {
    let (mut glob, mut text) = (glob, text);
    let mut again: Option<(&str, &str)> = None;
    loop {
        if let Some(rest) = glob.strip_prefix('*') {
            again = Some((rest, text));
            glob = rest;
            continue;
        }
        let mut rest = text.chars();
        match (take(glob), rest.next()) {
            (None, None) => return true,
            (Some((piece, rest_glob)), Some(c)) if piece.accepts(c) => {
                (glob, text) = (rest_glob, rest.as_str())
            }
            _ => {
                let Some((after_star, tried)) = again else { return false };
                let mut longer = tried.chars();
                if longer.next().is_none() {
                    return false;
                }
                again = Some((after_star, longer.as_str()));
                (glob, text) = (after_star, longer.as_str());
            }
        }
    }
}

/// What matches one character.
enum Piece<'a> {
    Any,
    Is(char),
    /// A set: what stands between the brackets, and whether it is negated.
    Set(&'a str, bool),
}

impl Piece<'_> {
    fn accepts(&self, c: char) -> bool {
        match *self {
            Piece::Any => true,
            Piece::Is(literal) => literal == c,
            Piece::Set(set, negated) => in_set(set, c) != negated,
        }
    }
}

/// The first piece of a glob, which does not begin with `*`, and the rest.
fn take(glob: &str) -> Option<(Piece<'_>, &str)> {
    let mut rest = glob.chars();
    let piece = match rest.next()? {
        '?' => Piece::Any,
        '\\' => Piece::Is(rest.next().unwrap_or('\\')),
        '[' => {
            let inside = rest.as_str();
            let negated = inside.starts_with(['!', '^']);
            let set = &inside[usize::from(negated)..];
            // A bracket that comes first is one of the set.
            match set.char_indices().skip(1).find(|&(_, c)| c == ']') {
                Some((end, _)) => return Some((Piece::Set(&set[..end], negated), &set[end + 1..])),
                None => Piece::Is('['),
            }
        }
        c => Piece::Is(c),
    };
    Some((piece, rest.as_str()))
}

/// Whether `c` is in a set such as `a-z_`.
fn in_set(set: &str, c: char) -> bool {
    let mut rest = set.chars();
    while let Some(first) = rest.next() {
        let mut ahead = rest.clone();
        match (ahead.next(), ahead.next()) {
            (Some('-'), Some(last)) => {
                if (first..=last).contains(&c) {
                    return true;
                }
                rest = ahead;
            }
            _ if first == c => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::matches;

    #[test]
    fn globs_match_whole_names() {
        let yes = [
            ("", "anything"),
            ("read", "read"),
            ("re*", "read"),
            ("*", ""),
            ("*ead*", "pread64"),
            ("r?ad", "read"),
            ("[rw]*", "write"),
            ("[a-z]ead", "read"),
            ("[!w]ead", "read"),
            ("[]x]", "]"),
            ("[a-]", "-"),
            ("a\\*b", "a*b"),
            ("[x", "[x"),
            ("*a*b*c", "xxaxxbxxbxxc"),
            ("pread[0-9][0-9]", "pread64"),
        ];
        for (glob, text) in yes {
            assert!(matches(glob, text), "{glob:?} should match {text:?}");
        }
        let no = [
            ("read", "pread"),
            ("re?", "read"),
            ("?", ""),
            ("[!r]ead", "read"),
            ("[a-c]", "d"),
            ("a\\*b", "axb"),
            ("*a*b", "ba"),
            ("read*x", "read"),
        ];
        for (glob, text) in no {
            assert!(!matches(glob, text), "{glob:?} should not match {text:?}");
        }
    }

    /// The obvious, exponential definition, for `*` and `?` only.
    fn naive(glob: &[char], text: &[char]) -> bool {
        match (glob.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => naive(rest, text) || !text.is_empty() && naive(glob, &text[1..]),
            (Some((g, rest)), Some((t, others))) => (*g == '?' || g == t) && naive(rest, others),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_definition(glob in "[ab*?]{1,7}", text in "[ab]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&glob, &text), naive(&chars(&glob), &chars(&text)));
        }

        #[test]
        fn any_text_is_a_glob(glob in "\\PC{0,12}", text in "\\PC{0,12}") {
            matches(&glob, &text);
        }
    }
}
