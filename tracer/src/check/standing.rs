//! What the tables say of each name beside its meaning: its stability, and since which version D has it.

use std::fmt;

use super::current::FILES;
use super::names::argument_number;
use super::{Checker, builtins, functions};
use crate::stability::{Attributes, STABLE};

/// A version of the language: `1.6.4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version([u16; 3]);

/// The versions that there have been, of all systems that have D.
const VERSIONS: &[&str] = &[
    "1.0", "1.1", "1.2", "1.2.1", "1.2.2", "1.3", "1.4", "1.4.1", "1.5", "1.6", "1.6.1", "1.6.2", "1.6.3",
    "1.6.4", "1.7", "1.7.1", "1.8", "1.8.1", "1.9", "1.9.1", "1.10", "1.11", "1.12", "1.12.1", "1.13", "2.0",
];

impl Version {
    /// The first.
    pub const FIRST: Version = Version([1, 0, 0]);
    /// The newest.
    pub const NEWEST: Version = Version([2, 0, 0]);

    /// Reads one to three numbers with dots between them; a number that is left out is 0.
    pub const fn parse(text: &str) -> Option<Version> {
        /// The largest numbers that DTrace takes.
        const LARGEST: [u16; 3] = [0xff, 0xfff, 0xfff];
        let (bytes, mut numbers, mut number, mut at) = (text.as_bytes(), [0; 3], 0, 0);
        while at < bytes.len() {
            match bytes[at] {
                digit @ b'0'..=b'9' => {
                    numbers[number] = numbers[number] * 10 + (digit - b'0') as u16;
                    if numbers[number] > LARGEST[number] {
                        return None;
                    }
                }
                b'.' if number < 2 => number += 1,
                _ => return None,
            }
            at += 1;
        }
        Some(Version(numbers))
    }

    /// Whether there has been such a version.
    pub fn is_defined(self) -> bool {
        VERSIONS.iter().any(|text| Version::parse(text) == Some(self))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Version([major, minor, micro]) = self;
        match micro {
            0 => write!(f, "{major}.{minor}"),
            _ => write!(f, "{major}.{minor}.{micro}"),
        }
    }
}

/// What a table says of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its stability.
    pub attributes: Attributes,
    /// The first version that has it.
    pub since: Version,
}

impl Standing {
    /// What most names have.
    pub const USUAL: Standing = Standing { attributes: STABLE, since: Version::FIRST };

    /// A row's, of what it gives beside the usual; the version is one that can be read.
    pub const fn of(attributes: Option<Attributes>, since: Option<&str>) -> Standing {
        let attributes = match attributes {
            Some(attributes) => attributes,
            None => STABLE,
        };
        let since = match since {
            Some(text) => Version::parse(text).expect("a row's version is one"),
            None => Version::FIRST,
        };
        Standing { attributes, since }
    }

    /// That of a built-in variable, of those that depend on the probe, and of D's arrays.
    pub fn of_variable(name: &str) -> Option<Standing> {
        match name {
            "args" | "uregs" => Some(Standing::USUAL),
            FILES => Some(Standing::of(None, Some("1.1"))),
            _ if argument_number(name).is_some() => Some(Standing::USUAL),
            _ => builtins::find(name).map(|row| row.standing),
        }
    }

    /// That of anything that the language names.
    pub fn of_name(name: &str) -> Option<Standing> {
        Standing::of_variable(name).or_else(|| functions::find(name).map(|row| row.standing))
    }
}

impl Checker<'_> {
    /// Whether the version of the language that the program asks for has such a name.
    fn is_here(&self, standing: Standing) -> bool {
        standing.since <= self.options.version
    }

    /// The function of this name.
    pub(super) fn known_function(&self, name: &str) -> Option<&'static functions::Row> {
        functions::find(name).filter(|row| self.is_here(row.standing))
    }

    /// The built-in variable of this name.
    pub(super) fn known_builtin(&self, name: &str) -> Option<&'static builtins::Row> {
        builtins::find(name).filter(|row| self.is_here(row.standing))
    }

    /// Whether a global name is taken by the language.
    pub(super) fn is_reserved(&self, name: &str) -> bool {
        matches!(name, "self" | "this")
            || Standing::of_variable(name).is_some_and(|standing| self.is_here(standing))
            || self.known_function(name).is_some()
    }

    /// Whether a pragma binds a name to a later version.
    pub(super) fn is_left_out(&self, name: &str) -> bool {
        self.own.bound.get(name).is_some_and(|since| *since > self.options.version)
    }

    /// What to say of a name that came with a later version than the program asks for.
    pub(super) fn came_later(&self, name: &str) -> Option<String> {
        let of_language = || Standing::of_name(name).filter(|standing| !self.is_here(*standing));
        let bound = self.own.bound.get(name).copied().filter(|_| self.is_left_out(name));
        let since = bound.or_else(|| of_language().map(|standing| standing.since))?;
        Some(format!("`{name}` came with version {since}; the program asks for {}", self.options.version))
    }
}

/// What a row of a table gives or leaves out.
macro_rules! optional {
    () => {
        None
    };
    ($given:expr) => {
        Some($given)
    };
}
pub(super) use optional;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_dtrace_reads_them() {
        let read = |text| Version::parse(text).map(|version| version.to_string());
        assert_eq!(read("1.6.4").as_deref(), Some("1.6.4"));
        assert_eq!((read("1").as_deref(), read("2.0.0").as_deref()), (Some("1.0"), Some("2.0")));
        assert_eq!((read("1.2.3.4"), read("1.x"), read("256"), read("1.4096")), (None, None, None, None));
        let defined = |text| Version::parse(text).is_some_and(Version::is_defined);
        assert!(defined("1") && defined("1.2.2") && defined("2.0") && !defined("") && !defined("1.99"));
        assert!(Version::parse("1.10") > Version::parse("1.9.1"));
        assert_eq!(VERSIONS.last().and_then(|text| Version::parse(text)), Some(Version::NEWEST));
    }

    #[test]
    fn names_have_the_standing_of_their_rows() {
        let shown = |name| Standing::of_name(name).map(|of| format!("{} {}", of.attributes, of.since));
        assert_eq!(shown("curthread").as_deref(), Some("Stable/Private/Common 1.0"));
        assert_eq!(shown("htons").as_deref(), Some("Evolving/Evolving/Common 1.3"));
        assert_eq!(shown("llquantize").as_deref(), Some("Stable/Stable/Common 1.6.4"));
        assert_eq!(shown("arg3").as_deref(), Some("Stable/Stable/Common 1.0"));
        assert_eq!(shown("arg10"), None);
    }
}
