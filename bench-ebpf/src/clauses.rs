//! The programs.

use core::hash::Hash;

use aya_ebpf::helpers::{
    bpf_get_current_comm, bpf_get_current_pid_tgid, bpf_ktime_get_ns, bpf_probe_read_kernel,
};
use aya_ebpf::macros::{map, raw_tracepoint};
use aya_ebpf::maps::{HashMap, PerCpuArray, PerCpuHashMap};
use aya_ebpf::programs::RawTracePointContext;

/// The process whose calls are counted where a clause has a predicate; set when the programs are loaded.
#[unsafe(no_mangle)]
static PID: u32 = 0;

/// getppid(2), on x86-64.
const GETPPID: u64 = 110;
/// Where the call's number is in struct pt_regs.
const ORIG_AX: u64 = 120;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(C)]
struct Both {
    name: [u8; 16],
    pid: u64,
}

#[map]
static COUNT: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);
#[map]
static SUM: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);
#[map]
static MOST: PerCpuArray<i64> = PerCpuArray::with_max_entries(1, 0);
#[map]
static BUCKETS: PerCpuArray<u64> = PerCpuArray::with_max_entries(128, 0);
#[map]
static BY_PID: PerCpuHashMap<u32, u64> = PerCpuHashMap::with_max_entries(10240, 0);
#[map]
static BY_EXECNAME: PerCpuHashMap<[u8; 16], u64> = PerCpuHashMap::with_max_entries(10240, 0);
#[map]
static BY_BOTH: PerCpuHashMap<Both, u64> = PerCpuHashMap::with_max_entries(10240, 0);
#[map]
static STARTS: HashMap<u32, u64> = HashMap::with_max_entries(10240, 0);

#[raw_tracepoint(tracepoint = "sys_enter")]
pub fn rejected(ctx: RawTracePointContext) -> u32 {
    // No process has this number.
    if entered(&ctx) && pid() == 4_194_305 {
        add(&COUNT, 0, 1);
    }
    0
}

#[raw_tracepoint(tracepoint = "sys_enter")]
pub fn count(ctx: RawTracePointContext) -> u32 {
    if entered(&ctx) {
        add(&COUNT, 0, 1);
    }
    0
}

#[raw_tracepoint(tracepoint = "sys_enter")]
pub fn filtered(ctx: RawTracePointContext) -> u32 {
    // SAFETY: a static; volatile because its value is set at loading.
    if entered(&ctx) && pid() == unsafe { (&raw const PID).read_volatile() } {
        add(&COUNT, 0, 1);
    }
    0
}

#[raw_tracepoint(tracepoint = "sys_enter")]
pub fn by_pid(ctx: RawTracePointContext) -> u32 {
    if entered(&ctx) {
        add_by(&BY_PID, &pid());
    }
    0
}

#[raw_tracepoint(tracepoint = "sys_enter")]
pub fn by_execname(ctx: RawTracePointContext) -> u32 {
    if entered(&ctx)
        && let Ok(name) = bpf_get_current_comm()
    {
        add_by(&BY_EXECNAME, &name);
    }
    0
}

#[raw_tracepoint(tracepoint = "sys_enter")]
pub fn by_both(ctx: RawTracePointContext) -> u32 {
    if entered(&ctx)
        && let Ok(name) = bpf_get_current_comm()
    {
        add_by(&BY_BOTH, &Both { name, pid: pid().into() });
    }
    0
}

#[raw_tracepoint(tracepoint = "sys_exit")]
pub fn sum(ctx: RawTracePointContext) -> u32 {
    if returned(&ctx) {
        add(&SUM, 0, ctx.arg(1));
    }
    0
}

#[raw_tracepoint(tracepoint = "sys_exit")]
pub fn max(ctx: RawTracePointContext) -> u32 {
    if returned(&ctx)
        && let Some(most) = MOST.get_ptr_mut(0)
    {
        let result = ctx.arg::<u64>(1) as i64;
        // SAFETY: this CPU's value.
        unsafe { *most = (*most).max(result) };
    }
    0
}

#[raw_tracepoint(tracepoint = "sys_exit")]
pub fn quantize(ctx: RawTracePointContext) -> u32 {
    if returned(&ctx) {
        add(&BUCKETS, log2(ctx.arg(1)), 1);
    }
    0
}

#[raw_tracepoint(tracepoint = "sys_exit")]
pub fn lquantize(ctx: RawTracePointContext) -> u32 {
    if returned(&ctx) {
        add(&BUCKETS, (ctx.arg::<u64>(1) / 50_000).min(101) as u32, 1);
    }
    0
}

#[raw_tracepoint(tracepoint = "sys_enter")]
pub fn latency(ctx: RawTracePointContext) -> u32 {
    if entered(&ctx) {
        // SAFETY: a helper without arguments. A full map is a latency less.
        let _ = STARTS.insert(&tid(), &unsafe { bpf_ktime_get_ns() }, 0);
    }
    0
}

#[raw_tracepoint(tracepoint = "sys_exit")]
pub fn latency_return(ctx: RawTracePointContext) -> u32 {
    if returned(&ctx) {
        let tid = tid();
        // SAFETY: no other thread has this key; a helper without arguments.
        if let Some(start) = unsafe { STARTS.get(&tid).copied() } {
            add(&BUCKETS, log2(unsafe { bpf_ktime_get_ns() } - start), 1);
            let _ = STARTS.remove(&tid);
        }
    }
    0
}

/// Whether getppid is entered, by sys_enter(struct pt_regs *regs, long id).
#[inline(always)]
fn entered(ctx: &RawTracePointContext) -> bool {
    ctx.arg::<u64>(1) == GETPPID
}

/// Whether getppid returns, by sys_exit(struct pt_regs *regs, long ret).
#[inline(always)]
fn returned(ctx: &RawTracePointContext) -> bool {
    let registers = ctx.arg::<u64>(0);
    // SAFETY: the helper reads any address, or fails.
    unsafe { bpf_probe_read_kernel((registers + ORIG_AX) as *const u64) == Ok(GETPPID) }
}

#[inline(always)]
fn pid() -> u32 {
    (bpf_get_current_pid_tgid() >> 32) as u32
}

#[inline(always)]
fn tid() -> u32 {
    bpf_get_current_pid_tgid() as u32
}

/// The number of bits of a value.
#[inline(always)]
fn log2(value: u64) -> u32 {
    let (mut rest, mut bits) = (value, 0);
    for shift in [32, 16, 8, 4, 2, 1] {
        if rest >> shift != 0 {
            rest >>= shift;
            bits += shift;
        }
    }
    bits + rest as u32
}

#[inline(always)]
fn add(map: &PerCpuArray<u64>, index: u32, value: u64) {
    if let Some(count) = map.get_ptr_mut(index) {
        // SAFETY: this CPU's value.
        unsafe { *count += value };
    }
}

#[inline(always)]
fn add_by<K>(map: &PerCpuHashMap<K, u64>, key: &K) {
    match map.get_ptr_mut(key) {
        // SAFETY: this CPU's value.
        Some(count) => unsafe { *count += 1 },
        // A full map is a count less.
        None => drop(map.insert(key, &1, 0)),
    }
}
