//! What DTrace has and Linux does not let be had, and what to do instead.

use super::Checker;
use crate::diagnostic::{Diagnostic, Span, Tag};

/// Actions that DTrace has and Linux does not let be had, and what to do instead.
const IMPOSSIBLE: &[(&str, &str, &str)] = &[
    (
        "breakpoint",
        "Linux has no debugger in the kernel that a program of the kernel may enter",
        "stop() stops the traced process",
    ),
    (
        "printt",
        "it prints what typeref() made, and there is no typeref()",
        "print() shows a value with its type",
    ),
    ("panic", "Linux lets no program of the kernel stop the system", "exit() ends tracing"),
];

impl Checker<'_> {
    /// What to say of an unknown name that DTrace knows.
    pub(super) fn known_elsewhere(name: &str, span: Span) -> Option<Diagnostic> {
        let (_, reason, instead) = IMPOSSIBLE.iter().find(|row| row.0 == name)?;
        let message = format!("`{name}` cannot be had: {reason}");
        Some(Diagnostic::error(Tag::D_NOT_SUPPORTED, span, message).help(*instead))
    }
}

#[cfg(test)]
mod tests {
    use super::IMPOSSIBLE;
    use crate::check::{builtins, functions};

    #[test]
    fn what_cannot_be_had_is_in_no_table() {
        for (name, ..) in IMPOSSIBLE {
            assert!(builtins::find(name).is_none() && functions::find(name).is_none(), "{name}");
        }
    }
}
