//! Paths, from what the kernel keeps of them: each directory's entry knows its own name and its parent.
//!
//! A first walk, from the file up to the root, notes where the names lie; a second one writes them in their order. Both turn
//! in the kernel's own loop, and what they keep from turn to turn lies in the slot: the verifier follows one turn of each.
//! Read without locks: a file that is renamed meanwhile may be shown with parts of both names.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::{bpf_loop, bpf_probe_read_kernel_str};

use crate::constants::offset;
use crate::kernel::read;

/// The most names of a path; one with more is cut in front.
const NAMES: usize = 32;

/// The most steps to the root: a name each, or from a file system to what it is mounted on.
const STEPS: u32 = 64;

/// Bytes of a path, its zero included.
const SIZE: usize = 256;

/// What the walks need; the text is the result, padded with zeros.
#[repr(C)]
pub struct Work {
    names: [u64; NAMES],
    text: [u8; SIZE],
    /// Where a name may run over.
    spare: [u8; SIZE],
    /// Where the walk is, and where it ends.
    spot: Spot,
    root: Spot,
    /// How many names there are, and how many of them are not written.
    count: u64,
    last: u64,
    /// Bytes of the path so far.
    length: u64,
}

/// What the loops hand to each turn: it must lie on the stack.
struct Walk(*mut Work);

/// A place in the tree: an entry, and which file system's mount it is seen through.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    pub dentry: u64,
    pub mnt: u64,
}

/// Which part of a path is written: all of it, its last name, all but that, or what its file system is mounted on.
pub const WHOLE: u64 = 0;
pub const NAME: u64 = 1;
pub const DIRECTORY: u64 = 2;
pub const MOUNT: u64 = 3;

/// What stands for a file that is not open, and for one that has no path, such as a socket.
pub const NONE: &[u8; 16] = b"<none>\0\0\0\0\0\0\0\0\0\0";
pub const UNKNOWN: &[u8; 16] = b"<unknown>\0\0\0\0\0\0\0";

impl Work {
    /// Copies the text to where it is to be, as far as that reaches; both lie at multiples of 8.
    #[inline(always)]
    pub fn copy_to<const N: usize>(&self, to: &mut [u8; N]) {
        const { assert!(N <= SIZE && N % 8 == 0) }
        let (from, to) = ((&raw const self.text).cast::<u64>(), (&raw mut *to).cast::<u64>());
        // Word by word: the compiler would call memcpy for all of it.
        let mut index = 0;
        while index < N / 8 {
            // SAFETY: inside both.
            unsafe { to.add(index).write_volatile(from.add(index).read_volatile()) };
            index += 1;
        }
    }
}

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
    work.spot = spot;
    work.root = root;
    work.count = 0;
    walk(work, STEPS, note);
    clear(work);
    if part == NAME {
        work.text[0] = b'/';
        if work.count != 0 {
            let from = work.names[0];
            name(work, from);
        }
        return;
    }
    work.last = if part == DIRECTORY { 1 } else { 0 };
    work.length = 0;
    work.text[0] = b'/';
    walk(work, NAMES as u32, put);
    work.text[SIZE - 1] = 0;
}

#[inline(always)]
fn walk(work: &mut Work, turns: u32, turn: unsafe extern "C" fn(u64, *mut Walk) -> i64) {
    let mut walk = Walk(work);
    // SAFETY: the helper calls the function with the walk, as often as it says.
    unsafe { bpf_loop(turns, turn as *mut c_void, (&raw mut walk).cast(), 0) };
}

/// Notes one name on the way up to the root, the last of the path first; 1 at the end.
unsafe extern "C" fn note(_: u64, walk: *mut Walk) -> i64 {
    // SAFETY: what `walk` handed to the loop.
    let work = unsafe { &mut *(*walk).0 };
    let Spot { dentry, mnt } = work.spot;
    let count = work.count as usize;
    if dentry == 0 || work.spot == work.root || count >= NAMES {
        return 1;
    }
    if dentry == read::<u64>(mnt, offset!(vfsmount_root)) {
        let (parent, point) = outside(mnt);
        work.spot = Spot { dentry: point, mnt: parent };
        return i64::from(parent == mnt);
    }
    let parent = read::<u64>(dentry, offset!(dentry_parent));
    if parent == dentry {
        return 1;
    }
    work.names[count] = read(dentry, offset!(dentry_name));
    work.count += 1;
    work.spot.dentry = parent;
    0
}

/// Writes one name, the first of the path first; 1 at the end.
unsafe extern "C" fn put(_: u64, walk: *mut Walk) -> i64 {
    // SAFETY: what `walk` handed to the loop.
    let work = unsafe { &mut *(*walk).0 };
    let (count, length) = (work.count, work.length as usize);
    if count <= work.last || length >= SIZE - 1 {
        return 1;
    }
    // By way of memory: the compiler knows that it is at least 0, and the verifier of Linux 6.1 does not believe it.
    // SAFETY: a place of the work's own.
    let index = unsafe {
        (&raw mut work.count).write_volatile(count - 1);
        (&raw const work.count).read_volatile() as usize
    };
    if index >= NAMES {
        return 1;
    }
    let from = work.names[index];
    work.text[length] = b'/';
    // SAFETY: at most as many bytes as are spare behind the text; the source may be anything.
    let written = unsafe {
        let to = (&raw mut work.text).cast::<u8>().add(length + 1);
        bpf_probe_read_kernel_str(to.cast(), SIZE as u32, from as *const c_void)
    };
    // The zero is counted as the slash was not.
    work.length += if written > 0 { written as u64 } else { 1 };
    0
}

/// What a file system is mounted on: the mount around it, and the entry there.
#[inline(always)]
fn outside(mnt: u64) -> (u64, u64) {
    let mount = mnt - u64::from(offset!(mount_mnt));
    let parent = read::<u64>(mount, offset!(mount_parent));
    (parent + u64::from(offset!(mount_mnt)), read(mount, offset!(mount_point)))
}
