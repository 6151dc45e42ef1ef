//! curpsinfo, curlwpsinfo, fds[], cwd and root: the current process as D sees it, wherever a probe fires.

use probes_common::types::{LwpsInfo, PsInfo};

use super::dentries::{self, Spot, Work};
use crate::constants::offset;
use crate::files;
use crate::firing::Wants;
use crate::kernel::{read, task};
use crate::process;

/// Fills in what is wanted of the process of a thread that is not the current one.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn process_of(to: *mut PsInfo, wants: u64, task: u64) -> u64 {
    // SAFETY: as for `current_process`.
    process::fill_own_process(unsafe { &mut *to }, Wants(wants), task, 0);
    0
}

/// Fills in what is wanted of a thread that is not the current one.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn thread_of(to: *mut LwpsInfo, wants: u64, task: u64) -> u64 {
    // SAFETY: as for `current_process`.
    process::fill_thread(unsafe { &mut *to }, Wants(wants), task);
    0
}

/// Fills in what is wanted of the current process.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn current_process(to: *mut PsInfo, wants: u64) -> u64 {
    let task = task();
    // SAFETY: the clause hands in memory for a whole one, any bytes of which are a value.
    process::fill_own_process(unsafe { &mut *to }, Wants(wants), task, task);
    0
}

/// Fills in what is wanted of the current thread.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn current_thread(to: *mut LwpsInfo, wants: u64) -> u64 {
    // SAFETY: as above.
    process::fill_own_thread(unsafe { &mut *to }, Wants(wants));
    0
}

/// The `struct file` of a descriptor, 0 where there is none.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn file_of(fd: u64) -> u64 {
    if fd > u64::from(u32::MAX) {
        return 0;
    }
    files::file(fd as u32)
}

/// Where in the file the next read or write is.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn file_offset(file: u64) -> u64 {
    read(file, offset!(file_pos))
}

/// Flags of open(2).
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn file_flags(file: u64) -> u64 {
    u64::from(read::<u32>(file, offset!(file_flags)))
}

/// The path of a file, a part of it, or that of what it is mounted on; see [`dentries::Part`] for `part`.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn file_path(work: *mut Work, file: u64, part: u64) -> u64 {
    // SAFETY: the clause hands in memory for all of it, any bytes of which are a value.
    let work = unsafe { &mut *work };
    if file == 0 {
        dentries::say(work, dentries::NONE);
    } else {
        let spot = Spot { dentry: read(file, offset!(file_dentry)), mnt: read(file, offset!(file_mnt)) };
        dentries::write(work, spot, root(), part);
    }
    0
}

/// The path of a place that a `struct path` names, or a part of it.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn path_text(work: *mut Work, mnt: u64, dentry: u64, part: u64) -> u64 {
    // SAFETY: as above.
    dentries::write(unsafe { &mut *work }, Spot { dentry, mnt }, root(), part);
    0
}

/// The type of a file's file system.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn file_system(work: *mut Work, file: u64) -> u64 {
    // SAFETY: as above.
    let work = unsafe { &mut *work };
    if file == 0 {
        dentries::say(work, dentries::NONE);
    } else {
        let sb = read::<u64>(read(file, offset!(file_dentry)), offset!(dentry_sb));
        dentries::name(work, read(read(sb, offset!(super_type)), offset!(super_type_name)));
    }
    0
}

/// The current directory.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn current_directory(work: *mut Work) -> u64 {
    let fs = read::<u64>(task(), offset!(task_fs));
    let spot = Spot { dentry: read(fs, offset!(fs_pwd_dentry)), mnt: read(fs, offset!(fs_pwd_mnt)) };
    // SAFETY: as above.
    dentries::write(unsafe { &mut *work }, spot, root(), dentries::WHOLE);
    0
}

/// The root directory, as the whole system sees it.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn root_directory(work: *mut Work) -> u64 {
    // SAFETY: as above.
    dentries::write(unsafe { &mut *work }, root(), Spot { dentry: 0, mnt: 0 }, dentries::WHOLE);
    0
}

#[inline(always)]
fn root() -> Spot {
    let fs = read::<u64>(task(), offset!(task_fs));
    Spot { dentry: read(fs, offset!(fs_root_dentry)), mnt: read(fs, offset!(fs_root_mnt)) }
}
