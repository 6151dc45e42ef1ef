//! The probes of fbt: two for each function of the kernel that can be traced.
//!
//! Invariant: a probe's id is its function's place in the kernel's list, counted from [`FIRST`] on: the same whether a description
//! made all of them or only this one. The trampoline tells functions apart by numbers that are given out as they are asked for.

use probes_common::providers::fbt::{self, Cookie};

use super::catalog::Catalog;
use super::{Instance, KERNEL, Pattern, ProbeId, ProbeInfo, matches};
use crate::kernel::btf::{Btf, Prototype, Shape, TypeId};

/// The provider's name.
pub(super) const FBT: &str = fbt::PROBES[0].provider;

/// The id of the first of its probes. There are some 100,000: the others' ids are kept free of them.
const FIRST: u32 = 100_000;

/// Functions that one copy of a trampoline can tell apart.
const HOSTED: usize = 1 << 16;

/// The type of an argument of a function, as the kernel tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// It has this type, and a word of its own.
    Word(TypeId),
    /// There is none.
    Void,
    /// It, or one before it, takes more than a word, so that it is not where its number says.
    Wide,
}

impl Catalog {
    /// Adds the probes of the functions that the pattern describes, those that are not there yet.
    pub(super) fn add_functions(&mut self, pattern: &Pattern) {
        if !matches(&pattern.provider, FBT) {
            return;
        }
        let functions = self.traceable.clone();
        for (function, place) in functions.all().unwrap_or_default().iter().zip(0_u32..) {
            let module = if function.module.is_empty() { KERNEL } else { function.module };
            if !matches(&pattern.function, function.name) || !matches(&pattern.module, module) {
                continue;
            }
            for (probe, side) in fbt::PROBES.iter().zip(0..) {
                let id = ProbeId(FIRST + 2 * place + side);
                if !matches(&pattern.name, probe.name) || self.get(id).is_some() {
                    continue;
                }
                let number = self.functions_added[side as usize];
                self.functions_added[side as usize] += 1;
                self.add_at(
                    id,
                    ProbeInfo {
                        module: module.into(),
                        function: function.name.into(),
                        discriminator: (number % HOSTED) as u16,
                        instance: Some(Instance::Functions((number / HOSTED) as u8)),
                        ..ProbeInfo::of(probe)
                    },
                );
            }
        }
    }

    /// Adds the probe of fbt that has this id, if one has.
    pub(super) fn add_function_by_id(&mut self, id: ProbeId) {
        let Some(place) = id.0.checked_sub(FIRST) else { return };
        let functions = self.traceable.clone();
        if let Some(function) = functions.all().ok().and_then(|all| all.get(place as usize / 2)) {
            let module = if function.module.is_empty() { KERNEL } else { function.module };
            let [module, function] = [module, function.name].map(str::to_owned);
            self.add_functions(&Pattern { provider: FBT.into(), module, function, name: String::new() });
        }
    }

    /// Why there are no probes of fbt.
    pub(super) fn no_functions(&self) -> Option<&str> {
        self.traceable.all().err()
    }

    /// Whether several functions have the name of this probe's function, so that only an address tells them apart.
    pub fn is_ambiguous(&self, id: ProbeId) -> bool {
        let place = (id.0 - FIRST) as usize / 2;
        self.traceable.all().is_ok_and(|functions| functions[place].several)
    }

    /// The type of `args[number]` of a probe of fbt, and where it is described; none where the kernel does not tell of the function.
    pub fn function_argument(
        &self,
        probe: &ProbeInfo,
        number: usize,
    ) -> Option<(std::sync::Arc<Btf>, Argument)> {
        let btf = self.types.as_ref()?.of(&probe.module)?;
        let argument = argument(&btf, &btf.function(&probe.function)?, is_return(probe), number);
        Some((btf, argument))
    }

    /// How many `args[]` a probe of fbt has, where the kernel tells.
    pub fn function_arguments(&self, probe: &ProbeInfo) -> Option<usize> {
        if is_return(probe) {
            return Some(probe.args.len());
        }
        let btf = self.types.as_ref()?.of(&probe.module)?;
        let params = btf.function(&probe.function)?.params;
        Some(params.iter().filter(|param| param.ty.0 != 0).count().min(probe.args.len()))
    }

    /// The types of a probe's arguments as C writes them.
    pub(super) fn function_types(&self, probe: &ProbeInfo) -> Option<Vec<String>> {
        let count = self.function_arguments(probe)?;
        let shown = |number: usize| match self.function_argument(probe, number)? {
            (btf, Argument::Word(ty)) => Some(btf.display(ty)),
            (_, Argument::Void) => Some("void".to_owned()),
            (_, Argument::Wide) => Some("(takes more than a word)".to_owned()),
        };
        (0..count).map(shown).collect()
    }

    /// The cookie with which the function of that probe is attached: how wide its arguments are, as far as the kernel tells.
    pub fn cookie(&self, probe: &ProbeInfo) -> u64 {
        let words =
            (0..probe.args.len()).filter_map(|number| match self.function_argument(probe, number)? {
                (btf, Argument::Word(ty)) => {
                    width(&btf, ty).map(|(bytes, signed)| (number as u32, bytes, signed))
                }
                _ => None,
            });
        words
            .fold(Cookie::new(probe.discriminator), |cookie, (number, bytes, signed)| {
                cookie.with_word(number, bytes, signed)
            })
            .0
    }
}

/// Whether a description that matches nothing may be of a function: it names fbt, or a function and no provider.
pub(super) fn may_be_function(pattern: &Pattern) -> bool {
    pattern.provider == FBT || pattern.provider.is_empty() && !pattern.function.is_empty()
}

fn is_return(probe: &ProbeInfo) -> bool {
    *probe.program == fbt::RETURN
}

fn argument(btf: &Btf, prototype: &Prototype<'_>, returns: bool, number: usize) -> Argument {
    // The result of a return is its second argument, behind the place.
    let types: Vec<TypeId> = match returns {
        true => vec![prototype.result],
        false => prototype.params.iter().map(|param| param.ty).collect(),
    };
    let number = if returns { number.checked_sub(1) } else { Some(number) };
    let Some(number) = number.filter(|number| types.get(*number).is_some_and(|ty| ty.0 != 0)) else {
        return Argument::Void;
    };
    match types[..=number].iter().all(|ty| btf.size_of(*ty).is_some_and(|size| size <= 8)) {
        true => Argument::Word(types[number]),
        false => Argument::Wide,
    }
}

/// The bytes of an integer type, and whether it has a sign; none of what takes a whole word, or is none.
fn width(btf: &Btf, ty: TypeId) -> Option<(u8, bool)> {
    match btf.shape(btf.resolve(ty)?)? {
        Shape::Int { bytes, signed } | Shape::Enumeration { bytes, signed, .. } => {
            u8::try_from(bytes).ok().filter(|bytes| matches!(bytes, 1 | 2 | 4)).map(|bytes| (bytes, signed))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::kernel::Target;
    use crate::kernel::btf::tests::sample_module;
    use crate::kernel::functions::Functions;
    use crate::kernel::modules::Types;

    fn names(catalog: &mut Catalog, pattern: &str) -> Vec<(u32, String)> {
        let pattern = Pattern::parse(pattern).expect("it has at most four parts");
        let ids = catalog.matching(&pattern);
        ids.iter().map(|&id| (id.0, catalog.get(id).expect("it was matched").to_string())).collect()
    }

    #[test]
    fn a_functions_id_is_its_place_in_the_list() {
        let mut catalog = Catalog::new(&Target::fixture());
        let before = catalog.ids().count();
        let sendmsg = (FIRST + 4, "fbt:vmlinux:tcp_sendmsg:entry".to_owned());
        assert_eq!(names(&mut catalog, "fbt::tcp_send*:entry"), std::slice::from_ref(&sendmsg));
        assert_eq!(catalog.ids().count(), before + 1);
        assert_eq!(names(&mut catalog, "fbt:vmlinux:vfs_*:entry").len(), 2);
        assert_eq!(names(&mut catalog, "fbt:::").len(), 8);
        assert_eq!(names(&mut catalog, "fbt::tcp_sendmsg:")[0], sendmsg);
        assert!(names(&mut catalog, "fbt:nfs::").is_empty());
        let probe = catalog.get(ProbeId(FIRST + 2)).expect("it was added");
        assert_eq!((probe.discriminator, probe.instance), (2, Some(Instance::Functions(0))));
        let mut other = Catalog::new(&Target::fixture());
        assert_eq!(
            other.by_id(ProbeId(FIRST + 3)).map(ToString::to_string).as_deref(),
            Some("fbt:vmlinux:vfs_write:return")
        );
    }

    #[test]
    fn a_description_without_a_provider_finds_functions_where_it_finds_nothing_else() {
        let mut catalog = Catalog::new(&Target::fixture());
        assert_eq!(names(&mut catalog, "openat:entry").len(), 1);
        assert_eq!(names(&mut catalog, "vfs_read:entry"), [(FIRST, "fbt:vmlinux:vfs_read:entry".to_owned())]);
        assert_eq!(names(&mut catalog, "vfs_read:").len(), 2);
    }

    #[test]
    fn where_nothing_can_be_traced_it_is_told_why() {
        let target = Target { functions: Functions::none("there are no kprobes"), ..Target::fixture() };
        let mut catalog = Catalog::new(&target);
        assert!(names(&mut catalog, "fbt::vfs_read:entry").is_empty());
        assert_eq!(catalog.no_functions(), Some("there are no kprobes"));
    }

    #[test]
    fn arguments_have_the_types_of_the_modules_btf() {
        let module = Arc::new(sample_module());
        let base = module.base().expect("it goes on from the sample").clone();
        let types = Types::new(base).with_module("paints", module);
        let functions = Functions::these("dry [paints]\n");
        let mut catalog = Catalog::new(&Target { types: Some(types), functions, ..Target::fixture() });
        names(&mut catalog, "fbt:paints:dry:");
        let [entry, back] = [0, 1].map(|side| catalog.get(ProbeId(FIRST + side)).expect("it is there"));
        assert_eq!(catalog.function_types(entry), Some(vec!["struct paint *".to_owned()]));
        assert_eq!(catalog.function_types(back), Some(vec!["void".to_owned(), "long".to_owned()]));
        assert_eq!(catalog.function_arguments(entry), Some(1));
        assert_eq!(catalog.cookie(entry), Cookie::new(0).0);
    }
}
