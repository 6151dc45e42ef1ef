//! What is mapped where in a process, as /proc/PID/maps says.

use std::path::PathBuf;
use std::rc::Rc;

/// A part of a process's memory that is mapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapping {
    pub(super) start: u64,
    pub(super) end: u64,
    /// Where in the file it begins.
    pub(super) offset: u64,
    /// Device (major, minor) and number of the file.
    pub(super) file: FileId,
    /// The file, or what the kernel calls it: `[stack]`, `[vdso]`, nothing.
    pub(super) path: Rc<PathBuf>,
}

/// A file's device and number.
pub(super) type FileId = (u32, u32, u64);

impl Mapping {
    /// Whether a file is mapped.
    pub(super) fn is_file(&self) -> bool {
        self.path.is_absolute() && !self.is_anonymous() && self.file.2 != 0
    }

    /// Whether it is memory of no file, as perf events call it (perf_event_mmap_event in kernel/events/core.c, Linux 6.18).
    fn is_anonymous(&self) -> bool {
        self.path.as_os_str() == "//anon"
    }

    /// Whether it is what the kernel maps into each process.
    pub(super) fn is_vdso(&self) -> bool {
        self.path.as_os_str() == "[vdso]"
    }

    /// Its name as dtrace shows modules: without directories.
    pub(super) fn name(&self) -> Option<String> {
        let name = self.path.file_name().filter(|_| !self.is_anonymous())?.to_string_lossy();
        let name = name.strip_suffix(" (deleted)").unwrap_or(&name);
        (!name.is_empty()).then(|| name.to_owned())
    }
}

/// The mappings of a process, by address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Mappings(Vec<Mapping>);

impl Mappings {
    /// Takes the text of /proc/PID/maps.
    pub(super) fn parse(text: &str) -> Mappings {
        let mut mappings: Vec<Mapping> = text.lines().filter_map(parse_line).collect();
        mappings.sort_by_key(|mapping| mapping.start);
        Mappings(mappings)
    }

    /// The mapping of an address.
    pub(super) fn find(&self, address: u64) -> Option<&Mapping> {
        let after = self.0.partition_point(|mapping| mapping.start <= address);
        self.0[..after].last().filter(|mapping| address < mapping.end)
    }

    /// Adds a mapping in the place of what it covers.
    pub(super) fn add(&mut self, new: Mapping) {
        let mut kept = Vec::with_capacity(self.0.len() + 2);
        for old in self.0.drain(..) {
            if old.start < new.start {
                kept.push(Mapping { end: old.end.min(new.start), ..old.clone() });
            }
            if old.end > new.end {
                let start = old.start.max(new.end);
                kept.push(Mapping { start, offset: old.offset + (start - old.start), ..old });
            }
        }
        kept.push(new);
        kept.sort_by_key(|mapping| mapping.start);
        self.0 = kept;
    }
}

/// `start-end perms offset major:minor inode path`
fn parse_line(line: &str) -> Option<Mapping> {
    let mut rest = line;
    let mut word = || {
        let trimmed = rest.trim_start_matches(' ');
        let end = trimmed.find(' ').unwrap_or(trimmed.len());
        let (word, after) = trimmed.split_at(end);
        rest = after;
        word
    };
    let hex = |text: &str| u64::from_str_radix(text, 16).ok();
    let (start, end) = word().split_once('-')?;
    let (start, end) = (hex(start)?, hex(end)?);
    let _permissions = word();
    let offset = hex(word())?;
    let (major, minor) = word().split_once(':')?;
    let file = (hex(major)? as u32, hex(minor)? as u32, word().parse().ok()?);
    Some(Mapping { start, end, offset, file, path: Rc::new(PathBuf::from(rest.trim_start_matches(' '))) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
55d0c0000000-55d0c0004000 r--p 00000000 08:01 1234                       /usr/bin/a name
55d0c0004000-55d0c0008000 r-xp 00004000 08:01 1234                       /usr/bin/a name
7f0000000000-7f0000001000 rw-p 00000000 00:00 0
7f0000002000-7f0000003000 r-xp 00001000 08:01 99                         /lib/gone.so (deleted)
7ffd00000000-7ffd00001000 r-xp 00000000 00:00 0                          [vdso]
";

    #[test]
    fn an_address_is_in_one_mapping_or_none() {
        let maps = Mappings::parse(TEXT);
        let name = |address| maps.find(address).and_then(Mapping::name);
        assert_eq!(name(0x55d0_c000_4010).as_deref(), Some("a name"));
        assert_eq!(name(0x7f00_0000_2000).as_deref(), Some("gone.so"));
        assert_eq!(name(0x7ffd_0000_0fff).as_deref(), Some("[vdso]"));
        assert_eq!((name(0x7f00_0000_0000), name(0x7f00_0000_1800), name(0)), (None, None, None));
        let code = maps.find(0x55d0_c000_4010).unwrap();
        assert!(code.is_file() && code.offset == 0x4000 && code.file == (8, 1, 1234));
        assert!(!maps.find(0x7ffd_0000_0000).unwrap().is_file());
    }

    #[test]
    fn a_new_mapping_takes_the_place_of_what_it_covers() {
        let mut maps = Mappings::parse("1000-5000 r-xp 00000000 08:01 7 /bin/a\n");
        let path = Rc::new(PathBuf::from("/bin/b"));
        maps.add(Mapping { start: 0x2000, end: 0x3000, offset: 0, file: (8, 1, 8), path });
        let at = |address: u64| {
            let mapping = maps.find(address).unwrap();
            (mapping.name().unwrap(), address - mapping.start + mapping.offset)
        };
        assert_eq!(at(0x1fff), ("a".to_owned(), 0xfff));
        assert_eq!(at(0x2000), ("b".to_owned(), 0));
        assert_eq!(at(0x3004), ("a".to_owned(), 0x2004));
    }
}
