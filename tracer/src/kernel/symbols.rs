//! The kernel's symbols, from /proc/kallsyms: its own, those of its modules, and of eBPF programs.
//!
//! Invariant: sorted by address, one symbol an address. Where addresses are hidden (kernel.kptr_restrict) there are none.

use std::fs;
use std::io::{self, Read as _};

/// The module of what belongs to none.
const KERNEL: &str = "vmlinux";
/// Symbols below this belong to no code: per-CPU data have small addresses.
const LOWEST: u64 = 1 << 63;
/// What lies further behind the last symbol of its module than this is in no function.
const FARTHEST: u64 = 1 << 20;

/// The kernel's symbols.
#[derive(Debug, Default)]
pub struct Symbols {
    text: String,
    sorted: Vec<Entry>,
}

/// Whether the kernel hides the addresses of its symbols from us (kernel.kptr_restrict).
pub fn are_hidden() -> bool {
    let mut head = [0; 1 << 16];
    let read = fs::File::open("/proc/kallsyms").and_then(|mut file| file.read(&mut head));
    let text = String::from_utf8_lossy(&head[..read.unwrap_or(0)]).into_owned();
    // The first may be those of each CPU, whose addresses are small; the last line may be cut.
    let address = |line: &str| u64::from_str_radix(line.split(' ').next()?, 16).ok();
    !text.lines().any(|line| address(line).is_some_and(|address| address != 0))
}

/// A symbol, its names as places in the text.
#[derive(Debug, Clone, Copy)]
struct Entry {
    address: u64,
    name: (u32, u32),
    module: (u32, u32),
    /// Of several at one address, the one with the highest rank is kept.
    rank: u8,
}

/// A symbol that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its module; `vmlinux` for the kernel itself.
    pub module: &'a str,
    /// Where it begins.
    pub start: u64,
}

impl Symbols {
    /// Reads those of the running kernel.
    pub fn read() -> io::Result<Symbols> {
        fs::read_to_string("/proc/kallsyms").map(Symbols::parse)
    }

    /// Takes the text of /proc/kallsyms: address, kind, name, and the module in brackets.
    pub fn parse(text: String) -> Symbols {
        let place = |part: &str| {
            let start = part.as_ptr() as usize - text.as_ptr() as usize;
            (start as u32, (start + part.len()) as u32)
        };
        let entry = |line: &str| {
            let mut words = line.split_ascii_whitespace();
            let address = u64::from_str_radix(words.next()?, 16).ok().filter(|&address| address >= LOWEST)?;
            let (kind, name) = (words.next()?, words.next()?);
            let module = words.next().map_or((0, 0), |module| place(module.trim_matches(['[', ']'])));
            // Padding before functions, and names that only linkers care for.
            if name.starts_with("__pfx_") || name.starts_with("__cfi_") || name.starts_with('$') {
                return None;
            }
            let rank = u8::from(matches!(kind, "T" | "t" | "W" | "w")) * 2
                + u8::from(kind.starts_with(|kind: char| kind.is_ascii_uppercase()));
            Some(Entry { address, name: place(name), module, rank })
        };
        let mut sorted: Vec<Entry> = text.lines().filter_map(entry).collect();
        sorted.sort_by_key(|entry| (entry.address, std::cmp::Reverse(entry.rank)));
        sorted.dedup_by_key(|entry| entry.address);
        Symbols { text, sorted }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// The symbol that an address belongs to.
    pub fn find(&self, address: u64) -> Option<Found<'_>> {
        let after = self.sorted.partition_point(|entry| entry.address <= address);
        let entry = self.sorted.get(after.checked_sub(1)?)?;
        let next = self.sorted.get(after);
        // Behind the last symbol of a module begins another's memory, or nobody's.
        let last = next.is_none_or(|next| self.part(next.module) != self.part(entry.module));
        if last && address - entry.address > FARTHEST {
            return None;
        }
        let module = self.part(entry.module);
        let module = if module.is_empty() { KERNEL } else { module };
        Some(Found { name: self.part(entry.name), module, start: entry.address })
    }

    fn part(&self, (start, end): (u32, u32)) -> &str {
        &self.text[start as usize..end as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
0000000000000000 A fixed_percpu_data
ffffffff81000000 T _stext
ffffffff81000000 t startup_64
ffffffff81000100 T __pfx_do_work
ffffffff81000110 T do_work
ffffffff81000200 d some_data
ffffffffc0000000 t ext4_init\t[ext4]
ffffffffc0000040 t ext4_read\t[ext4]
ffffffffc0100000 t bpf_prog_6deef7357e7b4530_clause_1\t[bpf]
";

    #[test]
    fn an_address_belongs_to_the_symbol_before_it() {
        let symbols = Symbols::parse(TEXT.to_owned());
        let find =
            |address| symbols.find(address).map(|found| (found.name, found.module, address - found.start));
        assert_eq!(find(0xffff_ffff_8100_0110), Some(("do_work", "vmlinux", 0)));
        assert_eq!(find(0xffff_ffff_8100_011f), Some(("do_work", "vmlinux", 0xf)));
        assert_eq!(find(0xffff_ffff_8100_0000), Some(("_stext", "vmlinux", 0)));
        assert_eq!(find(0xffff_ffff_c000_0050), Some(("ext4_read", "ext4", 0x10)));
        assert_eq!(find(0xffff_ffff_c010_0001).map(|found| found.1), Some("bpf"));
        assert_eq!(find(0x1000), None);
        assert_eq!(find(0xffff_ffff_b000_0000), None);
        assert_eq!(find(u64::MAX), None);
    }

    #[test]
    fn hidden_addresses_are_no_symbols() {
        assert!(
            Symbols::parse("0000000000000000 T _stext\n0000000000000000 T do_work\n".to_owned()).is_empty()
        );
        assert!(Symbols::default().find(1 << 63).is_none());
    }
}
