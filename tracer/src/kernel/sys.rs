//! bpf(2) and perf_event_open(2): the only file that calls them. What is made here ends with its descriptor.
//!
//! Layouts and numbers are those of `union bpf_attr` in include/uapi/linux/bpf.h and of `struct perf_event_attr` in
//! include/uapi/linux/perf_event.h, Linux 6.18; they never change.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

/// enum bpf_cmd.
const MAP_CREATE: libc::c_long = 0;
pub(crate) const MAP_LOOKUP_ELEM: libc::c_long = 1;
pub(crate) const MAP_UPDATE_ELEM: libc::c_long = 2;
pub(crate) const MAP_DELETE_ELEM: libc::c_long = 3;
const PROG_LOAD: libc::c_long = 5;
const PROG_TEST_RUN: libc::c_long = 10;
pub(crate) const OBJ_GET_INFO_BY_FD: libc::c_long = 15;
const RAW_TRACEPOINT_OPEN: libc::c_long = 17;
const BTF_LOAD: libc::c_long = 18;
const MAP_FREEZE: libc::c_long = 22;
const LINK_CREATE: libc::c_long = 28;
pub(crate) const MAP_LOOKUP_AND_DELETE_ELEM: libc::c_long = 21;
pub(crate) const MAP_LOOKUP_BATCH: libc::c_long = 24;

/// enum bpf_map_type; a flag of a map that programs only read.
pub(crate) const ARRAY: u32 = 2;
pub(crate) const RINGBUF: u32 = 27;
pub(crate) const RDONLY_PROG: u32 = 1 << 7;

/// enum bpf_attach_type.
pub(crate) const PERF_LINK: u32 = 41;
pub(crate) const TRACE_KPROBE_MULTI: u32 = 42;
pub(crate) const TRACE_UPROBE_MULTI: u32 = 48;

/// enum bpf_prog_type.
pub(crate) const KPROBE: u32 = 2;
pub(crate) const PERF_EVENT: u32 = 7;
pub(crate) const RAW_TRACEPOINT: u32 = 17;
pub(crate) const TRACING: u32 = 26;

/// What the verifier tells: of the path that it refused; everything; both with its statistics.
const LOG_PATH: u32 = 1 | 4;
const LOG_ALL: u32 = 1 | 2 | 4;
/// Bytes of the verifier's log that are kept.
const LOG_SIZE: usize = 16 << 20;

/// enum perf_type_id, enum perf_sw_ids, a flag of the call and requests of ioctl(2) on an event.
const TYPE_SOFTWARE: u64 = 1;
const CPU_CLOCK: u64 = 0;
const DUMMY: u64 = 9;
const PERF_FLAG_FD_CLOEXEC: libc::c_ulong = 8;
const IOC_ENABLE: libc::c_ulong = 0x2400;
const IOC_SET_BPF: libc::c_ulong = 0x4004_2408;

/// The beginning of `union bpf_attr` for MAP_CREATE, as far as maps without types go.
#[repr(C)]
#[derive(Default)]
pub(crate) struct MapAttr {
    pub(crate) kind: u32,
    pub(crate) key_size: u32,
    pub(crate) value_size: u32,
    pub(crate) max_entries: u32,
    pub(crate) flags: u32,
    pub(crate) inner_map: u32,
    pub(crate) numa_node: u32,
    pub(crate) name: [u8; 16],
    pub(crate) pad: u32,
}

/// The beginning of `union bpf_attr` for PROG_LOAD.
#[repr(C)]
#[derive(Default)]
pub(crate) struct ProgramAttr {
    pub(crate) kind: u32,
    pub(crate) insn_count: u32,
    pub(crate) insns: u64,
    pub(crate) license: u64,
    pub(crate) log_level: u32,
    pub(crate) log_size: u32,
    pub(crate) log: u64,
    pub(crate) kernel_version: u32,
    pub(crate) flags: u32,
    pub(crate) name: [u8; 16],
    pub(crate) ifindex: u32,
    pub(crate) attach_type: u32,
    pub(crate) btf: u32,
    pub(crate) func_info_size: u32,
    pub(crate) func_info: u64,
    pub(crate) func_info_count: u32,
    pub(crate) line_info_size: u32,
    pub(crate) line_info: u64,
    pub(crate) line_info_count: u32,
    pub(crate) attach_btf_id: u32,
}

/// Makes a map.
pub(crate) fn create_map(attr: &mut MapAttr) -> io::Result<OwnedFd> {
    bpf(MAP_CREATE, attr).map(open)
}

/// Takes from user space the right to write to a map.
pub(crate) fn freeze_map(map: BorrowedFd<'_>) -> io::Result<()> {
    bpf(MAP_FREEZE, &mut [map.as_raw_fd() as u32]).map(drop)
}

/// Gives the kernel the types of functions, in BTF.
pub(crate) fn load_types(types: &[u8]) -> io::Result<OwnedFd> {
    // btf, btf_log_buf, btf_size and btf_log_size, btf_log_level.
    bpf(BTF_LOAD, &mut [types.as_ptr() as u64, 0, types.len() as u64, 0]).map(open)
}

/// Loads a program. The pointers in `attr` are to what lives longer than the call.
pub(crate) fn load_program(attr: &mut ProgramAttr) -> io::Result<OwnedFd> {
    (attr.log_level, attr.log_size, attr.log) = (0, 0, 0);
    bpf(PROG_LOAD, attr).map(open)
}

/// Loads a program of a few instructions without maps; `attr` says of which kind.
pub(crate) fn load_code(code: &[u64], attr: ProgramAttr) -> io::Result<OwnedFd> {
    load_program(&mut ProgramAttr {
        insn_count: code.len() as u32,
        insns: code.as_ptr() as u64,
        license: c"Dual MIT/GPL".as_ptr() as u64,
        ..attr
    })
}

/// Loads again a program that was refused, for what the verifier says about it.
pub(crate) fn verifier_log(attr: &mut ProgramAttr, all: bool) -> String {
    let level = if all { LOG_ALL } else { LOG_PATH };
    let mut log = vec![0_u8; LOG_SIZE];
    (attr.log_level, attr.log_size, attr.log) = (level, LOG_SIZE as u32, log.as_mut_ptr() as u64);
    // Refused again, or the program goes with its descriptor.
    let _ = bpf(PROG_LOAD, attr).map(open);
    let end = log.iter().position(|&byte| byte == 0).unwrap_or(log.len());
    String::from_utf8_lossy(&log[..end]).into_owned()
}

/// Attaches a program to a raw tracepoint.
pub(crate) fn open_raw_tracepoint(event: &CStr, program: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let mut attr = [event.as_ptr() as u64, program.as_raw_fd() as u64];
    bpf(RAW_TRACEPOINT_OPEN, &mut attr).map(open)
}

/// Attaches a program to the kernel function that it was loaded for.
pub(crate) fn attach_function(program: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    bpf(RAW_TRACEPOINT_OPEN, &mut [0, program.as_raw_fd() as u64]).map(open)
}

/// Functions of the kernel, by their names or by where they begin.
#[derive(Clone, Copy)]
pub(crate) enum Functions<'a> {
    Names(&'a [&'a CStr]),
    Addresses(&'a [u64]),
}

/// Attaches a program to all these functions, each with its cookie.
pub(crate) fn link_functions(
    program: BorrowedFd<'_>,
    returns: bool,
    functions: Functions<'_>,
    cookies: &[u64],
) -> io::Result<OwnedFd> {
    const RETURN: u64 = 1;
    let (names, addresses): (Vec<u64>, &[u64]) = match functions {
        Functions::Names(names) => (names.iter().map(|name| name.as_ptr() as u64).collect(), &[]),
        Functions::Addresses(addresses) => (Vec::new(), addresses),
    };
    let or_null = |words: &[u64]| if words.is_empty() { 0 } else { words.as_ptr() as u64 };
    // prog_fd and target_fd, attach_type and flags; kprobe_multi: flags and cnt, syms, addrs, cookies.
    let mut attr = [
        program.as_raw_fd() as u64,
        u64::from(TRACE_KPROBE_MULTI),
        (cookies.len() as u64) << 32 | if returns { RETURN } else { 0 },
        or_null(&names),
        or_null(addresses),
        or_null(cookies),
    ];
    bpf(LINK_CREATE, &mut attr).map(open)
}

/// Attaches a program to a perf event, with a cookie. The link keeps the event.
pub(crate) fn link_event(event: BorrowedFd<'_>, program: BorrowedFd<'_>, cookie: u64) -> io::Result<OwnedFd> {
    // prog_fd and target_fd, attach_type and flags; perf_event: bpf_cookie.
    let target = (event.as_raw_fd() as u64) << 32;
    bpf(LINK_CREATE, &mut [program.as_raw_fd() as u64 | target, u64::from(PERF_LINK), cookie]).map(open)
}

/// An event for a function of the kernel, by its name or, where there are several of that name, by its address. `kind` is that of
/// kprobes.
pub(crate) fn open_kprobe(kind: u32, returns: bool, function: Result<&CStr, u64>) -> io::Result<OwnedFd> {
    let (name, address) = match function {
        Ok(name) => (name.as_ptr() as u64, 0),
        Err(address) => (0, address),
    };
    // As for open_clock; then kprobe_func and kprobe_addr (PERF_ATTR_SIZE_VER1).
    open_event(EVERY_PROCESS, 0, &[u64::from(kind) | 72 << 32, returns.into(), 0, 0, 0, 0, 0, name, address])
}

/// Runs a raw tracepoint program once, here and now; gives what it returned.
pub(crate) fn test_run(program: BorrowedFd<'_>) -> io::Result<u32> {
    // prog_fd, retval, and what else the command has, all of it zero: no context, any CPU.
    let mut attr = [0_u64; 10];
    attr[0] = program.as_raw_fd() as u64;
    bpf(PROG_TEST_RUN, &mut attr)?;
    Ok((attr[0] >> 32) as u32)
}

/// Runs a raw tracepoint program once on a CPU, with those arguments; gives what it returned.
pub(crate) fn test_run_on(program: BorrowedFd<'_>, cpu: u32, arguments: &[u64]) -> io::Result<u32> {
    const ON_CPU: u64 = 1;
    // As above, and: the context's length, the context; flags, the CPU.
    let mut attr = [0_u64; 10];
    attr[0] = program.as_raw_fd() as u64;
    (attr[5], attr[6]) = (size_of_val(arguments) as u64, arguments.as_ptr() as u64);
    attr[8] = ON_CPU | u64::from(cpu) << 32;
    bpf(PROG_TEST_RUN, &mut attr)?;
    Ok((attr[0] >> 32) as u32)
}

/// Runs a program each time that a CPU's clock has gone on by a period.
pub(crate) fn open_clock(cpu: u32, period_ns: u64, program: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    open_counter(cpu, [TYPE_SOFTWARE, CPU_CLOCK], 0, period_ns, program)
}

/// `perf_event_attr`'s flags: the event does not count yet; it does not count in user code, in the kernel.
const DISABLED: u64 = 1 << 0;
pub(crate) const EXCLUDE_USER: u64 = 1 << 4;
pub(crate) const EXCLUDE_KERNEL: u64 = 1 << 5;

/// Runs a program each time that a CPU has counted so many events more. An event is its type and its number.
pub(crate) fn open_counter(
    cpu: u32,
    [kind, config]: [u64; 2],
    flags: u64,
    period: u64,
    program: BorrowedFd<'_>,
) -> io::Result<OwnedFd> {
    // type and size, config, period, sample_type, read_format, flags, wake-up, address.
    let attr = [kind | 64 << 32, config, period, 0, 0, DISABLED | flags, 0, 0_u64];
    let event = open_event(EVERY_PROCESS, cpu as i32, &attr)?;
    let request = |request, argument: libc::c_int| {
        // SAFETY: both requests take an integer.
        checked(libc::c_long::from(unsafe { libc::ioctl(event.as_raw_fd(), request, argument) }))
    };
    request(IOC_SET_BPF, program.as_raw_fd())?;
    request(IOC_ENABLE, 0)?;
    Ok(event)
}

/// Whether an event, by its type and number, can be counted: asked for this thread.
pub(crate) fn can_count(kind: u32, config: u64) -> bool {
    open_event(0, ANY_CPU, &[u64::from(kind) | 64 << 32, config, 0, 0, 0, DISABLED, 0, 0_u64]).is_ok()
}

/// Records what processes on a CPU map as code, and their forks, execs and ends, each with the time.
pub(crate) fn open_mappings(cpu: u32) -> io::Result<OwnedFd> {
    const SAMPLE_TIME: u64 = 1 << 2;
    // mmap, comm, task, sample_id_all, mmap2, comm_exec, use_clockid.
    const FLAGS: u64 = 1 << 8 | 1 << 9 | 1 << 13 | 1 << 18 | 1 << 23 | 1 << 24 | 1 << 25;
    let clock = (libc::CLOCK_MONOTONIC as u64) << 32;
    // As above, and: length, branches, registers, the clock (PERF_ATTR_SIZE_VER3).
    open_event(
        EVERY_PROCESS,
        cpu as i32,
        &[TYPE_SOFTWARE | 96 << 32, DUMMY, 0, SAMPLE_TIME, 0, FLAGS, 0, 0, 0, 0, 0, clock],
    )
}

/// Attaches a program to places of a file in one process. The lists have as many words as there are places; that of semaphores
/// may be empty.
pub(crate) fn link_uprobes(
    program: BorrowedFd<'_>,
    process: u32,
    flags: u32,
    file: &CStr,
    [offsets, semaphores, cookies]: [&[u64]; 3],
) -> io::Result<OwnedFd> {
    debug_assert!(offsets.len() == cookies.len());
    let semaphores = if semaphores.is_empty() { 0 } else { semaphores.as_ptr() as u64 };
    // prog_fd and target_fd, attach_type and flags; uprobe_multi: path, offsets, ref_ctr_offsets, cookies, cnt and flags, pid.
    let mut attr = [
        program.as_raw_fd() as u64,
        u64::from(TRACE_UPROBE_MULTI),
        file.as_ptr() as u64,
        offsets.as_ptr() as u64,
        semaphores,
        cookies.as_ptr() as u64,
        offsets.len() as u64 | u64::from(flags) << 32,
        process.into(),
    ];
    bpf(LINK_CREATE, &mut attr).map(open)
}

/// Attaches a program, with a cookie, to a place of a file in one process: to a perf event of the kind `uprobe`, whose number
/// and further settings are the running kernel's.
pub(crate) fn link_uprobe(
    program: BorrowedFd<'_>,
    process: u32,
    (kind, config): (u32, u64),
    (file, offset): (&CStr, u64),
    cookie: u64,
) -> io::Result<OwnedFd> {
    const EVERY_CPU: i32 = -1;
    // As for a clock; the last two are the file and the place in it (PERF_ATTR_SIZE_VER1).
    let attr = [u64::from(kind) | 72 << 32, config, 0, 0, 0, 1, 0, file.as_ptr() as u64, offset];
    let event = open_event(process as i32, EVERY_CPU, &attr)?;
    let link = link_event(event.as_fd(), program, cookie)?;
    // SAFETY: the request takes an integer.
    checked(libc::c_long::from(unsafe { libc::ioctl(event.as_raw_fd(), IOC_ENABLE, 0) }))?;
    Ok(link)
}

const EVERY_PROCESS: i32 = -1;

/// Of an event of a process: whichever CPU that is on.
const ANY_CPU: i32 = -1;

/// A perf event of a process on a CPU. The attributes are as long as their second half word says.
fn open_event(process: i32, cpu: i32, attr: &[u64]) -> io::Result<OwnedFd> {
    let no_group = -1_i32;
    debug_assert_eq!(attr[0] >> 32, size_of_val(attr) as u64);
    // SAFETY: a struct perf_event_attr of that size.
    let event = unsafe {
        libc::syscall(libc::SYS_perf_event_open, attr.as_ptr(), process, cpu, no_group, PERF_FLAG_FD_CLOEXEC)
    };
    checked(event).map(|event| open(event as i32))
}

/// bpf(2). The addresses in `attr` are of live buffers of the sizes that the command expects.
pub(crate) fn bpf<T>(command: libc::c_long, attr: &mut T) -> io::Result<i32> {
    let address = std::ptr::from_mut(attr);
    loop {
        // SAFETY: `attr` is the beginning of a union bpf_attr of that size; the kernel takes the rest as zero.
        match checked(unsafe { libc::syscall(libc::SYS_bpf, command, address, size_of::<T>()) }) {
            // The verifier gives way to a signal that is pending.
            Err(error) if command == PROG_LOAD && error.raw_os_error() == Some(libc::EAGAIN) => {}
            result => return result.map(|result| result as i32),
        }
    }
}

/// What the system says of an error, without its number.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

fn checked(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// The descriptor that a command has given us.
fn open(descriptor: i32) -> OwnedFd {
    // SAFETY: it is new, and nobody else has it.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

/// A name as the kernel takes it: 15 bytes of letters, digits, `_` and `.`.
pub(crate) fn name(text: &str) -> [u8; 16] {
    let mut name = [0; 16];
    for (into, byte) in name[..15].iter_mut().zip(text.bytes()) {
        *into = if byte.is_ascii_alphanumeric() || byte == b'.' { byte } else { b'_' };
    }
    name
}
