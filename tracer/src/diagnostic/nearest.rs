//! The nearest of some names, for "did you mean".
//!
//! Near is: at most a third of the name's letters inserted, removed, replaced or swapped with a neighbour.

/// The candidate nearest to `name`, where one is near enough to be meant; the first among equals.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> = name.chars().take(LONGEST).collect();
    let limit = name.len().div_ceil(3);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let letters: Vec<char> = candidate.chars().take(LONGEST).collect();
            let near = letters.len().abs_diff(name.len()) <= limit;
            let steps = if near { distance(&name, &letters) } else { usize::MAX };
            // A name of one or two letters is near to nearly everything: only a shared letter says something.
            (steps <= limit && steps < letters.len().max(name.len())).then_some((steps, candidate))
        })
        .min_by_key(|&(steps, _)| steps)
        .map(|(_, candidate)| candidate)
}

/// Longer names are compared by their beginnings.
const LONGEST: usize = 64;

/// The number of single-letter edits, a swap of neighbours counting as one, that make `b` of `a`.
/// Letters that differ in case only count as equal.
fn distance(a: &[char], b: &[char]) -> usize {
    let same = |x: char, y: char| x.eq_ignore_ascii_case(&y);
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut next = vec![i];
        for j in 1..=b.len() {
            let replace = row[j - 1] + usize::from(!same(a[i - 1], b[j - 1]));
            let mut best = replace.min(row[j] + 1).min(next[j - 1] + 1);
            if i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]) {
                best = best.min(before[j - 2] + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn proposes_what_is_near() {
        let names = ["execname", "timestamp", "pid", "ppid", "probefunc", "errno"];
        assert_eq!(nearest("excename", names), Some("execname"));
        assert_eq!(nearest("timestmp", names), Some("timestamp"));
        assert_eq!(nearest("pdi", names), Some("pid"));
        assert_eq!(nearest("ERRNO", names), Some("errno"));
        assert_eq!(nearest("probefunction", names), Some("probefunc"));
    }

    #[test]
    fn proposes_nothing_far() {
        assert_eq!(nearest("x", ["y", "pid"]), None);
        assert_eq!(nearest("banana", ["pid", "timestamp"]), None);
        assert_eq!(nearest("", ["pid"]), None);
        assert_eq!(nearest("anything", []), None);
    }
}
