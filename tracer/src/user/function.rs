//! The functions of a file, by its symbols.
//!
//! Invariant: a function has one address and its names, the best of them first; functions are sorted by address.

use object::elf::{STB_GLOBAL, STB_WEAK, STT_FUNC, STT_GNU_IFUNC};
use object::read::elf::ElfFile64;
use object::{Object as _, ObjectSymbol as _, SymbolFlags};

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its address in the file.
    pub address: u64,
    /// Its length in bytes; 0 where the symbol does not tell.
    pub size: u64,
    /// Its names, the best first.
    pub names: Vec<String>,
    /// Whether its code is chosen when it is loaded (STT_GNU_IFUNC), as that of `strlen` by the processor: then what is at its
    /// address is what chooses.
    pub chosen: bool,
}

impl Function {
    /// The name that it is shown by.
    pub fn name(&self) -> &str {
        &self.names[0]
    }
}

/// How a function is linked, the better the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Local,
    Weak,
    Global,
}

/// A symbol of a function.
pub(super) struct Symbol {
    address: u64,
    size: u64,
    name: String,
    binding: Binding,
    chosen: bool,
}

/// The symbols of functions that are defined in the file: of both of its tables.
pub(super) fn symbols(elf: &ElfFile64<'_>) -> Vec<Symbol> {
    let symbol = |symbol: object::read::elf::ElfSymbol64<'_, '_>| {
        let SymbolFlags::Elf { st_info, .. } = symbol.flags() else { return None };
        let chosen = st_info & 0xf == STT_GNU_IFUNC;
        if !(st_info & 0xf == STT_FUNC || chosen) || symbol.is_undefined() || symbol.address() == 0 {
            return None;
        }
        let binding = match st_info >> 4 {
            STB_GLOBAL => Binding::Global,
            STB_WEAK => Binding::Weak,
            _ => Binding::Local,
        };
        // `memcpy@@GLIBC_2.14`, in the table that is not for the dynamic linker.
        let name = symbol.name().ok()?.split('@').next()?.to_owned();
        let known = !name.is_empty();
        known.then_some(Symbol { address: symbol.address(), size: symbol.size(), name, binding, chosen })
    };
    elf.symbols().chain(elf.dynamic_symbols()).filter_map(symbol).collect()
}

/// The functions that the symbols name.
pub(super) fn functions(mut symbols: Vec<Symbol>) -> Vec<Function> {
    // A global name before a weak one, one without underscores before one with, a short one before a long one.
    symbols.sort_by(|a, b| {
        let rank = |symbol: &Symbol| {
            let name = &symbol.name;
            let underscores = name.len() - name.trim_start_matches('_').len();
            (symbol.address, std::cmp::Reverse(symbol.binding), underscores, name.len())
        };
        rank(a).cmp(&rank(b)).then_with(|| a.name.cmp(&b.name))
    });
    let mut functions: Vec<Function> = Vec::new();
    for Symbol { address, size, name, chosen, .. } in symbols {
        match functions.last_mut().filter(|last| last.address == address) {
            Some(last) => {
                last.size = last.size.max(size);
                last.chosen |= chosen;
                if !last.names.contains(&name) {
                    last.names.push(name);
                }
            }
            None => functions.push(Function { address, size, names: vec![name], chosen }),
        }
    }
    functions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(address: u64, name: &str, binding: Binding) -> Symbol {
        Symbol { address, size: 8, name: name.to_owned(), binding, chosen: false }
    }

    #[test]
    fn a_function_is_known_by_its_best_name() {
        let functions = functions(vec![
            symbol(32, "later", Binding::Local),
            symbol(16, "__libc_malloc", Binding::Global),
            symbol(16, "malloc", Binding::Global),
            symbol(16, "mal", Binding::Weak),
            symbol(16, "malloc", Binding::Global),
        ]);
        assert_eq!(functions.len(), 2);
        assert_eq!(functions[0].names, ["malloc", "__libc_malloc", "mal"]);
        assert_eq!(functions[1].name(), "later");
    }
}
