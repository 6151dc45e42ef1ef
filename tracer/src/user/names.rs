//! What is called how in a file: for addresses that are shown, of code and of data.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use object::{ReadCache, ReadRef};

use super::function::{self, Function};
use super::image::{parse, symbols};
use super::segments::Segments;

/// The names of a file.
#[derive(Debug)]
pub struct Names {
    named: Vec<Function>,
    segments: Segments,
}

impl Names {
    /// Reads them, also from where what was stripped from a file is installed.
    pub fn read(path: &Path) -> io::Result<Names> {
        Names::of(&ReadCache::new(File::open(path)?))
    }

    /// Those of what the kernel maps into each process, `[vdso]`: as it is in this one.
    pub fn vdso() -> io::Result<Names> {
        let maps = fs::read_to_string("/proc/self/maps")?;
        let range = maps.lines().find(|line| line.ends_with("[vdso]")).and_then(|line| {
            let (start, end) = line.split(' ').next()?.split_once('-')?;
            Some((u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?))
        });
        let (start, end) = range.ok_or(io::ErrorKind::NotFound)?;
        let mut bytes = vec![0; (end - start) as usize];
        File::open("/proc/self/mem")?.read_exact_at(&mut bytes, start)?;
        Names::of(&*bytes)
    }

    fn of<'a>(file: impl ReadRef<'a>) -> io::Result<Names> {
        let elf = parse(file)?;
        Ok(Names { named: function::functions(symbols(&elf)), segments: Segments::of(&elf) })
    }

    /// The name of what is at a place in the file, and how far behind its beginning that is.
    pub fn find(&self, place: u64) -> Option<(&str, u64)> {
        // Pages at the end of a segment and at the beginning of the next may be the same in the file: code first.
        [true, false].into_iter().find_map(|executable| {
            let address = self.segments.address(place, executable)?;
            let found = function::at(&self.named, address)?;
            Some((found.name(), address - found.address))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_own_code_has_names() {
        let names = Names::vdso().expect("the kernel maps it");
        let image =
            names.named.iter().find(|function| function.names.iter().any(|name| name.ends_with("gettime")));
        let function = image.expect("it has a clock");
        let place = names.segments.place(function.address + 1, true).expect("it is code");
        assert_eq!(names.find(place), Some((function.name(), 1)));
    }
}
