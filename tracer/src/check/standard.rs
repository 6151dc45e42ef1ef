//! What DTrace's own libraries define and is not built into the tables of the checker: written in D, and read before the
//! program as a library is, where the program names something of it. Others do not pay for it.

/// A library of our own.
#[derive(Debug)]
pub struct Standard {
    /// Its name.
    pub name: &'static str,
    /// What it defines.
    pub text: &'static str,
    /// Who writes one of these may use it.
    words: &'static [&'static str],
}

const ALL: &[Standard] = &[
    Standard {
        name: "names.d",
        text: include_str!("standard/names.d"),
        words: &["conninfo", "timestruc", "cpuinfo_t_p", "pset", "chip", "lgrp"],
    },
    Standard {
        name: "translators.d",
        text: include_str!("standard/translators.d"),
        words: &["xlate", "translator"],
    },
];

/// The libraries that a program of these texts may use.
pub fn named_in(texts: &[&str]) -> Vec<&'static Standard> {
    let named = |word: &&str| texts.iter().any(|text| text.contains(word));
    ALL.iter().filter(|library| library.words.iter().any(named)).collect()
}

#[cfg(test)]
mod tests {
    use super::named_in;

    #[test]
    fn a_library_is_read_where_something_of_it_is_named() {
        let names = |texts: &[&str]| named_in(texts).iter().map(|library| library.name).collect::<Vec<_>>();
        assert!(names(&["BEGIN { trace(curpsinfo->pr_pid); }"]).is_empty());
        assert_eq!(names(&["BEGIN {}", "BEGIN { trace(lgrp); }"]), ["names.d"]);
        assert_eq!(names(&["BEGIN { trace(xlate<psinfo_t *>(curthread)->pr_pid); }"]), ["translators.d"]);
    }
}
