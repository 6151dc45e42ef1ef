//! The bytes of a BTF blob: owned, or a mapping of the kernel's own copy.
//!
//! A read of /sys/kernel/btf/vmlinux goes through the kernel a page at a time (1,300 calls for 5.5 MB); since Linux
//! 6.16 (kernel/bpf/sysfs_btf.c, btf_sysfs_vmlinux_mmap) it can be mapped, which copies nothing.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Deref;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;

/// The bytes of one blob.
pub(super) enum Source {
    Owned(Vec<u8>),
    Mapped(Mapping),
}

/// A private, read-only mapping, unmapped when dropped.
pub(super) struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

impl Source {
    /// The contents of the file at `path`.
    pub(super) fn open(path: &str) -> io::Result<Source> {
        let mut file = File::open(path)?;
        let len = usize::try_from(file.metadata()?.len()).unwrap_or(0);
        if let Some(mapping) = Mapping::new(&file, len) {
            return Ok(Source::Mapped(mapping));
        }
        let mut bytes = Vec::with_capacity(len + 1);
        file.read_to_end(&mut bytes)?;
        Ok(Source::Owned(bytes))
    }
}

impl From<Vec<u8>> for Source {
    fn from(bytes: Vec<u8>) -> Source {
        Source::Owned(bytes)
    }
}

impl Deref for Source {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Source::Owned(bytes) => bytes,
            // SAFETY: the mapping is `len` bytes long, readable, and lives as long as `self`. The kernel never
            // changes its own BTF, and MAP_PRIVATE keeps other writers out.
            Source::Mapped(mapping) => unsafe {
                std::slice::from_raw_parts(mapping.start.as_ptr(), mapping.len)
            },
        }
    }
}

impl Mapping {
    /// A mapping of the first `len` bytes of `file`, or none where the file cannot be mapped.
    fn new(file: &File, len: usize) -> Option<Mapping> {
        if len == 0 {
            return None;
        }
        // SAFETY: a new mapping at an address that the kernel chooses touches no memory of ours.
        let start = unsafe {
            libc::mmap(std::ptr::null_mut(), len, libc::PROT_READ, libc::MAP_PRIVATE, file.as_raw_fd(), 0)
        };
        if start == libc::MAP_FAILED {
            return None;
        }
        NonNull::new(start.cast()).map(|start| Mapping { start, len })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is the one that mmap returned, and no slice of it outlives `self`.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

// SAFETY: the mapping is only ever read, from whichever thread.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}
