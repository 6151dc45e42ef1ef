//! What an event costs, for typical clauses: nanoseconds by the kernel's statistics, as read and net of empty programs on the same
//! tracepoints; how much longer the loop's calls take, without the statistics; instructions.

use std::ffi::CStr;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::statistics::{Empty, Reading, Statistics};
use super::table::Table;
use super::tool::{Running, Tool};
use super::workload::Loop;
use super::{Options, announce};

/// A clause for the tools.
pub(super) struct Clause {
    pub(super) name: &'static str,
    pub(super) d: &'static str,
    pub(super) bpftrace: &'static str,
    /// Programs of bench-ebpf, one for each tracepoint.
    handwritten: &'static [&'static str],
    on: On,
}

impl Clause {
    /// The programs of bench-ebpf and their raw tracepoints.
    pub(super) fn handwritten(&self) -> impl Iterator<Item = (&'static str, &'static CStr)> {
        self.handwritten.iter().zip(self.on.tracepoints()).map(|(name, (raw, _))| (*name, *raw))
    }
}

/// What a clause's programs hang on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum On {
    Entry,
    Return,
    Both,
}

impl On {
    /// The tracepoints: raw ones, and those that bpftrace has of a call.
    fn tracepoints(self) -> &'static [(&'static CStr, &'static str)] {
        const BOTH: [(&CStr, &str); 2] = [
            (c"sys_enter", "tracepoint:syscalls:sys_enter_getppid"),
            (c"sys_exit", "tracepoint:syscalls:sys_exit_getppid"),
        ];
        match self {
            On::Entry => &BOTH[..1],
            On::Return => &BOTH[1..],
            On::Both => &BOTH,
        }
    }
}

/// No process has number 4194305: it is above what a kernel gives.
const CLAUSES: [Clause; 11] = [
    Clause {
        name: "a filter that is false",
        d: "syscall::getppid:entry /pid == 4194305/ { @ = count(); }",
        bpftrace: "tracepoint:syscalls:sys_enter_getppid /pid == 4194305/ { @ = count(); }",
        handwritten: &["rejected"],
        on: On::Entry,
    },
    Clause {
        name: "count()",
        d: "syscall::getppid:entry { @ = count(); }",
        bpftrace: "tracepoint:syscalls:sys_enter_getppid { @ = count(); }",
        handwritten: &["count"],
        on: On::Entry,
    },
    Clause {
        name: "count() by execname",
        d: "syscall::getppid:entry { @[execname] = count(); }",
        bpftrace: "tracepoint:syscalls:sys_enter_getppid { @[comm] = count(); }",
        handwritten: &["by_execname"],
        on: On::Entry,
    },
    Clause {
        name: "count() by pid",
        d: "syscall::getppid:entry { @[pid] = count(); }",
        bpftrace: "tracepoint:syscalls:sys_enter_getppid { @[pid] = count(); }",
        handwritten: &["by_pid"],
        on: On::Entry,
    },
    Clause {
        name: "filtered count()",
        d: "syscall::getppid:entry /pid == $1/ { @ = count(); }",
        bpftrace: "tracepoint:syscalls:sys_enter_getppid /pid == $1/ { @ = count(); }",
        handwritten: &["filtered"],
        on: On::Entry,
    },
    Clause {
        name: "quantize of the result",
        d: "syscall::getppid:return { @ = quantize(arg1); }",
        bpftrace: "tracepoint:syscalls:sys_exit_getppid { @ = hist(args->ret); }",
        handwritten: &["quantize"],
        on: On::Return,
    },
    Clause {
        name: "count() by execname and pid",
        d: "syscall::getppid:entry { @[execname, pid] = count(); }",
        bpftrace: "tracepoint:syscalls:sys_enter_getppid { @[comm, pid] = count(); }",
        handwritten: &["by_both"],
        on: On::Entry,
    },
    Clause {
        name: "sum of the result",
        d: "syscall::getppid:return { @ = sum(arg1); }",
        bpftrace: "tracepoint:syscalls:sys_exit_getppid { @ = sum(args->ret); }",
        handwritten: &["sum"],
        on: On::Return,
    },
    Clause {
        name: "max of the result",
        d: "syscall::getppid:return { @ = max(arg1); }",
        bpftrace: "tracepoint:syscalls:sys_exit_getppid { @ = max(args->ret); }",
        handwritten: &["max"],
        on: On::Return,
    },
    Clause {
        name: "lquantize of the result",
        d: "syscall::getppid:return { @ = lquantize(arg1, 0, 5000000, 50000); }",
        bpftrace: "tracepoint:syscalls:sys_exit_getppid { @ = lhist(args->ret, 0, 5000000, 50000); }",
        handwritten: &["lquantize"],
        on: On::Return,
    },
    Clause {
        name: "quantize of the time between entry and return",
        d: "syscall::getppid:entry { self->t = timestamp; } \
            syscall::getppid:return /self->t/ { @ = quantize(timestamp - self->t); self->t = 0; }",
        bpftrace: "tracepoint:syscalls:sys_enter_getppid { @t[tid] = nsecs; } \
            tracepoint:syscalls:sys_exit_getppid /@t[tid]/ { @ = hist(nsecs - @t[tid]); delete(@t[tid]); }",
        handwritten: &["latency", "latency_return"],
        on: On::Both,
    },
];

/// Measures all clauses with all tools.
pub(super) fn measure(options: &Options, tools: &[Tool], table: &mut Table) -> Result<()> {
    let count = options.events;
    let mut workload = Loop::start()?;
    let each = |time: Duration| time.as_nanos() as f64 / count as f64;
    let untraced = each(workload.run(count, 0)?);
    let mut empties: Vec<(&str, &str, f64)> = Vec::new();
    let wanted = |clause: &&Clause| options.clause.as_ref().is_none_or(|part| clause.name.contains(part));
    for clause in CLAUSES.iter().filter(wanted) {
        for tool in tools {
            announce(&format!("{}: {}", tool.name(), clause.name))?;
            let running = tool.trace(clause, workload.pid())?;
            let slowed = each(workload.run(count, 0)?) - untraced;
            let (read, insns) = since(&running, &mut workload, count)?;
            let output = running.interrupt()?;
            if clause.name.starts_with("filtered") && !output.contains(&(2 * count).to_string()) {
                bail!("{} did not count {} events: {output}", tool.name(), 2 * count);
            }
            let mut empty = 0.0;
            for (raw, full) in clause.on.tracepoints() {
                let known = empties.iter().find(|(name, of, _)| (*name, of) == (tool.name(), full));
                empty += match known {
                    Some((.., nanoseconds)) => *nanoseconds,
                    None => {
                        let nanoseconds = nothing(tool, raw, full, &mut workload, count)?;
                        empties.push((tool.name(), full, nanoseconds));
                        nanoseconds
                    }
                };
            }
            table.add(&format!("{}, ns as read", clause.name), tool, read);
            table.add("  net of an empty program, ns", tool, read - empty);
            table.add("  a loop's call takes longer by, ns", tool, slowed);
            table.add("  instructions", tool, insns as f64);
        }
    }
    Ok(())
}

/// Nanoseconds of an empty program on the tracepoint that the tool uses.
fn nothing(tool: &Tool, raw: &CStr, full: &str, workload: &mut Loop, count: u64) -> Result<f64> {
    if tool.is_raw() {
        let empty = Empty::attach(raw)?;
        let read = between(|| empty.reading(), workload, count)?;
        return Ok(read.0);
    }
    let running = tool.start_text(&format!("{full} {{ }}"), workload.pid(), None)?;
    let (read, _) = since(&running, workload, count)?;
    running.interrupt()?;
    Ok(read)
}

fn since(running: &Running, workload: &mut Loop, count: u64) -> Result<(f64, u64)> {
    between(|| running.reading(), workload, count)
}

/// Nanoseconds a run and instructions, by the kernel's statistics, of the programs that ran for the loop's calls.
fn between(reading: impl Fn() -> Result<Reading>, workload: &mut Loop, count: u64) -> Result<(f64, u64)> {
    let before = reading()?;
    let on = Statistics::enable()?;
    workload.run(count, 0)?;
    let after = reading()?;
    drop(on);
    after.since(&before, count).context("no program ran for the loop's calls")
}
