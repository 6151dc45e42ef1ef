//! Brings what a process has mapped of files into its memory, as far as it is in no page of its own yet: a probe does not wait
//! for a page, so a string constant that nobody has looked at before could not be read by it.

use std::fs;

/// Bytes of a page at least; where pages are larger some are touched more than once.
const PAGE: u64 = 4096;

/// Bytes that are brought in at most: of larger programs the beginning.
const MOST: u64 = 256 << 20;

/// Places that one call reads at most (UIO_MAXIOV in include/uapi/linux/uio.h).
const AT_ONCE: usize = 1024;

/// Touches the pages of a process that are of files and can be read. What cannot be touched is left alone.
pub fn touch(process: u32) {
    let maps = fs::read(format!("/proc/{process}/maps")).unwrap_or_default();
    let ranges: Vec<(u64, u64)> = String::from_utf8_lossy(&maps).lines().filter_map(range).collect();
    let pages = ranges.into_iter().flat_map(|(start, end)| (start..end).step_by(PAGE as usize));
    let pages: Vec<u64> = pages.take((MOST / PAGE) as usize).collect();
    for some in pages.chunks(AT_ONCE) {
        let mut rest = some;
        // A call ends at a page that cannot be read.
        while !rest.is_empty() {
            let done = read(process, rest).unwrap_or(0);
            rest = &rest[(done + 1).min(rest.len())..];
        }
    }
}

/// The addresses of a line of /proc/PID/maps (proc(5)) that is about a file and can be read.
fn range(line: &str) -> Option<(u64, u64)> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let readable = fields.next()?.starts_with('r');
    let of_file = fields.nth(3).is_some_and(|path| path.starts_with('/'));
    let range = (u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?);
    (readable && of_file).then_some(range)
}

/// Reads a byte at each address; gives how many it could read before one that it could not.
fn read(process: u32, addresses: &[u64]) -> Option<usize> {
    let mut bytes = [0_u8; AT_ONCE];
    let into = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: addresses.len() };
    let from: Vec<libc::iovec> = addresses
        .iter()
        .map(|&address| libc::iovec { iov_base: address as *mut libc::c_void, iov_len: 1 })
        .collect();
    // SAFETY: the lists are as long as they say, and so is what is written to; the other process's memory is only read.
    let count = unsafe {
        libc::process_vm_readv(
            process as libc::pid_t,
            &raw const into,
            1,
            from.as_ptr(),
            from.len() as u64,
            0,
        )
    };
    usize::try_from(count).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readable_mappings_of_files_are_touched() {
        assert_eq!(range("1000-3000 r--p 00000000 08:01 11 /usr/bin/cat"), Some((0x1000, 0x3000)));
        assert_eq!(range("1000-3000 ---p 00000000 08:01 11 /usr/bin/cat"), None);
        assert_eq!(range("1000-3000 rw-p 00000000 00:00 0 [heap]"), None);
        assert_eq!(range("1000-3000 rw-p 00000000 00:00 0"), None);
    }

    #[test]
    fn what_cannot_be_read_ends_a_call() {
        let here = [1_u8, 2];
        let (good, bad) = (here.as_ptr() as u64, 8_u64);
        assert_eq!(read(std::process::id(), &[good, good + 1, bad, good]), Some(2));
        assert_eq!(read(std::process::id(), &[bad]), None);
    }
}
