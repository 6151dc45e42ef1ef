//! The ring: how what the clauses record gets to the tracer.

use core::ffi::c_void;

use aya_ebpf::bindings::{BPF_RB_AVAIL_DATA, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP};
use aya_ebpf::helpers::{bpf_get_smp_processor_id, bpf_ktime_get_ns, bpf_ringbuf_output, bpf_ringbuf_query};
use aya_ebpf::macros::map;
use aya_ebpf::maps::{PerCpuArray, RingBuf};
use probes_common::abi::{Drop, EPID_FAULT, Fault, HEADER_SIZE, Header, Slot};

use crate::constants::scope;
use crate::{atomic, drops, speculations, state};

/// One ring for all CPUs. The linker sets its size.
#[map]
static RING: RingBuf = RingBuf::with_byte_size(1 << 20, 0);

/// The number of messages that this CPU has tried to send.
#[map]
static SEQ: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);

/// For clauses: sends the message of `len` bytes that was built at byte `at` of the slot, its first bytes left free
/// for the header that this fills in. `at` and `len` are constants of the call site.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn emit(slot: *mut Slot, at: u64, len: u64, epid: u64) -> u64 {
    // SAFETY: clauses pass their slot, and a place in it that their compiler laid out; the verifier checks it.
    unsafe {
        let message = slot.cast::<u8>().add(at as usize);
        write_header(message.cast(), slot, epid as u32);
        if !output(message.cast(), len) {
            lost((*slot).probe >> 16);
        }
    }
    0
}

/// For clauses that speculate: as [`emit`], with the speculation's tag, for which the message has a word behind its header.
/// The tracer keeps it until the speculation is committed or discarded.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn emit_speculative(slot: *mut Slot, at: u64, len: u64, epid: u64, tag: u64) -> u64 {
    // SAFETY: as for `emit`.
    unsafe {
        let message = slot.cast::<u8>().add(at as usize);
        write_header(message.cast(), slot, epid as u32);
        message.add(HEADER_SIZE).cast::<u64>().write(tag);
        if !speculations::has_room(tag, len) || !output(message.cast(), len) {
            drops::count((*slot).probe >> 16, Drop::Speculation as u32);
        }
    }
    0
}

/// What [`fault_report`] sends.
#[repr(C)]
struct FaultMessage {
    header: Header,
    fault: Fault,
}

/// For dispatchers: reports the slot's fault.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn fault_report(slot: *mut Slot) -> u64 {
    let header = Header { epid: EPID_FAULT, probe: 0, time: 0, seq: 0, cpu: 0 };
    // SAFETY: dispatchers pass their slot.
    unsafe {
        let mut message = FaultMessage { header, fault: (*slot).fault };
        write_header(&raw mut message.header, slot, EPID_FAULT);
        if !output((&raw mut message).cast(), size_of::<FaultMessage>() as u64) {
            lost((*slot).probe >> 16);
        }
    }
    0
}

const _: () = assert!(size_of::<FaultMessage>() == HEADER_SIZE + size_of::<Fault>());

/// # Safety
/// `header` is writable, `slot` a claimed slot.
#[inline(always)]
unsafe fn write_header(header: *mut Header, slot: *mut Slot, epid: u32) {
    // SAFETY: the caller's promise; the helpers have no arguments.
    unsafe {
        if (*slot).time == 0 {
            (*slot).time = bpf_ktime_get_ns();
        }
        (*header).epid = epid;
        (*header).probe = (*slot).probe;
        (*header).time = (*slot).time;
        (*header).seq = next_seq();
        (*header).cpu = bpf_get_smp_processor_id() as u32;
    }
}

/// Bytes that the ring adds to a message (`BPF_RINGBUF_HDR_SZ` of include/uapi/linux/bpf.h).
const RING_HEADER: u64 = 8;

/// A message found the ring full: a drop, or where the ring is filled only once, the end.
#[inline(always)]
fn lost(program: u32) {
    if scope!(fill) != 0 {
        state::end();
    } else {
        drops::count(program, Drop::Ring as u32);
    }
}

/// Sends, and wakes the reader only when much is waiting: by its own timer it comes soon enough for little.
///
/// A wake-up costs several times what the rest does. So it is sent when what waits passes a multiple of the watermark, a
/// power of two, and not for every message beyond it; should two CPUs pass one together unseen, the next multiple is near.
/// Says whether there was room.
///
/// # Safety
/// `message` has `len` initialized bytes.
#[inline(always)]
unsafe fn output(message: *mut c_void, len: u64) -> bool {
    let ring = (&raw const RING).cast_mut().cast();
    let watermark = scope!(watermark);
    // SAFETY: `ring` is a map, `message` the caller's promise.
    unsafe {
        let waiting = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA.into());
        let passes = (waiting ^ (waiting + len + RING_HEADER)) >= watermark;
        let wakeup = if passes { BPF_RB_FORCE_WAKEUP } else { BPF_RB_NO_WAKEUP };
        bpf_ringbuf_output(ring, message, len, wakeup.into()) == 0
    }
}

#[inline(always)]
fn next_seq() -> u32 {
    match SEQ.get_ptr_mut(0) {
        // SAFETY: the map's value is a u64 and lives as long as the program.
        Some(seq) => unsafe { atomic::add(seq, 1) as u32 },
        None => 0,
    }
}
