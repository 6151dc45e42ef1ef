//! The object: the words that count who looks at the probes. The headers have them too, weaker; a program that is linked with the
//! object has those of the object.

use object::write::{Object, Symbol, SymbolSection};
use object::{Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope};

use super::Provider;

/// The section of the words, and that which says that the stack need not be executable.
const WORDS: &[u8] = b".probes";
const STACK: &[u8] = b".note.GNU-stack";

/// The relocatable object of the providers, for this machine.
pub fn object(providers: &[Provider]) -> Result<Vec<u8>, object::write::Error> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let words = object.add_section(Vec::new(), WORDS.to_vec(), SectionKind::Data);
    object.add_section(Vec::new(), STACK.to_vec(), SectionKind::Other);
    let semaphores =
        providers.iter().flat_map(|provider| provider.probes.iter().map(|probe| provider.semaphore(probe)));
    for name in semaphores {
        let value = object.append_section_data(words, &[0; 2], 2);
        object.add_symbol(Symbol {
            name: name.into_bytes(),
            value,
            size: 2,
            kind: SymbolKind::Data,
            // Hidden: each library has its own.
            scope: SymbolScope::Linkage,
            weak: false,
            section: SymbolSection::Section(words),
            flags: SymbolFlags::None,
        });
    }
    object.write()
}

#[cfg(test)]
mod tests {
    use object::read::elf::ElfFile64;
    use object::{Object as _, ObjectSection as _, ObjectSymbol as _};

    use super::super::Probe;
    use super::*;

    #[test]
    fn every_probe_has_a_word() {
        let probe = |name: &str| Probe { name: name.to_owned(), args: Vec::new(), shown: Vec::new() };
        let provider = Provider { name: "app".to_owned(), probes: vec![probe("start"), probe("req__done")] };
        let bytes = object(&[provider]).expect("it is written");
        let elf = ElfFile64::<Endianness>::parse(bytes.as_slice()).expect("it is an ELF file");
        let section = elf.section_by_name(".probes").expect("the words have a section");
        assert_eq!(section.size(), 4);
        let symbols: Vec<(&str, u64)> =
            elf.symbols().filter_map(|symbol| Some((symbol.name().ok()?, symbol.address()))).collect();
        assert!(symbols.contains(&("app_start_semaphore", 0)), "{symbols:?}");
        assert!(symbols.contains(&("app_req__done_semaphore", 2)), "{symbols:?}");
        assert!(elf.section_by_name(".note.GNU-stack").is_some());
    }
}
