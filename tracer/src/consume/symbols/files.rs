//! Symbols of files: executables and libraries, and what virtual machines write about the code that they make.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::maps::{FileId, Mapping};
use crate::user::Names;

/// A symbol and how far behind its beginning an address lies.
pub(super) type Named = (String, u64);

/// The files that were looked at.
#[derive(Default)]
pub(super) struct Files {
    /// The names of each file; none where it cannot be read.
    read: RefCell<HashMap<FileId, Option<Names>>>,
    /// Names found before, by file and place in it.
    known: RefCell<HashMap<(FileId, u64), Option<Named>>>,
}

/// What the kernel maps into each process, which is of no file.
const VDSO: FileId = (0, 0, 0);

impl Files {
    /// The symbol of an address in a mapped file.
    pub(super) fn find(&self, pid: u32, mapping: &Mapping, address: u64) -> Option<Named> {
        let offset = address - mapping.start + mapping.offset;
        self.named(mapping.file, offset, || {
            ways(pid, mapping)
                .find(|path| is_same(path, mapping.file))
                .and_then(|path| Names::read(&path).ok())
        })
    }

    /// The symbol of a place in what the kernel maps into each process.
    pub(super) fn in_vdso(&self, place: u64) -> Option<Named> {
        self.named(VDSO, place, || Names::vdso().ok())
    }

    fn named(&self, file: FileId, place: u64, read: impl FnOnce() -> Option<Names>) -> Option<Named> {
        let mut known = self.known.borrow_mut();
        let named = known.entry((file, place)).or_insert_with(|| {
            let mut files = self.read.borrow_mut();
            let (name, offset) = files.entry(file).or_insert_with(read).as_ref()?.find(place)?;
            Some((readable(name), offset))
        });
        named.clone()
    }
}

/// The paths by which a mapped file can perhaps be opened: its own, that in the process's root, that of the mapping.
fn ways(pid: u32, mapping: &Mapping) -> impl Iterator<Item = PathBuf> {
    let own = mapping.path.as_path().to_owned();
    let proc = Path::new("/proc").join(pid.to_string());
    let inside = proc.join("root").join(own.strip_prefix("/").unwrap_or(&own));
    let mapped = proc.join("map_files").join(format!("{:x}-{:x}", mapping.start, mapping.end));
    [own, inside, mapped].into_iter()
}

/// A name as it stands in the program's text, where compilers of C++ and Rust have made another of it.
fn readable(name: &str) -> String {
    if let Ok(rust) = rustc_demangle::try_demangle(name) {
        return format!("{rust:#}");
    }
    let cpp = cpp_demangle::Symbol::new(name).ok().and_then(|symbol| symbol.demangle().ok());
    cpp.unwrap_or_else(|| name.to_owned())
}

/// Whether the path leads to that file. Some file systems (overlayfs, btrfs) show another device in mappings than stat(2)
/// does: the number decides.
fn is_same(path: &Path, (_, _, number): FileId) -> bool {
    fs::metadata(path).is_ok_and(|file| file.ino() == number)
}

/// What a virtual machine says in /tmp/perf-PID.map about the code that it makes: start, size, name.
#[derive(Debug, Default)]
pub(super) struct Made(Vec<(u64, u64, String)>);

impl Made {
    /// What the process has written so far.
    pub(super) fn read(pid: u32) -> Made {
        let inside = format!("/proc/{pid}/root/tmp/perf-{pid}.map");
        let text = fs::read_to_string(inside).or_else(|_| fs::read_to_string(format!("/tmp/perf-{pid}.map")));
        Made::parse(&text.unwrap_or_default())
    }

    fn parse(text: &str) -> Made {
        let hex = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok();
        let line = |line: &str| {
            let mut words = line.splitn(3, ' ');
            Some((hex(words.next()?)?, hex(words.next()?)?, words.next()?.to_owned()))
        };
        let mut made: Vec<_> = text.lines().filter_map(line).collect();
        made.sort_by_key(|(start, ..)| *start);
        Made(made)
    }

    /// The function that was made there.
    pub(super) fn find(&self, address: u64) -> Option<Named> {
        let after = self.0.partition_point(|(start, ..)| *start <= address);
        let (start, size, name) = self.0[..after].last()?;
        (address - start < *size).then(|| (name.clone(), address - start))
    }
}

#[cfg(test)]
mod tests {
    use super::Made;

    #[test]
    fn code_that_was_made_has_its_names() {
        let made = Made::parse("7f00 10 LazyCompile:*run /a.js:3\n0x8000 20 stub\nnonsense\n");
        assert_eq!(made.find(0x7f0f), Some(("LazyCompile:*run /a.js:3".to_owned(), 0xf)));
        assert_eq!(made.find(0x8000), Some(("stub".to_owned(), 0)));
        assert_eq!((made.find(0x7f10), made.find(0)), (None, None));
    }
}
