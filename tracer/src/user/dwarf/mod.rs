//! A lazy reader of DWARF, what a compiler says of a program's types: a type by its name, and of a type what it is made of.
//!
//! Invariants: a pass over what stands outside of functions notes the names, when the first is asked for; of a type only the entry
//! is read that somebody asks about. A type is known by the place of its entry in `.debug_info`, where it is entered in several
//! units by the first of that name and size: so that it is one type, however it is come to. Malformed data read as missing.
//!
//! The format is that of DWARF 5; versions 2 to 4 are read, too.

mod names;
mod shape;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use gimli::{
    Abbreviations, AttributeValue, DebugInfoOffset, DebugStrOffsetsBase, DebuggingInformationEntry, DwAt,
    EndianSlice, EntriesCursor, LittleEndian, UnitHeader, constants,
};

use crate::kernel::btf::TypeId;
use names::Names;

type Slice<'a> = EndianSlice<'a, LittleEndian>;
type Entry<'a> = DebuggingInformationEntry<Slice<'a>>;

/// The sections that are read.
#[derive(Default)]
pub struct Sections {
    /// `.debug_info`
    pub info: Vec<u8>,
    /// `.debug_abbrev`
    pub abbrev: Vec<u8>,
    /// `.debug_str`
    pub strings: Vec<u8>,
    /// `.debug_line_str`
    pub line_strings: Vec<u8>,
    /// `.debug_str_offsets`
    pub string_offsets: Vec<u8>,
}

/// The debugging information of a file.
pub struct Dwarf {
    sections: Sections,
    /// By their places.
    units: Vec<Unit>,
    names: OnceLock<Names>,
    /// Of arrays of several dimensions, which is the array that has the dimension of this entry.
    dimensions: Mutex<HashMap<u32, u32>>,
    /// How many units have theirs in files of their own.
    split: usize,
}

/// What is made of one source file.
struct Unit {
    at: usize,
    abbreviations: Abbreviations,
    strings_base: DebugStrOffsetsBase<usize>,
}

/// An entry.
struct Die<'a> {
    dwarf: &'a Dwarf,
    unit: &'a Unit,
    header: UnitHeader<Slice<'a>>,
    entry: Entry<'a>,
}

impl Dwarf {
    /// Notes the units; none where there is not one that is understood.
    pub fn new(sections: Sections) -> Option<Dwarf> {
        let mut dwarf = Dwarf {
            sections,
            units: Vec::new(),
            names: OnceLock::new(),
            dimensions: Mutex::default(),
            split: 0,
        };
        let (mut units, mut split) = (Vec::new(), 0);
        let mut headers = dwarf.info().units();
        while let Ok(Some(header)) = headers.next() {
            let (Some(at), Ok(abbreviations)) =
                (header.debug_info_offset(), header.abbreviations(&dwarf.abbrev()))
            else {
                continue;
            };
            let strings_base = DebugStrOffsetsBase::default_for_encoding_and_file(
                header.encoding(),
                gimli::DwarfFileType::Main,
            );
            let mut unit = Unit { at: at.0, abbreviations, strings_base };
            if let Ok(root) = header.entry(&unit.abbreviations, header.root_offset()) {
                if let Some(AttributeValue::DebugStrOffsetsBase(base)) =
                    root.attr_value(constants::DW_AT_str_offsets_base)
                {
                    unit.strings_base = base;
                }
                let of_other_file = [constants::DW_AT_dwo_name, constants::DW_AT_GNU_dwo_name];
                split += usize::from(of_other_file.into_iter().any(|name| root.has_attr(name)));
            }
            units.push(unit);
        }
        dwarf.split = split;
        dwarf.units = units;
        (!dwarf.units.is_empty()).then_some(dwarf)
    }

    /// Whether all of it is in files of its own (`-gsplit-dwarf`), which are not read.
    pub fn is_split(&self) -> bool {
        self.split == self.units.len()
    }

    fn info(&self) -> gimli::DebugInfo<Slice<'_>> {
        gimli::DebugInfo::new(&self.sections.info, LittleEndian)
    }

    fn abbrev(&self) -> gimli::DebugAbbrev<Slice<'_>> {
        gimli::DebugAbbrev::new(&self.sections.abbrev, LittleEndian)
    }

    fn dimensions(&self) -> MutexGuard<'_, HashMap<u32, u32>> {
        self.dimensions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn names(&self) -> &Names {
        self.names.get_or_init(|| Names::read(self))
    }

    /// The entry at a place.
    fn die(&self, id: TypeId) -> Option<Die<'_>> {
        let after = self.units.partition_point(|unit| unit.at <= id.0 as usize);
        let unit = self.units.get(after.checked_sub(1)?)?;
        let header = self.info().header_from_offset(DebugInfoOffset(unit.at)).ok()?;
        let offset = DebugInfoOffset(id.0 as usize).to_unit_offset(&header)?;
        let entry = header.entry(&unit.abbreviations, offset).ok()?;
        Some(Die { dwarf: self, unit, header, entry })
    }

    /// The text of an attribute's value.
    fn text<'a>(
        &'a self,
        unit: &Unit,
        header: &UnitHeader<Slice<'a>>,
        value: AttributeValue<Slice<'a>>,
    ) -> Option<&'a str> {
        let strings = gimli::DebugStr::new(&self.sections.strings, LittleEndian);
        let slice = match value {
            AttributeValue::String(slice) => slice,
            AttributeValue::DebugStrRef(at) => strings.get_str(at).ok()?,
            AttributeValue::DebugLineStrRef(at) => {
                gimli::DebugLineStr::new(&self.sections.line_strings, LittleEndian).get_str(at).ok()?
            }
            AttributeValue::DebugStrOffsetsIndex(index) => {
                let offsets =
                    gimli::DebugStrOffsets::from(Slice::new(&self.sections.string_offsets, LittleEndian));
                let at = offsets.get_str_offset(header.format(), unit.strings_base, index).ok()?;
                strings.get_str(at).ok()?
            }
            _ => return None,
        };
        std::str::from_utf8(slice.slice()).ok().filter(|text| !text.is_empty())
    }
}

impl fmt::Debug for Dwarf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dwarf").field("units", &self.units.len()).finish_non_exhaustive()
    }
}

impl<'a> Die<'a> {
    fn name(&self) -> Option<&'a str> {
        let value = self.entry.attr_value(constants::DW_AT_name)?;
        self.dwarf.text(self.unit, &self.header, value)
    }

    fn number(&self, name: DwAt) -> Option<u64> {
        self.entry.attr(name)?.udata_value()
    }

    fn has(&self, name: DwAt) -> bool {
        self.entry.has_attr(name)
    }

    fn id(&self) -> Option<TypeId> {
        place(&self.header, &self.entry)
    }

    /// Its type, the first of those that are entered several times; `void` where it has none.
    fn of(&self) -> TypeId {
        let at = self.reference(constants::DW_AT_type);
        at.map_or(TypeId(0), |id| self.dwarf.first_of(id))
    }

    /// The entry that an attribute leads to.
    fn reference(&self, name: DwAt) -> Option<TypeId> {
        reference(&self.header, self.entry.attr_value(name)?)
    }

    /// The entries that it holds.
    fn children(&self) -> Vec<Die<'a>> {
        let mut children = Vec::new();
        let cursor = self.header.entries_at_offset(&self.unit.abbreviations, self.entry.offset());
        let Ok(mut cursor) = cursor else { return children };
        let step = |cursor: &mut EntriesCursor<'a, Slice<'a>>| cursor.next_entry().unwrap_or(false);
        if !(step(&mut cursor) && self.entry.has_children() && step(&mut cursor)) {
            return children;
        }
        while let Some(entry) = cursor.current() {
            children.push(Die { entry: entry.clone(), header: self.header, ..*self });
            if cursor.next_sibling().is_err() {
                break;
            }
        }
        children
    }
}

/// Where an entry is in `.debug_info`.
fn place(header: &UnitHeader<Slice<'_>>, entry: &Entry<'_>) -> Option<TypeId> {
    u32::try_from(entry.offset().to_debug_info_offset(header)?.0).ok().map(TypeId)
}

/// Where a reference leads to: not into another file, and to no unit of one type.
fn reference(header: &UnitHeader<Slice<'_>>, value: AttributeValue<Slice<'_>>) -> Option<TypeId> {
    let at = match value {
        AttributeValue::UnitRef(offset) => offset.to_debug_info_offset(header)?.0,
        AttributeValue::DebugInfoRef(offset) => offset.0,
        _ => return None,
    };
    u32::try_from(at).ok().map(TypeId)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;
    use std::sync::Arc;

    use crate::kernel::btf::{Described, Kind, Shape, TypeId};
    use crate::user::{Lack, types};

    const SOURCE: &str = "
        struct later;
        typedef struct list { struct list *next; char name[16]; unsigned flag : 3, kind : 5; int grid[2][3]; } list_t;
        enum color { RED, GREEN = 5, BLUE = -1 };
        typedef union { long l; double d; } number_t;
        struct outer { struct { int deep; }; number_t number; struct later *later; enum color color; };
        struct outer global;
        int work(list_t *list, unsigned short n, const char *text, ...) { return list->kind + n + text[0]; }
        int main(void) { list_t list = { 0 }; return work(&list, global.deep, list.name); }
    ";

    /// The types of the program as the C compiler describes them with these options.
    fn described(name: &str, options: &[&str]) -> Option<Result<Arc<dyn Described>, Lack>> {
        let directory = std::env::temp_dir().join(format!("tracer-dwarf-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory is made");
        let (source, program) = (directory.join("program.c"), directory.join("program"));
        std::fs::write(&source, SOURCE).expect("a file is written");
        let mut compiler = Command::new("cc");
        compiler.current_dir(&directory).args(["-O0", "-o"]).args([&program, &source]).args(options);
        let compiled = compiler.output().is_ok_and(|output| output.status.success());
        let described = compiled.then(|| types(Path::new(&program), false));
        std::fs::remove_dir_all(&directory).expect("a directory is removed");
        if described.is_none() {
            eprintln!("skipped: the C compiler does not take {options:?}");
        }
        described
    }

    /// A type as C writes it, as far as the tests need it.
    fn spelled(types: &dyn Described, id: TypeId) -> String {
        let name = || types.name(id).unwrap_or("?").to_owned();
        match types.shape(id).expect("it is a type") {
            Shape::Void => "void".to_owned(),
            Shape::Pointer(to) => spelled(types, to) + " *",
            Shape::Array(of, count) => format!("{} [{count}]", spelled(types, of)),
            Shape::Qualified(of) => spelled(types, of),
            _ => name(),
        }
    }

    #[test]
    fn types_are_what_the_source_says() {
        for options in [
            &["-g"][..],
            &["-g", "-gdwarf-4"],
            &["-g", "-gdwarf-2", "-gno-strict-dwarf"],
            &["-g", "-gz=zlib"],
        ] {
            let Some(types) = described(options.last().expect("there is one"), options) else { continue };
            let types = types.unwrap_or_else(|lack| panic!("{options:?}: {lack}"));
            let find = |kind, name| types.find(kind, name).unwrap_or_else(|| panic!("{options:?}: {name}"));
            let list = find(Kind::Struct, "list");
            assert_eq!(
                types.shape(list),
                Some(Shape::Composite { union: false, size: 52_u32.next_multiple_of(8) })
            );
            let members = types.members(list).expect("it has some");
            let members: Vec<(&str, String, u32, u32)> =
                members.iter().map(|m| (m.name, spelled(&*types, m.ty), m.bit, m.bits)).collect();
            let member = |name, ty: &str, bit, bits| (name, ty.to_owned(), bit, bits);
            assert_eq!(
                members,
                [
                    member("next", "list *", 0, 0),
                    member("name", "char [16]", 64, 0),
                    member("flag", "unsigned int", 192, 3),
                    member("kind", "unsigned int", 195, 5),
                    member("grid", "int [3] [2]", 224, 0),
                ]
            );
            assert_eq!(types.shape(find(Kind::Typedef, "list_t")), Some(Shape::Typedef(list)));
            let color = find(Kind::Enum, "color");
            let values = vec![("RED", 0), ("GREEN", 5), ("BLUE", -1)];
            assert_eq!(types.shape(color), Some(Shape::Enumeration { bytes: 4, signed: true, values }));
            assert_eq!(types.enumerator("GREEN"), Some((color, 5)));
            let outer = types.members(find(Kind::Struct, "outer")).expect("it has some");
            assert_eq!(outer.iter().map(|m| m.name).collect::<Vec<_>>(), ["", "number", "later", "color"]);
            let Some(Shape::Pointer(later)) = types.shape(outer[2].ty) else { panic!("{outer:?}") };
            assert_eq!(types.shape(later), Some(Shape::Forward { union: false }));
            let Some(Shape::Function { result, params, variadic }) = types.shape(find(Kind::Func, "work"))
            else {
                panic!("it is a function")
            };
            let params: Vec<String> = params.iter().map(|id| spelled(&*types, *id)).collect();
            assert_eq!(params, ["list_t *", "short unsigned int", "char *"]);
            assert!(variadic && spelled(&*types, result) == "int");
            let (global, _) = types.variable("global").expect("there is one");
            assert_eq!(types.name(global), Some("outer"));
        }
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        for (options, lack) in [
            (&["-g0"][..], Lack::None),
            (&["-g", "-gsplit-dwarf"], Lack::Split),
            (&["-g", "-gz=zstd"], Lack::Compressed),
        ] {
            let Some(types) = described(options.last().expect("there is one"), options) else { continue };
            assert_eq!(types.err(), Some(lack), "{options:?}");
        }
    }
}
