//! Paths, from what the kernel keeps of them: each directory's entry knows its own name and its parent.
//!
//! A first walk, from the file up to the root, notes where the names lie; a second one writes them in their order. Read
//! without locks: a file that is renamed meanwhile may be shown with parts of both names.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::bpf_probe_read_kernel_str;

use crate::constants::offset;
use crate::kernel::read;

/// The most names of a path; one with more is cut in front.
const NAMES: usize = 32;

/// The most steps to the root: a name each, or from a file system to what it is mounted on.
const STEPS: usize = 40;

/// Bytes of a path, its zero included.
const SIZE: usize = 256;

/// What the walks need; the text is the result, padded with zeros.
#[repr(C)]
pub struct Work {
    names: [u64; NAMES],
    text: [u8; SIZE],
    /// Where a name may run over.
    spare: [u8; SIZE],
}

/// A place in the tree: an entry, and which file system's mount it is seen through.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    pub dentry: u64,
    pub mnt: u64,
}

/// Which part of a path is written: all of it, its last name, all but that, or what its file system is mounted on.
pub const WHOLE: u64 = 0;
const NAME: u64 = 1;
const DIRECTORY: u64 = 2;
const MOUNT: u64 = 3;

/// What stands for a file that is not open, and for one that has no path, such as a socket.
pub const NONE: &[u8; 16] = b"<none>\0\0\0\0\0\0\0\0\0\0";
const UNKNOWN: &[u8; 16] = b"<unknown>\0\0\0\0\0\0\0";

/// Writes these words for a path.
#[inline(always)]
pub fn say(work: &mut Work, words: &[u8; 16]) {
    clear(work);
    let mut index = 0;
    while index < 16 {
        work.text[index] = words[index];
        index += 1;
    }
}

/// Writes a name of the kernel's.
#[inline(always)]
pub fn name(work: &mut Work, from: u64) {
    clear(work);
    // SAFETY: the text is written, and the source may be anything.
    unsafe { bpf_probe_read_kernel_str((&raw mut work.text).cast(), SIZE as u32, from as *const c_void) };
}

#[inline(always)]
fn clear(work: &mut Work) {
    // Word by word: the compiler would call memset for all of it.
    let words = (&raw mut work.text).cast::<u64>();
    let mut index = 0;
    while index < 2 * SIZE / 8 {
        // SAFETY: inside the text and what is behind it, aligned to 8 as the names in front of it are.
        unsafe { words.add(index).write_volatile(0) };
        index += 1;
    }
}

/// Writes the path of a place, or a part of it, as a process with that root sees it.
#[inline(always)]
pub fn write(work: &mut Work, spot: Spot, root: Spot, part: u64) {
    let alone = spot.dentry == read::<u64>(spot.dentry, offset!(dentry_parent));
    if alone && spot.dentry != read::<u64>(spot.mnt, offset!(vfsmount_root)) {
        return say(work, UNKNOWN);
    }
    let mut spot = spot;
    if part == MOUNT {
        if spot.mnt == root.mnt {
            spot = root;
        } else {
            let (parent, point) = outside(spot.mnt);
            if parent != spot.mnt {
                spot = Spot { dentry: point, mnt: parent };
            }
        }
    }
    let mut count = collect(work, spot, root);
    clear(work);
    if part == NAME {
        if count == 0 {
            work.text[0] = b'/';
        } else {
            let from = work.names[0];
            name(work, from);
        }
        return;
    }
    let last = if part == DIRECTORY { 1 } else { 0 };
    work.text[0] = b'/';
    let mut length = 0_usize;
    for _ in 0..NAMES {
        if count <= last {
            break;
        }
        count -= 1;
        let from = work.names[count & (NAMES - 1)];
        let at = length & (SIZE - 1);
        work.text[at] = b'/';
        // SAFETY: at most as many bytes as are spare behind the text; the source may be anything.
        let written = unsafe {
            let to = (&raw mut work.text).cast::<u8>().add(at + 1);
            bpf_probe_read_kernel_str(to.cast(), SIZE as u32 - 1, from as *const c_void)
        };
        // The zero is counted as the slash was not.
        length += if written > 0 { written as usize & (SIZE - 1) } else { 1 };
        if length >= SIZE - 1 {
            break;
        }
    }
    work.text[SIZE - 1] = 0;
}

/// Notes the names from a place up to the root, the last of the path first; says how many there are.
#[inline(always)]
fn collect(work: &mut Work, spot: Spot, root: Spot) -> usize {
    let Spot { mut dentry, mut mnt } = spot;
    let mut count = 0;
    for _ in 0..STEPS {
        if dentry == 0 || (dentry == root.dentry && mnt == root.mnt) || count >= NAMES {
            break;
        }
        if dentry == read::<u64>(mnt, offset!(vfsmount_root)) {
            let (parent, point) = outside(mnt);
            if parent == mnt || parent == 0 {
                break;
            }
            (dentry, mnt) = (point, parent);
            continue;
        }
        let parent = read::<u64>(dentry, offset!(dentry_parent));
        if parent == dentry {
            break;
        }
        work.names[count & (NAMES - 1)] = read(dentry, offset!(dentry_name));
        count += 1;
        dentry = parent;
    }
    count
}

/// What a file system is mounted on: the mount around it, and the entry there.
#[inline(always)]
fn outside(mnt: u64) -> (u64, u64) {
    let mount = mnt - u64::from(offset!(mount_mnt));
    let parent = read::<u64>(mount, offset!(mount_parent));
    (parent + u64::from(offset!(mount_mnt)), read(mount, offset!(mount_point)))
}
