//! Kernel tests in virtual machines: QEMU with Debian's kernels for clouds, which have all that we need built in, and an initramfs
//! of busybox, the tracer and the test binary, both linked statically. What the machine prints is the result.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::initramfs::Archive;
use crate::packages;
use crate::shell::{capture, root, run};

/// A kernel to test on.
pub(crate) struct Kernel {
    /// The first two numbers of its version.
    pub(crate) version: &'static str,
    /// The package of Debian 12 that depends on the current image of that version.
    meta_package: &'static str,
}

/// The kernels to test on, beside the one that is running.
pub(crate) const KERNELS: [Kernel; 2] = [
    Kernel { version: "6.1", meta_package: "linux-image-cloud-amd64" },
    Kernel { version: "6.12", meta_package: "linux-image-6.12-cloud-amd64" },
];

/// The programs that a machine gets, linked statically.
pub(crate) struct Programs {
    /// The tracer.
    pub(crate) tracer: PathBuf,
    /// The binary of the kernel tests.
    pub(crate) tests: PathBuf,
}

/// What the machine prints before the tests.
const START_MARK: &str = "=== the kernel tests begin";

/// What the machine prints when the tests have ended, followed by their exit status.
const END_MARK: &str = "=== the kernel tests ended with status";

/// How long a machine may take, from power on to power off.
const LIMIT: Duration = Duration::from_secs(30 * 60);

/// How much longer than on a real processor a test may take, where TRACER_TEST_PATIENCE does not say.
const PATIENCE: &str = "2";

/// Why no machine can be run here, if so.
pub(crate) fn obstacle() -> Option<String> {
    if !cfg!(target_arch = "x86_64") {
        return Some("the virtual machines are of x86_64".to_owned());
    }
    (!packages::has_apt())
        .then(|| "needs Debian's kernel packages, qemu-system-x86 and busybox-static".to_owned())
}

/// Installs what running machines takes.
pub(crate) fn install() -> Result<()> {
    packages::ensure(&["qemu-system-x86", "busybox-static", "xz-utils"])
}

impl Kernel {
    /// Fetches the kernel, if it is not there yet: the path of its image.
    pub(crate) fn fetch(&self) -> Result<PathBuf> {
        packages::with_lists(|| {
            let directory = root().join("target/vm");
            fs::create_dir_all(&directory)?;
            let package = self.package()?;
            let unpacked = directory.join(&package);
            let image = unpacked.join(format!("boot/vmlinuz-{}", package.trim_start_matches("linux-image-")));
            if !image.exists() {
                run(Command::new("apt-get").args(["download", "-qq", &package]).current_dir(&directory))?;
                let archive = find_file(&directory, &format!("{package}_"))?;
                let partial = directory.join("partial");
                run(Command::new("dpkg").arg("-x").arg(&archive).arg(&partial))?;
                fs::rename(partial, unpacked)?;
                fs::remove_file(archive)?;
            }
            Ok(image)
        })
    }

    /// The package of the image; its name has the exact version in it, which changes with every update.
    fn package(&self) -> Result<String> {
        let depends = capture(Command::new("apt-cache").args(["depends", self.meta_package]))?;
        let names = depends.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
        let wanted = format!("linux-image-{}.", self.version);
        let found = names.into_iter().find(|name| name.starts_with(&wanted));
        let found =
            found.with_context(|| format!("{} is not a kernel {} here", self.meta_package, self.version))?;
        Ok(found.to_owned())
    }

    /// Runs the tests, with `arguments`, in a machine with the kernel `image`: what they printed, and their exit status.
    pub(crate) fn test(
        &self,
        image: &Path,
        programs: &Programs,
        arguments: &[String],
    ) -> Result<(String, i32)> {
        let directory = root().join("target/vm");
        let initramfs = directory.join(format!("{}.cpio", self.version));
        let log = directory.join(format!("{}.log", self.version));
        fs::write(&initramfs, build_initramfs(programs, &module(image)?, arguments)?)?;
        let disk = directory.join(format!("{}.disk", self.version));
        File::create(&disk)?.set_len(DISK)?;
        boot(image, &initramfs, &disk, &log)?;
        let console = String::from_utf8_lossy(&fs::read(&log)?).replace('\r', "");
        let status = console.lines().find_map(|line| line.split_once(END_MARK)?.1.trim().parse().ok());
        match status {
            Some(status) => Ok((between(&console, START_MARK, END_MARK).to_owned(), status)),
            None => bail!("the machine did not finish; {} ends:\n{}", log.display(), tail(&console, 40)),
        }
    }
}

/// Bytes of a machine's disk.
const DISK: u64 = 64 << 20;

/// Runs a machine to its end; what it prints goes to `log`.
fn boot(image: &Path, initramfs: &Path, disk: &Path, log: &Path) -> Result<()> {
    let console = File::create(log)?;
    let mut machine = Command::new("qemu-system-x86_64")
        // Emulated: KVM is often not there, and where it is nested it cannot be relied on.
        // One host thread for both CPUs: with one each, TCG can go on running code that the kernel has patched on the other
        // CPU meanwhile (a tracepoint being switched on), and then it stands still for good.
        .args(["-accel", "tcg,thread=single", "-cpu", "max", "-smp", "2", "-m", "1024"])
        .args(["-nographic", "-vga", "none", "-nic", "none", "-no-reboot"])
        .args(["-append", "console=ttyS0 panic=-1 oops=panic softlockup_panic=1 quiet loglevel=3"])
        // Of the disks that QEMU can play, the one whose driver these kernels have built in.
        .arg("-drive")
        .arg(format!("file={},if=none,id=disk,format=raw,cache=unsafe", disk.display()))
        .args(["-device", "nvme,drive=disk,serial=1"])
        .arg("-kernel")
        .arg(image)
        .arg("-initrd")
        .arg(initramfs)
        .stdin(Stdio::null())
        .stdout(console.try_clone()?)
        .stderr(console)
        .spawn()
        .context("cannot start qemu-system-x86_64")?;
    let deadline = Instant::now() + LIMIT;
    while machine.try_wait()?.is_none() {
        if Instant::now() > deadline {
            machine.kill()?;
            machine.wait()?;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// The module that a machine loads, so that there is one: it needs no other.
const MODULE: &str = "kernel/drivers/net/tun.ko";

/// The bytes of [`MODULE`], which lies beside the kernel's image, compressed or not.
fn module(image: &Path) -> Result<Vec<u8>> {
    let package = image.parent().and_then(Path::parent).context("the image is in a package")?;
    let release = image.file_name().unwrap_or_default().to_string_lossy().replace("vmlinuz-", "");
    let plain = package.join("lib/modules").join(release).join(MODULE);
    if plain.exists() {
        return Ok(fs::read(plain)?);
    }
    let output = Command::new("xz").arg("-dc").arg(plain.with_extension("ko.xz")).output()?;
    ensure!(output.status.success(), "xz: {}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}

fn build_initramfs(programs: &Programs, module: &[u8], arguments: &[String]) -> Result<Vec<u8>> {
    let mut archive = Archive::default();
    for directory in ["bin", "dev", "etc", "proc", "root", "run", "sys", "tmp"] {
        archive.directory(directory);
    }
    archive.device("dev/console", 5, 1);
    archive.program("bin/busybox", &fs::read("/bin/busybox")?);
    archive.program("bin/tracer", &fs::read(&programs.tracer)?);
    archive.program("bin/kernel-tests", &fs::read(&programs.tests)?);
    archive.program("root/module.ko", module);
    archive.program("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n");
    archive.program("init", init(arguments).as_bytes());
    Ok(archive.finish())
}

fn init(arguments: &[String]) -> String {
    let quoted: Vec<_> = arguments.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
    let arguments = quoted.join(" ");
    let patience = std::env::var("TRACER_TEST_PATIENCE").unwrap_or(PATIENCE.to_owned());
    // Which programs are generated is asked for from outside.
    let seed = std::env::var("TRACER_TEST_SEED")
        .map(|seed| format!("export TRACER_TEST_SEED={seed}"))
        .unwrap_or_default();
    format!(
        r#"#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root TRACER_BIN=/bin/tracer TRACER_TEST_PATIENCE={patience}
{seed}
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
mkdir -p /dev/shm /dev/mqueue
# A small machine remembers few closed connections, and forgets new ones first.
echo 65536 > /proc/sys/net/ipv4/tcp_max_tw_buckets
mount -t tmpfs tmpfs /dev/shm
mount -t mqueue mqueue /dev/mqueue
mount -t tracefs tracefs /sys/kernel/tracing
mount -t debugfs debugfs /sys/kernel/debug
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# Tests of block devices want a file system on one.
mke2fs -F -b 4096 /dev/nvme0n1 > /dev/null
mkdir /disk
mount -t ext4 /dev/nvme0n1 /disk && export TRACER_TEST_DISK=/disk
ip link set lo up
insmod /root/module.ko
hostname vm
echo "{START_MARK}"
kernel-tests {arguments}
echo "{END_MARK} $?"
poweroff -f
"#
    )
}

/// The part of `text` after the first `start` and before the first `end`; all of it where they are not there.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let after = text.split_once(start).map_or(text, |(_, after)| after);
    after.split_once(end).map_or(after, |(before, _)| before).trim()
}

/// The last `count` lines.
fn tail(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// The file of `directory` whose name begins with `prefix`.
fn find_file(directory: &Path, prefix: &str) -> Result<PathBuf> {
    let mut files = fs::read_dir(directory)?.filter_map(|entry| Some(entry.ok()?.path()));
    files
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)))
        .with_context(|| format!("no {prefix}* in {}", directory.display()))
}
