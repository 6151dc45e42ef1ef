//! The functions of a file, by its symbols.
//!
//! Invariant: a function has one address and its names, that by which DTrace knows it first; functions are sorted by address.

use object::elf::{STB_LOCAL, STT_FUNC, STT_GNU_IFUNC, STT_OBJECT};
use object::read::elf::{ElfFile64, ElfSymbol64};
use object::{Endianness, Object as _, ObjectSymbol as _, ReadRef, SymbolFlags};

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its address in the file.
    pub address: u64,
    /// Its length in bytes; 0 where the symbol does not tell.
    pub size: u64,
    /// Its names, that by which it is known first.
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

/// A symbol of a function, or of data.
pub(super) struct Symbol {
    pub(super) data: bool,
    address: u64,
    size: u64,
    name: String,
    local: bool,
    chosen: bool,
}

/// The symbols of functions and of data that are defined in the file: of both of its tables.
pub(super) fn symbols<'a, R: ReadRef<'a>>(elf: &ElfFile64<'a, Endianness, R>) -> Vec<Symbol> {
    let symbol = |symbol: ElfSymbol64<'a, '_, Endianness, R>| {
        let SymbolFlags::Elf { st_info, .. } = symbol.flags() else { return None };
        let (chosen, data) = (st_info & 0xf == STT_GNU_IFUNC, st_info & 0xf == STT_OBJECT);
        if !(st_info & 0xf == STT_FUNC || chosen || data) || symbol.is_undefined() || symbol.address() == 0 {
            return None;
        }
        let local = st_info >> 4 == STB_LOCAL;
        // `memcpy@@GLIBC_2.14`, in the table that is not for the dynamic linker.
        let name = symbol.name().ok()?.split('@').next()?.to_owned();
        let known = !name.is_empty();
        known.then_some(Symbol { data, address: symbol.address(), size: symbol.size(), name, local, chosen })
    };
    elf.symbols().chain(elf.dynamic_symbols()).filter_map(symbol).collect()
}

/// What the symbols name.
pub(super) fn functions(mut symbols: Vec<Symbol>) -> Vec<Function> {
    symbols.sort_by(|a, b| rank(a).cmp(&rank(b)));
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

/// Which of them an address is in.
pub(super) fn at(functions: &[Function], address: u64) -> Option<&Function> {
    let after = functions.partition_point(|function| function.address <= address);
    let function = functions.get(after.checked_sub(1)?)?;
    (address - function.address < function.size.max(1)).then_some(function)
}

/// What sorts symbols: by their addresses, and of one address as DTrace does. Data come last, then a local name, then one that a compiler
/// has made (`$a`), then those with more underscores before them, then those of more bytes, then those later in the alphabet.
fn rank(symbol: &Symbol) -> impl Ord + '_ {
    let name = symbol.name.trim_start_matches('_');
    let underscores = symbol.name.len() - name.len();
    (symbol.address, symbol.data, symbol.local, name.starts_with('$'), underscores, symbol.size, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(address: u64, name: &str, local: bool) -> Symbol {
        Symbol { data: false, address, size: 8, name: name.to_owned(), local, chosen: false }
    }

    #[test]
    fn a_function_is_known_by_the_name_that_dtrace_takes() {
        let functions = functions(vec![
            symbol(32, "later", true),
            symbol(16, "__open", false),
            symbol(16, "open64", false),
            symbol(16, "inner", true),
            symbol(16, "open", false),
            symbol(16, "open64", false),
        ]);
        assert_eq!(functions.len(), 2);
        assert_eq!(functions[0].names, ["open", "open64", "__open", "inner"]);
        assert_eq!(functions[1].name(), "later");
    }
}
