//! The kernel's statistics of eBPF programs: how often each ran and how long, and an empty program to compare with.
//!
//! Layouts and numbers: include/uapi/linux/bpf.h, Linux 6.18; they never change.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use anyhow::{Context, Result};

const BPF_PROG_LOAD: libc::c_long = 5;
const BPF_OBJ_GET_INFO_BY_FD: libc::c_long = 15;
const BPF_PROG_GET_FD_BY_ID: libc::c_long = 13;
const BPF_RAW_TRACEPOINT_OPEN: libc::c_long = 17;
const BPF_ENABLE_STATS: libc::c_long = 32;
const RAW_TRACEPOINT: u64 = 17;

/// `r0 = 0; exit`.
const NOTHING: [u64; 2] = [0xb7, 0x95];

/// Words of struct bpf_prog_info up to run_cnt, which follows run_time_ns.
const INFO_WORDS: usize = 26;

/// The kernel keeps statistics while this lives (sysctl kernel.bpf_stats_enabled for no longer than we do).
pub(super) struct Statistics {
    _enabled: OwnedFd,
}

impl Statistics {
    pub(super) fn enable() -> Result<Statistics> {
        let enabled =
            bpf(BPF_ENABLE_STATS, &mut [0]).context("the kernel keeps no statistics of programs")?;
        Ok(Statistics { _enabled: open(enabled) })
    }
}

/// What programs have done, by their ids.
#[derive(Debug, Default)]
pub(super) struct Reading(BTreeMap<u64, Done>);

/// Runs and nanoseconds of a program, and its instructions, as the verifier left them.
#[derive(Debug, Default, Clone, Copy)]
struct Done {
    runs: u64,
    nanoseconds: u64,
    insns: u64,
}

impl Reading {
    /// Nanoseconds an event, and instructions, of the programs that ran at least `events` times since.
    pub(super) fn since(&self, before: &Reading, events: u64) -> Option<(f64, u64)> {
        let each = self.0.iter().filter_map(|(id, done)| {
            let begun = before.0.get(id).copied().unwrap_or_default();
            let runs = done.runs - begun.runs;
            let nanoseconds = (done.nanoseconds - begun.nanoseconds) as f64 / runs as f64;
            (runs >= events).then_some((nanoseconds, done.insns))
        });
        each.reduce(|a, b| (a.0 + b.0, a.1 + b.1))
    }
}

/// What the programs have done of which a process holds descriptors.
pub(super) fn reading(pid: u32) -> Result<Reading> {
    let mut reading = Reading::default();
    for entry in fs::read_dir(format!("/proc/{pid}/fdinfo"))? {
        let Ok(text) = fs::read_to_string(entry?.path()) else { continue };
        let id = text.lines().find_map(|line| line.strip_prefix("prog_id:"));
        if let Some(Ok(id)) = id.map(|id| id.trim().parse::<u64>()) {
            reading.0.insert(id, statistics(id)?);
        }
    }
    Ok(reading)
}

/// What one program has done.
fn statistics(id: u64) -> Result<Done> {
    let program = open(bpf(BPF_PROG_GET_FD_BY_ID, &mut [id]).context("a program of the run has gone")?);
    let mut info = [0_u64; INFO_WORDS];
    let size = (size_of_val(&info) as u64) << 32;
    let mut attr = [program.as_raw_fd() as u64 | size, info.as_mut_ptr() as u64];
    bpf(BPF_OBJ_GET_INFO_BY_FD, &mut attr)?;
    // The third word: bytes of machine code, of instructions.
    let insns = (info[2] >> 32) / size_of::<u64>() as u64;
    Ok(Done { runs: info[INFO_WORDS - 1], nanoseconds: info[INFO_WORDS - 2], insns })
}

/// An empty program on a raw tracepoint.
pub(super) struct Empty {
    program: OwnedFd,
    _link: OwnedFd,
}

impl Empty {
    pub(super) fn attach(event: &CStr) -> Result<Empty> {
        let count = (NOTHING.len() as u64) << 32;
        let mut attr = [RAW_TRACEPOINT | count, NOTHING.as_ptr() as u64, c"GPL".as_ptr() as u64, 0, 0, 0];
        let program = open(bpf(BPF_PROG_LOAD, &mut attr)?);
        let link = bpf(BPF_RAW_TRACEPOINT_OPEN, &mut [event.as_ptr() as u64, program.as_raw_fd() as u64])?;
        Ok(Empty { program, _link: open(link) })
    }

    /// Its statistics.
    pub(super) fn reading(&self) -> Result<Reading> {
        let text = fs::read_to_string(format!("/proc/self/fdinfo/{}", self.program.as_raw_fd()))?;
        let id = text.lines().find_map(|line| line.strip_prefix("prog_id:")).context("no id")?.trim();
        let id = id.parse()?;
        Ok(Reading(BTreeMap::from([(id, statistics(id)?)])))
    }
}

/// bpf(2), its attributes as words: on this byte order the first of two halves is the lower one.
fn bpf(command: libc::c_long, attr: &mut [u64]) -> io::Result<i32> {
    const { assert!(cfg!(target_endian = "little")) }
    // SAFETY: the beginning of a union bpf_attr of that size; addresses in it are of what lives longer than the call.
    match unsafe { libc::syscall(libc::SYS_bpf, command, attr.as_mut_ptr(), size_of_val(attr)) } {
        -1 => Err(io::Error::last_os_error()),
        result => Ok(result as i32),
    }
}

/// A descriptor that the kernel has just given us.
fn open(descriptor: i32) -> OwnedFd {
    // SAFETY: it is new, and nobody else has it.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}
