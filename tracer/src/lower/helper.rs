//! Numbers of the kernel's helpers (`enum bpf_func_id` in include/uapi/linux/bpf.h) that clauses call.

pub(super) const MAP_LOOKUP_ELEM: u32 = 1;
pub(super) const MAP_UPDATE_ELEM: u32 = 2;
pub(super) const MAP_DELETE_ELEM: u32 = 3;
pub(super) const KTIME_GET_NS: u32 = 5;
pub(super) const GET_PRANDOM_U32: u32 = 7;
pub(super) const GET_SMP_PROCESSOR_ID: u32 = 8;
pub(super) const GET_CURRENT_PID_TGID: u32 = 14;
pub(super) const GET_CURRENT_UID_GID: u32 = 15;
pub(super) const GET_CURRENT_COMM: u32 = 16;
pub(super) const GET_STACK: u32 = 67;
pub(super) const GET_CURRENT_TASK: u32 = 35;
pub(super) const PROBE_WRITE_USER: u32 = 36;
pub(super) const PROBE_READ_USER: u32 = 112;
pub(super) const GET_CURRENT_TASK_BTF: u32 = 158;
pub(super) const TASK_PT_REGS: u32 = 175;
pub(super) const JIFFIES64: u32 = 118;
pub(super) const SEND_SIGNAL: u32 = 109;
pub(super) const PROBE_READ_KERNEL: u32 = 113;
pub(super) const PROBE_READ_USER_STR: u32 = 114;
pub(super) const PROBE_READ_KERNEL_STR: u32 = 115;
