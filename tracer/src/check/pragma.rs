//! `#pragma D`: options, stability, versions, and what a program depends on.
//!
//! What a pragma says holds for the whole program, wherever it stands. Stability and versions are read and checked; nothing
//! here depends on them, as there is one version of the language and no attribute to compare with.

use super::Checker;
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast::{Ident, Pragma, PragmaKind, Scope};

/// How stable a name or what it stands for is, from least to most.
const STABILITIES: &[&str] =
    &["Internal", "Private", "Obsolete", "External", "Unstable", "Evolving", "Stable", "Standard"];
/// What it depends on, from least to most common.
const CLASSES: &[&str] = &["Unknown", "CPU", "Platform", "Group", "ISA", "Common"];
/// The parts of a provider that have attributes.
const PARTS: &[&str] = &["provider", "module", "function", "name", "args"];

/// The libraries that DTrace brings along: what they define is built in.
const STANDARD: &[&str] = &[
    "errno.d", "io.d", "ip.d", "net.d", "procfs.d", "psinfo.d", "regs.d", "sched.d", "signal.d", "socket.d",
    "tcp.d", "udp.d", "unistd.d",
];

impl Checker<'_> {
    /// What a pragma asks for before anything else is read: options.
    pub(super) fn pragma(&mut self, pragma: &Pragma) {
        match &pragma.kind {
            PragmaKind::Option { name, value } => self.pragma_option(name, value.as_ref()),
            PragmaKind::Attributes { stability, target } => {
                self.attributes(stability);
                self.attributed(target, pragma.span);
            }
            PragmaKind::Binding { version, .. } => self.version(version),
            PragmaKind::DependsOn { class, name } => self.depends_on(class, name),
            // The parser has told of it.
            PragmaKind::Error(_) => {}
        }
    }

    /// Whether what a pragma is about has come up in the program.
    pub(super) fn pragma_used(&mut self, pragma: &Pragma) {
        let (what, name) = match &pragma.kind {
            PragmaKind::Attributes { target, .. } if target.len() == 1 => ("attributes", &target[0]),
            PragmaKind::Binding { name, .. } => ("binding", name),
            _ => return,
        };
        let scopes = [Scope::Global, Scope::Thread, Scope::Clause];
        let bare = name.name.rsplit("->").next().unwrap_or(&name.name);
        if scopes.iter().any(|scope| self.variables.get(*scope, bare).is_some()) {
            return;
        }
        if Self::is_fixed(bare) {
            let message = format!("#pragma D {what} cannot change `{}`, which is the language's", name.name);
            let diagnostic = Diagnostic::error(Tag::D_PRAGMA_SCOPE, name.span, message);
            self.found.push(diagnostic.help("name a variable or an inline of the program"));
            return;
        }
        let message = format!("#pragma D {what} is about `{}`, which the program does not have", name.name);
        let diagnostic = Diagnostic::error(Tag::D_PRAGMA_UNUSED, name.span, message);
        self.found.push(diagnostic.help("remove the line, or name a variable, an inline or a built-in"));
    }

    fn pragma_option(&mut self, name: &Ident, value: Option<&Ident>) {
        let text = value.map(|value| value.name.as_str());
        if let Err(error) = self.options.set(&name.name, text) {
            let about_value = matches!(error, super::options::OptionError::Invalid { .. });
            let span = value.filter(|_| about_value).map_or(name.span, |value| value.span);
            let diagnostic = Diagnostic::error(Tag::D_PRAGMA_OPTSET, span, error.to_string());
            self.found.push(diagnostic.help(error.help().unwrap_or_default()));
        }
    }

    /// `Name/Data/Class`
    fn attributes(&mut self, stability: &Ident) {
        let parts: Vec<&str> = stability.name.split('/').collect();
        let known = |names: &[&str], part: &str| names.iter().any(|name| name.eq_ignore_ascii_case(part));
        let right = match parts[..] {
            [name, data, class] => {
                known(STABILITIES, name) && known(STABILITIES, data) && known(CLASSES, class)
            }
            _ => false,
        };
        if !right {
            let message = format!("`{}` are no attributes", stability.name);
            let help = format!(
                "write NAME/DATA/CLASS: the first two from {}; the last from {}",
                STABILITIES.join(", "),
                CLASSES.join(", ")
            );
            self.found.push(Diagnostic::error(Tag::D_PRAGMA_INVAL, stability.span, message).help(help));
        }
    }

    /// What attributes are given to: a name, or a part of a provider.
    fn attributed(&mut self, target: &[Ident], span: Span) {
        match target {
            [_] => {}
            [word, provider, part] if word.name == "provider" => {
                if !PARTS.contains(&part.name.as_str()) {
                    let message = format!("a provider has no part `{}`", part.name);
                    let diagnostic = Diagnostic::error(Tag::D_PRAGMA_INVAL, part.span, message);
                    self.found.push(diagnostic.help(format!("there are {}", PARTS.join(", "))));
                }
                if !self.declared.contains(&provider.name) && !self.catalog.has_provider(&provider.name) {
                    self.missing("provider", provider, Tag::D_PRAGMA_INVAL);
                }
            }
            _ => {
                let message = "#pragma D attributes names one identifier, or a part of a provider";
                let diagnostic = Diagnostic::error(Tag::D_PRAGMA_MALFORM, span, message);
                let help = "#pragma D attributes NAME/DATA/CLASS IDENTIFIER, or ... provider NAME PART";
                self.found.push(diagnostic.help(help));
            }
        }
    }

    /// `1.6.3`
    fn version(&mut self, version: &Ident) {
        let parts: Vec<Option<u16>> = version.name.split('.').map(|part| part.parse().ok()).collect();
        if (2..=3).contains(&parts.len()) && parts.iter().all(Option::is_some) {
            return;
        }
        let message = format!("`{}` is no version", version.name);
        let diagnostic = Diagnostic::error(Tag::D_PRAGMA_INVAL, version.span, message);
        self.found.push(diagnostic.help("a version is two or three numbers: \"1.0\", \"1.6.3\""));
    }

    fn depends_on(&mut self, class: &Ident, name: &Ident) {
        if class.name == "library" {
            let diagnostic = Diagnostic::error(
                Tag::D_PRAGMA_DEPEND,
                class.span,
                "a program cannot depend on a library: only libraries do",
            );
            self.found
                .push(diagnostic.help("leave the line out; -L names directories whose libraries are read"));
            return;
        }
        if !self.is_there(&class.name, &name.name) {
            self.missing(&class.name, name, Tag::D_PRAGMA_DEPEND);
        }
    }

    /// Whether there is a provider, module or library of that name.
    pub(super) fn is_there(&self, class: &str, name: &str) -> bool {
        match class {
            "provider" => self.catalog.has_provider(name),
            "module" => self.catalog.has_module(name),
            _ => STANDARD.contains(&name) || self.libraries.iter().any(|library| library == name),
        }
    }

    fn missing(&mut self, class: &str, name: &Ident, tag: Tag) {
        let message = format!("there is no {class} `{}` here", name.name);
        let help = match class {
            "library" => "-L names a directory of D libraries".to_owned(),
            "module" => {
                "/proc/modules lists those that are loaded; the kernel itself is `vmlinux`".to_owned()
            }
            _ => "`tracer -l` lists what there is".to_owned(),
        };
        self.found.push(Diagnostic::error(tag, name.span, message).help(help));
    }
}
