//! Requests to block devices: what they ask for, remembered from their start to their end, and the file that they are for.
//!
//! The kernel keeps no file in a request. Its pages lead to it: those of a file's cache know their inode, and that its names.
//! What goes past the cache (O_DIRECT) has pages of the process's; there the call that the process is in knows the file.

use aya_ebpf::bindings::BPF_F_NO_PREALLOC;
use aya_ebpf::helpers::generated::{bpf_get_current_task_btf, bpf_task_pt_regs};
use aya_ebpf::macros::map;
use aya_ebpf::maps::HashMap;
use probes_common::abi::memory;
use probes_common::offsets::ABSENT;

use crate::atomic;
use crate::constants::offset;
use crate::drops;
use crate::files;
use crate::firing::programs;
use crate::kernel::{in_compat_call, read, task};
use crate::numbers::{PREAD64, PREADV, PREADV2, PWRITE64, PWRITEV, PWRITEV2, READ, READV, WRITE, WRITEV};
use crate::process::current_tgid;
use crate::runtime::dentries::Spot;

/// What a request asks for when it is made. While it is under way, the kernel counts these up and down.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Asked {
    /// First block of 512 bytes.
    pub sector: u64,
    /// The first page of the buffer, 0 where there is none.
    pub page: u64,
    /// The file that the current process has to do with, where it goes past the cache.
    pub file: u64,
    /// Bytes.
    pub bytes: u32,
    /// Where in the page the buffer begins.
    pub at: u32,
    /// What is to be done: `REQ_*` of include/linux/blk_types.h.
    pub opf: u32,
    /// The process that makes it.
    pub by: u32,
    /// Into how many parts the kernel has split it that are not done.
    pub parts: u64,
}

/// By address of the `bio`.
#[map]
static REQUESTS: HashMap<u64, Asked> = HashMap::with_max_entries(1 << 14, BPF_F_NO_PREALLOC);

programs! {
    // block_bio_queue(struct bio *bio)
    support io_learn in "raw_tp/block_bio_queue", |ctx| {
        let bio = ctx.arg(0);
        if REQUESTS.insert(bio, asked(bio), 0).is_err() {
            drops::forgot(memory::REQUESTS);
        }
    };
    // block_split(struct bio *bio, unsigned int new_sector): the part in front, which leads to the request (bio_chain, block/bio.c)
    support io_split in "raw_tp/block_split", |ctx| {
        if let Some(asked) = REQUESTS.get_ptr_mut(read::<u64>(ctx.arg(0), offset!(bio_private))) {
            // SAFETY: a word of a value of the map.
            unsafe { atomic::add(&raw mut (*asked).parts, 1) };
        }
    };
}

/// The request that is done now that this part of it is, if it was made since tracing began, and what it asked for.
#[inline(always)]
pub fn finished(part: u64) -> Option<(u64, *const Asked)> {
    let mut bio = part;
    let asked = REQUESTS.get_ptr_mut(bio).or_else(|| {
        bio = read(part, offset!(bio_private));
        REQUESTS.get_ptr_mut(bio)
    })?;
    // SAFETY: a word of a value of the map.
    let left = unsafe { atomic::add(&raw mut (*asked).parts, u64::MAX) };
    (left == 1).then_some((bio, asked.cast_const()))
}

/// Forgets it.
#[inline(always)]
pub fn forget(bio: u64) {
    let _ = REQUESTS.remove(bio);
}

/// What a request asks for that is made now.
#[inline(always)]
pub fn asked(bio: u64) -> Asked {
    let mut asked = Asked {
        sector: read(bio, offset!(bio_sector)),
        page: 0,
        file: 0,
        bytes: read(bio, offset!(bio_size)),
        at: 0,
        opf: read(bio, offset!(bio_opf)),
        by: current_tgid(),
        parts: 1,
    };
    let parts = read::<u64>(bio, offset!(bio_vecs));
    if asked.bytes != 0 && parts != 0 {
        let part = parts + u64::from(read::<u32>(bio, offset!(bio_idx))) * u64::from(offset!(bvec_size));
        asked.page = read(part, offset!(bvec_page));
        asked.at = read::<u32>(part, offset!(bvec_offset)) + read::<u32>(bio, offset!(bio_done));
    }
    let data = asked.opf & OP == OP_READ || asked.opf & OP == OP_WRITE;
    if asked.page != 0 && data && !is_devices(mapping(asked.page).0) {
        asked.file = direct(bio);
    }
    asked
}

/// `REQ_OP_MASK` of include/linux/blk_types.h, and the two operations that move a file's data.
pub const OP: u32 = 0xff;
pub const OP_READ: u32 = 0;
pub const OP_WRITE: u32 = 1;

/// The file that the current thread reads or writes past the cache, if this request can be for it: 0 where there is none.
#[inline(always)]
fn direct(bio: u64) -> u64 {
    if read::<u32>(task(), offset!(task_flags)) & KTHREAD != 0 || in_compat_call() {
        return 0;
    }
    // SAFETY: a user thread has registers.
    let regs = unsafe { bpf_task_pt_regs(bpf_get_current_task_btf()) } as u64;
    let number = read::<u64>(regs, offset!(regs_orig_ax)) as u32;
    let moves = matches!(
        number,
        READ | WRITE | PREAD64 | PWRITE64 | READV | WRITEV | PREADV | PWRITEV | PREADV2 | PWRITEV2
    );
    if !moves {
        return 0;
    }
    let file = files::file(read(regs, offset!(regs_di)));
    if file == 0 || read::<u32>(file, offset!(file_flags)) & DIRECT == 0 {
        return 0;
    }
    let inode = files::inode(file);
    let device = read::<u64>(read(inode, offset!(inode_sb)), offset!(super_bdev));
    if device == read(bio, offset!(bio_bdev)) || is_devices(inode) { file } else { 0 }
}

/// `PF_KTHREAD` of include/linux/sched.h.
const KTHREAD: u32 = 0x0020_0000;
/// `O_DIRECT` (include/uapi/asm-generic/fcntl.h).
const DIRECT: u32 = 0x4000;
/// `S_IFMT` and `S_IFBLK` of include/uapi/linux/stat.h.
const TYPE: u16 = 0o170000;
const BLOCK: u16 = 0o060000;

/// Whether an inode is a block device's: what a file system keeps in its cache is its own.
#[inline(always)]
fn is_devices(inode: u64) -> bool {
    inode != 0 && read::<u16>(inode, offset!(inode_mode)) & TYPE == BLOCK
}

/// The inode of a page that is in a file's cache, 0 for others, and the page's folio.
#[inline(always)]
pub fn mapping(page: u64) -> (u64, u64) {
    // A page behind the first of its folio says where that is (`compound_head`, include/linux/page-flags.h).
    let head = read::<u64>(page, offset!(page_head));
    let folio = if head & 1 == 0 { page } else { head - 1 };
    let mapping = read::<u64>(folio, offset!(folio_mapping));
    // `PAGE_MAPPING_FLAGS`: a process's own page.
    let inode = if mapping == 0 || mapping & 3 != 0 { 0 } else { read(mapping, offset!(mapping_host)) };
    (inode, folio)
}

/// What is known of the file that a request is for.
#[repr(C)]
pub struct Origin {
    /// The place of its name; no entry where there is none.
    pub spot: Spot,
    /// The file system's `super_block`; 0 where there is no file.
    pub sb: u64,
    /// Where in the file it is.
    pub offset: i64,
    /// Flags of open(2).
    pub flags: u64,
    pub pad: u64,
}

/// The file that a request is for.
#[inline(always)]
pub fn origin(asked: &Asked) -> Origin {
    if asked.file != 0 {
        let file = asked.file;
        let dentry = read::<u64>(file, offset!(file_dentry));
        return Origin {
            spot: Spot { dentry, mnt: read(file, offset!(file_mnt)) },
            sb: read(dentry, offset!(dentry_sb)),
            offset: read(file, offset!(file_pos)),
            flags: read::<u32>(file, offset!(file_flags)).into(),
            pad: 0,
        };
    }
    let (inode, folio) = if asked.page == 0 { (0, 0) } else { mapping(asked.page) };
    if inode == 0 || is_devices(inode) {
        return Origin { spot: Spot { dentry: 0, mnt: 0 }, sb: 0, offset: 0, flags: 0, pad: 0 };
    }
    let alias = read::<u64>(inode, offset!(inode_aliases));
    let dentry = if alias == 0 { 0 } else { alias - u64::from(offset!(dentry_alias)) };
    let sb = read::<u64>(inode, offset!(inode_sb));
    let behind = (asked.page - folio).checked_div(u64::from(offset!(page_size)));
    let page = behind.unwrap_or(0) + read::<u64>(folio, offset!(folio_index));
    Origin {
        spot: Spot { dentry, mnt: mount(sb) },
        sb,
        offset: (page * PAGE + u64::from(asked.at)) as i64,
        flags: 0,
        pad: 0,
    }
}

/// Bytes of a page.
const PAGE: u64 = 4096;

/// The most mounts of a file system that are looked at.
const MOUNTS: u32 = 16;

/// A mount through which all of a file system is seen: the first of those that begin at its root.
#[inline(always)]
fn mount(sb: u64) -> u64 {
    let root = read::<u64>(sb, offset!(super_root));
    let list = sb + u64::from(offset!(super_mounts));
    // Before Linux 6.18 a ring through the mounts, since then a chain of them.
    let back = if offset!(mount_instance) == ABSENT { 0 } else { u64::from(offset!(mount_instance)) };
    let mut node = read::<u64>(list, 0);
    for _ in 0..MOUNTS {
        if node == 0 || node == list {
            break;
        }
        let mount = node - back;
        let mnt = mount + u64::from(offset!(mount_mnt));
        if read::<u64>(mnt, offset!(vfsmount_root)) == root {
            return mnt;
        }
        node = read(mount, offset!(mount_next));
    }
    0
}
