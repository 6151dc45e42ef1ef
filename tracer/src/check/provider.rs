//! Declarations of providers: `provider name { probe name(types) : (types); };`.
//!
//! As in DTrace, they declare an interface. What a provider that is here has is compared; of another one nothing can be
//! traced until something provides it.

use std::collections::HashMap;

use super::prototype::Prototype;
use super::typed::Type;
use super::{Checker, Refused, counted};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::provider::Pattern;
use crate::syntax::ast::{Ident, Item, ItemKind, ProbeDecl, Provider};

/// The most characters of a provider's and of a probe's name.
const LONGEST: usize = 63;
/// The most arguments of a probe.
const ARGUMENTS: usize = 255;

/// The name of the provider that an item declares.
pub(super) fn declared(item: &Item) -> Option<String> {
    match &item.kind {
        ItemKind::Provider(provider) => Some(provider.name.name.clone()),
        _ => None,
    }
}

impl Checker<'_> {
    /// A provider with its probes.
    pub(super) fn provider(&mut self, provider: &Provider) -> Result<(), Refused> {
        self.check_provided_name(&provider.name)?;
        if provider.name.name.ends_with(|c: char| c.is_ascii_digit()) {
            let message =
                format!("`{}` ends in a digit, as a provider for one process does", provider.name.name);
            let diagnostic = Diagnostic::error(Tag::D_PROV_BADNAME, provider.name.span, message);
            return Err(self.refuse(diagnostic.help("choose another name")));
        }
        let before = self.provided.get(&provider.name.name).cloned();
        let mut declared = HashMap::new();
        for probe in &provider.probes {
            self.check_provided_name(&probe.name)?;
            // In a probe's name two underlines stand for a dash.
            let name = probe.name.name.replace("__", "-");
            let (native, translated) = self.probe_types(probe)?;
            if native.len().max(translated.len()) > ARGUMENTS {
                let message = format!("a probe has at most {ARGUMENTS} arguments");
                let diagnostic = Diagnostic::error(Tag::D_PROV_PRARGLEN, probe.name.span, message);
                return Err(self.refuse(diagnostic.help("pass a pointer to a structure")));
            }
            if self.catalog.has_provider(&provider.name.name) {
                self.check_interface(&provider.name.name, &name, translated.len(), probe.name.span)?;
            } else if let Some(before) = &before {
                if before.get(&name) != Some(&translated) {
                    let message =
                        format!("`{}` was declared before, without such a probe", provider.name.name);
                    let diagnostic = Diagnostic::error(Tag::D_PROV_INCOMPAT, probe.name.span, message);
                    return Err(self.refuse(diagnostic.help("declare all probes of a provider together")));
                }
            } else if declared.insert(name, translated).is_some() {
                let message = format!("the probe `{}` is declared twice", probe.name.name);
                let diagnostic = Diagnostic::error(Tag::D_PROV_PRDUP, probe.name.span, message);
                return Err(self.refuse(diagnostic.help("declare it once")));
            }
        }
        self.provided.entry(provider.name.name.clone()).or_insert(declared);
        Ok(())
    }

    fn check_provided_name(&mut self, name: &Ident) -> Result<(), Refused> {
        if name.name.len() <= LONGEST {
            return Ok(());
        }
        let message = format!("a provider's or probe's name has at most {LONGEST} characters");
        let diagnostic = Diagnostic::error(Tag::D_PROV_BADNAME, name.span, message);
        Err(self.refuse(diagnostic.help("choose a shorter name")))
    }

    /// What a probe is given, and what its clauses see.
    fn probe_types(&mut self, probe: &ProbeDecl) -> Result<(Vec<Type>, Vec<Type>), Refused> {
        let native = self.prototype(&probe.native, Prototype::Function)?;
        let Some(params) = &probe.translated else { return Ok((native.clone(), native)) };
        let translated = self.prototype(params, Prototype::Translated(&probe.native))?;
        for (param, to) in params.iter().zip(&translated) {
            let same = |other: &&Ident| param.name.as_ref().is_some_and(|name| name.name == other.name);
            let given = probe.native.iter().position(|other| other.name.as_ref().filter(same).is_some());
            let Some(from) = given.and_then(|at| native.get(at)) else { continue };
            if !self.has_translator(from, to) {
                let message = format!("no translator makes {to:#} of {from:#}");
                let diagnostic = Diagnostic::error(Tag::D_PROV_PRXLATOR, param.ty.span, message);
                return Err(self.refuse(diagnostic.help(format!(
                    "write one before this: `translator {to} < {from} name > {{ member = value; }};`"
                ))));
            }
        }
        Ok((native, translated))
    }

    /// Compares a declaration with the provider that is here.
    fn check_interface(
        &mut self,
        provider: &str,
        name: &str,
        args: usize,
        span: Span,
    ) -> Result<(), Refused> {
        let pattern = Pattern {
            provider: provider.to_owned(),
            module: String::new(),
            function: String::new(),
            name: name.to_owned(),
        };
        let first = self.catalog.matching(&pattern).first().copied();
        let known = first.and_then(|id| self.catalog.get(id)).map(|probe| probe.args.len());
        let message = match known {
            None => format!("the provider `{provider}` has no probe `{name}`"),
            Some(known) if known != args => {
                format!("{provider}:::{name} has {}, here {args}", counted(known, "argument"))
            }
            Some(_) => return Ok(()),
        };
        let diagnostic = Diagnostic::error(Tag::D_PROV_INCOMPAT, span, message);
        Err(self.refuse(diagnostic.help("choose another name for the provider")))
    }
}
