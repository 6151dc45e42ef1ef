//! The io provider: requests to block devices.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::{bpf_loop, bpf_probe_read_kernel_str};
use aya_ebpf::macros::map;
use aya_ebpf::maps::HashMap;
use probes_common::providers::io::Request;
use probes_common::types::FileInfo;
use probes_common::types_io::{BufInfo, DevInfo};

use crate::blocks::{self, Asked, OP, OP_READ, OP_WRITE, Origin};
use crate::constants::offset;
use crate::firing::{Context, Program, Wants, bit, probe, programs};
use crate::kernel::read;
use crate::runtime::current::path_text;
use crate::runtime::dentries::{self, Work};
use crate::{scope, state};

programs! {
    // block_bio_queue(struct bio *bio)
    probe io_start in "raw_tp/block_bio_queue", |program| {
        let bio = program.ctx.arg(0);
        program.fire(move |record, wants| fill_start(record, wants, bio));
    };
    // block_rq_complete(struct request *rq, blk_status_t error, unsigned int nr_bytes); its probe is `each`'s
    support io_done in "raw_tp/block_rq_complete", |ctx| {
        if state::active() && scope::here() {
            let bio = read(ctx.arg(0), offset!(request_bio));
            let mut walk = Walk { ctx, bio, left: ctx.arg(2) as u32, status: ctx.arg(1) as u32 };
            let each: unsafe extern "C" fn(u64, *mut Walk) -> i64 = each;
            // SAFETY: the helper calls the function with the walk, as often as it says.
            unsafe { bpf_loop(MERGED, each as *mut c_void, (&raw mut walk).cast(), 0) };
        }
    };
    // block_bio_complete(struct request_queue *q, struct bio *bio): only of devices whose drivers take bios
    foreign io_done_bio in "raw_tp/block_bio_complete", |program| {
        let bio = program.ctx.arg(1);
        let status = read::<u8>(bio, offset!(bio_status));
        done(program, bio, status.into());
    };
}

/// In place of the status of a request that is not done.
const UNDER_WAY: u32 = u32::MAX;

/// The most requests that the kernel makes one of for the device.
const MERGED: u32 = 1024;

/// Requests that are done together.
struct Walk {
    ctx: Context,
    bio: u64,
    /// Bytes that are done.
    left: u32,
    status: u32,
}

/// Fires for one of them, and goes on to the next; 1 at the end.
unsafe extern "C" fn each(_: u64, walk: *mut Walk) -> i64 {
    // SAFETY: what the program handed to the loop.
    let walk = unsafe { &mut *walk };
    let bio = walk.bio;
    let size = read::<u32>(bio, offset!(bio_size));
    if bio == 0 || size > walk.left {
        return 1;
    }
    walk.bio = read(bio, offset!(bio_next));
    walk.left -= size;
    done(probe!(io_done, walk.ctx.0), bio, walk.status);
    i64::from(walk.left == 0)
}

/// Fires if a request is done with this part of it.
#[inline(always)]
fn done(program: Program, part: u64, status: u32) {
    if let Some((bio, asked)) = blocks::finished(part) {
        // SAFETY: a value of the map, which nobody else removes.
        if scope::of(unsafe { (*asked).by }) {
            program.fire(move |record, wants| fill(record, wants, bio, asked, status));
        }
        blocks::forget(bio);
    }
}

/// The names of drivers by the major numbers of their devices. The tracer fills it in.
#[map]
static DRIVERS: HashMap<u32, [u8; 16]> = HashMap::with_max_entries(512, 0);

/// What finding a file and its path takes. It lies in the record: of what lies on the stack and is read by a pointer, the verifier of
/// Linux 6.1 believes that it is what it was at first.
#[repr(C)]
struct Scratch {
    path: Work,
    asked: Asked,
    origin: Origin,
}

const _: () = assert!(size_of::<Scratch>() == probes_common::providers::io::SCRATCH);
const _: () = assert!(core::mem::offset_of!(Request, scratch) % 8 == 0);

#[inline(always)]
fn scratch(record: &mut Request) -> *mut Scratch {
    (&raw mut record.scratch).cast()
}

#[inline(never)]
fn fill_start(record: &mut Request, wants: Wants, bio: u64) {
    // SAFETY: of that size, and at a multiple of 8 (asserted above), as records are; any bytes are a value.
    let asked = unsafe {
        let asked = &raw mut (*scratch(record)).asked;
        *asked = blocks::asked(bio);
        asked
    };
    fill(record, wants, bio, asked, UNDER_WAY);
}

#[inline(never)]
fn fill(record: &mut Request, wants: Wants, bio: u64, asked: *const Asked, status: u32) {
    // SAFETY: a value of the map, which nobody else removes before this request's end, or of the record.
    let asked = unsafe { &*asked };
    record.arg0 = bio;
    if wants.part(bit!(Request, buf)).field(bit!(BufInfo, b_flags)) {
        fill_buffer(&mut record.buf, bio, asked, status);
    }
    let device = read(bio, offset!(bio_bdev));
    fill_device(&mut record.dev, wants.part(bit!(Request, dev)), device);
    let file = wants.part(bit!(Request, file));
    if file.0 & FILE_BITS != 0 {
        // SAFETY: as for `fill_start`.
        unsafe { (*scratch(record)).origin = blocks::origin(asked) };
        fill_file(record, file);
    }
}

/// The want bits of all members of a file.
const FILE_BITS: u64 = (1 << (bit!(FileInfo, fi_oflags) + 1)) - 1;

/// `B_*` as illumos has them (uts/common/sys/buf.h), which `probes_common::names` gives to programs.
mod flag {
    pub const DONE: i32 = 0x2;
    pub const ERROR: i32 = 0x4;
    pub const PAGEIO: i32 = 0x10;
    pub const PHYS: i32 = 0x20;
    pub const READ: i32 = 0x40;
    pub const WRITE: i32 = 0x100;
    pub const ASYNC: i32 = 0x400;
}

/// `REQ_SYNC` and `REQ_RAHEAD` of include/linux/blk_types.h, Linux 6.1 to 6.18, and `REQ_OP_FLUSH`.
const SYNC: u32 = 1 << 11;
const RAHEAD: u32 = 1 << 19;
const OP_FLUSH: u32 = 2;

#[inline(always)]
fn fill_buffer(to: &mut BufInfo, bio: u64, asked: &Asked, status: u32) {
    let op = asked.opf & OP;
    // Operations with odd numbers write (`op_is_write`).
    let writes = op & OP_WRITE != 0 || op == OP_FLUSH;
    let mut flags = if writes { flag::WRITE } else { flag::READ };
    if writes && asked.opf & SYNC == 0 || op == OP_READ && asked.opf & RAHEAD != 0 {
        flags |= flag::ASYNC;
    }
    if asked.page != 0 {
        flags |= if blocks::mapping(asked.page).0 != 0 { flag::PAGEIO } else { flag::PHYS };
    }
    let done = status != UNDER_WAY;
    if done {
        flags |= flag::DONE;
        if status != 0 {
            flags |= flag::ERROR;
        }
    }
    to.b_flags = flags;
    to.b_error = if done { error(status) } else { 0 };
    to.b_bcount = asked.bytes.into();
    to.b_bufsize = asked.bytes.into();
    to.b_addr = asked.page;
    to.b_lblkno = asked.sector;
    to.b_blkno = asked.sector;
    to.b_resid = if done && status != 0 { read::<u32>(bio, offset!(bio_size)).into() } else { 0 };
    to.b_edev = read(read(bio, offset!(bio_bdev)), offset!(bdev_dev));
    to.b_pad = 0;
    to.b_iodone = read(bio, offset!(bio_end));
}

/// The error that a status of the block layer stands for (`blk_errors`, block/blk-core.c, Linux 6.1 to 6.18): EIO for those
/// whose numbers differ between kernels.
#[inline(always)]
fn error(status: u32) -> i32 {
    match status {
        0 => 0,
        1 => 95,
        2 => 110,
        3 => 28,
        4 => 67,
        5 => 121,
        6 => 52,
        7 => 61,
        8 => 84,
        9 => 12,
        11 => 78,
        12 => 11,
        13 => 16,
        _ => 5,
    }
}

#[inline(always)]
fn fill_device(to: &mut DevInfo, wants: Wants, device: u64) {
    // 20 bits for the minor number (include/linux/kdev_t.h).
    let dev = read::<u32>(device, offset!(bdev_dev));
    if wants.field(bit!(DevInfo, dev_major)) {
        to.dev_major = (dev >> 20) as i32;
        to.dev_minor = (dev & 0xf_ffff) as i32;
        let disk = read::<u64>(device, offset!(bdev_disk));
        let minors = read::<u32>(disk, offset!(disk_minors));
        let first = read::<u32>(disk, offset!(disk_first_minor));
        to.dev_instance = if minors > 1 { first / minors } else { first } as i32;
        to.dev_pad = 0;
    }
    if wants.field(bit!(DevInfo, dev_name)) {
        to.dev_name = match DRIVERS.get_ptr(dev >> 20) {
            // SAFETY: a value of the map, which only the tracer writes, before there is a request.
            Some(name) => unsafe { *name },
            None => [0; 16],
        };
    }
    if wants.field(bit!(DevInfo, dev_statname)) {
        to.dev_statname = [0; 32];
        name(&raw mut to.dev_statname, 0, device);
    }
    if wants.field(bit!(DevInfo, dev_pathname)) {
        to.dev_pathname = [0; 40];
        for (index, byte) in b"/dev/".iter().enumerate() {
            to.dev_pathname[index] = *byte;
        }
        name(&raw mut to.dev_pathname, 5, device);
    }
}

/// Writes the name of a device behind what is there.
#[inline(always)]
fn name<const N: usize>(to: *mut [u8; N], at: usize, device: u64) {
    let from = read::<u64>(device, offset!(bdev_name)) as *const c_void;
    // SAFETY: as many bytes as are left are written, and the source may be anything.
    unsafe { bpf_probe_read_kernel_str(to.cast::<u8>().add(at).cast(), (N - at) as u32, from) };
}

#[inline(never)]
fn fill_file(record: &mut Request, wants: Wants) {
    // SAFETY: as for `fill_start`.
    let Scratch { path: work, origin, .. } = unsafe { &mut *scratch(record) };
    let file = &mut record.file;
    if wants.field(bit!(FileInfo, fi_name)) {
        path(work, origin, dentries::NAME);
        work.copy_to(&mut file.fi_name);
    }
    if wants.field(bit!(FileInfo, fi_dirname)) {
        path(work, origin, dentries::DIRECTORY);
        work.copy_to(&mut file.fi_dirname);
    }
    if wants.field(bit!(FileInfo, fi_pathname)) {
        path(work, origin, dentries::WHOLE);
        work.copy_to(&mut file.fi_pathname);
    }
    if wants.field(bit!(FileInfo, fi_offset)) {
        file.fi_offset = origin.offset;
    }
    if wants.field(bit!(FileInfo, fi_fs)) {
        if origin.sb != 0 {
            dentries::name(work, read(read(origin.sb, offset!(super_type)), offset!(super_type_name)));
        } else {
            dentries::say(work, dentries::NONE);
        }
        work.copy_to(&mut file.fi_fs);
    }
    if wants.field(bit!(FileInfo, fi_mount)) {
        path(work, origin, dentries::MOUNT);
        work.copy_to(&mut file.fi_mount);
    }
    if wants.field(bit!(FileInfo, fi_oflags)) {
        file.fi_oflags = origin.flags as i32;
        file.fi_pad = 0;
    }
}

/// Finds a path or a part of it.
#[inline(always)]
fn path(work: &mut Work, origin: &Origin, part: u64) {
    if origin.sb == 0 {
        dentries::say(work, dentries::NONE);
    } else if origin.spot.dentry == 0 || origin.spot.mnt == 0 {
        dentries::say(work, dentries::UNKNOWN);
    } else {
        path_text(&raw mut *work, origin.spot.mnt, origin.spot.dentry, part);
    }
}
