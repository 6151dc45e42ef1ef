//! The pipe provider: transfers against what the calls returned and FIONREAD counts, waits against the workload's own clock,
//! ends against what the other end sees.

use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::harness::workload::until_asleep;
use crate::harness::{Family, Observation, Report, observe, until};

pub(crate) const FAMILY: Family = Family {
    name: "pipe",
    tests: &[
        ("transfers_are_as_the_calls_return", transfers_are_as_the_calls_return),
        ("a_fifo_is_a_pipe_with_a_name", a_fifo_is_a_pipe_with_a_name),
        ("a_full_pipe_and_an_empty_one_are_waited_for", waits_are_timed),
        ("ends_are_closed_by_the_last_of_their_descriptors", ends_are_closed),
        ("a_pipe_without_readers_is_broken", a_pipe_without_readers_is_broken),
    ],
    workloads: &[
        ("pipe_transfers", transfers),
        ("pipe_fifo", fifo),
        ("pipe_waits", waits),
        ("pipe_ends", ends),
        ("pipe_broken", broken),
    ],
};

const TRANSFERS: &str = r#"
    pipe:::create /pid == $1/ { printf("%d create %d %d\n", args[0]->pipe_ino, args[1], args[2]); }
    pipe:::read, pipe:::write /pid == $1/ {
        printf("%d %s %d asked %d done %d error %d bytes %d of %d fifo %d\n", args[0]->pipe_ino, probename, args[0]->pipe_fd,
            args[1], args[2], args[3], args[0]->pipe_bytes, args[0]->pipe_capacity, args[0]->pipe_fifo);
    }"#;

/// Compares what was told of the workload's pipe with its list. It has other pipes, to this program.
fn compare(seen: &Observation) -> Result<()> {
    let inode = format!("{} ", seen.report.text("inode")?);
    let told: Vec<_> = seen.output.lines().into_iter().filter_map(|line| line.strip_prefix(&inode)).collect();
    let truth: Vec<_> = seen.report.text("truth")?.split("; ").collect();
    ensure!(told == truth, "told: {told:#?}\ntruth: {truth:#?}\n{seen:?}");
    Ok(())
}

/// A pipe of the workload, and what it did with it.
struct Pipe {
    reader: RawFd,
    writer: RawFd,
    fifo: i32,
    done: Vec<String>,
}

impl Pipe {
    fn new() -> Result<Pipe> {
        let mut ends = [0; 2];
        // SAFETY: room for two descriptors.
        let made = unsafe { libc::pipe(ends.as_mut_ptr()) };
        ensure!(made == 0, "pipe: {}", std::io::Error::last_os_error());
        let [reader, writer] = ends;
        Ok(Pipe { reader, writer, fifo: 0, done: vec![format!("create {reader} {writer}")] })
    }

    fn inode(&self) -> Result<u64> {
        // SAFETY: zeros are a value of it, and fstat fills it in.
        let mut stat: libc::stat = unsafe { std::mem::zeroed() };
        // SAFETY: a structure of ours.
        ensure!(unsafe { libc::fstat(self.reader, &raw mut stat) } == 0);
        Ok(stat.st_ino)
    }

    /// Notes a call, as the probe should tell it.
    fn note(&mut self, call: &str, fd: RawFd, asked: usize, done: isize) {
        let failed = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
        let error = if done < 0 { failed } else { 0 };
        let mut bytes: libc::c_int = 0;
        // SAFETY: an integer of ours to fill in; no pointer.
        let capacity = unsafe {
            libc::ioctl(self.reader, libc::FIONREAD, &raw mut bytes);
            libc::fcntl(self.reader, libc::F_GETPIPE_SZ)
        };
        let text = format!(
            "{call} {fd} asked {asked} done {done} error {error} bytes {bytes} of {capacity} fifo {}",
            self.fifo
        );
        self.done.push(text);
    }

    fn write(&mut self, size: usize) -> isize {
        let data = vec![b'x'; size];
        // SAFETY: `size` bytes of ours.
        let done = unsafe { libc::write(self.writer, data.as_ptr().cast(), size) };
        self.note("write", self.writer, size, done);
        done
    }

    fn read(&mut self, size: usize) -> isize {
        let mut data = vec![0_u8; size];
        // SAFETY: `size` bytes of ours.
        let done = unsafe { libc::read(self.reader, data.as_mut_ptr().cast(), size) };
        self.note("read", self.reader, size, done);
        done
    }

    fn report(&self) -> Result<Report> {
        Ok(Report::default().with("inode", self.inode()?).with("truth", self.done.join("; ")))
    }
}

fn transfers_are_as_the_calls_return() -> Result<()> {
    compare(&observe(TRANSFERS, "pipe_transfers", &[])?)
}

/// Writes that share buffers and span several, vectors, and an end of the data.
fn transfers(_: &[String]) -> Result<Report> {
    let mut pipe = Pipe::new()?;
    for size in [1, 100, 4096, 10_000] {
        pipe.write(size);
    }
    pipe.read(50);
    let parts = [b"abc".as_slice(), b"", b"defgh"];
    let vector =
        parts.map(|part| libc::iovec { iov_base: part.as_ptr().cast_mut().cast(), iov_len: part.len() });
    // SAFETY: parts of ours, which are only read.
    let done = unsafe { libc::writev(pipe.writer, vector.as_ptr(), 3) };
    pipe.note("write", pipe.writer, 8, done);
    let mut data = [0_u8; 600];
    let base = data.as_mut_ptr();
    let vector: [libc::iovec; 20] =
        // SAFETY: places inside `data`.
        std::array::from_fn(|part| libc::iovec { iov_base: unsafe { base.add(part * 30) }.cast(), iov_len: 30 });
    // SAFETY: parts of `data`.
    let done = unsafe { libc::readv(pipe.reader, vector.as_ptr(), 20) };
    // Of more than 16 parts the first 16 are summed.
    pipe.note("read", pipe.reader, 480, done);
    ensure!(done == 600);
    while pipe.read(5000) == 5000 {}
    let report = pipe.report()?;
    Ok(report)
}

fn a_fifo_is_a_pipe_with_a_name() -> Result<()> {
    compare(&observe(TRANSFERS, "pipe_fifo", &[])?)
}

fn fifo(_: &[String]) -> Result<Report> {
    let path = format!("/tmp/tracer-test-fifo-{}", std::process::id());
    let name = std::ffi::CString::new(path.clone())?;
    // SAFETY: a string that ends in zero.
    let fd = unsafe {
        libc::mkfifo(name.as_ptr(), 0o600);
        libc::open(name.as_ptr(), libc::O_RDWR | libc::O_NONBLOCK)
    };
    std::fs::remove_file(path)?;
    let mut pipe = Pipe { reader: fd, writer: fd, fifo: 1, done: vec![] };
    ensure!(pipe.read(10) == -1);
    ensure!(pipe.write(5) == 5 && pipe.read(10) == 5);
    pipe.report()
}

fn waits_are_timed() -> Result<()> {
    const PROGRAM: &str = r#"
        pipe:::block-start /pid == $1/ { printf("%d asleep %d\n", args[0]->pipe_ino, args[2]); }
        pipe:::block /pid == $1/ { printf("%d woken %d %d\n", args[0]->pipe_ino, args[2], args[1] / 1000); }
        pipe:::write, pipe:::read /pid == $1/ { printf("%d %s %d %d\n", args[0]->pipe_ino, probename, args[5] / 1000, args[4] / 1000); }"#;
    let seen = observe(PROGRAM, "pipe_waits", &[])?;
    let inode = format!("{} ", seen.report.text("inode")?);
    let lines: Vec<Vec<&str>> = (seen.output.lines().into_iter())
        .filter_map(|line| Some(line.strip_prefix(&inode)?.split(' ').collect()))
        .collect();
    for (call, full, truth) in [("write", "1", "writing"), ("read", "0", "reading")] {
        let asleep = lines.iter().filter(|words| words[..] == ["asleep", full]).count();
        ensure!(asleep >= 1, "{call} did not go to sleep: {seen:?}");
        let woken: Vec<_> = lines.iter().filter(|words| words[0] == "woken" && words[1] == full).collect();
        ensure!(woken.len() == 1, "{call}: {seen:?}");
        let blocked: i64 = woken[0][2].parse()?;
        let told = lines.iter().find(|words| words[0] == call).context("no transfer")?;
        let (same, latency): (i64, i64) = (told[1].parse()?, told[2].parse()?);
        let taken = seen.report.number(truth)?;
        ensure!(same == blocked, "{call}: block and {call} differ: {seen:?}");
        // Microseconds by three clocks, each around the one before.
        ensure!(
            LATE.as_micros() as i64 <= blocked && blocked <= latency && latency <= taken,
            "{call}: {seen:?}"
        );
    }
    Ok(())
}

/// How long the other end lets one wait that sleeps already.
const LATE: Duration = Duration::from_millis(5);

/// Writes more than fits to a child that is slow to read, then reads from one that is slow to write.
fn waits(_: &[String]) -> Result<Report> {
    let mut pipe = Pipe::new()?;
    let inode = pipe.inode()?;
    let (reader, writer) = (pipe.reader, pipe.writer);
    let mut data = vec![0_u8; 100_000];
    let parent = std::process::id() as libc::pid_t;
    // SAFETY: a workload has one thread; the child sleeps, reads files, and reads and writes memory of its own.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let late = |call| until_asleep(parent, call).map(|()| std::thread::sleep(LATE)).is_ok();
        let mut left = 100_000;
        // SAFETY: as many bytes as there are.
        unsafe {
            let mut well = late(libc::SYS_write);
            while left > 0 {
                left -= libc::read(reader, data.as_mut_ptr().cast(), left as usize);
            }
            well &= late(libc::SYS_read);
            libc::write(writer, data.as_ptr().cast(), 10);
            libc::_exit((!well).into());
        }
    }
    let start = Instant::now();
    ensure!(pipe.write(100_000) == 100_000);
    let writing = start.elapsed();
    // The child takes the last bytes, not we.
    until("the pipe is empty", || {
        let mut bytes: libc::c_int = 0;
        // SAFETY: an integer of ours to fill in.
        Ok(unsafe { libc::ioctl(reader, libc::FIONREAD, &raw mut bytes) } == 0 && bytes == 0)
    })?;
    let start = Instant::now();
    ensure!(pipe.read(10) == 10);
    let reading = start.elapsed();
    let mut status = 0;
    // SAFETY: an integer of ours to fill in.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    ensure!(status == 0, "the child could not see the other end asleep");
    let report = Report::default().with("inode", inode);
    Ok(report.with("writing", writing.as_micros() + 1).with("reading", reading.as_micros() + 1))
}

fn ends_are_closed() -> Result<()> {
    const PROGRAM: &str = r#"
        pipe:::close-end /pid == $1 || ppid == $1/ {
            printf("%d %s end %d of pid %d, %d left, %d readers %d writers before\n", args[0]->pipe_ino, probefunc,
                args[0]->pipe_end, pid, args[1], args[0]->pipe_readers, args[0]->pipe_writers);
        }"#;
    compare(&observe(PROGRAM, "pipe_ends", &[])?)
}

/// The writing end lives on in a child until that ends; the reading end is closed by dup2 over it.
fn ends(_: &[String]) -> Result<Report> {
    let pipe = Pipe::new()?;
    let inode = pipe.inode()?;
    // SAFETY: a workload has one thread; the child only sleeps and ends. The descriptors are ours.
    let child = unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::close(pipe.reader);
            std::thread::sleep(Duration::from_millis(30));
            libc::_exit(0);
        }
        libc::close(pipe.writer);
        let mut byte = 0_u8;
        ensure!(libc::read(pipe.reader, (&raw mut byte).cast(), 1) == 0, "the child's end was not closed");
        libc::waitpid(child, std::ptr::null_mut(), 0);
        libc::dup2(2, pipe.reader);
        child
    };
    let me = std::process::id();
    let truth = format!(
        "exit end 1 of pid {child}, 0 left, 1 readers 1 writers before; \
         close end 0 of pid {me}, 0 left, 1 readers 0 writers before"
    );
    Ok(Report::default().with("inode", inode).with("truth", truth))
}

fn a_pipe_without_readers_is_broken() -> Result<()> {
    const PROGRAM: &str = r#"
        pipe:::broken /pid == $1/ { printf("%d broken %d asked %d error %d\n", args[0]->pipe_ino, args[2], args[1], args[3]); }
        proc:::signal-send /pid == $1 && args[2] == SIGPIPE/ { printf("SIGPIPE\n"); }"#;
    let seen = observe(PROGRAM, "pipe_broken", &[])?;
    compare(&seen)?;
    ensure!(seen.output.lines().contains(&"SIGPIPE"), "{seen:?}");
    Ok(())
}

fn broken(_: &[String]) -> Result<Report> {
    let mut pipe = Pipe::new()?;
    let inode = pipe.inode()?;
    // SAFETY: the descriptor is ours.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        libc::close(pipe.reader);
    }
    ensure!(pipe.write(3) == -1);
    let truth = format!("broken -1 asked 3 error {}", libc::EPIPE);
    Ok(Report::default().with("inode", inode).with("truth", truth))
}
