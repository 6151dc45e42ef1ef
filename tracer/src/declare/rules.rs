//! What a declaration may say of probes that are built into a program: their arguments are words, and there is room for so many.
//!
//! Its types need not be known: they are the program's.

use std::collections::HashSet;

use probes_common::providers::usdt::MOST_ARGS;

use super::is_void;
use crate::diagnostic::{Diagnostic, Tag};
use crate::syntax::ast::{BaseKind, Param, ProbeDecl, Provider};

/// Bytes of a provider's name at most, as DTrace has it (DTRACE_PROVNAMELEN with the zero).
const NAME: usize = 63;

/// What is wrong with a declaration.
pub fn rules(provider: &Provider) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let name = &provider.name;
    if name.name.len() > NAME || name.name.ends_with(|c: char| c.is_ascii_digit()) {
        let message = format!("`{}` is no name for a provider", name.name);
        let help = format!("it has {NAME} bytes at most and ends in no digit: a process id comes behind it");
        found.push(Diagnostic::error(Tag::D_PROV_BADNAME, name.span, message).help(help));
    }
    let mut seen = HashSet::new();
    for probe in &provider.probes {
        if !seen.insert(&probe.name.name) {
            let message = format!("`{}` has a probe `{}` already", name.name, probe.name.name);
            let diagnostic = Diagnostic::error(Tag::D_PROV_PRDUP, probe.name.span, message);
            let help = "a probe has one declaration, and as many places as the program likes";
            found.push(diagnostic.help(help));
        }
        found.extend(arguments(probe));
    }
    found
}

fn arguments(probe: &ProbeDecl) -> Option<Diagnostic> {
    let (name, params) = (&probe.name.name, &probe.native);
    if params.len() > MOST_ARGS {
        let message = format!("`{name}` has {} arguments and may have {MOST_ARGS}", params.len());
        let diagnostic = Diagnostic::error(Tag::D_PROV_PRARGLEN, probe.name.span, message);
        return Some(diagnostic.help("pass the address of a structure"));
    }
    let stray = params.iter().find(|param| !(is_word(param) || params.len() == 1 && is_void(param)))?;
    let message = format!("an argument of `{name}` is neither an integer nor an address");
    let diagnostic = Diagnostic::error(Tag::D_DECL_PROTO_TYPE, stray.ty.span, message);
    Some(diagnostic.help("pass its address, or its bits as an integer"))
}

/// Whether an argument is an integer or an address.
fn is_word(param: &Param) -> bool {
    use BaseKind as B;
    let whole = !matches!(param.ty.base.kind, B::Void | B::Float | B::Double | B::LongDouble | B::Record(_));
    whole || !param.ty.derived.is_empty()
}
