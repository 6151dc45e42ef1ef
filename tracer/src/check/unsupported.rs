//! Parts of the language that are parsed and not compiled yet: one place says so.

use super::{Checker, Refused};
use crate::diagnostic::{Diagnostic, Span, Tag};

/// What is not compiled yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Construct {
    Translator,
    Record,
    Float,
    Symbol,
    Offsetof,
    Xlate,
    CArray,
    FunctionType,
    AddressOf,
    DerefOfAggregate,
    EffectInKey,
    KernelMember,
}

impl Construct {
    /// How it is called, and what to do instead, where there is something.
    fn words(self) -> (&'static str, Option<&'static str>) {
        use Construct as C;
        match self {
            C::Translator => ("a translator", None),
            C::Record => ("a structure or union of your own or of the kernel", None),
            C::Float => ("a floating-point value", Some("count in smaller units, in integers")),
            C::Symbol => ("a kernel symbol", None),
            C::Offsetof => ("`offsetof`", None),
            C::Xlate => ("`xlate`", Some("args[] holds what the probe gives, translated already")),
            C::CArray => (
                "an array of a fixed size",
                Some("an associative array has a type in its brackets: `int a[int]`"),
            ),
            C::FunctionType => ("a function type", None),
            C::AddressOf => ("taking an address with `&`", None),
            C::DerefOfAggregate => ("a whole structure or string behind a pointer", None),
            C::EffectInKey => (
                "a subscript with an effect in a place that is read and written",
                Some("compute the subscript in a statement of its own"),
            ),
            C::KernelMember => ("a member of a kernel structure", None),
        }
    }
}

/// Variables, subroutines and actions that DTrace has and this tracer has not yet.
const NAMES: &[&str] = &[
    "alloca",
    "bcopy",
    "breakpoint",
    "caller",
    "chill",
    "commit",
    "copyin",
    "copyinto",
    "copyout",
    "copyoutstr",
    "curcpu",
    "curlwpsinfo",
    "curpsinfo",
    "cwd",
    "d_path",
    "discard",
    "fds",
    "freopen",
    "ftruncate",
    "func",
    "ipl",
    "jstack",
    "llquantize",
    "mod",
    "panic",
    "pcap",
    "print",
    "printm",
    "printt",
    "raise",
    "root",
    "setopt",
    "speculate",
    "speculation",
    "stack",
    "stackdepth",
    "stddev",
    "stop",
    "sym",
    "system",
    "tracemem",
    "uaddr",
    "ucaller",
    "ufunc",
    "umod",
    "uregs",
    "ustack",
    "ustackdepth",
    "usym",
    "vtimestamp",
];

impl Checker<'_> {
    /// What to say of an unknown name that DTrace knows.
    pub(super) fn known_elsewhere(name: &str, span: Span) -> Option<Diagnostic> {
        NAMES.binary_search(&name).ok()?;
        let message = format!("`{name}` belongs to D and is not supported yet");
        Some(Diagnostic::error(Tag::D_NOT_SUPPORTED, span, message).help("leave it out"))
    }

    /// Refuses a construct.
    pub(super) fn unsupported(&mut self, construct: Construct, span: Span) -> Refused {
        let (name, instead) = construct.words();
        let diagnostic =
            Diagnostic::error(Tag::D_NOT_SUPPORTED, span, format!("{name} is not supported yet"));
        self.refuse(match instead {
            Some(instead) => diagnostic.help(instead),
            None => diagnostic.help("leave it out"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::NAMES;
    use crate::check::{builtins, functions};

    #[test]
    fn names_are_sorted_and_none_is_supported() {
        assert!(NAMES.is_sorted());
        for name in NAMES {
            assert!(builtins::find(name).is_none() && functions::find(name).is_none(), "{name}");
        }
    }
}
