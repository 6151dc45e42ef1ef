//! The files that a process has mapped as code: its program and its libraries, as /proc/PID/maps (proc(5)) shows them.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

/// By what DTrace lets the program of a process be named, besides by its file.
pub const PROGRAM: &str = "a.out";

/// A file that a process has mapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// What it is called without a version: `a.out` for the program, else as its file.
    pub name: String,
    /// The file's name without its directories.
    pub file_name: String,
    /// Where it is opened: also where the process has another root, or the file has been removed.
    pub file: PathBuf,
    /// Where in memory it begins, and the place in the file that is there.
    pub mapped: (u64, u64),
}

impl Module {
    /// Whether somebody who writes `name` means it: `libc`, `libc.so` and `libc.so.6` are one, as they are for DTrace.
    pub fn is_called(&self, name: &str) -> bool {
        let begins = |whole: &str| whole.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        let stem = || self.file_name.split_once(".so").map_or(self.file_name.as_str(), |(stem, _)| stem);
        [&self.name, &self.file_name].contains(&&name.to_owned())
            || begins(&self.file_name) && self.file_name.contains(".so")
            || stem().split_once('-').is_some_and(|(stem, _)| stem == name)
    }
}

/// The files that a process has mapped as code, the program first.
pub fn modules(process: u32) -> io::Result<Vec<Module>> {
    let directory = Path::new("/proc").join(process.to_string());
    let maps = std::fs::read(directory.join("maps"))?;
    let program = std::fs::read_link(directory.join("exe")).ok();
    let mut modules = parse(&String::from_utf8_lossy(&maps), &directory, program.as_deref());
    modules.sort_by_key(|module| module.name != PROGRAM);
    Ok(modules)
}

fn parse(maps: &str, directory: &Path, program: Option<&Path>) -> Vec<Module> {
    let mut seen = HashSet::new();
    let module = |line: &str| {
        let (range, rest) = line.split_once(' ')?;
        let (rights, rest) = rest.split_once(' ')?;
        let (offset, rest) = rest.split_once(' ')?;
        let (device, rest) = rest.split_once(' ')?;
        let (inode, path) = rest.split_once(' ')?;
        let path = path.trim_start();
        if !rights.contains('x')
            || !path.starts_with('/')
            || !seen.insert((device.to_owned(), inode.to_owned()))
        {
            return None;
        }
        let is_program = program.is_some_and(|program| program == Path::new(path));
        let plain = path.strip_suffix(" (deleted)").unwrap_or(path);
        let file_name = plain.rsplit('/').next()?.to_owned();
        let start = u64::from_str_radix(range.split_once('-')?.0, 16).ok()?;
        Some(Module {
            name: if is_program { PROGRAM.to_owned() } else { file_name.clone() },
            file_name,
            file: openable(directory, range, plain),
            mapped: (start, u64::from_str_radix(offset, 16).ok()?),
        })
    };
    maps.lines().filter_map(module).collect()
}

/// What leads to a mapped file: the mapping itself for those who may follow it, else its path.
fn openable(directory: &Path, range: &str, path: &str) -> PathBuf {
    let mapping = directory.join("map_files").join(range);
    if mapping.metadata().is_ok() {
        return mapping;
    }
    let rooted = directory.join("root").join(path.trim_start_matches('/'));
    if rooted.exists() { rooted } else { path.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
55d0c0000000-55d0c0001000 r--p 00000000 08:01 11 /usr/bin/cat
55d0c0001000-55d0c0006000 r-xp 00001000 08:01 11 /usr/bin/cat
55d0c1000000-55d0c1021000 rw-p 00000000 00:00 0 [heap]
7f0000028000-7f000017d000 r-xp 00026000 08:01 12 /usr/lib/libc.so.6
7f000018d000-7f000018e000 r-xp 00000000 08:01 13 /tmp/lib with blank.so (deleted)
7f000019d000-7f000019e000 r-xp 00000000 00:00 0 [vdso]
";

    #[test]
    fn files_mapped_as_code_are_modules() {
        let modules = parse(MAPS, Path::new("/nowhere"), Some(Path::new("/usr/bin/cat")));
        let names: Vec<&str> = modules.iter().map(|module| module.name.as_str()).collect();
        assert_eq!(names, ["a.out", "libc.so.6", "lib with blank.so"]);
        assert_eq!(modules[0].file_name, "cat");
        assert_eq!(modules[0].mapped, (0x55d0_c000_1000, 0x1000));
        assert_eq!(modules[1].file, Path::new("/usr/lib/libc.so.6"));
    }

    #[test]
    fn a_library_has_shorter_names() {
        let module = |file_name: &str| Module {
            name: file_name.to_owned(),
            file_name: file_name.to_owned(),
            file: PathBuf::new(),
            mapped: (0, 0),
        };
        let libc = module("libc.so.6");
        assert!(["libc", "libc.so", "libc.so.6"].into_iter().all(|name| libc.is_called(name)));
        assert!(
            ["lib", "libc.so.", "libc.so.7", "c", "libcrypto"].into_iter().all(|name| !libc.is_called(name))
        );
        assert!(module("ld-linux-x86-64.so.2").is_called("ld-linux-x86-64"));
        assert!(module("libpthread-2.31.so").is_called("libpthread"));
        assert!(!module("python3.11").is_called("python3"));
    }
}
