//! The probes of a clause: which ones its descriptions match, and what their arguments are.

use probes_common::probe::{Arg, Attach};

use super::ctype::{CompositeKind, NameKind};
use super::typed::Type;
use super::types::{UINT64, of_kind};
use super::{Checker, Refused};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::provider::stability::{Description, OPEN};
use crate::provider::{Argument, OfProcess, Pattern, ProbeId, ProbeInfo};
use crate::syntax::ast::{Item, ItemKind, ProbeDesc, ProbeDescKind};

/// The probes of the clause at hand.
#[derive(Debug, Default)]
pub(super) struct Matched {
    /// In the order of their ids.
    pub(super) probes: Vec<ProbeId>,
    /// Whether a description was refused: then nothing is said about arguments.
    pub(super) refused: bool,
    /// The descriptions, in the order of the text.
    pub(super) descriptions: Vec<Description>,
}

/// Whether an item is a clause with a probe in a process.
pub(super) fn asks_of_process(item: &Item) -> bool {
    let ItemKind::Clause(clause) = &item.kind else { return false };
    clause.probes.iter().any(|description| match &description.kind {
        ProbeDescKind::Parts { provider, .. } => {
            let digits = provider.name.strip_prefix("pid").unwrap_or("");
            provider.name.ends_with("$target") || digits.starts_with(|c: char| c.is_ascii_digit() || c == '$')
        }
        ProbeDescKind::Id(_) => false,
    })
}

impl Checker<'_> {
    /// The probes that the descriptions match.
    pub(super) fn match_probes(&mut self, descriptions: &[ProbeDesc]) -> Matched {
        let mut matched = Matched::default();
        for description in descriptions {
            match self.match_probe(description) {
                Ok((pattern, probes)) => {
                    matched.descriptions.push(self.described(pattern, &probes, description.span));
                    matched.probes.extend(probes);
                }
                Err(Refused) => matched.refused = true,
            }
        }
        matched.probes.sort_unstable();
        matched.probes.dedup();
        matched
    }

    /// How stable a description is. The first of its probes stands for all.
    fn described(&self, pattern: Pattern, probes: &[ProbeId], span: Span) -> Description {
        let probe = probes.first().copied();
        let parts = probe.and_then(|id| self.catalog.get(id)).map(|probe| self.parts(&probe.provider));
        let described = match parts {
            Some(parts) => parts.described(&pattern, probes.len() > 1),
            None => None,
        };
        let parts = parts.filter(|_| described.is_some()).unwrap_or(OPEN);
        Description { pattern, parts, described, probe, span }
    }

    fn match_probe(&mut self, description: &ProbeDesc) -> Result<(Pattern, Vec<ProbeId>), Refused> {
        let span = description.span;
        let pattern = match &description.kind {
            ProbeDescKind::Parts { provider, module, function, name } => Pattern {
                provider: self.expand(&provider.name, span)?,
                module: self.expand(&module.name, span)?,
                function: self.expand(&function.name, span)?,
                name: self.expand(&name.name, span)?,
            },
            ProbeDescKind::Id(id) => return self.probe_by_id(*id, span),
        };
        self.catalog.allow_later(self.options.zdefs);
        let probes = self.catalog.matching(&pattern);
        if !probes.is_empty() || self.options.zdefs {
            return Ok((pattern, probes));
        }
        let why = self.catalog.explain(&pattern);
        if let Some(OfProcess { tag, message, help }) = why.of_process {
            return Err(self.refuse(Diagnostic::error(tag, span, message).help(help)));
        }
        let diagnostic = Diagnostic::error(Tag::D_PDESC_ZERO, span, format!("`{pattern}` matches no probe"));
        let known = why.reason.is_some();
        let diagnostic = match why.reason {
            Some(reason) => diagnostic.label(reason),
            None => diagnostic,
        };
        Err(self.refuse(match why.nearest {
            _ if let Some(lacking) = &why.lacking => diagnostic.help(lacking.clone()),
            Some(near) if !known => diagnostic.help(format!("did you mean `{near}`?")),
            _ => diagnostic.help("`tracer -l` lists the probes; -Z allows descriptions that match none"),
        }))
    }

    fn probe_by_id(&mut self, id: u32, span: Span) -> Result<(Pattern, Vec<ProbeId>), Refused> {
        match self.catalog.by_id(ProbeId(id)) {
            Some(probe) if probe.lacks.is_none() => Ok((Pattern::of(probe), vec![ProbeId(id)])),
            _ if self.options.zdefs => Ok((Pattern::default(), Vec::new())),
            _ => {
                let diagnostic = Diagnostic::error(
                    Tag::D_PDESC_INVAL,
                    span,
                    format!("there is no probe with the id {id}"),
                );
                Err(self.refuse(diagnostic.help("`tracer -l` lists the probes with their ids")))
            }
        }
    }

    /// The type of `args[number]`, which all probes of the clause must agree on.
    pub(super) fn argument_type(&mut self, number: usize, span: Span) -> Result<Type, Refused> {
        if self.clause.refused {
            return Err(Refused);
        }
        let probes: Vec<ProbeInfo> =
            self.clause.probes.iter().filter_map(|&id| self.catalog.get(id)).cloned().collect();
        let has = |probe: &&ProbeInfo| number < probe.args.len();
        if let (Some(with), Some(without)) =
            (probes.iter().find(has), probes.iter().find(|probe| !has(probe)))
        {
            let message = format!("{with} has args[{number}], {without} has not");
            let diagnostic = Diagnostic::error(Tag::D_ARGS_MULTI, span, message);
            return Err(self.refuse(diagnostic.help("give these probes a clause each")));
        }
        let mut agreed: Option<(Type, &ProbeInfo)> = None;
        for probe in &probes {
            let ty = self.type_at(probe, number, span)?;
            match &agreed {
                None => agreed = Some((ty, probe)),
                Some((first, _)) if *first == ty => {}
                Some((first, before)) => {
                    let message = format!("args[{number}] is {first:#} at {before}, {ty:#} at {probe}");
                    let diagnostic = Diagnostic::error(Tag::D_ARGS_MULTI, span, message);
                    return Err(self.refuse(diagnostic.help("give these probes a clause each")));
                }
            }
        }
        match agreed {
            Some((ty, _)) => Ok(ty),
            None if !self.clause.descriptions.is_empty() => {
                let message = "args[] belongs to a probe, and the clause has none";
                let diagnostic = Diagnostic::error(Tag::D_ARGS_MULTI, span, message);
                Err(self.refuse(diagnostic.help("arg0 to arg9 are there for any probe")))
            }
            None => {
                let message = "args[] belongs to a probe: it has no meaning outside of a clause";
                let diagnostic = Diagnostic::error(Tag::D_ARGS_NONE, span, message);
                Err(self.refuse(diagnostic.help("use it in the clause itself")))
            }
        }
    }

    fn type_at(&mut self, probe: &ProbeInfo, number: usize, span: Span) -> Result<Type, Refused> {
        let help = |probe: &ProbeInfo| {
            let known = self.catalog.argument_types(probe).unwrap_or_default();
            let args =
                self.catalog.arguments(probe).iter().enumerate().filter(|(_, arg)| !arg.field.is_empty());
            let ctype = |at: usize, arg: &Arg| known.get(at).cloned().unwrap_or_else(|| arg.ctype.to_owned());
            let args: Vec<String> = args.map(|(at, arg)| format!("args[{at}] {}", ctype(at, arg))).collect();
            match args.is_empty() {
                true => "leave it out".to_owned(),
                false => format!("it has {}; `tracer explain '{probe}'` explains them", args.join(", ")),
            }
        };
        if let Attach::Profile | Attach::Tick | Attach::Counter = probe.program.attach {
            let message = format!("{probe} has no arguments with types");
            let help = "arg0 is where the kernel was, 0 in user code; arg1 is where the program was, 0 in the kernel";
            return Err(self.refuse(Diagnostic::error(Tag::D_ARGS_IDX, span, message).help(help)));
        }
        let Some(arg) = self.catalog.arguments(probe).get(number) else {
            let message = match self.catalog.arguments(probe).len() {
                0 => format!("{probe} has no arguments"),
                _ => format!("{probe} has no args[{number}]"),
            };
            return Err(self.refuse(Diagnostic::error(Tag::D_ARGS_IDX, span, message).help(help(probe))));
        };
        if let Attach::Function { .. } = probe.program.attach {
            return self.type_of_function(probe, number, span);
        }
        let kernel = self.kernel.as_ref().zip(self.catalog.argument_type(probe, number));
        if let Some(ty) = kernel.and_then(|(types, id)| types.ty(id)).filter(Type::is_scalar) {
            return Ok(ty);
        }
        match probe.program.record.field(arg.field) {
            Some(field) => Ok(self.of_kernel(of_kind(arg.ctype, field.kind), arg.ctype)),
            None => {
                let message = format!("args[{number}] of {probe} is void: DTrace keeps its place free");
                Err(self.refuse(Diagnostic::error(Tag::D_ARGS_IDX, span, message).help(help(probe))))
            }
        }
    }

    /// The type that the probe tables write so: where it points to something of the kernel's, to that, if the kernel's types
    /// are known.
    pub(super) fn of_kernel(&self, ty: Type, written: &str) -> Type {
        let Some(name) = written.strip_suffix(" *").filter(|_| ty == Type::Pointer(Box::new(Type::Void)))
        else {
            return ty;
        };
        let (kind, name) = match name.strip_prefix("struct ") {
            Some(tag) => (NameKind::Composite(CompositeKind::Struct), tag),
            None => (NameKind::Typedef, name),
        };
        self.types.find(kind, name).map_or(ty, |of| Type::Pointer(Box::new(of)))
    }

    /// The type of an argument of a function of the kernel, or of what it returns.
    fn type_of_function(&mut self, probe: &ProbeInfo, number: usize, span: Span) -> Result<Type, Refused> {
        let help =
            "arg0 to arg9 are the words in which its arguments come, arg1 at its return what it gives back";
        let (tag, message) = match self.catalog.function_argument(probe, number) {
            Some((btf, Argument::Word(id))) => {
                let types = self.modules.as_ref().map(|modules| modules.by(&btf));
                let ty = types.and_then(|types| types.ty(id)).filter(Type::is_scalar);
                return Ok(ty.unwrap_or(Type::Int(UINT64)));
            }
            // The place in the function that a return is at is a number without a type of the kernel's.
            Some((_, Argument::Void)) if number == 0 => return Ok(Type::Int(UINT64)),
            Some((_, Argument::Void)) => {
                (Tag::D_ARGS_IDX, format!("args[{number}] of {probe} is void: the function returns nothing"))
            }
            Some((_, Argument::Wide)) => {
                let which = "or one before it takes more than a word";
                (
                    Tag::D_ARGS_TYPE,
                    format!("args[{number}] of {probe} cannot be told from the others: it {which}"),
                )
            }
            None => (Tag::D_ARGS_NONE, format!("the kernel does not tell what the arguments of {probe} are")),
        };
        Err(self.refuse(Diagnostic::error(tag, span, message).help(help)))
    }
}
