//! What processes map, as it happens: the kernel's own record of programs started, files mapped as code, forks and ends,
//! which a profiler reads (perf_event_open(2): PERF_RECORD_MMAP2, COMM, FORK, EXIT).
//!
//! One ring for each CPU; what is read comes in the order of time.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use super::sys;

/// Pages of each ring's data.
const PAGES: usize = 64;

/// Something that a process did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When, nanoseconds of the monotonic clock.
    pub time: u64,
    /// The process.
    pub pid: u32,
    /// What.
    pub what: What,
}

/// What a process did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It began to run another program.
    Exec,
    /// It mapped a file as code.
    Mapped {
        /// The first address.
        start: u64,
        /// One past the last.
        end: u64,
        /// Where in the file that is.
        offset: u64,
        /// Device (major, minor) and number of the file.
        file: (u32, u32, u64),
        /// The file, or what the kernel calls it.
        path: PathBuf,
    },
    /// It was made by another.
    Forked {
        /// The other.
        parent: u32,
    },
    /// It ended.
    Ended,
}

/// The rings.
pub struct Changes {
    rings: Vec<Ring>,
}

struct Ring {
    memory: NonNull<libc::c_void>,
    size: usize,
    page: usize,
    _event: OwnedFd,
}

impl Changes {
    /// Begins to listen on all CPUs that are online.
    pub fn open() -> io::Result<Changes> {
        // SAFETY: sysconf(3) only reads its argument.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
        let cpus = aya::util::online_cpus().map_err(|(_, error)| error)?;
        let rings = cpus.into_iter().map(|cpu| Ring::open(cpu, page)).collect::<io::Result<_>>()?;
        Ok(Changes { rings })
    }

    /// What has happened since the last call, in the order of time.
    pub fn read(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        for ring in &mut self.rings {
            ring.read(|record| changes.extend(decode(record)));
        }
        changes.sort_by_key(|change| change.time);
        changes
    }
}

impl Ring {
    fn open(cpu: u32, page: usize) -> io::Result<Ring> {
        let event = sys::open_mappings(cpu)?;
        let size = (1 + PAGES) * page;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping of an open descriptor, at an address that the kernel chooses.
        let memory =
            unsafe { libc::mmap(std::ptr::null_mut(), size, access, libc::MAP_SHARED, event.as_raw_fd(), 0) };
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let memory = NonNull::new(memory).ok_or_else(|| io::Error::other("a ring at address 0"))?;
        Ok(Ring { memory, size, page, _event: event })
    }

    /// Hands out each record that waits, its header included.
    fn read(&mut self, mut each: impl FnMut(&[u8])) {
        // struct perf_event_mmap_page: data_head, data_tail.
        let (head, tail) = (self.word(1024), self.word(1032));
        let (end, mut at) = (head.load(Ordering::Acquire), tail.load(Ordering::Relaxed));
        while at < end {
            let header = self.bytes(at, 8);
            let length = u64::from(u16::from_le_bytes([header[6], header[7]]));
            if length < 8 {
                break;
            }
            each(&self.bytes(at, length as usize));
            at += length;
        }
        tail.store(end, Ordering::Release);
    }

    fn word(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: an aligned word of the first page, which lives as long as the ring and which the kernel shares.
        unsafe { self.memory.byte_add(offset).cast::<AtomicU64>().as_ref() }
    }

    /// A copy of bytes of the data, which begins behind the first page and goes round.
    fn bytes(&self, at: u64, length: usize) -> Vec<u8> {
        let data = PAGES * self.page;
        let byte = |index: usize| {
            let offset = self.page + (at as usize + index) % data;
            // SAFETY: inside the mapping; the kernel does not write here before the tail has moved.
            unsafe { self.memory.byte_add(offset).cast::<u8>().read() }
        };
        (0..length).map(byte).collect()
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and nothing refers to it any more.
        unsafe { libc::munmap(self.memory.as_ptr(), self.size) };
    }
}

/// linux/perf_event.h, enum perf_event_type.
const COMM: u32 = 3;
const EXIT: u32 = 4;
const FORK: u32 = 7;
const MMAP2: u32 = 10;
/// PERF_RECORD_MISC_COMM_EXEC
const MISC_EXEC: u16 = 1 << 13;

/// A record: its header (type, misc, size), its body, and at its end the time (sample_id_all with PERF_SAMPLE_TIME).
fn decode(record: &[u8]) -> Option<Change> {
    let u32_at = |at: usize| Some(u32::from_le_bytes(record.get(at..at + 4)?.try_into().ok()?));
    let u64_at = |at: usize| Some(u64::from_le_bytes(record.get(at..at + 8)?.try_into().ok()?));
    let time = u64_at(record.len().checked_sub(8)?)?;
    let misc = u16::from_le_bytes([*record.get(4)?, *record.get(5)?]);
    let (pid, second) = (u32_at(8)?, u32_at(12)?);
    let what = match u32_at(0)? {
        COMM if misc & MISC_EXEC != 0 => What::Exec,
        // pid, parent, thread, parent's thread: a thread shares its process's memory.
        FORK if pid != second => What::Forked { parent: second },
        EXIT if pid == u32_at(16)? => What::Ended,
        MMAP2 => {
            let start = u64_at(16)?;
            let path = record.get(72..record.len() - 8)?;
            let end = path.iter().position(|&byte| byte == 0).unwrap_or(path.len());
            What::Mapped {
                start,
                end: start.checked_add(u64_at(24)?)?,
                offset: u64_at(32)?,
                file: (u32_at(40)?, u32_at(44)?, u64_at(48)?),
                path: PathBuf::from(OsString::from_vec(path[..end].to_vec())),
            }
        }
        _ => return None,
    };
    Some(Change { time, pid, what })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u32, misc: u16, body: &[u8], time: u64) -> Vec<u8> {
        let mut record = kind.to_le_bytes().to_vec();
        record.extend(misc.to_le_bytes());
        record.extend((16 + body.len() as u16).to_le_bytes());
        record.extend(body);
        record.extend(time.to_le_bytes());
        record
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn records_are_taken_apart() {
        let mut body = words(&[7, 8, 0x1000, 0, 0x2000, 0, 0x500, 0, 8, 1, 42, 0, 0, 0, 5, 2]);
        body.extend(b"/bin/a\0\0");
        let mapped = decode(&record(MMAP2, 2, &body, 99)).unwrap();
        let path = PathBuf::from("/bin/a");
        let what = What::Mapped { start: 0x1000, end: 0x3000, offset: 0x500, file: (8, 1, 42), path };
        assert_eq!(mapped, Change { time: 99, pid: 7, what });
        let what =
            |kind, misc, body: &[u32]| decode(&record(kind, misc, &words(body), 1)).map(|change| change.what);
        assert_eq!(what(COMM, MISC_EXEC, &[7, 7, 0x61, 0]), Some(What::Exec));
        assert_eq!(what(COMM, 0, &[7, 7, 0x61, 0]), None);
        assert_eq!(what(FORK, 0, &[9, 7, 9, 7, 0, 0]), Some(What::Forked { parent: 7 }));
        assert_eq!(what(FORK, 0, &[7, 7, 9, 7, 0, 0]), None);
        assert_eq!(what(EXIT, 0, &[7, 1, 7, 1, 0, 0]), Some(What::Ended));
        assert_eq!(what(EXIT, 0, &[7, 1, 8, 1, 0, 0]), None);
        assert_eq!(decode(&[]), None);
    }
}
