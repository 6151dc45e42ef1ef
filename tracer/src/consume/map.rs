//! The maps and programs of a session, by name, and access to maps whose key and value sizes are known at run time only.
//!
//! A per-CPU value comes as one value a possible CPU, each padded to 8 bytes.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};

use aya::maps::Map;

use crate::kernel::sys::{
    MAP_DELETE_ELEM, MAP_LOOKUP_AND_DELETE_ELEM, MAP_LOOKUP_BATCH, MAP_LOOKUP_ELEM, MAP_UPDATE_ELEM, bpf,
};

/// The maps and programs of a session.
#[derive(Debug)]
pub struct Objects {
    maps: HashMap<String, Map>,
    programs: HashMap<String, OwnedFd>,
    /// What programs are attached by, with their symbols.
    links: Vec<(String, OwnedFd)>,
}

impl Objects {
    /// By names and symbols.
    pub fn new(maps: HashMap<String, Map>, programs: HashMap<String, OwnedFd>) -> Objects {
        Objects { maps, programs, links: Vec::new() }
    }

    /// The map of that name.
    pub fn get(&self, name: &str) -> Option<&Map> {
        self.maps.get(name)
    }

    /// The map of that name, to be written to.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Map> {
        self.maps.get_mut(name)
    }

    /// Takes the map of that name out.
    pub fn take(&mut self, name: &str) -> Option<Map> {
        self.maps.remove(name)
    }

    /// The program of that symbol.
    pub fn program(&self, symbol: &str) -> Option<BorrowedFd<'_>> {
        self.programs.get(symbol).map(OwnedFd::as_fd)
    }

    /// Keeps what a program is attached by.
    pub fn hold(&mut self, symbol: &str, links: Vec<OwnedFd>) {
        self.links.extend(links.into_iter().map(|link| (symbol.to_owned(), link)));
    }

    /// What programs are attached by, with their symbols.
    pub fn links(&self) -> impl Iterator<Item = (&str, BorrowedFd<'_>)> {
        self.links.iter().map(|(symbol, link)| (symbol.as_str(), link.as_fd()))
    }

    /// All programs, with their symbols.
    pub fn programs(&self) -> impl Iterator<Item = (&str, BorrowedFd<'_>)> {
        self.programs.iter().map(|(symbol, program)| (symbol.as_str(), program.as_fd()))
    }
}

/// The descriptor of a map of one of the kinds that sessions have.
pub fn descriptor(map: &Map) -> Option<BorrowedFd<'_>> {
    let data = match map {
        Map::Array(data)
        | Map::PerCpuArray(data)
        | Map::HashMap(data)
        | Map::LruHashMap(data)
        | Map::PerCpuHashMap(data)
        | Map::ProgramArray(data)
        | Map::RingBuf(data) => data,
        _ => return None,
    };
    Some(data.fd().as_fd())
}

/// The part of union bpf_attr for commands on one element.
#[repr(C)]
#[derive(Default)]
struct ElementAttr {
    map: u32,
    pad: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// The part of union bpf_attr for commands on many elements.
#[repr(C)]
#[derive(Default)]
struct BatchAttr {
    in_batch: u64,
    out_batch: u64,
    keys: u64,
    values: u64,
    count: u32,
    map: u32,
    element_flags: u64,
    flags: u64,
}

/// The value of a key: `size` bytes, of a per-CPU map all CPUs' together. `None` where there is none.
pub fn lookup(map: BorrowedFd<'_>, key: &[u8], size: usize) -> io::Result<Option<Vec<u8>>> {
    read(MAP_LOOKUP_ELEM, map, key, size)
}

/// Takes a key out of a hash and gives the value that it had.
pub fn remove(map: BorrowedFd<'_>, key: &[u8], size: usize) -> io::Result<Option<Vec<u8>>> {
    read(MAP_LOOKUP_AND_DELETE_ELEM, map, key, size)
}

fn read(command: libc::c_long, map: BorrowedFd<'_>, key: &[u8], size: usize) -> io::Result<Option<Vec<u8>>> {
    let mut value = vec![0; size];
    let mut attr = ElementAttr {
        map: map.as_raw_fd() as u32,
        key: key.as_ptr() as u64,
        value: value.as_mut_ptr() as u64,
        ..ElementAttr::default()
    };
    match bpf(command, &mut attr) {
        Ok(_) => Ok(Some(value)),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Sets the value of a key.
pub fn update(map: BorrowedFd<'_>, key: &[u8], value: &[u8]) -> io::Result<()> {
    let mut attr = ElementAttr {
        map: map.as_raw_fd() as u32,
        key: key.as_ptr() as u64,
        value: value.as_ptr() as u64,
        ..ElementAttr::default()
    };
    bpf(MAP_UPDATE_ELEM, &mut attr).map(drop)
}

/// Removes a key; one that is gone already is no error.
pub fn delete(map: BorrowedFd<'_>, key: &[u8]) -> io::Result<()> {
    let mut attr =
        ElementAttr { map: map.as_raw_fd() as u32, key: key.as_ptr() as u64, ..ElementAttr::default() };
    match bpf(MAP_DELETE_ELEM, &mut attr) {
        Err(error) if error.raw_os_error() != Some(libc::ENOENT) => Err(error),
        _ => Ok(()),
    }
}

/// All keys and values of a hash, read in batches. Keys that come or go meanwhile may or may not be there.
pub fn entries(
    map: BorrowedFd<'_>,
    key_size: usize,
    value_size: usize,
) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut found = Vec::new();
    // The kernel's cursor is a u32 bucket number, whatever the key.
    let mut cursor = [0_u8; 8];
    let mut started = false;
    let mut room = 1024_usize;
    loop {
        let mut keys = vec![0_u8; room * key_size];
        let mut values = vec![0_u8; room * value_size];
        let mut next = cursor;
        let mut attr = BatchAttr {
            in_batch: if started { cursor.as_ptr() as u64 } else { 0 },
            out_batch: next.as_mut_ptr() as u64,
            keys: keys.as_mut_ptr() as u64,
            values: values.as_mut_ptr() as u64,
            count: room as u32,
            map: map.as_raw_fd() as u32,
            ..BatchAttr::default()
        };
        let outcome = bpf(MAP_LOOKUP_BATCH, &mut attr);
        let last = match outcome {
            Ok(_) => false,
            Err(error) => match error.raw_os_error() {
                Some(libc::ENOENT) => true,
                // One bucket alone holds more than there is room for.
                Some(libc::ENOSPC) if room < 1 << 24 => {
                    room *= 2;
                    continue;
                }
                Some(libc::EINTR) => continue,
                _ => return Err(error),
            },
        };
        let count = attr.count as usize;
        let pairs = keys.chunks_exact(key_size).zip(values.chunks_exact(value_size)).take(count);
        found.extend(pairs.map(|(key, value)| (key.to_vec(), value.to_vec())));
        if last {
            return Ok(found);
        }
        cursor = next;
        started = true;
    }
}
