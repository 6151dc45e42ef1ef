//! The io provider: requests against where the file system says that a file's blocks are, and how many bytes were written.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::harness::{Family, Observation, Report, observe, skip};

pub(crate) const FAMILY: Family = Family {
    name: "io",
    tests: &[
        ("requests_past_the_cache_are_told_with_their_blocks", direct_requests),
        ("a_request_that_is_split_is_done_once", large_requests),
        ("what_is_written_back_is_told_with_its_file", cached_requests),
        ("the_device_is_as_sys_and_proc_have_it", devices),
    ],
    workloads: &[("io_direct", direct), ("io_large", large), ("io_cached", cached)],
};

/// Bytes of a piece: a block of the file system, and what memory and place are multiples of.
const PIECE: usize = 4096;

/// A file on a disk, for as long as this lives; the workload says why where there is none.
struct OnDisk {
    path: PathBuf,
    /// The device, as /sys/dev/block names it.
    device: String,
}

impl OnDisk {
    fn new() -> Option<OnDisk> {
        let directory = std::env::var_os("TRACER_TEST_DISK").map_or_else(std::env::temp_dir, PathBuf::from);
        let number = fs::metadata(&directory).ok()?.dev();
        let device = format!("{}:{}", libc::major(number), libc::minor(number));
        let path = directory.join(format!("tracer-io-{}", std::process::id()));
        fs::exists(format!("/sys/dev/block/{device}")).ok()?.then_some(OnDisk { path, device })
    }

    /// Opens it, past the cache or not.
    fn open(&self, flags: i32) -> Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).custom_flags(flags);
        options.open(&self.path).context("cannot open the file")
    }

    /// The device's name.
    fn name(&self) -> Result<String> {
        let link = fs::canonicalize(format!("/sys/dev/block/{}", self.device))?;
        Ok(link.file_name().context("a name")?.to_string_lossy().into_owned())
    }

    /// The disk's block with which a partition begins.
    fn start(&self) -> u64 {
        let start = fs::read_to_string(format!("/sys/dev/block/{}/start", self.device));
        start.ok().and_then(|start| start.trim().parse().ok()).unwrap_or(0)
    }
}

impl Drop for OnDisk {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn no_disk() -> Result<Report> {
    Ok(Report::default().with("skip", "no file system on a block device here: TRACER_TEST_DISK can name one"))
}

/// Memory that a disk can be written from.
#[derive(Clone)]
#[repr(C, align(4096))]
struct Aligned<const N: usize>([u8; N]);

/// Where the file system has put a byte of a file (FS_IOC_FIEMAP, include/uapi/linux/fiemap.h).
fn physical(file: &File, offset: usize) -> Result<u64> {
    #[repr(C)]
    #[derive(Default)]
    struct Map {
        start: u64,
        length: u64,
        flags: u32,
        mapped: u32,
        count: u32,
        reserved: u32,
        logical: u64,
        physical: u64,
        rest: [u64; 6],
    }
    const FS_IOC_FIEMAP: u64 = 0xc020_660b;
    let mut map = Map { start: offset as u64, length: PIECE as u64, count: 1, ..Map::default() };
    // SAFETY: the map has room for the one extent that it asks for.
    let status = unsafe { libc::ioctl(file.as_raw_fd(), FS_IOC_FIEMAP as _, &raw mut map) };
    ensure!(status == 0 && map.mapped == 1, "FIEMAP: {}", std::io::Error::last_os_error());
    Ok(map.physical + (offset as u64 - map.logical))
}

/// Runs the program on the workload; skips where there is no disk.
fn on_disk(program: &str, workload: &str) -> Result<Observation> {
    let seen = observe(program, workload, &[])?;
    match seen.report.text("skip") {
        Ok(reason) => skip(reason),
        Err(_) => Ok(seen),
    }
}

/// Writes some pieces, with gaps between, and reads them again.
fn direct(_: &[String]) -> Result<Report> {
    let Some(disk) = OnDisk::new() else { return no_disk() };
    let file = disk.open(libc::O_DIRECT)?;
    let mut memory = Aligned([7; PIECE]);
    let places = [0, 3 * PIECE, 8 * PIECE, 20 * PIECE];
    for place in places {
        file.write_all_at(&memory.0, place as u64)?;
    }
    for place in places {
        file.read_exact_at(&mut memory.0, place as u64)?;
    }
    let name = disk.name()?;
    let lines = ["W", "R"].into_iter().flat_map(|way| places.map(|place| (way, place)));
    let lines = lines.map(|(way, place)| {
        let block = physical(&file, place)? / 512 + disk.start();
        Ok(format!("{way} {PIECE} {block} {name} {}", disk.path.display()))
    });
    Ok(Report::default().with("lines", lines.collect::<Result<Vec<_>>>()?.join("; ")))
}

fn direct_requests() -> Result<()> {
    const PROGRAM: &str = r#"
        int physical, finished;
        io:::start /pid == $1 && args[2]->fi_pathname == strjoin(args[2]->fi_dirname, strjoin("/", args[2]->fi_name))/ {
            printf("%s %d %d %s %s\n", args[0]->b_flags & B_READ ? "R" : "W", args[0]->b_bcount, args[0]->b_blkno,
                args[1]->dev_statname, args[2]->fi_pathname);
            physical += args[0]->b_flags & B_PHYS ? 1 : 0;
            begun[arg0] = args[0]->b_blkno;
        }
        io:::done /begun[arg0] == args[0]->b_blkno && begun[arg0]/ {
            finished += args[0]->b_flags & B_DONE && args[0]->b_error == 0 && args[0]->b_resid == 0;
            begun[arg0] = 0;
        }
        END { printf("%d %d\n", physical, finished); }"#;
    let seen = on_disk(PROGRAM, "io_direct")?;
    let (lines, truth) = (seen.output.lines(), seen.report.text("lines")?);
    let told: Vec<_> = lines.iter().filter(|line| line.contains("tracer-io")).copied().collect();
    ensure!(told.join("; ") == truth, "told {told:#?} truth {truth}");
    let (physical, finished) = lines.last().and_then(|line| line.split_once(' ')).context("the counts")?;
    // The file system's own requests, which have no file, are done too.
    ensure!(physical == "8" && finished.parse::<usize>()? >= 8, "{lines:#?}");
    Ok(())
}

/// Bytes of a request that no disk takes at once.
const LARGE: usize = 4 << 20;

fn large(_: &[String]) -> Result<Report> {
    let Some(disk) = OnDisk::new() else { return no_disk() };
    let memory = vec![Aligned([7; PIECE]); LARGE / PIECE];
    // SAFETY: bytes without gaps.
    let bytes = unsafe { std::slice::from_raw_parts(memory.as_ptr().cast::<u8>(), LARGE) };
    disk.open(libc::O_DIRECT)?.write_all_at(bytes, 0)?;
    Ok(Report::default())
}

fn large_requests() -> Result<()> {
    const PROGRAM: &str = r#"
        int64_t bytes, done;
        io:::start /pid == $1 && args[2]->fi_name != "<none>"/ {
            started++; bytes += args[0]->b_bcount; mine[arg0] = 1;
        }
        io:::done /mine[arg0]/ { ended++; done += args[0]->b_bcount; mine[arg0] = 0; }
        END { printf("%d %d %d", bytes, done, started - ended); }"#;
    let seen = on_disk(PROGRAM, "io_large")?;
    ensure!(seen.output.stdout.trim() == format!("{LARGE} {LARGE} 0"), "{seen:?}");
    Ok(())
}

/// Writes by the cache, and waits until the disk has it.
fn cached(_: &[String]) -> Result<Report> {
    let Some(disk) = OnDisk::new() else { return no_disk() };
    let mut file = disk.open(0)?;
    file.write_all(&[7; 16 * PIECE])?;
    file.sync_all()?;
    let name = disk.name()?;
    let (major, minor) = disk.device.split_once(':').context("a device")?;
    let devices = fs::read_to_string("/proc/devices")?;
    let blocks = devices.split_once("Block devices:").context("block devices")?.1;
    let drivers = blocks.lines().filter_map(|line| line.trim().split_once(' '));
    let driver = drivers.into_iter().find(|(number, _)| *number == major).map_or("", |(_, name)| name);
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    // 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue (proc(5))
    let mount =
        mounts.lines().rfind(|line| line.split(' ').nth(2) == Some(&disk.device)).context("a mount")?;
    let (front, back) = mount.split_once(" - ").context("a line of mountinfo")?;
    let (point, kind) =
        (front.split(' ').nth(4).unwrap_or_default(), back.split(' ').next().unwrap_or_default());
    Ok(Report::default()
        .with("file", disk.path.display())
        .with("device", format!("{major} {minor} {driver} {name} /dev/{name} {kind} {point}")))
}

fn cached_requests() -> Result<()> {
    const PROGRAM: &str = r#"
        io:::start /args[2]->fi_name == strjoin("tracer-io-", lltostr($1)) && args[0]->b_flags & B_PAGEIO/ {
            @bytes[args[2]->fi_pathname] = sum(args[0]->b_bcount);
            @end[args[2]->fi_pathname] = max(args[2]->fi_offset + args[0]->b_bcount);
            @blocks[args[2]->fi_pathname] = sum(args[0]->b_flags & B_WRITE ? 1 : 1000);
        }
        END { printa("%s %@d %@d\n", @bytes, @end); }"#;
    let seen = on_disk(PROGRAM, "io_cached")?;
    let line = format!("{} {} {}", seen.report.text("file")?, 16 * PIECE, 16 * PIECE);
    ensure!(seen.output.lines().contains(&&*line), "{line} {seen:?}");
    Ok(())
}

fn devices() -> Result<()> {
    const PROGRAM: &str = r#"
        io:::start /args[2]->fi_name == strjoin("tracer-io-", lltostr($1))/ {
            printf("%d %d %s %s %s %s %s\n", args[1]->dev_major, args[1]->dev_minor, args[1]->dev_name,
                args[1]->dev_statname, args[1]->dev_pathname, args[2]->fi_fs, args[2]->fi_mount);
            @[getmajor(args[0]->b_edev) == args[1]->dev_major && getminor(args[0]->b_edev) == args[1]->dev_minor] = count();
        }"#;
    let seen = on_disk(PROGRAM, "io_cached")?;
    let device = seen.report.text("device")?;
    let lines = seen.output.lines();
    let told: Vec<_> = lines.iter().filter(|line| line.contains("/dev/")).collect();
    ensure!(!told.is_empty() && told.iter().all(|line| ***line == *device), "{device} {seen:?}");
    let numbers: Vec<_> =
        lines.iter().filter(|line| !line.contains('/') && !line.trim().is_empty()).collect();
    ensure!(numbers.len() == 1 && numbers[0].trim().starts_with('1'), "{seen:?}");
    Ok(())
}
