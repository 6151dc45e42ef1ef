//! Addresses of the kernel's functions and variables by their names, from /proc/kallsyms.
//!
//! Invariant: the file, of several megabytes, is read when the first name is asked for, and once.

use std::fs;
use std::sync::{Arc, OnceLock};

use super::modules::is_kernel;

/// The kernel's symbols by name.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    text: Arc<OnceLock<String>>,
}

/// A symbol that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// Where it lies.
    pub at: u64,
    /// Whether it is code rather than a variable.
    pub code: bool,
}

/// Why there is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The kernel hides it: it shows all addresses as 0.
    Hidden,
    /// The kernel tells of its functions only, and there is none of that name.
    Variables,
    /// There is no such symbol.
    Unknown,
}

/// A line of the file: address, kind, name, module.
type Line<'a> = (u64, &'a str, &'a str, &'a str);

impl Addresses {
    /// Those that the text of a /proc/kallsyms gives: a made-up kernel.
    pub fn parse(text: &str) -> Addresses {
        Addresses { text: Arc::new(OnceLock::from(text.to_owned())) }
    }

    /// Where the symbol of that name is; without a module, the kernel's own is preferred.
    pub fn find(&self, module: Option<&str>, name: &str) -> Result<Address, Missing> {
        let found = self.lines().filter(|line| line.2 == name && in_module(line.3, module));
        let found = found.min_by_key(|line| !line.3.is_empty());
        match found {
            Some((0, ..)) => Err(Missing::Hidden),
            Some((at, kind, ..)) => Ok(Address { at, code: is_code(kind) }),
            None if self.variables() < 1000 && module.is_none_or(is_kernel) => Err(Missing::Variables),
            None => Err(Missing::Unknown),
        }
    }

    /// The functions: module, `vmlinux` for the kernel itself, name and address.
    pub fn functions(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        let code = self.lines().filter(|line| is_code(line.1));
        code.map(|(at, _, name, module)| (if module.is_empty() { "vmlinux" } else { module }, name, at))
    }

    /// Where the functions that `chosen` names begin and end, in ascending order, neighbours joined; the beginning and the end of the
    /// kernel's code come before them. Nothing where the kernel hides its addresses.
    pub fn runs(&self, chosen: impl Fn(&str) -> bool) -> Vec<u64> {
        let code = |line: &Line<'_>| is_code(line.1) && line.0 != 0;
        let mut functions: Vec<(u64, bool)> =
            self.lines().filter(code).map(|line| (line.0, chosen(line.2))).collect();
        functions.sort_unstable();
        let mut runs: Vec<u64> =
            ["_stext", "_etext"].iter().filter_map(|name| Some(self.find(None, name).ok()?.at)).collect();
        let mut inside = false;
        for (at, chosen) in
            functions.chunk_by(|a, b| a.0 == b.0).map(|same| (same[0].0, same.iter().any(|it| it.1)))
        {
            if chosen != inside {
                runs.push(at);
                inside = chosen;
            }
        }
        if runs.len() < 2 { Vec::new() } else { runs }
    }

    /// The bytes from an address to the next symbol.
    pub fn room(&self, at: u64) -> u64 {
        self.lines().filter(|line| line.0 > at).map(|line| line.0 - at).min().unwrap_or(0)
    }

    /// All names, to say which may have been meant.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lines().map(|line| line.2)
    }

    /// How many variables the kernel tells of: a few that it exports in any case, or all of them.
    fn variables(&self) -> usize {
        self.lines().filter(|line| !is_code(line.1)).take(1000).count()
    }

    fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let text = self.text.get_or_init(|| fs::read_to_string("/proc/kallsyms").unwrap_or_default());
        text.lines().filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            let address = u64::from_str_radix(words.next()?, 16).ok()?;
            let (kind, name) = (words.next()?, words.next()?);
            Some((address, kind, name, words.next().map_or("", |module| module.trim_matches(['[', ']']))))
        })
    }
}

fn in_module(of: &str, wanted: Option<&str>) -> bool {
    match wanted {
        None => true,
        Some(wanted) if of.is_empty() => is_kernel(wanted),
        Some(wanted) => of == wanted,
    }
}

/// `T` and `t` are code, `W` and `w` weak code.
fn is_code(kind: &str) -> bool {
    matches!(kind, "T" | "t" | "W" | "w" | "i")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
ffffffff81000110 T do_work
ffffffff81000200 D some_data
ffffffffc0000200 d some_data\t[ext4]
ffffffffc0000040 t ext4_read\t[ext4]
";

    #[test]
    fn names_are_found_in_their_modules() {
        let addresses = Addresses::parse(TEXT);
        let find = |module, name| addresses.find(module, name).map(|found| (found.at, found.code));
        assert_eq!(find(None, "do_work"), Ok((0xffff_ffff_8100_0110, true)));
        assert_eq!(find(None, "some_data"), Ok((0xffff_ffff_8100_0200, false)));
        assert_eq!(find(Some("kernel"), "some_data"), Ok((0xffff_ffff_8100_0200, false)));
        assert_eq!(find(Some("ext4"), "some_data"), Ok((0xffff_ffff_c000_0200, false)));
        assert_eq!(find(Some("ext4"), "do_work"), Err(Missing::Unknown));
        assert_eq!(find(None, "other_data"), Err(Missing::Variables));
        assert_eq!((addresses.room(0xffff_ffff_8100_0110), addresses.room(u64::MAX)), (0xf0, 0));
    }

    #[test]
    fn hidden_addresses_are_none() {
        let addresses = Addresses::parse("0000000000000000 T do_work\n");
        assert_eq!(addresses.find(None, "do_work"), Err(Missing::Hidden));
    }
}
