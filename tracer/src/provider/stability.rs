//! The stability of probes: five attributes a provider, and what follows for a description that names probes.

use super::{Pattern, ProbeId, is_glob};
use crate::diagnostic::Span;
use crate::stability::{Attributes, Class, EVOLVING, PRIVATE, STABLE, Stability, UNSTABLE};

/// The attributes of a provider: of its name, of the three other parts of its probes' names, and of their arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// Its name.
    pub provider: Attributes,
    /// Its modules.
    pub module: Attributes,
    /// Its functions.
    pub function: Attributes,
    /// The names of its probes.
    pub name: Attributes,
    /// `args[]`
    pub args: Attributes,
}

/// The names of a provider's parts, as `#pragma D attributes` has them.
pub const PARTS: [&str; 5] = ["provider", "module", "function", "name", "args"];

const EVOLVING_ISA: Attributes = Attributes::both(Stability::Evolving, Class::Isa);
const PRIVATE_ISA: Attributes = Attributes::both(Stability::Private, Class::Isa);

/// A provider that somebody declares, and no provider in particular.
pub const OPEN: Parts =
    Parts { provider: UNSTABLE, module: UNSTABLE, function: UNSTABLE, name: UNSTABLE, args: UNSTABLE };
/// Probes whose names and arguments mean something wherever they are.
const SEMANTIC: Parts = Parts {
    provider: EVOLVING_ISA,
    module: PRIVATE,
    function: PRIVATE,
    name: EVOLVING_ISA,
    args: EVOLVING_ISA,
};
/// Functions of the kernel, and system calls.
const FUNCTIONS: Parts =
    Parts { provider: EVOLVING, module: PRIVATE, function: PRIVATE_ISA, name: EVOLVING, args: PRIVATE_ISA };
/// Tracepoints.
const TRACEPOINTS: Parts = Parts {
    provider: EVOLVING_ISA,
    module: PRIVATE,
    function: PRIVATE,
    name: PRIVATE_ISA,
    args: PRIVATE_ISA,
};
/// What is in a process.
const PROCESS: Parts =
    Parts { provider: EVOLVING_ISA, module: PRIVATE, function: PRIVATE, name: EVOLVING_ISA, args: PRIVATE };

/// The providers.
pub const TABLE: &[(&str, Parts)] = &[
    ("dtrace", Parts { provider: STABLE, module: PRIVATE, function: PRIVATE, name: STABLE, args: STABLE }),
    (
        "profile",
        Parts {
            provider: EVOLVING,
            module: Attributes::both(Stability::Unstable, Class::Unknown),
            function: PRIVATE,
            name: EVOLVING,
            args: EVOLVING,
        },
    ),
    ("syscall", FUNCTIONS),
    ("fbt", FUNCTIONS),
    ("sdt", TRACEPOINTS),
    ("rawtp", TRACEPOINTS),
    ("proc", SEMANTIC),
    ("sched", SEMANTIC),
    ("io", SEMANTIC),
    ("ip", SEMANTIC),
    ("tcp", SEMANTIC),
    ("udp", SEMANTIC),
    ("pipe", SEMANTIC),
    ("socket", SEMANTIC),
];

impl Parts {
    /// Those of a provider; one that the table does not have is a process's.
    pub fn of(provider: &str) -> Parts {
        TABLE.iter().find(|row| row.0 == provider).map_or(PROCESS, |row| row.1)
    }

    /// The part of that name.
    pub fn part(&mut self, name: &str) -> Option<&mut Attributes> {
        Some(match name {
            "provider" => &mut self.provider,
            "module" => &mut self.module,
            "function" => &mut self.function,
            "name" => &mut self.name,
            "args" => &mut self.args,
            _ => return None,
        })
    }

    /// The attributes of a description of these probes: the least of the parts that it gives. None where it matches
    /// several that need not be alike.
    pub fn described(self, pattern: &Pattern, several: bool) -> Option<Described> {
        let open = |part: &str| part.is_empty() || is_glob(part);
        let open_provider = open(&pattern.provider);
        let of = |parts: Parts| {
            [
                (&pattern.module, parts.module),
                (&pattern.function, parts.function),
                (&pattern.name, parts.name),
            ]
        };
        let unlike = self.args.data < Stability::Evolving && open_provider
            || of(self).iter().any(|(part, attributes)| open(part) && attributes.name >= Stability::Evolving);
        if several && unlike {
            return None;
        }
        let parts = if open_provider { OPEN } else { self };
        let given = of(parts).into_iter().filter(|(part, _)| !open(part));
        let description = given.fold(parts.provider, |least, (_, attributes)| least.min(attributes));
        Some(Described { description, args: parts.args })
    }
}

/// A description of probes, as a clause has it.
#[derive(Debug, Clone)]
pub struct Description {
    /// The four parts.
    pub pattern: Pattern,
    /// The attributes of the provider that it is about, for what depends on it in the clause.
    pub parts: Parts,
    /// What is known of it; none where it matches several probes that need not be alike.
    pub described: Option<Described>,
    /// The first of its probes.
    pub probe: Option<ProbeId>,
    /// Where it stands.
    pub span: Span,
}

impl Description {
    /// Its attributes.
    pub fn attributes(&self) -> Attributes {
        self.described.map_or(OPEN.provider, |described| described.description)
    }
}

/// What is known of a description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Described {
    /// Its own attributes.
    pub description: Attributes,
    /// Those of the arguments.
    pub args: Attributes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_provider_stands_once() {
        for (name, _) in TABLE {
            assert_eq!(TABLE.iter().filter(|row| row.0 == *name).count(), 1, "{name}");
        }
        assert!(PARTS.iter().all(|part| OPEN.clone().part(part).is_some()));
    }

    #[test]
    fn a_description_is_as_stable_as_what_it_gives() {
        let of = |text: &str, several| {
            let pattern = Pattern::parse(text).expect("it is a description");
            Parts::of(&pattern.provider)
                .described(&pattern, several)
                .map(|found| found.description.to_string())
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of("dtrace:::BEGIN", false), some("Stable/Stable/Common"));
        assert_eq!(of("BEGIN", false), some("Unstable/Unstable/Common"));
        assert_eq!(of("syscall:::entry", true), some("Evolving/Evolving/Common"));
        assert_eq!(of("syscall::read:entry", false), some("Private/Private/ISA"));
        assert_eq!(of("syscall:vmlinux:read:entry", false), some("Private/Private/Unknown"));
        assert_eq!(of("syscall::read:", true), None);
        assert_eq!(of("proc:::exec*", true), None);
    }
}
