//! What the other families stand on: the kernel's files and networks, and the harness itself.

use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use anyhow::{Result, bail, ensure};

use crate::harness::{Family, Report, Workload, skip, truth, workload};

pub(crate) const FAMILY: Family = Family {
    name: "environment",
    tests: &[
        ("kernel_types_are_there", kernel_types_are_there),
        ("tracefs_is_mounted", tracefs_is_mounted),
        ("loopback_carries_tcp", loopback_carries_tcp),
        ("loopback_carries_tcp_over_ipv6", loopback_carries_tcp_over_ipv6),
        ("workload_waits_and_reports", workload_waits_and_reports),
        ("workload_is_ended_by_its_signal", workload_is_ended_by_its_signal),
        ("workload_can_be_a_command", workload_can_be_a_command),
    ],
    workloads: &[("add", add), ("abort", abort)],
};

fn kernel_types_are_there() -> Result<()> {
    let btf = std::fs::read("/sys/kernel/btf/vmlinux")?;
    ensure!(btf.starts_with(&[0x9f, 0xeb]), "/sys/kernel/btf/vmlinux does not begin with BTF's magic number");
    Ok(())
}

fn tracefs_is_mounted() -> Result<()> {
    for place in ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"] {
        if Path::new(place).join("events/sched/sched_switch/id").exists() {
            return Ok(());
        }
    }
    bail!("no tracefs with sched_switch at /sys/kernel/tracing or /sys/kernel/debug/tracing")
}

fn loopback_carries_tcp() -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    TcpStream::connect(listener.local_addr()?)?;
    Ok(())
}

fn loopback_carries_tcp_over_ipv6() -> Result<()> {
    let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else {
        return skip("no IPv6 on the loopback");
    };
    TcpStream::connect(listener.local_addr()?)?;
    Ok(())
}

fn workload_waits_and_reports() -> Result<()> {
    let workload = Workload::start("add", &["40", "2"])?;
    let comm = std::fs::read_to_string(format!("/proc/{}/comm", workload.pid()))?;
    let (report, status) = workload.finish()?;
    ensure!(status.success() && report.number("sum")? == 42, "{comm}: {status}, {report:?}");
    Ok(())
}

fn workload_is_ended_by_its_signal() -> Result<()> {
    let (_, status) = Workload::start("abort", &[])?.finish()?;
    ensure!(status.signal() == Some(libc::SIGABRT), "{status}");
    Ok(())
}

fn workload_can_be_a_command() -> Result<()> {
    let (command, report) = workload::command("add", &["1", "2", "3"])?;
    let words: Vec<_> = command.split(' ').collect();
    ensure!(std::process::Command::new(words[0]).args(&words[1..]).status()?.success());
    ensure!(truth(&report)?.number("sum")? == 6);
    Ok(())
}

/// Adds its arguments.
fn add(arguments: &[String]) -> Result<Report> {
    let sum = arguments.iter().map(|argument| argument.parse::<i64>()).sum::<Result<i64, _>>()?;
    Ok(Report::default().with("sum", sum))
}

fn abort(_: &[String]) -> Result<Report> {
    std::process::abort()
}
