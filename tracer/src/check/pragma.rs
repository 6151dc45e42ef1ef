//! `#pragma D`: options, stability, versions, and what a program depends on.
//!
//! What a pragma says holds for the whole program, wherever it stands. What it gives to names and providers is kept in
//! `attributes::Own`, before any of them is defined.

use super::Checker;
use super::options::OptionError;
use super::standing::Version;
use super::variables::Known;
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::provider::stability::{OPEN, PARTS, Parts};
use crate::stability::{Attributes, CLASSES, STABILITIES};
use crate::syntax::ast::{Ident, Pragma, PragmaKind, Scope};

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
            PragmaKind::Attributes { stability, target } => match Attributes::parse(&stability.name) {
                Some(attributes) => self.attributed(attributes, target, pragma.span),
                None => self.no_attributes(stability),
            },
            PragmaKind::Binding { version, name } => match Version::parse(&version.name) {
                Some(version) => {
                    self.own.bound.insert(name.name.clone(), version);
                }
                None => {
                    let message = format!("`{}` is no version", version.name);
                    let diagnostic = Diagnostic::error(Tag::D_PRAGMA_INVAL, version.span, message);
                    self.found.push(diagnostic.help("a version is up to three numbers: \"1.0\", \"1.6.3\""));
                }
            },
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
        let known = scopes.iter().find_map(|scope| self.variables.get(*scope, bare));
        let elsewhere = |known: &Known| known.since().is_some_and(|since| since.source != pragma.span.source);
        let whose = match known {
            Some(known) if elsewhere(known) => Some("another text's"),
            Some(_) => return,
            None if self.is_left_out(bare) => return,
            None => self.is_fixed(bare).then_some("the language's"),
        };
        if let Some(whose) = whose {
            let message = format!("#pragma D {what} cannot change `{}`, which is {whose}", name.name);
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
        if let Err(error) = self.options.set_in_program(&name.name, text) {
            let about_value = matches!(error, OptionError::Invalid { .. } | OptionError::Version { .. });
            let span = value.filter(|_| about_value).map_or(name.span, |value| value.span);
            let diagnostic = Diagnostic::error(Tag::D_PRAGMA_OPTSET, span, error.to_string());
            self.found.push(diagnostic.help(error.help().unwrap_or_default()));
        }
    }

    fn no_attributes(&mut self, stability: &Ident) {
        let message = format!("`{}` are no attributes", stability.name);
        let help = format!(
            "write NAME/DATA/CLASS: the first two from {}; the last from {}",
            STABILITIES.map(|row| row.1).join(", "),
            CLASSES.map(|row| row.1).join(", ")
        );
        self.found.push(Diagnostic::error(Tag::D_PRAGMA_INVAL, stability.span, message).help(help));
    }

    /// Gives attributes to a name, or to a part of a provider.
    fn attributed(&mut self, attributes: Attributes, target: &[Ident], span: Span) {
        match target {
            [name] => {
                self.own.names.insert(name.name.clone(), attributes);
            }
            [word, provider, part] if word.name == "provider" => {
                let Some(place) = self.provider_parts(provider).and_then(|parts| parts.part(&part.name))
                else {
                    if PARTS.contains(&part.name.as_str()) {
                        return self.missing("provider", provider, Tag::D_PRAGMA_UNUSED);
                    }
                    let message = format!("a provider has no part `{}`", part.name);
                    let diagnostic = Diagnostic::error(Tag::D_PRAGMA_INVAL, part.span, message);
                    return self.found.push(diagnostic.help(format!("there are {}", PARTS.join(", "))));
                };
                *place = attributes;
            }
            _ => {
                let message = "#pragma D attributes names one identifier, or a part of a provider";
                let diagnostic = Diagnostic::error(Tag::D_PRAGMA_MALFORM, span, message);
                let help = "#pragma D attributes NAME/DATA/CLASS IDENTIFIER, or ... provider NAME PART";
                self.found.push(diagnostic.help(help));
            }
        }
    }

    /// The attributes of a provider, to be changed; none where there is no such provider.
    fn provider_parts(&mut self, provider: &Ident) -> Option<&mut Parts> {
        let parts = if self.declared.contains(&provider.name) {
            OPEN
        } else if self.is_there("provider", &provider.name) {
            Parts::of(&provider.name)
        } else {
            return None;
        };
        Some(self.own.providers.entry(provider.name.clone()).or_insert(parts))
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
            "provider" => self.catalog.offers(name),
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
