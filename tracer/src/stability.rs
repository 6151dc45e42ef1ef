//! Stability attributes, as DTrace has them: how far one may rely on a name, on what it gives, and on finding it elsewhere.
//!
//! Everything that a program can name has three attributes, written `Name/Data/Class`; what a program has is the least of
//! what it uses, each of the three by itself.

use std::fmt;

/// How far one may rely on something, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are DTrace's; its guide describes each")]
pub enum Stability {
    Internal,
    Private,
    Obsolete,
    External,
    Unstable,
    Evolving,
    Stable,
    Standard,
}

/// Where something is to be found, from the fewest machines to all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are DTrace's; its guide describes each")]
pub enum Class {
    Unknown,
    Cpu,
    Platform,
    Group,
    Isa,
    Common,
}

/// The names of [`Stability`], in its order.
pub const STABILITIES: [(Stability, &str); 8] = [
    (Stability::Internal, "Internal"),
    (Stability::Private, "Private"),
    (Stability::Obsolete, "Obsolete"),
    (Stability::External, "External"),
    (Stability::Unstable, "Unstable"),
    (Stability::Evolving, "Evolving"),
    (Stability::Stable, "Stable"),
    (Stability::Standard, "Standard"),
];

/// The names of [`Class`], in its order.
pub const CLASSES: [(Class, &str); 6] = [
    (Class::Unknown, "Unknown"),
    (Class::Cpu, "CPU"),
    (Class::Platform, "Platform"),
    (Class::Group, "Group"),
    (Class::Isa, "ISA"),
    (Class::Common, "Common"),
];

/// The three attributes of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// Of its name.
    pub name: Stability,
    /// Of what it gives.
    pub data: Stability,
    /// Of where it is.
    pub class: Class,
}

/// What D itself defines, and what programs define.
pub const STABLE: Attributes = Attributes::both(Stability::Stable, Class::Common);
/// What may change from one release to the next.
pub const EVOLVING: Attributes = Attributes::both(Stability::Evolving, Class::Common);
/// A stable name for what is the kernel's own affair.
pub const KERNEL_DATA: Attributes =
    Attributes { name: Stability::Stable, data: Stability::Private, class: Class::Common };
/// The kernel's symbols and types.
pub const PRIVATE: Attributes = Attributes::both(Stability::Private, Class::Unknown);
/// Descriptions of which it is open whose probes they are.
pub const UNSTABLE: Attributes = Attributes::both(Stability::Unstable, Class::Common);

impl Attributes {
    /// The same stability for the name and for what it gives.
    pub const fn both(stability: Stability, class: Class) -> Attributes {
        Attributes { name: stability, data: stability, class }
    }

    /// The lesser of each.
    #[must_use]
    pub fn min(self, other: Attributes) -> Attributes {
        Attributes {
            name: self.name.min(other.name),
            data: self.data.min(other.data),
            class: self.class.min(other.class),
        }
    }

    /// Whether any is less than `least` wants it.
    pub fn falls_below(self, least: Attributes) -> bool {
        self.min(least) != least
    }

    /// Reads `Evolving/Evolving/Common`, in small or capital letters.
    pub fn parse(text: &str) -> Option<Attributes> {
        let parts: Vec<&str> = text.split('/').collect();
        let [name, data, class] = parts[..] else { return None };
        Some(Attributes {
            name: named(&STABILITIES, name)?,
            data: named(&STABILITIES, data)?,
            class: named(&CLASSES, class)?,
        })
    }

    /// As DTrace's reports show them: a line for each, indented.
    pub fn report(self) -> String {
        let Attributes { name, data, class } = self;
        format!("\t\tIdentifier Names: {name}\n\t\tData Semantics:   {data}\n\t\tDependency Class: {class}\n")
    }
}

impl fmt::Display for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.name, self.data, self.class)
    }
}

impl fmt::Display for Stability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STABILITIES[*self as usize].1)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CLASSES[*self as usize].1)
    }
}

fn named<T: Copy>(names: &[(T, &str)], text: &str) -> Option<T> {
    names.iter().find(|(_, name)| name.eq_ignore_ascii_case(text)).map(|(value, _)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_the_order_of_what_they_name() {
        assert!(STABILITIES.iter().enumerate().all(|(at, row)| row.0 as usize == at));
        assert!(CLASSES.iter().enumerate().all(|(at, row)| row.0 as usize == at));
    }

    #[test]
    fn attributes_are_read_and_written() {
        assert_eq!(Attributes::parse("evolving/EVOLVING/common"), Some(EVOLVING));
        assert_eq!(KERNEL_DATA.to_string(), "Stable/Private/Common");
        for wrong in ["", "Stable", "Stable/Stable", "Stable/Stable/Common/", "Stable/ISA/Common", "a/b/c"] {
            assert_eq!(Attributes::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn each_attribute_is_compared_by_itself() {
        let isa = Attributes::both(Stability::Stable, Class::Isa);
        assert_eq!(EVOLVING.min(isa).to_string(), "Evolving/Evolving/ISA");
        assert!(isa.falls_below(EVOLVING) && EVOLVING.falls_below(isa));
        assert!(!STABLE.falls_below(EVOLVING) && !EVOLVING.falls_below(EVOLVING));
    }
}
