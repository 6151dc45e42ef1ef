//! The trampolines, one file a provider. Their records and tables are in `probes_common::providers`.

mod counts;
mod cpc;
mod dtrace;
mod fbt;
mod io;
mod ip;
mod lockstat;
mod pid;
mod pipe;
mod proc;
mod profile;
mod rawtp;
mod sched;
mod socket;
mod syscall;
mod tcp;
mod udp;
mod usdt;
