//! The names of the probes in use, for output: owned, so that it outlives the catalog.

use std::collections::HashMap;

use crate::provider::{Catalog, ProbeId};

/// The four parts of a probe's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Name {
    /// The provider.
    pub provider: String,
    /// The module.
    pub module: String,
    /// The function.
    pub function: String,
    /// The probe's own name.
    pub name: String,
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}:{}", self.provider, self.module, self.function, self.name)
    }
}

/// Names by id.
#[derive(Debug, Clone, Default)]
pub struct Names(HashMap<ProbeId, Name>);

impl Names {
    /// The names of these probes.
    pub fn new(catalog: &Catalog, probes: impl IntoIterator<Item = ProbeId>) -> Names {
        let name = |id| {
            let info = catalog.get(id)?;
            Some((
                id,
                Name {
                    provider: info.provider.to_string(),
                    module: info.module.to_string(),
                    function: info.function.to_string(),
                    name: info.name.to_string(),
                },
            ))
        };
        Names(probes.into_iter().filter_map(name).collect())
    }

    /// The name of a probe; empty for one that is not in use.
    pub fn get(&self, id: ProbeId) -> &Name {
        const UNUSED: &Name = &Name {
            provider: String::new(),
            module: String::new(),
            function: String::new(),
            name: String::new(),
        };
        self.0.get(&id).unwrap_or(UNUSED)
    }
}

#[cfg(test)]
impl Names {
    /// Names for tests, of `provider:module:function:name`.
    pub(crate) fn of(probes: &[(u32, &str)]) -> Names {
        let name = |&(id, text): &(u32, &str)| {
            let mut parts = text.split(':').map(str::to_owned);
            let mut part = || parts.next().unwrap_or_default();
            let name = Name { provider: part(), module: part(), function: part(), name: part() };
            (ProbeId(id), name)
        };
        Names(probes.iter().map(name).collect())
    }
}
