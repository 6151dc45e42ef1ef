//! The lockstat provider: waits for locks of the kernel, told when the lock has been got.
//!
//! It rests on the tracepoints contention_begin and contention_end (include/trace/events/lock.h, Linux 6.18). Locks that are free
//! are taken by a few instructions in place, of which the kernel tells nothing.
use crate::probe::{Arg, Probe};
use crate::record;
use crate::table::{programs, supports};

record! {
    /// A wait for a lock that has ended.
    pub struct Wait as "lockstat_wait" {
        /// The lock.
        0 lock: u64 as "uintptr_t";
        /// Nanoseconds from the beginning of the wait to its end.
        1 waited: u64 as "uint64_t";
        /// One wait.
        2 one: u64 as "uint64_t";
        /// No counter.
        2 counter: u64 as "uint64_t *";
        /// RW_WRITER 0 or RW_READER 1.
        2 kind: i32 as "int";
        /// The error for which the lock was not got, 0 where it was.
        2 error: i32 as "int";
    }
}

supports! {
    /// Notes when a thread, or a CPU, begins to wait for a lock.
    BEGIN = "lock_begin" on "contention_begin";
}

programs! {
    /// All waits' ends.
    LOCKSTAT = family "lockstat_end" on "contention_end": Wait, &[BEGIN];
}

macro_rules! probes {
    ($( $constant:ident = $number:literal, $provider:literal, $name:literal, $args:ident, $doc:expr; )*) => {
        $(
            #[doc = concat!("The discriminator of ", $provider, ":::", $name, ".")]
            pub const $constant: u16 = $number;
        )*

        /// The probes, in the order of their ids.
        pub const PROBES: &[Probe] = &[ $( Probe {
            provider: $provider,
            function: "",
            name: $name,
            program: &LOCKSTAT,
            discriminator: $number,
            args: $args,
            doc: $doc,
        } ),* ];
    };
}

const TIME: Arg = Arg { ctype: "uint64_t", field: "waited", doc: "nanoseconds that the wait took" };
const KIND: Arg = Arg { ctype: "int", field: "kind", doc: "RW_READER or RW_WRITER" };

const MUTEX: Arg = Arg { ctype: "struct mutex *", field: "lock", doc: "the mutex" };
const RWSEM: Arg = Arg { ctype: "struct rw_semaphore *", field: "lock", doc: "the semaphore" };
const RWLOCK: Arg = Arg { ctype: "rwlock_t *", field: "lock", doc: "the lock" };
const SPINLOCK: Arg = Arg { ctype: "spinlock_t *", field: "lock", doc: "the lock" };

const MUTEX_ARGS: &[Arg] = &[MUTEX, TIME];
const ERROR_ARGS: &[Arg] =
    &[MUTEX, Arg { ctype: "int", field: "error", doc: "the error, negative, such as -EINTR" }];
const RWSEM_ARGS: &[Arg] = &[RWSEM, TIME, KIND];
const RWLOCK_ARGS: &[Arg] = &[RWLOCK, TIME, KIND];
const SPIN_ARGS: &[Arg] = &[SPINLOCK, TIME];
const COUNT_ARGS: &[Arg] = &[
    Arg { ctype: "uint64_t", field: "one", doc: "by what illumos's counter would grow: 1" },
    Arg { ctype: "uint64_t *", field: "counter", doc: "0: Linux keeps no such counter" },
];

probes! {
    ADAPTIVE_BLOCK = 0, "lockstat", "adaptive-block", MUTEX_ARGS,
        "Fires when a thread has got a mutex for which it has slept.";
    ADAPTIVE_SPIN = 1, "lockstat", "adaptive-spin", MUTEX_ARGS,
        "Fires when a thread has got a mutex for which it has waited in a loop, without sleeping.";
    ADAPTIVE_ERROR = 2, "lockstat", "adaptive-acquire-error", ERROR_ARGS,
        "Fires when a thread gives up waiting for a mutex, since a signal has come.";
    RW_BLOCK = 3, "lockstat", "rw-block", RWSEM_ARGS,
        "Fires when a thread has got a semaphore of readers and writers (struct rw_semaphore, percpu_rw_semaphore) for which it has slept.";
    RW_SPIN = 4, "lockstat", "rw-spin", RWLOCK_ARGS,
        "Fires when a rwlock_t has been got for which a CPU has waited in a loop.";
    SPIN_SPIN = 5, "lockstat", "spin-spin", SPIN_ARGS,
        "Fires when a spin lock has been got for which a CPU has queued. One that waits alone behind the holder does not queue, and \
         is not told; what waits for the locks of recording itself is not either.";
    MUTEX_ADENTERS = 6, "sysinfo", "mutex_adenters", COUNT_ARGS,
        "Fires when a thread has waited for a mutex; adaptive-block, adaptive-spin or adaptive-acquire-error fires, too.";
    RW_RDFAILS = 7, "sysinfo", "rw_rdfails", COUNT_ARGS,
        "Fires when a reader has waited for a semaphore of readers and writers; rw-block fires, too.";
    RW_WRFAILS = 8, "sysinfo", "rw_wrfails", COUNT_ARGS,
        "Fires when a writer has waited for a semaphore of readers and writers; rw-block fires, too.";
}
