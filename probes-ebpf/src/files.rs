//! From a descriptor of the current process to what it stands for.
//!
//! Read without locks, as the event finds it: another thread may close or replace the descriptor at the same moment.

use crate::constants::offset;
use crate::kernel::{self, read};

/// `S_IFMT`, `S_IFIFO` and `S_IFSOCK` of include/uapi/linux/stat.h.
const TYPE: u16 = 0o170000;
const FIFO: u16 = 0o010000;
const SOCKET: u16 = 0o140000;

/// What a descriptor stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Sort {
    /// Something else, or nothing.
    Other = 0,
    /// A pipe or a FIFO.
    Pipe = 1,
    /// A socket.
    Socket = 2,
}

/// The `struct file` of a descriptor of the current process, 0 where there is none.
#[inline(always)]
pub fn file(fd: u32) -> u64 {
    let files = read::<u64>(kernel::task(), offset!(task_files));
    let table = read::<u64>(files, offset!(files_fdt));
    if fd >= read::<u32>(table, offset!(fdtable_max_fds)) {
        return 0;
    }
    read(read(table, offset!(fdtable_fd)), fd * 8)
}

/// The inode of a file.
#[inline(always)]
pub fn inode(file: u64) -> u64 {
    read(file, offset!(file_inode))
}

/// What a file is.
#[inline(always)]
pub fn sort(file: u64) -> Sort {
    if file == 0 {
        return Sort::Other;
    }
    match read::<u16>(inode(file), offset!(inode_mode)) & TYPE {
        FIFO => Sort::Pipe,
        SOCKET => Sort::Socket,
        _ => Sort::Other,
    }
}
