//! The memory of a firing and the words that travel between the kernel and the tracer.

/// Slots for each CPU: one firing and three that interrupt it.
pub const SLOTS_PER_CPU: u32 = 4;

/// Room for the largest record, in bytes.
pub const RECORD_SIZE: usize = 2304;

/// The most bytes of a record that a firing can have on the stack.
pub const LIGHT_RECORD: usize = 48;

/// The beginning of a slot. What the compiler lays out behind it starts at [`SLOT_SIZE`].
///
/// Clauses that touch nothing behind a record of at most [`LIGHT_RECORD`] bytes are given one that ends there, on the stack.
#[repr(C, align(8))]
pub struct Slot {
    /// `program << 16 | discriminator`; written by the dispatcher.
    pub probe: u32,
    /// Which probe of a family this is; written by the trampoline.
    pub discriminator: u32,
    /// Nanoseconds of CLOCK_MONOTONIC at which the firing first asked for the time; 0 before.
    pub time: u64,
    /// 1 while a firing has the slot, 2 while it passes from one program to the next; exchanged atomically by the trampolines,
    /// never touched by anyone else.
    pub busy: u64,
    /// The record, of the type that the program declares.
    pub record: [u8; RECORD_SIZE],
    /// What went wrong in a clause; the record of the ERROR probe.
    pub fault: Fault,
    /// What routines that loop work with.
    pub work: Work,
}

/// Numbers that a routine is given besides its arguments, and what it keeps while it loops. It lies in the slot because the
/// verifier follows what is on the stack through every turn of a loop, and what is in a map's value through one.
#[repr(C)]
pub struct Work {
    /// What the clause hands in.
    pub numbers: [i64; 2],
    /// The routine's own.
    pub state: [u64; 12],
}

/// Where the numbers for routines lie in a slot.
pub const SLOT_NUMBERS: usize = core::mem::offset_of!(Slot, work) + core::mem::offset_of!(Work, numbers);

/// Size of the part of a slot that Rust knows.
pub const SLOT_SIZE: usize = core::mem::size_of::<Slot>();
/// Where the record lies in a slot.
pub const SLOT_RECORD: usize = core::mem::offset_of!(Slot, record);
/// Where the fault lies in a slot.
pub const SLOT_FAULT: usize = core::mem::offset_of!(Slot, fault);

crate::record! {
    /// A fault of a clause, as the ERROR probe shows it.
    pub struct Fault as "dtrace_error" {
        /// The probe that faulted, as `program << 16 | discriminator`.
        0 probe: u64 as "uint64_t";
        /// The enabled probe id of the clause that faulted.
        0 epid: u64 as "uint64_t";
        /// The action in that clause, counted from 1.
        0 action: u64 as "uint64_t";
        /// The instruction in that clause.
        0 offset: u64 as "uint64_t";
        /// The kind of fault, DTRACEFLT_*.
        0 fault: u64 as "uint64_t";
        /// The address or value that was at fault.
        0 value: u64 as "uint64_t";
    }
}

/// Kinds of faults, with DTrace's numbers (sys/dtrace.h).
pub mod fault {
    /// Something else.
    pub const UNKNOWN: u64 = 0;
    /// An address that cannot be read.
    pub const BADADDR: u64 = 1;
    /// An address that is not aligned.
    pub const BADALIGN: u64 = 2;
    /// An illegal operation.
    pub const ILLOP: u64 = 3;
    /// A division by zero.
    pub const DIVZERO: u64 = 4;
    /// Out of scratch space.
    pub const NOSCRATCH: u64 = 5;
    /// An access without permission.
    pub const KPRIV: u64 = 6;
    /// An access without permission to user memory.
    pub const UPRIV: u64 = 7;
    /// Tuple overflow.
    pub const TUPOFLOW: u64 = 8;
    /// A bad stack.
    pub const BADSTACK: u64 = 9;
    /// A size that cannot be.
    pub const BADSIZE: u64 = 10;
    /// A subscript beyond its array.
    pub const BADINDEX: u64 = 11;
}

/// The most frames of a kernel's stack that are the tracer's own: the clause, its callers, what the kernel calls them with.
pub const OWN_FRAMES: u64 = 8;

/// What a clause function returns.
pub mod outcome {
    /// Go on with the next clause.
    pub const NEXT: u64 = 0;
    /// End this firing.
    pub const STOP: u64 = 1;
    /// The fault is in the slot.
    pub const FAULT: u64 = 2;
}

/// Values of the word STATE.
pub mod state {
    /// BEGIN has not ended.
    pub const BEFORE: u64 = 0;
    /// Probes fire.
    pub const ACTIVE: u64 = 1;
    /// exit() was called or the tracer is ending; only END runs.
    pub const ENDED: u64 = 2;
}

/// What every message in the ring begins with.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// Enabled probe id: which clause of which program made it; [`EPID_FAULT`] for a fault.
    pub epid: u32,
    /// `program << 16 | discriminator`.
    pub probe: u32,
    /// Nanoseconds of CLOCK_MONOTONIC.
    pub time: u64,
    /// Counts the messages of this CPU, dropped ones too: a gap is a drop.
    pub seq: u32,
    /// The CPU.
    pub cpu: u32,
}

/// Size of the header.
pub const HEADER_SIZE: usize = core::mem::size_of::<Header>();

/// The epid of a message whose body is a [`Fault`].
pub const EPID_FAULT: u32 = 0;

/// Why something was not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Drop {
    /// The ring was full.
    Ring = 0,
    /// No slot was free.
    Slot = 1,
    /// A map had no room for another aggregation key.
    Aggregation = 2,
    /// A map had no room for another dynamic variable.
    Dynamic = 3,
    /// There was no room to remember something for others, see [`memory`].
    Support = 4,
    /// A 32-bit system call: its number means another call than it does for 64-bit programs, so it was passed over.
    Compat = 5,
    /// A speculation had no room for another record.
    Speculation = 6,
    /// speculation() found none that was free.
    Unavailable = 7,
    /// The program was already running on the CPU, as when what a clause does brings the same event again. The kernel
    /// counts these itself.
    Recursion = 8,
}

/// How many kinds of drops programs count. The map DROPS (per-CPU array of u64) is indexed `program * DROP_KINDS + kind`.
pub const DROP_KINDS: u32 = 8;

/// The most programs of one session.
pub const MAX_PROGRAMS: u32 = 256;

/// What support programs remember for others. Each has a line of its own in the map DROPS, behind those of the programs.
pub mod memory {
    /// Calls under way on pipes and sockets, by thread.
    pub const CALLS: u32 = super::MAX_PROGRAMS;
    /// Processes' arguments.
    pub const PSARGS: u32 = CALLS + 1;
    /// Sockets' owners.
    pub const OWNERS: u32 = CALLS + 2;
    /// Requests to block devices.
    pub const REQUESTS: u32 = CALLS + 3;
    /// Connections, of which the least recently used make room for others.
    pub const CONNECTIONS: u32 = CALLS + 4;
    /// The last segments of handshakes, likewise.
    pub const HANDSHAKES: u32 = CALLS + 5;
    /// Waits for locks, by thread.
    pub const LOCKS: u32 = CALLS + 6;
    /// What drops are reported under, by number from [`CALLS`] on.
    pub const NAMES: [&str; 7] = [
        "support:::calls",
        "support:::psargs",
        "support:::owners",
        "support:::requests",
        "support:::connections",
        "support:::handshakes",
        "support:::locks",
    ];
}

/// The lines of the map DROPS.
pub const DROP_LINES: u32 = MAX_PROGRAMS + memory::NAMES.len() as u32;

/// Settings that the tracer hands in, constant for the verifier.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// Number of possible CPUs.
    pub cpus: u32,
    /// The tracer's own process id, as the kernel's first PID namespace has it.
    pub own_pid: u32,
    /// Bytes waiting in the ring, at each multiple of which the reader is woken: a power of two.
    pub watermark: u64,
    /// `CLOCK_REALTIME - CLOCK_MONOTONIC`, nanoseconds.
    pub wall_offset: u64,
    /// Nanoseconds between two ticks of the kernel's clock: a jiffy.
    pub tick: u64,
    /// 1 when only events of the processes in the map `scope::SCOPED` count, 0 when those of all do.
    pub following: u64,
    /// The one CPU on which probes fire; [`ANY_CPU`] for all.
    pub cpu: u64,
    /// 1 when a full ring ends tracing, 0 when it is a drop.
    pub fill: u64,
    /// How many speculations there are.
    pub speculations: u64,
    /// Bytes that a speculation may record on each CPU.
    pub speculation_size: u64,
    /// Address of what the kernel's clock calls at each tick; 0 where it is not asked for.
    pub tick_handler: u64,
}

/// For [`Scope::cpu`]: probes fire on every CPU.
pub const ANY_CPU: u64 = u64::MAX;

/// What tells the speculations apart whose records wait in the tracer: the number in the lowest [`TAG_BITS`] bits, how often
/// it has been used above them. 0 is none.
pub const TAG_BITS: u32 = 16;
