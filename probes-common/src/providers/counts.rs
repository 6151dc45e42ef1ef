//! The providers sysinfo, vminfo and mib: the moments at which illumos adds to a counter of that name, as far as Linux tells of them.
use crate::probe::{Arg, Attach, Probe, Program};
use crate::record;
use crate::schema::Described;
use crate::table::programs;

record! {
    /// A counter grows.
    pub struct Increment as "counts_increment" {
        /// By how much.
        0 amount: u64 as "uint64_t";
        /// Where it is: nowhere.
        0 counter: u64 as "uint64_t *";
    }
}

const ARGS: &[Arg] = &[
    Arg { ctype: "uint64_t", field: "amount", doc: "by how much illumos's counter would grow" },
    Arg { ctype: "uint64_t *", field: "counter", doc: "0: Linux has no such counter" },
];

programs! {
    /// sched_switch.
    ON_SWITCH = family "counts_switch" on "sched_switch": Increment, &[];
    /// sched_migrate_task.
    ON_MIGRATE = family "counts_migrate" on "sched_migrate_task": Increment, &[];
    /// sys_exit.
    ON_CALL = family "counts_call" on "sys_exit": Increment, &[];
    /// sched_process_fork.
    ON_FORK = family "counts_fork" on "sched_process_fork": Increment, &[];
    /// sched_process_exec.
    ON_EXEC = family "counts_exec" on "sched_process_exec": Increment, &[];
    /// cpu_idle.
    ON_IDLE = family "counts_idle" on "cpu_idle": Increment, &[];
    /// csd_queue_cpu.
    ON_CROSS_CALL = family "counts_cross_call" on "csd_queue_cpu": Increment, &[];
    /// module_load.
    ON_LOAD = family "counts_load" on "module_load": Increment, &[];
    /// module_free.
    ON_UNLOAD = family "counts_unload" on "module_free": Increment, &[];
    /// block_bio_queue.
    ON_REQUEST = family "counts_request" on "block_bio_queue": Increment, &[];
    /// page_fault_user.
    ON_USER_FAULT = family "counts_user_fault" on "page_fault_user": Increment, &[];
    /// page_fault_kernel.
    ON_KERNEL_FAULT = family "counts_kernel_fault" on "page_fault_kernel": Increment, &[];
    /// mm_vmscan_lru_isolate.
    ON_SCAN = family "counts_scan" on "mm_vmscan_lru_isolate": Increment, &[];
    /// mm_vmscan_kswapd_wake.
    ON_RECLAIM = family "counts_reclaim" on "mm_vmscan_kswapd_wake": Increment, &[];
    /// inet_sock_set_state.
    ON_TCP_STATE = family "counts_tcp_state" on "inet_sock_set_state": Increment, &[];
    /// tcp_retransmit_skb.
    ON_RETRANSMIT = family "counts_retransmit" on "tcp_retransmit_skb": Increment, &[];
    /// tcp_send_reset.
    ON_RESET = family "counts_reset" on "tcp_send_reset": Increment, &[];
}

/// Page faults that wait for a device.
pub const ON_MAJOR_FAULT: Program = Program {
    name: "counts_major_fault",
    attach: Attach::MajorFaults,
    family: true,
    record: &Increment::DEF,
    needs: &[],
};

macro_rules! probes {
    ($( $constant:ident = $provider:literal, $function:literal, $name:literal, $program:ident, $number:literal, $doc:expr; )*) => {
        $(
            #[doc = concat!("The discriminator of ", $provider, "::", $function, ":", $name, ".")]
            pub const $constant: u16 = $number;
        )*

        /// The probes, in the order of their ids.
        pub const PROBES: &[Probe] = &[ $( Probe {
            provider: $provider,
            function: $function,
            name: $name,
            program: &$program,
            discriminator: $number,
            args: ARGS,
            doc: $doc,
        } ),* ];
    };
}

probes! {
    PSWITCH = "sysinfo", "", "pswitch", ON_SWITCH, 0,
        "Fires in a thread that leaves its CPU to another.";
    INV_SWTCH = "sysinfo", "", "inv_swtch", ON_SWITCH, 1,
        "Fires in a thread that leaves its CPU to another although it could run on.";
    CPUMIGRATE = "sysinfo", "", "cpumigrate", ON_MIGRATE, 0,
        "Fires when a thread is moved to another CPU.";
    SYSREAD = "sysinfo", "", "sysread", ON_CALL, 0,
        "Fires when read(2), readv(2), pread(2) or one of their kind returns.";
    READCH = "sysinfo", "", "readch", ON_CALL, 1,
        "Fires when one of these calls has read something; arg0 is how many bytes.";
    SYSWRITE = "sysinfo", "", "syswrite", ON_CALL, 2,
        "Fires when write(2), writev(2), pwrite(2) or one of their kind returns.";
    WRITECH = "sysinfo", "", "writech", ON_CALL, 3,
        "Fires when one of these calls has written something; arg0 is how many bytes.";
    MSG = "sysinfo", "", "msg", ON_CALL, 4,
        "Fires when msgsnd(2) or msgrcv(2) returns.";
    SEMA = "sysinfo", "", "sema", ON_CALL, 5,
        "Fires when semop(2) or semtimedop(2) returns.";
    SYSFORK = "sysinfo", "", "sysfork", ON_FORK, 0,
        "Fires in a process that makes another, which has its memory for itself.";
    SYSVFORK = "sysinfo", "", "sysvfork", ON_FORK, 1,
        "Fires in a process that makes another in its own memory, by vfork(2), posix_spawn(3) and so on.";
    NTHREADS = "sysinfo", "", "nthreads", ON_FORK, 2,
        "Fires in a thread that makes another, the first of a new process included.";
    SYSEXEC = "sysinfo", "", "sysexec", ON_EXEC, 0,
        "Fires when a process runs a program.";
    IDLETHREAD = "sysinfo", "", "idlethread", ON_IDLE, 0,
        "Fires when a CPU goes to sleep, having nothing to run.";
    XCALLS = "sysinfo", "", "xcalls", ON_CROSS_CALL, 0,
        "Fires when a CPU has another call a function.";
    MODLOAD = "sysinfo", "", "modload", ON_LOAD, 0,
        "Fires when a module of the kernel is loaded.";
    MODUNLOAD = "sysinfo", "", "modunload", ON_UNLOAD, 0,
        "Fires when a module of the kernel is unloaded.";
    BREAD = "sysinfo", "", "bread", ON_REQUEST, 0,
        "Fires when a block device is asked to read.";
    BWRITE = "sysinfo", "", "bwrite", ON_REQUEST, 1,
        "Fires when a block device is asked to write.";
    PGIN = "vminfo", "", "pgin", ON_REQUEST, 2,
        "Fires when pages are asked for from a block device.";
    PGPGIN = "vminfo", "", "pgpgin", ON_REQUEST, 3,
        "The same; arg0 is how many pages.";
    PGOUT = "vminfo", "", "pgout", ON_REQUEST, 4,
        "Fires when pages are to be written to a block device.";
    PGPGOUT = "vminfo", "", "pgpgout", ON_REQUEST, 5,
        "The same; arg0 is how many pages.";
    USER_AS_FAULT = "vminfo", "", "as_fault", ON_USER_FAULT, 0,
        "Fires when a program touches a page that is not there.";
    USER_PROT_FAULT = "vminfo", "", "prot_fault", ON_USER_FAULT, 1,
        "Fires when a program touches a page in a way that is not allowed, or not yet: a page that is copied when it is written to \
         among them.";
    KERNEL_AS_FAULT = "vminfo", "kernel", "as_fault", ON_KERNEL_FAULT, 0,
        "Fires when the kernel touches a page of a program that is not there, as where it copies from or to it.";
    KERNEL_ASFLT = "vminfo", "", "kernel_asflt", ON_KERNEL_FAULT, 1,
        "Fires when the kernel touches a page of its own that is not there.";
    MAJ_FAULT = "vminfo", "", "maj_fault", ON_MAJOR_FAULT, 0,
        "Fires when a page fault has had to wait for a device.";
    SCAN = "vminfo", "", "scan", ON_SCAN, 0,
        "Fires when the kernel looks for pages to take back; arg0 is how many it has looked at.";
    PGRRUN = "vminfo", "", "pgrrun", ON_RECLAIM, 0,
        "Fires when the kernel's thread that takes pages back is woken.";
    TCP_ACTIVE_OPENS = "mib", "", "tcpActiveOpens", ON_TCP_STATE, 0,
        "Fires when a connection is requested: from CLOSED to SYN_SENT.";
    TCP_PASSIVE_OPENS = "mib", "", "tcpPassiveOpens", ON_TCP_STATE, 1,
        "Fires when a connection is accepted: to SYN_RECEIVED, which Linux tells of when the handshake's last segment comes.";
    TCP_ATTEMPT_FAILS = "mib", "", "tcpAttemptFails", ON_TCP_STATE, 2,
        "Fires when a connection does not come about: from SYN_SENT or SYN_RECEIVED to CLOSED.";
    TCP_ESTAB_RESETS = "mib", "", "tcpEstabResets", ON_TCP_STATE, 3,
        "Fires when a connection is broken: from ESTABLISHED or CLOSE_WAIT to CLOSED.";
    TCP_RETRANS_SEGS = "mib", "", "tcpRetransSegs", ON_RETRANSMIT, 0,
        "Fires when a segment is sent again.";
    TCP_RETRANS_BYTES = "mib", "", "tcpRetransBytes", ON_RETRANSMIT, 1,
        "The same; arg0 is how many bytes.";
    TCP_OUT_RSTS = "mib", "", "tcpOutRsts", ON_RESET, 0,
        "Fires when a segment with RST is sent in answer to another. Kernels before Linux 6.10 do not tell of those that are sent where \
         there is no socket.";
}
