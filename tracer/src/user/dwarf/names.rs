//! The names of a file's types, constants and functions, by one pass over what stands outside of functions.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use gimli::{DebugInfoOffset, DwTag, UnitHeader, constants};

use super::{Dwarf, Entry, Slice, Unit, place, reference};
use crate::kernel::btf::{Kind, TypeId};

/// What names stand for.
#[derive(Default)]
pub(super) struct Names {
    /// Where the entry of that kind and name is, of several the first.
    entries: HashMap<(u8, Box<str>), TypeId>,
    /// Constants of enumerations: which, and the value.
    constants: HashMap<Box<str>, (TypeId, i64)>,
}

impl Names {
    pub(super) fn read(dwarf: &Dwarf) -> Names {
        let mut names = Names::default();
        for unit in &dwarf.units {
            if let Ok(header) = dwarf.info().header_from_offset(DebugInfoOffset(unit.at)) {
                // What comes before bytes that are not understood stays.
                let _ = names.read_unit(dwarf, unit, &header);
            }
        }
        names
    }

    pub(super) fn find(&self, kind: Kind, name: &str) -> Option<TypeId> {
        self.entries.get(&(kind as u8, name.into())).copied()
    }

    pub(super) fn all(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.entries.keys().filter(move |(of, _)| *of == kind as u8).map(|(_, name)| &**name)
    }

    pub(super) fn constant(&self, name: &str) -> Option<(TypeId, i64)> {
        self.constants.get(name).copied()
    }

    fn read_unit<'a>(
        &mut self,
        dwarf: &'a Dwarf,
        unit: &'a Unit,
        header: &UnitHeader<Slice<'a>>,
    ) -> gimli::Result<()> {
        let mut cursor = header.entries(&unit.abbreviations);
        // The unit itself, then what it holds.
        let mut more = cursor.next_entry()? && cursor.next_entry()?;
        let mut enumeration = None;
        while more {
            more = match cursor.current() {
                Some(entry) if entry.tag() == constants::DW_TAG_enumerator => {
                    let value = entry.attr(constants::DW_AT_const_value);
                    let value =
                        value.and_then(|value| value.sdata_value().or(value.udata_value().map(|v| v as i64)));
                    if let (Some(name), Some(of), Some(value)) =
                        (name(dwarf, unit, header, entry), enumeration, value)
                    {
                        self.constants.entry(name.into()).or_insert((of, value));
                    }
                    cursor.next_sibling()?;
                    true
                }
                Some(entry) => {
                    self.enter(dwarf, unit, header, entry);
                    let tag = entry.tag();
                    if tag == constants::DW_TAG_enumeration_type {
                        enumeration = place(header, entry);
                    }
                    if matches!(tag, constants::DW_TAG_namespace | constants::DW_TAG_enumeration_type) {
                        cursor.next_entry()?
                    } else {
                        cursor.next_sibling()?;
                        true
                    }
                }
                None => cursor.next_entry()?,
            };
        }
        Ok(())
    }

    fn enter<'a>(
        &mut self,
        dwarf: &'a Dwarf,
        unit: &Unit,
        header: &UnitHeader<Slice<'a>>,
        entry: &Entry<'a>,
    ) {
        let (Some(kind), Some(at)) = (kind(entry.tag()), place(header, entry)) else { return };
        if entry.has_attr(constants::DW_AT_declaration) && kind != Kind::Func {
            return;
        }
        let mut put = |name: Option<&str>| {
            if let Some(name) = name
                && let Slot::Vacant(slot) = self.entries.entry((kind as u8, name.into()))
            {
                slot.insert(at);
            }
        };
        put(name(dwarf, unit, header, entry));
        if kind == Kind::Func {
            // By the name of its symbol, in C++ and Rust; of a member, the class's declaration has it.
            let text = |value| dwarf.text(unit, header, value);
            put(entry.attr_value(constants::DW_AT_linkage_name).and_then(text));
            let declared = entry.attr_value(constants::DW_AT_specification);
            let declared = declared.and_then(|value| dwarf.die(reference(header, value)?));
            let linkage = declared.as_ref().and_then(|die| {
                let value = die.entry.attr_value(constants::DW_AT_linkage_name)?;
                dwarf.text(die.unit, &die.header, value)
            });
            put(linkage);
        }
    }
}

fn name<'a>(
    dwarf: &'a Dwarf,
    unit: &Unit,
    header: &UnitHeader<Slice<'a>>,
    entry: &Entry<'a>,
) -> Option<&'a str> {
    dwarf.text(unit, header, entry.attr_value(constants::DW_AT_name)?)
}

/// The kinds of names.
pub(super) fn kind(tag: DwTag) -> Option<Kind> {
    Some(match tag {
        constants::DW_TAG_structure_type | constants::DW_TAG_class_type => Kind::Struct,
        constants::DW_TAG_union_type => Kind::Union,
        constants::DW_TAG_enumeration_type => Kind::Enum,
        constants::DW_TAG_typedef => Kind::Typedef,
        constants::DW_TAG_subprogram => Kind::Func,
        constants::DW_TAG_variable => Kind::Var,
        _ => return None,
    })
}
