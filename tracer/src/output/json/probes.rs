//! The probes of a run as JSON, each made once: every record says which one fired.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;

use serde::Serialize;
use serde_json::value::RawValue;

use super::safe;
use crate::output::names::{Name, Names};
use crate::provider::ProbeId;

/// Probes by id.
pub(super) struct Probes {
    names: Names,
    /// Those that have been asked for.
    made: HashMap<ProbeId, Box<RawValue>>,
}

#[derive(Serialize)]
struct Probe<'a> {
    id: u32,
    provider: &'a str,
    module: &'a str,
    function: &'a str,
    name: &'a str,
}

impl Probes {
    pub(super) fn new(names: Names) -> Probes {
        Probes { names, made: HashMap::new() }
    }

    /// The probe's object.
    pub(super) fn get(&mut self, id: ProbeId) -> io::Result<&RawValue> {
        Ok(match self.made.entry(id) {
            Entry::Occupied(made) => made.into_mut(),
            Entry::Vacant(place) => {
                let Name { provider, module, function, name } = self.names.get(id);
                let mut object = Vec::new();
                safe::write(&mut object, &Probe { id: id.0, provider, module, function, name })?;
                place.insert(serde_json::from_slice(&object)?)
            }
        })
    }
}
